"""Addresses of clients."""

from __future__ import annotations

from guard_wsgi.network.address import Address, parse_address


def address(text: str = "192.0.2.7") -> Address:
    """Parse a text that is an address."""
    parsed = parse_address(text)
    assert parsed is not None
    return parsed
