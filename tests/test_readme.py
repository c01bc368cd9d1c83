"""The examples of README and docs/ run, and what these pages name exists."""

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
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
TEXT = "\n".join(PAGES.values())

_BLOCK = re.compile(
    r"(?:<!-- given: (?P<given>\w+) -->\n)?```(?P<kind>\w+)\n(?P<code>.*?)```", re.S
)


@frozen
class Block:
    kind: str
    code: str
    given: str
    place: str


BLOCKS = [
    Block(
        match["kind"],
        match["code"],
        match["given"] or "",
        f"{page}:{text.count(chr(10), 0, match.start('code')) + 1}",
    )
    for page, text in PAGES.items()
    for match in _BLOCK.finditer(text)
]


def blocks(kind: str) -> Any:
    found = [block for block in BLOCKS if block.kind == kind]
    assert found
    return pytest.mark.parametrize("block", found, ids=lambda block: block.place)


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
    exec(compile(block.code, block.place, "exec"), namespace)


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
    named = set(re.findall(r"`([a-z_]+)`", PAGES["docs/routes.md"]))
    public = {
        name
        for name, member in vars(SecurityDecorator).items()
        if callable(member) and not name.startswith("_") and not name.startswith("get_")
    }
    assert public <= named


def test_every_option_that_is_named_exists() -> None:
    options = {option.name for option in options_of(SecurityConfig)}
    text = TEXT.replace(PAGES["docs/commands.md"], "")  # its table has commands
    given = set(re.findall(r"\b([a-z_]+)=(?!=)", text)) | set(
        re.findall(r"^\| `([a-z_]+)`", text, re.M)
    )
    # Parameters of functions, keys of rules, words of other systems.
    others = {"config", "routes", "verifier", "window", "extra", "mode", "throttle"}
    others |= {"base_url", "check", "id", "methods", "status", "view_func"}  # of tests and logs
    others |= {"cross_origin_resource_policy", "frame_options"}  # keys of security_headers
    others |= {"require_auth", "ip_whitelist", "rule_type", "pattern", "threshold", "action"}
    others |= {"renderer", "update", "endpoint", "usage", "level"}  # of methods, events and rules
    others |= {"probes", "class"}  # a code of the doctor, an attribute of HTML
    others |= {name for name in vars(SecurityDecorator) if not name.startswith("_")}
    assert given - options <= others


def anchors(text: str) -> set[str]:
    """The anchors of a page: its headings, as GitHub writes them."""
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", PAGES[page]):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        path = ((ROOT / page).parent / name) if name else ROOT / page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), target


def test_readme_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)\)", PAGES["README.md"]))
    assert linked == set(PAGES) - {"README.md"}


MODULES_OF_BENCHMARKS = {"documents.py", "peer.py", "workloads.py"}


def test_each_benchmark_is_on_the_page_of_figures_and_the_page_names_no_other() -> None:
    named = set(re.findall(r"`(?:\w+/)*(\w+\.py)\b[^`]*`", PAGES["docs/figures.md"]))
    scripts = {path.name for path in (ROOT / "benchmarks").glob("*.py")} - MODULES_OF_BENCHMARKS
    assert scripts <= named
    there = {
        path.name for folder in ("benchmarks", "tests") for path in (ROOT / folder).rglob("*.py")
    }
    assert named <= there
