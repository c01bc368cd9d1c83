"""Hyperscan and `re` agree on every built-in pattern."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard_wsgi.detection import Detector, PatternRefused
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.indicators.indicator import DECISIVE
from guard_wsgi.detection.scanning.families import BuiltinScanners, builtin_scanners
from guard_wsgi.detection.scanning.prefilter import builtin_prefilter
from guard_wsgi.detection.scanning.scanner import compile_patterns
from guard_wsgi.patterns.hyperscan_scanner import has_hyperscan
from tests.detection.requests import PLACES, findings_in
from tests.detection.test_attacks import ALL
from tests.detection.test_customers import TEXTS

pytestmark = pytest.mark.skipif(not has_hyperscan(), reason="Hyperscan has no wheel here")

PIECES = [
    "'",
    '"',
    "`",
    "(",
    ")",
    ";",
    "--",
    "#",
    "/*",
    "*/",
    "<",
    ">",
    "=",
    "|",
    "&",
    "&&",
    "||",
    "$",
    "{",
    "}",
    "{{",
    "}}",
    "${",
    "../",
    "..\\",
    "%",
    "%27",
    "\\x27",
    "\\u0027",
    "&#39;",
    "\n",
    "\r\n",
    "\x00",
    "select",
    "union",
    "or",
    "and",
    "from",
    "where",
    "sleep(",
    "script",
    "img",
    "onerror=",
    "alert(",
    "document.cookie",
    "javascript:",
    "cat",
    "/etc/passwd",
    "id",
    "whoami",
    "/bin/sh",
    "curl",
    "wget",
    "php://",
    "file://",
    "http://127.0.0.1",
    "$where",
    "[$ne]",
    "<?php",
    "system(",
    "__class__",
    "jndi:",
    "<!ENTITY",
    "<!--#exec",
    "1=1",
    "'a'",
    "0x41",
    "@@version",
    "a",
    "b",
    "1",
    "2",
    ",",
    ".",
    ":",
    "/",
    "\\",
    "[",
    "]",
    "*",
    "+",
    "-",
    "!",
]
TEXT = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=14).map(
    " ".join
) | st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@cache
def scanners(engine: str) -> BuiltinScanners:
    return builtin_scanners("re" if engine == "re" else "hyperscan")


def names(engine: str, text: str) -> set[str]:
    return {one.name for one in scanners(engine).read(text.encode("utf-8", "surrogatepass"))}


@given(TEXT)
@settings(max_examples=150, deadline=None)
def test_the_same_indicators_on_any_text(text: str) -> None:
    assert names("hyperscan", text) == names("re", text)


@pytest.mark.parametrize("text", [*ALL, *TEXTS])
def test_the_same_indicators_on_known_texts(text: str) -> None:
    assert names("hyperscan", text) == names("re", text)


@given(TEXT)
@settings(max_examples=100, deadline=None)
def test_the_same_first_pass(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    assert builtin_prefilter("hyperscan").matches(data) == builtin_prefilter("re").matches(data)


@pytest.mark.parametrize("place", PLACES)
def test_the_same_findings_without_hyperscan(place: str) -> None:
    slow, fast = Detector(engine="re").compile(), Detector(engine="hyperscan").compile()
    for payload in (*ALL[::4], *TEXTS[::4]):
        assert findings_in(slow, place, payload) == findings_in(fast, place, payload)


def test_every_pattern_is_named_once_and_tells_its_source() -> None:
    assert len({one.name for one in INDICATORS}) == len(INDICATORS)
    assert all(one.source and 0 < one.prior <= DECISIVE for one in INDICATORS)


@pytest.mark.parametrize("pattern", [r"(?=a)b", r"(a)\1", r"(?<!x)y"])
def test_a_pattern_hyperscan_cannot_take_is_refused_with_the_reason(pattern: str) -> None:
    with pytest.raises(PatternRefused) as refused:
        compile_patterns([("fine", "abc"), ("mine", pattern)], "hyperscan")
    assert refused.value.name == "mine"
    assert refused.value.reason


@pytest.mark.parametrize("byte", range(256))
def test_both_engines_clear_the_same_bytes(byte: int) -> None:
    for data in (b"=x" + bytes([byte]) + b"x\x0b", b"=/" + bytes([byte, 0xAE, byte]) + b"/\x0b"):
        assert builtin_prefilter("hyperscan").matches(data) == builtin_prefilter("re").matches(data)
