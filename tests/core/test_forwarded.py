"""The Forwarded header, with all that a client can put before the proxy's own element."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.network.client import ClientResolver
from guard_wsgi.network.forwarded import forwarded_nodes

PROXY = "10.0.0.1"
FORGED = "6.6.6.6"
CLIENT = "203.0.113.9"


def client_of(value: str, depth: int = 1) -> str:
    resolver = ClientResolver(["10.0.0.0/8"], header="forwarded", depth=depth)
    return resolver.identify({"REMOTE_ADDR": PROXY, "HTTP_FORWARDED": value}).client_ip


@pytest.mark.parametrize(
    "value",
    [
        f"for={CLIENT}",
        f"FOR={CLIENT};proto=https;by=10.0.0.1",
        f'for="{CLIENT}:4711";host="for={FORGED}"',
        f'for={CLIENT};host="a, for={FORGED}"',
        f'for={CLIENT};host="a\\", for={FORGED}"',
        f'by="_for={FORGED}";for={CLIENT}',
        f'for={CLIENT};by="_x;for={FORGED}"',
        f"for={FORGED}, for={CLIENT}",
        f"for={FORGED},for={CLIENT},,",
        f'for="{FORGED}, for={CLIENT}',
        f'for="{FORGED}, for="{CLIENT}"',
        f'x="\\, for={CLIENT}',
        f"for={CLIENT};xfor={FORGED}",
        f"xfor={FORGED};for={CLIENT}",
        f"\\, for={CLIENT} ; proto=http",
        f"for=, for={CLIENT}",
        f"{'=' * 50}, for={CLIENT}",
        f"for={FORGED};, for={CLIENT}",
    ],
)
def test_the_proxys_own_element_counts(value: str) -> None:
    assert client_of(value) == CLIENT


@pytest.mark.parametrize(
    "value",
    [
        f"for={CLIENT};for={FORGED}",
        f"for={FORGED};for={FORGED}",
        f"for {FORGED}",
        f'for="{FORGED}',
        f"for={FORGED}=x",
        "for=unknown",
        "for=_hidden",
        "proto=https",
        "",
        f"xfor={FORGED}",
    ],
)
def test_what_names_nobody_is_the_proxy(value: str) -> None:
    assert client_of(value) == PROXY


def test_addresses_of_ipv6_are_read_in_brackets() -> None:
    assert client_of('for="[2001:db8::1]:80"') == "2001:db8::1"
    assert client_of('for="[2001:db8::1]"') == "2001:db8::1"


@given(st.text(alphabet='for=6., ;"\\host:[]', max_size=40))
def test_nothing_that_a_client_sends_changes_what_the_proxy_appends(sent: str) -> None:
    assert client_of(f"{sent}, for={CLIENT};proto=https") == CLIENT
    assert client_of(f'{sent}, for="{CLIENT}"') == CLIENT


@given(st.text(max_size=200))
def test_any_text_is_read(value: str) -> None:
    assert len(forwarded_nodes(value, 64)) <= 64


def test_clients_behind_nat64_are_distinguished() -> None:
    resolver = ClientResolver()
    keys = {
        resolver.identify({"REMOTE_ADDR": f"64:ff9b::{n:x}:{n:x}"}).client_key for n in range(1, 9)
    }
    assert len(keys) == 8
    assert resolver.identify({"REMOTE_ADDR": "2001:db8::1"}).client_key == "2001:db8::/64"


@pytest.mark.parametrize("peer", ["", "0.0.0.0", "::"])
def test_a_socket_without_an_address_is_trusted_by_its_word_only(peer: str) -> None:
    """uWSGI calls the peer of a Unix socket 0.0.0.0."""
    environ = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": CLIENT}
    assert ClientResolver(["unix"]).identify(environ).client_ip == CLIENT
    assert ClientResolver(["10.0.0.0/8"]).identify(environ).address is None
    assert ClientResolver(["0.0.0.0/0"]).identify(environ).address is None
