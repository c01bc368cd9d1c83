"""The way of most requests of most sites, in one function.

A request that no check has anything to say about climbs a ladder for nothing: behind an app, the
calls, and the objects that checks are given, cost more than what the checks do. Here the same is
decided from the same parts, for a configuration that has no other checks than the usual ones.
What is not plain is left to the ladder, with what has been done for it already. A test holds both
ways to the same answers.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve

from guard_wsgi.body import RequestBody, read_at_once
from guard_wsgi.checks.access import KnownClient, NotBanned, NotInEmergency
from guard_wsgi.checks.content import RequestSize
from guard_wsgi.checks.threats import BodyInspection, HeadInspection
from guard_wsgi.checks.traffic import RateLimits
from guard_wsgi.checks.transport import Framing
from guard_wsgi.detection import Finding
from guard_wsgi.outgoing import HeaderList, Write
from guard_wsgi.policy import Policy
from guard_wsgi.quota import ROUND_UP
from guard_wsgi.request import SAFE_METHODS, GuardRequest, Quota
from guard_wsgi.resolvers import Resolution, Resolver
from guard_wsgi.standing import NOBODY
from guard_wsgi.verdict import ENVIRON_KEY, Verdict

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
        not _USUAL.issuperset(checks)
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
    width = min(map(len, policy.listed_paths), default=0)
    beginnings = frozenset(path[:width] for path in policy.listed_paths)
    security, asks_proxies = policy.outgoing.security, policy.outgoing.asks_proxies
    tells_quota = policy.outgoing.quota_style == "draft"
    longest = policy.config.max_request_size or inf
    limit = first_pass = clears_body = None
    if limits is not None:
        take, limit = limits.take, limits.everywhere
    if head is not None:
        first_pass = head.inspection.first_pass
    if content is not None:
        clears_body, max_inspected_bytes = content.clears, content.max_bytes
        longest = min(longest, max_inspected_bytes - 1)
    slow = _Handover(policy, head, guard)

    def fast_path(environ: Environ, start_response: StartResponse) -> StartResponse | GuardRequest:
        quota = findings = length = resolution = None
        try:
            identity = known.get(environ.get("REMOTE_ADDR") or "") or slow.identify(environ)
            client = identity.address
            if (
                client is None
                or identity.notes
                or not (bans.none_yet or bans.find(client) is None)
                or (monotonic() >= emergency.calm_until and emergency.refuses(client))
                or (environ.get("PATH_INFO") or "/")[:width] in beginnings
            ):
                return slow.request(environ)
            if resolver is not None:
                resolution = resolver(environ)
                if slow.is_strict if resolution is None else resolution.route is not None:
                    return slow.request(environ)
            declared = environ.get("CONTENT_LENGTH")
            if (
                declared
                or environ["REQUEST_METHOD"] not in SAFE_METHODS
                or "HTTP_TRANSFER_ENCODING" in environ
            ):
                if (
                    not declared
                    or not (declared.isdigit() and declared.isascii() and len(declared) <= 10)
                    or "HTTP_TRANSFER_ENCODING" in environ
                    or "HTTP_CONTENT_ENCODING" in environ
                ):
                    return slow.request(environ)
                length = int(declared)
                if length > longest:
                    return slow.request(environ)
            if limit is not None:
                requests = limit.requests
                allowed, remaining, reset_seconds, applied = take(
                    identity.limit_key, requests, limit.window_seconds, 1
                )
                if not allowed:  # and so was not counted
                    return slow.request(environ)
                quota = limit, remaining, reset_seconds
                if applied != requests:
                    quota = evolve(limit, requests=applied), remaining, reset_seconds
            if first_pass is not None:
                data = first_pass(environ)
                if data is not None:
                    findings = slow.inspect(environ, data)
                    if findings:
                        return slow.judged(environ, quota, findings, resolution)
            if clears_body is not None and length is not None:
                body = read_at_once(environ, length, max_inspected_bytes)
                if type(body) is RequestBody:
                    return slow.request(environ, quota, (), body)
                if body and not clears_body(body, environ.get("CONTENT_TYPE") or ""):
                    return slow.request(environ, quota, ())
            is_https = environ["wsgi.url_scheme"] == "https"
            if asks_proxies:
                is_https = slow.clients.is_https(environ, identity)
        except Exception:
            # The ladder comes upon it again, and knows what is to be done.
            return slow.request(environ, quota, findings)
        environ[ENVIRON_KEY] = verdict = Verdict()
        verdict.guard = guard
        verdict.client_ip = identity.client_ip
        if resolution is not None:
            verdict.endpoint = resolution.endpoint

        # The app's headers, none of which is one of ours, then ours, then the quota.
        def usual_start_response(
            status: str, headers: HeaderList, exc_info: OptExcInfo | None = None
        ) -> Write:
            names, ours = security.https if is_https else security.plain
            not_ours = security.others
            for name, _ in headers:
                if name not in not_ours and name.lower() in names:
                    headers = security.add(headers, is_https)
                    break
            else:
                headers = headers + ours
            if quota is not None and tells_quota:
                limit, remaining, reset_seconds = quota
                left = f"{limit.quoted};r={remaining};t={int(reset_seconds + ROUND_UP)}"
                headers += (limit.policy_header, ("RateLimit", left))
            if exc_info is None:
                return start_response(status, headers)
            try:
                return start_response(status, headers, exc_info)
            finally:
                exc_info = None  # a traceback that refers to its own frame is a circle

        return usual_start_response

    return fast_path


class _Handover:
    """What the fast path needs for requests that are not plain."""

    def __init__(self, policy: Policy, head: HeadInspection | None, guard: object) -> None:
        self._policy = policy
        self._head = head
        self._guard = guard
        self.clients = policy.clients
        self.identify = policy.clients.identify
        self.is_strict = policy.config.route_resolution_strict
        if head is not None:
            self.inspect = head.inspection.opened_head

    def request(
        self,
        environ: Environ,
        quota: Quota | None = None,
        findings: tuple[Finding, ...] | None = None,
        body: RequestBody | None = None,
    ) -> GuardRequest:
        """For the ladder, with what has been done already."""
        policy = self._policy
        request = GuardRequest(environ, policy.clients, policy.country_of, self._guard)
        request.quota = quota
        request.head_findings = findings
        if body is not None:
            request.incoming_body = body
        return request

    def judged(
        self,
        environ: Environ,
        quota: Quota | None,
        findings: tuple[Finding, ...],
        resolution: Resolution | None,
    ) -> GuardRequest:
        """With the refusal for what was found in the head, if there is to be one."""
        request = self.request(environ, quota, findings)
        if self._head is not None and not self._policy.passive:
            if resolution is not None:
                request.verdict.endpoint = resolution.endpoint
            request.block = self._head.judge(request, findings)
            request.head_findings = ()
        return request
