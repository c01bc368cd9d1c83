"""A view may refer to any object: the search for its rules touches none of them, and loses no
rule."""

from __future__ import annotations

import functools
import sys
import xmlrpc.client
from collections import OrderedDict, UserDict, deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn
from unittest import mock

import pytest
from django.utils.functional import SimpleLazyObject
from flask import Flask, current_app, g, request, session
from werkzeug.local import LocalProxy

from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig, SecurityDecorator

View = Callable[..., Any]


def fails(*args: object, **kwargs: object) -> NoReturn:
    raise RuntimeError("touched")


SPECIAL = """
    __call__ __getattr__ __getattribute__ __eq__ __ne__ __hash__ __bool__ __len__ __iter__
    __contains__ __getitem__ __repr__ __str__ __dir__ __get__ __fspath__ __index__
"""

Touchy = type("Touchy", (), dict.fromkeys(SPECIAL.split(), fails))
Posing = type(
    "Posing",
    (),
    {
        name: property(fails)
        for name in ("__class__", "__dict__", "__wrapped__", "__func__", "view_class", "__name__")
    },
)
TouchyMeta = type("TouchyMeta", (type,), {"__eq__": fails, "__hash__": fails, "__bool__": fails})


class Answering:
    """Answers every name with another of its kind, so that who follows it never ends."""

    def __call__(self) -> None: ...

    def __getattr__(self, name: str) -> Answering:
        return Answering()


class TouchyList(list[Any]):
    __iter__ = __len__ = __getitem__ = __eq__ = fails
    __hash__ = None  # type: ignore[assignment]


class TouchyTable(OrderedDict[str, Any]):
    values = items = keys = __iter__ = __len__ = fails  # type: ignore[assignment]


class Unset:
    __slots__ = ("view",)

    def __call__(self) -> None: ...


FOREIGN: dict[str, Callable[[], Any]] = {
    "request": lambda: request,
    "g": lambda: g,
    "session": lambda: session,
    "current_app": lambda: current_app,
    "a proxy of what fails": lambda: LocalProxy(fails),
    "a lazy object": lambda: SimpleLazyObject(fails),
    "a mock": mock.MagicMock,
    "a mock of nothing": mock.NonCallableMock,
    "mock.call": lambda: mock.call,
    "xmlrpc": lambda: xmlrpc.client.ServerProxy("http://127.0.0.1:9"),
    "answers any name": Answering,
    "fails at any touch": Touchy,
    "fails at attributes": Posing,
    "a class that fails at any touch": lambda: TouchyMeta("Class", (), {}),
    "an instance of it": lambda: TouchyMeta("Class", (), {"__call__": lambda self: None})(),
    "a list that fails": lambda: TouchyList([1]),
    "a table that fails": TouchyTable,
    "a table of its own": lambda: UserDict({"a": 1}),
    "an unset slot": Unset,
    "wraps itself": lambda: wraps_itself,
    "a partial of a proxy": lambda: functools.partial(g),
}


def wraps_itself() -> None: ...


wraps_itself.__wrapped__ = wraps_itself  # type: ignore[attr-defined]


def in_a_closure(foreign: Any, view: View) -> View:
    def home() -> Any:
        return (view(), foreign)[0]

    return home


def as_a_default(foreign: Any, view: View) -> View:
    def home(a: Any = foreign, b: View = view) -> Any:
        return b()

    return home


def as_a_named_default(foreign: Any, view: View) -> View:
    def home(*, a: Any = foreign, b: View = view) -> Any:
        return b()

    return home


def in_containers(foreign: Any, view: View) -> View:
    holder = {"a": [foreign, (foreign, deque([foreign, view]))], "b": view}

    def home() -> Any:
        return holder["b"]()  # type: ignore[operator]

    return home


def in_a_namespace(foreign: Any, view: View) -> View:
    holder = SimpleNamespace(a=foreign, view=view)

    def home() -> Any:
        return holder.view()

    return home


class InAnInstance:
    def __init__(self, foreign: Any, view: View) -> None:
        self.foreign = foreign
        self.view = view

    def __call__(self) -> Any:
        return self.view()


class InSlots:
    __slots__ = ("foreign", "unset", "view")

    def __init__(self, foreign: Any, view: View) -> None:
        self.foreign = foreign
        self.view = view

    def __call__(self) -> Any:
        return self.view()


def by_a_method(foreign: Any, view: View) -> View:
    return InAnInstance(foreign, view).__call__


def made_below_a_global(foreign: Any, view: View) -> View:
    """The search looks for the function around a nested one among globals, where its name may mean
    anything by now."""
    home = in_a_closure(foreign, view)
    home.__qualname__ = "the_foreign.below.<locals>.home"
    setattr(sys.modules[__name__], "the_foreign", foreign)  # noqa: B010
    return home


PLACES = (
    in_a_closure,
    as_a_default,
    as_a_named_default,
    in_containers,
    in_a_namespace,
    InAnInstance,
    InSlots,
    by_a_method,
    made_below_a_global,
)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("foreign", FOREIGN)
def test_the_first_request_is_answered_and_every_rule_holds(foreign: str, place: Any) -> None:
    app = Flask("shop")
    config = SecurityConfig()
    protect = SecurityDecorator(config)

    def verify(asked: Any, credential: str) -> bool:
        return credential == "s3cret"

    def plain() -> str:
        return "hello"

    @protect.require_auth(verifier=verify)
    def admin() -> str:
        return "admin"

    app.add_url_rule("/", "home", place(FOREIGN[foreign](), plain))
    app.add_url_rule("/admin", "admin", place(FOREIGN[foreign](), admin))
    FlaskAPIGuard(app, config=config)
    client = app.test_client()
    assert client.get("/").status_code == 200
    assert client.get("/admin").status_code == 401
    assert client.get("/admin", headers={"Authorization": "Bearer s3cret"}).status_code == 200


def test_what_loads_itself_when_touched_is_not_loaded() -> None:
    loaded = []
    user = SimpleLazyObject(lambda: loaded.append(1))
    app = Flask("shop")
    app.add_url_rule("/", "home", in_containers(user, lambda: "hello"))
    app.add_url_rule("/here", "here", in_a_closure(user, lambda: "hello"))
    FlaskAPIGuard(app, config=SecurityConfig())
    assert app.test_client().get("/").status_code == 200
    assert loaded == []
