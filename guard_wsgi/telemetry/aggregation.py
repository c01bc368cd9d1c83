"""Counts requests per interval, endpoint template and method.

A metric per request would cost too much, and a raw path as a label would let any scanner create
endless series.
"""

from __future__ import annotations

import threading

from attrs import define, field

from guard_wsgi.telemetry.events import SecurityMetric, utc_now

MAX_SERIES = 1000
"""The most pairs of endpoint and method per interval. An app with more uses its paths as endpoints;
the rest is counted together as ``(other)``."""

UNMATCHED = "(unmatched)"
"""The endpoint of a request without a known route."""
OTHER = "(other)"

METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
)
"""RFC 9110, section 9.3 and RFC 5789. A client may send any method, so all others are counted
together."""


@define(slots=True)
class _Series:
    seconds: float = 0.0
    longest_seconds: float = 0.0
    blocked: int = 0
    by_status_class: dict[int, int] = field(factory=dict)

    @property
    def count(self) -> int:
        return sum(self.by_status_class.values())

    @property
    def errors(self) -> int:
        return sum(count for kind, count in self.by_status_class.items() if kind >= 4)


class RequestAggregate:
    """Counts requests until they are drained. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[tuple[str, str], _Series] = {}

    def add(
        self, endpoint: str | None, method: str, status: int, seconds: float, blocked: bool
    ) -> None:
        """Count one request; this takes about a microsecond."""
        key = (endpoint or UNMATCHED, method if method in METHODS else OTHER)
        lock = self._lock
        lock.acquire()  # half the time of a `with`
        try:
            series = self._series.get(key)
            if series is None:
                if len(self._series) >= MAX_SERIES:
                    key = (OTHER, key[1])
                series = self._series.setdefault(key, _Series())
            series.seconds += seconds
            if seconds > series.longest_seconds:
                series.longest_seconds = seconds
            if blocked:
                series.blocked += 1
            status_class = status // 100
            classes = series.by_status_class
            classes[status_class] = classes.get(status_class, 0) + 1
        finally:
            lock.release()

    def drain(self) -> list[SecurityMetric]:
        """Return the counts since the last call as metrics, oldest endpoint first.

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
        """Drop the parent's counts: the parent reports them."""
        self._lock = threading.Lock()
        self._series = {}
