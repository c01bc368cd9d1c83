"""``SecurityConfig``: its options, their sources and their checks."""

from __future__ import annotations
