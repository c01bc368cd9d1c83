"""Whether a request came over a connection, or from a test in this process.

A test client calls the app as a function, and some give it no ``REMOTE_ADDR``: to a guard that
looks like a Unix socket that nobody trusts. Nothing that a request carries can tell the two
apart, for a request may carry anything. What called the app can: a test client, or a test's
runner, stands on the stack of this thread, where no remote client can put one.
"""

from __future__ import annotations

import os
import sys
from types import FrameType

TEST_RUNNERS = frozenset({"_pytest.runner", "unittest.case", "doctest", "behave.runner"})
"""Modules that are on the stack while a test runs, whatever calls the app in it."""

TEST_CLIENTS = frozenset({"webtest.app", "falcon.testing.client", "django.test.client"})
"""Modules that call an app for no other purpose than to test it."""

_WERKZEUG = "werkzeug.test"
"""Only its ``Client``: the module also has ``run_wsgi_app``, by which ``Response.from_app`` calls
an app behind a real server."""

_CLIENT_METHOD = "open"

_DURING_A_TEST = "PYTEST_CURRENT_TEST"
"""pytest sets this while a test runs, and its child processes have it, too: live servers."""


def is_called_by_a_test() -> bool:
    """Whether a test in this thread is what called the app. Looks at each frame of the stack: some
    microseconds, so ask only before something is refused."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__")
        if (
            module in TEST_CLIENTS
            or module in TEST_RUNNERS
            or (module == _WERKZEUG and frame.f_code.co_name == _CLIENT_METHOD)
        ):
            return True
        frame = frame.f_back
    return False


def serves_a_test() -> bool:
    """The same, or a live server that a test has started."""
    return _DURING_A_TEST in os.environ or is_called_by_a_test()
