"""Calls the app if its answer needs more than fixed headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from guard_wsgi.behavior.tracker import BehaviorWatch, Observation
from guard_wsgi.checks.behavior import UNROUTED
from guard_wsgi.ladder.policy import Policy
from guard_wsgi.ladder.refuser import Refuser
from guard_wsgi.request.framing import BodyTooLarge
from guard_wsgi.request.hook_context import (
    UncheckedAnswer,
)
from guard_wsgi.request.late_limit import LateLimit
from guard_wsgi.request.verdict import Verdict
from guard_wsgi.request.view import GuardRequest, is_preflight
from guard_wsgi.response.outgoing import Departure, HeaderList, Write

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Begin = Callable[..., Write]
"""A ``start_response``."""


class AnswerWatcher(Refuser):
    """Measures time, and lets behaviour rules see answers, without holding them back."""

    def _pass_attended(
        self,
        policy: Policy,
        watch: BehaviorWatch | None,
        environ: WSGIEnvironment,
        visit: Departure,
        app: WSGIApplication,
    ) -> Iterable[bytes]:
        """Answer a preflight, or call the app and observe its answer. The response streams past."""
        if policy.cors is not None and is_preflight(environ):
            answer = policy.cors.preflight(environ)
            request = GuardRequest(environ, policy.clients, policy.country_of, self, visit)
            return policy.refusals.send_response(answer, request, visit.start_response)
        start_response = visit.start_response
        begin = visit.begin
        observation = None
        client = visit.identity.address
        if watch is not None and client is not None:
            inside = partial(self.inside, environ) if watch.calls_hooks else nullcontext
            observe = partial(watch.observe, client, visit.verdict.endpoint or UNROUTED, inside)
            if watch.reads_bodies:
                observation = observe()
            elif watch.statuses:
                visit.start_response = _counted(visit.verdict, watch, observe, start_response)
        is_modified = policy.outgoing.modifier is not None
        if observation is not None or is_modified or visit.verdict.deferred is not None:
            attended = self._attended(environ, visit, observation, is_modified)
            visit.start_response = attended
            if is_modified:
                begin = attended
        try:
            response = app(environ, begin)
        except BodyTooLarge:
            return self._refuse_late(policy, environ, visit, start_response)
        except Exception:
            if visit.started:
                self._measure(environ, visit.verdict, visit.started, 500)
            raise
        if visit.body is not None and visit.body.is_limited:
            refuse_late = partial(self._refuse_late, policy, environ, visit, start_response)
            response = LateLimit(response, refuse_late)
        if observation is None or visit.verdict.action == "block":
            return response
        return observation.tap(response, environ.get("wsgi.file_wrapper"))

    def _pass_measured(self, environ: WSGIEnvironment, visit: Departure) -> Iterable[bytes]:
        """Call the app if somebody only wants to know how long it takes."""
        try:
            return self._entry(environ, visit.begin)
        except Exception:
            self._measure(environ, visit.verdict, visit.started, 500)
            raise

    def _attended(
        self,
        environ: WSGIEnvironment,
        visit: Departure,
        observation: Observation | None,
        is_modified: bool,
    ) -> Begin:
        """Return a ``start_response`` that observes how an answer begins."""
        verdict, started, start_response = visit.verdict, visit.started, visit.start_response

        # It must not refer to visit or request, which refer to it: a reference cycle would keep
        # every environ alive.
        def attended_start_response(
            status: str, headers: HeaderList, exc_info: OptExcInfo | None = None
        ) -> Write:
            deferred = verdict.deferred
            if deferred is not None and not deferred.policy.passive:
                raise UncheckedAnswer("the app answered before its own checks had run")
            # A refusal inside was counted there, by the rules of the view.
            refused = verdict.action == "block"
            if is_modified:  # the visit does not see how it begins
                if started:
                    self._measure(environ, verdict, started, int(status[:3]), refused)
                if verdict.observed:
                    verdict.note_status(status, headers)
            if observation is not None and not refused:
                observation.status(int(status[:3]), headers)
            if exc_info is None:
                write = start_response(status, headers)
            else:
                try:
                    write = start_response(status, headers, exc_info)
                finally:
                    exc_info = None  # a traceback and its frame are a reference cycle
            return write if observation is None else observation.write(write)

        return attended_start_response


def _counted(
    verdict: Verdict,
    watch: BehaviorWatch,
    observe: Callable[[], Observation | None],
    start_response: StartResponse,
) -> Begin:
    """Return a ``start_response`` for rules on statuses: most answers have none that counts."""
    observation: Observation | None = None

    def counted_start_response(
        status: str, headers: HeaderList, exc_info: OptExcInfo | None = None
    ) -> Write:
        nonlocal observation
        code = int(status[:3])
        # A refusal inside was counted there, by the rules of the view.
        if code in watch.statuses and verdict.action != "block":
            observation = observation or observe()
            if observation is not None:
                observation.status(code, headers)
        if exc_info is None:
            return start_response(status, headers)
        try:
            return start_response(status, headers, exc_info)
        finally:
            exc_info = None  # a traceback and its frame are a reference cycle

    return counted_start_response
