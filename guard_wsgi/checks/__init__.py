"""The checks, one family per file. Each file lists its checks in their order."""

from __future__ import annotations
