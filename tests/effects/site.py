"""A guarded site on a real socket, visited by clients with addresses of their own.

Every client comes through 127.0.0.1, which the site trusts as its proxy, so that tests choose
where a visitor comes from.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlencode

from attrs import define, field
from flask import Flask, g
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from guard_wsgi import GuardMiddleware, RouteConfig, SecurityConfig, SecurityDecorator
from guard_wsgi.state.clock import NANOSECONDS, Clock
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from guard_wsgi_flask import FlaskAPIGuard
from tests.kit.wire import RawAnswer, exchange, request

VISITOR = "81.2.69.160"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"

Headers = Mapping[str, str]


@define
class MovingClock:
    """The time of a store, moved by the test."""

    now_ns: int = 1_800_000_000 * NANOSECONDS

    def sleep(self, seconds: float) -> None:
        self.now_ns += int(seconds * NANOSECONDS)

    def store(self, **settings: Any) -> Store:
        clock = Clock(monotonic_ns=lambda: self.now_ns, wall_ns=lambda: self.now_ns)
        return Store.open("memory://", settings=StoreSettings(clock=clock, **settings))


def shop(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A small app: ``/login`` knows one password, ``/missing...`` is 404, the rest says hello."""
    path = environ["PATH_INFO"]
    status = "200 OK"
    body = b"hello"
    if path == "/login":
        length = int(environ.get("CONTENT_LENGTH") or 0)
        form = parse_qs(environ["wsgi.input"].read(length).decode())
        right = form.get("password") == ["correct horse"]
        status = "200 OK" if right else "401 Unauthorized"
        body = b'{"login": "welcome"}' if right else b'{"login": "denied"}'
    elif path.startswith("/missing"):
        status, body = "404 Not Found", b"no such page"
    kind = "application/json" if body.startswith(b"{") else "text/plain"
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]


class _SilentHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@define
class LiveSite:
    """A site that is served from ``with`` to its end.

    Detection is off by default: only the tested option must decide.
    """

    options: dict[str, Any] = field(factory=dict)
    routes: dict[str, RouteConfig] | None = None
    app: Any = None
    store: Store | None = None
    guard: GuardMiddleware = field(init=False)
    blocked: list[Mapping[str, Any]] = field(factory=list)
    port: int = field(init=False, default=0)
    _server: BaseWSGIServer = field(init=False)
    _thread: threading.Thread = field(init=False)

    def __enter__(self) -> LiveSite:
        options = {
            "trusted_proxies": ["127.0.0.1"],
            "enable_penetration_detection": False,
            "on_block": lambda request, payload: self.blocked.append(payload),
            **self.options,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # doubts of a configuration that a test wants so
            config = SecurityConfig(**options)
        self._server = make_server(
            "127.0.0.1", 0, self.build(config), threaded=True, request_handler=_SilentHandler
        )
        self.port = self._server.port
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self._thread.start()
        return self

    def build(self, config: SecurityConfig) -> Any:
        """The guarded app to serve; sets ``guard``."""
        app = shop if self.app is None else self.app
        self.guard = GuardMiddleware(app, config, routes=self.routes, store=self.store)
        return self.guard

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.guard.close()

    def visit(
        self,
        target: str = "/",
        *,
        ip: str | None = VISITOR,
        method: str = "GET",
        headers: Headers | None = None,
        body: bytes | None = None,
        form: Mapping[str, str] | None = None,
    ) -> RawAnswer:
        """One request on its own connection. ``ip=None`` comes from 127.0.0.1 itself."""
        sent = {"User-Agent": BROWSER, **(headers or {})}
        if ip is not None:
            sent.setdefault("X-Forwarded-For", ip)
        if form is not None:
            body = urlencode(form).encode()
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        if (body is not None) and method == "GET":
            method = "POST"
        raw = request(method, target, headers=sent.items(), body=body)
        return exchange(self.port, raw, method=method)

    def statuses(self, times: int, target: str = "/", **options: Any) -> list[int]:
        return [self.visit(target, **options).status for _ in range(times)]


Decorate = Callable[[SecurityDecorator], Callable[[Any], Any]]


@define
class DecoratedSite(LiveSite):
    """A Flask app with ``/plain`` and, under the decorator of a test, ``/view``."""

    decorate: Decorate = field(default=lambda guard: lambda view: view)
    seen: dict[str, Any] = field(factory=dict)

    def build(self, config: SecurityConfig) -> Any:
        app = Flask("site")
        decorator = SecurityDecorator(config)

        @app.route("/view", methods=["GET", "POST"])
        @self.decorate(decorator)
        def view() -> str:
            self.seen["principal"] = getattr(g.guard, "principal", None)
            return "seen"

        @app.route("/plain", methods=["GET", "POST"])
        def plain() -> str:
            return "plain"

        extension = FlaskAPIGuard(app, config=config)
        self.guard = extension.middleware
        return app


def login(site: LiveSite, password: str, ip: str = VISITOR) -> int:
    """One attempt to sign in."""
    return site.visit("/login", ip=ip, form={"user": "alice", "password": password}).status
