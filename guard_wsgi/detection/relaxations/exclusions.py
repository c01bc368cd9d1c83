"""Parameters, headers and fields that are not inspected, or not for some categories."""

from __future__ import annotations

from typing import Final

from guard_wsgi.detection.settings import DetectionSettings, FieldExclusion

MAX_SETS: Final = 64
"""The most sets of excluded categories to keep something for. A site has one or two on a path; a
client can join them with a name such as ``a.b``."""


class Exclusions:
    """The names that the settings exclude from inspection. False if there are none."""

    __slots__ = ("_fields", "_headers", "_params")

    def __init__(self, settings: DetectionSettings | FieldExclusion) -> None:
        self._params = settings.excluded_params
        self._headers = frozenset(name.lower() for name in settings.excluded_headers)
        self._fields = settings.excluded_body_fields

    def __bool__(self) -> bool:
        return bool(self._params or self._headers or self._fields)

    def covers(self, location: str, name: str) -> bool:
        if location == "query":
            return bool(self._params) and is_named(name, self._params)
        if location in ("header", "cookie"):
            if not self._headers:
                return False
            return ("cookie" if location == "cookie" else name.partition(">")[0]) in self._headers
        return bool(self._fields) and location != "path" and is_named(name, self._fields)


class FieldExclusions:
    """The categories that the settings exclude in some fields. False if there are none."""

    __slots__ = ("_each",)

    def __init__(self, settings: DetectionSettings) -> None:
        self._each = tuple((Exclusions(one), one.categories) for one in settings.field_exclusions)

    def __bool__(self) -> bool:
        return bool(self._each)

    def categories(self, location: str, name: str) -> frozenset[str]:
        """Return the categories that a field is not inspected for."""
        return frozenset[str]().union(
            *(categories for names, categories in self._each if names.covers(location, name))
        )


def is_named(name: str, excluded: frozenset[str]) -> bool:
    """Whether a name is excluded: the name itself, a key on its path, or the field that contains
    it."""
    if name in excluded:
        return True
    outer = name.partition(">")[0]
    if outer in excluded:
        return True
    return any(part.removesuffix("[]") in excluded for part in outer.split("."))
