"""A piece of advice, and the deployment that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

if TYPE_CHECKING:
    from guard_wsgi.config.security import SecurityConfig
    from guard_wsgi.middleware import GuardMiddleware

Severity = Literal["error", "warning", "note"]


@frozen(slots=True)
class Advice:
    """One thing to see to.

    :ivar severity: ``error``: protection is absent or the site is at risk; ``warning``: weaker
        than it looks; ``note``: worth knowing.
    :ivar code: stable, for scripts.
    :ivar problem: what is wrong here.
    :ivar remedy: what to set, install or do.
    """

    severity: Severity
    code: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.problem} [{self.code}]\n    {self.remedy}"


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
