"""The way of most requests of most sites, in one function.

A request that no check has anything to say about climbs a ladder for nothing: behind an app, the
calls, and the objects that checks are given, cost more than what the checks do. Here the same is
decided from the same parts, for a configuration that has no other checks than the usual ones.
What is not plain is left to the ladder, with what has been done for it already. A test holds both
ways to the same answers.

Behind an app every step of the interpreter takes about 20 ns, so that what can be left out is:
what the configuration decides is a variable of the enclosing function.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from guard_wsgi.checks.access import KnownClient, NotBanned, NotInEmergency
from guard_wsgi.checks.content import RequestSize
from guard_wsgi.checks.threats import FIRST_BYTES, BodyInspection, HeadInspection
from guard_wsgi.checks.traffic import RateLimits
from guard_wsgi.checks.transport import Framing
from guard_wsgi.detection import Finding
from guard_wsgi.ladder.policy import Policy
from guard_wsgi.network.client import Identity
from guard_wsgi.network.standing import NOBODY
from guard_wsgi.request.body import RequestBody, read_at_once
from guard_wsgi.request.verdict import ENVIRON_KEY, Verdict
from guard_wsgi.request.view import SAFE_METHODS, GuardRequest
from guard_wsgi.response.headers import QUOTA_HEADERS, Fixed, add_missing, has_quota
from guard_wsgi.response.outgoing import HeaderList, Write
from guard_wsgi.response.quota import ROUND_UP, draft_headers
from guard_wsgi.routes.resolvers import Resolution, Resolver
from guard_wsgi.state.ratelimit import Limit

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse

Environ = dict[str, Any]

FastPath = Callable[[Environ, "StartResponse"], "StartResponse | GuardRequest"]
"""Answers with the ``start_response`` to call the app with, or, where not all is plain, with the
request for the ladder."""

_USUAL: Final = frozenset(
    {
        *(KnownClient, NotBanned, NotInEmergency, Framing, RequestSize),
        *(RateLimits, HeadInspection, BodyInspection),
    }
)

_PLAIN_METHODS: Final = SAFE_METHODS - {"OPTIONS"}
"""Without a body. OPTIONS may be a preflight, which is counted otherwise."""

_LONGEST: Final = 10**10
"""A body longer than this is for the ladder to look at, and so is a number that is none."""


def compile_fast_path(policy: Policy, resolver: Resolver | None, guard: object) -> FastPath | None:
    """The fast path of a policy; ``None`` when there is more to do than the usual checks.

    :param guard: the verdict's.
    """
    ladder = policy.global_plan.ladders[NOBODY]
    checks: dict[type, Any] = {
        type(run.__self__): run.__self__  # type: ignore[attr-defined]
        for run in ladder
    }
    limits: RateLimits | None = checks.get(RateLimits)
    head: HeadInspection | None = checks.get(HeadInspection)
    content: BodyInspection | None = checks.get(BodyInspection)
    if (
        not policy.enabled
        or policy.global_plan.late is not None
        or policy.parts.store.waits
        or not _USUAL.issuperset(checks)
        or policy.outgoing.varies
        or policy.lists_clients
        or policy.logs_requests
        or (limits is not None and not limits.is_plain)
        or (head is not None and head.varies)
    ):
        return None

    known = policy.clients.known
    bans, emergency = policy.parts.store.bans, policy.emergency
    # Whether a path that begins as one of these is excluded is for the ladder to say.
    beginning = slice(min(map(len, policy.listed_paths), default=0))
    beginnings = frozenset(path[beginning] for path in policy.listed_paths)
    security, asks_proxies = policy.outgoing.security, policy.outgoing.asks_proxies
    plain, https, not_ours = security.plain, security.https, security.others
    tells_quota = limits is not None and policy.outgoing.quota_style == "draft"
    if tells_quota:
        plain, https = ((names | QUOTA_HEADERS, ours) for names, ours in (plain, https))
    longest = min(policy.config.max_request_size or _LONGEST, _LONGEST)
    limit = first_pass = clears_body = None
    if limits is not None:
        take, limit = limits.take, limits.everywhere
        requests, window_seconds = limit.requests, limit.window_seconds
        quoted, policy_header = limit.quoted, limit.policy_header
    if head is not None:
        first_pass = head.inspection.first_pass
    if content is not None:
        clears_body = content.clears
        # Larger ones are rare, and not all of them are read.
        max_inspected_bytes = min(content.max_bytes, FIRST_BYTES)
        longest = min(longest, max_inspected_bytes - 1)
    slow = _Handover(policy, limit, head, guard)

    def fast_path(environ: Environ, start_response: StartResponse) -> StartResponse | GuardRequest:
        quota_headers = remaining = findings = length = resolution = None
        reset_seconds = 0.0
        try:
            identity = known.get(environ.get("REMOTE_ADDR", ""))
            if identity is None:
                identity = slow.identify(environ)
                if identity.address is None or identity.notes:
                    return slow.request(environ)
            # Those known have an address.
            now = monotonic()
            if (
                not (
                    bans.none_yet or now < bans.nobody_until or bans.find(identity.address) is None  # type: ignore[arg-type]
                )
                or (now >= emergency.calm_until and emergency.refuses(identity.address))
                or environ.get("PATH_INFO", "")[beginning] in beginnings
            ):
                return slow.request(environ)
            if resolver is not None:
                resolution = resolver(environ)
                if slow.is_strict if resolution is None else resolution.route is not None:
                    return slow.request(environ)
            declared = environ.get("CONTENT_LENGTH")
            if (
                declared
                or environ["REQUEST_METHOD"] not in _PLAIN_METHODS
                or "HTTP_TRANSFER_ENCODING" in environ
            ) and (
                not declared
                # As it is written usually: no sign, no blank, no leading zero.
                or str(length := int(declared)) != declared
                or not 0 <= length <= longest
                or "HTTP_TRANSFER_ENCODING" in environ
                or "HTTP_CONTENT_ENCODING" in environ
            ):
                return slow.request(environ)
            if limit is not None:
                allowed, remaining, reset_seconds, _ = take(
                    identity.limit_key, requests, window_seconds, 1
                )
                if not allowed:  # and so was not counted
                    return slow.request(environ)
            if first_pass is not None:
                data = first_pass(environ)
                if data is not None:
                    findings = slow.inspect(environ, data)
                    if findings:
                        return slow.judged(
                            environ, identity, remaining, reset_seconds, findings, resolution
                        )
            if length is not None and clears_body is not None:
                body = read_at_once(environ, length, max_inspected_bytes)
                if type(body) is RequestBody:
                    return slow.request(environ, remaining, reset_seconds, (), body)
                if body and not clears_body(environ.get("CONTENT_TYPE") or "")(body):
                    return slow.request(environ, remaining, reset_seconds, ())
            fixed = https if environ.get("wsgi.url_scheme") == "https" else plain
            if asks_proxies:
                fixed = https if slow.clients.is_https(environ, identity) else plain
        except Exception:
            # The ladder comes upon it again, and knows what is to be done.
            return slow.request(environ, remaining, reset_seconds, findings)
        if tells_quota:
            left = f"{quoted};r={remaining};t={int(reset_seconds + ROUND_UP)}"
            quota_headers = policy_header, ("RateLimit", left)
        environ[ENVIRON_KEY] = verdict = Verdict()
        verdict.guard = guard
        verdict.client_ip = identity.client_ip
        if resolution is not None:
            verdict.endpoint = resolution.endpoint

        # The app's headers, none of which is one of ours, then ours, then the quota.
        def usual_start_response(
            status: str, headers: HeaderList, exc_info: OptExcInfo | None = None
        ) -> Write:
            names, ours = fixed
            if type(headers) is not list:  # PEP 3333 asks for a list; servers take more
                headers = list(headers)
            for name, _ in headers:
                if name not in not_ours and name.lower() in names:
                    headers = slow.completed(headers, fixed, quota_headers, verdict)
                    break
            else:
                headers = headers + ours
                if quota_headers is not None:
                    if verdict.quota is None:
                        headers += quota_headers
                    else:
                        headers += draft_headers(*verdict.quota)
            if exc_info is None:
                return start_response(status, headers)
            try:
                return start_response(status, headers, exc_info)
            finally:
                exc_info = None  # a traceback that refers to its own frame is a circle

        return usual_start_response

    return fast_path


class _Handover:
    """What the fast path needs for requests that are not plain, and for their answers."""

    def __init__(
        self, policy: Policy, limit: Limit | None, head: HeadInspection | None, guard: object
    ) -> None:
        self.clients = policy.clients
        self.identify = policy.clients.identify
        self.is_strict = policy.config.route_resolution_strict
        self._country_of = policy.country_of
        self._guard = guard
        self._limit = limit
        self._judges = not policy.passive
        if head is not None:
            self._inspection = head.inspection
            self.inspect = head.inspection.opened_head
            self._judge = head.judgement

    def request(
        self,
        environ: Environ,
        remaining: int | None = None,
        reset_seconds: float = 0.0,
        findings: tuple[Finding, ...] | None = None,
        body: RequestBody | None = None,
    ) -> GuardRequest:
        """For the ladder, with what has been done already.

        :param remaining: of the limit, if it was counted.
        """
        request = GuardRequest(environ, self.clients, self._country_of, self._guard)
        if self._limit is not None and remaining is not None:
            request.quota = self._limit, remaining, reset_seconds
        request.head_findings = findings
        if body is not None:
            request.incoming_body = body
        return request

    def completed(
        self,
        headers: HeaderList,
        fixed: Fixed,
        quota_headers: tuple[tuple[str, str], ...] | None,
        verdict: Verdict,
    ) -> HeaderList:
        """What an app has set of ours, and what of ours it has not."""
        headers = add_missing(headers, fixed)
        if quota_headers is not None and not has_quota(headers):
            headers += quota_headers if verdict.quota is None else draft_headers(*verdict.quota)
        return headers

    def judged(
        self,
        environ: Environ,
        identity: Identity,
        remaining: int | None,
        reset_seconds: float,
        findings: tuple[Finding, ...],
        resolution: Resolution | None,
    ) -> GuardRequest:
        """With the refusal for what was found in the head, if there is to be one."""
        request = GuardRequest(environ, self.clients, self._country_of, self._guard, identity)
        if self._limit is not None and remaining is not None:
            request.quota = self._limit, remaining, reset_seconds
        if self._judges:
            if resolution is not None:
                request.verdict.endpoint = resolution.endpoint
            request.block = self._judge(request, findings, self._inspection)
            findings = ()
        request.head_findings = findings
        return request
