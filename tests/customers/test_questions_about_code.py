"""Short questions and answers about programs pass in the fields that people write them into."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from guard_wsgi.detection import Inspection
from tests.detection.requests import environ

FORM = "application/x-www-form-urlencoded"
FIELDS = ("text", "comment", "message", "title", "question", "answer", "post.description")


def is_refused(inspection: Inspection, field: str, text: str) -> bool:
    document = json.dumps({"id": 5, **{field: text}}).encode()
    form = f"id=5&{field}={quote(text, safe='')}".encode()
    return bool(
        inspection.body(document, content_type="application/json")
        or inspection.body(form, content_type=FORM)
    )


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "text",
    [
        "System.out.println(...) prints null, is Runtime.getRuntime() to blame?",
        "console.log(process.env.NODE_ENV)",
        "process.exit(1) is called too early",
        "constructor.prototype.foo = 1",
        "Object.prototype.hasOwnProperty.call(a, 'b')",
        "__proto__ vs prototype",
        "java.lang.NullPointerException at com.example.Main.main(Main.java:5)",
        "<%= render 'form' %>",
    ],
)
def test_a_piece_of_a_program_passes(inspection: Inspection, field: str, text: str) -> None:
    assert not is_refused(inspection, field, text)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('id')",
        "<?php system($_GET['c']); ?>",
        "require('child_process').exec('id')",
        "{{ ''.__class__.__mro__ }}",
        "*)(uid=*))(|(uid=*",
        "' || this.password.match(/.*/)//",
        "<script>alert(1)</script>",
        "' union select password from users -- ",
        "; cat /etc/passwd",
        "${T(java.lang.Runtime).getRuntime().exec('id')}",
    ],
)
def test_an_exploit_in_their_place_is_refused(
    inspection: Inspection, field: str, text: str
) -> None:
    assert is_refused(inspection, field, text)


@pytest.mark.parametrize("field", ["code", "name", "filter", "expr", "template", "id"])
def test_other_fields_ask_for_no_more(inspection: Inspection, field: str) -> None:
    for text in ('eval("2+2")', "console.log(process.env.NODE_ENV)", "__import__('datetime')"):
        assert is_refused(inspection, field, text)


@pytest.mark.parametrize("field", ["text", "comment"])
def test_a_name_within_another_value_is_the_sender_s(inspection: Inspection, field: str) -> None:
    inner = quote(f"https://shop.example.com/?{field}=__import__('datetime')", safe="")
    assert inspection.body(f"next={inner}".encode(), content_type=FORM)
    assert inspection.head(environ(query=f"{field}=" + quote("__import__('datetime')")))
