"""``guard-wsgi serve``: any WSGI app behind the guard, for development."""

from __future__ import annotations

import signal
from socket import getaddrinfo
from typing import TYPE_CHECKING

from werkzeug.serving import make_server

from guard_wsgi.cli.loading import CommandError
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.doctor.diagnosis import find_guard
from guard_wsgi.middleware import GuardMiddleware

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def serve(
    app: WSGIApplication, config: SecurityConfig, host: str, port: int, *, is_given: bool = True
) -> None:
    """Serve until interrupted or terminated, with one thread per request. Port 0 takes a free port.

    An app that already has a guard is served as it is.

    :param is_given: whether the user named a configuration.
    :raises CommandError: if the app has a guard and a configuration is given as well, or if the
        host is unknown.
    """
    guard = find_guard(app)
    if guard is None:
        app = guard = GuardMiddleware(app, config)
    elif is_given:
        raise CommandError(
            "the app is already guarded and has its own configuration: omit --config"
        )
    try:
        getaddrinfo(host, port)  # for an unknown host, werkzeug would name neither host nor port
    except OSError as error:
        raise CommandError(f"can't serve on {host}:{port}: {error.strerror or error}") from None
    server = make_server(host, port, app, threaded=True)
    shown = f"[{host}]" if ":" in host else host
    print(f"Guarded app on http://{shown}:{server.server_port}/ (Ctrl-C ends it)", flush=True)
    # SIGTERM stops a container; treat it like Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        guard.close()
