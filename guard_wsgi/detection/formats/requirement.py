"""Requirements of packages, as upload tools send them in a field (PEP 508)."""

from __future__ import annotations

import re
from typing import Final

# No part admits anything else. Each blank matches in one place only, so the time is linear.
_MARKER: Final = r" ?(?:\( ?)*(?:{name} ?{sign} ?{text}|{text} ?{sign} ?{name}) ?(?:\) ?)*".format(
    name=r"(?:python_(?:full_)?version|os_name|sys_platform|implementation_(?:name|version)"
    r"|platform_(?:release|system|version|machine|python_implementation)|extra)",
    sign=r"(?:===|[<>=!~]=|[<>]|in|not in)",
    text=r"(?:'[\w .+*!-]{0,64}'|\"[\w .+*!-]{0,64}\")",
)
_REQUIREMENT: Final = re.compile(
    r"\w[\w.-]{0,100} ?(?:\[[\w., -]{0,200}\] ?)?"
    r"\(?(?:(?:===|[<>=!~]=|[<>]) ?[\w.*+!-]{1,64} ?(?:, ?)?){0,20}\)? ?"
    rf";{_MARKER}(?:(?:and|or){_MARKER}){{0,30}}",
    re.ASCII,
)


def is_requirement(text: str) -> bool:
    """Whether a text is one requirement with a marker, and nothing else."""
    return _REQUIREMENT.fullmatch(text) is not None
