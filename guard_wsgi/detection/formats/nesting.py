"""How deeply a JSON document nests. A deep one makes parsers recurse until they fail.

Programs of blocks (Blockly) put each statement into the one before, so a pupil's program of thirty
statements has sixty levels. A level of such a chain counts a sixteenth of another level. Python's
parser still limits the depth.
"""

from __future__ import annotations

import re
from typing import Final

LEVEL: Final = 16
"""The cost of one level."""
LINK: Final = 1
"""The cost of a level that continues a chain."""

_LINK: Final = re.compile(rb'"next"\s*:\s*\{\s*"block"\s*:\s*\{')


def cost_of(path: str, key: str) -> int:
    """Return what the level of an object's value costs.

    :param path: the path of the object.
    """
    if key == "next" or (key == "block" and (path == "next" or path.endswith(".next"))):
        return LINK
    return LEVEL


def without_links(body: bytes) -> bytes:
    """Return a document without the brackets that continue its chains."""
    return _LINK.sub(b"", body)
