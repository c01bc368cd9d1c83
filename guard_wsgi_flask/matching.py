"""Lets Flask reuse what its router has matched before.

A site with decorated views has each path matched by the guard. Flask matches it again: 4 us, a
twelfth of a small app's request. A second match of the same path takes a lookup instead, so the
guard gives back some of the time that it takes.

Security does not depend on it: the guard checks the rules of the view that Flask is about to run,
wherever the match came from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Request
from werkzeug.routing import (
    AnyConverter,
    FloatConverter,
    IntegerConverter,
    Map,
    MapAdapter,
    PathConverter,
    Rule,
    RuleFactory,
    UnicodeConverter,
    UUIDConverter,
)

MAX_MATCHES = 2048
"""The most matches that are kept. All are dropped when there are more, so that a client that makes
up paths can't fill the memory."""

MAX_CHARS = 512
"""The longest path, with its host, that is kept."""

_PURE_CONVERTERS = frozenset(
    {
        *(AnyConverter, FloatConverter, IntegerConverter),
        *(PathConverter, UnicodeConverter, UUIDConverter),
    }
)
"""werkzeug's own converters: their results depend on the path alone, and can't be changed. An app's
own converter may read the session."""

_FLASK_ARGUMENTS = {"return_rule": True}

_Key = tuple[str, str, bool, str | None, str]
_Found = tuple[Rule, Mapping[str, Any]]


class _Matches:
    """The matches of one map: what a path leads to, and its arguments.

    :ivar kept: ``None`` if matching may depend on more than the path.
    """

    def __init__(self, url_map: Map) -> None:
        self.map = url_map
        self.kept: dict[_Key, _Found] | None = None
        add = url_map.add

        def add_and_forget(rulefactory: RuleFactory) -> None:
            try:
                add(rulefactory)
            finally:
                self.forget()

        url_map.add = add_and_forget  # type: ignore[method-assign]
        self.forget()

    def forget(self) -> None:
        """Start over. A thread that is matching meanwhile keeps its result in the old dict."""
        url_map = self.map
        is_pure = (
            type(url_map) is Map
            and _PURE_CONVERTERS.issuperset(url_map.converters.values())
            and all(type(rule) is Rule for rule in url_map.iter_rules())
        )
        self.kept = {} if is_pure else None


class _Adapter(MapAdapter):
    """An adapter that looks a match up: that of the request itself, for which Flask asks."""

    matches: _Matches

    def match(self, *args: Any, **kwargs: Any) -> Any:
        kept = self.matches.kept
        if kept is None or args or kwargs != _FLASK_ARGUMENTS:
            return super().match(*args, **kwargs)
        path, host = self.path_info, self.server_name
        # Everything that a match depends on; a redirect, which depends on more, is not kept.
        key = path, self.default_method, self.websocket, self.subdomain, host
        found = kept.get(key)
        if found is None:
            found = super().match(return_rule=True)
            if len(path) + len(host) > MAX_CHARS:
                return found
            if len(kept) >= MAX_MATCHES:
                kept.clear()
            kept[key] = found
        rule, arguments = found
        # An app may change them (url_value_preprocessor).
        return rule, dict(arguments)


def remember_matches(app: Flask) -> None:
    """Make the adapters of an app look up what was matched before."""
    create: Callable[[Request | None], Any] = app.create_url_adapter
    matches = _Matches(app.url_map)

    def create_url_adapter(request: Request | None) -> Any:
        nonlocal matches
        adapter = create(request)
        if type(adapter) is MapAdapter:
            if adapter.map is not matches.map:  # the app has another one now
                matches = _Matches(adapter.map)
            remembering: Any = adapter
            remembering.__class__ = _Adapter
            remembering.matches = matches
        return adapter

    app.create_url_adapter = create_url_adapter  # type: ignore[method-assign]
