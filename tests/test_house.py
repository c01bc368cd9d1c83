"""The house: a file imports only from its own floor and from those below, without import cycles.

Imports for types alone and imports inside functions count as well: a file can't be read without the
files that it imports.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS = (
    (
        "guard_wsgi.errors",
        "guard_wsgi.files",
        "guard_wsgi.forks",
        "guard_wsgi.lazy",
        "guard_wsgi.repeats",
    ),
    ("guard_wsgi.patterns",),
    ("guard_wsgi.network",),
    ("guard_wsgi.options",),
    ("guard_wsgi.state",),
    ("guard_wsgi.behavior",),
    (
        "guard_wsgi.detection.decoding",
        "guard_wsgi.detection.finding",
        "guard_wsgi.detection.indicators",
        "guard_wsgi.detection.language",
    ),
    ("guard_wsgi.detection.scanning", "guard_wsgi.detection.settings"),
    ("guard_wsgi.detection.custom", "guard_wsgi.detection.value"),
    ("guard_wsgi.detection.relaxations",),
    ("guard_wsgi.detection.scoring", "guard_wsgi.detection.formats"),
    ("guard_wsgi.detection.message",),
    ("guard_wsgi.detection",),
    ("guard_wsgi.request",),
    ("guard_wsgi.telemetry",),
    ("guard_wsgi.agent",),
    ("guard_wsgi.config",),
    ("guard_wsgi.dynamic",),
    ("guard_wsgi.routes",),
    ("guard_wsgi.response",),
    ("guard_wsgi.services", "guard_wsgi.report"),
    ("guard_wsgi.checks",),
    ("guard_wsgi.ladder",),
    ("guard_wsgi.middleware",),
    ("guard_wsgi.doctor",),
    ("guard_wsgi.bottle", "guard_wsgi.django", "guard_wsgi.django_pages", "guard_wsgi.testing"),
    ("guard_wsgi.resolvers",),
    ("guard_wsgi",),
    ("guard_wsgi.cli",),
    ("guard_wsgi.__main__",),
    ("guard_wsgi_flask",),
    ("guard_wsgi_flask.console",),
)
"""Rooms from the ground up. Rooms on the same floor do not import each other."""

MAX_LINES = 400


def modules() -> dict[str, Path]:
    found = {}
    for package in ("guard_wsgi", "guard_wsgi_flask"):
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imported(path: Path) -> Iterator[str]:
    """Yield the modules of the package that a file imports, wherever the statement is."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in MODULES else node.module for name in inside]
        else:
            continue
        yield from (name for name in names if name in MODULES)


IMPORTS = {name: sorted(set(imported(path))) for name, path in MODULES.items()}


def floor_of(module: str) -> tuple[int, str]:
    """The number of the floor that a module is on, and its room."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        room = ".".join(parts[:length])
        if room == "guard_wsgi" and module != "guard_wsgi":
            break
        for number, rooms in enumerate(FLOORS):
            if room in rooms:
                return number, room
    pytest.fail(f"{module} is in no room: give it one, or add the room to FLOORS")


def test_no_file_imports_from_a_floor_above() -> None:
    wrong = []
    for module, names in IMPORTS.items():
        number, room = floor_of(module)
        for name in names:
            other, other_room = floor_of(name)
            if other > number or (other == number and other_room != room):
                wrong.append(f"{module} (in {room}) imports {name} (in {other_room})")
    assert wrong == []


def test_there_are_no_import_cycles() -> None:
    done: set[str] = set()
    way: list[str] = []

    def visit(module: str) -> None:
        if module in way:
            pytest.fail(" -> ".join([*way[way.index(module) :], module]))
        if module in done:
            return
        way.append(module)
        for name in IMPORTS[module]:
            visit(name)
        way.pop()
        done.add(module)

    for module in sorted(MODULES):
        visit(module)


def test_few_files_stand_outside_of_a_room() -> None:
    entries = sorted(
        path.name
        for path in (ROOT / "guard_wsgi").iterdir()
        if path.name != "__pycache__" and not path.name.endswith(".pyc")
    )
    assert len(entries) <= 33, entries


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_the_files_that_the_pages_name_are_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[\w-]+/)*[\w-]+(?:/|\.py|\.md|\.json))`", text))
    assert len(named) > 3, named
    there = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("*")}
    for room in ("guard_wsgi", "guard_wsgi_flask", "tests", "benchmarks", "examples", "docs"):
        there.update(path.relative_to(ROOT).as_posix() for path in (ROOT / room).rglob("*"))
    ends = {
        "/".join(name.split("/")[start:]) for name in there for start in range(name.count("/") + 1)
    }
    assert sorted(name for name in named if name.rstrip("/") not in ends) == []


def test_each_room_is_on_the_page() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    packages = (ROOT / "guard_wsgi").glob("*/__init__.py")
    rooms = [path.parent.name for path in packages]
    assert [room for room in sorted(rooms) if f"`{room}/`" not in text] == []
    files = {path.name for path in (ROOT / "guard_wsgi").glob("[!_]*.py")}
    assert [name for name in sorted(files) if f"`{name}`" not in text] == []


def test_no_file_is_long() -> None:
    long = set()
    for path in MODULES.values():
        if len(path.read_text(encoding="utf-8").splitlines()) > MAX_LINES:
            long.add(path.relative_to(ROOT).as_posix())
    assert sorted(long) == []


OLD_WORDS = re.compile(
    r"\b(?:for ever|look-ups?|set-ups?|time-outs?|log-ins?|roll-backs?)\b"
    r"|\b(?:thus|hence|lest|wherein|thereby)\b",
    re.IGNORECASE,
)
"""Spellings and words that nobody uses any more: lookup, setup, timeout, login, rollback."""


def test_texts_use_the_words_of_today() -> None:
    found = {}
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    for path in (*MODULES.values(), *pages):
        if "indicators" in path.parts or path.name in ("prefilter.py", "lexicon.py"):
            continue  # tables of an attack's words
        words = OLD_WORDS.findall(path.read_text(encoding="utf-8"))
        if words:
            found[path.relative_to(ROOT).as_posix()] = words
    assert found == {}
