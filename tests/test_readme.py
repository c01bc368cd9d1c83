"""The README's examples run, and what it names exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from attrs import frozen

from guard_wsgi.cli.tree import commands
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.options.resolving import options_of
from guard_wsgi.routes.decorators import SecurityDecorator
from tests.kit.gateway import text_app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

_BLOCK = re.compile(
    r"(?:<!-- given: (?P<given>\w+) -->\n)?```(?P<kind>\w+)\n(?P<code>.*?)```", re.S
)


@frozen
class Block:
    kind: str
    code: str
    given: str
    line: int


BLOCKS = [
    Block(
        match["kind"],
        match["code"],
        match["given"] or "",
        README.count("\n", 0, match.start("code")) + 1,
    )
    for match in _BLOCK.finditer(README)
]


def blocks(kind: str) -> Any:
    found = [block for block in BLOCKS if block.kind == kind]
    assert found
    return pytest.mark.parametrize("block", found, ids=lambda block: f"line {block.line}")


@blocks("python")
def test_each_python_example_runs(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file,) = (other.code for other in BLOCKS if other.kind == "toml")
    (tmp_path / "guard.toml").write_text(file.replace("redis://localhost:6379/0", "memory://"))
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "readme"}
    if block.given == "app":
        namespace["app"] = text_app()
    exec(compile(block.code, f"README.md line {block.line}", "exec"), namespace)


@blocks("toml")
def test_each_file_can_be_served(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "guard.toml"
    path.write_text(block.code)
    SecurityConfig.from_toml(path)


@blocks("sh")
def test_each_command_is_one(block: Block) -> None:
    for line in block.code.splitlines():
        words = shlex.split(line, comments=True)
        if words and words[0] == "guard-wsgi":
            group: click.Command = commands
            arguments = words[1:]
            while isinstance(group, click.Group):
                name, group, arguments = group.resolve_command(click.Context(group), arguments)
            assert group is not None, line
            group.make_context(name, arguments, resilient_parsing=False).close()


def test_the_first_example_guards_its_app() -> None:
    first = next(block for block in BLOCKS if block.kind == "python")
    assert len([line for line in first.code.splitlines() if line.strip()]) <= 8
    namespace: dict[str, Any] = {"__name__": "readme"}
    exec(first.code, namespace)
    client = namespace["app"].test_client()
    assert client.get("/").text == "hello"
    assert client.get("/?q=1'+UNION+SELECT+password+FROM+users--").status_code == 400


def test_the_two_set_up_commands_are_one_line_each() -> None:
    venv = "python3 -m venv .venv && .venv/bin/pip install -e"
    commands = [block.code.strip() for block in BLOCKS if block.kind == "sh"]
    run = f"{venv} '.[console]' && .venv/bin/python examples/flask_app.py --console"
    assert run in commands
    newer = venv.replace("install -e", "install -U pip && .venv/bin/pip install -e")
    assert f"{newer} '.[all]' --group dev && .venv/bin/python -m pytest" in commands


def test_every_decorator_is_named() -> None:
    section = README.split("## Rules for single routes", 1)[1].split("\n## ", 1)[0]
    named = set(re.findall(r"`([a-z_]+)`", section))
    public = {
        name
        for name, member in vars(SecurityDecorator).items()
        if callable(member) and not name.startswith("_") and not name.startswith("get_")
    }
    assert public <= named


def test_every_option_that_is_named_exists() -> None:
    options = {option.name for option in options_of(SecurityConfig)}
    given = set(re.findall(r"\b([a-z_]+)=(?!=)", README)) | set(
        re.findall(r"^\| `([a-z_]+)`", README, re.M)
    )
    # Parameters of functions, keys of rules, words of other systems.
    others = {"config", "routes", "verifier", "window", "extra", "mode", "throttle"}
    others |= {"base_url", "check", "id", "methods", "status", "view_func"}  # of tests and logs
    others |= {"cross_origin_resource_policy", "frame_options"}  # keys of security_headers
    others |= {"require_auth", "ip_whitelist", "rule_type", "pattern", "threshold", "action"}
    others |= {"renderer", "update", "endpoint", "usage", "level"}  # of methods, events and rules
    others |= {name for name in vars(SecurityDecorator) if not name.startswith("_")}
    assert given - options <= others


def test_links_lead_somewhere() -> None:
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", README, re.M)
    }
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if target.startswith("#"):
            assert target[1:] in anchors
        elif "://" not in target:
            assert (ROOT / target).exists(), target
