"""Headers, refusals and what else the guard puts into answers."""

from __future__ import annotations
