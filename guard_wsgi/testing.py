"""For the tests of an app that the guard protects.

A suite runs unchanged under the default configuration: test clients need no address, and the
default rate limit does not apply to them. This module switches the guard off, and tests what it
does::

    from guard_wsgi import testing

    def test_the_sixth_login_is_refused():
        with testing.controlled(app) as guard:
            client = app.test_client()
            for _ in range(5):
                guard.assert_passed(client.post("/login"))
            guard.assert_refused(client.post("/login"), check="rate_limit", status=429)
            guard.move_clock(60)
            guard.assert_passed(client.post("/login"))

``app`` is what the server gets: the guard, or a Flask app or another middleware around it.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from guard_wsgi.doctor.diagnosis import find_guard
from guard_wsgi.request.verdict import ENVIRON_KEY
from guard_wsgi.response.refusal import REFERENCE_HEADER
from guard_wsgi.state.clock import NANOSECONDS, Clock
from guard_wsgi.state.store import Store

if TYPE_CHECKING:
    from guard_wsgi.middleware import GuardMiddleware
    from guard_wsgi.telemetry.events import SecurityEvent

REFUSED = "request_blocked"
PASSED_IN_PASSIVE_MODE = "logged_only"


_BYPASSES = (
    "this client goes around the guard: use it within testing.controlled(app), where app is what"
    " the server gets, a guard around get_wsgi_application()"
)


class BypassedGuard(UserWarning):
    """A test sent requests that the guard did not see, so it says nothing about the guard."""


@frozen(slots=True)
class Refusal:
    """One request that the guard refused, or would have refused in passive mode.

    :ivar check: the name of the check, as in logs and events.
    :ivar status: the status of the answer; in passive mode, the status that it would have had.
    :ivar reason: a reason for the operator; the client never sees it.
    :ivar reference: what the client sees: ``X-Request-Id``.
    """

    check: str
    status: int | None
    reason: str
    path: str
    reference: str
    would_have: bool = False


@contextmanager
def off(app: object) -> Iterator[None]:
    """Let every request in the block pass untouched.

    :raises LookupError: if the app is not guarded.
    """
    guard = guard_of(app)
    config = guard.config
    guard.reconfigure(config.evolve(enabled=False))
    try:
        yield
    finally:
        guard.reconfigure(config)


@contextmanager
def controlled(app: object) -> Iterator[ControlledGuard]:
    """Give the guard an empty state in memory, and a clock that the test moves, within the block.

    Limits, bans and counters begin empty, whatever the app's store holds, and are forgotten at the
    end, so that tests do not affect each other. ``django.test.Client``, which calls no WSGI app,
    sends its requests through the guard meanwhile.

    :raises LookupError: if the app is not guarded.
    """
    guard = guard_of(app)
    clock = MovedClock()
    settings = evolve(
        guard.services.store.settings,
        clock=Clock(monotonic_ns=clock.monotonic_ns, wall_ns=clock.wall_ns),
    )
    former = guard.use_store(Store.open("memory://", settings=settings))
    control = ControlledGuard(guard, clock)
    guard.services.events.add_sink(control)
    unguarded = getattr(guard.resolver, "unguarded", _none_unguarded)
    try:
        with unguarded() as bypassing, _django_client(guard):
            yield control
    finally:
        guard.services.events.remove_sink(control)
        guard.use_store(former).close()
    if bypassing:
        warnings.warn(f"{', '.join(bypassing)}: {_BYPASSES}", BypassedGuard, stacklevel=3)


def _django_client(guard: GuardMiddleware) -> AbstractContextManager[object]:
    """Send what Django's test client sends through the guard, if the app is Django's."""
    if "django" not in sys.modules:
        return nullcontext()
    from guard_wsgi.routes.django_client import through

    return through(guard)


@contextmanager
def _none_unguarded() -> Iterator[list[str]]:
    """Stand in for :meth:`DjangoResolver.unguarded` in other apps, whose clients call the guard."""
    yield []


def guard_of(app: object) -> GuardMiddleware:
    """Find the guard around or inside a WSGI app.

    :raises LookupError: if there is none.
    """
    guard = find_guard(app)
    if guard is None:
        name = getattr(app, "__name__", getattr(app, "name", ""))
        raise LookupError(
            f"{name!r} ({type(app).__name__}) is not guarded: pass what the server gets,"
            " GuardMiddleware(app) or the"
            " Flask app that FlaskAPIGuard was given"
        )
    return guard


class MovedClock:
    """The machine's clocks, moved ahead by a test."""

    def __init__(self) -> None:
        self._ahead_ns = 0

    def move(self, seconds: float) -> None:
        """:raises ValueError: if the time is negative: a guard's clock never goes back."""
        if seconds < 0:
            raise ValueError(f"the clock only moves forward, not by {seconds} s")
        self._ahead_ns += round(seconds * NANOSECONDS)

    def monotonic_ns(self) -> int:
        return time.monotonic_ns() + self._ahead_ns

    def wall_ns(self) -> int:
        return time.time_ns() + self._ahead_ns


class ControlledGuard:
    """A guard that a test controls.

    :ivar guard: the :class:`GuardMiddleware`, for ``guard.bans`` and ``guard.limits``.
    :ivar refusals: what was refused in the block, in order.
    """

    takes_muted_events = True
    wants_metrics = False

    def __init__(self, guard: GuardMiddleware, clock: MovedClock) -> None:
        self.guard = guard
        self.refusals: list[Refusal] = []
        self._clock = clock

    def move_clock(self, seconds: float) -> None:
        """Move the time of limits, bans and counters ahead. ``@time_window`` and a declared
        emergency follow the machine's clock."""
        self._clock.move(seconds)

    def reset(self) -> None:
        """Forget limits, bans, counters and refusals."""
        self.guard.reset()
        self.refusals.clear()

    def assert_refused(
        self, response: Any, *, check: str | None = None, status: int | None = None
    ) -> Refusal:
        """Assert that the guard, not the app, answered, and return its refusal.

        :param response: a response of any test client: werkzeug's, Flask's, WebTest's, falcon's,
            requests'.
        :param check: the check that must have refused, such as ``"rate_limit"``.
        :raises AssertionError: if the app answered, another check refused, or the status differs.
        """
        _came_through(response)
        refusal = self._refusal_of(response)
        assert refusal is not None, f"the app answered {_status(response)}; nothing was refused"
        described = (
            f"{refusal.check} refused {refusal.path} with {refusal.status}: {refusal.reason}"
        )
        assert check is None or refusal.check == check, f"not {check}: {described}"
        assert status is None or _status(response) == status, f"not {status}: {described}"
        return refusal

    def assert_passed(self, response: Any) -> None:
        """Assert that the guard let the request pass.

        :raises AssertionError: if the guard refused (the error names check and reason), or never
            saw the request."""
        _came_through(response)
        refusal = self._refusal_of(response)
        assert refusal is None, (
            f"{refusal.check} refused {refusal.path} with {refusal.status}: {refusal.reason}"
        )

    def send_event(self, event: SecurityEvent) -> None:
        """Collects the guard's events; tests do not call it."""
        if event.action_taken not in (REFUSED, PASSED_IN_PASSIVE_MODE):
            return
        self.refusals.append(
            Refusal(
                check=str(event.metadata.get("check", "")),
                status=event.status_code,
                reason=event.reason,
                path=event.endpoint or "",
                reference=str(event.metadata.get("request_id", "")),
                would_have=event.action_taken == PASSED_IN_PASSIVE_MODE,
            )
        )

    def _refusal_of(self, response: Any) -> Refusal | None:
        reference = response.headers.get(REFERENCE_HEADER)
        for refusal in self.refusals:
            if refusal.reference == reference and not refusal.would_have:
                return refusal
        return None


def _came_through(response: Any) -> None:
    """Assert that the request reached the guard: Django's test client calls Django's handler
    itself."""
    environ = getattr(getattr(response, "wsgi_request", None), "environ", None)
    assert environ is None or ENVIRON_KEY in environ, _BYPASSES


def _status(response: Any) -> int:
    status = getattr(response, "status_code", None)
    return int(response.status_int if status is None else status)
