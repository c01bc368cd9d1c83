"""guard-wsgi options: the reference, read from the sections of the configuration."""

from __future__ import annotations

import pytest

from guard_wsgi.cli.reference import read_options
from guard_wsgi.cli.tree import main
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.options.resolving import options_of


def test_every_option_is_in_a_section() -> None:
    told = list(read_options())
    assert [option.name for option in told] == [
        option.name for option in options_of(SecurityConfig)
    ]
    assert [option.name for option in told if not (option.reason or option.ignored)] == []
    sections = list(dict.fromkeys(option.section for option in told))
    assert [section.partition(".")[0] for section in sections] == [
        str(number) for number in range(1, 13)
    ]


def test_options_are_found_by_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["options", "trusted_proxies"]) == 0
    out = capsys.readouterr().out
    assert "1. The client and the proxies before it" in out
    assert "  trusted_proxies: tuple[str, ...] = []\n      Empty: the guard believes " in out
    assert "rate_limit_window" not in out
    assert main(["options", "redis_retries"]) == 0
    assert "Does nothing: a request makes one attempt only" in capsys.readouterr().out
    # The category that a log line names.
    assert main(["options", "ldap"]) == 0
    assert "  enabled_detection_categories: " in capsys.readouterr().out
    assert main(["options"]) == 0
    assert "auto_ban_window: int = 3600" in capsys.readouterr().out


def test_a_word_that_no_option_names_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["options", "teapot"]) == 1
    assert "no option mentions 'teapot'" in capsys.readouterr().out


def test_what_the_default_none_means_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["options", "agent_high_watermark_ratio"]) == 0
    assert "float | None = None, which means 0.8\n" in capsys.readouterr().out
