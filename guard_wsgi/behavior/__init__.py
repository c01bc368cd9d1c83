"""What clients do over time: usage, response patterns, suspicious requests."""

from __future__ import annotations
