"""Parameters, headers and fields that are not inspected."""

from __future__ import annotations

from guard_wsgi.detection.settings import DetectionSettings


class Exclusions:
    """The names that the settings exclude from inspection."""

    __slots__ = ("_fields", "_headers", "_params")

    def __init__(self, settings: DetectionSettings) -> None:
        self._params = settings.excluded_params
        self._headers = frozenset(name.lower() for name in settings.excluded_headers)
        self._fields = settings.excluded_body_fields

    def covers(self, location: str, name: str) -> bool:
        if location == "query":
            return bool(self._params) and is_named(name, self._params)
        if location in ("header", "cookie"):
            if not self._headers:
                return False
            return ("cookie" if location == "cookie" else name.partition(">")[0]) in self._headers
        return bool(self._fields) and location != "path" and is_named(name, self._fields)


def is_named(name: str, excluded: frozenset[str]) -> bool:
    """Whether a name is excluded: the name itself, a key on its path, or the field that contains
    it."""
    if name in excluded:
        return True
    outer = name.partition(">")[0]
    if outer in excluded:
        return True
    return any(part.removesuffix("[]") in excluded for part in outer.split("."))
