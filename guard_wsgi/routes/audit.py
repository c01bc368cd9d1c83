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
    """Log each route whose view has rules, and each decorated view without a route: as an error a
    class, whose rules protect nothing then; as a warning a function, which asks for itself.

    :param routes: name or template, view and method.
    :return: whether any view has rules.
    """
    routes = list(routes)
    ruled: dict[tuple[str, str], list[str]] = {}
    for name, view, method in routes:
        route = rules.of(view, method)
        if route is not None:
            methods = ruled.setdefault((name, repr(route)), [])
            if method not in methods:
                methods.append(method)
    for (name, said), methods in ruled.items():
        logger.info("%s %s: %s", ",".join(methods), name, said)
    for view in rules.unreached(decorated, ((view, method) for _, view, method in routes)):
        is_function = is_a(view, FunctionType)
        logger.log(
            logging.WARNING if is_function else logging.ERROR,
            "%s has guard rules, but no route leads to it: they %s",
            name_of(view),
            "hold only where the app itself calls it" if is_function else _NOTHING,
        )
    return bool(ruled)


def name_of(view: Any) -> str:
    """A view's module and name, for people."""
    module = getattr(view, "__module__", "?")
    return f"{module}.{getattr(view, '__qualname__', type(view).__qualname__)}"
