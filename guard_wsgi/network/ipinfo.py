"""The country database of IPinfo, downloaded in the background.

One file on disk serves all workers of a machine: the worker with the lock beside it downloads, the
others open the result. A download goes to a temporary file. It is opened and read before it
replaces the old file. A failed download changes only the status.
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from guard_wsgi.files import replaced
from guard_wsgi.network.background import BackgroundLoop
from guard_wsgi.network.mmdb import (
    GeoDatabase,
    GeoDatabaseError,
    asn_of,
    check_database,
    country_of,
)

logger = logging.getLogger("guard_wsgi.network")

IPINFO_URLS = (
    "https://ipinfo.io/data/ipinfo_lite.mmdb",
    "https://ipinfo.io/data/free/country_asn.mmdb",
)
"""IPinfo Lite, and the free database before it, for old tokens."""
DEFAULT_DATABASE_PATH = Path("data/ipinfo/country_asn.mmdb")
DEFAULT_MAX_AGE_SECONDS = 86_400
"""IPinfo publishes daily."""
FETCH_TIMEOUT_SECONDS = (5.0, 30.0)
"""Timeouts to connect and between two reads, for a file of some 50 MB."""
MAX_DATABASE_BYTES = 1024 * 1024 * 1024
"""More than IPinfo's largest database; an endless stream must not fill the disk."""
RETRY_SECONDS = 30.0
"""The wait after a failed download; it doubles each time, up to the file's maximum age."""
POLL_SECONDS = 2.0
"""How often a worker checks for the file that another one downloads."""
LEFTOVER_SECONDS = 3600.0
"""A temporary file this old belongs to a process that ended in the middle of a download."""
LONGEST_WAIT_SECONDS = 3600.0
"""The guard notices a file that something else has replaced within this time."""

OnChange = Callable[[str, str], None]
"""``(what, detail)``: what is "updated", "failed", "recovered"."""


class IPInfoManager:
    """A :class:`~guard_wsgi.network.geo.GeoIPHandler` on IPinfo's database.

    :param token: the token of the account at ipinfo.io.
    :param db_path: the path of the database; its folder is made if missing.
    :param max_age: seconds after which the file is downloaded again.
    :param urls: URLs to download from instead of IPinfo; the next one is tried if one answers 403,
        404 or 410.
    :param on_change: called when a download succeeds after failures, or fails after successes.
    """

    def __init__(
        self,
        token: str,
        db_path: str | Path | None = None,
        max_age: float = DEFAULT_MAX_AGE_SECONDS,
        *,
        urls: tuple[str, ...] | None = None,
        on_change: OnChange | None = None,
    ) -> None:
        if not token:
            raise ValueError("IPInfoManager needs a token")
        self._token = token
        self._max_age = max_age
        self._urls = IPINFO_URLS if urls is None else urls
        self._on_change = on_change
        self._database = GeoDatabase(DEFAULT_DATABASE_PATH if db_path is None else db_path)
        self._loop = BackgroundLoop("guard-wsgi-ipinfo", self._step)
        self._failures = 0
        self._error = ""
        self._retry_at = 0.0

    def __repr__(self) -> str:
        return f"IPInfoManager(db_path={str(self._database.path)!r})"

    @property
    def is_initialized(self) -> bool:
        """Whether this process has opened the database and runs the thread that renews it."""
        return self._loop.running and self._database.is_open

    def initialize(self) -> None:
        """Open the file on disk and start the thread that renews it. This does not wait for a
        download."""
        self._open()
        self._loop.ensure_running()

    def initialize_redis(self, redis_handler: Any) -> None:
        """Do nothing: workers share the file on disk."""

    def initialize_agent(self, agent_handler: Any) -> None:
        """Do nothing: the guard's own events report changes."""

    def get_country(self, ip: str) -> str | None:
        self._loop.ensure_running()
        return country_of(self._database.record(ip))

    def get_asn(self, ip: str) -> int | None:
        self._loop.ensure_running()
        return asn_of(self._database.record(ip))

    def refresh(self) -> None:
        """Download now, in this thread.

        :raises GeoDatabaseError: if it fails; the old database stays in use.
        """
        self._download()
        self._database.open()

    def close(self) -> None:
        """End the thread and forget the database."""
        self._loop.close()
        self._database.close()

    def status(self) -> dict[str, Any]:
        """The database's path, type, age, ``state`` (missing, fresh, stale), failures, error."""
        status = self._database.status()
        modified_at = self._database.modified_at
        if modified_at is None:
            state = "missing"
        else:
            # Two periods: a delay of one day is the provider's fault, not the deployment's.
            late = time.time() - modified_at > 2 * self._max_age
            state = "stale" if late else "fresh"
        status.update(state=state, failures=self._failures, error=self._error or status["error"])
        return status

    def _open(self) -> bool:
        try:
            self._database.open()
        except GeoDatabaseError as error:
            self._database.error = str(error)
            return False
        return True

    def _step(self) -> float:
        self._open()
        wait = self._wait_seconds()
        if wait > 0:
            return min(wait, LONGEST_WAIT_SECONDS) * random.uniform(1.0, 1.1)
        with _lock_beside(self._database.path) as locked:
            if not locked:
                return POLL_SECONDS
            self._open()  # another worker may have downloaded it
            if self._wait_seconds() > 0:
                return POLL_SECONDS
            try:
                self.refresh()
            except GeoDatabaseError as error:
                return self._failed(str(error))
        self._succeeded()
        return POLL_SECONDS

    def _wait_seconds(self) -> float:
        now = time.time()
        modified_at = self._database.modified_at
        if modified_at is None or modified_at > now + self._max_age:
            due = 0.0
        else:
            due = modified_at + self._max_age
        return max(due, self._retry_at) - now

    def _failed(self, error: str) -> float:
        backed_off = RETRY_SECONDS * 2.0 ** min(self._failures, 16)
        delay = min(float(self._max_age), backed_off) * random.uniform(0.8, 1.2)
        self._failures += 1
        self._error = error
        self._retry_at = time.time() + delay
        if self._failures == 1:
            self._report(logging.WARNING, "failed", error)
        return delay

    def _succeeded(self) -> None:
        what = "recovered" if self._failures else "updated"
        self._failures, self._error, self._retry_at = 0, "", 0.0
        self._report(logging.INFO, what, str(self._database.path))

    def _report(self, level: int, what: str, detail: str) -> None:
        if self._loop.stopping():
            return
        logger.log(level, "country database: %s: %s", what, detail)
        if self._on_change is not None:
            self._on_change(what, detail)

    def _download(self) -> None:
        path = self._database.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _remove_leftovers(path)
            # 0600 would hide it from workers of another user.
            with replaced(path, mode=0o644) as file:
                self._fetch(file.write)
                file.flush()
                check_database(Path(file.name))
        except OSError as error:
            raise GeoDatabaseError(f"{path}: {error.strerror or error}") from error

    def _fetch(self, write: Callable[[bytes], object]) -> None:
        import requests  # here, because an app without country rules should not pay for its import

        headers = {"Authorization": f"Bearer {self._token}", "User-Agent": "guard-wsgi"}
        for url in self._urls:
            try:
                with requests.get(
                    url, headers=headers, timeout=FETCH_TIMEOUT_SECONDS, stream=True
                ) as response:
                    status = response.status_code
                    if status == 200:
                        _copy(response.iter_content(65536), write, url)
                        return
            except requests.RequestException as error:
                raise GeoDatabaseError(f"{url}: {type(error).__name__}") from error
            if status not in (403, 404, 410):
                break
        raise GeoDatabaseError(f"{url} answered {status}")


def _remove_leftovers(path: Path) -> None:
    for leftover in path.parent.glob(f".{path.name}.*"):
        with suppress(OSError):
            if time.time() - leftover.stat().st_mtime > LEFTOVER_SECONDS:
                leftover.unlink()


def _copy(chunks: Iterator[bytes], write: Callable[[bytes], object], url: str) -> None:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_DATABASE_BYTES:
            raise GeoDatabaseError(f"{url} sends more than {MAX_DATABASE_BYTES} bytes")
        write(chunk)


@contextmanager
def _lock_beside(path: Path) -> Iterator[bool]:
    """Take an exclusive lock on ``<path>.lock`` without waiting; yield whether it was free.

    On a platform without such locks, each worker downloads, which is harmless because the file is
    replaced by renaming.
    """
    try:
        import fcntl
    except ImportError:
        yield True
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        yield True  # the download will report what is wrong with the folder
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
