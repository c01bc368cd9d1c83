"""An address that a server would fetch for a visitor: what a client appends does not excuse it."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from guard_wsgi.detection import Detector
from tests.detection.requests import environ

NAMES = ("url", "webhook", "avatar_url", "callback", "image", "q")
APPENDED = ("", "/", "/x?a=b", "/avatar.png", "#a")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "host.docker.internal"])
@pytest.mark.parametrize("port", [2375, 6379, 9200, 11211, 5432, 8500, 27017])
def test_the_port_of_a_store_or_an_engine_on_the_own_machine_is_found(host: str, port: int) -> None:
    inspection = Detector().compile()
    for appended in APPENDED:
        address = f"http://{host}:{port}{appended}"
        for name in NAMES:
            assert inspection.head(environ(QUERY_STRING=f"{name}={quote(address)}")), address


@pytest.mark.parametrize("host", ["%31%32%37.0.0.1", "127%2e0%2e0%2e1", "loc%61lhost"])
def test_an_encoded_host_is_found(host: str) -> None:
    inspection = Detector().compile()
    for appended in APPENDED:
        query = "url=" + quote(f"http://{host}{appended}")
        assert inspection.head(environ(QUERY_STRING=query)), query


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:3000/callback",
        "http://127.0.0.1:8080/cb",
        "https://shop.example.com:8443/a%20b?c=%2F",
        "https://xn--bcher-kva.example/",
        "https://b%C3%BCcher.example/",
    ],
)
def test_other_addresses_pass(address: str) -> None:
    inspection = Detector().compile()
    for name in ("callback", "next", "website"):
        assert not inspection.head(environ(QUERY_STRING=f"{name}={quote(address)}")), address
