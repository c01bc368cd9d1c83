"""``guard-wsgi inspect``: what the guard decides about a request, and why."""

from __future__ import annotations

import json
from inspect import getdoc
from io import BytesIO
from typing import Any, TextIO
from urllib.parse import quote, unquote_to_bytes, urlsplit

from attrs import field, frozen

from guard_wsgi.checks.reached_limit import ReachedLimit, reached_limit
from guard_wsgi.cli.loading import CommandError
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.config.trial_config import for_trial
from guard_wsgi.detection import Finding
from guard_wsgi.detection.scoring.model import shipped_model
from guard_wsgi.middleware import GuardMiddleware
from guard_wsgi.network.address import parse_address
from guard_wsgi.request.verdict import ENVIRON_KEY, Verdict
from guard_wsgi.request.view import GuardRequest

PLACES = ("query", "path", "header", "cookie", "form", "json", "text")
"""The places for a bare payload."""

MAX_HEADERS = 100
"""The limit of gunicorn and http.server."""

CLIENT = "198.51.100.1"
"""The default address of the client, from a range for documentation (RFC 5737)."""


@frozen(slots=True)
class Outcome:
    """The verdict on a request.

    :ivar status: the status that the client gets; 200 if the app would be called.
    """

    status: int
    passed: bool
    check: str
    reason: str
    findings: tuple[Finding, ...]
    config: SecurityConfig = field(repr=False)

    def spent(self, finding: Finding) -> ReachedLimit | None:
        """Return the spent budget of a finding, if it is of that kind."""
        return reached_limit(finding, self.config)


@frozen(slots=True)
class Rung:
    """One check of the ladder, and its decision.

    :ivar status: the status of its refusal; ``None`` if it let the request pass.
    :ivar does: a sentence about what it checks: two checks of detection have the same name.
    """

    check: str
    status: int | None
    reason: str
    does: str = ""


def place(payload: str, where: str) -> dict[str, Any]:
    """Make an environ with ``payload`` in one of PLACES."""
    raw = _bytes(payload)
    if where == "query":
        return environ_of("GET", "/?q=" + quote(raw, safe=""))
    if where == "path":
        return environ_of("GET", "/" + quote(raw))
    if where == "header":
        return environ_of("GET", "/", {"X-Payload": payload})
    if where == "cookie":
        return environ_of("GET", "/", {"Cookie": "payload=" + payload})
    if where == "form":
        kind = "application/x-www-form-urlencoded"
        body = ("field=" + quote(raw, safe="")).encode()
    elif where == "json":
        kind, body = "application/json", json.dumps({"field": payload}).encode()
    elif where == "text":
        kind, body = "text/plain", raw
    else:
        raise CommandError(f"unknown place {where!r}: use one of {', '.join(PLACES)}")
    return environ_of("POST", "/", {"Content-Type": kind}, body)


def parse_request(raw: bytes) -> dict[str, Any]:
    """Make the environ of a raw HTTP/1.1 request, as proxies and browsers save it.

    Line ends may be those of a text editor. Without ``Content-Length``, the whole rest is the body.

    :raises CommandError: if it is not a request.
    """
    separator = b"\r\n\r\n" if b"\r\n\r\n" in raw else b"\n\n"
    head, found, body = raw.partition(separator)
    if not found:
        head = head.rstrip(b"\r\n")  # the last line of a head that somebody pasted without a body
    text = head.decode("utf-8", "surrogateescape")
    lines = [line.rstrip("\r") for line in text.split("\n")]
    method, *start = lines[0].split() or [""]
    version = start[1] if len(start) == 2 else "HTTP/1.1"
    if not method.isascii() or len(start) not in (1, 2) or not version.startswith("HTTP/"):
        raise CommandError("not an HTTP request: the first line must be 'METHOD /path HTTP/1.1'")
    if len(lines) > MAX_HEADERS:
        raise CommandError(f"{len(lines) - 1} headers: servers take at most {MAX_HEADERS}")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or not name.isascii():
            raise CommandError(f"not a header: {line[:80]!r}")
        name, value = name.strip(), value.strip()
        lower = {known.lower(): known for known in headers}
        if name.lower() in lower:
            headers[lower[name.lower()]] += ", " + value  # as servers join them
        else:
            headers[name] = value
    length = next((text for key, text in headers.items() if key.lower() == "content-length"), "")
    if length.isdecimal() and len(body) < int(length):
        raise CommandError(
            f"the file has {len(body)} of {length} bytes of the body: a server would wait for the"
            " rest. Correct Content-Length, or remove it"
        )
    return environ_of(method, start[0], headers, body)


def environ_of(
    method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> dict[str, Any]:
    """Make a WSGI environ (PEP 3333) for one request to this machine.

    :raises CommandError: if ``target`` is neither a path nor a URL.
    """
    try:
        parts = urlsplit(target if "://" in target else "//host" + target)
    except ValueError as error:
        raise CommandError(f"not a request target: {error}") from None
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method.upper(),
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(_bytes(parts.path or "/")).decode("latin-1"),
        "QUERY_STRING": _bytes(parts.query).decode("latin-1"),
        "RAW_URI": _bytes(target).decode("latin-1"),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": CLIENT,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": None,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": True,
    }
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    for name, value in (headers or {}).items():
        key = name.upper().replace("-", "_")
        value = _bytes(value).decode("latin-1")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key] = value
    return environ


def _bytes(text: str) -> bytes:
    """Encode text as bytes; bytes that were not UTF-8 come back unchanged."""
    return text.encode("utf-8", "surrogateescape")


def inspect(environ: dict[str, Any], config: SecurityConfig, client: str = CLIENT) -> Outcome:
    """Send a request through a new guard with its own state.

    :raises CommandError: if ``client`` is not an IP address.
    """
    alone = _alone(config, client)
    environ = {**environ, "REMOTE_ADDR": client}
    reached: list[Verdict] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        reached.append(environ[ENVIRON_KEY])
        start_response("200 OK", [("Content-Type", "text/plain")])
        return []

    statuses: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        statuses.append(status)
        return lambda data: None

    guard = GuardMiddleware(app, alone)
    try:
        for _ in guard(environ, start_response):
            pass
    finally:
        guard.close()
    verdict: Verdict = environ[ENVIRON_KEY]
    return Outcome(
        status=int(statuses[-1][:3]),
        passed=bool(reached),
        check=verdict.check,
        reason=verdict.reason,
        findings=verdict.findings,
        config=config,
    )


def climb(environ: dict[str, Any], config: SecurityConfig, client: str = CLIENT) -> list[Rung]:
    """Ask every check of the ladder about a request, also after the first refusal.

    :raises CommandError: if ``client`` is not an IP address.
    """
    config = _alone(config, client)
    environ = {**environ, "REMOTE_ADDR": client}
    guard = GuardMiddleware(_unreached, config)
    try:
        policy = guard.policy
        request = GuardRequest(environ, policy.clients, policy.country_of, guard)
        environ[ENVIRON_KEY] = request.verdict
        rungs: list[Rung] = []
        for check in policy.whole_ladder(policy.plan(None), environ, request.visit):
            block = guard.decide(policy, request, (check,))
            does = (getdoc(type(check)) or "").partition("\n")[0]
            if block is None:
                rungs.append(Rung(check.name, None, "", does))
            else:
                rungs.append(Rung(check.name, block.status, block.reason, does))
        return rungs
    finally:
        guard.close()


def _unreached(environ: Any, start_response: Any) -> list[bytes]:
    raise AssertionError("only the ladder runs")


def _alone(config: SecurityConfig, client: str) -> SecurityConfig:
    """Return the configuration for a guard with its own state and no telemetry."""
    if parse_address(client) is None:
        raise CommandError(f"{client!r} is not an IP address")
    return for_trial(config).evolve(
        enabled=True,
        passive_mode=False,
        log_suspicious_level=None,
        # With a hook, the guard reports all evidence, not only what was enough.
        on_block=lambda request, payload: None,
    )


def weighed(finding: Finding) -> list[tuple[str, float]]:
    """Return the indicators of a finding, with the score that each adds; 0 for a user's pattern."""
    model = shipped_model()
    weights: list[tuple[str, float]] = []
    for indicator in finding.indicators:
        first, _, second = indicator.partition(" & ")
        if second:
            partners = dict(model.pairs.get(first, ()))
            weight = partners.get(second, 0.0)
        else:
            weight = model.weights.get(indicator, 0.0)
        weights.append((indicator, round(weight / model.unit, 4)))
    return weights


_EDGES = {"t:^": "the value begins", "t:$end": "the value ends"}

DECODINGS = {
    "raw": "sent, unchanged",
    "decoded": "text, after all escapes are decoded",
    "spaced": "text, after comments and fillers are removed",
    "plain": "a command, after shell quotes are removed",
    "base64": "the content of base64",
}
"""What people read for the decoding of a finding."""


def described(indicator: str) -> str:
    """Write an indicator, or a pair of them, for people."""
    parts = indicator.split(" & ")
    return " & ".join(_EDGES.get(part) or _tokens(part) for part in parts)


def _tokens(part: str) -> str:
    """Write a run of tokens (``t:^ n = n``) for people."""
    if not part.startswith("t:"):
        return part
    tokens = part[2:].split(" ")
    if tokens[0] == "^":
        tokens[0] = "(start)"
    if tokens[-1] == "$end":
        tokens[-1] = "(end)"
    return f"tokens {' '.join(tokens)!r}"


def report(outcome: Outcome, out: TextIO) -> None:
    """Write an outcome as text."""
    if outcome.passed:
        print("passed", file=out)
    else:
        refused = "refused"
        if not outcome.config.enabled:
            refused = "passed, as enabled=False lets everything pass; otherwise refused"
        elif outcome.config.passive_mode:
            refused = "passed, as passive_mode=True only logs; otherwise refused"
        print(f"{refused}: {outcome.status} by {outcome.check}", file=out)
        if outcome.reason and not outcome.findings:
            print(f"  {outcome.reason}", file=out)
    is_attack = False
    for finding in outcome.findings:
        spent = outcome.spent(finding)
        is_attack = is_attack or spent is None
        if spent is not None:
            print(f"  {finding.category} in {finding.location}: {spent}", file=out)
            continue
        where = f"{finding.location} {finding.name!r}" if finding.name else finding.location
        print(
            f"  {finding.category} in {where}: score {finding.score:.2f},"
            f" threshold {finding.threshold:.2f}",
            file=out,
        )
        print(f"    value       {finding.value!r}", file=out)
        print(f"    decoded as  {DECODINGS.get(finding.view, finding.view)}", file=out)
        for number, (indicator, weight) in enumerate(weighed(finding)):
            label = "" if number else "indicators"
            print(f"    {label:<12}{weight:+.2f}  {described(indicator)}", file=out)
    if is_attack and not outcome.passed:
        print(
            "  To let such a value pass, add an exclusion: guard-wsgi options exclusions",
            file=out,
        )


def as_json(outcome: Outcome) -> str:
    """Return an outcome as JSON values."""
    return json.dumps(
        {
            "passed": outcome.passed,
            "status": outcome.status,
            "check": outcome.check,
            "reason": outcome.reason,
            "findings": [
                {
                    "category": finding.category,
                    "location": finding.location,
                    "name": finding.name,
                    "value": finding.value,
                    "view": finding.view,
                    "indicators": dict(weighed(finding)),
                    "score": finding.score,
                    "threshold": finding.threshold,
                    **(spent.as_mapping() if (spent := outcome.spent(finding)) else {}),
                }
                for finding in outcome.findings
            ],
        },
        indent=2,
    )
