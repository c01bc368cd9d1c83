"""A decorated function, or a method of a decorated class, sees that its rules are held before it
runs.

Usually they have been: the guard asked for the route that the request was for, and the framework
asked again for the view that it came to. But apps call their views by themselves, too: a
``dispatch`` that goes by a form field, ``super().get()``, a handler for errors, a view that is
imported when it is first asked for. None of that leads past a rule.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from guard_wsgi.request.verdict import ENVIRON_KEY, Verdict
from guard_wsgi.routes.calls import Call, call_of
from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.routes.stored import is_a, stored

if TYPE_CHECKING:
    from guard_wsgi.request.response import GuardResponse

ROUTE_ATTRIBUTE = "__guard_route__"
"""Where a view carries its RouteConfig."""


_DISPATCH = ("dispatch", "dispatch_request")

_METHODS = (
    *("get", "post", "put", "patch", "delete", "head", "trace"),
    *("list", "retrieve", "create", "update", "partial_update", "destroy"),
)
"""What the classes of views of Flask, Django and Django REST framework answer requests by.
``options`` is left to be the answer to a preflight, which carries no credentials."""


def ruled(view: Any) -> Any:
    """What holds the rules that a function or method carries, in place of it. A class is changed:
    its methods ask. Other things that can be called, as they are."""
    if is_a(view, type):
        for name, method in _answering(view):
            if getattr(method, "__code__", None) not in _CODES_OF_CLASSES:
                setattr(view, name, _ruled_by_class(view, method, runs_view=name not in _DISPATCH))
        return view
    if is_a(view, MethodType):
        return MethodType(ruled(view.__func__), view.__self__)
    if is_a(view, staticmethod, classmethod):
        return type(view)(ruled(view.__func__))
    if not is_a(view, FunctionType) or within(view) is not None:
        return view
    return _ruled(view)


def within(function: Any) -> FunctionType | None:
    """The function that one of :func:`ruled` stands for; ``None`` for another one."""
    # Their attributes may have been copied to others (functools.wraps), their code has not.
    if is_a(function, FunctionType) and function.__code__ in _CODES:
        inner = stored(function, "__wrapped__")
        return inner if is_a(inner, FunctionType) else None
    return None


def unruled(function: Any) -> Any:
    """What a function or method was before it was made to ask."""
    while is_a(function, FunctionType) and function.__code__ in _CODES | _CODES_OF_CLASSES:
        function = stored(function, "__wrapped__")
    return function


def answers_preflights(cls: type) -> bool:
    """Whether a class has a method that is there for OPTIONS alone, and has no rules of its own."""
    answer = unruled(getattr(cls, "options", None))
    if answer is None or stored(answer, ROUTE_ATTRIBUTE) is not None:
        return False
    others = (unruled(getattr(cls, name, None)) for name in _METHODS)
    return all(answer is not other for other in others)


def _answering(cls: type) -> Iterator[tuple[str, Any]]:
    """The methods that answer requests, by their names, those of base classes included."""
    for name in dir(cls):
        method = inspect.getattr_static(cls, name, None)
        if is_a(method, FunctionType) and (
            name in _DISPATCH
            or name in _METHODS
            # An extra action of a viewset.
            or stored(method, "mapping") is not None
        ):
            yield name, method


def _ruled_by_class(cls: type, method: Any, *, runs_view: bool) -> Any:
    """A method that asks for the rules of the class that it serves."""

    def rules_of(instance: Any) -> RouteConfig | None:
        found = stored(type(instance) if is_a(instance, cls) else cls, ROUTE_ATTRIBUTE)
        return found if is_a(found, RouteConfig) else None

    if inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        async def run_in_class(self: Any, *args: Any, **kwargs: Any) -> Any:
            route = rules_of(self)
            call = _unasked(route, args, kwargs, runs_view)
            if call is not None:
                refused = await call.ask_apart(lambda: _ask(method, route, call))
                if refused is not None:
                    return call.refuse(refused)
            return await method(self, *args, **kwargs)

        return run_in_class

    @functools.wraps(method)
    def held_in_class(self: Any, *args: Any, **kwargs: Any) -> Any:
        route = rules_of(self)
        call = _unasked(route, args, kwargs, runs_view)
        if call is not None:
            with call:
                refused = _ask(method, route, call)
            if refused is not None:
                return call.refuse(refused)
        return method(self, *args, **kwargs)

    return held_in_class


def _ruled(view: Any) -> Any:
    if inspect.iscoroutinefunction(view):

        @functools.wraps(view)
        async def run(*args: Any, **kwargs: Any) -> Any:
            route = view.__dict__.get(ROUTE_ATTRIBUTE)
            call = _unasked(route, args, kwargs)
            if call is not None:
                # Rules may look into a store or a database, and must not do it in a loop's thread.
                refused = await call.ask_apart(lambda: _ask(view, route, call))
                if refused is not None:
                    return call.refuse(refused)
            return await view(*args, **kwargs)

        return run

    @functools.wraps(view)
    def held(*args: Any, **kwargs: Any) -> Any:
        route = view.__dict__.get(ROUTE_ATTRIBUTE)
        call = _unasked(route, args, kwargs)
        if call is not None:
            with call:
                refused = _ask(view, route, call)
            if refused is not None:
                return call.refuse(refused)
        return view(*args, **kwargs)

    return held


def _unasked(
    route: RouteConfig | None,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    runs_view: bool = False,
) -> Call | None:
    """The request that a view is called in, if its rules have not been held for that; ``None``
    also outside of any request that a guard decided on.

    :param runs_view: whether credentials must have been asked for, on a preflight, too.
    """
    if route is None:
        return None
    call = call_of(args, kwargs)
    if call is None:
        return None
    verdict = call.environ.get(ENVIRON_KEY)
    if not isinstance(verdict, Verdict) or verdict.guard is None:
        return None
    if verdict.has_held(route) and not (runs_view and verdict.defers_credentials):
        return None
    return call if call.is_under_way else None


def _ask(view: Any, route: RouteConfig | None, call: Call) -> GuardResponse | None:
    verdict = call.environ[ENVIRON_KEY]
    endpoint = verdict.endpoint or f"{view.__module__}.{view.__qualname__}"
    refused: GuardResponse | None = verdict.guard.check_route(call.environ, route, endpoint)
    return refused


async def _coroutine() -> None: ...


_CODES = frozenset({_ruled(lambda: None).__code__, _ruled(_coroutine).__code__})

_CODES_OF_CLASSES = frozenset(
    _ruled_by_class(object, method, runs_view=True).__code__
    for method in (lambda: None, _coroutine)
)
