"""A refusal counts once for behaviour rules, wherever it was decided."""

from __future__ import annotations

import sys
from typing import Any

import bottle
import flask
import pytest
from werkzeug.test import Client

from guard_wsgi import GuardMiddleware, SecurityConfig, SecurityDecorator
from guard_wsgi.bottle import BottleResolver
from guard_wsgi_flask import FlaskAPIGuard
from tests.kit.gateway import environ_for, serve

THRESHOLD = 4
PEER = {"REMOTE_ADDR": "198.51.100.7"}


def config(**options: Any) -> SecurityConfig:
    rule = {
        "rule_type": "return_pattern",
        "pattern": "status:401,403,404",
        "threshold": THRESHOLD,
        "window": 600,
        "action": "ban",
    }
    return SecurityConfig(global_behavior_rules=[rule], **options)


def answered(client: Client, path: str = "/x") -> int:
    """How many requests are answered with 401 before the client is banned."""
    for count in range(3 * THRESHOLD):
        if client.get(path, headers={"X-API-Key": "z"}, environ_base=PEER).status_code != 401:
            return count
    return -1


def outside(rules: SecurityDecorator) -> Any:
    return rules.require_authorization_header()


def inside(rules: SecurityDecorator) -> Any:
    return rules.api_key_auth(verifier=lambda request, key: None)


def in_the_view(rules: SecurityDecorator) -> Any:
    return lambda view: lambda: flask.Response("no", 401)


def rewriting(app: Any) -> Any:
    def called(environ: Any, start_response: Any) -> Any:
        path = environ["PATH_INFO"].replace("/to-", "/")
        return app({**environ, "PATH_INFO": path}, start_response)

    return called


def starting(*statuses: str) -> Any:
    """An app that begins its answer several times, as error pages do."""

    def app(environ: Any, start_response: Any) -> Any:
        for status in statuses:
            try:
                raise RuntimeError
            except RuntimeError:
                start_response(status, [("Content-Type", "text/plain")], sys.exc_info())
        return [b"no"]

    return app


@pytest.mark.parametrize("others", [["401 Unauthorized"], ["200 OK"], ["500 Error", "404 Gone"]])
def test_an_answer_that_begins_again_counts_once(others: list[str]) -> None:
    def served(*statuses: str) -> list[int]:
        guard = GuardMiddleware(starting(*statuses), config())
        return [
            serve(guard, environ_for("/x", environ_overrides=PEER)).code
            for _ in range(THRESHOLD + 2)
        ]

    # A rule counts an answer once, whichever of its statuses it is.
    once = [401] * (THRESHOLD + 1) + [403]
    assert served("401 Unauthorized") == served(*others, "401 Unauthorized") == once


@pytest.mark.parametrize("wrap", [None, rewriting])
@pytest.mark.parametrize("path", ["/x", "/to-x"])
def test_a_refusal_counts_as_often_inside_of_flask_as_outside(wrap: Any, path: str) -> None:
    counts = []
    for mark in (in_the_view, outside, inside):
        serving = config()
        app = flask.Flask("shop")
        app.add_url_rule("/x", "x", mark(SecurityDecorator(serving))(lambda: "secret"))
        if wrap is not None:
            app.wsgi_app = wrap(app.wsgi_app)  # type: ignore[method-assign]
        FlaskAPIGuard(app, config=serving)
        counts.append(answered(app.test_client(), path if wrap is not None else "/x"))
    assert counts == [THRESHOLD + 1] * 3


def test_a_refusal_before_bottles_view_counts_once() -> None:
    serving = config()
    app = bottle.Bottle()
    app.route("/x", "GET", inside(SecurityDecorator(serving))(lambda: "secret"))

    def rewrite() -> None:
        environ = bottle.request.environ
        environ["PATH_INFO"] = environ["PATH_INFO"].replace("/to-", "/")

    app.add_hook("before_request", rewrite)
    client = Client(GuardMiddleware(app, serving, resolver=BottleResolver(app)))
    assert answered(client, "/to-x") == THRESHOLD + 1
