"""Limits by path: finds the limit of a request in every spelling of its path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from guard_wsgi.request.path_readings import canonical_path, canonical_path_of
from guard_wsgi.routes.resolvers import Resolver, Signature, signer_of
from guard_wsgi.state.ratelimit import Limit

_ENDINGS = "/ \t\r\n\0"
"""What some apps remove from a path before they compare it."""


class PathLimits:
    """The limits of ``endpoint_rate_limits``.

    A path has many spellings that lead an app to one view: ``/login/``, ``//login``,
    ``/a/../login``, ``/LOGIN``. A limit applies to all of them; otherwise any client that knows
    another spelling could evade it. Two paths are the same if the framework's router, where it can
    be asked, leads both to one view (a pattern such as ``^login`` also takes ``/login2``), or if
    they differ only in slashes, dots, parameters and case. If two different paths count as the
    same, they only share a limit.
    """

    def __init__(self, limits: Mapping[str, Limit], resolver: Resolver | None = None) -> None:
        self._limits = limits
        self._by_folded: dict[str, str] = {}
        for path in limits:
            for spelling in (path, unquote(path)):
                self._by_folded.setdefault(_folded(canonical_path(spelling)), path)
        self._signature_of = signer_of(resolver) if limits else None

    def __bool__(self) -> bool:
        return bool(self._limits)

    def of(self, environ: dict[str, Any]) -> tuple[str, Limit] | None:
        """Return the path as it is configured, and its limit."""
        path = canonical_path_of(environ)
        found: str | None = path
        if path not in self._limits:
            found = self._by_folded.get(_folded(path)) or self._routed_alike(environ)
        return None if found is None else (found, self._limits[found])

    def _routed_alike(self, environ: dict[str, Any]) -> str | None:
        if self._signature_of is None:
            return None
        signature: Signature | None = self._signature_of(environ)
        if signature is None:
            return None
        for path in self._limits:
            asked = {**environ, "PATH_INFO": path.encode().decode("latin-1")}
            if self._signature_of(asked) == signature:
                return path
        return None


def _folded(canonical: str) -> str:
    return canonical.rstrip(_ENDINGS).casefold() or "/"
