"""Regular expressions that are searched in linear time."""

from __future__ import annotations
