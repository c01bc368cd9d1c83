"""A pattern of the package that Hyperscan refuses is reported once, as an error, and detection
continues without it."""

from __future__ import annotations

import logging
from pathlib import Path
from time import monotonic, sleep

import pytest
from attrs import evolve

from guard_wsgi.detection import Detector
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.scanning import families, pending_scanner
from guard_wsgi.detection.scanning.families import BuiltinScanners
from guard_wsgi.detection.scanning.pending_scanner import kept_or_later
from guard_wsgi.detection.scanning.scanner import PatternRefused, ReScanner
from guard_wsgi.patterns.compiling import Compiler
from guard_wsgi.patterns.database import CACHE_DIR_VARIABLE

LOOK_AHEAD = r"(?=a)ab"


def test_a_pattern_that_is_refused_is_logged_once_and_re_serves_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(CACHE_DIR_VARIABLE, str(tmp_path))
    compiler = Compiler("guard_wsgi.no_such_module")
    monkeypatch.setattr(pending_scanner, "compiler", lambda: compiler)
    made = []

    def plain() -> ReScanner:
        made.append(ReScanner([("mine", LOOK_AHEAD)]))
        return made[-1]

    scanner = kept_or_later([LOOK_AHEAD], [0], ("caseless", "dotall"), plain)
    assert scanner.any(b"ab")
    deadline = monotonic() + 60
    while compiler.waiting and monotonic() < deadline:
        sleep(0.05)
    assert not compiler.waiting
    assert scanner.any(b"ab")
    assert scanner.scan(b"ab") == [0]
    assert len(made) == 1
    errors = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert LOOK_AHEAD in errors[0].getMessage()


def test_with_hyperscan_chosen_a_refused_indicator_is_an_error_at_construction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    family = (evolve(INDICATORS[0], name="sql.mine", pattern=LOOK_AHEAD),)
    monkeypatch.setattr(families, "families", lambda: [family])
    fresh = BuiltinScanners("hyperscan")
    monkeypatch.setattr("guard_wsgi.detection.detector.builtin_scanners", lambda engine: fresh)
    with pytest.raises(PatternRefused, match=r"sql\.mine"):
        Detector(engine="hyperscan")
