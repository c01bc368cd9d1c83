"""Paths that are exempt from some checks: ``exclude_paths`` and ``health_paths``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from guard_wsgi.checks.health_probes import HealthProbes
from guard_wsgi.network.standing import EXCLUDED, PROBE
from guard_wsgi.request.path_readings import readings_of
from guard_wsgi.request.visit import Visit


class ListedPaths:
    """Finds the checks from which the path of a request exempts it.

    :param excluded: paths, with everything below them.
    :param health: exact paths; only probes are exempt there (health_probes.py).
    :ivar beginning: the part of a path that distinguishes almost all requests from listed paths.
    :ivar beginnings: this part of the listed paths, encoded as in PEP 3333.
    """

    def __init__(self, excluded: Iterable[str], health: Iterable[str]) -> None:
        self._excluded = frozenset(excluded)
        self._excluded_as_sent = frozenset(map(_as_wsgi, self._excluded))
        self._deepest = max((path.count("/") for path in self._excluded), default=0)
        # Everything is below "/".
        self._all = "/" in self._excluded
        self._probes = HealthProbes(health)
        listed = (*self._excluded_as_sent, *map(_as_wsgi, health))
        self.beginning = slice(min(map(len, listed), default=0))
        self.beginnings = frozenset(path[self.beginning] for path in listed)

    def excuse(self, environ: Mapping[str, Any], visit: Visit) -> None:
        """Add the exemptions of its path to the standing of a request. Call it only if the path has
        one of `beginnings`."""
        path: str = environ.get("PATH_INFO") or "/"
        # A path is excluded only if it is excluded in every reading of it.
        if self._covers(path, self._excluded_as_sent) and all(
            self._covers(reading, self._excluded) for reading in readings_of(environ)
        ):
            visit.standing |= EXCLUDED
        if self._probes.include(environ, visit):
            visit.standing |= PROBE

    def _covers(self, path: str, excluded: frozenset[str]) -> bool:
        if path in excluded or (self._all and path.startswith("/")):
            return True
        end = 0
        for _ in range(self._deepest):
            end = path.find("/", end + 1)
            if end < 0:
                return False
            if path[:end] in excluded:
                return True
        return False


def _as_wsgi(text: str) -> str:
    """Encode a path as in PEP 3333: UTF-8 bytes as latin-1."""
    return text.encode().decode("latin-1")
