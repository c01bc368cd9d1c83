"""Structure in values: JSON documents, URLs with queries, nested forms, GraphQL.

A value with a structure is parsed before it is scored. So the quotes of a JSON string or the `&` of
a nested URL are not evidence, but an attack in a leaf still is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import unquote, unquote_plus

from attrs import evolve, frozen

from guard_wsgi.detection.decoding.pickles import FEATURE as PICKLE_CALL
from guard_wsgi.detection.decoding.pickles import is_pickle_call
from guard_wsgi.detection.formats import data_urls
from guard_wsgi.detection.formats.embedded_documents import (
    XML_DOCUMENT,
    Pairs,
    decode_json,
    document_in_base64,
    parsed_json,
    token_documents,
)
from guard_wsgi.detection.formats.graphql_values import MANY_GUESSES, batch_values, graphql_values
from guard_wsgi.detection.formats.mails import is_notification, kind_of_notified, mail_values
from guard_wsgi.detection.formats.nesting import LEVEL, cost_of
from guard_wsgi.detection.formats.requirement import is_requirement
from guard_wsgi.detection.formats.sentences import with_quotes, without_sentence
from guard_wsgi.detection.formats.xmlbody import xml_pieces
from guard_wsgi.detection.language.python_expressions import FEATURE as REACHING_EXPRESSION
from guard_wsgi.detection.language.python_expressions import is_reaching_expression
from guard_wsgi.detection.relaxations.field_names import (
    FILTER_RANGE,
    asks_secret,
    is_filter,
    is_written,
    names_filter,
)
from guard_wsgi.detection.relaxations.fragments import data_blocks
from guard_wsgi.detection.relaxations.published_fields import KindOf, kinds_inside, no_kind
from guard_wsgi.detection.value import (
    MAIL,
    PLACE,
    SECRET_OPERATOR,
    UNREAD,
    Budget,
    BudgetSpent,
    Value,
    stands_out,
    to_text,
    with_parent,
)

MAX_NAME_CHARS: Final = 100  # as in form.py; a JSON path keeps its end
MAX_NESTING: Final = 4  # JSON in a URL in a form in JSON; deeper text is scored as it is

# The cost of trying to read a text as JSON, plus one for this many of its characters
# (value.Budget).
PARSE_CHARS: Final = 12
PARSED_EACH: Final = 32
WRAPPED_CHARS: Final = 16
"""The cost of trying to read a text as a token."""

_URL = re.compile(r"\s*(?:[a-zA-Z][a-zA-Z0-9+.-]{1,12}:)?//[^\s?#<>\"'`{}|\\^]+\s*(?:[?#]|$)")
_ENCODED_URL = re.compile(
    r"\s*[a-zA-Z][a-zA-Z0-9+.-]{1,12}(?::|%(?:25)*3A)(?:%(?:25)*2F){2}", re.IGNORECASE
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_TOKEN_STARTS: Final = frozenset("eICDW")
"""The first letter of a brace, a bracket or a blank in base64."""
_RELATIVE_URL = re.compile(r"/[\w./%~@:,+-]*\?[\w.%\[\]-]+=")
_NESTED_FORM = re.compile(r"[\w.%\[\]-]{1,64}=[^=&;]*(?:&[\w.%\[\]-]{1,64}=[^=&]*)+&?$")
# The beginning of a GraphQL document; graphql.py decides whether it is one. Words in braces alone
# are a document, too, and also an expansion of a shell.
_GRAPHQL = re.compile(
    r"\s*(?:\{\s*\w+\s*(?:\{|\(\s*\w+\s*:|:\s*\w+\s*[({])"
    r"|(?:query|mutation|subscription|fragment)\b|#[^\n]*\n\s*(?:query|mutation|fragment|\{))"
)
_SHORT_GRAPHQL = re.compile(
    r"[\s,\ufeff]*(?:\{[\s,]*(?:\.\.\.|[A-Za-z_])|#|(?:query|mutation|fragment)\b)"
)
_JSON_STRING = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"?', re.DOTALL)
_QUOTED_OPERATOR = re.compile(
    r"\s|[^\w\s].{2}|(?:x?or|and|not|r?like|i?like|regexp|glob|is|in|between|collate|union|order|group"
    r"|having|limit|where|div|mod|escape|window|notnull|isnull)\b.*\S",
    re.IGNORECASE | re.DOTALL,
)
_SIMPLE_KEY = re.compile(r"[\w.:@-]*")


@frozen
class Document:
    """A parsed JSON text, or the strings found in one that does not parse."""

    root: Any = None
    strings: tuple[str, ...] = ()

    def values(
        self, location: str, max_depth: int, budget: Budget, kind_of: KindOf = no_kind
    ) -> Iterator[Value]:
        """Yield unusual keys, and every string with its path as the name.

        :param kind_of: returns the kind of a string by its path from the root of a body.
        :raises BudgetSpent: if it nests deeper than max_depth.
        """
        for text in self.strings:
            budget.take_value()
            yield from unfold(Value(location, "", text), budget)
        if self.root is None:
            return
        if isinstance(self.root, list) and len(self.root) >= MANY_GUESSES:
            yield from batch_values(location, self.root, budget)
        stack: list[tuple[str, Any, int]] = [("", self.root, 0)]
        deepest = max_depth * LEVEL
        while stack:
            path, node, depth = stack.pop()
            if isinstance(node, str):
                budget.take_value()
                if node and node != "\x00":
                    kind = kind_of(path, node)
                    value = Value(location, path, node, kind)
                    yield from (value,) if kind else unfold(value, budget)
            elif isinstance(node, list):
                if depth >= deepest:
                    raise BudgetSpent("max_json_depth")
                if isinstance(node, Pairs):
                    for key, child in reversed(node):
                        if child.__class__ in (str, list, Pairs):
                            name = f"{path}.{key}" if path else key
                            below = depth + cost_of(path, key)
                            stack.append((name[-MAX_NAME_CHARS:], child, below))
                        is_simple = _SIMPLE_KEY.fullmatch(key) and not stands_out(key)
                        if is_simple or names_filter(key):
                            continue
                        if kind_of(path + "{}", key) != PLACE:
                            budget.take_value()
                            is_asked = key[:1] == "$" and asks_secret(f"{path}.{key}")
                            flags = (SECRET_OPERATOR,) if is_asked else ()
                            yield Value(location, path, with_parent(path, key), "name", flags)
                else:
                    for child in reversed(node):
                        if child.__class__ in (str, list, Pairs):
                            stack.append((path + "[]", child, depth + LEVEL))


def is_json(body: bytes) -> bool:
    """Whether a body is one JSON document, or has one on each line."""
    try:
        json.loads(body)
    except RecursionError:
        raise BudgetSpent("max_json_depth") from None
    except ValueError:
        return whole_json(body) is not None
    return True


def whole_json(body: bytes) -> Document | None:
    """Return the document of a body, decoded like `json.loads` decodes bytes (UTF-8, UTF-16 or
    UTF-32), or the documents on its lines; ``None`` if it does not parse.

    :raises BudgetSpent: if it nests deeper than the parser can go.
    """
    try:
        text = body.decode(json.detect_encoding(body), "surrogatepass").lstrip("\ufeff")
        return Document(decode_json(text))
    except RecursionError:
        raise BudgetSpent("max_json_depth") from None
    except UnicodeError:
        return None
    except ValueError:
        lines = _json_lines(text)
        return Document(lines) if lines else None


def json_document(body: bytes, complete: bool = True) -> Document | None:
    """Parse a JSON body. If it does not parse, return its string literals and the text around them;
    ``None`` if it has no object, array or string."""
    document = whole_json(body)
    if document is not None:
        return document
    strings = []
    for match in _JSON_STRING.finditer(body):
        literal = match[1]
        try:
            strings.append(json.loads(b'"' + literal + b'"', strict=False))
        except ValueError:
            strings.append(to_text(literal)[0])
    if complete:
        strings.append(to_text(body)[0])
    return Document(None, tuple(strings)) if strings else None


def _json_lines(text: str) -> list[Any]:
    """Return the documents of a body with one on each line, as telemetry is sent (ndjson, Sentry
    envelopes); [] if a line is not one."""
    found = []
    for line in text.splitlines():
        if line.strip():
            try:
                found.append(decode_json(line))
            except (ValueError, RecursionError):
                return []
    return found if len(found) > 1 else []


# A text without a structure: it is one short line, has no separator of a structure, and does not
# begin like a document, an address, a GraphQL query or a blank.
_UNSTRUCTURED = re.compile(r"[^\s%{[\"<#,/&;\ufeffdDqmsfe][^%/&;\n]{0,14}|[de]\w{0,14}")


def unfold(value: Value, budget: Budget, depth: int = 0) -> Iterable[Value]:
    """The value, or its parts if its text has a structure.

    A value that can't be parsed is weighed as it is and reported (`UNREAD`).
    """
    # Optimization: a form has thousands of values, and nearly all have none.
    if value.kind != MAIL and _UNSTRUCTURED.fullmatch(value.text) is not None:
        return (value,)
    return _unfolded(value, budget, depth)


def _unfolded(value: Value, budget: Budget, depth: int) -> Iterator[Value]:
    try:
        yield from _unfold(value, budget, depth)
    except BudgetSpent:
        raise
    except Exception:  # any fault: a value that was not read must not count as harmless
        yield evolve(value, flags=(*value.flags, UNREAD))


def _unfold(value: Value, budget: Budget, depth: int) -> Iterator[Value]:
    text = value.text
    if depth >= MAX_NESTING or len(text) < 4:
        yield value
        return
    if (pieces := mail_values(value, budget)) is not None:
        for one in pieces:
            yield from (one,) if one.kind else unfold(one, budget, depth + 1)
        return
    if is_pickle_call(text, budget.take_chars):
        value = evolve(value, flags=(*value.flags, PICKLE_CALL))
    elif value.kind in ("", "path") and is_reaching_expression(text, budget.take_chars):
        value = evolve(value, flags=(*value.flags, REACHING_EXPRESSION))
    first = text.lstrip()[:1]
    if first in ("d", "D") and (contents := data_urls.content(value, budget)) is not None:
        for one in contents:
            yield from unfold(one, budget, depth + 1)
        return
    if data_urls.PICTURE_HINT in text:
        value = data_urls.without_pictures(value)
        text = value.text
    if first and first in '{["':
        budget.take_chars(PARSE_CHARS + len(text) // PARSED_EACH)
        root = parsed_json(text)
        if root is not None:
            yield from _unfold_json(value, root, budget)
            return
    if text[:3].lower() in ("%7b", "%5b") or ("%" in text[:20] and _ENCODED_URL.match(text)):
        yield from unfold(evolve(value, text=unquote(text)), budget, depth + 1)
        return
    if len(text) >= 16 and _BASE64.fullmatch(text):
        inner = document_in_base64(text)
        if inner is not None:
            yield from unfold(evolve(value, text=inner), budget, depth + 1)
            return
    if text[0] in _TOKEN_STARTS and "." in text:
        budget.take_chars(WRAPPED_CHARS + len(text) // PARSED_EACH)
        documents = token_documents(text)
        if documents:
            for name, inner in documents:
                named = evolve(value, name=f"{value.name}>{name}"[:MAX_NAME_CHARS], text=inner)
                yield from unfold(named, budget, depth + 1)
            return
    if (
        first == "<"
        and "<svg" in text[:512]
        and (texts := data_urls.picture_texts(value)) is not None
    ):
        yield from texts
        return
    if first == "<" and "/ld+json" in text:
        rest, documents = data_blocks(text, parsed_json)
        if documents:
            for root in documents:
                yield from _unfold_json(value, root, budget)
            yield from unfold(evolve(value, text=rest.strip()), budget, depth + 1)
            return
    if first == "<" and value.kind == "" and XML_DOCUMENT.match(text):
        yield from markup_values(value, text, budget)
        return
    if _GRAPHQL.match(text):
        yield from graphql_values(value, text, budget)
        return
    if _SHORT_GRAPHQL.match(text):
        # It excuses nothing, but it may be a query that costs too much.
        yield from [one for one in graphql_values(value, text, budget) if one.flags]
    if ("//" in text[:24] and _URL.match(text)) or _RELATIVE_URL.match(text):
        yield from _unfold_url(value, text, budget, depth)
        return
    if ";" in text and is_requirement(text):
        return
    if "=" in text and "&" in text and _NESTED_FORM.fullmatch(text):
        yield from _pairs(value, text, budget, depth)
        return
    yield value
    yield from without_sentence(value, budget)


def _unfold_json(value: Value, root: Any, budget: Budget) -> Iterator[Value]:
    if isinstance(root, str):
        # An app that reads no JSON reads the quotes. Around a phrase they are those of a search.
        if root == value.text or _QUOTED_OPERATOR.match(root):
            yield value
        if root == value.text:
            return
    kind_of = kind_of_notified if is_notification(value) else kinds_inside(value)
    for inner in Document(root).values(value.location, 32, budget, kind_of):
        if inner.kind == "name" and _is_quoted(value, inner):
            continue
        name = f"{value.name}.{inner.name}" if inner.name else value.name
        flags = (*value.flags, *inner.flags)
        named = Value(value.location, name, inner.text, inner.kind, flags)
        yield from unfold(named, budget, 1) if inner.kind == MAIL else (named,)
        if not isinstance(root, str):
            yield from with_quotes(named)


def _is_quoted(value: Value, operator: Value) -> bool:
    """Whether an operator belongs to a query of a document store that is only quoted: in a text, or
    as the filter in the URL of another page. Apps don't query their own store with these.

    An operator that is a whole value is not quoted, because an app may compare with it.
    """
    if FILTER_RANGE.fullmatch(operator.text) is None:
        return False
    if not operator.name and operator.text not in ("$or", "$and", "$nor"):
        return False
    inner = value.name.rpartition(">")
    return is_written(value) or (inner[1] != "" and is_filter(inner[2])) or is_filter(operator.name)


def _unfold_url(value: Value, text: str, budget: Budget, depth: int) -> Iterator[Value]:
    base, hash_mark, fragment = text.partition("#")
    base, question, query = base.partition("?")
    kind = "url" if question or hash_mark else value.kind
    shown = base + ("?" if question and not query else "")
    yield Value(value.location, value.name, shown, kind, value.flags)
    if query:
        yield from _pairs(value, query, budget, depth)
    if fragment:
        if "=" in fragment and "&" in fragment:
            yield from _pairs(value, fragment, budget, depth)
        else:
            yield Value(value.location, value.name, unquote_plus(fragment), "", value.flags)


def _pairs(value: Value, query: str, budget: Budget, depth: int) -> Iterator[Value]:
    for pair in query.split("&"):
        if not pair:
            continue
        budget.take_value()
        name, _, inner = pair.partition("=")
        full = f"{value.name}>{name}"[:MAX_NAME_CHARS]
        read = unquote_plus(name)
        if not re.fullmatch(r"[\w.:\[\]%-]*", read) or "__" in read:
            yield Value(value.location, full, read, "name", value.flags)
        if inner:
            yield from unfold(
                Value(value.location, full, unquote_plus(inner), "", value.flags),
                budget,
                depth + 1,
            )


def xml_values(document: bytes, budget: Budget) -> Iterator[Value]:
    """Yield the values of an XML body, with the structures in them parsed."""
    for piece in xml_pieces(document, budget):
        if piece.kind:
            yield piece
        else:
            yield from unfold(piece, budget, 1)


def markup_values(value: Value, text: str, budget: Budget) -> Iterator[Value]:
    """Yield the values of an XML document that is itself a value."""
    for piece in xml_pieces(text, budget):
        yield evolve(piece, location=value.location, name=f"{value.name}>{piece.name}")
