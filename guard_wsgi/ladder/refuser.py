"""Reports, renders and sends a refusal."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from time import perf_counter
from typing import TYPE_CHECKING

from guard_wsgi.behavior.tracker import BehaviorWatch
from guard_wsgi.checks.access import ClientBans, Emergency
from guard_wsgi.checks.behavior import UNROUTED, ClientBehavior
from guard_wsgi.ladder.decider import Decider
from guard_wsgi.ladder.measured_visit import MeasuredVisit
from guard_wsgi.ladder.policy import Policy
from guard_wsgi.network.standing import MEASURED
from guard_wsgi.request.block import Block
from guard_wsgi.request.current_request import CurrentRequest
from guard_wsgi.request.response import GuardResponse
from guard_wsgi.request.verdict import Verdict
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.request.visit import Visit, arrive
from guard_wsgi.response.refusal import with_reference

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_KEPT_OUT = frozenset({ClientBans.name, Emergency.name, ClientBehavior.name})
"""The checks that refuse because of earlier requests."""


class Refuser(Decider):
    """Answers instead of the app."""

    def _refuse(
        self,
        policy: Policy,
        request: GuardRequest,
        block: Block,
        start_response: StartResponse,
        exc_info: OptExcInfo | None = None,
    ) -> Iterable[bytes]:
        if not policy.calls_hooks_on_refusal:
            return self._send_refusal(policy, request, block, start_response, exc_info)
        with self.inside(request.environ):
            return self._send_refusal(policy, request, block, start_response, exc_info)

    def _send_refusal(
        self,
        policy: Policy,
        request: GuardRequest,
        block: Block,
        start_response: StartResponse,
        exc_info: OptExcInfo | None,
    ) -> Iterable[bytes]:
        self._tell(policy, request, block)
        if request.started:
            self._measure(
                request.environ, request.verdict, request.started, block.status, blocked=True
            )
        if self.renderer is not None:
            rendered = self._rendered(policy, block, request)
            if rendered is not None:
                return policy.refusals.send_response(rendered, request, start_response, exc_info)
        return policy.refusals.send(block, request, start_response, exc_info)

    def _rendered(
        self, policy: Policy, block: Block, request: GuardRequest
    ) -> GuardResponse | None:
        """Return the framework's response for a refusal, if it has one."""
        if self.renderer is None:
            return None
        try:
            with CurrentRequest(request.environ):
                rendered = self.renderer(
                    block, request.environ, lambda: policy.refusals.response(block, request)
                )
            if rendered is None:
                return None
            return with_reference(rendered, request.request_id)
        except Exception as error:  # the app's error page must not undo the refusal
            self._report.fault("renderer", error)
            return None

    def _refuse_late(
        self,
        policy: Policy,
        environ: WSGIEnvironment,
        visit: Visit,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """Refuse after the app has read a body of unknown length past the limit. It may have begun
        to answer."""
        request = GuardRequest(environ, policy.clients, policy.country_of, self, visit)
        block = Block(
            status=413,
            message="Request too large",
            check="request_size_content",
            event="content_filtered",
            reason="the body is longer than the limit",
        )
        return self._refuse(policy, request, block, start_response, exc_info=sys.exc_info())

    def _watch_refusal(self, watch: BehaviorWatch, request: GuardRequest, block: Block) -> None:
        """Let behaviour rules count the guard's own 401s and 403s, which guesses and scans get
        instead of the app's. A client that is already kept out does not extend its ban."""
        if request.client is None or block.check in _KEPT_OUT:
            return
        observation = watch.observe(request.client, request.endpoint or UNROUTED)
        if observation is None:
            return
        try:
            observation.status(block.status, [])
        except Exception as error:  # as in a check: a fault must not become an error of the app
            self._report.fault(ClientBehavior.name, error)

    def _measured(self, policy: Policy, environ: WSGIEnvironment) -> MeasuredVisit:
        """Begin a visit that is reported when its answer begins."""
        visit = MeasuredVisit(environ, self._measure, self._events.observer)
        arrive(environ, policy.clients, self, visit)
        visit.started = perf_counter()
        visit.standing |= MEASURED
        return visit

    def _measure(
        self,
        environ: WSGIEnvironment,
        verdict: Verdict,
        started: float,
        status: int,
        blocked: bool = False,
    ) -> None:
        # A request without an endpoint at this point matched no route.
        named = blocked or verdict.endpoint is not None
        template = self.name_route(environ, verdict.endpoint) if named else None
        self._events.observe(
            template, environ["REQUEST_METHOD"], status, perf_counter() - started, blocked
        )
