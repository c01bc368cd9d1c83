"""The exceptions of the package. All derive from `GuardError`, so that one `except` catches
them."""

from __future__ import annotations

from collections.abc import Sequence


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 fault``, ``2 faults``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


class GuardError(Exception):
    """Base class of all exceptions of guard_wsgi."""


class ConfigError(GuardError, ValueError):
    """The configuration is not valid. The error lists every fault, not just the first.

    :ivar faults: one sentence per fault; each names its option.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        lines = "\n".join(f"  - {fault}" for fault in self.faults)
        super().__init__(f"{count_of(len(self.faults), 'fault')} in the configuration:\n{lines}")


class StoreError(GuardError):
    """The shared state could not be read or written (unreachable, timeout, refused, corrupt)."""


class BanRefused(GuardError, ValueError):
    """The guard refused to ban an address that the site itself needs: loopback or a trusted
    proxy."""


class MissingExtra(GuardError, ImportError):
    """An option needs a package that is not installed; the message names the extra to install."""

    def __init__(self, option: str, extra: str) -> None:
        super().__init__(f"{option} needs an extra: pip install 'guard-wsgi[{extra}]'")
        self.option = option
        self.extra = extra
