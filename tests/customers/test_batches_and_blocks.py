"""Requests in a batch and statements in a program of blocks pass; an attack in one does not."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from guard_wsgi.detection import Finding, Inspection

BODY = '{"Name":"O\'Hara"}'
HTTP = "Content-Type: application/http\nContent-Transfer-Encoding: binary\n"
READ = "GET Customers('ALFKI')?$select=Name&$filter=Price%20gt%205 HTTP/1.1\nAccept: a/json\n"
CHANGE = f"POST Customers HTTP/1.1\nContent-Type: application/json\nContent-Length: 17\n\n{BODY}"
MERGE = "MERGE https://a.table.example/Blogs(A='9',RowKey='3') HTTP/1.1\nAccept: a/json\n\n{}"
SQL = "1' UNION SELECT password FROM users -- "


def batch(*parts: str) -> bytes:
    """A batch of parts in a set of changes and beside it."""
    inner = "".join(f"--c1\n{HTTP}Content-ID: {n}\n\n{one}\n" for n, one in enumerate(parts))
    whole = f"--b1\n{HTTP}\n{READ}\n\n--b1\nContent-Type: multipart/mixed; boundary=c1\n\n"
    return f"{whole}{inner}--c1--\n\n--b1--\n".replace("\n", "\r\n").encode()


def google(request: str) -> bytes:
    head = "--==7==\nContent-Type: application/http\nMIME-Version: 1.0\nContent-ID: <b29c-4+1>\n\n"
    return f"{head}{request}\n--==7==--\n".replace("\n", "\r\n").encode()


def found(inspection: Inspection, body: bytes, boundary: str) -> tuple[Finding, ...]:
    return inspection.body(body, content_type=f"multipart/mixed; boundary={boundary}")


def test_a_batch_contains_requests(inspection: Inspection) -> None:
    assert not found(inspection, batch(CHANGE, MERGE), "b1")
    request = (
        "POST /drive/v3/files/1/permissions?fields=id&alt=json HTTP/1.1\n"
        "Content-Type: application/json\nauthorization: Bearer ya29\n\n"
        '{"role": "writer", "emailAddress": "user@example.com"}'
    )
    assert not found(inspection, google(request), '"==7=="')


@pytest.mark.parametrize(
    "request_",
    [
        f"GET /a?q={SQL.replace(' ', '+')} HTTP/1.1\n",
        "GET /../../../../etc/passwd HTTP/1.1\n",
        "GET /a HTTP/1.1\nX-Name: <script>alert(document.cookie)</script>\n",
        f'POST /a HTTP/1.1\nContent-Type: application/json\n\n{{"name": "{SQL}"}}',
        f"POST /a HTTP/1.1\n\nname={SQL}",
        "POST /a HTTP/1.1\nTransfer-Encoding: chunked\n\n0\n\nGET /admin HTTP/1.1\n\n",
    ],
)
def test_an_attack_in_a_request_of_a_batch_is_one(inspection: Inspection, request_: str) -> None:
    assert found(inspection, batch(request_), "b1")
    assert found(inspection, google(request_), '"==7=="')


def test_a_request_in_a_field_is_no_batch(inspection: Inspection) -> None:
    for head in ('Content-Disposition: form-data; name="a"\n', "Content-Type: text/plain\n"):
        body = f"--b1\n{head}\nx\nGET /admin HTTP/1.1\nHost: a\n\n--b1--\n".replace("\n", "\r\n")
        assert found(inspection, body.encode(), "b1"), head
        assert inspection.body(body.encode(), content_type="multipart/form-data; boundary=b1")


def program(statements: int, text: str = "abc") -> dict[str, Any]:
    block: dict[str, Any] = {"type": "controls_if", "id": "e"}
    for index in range(statements):
        shown = {"shadow": {"type": "text", "fields": {"TEXT": text}}}
        inputs = {"TEXT": shown}
        block = {"type": "print", "id": f"b{index}", "inputs": inputs, "next": {"block": block}}
    return {"blocks": {"languageVersion": 0, "blocks": [block]}}


def as_json(inspection: Inspection, document: Any, **options: Any) -> tuple[Finding, ...]:
    body = json.dumps(document, **options).encode()
    return inspection.body(body, content_type="application/json")


@pytest.mark.parametrize("statements", [1, 14, 30, 100, 200])
def test_a_pupil_saves_a_program_of_blocks(inspection: Inspection, statements: int) -> None:
    document = program(statements)
    assert not as_json(inspection, document)
    assert not as_json(inspection, document, indent=1)
    assert not as_json(inspection, {"name": "a", "state": json.dumps(document)})
    body = urlencode({"workspace": json.dumps(document)}).encode()
    assert not inspection.body(body, content_type="application/x-www-form-urlencoded")


def test_a_chain_hides_nothing_and_ends(inspection: Inspection) -> None:
    assert as_json(inspection, program(30, SQL))
    deep = b'{"next":{"block":' * 300 + b"1" + b"}" * 600
    for body in (deep, b'{"a":"%s","b":%s}' % (b"a" * 200_000, deep)):
        assert inspection.body(body, content_type="application/json")
    large = {"rows": ["it's <b>5</b>"] * 9000, **program(30, SQL)}
    assert as_json(inspection, large)


@pytest.mark.parametrize("link", ["block", "next", "child", "next.child"])
def test_other_nesting_is_bounded_as_before(inspection: Inspection, link: str) -> None:
    for levels in (40, 200):
        document: Any = {"a": [[1]]}
        for _ in range(levels):
            for key in reversed(link.split(".")):
                document = {key: document}
        is_chain = link == "next" and levels == 40
        assert bool(as_json(inspection, [document])) is not is_chain
