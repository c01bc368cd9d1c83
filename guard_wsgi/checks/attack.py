"""Turns findings into a refusal with a reason, and bans clients that keep attacking."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, final

from guard_wsgi.behavior.suspicion import Suspicion
from guard_wsgi.checks.allowance import Allowance
from guard_wsgi.checks.evidence import describe, details_of, reason_of
from guard_wsgi.checks.page_requests import is_made_by_a_page
from guard_wsgi.checks.services import CheckServices, IsBot
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.detection import BUDGET, Finding, Inspection
from guard_wsgi.detection.finding import REPORTED_ONLY
from guard_wsgi.request.block import Block
from guard_wsgi.request.view import GuardRequest

NEVER_BANS = frozenset({"file_upload"})
"""Categories that never lead to a ban: a school class may hand in programs from one address."""

_PASSING = REPORTED_ONLY | {BUDGET}
"""Categories that refuse nothing if spent budgets refuse nothing."""


_NO_METADATA: Mapping[str, Any] = MappingProxyType({})


@final
class Attack(Block):
    """The refusal of an attack; its reason is put into words only on demand."""

    __slots__ = ("_findings", "_inspection", "_weighing")

    def __init__(
        self,
        findings: tuple[Finding, ...],
        inspection: Inspection,
        weighing: Allowance,
        is_banned: bool,
    ) -> None:
        self.check = "suspicious_activity"
        self.event = "penetration_attempt"
        self.retry_after_seconds = None
        self.headers = ()
        self.response = None
        self.metadata = _NO_METADATA
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
        return reason_of(self._findings, self._inspection.settings)

    def details(self) -> dict[str, Any]:
        findings = self._findings
        if self._weighing.take():
            findings = self._inspection.whole(findings)
        return details_of(findings, self._inspection.settings)


class AttackRefusal:
    """Turns findings into a refusal, and bans a client that keeps attacking."""

    name = "suspicious_activity"

    def __init__(
        self,
        *,
        budget_blocks: bool,
        reports_always: bool,
        suspicion: Suspicion,
        weighing: Allowance,
        is_verified_bot: IsBot | None = None,
    ) -> None:
        """
        :param reports_always: whether the app or its hooks see each finding.
        :param weighing: for how many refusals the evidence is weighed in full for an event.
        :param is_verified_bot: recognises verified crawlers, which follow links that others have
            written.
        """
        self._is_verified_bot = is_verified_bot
        self._budget_blocks = budget_blocks
        self._tells_always = reports_always
        self._suspicion = suspicion
        self._weighing = weighing

    @classmethod
    def of(cls, config: SecurityConfig, services: CheckServices) -> AttackRefusal:
        """Build it from a configuration."""
        return cls(
            budget_blocks=config.detection_budget_action == "block",
            reports_always=config.passive_mode or config.on_block is not None,
            suspicion=services.suspicion,
            weighing=services.weighing,
            is_verified_bot=services.is_verified_bot,
        )

    def __call__(
        self, request: GuardRequest, findings: tuple[Finding, ...], inspection: Inspection
    ) -> Block | None:
        if self._tells_always:
            findings = inspection.whole(findings)
        request.verdict.findings += findings
        categories = _categories(findings)
        if not categories.isdisjoint(_PASSING):
            for finding in findings:
                if finding.category in REPORTED_ONLY:
                    reported = describe(finding, inspection.settings)
                    request.note("pattern_detected", reported)
            passing = REPORTED_ONLY if self._budget_blocks else _PASSING
            findings = tuple([one for one in findings if one.category not in passing])
            if not findings:
                return None
            categories = _categories(findings)
        client, ban = request.identity.address, None
        if client is not None:
            is_certain = findings[0].is_certain or any(one.is_certain for one in findings[1:])
            categories -= NEVER_BANS
            if is_certain:
                is_certain = not (is_made_by_a_page(request.environ) or _are_of_others(findings))
            if categories and not (self._is_verified_bot and self._is_verified_bot(request)):
                ban = self._suspicion.record(client, categories, is_certain)
        return Attack(findings, inspection, self._weighing, ban is not None)


def _categories(findings: tuple[Finding, ...]) -> set[str]:
    if len(findings) == 1:  # as of most attacks
        return {findings[0].category}
    return {finding.category for finding in findings}


def _are_of_others(findings: tuple[Finding, ...]) -> bool:
    """Whether all are about what the visitor did not choose: the address of the page that links
    here, or cookies, which other hosts of the domain may have set (RFC 6265, 8.6)."""
    for finding in findings:
        if finding.location == "cookie":
            continue
        if finding.location != "header" or finding.name.partition(">")[0].lower() != "referer":
            return False
    return True
