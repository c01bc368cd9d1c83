"""What the guard reads of a request, and what it decides."""

from __future__ import annotations
