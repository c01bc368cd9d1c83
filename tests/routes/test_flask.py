"""Flask: one client's request decides nothing for another, and the matched view's rules apply."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, Request, Response, session
from flask.views import MethodView
from werkzeug.routing import BaseConverter

from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig, SecurityDecorator
from tests.kit.gateway import Answer, environ_for, serve
from tests.routes.frameworks import TOKEN, verify


class Shop:
    def __init__(self, app: Flask | None = None, **options: Any) -> None:
        self.app = app if app is not None else Flask(__name__)
        self.config = SecurityConfig(**options)
        self.decorate = SecurityDecorator(self.config)
        self.guard = FlaskAPIGuard(self.app, config=self.config)
        self.asked: list[str] = []
        auth = self.decorate.require_auth(verifier=verify)
        self.app.add_url_rule("/admin", "admin", auth(lambda: self._answer("admin")))

    def _answer(self, text: str) -> str:
        self.asked.append(text)
        return text

    def visit(self, path: str, ip: str = "203.0.113.7", **options: Any) -> Answer:
        environ = environ_for(path, **options)
        environ["REMOTE_ADDR"] = ip
        return serve(self.app, environ)

    @property
    def resolver(self) -> Any:
        return self.app.extensions["guard_wsgi"].resolver


WEBSOCKET = {"Upgrade": "websocket", "Connection": "Upgrade"}


@pytest.mark.parametrize("banned", [False, True])
def test_a_handshake_of_a_websocket_spoils_a_route_for_nobody(banned: bool) -> None:
    shop = Shop()
    if banned:
        shop.guard.bans.ban("198.51.100.9", 60, "abuse")
    shop.visit("/admin", "198.51.100.9", headers=WEBSOCKET)
    assert shop.visit("/admin").code == 401
    assert shop.resolver.__call__(environ_for("/admin")).route is not None


def test_the_rules_of_a_websockets_route_hold_for_its_handshake() -> None:
    shop = Shop()
    chat = shop.decorate.require_auth(verifier=verify)(lambda: "chat")
    shop.app.add_url_rule("/chat", "chat", chat, websocket=True)
    assert shop.visit("/chat").code in (400, 404)
    assert shop.visit("/chat", headers=WEBSOCKET).code == 401
    assert shop.visit("/chat", headers={**WEBSOCKET, **TOKEN}).body == b"chat"


def test_what_clients_make_up_is_not_kept() -> None:
    shop = Shop()
    for number in range(5):
        shop.visit("/" + "x" * 4000 + str(number))
        shop.visit("/", headers={"Host": "x" * 600 + ".example"})
    assert sum(len(part) for key in shop.resolver._cache for part in key) < 4000


class Overriding(Request):
    """Apps whose clients can only send POST do this."""

    def __init__(self, environ: Any, *args: Any, **options: Any) -> None:
        super().__init__(environ, *args, **options)
        self.method = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE", self.method)


class OverridingApp(Flask):
    request_class = Overriding

    def create_url_adapter(self, request: Any) -> Any:
        adapter = super().create_url_adapter(request)
        if request is not None and adapter is not None:
            adapter.default_method = request.method
        return adapter


def test_an_app_that_matches_by_other_things_is_asked_each_time() -> None:
    shop = Shop(OverridingApp(__name__))
    shop.app.add_url_rule("/x", "get_x", lambda: "x")
    secret = shop.decorate.require_auth(verifier=verify)(lambda: "deleted")
    shop.app.add_url_rule("/x", "delete_x", secret, methods=["DELETE"])
    assert shop.visit("/x").code == 200
    assert shop.visit("/x", headers={"X-HTTP-Method-Override": "DELETE"}).code == 401
    assert shop.visit("/x").code == 200


class Mine(BaseConverter):
    """Reads the session, which Flask opens before it matches."""

    def to_python(self, value: str) -> str:
        return f"{session.get('user', 'nobody')}'s {value}"


def test_a_converter_that_reads_the_session_works_and_spoils_no_rule() -> None:
    app = Flask(__name__)
    app.secret_key = "k"
    app.url_map.converters["mine"] = Mine
    shop = Shop(app)
    auth = shop.decorate.require_auth(verifier=verify)
    app.add_url_rule("/notes/<mine:note>", "note", lambda note: note)
    app.add_url_rule("/drafts/<mine:note>", "draft", auth(lambda note: shop._answer(note)))
    for _ in range(2):
        assert shop.visit("/notes/7").body == b"nobody's 7"
        assert shop.visit("/drafts/7").code == 401
    assert shop.asked == []
    assert shop.visit("/drafts/7", headers=TOKEN).body == b"nobody's 7"


class Rewriting:
    """A middleware between the guard and Flask."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/v1")
        return self.app(environ, start_response)


def rewritten() -> Shop:
    app = Flask(__name__)
    app.wsgi_app = Rewriting(app.wsgi_app)  # type: ignore[method-assign]
    return Shop(app)


def test_a_rewritten_path_tells_its_own_quota_once() -> None:
    shop = rewritten()
    shop.app.add_url_rule("/few", "few", shop.decorate.rate_limit(3)(lambda: "few"))
    for path in ("/few", "/v1/few"):
        answer = shop.visit(path)
        assert answer.header("RateLimit-Policy") == '"route";q=3;w=60'
        assert answer.count("RateLimit") == answer.count("RateLimit-Policy") == 1
    assert [shop.visit("/v1/few").code for _ in range(2)] == [200, 429]


def test_a_licence_of_one_route_is_none_for_another() -> None:
    shop = rewritten()
    shop.app.add_url_rule("/v1/open", "open", shop.decorate.bypass(["all"])(lambda: "open"))
    shop.app.add_url_rule("/open", "closed", lambda: shop._answer("closed"))
    shop.guard.bans.ban("198.51.100.9", 60, "abuse")
    assert shop.visit("/v1/open", "198.51.100.9").code == 403
    assert shop.asked == []


def _is_preflight(method: str) -> dict[str, str]:
    return {"Origin": "https://shop.example", "Access-Control-Request-Method": method}


def test_preflights_of_an_app_that_does_cors_itself_pass() -> None:
    shop = Shop()
    auth = shop.decorate.require_auth(verifier=verify)
    key = shop.decorate.api_key_auth(verifier=verify)

    @shop.app.after_request
    def add_cors(response: Response) -> Response:
        response.headers["Access-Control-Allow-Origin"] = "https://shop.example"
        return response

    @auth
    class Items(MethodView):
        def put(self) -> str:
            return shop._answer("put")

        def options(self) -> Any:
            return Response(headers={"Access-Control-Allow-Methods": "PUT"})

    def by_decorator() -> Any:
        return "cors" if _method() == "OPTIONS" else shop._answer("asked")

    by_decorator.required_methods = ["OPTIONS"]  # type: ignore[attr-defined]
    by_decorator.provide_automatic_options = False  # type: ignore[attr-defined]
    shop.app.add_url_rule("/items", view_func=Items.as_view("items"))
    shop.app.add_url_rule("/keyed", "keyed", key(lambda: shop._answer("keyed")))
    shop.app.add_url_rule("/own", "own", auth(by_decorator))
    for path in ("/admin", "/items", "/keyed", "/own"):
        answer = shop.visit(path, method="OPTIONS", headers=_is_preflight("PUT"))
        assert answer.code == 200, path
        assert answer.header("Access-Control-Allow-Origin") == "https://shop.example"
    assert shop.asked == []


def test_a_request_that_claims_to_be_a_preflight_runs_no_protected_view() -> None:
    shop = Shop()
    auth = shop.decorate.require_auth(verifier=verify)
    view = auth(lambda: shop._answer("any"))
    shop.app.add_url_rule("/any", "any", view, methods=["GET", "OPTIONS"])

    class Whole(MethodView):
        options = None  # type: ignore[assignment]

        def dispatch_request(self, **arguments: Any) -> str:
            return shop._answer("whole")

    whole = auth(Whole).as_view("whole")
    shop.app.add_url_rule("/whole", view_func=whole, methods=["GET", "OPTIONS"])
    shop.app.add_url_rule(
        "/wild",
        "wild",
        auth(lambda: shop._answer("wild")),
        provide_automatic_options=False,
        methods=["GET", "OPTIONS"],
    )
    for path in ("/any", "/wild", "/whole"):
        answer = shop.visit(path, method="OPTIONS", headers=_is_preflight("GET"))
        assert answer.code == 401, path
        assert shop.visit(path, headers=_is_preflight("GET")).code == 401
    assert shop.asked == []
    assert shop.visit("/admin", method="OPTIONS").code == 401


@pytest.mark.parametrize("calls", [False, True])
def test_options_of_a_class_lead_to_no_other_method(calls: bool) -> None:
    shop = Shop()

    class Items(MethodView):
        def get(self) -> str:
            return shop._answer("got")

        if calls:

            def options(self) -> str:
                return self.get()

        else:
            options = get

    whole = shop.decorate.require_auth(verifier=verify)(Items)
    shop.app.add_url_rule("/items", view_func=whole.as_view("items"))
    assert shop.visit("/items", method="OPTIONS", headers=_is_preflight("GET")).code == 401
    assert shop.visit("/items", method="OPTIONS").code == 401
    assert shop.asked == []


def _method() -> str:
    from flask import request

    return request.method


@pytest.mark.parametrize("kind", ["list", "tuple", "items", "generator"])
def test_headers_may_come_in_any_row(kind: str) -> None:
    from guard_wsgi import GuardMiddleware

    made: dict[str, Any] = {
        "list": lambda: [("Content-Type", "text/plain")],
        "tuple": lambda: (("Content-Type", "text/plain"),),
        "items": lambda: {"Content-Type": "text/plain"}.items(),
        "generator": lambda: (pair for pair in [("Content-Type", "text/plain")]),
    }

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", made[kind]())
        return [b"x"]

    for options in ({}, {"enable_cors": True, "cors_allow_origins": ["https://a.example"]}):
        answer = serve(GuardMiddleware(app, SecurityConfig(**options)), path="/")
        assert answer.count("Content-Type") == 1
        assert answer.count("X-Frame-Options") == 1


@pytest.mark.parametrize("style", ["draft", "legacy", "both"])
@pytest.mark.parametrize("name", ["RateLimit", "ratelimit-policy", "X-RateLimit-Limit"])
def test_an_apps_own_quota_is_not_doubled(style: str, name: str) -> None:
    from guard_wsgi import GuardMiddleware
    from tests.kit.gateway import text_app

    app = text_app(headers=[(name, "theirs")])
    answer = serve(GuardMiddleware(app, SecurityConfig(rate_limit_headers=style)), path="/")
    told = [pair for pair in answer.headers if "ratelimit" in pair[0].lower()]
    assert told == [(name, "theirs")]
