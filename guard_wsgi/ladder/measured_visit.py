"""A visit whose duration somebody wants to know: the agent, or another sink of metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from guard_wsgi.request.verdict import Verdict
from guard_wsgi.response.outgoing import Departure, HeaderList, Write

if TYPE_CHECKING:
    from _typeshed import OptExcInfo

Measure = Callable[[dict[str, Any], Verdict, float, int, bool], None]
"""Reports a request: its environ and verdict, when it began, its status, and whether it was
refused."""


class MeasuredVisit(Departure):
    """A visit that is reported when its answer begins.

    The environ must not refer to it, since it refers to the environ: a reference cycle would keep
    every environ alive.
    """

    __slots__ = ("environ", "measure")

    def __init__(self, environ: dict[str, Any], measure: Measure) -> None:
        self.environ = environ
        self.measure = measure

    def begin(self, status: str, headers: HeaderList, exc_info: OptExcInfo | None = None) -> Write:
        verdict = self.verdict
        self.measure(
            self.environ, verdict, self.started, int(status[:3]), verdict.action == "block"
        )
        return Departure.begin(self, status, headers, exc_info)
