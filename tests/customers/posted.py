"""A value in a query, a form and two documents, on an app with the default configuration."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from werkzeug.test import Client

from guard_wsgi import GuardMiddleware, SecurityConfig

_FORM = "application/x-www-form-urlencoded"
PLACES = ("query", "form", "json", "nested")


def hello(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


@lru_cache(maxsize=1)
def _guarded() -> GuardMiddleware:
    return GuardMiddleware(hello, SecurityConfig(rate_limit=100_000, enable_ip_banning=False))


def statuses_of(name: str, text: str, *places: str) -> set[int]:
    """Send a field with a text in each place, and return the statuses.

    :param places: of PLACES; by default all.
    """
    client = Client(_guarded())
    found = set()
    for place in places or PLACES:
        if place == "query":
            answer = client.get("/?" + name + "=" + quote(text, safe=""))
        elif place == "form":
            answer = client.post("/", data=name + "=" + quote(text, safe=""), content_type=_FORM)
        else:
            document: object = {"id": 7, name: text}
            if place == "nested":
                document = {"page": {"items": [document]}}
            answer = client.post("/", data=json.dumps(document), content_type="application/json")
        found.add(answer.status_code)
    return found
