"""What it carries: attacks in the head and the body of a request, and bait fields."""

from __future__ import annotations

from collections.abc import Iterable

from guard_wsgi.checks.base import BODILESS, EXCLUDED, WHITELISTED, Block
from guard_wsgi.detection import Finding
from guard_wsgi.inspections import RouteInspections
from guard_wsgi.request import GuardRequest
from guard_wsgi.state.suspicion import Suspicion

BUDGET = "detection_budget"
"""Category of the finding that says: not everything could be inspected."""

MAX_TOLD = 8
"""Findings of an event, and indicators of a finding: enough to see why, and no more to store."""

_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


class Judgement:
    """Turns findings into a refusal, and a client that keeps attacking into a banned one."""

    name = "suspicious_activity"

    def __init__(self, *, budget_blocks: bool, suspicion: Suspicion) -> None:
        self._budget_blocks = budget_blocks
        self._suspicion = suspicion

    def __call__(self, request: GuardRequest, findings: tuple[Finding, ...]) -> Block | None:
        request.verdict.findings += findings
        blocking = [f for f in findings if self._budget_blocks or f.category != BUDGET]
        if not blocking:
            return None
        categories = sorted({finding.category for finding in blocking})
        ban = None
        attacks = tuple(category for category in categories if category != BUDGET)
        if attacks and request.client is not None:
            ban = self._suspicion.record(request.client, attacks)
        return Block(
            status=400 if ban is None else 403,
            message="Suspicious activity detected" if ban is None else "IP has been banned",
            check=self.name,
            event="penetration_attempt",
            reason="; ".join(describe(finding) for finding in blocking[:3]),
            category=categories[0],
            metadata={
                "threat_categories": categories,
                "threat_scores": {f.category: round(f.score, 3) for f in blocking},
                "findings": [
                    {
                        "category": f.category,
                        "location": f.location,
                        "name": f.name,
                        "indicators": " ".join(f.indicators[:MAX_TOLD]),
                        "score": round(f.score, 3),
                    }
                    for f in blocking[:MAX_TOLD]
                ],
            },
        )


class HeadInspection:
    """Inspects path, query, cookies and headers for attacks."""

    name = "suspicious_activity"
    excused = WHITELISTED | EXCLUDED
    fails_closed = False

    def __init__(self, inspections: RouteInspections, judge: Judgement) -> None:
        self._inspection_of = inspections.of if inspections.varies else None
        self._inspect = inspections.everywhere.head
        self._judge = judge

    def __call__(self, request: GuardRequest) -> Block | None:
        if self._inspection_of is None:
            findings = self._inspect(request.environ)
        else:
            findings = self._inspection_of(request).head(request.environ)
        return self._judge(request, findings) if findings else None


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
        self._inspection_of = inspections.of if inspections.varies else None
        self._inspect = inspections.everywhere.body
        self._judge = judge
        self._max_bytes = max_bytes
        self._unreadable_blocks = unreadable_blocks
        self._oversized_blocks = oversized_blocks

    def __call__(self, request: GuardRequest) -> Block | None:
        incoming = request.incoming_body
        body = incoming.prefix(self._max_bytes)
        block = None
        if body:
            environ = request.environ
            inspect = self._inspect
            if self._inspection_of is not None:
                inspect = self._inspection_of(request).body
            findings = inspect(
                body,
                content_type=environ.get("CONTENT_TYPE") or "",
                content_encoding=environ.get("HTTP_CONTENT_ENCODING") or "",
                complete=incoming.complete,
            )
            block = self._judge(request, findings) if findings else None
        if block is None and (not incoming.readable or incoming.read_error is not None):
            return self._unreadable(request, incoming.read_error or "its end is not marked")
        if block is None and body and not incoming.complete:
            return self._oversized(request)
        return block

    def _oversized(self, request: GuardRequest) -> Block | None:
        reason = f"only the first {self._max_bytes} bytes of the body were inspected"
        if not self._oversized_blocks:
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
        fields = request.fields
        for name in self._trap_fields:
            if any(fields.getlist(name)):
                return Block(
                    status=403,
                    message="Forbidden",
                    check=self.name,
                    event="decorator_violation",
                    reason=f"bait field {name!r} is filled in",
                )
        return None


def describe(finding: Finding) -> str:
    """One finding in one line, for the log."""
    where = f"{finding.location} {finding.name!r}" if finding.name else finding.location
    return f"{finding.category} in {where} (score {finding.score:.2f})"
