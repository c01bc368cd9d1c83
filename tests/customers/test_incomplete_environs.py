"""Tests of apps make environs by hand, and leave out what their app does not read."""

from __future__ import annotations

from typing import Any

import pytest

from guard_wsgi import GuardMiddleware, SecurityConfig
from tests.kit.gateway import environ_for


@pytest.mark.parametrize("left_out", ["wsgi.url_scheme", "wsgi.errors", "SERVER_PORT", "HTTP_HOST"])
@pytest.mark.parametrize(
    ("request_options", "answer"),
    [
        ({"path": "/"}, "200 OK"),
        ({"path": "/", "method": "POST", "data": {"title": "words"}}, "200 OK"),
        ({"path": "/", "query_string": {"q": "1' OR '1'='1"}}, "400 Bad Request"),
    ],
)
def test_an_environ_without_what_nobody_reads_is_served(
    left_out: str, request_options: dict[str, Any], answer: str
) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"served"]

    environ = environ_for(**request_options)
    environ.pop(left_out, None)
    statuses: list[str] = []
    guard = GuardMiddleware(app, SecurityConfig())
    list(guard(environ, lambda status, headers, exc_info=None: statuses.append(status)))
    assert statuses == [answer]
