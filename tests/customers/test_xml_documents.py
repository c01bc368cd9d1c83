# ruff: noqa: E501  (documents as programs write them)
"""XML documents as formats prescribe them pass, as a body and in a field; what makes a parser fetch
or expand what an attacker chooses does not."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from guard_wsgi.detection import Finding, Inspection

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
DOCTYPES = {
    "cXML": 'cXML SYSTEM "http://xml.cxml.org/schemas/cXML/1.2.024/cXML.dtd"',
    "MusicXML": 'score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd"',
    "ONIX": 'ONIXMessage SYSTEM "http://www.editeur.org/onix/2.1/reference/onix-international.dtd"',
    "RSS 0.91": 'rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/publish/formats/rss-0.91.dtd"',
    "DocBook": 'book PUBLIC "-//OASIS//DTD DocBook XML V4.5//EN" "http://www.oasis-open.org/docbook/xml/4.5/docbookx.dtd"',
    "Hibernate": 'hibernate-mapping PUBLIC "-//Hibernate/Hibernate Mapping DTD 3.0//EN" "http://www.hibernate.org/dtd/hibernate-mapping-3.0.dtd"',
    "Jetty": 'Configure PUBLIC "-//Jetty//Configure//EN" "https://www.eclipse.org/jetty/configure_10_0.dtd"',
    "Struts": 'struts PUBLIC "-//Apache Software Foundation//DTD Struts Configuration 2.5//EN" "http://struts.apache.org/dtds/struts-2.5.dtd"',
    "SVG": 'svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"',
    "a file beside": 'topic SYSTEM "topic.dtd"',
    "characters": 'html [<!ENTITY nbsp "&#160;"><!ENTITY auml "&#xE4;"> <!ENTITY mdash "—">]',
    "namespaces": 'rdf:RDF [\n  <!ENTITY owl "http://www.w3.org/2002/07/owl#" >\n  <!ENTITY xsd "http://www.w3.org/2001/XMLSchema#" >\n]',
    "elements": 'countries [<!ELEMENT countries (country+)> <!ELEMENT country EMPTY> <!ATTLIST country code CDATA #REQUIRED name CDATA #IMPLIED>]',
    "both": 'book PUBLIC "-//OASIS//DTD DocBook XML V4.5//EN" "http://www.oasis-open.org/docbook/xml/4.5/docbookx.dtd" [<!ENTITY eacute "&#233;">]',
}  # fmt: skip
HARMFUL = {
    "an attacker's subset": 'cXML SYSTEM "http://xml.cxml.org.evil.example/schemas/cXML.dtd"',
    "a name before": 'cXML SYSTEM "http://evil.example/xml.cxml.org/cXML.dtd"',
    "a user before": 'cXML SYSTEM "http://xml.cxml.org@evil.example/cXML.dtd"',
    "another port": 'cXML SYSTEM "http://xml.cxml.org:8080/cXML.dtd"',
    "a question": 'cXML SYSTEM "http://www.apache.org/?to=evil.example"',
    "a local file": 'cXML SYSTEM "file:///etc/passwd"',
    "a public name": 'book PUBLIC "-//OASIS//DTD DocBook XML V4.5//EN" "http://evil.example/docbookx.dtd"',
    "an external entity": 'html [<!ENTITY nbsp SYSTEM "file:///etc/passwd">]',
    "one beside a letter": 'html [<!ENTITY auml "&#228;"><!ENTITY x SYSTEM "http://www.w3.org/x">]',
    "a parameter": 'html [<!ENTITY % a "b">]',
    "one that expands": 'html [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]',
    "one that spells": 'html [<!ENTITY a "script">]',
    "a sign of markup": 'html [<!ENTITY a "&#60;">]',
    "a handler by default": 'svg [<!ELEMENT svg ANY><!ATTLIST svg onload CDATA "alert(1)">]',
    "both": 'book SYSTEM "http://xml.cxml.org/a.dtd" [<!ENTITY x SYSTEM "file:///etc/passwd">]',
}  # fmt: skip
PROJECT = '<Project><PropertyGroup Condition="{}"><A>1</A></PropertyGroup></Project>'
CONDITIONS = (
    "'$(Configuration)' == 'Debug'",
    "'$(Configuration)|$(Platform)' == 'Debug|AnyCPU'",
    " '$(MonoRuntime)' == 'true' ",
    "'%(NASM.OutputFormat)' != '' and '%(NASM.ExcludedFromBuild)' != 'true'",
    "$(TargetFramework.StartsWith('net4')) Or '$(OS)' == 'Windows_NT'",
    "!Exists('$(SpaRoot)node_modules') And '$(NCrunch)' != '1'",
)


def document(doctype: str) -> str:
    root = doctype.split()[0]
    return f"{HEAD}<!DOCTYPE {doctype}>\n<{root}>a</{root}>".replace("<rdf:RDF>", '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">')  # fmt: skip


def everywhere(inspection: Inspection, text: str) -> dict[str, tuple[Finding, ...]]:
    body = text.encode()
    return {
        "xml": inspection.body(body, content_type="application/xml"),
        "form": inspection.body(
            urlencode({"xml": text}).encode(), content_type="application/x-www-form-urlencoded"
        ),
        "json": inspection.body(
            json.dumps({"document": text}).encode(), content_type="application/json"
        ),
    }


@pytest.mark.parametrize("name", DOCTYPES)
def test_a_published_document_type_passes(inspection: Inspection, name: str) -> None:
    assert not any(everywhere(inspection, document(DOCTYPES[name])).values())


@pytest.mark.parametrize("name", HARMFUL)
def test_any_other_is_an_attack(inspection: Inspection, name: str) -> None:
    found = everywhere(inspection, document(HARMFUL[name]))
    assert all(found.values()), found


@pytest.mark.parametrize("attack", ["<script>alert(1)</script>", "1' UNION SELECT a FROM b -- "])
def test_an_attack_behind_a_document_type_is_one(inspection: Inspection, attack: str) -> None:
    text = attack.replace("<", "&lt;").replace("'", "&#39;")
    for name in ("cXML", "characters", "SVG"):
        harmful = document(DOCTYPES[name]).replace(">a<", f">{text}<")
        assert all(everywhere(inspection, harmful).values()), name


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_build_has_conditions(inspection: Inspection, condition: str) -> None:
    assert not any(everywhere(inspection, HEAD + PROJECT.format(condition)).values())


@pytest.mark.parametrize(
    "condition",
    [
        "' or '1'='1",
        "'$(A)' == '' or '1'='1' -- ",
        "'$(A)' == 'a' union select password from users",
        "'$(cat /etc/passwd)' == ''",
    ],
)
def test_another_condition_is_an_attack(inspection: Inspection, condition: str) -> None:
    body = PROJECT.format(condition).encode()
    assert inspection.body(body, content_type="application/xml")


ICON = '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><path d="M8 1a6.99 6.99 0 00-4.37 1.53C2.4 2.08 1.5 1.5.9 1.06l-.09.59z" style="marker:none" overflow="visible" color="#bebebe"/>{}</svg>'


def test_a_field_for_an_icon_takes_one_that_only_draws(inspection: Inspection) -> None:
    for icon in (ICON.format(""), HEAD + ICON.format("<text>postgresql:all</text>")):
        assert not any(everywhere(inspection, icon).values()), icon
    for inner in (
        "<script>alert(1)</script>",
        '<a href="javascript:alert(1)">a</a>',
        '<path onclick="alert(1)"/>',
        '<image href="http://evil.example/a.svg"/>',
        "<text>1' UNION SELECT password FROM users -- </text>",
        "<foreignObject><iframe/></foreignObject>",
    ):
        found = everywhere(inspection, ICON.format(inner))
        assert found["form"], inner
        assert found["json"], inner
