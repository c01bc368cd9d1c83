"""Sentences, notes and questions that name pieces of programs pass: what they name does nothing."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from guard_wsgi.detection import Inspection
from tests.detection.requests import environ

FORM = "application/x-www-form-urlencoded"


def is_refused(inspection: Inspection, text: str) -> bool:
    """Whether a text is refused as a comment, a title, a JSON field or a search."""
    quoted = quote(text, safe="")
    return bool(
        inspection.head(environ(query=f"page=2&q={quoted}"))
        or inspection.body(f"id=5&comment={quoted}".encode(), content_type=FORM)
        or inspection.body(f"id=5&title={quoted}".encode(), content_type=FORM)
        or inspection.body(json.dumps({"body": text}).encode(), content_type="application/json")
    )


@pytest.mark.parametrize(
    "text",
    [
        # A template that has no end.
        "what's <%# vs <%= in erb?",
        "the page shows {{ and nothing else",
        "does a label end with %} or with }} here",
        # A name that is no step of a path.
        "__proto__ vs prototype",
        "why is __proto__ slow",
        # An alias that no shell makes.
        "PS1='\\u@\\h:\\w\\$ ' in ~/.bashrc, and alias ll='ls -la'",
        "my ~/.zshrc has alias gs='git status' in it",
        # A line of a protocol, by itself.
        "GET /api/v1/users?page=2&per_page=50 HTTP/1.1",
        "Set-Cookie: theme=dark; Path=/; HttpOnly; SameSite=Lax",
        # Quotes that are closed where a word follows.
        "yes/no; true or false; 'a' or 'b'? I'd say 'b'",
        "Either 'yes' or 'later', and then we'll see",
        "the test waits for //button[contains(text(),'Buy') and not(@disabled)] and fails",
        # What runs nothing in the middle of a page.
        'href="javascript:void(0)" vs href="#"',
        "<svg onload> event",
        'try {{name}} in the mail merge, then Dear {{first_name|default:"customer"}}',
        '{% extends "base.html" %} must be the first tag of a template',
        "export no_proxy=localhost,127.0.0.1,169.254.169.254 and try again",
        "We've moved it, see [#123](../../issues/123) for the reason",
        # A share, and what shows a place without a secret.
        "\\\\fs01\\projects\\2024\\report.docx",
        "cat /proc/cpuinfo",
        "ls -la /etc/nginx/sites-enabled",
        "db.users.find({ age: { $gt: 18 } }).sort({ name: 1 }).limit(5)",
    ],
)
def test_a_short_text_passes(inspection: Inspection, text: str) -> None:
    assert not is_refused(inspection, text)


@pytest.mark.parametrize(
    "code",
    [
        "import os\n\ndef run():\n    os.system('ls -la')\n\nrun()",
        "import subprocess\nsubprocess.run(['ls', '-la'])",
    ],
)
@pytest.mark.parametrize(
    "frame",
    [
        "Use it like this:\n\n```python\n%s\n```\n\nand tell me what is printed.",
        "```python\n%s\n```",
        "My script looks like that:\n\n```\n%s\n```",
    ],
)
def test_a_question_with_a_block_of_code_passes(
    inspection: Inspection, frame: str, code: str
) -> None:
    assert not is_refused(inspection, frame.replace("%s", code))


@pytest.mark.parametrize(
    "text",
    [
        "what is <%= system('id') %> here",
        "; alias ls='rm -rf /'",
        "a.__proto__.isAdmin",
        "x\r\nSet-Cookie: admin=1",
        "x' or 'a'='a",
        "{{name}} and {{config.items()}}",
        '{% include "../../etc/passwd" %}{{ self.__init__ }}',
        'href="javascript:alert(1)" vs href="#"',
        "<svg onload=alert(1)> event",
        "cat /etc/passwd",
        "http://169.254.169.254/latest/meta-data/",
        "see (../../../../etc/passwd)",
        "document.cookie='session=1'",
    ],
)
def test_what_does_something_is_refused(inspection: Inspection, text: str) -> None:
    assert is_refused(inspection, text)
