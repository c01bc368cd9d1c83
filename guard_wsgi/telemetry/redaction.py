"""Keeps credentials out of everything that leaves the process: events, logs, metrics.

Names are compared without case, hyphens and underscores, so ``X-API-Key``, ``x_api_key`` and
``xApiKey`` are one name.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

REDACTED = "[REDACTED]"

SENSITIVE_HEADERS = frozenset(
    {
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-api-key",
        "x-auth-token",
        "x-csrf-token",
    }
)
SENSITIVE_FIELDS = frozenset(
    {
        "access_token",
        "api_key",
        "client_secret",
        "id_token",
        "passwd",
        "password",
        "private_key",
        "refresh_token",
        "secret",
        "signature",
        "token",
    }
)
"""Names of query parameters and body fields whose values are never reported."""

MAX_DEPTH = 10
"""No operator reads deeper structures; the rest is hidden, not searched."""
MAX_ITEMS = 64
"""The most items of a mapping or sequence in an event's metadata."""
MAX_TEXT_CHARS = 1024
"""The default length of a text in an event's metadata: a finding's 200 characters, and a
message."""
MAX_JSON_CHARS = 8192
"""Longer text that looks like JSON is hidden as a whole, as parsing it would cost too much."""

MAX_REMEMBERED = 1000
MAX_REMEMBERED_CHARS = 64
"""How many names to remember: clients make up names, too."""

_OPENING = frozenset('{["')
_CLOSING = frozenset('}]"')
_USERINFO = re.compile(r"://[^/\s@]{1,256}@")


class Redaction:
    """Hides the values of sensitive names: the built-in ones and those of the configuration.

    :param headers: further names of headers.
    :param params: further names of query parameters.
    :param body_fields: further names of form fields, JSON keys and XML elements.
    :param max_text_chars: longer texts of an event's metadata are cut.
    """

    def __init__(
        self,
        headers: Iterable[str] = (),
        params: Iterable[str] = (),
        body_fields: Iterable[str] = (),
        *,
        max_text_chars: int = MAX_TEXT_CHARS,
    ) -> None:
        self._max_text_chars = max_text_chars
        header_names = SENSITIVE_HEADERS.union(headers)
        field_names = SENSITIVE_FIELDS.union(params, body_fields)
        self._headers = frozenset(_fold(name) for name in header_names)
        self._names = self._headers.union(_fold(name) for name in field_names)
        # A cache: events always have the same few names.
        self._verdicts: dict[str, bool] = {}
        # A name inside of a longer one ("token" in "access_token") needs no separate pattern.
        self._hints = tuple(
            name
            for name in self._names
            if not any(other != name and other in name for other in self._names)
        )
        fields = "|".join(sorted(map(_spellings, field_names), key=len, reverse=True))
        lines = "|".join(sorted(map(_spellings, header_names), key=len, reverse=True))
        self._pair = re.compile(
            rf"""(?ix) \b (?P<name>{fields}) \b
                 (?P<sign> [\\"']{{0,8}} \s{{0,8}} [=:] \s{{0,8}} [\\"']{{0,8}} )
                 (?: [^&\s"'<>,;\\] | \\ (?!["']) )+ """
        )
        self._line = re.compile(
            rf"""(?ix) \b (?P<name>{lines}) \b
                 (?P<sign> [\\"']{{0,8}} \s{{0,8}} : \s{{0,8}} ) [^\r\n]+ """
        )
        self._element = re.compile(rf"(?i)(?P<open><(?:{fields})\b[^<>]*>)[^<]+")

    def is_sensitive(self, name: str) -> bool:
        """Whether values under this name are hidden."""
        verdict = self._verdicts.get(name)
        if verdict is None:
            verdict = _fold(name) in self._names
            if len(self._verdicts) < MAX_REMEMBERED and len(name) <= MAX_REMEMBERED_CHARS:
                self._verdicts[name] = verdict
        return verdict

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return a copy with the values of sensitive headers hidden."""
        return {
            name: REDACTED if _fold(name) in self._headers else value
            for name, value in headers.items()
        }

    def text(self, text: str) -> str:
        """Hide values after sensitive names in free text.

        It knows ``name=value``, ``name: value``, ``"name": "value"``, ``<name>value</name>``,
        header lines, and the user part of URLs.
        """
        if "=" not in text and ":" not in text and "<" not in text:
            return text
        if "://" in text:
            text = _USERINFO.sub(f"://{REDACTED}@", text)
        # Most texts contain no sensitive name, so no pattern needs to run.
        folded = _fold(text)
        for hint in self._hints:
            if hint in folded:
                break
        else:
            return text
        text = self._line.sub(rf"\g<name>\g<sign>{REDACTED}", text)
        text = self._pair.sub(rf"\g<name>\g<sign>{REDACTED}", text)
        return self._element.sub(rf"\g<open>{REDACTED}", text)

    def metadata(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Return a deep copy of JSON types, bounded in depth, width and length, with secrets
        hidden."""
        return self._mapping(metadata, MAX_DEPTH)

    def _mapping(self, values: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        # {"name": "password", "value": "..."}: how a finding reports a parameter.
        reported = values.get("name")
        hides_value = isinstance(reported, str) and self.is_sensitive(reported)
        copy: dict[str, Any] = {}
        for key, value in values.items():
            if len(copy) == MAX_ITEMS:
                copy["…"] = f"{len(values) - MAX_ITEMS} more"
                break
            name = key if isinstance(key, str) else str(key)
            if self.is_sensitive(name) or (hides_value and name == "value"):
                copy[name] = REDACTED
            else:
                copy[name] = self._value(value, depth - 1)
        return copy

    def _value(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is str:
            return self._string(value, depth)
        if kind is int or kind is bool or value is None:
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)  # JSON has no NaN
        if isinstance(value, (bool, int)):
            return int(value)
        if isinstance(value, str):
            return self._string(str(value), depth)
        if depth <= 0:
            return REDACTED
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._sequence(value, depth)
        # Last, as isinstance() of an abstract class is slow.
        if isinstance(value, (dict, Mapping)):
            return self._mapping(value, depth)
        return self._string(str(value), depth)

    def _sequence(self, values: Collection[Any], depth: int) -> list[Any]:
        items = sorted(values, key=str) if isinstance(values, (set, frozenset)) else values
        if not isinstance(items, (list, tuple)):
            items = list(items)
        copy = [self._value(item, depth - 1) for item in items[:MAX_ITEMS]]
        if len(items) > MAX_ITEMS:
            copy.append(f"… {len(items) - MAX_ITEMS} more")
        return copy

    def _string(self, text: str, depth: int) -> str:
        if text[:1] in _OPENING and text[-1:] in _CLOSING:
            if len(text) > MAX_JSON_CHARS:
                return REDACTED
            try:
                parsed = json.loads(text)
            except (ValueError, RecursionError):
                pass
            else:
                hidden = REDACTED if depth <= 0 else self._value(parsed, depth - 1)
                text = json.dumps(hidden, ensure_ascii=False)
                return self._cut(text)
        return self.text(self._cut(text))

    def _cut(self, text: str) -> str:
        limit = self._max_text_chars
        return text if len(text) <= limit else text[:limit] + "…"


@lru_cache(maxsize=1024)
def _fold(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _spellings(name: str) -> str:
    """Return a pattern for one name with optional separators."""
    return "[-_]?".join(re.escape(part) for part in re.split(r"[-_]", name))
