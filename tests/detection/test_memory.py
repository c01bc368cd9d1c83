"""A harmless value is not weighed again, and no other value passes in its place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard_wsgi.detection import Detector
from guard_wsgi.detection.memory import MAX_BYTES, MAX_REMEMBERED, Memory
from tests.detection.requests import PLACES, environ, findings_in

TEXTS = (
    "a plain text",
    "it's 5 o'clock, isn't it? -- yes",
    "see http://localhost:3000 and `npm install`",
    "1' OR '1'='1",
    "<script>alert(1)</script>",
    "a$@b",
    "curl/8.5.0",
    "; cat /etc/passwd",
)


@given(st.lists(st.tuples(st.sampled_from(TEXTS), st.sampled_from(PLACES)), max_size=12))
@settings(max_examples=60, deadline=None)
def test_what_was_seen_before_changes_no_verdict(requests: list[tuple[str, str]]) -> None:
    detector = Detector()
    used = detector.compile()
    for text, place in requests:
        fresh = detector.compile()
        assert findings_in(used, place, text) == findings_in(fresh, place, text)


def test_a_text_that_passed_as_a_password_is_weighed_in_other_fields() -> None:
    inspection = Detector().compile()
    kind = "application/x-www-form-urlencoded"
    text = "x'%2B'%2Bpassword%2B'"
    assert not inspection.body(b"password=" + text.encode(), content_type=kind)
    again = inspection.body(b"comment=" + text.encode(), content_type=kind)
    assert again == Detector().compile().body(b"comment=" + text.encode(), content_type=kind)


def test_a_text_that_passed_in_one_header_is_weighed_in_another() -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64) () { :; } curl/8 | sh"
    used, fresh = Detector().compile(), Detector().compile()
    used.head(environ(HTTP_USER_AGENT=agent))
    assert used.head(environ(HTTP_X_SEARCH=agent)) == fresh.head(environ(HTTP_X_SEARCH=agent))


def test_a_weighed_host_stays_harmless_while_visits_with_and_without_a_referer_alternate() -> None:
    inspection = Detector().compile()
    probe = environ(HTTP_HOST="127.0.0.1:8000")
    visit = environ(HTTP_HOST="127.0.0.1:8000", HTTP_REFERER="http://127.0.0.1:8000/items")
    assert inspection.first_pass(dict(probe)) is not None  # a new host of this kind is weighed once
    for request in (probe, visit, probe, visit):
        assert not inspection.head(dict(request))
    assert inspection.first_pass(dict(probe)) is None


def test_memory_is_bounded_and_forgets_the_oldest() -> None:
    memory = Memory()
    first = memory.digest(b"first")
    memory.add(first)
    assert first in memory
    for number in range(2 * MAX_REMEMBERED):
        memory.add(memory.digest(b"%d" % number))
    assert first not in memory
    assert memory.digest(b"%d" % (2 * MAX_REMEMBERED - 1)) in memory
    assert memory.digest(b"x" * (MAX_BYTES + 1)) is None
    memory.add(None)
    assert None not in memory


@pytest.mark.parametrize(
    ("one", "other"),
    [(("a", "b"), ("ab", "")), (("a", ""), ("", "a")), (("1:a",), ("a",))],
)
def test_texts_of_a_digest_do_not_run_together(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    memory = Memory()
    assert memory.digest(b"data", *one) != memory.digest(b"data", *other)
    assert memory.digest(b"data", *one) != Memory().digest(b"data", *one)
