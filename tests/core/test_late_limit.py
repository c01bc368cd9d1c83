"""A body without a length that goes on past its limit is a 413, whenever the app notices."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from guard_wsgi import GuardMiddleware, SecurityConfig
from guard_wsgi.request.framing import BodyTooLarge
from tests.kit.gateway import environ_for, serve


def generator(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    data = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield str(len(data)).encode()


def starting_first(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield str(len(environ["wsgi.input"].read())).encode()


def answering_first(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"begun"
    yield environ["wsgi.input"].read()


class Response:
    """An iterable that must be closed."""

    closed = 0

    def __init__(self, environ: dict[str, Any], start_response: Any) -> None:
        self._chunks = generator(environ, start_response)

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        Response.closed += 1


def chunked(size: int) -> dict[str, Any]:
    environ = environ_for("/", method="POST")
    environ.pop("CONTENT_LENGTH", None)
    environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    environ["wsgi.input_terminated"] = True
    environ["wsgi.input"] = io.BytesIO(b"x" * size)
    return environ


@pytest.mark.parametrize("app", [generator, starting_first, Response])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {
            "global_behavior_rules": [
                {
                    "rule_type": "return_pattern",
                    "threshold": 9,
                    "pattern": "status:404",
                    "action": "log",
                }
            ]
        },
    ],
)
def test_a_generator_past_the_limit_answers_413(app: Any, options: dict[str, Any]) -> None:
    config = SecurityConfig(max_request_size=1000, enable_penetration_detection=False, **options)
    guard = GuardMiddleware(app, config)
    before = Response.closed
    answer = serve(guard, chunked(5000))
    assert answer.code == 413
    assert b"Request too large" in answer.body
    assert serve(guard, chunked(1000)).body == b"1000"
    assert Response.closed - before == (2 if app is Response else 0)


def test_an_answer_that_is_out_is_broken_off() -> None:
    guard = GuardMiddleware(
        answering_first, SecurityConfig(max_request_size=1000, enable_penetration_detection=False)
    )
    with pytest.raises(BodyTooLarge):
        serve(guard, chunked(5000))
