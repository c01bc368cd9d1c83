"""The context for an app's own functions: the one that the framework gives to its views.

From the first check that calls such a function, the rest of a route's ladder runs inside
(policy.py). A framework that asks the guard before each view (Flask) runs that part there, in the
request's only context. For other frameworks, and if another layer may answer instead of the
framework, the guard enters a context around it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from guard_wsgi.errors import GuardError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class UncheckedAnswer(GuardError):
    """A framework tried to answer before it had asked the remaining checks."""


ForgetBody = Callable[["WSGIEnvironment"], None]
"""Makes a framework drop what it has parsed of a body and kept in the environ or its request."""

HookContext = Callable[["WSGIEnvironment"], AbstractContextManager[Any]]
"""Enters the app's context for a request. Inside of itself, it does nothing."""

OnFault = Callable[[str, Exception], None]


class SafeContext:
    """A context around hooks. Its own faults (a session that can't be opened, a teardown function
    that raises) are counted and decide nothing.

    If the context could not be entered, a hook that needs it raises, and refuses where it guards
    access.
    """

    __slots__ = ("_context", "_on_fault")

    def __init__(self, enter: HookContext, environ: WSGIEnvironment, on_fault: OnFault) -> None:
        self._context: AbstractContextManager[Any] = nullcontext()
        self._on_fault = on_fault
        try:
            self._context = enter(environ)
        except Exception as error:
            on_fault("hook_context", error)

    def __enter__(self) -> None:
        try:
            self._context.__enter__()
        except Exception as error:
            self._context = nullcontext()
            self._on_fault("hook_context", error)

    def __exit__(self, *raised: Any) -> None:
        try:
            self._context.__exit__(*raised)
        except Exception as error:
            if error is raised[1]:  # the app's own exception passes through
                return
            self._on_fault("hook_context", error)


def nothing_kept(environ: WSGIEnvironment) -> None:
    """Do nothing: for frameworks that make a new request for the view, and for apps without a
    framework."""


def no_context(environ: WSGIEnvironment) -> AbstractContextManager[Any]:
    """The context of apps without a framework: none."""
    return nullcontext()
