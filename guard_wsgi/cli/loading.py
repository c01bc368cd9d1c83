"""Loads the arguments of commands: an app by its name, a configuration from a file."""

from __future__ import annotations

import os
import sys
from functools import reduce
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.errors import GuardError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class CommandError(GuardError):
    """The command can't run. The message is all that the user needs to see."""


def load_app(name: str) -> WSGIApplication:
    """Return the WSGI app at ``module:attribute``, or the one that ``module:factory()`` returns.

    The current directory comes first, as with ``python -m``.

    :raises CommandError: if there is no such app.
    """
    module_name, colon, attributes = name.partition(":")
    if not colon or not module_name or not attributes:
        raise CommandError(f"{name!r} is not an app: write MODULE:APP, or MODULE:FACTORY()")
    is_factory = attributes.endswith("()")
    directory = os.getcwd()
    if directory not in sys.path:
        sys.path.insert(0, directory)
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not module_name.startswith(error.name):
            raise  # a failing import inside the app deserves its traceback
        raise CommandError(f"there is no module {module_name!r}") from None
    try:
        app: Any = reduce(getattr, attributes.removesuffix("()").split("."), module)
    except AttributeError as error:
        raise CommandError(f"{name!r}: {error}") from None
    if is_factory:
        try:
            signature(app).bind()
        except (TypeError, ValueError) as error:
            raise CommandError(f"{name!r} can't be called without arguments: {error}") from None
        app = app()
    if not callable(app):
        raise CommandError(f"{name!r} is {type(app).__name__}, not a WSGI app")
    return app  # type: ignore[no-any-return]


def load_config(path: str | Path | None) -> SecurityConfig:
    """Load the configuration from a TOML file, or from ``GUARD_*`` variables without one.

    :raises ConfigError: for any fault.
    """
    return SecurityConfig.from_env() if path is None else SecurityConfig.from_toml(path)
