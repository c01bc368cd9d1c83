"""Texts of attackers change the structure of no page, in no field.

The test of the browser runs what it can; this one reads the tags, attributes and addresses of every
page, and compares them with those of the templates.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from guard_wsgi_flask.console.keys import NewKey
from guard_wsgi_flask.console.serving import Console
from tests.console.conftest import Browser
from tests.console.payloads import OWN, payloads, with_payloads
from tests.console.sending import event, send


class Structure(HTMLParser):
    """The names of tags and attributes that a page uses, and the schemes of its links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.addresses: list[str] = []
        self.scripts = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.scripts += tag == "script"
        for name, value in attributes:
            self.attributes.add((tag, name))
            if name in ("href", "src", "action", "hx-get", "hx-post", "formaction"):
                self.addresses.append(value or "")


def _paths(console: Console, numbers: range) -> list[str]:
    return [
        "/", "/?period=month", "/events", "/clients?period=week", "/paths", "/report", "/audit",
        "/rules", "/rules/1?app=shop", "/rules/effects", "/data/work",
        "/keys", "/data", "/now/facts", "/events/rows",
        *(f"/events/{number}" for number in numbers),
        *(f"/events/{number}/exclusion" for number in numbers),
        *(f"/playground?event={number}" for number in numbers),
    ]  # fmt: skip


def _structures(console: Console, admin: Browser, numbers: range) -> dict[str, Structure]:
    made = {}
    for path in _paths(console, numbers):
        answer = admin.get(path)
        assert answer.status_code == 200, path
        made[path] = Structure(answer.text)
    return made


COUNT = 14


def _name(path: str) -> str:
    """Return the kind of a page, whatever event it shows."""
    return re.sub(r"\d+", "N", path.partition("?")[0])


def _harmless(console: Console, key: NewKey, admin: Browser) -> dict[str, Structure]:
    """The markup of the templates, by page: the structure of pages with harmless words."""
    words = [f"word{number}" for number in range(40)]
    send(console, key, *with_payloads(words)[: COUNT - 2])
    send(console, key, event(), event(action_taken="logged_only"))
    for _ in range(2):
        console.services.rules.write("shop", {"message": "word"}, "word", "word")
    console.services.audit.record("word", "word", "word", "word", "word")
    made: dict[str, Structure] = {}
    for path, structure in _structures(console, admin, range(1, COUNT + 1)).items():
        name = _name(path)
        known = made.setdefault(name, structure)
        known.tags |= structure.tags
        known.attributes |= structure.attributes
    return made


@pytest.mark.parametrize("part", range(2))
def test_no_text_is_markup(console: Console, key: NewKey, admin: Browser, part: int) -> None:
    harmless = _harmless(console, key, admin)
    texts = payloads()[part::30] + list(OWN[part::2])
    made = with_payloads(texts)[:24]
    send(console, key, *made)
    console.services.rules.write("shop", {"message": texts[0]}, texts[1], texts[2])
    console.services.audit.record(texts[0], texts[1], texts[2], texts[3], texts[0])
    numbers = range(COUNT + 1, COUNT + len(made) + 1)
    for path, structure in _structures(console, admin, numbers).items():
        written = harmless[_name(path)]
        assert structure.attributes <= written.attributes, path
        assert structure.tags <= written.tags, path
        assert structure.scripts == written.scripts, path
        for address in structure.addresses:
            assert address.startswith(("/", "#", "?")), (path, address)
            assert not address.startswith(("//", "/\\")), (path, address)


def test_searches_and_faults_show_text_as_text(console: Console, admin: Browser) -> None:
    for text in OWN:
        for name in ("text", "kind", "template"):
            page = admin.get("/events", query_string={name: text})
            assert page.status_code == 200
            assert "<script>" not in page.text.replace('<script src="', "")
        for path in ("/nowhere/" + text, "/playground/" + text):
            answer = admin.get(path)
            assert answer.status_code in (404, 308, 400)
        answer = admin.post("/playground", text=text, toml=text, config="toml", client=text)
        assert "<script>window" not in answer.text
        answer = admin.post("/rules", app=text, ip_blacklist=text, message=text)
        assert "<script>window" not in answer.text
