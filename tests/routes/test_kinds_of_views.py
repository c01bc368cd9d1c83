"""Rules of views that are no functions: callable instances, partials, callables in C, bound methods
and their classes. They apply by route and by call."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

import bottle
import flask_admin
import pytest
from flask import Flask, request
from flask.views import MethodView

from guard_wsgi import GuardMiddleware, SecurityConfig, SecurityDecorator
from guard_wsgi.resolvers import BottleResolver, DjangoResolver
from guard_wsgi_flask import FlaskAPIGuard
from tests.kit.gateway import environ_for, serve
from tests.routes.frameworks import TOKEN, Project, verify

Ran = Callable[[], str]


def instance(auth: Any, ran: Ran) -> Any:
    class Page:
        def __call__(self, *args: Any) -> str:
            return ran()

    Page()  # another one is not decorated
    return auth(Page())


def instance_in_slots(auth: Any, ran: Ran) -> Any:
    class Page:
        __slots__ = ("__dict__", "__weakref__")

        def __call__(self, *args: Any) -> str:
            return ran()

    return auth(Page())


def inherited_call(auth: Any, ran: Ran) -> Any:
    class Base:
        def __call__(self, *args: Any) -> str:
            return ran()

    class Page(Base):
        pass

    return auth(Page())


def instance_of_a_decorated_class(auth: Any, ran: Ran) -> Any:
    @auth
    class Page:
        def __call__(self, *args: Any) -> str:
            return ran()

    return Page()


def a_partial(auth: Any, ran: Ran) -> Any:
    return auth(functools.partial(lambda said, *args: ran(), "x"))


def a_partial_of_a_partial(auth: Any, ran: Ran) -> Any:
    return functools.partial(auth(functools.partial(lambda said, *args: ran(), "x")))


def cached(auth: Any, ran: Ran) -> Any:
    view = auth(functools.lru_cache(lambda *args: ran()))
    assert view.cache_info().hits == 0
    view.cache_clear()
    return view


def bound_method(auth: Any, ran: Ran) -> Any:
    class Pages:
        @auth
        def page(self, *args: Any) -> str:
            return ran()

    return Pages().page


KINDS = [
    *(instance, instance_in_slots, inherited_call, instance_of_a_decorated_class),
    *(a_partial, a_partial_of_a_partial, cached, bound_method),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("framework", ["flask", "bottle", "django"])
def test_a_view_of_any_kind_keeps_its_rules_by_route_and_by_call(
    framework: str, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []

    def ran() -> Any:
        runs.append(1)
        if framework != "django":
            return "secret"
        from django.http import HttpResponse

        return HttpResponse("secret")

    if framework == "django":
        project = Project(monkeypatch, SecurityConfig())
        from django.urls import path

        view = kind(project.decorate.require_auth(verifier=verify), ran)
        urls = [path("view", view), path("call", lambda request: view(request))]
        app: Any = GuardMiddleware(project.app(urls), project.config, resolver=DjangoResolver())
    else:
        config = SecurityConfig()
        view = kind(SecurityDecorator(config).require_auth(verifier=verify), ran)
        if framework == "flask":
            app = Flask(__name__)
            app.add_url_rule("/view", "view", view)
            app.add_url_rule("/call", "call", lambda: view())
            FlaskAPIGuard(app, config=config)
        else:
            site = bottle.Bottle()
            site.route("/view", callback=view)
            site.route("/call", callback=lambda: view())
            app = GuardMiddleware(site, config, resolver=BottleResolver(site))
    for path_ in ("/view", "/call"):
        assert serve(app, environ_for(path_)).code == 401, path_
        assert runs == [], path_
        assert serve(app, environ_for(path_, headers=TOKEN)).body == b"secret", path_
        runs.clear()
        if hasattr(view, "cache_clear"):
            view.cache_clear()


def test_an_instance_lends_its_rules_to_no_other_of_its_class() -> None:
    class Page:
        def __init__(self, said: str) -> None:
            self.said = said

        def __call__(self) -> str:
            return self.said

    app, config = Flask(__name__), SecurityConfig()
    app.add_url_rule("/open", "open", Page("open"))
    closed = SecurityDecorator(config).require_auth(verifier=verify)(Page("closed"))
    app.add_url_rule("/closed", "closed", closed)
    FlaskAPIGuard(app, config=config)
    assert serve(app, environ_for("/open")).body == b"open"
    assert serve(app, environ_for("/closed")).code == 401
    assert closed() == "closed"  # outside of requests


def test_a_decorated_wsgi_app_refuses_as_one() -> None:
    config = SecurityConfig()

    class App:
        @SecurityDecorator(config).require_auth(verifier=verify)
        def __call__(self, environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"secret"]

    inner = App()
    guard = GuardMiddleware(lambda environ, start: inner(environ, start), config)
    assert serve(guard, environ_for("/")).code == 401
    assert serve(guard, environ_for("/", headers=TOKEN)).body == b"secret"


def test_methods_of_a_decorated_class_that_are_routes_have_its_rules() -> None:
    app, config = Flask(__name__), SecurityConfig()

    @SecurityDecorator(config).require_auth(verifier=verify)
    class Pages:
        def index(self) -> str:
            return "secret"

        @classmethod
        def about(cls) -> str:
            return "secret"

    class Further(Pages):
        def more(self) -> str:
            return "secret"

    pages = Further()
    app.add_url_rule("/", "index", pages.index)
    app.add_url_rule("/more", "more", pages.more)
    app.add_url_rule("/about", "about", Further.about)
    wrapped = functools.wraps(pages.index)(lambda *args: pages.index(*args))
    app.add_url_rule("/wrapped", "wrapped", wrapped)
    FlaskAPIGuard(app, config=config)
    for path in ("/", "/more", "/about", "/wrapped"):
        assert serve(app, environ_for(path)).code == 401, path
        assert serve(app, environ_for(path, headers=TOKEN)).body == b"secret", path


def test_a_decorated_class_of_flask_admin_keeps_its_pages(caplog: pytest.LogCaptureFixture) -> None:
    app, config = Flask(__name__), SecurityConfig()
    app.secret_key = "x"
    auth = SecurityDecorator(config).require_auth(verifier=verify)

    @auth
    class Home(flask_admin.AdminIndexView):
        pass

    @auth
    class Orders(flask_admin.BaseView):
        @flask_admin.expose("/")
        def index(self) -> str:
            return "secret"

        @flask_admin.expose("/export", methods=["POST"])
        def export(self) -> str:
            return "secret"

    class More(Orders):
        @flask_admin.expose("/more")
        def more(self) -> str:
            return "secret"

    admin = flask_admin.Admin(app, index_view=Home())
    admin.add_view(Orders(endpoint="orders"))
    more = More(endpoint="more")
    admin.add_view(more)
    app.add_url_rule("/call", "call", lambda: more.more())
    FlaskAPIGuard(app, config=config)
    with caplog.at_level(logging.WARNING, "guard_wsgi.routes"):
        for path, method in [
            *(("/admin/", "GET"), ("/admin/orders/", "GET"), ("/admin/orders/export", "POST")),
            *(("/admin/more/", "GET"), ("/admin/more/more", "GET"), ("/call", "GET")),
        ]:
            assert serve(app, environ_for(path, method=method)).code == 401, path
            assert serve(app, environ_for(path, method=method, headers=TOKEN)).code == 200, path
    assert not [line for line in caplog.messages if "no route leads to it" in line]


def test_a_method_that_a_subclass_adds_keeps_the_rules_of_its_base() -> None:
    app, config = Flask(__name__), SecurityConfig()
    made: list[str] = []

    class Early(MethodView):
        def __init_subclass__(cls, **options: Any) -> None:
            super().__init_subclass__(**options)
            made.append(cls.__name__)

    class Base(Early):
        def get(self) -> str:
            return "secret"

    class Before(Base):
        def post(self) -> str:
            return "secret"

    SecurityDecorator(config).require_auth(verifier=verify)(Base)

    class After(Base):
        def post(self) -> str:
            return "secret"

        def get(self) -> str:
            return "secret"

        def dispatch_request(self, **arguments: Any) -> Any:
            return "secret"

    assert made == ["Base", "Before", "After"]
    calls: dict[str, Callable[[], Any]] = {
        "before": lambda: Before().post(),
        "post": lambda: After().post(),
        "get": lambda: After().get(),
        "view": lambda: After.as_view("after")(),
    }
    app.add_url_rule("/", "call", lambda: calls[request.args["call"]]())
    FlaskAPIGuard(app, config=config)
    for name in calls:
        assert serve(app, environ_for("/", query_string=f"call={name}")).code == 401, name
        answer = serve(app, environ_for("/", query_string=f"call={name}", headers=TOKEN))
        assert answer.body == b"secret", name


def test_a_request_that_a_view_makes_up_is_asked_for_by_the_one_it_is_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = Project(monkeypatch, SecurityConfig())
    from django.http import HttpResponse
    from django.test import RequestFactory
    from django.urls import path

    auth = project.decorate.require_auth(verifier=verify)
    secret = auth(lambda request: HttpResponse("secret"))
    urls = [path("", lambda request: secret(RequestFactory().get("/secret")))]
    guard = GuardMiddleware(project.app(urls), project.config, resolver=DjangoResolver())
    assert serve(guard, environ_for("/")).code == 401
    assert serve(guard, environ_for("/", headers=TOKEN)).body == b"secret"

    app, config = Flask(__name__), SecurityConfig()
    direct = SecurityDecorator(config).require_auth(verifier=verify)(lambda: "secret")

    @app.route("/")
    def outer() -> str:
        with app.test_request_context("/direct"):
            return str(direct())

    FlaskAPIGuard(app, config=config)
    assert serve(app, environ_for("/")).code == 401
    assert serve(app, environ_for("/", headers=TOKEN)).body == b"secret"


def test_a_partial_without_a_route_is_reported_by_the_name_of_its_function(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app, config = Flask(__name__), SecurityConfig()
    held = SecurityDecorator(config).require_auth(verifier=verify)(functools.partial(verify, None))
    FlaskAPIGuard(app, config=config)
    with caplog.at_level(logging.WARNING, "guard_wsgi.routes"):
        serve(app, environ_for("/"))
    assert f"{verify.__module__}.verify has guard rules, but no route leads to it" in caplog.text
    assert held.func is verify
