"""Whatever an app's function reads of a body, the checks after it and the view get all of it."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import bottle
import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from guard_wsgi import GuardMiddleware, SecurityConfig, SecurityDecorator
from guard_wsgi.bottle import BottleResolver
from guard_wsgi.request.shared_body import SharedBody
from guard_wsgi_flask import FlaskAPIGuard

ATTACK = "1' UNION SELECT password FROM users-- -"
KEY = {"X-API-Key": "k"}

BODIES: dict[str, Callable[[dict[str, str]], dict[str, Any]]] = {
    "urlencoded": lambda fields: {"data": fields},
    "multipart": lambda fields: {"data": {**fields, "f": (BytesIO(b"hello " * 9), "a.txt")}},
    "json": lambda fields: {"json": fields},
    "large": lambda fields: {
        "data": {"f": (BytesIO(b"hello " * 49_999), "a.txt"), **fields},
    },
}


def read_files_to_their_end() -> None:
    for file in flask.request.files.values():
        file.read()


FLASK_READERS: dict[str, Callable[[], Any]] = {
    "form": lambda: dict(flask.request.form),
    "values": lambda: dict(flask.request.values),
    "get_data": lambda: flask.request.get_data(),
    "get_data without a cache": lambda: flask.request.get_data(cache=False),
    "get_json": lambda: flask.request.get_json(force=True, silent=True),
    "files": read_files_to_their_end,
    "stream": lambda: flask.request.stream.read(),
    "a part, then the form": lambda: (flask.request.stream.read(5), dict(flask.request.form)),
    "the environ's stream": lambda: flask.request.environ["wsgi.input"].read(),
}

BOTTLE_READERS: dict[str, Callable[[], Any]] = {
    "forms": lambda: dict(bottle.request.forms),
    "json": lambda: bottle.request.json,
    "body": lambda: bottle.request.body.read(),
    "files": lambda: [file.file.read() for file in bottle.request.files.values()],
    "the environ's stream": lambda: bottle.request.environ["wsgi.input"].read(3),
}


def hooked(hook: str, read: Callable[[], Any]) -> tuple[SecurityConfig, Any]:
    """A configuration with a hook that reads, and the decorators for a view."""

    def called(*_: Any) -> Any:
        try:
            read()
        except Exception:  # JSON of a body that is none
            return "somebody"
        return "somebody"

    if hook == "exempt":
        config = SecurityConfig(rate_limit_exempt_when=lambda r: bool(called(r)))
    else:
        config = SecurityConfig(**({"rate_limit_key": called} if hook == "key" else {}))
    rules = SecurityDecorator(config)
    marks = {
        "verifier": rules.api_key_auth(verifier=called),
        "route's key": rules.rate_limit(100, 60, key=called),
        "validator": rules.custom_validation(lambda r: called(r) and None),
    }
    bait = rules.honeypot_detection(["website"])
    mark = marks.get(hook, lambda view: view)
    return config, lambda view: mark(bait(view))


def around(app: Any) -> Any:
    def between(environ: Any, start_response: Any) -> Any:
        return app(environ, start_response)

    return between


def in_flask(hook: str, read: Callable[[], Any], between: bool = False) -> Client:
    config, marked = hooked(hook, read)
    app = flask.Flask("shop")

    @app.post("/login")
    @marked
    def login() -> Any:
        raw = flask.request.get_data()
        files = {name: len(file.read()) for name, file in flask.request.files.items()}
        is_whole = len(raw) == flask.request.content_length
        return {"raw": is_whole, "form": flask.request.form, "files": files}

    if between:
        app.wsgi_app = around(app.wsgi_app)  # type: ignore[method-assign]
    FlaskAPIGuard(app, config=config)
    return app.test_client()


def in_bottle(hook: str, read: Callable[[], Any]) -> Client:
    config, marked = hooked(hook, read)
    app = bottle.Bottle()

    def login() -> Any:
        request = bottle.request
        raw = request.body.read()
        files = {name: len(file.file.read()) for name, file in request.files.items()}
        is_whole = len(raw) == request.content_length
        return {"raw": is_whole, "form": dict(request.forms), "files": files}

    app.route("/login", "POST", marked(login))
    return Client(GuardMiddleware(app, config, resolver=BottleResolver(app)))


HOOKS = ["key", "exempt", "route's key", "verifier"]


@pytest.mark.parametrize("between", [False, True])
@pytest.mark.parametrize("reader", FLASK_READERS)
@pytest.mark.parametrize("hook", HOOKS)
def test_what_a_hook_reads_in_flask_hides_nothing(hook: str, reader: str, between: bool) -> None:
    client = in_flask(hook, FLASK_READERS[reader], between)
    for kind, body in BODIES.items():
        attack = client.post("/login", **body({"user": "a", "q": ATTACK}), headers=KEY)
        assert attack.status_code == 400, kind
        bait = client.post("/login", **body({"user": "a", "website": "spam"}), headers=KEY)
        assert bait.status_code == 403, kind


@pytest.mark.parametrize("between", [False, True])
@pytest.mark.parametrize("reader", FLASK_READERS)
@pytest.mark.parametrize("hook", [*HOOKS, "validator"])
def test_flasks_view_gets_all_that_a_hook_has_read(hook: str, reader: str, between: bool) -> None:
    read = in_flask(hook, FLASK_READERS[reader], between)
    unread = in_flask("none", lambda: None, between)
    for kind, body in BODIES.items():
        fields = {"user": "a", "website": ""}
        answer = read.post("/login", **body(fields), headers=KEY)
        assert answer.status_code == 200, kind
        assert answer.json == unread.post("/login", **body(fields), headers=KEY).json, kind


@pytest.mark.parametrize("reader", BOTTLE_READERS)
@pytest.mark.parametrize("hook", HOOKS)
def test_what_a_hook_reads_in_bottle_hides_nothing(hook: str, reader: str) -> None:
    client = in_bottle(hook, BOTTLE_READERS[reader])
    for kind, body in BODIES.items():
        attack = client.post("/login", **body({"user": "a", "q": ATTACK}), headers=KEY)
        assert attack.status_code == 400, kind
        bait = client.post("/login", **body({"user": "a", "website": "spam"}), headers=KEY)
        assert bait.status_code == 403, kind


@pytest.mark.parametrize("reader", BOTTLE_READERS)
@pytest.mark.parametrize("hook", [*HOOKS, "validator"])
def test_bottles_view_gets_all_that_a_hook_has_read(hook: str, reader: str) -> None:
    read = in_bottle(hook, BOTTLE_READERS[reader])
    unread = in_bottle("none", lambda: None)
    for kind, body in BODIES.items():
        fields = {"user": "a", "website": ""}
        answer = read.post("/login", **body(fields), headers=KEY)
        assert answer.status_code == 200, kind
        assert answer.json == unread.post("/login", **body(fields), headers=KEY).json, kind


def test_a_validator_gets_the_body_that_a_verifier_has_read() -> None:
    config = SecurityConfig()
    rules = SecurityDecorator(config)
    app = flask.Flask("shop")
    seen: list[Any] = []

    def validator(request: Any) -> None:
        seen.append(flask.request.form.get("user"))
        seen.append(request.body())

    @app.post("/hook")
    @rules.api_key_auth(verifier=lambda r, k: flask.request.stream.read())
    @rules.custom_validation(validator)
    def hook() -> str:
        return flask.request.form["user"]

    FlaskAPIGuard(app, config=config)
    assert app.test_client().post("/hook", data={"user": "a"}, headers=KEY).text == "a"
    assert seen == ["a", b"user=a"]


@pytest.mark.parametrize("between", [False, True])
def test_a_body_past_its_limit_is_refused_whoever_reads_it(between: bool) -> None:
    config = SecurityConfig(
        max_request_size=1000, rate_limit_key=lambda r: str(len(flask.request.get_data()))
    )
    app = flask.Flask("shop")
    app.add_url_rule("/", view_func=lambda: str(len(flask.request.get_data())), methods=["POST"])
    if between:
        app.wsgi_app = around(app.wsgi_app)  # type: ignore[method-assign]
    FlaskAPIGuard(app, config=config)

    def post(size: int) -> Any:
        environ = {
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
            "CONTENT_LENGTH": "",
        }
        return app.test_client().post(
            "/", input_stream=BytesIO(b"x" * size), environ_overrides=environ
        )

    assert post(1001).status_code == 413
    assert post(1000).text == "1000"


@pytest.mark.parametrize("between", [False, True])
@pytest.mark.parametrize("reader", FLASK_READERS)
def test_a_client_that_follows_a_redirect_sends_the_body_again(reader: str, between: bool) -> None:
    config, marked = hooked("verifier", FLASK_READERS[reader])
    app = flask.Flask("shop")
    moved = marked(lambda: flask.redirect("/new", 307))
    app.add_url_rule("/old", "old", moved, methods=["POST"])
    app.add_url_rule("/new", "new", lambda: flask.request.form["user"], methods=["POST"])
    if between:
        app.wsgi_app = around(app.wsgi_app)  # type: ignore[method-assign]
    FlaskAPIGuard(app, config=config)
    answer = app.test_client().post(
        "/old", data={"user": "ann"}, headers=KEY, follow_redirects=True
    )
    assert answer.text == "ann"


READS = st.lists(
    st.tuples(st.sampled_from(["read", "readline", "readlines", "iter"]), st.integers(-1, 40)),
    max_size=4,
)


def perform(stream: Any, reads: list[tuple[str, int]]) -> list[Any]:
    got: list[Any] = []
    for name, size in reads:
        if name == "iter":
            got.append(next(iter(stream), b""))
        elif name == "readlines":
            got.append(stream.readlines())
        else:
            got.append(getattr(stream, name)(size))
    return got


@given(
    st.lists(st.sampled_from([b"a", b"bcd", b"\n"]), max_size=30).map(b"".join),
    READS,
    READS,
    st.sampled_from([0, 9, 99]),
)
def test_each_reader_and_the_app_read_as_if_they_were_alone(
    body: bytes, first: list[tuple[str, int]], second: list[tuple[str, int]], memory: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("guard_wsgi.request.shared_body.MAX_MEMORY_BYTES", memory)
        read_one_after_the_other(body, first, second)


def read_one_after_the_other(
    body: bytes, first: list[tuple[str, int]], second: list[tuple[str, int]]
) -> None:
    environ = {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    shared = SharedBody(environ, lambda environ: None)
    for reads in shared.for_each([first, second]):
        assert perform(environ["wsgi.input"], reads) == perform(BytesIO(body), reads)
    shared.hand_on()
    stream: Any = environ["wsgi.input"]
    assert perform(stream, first) == perform(BytesIO(body), first)
    assert not SharedBody.is_kept(environ)
