"""A Git server: ``git http-backend`` behind a few lines of WSGI, driven by ``git`` itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

REQUIREMENTS: tuple[str, ...] = ()
SENDS_FILES = False

BRANCHES = (
    "main",
    "feature/select-from-union",
    "fix/or-1=1",
    "fix/don't-quote",
    "release/2.0;rc1",
    "user/passwd",
    "wip/$(date)",
    "fix/#123-script",
    "dependabot/npm_and_yarn/lodash-4.17.21",
    "users/o'brien/and-more",
    "hotfix/drop-table-users",
    "топик",
)
TAGS = tuple(f"v{number}.0" for number in range(60))


def app(folder: Path) -> Any:
    """Serve the bare repositories in a folder."""
    for name in ("shop.git", "other.git"):
        subprocess.run(["git", "init", "-q", "--bare", folder / name], check=True)
        for key, value in (("http.receivepack", "true"), ("receive.denyDeletes", "false")):
            subprocess.run(["git", "-C", folder / name, "config", key, value], check=True)

    def backend(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        kept = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "REMOTE_ADDR")
        variables = {name: environ[name] for name in kept if environ.get(name)}
        for header in ("CONTENT_ENCODING", "GIT_PROTOCOL"):
            if given := environ.get("HTTP_" + header):
                variables[header if header == "GIT_PROTOCOL" else "HTTP_" + header] = given
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        ran = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REMOTE_USER": "ann",
                "CONTENT_LENGTH": str(len(body)),
                **variables,
            },
            check=False,
        )
        head, _, answer = ran.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if line]
        status = dict(headers).get("Status", "200 OK")
        start_response(status, [(key, value) for key, value in headers if key != "Status"])
        return [answer]

    return backend


def drive(url: str, folder: Path, step: Any) -> None:
    """Work with a repository as a team does."""
    work = folder / "work"
    origin = f"{url}/shop.git"
    settings = {
        "GIT_AUTHOR_NAME": "Ann",
        "GIT_AUTHOR_EMAIL": "ann@example.com",
        "GIT_COMMITTER_NAME": "Ann",
        "GIT_COMMITTER_EMAIL": "ann@example.com",
        "GIT_TERMINAL_PROMPT": "0",
        # No two runs differ by their dates.
        "GIT_AUTHOR_DATE": "2024-05-01T10:00:00Z",
        "GIT_COMMITTER_DATE": "2024-05-01T10:00:00Z",
    }

    def git(*arguments: str, where: Path | None = work) -> str:
        ran = subprocess.run(
            ["git", *arguments],
            cwd=where,
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr[-500:]
        return ran.stdout

    step("clones an empty one", lambda: git("clone", "-q", origin, str(work), where=folder))
    if not work.exists():
        git("init", "-q", str(work), where=folder)
        git("remote", "add", "origin", origin)
    git("checkout", "-q", "-B", "main")
    for number, source in enumerate(sorted(Path(os.__file__).parent.glob("*.py"))[:120]):
        (work / source.name).write_bytes(source.read_bytes())
        git("add", "-A")
        git("commit", "-q", "-m", f"Add {source.name}: SELECT it; don't `rm -rf` it (#{number})")
    step("pushes a branch", lambda: git("push", "-q", "-u", "origin", "main"))
    for branch in BRANCHES[1:]:
        git("branch", branch, "HEAD~3")
    step("pushes all branches", lambda: git("push", "-q", "origin", "--all"))
    for tag in TAGS:
        git("tag", "-a", tag, "-m", f"Release {tag}")
    step("pushes 60 tags", lambda: git("push", "-q", "origin", "--tags"))
    step("mirrors everything", lambda: git("push", "-q", "--mirror", f"{url}/other.git"))
    for branch in BRANCHES[1:]:
        git("checkout", "-q", branch)
        (work / "note.txt").write_text(f"work on {branch}\n")
        git("add", "-A")
        git("commit", "-q", "-m", f"Work on {branch}")
        step(f"pushes {branch}", lambda branch=branch: git("push", "-q", "origin", branch))
    step("pushes by force", lambda: git("push", "-q", "-f", "origin", "HEAD~1:main"))
    small = ("-c", "http.postBuffer=1024")
    step("pushes in chunks", lambda: git(*small, "push", "-q", "origin", "main:chunked"))
    step("pushes atomically", lambda: git("push", "-q", "--atomic", "origin", "main:a", "main:b"))
    step("deletes branches", lambda: git("push", "-q", "origin", ":a", ":b", ":wip/$(date)"))
    step("lists references", lambda: git("ls-remote", "origin"))
    for name, options in {
        "clones": (),
        "clones shallowly": ("--depth", "2"),
        "clones one branch": ("-b", "feature/select-from-union", "--single-branch"),
        "clones by the old protocol": ("-c", "protocol.version=0"),
        "clones without blobs": ("--filter=blob:none",),
    }.items():
        target = str(folder / name.replace(" ", "-"))
        step(
            name,
            lambda options=options, target=target: git("clone", "-q", *options, origin, target),
        )
    step("fetches", lambda: git("fetch", "-q", "--all", "--prune"))
