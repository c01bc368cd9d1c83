"""Turns findings into a refusal with a reason, and bans clients that keep attacking."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, final

from guard_wsgi.behavior.suspicion import Suspicion
from guard_wsgi.checks.allowance import Allowance
from guard_wsgi.checks.evidence import describe, details_of, reason_of
from guard_wsgi.checks.services import CheckServices, IsBot
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.detection import BUDGET, Finding, Inspection
from guard_wsgi.detection.finding import REPORTED_ONLY
from guard_wsgi.request.block import Block
from guard_wsgi.request.view import GuardRequest

NEVER_BANS = frozenset({"file_upload"})
"""Categories that never lead to a ban: a school class may hand in programs from one address."""

_OF_ELEMENTS = ("image/", "text/css")
_BY_HAND = frozenset({"document", "empty"})
"""Destinations (Fetch Metadata, 2.1) of what a visitor opens, or the page's own script asks for. A
browser loads all others by itself: images, fonts, frames, ..."""
_OWN_SITE = frozenset({"same-origin", "none"})
_OTHER_SITE = frozenset({"cross-site", "same-site"})
"""Origins of a request (Fetch Metadata, 2.2). No browser sends any other word."""
_OF_LINKS = frozenset({"GET", "HEAD", "POST"})
_OF_FORMS = (
    *("", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"),
    *("application/csp-report", "application/reports+json"),
)
"""Methods and media types that a page sends to another site without asking it first (Fetch
standard, "CORS-safelisted"), and those of a browser's own reports."""

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
                is_certain = not (_is_made_by_a_page(request.environ) or _are_of_others(findings))
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


def _is_made_by_a_page(environ: Mapping[str, Any]) -> bool:
    """Whether a page may have made the visitor's browser send a request.

    Any page can do so with an image or a link, and so can a comment with an image. A ban would
    punish the visitors. A program can send these headers as well: it is refused all the same, and
    banned later.
    """
    if not _is_free(environ):
        return False
    if _is_prefetched(environ):
        return True
    site: str | None = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        destination: str = environ.get("HTTP_SEC_FETCH_DEST", "document")
        return site in _OTHER_SITE or (site in _OWN_SITE and destination not in _BY_HAND)
    # Over plain HTTP, browsers send only the address of the page.
    page: str = environ.get("HTTP_ORIGIN") or environ.get("HTTP_REFERER", "")
    if not page:
        # A page may withhold its address. What a browser accepts for an image or a style, it
        # accepts nowhere else (Fetch standard, "Accept" of a request's destination).
        accepted: str = environ.get("HTTP_ACCEPT", "")
        return accepted.startswith(_OF_ELEMENTS)
    its_host = page.partition("://")[2].partition("/")[0]
    host: str = environ.get("HTTP_HOST", "")
    return its_host.lower() != host.lower()


def _is_free(environ: Mapping[str, Any]) -> bool:
    """Whether a page on another site can send such a request without asking this one first."""
    media: str = environ.get("CONTENT_TYPE", "").partition(";")[0]
    return environ.get("REQUEST_METHOD") in _OF_LINKS and media.strip().lower() in _OF_FORMS


def _is_prefetched(environ: Mapping[str, Any]) -> bool:
    """Whether a browser loads a page that nobody has opened yet (``<link rel=prefetch>``)."""
    purpose: str = environ.get("HTTP_SEC_PURPOSE") or environ.get("HTTP_PURPOSE", "")
    return purpose.startswith("prefetch") or environ.get("HTTP_X_MOZ") == "prefetch"
