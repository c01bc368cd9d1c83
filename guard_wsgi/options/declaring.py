"""Marks of an option: its value is secret, a blank text leaves it unset, or it does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from guard_wsgi.options.quoting import masked_url

SECRET = MappingProxyType({"secret": True})
"""Metadata of an option whose value appears in no repr, fault or log."""

SECRET_IN_URL = MappingProxyType({"secret": True, "shown": masked_url})
"""Metadata of a URL that may contain a password: the rest of it appears."""

BLANK_IS_UNSET = MappingProxyType({"blank": True})
"""Metadata of a text that can't be blank: a blank text means that the option is not set."""


def inert(reason: str) -> Mapping[str, Any]:
    """Metadata of an option that is accepted for compatibility only."""
    return MappingProxyType({"inert": reason})
