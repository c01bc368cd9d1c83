"""A GraphQL service: ariadne, with the gql client, developers' tools and batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

REQUIREMENTS = ("ariadne", "gql[requests]>=3.5,<4")
SENDS_FILES = False

SCHEMA = """
type Query {
  note(id: ID!): Note
  search(text: String!, first: Int = 10, order: Order = NEWEST): [Note!]!
}
type Mutation {
  write(input: NoteInput!): Note!
  log(level: String!, message: String!): Boolean!
}
type Note { id: ID! title: String! text: String! tags: [String!]! by: Person! }
type Person { name: String! email: String }
input NoteInput { title: String!, text: String!, tags: [String!] = [] }
enum Order { NEWEST OLDEST }
"""

FRAGMENTS = """
query Search($text: String!, $first: Int = 5, $withText: Boolean = true) {
  search(text: $text, first: $first, order: OLDEST) {
    __typename
    ...Card
    text @include(if: $withText)
  }
}
fragment Card on Note { id title tags by { name email } }
"""

TEXTS = (
    "Please review the new image, and select one or drop the other",
    "It's 5' or 6' wide; don't cut it",
    "Run `npm install && npm start` and open http://localhost:3000",
    "SELECT name FROM users is slow",
    "if (a < b) { return a } else { throw 'no' }",
    "see ../docs, or the /etc/hosts entry of the new box",
    "{{ title }} is shown twice",
    'NullPointerException: Cannot invoke "String.length()" because "s" is null',
)
"""Short notes of people who write about software."""


def app(folder: Path) -> Any:
    """The service, with the explorer on GET."""
    from ariadne import MutationType, QueryType, make_executable_schema
    from ariadne.wsgi import GraphQL

    notes: list[dict[str, Any]] = []
    query, mutation = QueryType(), MutationType()

    @query.field("note")
    def note(_: Any, info: Any, id: str) -> Any:
        return notes[int(id)] if int(id) < len(notes) else None

    @query.field("search")
    def search(_: Any, info: Any, text: str, first: int = 10, order: str = "NEWEST") -> Any:
        return [one for one in notes if text in one["text"]][:first]

    @mutation.field("write")
    def write(_: Any, info: Any, input: dict[str, Any]) -> Any:
        notes.append({"id": len(notes), "by": {"name": "Ann"}, "tags": [], **input})
        return notes[-1]

    @mutation.field("log")
    def log(_: Any, info: Any, level: str, message: str) -> bool:
        return True

    return GraphQL(make_executable_schema(SCHEMA, query, mutation))


def drive(url: str, folder: Path, step: Any) -> None:
    """Work with the service as clients and developers do."""
    import json

    import requests
    from gql import Client, gql
    from gql.transport.requests import RequestsHTTPTransport
    from graphql import get_introspection_query

    transport = RequestsHTTPTransport(url=url + "/graphql", timeout=30)
    knowing = Client(transport=transport, fetch_schema_from_transport=True)
    plain = Client(transport=transport)

    def ask(document: str, client: Any = plain, **variables: Any) -> Any:
        return client.execute(gql(document), variable_values=variables)

    step("reads the schema and searches", lambda: ask(FRAGMENTS, knowing, text="wide"))
    write = "mutation W($input: NoteInput!) { write(input: $input) { id title } }"
    for number, text in enumerate(TEXTS):
        step(
            f"writes note {number}",
            lambda text=text: ask(write, input={"title": text[:20], "text": text, "tags": ["a"]}),
        )
        step(f"searches for note {number}", lambda text=text: ask(FRAGMENTS, text=text))
        inline = f'mutation {{ log(level: "info", message: {json.dumps(text)}) }}'
        step(f"logs note {number}", lambda inline=inline: ask(inline))
    session = requests.Session()
    introspection = {
        "the usual query": get_introspection_query(),
        "with everything": get_introspection_query(
            specified_by_url=True, directive_is_repeatable=True, schema_description=True
        ),
        "one type": '{ __type(name: "Note") { name fields { name type { name kind } } } }',
        "a name": "{ __typename }",
    }
    explorer = {"Accept": "application/json", "Origin": url, "Referer": url + "/graphql"}

    def post(payload: Any) -> None:
        answer = session.post(url + "/graphql", json=payload, headers=explorer, timeout=30)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text[:200]}"

    def get(**query: str) -> None:
        headers = {"Accept": "text/html,application/xhtml+xml", "User-Agent": "Mozilla/5.0"}
        answer = session.get(url + "/graphql", params=query, headers=headers, timeout=30)
        assert answer.status_code in (200, 400, 405), f"{answer.status_code} {answer.text[:200]}"
        assert "uspicious" not in answer.text

    step("opens the explorer", get)
    for name, query in introspection.items():
        payload = {"operationName": "IntrospectionQuery", "query": query, "variables": {}}
        if "IntrospectionQuery" not in query:
            payload.pop("operationName")
        step(f"introspects {name}", lambda payload=payload: post(payload))
        step(f"introspects {name} by address", lambda query=query: get(query=query))
