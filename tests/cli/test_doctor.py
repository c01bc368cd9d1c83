"""guard-wsgi doctor: advice on a deployment, for people and for CI."""

from __future__ import annotations

from pathlib import Path

import pytest

from guard_wsgi.cli.tree import main
from guard_wsgi.state.store import Store


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


def test_a_store_that_is_not_there_is_noted_with_its_path_and_not_created(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "guard.toml"
    path.write_text(f'store_url = "lmdb://{tmp_path}/typo/guard"\n')
    arguments = ["doctor", "--config", str(path)]
    main(arguments)
    assert f"note: there is no store at {tmp_path}/typo/guard" in capsys.readouterr().out
    assert [*tmp_path.iterdir()] == [path]
    Store.open(f"lmdb://{tmp_path}/typo/guard").close()
    main(arguments)
    assert "new-store" not in capsys.readouterr().out


def test_advice_on_a_file_is_not_about_a_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "guard.toml"
    path.write_text(f'store_url = "lmdb://{tmp_path}/folder/guard"\n')
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "guard").mkdir()
    (tmp_path / "folder" / "guard" / "guard.lmdb").mkdir()
    assert main(["doctor", "--config", str(path)]) == 2
    out = capsys.readouterr().out
    assert "may write to the file" in out
    assert "network" not in out
