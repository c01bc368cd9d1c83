"""Locks after a fork: replaced in the child, never acquired.

A lock that another thread held at the moment of the fork stays held in the child for ever. One
hook serves every object that asks for it (a hook can't be taken back, so one per object would
leak), and it keeps none of them alive.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class ForkAware(Protocol):
    """An object with state that must not be shared with the parent process."""

    def after_fork_in_child(self) -> None:
        """Replace locks and drop what belongs to the parent. Must not wait for anything."""
        ...


_aware: WeakSet[ForkAware] = WeakSet()


def renew_after_fork(aware: ForkAware) -> None:
    """Call ``aware.after_fork_in_child()`` in every child forked from now on."""
    _aware.add(aware)


def _after_fork_in_child() -> None:
    for aware in list(_aware):
        aware.after_fork_in_child()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork_in_child)
