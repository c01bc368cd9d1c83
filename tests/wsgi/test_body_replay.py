"""Whatever the guard has read, the app reads the same bytes, by any pattern of reads."""

from __future__ import annotations

import gc
from io import BytesIO
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.exceptions import RequestEntityTooLarge

from guard_wsgi.request.body import RequestBody, read_at_once
from guard_wsgi.request.framing import BodyTooLarge

BODIES = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from([b"a", b"\n", b"bc", b"\r\n", b"line\n"]), max_size=40).map(b"".join),
)
SIZES = st.one_of(st.none(), st.integers(min_value=-2, max_value=60))
READS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), SIZES),
        st.tuples(st.just("readline"), SIZES),
        st.tuples(st.just("readlines"), SIZES),
        st.tuples(st.just("next"), st.none()),
    ),
    max_size=12,
)


class SocketStream:
    """A server's stream: hangs up the test when asked for more than the message holds.

    That is what reading past the declared length does on a kept-alive connection.
    """

    def __init__(self, data: bytes, chunk_bytes: int | None = None, endless: bool = True) -> None:
        self.stream = BytesIO(data)
        self.left = len(data)
        self.chunk_bytes = chunk_bytes
        self.endless = endless
        self.reads: list[int] = []

    def _bounded(self, size: int) -> int:
        assert size >= 0 or not self.endless, "an unbounded read would wait forever"
        assert size <= self.left or not self.endless, "a read past the end would wait forever"
        self.reads.append(size)
        return size

    def read(self, size: int = -1) -> bytes:
        size = self._bounded(size)
        if self.chunk_bytes is not None:
            size = self.chunk_bytes if size < 0 else min(size, self.chunk_bytes)
        data = self.stream.read(size)
        self.left -= len(data)
        return data

    def readline(self, size: int = -1) -> bytes:
        data = self.stream.readline(self._bounded(size))
        self.left -= len(data)
        return data


def environ_of(stream: Any, length: int | None, terminated: bool = False) -> dict[str, Any]:
    environ: dict[str, Any] = {"wsgi.input": stream}
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
    if terminated:
        environ["wsgi.input_terminated"] = True
    return environ


def apply(stream: Any, reads: list[tuple[str, int | None]]) -> list[Any]:
    results: list[Any] = []
    for method, size in reads:
        if method == "next":
            results.append(next(iter(stream), b""))
        else:
            results.append(getattr(stream, method)(size))
    return results


@given(body=BODIES, max_bytes=st.integers(0, 250), reads=READS, chunk=st.integers(1, 30))
def test_a_declared_body_replays_exactly_for_any_pattern_of_reads(
    body: bytes, max_bytes: int, reads: list[tuple[str, int | None]], chunk: int
) -> None:
    environ = environ_of(SocketStream(body), len(body))
    request_body = RequestBody(environ)
    assert request_body.prefix(max_bytes) == body[:max_bytes]
    assert request_body.complete == (len(body) <= max_bytes)
    assert environ["CONTENT_LENGTH"] == str(len(body))
    assert "wsgi.input_terminated" not in environ
    if body:
        assert apply(environ["wsgi.input"], reads) == apply(BytesIO(body), reads)


@given(body=BODIES, max_bytes=st.integers(0, 250), reads=READS)
def test_a_body_that_the_server_ends_replays_exactly(
    body: bytes, max_bytes: int, reads: list[tuple[str, int | None]]
) -> None:
    environ = environ_of(SocketStream(body, endless=False), None, terminated=True)
    environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    request_body = RequestBody(environ)
    assert request_body.prefix(max_bytes) == body[:max_bytes]
    assert request_body.complete == (len(body) < max_bytes)
    assert "CONTENT_LENGTH" not in environ
    if body:
        assert apply(environ["wsgi.input"], reads) == apply(BytesIO(body), reads)


def test_a_body_of_known_length_is_asked_for_once_and_never_beyond() -> None:
    """A read past it would wait for bytes that never come, or take bytes of the next request."""
    stream = SocketStream(b"a=1&b=2next", endless=False)
    environ = environ_of(stream, len(b"a=1&b=2"))
    body = RequestBody(environ)
    assert body.prefix(1000) == b"a=1&b=2"
    assert body.complete
    assert stream.reads == [7]
    assert environ["wsgi.input"].read() == b"a=1&b=2"


def test_what_a_server_hands_over_past_the_declared_length_is_inspected_and_replayed() -> None:
    environ = environ_of(BytesIO(b"a=1&b=2more"), len(b"a=1&b=2"), terminated=True)
    assert RequestBody(environ).prefix(1000) == b"a=1&b=2more"
    assert environ["wsgi.input"].read() == b"a=1&b=2more"


@given(body=BODIES, max_bytes=st.integers(0, 250), chunk=st.integers(1, 30))
def test_a_server_that_reads_short_loses_nothing(body: bytes, max_bytes: int, chunk: int) -> None:
    environ = environ_of(SocketStream(body, chunk), len(body))
    assert RequestBody(environ).prefix(max_bytes) == body[:max_bytes]
    parts = []
    if body:
        while data := environ["wsgi.input"].read(17):
            parts.append(data)
    assert b"".join(parts) == body


@given(
    body=BODIES,
    first=st.integers(0, 100),
    before=READS,
    second=st.integers(0, 250),
    after=READS,
    terminated=st.booleans(),
)
def test_a_second_prefix_grows_without_disturbing_the_app(
    body: bytes,
    first: int,
    before: list[tuple[str, int | None]],
    second: int,
    after: list[tuple[str, int | None]],
    terminated: bool,
) -> None:
    stream = SocketStream(body, endless=not terminated)
    environ = environ_of(stream, len(body), terminated)
    request_body = RequestBody(environ)
    request_body.prefix(first)
    plain = BytesIO(body)
    if body:
        assert apply(environ["wsgi.input"], before) == apply(plain, before)
    prefix = request_body.prefix(second)
    assert body.startswith(prefix)
    assert len(prefix) <= second
    if request_body.complete:
        assert prefix == body
    if body:
        assert apply(environ["wsgi.input"], after) == apply(plain, after)


@given(
    body=BODIES,
    limit=st.integers(0, 220),
    max_bytes=st.none() | st.integers(0, 250),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    method=st.sampled_from(["read", "readline"]),
    terminated=st.booleans(),
)
def test_no_app_reads_more_than_the_limit_and_a_body_of_the_limit_passes(
    body: bytes,
    limit: int,
    max_bytes: int | None,
    sizes: list[int],
    method: str,
    terminated: bool,
) -> None:
    environ = environ_of(BytesIO(body), len(body), terminated)
    request_body = RequestBody(environ)
    request_body.limit(limit)
    if max_bytes is not None:
        request_body.prefix(max_bytes)
    received = b""
    refused = False
    if body:
        try:
            for turn in range(10_000):
                data = getattr(environ["wsgi.input"], method)(sizes[turn % len(sizes)])
                received += data
                if not data:
                    break
        except BodyTooLarge:
            refused = True
    assert len(received) <= limit
    assert refused == (len(body) > limit)
    if not refused:
        assert received == body


def test_reading_everything_past_the_limit_is_refused_and_stays_refused() -> None:
    environ = environ_of(BytesIO(b"x" * 1000), None, terminated=True)
    RequestBody(environ).limit(100)
    for _ in range(2):
        with pytest.raises(RequestEntityTooLarge):
            environ["wsgi.input"].read()
    with pytest.raises(BodyTooLarge):
        environ["wsgi.input"].readline()


def test_nothing_is_read_before_a_rule_asks() -> None:
    stream = SocketStream(b"abc")
    environ = environ_of(stream, 3)
    RequestBody(environ)
    assert stream.reads == []
    assert environ["wsgi.input"] is stream


def test_a_large_body_is_read_no_further_than_asked() -> None:
    stream = SocketStream(b"x" * 1_000_000)
    environ = environ_of(stream, 1_000_000)
    RequestBody(environ).prefix(1000)
    assert stream.left == 999_000


def test_a_request_without_a_body_is_complete_and_untouched() -> None:
    stream = SocketStream(b"")
    environ = environ_of(stream, None)
    body = RequestBody(environ)
    assert body.readable
    assert body.prefix(100) == b""
    assert body.complete
    assert stream.reads == []
    assert environ["wsgi.input"] is stream


def test_a_chunked_body_without_a_marked_end_is_not_touched() -> None:
    stream = SocketStream(b"5\r\nhello\r\n0\r\n\r\n")
    environ = environ_of(stream, None)
    environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    body = RequestBody(environ)
    assert not body.readable
    assert body.prefix(100) == b""
    assert not body.complete
    assert stream.reads == []
    assert environ["wsgi.input"] is stream


def test_a_client_that_leaves_early_ends_the_body() -> None:
    environ = environ_of(BytesIO(b"only this"), 500)
    body = RequestBody(environ)
    assert body.prefix(1000) == b"only this"
    assert body.complete
    assert environ["wsgi.input"].read() == b"only this"


class BrokenStream:
    """Gives some bytes, then fails as a server does when a chunk is malformed."""

    def __init__(self, data: bytes) -> None:
        self.stream = BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size)
        if not data:
            raise OSError("connection reset")
        return data

    readline = read


def test_a_broken_stream_fails_for_the_app_as_it_failed_for_the_guard() -> None:
    environ = environ_of(BrokenStream(b"first"), 500)
    body = RequestBody(environ)
    assert body.prefix(100) == b"first"
    assert not body.complete
    assert body.read_error == "OSError('connection reset')"
    assert environ["wsgi.input"].read(10) == b"first"
    with pytest.raises(OSError, match="connection reset"):
        environ["wsgi.input"].read(10)


class ShortStream:
    """Returns a few bytes at a time, and may fail once after some of them."""

    def __init__(self, data: bytes, most: int, fails_at: int | None) -> None:
        self.stream, self.most, self.fails_at = BytesIO(data), most, fails_at

    def read(self, size: int) -> bytes:
        if self.fails_at is not None and self.stream.tell() >= self.fails_at:
            self.fails_at, self.stream = None, BytesIO()
            raise OSError("connection reset")
        return self.stream.read(min(size, self.most))


def drain(stream: Any, left: int) -> tuple[bytes, str]:
    """Return what an app gets that reads a little at a time, and its error."""
    data = b""
    try:
        while left and (part := stream.read(min(left, 7))):
            data += part
            left -= len(part)
    except OSError as error:
        return data, str(error)
    return data, ""


@given(
    body=BODIES,
    difference=st.sampled_from([0, 0, 0, -3, -1, 1, 40]),
    terminated=st.booleans(),
    most=st.one_of(st.just(1000), st.integers(1, 30), st.sampled_from(["declared"])),
    fails_at=st.one_of(st.none(), st.integers(0, 60)),
)
@example(body=b"abcdef", difference=-3, terminated=True, most="declared", fails_at=None)
@example(body=b"abcdef", difference=0, terminated=True, most=1000, fails_at=6)
@example(body=b"abcdef", difference=0, terminated=False, most=3, fails_at=3)
@example(body=b"abcdef", difference=0, terminated=False, most=1000, fails_at=0)
@example(body=b"", difference=0, terminated=False, most=1000, fails_at=0)
def test_a_body_read_at_once_is_what_is_read_step_by_step(
    body: bytes, difference: int, terminated: bool, most: int | str, fails_at: int | None
) -> None:
    declared = max(0, len(body) + difference)
    size = max(1, declared) if isinstance(most, str) else most
    streams = [ShortStream(body, size, fails_at) for _ in range(2)]
    environs = [environ_of(stream, declared, terminated) for stream in streams]
    at_once = read_at_once(environs[0], declared, 300)
    steps = RequestBody(environs[1])
    prefix = steps.prefix(300)
    if isinstance(at_once, bytes):
        assert (at_once, True) == (prefix, steps.complete)
    else:
        assert at_once.prefix(300) == prefix
        assert (at_once.complete, at_once.read_error) == (steps.complete, steps.read_error)
    left = 1000 if terminated else declared
    apps = [drain(environ["wsgi.input"], left) for environ in environs]
    assert apps[0] == apps[1]


def test_a_body_begun_at_once_is_not_read_past_its_end() -> None:
    environ = environ_of(SocketStream(b"abcdef", chunk_bytes=4), 6)
    body = read_at_once(environ, 6, 300)
    assert isinstance(body, RequestBody)
    assert body.prefix(300) == b"abcdef"
    assert environ["wsgi.input"].read() == b"abcdef"


class Environ(dict):  # type: ignore[type-arg]
    """A dict that can be watched by a weak reference."""


@pytest.mark.parametrize("max_bytes", [2, 100])
@pytest.mark.parametrize("stream_type", [BytesIO, BrokenStream])
def test_the_environ_is_freed_without_the_collector(max_bytes: int, stream_type: Any) -> None:
    import weakref

    gc.collect()
    gc.disable()
    try:
        environ = Environ(environ_of(stream_type(b"hello"), 50))
        body = RequestBody(environ)
        body.prefix(max_bytes)
        # The worst a caller can do: keep the body inside the environ.
        environ["body"] = body
        with pytest.raises(OSError, match="reset") if stream_type is BrokenStream else _nothing():
            while environ["wsgi.input"].read(3):
                pass
        watched = weakref.ref(environ)
        del environ, body
        assert watched() is None
    finally:
        gc.enable()


def _nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()
