"""The client's address, whatever the forwarding headers say."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.network.address import parse_address, strip_port
from guard_wsgi.network.client import MAX_CACHED_ADDRESSES, ClientResolver
from tests.core.visiting import Site

PROXY = "10.0.0.1"
TRUSTED = ("10.0.0.0/8", "fd00::/8")


def client(forwarded: str | None, *, peer: str = PROXY, **options: object) -> str | None:
    resolver = ClientResolver(TRUSTED, **options)  # type: ignore[arg-type]
    environ = {"REMOTE_ADDR": peer}
    if forwarded is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    address = resolver.identify(environ).address
    return address.text if address is not None else None


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        pytest.param("203.0.113.7", "203.0.113.7", id="one proxy"),
        pytest.param("203.0.113.7, 10.0.0.5", "203.0.113.7", id="two proxies"),
        pytest.param("1.2.3.4, 203.0.113.7", "203.0.113.7", id="forged entry on the left"),
        pytest.param("127.0.0.1, 203.0.113.7, 10.1.1.1", "203.0.113.7", id="forged loopback"),
        pytest.param("203.0.113.7:5678", "203.0.113.7", id="with port"),
        pytest.param("[2001:db8::1]:443", "2001:db8::1", id="IPv6 in brackets with port"),
        pytest.param("::ffff:203.0.113.7", "203.0.113.7", id="IPv4 mapped into IPv6"),
        pytest.param("203.0.113.7, nonsense", PROXY, id="malformed at the right"),
        pytest.param("nonsense, 203.0.113.7", "203.0.113.7", id="malformed at the left"),
        pytest.param("nonsense, 10.0.0.9", "10.0.0.9", id="malformed behind a trusted hop"),
        pytest.param("", PROXY, id="empty"),
        pytest.param("10.0.0.9", "10.0.0.9", id="an internal caller"),
        pytest.param(None, PROXY, id="no header"),
    ],
)
def test_the_rightmost_untrusted_entry_is_the_client(forwarded: str | None, expected: str) -> None:
    assert client(forwarded) == expected


def test_a_stranger_cannot_name_another_client() -> None:
    assert client("1.2.3.4", peer="198.51.100.9") == "198.51.100.9"


def test_without_trusted_proxies_nobody_names_the_client() -> None:
    environ = {"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": "1.2.3.4"}
    identity = ClientResolver().identify(environ)
    assert identity.address is not None
    assert identity.address.text == PROXY
    assert identity.note == ""


def test_a_chain_shorter_than_the_depth_did_not_come_through_all_proxies() -> None:
    assert client("203.0.113.7", depth=2) == PROXY
    assert client("203.0.113.7, 10.0.0.5", depth=2) == "203.0.113.7"


ADDRESSES = st.one_of(
    st.integers(0, 2**32 - 1).map(lambda n: str(IPv4Address(n))),
    st.integers(0, 2**128 - 1).map(lambda n: str(IPv6Address(n))),
)
TRUSTED_ADDRESSES = st.integers(0, 2**24 - 1).map(lambda n: str(IPv4Address((10 << 24) + n)))
UNTRUSTED = ADDRESSES.filter(
    lambda text: (
        (address := parse_address(text)) is not None
        and not (address.version == 4 and address.number >> 24 == 10)
        and not (address.version == 6 and address.number >> 120 == 0xFD)
    )
)


@given(left=st.lists(st.text(max_size=20)), real=UNTRUSTED, right=st.lists(TRUSTED_ADDRESSES))
def test_nothing_left_of_the_first_untrusted_hop_matters(
    left: list[str], real: str, right: list[str]
) -> None:
    parsed = parse_address(real)
    assert parsed is not None
    chain = ", ".join([*left, real, *right])
    assert client(chain) == client(", ".join([real, *right])) == parsed.text


@given(st.integers(0, 2**32 - 1))
def test_every_spelling_of_an_ipv4_address_is_one_client(number: int) -> None:
    plain = str(IPv4Address(number))
    mapped = IPv6Address((0xFFFF << 32) | number)
    spellings = [plain, str(mapped), mapped.exploded, f"{mapped}".upper(), f"{mapped}%eth0"]
    keys = {parse_address(text) for text in spellings}
    assert len(keys) == 1


@given(st.integers(0, 2**128 - 1))
def test_every_spelling_of_an_ipv6_address_is_one_client(number: int) -> None:
    address = IPv6Address(number)
    spellings = [str(address), address.exploded, address.exploded.upper(), f"{address}%0"]
    assert len({parse_address(text) for text in spellings}) == 1
    assert parse_address(strip_port(f"[{address}]:8080")) == parse_address(str(address))


def test_one_network_of_64_bits_is_one_client_to_the_limits() -> None:
    site = Site(rate_limit=2)
    assert site.visit(ip="2001:db8:1:2::1").code == 200
    assert site.visit(ip="2001:db8:1:2:ffff::9").code == 200
    assert site.visit(ip="2001:db8:1:2:3::4").code == 429
    assert site.visit(ip="2001:db8:1:3::1").code == 200


def test_the_prefix_of_an_ipv6_client_can_be_set() -> None:
    site = Site(rate_limit=1, ipv6_client_prefix=128)
    assert site.visit(ip="2001:db8::1").code == 200
    assert site.visit(ip="2001:db8::2").code == 200
    assert site.visit(ip="2001:db8::2").code == 429


def test_refuses_a_peer_without_an_address_unless_configured_otherwise() -> None:
    assert Site().visit(ip="").code == 403
    assert b"could not be determined" in Site().visit(ip="").body
    assert Site(fail_secure=False).visit(ip="").code == 200


def test_believes_the_proxy_behind_a_trusted_unix_socket() -> None:
    site = Site(trusted_proxies=["unix"], blacklist=["203.0.113.66"])
    forwarded = {"X-Forwarded-For": "203.0.113.66"}
    assert site.visit(ip="", headers=forwarded).code == 403
    assert site.visit(ip="", headers={"X-Forwarded-For": "203.0.113.1"}).code == 200


@pytest.mark.parametrize(
    ("header", "name", "value"),
    [
        ("forwarded", "Forwarded", 'for=1.1.1.1, for="203.0.113.66:99";proto=https, for=10.0.0.2'),
        ("forwarded", "Forwarded", 'For="[2001:db8::66]:80"'),
        ("x-real-ip", "X-Real-IP", "203.0.113.66"),
        ("cf-connecting-ip", "CF-Connecting-IP", "203.0.113.66"),
    ],
)
def test_another_header_can_be_chosen_and_only_it_counts(
    header: str, name: str, value: str
) -> None:
    site = Site(
        trusted_proxies=list(TRUSTED),
        forwarded_header=header,
        blacklist=["203.0.113.66", "2001:db8::66"],
    )
    assert site.visit(ip=PROXY, headers={name: value}).code == 403
    assert site.visit(ip=PROXY, headers={"X-Forwarded-For": "203.0.113.66"}).code == 200


@pytest.mark.parametrize("header", ["X-Real-IP", "CF-Connecting-IP", "True-Client-IP"])
@pytest.mark.parametrize(
    "value",
    [
        *("203.0.113.66", " 203.0.113.66 ", "6.6.6.6, 203.0.113.66", "6.6.6.6,203.0.113.66"),
        *("10.0.0.9,203.0.113.66", "nonsense,203.0.113.66:4711", '"[::ffff:203.0.113.66]:80"'),
        *(",203.0.113.66", "6.6.6.6,,203.0.113.66", "[::ffff:203.0.113.66%25eth0]"),
    ],
)
def test_of_a_header_of_one_value_the_proxys_own_counts(header: str, value: str) -> None:
    site = Site(
        trusted_proxies=list(TRUSTED), forwarded_header=header.lower(), blacklist=["203.0.113.66"]
    )
    assert site.visit(ip=PROXY, headers={header: value}).code == 403
    assert site.visit(ip=PROXY, headers={header: f"{value}, 198.51.100.1"}).code == 200


@pytest.mark.parametrize("proto", ["https", "HTTPS", "http, https"])
def test_a_trusted_proxy_says_that_the_client_uses_https(proto: str) -> None:
    site = Site(trusted_proxies=[PROXY], trust_x_forwarded_proto=True, enforce_https=True)
    assert site.visit(ip=PROXY, headers={"X-Forwarded-Proto": proto}).code == 200
    assert site.visit(ip="203.0.113.9", headers={"X-Forwarded-Proto": proto}).code == 308


@pytest.mark.parametrize(("client", "code"), [("203.0.113.66", 403), ("203.0.113.7", 200)])
def test_an_answer_through_a_trusted_proxy_tells_browsers_to_stay_with_https(
    client: str, code: int
) -> None:
    site = Site(trusted_proxies=[PROXY], trust_x_forwarded_proto=True, blacklist=["203.0.113.66"])
    for proto in ("https", "http", "https"):
        forwarded = {"X-Forwarded-For": client, "X-Forwarded-Proto": proto}
        answer = site.visit(ip=PROXY, headers=forwarded)
        assert answer.code == code
        assert ("Strict-Transport-Security" in dict(answer.headers)) == (proto == "https")


def test_a_connection_without_an_address_is_refused_each_time() -> None:
    site = Site()
    assert [site.visit(ip="").code for _ in range(3)] == [403] * 3
    assert site.seen == []


def test_the_addresses_that_are_remembered_are_bounded() -> None:
    resolver = ClientResolver()
    for number in range(2 * MAX_CACHED_ADDRESSES + 100):
        address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        assert resolver.identify({"REMOTE_ADDR": address}).client_ip == address
    for table in (resolver.known, resolver._peers, resolver._addresses):
        assert 0 < len(table) <= MAX_CACHED_ADDRESSES
