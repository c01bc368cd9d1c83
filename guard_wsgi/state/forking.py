"""Files over a fork.

A lock that another thread held at the moment of the fork stays held in the child for ever, so the
child replaces it and never acquires it (`guard_wsgi.telemetry.forks`). A file with a transaction
in flight can't even be closed in the child; such an object holds still during the fork as well.

One set of hooks serves every object that asks for it (a hook can't be taken back, so one per
object would leak), and it keeps none of them alive.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet

from guard_wsgi.telemetry.forks import ForkAware
from guard_wsgi.telemetry.forks import track as renew_after_fork

__all__ = ["ForkAware", "HoldsStill", "hold_still_during_fork", "renew_after_fork"]


class HoldsStill(ForkAware, Protocol):
    """An object that must be at rest while the process forks."""

    def before_fork(self) -> None:
        """Finish what is under way and begin nothing more. Must end by itself soon."""
        ...

    def after_fork_in_parent(self) -> None:
        """Go on."""
        ...


_still: WeakSet[HoldsStill] = WeakSet()
_stopped: list[HoldsStill] = []


def hold_still_during_fork(still: HoldsStill) -> None:
    """Call all three methods around every fork from now on.

    Around a fork in C, that of the child alone.
    """
    _still.add(still)
    renew_after_fork(still)


def _before_fork() -> None:
    for still in sorted(_still, key=id):  # in one order, whichever thread forks
        still.before_fork()
        _stopped.append(still)


def _after_fork_in_parent() -> None:
    while _stopped:
        _stopped.pop().after_fork_in_parent()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_stopped.clear,
    )
