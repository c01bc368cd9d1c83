"""What the pages share, once per app."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from attrs import frozen
from flask import current_app

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.repeats import is_reported
from guard_wsgi_flask.console.audit import Audit
from guard_wsgi_flask.console.database import Database
from guard_wsgi_flask.console.geography import Geography
from guard_wsgi_flask.console.intake import Intake
from guard_wsgi_flask.console.keys import Keys
from guard_wsgi_flask.console.people import People
from guard_wsgi_flask.console.retention import Keeper
from guard_wsgi_flask.console.rulebook import RuleBook
from guard_wsgi_flask.console.running_work import Work
from guard_wsgi_flask.console.settings import ConsoleSettings
from guard_wsgi_flask.console.sharedbans import SharedBans

EXTENSION = "guard_console"


class Places:
    """Allows a number of uses at a time; nobody waits for one."""

    def __init__(self, places: int) -> None:
        self._free = threading.Semaphore(places)

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Yield whether one is free; it is released at the end."""
        has_place = self._free.acquire(blocking=False)
        try:
            yield has_place
        finally:
            if has_place:
                self._free.release()


class Repeats:
    """Selects which of many equal faults to log."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, name: str) -> bool:
        """Count one. Return whether it is the first, the second, the fourth, and so on."""
        self._counts[name] += 1
        return is_reported(self._counts[name])


@frozen(slots=True)
class Services:
    """:ivar base: the app's own configuration, if the console knows it."""

    settings: ConsoleSettings
    base: SecurityConfig
    database: Database
    intake: Intake
    keys: Keys
    rules: RuleBook
    people: People
    audit: Audit
    keeper: Keeper
    bans: SharedBans | None
    live: Places
    waiting: Places
    refusals: Repeats
    geography: Geography | None
    work: Work


def services() -> Services:
    """Return the services of the current app."""
    return cast(Services, current_app.extensions[EXTENSION])
