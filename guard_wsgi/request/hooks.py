"""Where an app's own functions run: in the context that the app's framework gives to its views.

Checks that call such functions end a route's ladder (policy.py): with the first of them begins
the part that runs inside. A framework that asks the guard before each view (``Flask``) runs that
part there, in the request's only context; for others, and where something else may answer in the
framework's place, a context is entered around it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from guard_wsgi.errors import GuardError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class NotAsked(GuardError):
    """A framework was about to answer before it had asked for what was left to be decided."""


ForgetBody = Callable[["WSGIEnvironment"], None]
"""Makes a framework forget what it has parsed of a body, and kept in the environ or its request."""

HookContext = Callable[["WSGIEnvironment"], AbstractContextManager[Any]]
"""Enters the app's context for a request; entered again inside of itself, it does nothing."""

OnFault = Callable[[str, Exception], None]


class Inside:
    """A context around hooks whose own faults (a session that can't be opened, a function that
    raises as it ends) are counted, and decide nothing.

    Hooks that need a context which could not be entered raise, and refuse where they guard.
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
            if error is raised[1]:  # the app's own, on its way through
                return
            self._on_fault("hook_context", error)


def nothing_kept(environ: WSGIEnvironment) -> None:
    """Of frameworks whose requests are made anew for the view, and of apps without one."""


def no_context(environ: WSGIEnvironment) -> AbstractContextManager[Any]:
    """Of apps without a framework."""
    return nullcontext()
