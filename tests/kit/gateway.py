"""A WSGI server in one call, strict where PEP 3333 is, for tests without a socket."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.validate import validator

from attrs import define, field
from werkzeug.middleware.lint import LintMiddleware
from werkzeug.test import EnvironBuilder

Environ = dict[str, Any]


def environ_for(path: str = "/", **options: Any) -> Environ:
    """An environ as a server would pass it; options are those of ``EnvironBuilder``."""
    builder = EnvironBuilder(path, **options)
    environ: Environ = builder.get_environ()
    environ.setdefault("REMOTE_ADDR", "203.0.113.7")
    # The builder sets this for a BytesIO; most servers set it for a socket, and some set nothing.
    environ.pop("wsgi.input_terminated", None)
    environ.pop("werkzeug.request", None)
    return environ


@define
class Answer:
    """The response to a client, and how the app sent it."""

    status: str = ""
    headers: list[tuple[str, str]] = field(factory=list)
    chunks: list[bytes] = field(factory=list)
    starts: list[tuple[Any, ...]] = field(factory=list)
    iterable: Any = None

    @property
    def code(self) -> int:
        return int(self.status[:3])

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def reference(self) -> str:
        """The reference by which a refusal is found in the log: from the header, and the same in
        the body."""
        reference = self.header("X-Request-Id") or ""
        assert not self.body or reference.encode() in self.body
        return reference

    @property
    def message(self) -> bytes:
        """The text of a refusal in plain text, without its reference."""
        message, told, _ = self.body.partition(b"\nReference: ")
        assert told, self.body
        return message

    def header(self, name: str) -> str | None:
        """The first value of a header, its name in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def count(self, name: str) -> int:
        return sum(key.lower() == name.lower() for key, _ in self.headers)


class Gateway:
    """Calls an app as the reference server of PEP 3333 does.

    The head goes out with the first bytes that are not empty; a second ``start_response`` needs
    ``exc_info`` and, once the head is out, raises it.
    """

    def __init__(self) -> None:
        self.answer = Answer()
        self.head_is_out = False

    def write(self, data: bytes) -> None:
        assert self.answer.status, "write() before start_response"
        if data:
            self.head_is_out = True
        self.answer.chunks.append(data)

    def start_response(self, *args: Any) -> Callable[[bytes], None]:
        status, headers = args[:2]
        exc_info = args[2] if len(args) == 3 else None
        self.answer.starts.append(args)
        assert type(headers) is list
        if exc_info is not None:
            try:
                if self.head_is_out:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        else:
            assert not self.answer.status, "start_response twice without exc_info"
        self.answer.status = status
        self.answer.headers = list(headers)
        return self.write

    def serve(self, app: Any, environ: Environ) -> Answer:
        iterable = app(environ, self.start_response)
        self.answer.iterable = iterable
        try:
            for chunk in iterable:
                self.write(chunk)
        finally:
            if hasattr(iterable, "close"):
                iterable.close()
        assert self.answer.status, "start_response was never called"
        return self.answer


def serve(app: Any, environ: Environ | None = None, path: str = "/", **options: Any) -> Answer:
    """One request through the strict gateway."""
    return Gateway().serve(app, environ if environ is not None else environ_for(path, **options))


def sandwich(app: Any, guard: Callable[[Any], Any]) -> Any:
    """Lint > guard > guard > Lint > app: conformance on both sides, and idempotence.

    Outside is the validator of the standard library, which raises where PEP 3333 is broken;
    inside is werkzeug's, which warns, and pytest makes that an error.
    """
    return validator(guard(guard(LintMiddleware(app))))


def text_app(
    body: bytes = b"hello", status: str = "200 OK", headers: Iterable[tuple[str, str]] = ()
) -> Any:
    """The smallest correct app."""
    more = list(headers)

    def app(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        start_response(status, headers + more)
        return [body]

    return app


def body_stream(data: bytes) -> io.BytesIO:
    return io.BytesIO(data)
