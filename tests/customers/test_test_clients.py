"""A site's own tests run with their test client as they did without the guard."""

from __future__ import annotations

import io
from typing import Any

import flask
import pytest
from werkzeug.test import Client

from guard_wsgi import GuardMiddleware, SecurityConfig
from guard_wsgi_flask import FlaskAPIGuard

FORMS: list[dict[str, Any]] = [
    {"data": {"status": "success"}},
    {"data": {"status": "success", "file": (io.BytesIO(b"text"), "notes.txt")}},
    {"json": {"status": "success"}},
]


def shop() -> flask.Flask:
    app = flask.Flask("shop")

    @app.route("/user/", methods=["POST"])
    def user() -> str:
        given = flask.request.get_json() if flask.request.is_json else flask.request.form
        return str(given["status"])

    return app


@pytest.mark.parametrize("form", FORMS)
def test_a_test_client_follows_a_redirect_with_its_body(form: dict[str, Any]) -> None:
    app = shop()
    FlaskAPIGuard(app, config=SecurityConfig())
    form = {**form}
    if "file" in form.get("data", {}):
        form["data"] = {**form["data"], "file": (io.BytesIO(b"text"), "notes.txt")}
    answer = app.test_client().post("/user", follow_redirects=True, **form)
    assert answer.data == b"success"


def test_a_test_client_of_any_app_follows_a_redirect_with_its_body() -> None:
    client = Client(GuardMiddleware(shop(), SecurityConfig()))
    answer = client.post("/user", data={"status": "success"}, follow_redirects=True)
    assert answer.data == b"success"
