"""A decorated view keeps its rules in whatever it is wrapped; a view that names one gets none."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, url_for
from flask.views import MethodView

from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig, SecurityDecorator

View = Callable[..., Any]


def verify(request: Any, credential: str) -> bool:
    return credential == "s3cret"


def plain(view: View) -> View:
    def wrapper() -> Any:
        return view()

    return wrapper


def in_a_list(view: View) -> View:
    holder = [view]

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return holder[0](*args, **kwargs)

    return wrapper


def in_a_table(view: View) -> View:
    holder = {"view": (view,)}

    def wrapper() -> Any:
        return holder["view"][0]()

    return wrapper


def in_a_namespace(view: View) -> View:
    holder = SimpleNamespace(view=view)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return holder.view(*args, **kwargs)

    return wrapper


def as_a_default(view: View) -> View:
    def wrapper(*args: Any, _view: View = view, **kwargs: Any) -> Any:
        return _view(*args, **kwargs)

    return wrapper


def as_a_positional_default(view: View) -> View:
    def wrapper(_view: View = view) -> Any:
        return _view()

    return wrapper


class InAnInstance:
    def __init__(self, view: View) -> None:
        self.view = view

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.view(*args, **kwargs)


class InSlots:
    __slots__ = ("__dict__", "__view")

    def __init__(self, view: View) -> None:
        self.__view = view

    def __call__(self) -> Any:
        return self.__view()


class ByItsMethod:
    def __init__(self, view: View) -> None:
        self.view = view

    def run(self, *args: Any, **kwargs: Any) -> Any:
        return self.view(*args, **kwargs)


class Updated:
    def __init__(self, view: View) -> None:
        functools.update_wrapper(self, view)
        self.view = view

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.view(*args, **kwargs)


def by_its_method(view: View) -> View:
    return ByItsMethod(view).run


def hundred_times(view: View) -> View:
    for _ in range(100):
        view = plain(view)
    return view


def two_thousand_times(view: View) -> View:
    """A loop that registers decorators again with each reload does this."""
    for _ in range(200):

        @functools.wraps(view)
        def wrapper(inner: View = view) -> Any:
            return inner()

        view = wrapper
    return view


def renamed(view: View) -> View:
    inner = functools.partial(view)

    def wrapper() -> Any:
        return inner()

    return wrapper


def cached(view: View) -> View:
    inner = functools.lru_cache(view)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return inner(*args, **kwargs)

    return wrapper


def as_a_static_method(view: View) -> View:
    holder = {"view": staticmethod(view)}

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return holder["view"](*args, **kwargs)

    return wrapper


WRAPPINGS = [
    cached,
    as_a_static_method,
    plain,
    in_a_list,
    in_a_table,
    in_a_namespace,
    as_a_default,
    as_a_positional_default,
    InAnInstance,
    InSlots,
    Updated,
    by_its_method,
    hundred_times,
    two_thousand_times,
    renamed,
    functools.partial,
    lambda view: InAnInstance(InSlots(in_a_list(plain(view)))),
]


class Shop:
    def __init__(self) -> None:
        self.app = Flask(__name__)
        self.config = SecurityConfig()
        self.guard = FlaskAPIGuard(self.app, config=self.config)
        self.decorate = SecurityDecorator(self.config)
        self.sees: list[str] = []

    def status(self, path: str, method: str = "GET", **options: Any) -> int:
        return self.app.test_client().open(path, method=method, **options).status_code


@pytest.mark.parametrize("wrap", WRAPPINGS, ids=lambda wrap: getattr(wrap, "__name__", "all"))
def test_a_wrapped_view_keeps_its_rules(wrap: Any) -> None:
    shop = Shop()

    @shop.decorate.require_auth(verifier=verify)
    def admin() -> str:
        shop.sees.append("admin")
        return "admin"

    shop.app.add_url_rule("/admin", "admin", wrap(admin))
    assert shop.status("/admin") == 401
    assert shop.sees == []
    assert shop.status("/admin", headers={"Authorization": "Bearer s3cret"}) == 200


def test_a_decorated_call_holds() -> None:
    shop = Shop()

    class Admin:
        @shop.decorate.require_auth(verifier=verify)
        def __call__(self) -> str:
            return "admin"

    class Reports(MethodView):
        @plain_method
        @shop.decorate.require_auth(verifier=verify)
        def get(self) -> str:
            return "reports"

    shop.app.add_url_rule("/admin", "admin", Admin())
    shop.app.add_url_rule("/reports", view_func=plain(Reports.as_view("reports")), endpoint="r")
    assert shop.status("/admin") == 401
    assert shop.status("/reports") == 401


def plain_method(view: View) -> View:
    def wrapper(self: Any) -> Any:
        return view(self)

    return wrapper


def test_a_view_that_names_another_stays_open() -> None:
    shop = Shop()
    app, decorate = shop.app, shop.decorate

    @app.get("/admin")
    @decorate.require_auth(verifier=verify)
    def admin() -> str:
        return "admin"

    views = [admin]
    by_name = {"admin": admin}

    @app.get("/")
    def home() -> str:
        return url_for(admin.__name__)

    @app.get("/menu")
    def menu() -> str:
        return str([url_for(view.__name__) for view in views])

    @app.get("/table")
    def table() -> str:
        return ", ".join(by_name)

    @app.get("/default")
    def default(view: View = admin) -> str:
        return view.__name__

    class Links:
        def __init__(self, view: View) -> None:
            self.view = view

        def __call__(self) -> str:
            return url_for(self.view.__name__)

    app.add_url_rule("/links", "links", Links(admin))
    assert shop.status("/admin") == 401
    for path in ("/", "/menu", "/table", "/default", "/links"):
        assert shop.status(path) == 200, path


def test_a_wrapper_of_a_view_that_has_a_route_of_its_own_keeps_its_rules() -> None:
    shop = Shop()

    @shop.app.get("/admin")
    @shop.decorate.require_auth(verifier=verify)
    def admin() -> str:
        return "admin"

    hidden = (in_a_table, InSlots, as_a_positional_default, renamed)
    wrappings = [wrap for wrap in WRAPPINGS if wrap not in hidden]
    for number, wrap in enumerate(wrappings):
        shop.app.add_url_rule(f"/{number}", f"view{number}", wrap(admin))
    for number, wrap in enumerate(wrappings):
        assert shop.status(f"/{number}") == 401, wrap


def test_a_view_only_reached_by_way_of_another_lends_it_its_rules() -> None:
    shop = Shop()

    @shop.decorate.require_auth(verifier=verify)
    def admin() -> str:
        return "admin"

    @shop.app.get("/")
    def home() -> Any:
        return admin()

    assert shop.status("/") == 401


def test_what_cant_be_found_is_named_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop()

    @shop.decorate.require_auth(verifier=verify)
    def admin() -> str:
        return "admin"

    class Registry:
        view = staticmethod(admin)

    def hidden() -> Any:
        return Registry.view()

    shop.app.add_url_rule("/", "hidden", lambda name="view": getattr(Registry, name)())
    with caplog.at_level(logging.WARNING, logger="guard_wsgi.routes"):
        shop.status("/")
    (error,) = [
        record.getMessage() for record in caplog.records if record.name == "guard_wsgi.routes"
    ]
    assert "admin" in error
    assert "no route leads to it" in error


def test_methods_that_clients_make_up_fill_no_cache() -> None:
    shop = Shop()

    @shop.decorate.require_auth(verifier=verify)
    def admin() -> str:
        return "admin"

    shop.app.url_map.add(shop.app.url_rule_class("/admin", endpoint="admin", methods=None))
    shop.app.view_functions["admin"] = admin
    for number in range(50):
        assert shop.status("/admin", method=f"M{number}") == 401
    resolver = shop.app.extensions["guard_wsgi"].resolver
    assert len(resolver._rules._rules) <= len(shop.app.view_functions)
