"""Regular expressions with a search in linear time."""

from __future__ import annotations
