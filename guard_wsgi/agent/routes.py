"""The routes of the apps that an agent reports for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

log = logging.getLogger("guard_wsgi.agent")

MAX_ROUTES = 1000
"""Of a report: some 60 KB."""

RouteSource = Callable[[], Mapping[str, str]]
"""Gives by template the limit of each route, "" for none."""


class ReportedRoutes:
    """Asked with each report; guards of a process that share an agent each add theirs."""

    def __init__(self) -> None:
        self._sources: list[RouteSource] = []

    def add(self, source: RouteSource) -> None:
        if source not in self._sources:
            self._sources.append(source)

    def limits(self) -> dict[str, str]:
        """Those of all sources. Never raises: the app's own routing may be at fault."""
        found: dict[str, str] = {}
        for source in list(self._sources):
            try:
                found.update(source())
            except Exception as error:
                log.debug("routes can't be listed: %r", error)
        return dict(sorted(found.items())[:MAX_ROUTES])
