"""Scans: many patterns over one text, and the patterns of the first pass."""

from __future__ import annotations
