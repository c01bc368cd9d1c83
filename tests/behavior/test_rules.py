"""The fields of a behaviour rule."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.behavior.response_pattern import BodyPatterns, parse_pattern
from guard_wsgi.behavior.rule import BehaviorRule, BehaviorRuleConfig
from guard_wsgi.errors import ConfigError
from guard_wsgi.patterns import hyperscan_scanner


def test_a_rule_is_written_as_in_the_existing_system() -> None:
    rule = BehaviorRule("return_pattern", 5, 600, "status:404", "ban", None, 60, True)
    assert (rule.window, rule.pattern, rule.action) == (600, "status:404", "ban")
    assert (rule.ban_duration, rule.correlate_with_detection) == (60, True)
    assert BehaviorRule("usage", 10).window == 3600
    assert BehaviorRule("usage", 10).action == "log"


def test_every_fault_of_a_rule_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        BehaviorRule("usages", 0, -1, None, "drop", "not callable", 0)  # type: ignore[arg-type]
    text = str(caught.value)
    for name in ("rule_type", "threshold", "window", "action", "custom_action", "ban_duration"):
        assert name in text


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (None, "needs a pattern"),
        ("", "needs a pattern"),
        ("status:999", "not a status"),
        ("status:", "not a status"),
        ("status:40x", "not a status"),
        ("json:a.b", "json:path.to.key==value"),
        ("json:==x", "json:path.to.key==value"),
        ("json:a..b==x", "json:path.to.key==value"),
        ("regex:", "every response"),
        ("regex:[", "unterminated"),
        ("regex:(a)\\1", "linear"),
        ("regex:a*", "every response"),
        ("regex:a\0b", "NUL"),
    ],
)
def test_a_pattern_that_says_nothing_is_refused(pattern: str | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BehaviorRule("return_pattern", 1, pattern=pattern)


def test_a_rule_on_requests_takes_no_pattern() -> None:
    with pytest.raises(ConfigError, match="takes none; only return_pattern does"):
        BehaviorRule("usage", 1, pattern="status:404")


def test_a_rule_of_a_configuration_is_checked_and_becomes_a_rule() -> None:
    config = BehaviorRuleConfig(rule_type="return_pattern", threshold=3, pattern="status:401,403")
    assert config.to_rule() == BehaviorRule("return_pattern", 3, pattern="status:401,403")
    with pytest.raises(ConfigError, match="threshold"):
        BehaviorRuleConfig(rule_type="usage", threshold=0)


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("status:404", {404}, {403, 200}),
        ("status:401,403", {401, 403}, {404}),
        ("status:4xx", {400, 404, 499}, {399, 500}),
        ("status:5XX, 404", {500, 599, 404}, {403}),
    ],
)
def test_statuses_are_single_listed_or_of_a_class(
    pattern: str, matching: set[int], other: set[int]
) -> None:
    statuses = parse_pattern(pattern).statuses
    assert matching <= statuses
    assert not statuses & other


@pytest.mark.parametrize(
    ("pattern", "body", "found"),
    [
        ("invalid password", b"<p>Invalid Password</p>", True),
        ("invalid password", b"<p>welcome</p>", False),
        ("a.b", b"axb", False),
        ("mot de passe erron\u00e9", "Mot de passe ERRON\u00c9".encode(), True),
        ("erron\u00e9", b"\xff\xfe erron\xc3\xa9 \xff", True),
        ("regex:win(ner|s)", b"You are a WINNER", True),
        ("regex:^\\d+$", b"12 monkeys", False),
        ("json:result.status==FAILED", b'{"result": {"status": "failed"}}', True),
        ("json:result.status==failed", b'{"result": {"status": "failed again"}}', False),
        ("json:ok==false", b'{"ok": false}', True),
        ("json:user==null", b'{"user": null}', True),
        ("json:code==17", b'{"code": 17}', True),
        ("json:items[].kind==gold", b'{"items": [{"kind": "tin"}, {"kind": "Gold"}]}', True),
        ("json:items[].kind==gold", b'{"items": {"kind": "gold"}}', False),
        ("json:tags[]==rare", b'{"tags": ["common", "rare"]}', True),
        ("json:[].id==7", b'[{"id": 6}, {"id": 7}]', True),
        ("json:a.b==x", b'{"a": "b"}', False),
        ("json:a==x", b'{"a": {"x": 1}}', False),
        ("json:a==x", b"not json at all", False),
    ],
)
def test_a_body_pattern_finds_what_it_says(pattern: str, body: bytes, found: bool) -> None:
    patterns = BodyPatterns([parse_pattern(pattern)])
    assert patterns.matches(body, is_json=True, is_complete=True) == ([0] if found else [])


def test_json_patterns_look_at_complete_json_only() -> None:
    patterns = BodyPatterns([parse_pattern("json:a==1")])
    assert patterns.matches(b'{"a": 1}', is_json=False, is_complete=True) == []
    assert patterns.matches(b'{"a": 1}', is_json=True, is_complete=False) == []
    assert patterns.matches(b"[" * 200_000, is_json=True, is_complete=True) == []


def test_many_patterns_are_distinguished() -> None:
    texts = ["alpha", "regex:be+ta", "json:k==v", "gamma"]
    patterns = BodyPatterns([parse_pattern(text) for text in texts])
    found = patterns.matches(b'{"k": "v", "x": "gamma beeta"}', is_json=True, is_complete=True)
    assert sorted(found) == [1, 2, 3]


@given(text=st.text(min_size=1, max_size=30), body=st.text(max_size=60))
def test_a_text_is_found_where_it_stands(text: str, body: str) -> None:
    if text.partition(":")[0] in ("status", "json", "regex"):
        return
    patterns = BodyPatterns([parse_pattern(text)])
    whole = (body + text + body).encode()
    assert patterns.matches(whole, is_json=False, is_complete=True) == [0]


@pytest.fixture
def without_hyperscan(monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setattr(hyperscan_scanner, "hyperscan", None)


@pytest.mark.usefixtures("without_hyperscan")
@pytest.mark.parametrize(
    ("pattern", "body", "found"),
    [
        ("regex:win(ner|s)", b"You are a WINNER", [0]),
        ("Invalid (password)", b"invalid (PASSWORD)", [0]),
        ("invalid", b"welcome", []),
    ],
)
def test_without_hyperscan_the_same_is_found(pattern: str, body: bytes, found: list[int]) -> None:
    patterns: Any = BodyPatterns([parse_pattern(pattern)])
    assert patterns.matches(body, is_json=False, is_complete=True) == found
