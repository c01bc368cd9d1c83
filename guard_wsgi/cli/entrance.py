"""Where a command gets its configuration from, and how it ends.

``guard-wsgi`` and ``flask guard`` have the same commands (operations.py). The first reads a file or
``GUARD_*`` variables, the second uses the configuration of the app.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol

import click

from guard_wsgi.errors import ConfigError, GuardError

if TYPE_CHECKING:
    from guard_wsgi.config.security import SecurityConfig

FAILED = 2

Command = Callable[..., int]
"""The body of a command: it gets the configuration and its options, and returns the exit code."""


class Entrance(Protocol):
    """An entry to the commands."""

    def configured(self, command: Command) -> Callable[..., None]:
        """Call the command with the configuration as its first argument; the result is the exit
        code."""


class FileEntrance:
    """``guard-wsgi``: a TOML file, else ``GUARD_*`` variables."""

    def configured(self, command: Command) -> Callable[..., None]:
        @config_option
        @ending
        @wraps(command)
        def run(config: str | None, **options: Any) -> int:
            return command(read_config(config), **options)

        return run


def config_option(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option ``--config``."""
    return click.option(
        "--config", metavar="guard.toml", help="TOML file; without it, GUARD_* variables"
    )(command)


def ending(command: Command) -> Callable[..., None]:
    """Exit with the command's code. An error of the guard is written in lines, and the code is
    2."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            code = command(*arguments, **options)
        except ConfigError as error:
            for fault in error.faults:
                click.echo(f"Error: {fault}", err=True)
            code = FAILED
        except BrokenPipeError:
            raise
        except OSError as error:
            click.echo(f"Error: {_as_text(error)}", err=True)
            code = FAILED
        except GuardError as error:
            click.echo(f"Error: {error}", err=True)
            code = FAILED
        click.get_current_context().exit(code)

    return run


def _as_text(error: OSError) -> str:
    """Say what failed, without the number of the error."""
    if error.filename is None or error.strerror is None:
        return str(error)
    return f"{error.filename} can't be read: {error.strerror}"


def read_config(path: str | None) -> SecurityConfig:
    """Load the configuration."""
    from guard_wsgi.cli.loading import load_config

    with warnings_in_lines():
        return load_config(path)


@contextmanager
def warnings_in_lines() -> Iterator[None]:
    """Write warnings of the guard as lines, without the lines of code that raised them."""
    from guard_wsgi.config.security import DoubtfulOption, IgnoredOption

    with warnings.catch_warnings(record=True) as caught:
        for kind in (DoubtfulOption, IgnoredOption):
            warnings.simplefilter("always", kind)
        yield
    for warning in caught:
        if issubclass(warning.category, (DoubtfulOption, IgnoredOption)):
            print(f"warning: {warning.message}", file=sys.stderr)
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
