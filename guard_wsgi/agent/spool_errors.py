"""The faults of the spool, apart from SQLite: a process that has no spool does not load it."""

from __future__ import annotations

from guard_wsgi.errors import GuardError


class SpoolFull(GuardError):
    """The spool is full."""


class SpoolError(GuardError):
    """The spool can't be read or written: no space, no permission, not a database."""
