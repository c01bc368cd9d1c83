"""Sessions: a refusal saves and renews no session, unless the app's own functions change it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, Response, session

from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig

BANNED = "203.0.113.7"


def site(**options: Any) -> tuple[Flask, FlaskAPIGuard, Any]:
    app = Flask(__name__)
    app.secret_key = "x"

    @app.get("/login")
    def login() -> str:
        session["user"] = "ann"
        session.permanent = True
        return "in"

    @app.get("/me")
    def me() -> str:
        return str(session.get("user"))

    guard = FlaskAPIGuard(app, config=SecurityConfig(**options))
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = BANNED
    client.get("/login")
    assert client.get("/me").headers["Set-Cookie"], "Flask renews a permanent session"
    return app, guard, client


@pytest.mark.parametrize("handled", [False, True], ids=["plain", "handled"])
def test_a_refusal_does_not_renew_a_session(handled: bool) -> None:
    app, guard, client = site()
    seen: list[int] = []

    def after(response: Response) -> Response:
        seen.append(response.status_code)
        session.get("user")
        return response

    app.after_request_funcs.setdefault(None, []).append(after)
    if handled:
        app.error_handler_spec[None][403][Exception] = lambda error: ("out", 403)
    guard.bans.ban(BANNED, 60, "abuse")
    answer = client.get("/me")
    assert answer.status_code == 403
    assert seen == [403]
    assert "Set-Cookie" not in answer.headers
    guard.bans.unban(BANNED)
    assert client.get("/me").data == b"ann"


def test_a_page_for_a_refusal_may_change_the_session() -> None:
    app, guard, client = site()

    def handler(error: Exception) -> Any:
        session["refused"] = True
        return "out", 403

    app.error_handler_spec[None][403][Exception] = handler
    guard.bans.ban(BANNED, 60, "abuse")
    assert "session=" in client.get("/me").headers["Set-Cookie"]
    guard.bans.unban(BANNED)
    assert client.get("/me").data == b"ann"
