"""``guard-wsgi console``: serve until interrupted."""

from __future__ import annotations

import getpass
import logging
import re
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from guard_wsgi.config.rules import store_fault
from guard_wsgi.errors import ConfigError, GuardError
from guard_wsgi.network.ipset import parse_network
from guard_wsgi_flask.console.app import EVERYWHERE, create_app
from guard_wsgi_flask.console.database import Database, has_file
from guard_wsgi_flask.console.keys import NewKey
from guard_wsgi_flask.console.logreader import LogReader
from guard_wsgi_flask.console.people import LINK_SECONDS, People, Role, add_person
from guard_wsgi_flask.console.services import EXTENSION, Services
from guard_wsgi_flask.console.settings import ConsoleSettings

FIRST_APP = "app"
"""The app of the first key in a new database."""


HOST_NAME = re.compile(r"[\w.-]+\Z|\[[0-9a-fA-F:.]+\]\Z")
"""A host name or an address, without scheme and port."""

SILENT_SECONDS = 60.0
"""An idle connection is closed after this time. An open page of the console gets data every 15
seconds."""
MAX_CONNECTIONS = 512
"""The most connections; each has a thread. At most 256 agents wait for rules, and 64 pages are
live."""


class _Server(ThreadedWSGIServer):
    """Closes connections beyond MAX_CONNECTIONS: threads for ten thousand slow clients would end
    the process."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # the system gives no more threads
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()


class _Handler(WSGIRequestHandler):
    """Logs no line per request: agents send one every second."""

    protocol_version = "HTTP/1.1"
    timeout = SILENT_SECONDS

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class Console:
    """A console server with its threads.

    :raises GuardError: if the settings are not usable.
    :raises OSError: if the port is taken.
    """

    def __init__(self, settings: ConsoleSettings, database: Database | None = None) -> None:
        self.app: Flask = create_app(settings, database=database)
        self.services: Services = self.app.extensions[EXTENSION]
        try:
            self._server = _Server(settings.host, settings.port, self.app, _Handler)
        except BaseException:
            self.services.database.close()
            raise
        # This process writes its address itself.
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        self._reader = (
            LogReader(settings.log, self.services.database, self.services.intake)
            if settings.log is not None
            else None
        )
        shown = f"[{settings.host}]" if ":" in settings.host else settings.host
        self.port = self._server.server_port
        self.url = f"http://{shown}:{self._server.server_port}"

    def link(self) -> str:
        """Make a link that logs in, once."""
        return f"{self.url}/login?token={self.services.people.new_link()}"

    def first_key(self) -> NewKey | None:
        """Make a key, if the database has none."""
        keys = self.services.keys
        return keys.create(FIRST_APP, "first start") if not keys.all() else None

    def begin(self) -> None:
        """Start the background threads."""
        self.services.keeper.touch()
        if self._reader is not None:
            self._reader.start()

    def serve(self) -> None:
        """Serve until :meth:`shutdown`, or an interrupt."""
        self._server.serve_forever()

    def start(self) -> None:
        """Serve in a thread."""
        self.begin()
        threading.Thread(target=self.serve, name="guard-console", daemon=True).start()

    def shutdown(self) -> None:
        self._server.shutdown()

    def close(self) -> None:
        self._server.server_close()
        self.services.keeper.stop()
        if self._reader is not None:
            self._reader.stop()
        self.services.database.close()


def _faults(options: SimpleNamespace) -> Iterator[str]:
    """Say which options of the command line are wrong, by the names that the user wrote."""
    if options.store is not None:
        fault = store_fault("--store", options.store)
        if fault:
            yield fault
    for network in options.trusted_proxy:
        try:
            parse_network(network)
        except ValueError as error:
            yield f"--trusted-proxy: {error}"
    for host in options.allow_host:
        if not HOST_NAME.match(host):
            yield f"--allow-host: {host[:80]!r} is not a host name: omit http:// and the port"
    if options.role is not None and options.add_person is None:
        yield "--role needs --add-person"
    for path in (options.config, *options.geo):
        if path and not Path(path).exists():
            yield f"{path}: there is no such file"


def settings_of(options: SimpleNamespace) -> ConsoleSettings:
    """Read the options of the command line; others have their defaults."""
    settings: dict[str, Any] = {
        "host": options.host,
        "port": options.port,
        "database": options.db,
        "keep_days": options.keep_days,
        "keep_megabytes": options.keep_megabytes,
        "log": Path(options.log) if options.log else None,
        "store": options.store,
        "config": Path(options.config) if options.config else None,
        "password_file": Path(options.password_file) if options.password_file else None,
        "hosts": options.allow_host,
        "trusted_proxies": options.trusted_proxy,
        "geo": [Path(path) for path in options.geo],
    }
    given = {name: value for name, value in settings.items() if value is not None}
    faults = [*_faults(options)]
    if faults:
        raise ConfigError(faults)
    for bound in ("keep_days", "keep_megabytes"):
        if given.get(bound) == 0:
            given[bound] = None
    return ConsoleSettings(**given)


def run(**chosen: Any) -> int:
    """Run ``guard-wsgi console``.

    :param chosen: its options (guard_wsgi/cli/tree.py).
    :raises GuardError: if the settings are not usable.
    """
    options = SimpleNamespace(**chosen)
    if options.add_person is not None:
        return _add_person(options)
    settings = settings_of(options)
    if options.link:
        if not has_file(settings.database):
            raise GuardError(
                f"there is no database {settings.database}: name the console's database with --db,"
                " or start the console first"
            )
        people = People(Database(settings.database), None, settings.session_hours)
        token = people.new_link()
        print(f"http://{settings.host}:{settings.port}/login?token={token}")
        return 0
    console = Console(settings)
    if settings.log is not None and not settings.log.exists():
        print(f"{settings.log}: there is no such file yet", file=sys.stderr)
    print(f"Guard console on {console.url}/ (Ctrl-C ends it)")
    endpoint = console.url
    if settings.host in EVERYWHERE:
        endpoint = f"http://<this machine's name>:{console.port}"
        print("Name the host that browsers and agents use: --allow-host guard.example.com")
    if settings.is_local:
        minutes = LINK_SECONDS // 60
        print(f"Log in with this link (it works once, for {minutes} minutes):\n  {console.link()}")
    else:
        print("Put TLS in front: passwords and events are not encrypted.", file=sys.stderr)
    key = console.first_key()
    if key is not None:
        print("To send events from an app, use this key (it is shown only now):")
        print(
            f'  SecurityConfig(enable_agent=True, agent_endpoint="{endpoint}",\n'
            f'                 agent_api_key="{key.text}", agent_project_id="{key.app}",\n'
            "                 agent_send_paths=True, enable_dynamic_rules=True)"
        )
    else:
        print("The keys that were made before are still valid. The page Keys makes another.")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console.begin()
    try:
        console.serve()
    except KeyboardInterrupt:
        pass
    finally:
        console.close()
    return 0


def _add_person(options: SimpleNamespace) -> int:
    if not options.password_file:
        raise GuardError("--add-person needs --password-file: the person is written there")
    role: Role = options.role or "viewer"
    if sys.stdin.isatty():
        password = getpass.getpass(f"Password for {options.add_person}: ")
        if getpass.getpass("Again: ") != password:
            raise GuardError("the passwords differ")
    else:
        password = sys.stdin.readline().rstrip("\n")
    add_person(Path(options.password_file), options.add_person, role, password)
    print(f"{options.add_person} can log in as {role}")
    return 0
