"""Whether threads work under the server that runs the app."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from guard_wsgi.forks import threads_enabled


def forks_to_come() -> bool:
    """Whether this process has loaded the app only to fork: uWSGI's master, or its future first
    worker.

    No thread may start in it. uWSGI forks in C, and another thread may hold the interpreter's lock
    at that moment. Then the child waits for that lock forever, before it runs a line of Python.
    uWSGI may fork a worker at any time, to replace one that died.
    """
    uwsgi = sys.modules.get("uwsgi")
    try:
        # The master's children that serve no requests (mules) have the worker id 0 as well.
        return (
            uwsgi is not None and uwsgi.worker_id() == 0 and uwsgi.masterpid() in (0, os.getpid())
        )
    except AttributeError:  # another module with the name uwsgi
        return False


def uwsgi_advice() -> str | None:
    """Say why the sender does not work under this uWSGI; ``None`` if it works.

    By default, uWSGI runs no other threads between requests. Nothing would be sent, and nothing
    would fail visibly (getsentry/raven-python and others learned this in production).
    """
    uwsgi = sys.modules.get("uwsgi")
    options = getattr(uwsgi, "opt", None)
    return None if not isinstance(options, Mapping) else advice_for(options)


def advice_for(options: Mapping[Any, Any]) -> str | None:
    """Say why, from the options of uWSGI; keys are text or bytes, by version."""
    names = {name.decode() if isinstance(name, bytes) else str(name) for name in options}
    if not threads_enabled(options):
        return "uWSGI runs without --enable-threads: the agent's thread won't run between requests"
    if not names & {"py-call-uwsgi-fork-hooks", "py-call-osafterfork", "lazy-apps", "lazy"}:
        return (
            "uWSGI forks without Python's hooks: add --py-call-uwsgi-fork-hooks or --lazy-apps. "
            "Events are safe, but threads and locks of other libraries may not be"
        )
    return None
