"""Attacks on engines that an app hands its values to: loggers, templates, formats, TeX, files."""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.detection.differential import FRAMEWORKS, gates, receives
from tests.detection.places.sent import FORM, JSON, Sent, json_of

GATES = gates()
# fmt: off
KINDS = {
    "lookup of Log4j": ["${base64Decoder:SGVsbG8=}", "${urlDecoder:x}", "${kubernetes:podName}", "${localhost:name}", "${resourceBundle:a:b}", "${xml:a.xml:/b}", "${properties:a.properties::b}"],
    "lookup in pieces": ["${j${k8s:k5:-ND}i:dns://x}", "${x:${y:-j}ndi}", "${jn${z:-d}i:ldap://x}", "${j${a:b:-n}${c:-d}i:x}"],
    "statement that calculates": ["{%set x=7*7%}{{x}}", "{% set x = 7*7 %}{{ x }}", "{%with x=7*7%}{{x}}{%endwith%}", "{%if 7*7==49%}y{%endif%}", "{%set x='a'*9%}{{x}}", "{%set x=7-1%}{{x}}", "{%set x=7~7%}{{x}}", "{%-set x=(7*7)-%}{{x}}", "{%for x in range(9)%}{{x}}{%endfor%}"],
    "format string that reads a secret": ["{self.app.secret_key}", "{config[SECRET_KEY]}", "{settings.SECRET_KEY}", "{0.secret_key}", "Hi {user.app.secret_key}!", "{app.config[SECRET_KEY]}", "{a.b.secret_key!r}", "{config[SQLALCHEMY_DATABASE_URI]}", "{config[MAIL_PASSWORD]:>9}"],
    "program of TeX": ["\\immediate\\write18{id}", "\\write18{id}", "\\input{|id}", "\\ShellEscape{id}", "\\special{psfile=`id}", "\\csname input\\endcsname{x}", "\\directlua{x()}"],
    "file of TeX": ["\\lstinputlisting{/etc/passwd}", "\\usepackage{verbatim}\\verbatiminput{/etc/passwd}", "\\immediate\\openout3=x.php", "\\pdffiledump offset 0 length 9 {/etc/passwd}"],
}
HARMLESS = {
    "q": ["\\frac{a}{b}", "\\input{chapters/intro}", "\\lstinputlisting[language=Python]{src/main.py}", "\\includegraphics{/home/me/a.png}", "what does \\write18 do in latex", "flask app.secret_key not working",
          "{0} of {1}", "{name} <{email}>", "{user.name}: {user.email}", "{levelname} {asctime} {module} {process:d}"],
    "text": ["In LaTeX, \\immediate\\write18 runs a program.", "\\newcommand{\\R}{\\mathbb{R}} The map $f\\colon \\R \\to \\R$ is \\emph{smooth}, see \\ref{a}.", "\\newwrite\\out \\immediate\\openout\\out=\\jobname.aux",
             "${FOO:-${BAR:-x}}", "${REGISTRY:-docker.io}/${IMAGE:-app}:${TAG:-latest}", "${spring.datasource.url}", "${properties:key}", "${var.secret_key}", "Set SECRET_KEY in settings.py."],
    "template": ["Hello {customer.first_name}, your order {order[number]} is ready", "{config[title]}", "{config[name]!r:>10}", "{% set total = price * 2 %}{{ total }}", "{% for i in range(3) %}<li>{{ i }}</li>{% endfor %}"],
    "code": ["{% set x = 7 %}\n{{ x }}", "{%- set cols = ['a','b'] -%}\nselect {% for c in cols %}{{ c }}{% endfor %} from t", "{% for i in range(10) %}\nselect {{ i }}\n{% endfor %}"],
    "file": ["docs/../img/a.png", "src/../app.py", "a/b.py", "static/../x.css"],
}
# fmt: on


def _sent(place: str, name: str, text: str) -> Sent:
    pair = f"{name}={quote(text, safe='')}"
    if place == "query":
        return Sent("head", query="page=2&" + pair)
    if place == "form":
        return Sent("form", f"lang=en&{pair}".encode(), FORM)
    return Sent("json", json_of({"id": 17, name: text}), JSON)


PLACES = ("query", "form", "JSON")


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_payload_of_the_kind_is_refused(kind: str, framework: str) -> None:
    for text in KINDS[kind]:
        for place in PLACES:
            sent = _sent(place, "q", text)
            assert receives(framework, sent, text), (place, text)
            assert GATES[framework](sent), (place, text)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", HARMLESS)
def test_what_only_looks_like_one_passes(name: str, framework: str) -> None:
    refused = [
        (place, text)
        for text in HARMLESS[name]
        for place in PLACES
        if GATES[framework](_sent(place, name, text))
    ]
    assert refused == []


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", ["file", "path", "filename", "template", "page"])
def test_a_way_out_of_a_folder_to_a_program_is_refused(name: str, framework: str) -> None:
    for text in ("static/../../app.py", "img/../../../conf/settings.ini", "../app.py"):
        for place in ("query", "form"):
            assert GATES[framework](_sent(place, name, text)), (place, text)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_request_of_werkzeugs_debugger_is_refused(framework: str) -> None:
    for query in (
        "__debugger__=yes&cmd=1%2B1&frm=0&s=x",
        "__debugger__=yes&cmd=pinauth&pin=123-456-789&s=x",
        "page=2&__debugger__=yes&cmd=printpin&s=x",
        "%5F%5Fdebugger%5F%5F=yes&cmd=dump&frm=1&s=x",
    ):
        assert GATES[framework](Sent("head", query=query)), query
    assert not GATES[framework](Sent("head", query="debugger=yes&cmd=resource&f=style.css"))
