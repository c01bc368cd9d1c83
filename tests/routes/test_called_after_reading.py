"""A view that another one calls after it has read the body: its rules read the body as well."""

from __future__ import annotations

import io
from typing import Any

import bottle
import pytest
from flask import Flask, request
from werkzeug.test import EnvironBuilder

from guard_wsgi import GuardMiddleware, SecurityConfig, SecurityDecorator
from guard_wsgi.resolvers import BottleResolver, DjangoResolver
from guard_wsgi_flask import FlaskAPIGuard
from tests.kit.gateway import serve
from tests.routes.frameworks import Project

ATTACK = "1' union select password from users--"


def posted(kind: str, path: str = "/", **fields: str) -> dict[str, Any]:
    data: Any = dict(fields)
    if kind == "json":
        builder = EnvironBuilder(path, method="POST", json=data)
    else:
        if kind != "form":
            size = 3_000_000 if kind == "large" else 3
            data["file"] = (io.BytesIO(b"a" * size), "a.txt")
        builder = EnvironBuilder(path, method="POST", data=data)
    environ = builder.get_environ()
    environ["REMOTE_ADDR"] = "203.0.113.7"
    with environ["wsgi.input"] as stream:  # a file, if it is large
        environ["wsgi.input"] = io.BytesIO(stream.read())
    builder.close()
    return environ


def rules(config: SecurityConfig) -> Any:
    """The bait ``website``, and detection in a view within one that has none."""
    protect = SecurityDecorator(config)

    def decorated(view: Any) -> Any:
        return protect.honeypot_detection(["website"])(protect.suspicious_detection(True)(view))

    return decorated


def flask_app(read: str) -> Any:
    app, config = Flask(__name__), SecurityConfig()
    inner = rules(config)(lambda: "ran")
    app.add_url_rule("/inner", "inner", inner)

    @app.route("/", methods=["POST"])
    @SecurityDecorator(config).suspicious_detection(False)
    def outer() -> str:
        if read == "parsed":
            before = dict(request.form), request.get_json(silent=True)
            assert any(before)
        elif read == "raw":
            assert request.get_data()
        else:
            assert request.stream.read(4)
        said = str(inner())
        if read == "part":
            # A large body, which is read from a file, starts again.
            length = int(request.environ["CONTENT_LENGTH"])
            assert len(request.stream.read()) in (length - 4, length)
        return said

    FlaskAPIGuard(app, config=config)
    return app


def bottle_app(read: str) -> Any:
    app, config = bottle.Bottle(), SecurityConfig()
    inner = rules(config)(lambda: "ran")
    app.route("/inner", callback=inner)

    def outer() -> str:
        if read == "parsed":
            assert bottle.request.forms.get("name") or bottle.request.json
        elif read == "raw":
            assert bottle.request.body.read()
        else:
            assert bottle.request.environ["wsgi.input"].read(10)
        return str(inner())

    app.route("/", "POST", SecurityDecorator(config).suspicious_detection(False)(outer))
    return GuardMiddleware(app, config, resolver=BottleResolver(app))


@pytest.mark.parametrize("read", ["parsed", "raw", "part"])
@pytest.mark.parametrize(
    ("build", "kind"),
    [
        *((flask_app, kind) for kind in ("form", "multipart", "large", "json")),
        # For a large body, Bottle leaves a file open.
        *((bottle_app, kind) for kind in ("form", "multipart", "json")),
    ],
)
def test_a_body_that_was_read_is_read_again(build: Any, read: str, kind: str) -> None:
    app = build(read)
    assert serve(app, posted(kind, name="ann")).body == b"ran"
    assert serve(app, posted(kind, name="ann", website="spam")).code == 403
    assert serve(app, posted(kind, name=ATTACK)).code == 400
    assert serve(app, posted(kind, name="ann")).body == b"ran"


@pytest.mark.parametrize("kind", ["form", "multipart", "large"])
@pytest.mark.parametrize("read", ["POST", "body", "read"])
def test_django_keeps_a_body_that_was_read(
    read: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(monkeypatch, SecurityConfig(), DATA_UPLOAD_MAX_MEMORY_SIZE=None)
    from django.http import HttpResponse
    from django.urls import path

    inner = rules(project.config)(lambda request: HttpResponse("ran"))

    @project.decorate.suspicious_detection(False)
    def outer(request: Any) -> Any:
        assert request.read(10) if read == "read" else getattr(request, read)
        return inner(request)

    guard = GuardMiddleware(
        project.app([path("", outer), path("inner", inner)]),
        project.config,
        resolver=DjangoResolver(),
    )
    assert serve(guard, posted(kind, name="ann")).body == b"ran"
    assert serve(guard, posted(kind, name="ann", website="spam")).code == 403
    assert serve(guard, posted(kind, name=ATTACK)).code == 400
