"""Whatever a client sends, the guard answers or the app does, and no check breaks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_input_stream

from guard_wsgi import GuardMiddleware, SecurityConfig
from tests.kit.gateway import Environ, environ_for, serve

pytestmark = pytest.mark.timeout(110)

BYTES_AS_TEXT = st.binary(max_size=60).map(lambda data: data.decode("latin-1"))
"""PEP 3333: strings of the environ hold bytes as latin-1."""

FRAGMENTS = st.sampled_from(
    [
        "' or 1=1--",
        "<script>alert(1)</script>",
        "../../etc/passwd",
        "%00",
        "%",
        "%c0%af",
        "&#x27;",
        "\\u0027",
        "${jndi:ldap://x}",
        "{{7*7}}",
        ";cat /etc/passwd",
        "A" * 300,
        "[[[[",
        "=",
        "&",
        ";",
        ",",
        '"',
        "\r\n",
        "\x00",
        "+ADw-",
        "PHNjcmlwdD4=",
    ]
)
TEXT = st.lists(st.one_of(BYTES_AS_TEXT, FRAGMENTS), max_size=6).map("".join)
HEADER_NAMES = st.sampled_from(
    [
        "HTTP_HOST",
        "HTTP_USER_AGENT",
        "HTTP_COOKIE",
        "HTTP_REFERER",
        "HTTP_ACCEPT",
        "HTTP_ACCEPT_LANGUAGE",
        "HTTP_AUTHORIZATION",
        "HTTP_ORIGIN",
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD",
        "HTTP_X_FORWARDED_FOR",
        "HTTP_X_FORWARDED_PROTO",
        "HTTP_FORWARDED",
        "HTTP_CONTENT_ENCODING",
        "HTTP_X_CUSTOM",
        "REMOTE_ADDR",
        "SCRIPT_NAME",
        "SERVER_PORT",
    ]
)
METHODS = st.one_of(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"]),
    TEXT.filter(bool),
)
MEDIA_TYPES = st.one_of(
    st.sampled_from(
        [
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=b",
            "multipart/form-data",
            "application/xml",
            "text/plain; charset=utf-16",
            "application/graphql",
            "application/octet-stream",
            "image/png",
            "",
        ]
    ),
    TEXT,
)
JSON_DOCUMENTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=20,
)


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def as_multipart(fields: list[tuple[str, str]]) -> bytes:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields
    ]
    return ("".join(parts) + "--b--\r\n").encode("latin-1", "replace")


BODIES = st.one_of(
    st.binary(max_size=300),
    TEXT.map(lambda text: text.encode("latin-1", "replace")),
    JSON_DOCUMENTS.map(as_json),
    st.lists(st.tuples(TEXT, TEXT), max_size=4).map(as_multipart),
)
LENGTHS = st.one_of(
    st.just("exact"), st.just("absent"), st.integers(-5, 500).map(str), BYTES_AS_TEXT
)


@st.composite
def environs(draw: st.DrawFn) -> Environ:
    environ = environ_for("/")
    environ["REQUEST_METHOD"] = draw(METHODS)
    environ["PATH_INFO"] = "/" + draw(TEXT)
    environ["QUERY_STRING"] = draw(TEXT)
    environ.update(draw(st.dictionaries(HEADER_NAMES, TEXT, max_size=6)))
    environ["CONTENT_TYPE"] = draw(MEDIA_TYPES)
    body = draw(BODIES)
    length = draw(LENGTHS)
    environ.pop("CONTENT_LENGTH", None)
    if length != "absent":
        environ["CONTENT_LENGTH"] = str(len(body)) if length == "exact" else length
    if draw(st.booleans()):
        environ["wsgi.input_terminated"] = True
    if draw(st.integers(0, 4)) == 0:
        environ["HTTP_TRANSFER_ENCODING"] = draw(st.one_of(st.just("chunked"), BYTES_AS_TEXT))
    environ["wsgi.input"] = BytesIO(body)
    environ["test.body"] = body
    return environ


def reading_app(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Reads as far as werkzeug would, and keeps what it got."""
    try:
        environ["test.read"] = get_input_stream(environ).read()
    except ClientDisconnected:  # the body is shorter than its declared length
        environ["test.read"] = "disconnected"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"reached"]


CONFIGS: dict[str, dict[str, Any]] = {
    "default": {},
    "passive": {"passive_mode": True},
    "proxied": {
        "trusted_proxies": ("203.0.113.0/24", "unix"),
        "trusted_proxy_depth": 2,
        "trust_x_forwarded_proto": True,
    },
    "everything": {
        "enable_cors": True,
        "cors_allow_origins": ["https://a.example"],
        "blacklist": ["198.51.100.0/24"],
        "blocked_user_agents": ["bad.*bot"],
        "allowed_content_types": ["application/json"],
        "error_format": "problem",
        "detection_max_body_inspect_bytes": 1024,
        "exclude_paths": ["/static"],
        "unreadable_body": "flag",
    },
}


@pytest.fixture(scope="module")
def guards() -> Iterable[dict[str, GuardMiddleware]]:
    made = {
        name: GuardMiddleware(
            reading_app,
            SecurityConfig(**{"rate_limit": 10**9, "auto_ban_threshold": 10**9, **options}),
        )
        for name, options in CONFIGS.items()
    }
    yield made
    for guard in made.values():
        guard.close()


@pytest.mark.parametrize("config", CONFIGS)
@settings(max_examples=150)
@given(environ=environs())
def test_it_is_answered_and_no_check_breaks(
    guards: dict[str, GuardMiddleware], config: str, environ: Environ
) -> None:
    guard = guards[config]
    before = environ["wsgi.input"]
    answer = serve(guard, environ)
    assert answer.code < 500, (answer.status, answer.body)
    faults = {name: count for name, count in guard.stats().items() if name.startswith("faults")}
    assert not faults
    if answer.body == b"reached":
        body = environ["test.body"]
        plain = dict(environ, **{"wsgi.input": BytesIO(body)})
        plain.pop("guard_wsgi")
        serve(reading_app, plain)
        assert environ["test.read"] == plain["test.read"]
    else:
        assert before is not None
        assert answer.count("Content-Length") == 1
