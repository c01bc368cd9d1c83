"""Languages: the words and tokens of interpreters, and sentences of people."""

from __future__ import annotations
