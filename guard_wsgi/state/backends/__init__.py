"""Where the state lives: memory, LMDB, Redis, and the storages of `limits`."""

from __future__ import annotations
