"""Structure inside values: JSON documents, URLs with queries, nested forms, GraphQL.

What has a structure is taken apart before it is scored, so that the quotes of a JSON string or
the `&` of a nested URL are not evidence, while what an attacker writes into a leaf still is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote_plus

from attrs import frozen

from guard_wsgi.detection.value import Budget, BudgetSpent, Value, to_text

MAX_NESTING: Final = 4  # JSON in a URL in a form in JSON; deeper text is scored as it stands

_URL = re.compile(r"\s*(?:[a-zA-Z][a-zA-Z0-9+.-]{1,12}:)?//[^\s?#<>\"'`{}|\\^]+\s*(?:[?#]|$)")
_RELATIVE_URL = re.compile(r"/[\w./%~@:,+-]*\?[\w.%\[\]-]+=")
_NESTED_FORM = re.compile(r"[\w.%\[\]-]{1,64}=[^=&;]*(?:&[\w.%\[\]-]{1,64}=[^=&]*)+&?$")
_GRAPHQL = re.compile(
    r"\s*(?:(?:query|mutation|subscription)\b\s*\w*\s*(?:\([^)]*\))?\s*(?:@\w+\s*)*\{"
    r"|fragment\s+\w+\s+on\s+\w+|\{\s*\w+\s*(?:\{|\(\s*\w+\s*:))"
)
_GRAPHQL_STRING = re.compile(r'"""(.*?)"""|"((?:[^"\\\n]|\\.)*)"', re.DOTALL)
_INTROSPECTION = re.compile(r"\b__(?:schema|type)\b")
_JSON_STRING = re.compile(rb'"((?:[^"\\]|\\.)*)("?)', re.DOTALL)
_SIMPLE_KEY = re.compile(r"[\w.:/ @-]*")
_KEY_EVIDENCE = re.compile(r"__proto__|constructor|prototype|^@type$|java|class\.", re.IGNORECASE)


class _Pairs(list[tuple[str, Any]]):
    """An object's pairs in order, repeats kept: a dict would hide the first of two."""


@frozen
class Document:
    """A parsed JSON text, or the strings salvaged from one that does not parse."""

    root: Any = None
    strings: tuple[str, ...] = ()

    def values(self, location: str, max_depth: int, budget: Budget) -> Iterator[Value]:
        """Keys that stand out, and every string leaf, with its path as the name.

        :raises BudgetSpent: deeper than max_depth.
        """
        for text in self.strings:
            budget.take_value()
            yield from unfold(Value(location, "", text), budget)
        if self.root is None:
            return
        stack: list[tuple[str, Any, int]] = [("", self.root, 0)]
        while stack:
            path, node, depth = stack.pop()
            if isinstance(node, str):
                budget.take_value()
                if node:
                    yield from unfold(Value(location, path, node), budget)
            elif isinstance(node, list):
                if depth >= max_depth:
                    raise BudgetSpent("max_json_depth")
                if isinstance(node, _Pairs):
                    for key, child in reversed(node):
                        if child.__class__ in (str, list, _Pairs):
                            stack.append((f"{path}.{key}" if path else key, child, depth + 1))
                        if not _SIMPLE_KEY.fullmatch(key) or _KEY_EVIDENCE.search(key):
                            budget.take_value()
                            yield Value(location, path, key, "name")
                else:
                    for child in reversed(node):
                        if child.__class__ in (str, list, _Pairs):
                            stack.append((path + "[]", child, depth + 1))


def json_document(body: bytes, complete: bool = True) -> Document | None:
    """Parse a JSON body. One that does not parse gives its string literals and the text around
    them; None when it has neither object, array nor string."""
    text, _ = to_text(body)
    try:
        return Document(json.loads(text.lstrip("\ufeff"), object_pairs_hook=_Pairs, strict=False))
    except RecursionError:
        raise BudgetSpent("max_json_depth") from None
    except ValueError:
        pass
    strings = []
    for match in _JSON_STRING.finditer(body):
        literal = match[1]
        try:
            strings.append(json.loads(b'"' + literal + b'"', strict=False))
        except ValueError:
            strings.append(to_text(literal)[0])
    if complete:
        strings.append(text)
    return Document(None, tuple(strings)) if strings else None


def unfold(value: Value, budget: Budget, depth: int = 0) -> Iterator[Value]:
    """The value, or the values it is made of when its text has a structure of its own."""
    text = value.text
    if depth >= MAX_NESTING or len(text) < 4:
        yield value
        return
    first = text.lstrip()[:1]
    if first and first in '{["':
        root = _parse(text)
        if root is not None:
            yield from _unfold_json(value, root, budget, depth)
            return
    if _GRAPHQL.match(text):
        yield from _graphql(value, text, budget)
        return
    if "//" in text[:24] and _URL.match(text) or _RELATIVE_URL.match(text):
        yield from _unfold_url(value, text, budget, depth)
        return
    if "=" in text and "&" in text and _NESTED_FORM.fullmatch(text):
        yield from _unfold_form(value, text, budget, depth)
        return
    yield value


def _parse(text: str) -> Any:
    try:
        root = json.loads(text, object_pairs_hook=_Pairs, strict=False)
    except RecursionError:
        raise BudgetSpent("max_json_depth") from None
    except ValueError:
        return None
    return root if isinstance(root, (str, list)) else None


def _unfold_json(value: Value, root: Any, budget: Budget, depth: int) -> Iterator[Value]:
    if isinstance(root, str) and root == value.text:
        yield value
        return
    for inner in Document(root).values(value.location, 32, budget):
        name = f"{value.name}.{inner.name}" if inner.name else value.name
        yield Value(value.location, name, inner.text, inner.kind, value.flags)


def _unfold_url(value: Value, text: str, budget: Budget, depth: int) -> Iterator[Value]:
    base, hash_mark, fragment = text.partition("#")
    base, question, query = base.partition("?")
    kind = "url" if question or hash_mark else value.kind
    yield Value(value.location, value.name, base + ("?" if question and not query else ""), kind, value.flags)
    if query:
        yield from _pairs(value, query, budget, depth)
    if fragment:
        if "=" in fragment and "&" in fragment:
            yield from _pairs(value, fragment, budget, depth)
        else:
            yield Value(value.location, value.name, unquote_plus(fragment), "", value.flags)


def _unfold_form(value: Value, text: str, budget: Budget, depth: int) -> Iterator[Value]:
    yield from _pairs(value, text, budget, depth)


def _pairs(value: Value, query: str, budget: Budget, depth: int) -> Iterator[Value]:
    for pair in query.split("&"):
        if not pair:
            continue
        budget.take_value()
        name, equals, inner = pair.partition("=")
        full = f"{value.name}>{name}"
        if not re.fullmatch(r"[\w.:\[\]%-]*", name) or "$" in name or "__" in name:
            yield Value(value.location, full, unquote_plus(name), "name", value.flags)
        if inner:
            yield from unfold(
                Value(value.location, full, unquote_plus(inner), "", value.flags),
                budget,
                depth + 1,
            )


def _graphql(value: Value, text: str, budget: Budget) -> Iterator[Value]:
    """String arguments are the values; the query's own shape is weighed by a few features."""
    flags = []
    if _INTROSPECTION.search(text):
        flags.append("graphql.introspection")
    if _max_depth(text) > 12:
        flags.append("graphql.depth")
    outside = _GRAPHQL_STRING.sub('""', text)
    if flags:
        yield Value("graphql", value.name, outside, "graphql", tuple(flags))
    else:
        yield Value("graphql", value.name, outside, "graphql")
    for match in _GRAPHQL_STRING.finditer(text):
        budget.take_value()
        literal = match[1] if match[1] is not None else match[2]
        if literal:
            yield Value("graphql", value.name, literal)


def _max_depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        if character == "{":
            depth += 1
            deepest = max(deepest, depth)
        elif character == "}":
            depth -= 1
    return deepest
