"""A Django site's own pages for what the guard refuses.

``GuardMiddleware(app, config, resolver=DjangoResolver(), renderer=error_page)`` answers with the
site's own ``handler400``, ``handler403`` or ``handler404``, or with the template ``<status>.html``
(for example ``429.html``), where the site has one. Templates get ``request``, ``status``,
``message`` and ``reference``, the id of the refusal in the log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from guard_wsgi.request.answers import response_of
from guard_wsgi.request.block import Block
from guard_wsgi.request.response import GuardResponse
from guard_wsgi.request.verdict import ENVIRON_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_HANDLED = (400, 403, 404)
"""The statuses for which a URLconf may name a view."""


def error_page(
    block: Block, environ: WSGIEnvironment, plain: Callable[[], GuardResponse]
) -> GuardResponse | None:
    """Return the site's page for a refusal; ``None`` if it has none, or if a hook has answered."""
    if block.response is not None:
        return None
    from django.core.handlers.wsgi import WSGIRequest

    verdict = environ.get(ENVIRON_KEY)
    request = WSGIRequest(environ)
    context = {
        "status": block.status,
        "message": block.message,
        "reference": verdict.request_id if verdict is not None else "",
    }
    answer = _handled(block, request) or _templated(block.status, request, context)
    if answer is None:
        return None
    response = response_of(answer)
    response.status_code = block.status
    for name, value in plain().header_list:
        # The refusal's own headers: Retry-After, WWW-Authenticate, no caching, the reference.
        if name.lower() not in ("content-type", "content-length"):
            response.headers.setdefault(name, value)
    return response


def _handled(block: Block, request: Any) -> Any:
    """Return the answer of the URLconf's own view for the status."""
    from django.core.exceptions import PermissionDenied
    from django.urls import get_resolver

    resolver = get_resolver()
    if block.status not in _HANDLED or not hasattr(
        resolver.urlconf_module, f"handler{block.status}"
    ):
        return None
    handler = resolver.resolve_error_handler(block.status)
    return handler(request, exception=PermissionDenied(block.message))


def _templated(status: int, request: Any, context: dict[str, Any]) -> Any:
    from django.http import HttpResponse
    from django.template import TemplateDoesNotExist
    from django.template.loader import get_template

    try:
        template = get_template(f"{status}.html")
    except TemplateDoesNotExist:
        return None
    return HttpResponse(template.render(context, request))
