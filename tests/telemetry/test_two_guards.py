"""Two guards in one process keep their log files apart."""

from __future__ import annotations

from pathlib import Path

from guard_wsgi import GuardMiddleware, SecurityConfig
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
        assert "no automatic ban: 127.0.0.1" in paths[0].read_text()
        assert not paths[1].exists()
    finally:
        for guard in guards:
            guard.close()
