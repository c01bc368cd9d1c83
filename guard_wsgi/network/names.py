"""Host names in one spelling: lower case, and in ASCII as browsers and DNS write them."""

from __future__ import annotations

import idna


def ascii_host(name: str) -> str:
    """A host name as it goes over the wire: lower case, without the root's dot, and with
    international labels as ``xn--`` (IDNA 2008 with the mapping of UTS 46, as browsers do).

    :raises ValueError: for a name that can't be written so.
    """
    name = name.lower().rstrip(".")
    if name.isascii():
        return name
    return idna.encode(name, uts46=True).decode("ascii")  # IDNAError is a ValueError
