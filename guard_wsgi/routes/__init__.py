"""Rules for single routes: how views declare them, and which route a request is for."""

from __future__ import annotations
