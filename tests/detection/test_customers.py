"""Requests of customers pass. Each text here was refused by another engine (spec: lessons 26 to
32)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest

from guard_wsgi.detection import Inspection
from tests.detection.requests import PLACES, environ, findings_in

TEXTS = (
    "select a union rep from the list",
    "Having friends over is nice & I want to order by phone",
    "a < b and c > d, so x <= y",
    "The update of the select menu comes from where you'd expect",
    "time flies like an arrow",
    "It's 50% off, isn't it?",
    "Fix `config.yaml` parsing (#1234)",
    "O'Brien & D'Angelo",
    "Rock 'n' roll",
    'size 10" x 12"',
    "I <3 this product!!!",
    "C:\\fakepath\\photo (1).jpg",
    "1 or 2 items, and 3 for free",
    "#1 in the charts; #2 last year",
    "see ../images or nginx.conf, error.log and index.php",
    'Jean-Luc (the captain) said: "make it so"',
    "dogs' or cats",
    "+1 (555) 010-9999; call after 5pm",
    "**bold** _italic_ [link](https://example.com/a_(b))",
    "50/50 chance; 3/4 cup -- that's all!",
)


@pytest.mark.parametrize("place", ["query", "form", "json", "multipart"])
@pytest.mark.parametrize("text", TEXTS)
def test_people_may_write_what_they_like(inspection: Inspection, place: str, text: str) -> None:
    assert findings_in(inspection, place, text) == ()


@pytest.mark.parametrize(
    "query",
    [
        "next=http%3A%2F%2Flocalhost%3A3000%2Fcb",
        "url=https%3A%2F%2Fexample.com%2Fa%3Fb%3D1%26c%3D%24%7BAUCTION_PRICE%7D",
        "cb=%24%7BCACHEBUSTER%7D&price=%24%7BAUCTION_PRICE%7D&ord=%5Btimestamp%5D",
        "%24filter=" + "Name%20eq%20%27Milk%27%20or%20Price%20lt%202.55&%24orderby=Price%20desc",
        "jql=" + "project%20%3D%20ABC%20AND%20status%20in%20(%22To%20Do%22)%20ORDER%20BY%20created",
        urlencode({"filter": json.dumps({"where": {"and": [{"a": 1}, {"b": "it's"}]}})}),
        urlencode({"query": '{ user(id: "5") { name posts(first: 5) { id } } }'}),
    ],
)
def test_machines_may_speak_their_languages(inspection: Inspection, query: str) -> None:
    assert inspection.head(environ(query=query)) == ()


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("HTTP_SEC_CH_UA", '"(Not(A:Brand";v="8", "Chromium";v="98", " Not A;Brand";v="99"'),
        (
            "HTTP_COOKIE",
            "prefs=%7B%22theme%22%3A%20%22dark%22%2C%20%22q%22%3A%20%22it%27s%22%7D; a=1|2!3",
        ),
        ("HTTP_X_AMZN_TRACE_ID", "Self=1-67891234-abcdef;Root=1-67891233-abcdef012345678912345678"),
        ("HTTP_FORWARDED", 'for="[2001:db8::1]:4711";proto=https;by=203.0.113.43'),
        ("HTTP_CF_VISITOR", '{"scheme":"https"}'),
        ("HTTP_IF_NONE_MATCH", 'W/"67ab43", "54ed21"'),
        ("HTTP_REFERER", "https://www.google.com/search?q=how+to+select+from+a+list&oq=it%27s"),
    ],
)
def test_headers_of_browsers_and_proxies_pass(
    inspection: Inspection, header: str, value: str
) -> None:
    assert inspection.head(environ(**{header: value})) == ()


@pytest.mark.parametrize(
    "path",
    [
        "/robots.txt",
        "/sitemap.xml",
        "/.well-known/security.txt",
        "/favicon.ico",
        "/wp-login.php",
        "/index.php",
        "/wiki/C++",
        "/docs/nginx.conf.html",
    ],
)
def test_ordinary_paths_pass(inspection: Inspection, path: str) -> None:
    assert inspection.head(environ(path=path)) == ()


def test_made_traffic_of_the_usual_senders_passes(inspection: Inspection) -> None:
    """Twenty requests of every family of the generator; the count of false alarms must not grow."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "training"))
    try:
        from benign_traffic import benign_requests
    finally:
        sys.path.pop(0)
    blocked = []
    for record in benign_requests(20):
        if record["tier"] != "core":
            continue
        headers = {"HTTP_" + k.upper().replace("-", "_"): v for k, v in record["headers"].items()}
        latin = {k: v.encode("utf-8").decode("latin-1") for k, v in headers.items()}
        found = inspection.head({**environ(record["path"], record["query"]), **latin})
        body = record["body"].encode()
        found += inspection.body(body, content_type=record["headers"].get("Content-Type", ""))
        if found:
            blocked.append((record["id"], found[0].category, found[0].value[:80]))
    assert len(blocked) <= 4, blocked


@pytest.mark.parametrize(
    "text",
    [
        "Ansible and Terraform for beginners",
        "How do I restart nginx with systemctl?",
        "Boys' and Girls' shoes",
        "new function room for 80 guests",
        "if it does not exist, call the shop and set a date",
        "our flock of sheep; the dog; the cat",
        "the class of 1999 (org. by the school board)",
        "Men's and women's sizes: 6'2\" or 5'8\"",
        "I ran out of gunpowder tea ~ is there more?",
        "PHP function names such as print and array",
    ],
)
def test_words_that_programs_have_too_pass(inspection: Inspection, text: str) -> None:
    for place in ("query", "form", "json", "multipart"):
        assert findings_in(inspection, place, text) == ()


@pytest.mark.parametrize(
    "query",
    [
        "code=SUMMER-25",
        "code=4/0AX4XfWh-zstd_x&state=xyz",
        "run=2024-11-05&args=blue",
        "url=https%3A%2F%2Fwww.example.com.au%2Fshop",
        "next=https%3A%2F%2Fshop.example.com%2Fcart",
        "transformer=bert&closure=zip",
        "session.id=42&extension=pdf",
    ],
)
def test_names_of_commands_and_addresses_carry_harmless_values(
    inspection: Inspection, query: str
) -> None:
    assert inspection.head(environ(query=query)) == ()


@pytest.mark.parametrize("file", ["photo.jpg", "report.2024.pdf", "php-intro.pdf", "sess.txt"])
def test_a_document_named_by_a_header_passes(inspection: Inspection, file: str) -> None:
    assert inspection.head(environ(HTTP_X_FILENAME=file)) == ()


@pytest.mark.parametrize("code", ["ID", "id", "LS", "SET", "env", "dir", "SUMMER-25", "4/0AeanS0Z"])
def test_a_code_of_a_country_a_coupon_or_a_login_passes(inspection: Inspection, code: str) -> None:
    """An attacker's program may also be in `code`, with its arguments."""
    assert not inspection.head(environ(query="code=" + code))
    assert inspection.head(environ(query="code=" + code + ";cat+/etc/passwd"))


@pytest.mark.parametrize(
    "text", ["!!", "!1", "an execute immediate action plan", "code: execute immediate orders"]
)
def test_marks_and_orders_in_messages_pass(inspection: Inspection, text: str) -> None:
    for place in PLACES:
        assert not findings_in(inspection, place, text)
