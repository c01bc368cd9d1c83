"""Heads of mails and of HTTP answers in fields for texts, document types and names of catalogs in
sentences."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from guard_wsgi.detection import Finding, Inspection
from guard_wsgi.detection.relaxations.breakout import is_no_statement

FORM = "application/x-www-form-urlencoded"
PASTED = (
    "To: all@example.com\nBcc: boss@example.com\nSubject: Meeting minutes\n\n1. Budget",
    "From: Ann\nSubject: Topic branches\nAbstract: In this article\nContent-type: text/asciidoc",
    "HTTP/1.1 200 OK\nServer: nginx\nSet-Cookie: a=b; path=/\nLocation: /x\n\nwhy do I get this?",
    "I get these headers:\r\n\r\nHTTP/1.1 302 Found\r\nLocation: /login\r\nSet-Cookie: x=y",
    "This mail never arrives:\nFrom: a@example.com\nTo: b@example.com\nReply-To: c@example.com\n",
)


def found_in(inspection: Inspection, name: str, text: str) -> tuple[Finding, ...]:
    return inspection.body(urlencode({name: text}).encode(), content_type=FORM)


@pytest.mark.parametrize("name", ["body", "comment", "ticket[description]", "post_content"])
@pytest.mark.parametrize("text", PASTED)
def test_a_pasted_head_passes_in_a_field_for_texts(
    inspection: Inspection, name: str, text: str
) -> None:
    assert not found_in(inspection, name, text)


@pytest.mark.parametrize("name", ["email", "subject", "name", "url", "next", "x"])
@pytest.mark.parametrize("text", PASTED[:4])
def test_the_same_head_is_refused_in_a_field_of_one_line(
    inspection: Inspection, name: str, text: str
) -> None:
    assert found_in(inspection, name, text)


@pytest.mark.parametrize(
    "text",
    [
        "Hello there\nBcc: victim@example.com",
        "x\r\nSet-Cookie: a=b",
        "foo%0d%0aSet-Cookie: a=b",
        "foo\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\nSet-Cookie: a=b",
        "To: a@example.com\nFrom: b@example.com\nSubject: x\n\nhi\n.\nMAIL FROM: <c@example.com>",
        "To: a@example.com\nSubject: x\nDate: y\n\n<script>alert(1)</script>",
    ],
)
def test_an_injected_header_is_refused_in_a_field_for_texts(
    inspection: Inspection, text: str
) -> None:
    assert found_in(inspection, "message", text)


SENTENCES = """
Several of the Boolean flags in pg_class are maintained
One way to create an imposter table is to directly edit the sqlite_schema
Use information_schema to list the columns
What does pg_sleep do?
random() or sqlite_version() may not be used
Can't read pg_shadow
The sqlite_master table can't be edited
""".strip().splitlines()


@pytest.mark.parametrize("name", ["title", "subject", "comment", "q", "note"])
@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_may_name_a_catalog(inspection: Inspection, name: str, text: str) -> None:
    assert not found_in(inspection, name, text)


@pytest.mark.parametrize(
    "text",
    [
        "1 union select name from sqlite_master",
        "1 union select name from sqlite_master a join pg_class b using (oid)",
        "1; select pg_sleep(5) hello my friend",
        "hello my friend' union select name from sqlite_master--",
        "hello my friend' and pg_sleep(5) is null and '1",
        "1 or (select count(*) from information_schema.tables)>0",
    ],
)
def test_a_statement_that_reads_a_catalog_is_refused(inspection: Inspection, text: str) -> None:
    assert found_in(inspection, "title", text)


@pytest.mark.parametrize("text", ["my dear friend", "a join b", "f() my friend", "x y z from a"])
def test_a_row_of_words_is_a_syntax_error_only_with_a_word_that_ends_nothing(text: str) -> None:
    assert is_no_statement(text) == (text != "a join b")


@pytest.mark.parametrize(
    "text",
    [
        "select a b from c d where e",
        "1 union select a b from c d left join e f on g",
        "select [a b c] from d",
        "x 'my dear friend'",
    ],
)
def test_a_statement_is_no_syntax_error(text: str) -> None:
    assert not is_no_statement(text)


CONFIGURATION = 'This is my config, why does it fail?\n\n<!DOCTYPE {} SYSTEM "{}">\n<{}/>'


@pytest.mark.parametrize(
    ("element", "address"),
    [
        ("fontconfig", "urn:fontconfig:fonts.dtd"),
        ("web-app", "http://java.sun.com/dtd/web-app_2_3.dtd"),
        ("xbel", "http://www.python.org/topics/xml/dtds/xbel-1.0.dtd"),
    ],
)
def test_a_document_type_behind_words_passes(
    inspection: Inspection, element: str, address: str
) -> None:
    assert not found_in(inspection, "body", CONFIGURATION.format(element, address, element))


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a SYSTEM "http://e.example/x.dtd"><a/>',
        'Hello my friend <!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!-- hello my friend --><!DOCTYPE a SYSTEM "http://e.example/x.dtd"><a/>',
    ],
)
def test_a_document_type_that_a_parser_reads_is_refused(inspection: Inspection, text: str) -> None:
    assert found_in(inspection, "body", text)
