"""A client of Redis or Valkey that doesn't wait: `limits` makes it, with our options.

The libraries' defaults suit programs that can wait: timeouts of seconds, ten retries with
back-off, separate round trips for greetings. A request can't wait.
"""

from __future__ import annotations

import inspect
import socket
import ssl
from collections.abc import Mapping
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from limits.errors import ConfigurationError
from limits.storage import storage_from_string

from guard_wsgi.errors import ConfigError
from guard_wsgi.state.budget import TimeBudget
from guard_wsgi.state.settings import StoreSettings


def open_client(library: ModuleType, url: str, settings: StoreSettings, budget: TimeBudget) -> Any:
    """Make a client for the URI whose sockets wait no longer than the running call may.

    A client of one server connects with the first command. The map of a cluster is read here.

    :param library: ``redis`` or ``valkey``.
    :raises ConfigError: for a URI that can't be parsed.
    """
    scheme = url.partition("://")[0]
    options = {**_options(library, scheme, settings.timeout_seconds), **settings.options}
    if scheme in ("rediss", "valkeys") and _wants_proof({**_query(url), **settings.options}):
        # valkey-py, and redis-py before 6, take a certificate of any host. The URI may say so too.
        options.setdefault("ssl_check_hostname", True)
    try:
        storage: Any = storage_from_string(url, **options)
    except ConfigurationError as error:
        raise ConfigError([f"store_url: {error}"]) from error
    except ValueError as error:
        raise ConfigError([f"store_url {scheme}://: {error}"]) from error
    client = storage.get_connection()
    pool = getattr(client, "connection_pool", None)
    if pool is not None:  # a cluster has one for each node, and only its sockets' timeouts
        try:
            pool.connection_class = _within(budget, pool.connection_class, pool.connection_kwargs)
        except OSError as error:
            raise ConfigError([f"store_url {scheme}://: certificates: {error}"]) from error
    return client


def _query(url: str) -> dict[str, object]:
    return dict(parse_qsl(urlsplit(url).query))


def _wants_proof(options: Mapping[str, object]) -> bool:
    """Whether the server's certificate is verified."""
    required = options.get("ssl_cert_reqs", "required")
    return required not in (None, "none", ssl.CERT_NONE)


def _options(library: Any, scheme: str, timeout_seconds: float) -> dict[str, Any]:
    options: dict[str, Any] = {
        # One connection per concurrent request. redis-py 8 allows 100 by default, and a gevent
        # worker serves a thousand requests: the others would fail at once, and the store would
        # count as down.
        "max_connections": 2**31 - 1,
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "retry": library.retry.Retry(library.backoff.NoBackoff(), 0),
        "protocol": 2,  # version 3 begins with another round trip (HELLO)
    }
    if scheme.endswith("+cluster"):
        # Since redis-py 6, a cluster takes `retry`. Older versions and valkey-py take a number.
        if library.__name__ == "valkey" or int(library.__version__.partition(".")[0]) < 6:
            del options["retry"]
            options["cluster_error_retry_attempts"] = 0
        return options
    known = inspect.signature(library.connection.AbstractConnection).parameters
    if "driver_info" in known:
        options["driver_info"] = None
    elif "lib_name" in known:
        options["lib_name"] = options["lib_version"] = None
    options["health_check_interval"] = 0
    if scheme.endswith("+sentinel"):
        options["sentinel_kwargs"] = dict(options)
    return options


def _within(budget: TimeBudget, connection_class: type[Any], options: dict[str, Any]) -> type[Any]:
    """The client's connection, whose socket never waits longer than the time that the request has
    left."""

    class BudgetedConnection(connection_class):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._configured_timeout: float | None = options.get("socket_connect_timeout")

        def _connect(self) -> Any:
            remaining = budget.remaining_seconds()
            self.socket_connect_timeout = min(self._configured_timeout or remaining, remaining)
            return _BudgetedSocket(super()._connect(), budget)

    if not hasattr(connection_class, "_wrap_socket_with_ssl"):
        return BudgetedConnection
    context = _tls_context(connection_class(**options))

    class BudgetedTLSConnection(BudgetedConnection):
        def _wrap_socket_with_ssl(self, sock: socket.socket) -> Any:
            sock.settimeout(budget.remaining_seconds())
            if context is None:
                return super()._wrap_socket_with_ssl(sock)
            return context.wrap_socket(sock, server_hostname=self.host)

    return BudgetedTLSConnection


def _tls_context(connection: Any) -> ssl.SSLContext | None:
    """Return the TLS context that a connection would make each time.

    The client reads the system's certificates for every connection: 15 ms and more of a request
    that no timeout ends.

    :return: ``None`` if more than a context is needed (OCSP).
    :raises OSError: for certificates that can't be read.
    """
    if connection.ssl_validate_ocsp or connection.ssl_validate_ocsp_stapled:
        return None
    # A socket that isn't connected is wrapped without a handshake.
    with connection._wrap_socket_with_ssl(socket.socket()) as wrapped:
        context: ssl.SSLContext = wrapped.context
    return context


class _BudgetedSocket:
    """A socket's timeout applies to each read, so a server that sends a byte now and then never
    exceeds it. Here it applies to all reads of a call together."""

    __slots__ = ("_budget", "_sock")

    def __init__(self, sock: Any, budget: TimeBudget) -> None:
        self._sock = sock
        self._budget = budget

    def recv(self, size: int) -> Any:
        self._limit()
        return self._sock.recv(size)

    def recv_into(self, buffer: Any) -> Any:
        self._limit()
        return self._sock.recv_into(buffer)

    def sendall(self, data: Any) -> None:
        self._limit()
        self._sock.sendall(data)

    def _limit(self) -> None:
        if self._sock.gettimeout() != 0:  # the client only tests whether data has arrived
            self._sock.settimeout(self._budget.remaining_seconds())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)
