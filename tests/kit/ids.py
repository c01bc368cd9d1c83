"""Names of parametrised cases that are the same in every process, as pytest-xdist needs them."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def stable(shown: str) -> str:
    """A repr without the addresses of objects."""
    return _ADDRESS.sub("", shown)
