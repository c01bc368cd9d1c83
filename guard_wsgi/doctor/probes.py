"""Probes of the store, clocks, files and servers. Each is short and harmless."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable, Mapping
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from guard_wsgi.errors import GuardError

if TYPE_CHECKING:
    from guard_wsgi.config.security import SecurityConfig

PROBE_TIMEOUT_SECONDS = 2.0
"""The doctor may wait longer than a request, but not so long that it seems to hang."""
PROBE_KEY = "doctor"


def installed_version(distribution: str) -> tuple[int, ...] | None:
    """Return the leading numbers of a package's version; ``None`` if it is not installed."""
    try:
        text = metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
    numbers: list[int] = []
    for part in text.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


@frozen(slots=True)
class StoreExamination:
    """The answer of a store: ``fault`` is empty if it works; ``values`` has the requested
    values."""

    fault: str = ""
    values: Mapping[str, bytes] = field(factory=dict, repr=False)


def examine_store(config: SecurityConfig, keys: Iterable[str] = ()) -> StoreExamination:
    """Write, read and delete a value in the store, and read those under ``keys``."""
    from guard_wsgi.state.settings import StoreSettings
    from guard_wsgi.state.store import Store

    settings = StoreSettings(
        prefix=config.redis_prefix,
        timeout_seconds=PROBE_TIMEOUT_SECONDS,
        request_budget_seconds=2 * PROBE_TIMEOUT_SECONDS,
        # Not "local": the question is whether the store itself answers.
        policies={"rate_limit": "deny", "bans": "deny", "counters": "deny"},
    )
    try:
        store = Store.open(config.effective_store_url, settings=settings)
    except (GuardError, OSError, ValueError) as error:
        return StoreExamination(str(error))
    try:
        value = str(time.time()).encode()
        store.values.set(PROBE_KEY, value, 60)
        if store.values.get(PROBE_KEY) != value:
            return StoreExamination("a written value could not be read back")
        store.values.delete(PROBE_KEY)
        found = {key: store.values.get(key) for key in keys}
    except (GuardError, OSError) as error:
        return StoreExamination(str(error))
    finally:
        store.close()
    return StoreExamination(
        values={key: value for key, value in found.items() if value is not None}
    )


def clock_skew_seconds(config: SecurityConfig) -> float | None:
    """Return how far this clock is ahead of the store's; ``None`` if the store has none to ask."""
    url = config.effective_store_url
    if not url.startswith(("redis://", "rediss://")):
        return None
    try:
        import redis

        with redis.Redis.from_url(
            url,
            socket_timeout=PROBE_TIMEOUT_SECONDS,
            socket_connect_timeout=PROBE_TIMEOUT_SECONDS,
        ) as client:
            before = time.time()
            answer: Any = client.time()
            after = time.time()
    except (ImportError, OSError, ValueError):
        return None
    except Exception as error:
        # redis.RedisError, which an except clause can't name if redis is missing. Another probe
        # reports that the store is unreachable.
        if type(error).__module__.partition(".")[0] != "redis":
            raise
        return None
    seconds, microseconds = answer
    return (before + after) / 2 - (float(seconds) + float(microseconds) / 1e6)


def database_age_seconds(path: str | Path) -> float | None:
    """Return the seconds since a file was written; ``None`` if it does not exist."""
    try:
        return max(0.0, time.time() - Path(path).stat().st_mtime)
    except OSError:
        return None


def merges_underscores(server: str) -> bool:
    """Serve one request on loopback: does ``X_Forwarded_For`` reach the app as the real header?

    :param server: ``werkzeug``, ``waitress`` or ``wsgiref``; the answer is no if it is not
        installed.
    """
    seen: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ.get("HTTP_X_FORWARDED_FOR", ""))
        start_response("204 No Content", [])
        return []

    serve = {
        "werkzeug": _serve_werkzeug,
        "waitress": _serve_waitress,
        "wsgiref": _serve_wsgiref,
    }[server]
    try:
        serve(app)
    except (ImportError, OSError):
        return False
    return seen == ["192.0.2.66"]


_REQUEST = (
    b"GET / HTTP/1.1\r\nHost: doctor\r\nX_Forwarded_For: 192.0.2.66\r\nConnection: close\r\n\r\n"
)


def _ask(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), PROBE_TIMEOUT_SECONDS) as connection:
        connection.settimeout(PROBE_TIMEOUT_SECONDS)
        connection.sendall(_REQUEST)
        while connection.recv(4096):
            pass


def _serve_werkzeug(app: Any) -> None:
    from werkzeug.serving import WSGIRequestHandler, make_server

    class SilentHandler(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: Any) -> None:
            """Log nothing: nobody needs to know about the doctor's own request."""

    _serve_once(make_server("127.0.0.1", 0, app, request_handler=SilentHandler))


def _serve_wsgiref(app: Any) -> None:
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    class SilentHandler(WSGIRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Nothing, as above."""

    _serve_once(make_server("127.0.0.1", 0, app, handler_class=SilentHandler))


def _serve_once(server: Any) -> None:
    server.timeout = PROBE_TIMEOUT_SECONDS
    thread = threading.Thread(target=server.handle_request, daemon=True)
    thread.start()
    try:
        _ask(server.server_address[1])
        thread.join(PROBE_TIMEOUT_SECONDS)
    finally:
        server.server_close()


def _serve_waitress(app: Any) -> None:
    # The server must not delete the probed header for another reason.
    server = import_module("waitress.server").create_server(
        app, host="127.0.0.1", port=0, threads=1, clear_untrusted_proxy_headers=False
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        _ask(int(server.effective_port))
    finally:
        server.close()
        thread.join(PROBE_TIMEOUT_SECONDS)
        server.task_dispatcher.shutdown()
