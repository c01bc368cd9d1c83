"""Telemetry about telemetry is a feedback loop: inside ``silence`` no event is taken.

A context variable, not a thread-local: greenlets of one thread must not silence one another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

silenced: ContextVar[bool] = ContextVar("guard_wsgi_telemetry_silenced", default=False)


@contextmanager
def silence() -> Iterator[None]:
    """Drop what is emitted inside by this thread or greenlet."""
    token = silenced.set(True)
    try:
        yield
    finally:
        silenced.reset(token)
