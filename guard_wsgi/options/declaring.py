"""Marks on an option: its value is a secret, a blank text leaves it unset, it does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

SECRET = MappingProxyType({"secret": True})
"""Metadata of an option whose value appears in no repr, fault or log."""

BLANK_IS_UNSET = MappingProxyType({"blank": True})
"""Metadata of a text that can't be blank, so that a blank one says that nobody set it."""


def inert(reason: str) -> Mapping[str, Any]:
    """Metadata of an option that is accepted for compatibility only."""
    return MappingProxyType({"inert": reason})
