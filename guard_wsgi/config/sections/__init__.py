"""The options of SecurityConfig, a subject a file. Every default carries its reason."""

from __future__ import annotations
