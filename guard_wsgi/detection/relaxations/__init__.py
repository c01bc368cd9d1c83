"""Relaxations: harmless text that looks like an attack, and why it is harmless."""

from __future__ import annotations
