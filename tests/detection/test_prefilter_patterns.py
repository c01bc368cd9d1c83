"""The expanded patterns of the first pass match the same as their short forms."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard_wsgi.detection import Detector
from guard_wsgi.detection.scanning.prefilter import builtin_prefilter
from guard_wsgi.detection.scanning.prefilter_patterns import patterns

PREFILTER = builtin_prefilter("auto")

SHORT_FORMS = {
    "quote_symbol": r"['`][\s)]*[-+*/%^&|=<>!~#;,@({})\]'\"]",
    "separator": r"[;|`(](?:|  ?|\t|\n|['\"({])(?:cat|id|python3|uname|ssh)[ ;|&)]",
    "background": r"&[ \t\n\r](?:cat|ls|whoami|dig|phpinfo)[ ;|&)]",
    "condition_number": r"[ \t/=(,;&](?:or|and|xor|where) {0,3}\d[\d ()]{0,4}[=<>!,]",
    "condition_name": r"[\d'\")`][ \t](?:or|and|having) [a-z_]\w{0,8} ?[=<>!(]",
    "condition_name_first": r"[=(,;/&](?:or|and|where) [a-z_]\w{0,8}(?: like | between |=)",
    "condition_symbols": r" (?:or|and)(?: |  |\t)?[(!~@'\"-]{1,2}[a-z]{1,6} ?=",
    "batch_compares": r"[ =&]if(?: |  |\t)(?:\[%[a-z]%\]|\(x|\"%x%\"|!y!) ?(?:==|equ )",
    "batch_compares_names": r" if (?:not )?\w{1,6}(?:==[\w%!(]| (?:equ|neq|leq) )",
    "batch_file": r"=if(?: |\t|  )(?:not )?(?:exist|defined) ",
    "tag_event": r"<[a-z][a-z ]*[ \"'/]on[a-z]{3,30}\s*=",
    "quote_event": r"(?:['`]|[=\x0b][\s/])[\s/]*on[a-z]{3,30}\s*=",
    "number_logic": r"=\(?-?\d+(?: |[\t\n]| \n|\t )?(?:or|and|xor|union|having|rlike|div)[ (]",
    "number_operator": r"=\(?-?\d+\)?['\"\s\\]*(?:\|\||&&|[*/^%]\s*[\d(])",
    "number_statement": r"=\(?-?\d+\)?['\"\s\\]*;\s*(?:drop|waitfor|select)[\s(/]",
    "remote": r"(?:https?|ftp):/{0,3}[\d[]",
    "bracket_path": r"/\w*\[[!a-z/-]|/\w*\?{2,3}\w*/|/\w*\*\w*/|\w''\w|\w\\?\"\\?\"\w|\w\^\w",
    "wildcard": r"/(?:e\?c|et\?|b\?n|\?sr|\?ib64)/",
    "filter": r"\)\s*\(\s*[|&!\w]|\(\s*[|&!]\s*\(|\*\s*\)\s*[()%&|]|=\*\w*[)(|]|\)\s*[&|!]\s*\(",
    "starred": r"[=\x0b(]\w{0,12}\*\)",
    "edge_separator": r"[=\x0b]['\"\s]*(?:;|\|\|?|&&|`|\$\(|\^)[\s('\"]*[a-z/.$(]",
    "short_command": r"[=\x0b]['\" \t\n\r]?(?:ls|cat|id|w|who|df)(?: [-/.~$*\w][\w/]*)?[\x0b&;|`]",
    "spaced_call": r"(?:file|exec|eval|concat|database)\s{2,16}\(|\$\w{1,32}\s{0,4}[\[{(#/]",
    "variable_blank": r"\$\s+\{",
    "batch_loop": r"%[a-z%]+\s+in\s*\(",
    "leading_field": r"[=&\x0b][\r\n]{1,2}[a-z]+-[a-z-]+\s*:",
    "mailbox": r"\n[a-z]{0,4}\d (?:fetch|select|list|login|uid|expunge|authenticate) ",
    "base64": r"(?:=|\x0b|/|>)(?:c2Vs|PHNj|dW5p|ZXhl)(?:ZWN0|cmlw|b24g){2,4}\x0b",
    "short_base64": r"(?:=|\x0b)(?:c2Vs|PHNj|b3Ig)(?:MT0x)?(?:YQ==|YWI=)&",
}


@pytest.mark.parametrize("kind", SHORT_FORMS)
def test_whatever_the_short_form_matches_is_looked_at_closely(kind: str) -> None:
    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(st.from_regex(re.compile(SHORT_FORMS[kind], re.ASCII), fullmatch=True))
    def matches(text: str) -> None:
        # Between letters that are part of nothing, as in the middle of a value.
        assert PREFILTER.matches(f"=xy\x0b{text}\x0bxy".encode("latin-1"))

    matches()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.from_regex(
        re.compile(r"[\w.]{1,24} (?:or|and|xor) \w{1,24} ?[<>=]", re.ASCII | re.IGNORECASE),
        fullmatch=True,
    )
)
def test_a_word_compared_behind_another_is_looked_at_closely_in_every_body(text: str) -> None:
    assert PREFILTER.matches(f"=xy&a={text}1".encode())
    assert PREFILTER.matches_json(f'{{"a": "{text}1"}}'.encode())


def test_both_engines_take_every_pattern_and_none_matches_nothing() -> None:
    for name, made in patterns().items():
        for pattern in made:
            compiled = re.compile(pattern.encode("latin-1"), re.IGNORECASE | re.DOTALL)
            assert not compiled.search(b"hello world"), name


@pytest.mark.parametrize(
    "text",
    [
        "theme=dark; _ga=GA1.2.3; consent=yes",
        "=kitchen & dining&page=2",
        "\x0bhttps://shop.example.com/catalogue?page=2&sort=price",
        "=12 St James's Square&city=London",
        "=see chapter 2/3, 10 % off, more or less",
        "=Tom & Jerry; whose are they?",
        "=tea and honey, or sugar (and milk), if nobody is in and where it is",
    ],
)
def test_harmless_text_beside_what_is_spelled_out_is_cleared(text: str) -> None:
    assert not PREFILTER.matches(text.encode() + b"\x0b")


@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n"])
def test_a_line_break_in_the_path_is_found(line_break: str) -> None:
    environ = {"PATH_INFO": f"/foo{line_break}bar", "QUERY_STRING": "", "REQUEST_METHOD": "GET"}
    inspection = Detector().compile()
    assert inspection.head(environ)
    assert not inspection.head({**environ, "PATH_INFO": "/foobar"})
