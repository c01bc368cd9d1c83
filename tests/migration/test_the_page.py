"""The documentation page's two examples start and serve with their import line changed."""

from __future__ import annotations

import os
from typing import Any

import pytest
from flask import Flask

from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig, SecurityDecorator

VARIABLES = ("GUARD_API_KEY", "GUARD_PROJECT_ID", "GUARD_CORE_URL")


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"GUARD_API_KEY": ""},
        {"GUARD_API_KEY": "k" * 20},
        {
            "GUARD_API_KEY": "k" * 20,
            "GUARD_PROJECT_ID": "p1",
            "GUARD_CORE_URL": "http://127.0.0.1:9",
        },
    ],
    ids=lambda values: " ".join(values) or "nothing set",
)
def test_the_minimal_example(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    app = Flask(__name__)
    config = SecurityConfig(
        auto_ban_threshold=5,
        auto_ban_duration=300,
        enable_rate_limiting=True,
        rate_limit=100,
        rate_limit_window=60,
        enable_agent=bool(os.environ.get("GUARD_API_KEY", "")),
        agent_api_key=os.environ.get("GUARD_API_KEY", ""),
        agent_endpoint=os.environ.get("GUARD_CORE_URL", "http://127.0.0.1:9"),
        agent_project_id=os.environ.get("GUARD_PROJECT_ID", ""),
    )
    FlaskAPIGuard(app, config=config)

    @app.route("/")
    def root() -> Any:
        return {"message": "Hello, Guard!"}

    client = app.test_client()
    assert client.get("/").get_json() == {"message": "Hello, Guard!"}
    assert client.get("/?q=<script>alert(1)</script>").status_code == 400


def test_the_example_with_rules_of_views() -> None:
    app = Flask(__name__)
    config = SecurityConfig(
        enable_redis=False, rate_limit=1000, auth_verifier=lambda request, token: token == "t"
    )
    protect = SecurityDecorator(config)
    guard = FlaskAPIGuard()

    @app.route("/limited")
    @protect.rate_limit(requests=2, window=60)
    def limited() -> Any:
        return {"ok": True}

    @app.route("/private")
    @protect.require_auth(type="bearer")
    def private() -> Any:
        return {"ok": True}

    guard.init_app(app, config)
    guard.set_decorator_handler(protect)
    client = app.test_client()
    assert [client.get("/limited").status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/private").status_code == 401
    assert client.get("/private", headers={"Authorization": "Bearer t"}).status_code == 200
