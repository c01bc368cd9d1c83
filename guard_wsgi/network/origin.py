"""Distinguishes requests over a connection from those of a test in this process.

A test client calls the app as a function, and some give no ``REMOTE_ADDR``, which looks like an
untrusted Unix socket. The contents of a request can't distinguish the two, since a client can send
any contents. The call stack can: a test client, or a test's runner, is on the stack of this thread,
where no remote client can put one.
"""

from __future__ import annotations

import os
import sys
from types import FrameType

TEST_RUNNERS = frozenset({"_pytest.runner", "unittest.case", "doctest", "behave.runner"})
"""Modules that are on the stack while a test runs, however the test calls the app."""

TEST_CLIENTS = frozenset({"webtest.app", "falcon.testing.client", "django.test.client"})
"""Modules that call an app only to test it."""

_WERKZEUG = "werkzeug.test"
"""Only ``Client`` counts: the module also has ``run_wsgi_app``, with which ``Response.from_app``
calls an app behind a real server."""

_CLIENT_METHOD = "open"

_DURING_A_TEST = "PYTEST_CURRENT_TEST"
"""pytest sets this while a test runs, and its child processes have it, too: live servers."""


def is_called_by_a_test() -> bool:
    """Whether a test in this thread has called the app. It looks at each frame of the stack, which
    takes some microseconds, so ask it only before a refusal."""
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
    """Whether a test in this thread has called the app, or a test has started this live server."""
    return _DURING_A_TEST in os.environ or is_called_by_a_test()
