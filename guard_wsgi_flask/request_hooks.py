"""The guard inside of Flask: in the request's own context, before and after the view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import time
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response, current_app, g, has_request_context, request, session
from flask.globals import request_ctx
from flask.sessions import NullSession
from flask.views import MethodView
from werkzeug.exceptions import default_exceptions

from guard_wsgi.checks.authentication import Authentication
from guard_wsgi.request.block import Block
from guard_wsgi.request.hook_context import nothing_kept
from guard_wsgi.request.response import GuardResponse
from guard_wsgi.request.shared_body import SharedBody
from guard_wsgi.request.verdict import ENVIRON_KEY
from guard_wsgi.request.view import is_preflight
from guard_wsgi.response.modifying import AppResponse
from guard_wsgi.routes.ruled_class import answers_preflights
from guard_wsgi.routes.ruled_function import without_rules
from guard_wsgi.routes.view_layers import class_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from guard_wsgi.middleware import GuardMiddleware
    from guard_wsgi.request.verdict import Verdict
    from guard_wsgi.routes.config import RouteConfig

EXTENSION_NAME = "guard_wsgi"

_OURS_KEY = "guard_wsgi.context_of_hooks"
"""The environ key, set while the guard has entered the context instead of Flask."""

_STORED_KEY = "guard_wsgi.left_by_hooks"
"""The environ key of values that hooks stored in a context other than the request's own."""

_PARSED = ("stream", "form", "files", "values", "data", "_cached_data", "_cached_json")
"""The attributes in which werkzeug's request keeps a body that it has read."""


def hook_context_of(app: Flask) -> Callable[[WSGIEnvironment], AbstractContextManager[Any]]:
    """Enter a request context of the app for hooks, before Flask has made one.

    The view finds in its own context what they store in ``g`` and ``session``.
    """

    @contextmanager
    def hook_context(environ: WSGIEnvironment) -> Iterator[None]:
        if has_request_context() and request.environ is environ and _current_app() is app:
            yield
            return
        # This context has its own request, so the view's request has nothing to forget.
        shared = None if SharedBody.is_kept(environ) else SharedBody(environ, nothing_kept)
        with app.request_context(environ):
            verdict = environ.get(ENVIRON_KEY)
            kept = g._get_current_object()
            _store_in_g(kept, verdict, verdict.route if verdict is not None else None)
            reported = {name: getattr(kept, name) for name in kept}
            environ[_OURS_KEY] = True
            try:
                yield
            finally:
                del environ[_OURS_KEY]
                if shared is not None:
                    shared.hand_on()
            stored = {
                name: getattr(kept, name)
                for name in kept
                if name not in reported or getattr(kept, name) is not reported[name]
            }
            changed = dict(session) if session and session.modified else None
            if stored or changed is not None:
                environ[_STORED_KEY] = stored, changed

    return hook_context


def check_matched_route() -> Any:
    """Run in every request of a guarded app, before all other functions, when Flask knows the view.

    It checks the rules of the view that Flask is about to run, whatever is between the guard and
    the router (a middleware that rewrites paths, a test client that bypasses ``wsgi_app``). The
    app's own functions are called here, in the request's context.
    """
    # Read each proxy and each property once: each access costs as much as the rest of this
    # function.
    context = request_ctx._get_current_object()  # type: ignore[attr-defined]
    asked: Request = context.request
    guarded = context.app.extensions[EXTENSION_NAME]
    environ = asked.environ
    rule = asked.url_rule
    if rule is None:
        endpoint = carried = route = None
    else:
        endpoint = rule.endpoint
        _, carried, route = guarded.resolver.rules_of(endpoint, asked.method)
    verdict = environ.get(ENVIRON_KEY)
    kept = g._get_current_object()
    _store_in_g(kept, verdict, route)
    deferred = None
    if verdict is not None:
        deferred = verdict.deferred
        if guarded.rewriting.watching:
            clients = guarded.middleware.policy.clients
            guarded.rewriting.observe(environ, verdict.client_ip, clients)
    if deferred is None:
        if _STORED_KEY in environ and not guarded.middleware.asks_inside:
            _take_over(*environ.pop(_STORED_KEY))
        if endpoint is None:
            return None
        if (
            verdict is not None
            and route is verdict.route
            and verdict.action != "block"
            and (asked.method != "OPTIONS" or not is_preflight(environ))
        ):
            if verdict.expected is None:
                verdict.expected = carried
            if verdict.endpoint is None:
                verdict.endpoint = endpoint
            return None
    middleware: GuardMiddleware = guarded.middleware
    runs_view = asked.method != "OPTIONS" or not _answers_options()
    refused = middleware.check_route(environ, route, endpoint or "", runs_view=runs_view)
    if not runs_view and _answers_by_decorator():
        environ[
            ENVIRON_KEY
        ].defers_credentials = False  # Flask calls the view, but its code does not run
    if verdict is None:
        _store_in_g(kept, environ.get(ENVIRON_KEY), route)
    if refused is None:
        return None
    return as_flask(current_app, refused)


def _store_in_g(kept: Any, verdict: Verdict | None, route: RouteConfig | None) -> None:
    """Store in ``g`` what views and hooks read there: the verdict, and flaskapi-guard's three
    names."""
    # Write to ``__dict__``: setting an attribute calls a function that does the same.
    is_flasks = type(kept) is Flask.app_ctx_globals_class
    values = kept.__dict__ if is_flasks else {}
    values["guard"] = verdict
    values["route_config"] = route
    values["request_start_time"] = time()
    if verdict is not None:
        values["client_ip"] = verdict.client_ip
    if not is_flasks:
        for name, value in values.items():
            setattr(kept, name, value)


def modify_response(response: Response) -> Response:
    """Run ``custom_response_modifier`` after all other functions."""
    verdict = request.environ.get(ENVIRON_KEY)
    asking = verdict.unmodified if verdict is not None else None
    if verdict is None or asking is None:
        return response
    verdict.unmodified = None
    middleware: GuardMiddleware = current_app.extensions[EXTENSION_NAME].middleware
    outgoing = middleware.policy.outgoing
    if outgoing.modifier is None:
        return response

    def add_headers(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return outgoing.headers(asking, headers)

    def read() -> bytes:
        response.direct_passthrough = False  # from send_file: read it all the same
        return response.get_data()

    given = AppResponse(response.status_code, add_headers(list(response.headers)), read)
    answer = outgoing.modifier.of(given, add_headers)
    if not isinstance(answer, AppResponse):
        return as_flask(current_app, answer)
    if answer.status_code != response.status_code:
        response.status_code = answer.status_code
    response.headers.clear()
    response.headers.extend(answer.header_list)
    if answer.is_replaced:
        response.direct_passthrough = False
        response.set_data(answer.body)
    return response


def as_flask(app: Flask, response: GuardResponse) -> Response:
    """Make a response of the app's own class."""
    made: Response = app.response_class(response.body, response.status_code)
    made.headers.clear()
    made.headers.extend(response.header_list)
    return made


def renderer_of(
    app: Flask, hook_context: Callable[[WSGIEnvironment], AbstractContextManager[Any]]
) -> Callable[[Block, WSGIEnvironment, Callable[[], GuardResponse]], GuardResponse | None]:
    """Renders refusals as the app renders its own errors: with its error handlers, and through its
    ``after_request`` functions. An app without either pays two lookups."""

    def render(
        block: Block, environ: WSGIEnvironment, plain: Callable[[], GuardResponse]
    ) -> GuardResponse | None:
        if (
            has_request_context()
            and request.environ is environ
            and _current_app() is app
            and not _is_own_answer(block)
        ):
            _open_session_again(app)
        if not app.error_handler_spec and not app.after_request_funcs:
            return None
        is_handled = _has_handler(app, block)
        # Inside of a request, Flask itself calls these functions.
        is_inside = (
            has_request_context() and request.environ is environ and _OURS_KEY not in environ
        )
        if not is_handled and (is_inside or not any(app.after_request_funcs.values())):
            return None
        with hook_context(environ):
            response = _error_page(app, block) if is_handled else None
            if is_inside:
                return _taken(response) if response is not None else None
            if response is None:
                response = as_flask(app, plain())
            return _taken(_processed(app, response))

    return render


def _processed(app: Flask, response: Response) -> Response:
    """Pass a refusal through the app's ``after_request`` functions, as ``Flask.process_response``
    does. Only the session differs: it is saved if a function of the app has changed it, and never
    renewed for a refused client."""
    if type(app).process_response is not Flask.process_response:
        return app.process_response(response)  # the app's own
    context = request_ctx._get_current_object()  # type: ignore[attr-defined]
    functions = [*getattr(context, "_after_request_functions", ())]
    for name in (*request.blueprints, None):
        functions.extend(reversed(app.after_request_funcs.get(name, ())))
    for function in functions:
        response = app.ensure_sync(function)(response)
    if getattr(context.session, "modified", False):
        app.session_interface.save_session(app, context.session, response)
    return response


def _is_own_answer(block: Block) -> bool:
    """Whether the app's function answers itself, so that its changes to the session count (a
    flashed message, where to go after the login). A verifier's no is not such an answer."""
    return block.response is not None and block.check != Authentication.name


def _open_session_again(app: Flask) -> None:
    """Undo what the app's functions wrote into the session before the refusal: a verifier may store
    the user before it checks the password."""
    written: Any = session._get_current_object()  # type: ignore[attr-defined]
    if isinstance(written, NullSession) or not getattr(written, "accessed", True):
        return
    written.clear()
    try:
        written.update(app.session_interface.open_session(app, request) or {})
    finally:
        written.modified = False


def _error_page(app: Flask, block: Block) -> Response | None:
    """Return the app's own page for a refusal. Its handler gets werkzeug's exception for the
    status, with the refusal as ``block``."""
    texts = app.extensions[EXTENSION_NAME].config.custom_error_responses
    exception = default_exceptions[block.status](texts.get(block.status, block.message))
    exception.block = block  # type: ignore[attr-defined]
    if block.retry_after_seconds is not None and hasattr(exception, "retry_after"):
        exception.retry_after = int(block.retry_after_seconds)
    answer = app.handle_http_exception(exception)
    if answer is exception:
        return None
    response = app.make_response(answer)
    for name, value in block.headers:
        response.headers.setdefault(name, value)
    if block.retry_after_seconds is not None:
        response.headers.setdefault("Retry-After", str(int(block.retry_after_seconds)))
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _has_handler(app: Flask, block: Block) -> bool:
    return (
        block.response is None
        and block.status in default_exceptions
        and any(
            codes.get(block.status) or codes.get(None) for codes in app.error_handler_spec.values()
        )
    )


def _taken(response: Response) -> GuardResponse:
    response.direct_passthrough = False
    return GuardResponse(response.get_data(), response.status_code, list(response.headers))


def forget_body(environ: WSGIEnvironment) -> None:
    """Make Flask's request parse the body again, from the environ's stream.

    Files that it has opened stay open as long as the request.
    """
    if not has_request_context() or request.environ is not environ:
        return
    asked: Request = request._get_current_object()  # type: ignore[attr-defined]
    kept = vars(asked)
    files = kept.get("files")
    for name in _PARSED:
        kept.pop(name, None)
    if files:
        close = asked.close

        def close_all() -> None:
            close()
            for _, file in files.items(multi=True):
                file.close()

        asked.close = close_all  # type: ignore[method-assign]


def _take_over(stored: dict[str, Any], changed: dict[str, Any] | None) -> None:
    """The values that hooks stored in their own context."""
    for name, value in stored.items():
        setattr(g, name, value)
    if changed is not None:
        session.clear()
        session.update(changed)


def _answers_by_decorator() -> bool:
    """Whether a decorator below the guard's own answers OPTIONS instead of the view."""
    rule = request.url_rule
    view = None if rule is None else current_app.view_functions.get(rule.endpoint)
    required = getattr(view, "required_methods", None) or ()
    return without_rules(view) is not view and "OPTIONS" in required


def _answers_options() -> bool:
    """Whether an OPTIONS request is answered without the code for other methods: by Flask itself,
    by a decorator that asks Flask for it (``required_methods``), or by an ``options`` method."""
    rule = request.url_rule
    if request.method != "OPTIONS" or rule is None:
        return False
    if getattr(rule, "provide_automatic_options", False):
        return True
    if not is_preflight(request.environ):
        return False
    view = current_app.view_functions.get(rule.endpoint)
    if "OPTIONS" in (getattr(view, "required_methods", None) or ()):
        return True
    cls = class_of(view)
    if cls is None or not issubclass(cls, MethodView):
        return False
    if without_rules(cls.dispatch_request) is not MethodView.dispatch_request:
        return False  # its own dispatch handles every method
    return answers_preflights(cls)


def _current_app() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return app
