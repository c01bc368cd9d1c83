"""Sentences that name parts of programs, paragraphs of block editors, modules beside a program."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard_wsgi.detection import Finding, Inspection
from guard_wsgi.detection.relaxations.named import is_naming
from tests.detection.requests import environ

FORM = "application/x-www-form-urlencoded"


def in_form(inspection: Inspection, name: str, text: str) -> tuple[Finding, ...]:
    return inspection.body(urlencode({name: text}).encode(), content_type=FORM)


def in_json(inspection: Inspection, document: Any) -> tuple[Finding, ...]:
    return inspection.body(json.dumps(document).encode(), content_type="application/json")


SENTENCES = """
Implements MapReduce operation on top of standard MPI message - runtime
Java scripting environment (BeanShell) Version 2
Implementation of java.util.logging.LogManager
Python implementation of java.util.Properties
Implementation of Function.prototype.bind
String.prototype.codePointAt polyfill based on ES6
process.stdout in your browser
Babel plugin for default module.exports behaviour
Offers a async require.resolve function
module to mock system(), exec(), and qx() for testing
console.log(
""".strip().splitlines()


@pytest.mark.parametrize("name", ["q", "title", "description", "summary"])
@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_may_name_parts_of_programs(
    inspection: Inspection, name: str, text: str
) -> None:
    assert not in_form(inspection, name, text)


@pytest.mark.parametrize(
    "text",
    [
        "require('child_process').exec('id') hello my friend",
        "process.mainModule.require('fs') hello my friend",
        "eval(alert(1))//hello my friend",
        "constructor.prototype.hello my friend",
        "__proto__.hello my friend",
        "hello my friend <?php system($x); ?>",
        "hello my friend {{7*7}}",
        "hello my friend'; require('fs')//",
        "T(java.lang.Runtime).getRuntime().exec(x)",
    ],
)
def test_a_program_among_words_is_refused(inspection: Inspection, text: str) -> None:
    assert in_form(inspection, "q", text)


PARAGRAPHS = (
    "\nSELECT * FROM people WHERE (first_name || ' ' || last_name) = 'John Smith';\n\n",
    "(references pg_class.oid)",
    "SELECT name FROM users WHERE id = 5;",
)


def documents(text: str) -> list[Any]:
    return [
        {"ops": [{"insert": text}]},
        {"blocks": [{"text": text}]},
        {"body": {"blocks": [{"data": {"text": text}}]}},
        {"type": "doc", "content": [{"content": [{"type": "text", "text": text}]}]},
        {"root": {"children": [{"children": [{"text": text}]}]}},
    ]


@pytest.mark.parametrize("text", PARAGRAPHS)
def test_a_paragraph_of_a_block_editor_passes(inspection: Inspection, text: str) -> None:
    for document in documents(text):
        assert not in_json(inspection, document), document


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "<script>alert(1)</script>",
        "{{7*7}}{{ ''.__class__.__mro__ }}",
        "' UNION SELECT password FROM users -- ",
        "; cat /etc/passwd | sh",
    ],
)
def test_an_attack_in_such_a_paragraph_is_refused(inspection: Inspection, text: str) -> None:
    for document in documents(text):
        assert in_json(inspection, document), document


@pytest.mark.parametrize(
    "text",
    [
        "import { X } from '../../instantiation/common/instantiation.js';",
        'var x = require("../../compile/codegen")',
        "var convert = require('./convert'), func = convert('slice', require('../slice'));",
        'require_relative "../../spec_helper"',
        "int(*)(void*),",
        "sqlite3_busy_handler(sqlite3*,int(*)(void*,int),void*);",
    ],
)
def test_a_line_of_a_program_passes_in_a_field_for_code(inspection: Inspection, text: str) -> None:
    assert not in_form(inspection, "code", text)


@pytest.mark.parametrize(
    "text",
    [
        "from '../../../../etc/passwd'",
        "require_relative '../../etc/passwd'",
        "x*)(uid=*))(|(uid=*",
        "x)(*)(uid=*",
        "');require('child_process').exec('id');//",
    ],
)
def test_what_only_looks_like_it_is_refused(inspection: Inspection, text: str) -> None:
    assert in_form(inspection, "code", text)


@pytest.mark.parametrize(
    ("referer", "is_refused"),
    [
        ("file:///C:/Users/Bob/Desktop/x.html", False),
        ("file:///home/bob/help/index.htm", False),
        ("file:///etc/passwd", True),
        ("file:///../../etc/passwd/x.html", True),
        ("file:///x.html' or 1=1--", True),
    ],
)
def test_a_page_on_a_disk_may_lead_to_the_site(
    inspection: Inspection, referer: str, is_refused: bool
) -> None:
    assert bool(inspection.head(environ(HTTP_REFERER=referer))) is is_refused


PIECES = (
    *("module.exports", "process.stdout", "in", "is", "not", "or", "if", "else", "for", "of", "to"),
    *(
        "get",
        "set",
        "eval()",
        "exec()",
        "String.prototype.at",
        "my",
        "dear",
        "friend",
        "print",
        "x",
    ),
    *("a", ",", ".", ":", "?", "+", "-", "*", "lambda", "return", "del", "import", "from", "as"),
    *("with", "yield", "await", "async", "assert", "raise", "try", "match", "case", "type", "\nx"),
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), min_size=2, max_size=8))
def test_python_reads_no_text_that_only_names(pieces: list[str]) -> None:
    text = " ".join(pieces)
    if is_naming(text):
        with pytest.raises(SyntaxError):
            compile(text, "text", "exec")
