"""Serve apps on inherited listening sockets.

``python -m tests.kit.serve SERVER MODULE:APP FD [MODULE:APP FD ...]``

Started by tests/kit/live.py only. When the parent goes, standard input ends and the whole
process group dies with it, so that no run leaves a server behind.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

GUNICORN_WORKERS = {
    "gunicorn-sync": ["-k", "sync"],
    "gunicorn-gthread": ["-k", "gthread", "--threads", "4"],
    "gunicorn-gevent": ["-k", "gevent"],
}
APPS = "TESTS_KIT_APPS"
"""The variable that tells gunicorn's workers the app of each port."""


def load(spec: str) -> Any:
    module, _, name = spec.partition(":")
    made = getattr(import_module(module), name.removesuffix("()"))
    return made() if name.endswith("()") else made


def by_port() -> Any:
    """An app that hands each request to the app of the port it came in by."""
    pairs = (entry.split("=") for entry in os.environ[APPS].split(" "))
    apps = {port: load(spec) for port, spec in pairs}

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        return apps[environ["SERVER_PORT"]](environ, start_response)

    return app


def die_with_the_parent() -> None:
    while os.read(0, 1):  # not through sys.stdin: its lock would delay the exit
        pass
    os.killpg(0, signal.SIGKILL)


def serve_gunicorn(server: str, spec: str, listeners: list[socket.socket]) -> None:
    from gunicorn.app.wsgiapp import run

    binds = []
    for listener in listeners:
        binds += ["--bind", f"fd://{listener.detach()}"]
    sys.argv = [
        "gunicorn",
        *GUNICORN_WORKERS[server],
        *binds,
        *("--workers", "1", "--graceful-timeout", "1"),
        *("--timeout", "60", "--log-level", "warning", "--no-control-socket"),
        spec,
    ]
    run()


def serve_waitress(app: Any, listeners: list[socket.socket]) -> None:
    from waitress import serve

    serve(app, sockets=listeners, threads=4, _quiet=True)


def werkzeug_server(app: Any, listener: socket.socket) -> Any:
    from werkzeug.serving import WSGIRequestHandler, make_server

    WSGIRequestHandler.protocol_version = "HTTP/1.1"  # without it, no chunked bodies
    return make_server("127.0.0.1", 0, app, threaded=True, fd=listener.detach())


def wsgiref_server(app: Any, listener: socket.socket) -> Any:
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
    return server


def serve_each(make: Any, app: Any, listeners: list[socket.socket]) -> None:
    """For servers that listen on one socket only: a thread for each one after the first."""
    first, *others = [make(app, listener) for listener in listeners]
    for server in others:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    first.serve_forever()


def main() -> None:
    server, *pairs = sys.argv[1:]
    specs = pairs[::2]
    listeners = [socket.socket(fileno=int(descriptor)) for descriptor in pairs[1::2]]
    spec = specs[0]
    if len(specs) > 1:
        ports = [listener.getsockname()[1] for listener in listeners]
        os.environ[APPS] = " ".join(f"{p}={s}" for p, s in zip(ports, specs, strict=True))
        spec = "tests.kit.serve:by_port()"
    threading.Thread(target=die_with_the_parent, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    if server in GUNICORN_WORKERS:
        serve_gunicorn(server, spec, listeners)
    elif server == "waitress":
        serve_waitress(load(spec), listeners)
    elif server == "werkzeug":
        serve_each(werkzeug_server, load(spec), listeners)
    elif server == "wsgiref":
        serve_each(wsgiref_server, load(spec), listeners)
    else:
        raise SystemExit(f"no server called {server}")


if __name__ == "__main__":
    main()
