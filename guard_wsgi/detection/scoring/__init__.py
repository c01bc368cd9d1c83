"""Scores: the evidence in a value, and its learned weight."""

from __future__ import annotations
