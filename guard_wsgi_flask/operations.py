"""The commands of ``flask guard`` that look after a running site, as those of ``guard-wsgi`` do.

They act on the store of the app's own configuration, so nothing has to be named twice.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps

import click
from flask import current_app
from flask.cli import with_appcontext

from guard_wsgi.cli import shared
from guard_wsgi.cli.diagnosing import examine
from guard_wsgi.cli.inspecting import CLIENT, inspect, place, report
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.errors import GuardError
from guard_wsgi_flask.guarded import GuardedApp
from guard_wsgi_flask.inside import EXTENSION_NAME


def guarded_app() -> GuardedApp:
    """What the extension keeps of the current app.

    :raises click.ClickException: when the app has no guard.
    """
    guarded = current_app.extensions.get(EXTENSION_NAME)
    if not isinstance(guarded, GuardedApp):
        raise click.ClickException("this app has no guard: FlaskAPIGuard(app)")
    return guarded


def _config() -> SecurityConfig:
    return guarded_app().config


def _ends_with_its_code(command: Callable[..., int]) -> Callable[..., None]:
    """Run with the app; the answer is the exit code, a fault of the guard one line and a 2."""

    @wraps(command)
    def run(*arguments: object, **options: object) -> None:
        try:
            code = command(*arguments, **options)
        except GuardError as error:
            click.echo(f"Error: {error}", err=True)
            code = 2
        sys.exit(code)

    return with_appcontext(run)


@click.group()
def bans() -> None:
    """List, add and lift bans."""


@bans.command("list")
@_ends_with_its_code
def list_bans() -> int:
    """Every ban that holds now."""
    return shared.list_bans(_config(), sys.stdout)


@bans.command("add")
@click.argument("target", metavar="IP|CIDR")
@click.option("--for", "time", default="1h", show_default=True, help="90s, 15m, 2h, 7d")
@click.option("--reason", default="manual", show_default=True)
@_ends_with_its_code
def add_ban(target: str, time: str, reason: str) -> int:
    """Ban an address or a network."""
    return shared.add_ban(_config(), target, shared.seconds_of(time), reason, sys.stdout)


@bans.command("remove")
@click.argument("target", metavar="IP|CIDR")
@_ends_with_its_code
def remove_ban(target: str) -> int:
    """Lift a ban."""
    return shared.remove_ban(_config(), target, sys.stdout)


@click.group()
def limits() -> None:
    """Look at rate limits without counting."""


@limits.command("show")
@click.argument("client", metavar="IP")
@_ends_with_its_code
def show_limits(client: str) -> int:
    """What a client has left."""
    return shared.show_limits(_config(), client, sys.stdout)


@click.group()
def emergency() -> None:
    """Answer 503 to all but a few."""


@emergency.command("on")
@click.option("--allow", metavar="IP|CIDR", multiple=True)
@click.option("--for", "time", help="90s, 15m, 2h; without it, until 'off'")
@click.option("--reason", default="")
@_ends_with_its_code
def begin_emergency(allow: tuple[str, ...], time: str | None, reason: str) -> int:
    """Begin."""
    seconds = shared.seconds_of(time) if time else None
    return shared.begin_emergency(_config(), allow, seconds, reason, sys.stdout)


@emergency.command("off")
@_ends_with_its_code
def end_emergency() -> int:
    """End."""
    return shared.end_emergency(_config(), sys.stdout)


@emergency.command("status")
@_ends_with_its_code
def show_emergency() -> int:
    """Say whether it is on."""
    return shared.show_emergency(_config(), sys.stdout)


@click.command("inspect")
@click.argument("payload")
@click.option("--in", "where", default="query", show_default=True)
@_ends_with_its_code
def inspect_payload(payload: str, where: str) -> int:
    """Say what the guard makes of a text, and why."""
    outcome = inspect(place(payload, where), _config(), CLIENT)
    report(outcome, sys.stdout)
    return 0 if outcome.passed else 1


@click.command("doctor")
@click.option("--workers", type=int, help="processes that serve the app")
@_ends_with_its_code
def doctor(workers: int | None) -> int:
    """Say what is wrong with the deployment, and what to set."""
    guarded = guarded_app()
    return examine(None, guarded.middleware, workers, sys.stdout)


COMMANDS: tuple[click.Command, ...] = (bans, limits, emergency, inspect_payload, doctor)
"""To be added to the group ``guard``."""
