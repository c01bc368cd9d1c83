"""The exceptions of the package: one root, so that `except GuardError` means "from the guard"."""

from __future__ import annotations

from collections.abc import Sequence


class GuardError(Exception):
    """Root of every exception that guard_wsgi raises on its own account."""


class ConfigError(GuardError, ValueError):
    """A configuration that can't be served. Carries every fault found, not just the first.

    :ivar faults: one sentence a fault, each naming the option it speaks of.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        lines = "\n".join(f"  - {fault}" for fault in self.faults)
        super().__init__(f"{len(self.faults)} fault(s) in the configuration:\n{lines}")


class StoreError(GuardError):
    """The shared state could not be read or written (unreachable, time-out, refused, corrupt)."""


class BanRefused(GuardError, ValueError):
    """A ban that would lock out the site itself: loopback or a trusted proxy."""


class MissingExtra(GuardError, ImportError):
    """An option needs a package that is not installed; the message names the extra to install."""

    def __init__(self, option: str, extra: str) -> None:
        super().__init__(f"{option} needs an extra: pip install 'guard-wsgi[{extra}]'")
        self.option = option
        self.extra = extra
