"""A decorated function, or a method of a decorated class, makes sure that its rules are checked
before it runs.

Usually they were: the guard checked the route of the request, and the framework asked again for the
view that it found. But apps also call their views themselves: a ``dispatch`` that depends on a form
field, ``super().get()``, an error handler, a view that is imported on first use. None of these
bypasses a rule.
"""

from __future__ import annotations

import functools
import inspect
import logging
import threading
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any

from guard_wsgi.request.verdict import ENVIRON_KEY, Verdict
from guard_wsgi.routes.calls import Call, call_of, is_expected, is_in_request
from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.routes.introspection import is_a, stored

if TYPE_CHECKING:
    from guard_wsgi.request.response import GuardResponse

logger = logging.getLogger("guard_wsgi.routes")

ROUTE_ATTRIBUTE = "__guard_route__"
"""The attribute with the RouteConfig of a view."""

_WARNED_ATTRIBUTE = "_guard_warned_of_thread"
"""The attribute of a view after the log has said that it ran unchecked."""


def inner_function(function: Any) -> FunctionType | None:
    """Return the function inside of a result of :func:`ruled`; ``None`` for another function."""
    # functools.wraps may have copied the attributes to other functions, but not the code.
    if is_a(function, FunctionType) and function.__code__ in _CODES:
        inner = stored(function, "__wrapped__")
        return inner if is_a(inner, FunctionType) else None
    return None


def without_rules(function: Any) -> Any:
    """Return the original function or method."""
    while is_a(function, FunctionType) and function.__code__ in _CODES | _CODES_OF_CLASSES:
        function = stored(function, "__wrapped__")
    return function


def with_rules(
    method: Any, rules_of: Callable[[tuple[Any, ...]], RouteConfig | None], is_dispatch: bool
) -> Any:
    """Make a function that checks rules from elsewhere before it runs.

    :param rules_of: returns the rules for the arguments of a call.

    :param is_dispatch: whether it only dispatches to a method, which checks in its turn.
    """
    if inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        async def run_in_class(*args: Any, **kwargs: Any) -> Any:
            route = rules_of(args)
            call = _unchecked_call(method, route, args, kwargs, is_dispatch)
            if call is not None:
                refused = await call.run_in_coroutine(lambda: _check(method, route, call))
                if refused is not None:
                    return call.refuse(refused)
            return await method(*args, **kwargs)

        return run_in_class

    @functools.wraps(method)
    def checked_in_class(*args: Any, **kwargs: Any) -> Any:
        route = rules_of(args)
        call = _unchecked_call(method, route, args, kwargs, is_dispatch)
        if call is not None:
            with call:
                refused = _check(method, route, call)
            if refused is not None:
                return call.refuse(refused)
        return method(*args, **kwargs)

    return checked_in_class


def with_own_rules(view: Any) -> Any:
    if inspect.iscoroutinefunction(view):

        @functools.wraps(view)
        async def run(*args: Any, **kwargs: Any) -> Any:
            route = view.__dict__.get(ROUTE_ATTRIBUTE)
            call = _unchecked_call(view, route, args, kwargs)
            if call is not None:
                # Rules may use a store or a database, which must not block the thread of an event
                # loop.
                refused = await call.run_in_coroutine(lambda: _check(view, route, call))
                if refused is not None:
                    return call.refuse(refused)
            return await view(*args, **kwargs)

        return run

    @functools.wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        route = view.__dict__.get(ROUTE_ATTRIBUTE)
        if not args and route is not None and is_expected(view, route, kwargs):
            return view(**kwargs)
        call = _unchecked_call(view, route, args, kwargs)
        if call is not None:
            with call:
                refused = _check(view, route, call)
            if refused is not None:
                return call.refuse(refused)
        return view(*args, **kwargs)

    return checked


def _unchecked_call(
    view: Any,
    route: RouteConfig | None,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    is_dispatch: bool = False,
) -> Call | None:
    """Return the request in which a view is called, if its rules were not checked for that request;
    ``None`` also outside of any request that a guard decided on.

    :param is_dispatch: whether the function only dispatches to the view; then the credentials of a
        preflight need no check here.
    """
    if route is None:
        return None
    call = call_of(args, kwargs)
    if call is None:
        _warn_unchecked(view, args, kwargs)
        return None
    verdict = call.environ.get(ENVIRON_KEY)
    if not isinstance(verdict, Verdict) or verdict.guard is None:
        return None
    verdict.expected = False
    counts_again = (route.has_limits or route.behavior_rules) and verdict.runs_again(view, route)
    if verdict.has_checked(route) and (is_dispatch or not verdict.defers_credentials):
        if not counts_again:
            return None
        call.is_again = True
    return call


def _warn_unchecked(view: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Log, once per view, that it runs unchecked: in a request that no guard has seen, or in a
    thread, which may be a job or a thread that a view has started without its context."""
    if _WARNED_ATTRIBUTE in view.__dict__:
        return
    if is_in_request(args, kwargs):
        reason = "in a request that no guard has seen: put one in front of the app"
    elif threading.current_thread() is not threading.main_thread():
        reason = (
            f"in thread {threading.current_thread().name}, where no request is known: if a request"
            " started the thread, start it with contextvars.copy_context().run"
        )
    else:
        return
    setattr(view, _WARNED_ATTRIBUTE, True)
    logger.warning(
        "the rules of %s.%s were not checked: it ran %s", view.__module__, view.__qualname__, reason
    )


def _check(view: Any, route: RouteConfig | None, call: Call) -> GuardResponse | None:
    verdict = call.environ[ENVIRON_KEY]
    endpoint = verdict.endpoint or f"{view.__module__}.{view.__qualname__}"
    refused: GuardResponse | None = verdict.guard.check_route(
        call.environ, route, endpoint, again=call.is_again
    )
    return refused


async def _coroutine() -> None: ...


_CODES = frozenset({with_own_rules(lambda: None).__code__, with_own_rules(_coroutine).__code__})

_CODES_OF_CLASSES = frozenset(
    with_rules(method, lambda _: None, True).__code__ for method in (lambda: None, _coroutine)
)
