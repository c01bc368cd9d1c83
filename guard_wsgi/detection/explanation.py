"""How a value was weighed, for people."""

from __future__ import annotations

from attrs import frozen


@frozen
class Explanation:
    """How one window of a value was weighed: what `guard-wsgi inspect` prints.

    :ivar evidence: (name, view, weight in log-odds), the weightiest first.
    """

    location: str
    name: str
    value: str
    category: str
    evidence: tuple[tuple[str, str, float], ...]
    score: float
    threshold: float
