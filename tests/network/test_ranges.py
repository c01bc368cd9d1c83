"""The label of an address, compared with a plain search by ``ipaddress``."""

from __future__ import annotations

import ipaddress
import random
from bisect import bisect_right
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.network.address import parse_address
from guard_wsgi.network.ranges import LabelledRanges, merge, network_range, subtract

spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda s: (s[0], s[0] + s[1])),
    max_size=8,
)


def members(ranges: list[tuple[int, int]]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


@given(ranges=spans)
def test_merged_ranges_hold_the_same_addresses_sorted_and_apart(
    ranges: list[tuple[int, int]],
) -> None:
    merged = merge(ranges)
    assert members(merged) == members(ranges)
    assert all(one[1] + 1 < other[0] for one, other in pairwise(merged))


@given(ranges=spans, holes=spans)
def test_a_carve_out_takes_exactly_its_addresses(
    ranges: list[tuple[int, int]], holes: list[tuple[int, int]]
) -> None:
    left = subtract(merge(ranges), merge(holes))
    assert members(left) == members(ranges) - members(holes)
    assert left == merge(left)


@given(first=spans, second=spans)
def test_where_labels_overlap_the_first_one_wins(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    labelled = LabelledRanges([("one", 4, merge(first)), ("two", 4, merge(second))])
    for number in range(75):
        address = parse_address(str(ipaddress.IPv4Address(number)))
        assert address is not None
        expected = (
            "one" if number in members(first) else "two" if number in members(second) else None
        )
        assert labelled.label(address) == expected


@given(
    network=st.ip_addresses(v=4).flatmap(
        lambda a: st.integers(0, 32).map(lambda bits: f"{a}/{bits}")
    )
    | st.ip_addresses(v=6).flatmap(lambda a: st.integers(0, 128).map(lambda bits: f"{a}/{bits}"))
)
def test_a_network_is_read_as_ipaddress_reads_it(network: str) -> None:
    expected = ipaddress.ip_network(network, strict=False)
    first, last = int(expected.network_address), int(expected.broadcast_address)
    version, *found = network_range(network)
    if version == expected.version:  # ::ffff:0:0/96 and longer are IPv4 networks here
        assert found == [first, last]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "1.2.3.4/33",
        "1.2.3.4/-1",
        "1.2.3/24",
        "1.2.3.4/+8",
        "2001:db8::/129",
        "x/8",
        "1.2.3.4/8/9",
        "1.2.3.4/²",
    ],
)
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"network|Only|prefix|'/'"):
        network_range(text)


def test_a_plain_address_is_a_network_of_one() -> None:
    assert network_range("192.0.2.1") == (4, 3221225985, 3221225985)


def test_versions_are_kept_apart() -> None:
    address = parse_address("::5")
    assert address is not None
    assert LabelledRanges([("four", 4, [(0, 10)])]).label(address) is None


def test_many_ranges_are_found_as_few_are() -> None:
    """From some number on, an index searches IPv4 ranges; the result must be the same."""
    chance = random.Random(11)
    ranges = merge(
        (first, first + chance.choice([0, 3, 255, 65535, 200_000]))
        for first in (chance.getrandbits(32) for _ in range(3000))
    )
    ranges = [(first, min(last, 2**32 - 1)) for first, last in ranges]
    labelled = LabelledRanges([("many", 4, ranges), ("six", 6, [(0, 2**32)])])
    assert len(labelled) > 1000
    edges = [edge + step for r in ranges for edge in r for step in (-1, 0, 1)]
    for number in [*edges, 0, 2**32 - 1, *(chance.getrandbits(32) for _ in range(5000))]:
        if not 0 <= number < 2**32:
            continue
        address = parse_address(str(ipaddress.IPv4Address(number)))
        assert address is not None
        index = bisect_right(ranges, (number, 2**33)) - 1
        inside = index >= 0 and ranges[index][0] <= number <= ranges[index][1]
        assert labelled.label(address) == ("many" if inside else None)
