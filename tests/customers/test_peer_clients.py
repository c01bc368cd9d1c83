"""``git`` itself clones, fetches and pushes through the guard, several references at once.

Other apps with their real clients are run by benchmarks/peers/peer_clients.py; here, the one whose
client every machine has.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks" / "peers"))

from peer_clients import MODES, Peers  # noqa: E402


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", MODES)
def test_git_works_with_a_repository_as_a_team_does(mode: str, tmp_path: Path) -> None:
    run = Peers(tmp_path / "cache", tmp_path, Path(sys.executable)).run("git", mode)
    assert run.requests > 40
    assert not run.refusals
    assert not run.failed, (tmp_path / f"git-{mode}.client.txt").read_text()
