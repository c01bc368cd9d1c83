"""Sorts the values of a body by the field that they are in.

A body that spends its budget has thousands of values in a few fields: rows of a table, lines of a
log. A field with a few short values beside them costs little, so it is weighed before them,
wherever it stands: nobody can hide an attack in it behind rows.
"""

from __future__ import annotations

from typing import Final

from guard_wsgi.detection.relaxations.field_names import numbered_alike
from guard_wsgi.detection.value import Value

MAX_CHARS: Final = 1024
"""The longest value to sort: an attack in a field is shorter."""
MAX_FIELD_CHARS: Final = 4096
"""How much all values of one field may have. More is a table, or a document."""


class Columns:
    """Values by their location and their name, in which numbers do not count."""

    __slots__ = ("_sizes", "_values")

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], list[Value]] = {}
        self._sizes: dict[tuple[str, str], int] = {}

    def add(self, value: Value) -> None:
        key = value.location, numbered_alike(value.name)
        self._values.setdefault(key, []).append(value)
        self._sizes[key] = self._sizes.get(key, 0) + len(value.text)

    def of_small_fields(self) -> list[Value]:
        """Return the values of small fields, the shortest first."""
        return self._shortest_first(is_small=True)

    def of_others(self) -> list[Value]:
        """Return the values of all other fields, the shortest first."""
        return self._shortest_first(is_small=False)

    def _shortest_first(self, *, is_small: bool) -> list[Value]:
        found = [
            value
            for key, values in self._values.items()
            if (self._sizes[key] <= MAX_FIELD_CHARS) is is_small
            for value in values
        ]
        return sorted(found, key=lambda value: len(value.text))
