"""The guard's decision on a request, which the app finds at ``environ["guard_wsgi"]``."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Literal, Protocol

from guard_wsgi.request.reference import new_reference

if TYPE_CHECKING:
    from guard_wsgi.detection import Finding
    from guard_wsgi.request.block import Block
    from guard_wsgi.request.response import GuardResponse
    from guard_wsgi.state.ratelimit import Quota

ENVIRON_KEY = "guard_wsgi"

_OF_THE_SITE = frozenset(
    {
        *("guard", "environ_id", "route", "passed_before", "refusals", "deferred", "unmodified"),
        *("first", "runs", "observed", "expected", "called"),
    }
)
_SHARED = _OF_THE_SITE | {"block"}


class AnswerObserver(Protocol):
    """Looks at an answer."""

    @property
    def wants_body(self) -> bool: ...

    def status(self, status: int, headers: Iterable[tuple[str, str]]) -> None: ...

    def tap(self, iterable: Iterable[bytes], file_wrapper: object = None) -> Iterable[bytes]: ...


Action = Literal["pass", "observe", "block"]


class Verdict:
    """The checks fill it as they run; the app sees it complete.

    It refers to no environ and no request: the environ refers to it, and a reference cycle would
    keep every environ alive until the garbage collector runs.

    :ivar action: ``"pass"``; ``"observe"`` when passive mode let through what it would have
        blocked; ``"block"`` on the way to a refusal.
    :ivar client_ip: canonical address, ``"unknown"`` for a peer without one.
    :ivar environ_id: the ``id`` of the environ of the decision.
    :ivar country: ISO 3166 code, or ``None`` if it is not known; looked up on first access.
    :ivar endpoint: the route's template or name; ``None`` if no resolver knows the request.
    :ivar route: the view's :class:`RouteConfig`, or ``None``.
    :ivar passed_before: the rules of views that were checked before those of ``route``.
    :ivar refusals: the rules of views that refused when the app came to them, with the answers.
    :ivar first: what was decided before the app was called; ``None`` for that itself.
    :ivar runs: how often a function whose calls are counted was called for the request.
    :ivar expected: what the view carries that the framework is about to call, if its rules were
        checked: its first call needs no question. False after any other call.
    :ivar called: the function that was called as expected, and what it carries.
    :ivar observed: what looks at the answer for rules of views that were not predicted.
    :ivar defers_credentials: whether the request is a preflight that has been answered for without
        credentials: none of the view's code may run but what answers it.
    :ivar principal: the result of the authentication verifier.
    :ivar findings: what detection found, also in passive mode.
    :ivar quota: the tightest limit that was charged, what remains of it, and the seconds until it
        is full again.
    :ivar block: the first refusal, also in passive mode, or ``None``.
    :ivar deferred: the part of the decision that is made inside the app (hook_context.py).
    :ivar unmodified: the request, until ``custom_response_modifier`` gets its answer.
    :ivar request_id: the id of the request in the log, in events, and in a refusal: a UUID in 32
        hexadecimal digits.
    """

    # The defaults are on the class, and there is no __init__: every request makes a verdict, most
    # fields never change, and a call would take noticeable time.
    client_ip: str = "unknown"
    guard: object = None
    environ_id: int = 0
    action: Action = "pass"
    endpoint: str | None = None
    route: Any = None
    passed_before: tuple[Any, ...] = ()
    refusals: tuple[tuple[Any, GuardResponse], ...] = ()
    first: Verdict | None = None
    runs: dict[Any, int] | None = None
    expected: Any = None
    called: tuple[Any, Any] | None = None
    observed: tuple[AnswerObserver, ...] = ()
    defers_credentials: bool = False
    principal: Any = None
    findings: tuple[Finding, ...] = ()
    quota: Quota | None = None
    block: Block | None = None
    deferred: Any = None
    unmodified: Any = None
    _request_id: str = ""
    _country: str | None = ""

    @property
    def request_id(self) -> str:
        # Made on first access, as few requests are ever reported.
        name = self._request_id
        if not name:
            name = self._request_id = new_reference(self.client_ip)
        return name

    @property
    def country(self) -> str | None:
        code = self._country
        if code == "":
            look_up = getattr(self.guard, "country_of", None)
            code = self._country = look_up(self.client_ip) if look_up is not None else None
        return code

    @country.setter
    def country(self, code: str | None) -> None:
        self._country = code

    def has_checked(self, route: Any) -> bool:
        """Whether the rules of ``route`` were checked for this request, and let it pass."""
        if self.deferred is not None:
            return False
        mine = self.route
        if mine is not None and self.action != "block" and mine.includes(route):
            return True
        passed_before = self.passed_before
        return bool(passed_before) and any(one.includes(route) for one in passed_before)

    def note_status(self, status: str, headers: Iterable[tuple[str, str]]) -> None:
        """Let what observes the answer see how it begins; a refusal has been counted."""
        if self.action != "block":
            for observing in self.observed:
                observing.status(int(status[:3]), headers)

    def runs_again(self, view: Any, route: Any) -> bool:
        """Note a call of a function whose calls are counted by ``route``.

        :return: whether it has to be counted: what holds the rules counts for one call of each of
            the functions that have them.
        """
        first = self.first or self
        runs = first.runs
        if runs is None:
            runs = first.runs = {}
            if first.called is not None:
                runs[first.called[0], id(first.called[1])] = 1
        called = view, id(route)
        runs[called] = calls = runs.get(called, 0) + 1
        counted = runs.get(id(route), 1)
        if calls <= counted:
            return False
        runs[id(route)] = counted + 1
        return True

    def counted_as(self, route: Any) -> tuple[str, str]:
        """The names under which all rules that contain those of ``route`` count: a further call
        counts with the first."""
        for rules in self.passed:
            if rules.includes(route):
                limits = rules if _limits_of(rules) == _limits_of(route) else route
                return limits.limits_counted_as, rules.behavior_counted_as
        return route.limits_counted_as, route.behavior_counted_as

    @property
    def passed(self) -> tuple[Any, ...]:
        """The rules that have let the request pass. An app may continue after other rules
        refused."""
        if self.route is None or self.action == "block":
            return self.passed_before
        return (*self.passed_before, self.route)

    @property
    def check(self) -> str:
        """Name of the check that refused (or would have); ``""`` if none did."""
        return "" if self.block is None else self.block.check

    @property
    def reason(self) -> str:
        """The reason of the refusal."""
        return "" if self.block is None else self.block.reason

    # Frameworks copy and pickle their requests, environ and all (Django's HttpRequest can do both).

    def __deepcopy__(self, memo: dict[int, Any]) -> Verdict:
        """Copy the verdict, with the same refusal, guard and rules: nobody writes to those."""
        copied = Verdict()
        vars(copied).update(
            (name, part if name in _SHARED else deepcopy(part, memo))
            for name, part in vars(self).items()
        )
        return copied

    def __getstate__(self) -> dict[str, Any]:
        """Pickle what another process can use: neither the guard nor the view's rules."""
        return {name: part for name, part in vars(self).items() if name not in _OF_THE_SITE}

    def __repr__(self) -> str:
        return (
            f"Verdict({self.action}, client_ip={self.client_ip!r}, "
            f"check={self.check!r}, endpoint={self.endpoint!r})"
        )


def _limits_of(route: Any) -> tuple[Any, ...]:
    return route.rate_limit, route.rate_limit_window, route.geo_rate_limits
