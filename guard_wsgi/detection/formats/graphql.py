"""GraphQL documents (specification of October 2021, section 2), parsed strictly.

A text counts as a query only if all of it is one. A text that only begins like a query is weighed
as text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from attrs import define, field

# Appendix B. No two alternatives begin alike, except the two kinds of strings: the block string is
# tried first.
_TOKEN: Final = re.compile(
    r"[\s,\ufeff]+|#(?P<comment>[^\n\r]*)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<mark>\.\.\.|[!$&():=@\[\]{|}])"
    r'|"""(?P<block>(?:[^"\\]|\\(?!""")|\\"""|"(?!""))*)"""|"(?P<string>(?:[^"\\\n\r]|\\.)*)"',
    re.ASCII,
)
_GUESSED: Final = re.compile(
    r"(?:log_?in|sign_?in|authenticate|auth|token_?auth|verify_?(?:otp|code|token)|reset_?password"
    r"|redeem)\w*",
    re.IGNORECASE,
)
"""Fields that take a secret (OWASP, GraphQL Cheat Sheet, "Batching Attacks")."""
_SECRET: Final = re.compile(
    r"(?:new|old|user)?_?(?:pass(?:word|code|phrase|wd)?|pwd|pin|otp|totp|secret|(?:\w{1,20}_?)?code)",
    re.IGNORECASE,
)
"""Arguments that are a secret."""

MAX_DEPTH: Final = 100
"""Deeper documents are not parsed, so they count as text."""

_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}


class NotGraphQL(Exception):
    """The text is not a GraphQL document."""


class TooDeep(NotGraphQL):
    """The document is nested deeper than any real query."""


@define
class GraphQL:
    """The contents of a document.

    :ivar strings: strings in arguments, and comments.
    :ivar depth: the depth of the selection sets, including the fragments that they spread.
    :ivar guesses: fields that take a secret.
    :ivar directives: the number of directives.
    :ivar directives_in_row: the most directives in one place.
    :ivar introspects: whether the document queries the schema.
    :ivar has_cycle: whether a fragment contains itself.
    :ivar most: how many tokens to read; a text with more does not count as a query.
    :ivar tokens: how many tokens were read.
    """

    most: int

    strings: list[str] = field(factory=list)
    depth: int = 0
    guesses: int = 0
    directives: int = 0
    directives_in_row: int = 0
    introspects: bool = False
    has_cycle: bool = False
    tokens: int = 0


def _tokens(text: str, found: GraphQL) -> Iterator[tuple[str, str]]:
    place, size, strings = 0, len(text), found.strings
    while place < size:
        match = _TOKEN.match(text, place)
        if match is None:
            raise NotGraphQL
        place = match.end()
        found.tokens += 1
        if found.tokens > found.most:
            raise NotGraphQL
        kind = match.lastgroup
        if kind is None:
            continue
        said = match[kind]
        if kind in ("comment", "block", "string"):
            if said.strip():
                strings.append(_unescaped(said) if kind == "string" else said)
            if kind == "comment":
                continue
        yield kind, said
    yield "end", ""


_DECODER: Final = json.JSONDecoder(strict=False)


def _unescaped(said: str) -> str:
    """Decode the escapes of a string, which are those of JSON; return it unchanged if one is
    not."""
    if "\\" in said:
        with suppress(ValueError):
            return str(_DECODER.decode(f'"{said}"'))
    return said


def parse(text: str, found: GraphQL) -> None:
    """Parse a document.

    :raises NotGraphQL: for any other text.
    """
    parser = _Parser(_tokens(text, found), found)
    parser.document()


class _Parser:
    def __init__(self, tokens: Iterator[tuple[str, str]], found: GraphQL) -> None:
        self._tokens = tokens
        self._found = found
        self._kind, self._said = next(tokens)
        # For each fragment, and for the operations ("") together: its own depth, and the depth at
        # which it spreads which fragment.
        self._depths: dict[str, int] = {}
        self._spreads: dict[str, dict[str, int]] = {"": {}}
        self._fragment = ""

    def _next(self) -> str:
        said = self._said
        self._kind, self._said = next(self._tokens, ("end", ""))
        return said

    def _take(self, said: str) -> bool:
        if self._kind == "mark" and self._said == said:
            self._next()
            return True
        return False

    def _need(self, said: str) -> None:
        if not self._take(said):
            raise NotGraphQL

    def _name(self) -> str:
        if self._kind != "name":
            raise NotGraphQL
        return self._next()

    def document(self) -> None:
        if self._kind == "end":
            raise NotGraphQL
        while self._kind != "end":
            self._definition()
        depth = _depth(self._depths, self._spreads)
        self._found.has_cycle = depth is None
        self._found.depth = max(self._found.depth, depth or 0)

    def _definition(self) -> None:
        self._fragment = ""
        if self._kind == "mark":
            self._selections(1)
            return
        word = self._name()
        if word in ("query", "mutation", "subscription"):
            if self._kind == "name":
                self._next()
            if self._take("("):
                self._variables()
        elif word == "fragment":
            self._fragment = self._name()
            self._spreads.setdefault(self._fragment, {})
            if self._name() != "on":
                raise NotGraphQL
            self._name()
        else:
            raise NotGraphQL
        self._directives()
        self._selections(1)

    def _variables(self) -> None:
        while not self._take(")"):
            self._need("$")
            self._name()
            self._need(":")
            depth = 0
            while self._take("["):
                depth += 1
            self._name()
            self._take("!")
            for _ in range(depth):
                self._need("]")
                self._take("!")
            if self._take("="):
                self._value(0)
            self._directives()

    def _directives(self) -> None:
        found, before = self._found, self._found.directives
        while self._take("@"):
            self._name()
            found.directives += 1
            if self._take("("):
                self._arguments(0)
        found.directives_in_row = max(found.directives_in_row, found.directives - before)

    def _arguments(self, depth: int, end: str = ")") -> bool:
        """Whether an argument is a secret."""
        has_secret = False
        while not self._take(end):
            has_secret |= _SECRET.fullmatch(self._name()) is not None
            self._need(":")
            self._value(depth + 1)
        return has_secret

    def _value(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise NotGraphQL
        if self._take("$"):
            self._name()
        elif self._take("["):
            while not self._take("]"):
                self._value(depth + 1)
        elif self._take("{"):
            self._arguments(depth, "}")
        elif self._kind in ("name", "number", "string", "block"):
            self._next()
        else:
            raise NotGraphQL

    def _selections(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise TooDeep
        found = self._found
        found.depth = max(found.depth, depth)
        self._depths[self._fragment] = max(self._depths.get(self._fragment, 0), depth)
        self._need("{")
        while not self._take("}"):
            if self._take("..."):
                self._spread(depth)
                continue
            name = self._name()
            if self._take(":"):
                name = self._name()
            if name in ("__schema", "__type"):
                found.introspects = True
            if self._take("(") and (self._arguments(0) or _GUESSED.fullmatch(name)):
                found.guesses += 1
            self._directives()
            if self._kind == "mark" and self._said == "{":
                self._selections(depth + 1)

    def _spread(self, depth: int) -> None:
        if self._kind == "name" and self._said != "on":
            spreads, name = self._spreads[self._fragment], self._next()
            spreads[name] = max(spreads.get(name, 0), depth)
            self._directives()
            return
        if self._kind == "name":
            self._next()
            self._name()
        self._directives()
        self._selections(depth + 1)


def _depth(own: dict[str, int], spreads: dict[str, dict[str, int]]) -> int | None:
    """Return the depth of the deepest definition, with everything that it spreads; ``None`` if a
    fragment spreads itself, directly or through others.

    Definitions that spread nothing come first, then those that spread only finished ones.
    """
    waiting = {name: {one for one in inner if one in spreads} for name, inner in spreads.items()}
    outer: dict[str, list[str]] = {}
    for name, inner in waiting.items():
        for one in inner:
            outer.setdefault(one, []).append(name)
    depths: dict[str, int] = {}
    ready = [name for name, inner in waiting.items() if not inner]
    while ready:
        name = ready.pop()
        # The selection set of a fragment replaces a field of the one that spreads it.
        inner_depths = [at + depths[one] - 1 for one, at in spreads[name].items() if one in depths]
        depths[name] = max(own.get(name, 0), *inner_depths, 0)
        for one in outer.get(name, ()):
            waiting[one].discard(name)
            if not waiting[one]:
                ready.append(one)
    return max(depths.values(), default=0) if len(depths) == len(spreads) else None
