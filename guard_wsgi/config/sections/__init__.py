"""The options of SecurityConfig, one subject per file. Every default carries its reason."""

from __future__ import annotations
