"""``guard-wsgi serve``: any WSGI app behind the guard, for development."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.serving import make_server

from guard_wsgi.config import SecurityConfig
from guard_wsgi.middleware import GuardMiddleware

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def serve(app: WSGIApplication, config: SecurityConfig, host: str, port: int) -> None:
    """Serve until interrupted; one thread a request. Port 0 takes a free one."""
    guard = GuardMiddleware(app, config)
    server = make_server(host, port, guard, threaded=True)
    shown = f"[{host}]" if ":" in host else host
    print(f"Guarded app on http://{shown}:{server.server_port}/ (Ctrl-C ends it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        guard.close()
