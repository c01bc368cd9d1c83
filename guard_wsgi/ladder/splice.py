"""Makes one function that asks the checks of a ladder whether a request passes.

Beside an app, each call costs several times as much as alone, because the app fills the processor's
caches. So the bodies of the checks' ``passes`` are joined into one function: a ``return`` of false
returns the index of that check, a ``return`` of true goes on to the next check. A check that can't
be joined (it returns true inside a loop, or has no source) is called.

The code is made once for each sequence of check classes; routes with the same sequence share it.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import lru_cache
from types import FunctionType
from typing import Any

from guard_wsgi.checks.base import Check
from guard_wsgi.request.visit import Visit

Ask = Callable[[dict[str, Any], Visit], "int | None"]
"""Returns the index of the first check that says no, or raises; ``None`` if none does."""

_CALLED = "self:passes"
"""The name of the constant for a check that is called."""

MAX_CODES = 256
"""How many sequences of check classes to keep the code for; a site has a few per route."""


def spliced(checks: Sequence[Check]) -> Ask:
    """Return the function for these checks."""
    make, names = _code(tuple(_kind_of(check) for check in checks))
    return make(*(_constant(checks[place], path) for place, path in names))


_SCOPES = (
    *(ast.FunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
    *(ast.ClassDef, ast.Global, ast.Nonlocal, ast.Yield, ast.YieldFrom, ast.Import, ast.ImportFrom),
)
"""Nodes with their own names, which could clash with those of the function."""


def is_called(kind: type[Check]) -> bool:
    """Whether checks of this class must be called, because their method can't be joined."""
    return (0, _CALLED) in _code((kind,))[1]


class _CantSplice(Exception):
    """Return what to call instead."""


def _kind_of(check: Check) -> type[Check] | None:
    """Return the check's class; ``None`` if the method is on the instance."""
    return None if "passes" in vars(check) else type(check)


def _constant(check: Check, path: str) -> Any:
    """Resolve a name: the check's own attribute, or a global of its module."""
    kind, _, name = path.partition(":")
    if kind == "self":
        return getattr(check, name)
    return getattr(type(check).passes, "__globals__")[name]  # noqa: B009 - a function's


@lru_cache(MAX_CODES)
def _code(
    kinds: tuple[type[Check] | None, ...],
) -> tuple[Callable[..., Ask], tuple[tuple[int, str], ...]]:
    """Compile a function that takes constants and returns the function; return it with the
    constants, by check and origin."""
    names: dict[tuple[int, str], str] = {}
    body: list[ast.stmt] = []
    for place, kind in enumerate(kinds):
        body += ast.parse(f"place = {place}").body
        try:
            if kind is None:
                raise _CantSplice
            body += _Splicer(place, names).of(kind)
        except _CantSplice:
            called = names.setdefault((place, _CALLED), f"passes_{place}")
            body += ast.parse(f"if not {called}(environ, visit): return {place}").body
    body += ast.parse("return None").body
    module = ast.parse(
        f"def make({', '.join(names.values())}):\n"
        "    def ask(environ, visit):\n"
        "        place = 0\n"
        "        try:\n"
        "            pass\n"
        # The check is asked for its refusal next, which reports the fault and decides.
        "        except Exception:\n"
        "            return place\n"
        "    return ask\n"
    )
    make = module.body[0]
    assert isinstance(make, ast.FunctionDef)
    ask = make.body[0]
    assert isinstance(ask, ast.FunctionDef)
    guarded = ask.body[1]
    assert isinstance(guarded, ast.Try)
    guarded.body = body
    namespace: dict[str, Any] = {}
    exec(compile(ast.fix_missing_locations(module), "<ladder>", "exec"), namespace)
    return namespace["make"], tuple(names)


@lru_cache(MAX_CODES)
def _source(function: FunctionType) -> ast.FunctionDef:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        raise _CantSplice from None
    definition = tree.body[0]
    if not isinstance(definition, ast.FunctionDef) or function.__code__.co_freevars:
        raise _CantSplice
    return definition


class _Splicer(ast.NodeTransformer):
    """Rewrites the body of one check's ``passes`` for the function."""

    def __init__(self, place: int, names: dict[tuple[int, str], str]) -> None:
        self._place = place
        self._names = names
        self._locals: frozenset[str] = frozenset()

    def of(self, kind: type[Check]) -> list[ast.stmt]:
        function = kind.passes
        assert isinstance(function, FunctionType)
        definition = _source(function)
        if [argument.arg for argument in definition.args.args] != ["self", "environ", "visit"]:
            raise _CantSplice
        self._locals = frozenset(function.__code__.co_varnames) - {"self", "environ", "visit"}
        self._globals = function.__globals__
        if any(isinstance(node, _SCOPES) for node in ast.walk(definition) if node != definition):
            raise _CantSplice
        # Copy the tree, as others share it.
        body = [self.visit(deepcopy(statement)) for statement in definition.body]
        spliced = list(self._flowing(body))
        for statement in spliced:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and node.id == "self":
                    raise _CantSplice
        return spliced

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            if not isinstance(node.ctx, ast.Load):
                raise _CantSplice
            return self._constant("self", node.attr)
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self._locals:
            return ast.Name(f"{node.id}_{self._place}", node.ctx)
        if node.id in self._globals:
            return self._constant("global", node.id)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is None:
            return ast.Pass()
        assigned = ast.Assign([node.target], node.value)
        self.generic_visit(assigned)
        return assigned

    def _constant(self, origin: str, name: str) -> ast.expr:
        key = self._place, f"{origin}:{name}"
        short = self._names.setdefault(key, f"{origin}_{name}_{self._place}")
        return ast.Name(short, ast.Load())

    def _flowing(self, statements: list[ast.stmt]) -> Iterator[ast.stmt]:
        """Rewrite statements so that each ``return`` of true continues after the last one."""
        for number, statement in enumerate(statements):
            if isinstance(statement, ast.Return):
                yield from self._returned(statement)
                return
            if isinstance(statement, ast.If) and _ends(statement.body):
                rest = statement.orelse + statements[number + 1 :]
                body = list(self._flowing(statement.body)) or [ast.Pass()]
                yield ast.If(statement.test, body, list(self._flowing(rest)))
                return
            yield from self._without_yes(statement)

    def _returned(self, statement: ast.Return) -> Iterator[ast.stmt]:
        value = statement.value
        if isinstance(value, ast.Constant) and value.value is True:
            return
        no = ast.Return(ast.Constant(self._place))
        if isinstance(value, ast.Constant) and value.value is False:
            yield no
        elif value is None:
            raise _CantSplice
        else:
            yield ast.If(ast.UnaryOp(ast.Not(), value), [no], [])

    def _without_yes(self, statement: ast.stmt) -> Iterator[ast.stmt]:
        """Rewrite a statement among others, which may only return false."""
        for node in ast.walk(statement):
            if isinstance(node, ast.Return):
                if not (isinstance(node.value, ast.Constant) and node.value.value is False):
                    raise _CantSplice
                node.value = ast.Constant(self._place)
        yield statement


def _ends(statements: list[ast.stmt]) -> bool:
    """Whether the statements never reach their end."""
    last = statements[-1]
    if isinstance(last, ast.If):
        return bool(last.orelse) and _ends(last.body) and _ends(last.orelse)
    return isinstance(last, (ast.Return, ast.Raise))
