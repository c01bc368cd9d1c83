"""Regular expressions of the user's, searched together in linear time.

Python's ``re`` backtracks: 27 characters can keep ``(a+)+$`` busy for seconds with the GIL held,
so no time-out helps (CVE-2025-53539). Hyperscan can't be made to, and refuses what it can't do
when it compiles. Where it has no wheel, ``re`` serves, on a bounded part of the text and without
the shapes that make it exponential. Of texts that are short anyway, ``re`` may also search for
look-around, as far as backtracking.py trusts it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from guard_wsgi.errors import GuardError
from guard_wsgi.patterns.backtracking import why_too_slow
from guard_wsgi.patterns.hyperscan_scanner import HyperscanRefused, HyperscanScanner, has_hyperscan

RE_MAX_CHARS = 65_536
"""How much ``re`` searches where Hyperscan is missing."""

_NESTED_REPETITION = re.compile(r"\([^()]*[*+}][^()]*\)\s*[*+{]")


class ExpressionError(GuardError, ValueError):
    """An expression that is none, or that can't be searched in linear time; says why."""


class Expressions:
    """Expressions, compiled together, searched without regard to case.

    :param backtracks_on: the length of the texts, if they are so short that ``re`` may search
        them for what takes more than linear time; what is longer is cut there.
    :raises ExpressionError: naming the expression and the reason.
    """

    def __init__(self, expressions: Sequence[str], *, backtracks_on: int = 0) -> None:
        self.expressions = tuple(expressions)
        for expression in self.expressions:
            _check_syntax(expression)
        try:
            self._find = _compile(self.expressions)
        except ExpressionError:
            if not backtracks_on:
                raise
            self._find = _compile_apart(self.expressions, backtracks_on)

    def find(self, text: bytes) -> list[int]:
        """The places, in the order given, of all expressions found in UTF-8 text."""
        return self._find(text)

    def first(self, text: str) -> str | None:
        """One expression that is found, or ``None``."""
        found = self._find(text.encode("utf-8", "replace"))
        return self.expressions[min(found)] if found else None


def literal(text: str) -> str:
    """The expression that finds exactly this text."""
    return re.escape(text).replace("\0", r"\x00")


def _check_syntax(expression: str) -> None:
    if not expression:
        raise ExpressionError("an empty expression matches everything")
    if "\0" in expression:
        raise ExpressionError(f"{expression!r} holds a NUL, where Hyperscan would end it")
    try:
        re.compile(expression, re.IGNORECASE | re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as error:
        raise ExpressionError(f"{expression!r} is not a regular expression: {error}") from None


def _compile(expressions: tuple[str, ...]) -> Callable[[bytes], list[int]]:
    if not expressions:
        return lambda text: []
    if not has_hyperscan():
        return _compile_re(expressions)
    is_unicode = not all(expression.isascii() for expression in expressions)
    options = ("caseless", "multiline", "once", *(("unicode",) if is_unicode else ()))
    try:
        scan = HyperscanScanner(expressions, range(len(expressions)), options).scan
    except HyperscanRefused as error:
        refused = expressions if error.index is None else (expressions[error.index],)
        shown = ", ".join(map(repr, refused))
        raise ExpressionError(f"{shown} can't run in linear time: {error}") from None
    if is_unicode:
        return lambda text: scan(text.decode("utf-8", "replace").encode())
    return scan


def _compile_apart(expressions: tuple[str, ...], max_chars: int) -> Callable[[bytes], list[int]]:
    """The linear ones together, the others one by one in ``re``, on ``max_chars`` characters."""
    linear: list[int] = []
    backtracking: list[tuple[int, re.Pattern[str]]] = []
    for place, expression in enumerate(expressions):
        try:
            _compile((expression,))
            linear.append(place)
        except ExpressionError as error:
            reason = why_too_slow(expression)
            if reason:
                raise ExpressionError(f"{error}; nor in Python's re: {reason}") from None
            compiled = re.compile(expression, re.IGNORECASE | re.MULTILINE)
            backtracking.append((place, compiled))
    find_linear = _compile(tuple(expressions[place] for place in linear))

    def find(text: bytes) -> list[int]:
        found = [linear[place] for place in find_linear(text)]
        shown = text.decode("utf-8", "replace")
        ends = {shown[:max_chars], shown[-max_chars:]}
        found += [place for place, expression in backtracking if any(map(expression.search, ends))]
        return found

    return find


def _compile_re(expressions: tuple[str, ...]) -> Callable[[bytes], list[int]]:
    for expression in expressions:
        if _NESTED_REPETITION.search(expression):
            raise ExpressionError(f"{expression!r} repeats a repetition, which can't run in time")
    compiled = [re.compile(text, re.IGNORECASE | re.MULTILINE) for text in expressions]

    def find(text: bytes) -> list[int]:
        shown = text[:RE_MAX_CHARS].decode("utf-8", "replace")
        return [place for place, expression in enumerate(compiled) if expression.search(shown)]

    return find
