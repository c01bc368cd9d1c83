"""Requests counted per interval, endpoint template and method, never per request.

A metric a request would cost more than the request is worth, and a raw path as a label would
let any scanner invent series without number.
"""

from __future__ import annotations

import threading

from attrs import define, field

from guard_wsgi.telemetry.events import SecurityMetric, utc_now

MAX_SERIES = 1000
"""Endpoint and method pairs an interval tells apart; an app with more has its paths as endpoints,
and then the rest is counted together as ``(other)``."""

UNMATCHED = "(unmatched)"
"""The endpoint of a request no route is known for."""
OTHER = "(other)"

METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
)
"""RFC 9110, section 9.3 and RFC 5789. A method is the client's text, so all others are counted
together."""


@define(slots=True)
class _Series:
    count: int = 0
    seconds: float = 0.0
    longest_seconds: float = 0.0
    errors: int = 0
    blocked: int = 0
    by_status_class: dict[int, int] = field(factory=dict)


class RequestAggregate:
    """Counts requests until they are drained. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[tuple[str, str], _Series] = {}

    def add(
        self, endpoint: str | None, method: str, status: int, seconds: float, blocked: bool
    ) -> None:
        """Count one request. About a microsecond."""
        key = (endpoint or UNMATCHED, method if method in METHODS else OTHER)
        with self._lock:
            series = self._series.get(key)
            if series is None:
                if len(self._series) >= MAX_SERIES:
                    key = (OTHER, key[1])
                series = self._series.setdefault(key, _Series())
            series.count += 1
            series.seconds += seconds
            if seconds > series.longest_seconds:
                series.longest_seconds = seconds
            if status >= 400:
                series.errors += 1
            if blocked:
                series.blocked += 1
            status_class = status // 100
            classes = series.by_status_class
            classes[status_class] = classes.get(status_class, 0) + 1

    def drain(self) -> list[SecurityMetric]:
        """What was counted since the last time, as metrics, oldest endpoint first.

        ``request_count`` per status class; ``response_time`` as the mean in seconds, with the
        count and the longest as tags; ``error_rate`` and ``block_rate`` as shares of 1.
        """
        with self._lock:
            drained, self._series = self._series, {}
        now = utc_now()
        metrics: list[SecurityMetric] = []
        for (endpoint, method), series in drained.items():
            tags = {"endpoint": endpoint, "method": method}

            def metric(
                metric_type: str, value: float, endpoint: str = endpoint, **more: str
            ) -> SecurityMetric:
                return SecurityMetric(
                    metric_type=metric_type,
                    value=value,
                    endpoint=endpoint,
                    tags=tags | more,  # noqa: B023 - called at once
                    timestamp=now,
                )

            for status_class, count in sorted(series.by_status_class.items()):
                metrics.append(metric("request_count", float(count), status=f"{status_class}xx"))
            metrics.append(
                metric(
                    "response_time",
                    series.seconds / series.count,
                    count=str(series.count),
                    max=f"{series.longest_seconds:.6f}",
                )
            )
            metrics.append(metric("error_rate", series.errors / series.count))
            if series.blocked:
                metrics.append(metric("block_rate", series.blocked / series.count))
        return metrics

    def after_fork_in_child(self) -> None:
        """Forget what the parent counted: the parent tells it."""
        self._lock = threading.Lock()
        self._series = {}
