"""The order of the checks, compiled for a configuration and its routes."""

from __future__ import annotations
