"""The deployment that the doctor examines."""

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
    """The deployment to examine.

    :ivar name: what the user calls the app, such as ``shop:app``; "" if it is not known.
    :ivar guard: the guard around ``app``; ``None`` if there is none, or no app was given.
    :ivar workers: how many processes serve the app; ``None`` if it is not known.
    """

    config: SecurityConfig
    app: object = None
    name: str = ""
    guard: GuardMiddleware | None = None
    workers: int | None = None
    variables: Mapping[str, str]

    def option(self, name: str, default: Any = None) -> Any:
        return getattr(self.config, name, default)
