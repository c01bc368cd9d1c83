"""A visit whose duration somebody wants to know: the agent, or another sink of metrics."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from guard_wsgi.request.verdict import Verdict
from guard_wsgi.response.outgoing import Departure, HeaderList, Write
from guard_wsgi.telemetry.bus import Observe

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

    __slots__ = ("environ", "measure", "observe")

    def __init__(self, environ: dict[str, Any], measure: Measure, observe: Observe) -> None:
        self.environ = environ
        self.measure = measure
        self.observe = observe

    def begin(self, status: str, headers: HeaderList, exc_info: OptExcInfo | None = None) -> Write:
        verdict, code = self.verdict, int(status[:3])
        if verdict.endpoint is None and verdict.action != "block":
            # No route has a name, so it takes one call.
            seconds = perf_counter() - self.started
            self.observe(None, self.environ["REQUEST_METHOD"], code, seconds, False)
        else:
            self.measure(self.environ, verdict, self.started, code, verdict.action == "block")
        return Departure.begin(self, status, headers, exc_info)
