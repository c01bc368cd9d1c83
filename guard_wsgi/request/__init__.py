"""What is read of a request, and what is decided on it."""

from __future__ import annotations
