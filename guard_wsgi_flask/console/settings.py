"""The settings of the console."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@frozen(slots=True, kw_only=True)
class ConsoleSettings:
    """Where it serves, what it stores, and what else it reads.

    :ivar database: a URL of SQLAlchemy: ``sqlite:///file`` or ``postgresql://...``.
    :ivar keep_days: older events are deleted. A month answers "since when?"; ``None`` keeps all.
    :ivar keep_megabytes: the size of the database; the oldest events are deleted first. A gigabyte
        holds about a million events.
    :ivar log: a ``custom_log_file`` with ``log_format="json"`` to read and follow.
    :ivar store: the guard's ``store_url``, to show and change bans in it.
    :ivar config: a ``guard.toml``: "the configuration in force" of the playground.
    :ivar password_file: lines of ``name:role:hash``; needed to serve beyond this machine.
    :ivar trusted_proxies: addresses of the proxy that terminates TLS; it names the client.
    :ivar geo: MMDB files of countries and networks (AS), for clients whose guard sends none.
    :ivar hosts: host names of the console, besides this machine's own.
    """

    # Only this machine, unless you say otherwise.
    host: str = "127.0.0.1"
    port: int = 8600
    # In the current directory, with the app's own files.
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
    """A working day: the next morning, people log in again."""
    max_live_streams: int = 64
    """The most open pages that update themselves; each holds a thread."""

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in LOOPBACK
