"""Detection: attacks in the head and the body of a request, and honeypot fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from guard_wsgi.behavior.webdav_shares import WebDAVShares
from guard_wsgi.checks.attack import AttackRefusal
from guard_wsgi.checks.base import Check
from guard_wsgi.checks.honeypot_fields import Unreadable, filled_in, filled_in_whatever, in_query
from guard_wsgi.checks.inspections import RouteInspections
from guard_wsgi.checks.services import CheckServices
from guard_wsgi.config.sections.mode import EXCLUDED_PATHS
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.detection import BUDGET, Finding
from guard_wsgi.detection.finding import BEYOND
from guard_wsgi.detection.message.body_values import is_document
from guard_wsgi.detection.message.media import BodyKind
from guard_wsgi.detection.message.multipart import present
from guard_wsgi.detection.message.skimmer import Skimmer
from guard_wsgi.network.standing import BODILESS, EXCLUDED, NOBODY, WHITELISTED
from guard_wsgi.request.block import Block
from guard_wsgi.request.body import RequestBody, read_at_once
from guard_wsgi.request.framing import BodyTooLarge
from guard_wsgi.request.view import MAX_HOOK_BODY_BYTES, GuardRequest
from guard_wsgi.request.visit import Visit
from guard_wsgi.routes.bypass import Bypass
from guard_wsgi.routes.config import RouteConfig

FILE_TYPE = "application/octet-stream"
"""The media type for text in a PUT: a client that stores files gives it to all kinds of text."""

FIRST_BYTES = 262_144
"""Bytes to read first: all of most bodies, and enough of others to recognise them."""

MAX_SKIMMED_BYTES = 268_435_456
"""The most bytes of a form with files, which is read to the end for its other fields: an hour of
video. It lies on disk meanwhile, as it will with the app."""

_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


def _excluded(config: SecurityConfig) -> int:
    """Return the standing of requests that are not inspected for their path.

    A site that lists paths knows what answers there. The default paths are only usual names: a
    catch-all route may answer below them.
    """
    return NOBODY if config.exclude_paths == EXCLUDED_PATHS else EXCLUDED


def are_of_the_path(findings: tuple[Finding, ...]) -> bool:
    """Whether all findings are of the path, which may be of a file that the app keeps."""
    return all(finding.location == "path" for finding in findings)


class HeadInspection(Check):
    """Inspects path, query, cookies and headers for attacks."""

    name = "suspicious_activity"
    bypasses = frozenset({Bypass.PENETRATION})
    fails_closed = False

    def __init__(
        self,
        inspections: RouteInspections,
        refuse: AttackRefusal,
        *,
        shares: WebDAVShares,
        is_own: bool = False,
        excluded: int = EXCLUDED,
    ) -> None:
        self.is_own = is_own
        self.excused = WHITELISTED | (NOBODY if is_own else excluded)
        self._inspections = inspections
        self._shares = shares
        # A match of the general inspection may be excluded on this path. A benign result is benign
        # on every path.
        self._first_pass = inspections.everywhere.first_pass
        self._matched_head = None if inspections.varies else inspections.everywhere.matched_head
        self._refuse = refuse

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        if is_inspected(config, route):
            yield cls(
                services.inspections.for_route(route),
                AttackRefusal.of(config, services),
                shares=services.shares,
                is_own=route.enable_suspicious_detection is True,
                excluded=_excluded(config),
            )

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        data = self._first_pass(environ)
        if data is None:
            return True
        if self._matched_head is None:
            return False
        findings = self._matched_head(environ, data)
        if not findings:
            return True
        visit.found = findings
        return False

    def refusal(self, request: GuardRequest) -> Block | None:
        inspection = self._inspections.of(request)
        findings: tuple[Finding, ...] | None = request.take_found()
        if findings is None:
            findings = inspection.head(request.environ)
        if findings and are_of_the_path(findings) and self._shares.covers(request.environ):
            findings = inspection.stored_head(request.environ)
        if self._inspections.varies:
            if findings:
                findings = self._inspections.wanted(request, findings)
            if not findings:
                self._inspections.report_silenced(
                    request, lambda without: without.head(request.environ)
                )
        return self._refuse(request, findings, inspection) if findings else None


_STORING = frozenset({"PUT", "PATCH"})


class BodyInspection(Check):
    """Inspects the first ``detection_max_body_inspect_bytes`` of the body for attacks."""

    name = "suspicious_activity"
    bypasses = frozenset({Bypass.PENETRATION})
    fails_closed = False

    def __init__(
        self,
        inspections: RouteInspections,
        refuse: AttackRefusal,
        *,
        max_bytes: int,
        unreadable_blocks: bool,
        oversized_blocks: bool,
        shares: WebDAVShares,
        is_own: bool = False,
        excluded: int = EXCLUDED,
    ) -> None:
        self.is_own = is_own
        self.excused = WHITELISTED | BODILESS | (NOBODY if is_own else excluded)
        self._inspections = inspections
        settings = inspections.everywhere.settings
        self._weighs_contents, self._max_values = settings.weighs_contents, settings.max_values
        self._reads_any_form = settings.reads_any_form
        # A body without a match in the first pass is benign on every path.
        self._benign_body = inspections.everywhere.benign_body
        self._refuse = refuse
        self._max_bytes = max_bytes
        self._max_at_once = min(max_bytes, FIRST_BYTES)
        self._limit = f"detection_max_body_inspect_bytes={max_bytes}"
        self._unreadable_blocks = unreadable_blocks
        self._oversized_blocks = oversized_blocks
        self._asked = shares.observer_of

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        if not is_inspected(config, route):
            return
        inspections = services.inspections.for_route(route)
        if inspections.scan_body:
            yield cls(
                inspections,
                AttackRefusal.of(config, services),
                max_bytes=config.detection_max_body_inspect_bytes,
                unreadable_blocks=config.unreadable_body == "block",
                oversized_blocks=config.detection_oversized_body == "block",
                shares=services.shares,
                is_own=route.enable_suspicious_detection is True,
                excluded=_excluded(config),
            )

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        length = visit.length
        if environ["REQUEST_METHOD"] != "POST" and (asked := self._asked(environ)) is not None:
            visit.verdict.observed = (*visit.verdict.observed, asked)
        # Larger bodies are rare, and some are not read.
        if length is None or length >= self._max_at_once or visit.body is not None:
            return False
        if "HTTP_CONTENT_ENCODING" in environ:
            return False
        body = read_at_once(environ, length, self._max_at_once)
        if type(body) is RequestBody:
            visit.body = body
            return False
        return not body or self._benign_body(_media_type(environ))(body)

    def refusal(self, request: GuardRequest) -> Block | None:
        environ = request.environ
        verdict = request.verdict
        if not verdict.observed and (asked := self._asked(environ)) is not None:
            # An earlier check did not pass, so this one was not asked.
            verdict.observed = (asked,)
        content_type = _media_type(environ)
        incoming = request.incoming_body
        ended = None
        body = incoming.prefix(self._max_at_once)
        if not incoming.complete and body:
            kind = BodyKind.of(content_type)
            if kind.is_file and not self._weighs_contents and not is_document(body):
                return (
                    self._oversized(request, self._limit, tells=False)
                    if self._is_over(incoming)
                    else None
                )
            boundary = next(iter(present(body, content_type)), b"") if kind.is_multipart else b""
            if boundary and "HTTP_CONTENT_ENCODING" not in environ:
                body, ended = self._skimmed(request, body, boundary)
            else:
                body = incoming.prefix(self._max_bytes)
        if body and (
            "HTTP_CONTENT_ENCODING" in environ
            or not (self._benign_body(content_type)(body) or self._is_sent_as_file(environ, body))
        ):
            complete = incoming.complete if ended is None else ended
            block = self._inspect(request, body, content_type, complete)
            if block is not None:
                return block
        if incoming.complete:
            return None
        if not incoming.readable or incoming.read_error is not None:
            why = incoming.read_error or "the end of the body is not marked"
            return self._unreadable(request, why)
        return self._oversized(request, self._limit) if body and not ended else None

    def _is_sent_as_file(self, environ: dict[str, Any], body: bytes) -> bool:
        """Whether a client uploads a raw file by PUT. Bottle would read its fields, but fields come
        by POST."""
        return (
            self._reads_any_form
            and environ["REQUEST_METHOD"] in _STORING
            and BodyKind.of(_media_type(environ)).is_file
            and not self._weighs_contents
            and not is_document(body)
        )

    def _is_over(self, incoming: RequestBody) -> bool:
        return incoming.length is None or incoming.length > self._max_bytes

    def _skimmed(self, request: GuardRequest, body: bytes, boundary: bytes) -> tuple[bytes, bool]:
        """Return a large form without the contents of its files, and whether it is complete."""
        incoming = request.incoming_body
        if self._weighs_contents:
            # The beginning of these is weighed as well, as far as it was read.
            body = incoming.prefix(self._max_bytes)
        skimmer = Skimmer(boundary, self._max_bytes, self._max_values)
        skimmer.see(body)
        ended = incoming.look_on(skimmer.see, MAX_SKIMMED_BYTES)
        skimmed = skimmer.finish()
        return (body + skimmed if self._weighs_contents else skimmed), ended and skimmer.is_whole

    def _inspect(
        self, request: GuardRequest, body: bytes, content_type: str, complete: bool
    ) -> Block | None:
        inspection = self._inspections.of(request)
        encoding = request.environ.get("HTTP_CONTENT_ENCODING") or ""
        findings = inspection.matched_body(body, content_type, encoding, complete)
        beyond = tuple([one for one in findings if BEYOND in one.indicators])
        if beyond:
            # It is compressed, so that its length says nothing, or has too much to weigh.
            block = self._oversized(request, f"{self._limit}, detection_max_scan_chars")
            if block is not None:
                return block
            findings = tuple([one for one in findings if one not in beyond])
        if self._inspections.varies:
            if findings:
                findings = self._inspections.wanted(request, findings)
            if not findings:
                self._inspections.report_silenced(
                    request,
                    lambda without: without.matched_body(body, content_type, encoding, complete),
                )
        return self._refuse(request, findings, inspection) if findings else None

    def _oversized(self, request: GuardRequest, why: str, tells: bool = True) -> Block | None:
        reason = f"not all of the body was inspected ({why})"
        if not self._oversized_blocks:
            if tells:
                request.note(BUDGET, reason)
            return None
        return Block(
            status=413, message="Request too large", check=self.name, event=BUDGET, reason=reason
        )

    def _unreadable(self, request: GuardRequest, why: str) -> Block | None:
        request.note("body_unreadable", f"the body was not inspected: {why}")
        if not self._unreadable_blocks:
            return None
        # RFC 9110, 15.5.12: the client can send a length.
        unmarked = not request.incoming_body.readable
        return Block(
            status=411 if unmarked else 400,
            message="Length required" if unmarked else "Bad request",
            check=self.name,
            event="content_filtered",
            reason=f"could not inspect the body: {why}",
        )


class Honeypot(Check):
    """Refuses a form or a JSON object in which a honeypot field, hidden from people, is filled in.

    In a form with ``method=get``, the fields are in the query.
    """

    name = "honeypot"
    fails_closed = True
    is_own = True

    def __init__(self, trap_fields: Iterable[str]) -> None:
        self._trap_fields = tuple(trap_fields)

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        if route.honeypot_fields:
            yield cls(route.honeypot_fields)

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        return environ["REQUEST_METHOD"] not in _BODY_METHODS and not environ.get("QUERY_STRING")

    def refusal(self, request: GuardRequest) -> Block | None:
        name = in_query(request.environ.get("QUERY_STRING") or "", self._trap_fields)
        if name is not None:
            return self._refuse(403, "Forbidden", f"honeypot field {name!r} is filled in")
        if request.method not in _BODY_METHODS:
            return None
        incoming = request.incoming_body
        beginning = incoming.prefix(MAX_HOOK_BODY_BYTES)
        try:
            body = BytesIO(beginning) if incoming.complete else incoming.whole(request.environ)
            kind = request.environ.get("CONTENT_TYPE") or ""
            name = filled_in(body, kind, self._trap_fields)
            if name is None and incoming.complete:
                name = filled_in_whatever(beginning, kind, self._trap_fields)
        except BodyTooLarge:
            return self._refuse(413, "Request too large", "the body is longer than the limit")
        except Unreadable as error:
            return self._refuse(400, "Bad request", str(error))
        except Exception as error:  # the server's own error, which the app gets as well
            return self._refuse(400, "Bad request", f"could not read the body: {error!r}")
        if name is None:
            return None
        return self._refuse(403, "Forbidden", f"honeypot field {name!r} is filled in")

    def _refuse(self, status: int, message: str, reason: str) -> Block:
        return Block(
            status=status,
            message=message,
            check=self.name,
            event="decorator_violation",
            reason=reason,
        )


def is_inspected(config: SecurityConfig, route: RouteConfig) -> bool:
    """Whether detection inspects the requests of a route."""
    if route.enable_suspicious_detection is not None:
        return route.enable_suspicious_detection
    enabled: bool = config.enable_penetration_detection
    return enabled


def _media_type(environ: dict[str, Any]) -> str:
    """Return the media type by which the body is read."""
    content_type: str = environ.get("CONTENT_TYPE") or ""
    if environ["REQUEST_METHOD"] == "PUT" and content_type.startswith("text/plain"):
        return FILE_TYPE
    return content_type


CHECKS: tuple[type[Check], ...] = (
    HeadInspection,
    Honeypot,
    BodyInspection,
)
"""In the order of the ladder."""
