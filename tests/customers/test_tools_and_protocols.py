"""What file managers, version control, calendars and API clients send every day is let through.

The requests are those of the clients in benchmarks/peers/peer_apps, where each is run for real;
here they are sent one by one to the default configuration.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from guard_wsgi import GuardMiddleware, SecurityConfig
from guard_wsgi.request.verdict import ENVIRON_KEY
from tests.kit.gateway import environ_for

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "peers" / "peer_apps"))

import peer_caldav
import peer_git
import peer_graphql
import peer_webdav

HOST = "http://localhost"
MULTIPART = "multipart/form-data; boundary=7d91f0"


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"served"]


@pytest.fixture(scope="module", params=["told", "not told"])
def guard(request: pytest.FixtureRequest) -> Iterator[GuardMiddleware]:
    """A guard that weighs all evidence, as somebody is told; and one that may stop at enough."""
    # Each request for itself: no limit, and no ban for the one before it.
    config = SecurityConfig(enable_rate_limiting=False, enable_ip_banning=False)
    if request.param == "told":
        config = config.evolve(on_block=lambda request, payload: None)
    guard = GuardMiddleware(app, config)
    yield guard
    guard.close()


def refused_for(
    guard: GuardMiddleware,
    method: str,
    path: str,
    body: bytes = b"",
    kind: str | None = None,
    query: str = "",
    **headers: str,
) -> str:
    """Why a request is refused; empty when it is served."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    options: dict[str, Any] = {"method": method, "query_string": query, "headers": given}
    if body:
        options |= {"data": body, "content_type": kind}
    environ = environ_for(path, **options)
    statuses: list[str] = []
    list(guard(environ, lambda status, headers, exc_info=None: statuses.append(status)))
    verdict = environ[ENVIRON_KEY]
    return "" if statuses == ["200 OK"] else f"{statuses} {verdict.reason} {verdict.findings}"


@pytest.mark.parametrize("path", peer_webdav.LOOKED_FOR)
def test_file_managers_look_for_their_files_on_a_share(guard: GuardMiddleware, path: str) -> None:
    body = peer_webdav.PROPFIND
    for headers in (peer_webdav.MAC, peer_webdav.WINDOWS):
        given = {name.replace("-", "_"): value for name, value in headers.items()}
        assert not refused_for(guard, "PROPFIND", path, body, "text/xml", Depth="0", **given)
    assert not refused_for(guard, "GET", path)
    assert not refused_for(guard, "HEAD", path)


@pytest.mark.parametrize("name", peer_webdav.WRITTEN)
def test_a_share_takes_files_of_any_name(guard: GuardMiddleware, name: str) -> None:
    target = f"{HOST}/moved%20{quote(name)}"
    assert not refused_for(guard, "PUT", f"/{quote(name)}", b"content\n")
    assert not refused_for(guard, "MOVE", f"/{quote(name)}", Destination=target, Overwrite="T")
    assert not refused_for(guard, "COPY", f"/{quote(name)}", Destination=target, Overwrite="F")
    assert not refused_for(guard, "MOVE", "/a", Destination=f"/{quote(name)}")
    assert not refused_for(guard, "DELETE", f"/{quote(name)}")


@pytest.mark.parametrize(
    "condition",
    [
        "(<opaquelocktoken:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>)",
        '(<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2> ["I am an ETag"]) (["another"])',
        "(Not <urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2> <urn:uuid:58f202ac-22cf-11d1-b12d>)",
        "(<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2>) (Not <DAV:no-lock>)",
        "(<opaquelocktoken:0x63616cd4342c1488109df4b580ea11754823f34122e1>) (Not <DAV:no-lock>)",
        f'<{HOST}/a%20b/paper.docx> (<opaquelocktoken:a515cfa4-5da4-22e1-f5b5> [W/"x"])',
        f'</container1/> (<opaquelocktoken:a>) <{HOST}/container2/> (["1a-2"])',
    ],
)
def test_a_share_takes_conditions_with_lock_tokens(guard: GuardMiddleware, condition: str) -> None:
    assert not refused_for(guard, "PUT", "/paper.docx", b"PK\x03\x04", If=condition)
    assert not refused_for(guard, "DELETE", "/paper.docx", If=condition)


def pushed(references: list[tuple[str, str, str]], pack: bytes) -> bytes:
    """The body of a push: references (old, new, name) as pkt-lines, then the pack."""
    lines = []
    for number, (old, new, name) in enumerate(references):
        text = f"{old} {new} refs/heads/{name}".encode()
        if not number:
            text += b"\x00 report-status-v2 side-band-64k object-format=sha1 agent=git/2.39.5"
        lines.append(b"%04x" % (len(text) + 4) + text)
    return b"".join(lines) + b"0000" + pack


@pytest.mark.parametrize("seed", range(15))
def test_several_references_are_pushed(guard: GuardMiddleware, seed: int) -> None:
    rng = random.Random(seed)
    names = rng.sample([*peer_git.BRANCHES, *peer_git.TAGS], rng.randrange(3, 30))
    references = [(f"{0:040x}", f"{rng.getrandbits(160):040x}", name) for name in names]
    pack = b"PACK\x00\x00\x00\x02" + rng.randbytes(rng.choice((0, 200, 40_000)))
    for body in (pushed(references, pack), pushed([(b, a, n) for a, b, n in references], b"")):
        kind = "application/x-git-receive-pack-request"
        assert not refused_for(guard, "POST", "/shop.git/git-receive-pack", body, kind)


@pytest.mark.parametrize(
    "revset",
    [
        "draft() or public()",
        "draft() and not merge()",
        "branch(default) and user('ann')",
        "reverse(::tip)",
        "head() and not closed()",
        "keyword('select') or file('*.py')",
        "sort(all(), -date)",
        "last(all(), 3)",
        "ancestors(tip) - ancestors(0)",
        "parents(tip) or heads(all())",
        "only(tip, 'release-1.0') and desc('fix')",
    ],
)
def test_revsets_are_searched(guard: GuardMiddleware, revset: str) -> None:
    assert not refused_for(guard, "GET", "/log", query=urlencode({"rev": revset}))
    batch = urlencode({"cmd": "lookup", "key": revset})
    assert not refused_for(guard, "GET", "/", query=batch)


def test_300_events_are_imported_in_one_file(guard: GuardMiddleware) -> None:
    rng = random.Random(7)
    events = [peer_caldav.event(number, rng) for number in range(300)]
    for count in (1, 10, 50, 150, 300):
        body = peer_caldav.calendar(events[:count]).encode()
        for kind in ("text/calendar", "text/calendar; charset=utf-8"):
            assert not refused_for(guard, "PUT", "/ann/team/", body, kind)


@pytest.mark.parametrize("number", range(40))
def test_events_and_contacts_are_saved_one_by_one(guard: GuardMiddleware, number: int) -> None:
    rng = random.Random(number)
    event = peer_caldav.calendar([peer_caldav.event(number, rng)]).encode()
    card = peer_caldav.card(number, rng).encode()
    assert not refused_for(guard, "PUT", f"/ann/team/{number}.ics", event, "text/calendar")
    assert not refused_for(guard, "PUT", f"/ann/people/{number}.vcf", card, "text/vcard")


def test_contacts_are_searched(guard: GuardMiddleware) -> None:
    find = peer_caldav.FIND_A_NAME.encode()
    assert not refused_for(guard, "REPORT", "/ann/people/", find, "application/xml", Depth="1")


@pytest.mark.parametrize(
    "requirement",
    [
        "brotlicffi>=0.8.0; (platform_python_implementation != 'CPython') and extra == 'brotli'",
        "tomli>=2.0; python_version < '3.11'",
        'typing-extensions; python_version<"3.8"',
        "pywin32>=226; sys_platform == 'win32' or platform_system == 'Windows'",
        "gevent>=24.2; extra == 'gevent' and implementation_name != 'pypy'",
        "importlib-metadata (>=4.6) ; python_version >= '3.7' and python_version < '3.8'",
        "name @ https://example.com/name-1.0.whl ; os_name == 'nt'",
    ],
)
def test_a_package_is_uploaded_with_its_requirements(
    guard: GuardMiddleware, requirement: str
) -> None:
    fields = {":action": "file_upload", "name": "shop", "requires_dist": requirement}
    parts = [
        f'--7d91f0\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    file = (
        '--7d91f0\r\nContent-Disposition: form-data; name="content"; filename="shop.whl"\r\n'
        "Content-Type: application/octet-stream\r\n\r\nPK\x03\x04\r\n--7d91f0--\r\n"
    )
    body = ("".join(parts) + file).encode("latin-1")
    assert not refused_for(guard, "POST", "/legacy/", body, MULTIPART)


INTROSPECTIONS = (
    "query IntrospectionQuery { __schema { queryType { name } types { ...FullType } } }"
    " fragment FullType on __Type { kind name fields(includeDeprecated: true) { name } }",
    '{ __type(name: "Note") { name fields { name type { name kind ofType { name } } } } }',
    "query { __schema { directives { name locations args { name } } } }",
    "{ __typename }",
)


@pytest.mark.parametrize("query", INTROSPECTIONS)
def test_developers_read_a_graphql_schema(guard: GuardMiddleware, query: str) -> None:
    body = json.dumps({"query": query, "variables": {}}).encode()
    for path in ("/graphql", "/api/graphql", "/graphql/"):
        assert not refused_for(guard, "POST", path, body, "application/json")
        assert not refused_for(guard, "GET", path, query=urlencode({"query": query}))


@pytest.mark.parametrize("text", peer_graphql.TEXTS)
def test_a_graphql_client_writes_about_code(guard: GuardMiddleware, text: str) -> None:
    write = "mutation W($input: NoteInput!) { write(input: $input) { id title } }"
    payload = {"query": write, "variables": {"input": {"title": text[:20], "text": text}}}
    inline = {"query": f'mutation {{ log(level: "info", message: {json.dumps(text)}) }}'}
    for made in (payload, inline):
        body = json.dumps(made).encode()
        assert not refused_for(guard, "POST", "/graphql", body, "application/json")


@pytest.mark.parametrize(
    "document",
    [
        {"cwd": "/root"},
        {"path": "/root/project", "env": {"HOME": "/root", "SHELL": "zsh"}},
        {"template": "{{ m['role'] }}: {{ m['content'] }}"},
        {"chat_template": "{% for m in messages %}{{ m['role'] }}\n{% endfor %}"},
        {"type": "notebook", "content": {"cells": [{"source": "import os\nos.listdir('/')"}]}},
        {"params": [{"key": "query", "value": "SELECT * FROM train WHERE split = 'a'"}]},
    ],
)
def test_developers_tools_send_json(guard: GuardMiddleware, document: Any) -> None:
    body = json.dumps(document).encode()
    assert not refused_for(guard, "POST", "/api/runs", body, "application/json")


@pytest.mark.parametrize(
    "path",
    [
        "/images/shell.jpg",
        "/images/cmd.png",
        "/images/logo.php.jpg",
        "/test/.api",
        "/.well-known/acme-challenge/abc",
        "/site_media/%252F.txt",
        "/downloads/backup-tool.zip",
    ],
)
def test_files_are_read_by_their_names(guard: GuardMiddleware, path: str) -> None:
    assert not refused_for(guard, "GET", path)
    assert not refused_for(guard, "HEAD", path)


def test_nobody_who_mounts_a_share_or_explores_a_schema_is_banned_or_limited() -> None:
    guard = GuardMiddleware(app, SecurityConfig())
    schema = json.dumps({"query": INTROSPECTIONS[0]}).encode()
    for _ in range(3):
        for path in peer_webdav.LOOKED_FOR:
            given = {"Depth": "0", "User_Agent": peer_webdav.MAC["User-Agent"]}
            assert not refused_for(
                guard, "PROPFIND", path, peer_webdav.PROPFIND, "text/xml", **given
            )
        for name in peer_webdav.WRITTEN:
            assert not refused_for(guard, "PUT", f"/{quote(name)}", b"content\n")
        assert not refused_for(guard, "POST", "/graphql", schema, "application/json")
    assert not guard.bans.list()
    guard.close()


@pytest.mark.parametrize(
    "text",
    [
        '!function(e){"use strict";var t=document.createElement("script");t.src=e}(window);',
        "{% spaceless %}\n{% for url in urlset %}<loc>{{ url.location }}</loc>{% endfor %}\n",
        "#!/bin/sh\nrm -rf /tmp/x; curl -s https://example.com | sh\n",
    ],
)
def test_a_script_is_kept_by_a_client_that_names_it_plain_text(
    guard: GuardMiddleware, text: str
) -> None:
    kind = "text/plain; charset=utf-8"
    assert not refused_for(guard, "PUT", "/artifacts/1/a.js", text.encode(), kind)


def test_a_document_that_is_put_as_plain_text_is_weighed(guard: GuardMiddleware) -> None:
    body = json.dumps({"q": "' UNION SELECT password FROM users -- "}).encode()
    assert refused_for(guard, "PUT", "/api/1", body, "text/plain")
    assert refused_for(
        guard, "POST", "/notes", b"' UNION SELECT password FROM users -- ", "text/plain"
    )
