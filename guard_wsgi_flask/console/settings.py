"""What the console is started with."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@frozen(slots=True, kw_only=True)
class ConsoleSettings:
    """Where it serves, what it keeps, and what it reads besides.

    :ivar database: a URL of SQLAlchemy's: ``sqlite:///file`` or ``postgresql://...``.
    :ivar keep_days: older events are deleted; a month answers "since when?", ``None`` keeps all.
    :ivar keep_megabytes: of the database; the oldest events go first. A gigabyte is about a
        million events.
    :ivar log: a ``custom_log_file`` with ``log_format="json"`` to read and follow.
    :ivar store: the guard's ``store_url``, to show and change bans in it.
    :ivar config: a ``guard.toml``: "the configuration in force" of the playground.
    :ivar password_file: lines of ``name:role:hash``; needed to serve beyond this machine.
    :ivar trusted_proxies: addresses of the proxy that brings TLS: whom it names is the client.
    :ivar geo: MMDB files of countries and networks (AS), for clients whose guard tells none.
    :ivar hosts: names under which the console is reached besides this machine's own.
    """

    # Nobody but this machine, unless somebody says otherwise.
    host: str = "127.0.0.1"
    port: int = 8600
    # In the current directory, where the app's own files are.
    database: str = "sqlite:///guard-console.db"
    keep_days: float | None = 30.0
    keep_megabytes: float | None = 1024.0
    log: Path | None = None
    store: str | None = None
    config: Path | None = None
    password_file: Path | None = None
    hosts: tuple[str, ...] = field(default=(), converter=tuple)
    trusted_proxies: tuple[str, ...] = field(default=(), converter=tuple)
    geo: tuple[Path, ...] = field(default=(), converter=tuple)
    session_hours: float = 12.0
    """A working day: who comes back the next morning logs in again."""
    max_live_streams: int = 64
    """Open pages that update themselves; each holds a thread."""

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in LOOPBACK
