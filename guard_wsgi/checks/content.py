"""What a request must bring and may not exceed: size, media type, headers, referrer, hour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, time
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from guard_wsgi.network.names import ascii_host
from guard_wsgi.network.standing import BODILESS, EXCLUDED, NOBODY
from guard_wsgi.request.block import Block
from guard_wsgi.request.view import GuardRequest


class RequestSize:
    """Refuses a body over the limit: at once when its length says so, else while it is read."""

    name = "request_size_content"
    fails_closed = True

    def __init__(self, max_bytes: int, *, scope: str = "global") -> None:
        self._max_bytes = max_bytes
        self.excused = BODILESS | (EXCLUDED if scope == "global" else NOBODY)

    def __call__(self, request: GuardRequest) -> Block | None:
        length = request.incoming_body.length
        if length is None:
            # Chunked: nobody knows yet. The stream counts, and stops the app's reading.
            request.incoming_body.limit(self._max_bytes)
            return None
        if length <= self._max_bytes:
            return None
        return Block(
            status=413,
            message="Request too large",
            check=self.name,
            event="content_filtered",
            reason=f"{length} bytes, {self._max_bytes} allowed",
        )


class ContentTypes:
    """Refuses media types that are not on the list, compared without case and parameters.

    A request without a body (most GETs) has no media type and none is asked of it.
    """

    name = "request_size_content"
    fails_closed = True

    def __init__(self, allowed: Iterable[str], *, scope: str = "global") -> None:
        self._allowed = frozenset(kind.partition(";")[0].strip().lower() for kind in allowed)
        self.excused = BODILESS | (EXCLUDED if scope == "global" else NOBODY)

    def __call__(self, request: GuardRequest) -> Block | None:
        kind = request.content_type
        if kind in self._allowed or not request.has_body:
            return None
        return Block(
            status=415,
            message="Unsupported content type",
            check=self.name,
            event="content_filtered",
            reason=f"media type {kind or 'missing'}",
        )


class RequiredHeaders:
    """Refuses requests without the named headers, or with other values than the ones given."""

    name = "required_headers"
    excused = NOBODY
    fails_closed = True

    PRESENT = "required"
    """The value that asks for presence only."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = tuple(
            (name, None if value == self.PRESENT else value) for name, value in headers.items()
        )

    def __call__(self, request: GuardRequest) -> Block | None:
        for name, expected in self._headers:
            value = request.headers.get(name, "")
            if not value:
                message = f"Missing required header: {name}"
            elif expected is not None and value != expected:
                message = f"Header '{name}' does not match the required value"
            else:
                continue
            return Block(status=400, message=message, check=self.name, reason=message)
        return None


class Referrers:
    """Refuses requests that come from other sites than the named ones and their subdomains.

    ``Referer`` is sent by the browser on its own judgement and by other clients at will: this
    keeps out hot links and honest mistakes, not an attacker.
    """

    name = "referrer"
    excused = NOBODY
    fails_closed = True

    def __init__(self, domains: Iterable[str]) -> None:
        self._domains = tuple(_domain(domain) for domain in domains)

    def __call__(self, request: GuardRequest) -> Block | None:
        referrer = (
            request.environ.get("HTTP_REFERER", "").encode("latin-1").decode("utf-8", "replace")
        )
        if not referrer:
            return self._refuse("Referrer required", "no referrer")
        host, port = _split_host(referrer)
        for domain, domain_port in self._domains:
            if domain_port is not None and domain_port != port:
                continue
            if host == domain or host.endswith("." + domain):
                return None
        return self._refuse("Invalid referrer", f"referrer from {host or 'nowhere'}")

    def _refuse(self, message: str, reason: str) -> Block:
        return Block(status=403, message=message, check=self.name, reason=reason)


class TimeWindow:
    """Refuses requests outside an hour of the day, in a named time zone.

    The last minute counts in full; a start after the end is a window over midnight. The wall
    clock of the zone decides, so a daylight-saving change moves with the people it is for.
    """

    name = "time_window"
    excused = NOBODY
    fails_closed = True

    def __init__(
        self,
        start: time,
        end: time,
        zone: ZoneInfo,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._start = start
        self._end = end
        self._zone = zone
        self._now = now

    def __call__(self, request: GuardRequest) -> Block | None:
        minute = self._now().astimezone(self._zone).time().replace(second=0, microsecond=0)
        if self._start <= self._end:
            inside = self._start <= minute <= self._end
        else:
            inside = minute >= self._start or minute <= self._end
        if inside:
            return None
        return Block(
            status=403,
            message="Access not allowed at this time",
            check=self.name,
            reason=f"{minute:%H:%M} {self._zone.key}",
        )


def _domain(text: str) -> tuple[str, int | None]:
    return _split_host(text if "//" in text else "//" + text)


def _split_host(url: str) -> tuple[str, int | None]:
    """Host and port of a URL; the host in ASCII, as browsers write international ones."""
    try:
        parts = urlsplit(url)
        return ascii_host(parts.hostname or ""), parts.port
    except ValueError:
        return "", None
