"""Flask answers as it does without decorated views, though it looks up what was matched before."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, request, url_for
from werkzeug.routing import BaseConverter, Map, MapAdapter, Rule

from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig, SecurityDecorator
from guard_wsgi_flask.matching import MAX_CHARS, MAX_MATCHES
from tests.kit.gateway import environ_for, serve


def guarded(app: Flask) -> Flask:
    """Guard an app that has a decorated view besides its own."""
    config = SecurityConfig(rate_limit=10**6, enable_penetration_detection=False)
    protect = SecurityDecorator(config)
    app.add_url_rule("/own", "own", protect.require_ip(whitelist=["192.0.2.0/24"])(lambda: "own"))
    FlaskAPIGuard(app, config=config)
    return app


def told(**arguments: Any) -> str:
    return f"{request.method} {request.endpoint} {request.url_rule} {arguments!r}"


def town() -> Flask:
    app = Flask(__name__)
    for path in (
        "/",
        "/streets/",
        "/houses/<int:number>",
        "/houses/<name>",
        "/files/<path:name>",
        "/<any(red, blue):colour>/<uuid:number>/<float:size>",
    ):
        app.add_url_rule(path, path, told, methods=["GET", "POST"])
    app.add_url_rule("/houses/<int:number>", "removed", told, methods=["DELETE"])
    app.add_url_rule("/pages/", "pages", told, defaults={"page": 1})
    app.add_url_rule("/pages/<int:page>", "pages", told)
    app.add_url_rule("/old/<int:page>", "old", told, redirect_to="pages/<page>")
    app.add_url_rule("/chat", "chat", told, websocket=True)
    return app


PATHS = (
    *("/", "/streets/", "/streets", "/houses/7", "/houses/seven", "/houses//7", "/nowhere"),
    *("/files/a/b", "/red/12345678123456781234567812345678/1.5", "/red/1/1", "/green/1/1"),
    "/red/12345678-1234-5678-1234-567812345678/1.5",
    *("/pages/", "/pages/1", "/pages/2", "/old/3", "/chat", "/houses/caf\u00e9?x=1"),
)


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "DELETE", "OPTIONS", "PUT"])
def test_every_path_is_answered_as_without_a_guard(method: str) -> None:
    bare, ours = town(), guarded(town())
    for path in PATHS * 2:
        expected = serve(bare, environ_for(path, method=method))
        answer = serve(ours, environ_for(path, method=method))
        assert (answer.code, answer.body) == (expected.code, expected.body), path
        assert answer.header("Location") == expected.header("Location")
        assert answer.header("Allow") == expected.header("Allow")


def test_flask_matches_a_path_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    match = MapAdapter.match

    def counting(adapter: MapAdapter, *args: Any, **kwargs: Any) -> Any:
        asked.append(adapter.path_info)
        return match(adapter, *args, **kwargs)

    monkeypatch.setattr(MapAdapter, "match", counting)
    app = guarded(town())
    for _ in range(3):
        serve(app, environ_for("/houses/7"))
    assert asked == ["/houses/7"]


def test_arguments_that_an_app_takes_out_are_there_the_next_time() -> None:
    app = guarded(town())
    taken: list[Any] = []

    @app.url_value_preprocessor
    def take(endpoint: str | None, values: dict[str, Any] | None) -> None:
        taken.append(values and values.pop("number", None))

    for _ in range(3):
        assert b"{}" in serve(app, environ_for("/houses/7")).body
    assert taken == [7, 7, 7]


class OfTheUser(BaseConverter):
    """Depends on more than the path."""

    user = "nobody"

    def to_python(self, value: str) -> str:
        return f"{value} of {self.user}"


def asked_by(app: Flask, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two users get their own."""
    for user in ("ada", "bob"):
        monkeypatch.setattr(OfTheUser, "user", user)
        assert f"7 of {user}" in serve(app, environ_for(path)).body.decode()


def test_an_apps_own_converter_is_asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Flask(__name__)
    app.url_map.converters["mine"] = OfTheUser
    app.add_url_rule("/notes/<mine:note>", "notes", told)
    asked_by(guarded(app), "/notes/7", monkeypatch)


class EveningRule(Rule):
    """A rule that builds its converters itself."""

    def get_converter(self, *args: Any, **kwargs: Any) -> Any:
        return OfTheUser(self.map)


def test_an_apps_own_rule_is_asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    app = guarded(town())
    serve(app, environ_for("/houses/7"))
    app.view_functions["evening"] = told
    app.url_map.add(EveningRule("/evening/<note>", endpoint="evening"))
    asked_by(app, "/evening/7", monkeypatch)


@pytest.mark.parametrize("builds", [False, True])
def test_a_rule_that_is_added_later_counts_at_once(builds: bool) -> None:
    app = guarded(town())
    assert b"/houses/<name>" in serve(app, environ_for("/houses/seven")).body
    app.url_map.add(Rule("/houses/seven", endpoint="/"))
    if builds:  # werkzeug sorts its rules then, as for a match
        with app.test_request_context():
            url_for("/")
    assert b"GET / /houses/seven" in serve(app, environ_for("/houses/seven")).body


def test_another_map_counts_at_once() -> None:
    app = guarded(town())
    assert b"/houses/<name>" in serve(app, environ_for("/houses/seven")).body
    app.url_map = Map([Rule("/houses/<nobody>", endpoint="/")])
    for _ in range(2):
        assert b"/houses/<nobody>" in serve(app, environ_for("/houses/seven")).body


def test_each_host_has_its_own_paths() -> None:
    app = Flask(__name__, host_matching=True, static_folder=None)
    for host in ("a.example", "b.example"):
        app.add_url_rule("/page", host, told, host=host)
    app.add_url_rule("/page", "sub", told, host="<name>.c.example")
    config = SecurityConfig()
    protect = SecurityDecorator(config)
    view = protect.require_ip(whitelist=["192.0.2.0/24"])(lambda: "own")
    app.add_url_rule("/own", "own", view, host="a.example")
    FlaskAPIGuard(app, config=config)
    for _ in range(2):
        for host in ("a.example", "b.example"):
            answer = serve(app, environ_for("/page", headers={"Host": host}))
            assert f"GET {host}" in answer.body.decode()
        for name in ("x", "y"):
            answer = serve(app, environ_for("/page", headers={"Host": f"{name}.c.example"}))
            assert repr({"name": name}) in answer.body.decode()


def test_a_websocket_and_a_page_of_one_path_are_told_apart() -> None:
    app = town()
    app.add_url_rule("/chat", "page", told)
    guarded(app)
    handshake = {"Upgrade": "websocket", "Connection": "Upgrade"}
    for _ in range(2):
        assert b"GET page" in serve(app, environ_for("/chat")).body
        assert b"GET chat" in serve(app, environ_for("/chat", headers=handshake)).body


def test_what_clients_make_up_fills_no_memory() -> None:
    app = guarded(town())
    for number in range(MAX_MATCHES + 20):
        serve(app, environ_for(f"/houses/{number}"))
    serve(app, environ_for("/files/" + "x" * MAX_CHARS))
    with app.test_request_context("/"):
        adapter: Any = app.create_url_adapter(request)
    kept = adapter.matches.kept
    assert 0 < len(kept) <= MAX_MATCHES
    assert max(len(path) for path, *_ in kept) < MAX_CHARS
