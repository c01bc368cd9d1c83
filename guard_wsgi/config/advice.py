"""A piece of advice about a configuration or a deployment."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

Severity = Literal["error", "warning", "note"]


@frozen(slots=True)
class Advice:
    """One piece of advice.

    :ivar severity: ``error``: protection is missing or the site is at risk; ``warning``: protection
        is weaker than it looks; ``note``: worth knowing.
    :ivar code: a stable name, for scripts.
    :ivar problem: what is wrong.
    :ivar remedy: what to set, install or do.
    """

    severity: Severity
    code: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.problem} [{self.code}]\n    {self.remedy}"
