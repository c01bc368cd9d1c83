"""The resolvers of routes, for apps that name one: ``GuardMiddleware(app, resolver=...)``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from guard_wsgi.routes.resolvers import Dispatcher as Dispatcher
from guard_wsgi.routes.resolvers import PatternResolver as PatternResolver
from guard_wsgi.routes.resolvers import Resolution as Resolution
from guard_wsgi.routes.resolvers import Resolver as Resolver

if TYPE_CHECKING:
    from guard_wsgi.bottle import BottleResolver as BottleResolver
    from guard_wsgi.django import DjangoResolver as DjangoResolver

_FRAMEWORKS = {"BottleResolver": "guard_wsgi.bottle", "DjangoResolver": "guard_wsgi.django"}


def __getattr__(name: str) -> Any:
    """The resolvers of frameworks, imported on first access."""
    module = _FRAMEWORKS.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(module), name)
