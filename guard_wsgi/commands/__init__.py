"""What the command line does, one file a subject. ``flask guard`` uses the same functions."""

from __future__ import annotations
