"""The values of a GraphQL query: its strings, and features of its shape."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from guard_wsgi.detection.formats.embedded_documents import Pairs
from guard_wsgi.detection.formats.graphql import GraphQL, NotGraphQL, TooDeep, parse
from guard_wsgi.detection.value import Budget, Value

MANY_GUESSES: Final = 4
DEEP_QUERY: Final = 15
"""The depth from which a query is a finding; people's own stay below."""
DEEP_INTROSPECTION: Final = 20
"""The depth from which a query for the schema is a finding; that of graphql-js 16 has 16."""
MANY_DIRECTIVES: Final = 100
MANY_DIRECTIVES_IN_ROW: Final = 10
"""How many directives of a query, and of one field, are a finding: clients write one or two (OWASP,
GraphQL Cheat Sheet)."""


PARSE_CHARS: Final = 20
TOKEN_CHARS: Final = 2
"""The cost of parsing a text, plus that of one token (value.Budget)."""


def graphql_values(value: Value, text: str, budget: Budget) -> Iterator[Value]:
    """Yield the string arguments; a few features describe the shape of the query. If the text is no
    query after all, it is weighed as it is."""
    try:
        found = _parsed(text, budget)
    except TooDeep:
        yield Value("graphql", value.name, text, "graphql", ("graphql.depth",))
        yield value
        return
    except NotGraphQL:
        yield value
        return
    flags = []
    if found.introspects:
        flags.append("graphql.introspection")
    deep = DEEP_INTROSPECTION if found.introspects else DEEP_QUERY
    if found.depth > deep or found.has_cycle:
        flags.append("graphql.depth")
    if found.directives > MANY_DIRECTIVES or found.directives_in_row > MANY_DIRECTIVES_IN_ROW:
        flags.append("graphql.directives")
    if found.guesses >= MANY_GUESSES:
        flags.append("graphql.guesses")
    yield Value("graphql", value.name, text, "graphql", tuple(flags))
    for said in found.strings:
        budget.take_value()
        yield Value(value.location, value.name, said)


def _parsed(text: str, budget: Budget) -> GraphQL:
    found = GraphQL(budget.chars // TOKEN_CHARS)
    try:
        parse(text, found)
    finally:
        budget.take_chars(PARSE_CHARS + found.tokens * TOKEN_CHARS)
    return found


MAX_OPERATIONS: Final = 100
"""The most operations of a batch to read: clients send ten, and servers that take batches have a
limit (OWASP, GraphQL Cheat Sheet)."""


def batch_values(location: str, root: Any, budget: Budget) -> Iterator[Value]:
    """Report many GraphQL operations in one document if they try many secrets."""
    guesses, first, operations = 0, "", 0
    for pairs in root:
        if isinstance(pairs, Pairs):
            for key, text in pairs:
                if key == "query" and isinstance(text, str):
                    first = first or text
                    with contextlib.suppress(NotGraphQL):
                        guesses += _parsed(text, budget).guesses
                        operations += 1
                        if operations > MAX_OPERATIONS:
                            budget.spend()
    if guesses >= MANY_GUESSES:
        yield Value(location, "", first, "graphql", ("graphql.guesses",))
