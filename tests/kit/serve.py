"""Serve an app on an inherited listening socket.

``python -m tests.kit.serve SERVER MODULE:APP FD``

Started by tests/kit/live.py only. When the parent goes, standard input ends and the whole
process group dies with it, so that no run leaves a server behind.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from importlib import import_module
from typing import Any

GUNICORN_WORKERS = {
    "gunicorn-sync": ["-k", "sync"],
    "gunicorn-gthread": ["-k", "gthread", "--threads", "4"],
    "gunicorn-gevent": ["-k", "gevent"],
}


def load(spec: str) -> Any:
    module, _, name = spec.partition(":")
    made = getattr(import_module(module), name.removesuffix("()"))
    return made() if name.endswith("()") else made


def die_with_the_parent() -> None:
    while os.read(0, 1):  # not through sys.stdin: its lock would delay the exit
        pass
    os.killpg(0, signal.SIGKILL)


def serve_gunicorn(server: str, spec: str, fd: int) -> None:
    from gunicorn.app.wsgiapp import run

    sys.argv = [
        "gunicorn",
        *GUNICORN_WORKERS[server],
        *("--bind", f"fd://{fd}", "--workers", "1", "--graceful-timeout", "1"),
        *("--timeout", "60", "--log-level", "warning", "--no-control-socket"),
        spec,
    ]
    run()


def serve_waitress(app: Any, listener: socket.socket) -> None:
    from waitress import serve

    serve(app, sockets=[listener], threads=4, _quiet=True)


def serve_werkzeug(app: Any, fd: int) -> None:
    from werkzeug.serving import WSGIRequestHandler, make_server

    WSGIRequestHandler.protocol_version = "HTTP/1.1"  # without it, no chunked bodies
    make_server("127.0.0.1", 0, app, threaded=True, fd=fd).serve_forever()


def serve_wsgiref(app: Any, listener: socket.socket) -> None:
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), WSGIRequestHandler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_address = listener.getsockname()
    server.server_name, server.server_port = "127.0.0.1", server.server_address[1]
    server.setup_environ()
    server.set_app(app)
    server.serve_forever()


def main() -> None:
    server, spec, fd = sys.argv[1], sys.argv[2], int(sys.argv[3])
    threading.Thread(target=die_with_the_parent, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    if server in GUNICORN_WORKERS:
        serve_gunicorn(server, spec, fd)
        return
    app = load(spec)
    listener = socket.socket(fileno=fd)
    if server == "waitress":
        serve_waitress(app, listener)
    elif server == "werkzeug":
        serve_werkzeug(app, fd)
    elif server == "wsgiref":
        serve_wsgiref(app, listener)
    else:
        raise SystemExit(f"no server called {server}")


if __name__ == "__main__":
    main()
