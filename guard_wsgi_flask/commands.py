"""``flask guard``: what the guard does with this app."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from guard_wsgi_flask.operations import COMMANDS, guarded_app


@click.group()
def guard() -> None:
    """Inspect and operate the guard of this app."""


@guard.command()
@with_appcontext
def routes() -> None:
    """List each endpoint with the rules that its view adds to the global ones."""
    guarded = guarded_app()
    for rule, method, route in guarded.resolver.routes():
        rules = repr(route)[len("RouteConfig(") : -1] if route is not None else "global rules"
        click.echo(f"{method:<8}{rule.rule:<32} {rule.endpoint:<24} {rules}")
    unreached = guarded.resolver.unreached(guarded.config._decorated)
    for view in unreached:
        click.echo(
            f"UNREACHED {view.__module__}.{view.__qualname__}: no route reaches it, its rules"
            " have no effect"
        )
    if unreached:
        raise SystemExit(1)


for command in COMMANDS:
    guard.add_command(command)
