"""Detection's budgets: the spent budget of a finding, its option and its figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from guard_wsgi.detection import BUDGET, Finding

OPTIONS: Mapping[str, str] = {
    "max_values": "detection_max_scan_values",
    "max_chars": "detection_max_scan_chars",
    "max_json_depth": "detection_max_json_depth",
    "max_body_bytes": "detection_max_body_inspect_bytes",
}
"""Maps detection's name of a budget to the option that sets it."""

_WORDS: Mapping[str, str] = {
    "max_values": "more than {} names and values",
    "max_chars": "more than {} characters to weigh",
    "max_json_depth": "nested deeper than {} levels",
    "max_body_bytes": "more than {} bytes",
    "max_density": "more work than a text of its length may take",
    "multipart_end": "the last boundary is missing",
}


@frozen(slots=True)
class ReachedLimit:
    """The limit that a finding of a spent budget is about.

    :ivar limit: the name of the budget, or of a fault in the shape of a body.
    :ivar option: the option that sets it; empty for a fault in the shape.
    :ivar figure: the option's value; ``None`` for a fault in the shape.
    """

    limit: str
    option: str = ""
    figure: int | None = None

    def __str__(self) -> str:
        words = _WORDS.get(self.limit, self.limit.replace("_", " ")).format(self.figure)
        setting = f"{self.option}={self.figure}" if self.option else self.limit
        return f"{words} ({setting})"

    def as_mapping(self) -> dict[str, Any]:
        """Return the fields for events; a fault in the shape has no option."""
        reported: dict[str, Any] = {"limit": self.limit}
        if self.option:
            reported |= {"option": self.option, "figure": self.figure}
        return reported


def reached_limit(finding: Finding, figures: object) -> ReachedLimit | None:
    """Return the spent budget of a finding; ``None`` for any other finding.

    :param figures: detection's settings, or a configuration.
    """
    if finding.category != BUDGET or not finding.indicators:
        return None
    limit = finding.indicators[0]
    option = OPTIONS.get(limit)
    if option is None:
        return ReachedLimit(limit)
    figure = getattr(figures, limit, None)
    return ReachedLimit(limit, option, getattr(figures, option) if figure is None else figure)
