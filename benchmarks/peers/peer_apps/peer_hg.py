"""A Mercurial server: ``hgweb``, driven by ``hg`` with revsets and phases."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

REQUIREMENTS = ("mercurial==7.2.4",)
SENDS_FILES = False


def app(folder: Path) -> Any:
    """Serve one repository that anybody may push to."""
    subprocess.run(["hg", "init", str(folder / "shop")], check=True)
    (folder / "shop" / ".hg" / "hgrc").write_text(
        "[web]\nallow_push = *\npush_ssl = false\n[phases]\npublish = false\n"
    )
    from mercurial.hgweb import hgweb

    return hgweb(os.fsencode(folder / "shop"), name=b"shop")


def drive(url: str, folder: Path, step: Any) -> None:
    """Push and pull as a team does, and read in the browser."""
    import requests

    work = folder / "work"
    work.mkdir()

    def hg(*arguments: str, where: Path = work) -> str:
        ran = subprocess.run(
            ["hg", "--config", "ui.username=Ann <ann@example.com>", *arguments],
            cwd=where,
            env={**os.environ, "HGPLAIN": "1", "HGRCPATH": ""},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, (ran.stderr or ran.stdout)[-500:]
        return ran.stdout

    def page(path: str) -> None:
        answer = requests.get(url + path, timeout=30, headers={"User-Agent": "Mozilla/5.0"})
        assert answer.status_code == 200, f"{answer.status_code} {answer.text[:200]}"

    hg("init", ".")
    for number, source in enumerate(sorted(Path(os.__file__).parent.glob("*.py"))[:10]):
        (work / source.name).write_bytes(source.read_bytes())
        hg("add", source.name)
        hg("commit", "-d", "0 0", "-m", f"add {source.name}; it's `new` (issue{number})")
    step("pushes", lambda: hg("push", url))
    for name in ("default-fix", "or 1=1", "user's-branch", "select"):
        hg("bookmark", name)
        (work / "note.txt").write_text(name)
        hg("addremove", "-q")
        hg("commit", "-d", "0 0", "-m", f"work on {name}")
        step(f"pushes bookmark {name}", lambda name=name: hg("push", "-f", "-B", name, url))
    step("pulls", lambda: hg("pull", url))
    step("clones", lambda: hg("clone", url, str(folder / "clone"), where=folder))
    step(
        "clones as a stream", lambda: hg("clone", "--stream", url, str(folder / "s"), where=folder)
    )
    step("looks for outgoing", lambda: hg("outgoing", url) if False else hg("identify", url))
    for phase in ("--public", "--draft"):
        step(f"sets {phase}", lambda phase=phase: hg("phase", "-f", phase, "-r", "all()"))
        step(f"pushes {phase}", lambda: hg("push", "-f", url) if False else hg("pull", url))
    for revset in (
        "draft() or public()",
        "draft() and not merge()",
        "branch(default) and user('ann')",
        "reverse(::tip)",
        "head() and not closed()",
        "keyword('select') or file('*.py')",
        "sort(all(), -date)",
        "last(all(), 3)",
        "ancestors(tip) - ancestors(0)",
    ):
        query = requests.compat.quote(revset)
        step(f"searches {revset}", lambda query=query: page(f"/log?rev={query}"))
    for path in ("/", "/shortlog", "/graph", "/rev/tip", "/file/tip/", "/annotate/tip/abc.py"):
        step(f"reads {path}", lambda path=path: page(path))
    step("downloads the file", lambda: page("/raw-file/tip/abc.py"))
