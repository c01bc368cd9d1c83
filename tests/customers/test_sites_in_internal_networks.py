"""A site with an internal address works: its own pages are no targets inside the network."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from guard_wsgi.detection import Detector
from tests.detection.requests import environ

HOSTS = (
    *("127.0.0.1:8000", "localhost:8000", "192.168.1.5", "10.1.2.3", "172.17.0.2:5000"),
    *("[::1]:8000", "web:8000", "nas.local", "shop.default.svc.cluster.local", "169.254.10.1"),
)
PATHS = (
    *("/", "/admin/", "/admin/login/?next=/admin/", "/metrics", "/manager/html", "/actuator"),
    *("/server-status", "/phpmyadmin/", "/console", "/containers/json", "/_cat/indices"),
)
METADATA = ("http://169.254.169.254/", "http://169.254.169.254/latest/", "http://169.254.170.2/v2/")


@pytest.mark.parametrize("host", HOSTS)
def test_its_pages_link_to_each_other(host: str) -> None:
    inspection = Detector().compile()
    for path in PATHS:
        page = f"http://{host}{path}"
        for key in ("HTTP_HOST", "HTTP_X_FORWARDED_HOST"):
            hosts = {"HTTP_HOST": "upstream", key: host}
            assert not inspection.head(environ(**hosts, HTTP_REFERER=page)), page
            assert not inspection.head(environ(**hosts, HTTP_ORIGIN=f"http://{host}")), host
            for name in ("next", "redirect_uri", "returnUrl"):
                query = f"{name}={quote(page)}"
                assert not inspection.head(environ(**hosts, QUERY_STRING=query)), query


def test_other_addresses_inside_the_network_are_targets() -> None:
    inspection = Detector().compile()
    for host in ("127.0.0.1:8000", "127.0.0.1:8080", "shop.example.com"):
        page = "http://127.0.0.1/admin/"
        assert inspection.head(environ(HTTP_HOST=host, HTTP_REFERER=page))
        assert inspection.head(environ(HTTP_HOST=host, QUERY_STRING="next=" + quote(page)))
    own = environ(HTTP_HOST="127.0.0.1", QUERY_STRING="url=http://127.0.0.1/admin/")
    assert inspection.head(own)  # a server fetches it


@pytest.mark.parametrize("address", METADATA)
def test_a_host_that_is_claimed_opens_no_metadata(address: str) -> None:
    inspection = Detector().compile()
    claimed = {"HTTP_HOST": address.split("/")[2]}
    assert inspection.head(environ(**claimed, HTTP_REFERER=address))
    assert inspection.head(environ(**claimed, QUERY_STRING="next=" + quote(address)))


@pytest.mark.parametrize(
    "payload", ["' OR 1=1--", "<script>alert(1)</script>", "$(cat /etc/passwd)"]
)
def test_an_attack_behind_the_own_address_is_found(payload: str) -> None:
    inspection = Detector().compile()
    page = "http://10.1.2.3/search?q=" + quote(payload)
    assert inspection.head(environ(HTTP_HOST="10.1.2.3", HTTP_REFERER=page))
    assert inspection.head(environ(HTTP_HOST="10.1.2.3", QUERY_STRING="next=" + quote(page)))
