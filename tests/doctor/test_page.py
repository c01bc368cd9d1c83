"""docs/doctor.md lists every code of the doctor with its severity."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

COMPUTED = {
    ("everybody-trusted", "error"),
    ("everybody-listed", "error"),
    ("database-stale", "warning"),
    ("database-missing", "warning"),
}
"""Codes that the code puts together or reads from a table."""


def advised() -> Iterator[tuple[str, str]]:
    for room in ("guard_wsgi/doctor", "guard_wsgi/config"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "Advice":
                    severity, code = node.args[:2]
                    assert isinstance(severity, ast.Constant)
                    if isinstance(code, ast.Constant):
                        yield code.value, severity.value


def test_the_page_lists_the_codes_of_the_doctor() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| (\w+) \|", page, re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == {*advised(), *COMPUTED}
