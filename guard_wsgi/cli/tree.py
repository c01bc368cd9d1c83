"""``guard-wsgi``: serve, check, inspect, and look after the state that workers share.

Exit codes: 0 for yes, 1 for no (a fault, a refusal, nothing to remove), 2 for a command that
could not be carried out. Those of ``doctor`` are its own: 1 for warnings, 2 for errors.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from guard_wsgi.errors import ConfigError, GuardError, MissingExtra

if TYPE_CHECKING:
    from guard_wsgi.config.security import SecurityConfig

FAILED = 2
READER_GONE = 141
"""As a shell reports a program that SIGPIPE ended."""

DEFAULT_PORT = 8000
DEFAULT_BAN_TIME = "1h"


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="guard-wsgi",
        description="Security middleware for any WSGI app.",
        epilog="Without --config, options come from GUARD_* variables.",
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve a WSGI app behind the guard (development)")
    serve.add_argument("app", metavar="MODULE:APP", help="or MODULE:FACTORY()")
    _add_config(serve)
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=DEFAULT_PORT)

    check = commands.add_parser("check", help="list every fault of a configuration file")
    check.add_argument("file", metavar="guard.toml")

    options = commands.add_parser("options", help="list the options, with defaults and reasons")
    options.add_argument("word", nargs="?", default="", help="only options that mention this word")

    inspect = commands.add_parser("inspect", help="show what the guard decides about a request")
    what = inspect.add_mutually_exclusive_group(required=True)
    what.add_argument("payload", metavar="PAYLOAD", nargs="?", help="text to place in a request")
    what.add_argument("--request", metavar="FILE", help="a raw HTTP request; - reads stdin")
    inspect.add_argument("--in", dest="place", default="query", help="where to place the payload")
    inspect.add_argument("--client", metavar="IP", help="the address it comes from")
    inspect.add_argument("--json", action="store_true", help="write the verdict as JSON")
    _add_config(inspect)

    bans = commands.add_parser("bans", help="list, add and lift bans")
    actions = bans.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_config(actions.add_parser("list", help="list the active bans"))
    add = actions.add_parser("add", help="ban an address or a network")
    add.add_argument("target", metavar="IP|CIDR")
    add.add_argument("--for", dest="time", default=DEFAULT_BAN_TIME, help="90s, 15m, 2h, 7d")
    add.add_argument("--reason", default="manual")
    _add_config(add)
    remove = actions.add_parser("remove", help="lift a ban")
    remove.add_argument("target", metavar="IP|CIDR")
    _add_config(remove)

    limits = commands.add_parser("limits", help="show rate limits without counting a request")
    actions = limits.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="what a client has left")
    show.add_argument("client", metavar="IP")
    _add_config(show)

    emergency = commands.add_parser("emergency", help="answer 503 to all but a few")
    actions = emergency.add_subparsers(dest="action", required=True, metavar="ACTION")
    begin = actions.add_parser("on")
    begin.add_argument("--allow", metavar="IP|CIDR", action="append", default=[])
    begin.add_argument("--for", dest="time", help="90s, 15m, 2h; without it, until 'off'")
    begin.add_argument("--reason", default="")
    _add_config(begin)
    _add_config(actions.add_parser("off"))
    _add_config(actions.add_parser("status"))

    report = commands.add_parser("report", help="group the refusals in a log")
    report.add_argument("log", metavar="LOG", help="the custom_log_file; - reads stdin")
    report.add_argument("--reference", metavar="ID", help="only the refusal with this reference")

    # Defaults are those of ConsoleSettings (guard_wsgi_flask.console.settings).
    console = commands.add_parser("console", help="serve the dashboard and playground")
    console.add_argument("--host", help="127.0.0.1; another one needs --password-file")
    console.add_argument("--port", type=int, help="8600")
    console.add_argument(
        "--db",
        metavar="URL",
        help="sqlite:///FILE (guard-console.db in this folder) or postgresql://...",
    )
    console.add_argument("--log", metavar="LOG", help="read and follow a JSON custom_log_file")
    console.add_argument("--store", metavar="URL", help="the store_url: show and change its bans")
    console.add_argument("--keep-days", type=float, metavar="N", help="30; 0 for ever")
    console.add_argument("--keep-megabytes", type=float, metavar="N", help="1024; 0 for all")
    console.add_argument("--password-file", metavar="FILE", help="who may log in, name:role:hash")
    console.add_argument("--add-person", metavar="NAME", help="write one line of it, then exit")
    console.add_argument("--role", choices=("viewer", "admin"), default="viewer")
    console.add_argument("--link", action="store_true", help="print another log-in link, then exit")
    console.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        default=[],
        help="a host name it may be reached by",
    )
    console.add_argument(
        "--trusted-proxy",
        metavar="IP|CIDR",
        action="append",
        default=[],
        help="the proxy in front that terminates TLS",
    )
    console.add_argument("--config", metavar="guard.toml", help="the app's configuration")

    doctor = commands.add_parser("doctor", help="find problems of a deployment")
    doctor.add_argument("app", metavar="MODULE:APP", nargs="?", help="or MODULE:FACTORY()")
    doctor.add_argument("--workers", type=int, metavar="N", help="processes that serve the app")
    _add_config(doctor)
    return parser


class _ShowVersion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *rest: object) -> None:
        print(version("guard-wsgi"))
        parser.exit()


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", metavar="guard.toml", help="TOML file; without it, GUARD_* variables"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    options = build_parser().parse_args(arguments)
    try:
        code = _run(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # `| head` has read enough. Nothing more is written, not by the interpreter's end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except ConfigError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        return FAILED
    except (GuardError, OSError) as error:
        print(f"guard-wsgi: {error}", file=sys.stderr)
        return FAILED


def _configured(path: str | None) -> SecurityConfig:
    """The configuration; its warnings go to people, without the lines of code they came from."""
    from guard_wsgi.cli.loading import load_config

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        config = load_config(path)
    for warning in caught:
        print(f"warning: {warning.message}", file=sys.stderr)
    return config


def _run_console(options: argparse.Namespace) -> int:
    """:raises MissingExtra: without the ``console`` extra."""
    try:
        # The one place where a name of the adapter's stands here: the command tree is one.
        run = import_module("guard_wsgi_flask.console.serving").run
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("guard_wsgi"):
            raise
        raise MissingExtra("guard-wsgi console", "console") from None
    code: int = run(options)
    return code


def _run(options: argparse.Namespace) -> int:
    if options.command == "check":
        from guard_wsgi.cli.checking import check

        return check(options.file, sys.stdout)
    if options.command == "options":
        from guard_wsgi.cli.reference import write_options

        return write_options(options.word, sys.stdout)
    if options.command == "report":
        from guard_wsgi.cli.reporting import find, report

        say = partial(find, options.reference) if options.reference else report

        if options.log == "-":
            return say(sys.stdin, sys.stdout)
        with open(options.log, encoding="utf-8", errors="replace") as log:
            return say(log, sys.stdout)
    if options.command == "console":
        return _run_console(options)
    from guard_wsgi.cli.loading import load_app

    if options.command == "doctor":
        from guard_wsgi.cli.diagnosing import examine

        app = load_app(options.app) if options.app else None
        config = _configured(options.config) if options.config or app is None else None
        return examine(config, app, options.workers, sys.stdout)
    if options.command == "serve":
        from guard_wsgi.cli.serving import serve

        app = load_app(options.app)
        config = _configured(options.config)
        serve(app, config, options.host, options.port, is_given=options.config is not None)
        return 0
    config = _configured(options.config)
    if options.command == "inspect":
        from guard_wsgi.cli import inspecting

        if options.request is None:
            environ = inspecting.place(options.payload, options.place)
        elif options.request == "-":
            environ = inspecting.parse_request(sys.stdin.buffer.read())
        else:
            environ = inspecting.parse_request(Path(options.request).read_bytes())
        outcome = inspecting.inspect(environ, config, options.client or inspecting.CLIENT)
        if options.json:
            print(inspecting.as_json(outcome))
        else:
            inspecting.report(outcome, sys.stdout)
        return 0 if outcome.passed else 1
    from guard_wsgi.cli import shared

    out = sys.stdout
    if options.command == "limits":
        return shared.show_limits(config, options.client, out)
    if options.command == "bans":
        if options.action == "list":
            return shared.list_bans(config, out)
        if options.action == "remove":
            return shared.remove_ban(config, options.target, out)
        seconds = shared.seconds_of(options.time)
        return shared.add_ban(config, options.target, seconds, options.reason, out)
    if options.action == "off":
        return shared.end_emergency(config, out)
    if options.action == "status":
        return shared.show_emergency(config, out)
    seconds_or_none = shared.seconds_of(options.time) if options.time else None
    return shared.begin_emergency(config, options.allow, seconds_or_none, options.reason, out)
