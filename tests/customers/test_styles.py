"""Style sheets in a field pass; a style sheet of another site and a file of the system do not."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from guard_wsgi.detection import Finding, Inspection

STYLES = (
    '@import "tailwindcss";',
    "@import 'variables';\n@import 'tree';\n@import '../Shared/_variables.scss';",
    '@import "tailwindcss";\n@import "tw-animate-css";\n@plugin "@tailwindcss/typography";',
    '// Vendor\n@import "vendor/rfs";',
    '@import "../../../../../node_modules/@fortawesome/fontawesome-free/scss/solid";',
    '@import "~codemirror/lib/codemirror.css";\n.a { color: red }',
    "@import url('https://fonts.googleapis.com/css2?family=Inter:wght@400;700&display=swap');",
    "@custom-variant dark (&:is(.dark *));",
    "//\n// Growing circle\n//\n.spinner { width: 1em }",
    "////////////////////\n// Card on Concept page\n////////////////////",
    "*{stroke-linecap:butt;stroke-linejoin:round;}",
    "*{box-sizing:border-box}",
    "*{\n  margin: 0;\n  -webkit-tap-highlight-color: transparent;\n}",
    "*{--gap:4px}",
    "*{/* reset */ padding:0}",
    ".a { color: var(--b, #{theme('colors.icon-primary')}); width: #{$width}; }",
    ":root { --font: #{inspect($font-family-sans-serif)}; }",
)
ATTACKS = (
    "@import 'http://evil.example/x.css';",
    "@import '//evil.example/x.css';",
    "<style>@import 'http://evil.example/x.css';</style>",
    '@import (inline) "../../../../etc/passwd";',
    '@import "../../../../etc/passwd";',
    '@import "../../../../root/.ssh/id_rsa";',
    "//evil.example",
    "#{7*7}",
    "*{7*7}",
    "*{ name }",
    "*{a ? b : c}",
    "*{@bean.name}",
    "*{T(java.lang.Runtime)}",
    "#{`id`}",
    "#{system('id')}",
)
WORDS = (
    "Add redundant python{,3}-all build depends for lintian",
    "Run testsuite{,-dbg} autopkg tests with allow-stderr.",
    "Bring xserver-xorg.install.{alpha,mips{,el}} up to date.",
    "run on platforms that match this regular expression (empty means any platform)",
    "SPDX license expression (recommended per PEP 639)",
    "Fix parsing of virtual timestamp fields in ausearch_expression (#1515903)",
)


def in_form(inspection: Inspection, name: str, text: str) -> tuple[Finding, ...]:
    body = urlencode({"csrf": "x", name: text}).encode()
    return inspection.body(body, content_type="application/x-www-form-urlencoded")


def in_json(inspection: Inspection, name: str, text: str) -> tuple[Finding, ...]:
    return inspection.body(json.dumps({name: text}).encode(), content_type="application/json")


@pytest.mark.parametrize("style", STYLES)
def test_a_theme_has_a_style_sheet(inspection: Inspection, style: str) -> None:
    for text in (style, style.replace("\n", "\r\n")):
        assert not in_form(inspection, "custom_css", text)
        assert not in_json(inspection, "css", text)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_style_sheet_reaches_no_other_place(inspection: Inspection, attack: str) -> None:
    for name in ("custom_css", "url" if attack.startswith("//") else "content"):
        assert in_form(inspection, name, attack) or in_json(inspection, name, attack)


@pytest.mark.parametrize("words", WORDS)
def test_people_write_names_and_remarks(inspection: Inspection, words: str) -> None:
    for name in ("comment", "title", "q"):
        assert not in_form(inspection, name, words)
    assert not in_json(inspection, "body", words)


@pytest.mark.parametrize(
    "attack", ["{cat,/etc/passwd}", "x; {ls,-la}", "a | c{a,}t /etc/passwd", "`{id,}`"]
)
def test_a_shell_expands_them(inspection: Inspection, attack: str) -> None:
    assert in_form(inspection, "name", attack)


@pytest.mark.parametrize(
    "attack",
    [
        '<p style="width: expression (alert(1))">',
        '<p style="background: red expression (alert(1))">',
        '<p style="background: red expression (a)expression(alert(1))">',
    ],
)
def test_a_style_sheet_of_old_browsers_runs_an_expression(
    inspection: Inspection, attack: str
) -> None:
    assert in_form(inspection, "name", attack)
    assert in_json(inspection, "name", attack)


def test_a_callback_in_xml_has_a_forms_type(inspection: Inspection) -> None:
    form = "application/x-www-form-urlencoded"
    body = "<xml><appid><![CDATA[wx24]]></appid><total_fee>1</total_fee><sign>{}</sign></xml>"
    assert not inspection.body(body.format("<![CDATA[C380=]]>").encode(), content_type=form)
    for attack in ("<![CDATA[<script>alert(1)</script>]]>", "<script>alert(1)</script>"):
        assert inspection.body(body.format(attack).encode(), content_type=form), attack
    assert inspection.body(body.format("' UNION SELECT a FROM b -- ").encode(), content_type=form)
    assert inspection.body(b"<xml>x=%3Cscript%3Ealert(1)%3C/script%3E</xml>", content_type=form)


@pytest.mark.parametrize("media_type", ["image/svg+xml", "application/xml", "text/xml"])
def test_a_chart_styles_each_of_its_elements(inspection: Inspection, media_type: str) -> None:
    """Plots of matplotlib begin like this."""
    chart = (
        '<?xml version="1.0" encoding="utf-8" standalone="no"?>\n'
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72" version="1.1">\n'
        ' <defs>\n  <style type="text/css">*{stroke-linecap:butt;stroke-linejoin:round;}</style>\n'
        ' </defs>\n <path d="M 0 72 L 72 72 z" style="fill:none;opacity:0;"/>\n</svg>\n'
    )
    assert not inspection.body(chart.encode(), content_type=media_type)
    attack = chart.replace("*{stroke-linecap:butt;", "*{T(java.lang.Runtime).getRuntime()}")
    # A picture is no template.
    if media_type != "image/svg+xml":
        assert inspection.body(attack.encode(), content_type=media_type)
