"""The fixtures of the network tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import pytest

from tests.network.publisher import Handler, Publisher


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    publisher = Publisher()
    handler = type("Handler", (Handler,), {"publisher": publisher})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    publisher.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield publisher
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def no_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The current publications of providers must not decide a test, so the network is blocked
    here."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
