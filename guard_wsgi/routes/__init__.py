"""Rules for single routes: how views declare them, and how the guard finds the route of a
request."""

from __future__ import annotations
