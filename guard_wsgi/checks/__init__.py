"""The checks, a family a file. Each lists its checks in their order."""

from __future__ import annotations
