"""The user's regular expressions, searched together in linear time.

Python's ``re`` backtracks: with ``(a+)+$``, 27 characters keep it busy for seconds while it holds
the GIL, so no timeout helps (CVE-2025-53539). Hyperscan never backtracks, and refuses unsupported
expressions when it compiles them. Where it has no wheel, ``re`` searches a bounded part of the
text, and shapes that take exponential time are refused. In texts that are always short, ``re`` may
also search for look-around, if backtracking.py allows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from guard_wsgi.errors import GuardError
from guard_wsgi.patterns.backtracking import why_too_slow
from guard_wsgi.patterns.hyperscan_scanner import HyperscanRefused, HyperscanScanner, has_hyperscan

RE_MAX_CHARS = 65_536
"""How many characters ``re`` searches if Hyperscan is missing."""

_NESTED_REPETITION = re.compile(r"\([^()]*[*+}][^()]*\)\s*[*+{]")


class ExpressionError(GuardError, ValueError):
    """The text is not a regular expression, or can't be searched in linear time; the message says
    why."""


class Expressions:
    """Expressions, compiled together and searched without regard to case.

    :param backtracks_on: the length of the texts, if they are so short that ``re`` may search them
        for expressions that take more than linear time; longer texts are cut.
    :raises ExpressionError: with the expression and the reason.
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
        """Return the indexes of all expressions found in UTF-8 text."""
        return self._find(text)

    def first(self, text: str) -> str | None:
        """Return one expression that matches, or ``None``."""
        found = self._find(text.encode("utf-8", "replace"))
        return self.expressions[min(found)] if found else None


def literal(text: str) -> str:
    """Return the expression that matches exactly this text."""
    return re.escape(text).replace("\0", r"\x00")


def _check_syntax(expression: str) -> None:
    if not expression:
        raise ExpressionError("an empty expression matches everything")
    if "\0" in expression:
        raise ExpressionError(
            f"{expression!r} contains a NUL character, which Hyperscan does not support"
        )
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
    """Searches the linear expressions together, and the others one by one with ``re``, on
    ``max_chars`` characters."""
    linear: list[int] = []
    backtracking: list[tuple[int, re.Pattern[str]]] = []
    for place, expression in enumerate(expressions):
        try:
            _compile((expression,))
            linear.append(place)
        except ExpressionError as error:
            reason = why_too_slow(expression)
            if reason:
                raise ExpressionError(f"{error}; Python's re refuses it, too: {reason}") from None
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
