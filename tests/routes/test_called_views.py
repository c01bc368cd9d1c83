"""A decorated view that the app calls by itself, past its framework's routes, keeps its rules."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import bottle
import pytest
from flask import Flask, Response, request
from flask.views import MethodView
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.utils import cached_property

from guard_wsgi import GuardMiddleware, SecurityConfig, SecurityDecorator
from guard_wsgi.resolvers import BottleResolver, DjangoResolver
from guard_wsgi.routes.decorated_views import decorated_by
from guard_wsgi_flask import FlaskAPIGuard
from tests.kit.gateway import Answer, environ_for, serve
from tests.routes.frameworks import TOKEN, Project, verify

OVERRIDE = {"X-HTTP-Method-Override": "DELETE"}


def _override() -> None:
    request.method = request.headers.get("X-HTTP-Method-Override", request.method)


class Site:
    """A Flask app, and whether its one protected view ran."""

    def __init__(self, build: Callable[[Flask, Any, Callable[..., str]], Any]) -> None:
        self.runs = 0
        self.config = SecurityConfig()
        self.decorate = SecurityDecorator(self.config)
        self.app = Flask(__name__)
        build(self.app, self.decorate.require_auth(verifier=verify), lambda *args: self.secret())
        if "guard_wsgi" not in self.app.extensions:
            FlaskAPIGuard(self.app, config=self.config)

    def secret(self) -> str:
        self.runs += 1
        return "secret"

    def visit(self, path: str = "/", **options: Any) -> Answer:
        return serve(self.app, environ_for(path, **options))


def by_method_of_a_hook(app: Flask, auth: Any, secret: Any) -> None:
    class View(MethodView):
        post = staticmethod(lambda: "open")
        delete = staticmethod(auth(lambda: secret()))

    app.add_url_rule("/", view_func=View.as_view("view"))
    app.before_request(_override)


def by_a_dispatch_of_its_own(app: Flask, auth: Any, secret: Any) -> None:
    class View(MethodView):
        def dispatch_request(self, **arguments: Any) -> Any:
            if "X-HTTP-Method-Override" in request.headers:
                return self.delete()
            return super().dispatch_request(**arguments)

        post = staticmethod(lambda: "open")
        delete = auth(lambda self: secret())

    app.add_url_rule("/", view_func=View.as_view("view"))


def by_a_subclass(app: Flask, auth: Any, secret: Any) -> None:
    class Base(MethodView):
        @auth
        def post(self) -> Any:
            return secret()

    class View(Base):
        def post(self) -> Any:
            return super().post()

    app.add_url_rule("/", view_func=View.as_view("view"))


def by_a_lazy_import(app: Flask, auth: Any, secret: Any) -> None:
    """Flask's documentation shows it like this, "Lazily Loading Views"."""

    class LazyView:
        __name__ = "view"

        @cached_property
        def view(self) -> Any:
            return auth(lambda: secret())

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return self.view(*args, **kwargs)

    app.add_url_rule("/", view_func=LazyView(), methods=["POST"])


def by_name(app: Flask, auth: Any, secret: Any) -> None:
    module = types.SimpleNamespace(view=auth(lambda: secret()))
    app.add_url_rule("/", "view", lambda: getattr(module, request.path[1:] or "view")())
    app.view_functions["view"].methods = ["POST"]  # type: ignore[attr-defined]
    app.add_url_rule("/", "view", methods=["POST"])


def by_a_rule_that_a_hook_sets(app: Flask, auth: Any, secret: Any) -> None:
    app.add_url_rule("/secret", "secret", auth(lambda: secret()), methods=["POST"])
    app.add_url_rule("/", "open", lambda: "open", methods=["POST"])

    @app.before_request
    def forward() -> None:
        adapter = app.create_url_adapter(request)
        assert adapter is not None
        request.url_rule, request.view_args = adapter.match("/secret", return_rule=True)


def by_an_error_handler(app: Flask, auth: Any, secret: Any) -> None:
    app.register_error_handler(404, auth(lambda error: secret()))


def by_an_error_handler_that_keeps_the_error(app: Flask, auth: Any, secret: Any) -> None:
    view = auth(lambda: secret())
    app.register_error_handler(404, lambda error: view())


def by_an_app_within(app: Flask, auth: Any, secret: Any) -> None:
    inner = Flask("inner")
    inner.add_url_rule("/", "view", auth(lambda: secret()), methods=["POST"])
    app.wsgi_app = DispatcherMiddleware(  # type: ignore[method-assign]
        app.wsgi_app, {"/inner": inner}
    )


def by_a_coroutine(app: Flask, auth: Any, secret: Any) -> None:
    class View(MethodView):
        async def post(self) -> Any:
            return await self.delete()

        @auth
        async def delete(self) -> Any:
            return secret()

    app.add_url_rule("/", view_func=View.as_view("view"))


def by_a_class(app: Flask, auth: Any, secret: Any) -> None:
    @auth
    class View(MethodView):
        def post(self) -> Any:
            return secret()

    app.add_url_rule("/view", view_func=View.as_view("view"))
    app.add_url_rule("/", "other", lambda: View.as_view("again")(), methods=["POST"])


def by_a_method_of_a_class(app: Flask, auth: Any, secret: Any) -> None:
    @auth
    class View(MethodView):
        def get(self) -> Any:
            return secret()

    app.add_url_rule("/view", view_func=View.as_view("view"))
    app.add_url_rule("/", "other", lambda: View().get(), methods=["POST"])


def by_a_subclass_of_a_class(app: Flask, auth: Any, secret: Any) -> None:
    @auth
    class Base(MethodView):
        def get(self) -> Any: ...

    class View(Base):
        def dispatch_request(self, **arguments: Any) -> Any:
            return secret()

    app.add_url_rule("/", "other", lambda: View.as_view("view")(), methods=["POST"])


FLASK = [
    by_a_class,
    by_a_subclass_of_a_class,
    by_a_method_of_a_class,
    by_method_of_a_hook,
    by_a_dispatch_of_its_own,
    by_a_subclass,
    by_a_lazy_import,
    by_name,
    by_a_rule_that_a_hook_sets,
    by_an_error_handler,
    by_an_app_within,
    by_an_error_handler_that_keeps_the_error,
]
PATHS = {
    by_an_error_handler: "/nowhere",
    by_an_error_handler_that_keeps_the_error: "/nowhere",
    by_an_app_within: "/inner/",
}


@pytest.mark.parametrize("build", FLASK, ids=lambda build: build.__name__)
def test_flask_runs_no_view_that_is_called_past_its_route(build: Any) -> None:
    site = Site(build)
    path = PATHS.get(build, "/")
    for _ in range(2):
        answer = site.visit(path, method="POST", headers=OVERRIDE)
        assert (answer.code, site.runs) == (401, 0)
        assert answer.header("WWW-Authenticate")
    assert site.visit(path, method="POST", headers={**OVERRIDE, **TOKEN}).body == b"secret"


def test_coroutines_keep_their_rules() -> None:
    pytest.importorskip("asgiref")
    site = Site(by_a_coroutine)
    assert site.visit(method="POST").code == 401
    assert site.runs == 0
    assert site.visit(method="POST", headers=TOKEN).body == b"secret"


def test_rules_are_asked_once_and_limits_count_each_call() -> None:
    asked: list[str] = []

    def noting(request: Any, credential: str) -> bool:
        asked.append(credential)
        return True

    def build(app: Flask, auth: Any, secret: Any) -> None:
        inner = SecurityDecorator(config).require_auth(verifier=noting)(lambda: secret())
        limited = SecurityDecorator(config).rate_limit(3)(lambda: secret())
        app.add_url_rule("/", "view", lambda: inner() + limited() + inner() + limited())
        FlaskAPIGuard(app, config=config)

    config = SecurityConfig()
    site = Site(build)
    assert site.visit(headers=TOKEN).body == b"secret" * 4
    assert asked == ["s3cret"]
    site.runs = 0
    assert site.visit(headers=TOKEN).code == 429
    assert site.runs == 3


def test_a_view_outside_of_any_request_is_a_function() -> None:
    site = Site(lambda app, auth, secret: None)
    view = site.decorate.require_auth(verifier=verify)(lambda: site.secret())
    assert view() == "secret"
    with site.app.test_request_context("/"):
        assert view() == "secret"


def test_a_rule_that_is_given_later_holds() -> None:
    site = Site(lambda app, auth, secret: app.add_url_rule("/", "view", lambda: "secret"))
    assert site.visit().code == 200
    site.decorate.require_auth(verifier=verify)(site.app.view_functions["view"])
    assert site.visit().code == 401


def test_the_answer_of_a_view_called_by_another_is_the_refusal() -> None:
    def build(app: Flask, auth: Any, secret: Any) -> None:
        inner = auth(lambda: secret())
        app.add_url_rule("/inner", "inner", inner)
        app.add_url_rule("/", "view", lambda: Response(f"{inner()}!", status=201))

    assert Site(build).visit().code == 401
    assert Site(build).visit(headers=TOKEN).body == b"secret!"


def test_a_decorated_class_leaves_its_siblings_methods_where_they_are() -> None:
    def build(app: Flask, auth: Any, secret: Any) -> None:
        class Checked(MethodView):
            def dispatch_request(self, **arguments: Any) -> Any:
                if request.headers.get("X-Staff") != "yes":
                    return "staff only", 403
                return super().dispatch_request(**arguments)

        @auth
        class Base(MethodView):
            pass

        class View(Base, Checked):
            def get(self) -> Any:
                return secret()

        app.add_url_rule("/", view_func=View.as_view("view"))

    site = Site(build)
    assert site.visit(headers={"X-Staff": "yes"}).code == 401
    assert site.visit(headers=TOKEN).code == 403
    assert site.runs == 0
    assert site.visit(headers={**TOKEN, "X-Staff": "yes"}).body == b"secret"


@pytest.mark.parametrize("auth_first", [True, False])
def test_the_rules_of_all_base_classes_hold(auth_first: bool) -> None:
    def build(app: Flask, auth: Any, secret: Any) -> None:
        @auth
        class Known(MethodView):
            pass

        @SecurityDecorator(SecurityConfig()).require_headers({"X-Office": "required"})
        class Office(MethodView):
            pass

        bases = (Known, Office) if auth_first else (Office, Known)
        view: Any = type("View", bases, {"get": lambda self: secret()})
        app.add_url_rule("/", view_func=view.as_view("view"))
        app.add_url_rule("/called", "called", lambda: view.as_view("x")())

    site = Site(build)
    for path in ("/", "/called"):
        assert site.visit(path, headers=TOKEN).code == 400
        assert site.visit(path, headers={"X-Office": "1"}).code == 401
        assert site.runs == 0
        assert site.visit(path, headers={**TOKEN, "X-Office": "1"}).body == b"secret"
        site.runs = 0


def test_a_preflight_is_no_way_to_a_view_that_others_call() -> None:
    preflight = {"Origin": "https://shop.example", "Access-Control-Request-Method": "GET"}

    def build(app: Flask, auth: Any, secret: Any) -> None:
        view = auth(lambda: secret())
        app.add_url_rule("/", "view", view)

        @auth
        class Opt(MethodView):
            def options(self) -> Any:
                return view()

        app.add_url_rule("/opt", view_func=Opt.as_view("opt"))

        @app.url_value_preprocessor
        def early(endpoint: str | None, values: Any) -> None:
            if "early" in request.args:
                view()

        @app.before_request
        def first() -> Any:
            return view() if "first" in request.args else None

    site = Site(build)
    assert site.visit(method="OPTIONS", headers=preflight).code == 200
    for path in ("/?first=1", "/opt", "/?early=1"):
        assert site.visit(path, method="OPTIONS", headers=preflight).code == 401, path
        assert site.runs == 0


# Django ------------------------------------------------------------------------------------------


def test_django_runs_no_method_that_is_called_past_its_route(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = Project(monkeypatch, SecurityConfig())
    auth = project.decorate.require_auth(verifier=verify)
    from django.http import HttpResponse
    from django.urls import path
    from django.views import View
    from rest_framework.decorators import action
    from rest_framework.response import Response as RestResponse
    from rest_framework.views import APIView
    from rest_framework.viewsets import ViewSet

    runs: list[str] = []

    def secret(self: Any, request: Any, *args: Any) -> Any:
        runs.append(type(self).__name__)
        return HttpResponse("secret")

    class Dispatching(View):
        def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            return self.delete(request)

        get = delete = auth(secret)
        get = secret

    class Overriding(View):
        def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            request.method = "DELETE"
            return super().dispatch(request, *args, **kwargs)

        def get(self, request: Any) -> Any: ...

        delete = auth(secret)

    class Base(View):
        get = auth(secret)

    class Inheriting(Base):
        def get(self, request: Any) -> Any:
            return super().get(request)

    class Setting(View):
        def setup(self, request: Any, *args: Any, **kwargs: Any) -> None:
            super().setup(request, *args, **kwargs)
            self.get = self.delete

        def get(self, request: Any) -> Any: ...

        delete = auth(secret)

    class Awaiting(View):
        async def get(self, request: Any) -> Any:
            return await self.delete(request)

        @auth
        async def delete(self, request: Any) -> Any:
            return secret(self, request)

    class Rest(APIView):
        def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            request.method = "DELETE"
            return super().dispatch(request, *args, **kwargs)

        def get(self, request: Any) -> Any: ...

        delete = auth(secret)

    class RestSet(ViewSet):
        def list(self, request: Any) -> Any:
            return self.more(request)

        @action(detail=False)
        @auth
        def more(self, request: Any) -> Any:
            runs.append("RestSet")
            return RestResponse("secret")

    @auth
    class Whole(View):
        get = secret

    checked: list[str] = []

    class Checked(View):
        def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            checked.append(type(self).__name__)
            return super().dispatch(request, *args, **kwargs)

    @auth
    class Plain(View):
        pass

    class Sibling(Plain, Checked):
        get = secret

    @auth
    class WholeRest(APIView):
        get = secret

    @auth
    class WholeSet(ViewSet):
        list = secret

    views = {
        cls.__name__.lower(): cls.as_view()  # type: ignore[attr-defined]
        for cls in (Dispatching, Overriding, Inheriting, Setting, Awaiting, Rest, Sibling)
    }
    views["restset"] = RestSet.as_view({"get": "list"})
    views["called"] = lambda request: Whole.as_view()(request)
    views["calledrest"] = lambda request: WholeRest.as_view()(request)
    views["calledset"] = lambda request: WholeSet.as_view({"get": "list"})(request)
    views["method"] = lambda request: Whole().get(request)
    urls = [path(f"{name}/", view) for name, view in views.items()]
    guard = GuardMiddleware(project.app(urls), project.config, resolver=DjangoResolver())
    for name in views:
        assert serve(guard, environ_for(f"/{name}/")).code == 401, name
        assert runs == [], name
        assert b"secret" in serve(guard, environ_for(f"/{name}/", headers=TOKEN)).body, name
        runs.clear()
    assert checked == ["Sibling"]


def test_django_keeps_a_body_that_a_called_views_rules_have_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = Project(monkeypatch, SecurityConfig())
    from django.http import HttpResponse
    from django.urls import path

    @project.decorate.honeypot_detection(["fax"])
    def form(request: Any) -> Any:
        return HttpResponse(request.POST["a"])

    views = {"form": form}
    urls = [path("", lambda request: views[request.GET["view"]](request))]
    guard = GuardMiddleware(project.app(urls), project.config, resolver=DjangoResolver())
    kept = environ_for("/?view=form", method="POST", data={"a": "b"})
    assert serve(guard, kept).body == b"b"
    filled = environ_for("/?view=form", method="POST", data={"a": "b", "fax": "1"})
    assert serve(guard, filled).code == 403


def test_decorating_with_each_request_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(monkeypatch, SecurityConfig(enable_rate_limiting=False))
    from django.http import HttpResponse
    from django.urls import path
    from django.utils.decorators import method_decorator
    from django.views import View

    @method_decorator(project.decorate.require_auth(verifier=verify), name="dispatch")
    class Admin(View):
        def get(self, request: Any) -> Any:
            return HttpResponse("admin")

    app = project.app([path("", Admin.as_view())])
    guard = GuardMiddleware(app, project.config, resolver=DjangoResolver())
    assert serve(guard, environ_for("/")).code == 401
    serve(guard, environ_for("/", headers=TOKEN))
    known = len(decorated_by(project.config)), len(project.decorate._views)
    for _ in range(30):
        assert serve(guard, environ_for("/", headers=TOKEN)).code == 200
    assert (len(decorated_by(project.config)), len(project.decorate._views)) == known


# Bottle, and apps without a framework ------------------------------------------------------------


def test_bottle_runs_no_view_that_is_called_past_its_route() -> None:
    app, other = bottle.Bottle(), bottle.Bottle()
    config = SecurityConfig()
    auth = SecurityDecorator(config).require_auth(verifier=verify)
    runs: list[str] = []

    def secret(*args: Any) -> str:
        runs.append(bottle.request.path)
        return "secret"

    decorated = auth(secret)
    views = {"by_name": decorated}
    other.route("/secret", callback=decorated)
    app.route("/by_name", callback=lambda: views[bottle.request.path[1:]]())
    app.route("/elsewhere", callback=lambda: other._handle({**bottle.request.environ, **ELSEWHERE}))
    app.route("/plugged", callback=lambda: "open", apply=[lambda view: lambda: views["by_name"]()])
    app.error(404)(decorated)
    app.error(405)(lambda error: decorated())
    app.route("/posted", method="POST", callback=lambda: "open")
    guard = GuardMiddleware(app, config, resolver=BottleResolver(app))
    for path in ("/by_name", "/elsewhere", "/plugged", "/nowhere", "/posted"):
        assert serve(guard, environ_for(path)).code == 401, path
        assert runs == [], path
        assert serve(guard, environ_for(path, headers=TOKEN)).body == b"secret", path
        runs.clear()


ELSEWHERE = {"PATH_INFO": "/secret"}


def test_a_function_of_a_plain_app_keeps_its_rules() -> None:
    config = SecurityConfig()

    @SecurityDecorator(config).require_auth(verifier=verify)
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"secret"]

    guard = GuardMiddleware(lambda environ, start: app(environ, start), config)
    assert serve(guard, environ_for("/")).code == 401
    assert serve(guard, environ_for("/", headers=TOKEN)).body == b"secret"
