"""Finds the request in which a function of an app is called, in each framework.

It runs only when a decorated view runs. It imports no framework that the app does not use.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

from werkzeug.wrappers import Response

from guard_wsgi.request.current_request import ViewRefused, current_environ
from guard_wsgi.request.verdict import ENVIRON_KEY, Verdict
from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.routes.django_app import as_django, body_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from guard_wsgi.request.response import GuardResponse

_MAX_ARGUMENTS = 3
"""How many arguments to search: ``self``, also a viewset's, and the framework's arguments come
first."""

_OF_WSGI = "wsgi.input"

_IN_PATHS = frozenset({str, int, float, UUID})
"""The types of werkzeug's own converters."""


class Call:
    """A view's call in a request.

    :ivar environ: the environ of the request.
    :ivar is_again: whether the view's rules were checked, for another call of it.
    """

    is_again = False

    _reading: AbstractContextManager[Any] = nullcontext()

    def __init__(self, environ: WSGIEnvironment, args: tuple[Any, ...]) -> None:
        self.environ = environ
        self._args = args

    def refuse(self, response: GuardResponse) -> Any:
        """Answer instead of the view: return or raise what the framework accepts as an answer.

        :raises ViewRefused: in Flask, and other apps of werkzeug's.
        """
        made = Response(response.body or b"", response.status_code)
        made.headers.clear()
        made.headers.extend(response.header_list)
        if self._handles_error:
            return made
        raise ViewRefused(response=made)

    async def run_in_coroutine(self, check: Callable[[], Any]) -> Any:
        """Call ``check`` from a coroutine."""
        with self:
            if "django.http" not in sys.modules:
                return check()
            from asgiref.sync import sync_to_async

            return await sync_to_async(check, thread_sensitive=True)()

    @property
    def _handles_error(self) -> bool:
        """Whether the view is an error handler, or is called by one: then nothing handles an
        exception."""
        if any(isinstance(argument, Exception) for argument in self._args):
            return True
        frame = sys._getframe()
        while frame.f_back is not None:
            frame = frame.f_back
            module = frame.f_globals.get("__name__")
            if module in _CALLERS_OF_HANDLERS:
                return frame.f_code.co_name in _CALLERS_OF_HANDLERS[module]
        return False

    def __enter__(self) -> None:
        """Let the framework's request read again the part of the body that the block reads."""
        self._reading.__enter__()

    def __exit__(self, *raised: Any) -> None:
        self._reading.__exit__(*raised)


class _DjangoCall(Call):
    def __init__(self, request: Any, args: tuple[Any, ...]) -> None:
        super().__init__(request.environ, args)
        self._reading = body_of(request)

    def refuse(self, response: GuardResponse) -> Any:
        return as_django(response)


class _BottleCall(Call):
    def refuse(self, response: GuardResponse) -> Any:
        made = as_bottle(response)
        if self._handles_error:
            return made
        raise made


class _PlainCall(Call):
    def refuse(self, response: GuardResponse) -> Any:
        behind = next(i for i, given in enumerate(self._args) if given is self.environ) + 1
        start_response = next((given for given in self._args[behind:] if callable(given)), None)
        if start_response is None:
            return super().refuse(response)
        start_response(response.status, response.header_list)
        return [response.body or b""]


def call_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    """Return the request of a call, if a guard has decided on it; ``None`` if there is none."""
    given = args[:_MAX_ARGUMENTS]
    if kwargs:
        given = (*given, *islice(kwargs.values(), _MAX_ARGUMENTS))
    for argument in given:
        if type(argument) is dict:
            if _OF_WSGI in argument and ENVIRON_KEY in argument:
                return _PlainCall(argument, given)
            continue
        try:
            environ = getattr(argument, "environ", None)
        except Exception:  # an object of the app that computes it
            continue
        if type(environ) is dict and ENVIRON_KEY in environ:
            request = _django_request(argument)
            return Call(environ, given) if request is None else _DjangoCall(request, given)
    flask, bottle = sys.modules.get("flask"), sys.modules.get("bottle")
    environ = None if flask is None else _of_flask(flask)
    if type(environ) is dict and ENVIRON_KEY in environ:
        return Call(environ, given)
    current = current_environ()
    environ = None if bottle is None else _of_bottle(bottle)
    # A thread keeps Bottle's last request after its answer.
    is_bottles = environ is not None and (environ is current or _runs_in("bottle"))
    if is_bottles and type(environ) is dict and ENVIRON_KEY in environ:
        return _BottleCall(environ, given)
    if current is not None and ENVIRON_KEY in current:
        return Call(current, given)
    return None


def is_expected(view: Any, route: RouteConfig, kwargs: dict[str, Any]) -> bool:
    """Whether this is the call that Flask has just asked the guard about, as in most requests. If
    it is not, :func:`call_of` finds out in which request it is.

    :param kwargs: the only arguments of the call.
    """
    flask = sys.modules.get("flask")
    if flask is None:
        return False
    try:
        environ = flask.request._get_current_object().environ
    except RuntimeError:  # no request
        return False
    verdict = environ.get(ENVIRON_KEY)
    if type(verdict) is not Verdict or verdict.expected is not route:
        return False
    for value in kwargs.values():
        if type(value) not in _IN_PATHS:
            return False  # it may belong to another request
    verdict.expected = False
    verdict.called = view, route
    return True


def is_in_request(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a call without a decision in :func:`call_of` is in a request, and no guard that is
    switched off precedes it."""
    if current_environ() is not None:
        return False
    for argument in (*args[:_MAX_ARGUMENTS], *islice(kwargs.values(), _MAX_ARGUMENTS)):
        if _django_request(argument) is not None:
            return True
        if type(argument) is dict and _OF_WSGI in argument:
            return True
    flask, bottle = sys.modules.get("flask"), sys.modules.get("bottle")
    if flask is not None and _of_flask(flask) is not None:
        return True
    return bottle is not None and _of_bottle(bottle) is not None and _runs_in("bottle")


def _runs_in(module: str) -> bool:
    """Whether a module's function has led to this call."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_globals.get("__name__") == module:
            return True
    return False


def _django_request(argument: Any) -> Any:
    """Return the environ of Django's request, also from a request of REST framework."""
    if "django.http" not in sys.modules:
        return None
    from django.http import HttpRequest

    for request in (argument, getattr(argument, "_request", None)):
        if isinstance(request, HttpRequest):
            return request
    return None


def _of_flask(flask: Any) -> Any:
    """Return the environ of Flask's request."""
    try:
        # Take the object from the proxy: reading an attribute through the proxy takes ten times as
        # long.
        return flask.request._get_current_object().environ
    except RuntimeError:  # no request
        return None


def _of_bottle(bottle: Any) -> Any:
    """Return the environ of the last request that Bottle had in this thread."""
    try:
        return bottle.request.environ
    except (AttributeError, RuntimeError):  # none yet
        return None


def as_bottle(response: GuardResponse) -> Any:
    """Make a response that Bottle accepts as an exception."""
    from bottle import HTTPResponse

    made = HTTPResponse(response.body or b"", response.status_code)
    for name, value in response.header_list:
        made.add_header(name, value)
    return made


_CALLERS_OF_HANDLERS = {
    "flask.app": ("handle_http_exception", "handle_user_exception", "handle_exception"),
    "bottle": ("_cast",),
}
"""The functions of frameworks that call an app's error handlers, by module."""
