"""The last known rules, kept for a restarted process and for other workers."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from guard_wsgi.agent.rules import DynamicRules, RulesError
from guard_wsgi.errors import StoreError
from guard_wsgi.files import replaced

if TYPE_CHECKING:
    from guard_wsgi.state.store import Store

log = logging.getLogger("guard_wsgi.agent")

SCHEMA_VERSION = 1

KEY = "dynamic_rules:last_known"
LEASE = "dynamic_rules:fetch"
LEASE_SECONDS = 15
"""Longer than a fetch takes: connect and read timeouts together."""
KEEP_SECONDS = 2_592_000
"""A month: rules without an expiry survive any outage, but not a forgotten installation."""


@frozen(slots=True)
class CachedRules:
    """The last fetched rules, or ``None`` for "there are none", with the time in epoch seconds."""

    rules: DynamicRules | None
    fetched_at: float


class RulesCache:
    """Keeps the last known rules in a store, in a file, in both or nowhere. Never raises.

    :param path: the file; it is written atomically, and only its owner can read it.
    """

    def __init__(self, store: Store | None, path: str | None) -> None:
        self._store = store
        self._path = Path(path) if path else None

    def shared(self) -> CachedRules | None:
        """Return the rules in the store."""
        if self._store is None:
            return None
        try:
            return _decoded(self._store.values.get(KEY))
        except StoreError:
            return None

    def load(self) -> CachedRules | None:
        """Return the rules in the store, else those in the file."""
        known = self.shared()
        if known is None and self._path is not None:
            with contextlib.suppress(FileNotFoundError):
                try:
                    known = _decoded(self._path.read_bytes())
                except OSError as error:
                    log.warning("could not read the last known rules: %s", error)
        return known

    def save(self, known: CachedRules) -> None:
        """Keep these rules for other workers and for the next start."""
        rules = known.rules.as_wire() if known.rules is not None else None
        record = {
            "schema_version": SCHEMA_VERSION,
            "fetched_at": known.fetched_at,
            "rules": rules,
        }
        encoded = json.dumps(record).encode()
        if self._store is not None:
            with contextlib.suppress(StoreError):
                self._store.values.set(KEY, encoded, KEEP_SECONDS)
        if self._path is not None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with replaced(self._path) as file:
                    file.write(encoded)
            except OSError as error:
                log.warning("could not write the last known rules: %s", error)

    def claim(self) -> bool:
        """Whether this process should fetch now, among all that share the store."""
        return self._store is None or self._store.counters.take_lease(LEASE, LEASE_SECONDS)

    def release(self) -> None:
        """Let another process fetch."""
        if self._store is not None:
            self._store.counters.end_lease(LEASE)


def _decoded(encoded: bytes | None) -> CachedRules | None:
    if not encoded:
        return None
    try:
        record: Any = json.loads(encoded)
        if record["schema_version"] != SCHEMA_VERSION:
            return None
        rules = record["rules"]
        fetched_at = min(float(record.get("fetched_at", 0.0)), time.time())
        return CachedRules(DynamicRules.parse(rules) if rules is not None else None, fetched_at)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        kind = "not valid" if isinstance(error, RulesError) else "damaged"
        log.warning("ignored the cached rules: they are %s (%s)", kind, error)
        return None
