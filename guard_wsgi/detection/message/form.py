"""Urlencoded pairs, and their decoded names and values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from guard_wsgi.detection.decoding.percent import PERCENT, unquote
from guard_wsgi.detection.formats.structure import unfold
from guard_wsgi.detection.relaxations.boot_scripts import HINTS, is_boot_script
from guard_wsgi.detection.relaxations.field_names import asks_secret, names_filter
from guard_wsgi.detection.value import CONTENT, SECRET_OPERATOR, Budget, Value, stands_out, to_text

# A longer name adds nothing to a finding. Our own patterns match against names as well.
MAX_NAME_CHARS: Final = 100
_LINE_BREAK: Final = re.compile(r"[\r\n]")
_NO_PAIRS: Final = re.compile(rb"&&+")
_SHORTEST_EVIDENCE: Final = 4  # "java"
_SIMPLE_NAME = re.compile(r"[\w.:\[\]-]*")


def form_values(
    data: bytes, location: str, budget: Budget, contents: bool = True
) -> Iterator[Value]:
    """Yield every pair of an urlencoded string, including repeated and empty names.

    :param contents: whether a script in a field for one is weighed.
    """
    if b"&&" in data:
        data = _NO_PAIRS.sub(b"&", data)
    for pair in data.split(b"&"):
        if not pair:
            continue
        budget.take_value()
        name, _, value = pair.partition(b"=")
        if name.isalnum():
            name_text = name.decode()
            if len(name) >= _SHORTEST_EVIDENCE:
                yield from name_values(location, name_text)
        else:
            name_text, name_flags = form_text(name)
            if location == "query" and _LINE_BREAK.search(name_text):
                name_flags = (*name_flags, "protocol.name_line_break")
            yield from name_values(location, name_text, name_flags)
        name_text = name_text[:MAX_NAME_CHARS]
        if value:
            text, flags = form_text(value)
            if not contents and text[:1] in HINTS and is_boot_script(name_text, text):
                yield Value(location, name_text, text, CONTENT, flags)
                continue
            yield from unfold(Value(location, name_text, text, "", flags), budget)


def form_text(data: bytes) -> tuple[str, tuple[str, ...]]:
    return to_text(form_bytes(data))


def form_bytes(data: bytes) -> bytes:
    """Decode a name or a value of an urlencoded string."""
    data = data.replace(b"+", b" ")
    return unquote(data) if PERCENT in data else data


def name_values(location: str, name: str, flags: tuple[str, ...] = ()) -> Iterator[Value]:
    """Yield a name as a value, unless it looks like an ordinary name."""
    if not name:
        return
    stands = not _SIMPLE_NAME.fullmatch(name) or stands_out(name)
    if stands and "$" in name and asks_secret(name):
        flags = (*flags, SECRET_OPERATOR)
    if flags or (stands and not names_filter(name)):
        yield Value(location, name[:MAX_NAME_CHARS], name, "name", flags)
