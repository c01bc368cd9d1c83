"""Finds the country of an address, and the network (AS) that announces it.

:class:`GeoIPHandler` is the interface for a user's own source. :class:`MaxMindGeoIP` reads an MMDB
file that something else renews; :class:`~guard_wsgi.network.ipinfo.IPInfoManager` downloads its
file itself. The guard asks any of them through :class:`CountryLookup`, which caches answers and
knows that loopback and private addresses have no country.
"""

from __future__ import annotations

import logging
import threading
from os import getpid
from pathlib import Path
from time import monotonic
from typing import Any, Protocol, runtime_checkable

from guard_wsgi.network.address import Address
from guard_wsgi.network.ipinfo import IPInfoManager
from guard_wsgi.network.mmdb import GeoDatabase, GeoDatabaseError, asn_of, country_of

logger = logging.getLogger("guard_wsgi.network")

COUNTRY_CACHE_ENTRIES = 16_384
"""Answers in each of two generations: some 4 MB when full, enough for the clients of a busy
minute."""
COUNTRY_CACHE_SECONDS = 300.0
"""How long a cached answer may outlive a change of the database."""
INITIALIZE_RETRY_SECONDS = 30.0
"""How long to wait after a handler's initialize() raised: it may be slow, and every request would
repeat it."""
STALE_SECONDS = 35 * 86_400
"""Country databases appear at least monthly, and MaxMind's licence requires removing old ones
within 30 days."""


@runtime_checkable
class CountrySource(Protocol):
    """The interface of a ``geo_ip_handler``."""

    def get_country(self, ip: str, /) -> str | None:
        """Return the ISO 3166 code of an address; ``None`` if it is not known."""


@runtime_checkable
class GeoIPHandler(Protocol):
    """A country resolver with a life cycle, as the existing system defines it.

    The guard needs only ``get_country`` (:func:`is_country_source`). It calls ``initialize`` (at
    the first request of a process) and ``close`` if they exist.
    """

    @property
    def is_initialized(self) -> bool: ...

    def initialize(self) -> None: ...

    def initialize_redis(self, redis_handler: Any) -> None: ...

    def initialize_agent(self, agent_handler: Any) -> None: ...

    def get_country(self, ip: str) -> str | None:
        """Return the ISO 3166-1 alpha-2 code; ``None`` if the address is in no country."""

    def refresh(self) -> None: ...

    def close(self) -> None: ...


def is_country_source(candidate: object) -> bool:
    """Whether the object can be a ``geo_ip_handler``: it has a callable ``get_country``."""
    return callable(getattr(candidate, "get_country", None))


class CountryLookup:
    """Asks a handler for countries, and remembers the answers for some minutes.

    Exceptions of ``get_country`` pass through: the check that asked decides whether a failed lookup
    denies (``fail_secure``).

    :param handler: a :class:`GeoIPHandler`, or anything with ``get_country(ip)``.
    """

    def __init__(self, handler: Any, *, cache_entries: int = COUNTRY_CACHE_ENTRIES) -> None:
        self.handler = handler
        self._entries = cache_entries
        self._young: dict[str, str | None] = {}
        self._old: dict[str, str | None] = {}
        self._forget_at = 0.0
        self._ready_in_process = 0
        self._initialize_at = 0.0
        # One lock per process: a lock that another thread holds at a fork would stay held forever.
        self._locks: dict[int, threading.Lock] = {}

    def country(self, address: Address) -> str | None:
        """Return the country's code in upper case; ``None`` for private, loopback and unknown
        addresses."""
        if address.is_private or address.is_loopback:
            return None
        text = address.text
        known = self._young
        if text in known and monotonic() < self._forget_at:
            return known[text]
        return self._ask(text)

    def initialize(self) -> None:
        """Initialise the handler, once per process. Later calls are cheap."""
        if self._ready_in_process == getpid() or monotonic() < self._initialize_at:
            return
        with self._locks.setdefault(getpid(), threading.Lock()):
            if self._ready_in_process == getpid() or monotonic() < self._initialize_at:
                return
            try:
                start = getattr(self.handler, "initialize", None)
                if start is not None and not self._starts_itself():
                    start()
            except Exception:
                # Catch everything: it is the user's handler. Its lookups will show whether it
                # works.
                self._initialize_at = monotonic() + INITIALIZE_RETRY_SECONDS
                logger.exception("geo_ip_handler.initialize() failed")
            else:
                self._ready_in_process = getpid()

    def _starts_itself(self) -> bool:
        return getattr(self.handler, "is_initialized", False) is True

    def status(self) -> dict[str, Any]:
        """Return the handler's own ``status()``, else its class."""
        status = getattr(self.handler, "status", None)
        answer: dict[str, Any] = {"handler": type(self.handler).__name__}
        if callable(status):
            answer.update(status())
        return answer

    def close(self) -> None:
        close = getattr(self.handler, "close", None)
        if close is not None:
            close()

    def _ask(self, text: str) -> str | None:
        self.initialize()
        if monotonic() >= self._forget_at:
            self._young, self._old = {}, {}
            self._forget_at = monotonic() + COUNTRY_CACHE_SECONDS
        elif len(self._young) >= self._entries:
            self._young, self._old = {}, self._young
        former = self._old
        if text in former:
            country = former[text]
        else:
            country = self.handler.get_country(text)
            country = country.upper() if country else None
        self._young[text] = country
        return country


class MaxMindGeoIP:
    """Countries from an MMDB file on disk: MaxMind's, DB-IP's or IPinfo's.

    Something else (geoipupdate, a package, a cron job) renews the file by renaming a new one over
    it. The handler notices the change within half a minute.

    :param path: a country, city or enterprise database.
    :param asn_path: MaxMind and DB-IP publish networks in a separate file.
    :raises GeoDatabaseError: if a file is missing or not a database.
    :raises MissingExtra: without the package maxminddb.
    """

    def __init__(self, path: str | Path, asn_path: str | Path | None = None) -> None:
        self._countries = GeoDatabase(path)
        self._networks = GeoDatabase(asn_path) if asn_path is not None else self._countries
        self.refresh()

    @property
    def is_initialized(self) -> bool:
        return self._countries.is_open

    def initialize(self) -> None:
        """Do nothing: the constructor opens the files, so that a wrong path shows early."""

    def initialize_redis(self, redis_handler: Any) -> None:
        """Do nothing: every process maps the same file."""

    def initialize_agent(self, agent_handler: Any) -> None:
        """Do nothing: the guard's own events have the country."""

    def get_country(self, ip: str) -> str | None:
        return country_of(self._countries.record(ip))

    def get_asn(self, ip: str) -> int | None:
        return asn_of(self._networks.record(ip))

    def refresh(self) -> None:
        """Open the files again now, if they were replaced.

        :raises GeoDatabaseError: if a replacement is bad; the old database stays in use.
        """
        self._countries.open()
        if self._networks is not self._countries:
            self._networks.open()

    def close(self) -> None:
        self._countries.close()
        self._networks.close()

    def status(self) -> dict[str, Any]:
        """The database's path, type, age in seconds, fault, and ``state`` (fresh, stale)."""
        status = self._countries.status()
        age = status["age_seconds"]
        if age is None:
            status["state"] = "missing"
        else:
            status["state"] = "stale" if age > STALE_SECONDS else "fresh"
        return status


__all__ = [
    "CountryLookup",
    "GeoDatabaseError",
    "GeoIPHandler",
    "IPInfoManager",
    "MaxMindGeoIP",
    "is_country_source",
]
