"""``flask guard``: commands for the guard of this app.

The commands use the app's own configuration, so you need not name the store again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from guard_wsgi.cli.diagnosing import examine
from guard_wsgi.cli.entrance import Command, ending
from guard_wsgi.cli.operations import operations
from guard_wsgi.routes.decorated_views import decorated_by
from guard_wsgi_flask.guarded_app import GuardedApp
from guard_wsgi_flask.request_hooks import EXTENSION_NAME


def guarded_app() -> GuardedApp:
    """Return the extension's state for the current app.

    :raises click.ClickException: if the app has no guard.
    """
    guarded = current_app.extensions.get(EXTENSION_NAME)
    if not isinstance(guarded, GuardedApp):
        raise click.ClickException("this app has no guard; add FlaskAPIGuard(app)")
    return guarded


class AppEntrance:
    """``flask guard``: the configuration of the app."""

    def configured(self, command: Command) -> Callable[..., None]:
        @with_appcontext
        @ending
        @wraps(command)
        def run(**options: Any) -> int:
            return command(guarded_app().config, **options)

        return run


@click.group()
def guard() -> None:
    """Inspect and operate the guard of this app."""


@guard.command()
@with_appcontext
@ending
def routes() -> int:
    """List endpoints with their views' rules.

    Exits with 1 if a view has rules, but no route leads to it.
    """
    guarded = guarded_app()
    lines: dict[tuple[str, str, str], list[str]] = {}
    for rule, method, route in guarded.resolver.routes():
        rules = repr(route)[len("RouteConfig(") : -1] if route is not None else "global rules"
        lines.setdefault((rule.rule, rule.endpoint, rules), []).append(method)
    for (path, endpoint, rules), methods in lines.items():
        click.echo(f"{', '.join(methods):<24} {path:<32} {endpoint:<24} {rules}")
    unreached = guarded.resolver.unreached(decorated_by(guarded.config))
    for view in unreached:
        click.echo(
            f"NOT REACHED {view.__module__}.{view.__qualname__}: it has rules, but no route leads"
            " to it"
        )
    return 1 if unreached else 0


@guard.command()
@click.option("--workers", type=int, help="processes that serve the app")
@with_appcontext
@ending
def doctor(workers: int | None) -> int:
    """Find problems of the deployment.

    Exits with 1 if there are warnings, and with 2 if there are errors.
    """
    return examine(None, guarded_app().middleware, workers, sys.stdout)


for _command in operations(AppEntrance()):
    guard.add_command(_command)
