"""The routes of the apps for which an agent reports."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

log = logging.getLogger("guard_wsgi.agent")

MAX_ROUTES = 1000
"""The most routes in a report: some 60 KB."""

RouteSource = Callable[[], Mapping[str, str]]
"""Returns each route's template with its limit, "" for none."""


class ReportedRoutes:
    """Collects routes for each report. Guards of a process that share an agent each add theirs."""

    def __init__(self) -> None:
        self._sources: list[RouteSource] = []

    def add(self, source: RouteSource) -> None:
        if source not in self._sources:
            self._sources.append(source)

    def limits(self) -> dict[str, str]:
        """Return the routes of all sources. Never raises: the app's own routing may fail."""
        found: dict[str, str] = {}
        for source in list(self._sources):
            try:
                found.update(source())
            except Exception as error:
                log.debug("could not list the routes: %r", error)
        return dict(sorted(found.items())[:MAX_ROUTES])
