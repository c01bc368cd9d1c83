"""A piece of advice about a configuration or a deployment."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

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
