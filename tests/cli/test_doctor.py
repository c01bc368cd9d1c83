"""guard-wsgi doctor: advice on a deployment, for people and for CI."""

from __future__ import annotations

from pathlib import Path

import pytest

from guard_wsgi.cli.tree import main


def test_a_configuration_is_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "guard.toml"
    path.write_text("passive_mode = true\n")
    code = main(["doctor", "--config", str(path), "--workers", "4"])
    out = capsys.readouterr().out
    assert code == (2 if "error: " in out else 1)
    assert "passive_mode" in out
    assert "store_url" in out


def test_an_app_without_a_guard_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "wsgiref.simple_server:demo_app"]) == 2
    assert capsys.readouterr().out.startswith("error: ")


def test_a_store_that_does_not_answer_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "guard.toml"
    path.write_text('store_url = "redis://127.0.0.1:1/0"\n')
    assert main(["doctor", "--config", str(path)]) == 2
    assert "error: " in capsys.readouterr().out


def test_a_store_that_was_not_there_is_noted_with_its_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "guard.toml"
    path.write_text(f'store_url = "lmdb://{tmp_path}/typo"\n')
    arguments = ["doctor", "--config", str(path)]
    main(arguments)
    assert f"note: there was no store at {tmp_path}/typo" in capsys.readouterr().out
    main(arguments)
    assert "new-store" not in capsys.readouterr().out
