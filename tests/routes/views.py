"""A protected view of every kind, in each framework, behind the guard.

Each builder takes a list to record that the view ran, and returns a guarded app with the view at
``/admin/users`` (Django: also with a slash) and nothing else of interest.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import bottle
from flask import Blueprint, Flask
from flask.views import MethodView, View

from guard_wsgi import GuardMiddleware, RouteConfig, SecurityConfig, SecurityDecorator
from guard_wsgi.resolvers import BottleResolver, DjangoResolver
from guard_wsgi_flask import FlaskAPIGuard
from tests.routes.frameworks import Project, verify
from tests.routes.test_wrapped_views import InAnInstance, as_a_default, in_a_list, plain

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
PATH = "/admin/users"

Ran = Callable[[], str]


def options() -> dict[str, Any]:
    return {"enable_penetration_detection": False, "enable_rate_limiting": False}


# Ways to write a function view; each gets the decorator and the view's action.

WRITTEN: dict[str, Callable[[Any, Callable[..., Any]], Callable[..., Any]]] = {
    "function": lambda auth, view: auth(view),
    "wraps under": lambda auth, view: auth(functools.wraps(view)(lambda *a, **k: view(*a, **k))),
    "wraps over": lambda auth, view: functools.update_wrapper(
        lambda *a, **k: view(*a, **k), auth(view)
    ),
    "partial": lambda auth, view: functools.partial(auth(view)),
    "list": lambda auth, view: in_a_list(auth(view)),
    "default": lambda auth, view: as_a_default(auth(view)),
    "instance": lambda auth, view: InAnInstance(auth(view)),
    "many": lambda auth, view: functools.reduce(
        lambda inner, _: in_a_list(inner), range(70), auth(view)
    ),
}


def _callable(auth: Any, view: Callable[..., Any]) -> Any:
    class Callable_:
        @auth
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return view(*args, **kwargs)

    return Callable_()


WRITTEN["__call__"] = _callable


def flask_app(kind: str, ran: Ran) -> Any:
    app = Flask(__name__)
    config = SecurityConfig(**options())
    auth = SecurityDecorator(config).require_auth(verifier=verify)
    if kind == "blueprint":
        blueprint = Blueprint("admin", __name__, url_prefix="/admin")
        blueprint.add_url_rule("/users", "users", auth(lambda: ran()), methods=METHODS)
        app.register_blueprint(blueprint)
    elif kind == "converter":
        app.add_url_rule("/admin/<path:p>", "users", auth(lambda p: ran()), methods=METHODS)
    elif kind == "slash":
        app.add_url_rule("/admin/users/", "users", auth(lambda: ran()), methods=METHODS)
    elif kind == "any method":
        app.url_map.add(app.url_rule_class(PATH, endpoint="users", methods=None))
        app.view_functions["users"] = auth(lambda: ran())
    elif kind == "class":

        @auth
        class Whole(View):
            methods = METHODS

            def dispatch_request(self) -> str:
                return ran()

        app.add_url_rule(PATH, view_func=Whole.as_view("users"))
    elif kind == "methods":

        class ByMethod(MethodView):
            @auth
            def get(self) -> str:
                return ran()

            post = put = patch = delete = auth(lambda self: ran())

        app.add_url_rule(PATH, view_func=ByMethod.as_view("users"))
    elif kind == "decorators":

        class Listed(MethodView):
            decorators = (plain, auth)

            def get(self) -> str:
                return ran()

        app.add_url_rule(PATH, view_func=Listed.as_view("users"))
    else:
        view = WRITTEN[kind](auth, lambda *args, **kwargs: ran())
        app.add_url_rule(PATH, "users", view, methods=METHODS)
    FlaskAPIGuard(app, config=config)
    return app


FLASK = [
    *WRITTEN,
    *("blueprint", "converter", "slash", "any method", "class", "methods", "decorators"),
]


def django_app(kind: str, ran: Ran, monkeypatch: Any) -> Any:
    from django.conf.urls.i18n import i18n_patterns
    from django.http import HttpResponse
    from django.urls import include, path, re_path
    from django.utils.decorators import method_decorator
    from django.views import View as DjangoView
    from django.views.decorators.csrf import csrf_exempt

    middleware = ["django.middleware.common.CommonMiddleware"]
    if kind == "i18n":
        middleware.insert(0, "django.middleware.locale.LocaleMiddleware")
    project = Project(
        monkeypatch, SecurityConfig(**options()), MIDDLEWARE=middleware, APPEND_SLASH=True
    )
    auth = project.decorate.require_auth(verifier=verify)

    def answer(*args: Any, **kwargs: Any) -> Any:
        return HttpResponse(ran())

    class ByMethod(DjangoView):
        get = post = put = patch = delete = auth(answer)

    class Whole(DjangoView):
        def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            return answer()

    places: dict[str, Callable[[], list[Any]]] = {
        "class": lambda: [path("admin/users/", auth(Whole).as_view())],
        "methods": lambda: [path("admin/users/", csrf_exempt(ByMethod.as_view()))],
        "method_decorator": lambda: [
            path("admin/users/", method_decorator(auth, name="dispatch")(Whole).as_view())
        ],
        "include": lambda: [path("admin/", include([path("users/", auth(answer))]))],
        "re_path": lambda: [re_path(r"^admin/.*$", auth(answer))],
        "i18n": lambda: [
            *i18n_patterns(path("admin/users/", auth(answer)), prefix_default_language=False)
        ],
    }
    if kind in places:
        urls = places[kind]()
    elif kind.startswith("rest"):
        urls = _rest_urls(kind, auth, ran)
    else:
        urls = [path("admin/users/", WRITTEN[kind](auth, answer))]
    return GuardMiddleware(project.app(urls), project.config, resolver=DjangoResolver())


def _rest_urls(kind: str, auth: Any, ran: Ran) -> list[Any]:
    from django.urls import include, path
    from rest_framework.decorators import action, api_view
    from rest_framework.response import Response
    from rest_framework.routers import DefaultRouter
    from rest_framework.views import APIView
    from rest_framework.viewsets import ViewSet

    def answer(*args: Any, **kwargs: Any) -> Any:
        return Response(ran())

    if kind == "rest function":
        return [path("admin/users/", api_view(METHODS)(auth(answer)))]
    if kind == "rest view":
        view = auth(type("Users", (APIView,), dict.fromkeys(map(str.lower, METHODS), answer)))
        return [path("admin/users/", view.as_view())]

    class Users(ViewSet):
        @auth
        def list(self, request: Any) -> Any:
            return answer()

        create = auth(answer)

    class Admin(ViewSet):
        @action(detail=False, methods=["get", "post", "put", "patch", "delete"])
        @auth
        def users(self, request: Any) -> Any:
            return answer()

    router = DefaultRouter()
    if kind == "rest viewset":
        router.register("users", Users, basename="users")
        return [path("admin/", include(router.urls))]
    router.register("admin", Admin, basename="admin")
    return [path("", include(router.urls))]


DJANGO = [
    *WRITTEN,
    *("class", "methods", "method_decorator", "include", "re_path", "i18n"),
    *("rest function", "rest view", "rest viewset", "rest action"),
]


def bottle_app(kind: str, ran: Ran) -> Any:
    app = bottle.Bottle()
    config = SecurityConfig(**options())
    auth = SecurityDecorator(config).require_auth(verifier=verify)

    def answer(*args: Any, **kwargs: Any) -> str:
        return ran()

    if kind in ("mount", "mount with slash"):
        child = bottle.Bottle()
        child.route("/users", METHODS, auth(answer))
        app.mount("/admin/" if kind == "mount with slash" else "/admin", child)
    elif kind == "pattern":
        app.route("/admin/<name:path>", METHODS, auth(answer))
    elif kind == "any method":
        app.route(PATH, "ANY", auth(answer))
    elif kind == "apply":
        app.route(PATH, METHODS, answer, apply=[plain_arguments, auth])
    elif kind == "skip":
        app.route(PATH, METHODS, auth(answer), skip=[True])
    else:
        app.route(PATH, METHODS, WRITTEN[kind](auth, answer))
    return GuardMiddleware(app, config, resolver=BottleResolver(app))


def plain_arguments(view: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return wrapper


BOTTLE = [*WRITTEN, *("mount", "mount with slash", "pattern", "any method", "apply", "skip")]


def patterns_app(kind: str, ran: Ran) -> Any:
    strict = RouteConfig(auth_required="bearer", auth_verifier=verify)
    patterns = {"exact": PATH, "below": "/admin/<path:rest>", "both": "/<first>/users"}

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        from guard_wsgi.request.path_readings import canonical_path

        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [(ran() if canonical_path(path).rstrip("/") == PATH else "open").encode()]

    return GuardMiddleware(
        app,
        SecurityConfig(**options()),
        routes={patterns[kind]: strict, "/<path:p>": RouteConfig()},
    )


PATTERNS = ["exact", "below", "both"]
