"""Logs at start-up which views have rules, and which rules protect nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.routes.introspection import is_a
from guard_wsgi.routes.ruled_class import checks_own_rules
from guard_wsgi.routes.view_rules import ViewRules

logger = logging.getLogger("guard_wsgi.routes")

IMPLIED_METHODS = frozenset({"HEAD", "OPTIONS"})
"""Methods that frameworks answer on behalf of a view."""

_NOTHING = "protect nothing"


def log_audit(
    rules: ViewRules, routes: Iterable[tuple[str, Any, str]], decorated: Iterable[Any]
) -> bool:
    """Log each route whose view has rules, and each decorated view without a route. A class
    without methods that answer requests is logged as an error, because its rules protect nothing;
    all else as a warning, because it checks its rules when it is called.

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
    for (name, shown_rules), methods in ruled.items():
        logger.info("%s %s: %s", ",".join(methods), name, shown_rules)
    for view in rules.unreached(decorated, ((view, method) for _, view, method in routes)):
        asks = not is_a(view, type) or checks_own_rules(view)
        logger.log(
            logging.WARNING if asks else logging.ERROR,
            "%s has guard rules, but no route leads to it, so its rules %s",
            name_of(view),
            "apply only if your code calls it" if asks else _NOTHING,
        )
    return bool(ruled)


def route_limits(rules: ViewRules, routes: Iterable[tuple[str, Any, str]]) -> dict[str, str]:
    """Map each template to the limit of its view, "" for none.

    :param routes: template, view and method.
    """
    found: dict[str, dict[str, str]] = {}
    for template, view, method in routes:
        if method not in IMPLIED_METHODS:
            found.setdefault(template, {})[method] = limit_of(rules.of(view, method))
    return {template: _as_text(limits) for template, limits in found.items()}


def limit_of(route: RouteConfig | None) -> str:
    """Return the limit of rules in words; "" for none."""
    if route is None:
        return ""
    if route.rate_limit is not None:
        return f"{route.rate_limit} in {route.rate_limit_window} s"
    return "by country" if route.geo_rate_limits is not None else ""


def _as_text(limits: Mapping[str, str]) -> str:
    """Return one limit for all methods, or each method that has its own limit."""
    if len(set(limits.values())) == 1:
        return next(iter(limits.values()))
    return ", ".join(f"{method}: {limit}" for method, limit in sorted(limits.items()) if limit)


def name_of(view: Any) -> str:
    """Return a view's module and name, for people."""
    while is_a(view, partial):
        view = view.func
    module = getattr(view, "__module__", "?")
    return f"{module}.{getattr(view, '__qualname__', type(view).__qualname__)}"
