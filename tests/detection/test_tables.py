"""The tables of words and patterns list each thing once: what is listed twice drifts apart."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLES = (
    *(
        path
        for path in (ROOT / "guard_wsgi" / "detection").rglob("*.py")
        if path.name != "prefilter.py"  # its literals stand by category, and categories share some
    ),
    ROOT / "guard_wsgi_flask" / "console" / "lookalikes.py",
)
_GROUP = re.compile(r"(?<!\\)\((?:\?:)?((?:[\w $@.-]+\|)+[\w $@.-]+)\)")


def lists(tree: ast.AST) -> Iterator[list[str]]:
    """Yield the words of each table: a text that is split, a literal, alternatives of a pattern."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            text = node.func.value
            is_text = isinstance(text, ast.Constant) and isinstance(text.value, str)
            if node.func.attr == "split" and not node.args and is_text:
                yield str(ast.literal_eval(text)).split()
        elif isinstance(node, (ast.Tuple, ast.Set, ast.List)):
            yield [
                item.value
                for item in node.elts
                if isinstance(item, ast.Constant) and isinstance(item.value, str)
            ]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (match[1].split("|") for match in _GROUP.finditer(node.value))


def test_a_table_lists_each_thing_once() -> None:
    found: dict[str, list[str]] = {}
    count = 0
    for path in TABLES:
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(statement, (ast.Assign, ast.AnnAssign)):
                continue
            for words in lists(statement):
                count += len(words)
                twice = [word for word, times in Counter(words).items() if times > 1]
                if twice:
                    found.setdefault(path.name, []).extend(twice)
    assert count > 3000
    assert found == {}
