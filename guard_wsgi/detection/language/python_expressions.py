"""Expressions of Python that reach files, modules or an app's settings when they are evaluated.

`eval` runs a whole value, so the value must be a whole expression: Python's own parser decides
that. A pattern for ``open(`` is avoided by ``(open)(``, ``[open][0](`` and ``open(*['x'])``; in the
tree all of these are the name ``open`` in a call (CWE-95).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Final

FEATURE: Final = "code_injection.python_expression"
"""Flag of a value that is such an expression."""
MAX_CHARS: Final = 400
"""The longest text that is parsed. Parsing takes 0.2 us per character."""
MAX_NODES: Final = 400
PARSED_CHARS: Final = 120
"""The cost of parsing, plus one for each character of the text (value.Budget)."""

# Built-in functions that open, import or run, or list everything that the code has.
_REACHING: Final = frozenset(
    {"open", "__import__", "eval", "exec", "compile", "globals", "locals", "vars", "__builtins__"}
)
# Only a text with one of these is parsed. The last two are formats of a text with a variable.
_HINT: Final = re.compile(
    r"(?:open|import__|eval|exec|compile|globals|locals|vars|__builtins__)\b|\A\s*r?f['\"]|%[srd]['\"]\s*%"
)
# Python warns of escapes that it does not know, and of words that touch a number.
_ESCAPE: Final = re.compile(r"\\.", re.DOTALL)
_TOUCHING: Final = re.compile(
    r"(?<!\w)((?:0x[\da-f_]++|0[bo][\d_]++|(?:\d[\d_]*+\.?[\d_]*+|\.\d[\d_]*+)(?:e[-+]?\d[\d_]*+)?j?))"
    r"(?=or|and|in|is|if|else|not|for)",
    re.IGNORECASE,
)


def is_reaching_expression(text: str, charge: Callable[[int], None]) -> bool:
    """Whether a text is a whole expression of Python that reaches outside of its values.

    :param charge: takes the cost of the work, in characters of a budget.
    """
    if len(text) > MAX_CHARS or ("(" not in text and "%" not in text and "{" not in text):
        return False
    if _HINT.search(text) is None:
        return False
    charge(PARSED_CHARS + len(text))
    try:
        plain = _TOUCHING.sub(r"\1 ", _ESCAPE.sub("xx", text.strip()))
        root = ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return _formats(root) or any(_reaches(node, root) for node in list(ast.walk(root))[:MAX_NODES])


def _formats(root: ast.expr) -> bool:
    """Whether an expression is a text with a variable in it."""
    if isinstance(root, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in root.values)
    return (
        isinstance(root, ast.BinOp)
        and isinstance(root.op, ast.Mod)
        and isinstance(root.left, ast.Constant)
        and isinstance(root.left.value, str)
        and isinstance(root.right, ast.Name | ast.Attribute | ast.Tuple)
    )


def _reaches(node: ast.AST, root: ast.expr) -> bool:
    """Whether a node is a call with such a function, called or handed over.

    A page of the manual (``open(2)``), opening hours in a sentence, a signature (``open(file)``)
    and a bare name with brackets (``vars()``) are none.
    """
    if not isinstance(node, ast.Call):
        return False
    given = [*node.args, *(one.value for one in node.keywords)]
    inside = [inner for one in given for inner in ast.walk(one)]
    if any(isinstance(one, ast.Name) and one.id in _REACHING for one in inside):
        return True
    if isinstance(node.func, ast.Name):
        if node.func.id not in _REACHING:
            return False
        if not given:
            return node is not root and node.func.id in ("globals", "locals", "vars")
        return any(
            isinstance(one, ast.Constant) and isinstance(one.value, str | bytes) for one in inside
        )
    return any(isinstance(one, ast.Name) and one.id in _REACHING for one in ast.walk(node.func))
