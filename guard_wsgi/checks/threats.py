"""What it carries: attacks in the head and the body of a request, and bait fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from time import monotonic
from types import MappingProxyType
from typing import Any, final

from guard_wsgi.behavior.suspicion import Suspicion
from guard_wsgi.checks.budgets import spent_budget
from guard_wsgi.checks.inspections import RouteInspections
from guard_wsgi.checks.trap_fields import Unreadable, filled_in
from guard_wsgi.detection import BUDGET, DetectionSettings, Finding, Inspection
from guard_wsgi.detection.extract import is_document
from guard_wsgi.detection.finding import BEYOND, REPORTED_ONLY
from guard_wsgi.detection.media import BodyKind
from guard_wsgi.detection.multipart import Skimmer, present
from guard_wsgi.network.standing import BODILESS, EXCLUDED, WHITELISTED
from guard_wsgi.request.block import Block
from guard_wsgi.request.body import RequestBody
from guard_wsgi.request.framing import BodyTooLarge
from guard_wsgi.request.view import MAX_HOOK_BODY_BYTES, GuardRequest

FILE_TYPE = "application/octet-stream"
"""How a text is read that is PUT: a client that keeps files names whatever is text so."""

NEVER_BANS = frozenset({"file_upload"})
"""Categories that count towards no ban: a class hands in what it has written, under one address."""

_PASSING = REPORTED_ONLY | {BUDGET}
"""Categories that refuse nothing where budgets do not."""

MAX_TOLD = 8
"""Findings of an event, and indicators of a finding: enough to see why, and no more to store."""

WEIGHED_A_MINUTE = 600
"""Refusals whose evidence is weighed in full for log and agent, ten times as much work as finding
enough of it. In a flood the others are told with what was enough."""

FIRST_BYTES = 262_144
"""What is read at first: all of most bodies, and enough of others to tell what they are."""

MAX_SKIMMED_BYTES = 268_435_456
"""Of a form with files, which is read on for its other fields: an hour of video. It is on disk
meanwhile, as it will be with the app."""

_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


class Allowance:
    """So many a minute, and no more."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._a_minute = a_minute
        self._clock = clock
        self._taken = 0
        self._minute_ends = 0.0

    def take(self) -> bool:
        """Whether this one is within; threads that ask at once may let in one more."""
        now = self._clock()
        if now >= self._minute_ends:
            self._minute_ends, self._taken = now + 60.0, 0
        self._taken += 1
        return self._taken <= self._a_minute


@final
class Attack(Block):
    """The refusal of an attack, which is put into words only if somebody asks."""

    __slots__ = ("_findings", "_inspection", "_weighing")

    check = "suspicious_activity"
    event = "penetration_attempt"
    retry_after_seconds = None
    headers = ()
    response = None
    metadata = MappingProxyType({})

    def __init__(
        self,
        findings: tuple[Finding, ...],
        inspection: Inspection,
        weighing: Allowance,
        is_banned: bool,
    ) -> None:
        self._findings = findings
        self._inspection = inspection
        self._weighing = weighing
        self.status = 403 if is_banned else 400
        self.message = "IP has been banned" if is_banned else "Suspicious activity detected"

    @property
    def category(self) -> str:
        return min(finding.category for finding in self._findings)

    @property
    def reason(self) -> str:
        return _reason(self._findings, self._inspection.settings)

    def details(self) -> dict[str, Any]:
        findings = self._findings
        if self._weighing.take():
            findings = self._inspection.whole(findings)
        return _details(findings, self._inspection.settings)


class Judgement:
    """Turns findings into a refusal, and a client that keeps attacking into a banned one."""

    name = "suspicious_activity"

    def __init__(
        self,
        *,
        budget_blocks: bool,
        tells_always: bool,
        suspicion: Suspicion,
        weighing: Allowance,
    ) -> None:
        """
        :param tells_always: whether each finding is told to somebody, the app or its hooks.
        :param weighing: for how many refusals evidence is weighed in full for an event.
        """
        self._budget_blocks = budget_blocks
        self._tells_always = tells_always
        self._suspicion = suspicion
        self._weighing = weighing

    def __call__(
        self, request: GuardRequest, findings: tuple[Finding, ...], inspection: Inspection
    ) -> Block | None:
        if self._tells_always:
            findings = inspection.whole(findings)
        request.verdict.findings += findings
        for finding in findings:
            if finding.category in REPORTED_ONLY:
                told = describe(finding, inspection.settings)
                request.note("pattern_detected", told)
        passing = REPORTED_ONLY if self._budget_blocks else _PASSING
        findings = tuple([one for one in findings if one.category not in passing])
        if not findings:
            return None
        client, ban = request.identity.address, None
        if client is not None:
            if len(findings) == 1:
                categories, is_certain = {findings[0].category}, findings[0].is_certain
            else:
                categories = {finding.category for finding in findings}
                is_certain = any(finding.is_certain for finding in findings)
            categories -= NEVER_BANS
            if categories:
                ban = self._suspicion.record(client, categories, is_certain)
        return Attack(findings, inspection, self._weighing, ban is not None)


class HeadInspection:
    """Inspects path, query, cookies and headers for attacks."""

    name = "suspicious_activity"
    excused = WHITELISTED | EXCLUDED
    fails_closed = False

    def __init__(self, inspections: RouteInspections, judge: Judgement) -> None:
        self.varies = inspections.varies
        self.inspection = inspections.everywhere
        self.judgement = judge
        self._inspections = inspections

    def __call__(self, request: GuardRequest) -> Block | None:
        inspection = self._inspections.of(request) if self.varies else self.inspection
        findings = request.head_findings
        if findings is None:  # not inspected on the fast path
            findings = inspection.head(request.environ)
        if findings and self.varies:
            findings = self._inspections.wanted(request, findings)
        return self.judgement(request, findings, inspection) if findings else None


class BodyInspection:
    """Inspects the first ``detection_max_body_inspect_bytes`` of the body for attacks."""

    name = "suspicious_activity"
    excused = WHITELISTED | EXCLUDED | BODILESS
    fails_closed = False

    def __init__(
        self,
        inspections: RouteInspections,
        judge: Judgement,
        *,
        max_bytes: int,
        unreadable_blocks: bool,
        oversized_blocks: bool,
    ) -> None:
        self._inspections = inspections
        self._weighs_contents = inspections.everywhere.settings.weighs_contents
        # What the first pass clears, it clears for every path.
        self.clears = inspections.everywhere.clears_body
        self._judge = judge
        self.max_bytes = max_bytes
        self._limit = f"detection_max_body_inspect_bytes={max_bytes}"
        self._unreadable_blocks = unreadable_blocks
        self._oversized_blocks = oversized_blocks

    def __call__(self, request: GuardRequest) -> Block | None:
        environ = request.environ
        content_type = environ.get("CONTENT_TYPE") or ""
        if environ["REQUEST_METHOD"] == "PUT" and content_type.startswith("text/plain"):
            content_type = FILE_TYPE
        incoming = request.incoming_body
        ended = None
        body = incoming.prefix(min(self.max_bytes, FIRST_BYTES))
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
                body = incoming.prefix(self.max_bytes)
        if body and ("HTTP_CONTENT_ENCODING" in environ or not self.clears(content_type)(body)):
            complete = incoming.complete if ended is None else ended
            block = self._inspect(request, body, content_type, complete)
            if block is not None:
                return block
        if incoming.complete:
            return None
        if not incoming.readable or incoming.read_error is not None:
            return self._unreadable(request, incoming.read_error or "its end is not marked")
        return self._oversized(request, self._limit) if body and not ended else None

    def _is_over(self, incoming: RequestBody) -> bool:
        return incoming.length is None or incoming.length > self.max_bytes

    def _skimmed(self, request: GuardRequest, body: bytes, boundary: bytes) -> tuple[bytes, bool]:
        """A large form without the contents of its files, and whether that is all of it."""
        incoming = request.incoming_body
        if self._weighs_contents:
            # Of these the beginning is weighed as well, as far as that goes.
            body = incoming.prefix(self.max_bytes)
        skimmer = Skimmer(boundary, self.max_bytes)
        skimmer.see(body)
        ended = incoming.look_on(skimmer.see, MAX_SKIMMED_BYTES)
        skimmed = skimmer.finish()
        return (body + skimmed if self._weighs_contents else skimmed), ended and skimmer.is_whole

    def _inspect(
        self, request: GuardRequest, body: bytes, content_type: str, complete: bool
    ) -> Block | None:
        inspection = self._inspections.of(request)
        encoding = request.environ.get("HTTP_CONTENT_ENCODING") or ""
        findings = inspection.opened_body(body, content_type, encoding, complete)
        beyond = tuple([one for one in findings if BEYOND in one.indicators])
        if beyond:
            # Compressed, so that its length says nothing, or full of what is to be weighed.
            block = self._oversized(request, f"{self._limit}, detection_max_scan_chars")
            if block is not None:
                return block
            findings = tuple([one for one in findings if one not in beyond])
        if findings and self._inspections.varies:
            findings = self._inspections.wanted(request, findings)
        return self._judge(request, findings, inspection) if findings else None

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
        # RFC 9110, 15.5.12: a length is what a client can do about it.
        unmarked = not request.incoming_body.readable
        return Block(
            status=411 if unmarked else 400,
            message="Length required" if unmarked else "Bad request",
            check=self.name,
            event="content_filtered",
            reason=f"the body can't be inspected: {why}",
        )


class Honeypot:
    """Refuses a form or a JSON object in which a bait field, hidden from people, is filled in."""

    name = "honeypot"
    excused = BODILESS
    fails_closed = True

    def __init__(self, trap_fields: Iterable[str]) -> None:
        self._trap_fields = tuple(trap_fields)

    def __call__(self, request: GuardRequest) -> Block | None:
        if request.method not in _BODY_METHODS:
            return None
        incoming = request.incoming_body
        beginning = incoming.prefix(MAX_HOOK_BODY_BYTES)
        try:
            body = BytesIO(beginning) if incoming.complete else incoming.whole(request.environ)
            kind = request.environ.get("CONTENT_TYPE") or ""
            name = filled_in(body, kind, self._trap_fields)
        except BodyTooLarge:
            return self._refuse(413, "Request too large", "the body goes on past the limit")
        except Unreadable as error:
            return self._refuse(400, "Bad request", str(error))
        except Exception as error:  # the server's own, which the app gets as well
            return self._refuse(400, "Bad request", f"the body can't be read: {error!r}")
        if name is None:
            return None
        return self._refuse(403, "Forbidden", f"bait field {name!r} is filled in")

    def _refuse(self, status: int, message: str, reason: str) -> Block:
        return Block(
            status=status,
            message=message,
            check=self.name,
            event="decorator_violation",
            reason=reason,
        )


def _details(findings: tuple[Finding, ...], settings: DetectionSettings) -> dict[str, Any]:
    """What an event tells of findings."""
    return {
        "reason": _reason(findings, settings),
        "threat_categories": sorted({finding.category for finding in findings}),
        "threat_scores": {finding.category: round(finding.score, 3) for finding in findings},
        "findings": [
            {
                "category": finding.category,
                "location": finding.location,
                "name": finding.name,
                "value": finding.value,
                "view": finding.view,
                "indicators": " ".join(finding.indicators[:MAX_TOLD]),
                "score": round(finding.score, 3),
                "threshold": round(finding.threshold, 3),
                **_spent(finding, settings),
            }
            for finding in findings[:MAX_TOLD]
        ],
    }


def _spent(finding: Finding, settings: DetectionSettings) -> dict[str, Any]:
    spent = spent_budget(finding, settings)
    return {} if spent is None else spent.as_mapping()


def _reason(findings: tuple[Finding, ...], settings: DetectionSettings) -> str:
    if len(findings) == 1:
        return describe(findings[0], settings)
    return "; ".join([describe(finding, settings) for finding in findings[:3]])


def describe(finding: Finding, settings: DetectionSettings) -> str:
    """One finding in one line, for the log."""
    where = f"{finding.location} {finding.name!r}" if finding.name else finding.location
    spent = spent_budget(finding, settings)
    if spent is not None:
        return f"{finding.category} in {where}: {spent}"
    return f"{finding.category} in {where} (score {finding.score:.2f})"
