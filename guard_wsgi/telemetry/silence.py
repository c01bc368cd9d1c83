"""Prevents telemetry about telemetry, a feedback loop: inside ``silence``, events are dropped.

It is a context variable, not a thread-local: greenlets of one thread must not silence one another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

silenced: ContextVar[bool] = ContextVar("guard_wsgi_telemetry_silenced", default=False)


@contextmanager
def silence() -> Iterator[None]:
    """Drop events that this thread or greenlet emits inside the block."""
    token = silenced.set(True)
    try:
        yield
    finally:
        silenced.reset(token)
