"""Two guards in one process keep their log files apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from guard_wsgi import ConfigError, GuardMiddleware, SecurityConfig
from tests.core.visiting import INJECTION
from tests.kit.gateway import environ_for, serve, text_app


def test_a_ban_that_one_guard_refuses_is_in_its_own_file(tmp_path: Path) -> None:
    paths = [tmp_path / "shop.log", tmp_path / "wiki.log"]
    guards = [
        GuardMiddleware(text_app(), SecurityConfig(custom_log_file=str(path), auto_ban_threshold=1))
        for path in paths
    ]
    try:
        environ = environ_for("/", query_string=f"q={INJECTION.replace(' ', '+')}")
        environ["REMOTE_ADDR"] = "127.0.0.1"
        assert serve(guards[0], environ).code == 400
        assert "Did not ban 127.0.0.1" in paths[0].read_text()
        assert not paths[1].exists()
    finally:
        for guard in guards:
            guard.close()


@pytest.mark.parametrize("name", ["", "taken/guard.log", "taken/below/guard.log"])
def test_a_log_file_that_cannot_be_written_is_a_fault_of_its_option(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "taken").write_text("a file, where the option names a folder")
    config = SecurityConfig(custom_log_file=str(tmp_path / name))
    with pytest.raises(ConfigError, match=r"custom_log_file: can't write to '.*': .*folder"):
        GuardMiddleware(text_app(), config)


def test_a_log_folder_that_cannot_be_made_is_a_fault_of_its_option() -> None:
    config = SecurityConfig(custom_log_file="/proc/none/guard.log")
    with pytest.raises(ConfigError, match=r"can't write to '/proc/none/guard\.log'"):
        GuardMiddleware(text_app(), config)
