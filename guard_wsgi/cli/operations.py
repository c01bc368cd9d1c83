"""Commands for a running site, in ``guard-wsgi`` and in ``flask guard``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guard_wsgi.cli.entrance import Entrance

if TYPE_CHECKING:
    from guard_wsgi.config.security import SecurityConfig

DEFAULT_BAN_TIME = "1h"
DURATIONS = "90s, 15m, 2h, 7d"
PLACES = "where to place the payload: query, path, header, cookie, form, json or text"


def operations(entrance: Entrance) -> tuple[click.Command, ...]:
    """The commands; each gets the configuration of its entry."""
    return _inspect(entrance), _bans(entrance), _limits(entrance), _emergency(entrance)


def _inspect(entrance: Entrance) -> click.Command:
    @click.command("inspect", context_settings={"ignore_unknown_options": True})
    @click.argument("payload", required=False)
    @click.option("--request", metavar="FILE", help="a raw HTTP request; - reads stdin")
    @click.option("--in", "place", default="query", show_default=True, help=PLACES)
    @click.option("--client", metavar="IP", help="the client's address [default: 198.51.100.1]")
    @click.option("--json", "as_json", is_flag=True, help="write the verdict as JSON")
    @entrance.configured
    def inspect(
        config: SecurityConfig,
        payload: str | None,
        request: str | None,
        place: str,
        client: str | None,
        as_json: bool,
    ) -> int:
        """Show what the guard decides about a request.

        PAYLOAD is a text to place in a request. Exits with 0 if the request passes, and with 1 if
        it is refused.
        """
        from guard_wsgi.cli import inspecting

        if (payload is None) == (request is None):
            raise click.UsageError("give either a PAYLOAD or --request FILE")
        if payload is not None:
            environ = inspecting.place(payload, place)
        elif request == "-":
            environ = inspecting.parse_request(sys.stdin.buffer.read())
        else:
            environ = inspecting.parse_request(Path(str(request)).read_bytes())
        outcome = inspecting.inspect(environ, config, client or inspecting.CLIENT)
        if as_json:
            print(inspecting.as_json(outcome))
        else:
            inspecting.report(outcome, sys.stdout)
        return 0 if outcome.passed else 1

    return inspect


def _bans(entrance: Entrance) -> click.Command:
    @click.group()
    def bans() -> None:
        """List, add and lift bans."""

    @bans.command("list")
    @entrance.configured
    def list_bans(config: SecurityConfig) -> int:
        """List the active bans."""
        from guard_wsgi.cli import shared

        return shared.list_bans(config, sys.stdout)

    @bans.command("add")
    @click.argument("target", metavar="IP|CIDR")
    @click.option(
        "--for",
        "time",
        metavar="DURATION",
        default=DEFAULT_BAN_TIME,
        show_default=True,
        help=f"how long: {DURATIONS}",
    )
    @click.option(
        "--reason", default="manual", show_default=True, help="why; shown in logs and lists"
    )
    @entrance.configured
    def add_ban(config: SecurityConfig, target: str, time: str, reason: str) -> int:
        """Ban an address or a network."""
        from guard_wsgi.cli import shared

        return shared.add_ban(config, target, shared.seconds_of(time), reason, sys.stdout)

    @bans.command("remove")
    @click.argument("target", metavar="IP|CIDR")
    @entrance.configured
    def remove_ban(config: SecurityConfig, target: str) -> int:
        """Lift a ban.

        Exits with 1 if there was none, or if another ban still applies.
        """
        from guard_wsgi.cli import shared

        return shared.remove_ban(config, target, sys.stdout)

    return bans


def _limits(entrance: Entrance) -> click.Command:
    @click.group()
    def limits() -> None:
        """Show rate limits without counting a request."""

    @limits.command("show")
    @click.argument("client", metavar="IP")
    @entrance.configured
    def show_limits(config: SecurityConfig, client: str) -> int:
        """Show what a client has left."""
        from guard_wsgi.cli import shared

        return shared.show_limits(config, client, sys.stdout)

    return limits


def _emergency(entrance: Entrance) -> click.Command:
    @click.group()
    def emergency() -> None:
        """Answer 503 to everybody except a few."""

    @emergency.command("on")
    @click.option("--allow", metavar="IP|CIDR", multiple=True, help="who may pass")
    @click.option(
        "--for", "time", metavar="DURATION", help=f"how long: {DURATIONS} [default: until off]"
    )
    @click.option("--reason", default="", help="why; shown in logs and by status")
    @entrance.configured
    def begin(config: SecurityConfig, allow: tuple[str, ...], time: str | None, reason: str) -> int:
        """Begin emergency mode."""
        from guard_wsgi.cli import shared

        seconds = shared.seconds_of(time) if time else None
        return shared.begin_emergency(config, allow, seconds, reason, sys.stdout)

    @emergency.command("off")
    @entrance.configured
    def end(config: SecurityConfig) -> int:
        """End emergency mode.

        Exits with 1 if the configuration declares it, which no command can end.
        """
        from guard_wsgi.cli import shared

        return shared.end_emergency(config, sys.stdout)

    @emergency.command("status")
    @entrance.configured
    def status(config: SecurityConfig) -> int:
        """Show whether emergency mode is on."""
        from guard_wsgi.cli import shared

        return shared.show_emergency(config, sys.stdout)

    return emergency
