"""A decorated function sees that its rules are held before it runs.

Usually they have been: the guard asked for the route that the request was for, and the framework
asked again for the view that it came to. But apps call their views by themselves, too: a
``dispatch`` that goes by a form field, ``super().get()``, a handler for errors, a view that is
imported when it is first asked for. None of that leads past a rule.
"""

from __future__ import annotations

import functools
import inspect
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from guard_wsgi.request.verdict import ENVIRON_KEY, Verdict
from guard_wsgi.routes.calls import Call, call_of
from guard_wsgi.routes.stored import is_a, stored

if TYPE_CHECKING:
    from guard_wsgi.request.response import GuardResponse
    from guard_wsgi.routes.config import RouteConfig

ROUTE_ATTRIBUTE = "__guard_route__"
"""Where a view carries its RouteConfig."""


def ruled(view: Any) -> Any:
    """What holds the rules that a function or method carries, in place of it; classes, and other
    things that can be called, as they are."""
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


def _ruled(view: Any) -> Any:
    if inspect.iscoroutinefunction(view):

        @functools.wraps(view)
        async def run(*args: Any, **kwargs: Any) -> Any:
            call = _unasked(view, args, kwargs)
            if call is not None:
                # Rules may look into a store or a database, and must not do it in a loop's thread.
                refused = await call.ask_apart(lambda: _ask(view, call))
                if refused is not None:
                    return call.refuse(refused)
            return await view(*args, **kwargs)

        return run

    @functools.wraps(view)
    def held(*args: Any, **kwargs: Any) -> Any:
        call = _unasked(view, args, kwargs)
        if call is not None:
            with call:
                refused = _ask(view, call)
            if refused is not None:
                return call.refuse(refused)
        return view(*args, **kwargs)

    return held


def _unasked(view: FunctionType, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    """The request that a view is called in, if its rules have not been held for that; ``None``
    also outside of any request that a guard decided on."""
    call = call_of(args, kwargs)
    if call is None:
        return None
    verdict = call.environ.get(ENVIRON_KEY)
    route = _rules_of(view)
    if not isinstance(verdict, Verdict) or verdict.guard is None or route is None:
        return None
    return None if verdict.has_held(route) or not call.is_under_way else call


def _ask(view: FunctionType, call: Call) -> GuardResponse | None:
    verdict = call.environ[ENVIRON_KEY]
    endpoint = verdict.endpoint or f"{view.__module__}.{view.__qualname__}"
    refused: GuardResponse | None = verdict.guard.check_route(
        call.environ, _rules_of(view), endpoint
    )
    return refused


def _rules_of(view: FunctionType) -> RouteConfig | None:
    return view.__dict__.get(ROUTE_ATTRIBUTE)


async def _coroutine() -> None: ...


_CODES = frozenset({_ruled(lambda: None).__code__, _ruled(_coroutine).__code__})
