"""Buttons and fields of a page are read in one way: a browser's handler in each attribute does not
multiply the ways."""

from __future__ import annotations

import subprocess
import sys

import pytest

SEARCH = """
import sys
from guard_wsgi.detection.relaxations.fragments import without_fragments
without_fragments(sys.stdin.read())
"""


@pytest.mark.parametrize(
    ("start", "repeated", "end"),
    [
        ("<label", ' onmouseover="return false "', "a' or 'b"),
        (
            '<select href="javascript:return false "',
            ' target="" onfocus="" tabindex=""',
            "{{7*7}}{{config}}",
        ),
        ('<label name=".-_ ." href="javascript:return false; "', ' onclick="; "', ""),
        ('<button onclick="', ' onmouseover="this.event.stoppropagation();"', ""),
        ("<input", ' name="a a a"', "x"),
    ],
)
def test_many_attributes_are_read_at_once(start: str, repeated: str, end: str) -> None:
    # In a process of its own: an expression that does not end can't be interrupted.
    text = start + repeated * 300 + end
    subprocess.run([sys.executable, "-c", SEARCH], input=text, text=True, check=True, timeout=60)
