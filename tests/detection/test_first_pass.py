"""The first pass lets benign requests pass: it keeps the guard fast, and nothing else shows it."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.detection import DetectionSettings, Detector, Inspection
from guard_wsgi.detection.base64_documents import WRAPPED_BYTES, has_wrapped
from guard_wsgi.detection.first_pass import StableHeaders
from guard_wsgi.detection.scanning.prefilter import builtin_prefilter
from tests.detection.requests import environ

CHROME = {
    "HTTP_HOST": "shop.example.com",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36",
    "HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
    "HTTP_ACCEPT_LANGUAGE": "en-GB,en-US;q=0.9,en;q=0.8,de;q=0.7",
    "HTTP_ACCEPT_ENCODING": "gzip, deflate, br, zstd",
    "HTTP_REFERER": "https://shop.example.com/catalogue?page=2&sort=price-asc",
    "HTTP_COOKIE": "session=eyJjYXJ0IjpbMSwyLDNdfQ.Z1x2y3.abcdefghijklmnop; theme=dark; "
    "_ga=GA1.2.1234567890.1700000000; _ga_AB12CD34EF=GS1.1.1700000000.3.1.1700000100.0.0.0; "
    "_fbp=fb.1.1700000000000.123456789; csrftoken=Zk3vQ0xYpWc8u1sT6nR4; sessionid=9f8e7d6c5b4a",
    "HTTP_SEC_CH_UA": '"Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"',
    "HTTP_SEC_CH_UA_MOBILE": "?0",
    "HTTP_SEC_CH_UA_PLATFORM": '"Linux"',
    "HTTP_SEC_FETCH_DEST": "document",
    "HTTP_SEC_FETCH_MODE": "navigate",
    "HTTP_SEC_FETCH_SITE": "same-origin",
    "HTTP_SEC_FETCH_USER": "?1",
    "HTTP_UPGRADE_INSECURE_REQUESTS": "1",
    "HTTP_IF_NONE_MATCH": 'W/"67ab43-54-1b2c3d"',
    "HTTP_PRIORITY": "u=0, i",
}
HEADS = {
    "chrome": CHROME,
    "chrome, another brand": CHROME
    | {"HTTP_SEC_CH_UA": '"Not)A;Brand";v="8", "Chromium";v="138", "Microsoft Edge";v="138"'},
    "firefox": {
        "HTTP_USER_AGENT": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 "
        "Firefox/133.0",
        "HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "HTTP_ACCEPT_LANGUAGE": "fr,fr-FR;q=0.8,en-US;q=0.5,en;q=0.3",
        "HTTP_DNT": "1",
        "HTTP_TE": "trailers",
    },
    "safari": {
        "HTTP_USER_AGENT": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/"
        "605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
        "HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    },
    "a search engine": {
        "HTTP_USER_AGENT": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "HTTP_FROM": "googlebot(at)googlebot.com",
    },
    "curl": {"HTTP_USER_AGENT": "curl/8.11.0", "HTTP_ACCEPT": "*/*"},
    "requests": {"HTTP_USER_AGENT": "python-requests/2.32.3", "HTTP_CONNECTION": "keep-alive"},
    "a token": {
        "HTTP_AUTHORIZATION": "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkw"
        "IiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV",
    },
    "a script of a page": {
        "HTTP_X_REQUESTED_WITH": "XMLHttpRequest",
        "HTTP_ORIGIN": "https://shop.example.com",
        "HTTP_COOKIE": "seen=1; lang=en; cart=3; consent=true",
    },
    "postman": {"HTTP_USER_AGENT": "PostmanRuntime/7.45.0", "HTTP_POSTMAN_TOKEN": "3f2504e0-4f89"},
    "traced": {
        "HTTP_TRACEPARENT": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "HTTP_X_REQUEST_ID": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "HTTP_X_FORWARDED_FOR": "203.0.113.7, 10.1.2.3",
        "HTTP_X_FORWARDED_PROTO": "https",
    },
}
QUERIES = (
    "",
    "q=green+tea+pot&page=2&sort=price-asc&category=kitchen+%26+dining&in_stock=true",
    "utm_source=newsletter&utm_medium=email&utm_campaign=spring_sale-2024&gclid=Cj0KCQiA7aPyBRCh",
    "filter[status]=open&filter[author]=42&include=comments&fields=id,title,created_at&limit=50",
    "lat=48.2082&lon=16.3738&zoom=12&bbox=16.2,48.1,16.5,48.3",
    "from=2024-01-01T00:00:00Z&to=2024-02-01T00:00:00Z&tz=Europe/Vienna",
)
DOCUMENTS: tuple[Any, ...] = (
    {"username": "ada", "remember": True, "otp": "123456"},
    {"items": [{"sku": "TEA-0042", "qty": 2, "price": 12.5, "note": "gift wrap, please"}] * 20},
    {"email": "ada@example.com", "address": {"street": "12 St James Square", "zip": "SW1Y 4LB"}},
    {"event": "page_view", "properties": {"path": "/pricing", "ms": 1840, "ref": None}},
    {"text": "The tea came in good shape and the kettle is lovely, thank you and see you soon."},
)


def head_bytes(environ: dict[str, Any]) -> bytes:
    """Return the text of a head whose headers are new."""
    return read_of_head(StableHeaders(), environ)


def read_of_head(stable: StableHeaders, environ: dict[str, Any], matches: bool = False) -> bytes:
    """Return the text of a head for the first pass; it passes unless it ``matches``."""
    seen = []

    def look(data: bytes) -> bool:
        seen.append(data)
        return matches

    data = stable.head_pass(look, lambda data: False, lambda environ: False, 0, {})(environ)
    assert (data is not None) == matches
    return seen[0]


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("query", QUERIES)
def test_the_head_of_an_everyday_request_is_cleared_at_once(name: str, query: str) -> None:
    environ = {"PATH_INFO": "/catalogue/kitchen", "QUERY_STRING": query, **HEADS[name]}
    assert not builtin_prefilter("auto").matches(head_bytes(environ))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        "application/x-www-form-urlencoded; charset=UTF-8",
        'text/xml; charset="utf-8"',
        "text/plain;charset=ISO-8859-1",
        "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
        "multipart/form-data; boundary=---------------------------735323031399963166993862150",
        "application/vnd.api+json",
    ],
)
def test_an_everyday_content_type_is_cleared_at_once(content_type: str) -> None:
    environ = {"PATH_INFO": "/catalogue", "QUERY_STRING": "", "CONTENT_TYPE": content_type}
    assert not builtin_prefilter("auto").matches(head_bytes(environ))


def test_reads_every_text_of_a_head_and_nothing_else() -> None:
    """Whatever else the server or a middleware put into the environ, in any order; first the
    headers that clients repeat, of which there are none here."""
    environ = {
        "HTTP_X_A": "a+b",
        "wsgi.input": object(),
        "QUERY_STRING": "q=%2541",
        "SERVER_NAME": "no",
        "PATH_INFO": "/p",
        "CONTENT_TYPE": "text/x",
        "HTTP_X_B": "\u00e9",
    }
    read = head_bytes(environ)
    assert read == b"\x0b\x0ba b\x0bq=%41\x0b/p\x0btext/x\x0b\xe9\x0b\x0b" + head_bytes(
        {**environ, "QUERY_STRING": "q=A"}
    )
    assert head_bytes({"PATH_INFO": "/only"}) == b"\x0b\x0b/only\x0b"
    assert head_bytes({"PATH_INFO": "/p", "HTTP_USER_AGENT": "a"}) == b"\x0ba\x0b/p\x0b"
    assert head_bytes({}) == b"\x0b\x0b\x0b"


HEADER_KEYS = st.sampled_from(
    ["HTTP_A", "HTTP_B", "HTTP_COOKIE", "HTTP_HOST", "HTTP_USER_AGENT", "CONTENT_TYPE", "PATH_INFO"]
)
OTHER_KEYS = st.sampled_from(["REMOTE_ADDR", "SERVER_NAME", "wsgi.version", "app.a", "app.b"])


@given(st.lists(st.lists(st.one_of(HEADER_KEYS, OTHER_KEYS), max_size=6, unique=True)))
def test_every_header_is_read_whatever_others_had_before(sets_of_keys: list[list[str]]) -> None:
    stable = StableHeaders()
    for keys in sets_of_keys:
        environ = {key: f"the value of {key}" for key in keys}
        read = read_of_head(stable, environ, matches=True)
        assert sorted(read.split(b"\x0b")) == sorted(head_bytes(environ).split(b"\x0b"))


def test_headers_that_were_cleared_are_not_read_again_and_all_others_are() -> None:
    stable = StableHeaders()
    environ = {"PATH_INFO": "/a", "QUERY_STRING": "", **CHROME}
    whole = read_of_head(stable, environ, matches=True)
    assert CHROME["HTTP_USER_AGENT"].encode() in whole
    assert read_of_head(stable, environ) == whole  # it was not cleared
    read = read_of_head(stable, {**environ, "PATH_INFO": "/b"})
    others = ("", "/b", "", CHROME["HTTP_REFERER"], CHROME["HTTP_IF_NONE_MATCH"], "")
    assert read == "\x0b".join(others).encode()
    read = read_of_head(stable, {**environ, "PATH_INFO": "/b", "HTTP_COOKIE": "of=another"})
    assert read == "\x0b".join(("", "of=another", *others[1:])).encode()
    for changed in ("HTTP_USER_AGENT", "HTTP_ACCEPT_LANGUAGE", "HTTP_SEC_CH_UA", "HTTP_HOST"):
        assert b"else" in read_of_head(stable, {**environ, changed: "else"}, matches=True)


@pytest.mark.parametrize(
    "header", ["HTTP_USER_AGENT", "HTTP_ACCEPT", "HTTP_COOKIE", "HTTP_SEC_CH_UA", "HTTP_X"]
)
def test_an_attack_is_found_in_headers_after_others_were_cleared(
    inspection: Inspection, header: str
) -> None:
    environ = {"PATH_INFO": "/a", "QUERY_STRING": "", **CHROME}
    for _ in range(3):
        assert inspection.head(environ) == ()
        assert inspection.head({**environ, header: "<script>alert(document.cookie)</script>"})


@pytest.mark.parametrize(
    ("header", "before"), [("HTTP_COOKIE", "session="), ("HTTP_AUTHORIZATION", "Bearer ")]
)
def test_an_attack_in_a_token_is_found_after_the_same_headers_with_another_one(
    inspection: Inspection, header: str, before: str
) -> None:
    environ = {"PATH_INFO": "/a", "QUERY_STRING": "", **CHROME}
    attack = b64encode(b'{"name": "1\' UNION SELECT username, password FROM users-- -"}').decode()
    for _ in range(3):
        assert inspection.head({**environ, header: f"{before}eyJuYW1lIjogIkFkYSJ9"}) == ()
        assert inspection.head({**environ, header: f"{before}{attack}"})


def test_what_is_benign_as_a_cookie_is_decoded_still_where_it_is_a_password() -> None:
    inspection = Detector().compile()
    basic = "Basic " + b64encode(b"ada:<script>alert(document.cookie)</script>").decode()
    environ = {"PATH_INFO": "/a", "QUERY_STRING": "", "HTTP_USER_AGENT": "curl/8.11.0"}
    for _ in range(3):
        inspection.head({**environ, "HTTP_COOKIE": basic})
        assert inspection.first_pass({**environ, "HTTP_AUTHORIZATION": basic}) is not None


def test_patterns_added_later_are_found_in_headers_that_were_cleared_before() -> None:
    detector = Detector()
    environ = {"PATH_INFO": "/a", "QUERY_STRING": "", **CHROME}
    assert detector.compile().head(environ) == ()
    detector.add_pattern("applewebkit")
    (finding,) = detector.compile().head(environ)
    assert (finding.category, finding.name) == ("custom", "user-agent")


def test_an_inspection_remembers_the_headers_it_has_cleared() -> None:
    detector = Detector()
    environ = {"PATH_INFO": "/a", "QUERY_STRING": "", **CHROME}
    whole = read_of_head(detector._stable, environ, matches=True)
    assert detector.compile().head(environ) == ()
    assert len(read_of_head(detector._stable, environ)) < len(whole)


def test_all_routes_remember_headers_in_one_place() -> None:
    """Or clients that make headers up could fill the memory once for each route."""
    detector = Detector()
    one, other = detector.compile(), detector.compile()
    for number in range(10):
        one.head({"HTTP_USER_AGENT": f"agent {number}"})
        other.head({"HTTP_USER_AGENT": f"agent {number}"})
    assert len(detector._stable._benign) == 10


def test_what_is_remembered_of_headers_is_bounded() -> None:
    stable = StableHeaders()
    for number in range(3 * StableHeaders.MAX_REMEMBERED):
        read_of_head(stable, {"HTTP_USER_AGENT": f"agent {number}"})
        assert 0 < len(stable._benign) <= StableHeaders.MAX_REMEMBERED
        read_of_head(stable, {f"HTTP_X_{number}": "a"})
        assert 0 < len(stable._getters) <= StableHeaders.MAX_REMEMBERED
    read_of_head(stable, {"HTTP_" + "X" * StableHeaders.MAX_REMEMBERED_CHARS: "a", "b": "c"})
    assert 2 not in stable._lately
    before = len(stable._benign)
    read_of_head(stable, {"HTTP_USER_AGENT": "x" * (StableHeaders.MAX_REMEMBERED_CHARS + 1)})
    assert len(stable._benign) == before


@pytest.mark.parametrize("document", DOCUMENTS)
def test_an_everyday_json_document_is_cleared_at_once(document: Any) -> None:
    body = json.dumps(document).encode()
    assert Detector().compile().benign_body("application/json")(body)


def test_an_everyday_form_is_cleared_at_once() -> None:
    body = (
        b"name=Ada+Lovelace&email=ada%40example.com&street=12+St+James%27s+Square&city=London"
        b"&phone=%2B44+20+7946+0000&message=Please+leave+it+with+a+neighbour.+Thank+you!&ok=on"
    )
    assert Detector().compile().benign_body("application/x-www-form-urlencoded")(body)


# As many of its last letter as make it look for the whole are in some.
@given(st.lists(st.sampled_from([b"e", b"y", b"J", b"ey", b"xJ", b"J" * 70]), max_size=12))
def test_what_is_wrapped_is_found_wherever_it_stands(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    assert has_wrapped(body) == (WRAPPED_BYTES in body)


ADDRESSES = ["127.0.0.1:8000", "10.1.2.3", "[::1]:8000", "169.254.169.254", "192.168.0.7:80"]


@pytest.mark.parametrize("host", ADDRESSES)
@pytest.mark.parametrize("cookies", [{}, {"HTTP_COOKIE": "session=5f2c8a1e; theme=dark"}])
def test_a_host_that_is_an_address_needs_a_second_look_once(
    host: str, cookies: dict[str, str]
) -> None:
    inspection = Detector().compile()
    head = environ(query="q=tea", HTTP_HOST=host, **cookies)
    assert inspection.head(head) == ()
    assert inspection.first_pass(head) is None
    # Other pages and another session, too.
    assert inspection.first_pass({**head, "QUERY_STRING": "q=cakes"}) is None
    if cookies:
        assert inspection.first_pass({**head, "HTTP_COOKIE": "session=77aa01; theme=dark"}) is None
        assert inspection.head({**head, "HTTP_COOKIE": "session=1' or 1=1-- -"})
    assert inspection.head({**head, "QUERY_STRING": "q=1' union select 1,2-- -"})


def test_a_header_that_was_harmless_is_weighed_in_another_place() -> None:
    """What is remembered of some headers says nothing about others with the same text."""
    inspection = Detector().compile()
    text = "curl/8.0 () http://10.1.2.3/"
    first = environ(HTTP_HOST="a", HTTP_USER_AGENT=text)
    assert inspection.head(first) == ()
    assert inspection.first_pass(environ(HTTP_USER_AGENT="a", HTTP_COOKIE=text)) is not None
    assert inspection.first_pass(environ(HTTP_USER_AGENT="a", HTTP_ORIGIN=text)) is not None


def test_what_one_route_finds_harmless_another_still_weighs() -> None:
    detector = Detector()
    host = environ(HTTP_HOST="169.254.169.254")
    assert detector.compile().head(host) == ()
    assert detector.compile(DetectionSettings(threshold="strict")).first_pass(host) is not None
