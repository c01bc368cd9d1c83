"""A request is read as apps read it, and where they differ in every way."""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)

from __future__ import annotations

import base64
import encodings
import gzip
import json
import zlib
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote_plus

import pytest

from guard_wsgi.detection import BUDGET, DetectionSettings, Detector, Finding, Inspection
from tests.detection.requests import environ

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=X"
SQLI = "1' UNION SELECT username, password FROM users--"
XSS = "<script>alert(document.cookie)</script>"


def part(head: str, content: bytes | str = SQLI, before: str = "--X\r\n") -> bytes:
    content = content.encode() if isinstance(content, str) else content
    return before.encode() + head.encode() + b"\r\n\r\n" + content + b"\r\n--X--\r\n"


def named(*parameters: str) -> str:
    return "; ".join(("Content-Disposition: form-data", *parameters))


def real(found: tuple[Finding, ...]) -> list[Finding]:
    """Findings that are attacks, not limits."""
    return [one for one in found if one.category != BUDGET]


@pytest.mark.parametrize(
    "head",
    [
        named('name="q"'),
        named('name="q"', 'filename=""'),
        named('name="q"', 'x="; filename=a.gif"'),
        named('name="q"', "filename*=utf-8''a.gif"),
        named('name="q"', "filename*0=a.gif"),
        named('name="q; filename=a.gif"'),
        named('name="q"', 'filename="a.gif') + '\r\nX: "',
        named('name="q"', r'filename="a\".gif"'),
        named('name="q"') + "\r\n" + named('name="q"', 'filename="a.gif"'),
        named('name="q"', 'filename="a.gif"') + "\r\n" + named('name="q"'),
        named('name="q"') + '\r\nX-Y: Content-Disposition: form-data; filename="a.gif"',
        named('name="q"') + ';\r\n filename="a.gif"',
        'content-disposition:form-data;name="q";\tfilename="a.gif"',
        "Content-Type: text/plain\r\n" + named("name=q"),
        named('name="q"') + "\r\nContent-Type: image/gif",
        'Content-Disposition: form-data; name="q"\nX: filename="a.gif"',
    ],
)
@pytest.mark.parametrize("start", ["", "GIF89a", "BM", "\x01" * 90])
def test_a_part_that_any_framework_takes_for_a_field_is_weighed(
    inspection: Inspection, head: str, start: str
) -> None:
    assert real(inspection.body(part(head, start + SQLI), content_type=MULTIPART)), head


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (MULTIPART, part(named('name="q"')).replace(b"\r\n", b"\n")),
        (MULTIPART, part(named('name="q"'), before="preamble\r\n--X\r\n")),
        (MULTIPART, part(named('name="a"'), "tea --X\r\n" + named('name="q"') + "\r\n\r\n" + SQLI)),
        (MULTIPART, b"--X--\r\n" + part(named('name="q"'))),
        (MULTIPART, part(named('name="a"'), "tea") + part(named('name="q"'))),
        (MULTIPART, part(named('name="f"', 'filename="a"'), "--X--\r\n" + part(named('name="q"')).decode())),
        ('multipart/form-data; boundary="X"', part(named('name="q"'))),
        ("multipart/form-data; boundary=Y; boundary=X", part(named('name="q"'))),
        ("multipart/form-data; boundary=X; boundary=Y", part(named('name="q"'))),
        ("multipart/form-data; xboundary=Y; boundary=X", part(named('name="q"'))),
        ("multipart/form-data; boundary*=utf-8''X", part(named('name="q"'))),
        ("multipart/form-data; boundary*0=X", part(named('name="q"'))),
        (MULTIPART, json.dumps({"q": SQLI}).encode()),
        ("multipart/form-data", b"q=" + SQLI.encode()),
        ("multipart/mixed; boundary=X", part(named('name="q"'))),
        (MULTIPART, part(named('name="q"') + "\r\nContent-Transfer-Encoding: base64", base64.b64encode(SQLI.encode()))),
        (MULTIPART, part(named('name="q"') + "\r\nContent-Transfer-Encoding: base64", base64.encodebytes(b"tea " * 40 + SQLI.encode()))),
        (MULTIPART, part(named('name="q"') + "\r\nContent-Type: text/plain; charset = cp037", SQLI.encode("cp037"))),
        (MULTIPART, part(named('name="q"') + "\r\nContent-Type: text/plain; charset=utf-16", SQLI.encode("utf-16"))),
        (MULTIPART, part(named('name="q"') + "\r\nContent-Type: text/plain; charset=cp037", XSS.encode("cp037"))),
    ],
)  # fmt: skip
def test_multipart_is_cut_in_every_way(
    inspection: Inspection, content_type: str, body: bytes
) -> None:
    assert real(inspection.body(body, content_type=content_type))


def test_an_exclusion_by_name_holds_only_if_everybody_reads_that_name() -> None:
    settings = DetectionSettings(excluded_body_fields=["text"])
    inspection = Detector().compile(settings)
    assert not inspection.body(part(named('name="text"')), content_type=MULTIPART)
    for odd in ("name*=utf-8''q", 'name="q"', "name*0=q"):
        body = part(named('name="text"', odd))
        assert real(inspection.body(body, content_type=MULTIPART)), odd


@pytest.mark.parametrize("kind", [FORM, JSON, "text/xml", "text/plain", MULTIPART])
@pytest.mark.parametrize(
    "coding", ["gzip", "deflate", "br", "gzip, gzip", "identity", "x-nonsense"]
)
def test_a_body_is_weighed_as_it_was_sent_whatever_its_coding(
    inspection: Inspection, kind: str, coding: str
) -> None:
    bodies = {
        FORM: b"q=" + SQLI.encode(),
        JSON: json.dumps({"q": SQLI}, indent=2).encode(),
        "text/xml": f"<a>{SQLI}</a>".encode(),
        "text/plain": SQLI.encode(),
        MULTIPART: part(named('name="q"')),
    }
    assert real(inspection.body(bodies[kind], content_type=kind, content_encoding=coding))


def test_a_body_is_weighed_as_it_unpacks(inspection: Inspection) -> None:
    body = json.dumps({"q": SQLI}).encode()
    raw = zlib.compressobj(wbits=-15)
    packed = (
        ("gzip", gzip.compress(body)),
        ("x-gzip", gzip.compress(body)),
        ("deflate", zlib.compress(body)),
        ("deflate", raw.compress(body) + raw.flush()),
        ("gzip, gzip", gzip.compress(gzip.compress(body))),
        ("gzip, identity", gzip.compress(body)),
        ("gzip", gzip.compress(b'{"q": "1') + gzip.compress(body[8:])),
        ("gzip", gzip.compress(body) + b"\0" * 100),
        ("GZIP", gzip.compress(body) + b"junk"),
    )
    for coding, data in packed:
        assert real(inspection.body(data, content_type=JSON, content_encoding=coding)), coding


@pytest.mark.parametrize(
    "charset", ["cp037", "utf-7", "utf_7", "u7", "utf-16", "utf-32-be", "cp500"]
)
def test_a_body_is_weighed_in_its_charset_and_in_the_usual_one(
    inspection: Inspection, charset: str
) -> None:
    for media, body in ((JSON, json.dumps({"q": SQLI})), (FORM, f"q={SQLI}"), ("text/plain", SQLI)):
        kind = f"{media}; charset={charset}"
        assert real(inspection.body(body.encode(), content_type=kind)), kind
    text = f"q={XSS}".encode(charset)
    assert real(inspection.body(text, content_type=f"text/plain; charset={charset}"))


@pytest.mark.parametrize(
    "coding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-8-sig"]
)
@pytest.mark.parametrize("kind", [JSON, "application/octet-stream", "", "image/png"])
def test_json_is_read_as_its_parser_reads_it(
    inspection: Inspection, coding: str, kind: str
) -> None:
    body = json.dumps({"q": SQLI}).encode(coding)
    assert json.loads(body) == {"q": SQLI}
    assert real(inspection.body(body, content_type=kind))


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x00"])
def test_a_mark_in_front_hides_nothing(inspection: Inspection, mark: bytes) -> None:
    assert real(inspection.body(mark + b"q=" + SQLI.encode(), content_type=FORM))
    assert real(inspection.body(mark + part(named('name="q"')), content_type=MULTIPART))
    assert real(inspection.body(mark + SQLI.encode(), content_type="text/plain"))


def test_odd_charsets_are_not_remembered(inspection: Inspection) -> None:
    inspection.body(b"q=" + SQLI.encode(), content_type=FORM + "; charset=utf-7")
    before = len(encodings._cache)  # type: ignore[attr-defined]
    for number in range(50):
        inspection.body(b"q=<script>", content_type=f"{FORM}; charset=x{number}")
    assert len(encodings._cache) == before  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", "text/csv", ""])
def test_a_field_or_document_under_the_type_of_a_file_is_weighed(
    inspection: Inspection, kind: str
) -> None:
    bodies = (
        json.dumps({"q": SQLI}).encode(),
        b"q=" + SQLI.encode() + b"\n",
        b"a=1&q=" + SQLI.encode().replace(b" ", b"+"),
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    )
    for body in bodies:
        assert real(inspection.body(body, content_type=kind)), body


@pytest.mark.parametrize(
    "text",
    [
        "{a{1' UNION SELECT username, password FROM users--",
        "query{1' UNION SELECT username, password FROM users--}",
        "query{a}1' UNION SELECT username, password FROM users--",
        f"mutation{{a(b:1)}}{XSS}",
        f"{{a(b: {XSS}",
        f"fragment a on b {XSS}",
        f"# {XSS}\nquery {{ a }}",
        f'query {{ a(b: "{SQLI}") }}',
        f'query {{ a(b: """{SQLI}""") }}',
    ],
)
def test_what_only_begins_as_a_query_of_graphql_is_weighed(
    inspection: Inspection, text: str
) -> None:
    for kind, body in ((JSON, json.dumps({"query": text})), ("application/graphql", text)):
        assert real(inspection.body(body.encode(), content_type=kind)), kind


@pytest.mark.parametrize(
    "document",
    [
        f'<?xml version="1.0"?><a/><?xml >{SQLI}',
        f"<a>{SQLI[:9]}<!-- -->{SQLI[9:]}</a>",
        f"<a>{SQLI[:9]}<![CDATA[{SQLI[9:]}]]></a>",
        f"<a>{SQLI[:9]}<?x y?>{SQLI[9:]}</a>",
        f'<a\tb="{SQLI}"/>',
        f"<a><b c='tea' d\n=\"{SQLI}\"></b></a>",
        f"<a><!-- {SQLI} --></a>",
        "<a>&#x3c;script&#62;alert(document.cookie)&lt;/script&gt;</a>",
        f"<a>tea & {SQLI}</a>",
    ],
)
def test_xml_is_read_as_its_parser_reads_it(inspection: Inspection, document: str) -> None:
    assert real(inspection.body(document.encode(), content_type="text/xml"))


def token(claims: dict[str, Any]) -> str:
    def wrapped(part: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")

    return f"{wrapped({'alg': 'HS256'})}.{wrapped(claims)}.c2lnbmF0dXJl"


def test_what_is_wrapped_in_credentials_is_weighed(inspection: Inspection) -> None:
    basic = base64.b64encode(f"ada:{SQLI}".encode()).decode()
    user = base64.b64encode(f"{XSS}:x".encode()).decode()
    for value in (
        f"Basic {basic}",
        f"basic {user}",
        f"Bearer {token({'sub': SQLI})}",
        f'Digest username="{SQLI}", realm="a"',
        SQLI,
        f"Bearer {XSS}",
    ):
        assert real(inspection.head(environ(HTTP_AUTHORIZATION=value))), value
    good = base64.b64encode(b"ada:tea and scones").decode()
    for value in (f"Basic {good}", f"Bearer {token({'sub': 'ada', 'scope': 'read write'})}"):
        assert not inspection.head(environ(HTTP_AUTHORIZATION=value)), value


def test_what_is_wrapped_in_state_and_cookies_is_weighed(inspection: Inspection) -> None:
    state = base64.urlsafe_b64encode(json.dumps({"next": XSS}).encode()).decode()
    for wrapped in (state, state.rstrip("="), token({"name": SQLI})):
        assert real(inspection.head(environ(query=f"state={wrapped}")))
        assert real(inspection.head(environ(HTTP_COOKIE=f"session={wrapped}")))


def test_the_headers_of_webdav_pass_and_hide_nothing(inspection: Inspection) -> None:
    host = "http://shop.example.com"
    lock = "(<opaquelocktoken:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>) (Not <DAV:no-lock>)"
    for value in (lock, f"<{host}/a/b.php> {lock}", '(["3-abc"] ["W/x"])', '(Not ["e"])'):
        assert not inspection.head(environ(HTTP_IF=value)), value
    for name in ("a.txt", "select from list.txt"):
        value = f"{host}/files/{name.replace(' ', '%20')}"
        assert not inspection.head(environ(HTTP_DESTINATION=value)), value
    for value in (f"{host}/a/..%2f..%2f..%2fetc/passwd", f"{host}/{XSS}", SQLI):
        assert real(inspection.head(environ(HTTP_DESTINATION=value))), value
        assert real(inspection.head(environ(HTTP_IF=f"<{value}> (<DAV:x>)"))), value


@pytest.mark.parametrize("header", ["HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH"])
def test_an_entity_tag_is_one_or_is_weighed(inspection: Inspection, header: str) -> None:
    for value in ('"abc"', 'W/"5f3c-1a", "x"', "*", "5f3c-1a", ""):
        assert not inspection.head(environ(**{header: value}))
    for value in ("union select password from users", f'"{SQLI}"', f'"a", {XSS}'):
        assert real(inspection.head(environ(**{header: value}))), value


def test_what_can_not_be_read_is_reported_and_the_rest_is_read(inspection: Inspection) -> None:
    """A character reference of more digits than the interpreter converts."""
    many = "&#" + "9" * 5000 + ";<script>"
    cookie = f'a=<?xml version="1.0"?><a>{many}</a>; b={many}; q={SQLI}'
    assert real(inspection.head(environ(HTTP_COOKIE=cookie)))
    found = inspection.body(json.dumps([many, SQLI]).encode(), content_type=JSON)
    assert real(found)


@pytest.mark.parametrize(
    "mark",
    [
        *("\u200b", "\u00ad", "\u034f", "\u200d", "\u2060", "\ufeff", "\u180e", "\u202e", "\u3164"),
        *("\ufe0f", "\u061c", "\U000e0041"),
    ],
)
def test_what_shows_nothing_hides_nothing(inspection: Inspection, mark: str) -> None:
    """Between all letters, and between some."""
    for text in (mark.join(SQLI), mark.join(XSS), f"uni{mark}on sel{mark}ect password from users"):
        sent = "q=" + quote_plus(text)
        assert real(inspection.head(environ(query=sent))), text
        assert real(inspection.head(environ(path="/items/" + text)))
        assert real(inspection.body(sent.encode(), content_type=FORM))
        for ascii_only in (True, False):
            body = json.dumps({"id": 1, "q": text}, ensure_ascii=ascii_only).encode()
            assert real(inspection.body(body, content_type=JSON)), text


def test_scripts_that_need_joiners_and_emoji_pass(inspection: Inspection) -> None:
    for text in (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 and \u2764\ufe0f",
        "Donau\u00addampf\u00adschiff",
    ):
        assert not inspection.head(environ(query="q=" + quote_plus(text)))
        assert not inspection.body(json.dumps({"q": text}).encode(), content_type=JSON)


@pytest.mark.parametrize("charset", ["cp037", "ibm037", "cp500", "'cp1140'", "EBCDIC-CP-US"])
def test_a_query_is_read_in_the_charset_of_the_body(inspection: Inspection, charset: str) -> None:
    for text in (SQLI, XSS):
        query = f"q={text}".encode("cp037").decode("latin-1")
        sent = environ(query=query, CONTENT_TYPE=f"text/plain; charset={charset}")
        assert real(inspection.head(sent)), charset


def test_fields_are_read_in_the_charset_of_the_whole_body(inspection: Inspection) -> None:
    for charset in ("cp037", "utf-16", "utf-7"):
        for text in (SQLI, XSS):
            body = part(named('name="q"'), text.encode(charset))
            kind = f"{MULTIPART}; charset={charset}"
            assert real(inspection.body(body, content_type=kind)), charset


def test_xml_that_is_sent_as_text_is_put_together(inspection: Inspection) -> None:
    for between in ("<!-- x -->", "<?x y?>"):
        body = "<a>" + between.join(SQLI) + "</a>"
        assert real(inspection.body(body.encode(), content_type="text/plain")), between


def test_xml_is_read_on_behind_a_fault(inspection: Inspection) -> None:
    """Lenient parsers read it like this; an address is an attack only as a whole value."""
    for fault in (b"<i>\xed\xa0\x80</i>", b"<i>&none;</i>", b"</wrong>", b"<i a=b/>"):
        body = b"<a>" + fault + b"<i>http://169.254.169.254/latest/</i></a>"
        assert real(inspection.body(body, content_type="text/xml")), fault


@pytest.mark.parametrize(
    "attack",
    [
        "1' union select user,pw from users-- -",
        "1' or 1=1-- -",
        "; cat /etc/passwd",
        "{{config.items()}}",
        "<script>alert(1)</script>",
        "../../../../etc/passwd",
    ],
)
def test_a_quoted_cookie_is_read_without_its_backslashes(
    inspection: Inspection, attack: str
) -> None:
    """http.cookies and werkzeug read it like this: before any character, or before octal digits."""
    spellings = (
        "".join(f"\\{char}" for char in attack),
        "".join(f"\\{char}" if place % 3 else char for place, char in enumerate(attack)),
        "".join(f"\\{ord(char):03o}" for char in attack),
        attack.replace(" ", " \\"),
    )
    for spelling in spellings:
        cookie = SimpleCookie()
        cookie.load(f'a="{spelling}"')
        if cookie and cookie["a"].value == attack:
            assert inspection.head({"PATH_INFO": "/", "HTTP_COOKIE": f'x=1; a="{spelling}"'}), (
                spelling
            )


def test_a_quoted_cookie_with_backslashes_may_be_harmless(inspection: Inspection) -> None:
    for value in (r"a\054b\054c", r"caf\303\251", r"Don\"t", r"C:\\Users\\Ann", r"{\"a\": 1}"):
        assert not inspection.head({"PATH_INFO": "/", "HTTP_COOKIE": f'a="{value}"'}), value
