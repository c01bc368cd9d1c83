"""Frameworks parse a replayed body, short or longer than the guard's prefix, as they would the
original."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from guard_wsgi.request.body import RequestBody
from tests.kit.gateway import Environ, environ_for, serve

PICTURE = bytes(range(256)) * 40
FORM = {"name": "Ada", "text": "two cups\r\nof tea", "page": "2"}


def multipart() -> tuple[str, bytes]:
    parts = [
        f'--frontier\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in FORM.items()
    ]
    parts.append(
        b'--frontier\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n'
        b"Content-Type: image/png\r\n\r\n" + PICTURE + b"\r\n--frontier--\r\n"
    )
    return "multipart/form-data; boundary=frontier", b"".join(parts)


def answer(start_response: Callable[..., Any], fields: dict[str, str], picture: bytes) -> Any:
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps([fields, hashlib.sha256(picture).hexdigest()]).encode()]


def in_werkzeug(environ: Environ, start_response: Callable[..., Any]) -> Any:
    from werkzeug.wrappers import Request

    with Request(environ) as request:
        return answer(start_response, request.form.to_dict(), request.files["picture"].read())


def in_django(environ: Environ, start_response: Callable[..., Any]) -> Any:
    from django.conf import settings

    if not settings.configured:
        settings.configure(DEFAULT_CHARSET="utf-8", ALLOWED_HOSTS=["*"])
    from django.core.handlers.wsgi import WSGIRequest

    request = WSGIRequest(environ)
    picture = request.FILES["picture"].read()
    return answer(start_response, request.POST.dict(), picture)


def in_bottle(environ: Environ, start_response: Callable[..., Any]) -> Any:
    from bottle import BaseRequest

    request = BaseRequest(environ)
    fields = {name: request.forms.getunicode(name) for name in request.forms}
    return answer(start_response, fields, request.files["picture"].file.read())


@pytest.mark.parametrize("app", [in_werkzeug, in_django, in_bottle])
@pytest.mark.parametrize("terminated", [False, True])
@pytest.mark.parametrize("prefix", [None, 0, 1, 100, 1000, 10_000, 100_000])
@pytest.mark.parametrize("limit", [None, 1_000_000])
def test_a_form_with_a_file_arrives_whole(
    app: Any, terminated: bool, prefix: int | None, limit: int | None
) -> None:
    content_type, body = multipart()
    environ = environ_for(method="POST")
    environ["CONTENT_TYPE"] = content_type
    environ["wsgi.input"] = BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    if terminated:
        environ["wsgi.input_terminated"] = True
    request_body = RequestBody(environ)
    if limit is not None:
        request_body.limit(limit)
    if prefix is not None:
        assert request_body.prefix(prefix) == body[:prefix]
    fields, digest = json.loads(serve(app, environ).body)
    assert fields == FORM
    assert digest == hashlib.sha256(PICTURE).hexdigest()


def test_flask_answers_413_when_its_view_reads_past_the_limit() -> None:
    from flask import Flask, request

    flask_app = Flask(__name__)

    @flask_app.post("/")
    def view() -> str:
        return str(len(request.get_data()))

    def limited(environ: Environ, start_response: Callable[..., Any]) -> Any:
        RequestBody(environ).limit(1000)
        return flask_app.wsgi_app(environ, start_response)

    for size, expected in ((1000, 200), (1001, 413)):
        environ = environ_for(method="POST", content_type="text/plain")
        environ.pop("CONTENT_LENGTH", None)
        environ["wsgi.input"] = BytesIO(b"x" * size)
        environ["wsgi.input_terminated"] = True
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
        assert serve(limited, environ).code == expected
