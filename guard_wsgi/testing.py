"""For the tests of an app that the guard protects.

A suite runs unchanged under the default configuration: test clients need no address, and the
limit that nobody has set does not hold for them. This is for what remains: to switch the guard
off, and to test what it does::

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

import time
from collections.abc import Iterator
from contextlib import contextmanager
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


@frozen(slots=True)
class Refusal:
    """One request that the guard refused, or would have refused in passive mode.

    :ivar check: which check it was, as logs and events name it.
    :ivar status: the status of the answer; in passive mode that which it would have had.
    :ivar reason: for the operator; the client never sees it.
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
    """Within the block every request passes untouched.

    :raises LookupError: when the app is not guarded.
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
    """Within the block the guard keeps its state apart, in memory, on a clock that the test moves.

    Limits, bans and counters begin empty, whatever the app's store holds, and are forgotten at
    the end: tests leave nothing to each other.

    :raises LookupError: when the app is not guarded.
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
    try:
        yield control
    finally:
        guard.services.events.remove_sink(control)
        guard.use_store(former).close()


def guard_of(app: object) -> GuardMiddleware:
    """The guard around or inside a WSGI app.

    :raises LookupError: when there is none.
    """
    guard = find_guard(app)
    if guard is None:
        raise LookupError(
            f"{app!r} is not guarded: pass what the server gets, GuardMiddleware(app) or the"
            " Flask app that FlaskAPIGuard was given"
        )
    return guard


class MovedClock:
    """The machine's clocks, moved ahead by as much as a test says."""

    def __init__(self) -> None:
        self._ahead_ns = 0

    def move(self, seconds: float) -> None:
        """:raises ValueError: for a time that is negative: clocks of guards never go back."""
        if seconds < 0:
            raise ValueError(f"a clock only moves forward, not by {seconds} s")
        self._ahead_ns += round(seconds * NANOSECONDS)

    def monotonic_ns(self) -> int:
        return time.monotonic_ns() + self._ahead_ns

    def wall_ns(self) -> int:
        return time.time_ns() + self._ahead_ns


class ControlledGuard:
    """A guard in the hands of a test.

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
        """Let so much time pass for limits, bans and counters. ``@time_window`` and a declared
        emergency go by the machine's clock."""
        self._clock.move(seconds)

    def reset(self) -> None:
        """Forget limits, bans, counters and refusals."""
        self.guard.reset()
        self.refusals.clear()

    def assert_refused(
        self, response: Any, *, check: str | None = None, status: int | None = None
    ) -> Refusal:
        """The refusal behind a response of the guard's, and not of the app's.

        :param response: of any test client: werkzeug's, Flask's, WebTest's, falcon's, requests'.
        :param check: which check it must have been, such as ``"rate_limit"``.
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
        """:raises AssertionError: if the guard refused, saying which check and why, or was never
        asked."""
        _came_through(response)
        refusal = self._refusal_of(response)
        assert refusal is None, (
            f"{refusal.check} refused {refusal.path} with {refusal.status}: {refusal.reason}"
        )

    def send_event(self, event: SecurityEvent) -> None:
        """Takes the guard's events; not for tests to call."""
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
    """Django's own test client calls its handler, not the app that the guard wraps."""
    environ = getattr(getattr(response, "wsgi_request", None), "environ", None)
    assert environ is None or ENVIRON_KEY in environ, (
        "this client goes around the guard: put 'guard_wsgi.django.ViewRulesMiddleware' first in"
        " MIDDLEWARE, and name the guarded app in WSGI_APPLICATION"
    )


def _status(response: Any) -> int:
    status = getattr(response, "status_code", None)
    return int(response.status_int if status is None else status)
