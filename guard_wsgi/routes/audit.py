"""What is said at start-up of the views that have rules, and of rules that protect nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from types import FunctionType
from typing import Any

from guard_wsgi.routes.stored import is_a
from guard_wsgi.routes.view_rules import ViewRules

logger = logging.getLogger("guard_wsgi.routes")

_NOTHING = "protect nothing"


def log_audit(
    rules: ViewRules, routes: Iterable[tuple[str, Any, str]], decorated: Iterable[Any]
) -> bool:
    """Log each route whose view has rules, and as an error each decorated view without a route.

    :param routes: name or template, view and method.
    :return: whether any view has rules.
    """
    routes = list(routes)
    has_rules = False
    for name, view, method in routes:
        route = rules.of(view, method)
        if route is not None:
            has_rules = True
            logger.info("%s %s: %r", method, name, route)
    for view in rules.unreached(decorated, ((view, method) for _, view, method in routes)):
        hold = "hold only where the app itself calls it" if is_a(view, FunctionType) else _NOTHING
        logger.error("%s has guard rules, but no route leads to it: they %s", name_of(view), hold)
    return has_rules


def name_of(view: Any) -> str:
    """A view's module and name, for people."""
    module = getattr(view, "__module__", "?")
    return f"{module}.{getattr(view, '__qualname__', type(view).__qualname__)}"
