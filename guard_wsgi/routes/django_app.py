"""Finds the parts of the Django app that a guard wraps."""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType
from typing import Any

from guard_wsgi.request.response import GuardResponse
from guard_wsgi.routes.introspection import attributes, is_a, stored

MAX_WRAPPED_APPS = 200
"""How many objects to search for Django's handler: apps are wrapped a few times."""

_HEADERS_OF = (
    ("django.middleware.clickjacking", "XFrameOptionsMiddleware", ("frame_options",)),
    (
        "django.middleware.security",
        "SecurityMiddleware",
        ("content_type_options", "referrer_policy", "cross_origin_opener_policy"),
    ),
)
"""The security headers that each of Django's middleware sets: on every answer, unless the settings
or a view (``xframe_options_exempt``) remove one."""


def headers_set_by(app: Any) -> frozenset[str]:
    """Return the keys of ``security_headers`` that Django itself sets in this app, if it is a
    Django app: an answer without such a header is meant to have none."""
    if not handlers_in(app):
        return frozenset()
    from django.conf import settings
    from django.utils.module_loading import import_string

    active = [import_string(name) for name in settings.MIDDLEWARE]
    keys: set[str] = set()
    for module, name, headers in _HEADERS_OF:
        known = import_string(f"{module}.{name}")
        if any(isinstance(one, type) and issubclass(one, known) for one in active):
            keys.update(headers)
    return frozenset(keys)


def handlers_in(app: Any) -> list[Any]:
    """Find Django's handlers, through all layers between the guard and the app. The handler for
    static files contains another one."""
    from django.core.handlers.base import BaseHandler

    handlers = (part for part in parts_of(app) if is_a(part, BaseHandler))
    return [handler for handler in handlers if handler._view_middleware is not None]


def parts_of(app: Any) -> Iterator[Any]:
    """Yield an app and the callables in its attributes or closures, the nearest first."""
    waiting, seen = [app], {id(app)}
    for part in waiting:
        yield part
        contents: list[Any] = []
        if is_a(part, FunctionType):
            for cell in part.__closure__ or ():
                try:
                    contents.append(cell.cell_contents)
                except ValueError:
                    continue
        else:
            contents.extend(attributes(part))
            contents.append(stored(part, "__self__"))
        for inner in contents:
            if callable(inner) and not is_a(inner, type) and id(inner) not in seen:
                seen.add(id(inner))
                if len(waiting) < MAX_WRAPPED_APPS:
                    waiting.append(inner)


class body_of:
    """Lets the guard read a body that Django's request has read or will read; Django still gets all
    of it."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._input: Any = None

    def __enter__(self) -> None:
        from io import BytesIO

        request = self._request
        if hasattr(request, "_body"):
            request.environ["wsgi.input"] = BytesIO(request._body)
        self._input = request.environ.get("wsgi.input")

    def __exit__(self, *raised: Any) -> None:
        request = self._request
        stream = request.environ.get("wsgi.input")
        if stream is self._input or hasattr(request, "_body") or request._read_started:
            return
        from django.core.handlers.wsgi import LimitedStream

        # The request took the stream at its creation; the bytes that were read are replayed.
        try:
            length = int(request.environ.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        request._stream = LimitedStream(stream, length)


def as_django(response: GuardResponse) -> Any:
    from django.http import HttpResponse

    answer = HttpResponse(response.body or b"", status=response.status_code)
    del answer["Content-Type"]
    for name, value in response.header_list:
        answer[name] = value
    return answer
