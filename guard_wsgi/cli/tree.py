"""``guard-wsgi``: serve, check, inspect, and manage the state that workers share.

Exit codes: 0 for done, 1 for no (a fault, a refusal, nothing to remove), 2 for a command that could
not run. ``doctor`` has its own: 1 for warnings, 2 for errors. docs/commands.md lists them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from typing import Any

import click

from guard_wsgi.cli.entrance import (
    FAILED,
    FileEntrance,
    config_option,
    ending,
    read_config,
    warnings_in_lines,
)
from guard_wsgi.cli.operations import operations
from guard_wsgi.errors import MissingExtra

INTERRUPTED = 130
"""The exit code that a shell reports for a program that SIGINT ended."""
READER_GONE = 141
"""The exit code that a shell reports for a program that SIGPIPE ended."""

DEFAULT_PORT = 8000


PORT = click.IntRange(0, 65_535)
"""0 lets the system choose."""
NOT_NEGATIVE = click.FloatRange(min=0)


@click.group(
    "guard-wsgi",
    epilog="Without --config, options come from GUARD_* variables. A command exits with 0 if it is"
    " done, with 1 if the answer is no, and with 2 if it could not run; its --help says more.",
)
@click.version_option(package_name="guard-wsgi", message="%(version)s")
def commands() -> None:
    """Security middleware for any WSGI app."""


@commands.command()
@click.argument("app", metavar="MODULE:APP")
@config_option
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=PORT, default=DEFAULT_PORT, show_default=True)
@ending
def serve(app: str, config: str | None, host: str, port: int) -> int:
    """Serve a WSGI app behind the guard (development).

    MODULE:FACTORY() calls a factory.
    """
    from guard_wsgi.cli import serving
    from guard_wsgi.cli.loading import load_app

    with warnings_in_lines():
        served = load_app(app)
    serving.serve(served, read_config(config), host, port, is_given=config is not None)
    return 0


@commands.command()
@click.argument("file", metavar="guard.toml")
@ending
def check(file: str) -> int:
    """List every fault of a configuration file.

    Exits with 1 if there is one.
    """
    from guard_wsgi.cli import checking

    return checking.check(file, sys.stdout)


@commands.command()
@click.argument("word", default="")
@ending
def options(word: str) -> int:
    """List the options with their defaults and reasons.

    With a WORD, only options that mention it. Exits with 1 if none does.
    """
    from guard_wsgi.cli.reference import write_options

    return write_options(word, sys.stdout)


@commands.command()
@click.argument("log")
@click.option("--reference", metavar="ID", help="only the refusal with this reference")
@ending
def report(log: str, reference: str | None) -> int:
    """Group the refusals in a log.

    LOG is the custom_log_file; - reads stdin. Exits with 0 if the log has no refusal, and with 1 if
    it has some. With --reference, exits with 0 if the refusal is found, and with 1 if not.
    """
    from guard_wsgi.cli import reporting

    say = partial(reporting.find, reference) if reference else reporting.report
    if log == "-":
        return say(sys.stdin, sys.stdout)
    with open(log, encoding="utf-8", errors="replace") as file:
        return say(file, sys.stdout)


@commands.command()
@click.argument("app", metavar="[MODULE:APP]", required=False)
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="processes that serve the app"
)
@config_option
@ending
def doctor(app: str | None, workers: int | None, config: str | None) -> int:
    """Find problems of a deployment.

    MODULE:FACTORY() calls a factory. Exits with 1 if there are warnings, and with 2 if there are
    errors.
    """
    from guard_wsgi.cli.diagnosing import examine
    from guard_wsgi.cli.loading import load_app

    with warnings_in_lines():
        examined = load_app(app) if app else None
    configured = read_config(config) if config or examined is None else None
    return examine(configured, examined, workers, sys.stdout, app or "")


@commands.command()
@ending
def warm() -> int:
    """Compile the patterns of detection ahead of the first start.

    Run it while you build an image: the app's user may use what root has compiled. Exits with 1 if
    something could not be compiled or stored.
    """
    from guard_wsgi.cli import warming

    return warming.warm(sys.stdout)


# The defaults are those of ConsoleSettings (guard_wsgi_flask.console.settings).
@commands.command()
@click.option(
    "--host",
    help="address to serve on; any but 127.0.0.1 needs --password-file [default: 127.0.0.1]",
)
@click.option("--port", type=PORT, help="port to serve on [default: 8600]")
@click.option(
    "--db",
    metavar="URL",
    help="sqlite:///FILE (guard-console.db in this folder) or postgresql://...",
)
@click.option("--log", metavar="LOG", help="read and follow a JSON custom_log_file")
@click.option(
    "--store", metavar="URL", help="a store_url, whose bans the console shows and changes"
)
@click.option(
    "--keep-days",
    type=NOT_NEGATIVE,
    metavar="N",
    help="days to keep events; 0 keeps all [default: 30]",
)
@click.option(
    "--keep-megabytes",
    type=NOT_NEGATIVE,
    metavar="N",
    help="megabytes to keep; 0 keeps all [default: 1024]",
)
@click.option(
    "--password-file",
    metavar="FILE",
    help="the file of people who may log in, a line name:role:hash each",
)
@click.option("--add-person", metavar="NAME", help="add one person to that file, then exit")
@click.option(
    "--role",
    type=click.Choice(("viewer", "admin")),
    help="role of the new person [default: viewer]",
)
@click.option("--link", is_flag=True, help="print another login link, then exit")
@click.option(
    "--allow-host", metavar="NAME", multiple=True, help="a host name that the console answers to"
)
@click.option(
    "--trusted-proxy",
    metavar="IP|CIDR",
    multiple=True,
    help="the proxy in front that terminates TLS",
)
@click.option(
    "--geo", metavar="FILE", multiple=True, help="an MMDB file of countries, or of networks (AS)"
)
@click.option(
    "--config",
    metavar="guard.toml",
    help="the app's configuration, for previews and the playground",
)
@ending
def console(**chosen: Any) -> int:
    """Serve the dashboard and playground."""
    try:
        # The only import from the adapter: there is only one command tree.
        run = import_module("guard_wsgi_flask.console.serving").run
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("guard_wsgi"):
            raise
        raise MissingExtra("guard-wsgi console", "console") from None
    code: int = run(**chosen)
    return code


for _command in operations(FileEntrance()):
    commands.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    :return: the exit code.
    """
    try:
        code = commands.main(
            None if arguments is None else list(arguments),
            prog_name="guard-wsgi",
            standalone_mode=False,
        )
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `| head`, has closed the pipe: write nothing more, not even at
        # shutdown.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except click.ClickException as error:
        error.show()
        return FAILED
    except click.Abort:  # Ctrl-C
        return INTERRUPTED
    return code if isinstance(code, int) else 0
