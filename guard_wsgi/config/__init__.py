"""``SecurityConfig``: its options, where they are read from, and how they are checked."""

from __future__ import annotations
