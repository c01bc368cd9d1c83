"""What is called idle is idle: the languages themselves refuse it, or read it as a plain text."""

from __future__ import annotations

import ast
import sqlite3
import warnings

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from guard_wsgi.detection import Inspection
from guard_wsgi.detection.relaxations.breakout import (
    is_no_code,
    is_no_sql,
    leading,
    leaves_quotes_in_code,
    leaves_quotes_in_sql,
)
from guard_wsgi.detection.relaxations.idle_evidence import MAX_IDLE_CHARS, idle_in
from tests.detection.requests import findings_in

WORDS = (
    *("please", "users", "team", "report", "hello", "help", "me", "id", "name", "it", "t", "the"),
    *("our", "and", "or", "not", "in", "of", "to", "1", "2", "we", "my", "on", "as", "by", "all"),
    *("from", "where", "select", "limit", "case", "end", "null", "x", "n", "b", "date", "int"),
    *("that", "if", "else", "for", "with", "print", "return", "lambda", "import", "union", "pw"),
)
PIECES = (
    *("'", "''", '"', '""', "`", "--", ";", "/*", "*/", "(", ")", ",", ".", "=", "<", ">", "||"),
    *("+", "-", "*", "1=1", "'a'='a'", "union select", "select pw from t", "x()", "#", ":", "!"),
    *("?", "\\", "\n", "%", "[", "]", "glob", "collate", "desc", "{", "}", "@", "$", "::", "&"),
    *("'s", "n't", "'t", "'ll"),
)
PLACES = (
    *("select * from t where id = %s", "select * from t where id in (%s)", "select %s from t"),
    *("select * from t order by %s", "select * from %s", "select %s", "select count(%s) from t"),
    *("select * from t limit %s", "select * from t where (id = %s)", "select * from t join %s"),
    *("select * from t where id = %s and name = 'x'", "insert into t values (%s)"),
)


@st.composite
def sentences(draw: st.DrawFn, plain: int = 0) -> str:
    """Words in a row, then whatever follows them.

    :param plain: how many of the words at the beginning are those of no language.
    """
    first = st.lists(st.sampled_from(WORDS[:8]), min_size=plain, max_size=plain)
    row = [*draw(first), *draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4))]
    text = " ".join(row)
    rest = st.tuples(st.sampled_from(("", " ")), st.sampled_from((*PIECES, *WORDS)))
    return text + "".join(blank + piece for blank, piece in draw(st.lists(rest, max_size=7)))


@pytest.fixture(scope="module")
def database() -> sqlite3.Connection:
    made = sqlite3.connect(":memory:")
    made.execute("create table t (id, name, pw)")
    for name in ("please", "users", "team", "report", "hello"):
        made.execute(f"create table {name} (id, name, please, report)")
    return made


@settings(max_examples=100, deadline=None)
@given(text=sentences(plain=2))
def test_no_database_reads_a_sentence_without_quotes(
    database: sqlite3.Connection, text: str
) -> None:
    assume(is_no_sql(leading(text)))
    for place in PLACES:
        with pytest.raises(sqlite3.Error, match=r"syntax|incomplete|unrecognized|JOIN clause"):
            database.execute(place.replace("%s", text))


@settings(max_examples=100, deadline=None)
@given(text=sentences())
def test_a_text_that_leaves_no_quotes_stays_one_text_in_a_database(
    database: sqlite3.Connection, text: str
) -> None:
    assume(not leaves_quotes_in_sql(text))
    fault = ""
    row = (text.replace("''", "'"),)
    try:
        row = database.execute(f"select '{text}'").fetchone()
    except sqlite3.Error as error:
        fault = str(error)
    assert "one statement" not in fault
    assert row == (text.replace("''", "'"),)


@settings(max_examples=100, deadline=None)
@given(text=sentences(plain=1), place=st.sampled_from(("%s", "x = %s", "f(%s)", "lambda: %s")))
def test_python_does_not_read_a_sentence(text: str, place: str) -> None:
    assume(is_no_code(leading(text)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(SyntaxError):
            ast.parse(place.replace("%s", text))


@settings(max_examples=100, deadline=None)
@given(text=sentences(), quote=st.sampled_from(("'", '"')))
def test_a_text_that_leaves_no_quotes_stays_one_text_in_python(text: str, quote: str) -> None:
    assume(not leaves_quotes_in_code(text))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = ast.parse(f"x = {quote}{text}{quote}")
    except SyntaxError:
        return
    names = {type(node).__name__ for node in ast.walk(read)}
    assert names <= {"Module", "Assign", "Name", "Store", "Constant"}


FRAMES = (
    "We tried `npm start` and then it fails with %s",
    "```sh\nnpm start\n```\nand then %s",
    "I'd like to know what it does: %s",
    "Use it like this: `%s` and tell me.",
)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize(
    "payload",
    [
        "x' or 1=1 -- ",
        "x' union select password from users -- ",
        "x'; exec xp_cmdshell 'dir'; --",
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{ ''.__class__.__mro__ }}",
        "{% import os %}{{ os.system('id') }}",
        "<%= system('id') %>",
        "${T(java.lang.Runtime).getRuntime().exec('id')}",
        "; cat /etc/passwd",
        "; alias ls='rm -rf /'",
        "a.__proto__.isAdmin = true",
        "<?php system($_GET['c']); ?>",
        "x'; __import__('os').system('id') #",
        "\r\nGET /admin HTTP/1.1",
        "\r\nSet-Cookie: admin=1",
    ],
)
def test_a_payload_that_works_is_refused_in_a_sentence(
    inspection: Inspection, frame: str, payload: str
) -> None:
    assert findings_in(inspection, "query", frame.replace("%s", payload))


@pytest.mark.parametrize(
    "text",
    [
        "x' or 1=1 -- ",
        "he said ''so'' to x' or 1=1 -- ",
        "a \\' or 1=1 -- ",
        "# a comment of MySQL\n1 or 1=1",
        "please or 1=1",
        "users u where 1=1 or sleep(5)",
        "int '1' or 1=1",
        "I'll name x', (select pw from users) -- ",
        "x y, (select password from users)",
    ],
)
def test_sql_is_not_idle_where_it_may_act(text: str) -> None:
    assert "sql.sleep" not in idle_in((text + " `a b`",))


@pytest.mark.parametrize(
    "text",
    ["print this; eval('1')", "name\ntop\neval('1')", "x') ; eval('1')", "please see ${eval('1')}"],
)
def test_code_is_not_idle_where_it_may_act(text: str) -> None:
    assert "code.eval_call" not in idle_in((text + " `a b`",))


@pytest.mark.parametrize(
    "piece", ["{{", "```", "\\'", "''", "\n", "<%", "don't ", "a' ", "(", "${"]
)
def test_the_cost_of_finding_out_grows_with_the_length_alone(piece: str) -> None:
    text = "please help " + piece * (MAX_IDLE_CHARS // len(piece))
    assert isinstance(idle_in((text,)), frozenset)


def test_one_reading_that_acts_is_enough() -> None:
    harmless, acts = "please close the {{ tag", "please close the {{ tag }}"
    assert "code.double_brace" in idle_in((harmless,))
    assert "code.double_brace" not in idle_in((harmless, acts))
