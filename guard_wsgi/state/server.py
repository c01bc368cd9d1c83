"""The server that runs the app: whether several processes need a shared store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def multi_worker_server(environ: Mapping[str, Any]) -> str | None:
    """Warn if ``memory://`` serves one of several workers.

    :return: a sentence for the log that says what to set; ``None`` under a single process.
    """
    if "uwsgi.version" in environ:
        server = "uWSGI"
    elif str(environ.get("SERVER_SOFTWARE", "")).startswith("gunicorn"):
        server = "gunicorn"
    else:
        server = "the server"
    workers = known_worker_count(environ)
    # PEP 3333: true when an equivalent application object may be run by another process.
    if not environ.get("wsgi.multiprocess") and (workers is None or workers < 2):
        return None
    count = f"{workers}" if workers is not None and workers > 1 else "several"
    return f"{memory_of_many(server, count)}; {SHARED_STORE}"


SHARED_STORE = (
    'set store_url="lmdb:///var/lib/app/guard" (a file, for one machine) or "redis://host:6379/0"'
    " (for several machines)"
)


def memory_of_many(server: str, count: str) -> str:
    """Return what ``memory://`` means for several worker processes."""
    return (
        f"store_url is memory://, but {server} runs {count} worker processes: each counts alone,"
        " so limits are that many times higher and bans apply in one worker only"
    )


def known_worker_count(environ: Mapping[str, Any]) -> int | None:
    """Return how many processes serve the app, if the server says so (uWSGI); else ``None``."""
    options = environ.get("uwsgi.opt")
    if isinstance(options, Mapping):
        for name in (b"workers", b"processes"):
            value = options.get(name, options.get(name.decode()))
            if isinstance(value, bytes | str) and value.isdigit():
                return int(value)
    return None


def configured_worker_count(variables: Mapping[str, str]) -> int | None:
    """Return the number of workers in ``WEB_CONCURRENCY``, which gunicorn and most hosting
    platforms read; ``None`` if it is not set.

    While a remote store is down, each worker counts its share of a limit, if the number is known.
    """
    value = variables.get("WEB_CONCURRENCY", "").strip()
    return int(value) if value.isdigit() and int(value) > 0 else None
