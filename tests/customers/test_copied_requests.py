"""Apps copy and pickle their requests, with the guard's entries in them."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from guard_wsgi import GuardMiddleware, SecurityConfig
from guard_wsgi.request.verdict import ENVIRON_KEY
from tests.kit.gateway import Environ, environ_for

META_THAT_IS_NOT_COPIED = ("wsgi.errors", "wsgi.input")
"""Keys that Django itself removes when a request is copied."""


def meta_seen_by_the_app(**options: Any) -> tuple[GuardMiddleware, Environ]:
    seen: Environ = {}

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        seen.update(environ)
        start_response("200 OK", [])
        return []

    guard = GuardMiddleware(app, SecurityConfig(passive_mode=True))
    list(guard(environ_for(**options), lambda status, headers, exc_info=None: None))
    return guard, {key: seen[key] for key in seen if key not in META_THAT_IS_NOT_COPIED}


@pytest.mark.parametrize("query", ["q=word", "q=1' OR '1'='1"])
def test_the_app_may_deep_copy_what_the_guard_left_in_its_request(query: str) -> None:
    guard, meta = meta_seen_by_the_app(path="/", query_string=query)
    copied = copy.deepcopy(meta)[ENVIRON_KEY]
    assert copied is not meta[ENVIRON_KEY]
    assert copied.findings == meta[ENVIRON_KEY].findings
    assert copied.client_ip == "203.0.113.7"
    assert copied.guard is guard


@pytest.mark.parametrize("query", ["q=word", "q=1' OR '1'='1"])
def test_the_app_may_pickle_what_the_guard_left_in_its_request(query: str) -> None:
    _, meta = meta_seen_by_the_app(path="/", query_string=query)
    copied = pickle.loads(pickle.dumps(meta))[ENVIRON_KEY]
    assert copied.findings == meta[ENVIRON_KEY].findings
    assert copied.action == meta[ENVIRON_KEY].action
    assert copied.reason == meta[ENVIRON_KEY].reason
    assert copied.guard is None
