"""Sets of addresses and networks, held against ``ipaddress``."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.network.address import parse_address
from guard_wsgi.network.ipset import IPSet, parse_network


def small(version: int) -> st.SearchStrategy[str]:
    """Networks close together, so that they touch and overlap."""
    if version == 4:
        return st.tuples(st.integers(0, 1023), st.integers(20, 32)).map(
            lambda pair: f"{ip_address(0x0A000000 + pair[0])}/{pair[1]}"
        )
    return st.tuples(st.integers(0, 1023), st.integers(116, 128)).map(
        lambda pair: f"{ip_address((0x20010DB8 << 96) + pair[0])}/{pair[1]}"
    )


networks = st.lists(small(4) | small(6), max_size=8)


@given(members=networks, probe=small(4) | small(6))
def test_an_address_is_in_the_set_when_it_is_in_a_network(members: list[str], probe: str) -> None:
    text = probe.partition("/")[0]
    address = parse_address(text)
    assert address is not None
    expected = any(ip_address(text) in ip_network(member, strict=False) for member in members)
    assert (address in IPSet(members)) is expected


@given(members=networks, probe=small(4) | small(6))
def test_a_network_overlaps_the_set_when_it_overlaps_a_member(
    members: list[str], probe: str
) -> None:
    network = parse_network(probe)
    expected = False
    for member in (ip_network(member, strict=False) for member in members):
        if member.version == network.version:
            expected = expected or member.overlaps(network)  # type: ignore[arg-type]
    assert IPSet(members).overlaps(network) is expected


@pytest.mark.parametrize("text", ["", "10.0.0.0/33", "ten", "10.0.0.0/8/8"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"address|network|Only"):
        IPSet([text])


def test_a_mapped_network_is_the_ipv4_network() -> None:
    address = parse_address("10.1.2.3")
    assert address is not None
    assert address in IPSet(["::ffff:10.0.0.0/104"])


@pytest.mark.parametrize(
    ("text", "canonical", "client_key"),
    [
        ("10.0.0.1", "10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.1"),
        ("2001:DB8::1", "2001:db8::1", "2001:db8::/64"),
        ("2001:0db8:0:0:1::9%eth0", "2001:db8::1:0:0:9", "2001:db8::/64"),
    ],
)
def test_one_client_has_one_spelling(text: str, canonical: str, client_key: str) -> None:
    address = parse_address(text)
    assert address is not None
    assert (address.text, address.client_key) == (canonical, client_key)


@pytest.mark.parametrize("text", ["", "unknown", "1.2.3", "1.2.3.4.5", "1.2.3.4:80", "[::1]"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse_address(text) is None
