"""Exclusions of detection: which fields and categories it leaves out on which paths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen

from guard_wsgi.detection.finding import BUDGET, CATEGORIES, CUSTOM
from guard_wsgi.detection.relaxations.exclusions import is_named
from guard_wsgi.options.quoting import nearest, quoted
from guard_wsgi.options.values import lower_set, string_set

EXCLUDABLE = CATEGORIES | {BUDGET, CUSTOM}
"""The categories of findings, which ``guard-wsgi report`` may propose to exclude."""


@frozen(slots=True, kw_only=True)
class DetectionExclusion:
    """What detection leaves out on some paths. ``path`` is exact, or a prefix before ``*``.

    It has names (``params``, ``headers``, ``body_fields``), ``categories``, or both. The values of
    names alone are not inspected; with categories, only these are ignored in them. Categories
    alone are ignored everywhere: those of attacks, ``detection_budget`` for requests that are too
    large to inspect fully, ``custom`` for the site's own patterns.
    """

    path: str
    params: frozenset[str] = field(default=frozenset(), converter=string_set)
    headers: frozenset[str] = field(default=frozenset(), converter=lower_set)
    body_fields: frozenset[str] = field(default=frozenset(), converter=string_set)
    categories: frozenset[str] = field(default=frozenset(), converter=string_set)

    def __attrs_post_init__(self) -> None:
        """:raises ValueError: if a value is not valid."""
        path = self.path
        if not isinstance(path, str) or not path.startswith("/") or "*" in path[:-1]:
            raise ValueError(f"needs a 'path' such as '/blog' or '/blog/*', not {quoted(path)}")
        for category in sorted(self.categories - EXCLUDABLE):
            hint = nearest(category, EXCLUDABLE)
            raise ValueError(
                f"for {quoted(path)} has the unknown category {quoted(category)}{hint}"
            )
        if not (self.has_names or self.categories):
            raise ValueError(f"for {quoted(path)} needs params, headers, body_fields or categories")
        if self.has_names and BUDGET in self.categories:
            raise ValueError(
                f"for {quoted(path)} can't limit '{BUDGET}' to fields: it is of a whole request."
                " Write an entry for it without fields"
            )

    @property
    def has_names(self) -> bool:
        """Whether the exclusion is limited to some fields."""
        return bool(self.params or self.headers or self.body_fields)

    def covers(self, path: str) -> bool:
        """Whether the exclusion covers ``path`` (in its canonical form)."""
        if self.path.endswith("*"):
            return path.startswith(self.path[:-1])
        return path == self.path

    def removes(self, category: str, location: str, name: str) -> bool:
        """Whether the exclusion removes this finding, on a path that it covers."""
        if self.categories and category not in self.categories:
            return False
        if not self.has_names:
            return True
        if location == "query":
            return is_named(name, self.params)
        if location in ("header", "cookie"):
            header = "cookie" if location == "cookie" else name.partition(">")[0].lower()
            return header in self.headers
        return location != "path" and is_named(name, self.body_fields)

    def as_entry(self) -> dict[str, Any]:
        """Return the entry of ``detection_exclusions`` for this exclusion."""
        names = ("params", "headers", "body_fields", "categories")
        values_by_name = {name: sorted(getattr(self, name)) for name in names}
        return {
            "path": self.path,
            **{name: values for name, values in values_by_name.items() if values},
        }


def detection_exclusions(
    values: Iterable[DetectionExclusion | Mapping[str, Any]],
) -> tuple[DetectionExclusion, ...]:
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise ValueError(f"must be a list of tables, not {quoted(values)}")
    exclusions: list[DetectionExclusion] = []
    faults: list[str] = []
    for number, value in enumerate(values := tuple(values), start=1):
        try:
            exclusions.append(_exclusion(value))
        except ValueError as fault:
            which = f"entry {number} " if len(values) > 1 else ""
            faults.append(f"{which}{fault}")
    if faults:
        raise ValueError("; ".join(faults))
    return tuple(exclusions)


def _exclusion(value: DetectionExclusion | Mapping[str, Any]) -> DetectionExclusion:
    if isinstance(value, DetectionExclusion):
        return value
    known = ("path", "params", "headers", "body_fields", "categories")
    if not isinstance(value, Mapping):
        raise ValueError(f"contains {quoted(value)}, not a table with 'path'")
    for key in value:
        if key not in known:
            raise ValueError(f"has the unknown key {quoted(key)}{nearest(str(key), known)}")
    return DetectionExclusion(**{"path": "", **value})
