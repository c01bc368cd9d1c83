"""One app in three frameworks: it answers with what it read of an upload."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

App = Callable[..., Any]
FRAMEWORKS = ("flask", "django", "bottle")


def _reported(title: str, content: bytes) -> str:
    return json.dumps([title, hashlib.sha256(content).hexdigest()])


def flask_app() -> App:
    from flask import Flask, request

    app = Flask("uploads")

    @app.post("/form")
    def form() -> str:
        return _reported(request.form["title"], request.files["file"].read())

    @app.route("/raw/<name>", methods=["PUT", "PATCH", "POST"])
    def raw(name: str) -> str:
        return _reported("", request.get_data())

    return app.wsgi_app


def bottle_app() -> App:
    import bottle

    app = bottle.Bottle()

    @app.post("/form")  # type: ignore[untyped-decorator]
    def form() -> str:
        request = bottle.request
        return _reported(request.forms.getunicode("title"), request.files["file"].file.read())

    @app.route("/raw/<name>", method=["PUT", "PATCH", "POST"])  # type: ignore[untyped-decorator]
    def raw(name: str) -> str:
        return _reported("", bottle.request.body.read())

    return app  # type: ignore[no-any-return]


@contextmanager
def django_app() -> Iterator[App]:
    import django
    from django.conf import settings

    # Another test of this process may have configured Django for itself.
    if not settings.configured:
        settings.configure()
    settings.SECRET_KEY = "x"  # can't be read while it is empty, so not be put back either
    own = {"ROOT_URLCONF": "upload_urls", "ALLOWED_HOSTS": ["*"], "MIDDLEWARE": []}
    own["DATA_UPLOAD_MAX_MEMORY_SIZE"] = None  # type: ignore[assignment]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in own.items():
            patch.setattr(settings, name, value, raising=False)
        django.setup()
        from django.core.wsgi import get_wsgi_application
        from django.http import HttpResponse
        from django.urls import path

        def form(request: Any) -> Any:
            return HttpResponse(_reported(request.POST["title"], request.FILES["file"].read()))

        def raw(request: Any, name: str) -> Any:
            return HttpResponse(_reported("", request.body))

        urls = ModuleType("upload_urls")
        urls.urlpatterns = [  # type: ignore[attr-defined]
            path("form", form),
            path("raw/<str:name>", raw),
        ]
        patch.setitem(sys.modules, "upload_urls", urls)
        yield get_wsgi_application()
