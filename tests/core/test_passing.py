"""A request that checks let pass is answered as if each had been asked for its refusal."""

from __future__ import annotations

import gc
import io
import json
import re
import sys
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard_wsgi import BehaviorRule, GuardMiddleware, RouteConfig, SecurityConfig
from guard_wsgi.resolvers import Resolution
from guard_wsgi.state.backends.memory import MemoryStorage
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from guard_wsgi.telemetry.bus import EventBus
from guard_wsgi.telemetry.events import SecurityEvent
from tests.core.visiting import INJECTION, Site
from tests.kit.gateway import Answer, Environ, environ_for, serve, text_app

OPTIONS: dict[str, Any] = {
    "rate_limit": 3,
    "auto_ban_threshold": 2,
    "max_request_size": 3000,
    "detection_max_body_inspect_bytes": 1024,
    "exclude_paths": ["/static", "/health"],
}
BANNED, CLIENTS = "198.51.100.66", ("203.0.113.7", "2001:db8::7", "")
PEOPLE = "it's {fine}; tea & cake, or not"
TEXTS = ("", "page=2", urlencode({"q": PEOPLE}), urlencode({"q": INJECTION}), "q=%", "x=\xff")


class Slow(io.RawIOBase):
    """A stream that hands over a few bytes at a time, as a socket may."""

    def __init__(self, data: bytes, most: int, breaks_at: int | None) -> None:
        self._stream, self._most, self._breaks_at = io.BytesIO(data), most, breaks_at

    def read(self, size: int = -1) -> bytes:
        if self._breaks_at is not None and self._stream.tell() >= self._breaks_at:
            raise ConnectionResetError("gone")
        return self._stream.read(min(size, self._most) if size >= 0 else -1)


class Reader:
    """An app that reads the whole body and keeps what it saw."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        length, verdict = environ.get("CONTENT_LENGTH") or "0", environ["guard_wsgi"]
        stream, parts, fault = environ["wsgi.input"], [], ""
        wanted = int(length) if length.isdecimal() else 0
        if environ.get("wsgi.input_terminated"):
            wanted = 10**6
        try:
            while wanted and (part := stream.read(wanted)):
                parts.append(part)
                wanted -= len(part)
        except Exception as error:
            fault = type(error).__name__
        told = verdict.action, verdict.client_ip, verdict.endpoint, verdict.check
        self.seen.append((b"".join(parts), fault, *told))
        headers = [("Content-Type", "text/plain"), ("Content-Length", "2")]
        start_response("200 OK", headers + environ.get("test.headers", []))
        return [b"ok"]


class Ear:
    """A sink that keeps events."""

    wants_metrics = False

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def send_event(self, event: SecurityEvent) -> None:
        about = event.metadata.get("check"), event.metadata.get("route"), event.reason
        self.heard.append((event.event_type, event.action_taken, event.ip_address, *about))


def resolver(environ: Environ) -> Resolution | None:
    """Knows one view, which has no rules."""
    return Resolution("page") if environ["PATH_INFO"] == "/page" else None


def never(environ: Environ, visit: object) -> bool:
    return False


def both_ways(**options: Any) -> list[tuple[GuardMiddleware, Reader, Ear]]:
    """A normal guard, and one whose checks never let a request pass before they are asked for a
    refusal."""
    made = []
    for climbs in (False, True):
        app, ear = Reader(), Ear()
        config = SecurityConfig(**{**OPTIONS, **options})
        guard = GuardMiddleware(app, config, resolver=resolver, events=EventBus([ear]))
        if climbs:
            for check in guard.policy.global_plan.checks:
                vars(check)["passes"] = never
        made.append((guard, app, ear))
    return made


def bodies() -> st.SearchStrategy[tuple[str, bytes]]:
    form = st.sampled_from(TEXTS).map(
        lambda text: ("application/x-www-form-urlencoded", text.encode("latin-1"))
    )
    values = st.sampled_from(
        [PEOPLE, INJECTION, {"$ne": 1}, [1, "tea + 5 %"], "x" * 1500, "x" * 4000]
    )
    document = values.map(lambda value: ("application/json", json.dumps({"v": value}).encode()))
    other = st.sampled_from(
        [
            ("text/plain; charset=utf-16", INJECTION.encode("utf-16")),
            ("", b""),
            ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=q"
             b"\r\n\r\n" + INJECTION.encode() + b"\r\n--x--\r\n"),
        ]
    )  # fmt: skip
    return st.one_of(form, document, other)


@st.composite
def requests(draw: st.DrawFn) -> Callable[[], Environ]:
    kind, body = draw(bodies())
    server: dict[str, Any] = {
        "REQUEST_METHOD": draw(st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT"])),
        "PATH_INFO": draw(
            st.sampled_from(["/", "", "/page", "/static/x", "/statics", "/he", "/\xe9"])
        ),
        "QUERY_STRING": draw(st.sampled_from(TEXTS)),
        "REMOTE_ADDR": draw(st.sampled_from([*CLIENTS, BANNED])),
        "wsgi.url_scheme": draw(st.sampled_from(["http", "http", "https"])),
        "test.headers": draw(st.sampled_from([[], [], [("x-frame-options", "DENY")]])),
    }
    if draw(st.booleans()):
        server["wsgi.input_terminated"] = True
    declared = draw(
        st.sampled_from([str(len(body))] * 5 + ["", "0", "7", "400", "-1", "1e3", "9" * 25])
    )
    if server["REQUEST_METHOD"] in ("POST", "PUT") or draw(st.integers(0, 4)) == 0:
        server |= {"CONTENT_TYPE": kind, "CONTENT_LENGTH": declared}
        extra = draw(st.sampled_from([{}] * 6 + [{"HTTP_TRANSFER_ENCODING": "chunked"}]))
        server |= extra | draw(st.sampled_from([{}] * 6 + [{"HTTP_CONTENT_ENCODING": "gzip"}]))
    most, breaks_at = (
        draw(st.sampled_from([10**6, 10**6, 5])),
        draw(st.sampled_from([None] * 5 + [5])),
    )
    headers = draw(st.sampled_from([{}, {"Cookie": "a=b"}, {"X-Api-Version": INJECTION}]))

    def make() -> Environ:
        environ = environ_for("/", headers=headers)
        return environ | server | {"wsgi.input": Slow(body, most, breaks_at)}

    return make


def told(answer: Answer) -> Any:
    headers = [(name, re.sub(r";t=\d+", "", value)) for name, value in answer.headers]
    body = answer.body
    reference = answer.header("X-Request-Id")
    if reference:  # made up for each
        headers.remove(("X-Request-Id", reference))
        body = body.replace(reference.encode(), b"").replace(str(UUID(reference)).encode(), b"")
    return answer.status, headers, body


@settings(max_examples=400, deadline=None)
@given(
    st.lists(requests(), min_size=1, max_size=6),
    st.sampled_from(
        [
            *(
                {},
                {"passive_mode": True},
                {"security_headers": None},
                {"rate_limit_headers": "off"},
            ),
            *({"enable_rate_limiting": False}, {"enable_penetration_detection": False}),
            *({"detection_scan_body": False}, {"max_request_size": None}),
            *({"route_resolution_strict": True}, {"unreadable_body": "flag"}),
            {"max_request_size": None, "detection_scan_body": False},
            *({"emergency_mode": True}, {"fail_secure": False}, {"exclude_paths": []}),
            *({"blacklist": ["203.0.113.0/24"]}, {"exempt_ips": ["203.0.113.7"]}),
            *({"whitelist": ["203.0.113.7"]}, {"blocked_user_agents": ["visitor", "^$"]}),
            *({"allowed_hosts": ["example.com"]}, {"allowed_hosts": ["localhost"]}),
            *({"enforce_https": True}, {"allowed_content_types": ["application/json"]}),
            *({"endpoint_rate_limits": {"/page": (2, 60)}}, {"rate_limit_headers": "both"}),
            {"enable_cors": True, "cors_allow_origins": ["https://a.example"]},
            {"trusted_proxies": ["203.0.113.7"], "trust_x_forwarded_proto": True},
            {"detection_exclusions": [{"path": "/page", "params": ["q"]}]},
            {"global_behavior_rules": [BehaviorRule("usage", 3, 60, action="ban")]},
            {"global_behavior_rules": [BehaviorRule("frequency", 3, 60, action="throttle")]},
            {"custom_request_check": lambda request: request.path != "/statics"},
            {"rate_limit_key": lambda request: "all"},
        ]
    ),
)
def test_every_request_is_answered_as_the_ladder_would(
    made: list[Callable[[], Environ]], options: dict[str, Any]
) -> None:
    ways = both_ways(**options)
    for guard, *_ in ways:
        guard.bans.ban(BANNED, 3600, "test")
    for make in made:
        first, second = (told(serve(guard, make())) for guard, *_ in ways)
        assert first == second
    (fast, fast_app, fast_ear), (slow, slow_app, slow_ear) = ways
    assert fast_app.seen == slow_app.seen
    assert fast_ear.heard == slow_ear.heard
    assert fast.stats() == slow.stats()
    for client in CLIENTS[:2]:
        counted = [[state.remaining for state in guard.limits(client)] for guard in (fast, slow)]
        assert counted[0] == counted[1]
    assert len(fast.bans.list()) == len(slow.bans.list())


def test_an_app_that_raises_is_called_once_and_raises() -> None:
    calls = []

    def app(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        calls.append(environ["PATH_INFO"])
        raise LookupError("the app's own")

    guard = GuardMiddleware(app)
    with pytest.raises(LookupError, match="the app's own"):
        serve(guard)
    assert calls == ["/"]
    assert guard.stats() == {"passed": 1}


def test_a_fault_while_passing_is_judged_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a count the request passes, because limits fail open, and the fault is reported
    once."""
    broken: list[str] = []

    def take(*hit: Any) -> Any:
        broken.append(hit[0])
        raise RuntimeError("out of order")

    monkeypatch.setattr(MemoryStorage, "taker", lambda self, strategy: take)
    site = Site()
    assert site.visit().code == 200
    assert site.visit(query_string={"q": INJECTION}).code == 400
    assert site.guard.stats()["faults:rate_limit"] == 2
    assert len(broken) == 4  # asked twice each: whether it passes, and for a refusal


def test_a_fault_behind_the_limit_does_not_count_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*asked: Any) -> bytes:
        raise RuntimeError("out of order")

    monkeypatch.setattr("guard_wsgi.checks.threats.read_at_once", read)
    site = Site(rate_limit=5)
    assert site.visit(method="POST", data={"q": "tea"}).code == 200
    assert site.visit(method="POST", data={"q": INJECTION}).code == 400
    assert [state.remaining for state in site.guard.limits("203.0.113.7")] == [3]


def test_a_store_that_is_down_counts_alone_within_its_share() -> None:
    """While it is down, a process counts alone, within its share, and this is reported."""
    store = Store.open("redis://127.0.0.1:1", settings=StoreSettings(worker_count=5))
    guard = GuardMiddleware(Reader(), SecurityConfig(rate_limit=10), store=store)
    assert serve(guard).header("RateLimit-Policy") == '"global";q=2;w=60'


def test_an_error_that_comes_too_late_for_an_error_page_leaves_no_circle() -> None:
    class Seen:
        pass

    def app(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen = Seen()
        environ["test.seen"].append(weakref.ref(seen))
        start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            raise LookupError(seen)
        except LookupError:
            start_response("500 Oops", [("Content-Type", "text/plain")], sys.exc_info())
        return [b"oops"]

    def server(status: str, headers: Any, exc_info: Any = None) -> Any:
        if exc_info is not None:
            try:
                raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None

    refs: list[Any] = []
    gc.disable()
    try:
        with suppress(LookupError):
            GuardMiddleware(app)(environ_for() | {"test.seen": refs}, server)
        assert refs[0]() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("declared", "code"),
    [
        *((text, 400) for text in ("9" * 25, "-7", "+7", "7_0", " 7", "7 ", "7.0", "\xb2")),
        ("7", 200),
        ("007", 200),
    ],
)
def test_only_a_plain_number_is_a_length_where_nothing_else_limits_it(
    declared: str, code: int
) -> None:
    config = SecurityConfig(max_request_size=None, detection_scan_body=False)
    environ = environ_for("/", method="POST") | {"CONTENT_LENGTH": declared}
    assert serve(GuardMiddleware(text_app(), config), environ).code == code


def test_what_was_found_and_does_not_refuse_is_reported_once() -> None:
    site = Site(detection_budget_action="flag", detection_max_scan_values=10)
    query = "&".join(f"a{number}=it's" for number in range(50))
    assert site.visit(query_string=query).code == 200
    (finding,) = site.seen[0]["guard_wsgi"].findings
    assert finding.category == "detection_budget"


def test_a_request_is_counted_once_whichever_way_it_goes() -> None:
    site = Site(rate_limit=5)
    site.visit()
    site.visit(query_string={"q": INJECTION})
    site.visit(method="POST", json={"q": INJECTION})
    site.visit(method="POST", data={"q": "tea"})
    assert [state.remaining for state in site.guard.limits("203.0.113.7")] == [1]


def test_a_view_without_rules_is_served_beside_one_with_rules() -> None:
    routes = {"/free": None, "/held": RouteConfig(required_headers={"X-Key": "required"})}

    def router(environ: Environ) -> Resolution | None:
        path = environ["PATH_INFO"]
        return Resolution(path, routes[path]) if path in routes else None

    site = Site(resolver=router)
    assert site.visit("/free").code == 200
    assert site.seen[0]["guard_wsgi"].endpoint == "/free"
    assert site.visit("/held").code == 400
    assert site.visit("/held", headers={"X-Key": "1"}).code == 200
    assert site.seen[1]["guard_wsgi"].endpoint == "/held"
    assert site.visit("/elsewhere").code == 200


def test_a_body_past_its_declared_length_is_inspected_where_the_app_could_read_it() -> None:
    attack = f"q={INJECTION}".encode()
    server = {
        "CONTENT_LENGTH": "0",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "wsgi.input_terminated": True,
    }
    environ = environ_for("/", method="POST") | server | {"wsgi.input": io.BytesIO(attack)}
    assert serve(GuardMiddleware(Reader()), environ).code == 400


def test_a_stream_that_goes_on_where_inspection_ends_reaches_the_app_whole() -> None:
    body = b"x" * 1024
    server = {"CONTENT_LENGTH": "1024", "CONTENT_TYPE": "", "wsgi.input_terminated": True}
    stream = io.BytesIO(body + b"and more")
    environ = environ_for("/", method="POST") | server | {"wsgi.input": stream}
    app = Reader()
    config = SecurityConfig(detection_max_body_inspect_bytes=1024)
    assert serve(GuardMiddleware(app, config), environ).code == 200
    assert app.seen[0][0] == body + b"and more"


def test_a_body_that_breaks_off_reaches_the_app_as_far_as_it_came() -> None:
    server = {"CONTENT_LENGTH": "12", "CONTENT_TYPE": "text/plain"}
    environ = environ_for("/", method="POST") | server | {"wsgi.input": Slow(b"hello world!", 5, 5)}
    app = Reader()
    config = SecurityConfig(unreadable_body="flag")
    assert serve(GuardMiddleware(app, config), environ).code == 200
    assert app.seen[0][:2] == (b"hello", "ConnectionResetError")


@pytest.mark.parametrize("told", ["https", "http"])
def test_an_answer_through_a_proxy_that_ends_tls_is_one_over_https(told: str) -> None:
    site = Site(trusted_proxies=["203.0.113.7"], trust_x_forwarded_proto=True)
    forwarded = {"X-Forwarded-For": "198.51.100.1", "X-Forwarded-Proto": told}
    answer = site.visit(headers=forwarded)
    assert (answer.header("Strict-Transport-Security") is not None) == (told == "https")


def test_who_is_exempt_is_not_limited() -> None:
    exempt = Site(exempt_ips=["203.0.113.7"], rate_limit=1)
    assert [exempt.visit().code for _ in range(3)] == [200, 200, 200]


def test_whoever_stands_before_the_guard_reads_why_it_refused() -> None:
    environ = environ_for("/", query_string={"q": INJECTION})
    assert serve(GuardMiddleware(Reader()), environ).code == 400
    verdict = environ["guard_wsgi"]
    assert (verdict.action, verdict.check) == ("block", "suspicious_activity")
