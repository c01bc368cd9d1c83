"""Host names in canonical spelling: lower case, and in ASCII as browsers and DNS write them."""

from __future__ import annotations


def ascii_host(name: str) -> str:
    """Return a host name as it is sent: lower case, without the root's dot, and with international
    labels as ``xn--`` (IDNA 2008 with the mapping of UTS 46, as browsers do).

    :raises ValueError: if the name can't be encoded.
    """
    name = name.lower().rstrip(".")
    if name.isascii():
        return name
    import idna  # here, because its tables are large, and such names are rare

    return idna.encode(name, uts46=True).decode("ascii")  # IDNAError is a ValueError
