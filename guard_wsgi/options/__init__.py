"""Classes of options convert and check their values, and report every fault at once."""

from __future__ import annotations
