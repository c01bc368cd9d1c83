"""What a server needs before threads work in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from guard_wsgi.forks import threads_enabled


def forks_to_come() -> bool:
    """Whether this process has loaded the app only to fork: uWSGI's master, or what will be its
    first worker.

    No thread may be started in it. uWSGI forks in C, and not the thread that forks but any other
    may hold the interpreter's lock at that moment: its children wait for that lock for ever,
    before a line of Python is run in them. A worker that dies is forked anew at any time.
    """
    uwsgi = sys.modules.get("uwsgi")
    try:
        # The master's own children that serve no requests (mules) have the worker id 0 as well.
        return (
            uwsgi is not None and uwsgi.worker_id() == 0 and uwsgi.masterpid() in (0, os.getpid())
        )
    except AttributeError:  # a module of that name that is not the server's
        return False


def uwsgi_advice() -> str | None:
    """Why the sender will not work under this uWSGI, or ``None`` elsewhere.

    uWSGI does not run other threads between requests by default. Nothing would be sent, and
    nothing would fail either (getsentry/raven-python and others learned this in production).
    """
    uwsgi = sys.modules.get("uwsgi")
    options = getattr(uwsgi, "opt", None)
    return None if not isinstance(options, Mapping) else advice_for(options)


def advice_for(options: Mapping[Any, Any]) -> str | None:
    """The same, for the options of uWSGI; keys are text or bytes, by version."""
    names = {name.decode() if isinstance(name, bytes) else str(name) for name in options}
    if not threads_enabled(options):
        return "uWSGI runs without --enable-threads: the agent's thread won't run between requests"
    if not names & {"py-call-uwsgi-fork-hooks", "py-call-osafterfork", "lazy-apps", "lazy"}:
        return (
            "uWSGI forks without Python's hooks: add --py-call-uwsgi-fork-hooks or --lazy-apps "
            "(events are safe, other libraries' threads and locks may not be)"
        )
    return None
