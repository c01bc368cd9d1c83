"""Finds the route of a request before the framework does.

A resolver maps an environ to a :class:`Resolution`. For Django, Bottle and Flask, it asks the
framework's own router (guard_wsgi.django, guard_wsgi.bottle, guard_wsgi_flask). The guard decides
on this prediction before the app, its sessions and logins run. When the framework has found a view,
the guard checks the rules of that view as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from attrs import frozen
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.errors import ConfigError
from guard_wsgi.request.path_readings import is_plain_path, spellings
from guard_wsgi.routes.audit import limit_of
from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.routes.converters import CONVERTERS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


@frozen(slots=True)
class Resolution:
    """The route of a request.

    :ivar endpoint: its name or template: the same for all concrete paths of the route.
    :ivar route: the rules of its view; ``None`` if it has none.
    :ivar others: the rules of routes that other readings of the path lead to; all apply.
    """

    endpoint: str
    route: RouteConfig | None = None
    others: tuple[RouteConfig, ...] = ()


_NO_RULES = RouteConfig()

_Match = tuple[str, Mapping[str, Any]]
"""A pattern, and the values of its parameters in the path."""

_PARAMETER = re.compile(r"(<[^>]*>)")
_CHOICE = re.compile(r"<any\(")
_ALL_BELOW = re.compile(r"/<path(?:\([^)]*\))?:[^>]*>/?\Z")

_MAX_REDIRECTS = 4
"""The most redirects of a router to the canonical spelling of a path; one is usual."""

Resolver = Callable[["WSGIEnvironment"], "Resolution | None"]
"""Returns ``None`` if no route matches."""

Signature = Hashable
"""A route and the values of its parameters: equal for two paths that the framework treats as the
same."""

Signer = Callable[["WSGIEnvironment"], "Signature | None"]


def signer_of(resolver: Resolver | None) -> Signer | None:
    """Return the function for the signature of a path, if the resolver has one; a user's resolver
    may lack it."""
    return getattr(resolver, "signature", None)


def signature_of(route: str, arguments: object) -> Signature:
    # Arguments may have any type, such as a list from a converter; their repr is enough.
    return route, repr(arguments)


VERIFIERS: Mapping[str, str] = MappingProxyType(
    {"auth_required": "auth_verifier", "api_key_required": "api_key_verifier"}
)
"""Maps each option of a route that requires credentials to the option that verifies them."""


class Dispatcher(Protocol):
    """The further methods of a resolver for a framework."""

    confirms: bool
    """Whether the framework asks the guard again, just before a view runs."""

    def attach(self, guard: Any) -> None:
        """Make the framework ask ``guard`` (a :class:`GuardMiddleware`), if it can."""

    def audit(self, decorated: Iterable[Any]) -> None:
        """Log which views have rules, and report decorated views that no route reaches as
        errors."""


def pattern_resolver(routes: Mapping[str, RouteConfig], config: SecurityConfig) -> PatternResolver:
    """Return the resolver of a guard's ``routes``.

    :raises ConfigError: if a route requires credentials that no function verifies.
    """
    resolver = PatternResolver(routes)
    faults = [
        f"route {pattern!r}: {required} needs {verifier}, or auth_verifier in the configuration"
        for pattern, route in routes.items()
        for required, verifier in VERIFIERS.items()
        if getattr(route, required) and not (getattr(route, verifier) or config.auth_verifier)
    ]
    if faults:
        raise ConfigError(faults)
    return resolver


class PatternResolver:
    """Routes by path patterns in werkzeug's syntax, for apps whose router can't be asked.

    A path with several readings (``/x/..;/admin``, ``/ADMIN``) gets the rules of all of them.

    :param routes: ``{"/admin/<path:rest>": RouteConfig(...)}``; any method. A pattern that ends
        with a parameter of kind ``path`` also applies to its folder, here ``/admin`` and
        ``/admin/``.
    :raises ValueError: if werkzeug doesn't understand a pattern.
    """

    def __init__(self, routes: Mapping[str, RouteConfig]) -> None:
        given: Mapping[str, Any] = routes
        for pattern, route in given.items():
            if not isinstance(route, RouteConfig):
                kind = type(route).__name__
                raise TypeError(f"routes[{pattern!r}] must be a RouteConfig, not {kind}")
        # Each pattern has its own count, in whatever spelling a request matches it.
        self._routes = {
            pattern: route.counted_as(pattern, pattern) for pattern, route in routes.items()
        }
        spelled = [
            (path, pattern) for pattern in self._routes for path in _spelled(pattern, self._routes)
        ]
        try:
            self._exact = _Patterns(spelled)
        except (LookupError, ValueError) as error:
            raise ValueError(f"routes has a pattern that werkzeug can't read: {error}") from None
        self._in_any_case = _Patterns((_folded(path), pattern) for path, pattern in spelled)
        self._has_capitals = any(_folded(path) != path for path, _ in spelled)

    def route_limits(self) -> dict[str, str]:
        """Map each pattern to its limit, "" for none."""
        return {pattern: limit_of(route) for pattern, route in self._routes.items()}

    def __call__(self, environ: WSGIEnvironment) -> Resolution | None:
        found = self._find(environ)
        if not found:
            return None
        routes = [_NO_RULES if match is None else self._routes[match[0]] for match in found]
        return Resolution(_first(found)[0], routes[0], tuple(routes[1:]))

    def signature(self, environ: WSGIEnvironment) -> Signature | None:
        found = self._find(environ)
        return signature_of(*_first(found)) if found else None

    def _find(self, environ: WSGIEnvironment) -> list[_Match | None]:
        """Return the patterns for a path, those of its plainest reading first. ``None`` stands for
        a reading without a pattern, unless no reading has one."""
        path = environ.get("PATH_INFO") or "/"
        # The guard can't know how the app reads it, so the rules of every reading apply.
        readings = [path] if is_plain_path(path) else spellings(path)
        found: dict[str, _Match | None] = {}
        is_licence = True
        for reading in readings:
            matches = self._exact.match(reading)
            is_licence = is_licence and bool(matches)
            folded = _fold(reading)
            if folded != reading or self._has_capitals:
                matches = [*matches, *self._in_any_case.match(folded)]
            for match in matches:
                found.setdefault(match[0], match)
        if found and not is_licence:
            found[""] = None  # one reading may exempt, others don't
        return list(found.values())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PatternResolver) and self._routes == other._routes

    __hash__ = object.__hash__


class _Patterns:
    """Maps spellings of patterns to the patterns."""

    def __init__(self, spelled: Iterable[tuple[str, str]]) -> None:
        meant: dict[str, list[str]] = {}
        for spelling, pattern in spelled:
            meant.setdefault(_without_slash(spelling), []).append(pattern)
        # merge_slashes and a missing trailing slash must not bypass a rule.
        rules = [
            Rule(spelling, endpoint=tuple(patterns), merge_slashes=True, strict_slashes=False)
            for spelling, patterns in meant.items()
        ]
        self._adapter = Map(rules, converters=CONVERTERS).bind("")

    def match(self, path: str) -> list[_Match]:
        """Return the patterns for a path, or for the path that it would redirect to."""
        path = _without_slash(path)
        for _ in range(_MAX_REDIRECTS):
            try:
                patterns, arguments = self._adapter.match(path, method="GET")
            except HTTPException as answer:
                # A redirect to the canonical spelling counts as a match of that spelling.
                target = getattr(answer, "new_url", None)
                if target is None or _path_of(target) == path:
                    return []
                path = _path_of(target)
            else:
                return [(pattern, arguments) for pattern in patterns]
        return []


def _spelled(pattern: str, routes: Collection[str]) -> Iterator[str]:
    """Return a pattern, and that of the folder whose contents it covers, unless the folder has its
    own rules."""
    yield pattern
    folder = _ALL_BELOW.sub("/", pattern)
    if folder != pattern and folder not in routes and folder.rstrip("/") not in routes:
        yield folder


def _without_slash(path: str) -> str:
    """Without slashes at its end, which lead few apps anywhere else."""
    return path.rstrip("/") or "/"


def _fold(text: str) -> str:
    """Fold the case of a text, also of a dotless i."""
    return text.lower() if text.isascii() else text.upper().casefold()


def _folded(pattern: str) -> str:
    """Fold the case of a pattern's own text, not of its parameters, except for choices."""
    parts = _PARAMETER.split(pattern)
    return "".join(
        part if part.startswith("<") and not _CHOICE.match(part) else _fold(part) for part in parts
    )


def _first(found: list[_Match | None]) -> _Match:
    return next(match for match in found if match is not None)


def _path_of(url: str) -> str:
    return unquote(urlsplit(url).path) or "/"
