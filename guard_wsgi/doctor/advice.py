"""The deployment that advice is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from guard_wsgi.config.advice import Advice as Advice

if TYPE_CHECKING:
    from guard_wsgi.config.security import SecurityConfig
    from guard_wsgi.middleware import GuardMiddleware


@frozen(slots=True, kw_only=True)
class Deployment:
    """What is looked at.

    :ivar guard: the guard around ``app``; ``None`` when there is none, or no app was given.
    :ivar workers: how many processes serve the app; ``None`` when nobody knows.
    """

    config: SecurityConfig
    app: object = None
    guard: GuardMiddleware | None = None
    workers: int | None = None
    variables: Mapping[str, str]

    def option(self, name: str, default: Any = None) -> Any:
        return getattr(self.config, name, default)
