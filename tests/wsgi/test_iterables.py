"""The app's iterable: passed on unchanged, closed together with ours, never held back."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper

import pytest

from guard_wsgi.request import current_request
from tests.kit.gateway import Environ, Gateway, environ_for, serve, text_app
from tests.wsgi.guarding import INJECTION, guard

TEXT = [("Content-Type", "text/plain")]
Start = Callable[..., Any]


class Chunks:
    """An iterable that counts its calls."""

    def __init__(self, *chunks: bytes, close_error: BaseException | None = None) -> None:
        self.chunks = iter(chunks)
        self.taken = 0
        self.closed = 0
        self.close_error = close_error

    def __iter__(self) -> Chunks:
        return self

    def __next__(self) -> bytes:
        chunk = next(self.chunks)
        self.taken += 1
        return chunk

    def close(self) -> None:
        self.closed += 1
        if self.close_error is not None:
            raise self.close_error


def returning(iterable: Any, status: str = "200 OK") -> Any:
    def app(environ: Environ, start_response: Start) -> Any:
        start_response(status, TEXT)
        return iterable

    return app


@pytest.mark.parametrize("headers", [True, False], ids=["with headers", "without headers"])
@pytest.mark.parametrize("wrapper", [True, False], ids=["file_wrapper", "no file_wrapper"])
def test_the_server_gets_the_very_object_the_app_returned(
    headers: bool, wrapper: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server recognises its file wrapper by identity and sends the file by its descriptor. Where
    views are decorated, which other tests of this process do, it gets that one only."""
    if not wrapper:
        monkeypatch.setattr(current_request, "_GUARDS", current_request._Guards())
    (tmp_path / "file").write_bytes(b"content")
    options = {} if headers else {"security_headers": None}
    with (tmp_path / "file").open("rb") as opened:
        result = FileWrapper(opened) if wrapper else Chunks(b"a")
        environ = environ_for()
        if wrapper:
            environ["wsgi.file_wrapper"] = FileWrapper
        got = guard(returning(result), **options)(environ, Gateway().start_response)
        assert got is result


def watched(app: Any) -> Any:
    """A guard with a rule on responses, which is the one thing that makes it wrap the iterable."""
    from guard_wsgi import BehaviorRuleConfig

    rule = BehaviorRuleConfig(rule_type="return_pattern", threshold=5, pattern="status:404")
    return guard(app, global_behavior_rules=(rule,))


GUARDS = [pytest.param(guard, id="plain"), pytest.param(watched, id="watching responses")]


@pytest.mark.parametrize("guarded", GUARDS)
def test_one_chunk_in_is_one_chunk_out_and_nothing_is_taken_ahead(guarded: Any) -> None:
    chunks = Chunks(b"one", b"", b"two", b"three")
    iterable = guarded(returning(chunks))(environ_for(), Gateway().start_response)
    iterator = iter(iterable)
    assert chunks.taken == 0
    for count, expected in enumerate([b"one", b"", b"two", b"three"], 1):
        assert next(iterator) == expected
        assert chunks.taken == count


@pytest.mark.parametrize("guarded", GUARDS)
def test_closing_before_the_first_chunk_closes_the_app_s_iterable(guarded: Any) -> None:
    chunks = Chunks(b"never")
    guarded(returning(chunks))(environ_for(), Gateway().start_response).close()
    assert chunks.closed == 1
    assert chunks.taken == 0


@pytest.mark.parametrize("guarded", GUARDS)
def test_closing_in_the_middle_and_at_the_end_closes_once(guarded: Any) -> None:
    for taken in (1, 2):
        chunks = Chunks(b"one", b"two")
        iterable = guarded(returning(chunks))(environ_for(), Gateway().start_response)
        iterator = iter(iterable)
        for _ in range(taken):
            next(iterator)
        iterable.close()
        assert chunks.closed == 1


@pytest.mark.parametrize("guarded", GUARDS)
def test_an_error_while_closing_is_the_app_s_error(guarded: Any) -> None:
    failure = RuntimeError("close failed")
    chunks = Chunks(b"one", close_error=failure)
    with pytest.raises(RuntimeError, match="close failed") as raised:
        serve(guarded(returning(chunks)))
    assert raised.value is failure
    assert chunks.closed == 1


@pytest.mark.parametrize("guarded", GUARDS)
@pytest.mark.parametrize(
    "failure", [RuntimeError("broken"), SystemExit(3), KeyboardInterrupt(), GeneratorExit()]
)
def test_an_error_of_the_app_comes_out_as_it_is(guarded: Any, failure: BaseException) -> None:
    def at_once(environ: Environ, start_response: Start) -> Iterable[bytes]:
        raise failure

    def in_the_middle(environ: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        yield b"half"
        raise failure

    for app in (at_once, in_the_middle):
        with pytest.raises(type(failure)) as raised:
            serve(guarded(app))
        assert raised.value is failure


@pytest.mark.parametrize("guarded", GUARDS)
def test_a_list_and_an_empty_iterable_pass(guarded: Any) -> None:
    assert serve(guarded(returning([b"a", b"b"]))).body == b"ab"
    assert serve(guarded(returning([]))).body == b""
    assert serve(guarded(returning(()))).body == b""


class Environment(dict):  # type: ignore[type-arg]
    """A dict that a weak reference can watch; servers hand over a plain one."""


@pytest.mark.parametrize("guarded", GUARDS)
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="GET"),
        pytest.param({"method": "POST", "data": b"x" * 2000}, id="small body"),
        pytest.param({"method": "POST", "data": b"tea " * 100_000}, id="large body"),
        pytest.param({"query_string": {"q": INJECTION}}, id="refused"),
        pytest.param({"path": "/missing"}, id="other path"),
    ],
)
def test_the_environ_is_freed_with_the_response_and_without_the_collector(
    guarded: Any, options: dict[str, Any]
) -> None:
    app = guarded(text_app())
    serve(app, **options)
    environ = Environment(environ_for(**options))
    watch = weakref.ref(environ)
    gc.collect()
    gc.disable()
    try:
        answer = Gateway().serve(app, environ)
        assert answer.status
        del answer, environ
        assert watch() is None, gc.get_referrers(watch())
    finally:
        gc.enable()


@pytest.mark.parametrize("guarded", GUARDS)
def test_the_guard_leaves_one_key_in_the_environ(guarded: Any) -> None:
    seen: list[set[str]] = []

    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        seen.append(set(environ))
        start_response("200 OK", TEXT)
        return []

    environ = environ_for()
    before = set(environ)
    serve(guarded(app), environ)
    assert seen[0] - before == {"guard_wsgi"}
    assert before - seen[0] == set()


def test_the_environ_handed_on_is_the_server_s_own() -> None:
    seen: list[Environ] = []

    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        seen.append(environ)
        start_response("200 OK", TEXT)
        return []

    environ = environ_for()
    serve(guard(app), environ)
    assert seen[0] is environ


def test_no_rule_on_bodies_means_nobody_touches_the_input() -> None:
    seen: list[Any] = []

    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        seen.append(environ["wsgi.input"])
        start_response("200 OK", TEXT)
        return []

    stream = BytesIO(b"body")
    environ = environ_for(method="POST", input_stream=stream, content_length=4)
    serve(guard(app, detection_scan_body=False, max_request_size=None), environ)
    assert seen[0] is stream
    assert stream.tell() == 0


def test_mounted_twice_a_request_is_counted_once() -> None:
    from guard_wsgi import GuardMiddleware
    from tests.wsgi.guarding import settings

    config = settings(rate_limit=3)
    app = GuardMiddleware(GuardMiddleware(text_app(), config), config)
    assert [serve(app).code for _ in range(4)] == [200, 200, 200, 429]
