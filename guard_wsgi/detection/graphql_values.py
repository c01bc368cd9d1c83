"""The values of a query of GraphQL, and what its shape says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from guard_wsgi.detection.graphql import GraphQL, NotGraphQL, TooDeep, parse
from guard_wsgi.detection.value import Budget, Value

MANY_GUESSES: Final = 4
DEEP_QUERY: Final = 15
"""Levels of a query, which people's own stay below."""
DEEP_INTROSPECTION: Final = 20
"""Of a query for the schema: that of graphql-js 16 has 16."""
MANY_DIRECTIVES: Final = 100
MANY_DIRECTIVES_IN_ROW: Final = 10
"""Of a query, and of one field: clients write a condition or two (OWASP, GraphQL Cheat Sheet)."""
PARSED_CHARS: Final = 2
"""As many characters are parsed for the price of one that is weighed (value.Budget)."""


def graphql_values(value: Value, text: str, budget: Budget) -> Iterator[Value]:
    """String arguments are the values; the query's own shape is weighed by a few features. What
    is no query after all is weighed as it stands."""
    try:
        found = parsed(text, budget)
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
    if found.depth > deep or found.has_circle:
        flags.append("graphql.depth")
    if found.directives > MANY_DIRECTIVES or found.directives_in_row > MANY_DIRECTIVES_IN_ROW:
        flags.append("graphql.directives")
    if found.guesses >= MANY_GUESSES:
        flags.append("graphql.guesses")
    yield Value("graphql", value.name, text, "graphql", tuple(flags))
    for said in found.strings:
        budget.take_value()
        yield Value(value.location, value.name, said)


def parsed(text: str, budget: Budget) -> GraphQL:
    """What is in a document, however much of it was read charged.

    :raises NotGraphQL: for any other text.
    """
    found = GraphQL()
    try:
        parse(text, found)
    finally:
        budget.take_chars(found.chars // PARSED_CHARS)
    return found
