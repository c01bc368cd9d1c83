"""Multipart bodies that are all delimiters cost what as many parts may cost, and no more."""

from __future__ import annotations

import sys
from io import BytesIO
from types import FrameType

import pytest

from guard_wsgi.detection.message import multipart
from guard_wsgi.detection.message.skimmer import Skimmer
from tests.core.visiting import INJECTION, Site
from tests.detection.pump import seconds

MULTIPART = "multipart/form-data; boundary=B"
FIELD = b'--B\r\nContent-Disposition: form-data; name="q"\r\n\r\n%b\r\n'
VALUES = 1000


MOST_CALLS_SKIPPED = 3
"""Calls of the interpreter for a part that is skipped. One that is read takes some twenty."""


def code_and_calls(body: bytes) -> tuple[int, int]:
    """Return the answer, and the number of calls of the interpreter."""
    site = Site(enable_ip_banning=False, detection_max_scan_values=VALUES)
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    environ = {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    site.visit(method="POST", query_string=f"q={INJECTION}")  # patterns are loaded
    sys.setprofile(count)
    try:
        answer = site.visit(method="POST", content_type=MULTIPART, server=environ)
    finally:
        sys.setprofile(None)
    return answer.code, calls


@pytest.mark.parametrize(
    "atom",
    [b"--B\r\n", b"--B", b"\r\n--B\r\n\r\n", b"--B\n", FIELD % b"tea", FIELD % b"--B\r\n"],
)
def test_more_parts_than_values_are_refused_at_the_price_of_the_values(atom: bytes) -> None:
    ended = b"\r\n--B--\r\n"
    code, calls = code_and_calls(atom * 5 * VALUES + ended)
    assert code == 400
    _, twice = code_and_calls(atom * 10 * VALUES + ended)
    # If there are more parts, more are split off and skipped.
    assert twice - calls <= MOST_CALLS_SKIPPED * 5 * VALUES, (calls, twice)


def test_an_attack_behind_many_parts_is_not_passed_over() -> None:
    parts = b"".join(FIELD % b"tea%d" % n for n in range(20 * VALUES))
    body = parts + FIELD % INJECTION.encode() + b"--B--\r\n"
    assert len(body) > 300_000  # skimmed
    assert code_and_calls(body)[0] == 400


def test_skimming_looks_for_the_end_of_a_head_only_as_far_as_the_next_delimiter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def skim(text: str) -> None:
        skimmer = Skimmer(b"B", 10**9, 10**9)
        skimmer.see(text.encode())
        skimmer.finish()

    found = []
    for most in (512, 16_384):
        monkeypatch.setattr(multipart, "MAX_HEAD_BYTES", most)
        found.append(min(seconds(skim, "--B\r\n" * 20_000) for _ in range(3)))
    assert found[1] < found[0] * 4
