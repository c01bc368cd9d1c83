"""Decodings: from the bytes of a request to the text that an app reads."""

from __future__ import annotations
