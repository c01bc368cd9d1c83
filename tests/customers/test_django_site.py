"""An editor's day in Django's admin under the default configuration: nothing is refused, and every
answer is that of the bare site but for the guard's headers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.customers.driving import Step, differences
from tests.kit.live import ROOT


def drive(folder: Path, mode: str) -> tuple[list[Step], list[str]]:
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.customers.django_site", str(folder), mode],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads((folder / "told.json").read_text())
    steps = [
        Step(one["told"], one["status"], [(n, v) for n, v in one["headers"]], one["body"])
        for one in told["steps"]
    ]
    return steps, told["refused"]


def test_a_day_in_djangos_admin(tmp_path: Path) -> None:
    guarded, refused = drive(tmp_path / "guarded", "guarded")
    bare, _ = drive(tmp_path / "bare", "bare")
    assert refused == []
    assert differences(bare, guarded) == []
    assert 150 < len(guarded) < 600
    # The day had effects: written text is there, and uploads came back.
    statuses = {step.status for step in bare}
    assert {200, 302, 404} <= statuses
    assert sum(step.status == 302 for step in bare) > 30
    assert not any(step.status >= 500 or step.status == 403 for step in bare)
