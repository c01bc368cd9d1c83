"""Calls the app's own functions in the app's context: before the app, or inside of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from guard_wsgi.behavior.tracker import BehaviorWatch
from guard_wsgi.checks.behavior import UNROUTED
from guard_wsgi.checks.custom import CustomRequestCheck
from guard_wsgi.ladder.answer_watcher import AnswerWatcher
from guard_wsgi.ladder.decider import failed
from guard_wsgi.ladder.deferred_decision import DeferredDecision
from guard_wsgi.ladder.plan import Ladder
from guard_wsgi.ladder.policy import Policy
from guard_wsgi.network.standing import BODILESS, WHITELISTED
from guard_wsgi.request.block import Block
from guard_wsgi.request.hook_context import (
    ForgetBody,
    UncheckedAnswer,
)
from guard_wsgi.request.response import GuardResponse
from guard_wsgi.request.rewound_body import RewoundBody
from guard_wsgi.request.shared_body import SharedBody
from guard_wsgi.request.verdict import ENVIRON_KEY, Verdict
from guard_wsgi.request.view import GuardRequest, is_preflight
from guard_wsgi.request.visit import Visit, arrive
from guard_wsgi.response.modifying import Modifier
from guard_wsgi.response.outgoing import Departure, Outgoing
from guard_wsgi.routes.config import RouteConfig

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class ViewChecker(AnswerWatcher):
    """Asks the checks that call functions of the app, and checks the rules of the view that a
    framework is about to run."""

    def _pass_hooks(
        self,
        policy: Policy,
        watch: BehaviorWatch | None,
        request: GuardRequest,
        visit: Departure,
        late: Ladder,
    ) -> Iterable[bytes]:
        """Let the app's own functions decide, now or inside of the app; then call the app."""
        environ, verdict = request.environ, request.verdict
        # The guard answers a preflight here, before the framework sees it.
        is_left = self.asks_inside and not (policy.cors is not None and request.is_preflight)
        app = self._entry
        shared = self._shared_body(request) if late else None
        if late and is_left:
            verdict.deferred = DeferredDecision(policy, request, late, watch, shared)
        elif late:
            request.forget_notes()
            with self.inside(environ):
                block = self._ask_hooks(policy, request, late, shared)
                if request.notes:
                    self._report.notes(request)
                if block is not None:
                    if watch is not None:
                        self._watch_refusal(watch, request, block)
                    return self._refuse(policy, request, block, visit.start_response)
        if policy.outgoing.modifier is not None:
            app = self._modified(policy.outgoing, policy.outgoing.modifier, request, app, is_left)
        self._report.passed += 1
        try:
            return self._pass_attended(policy, watch, environ, visit, app)
        except UncheckedAnswer as fault:
            # Flask always asks. If a subclass answers without asking, the guard sends nothing of
            # that.
            verdict.deferred = verdict.unmodified = None
            block = failed(CustomRequestCheck.name, str(fault))
            return self._refuse(policy, request, block, visit.start_response)

    def _shared_body(
        self, request: GuardRequest, forget: ForgetBody | None = None
    ) -> SharedBody | None:
        """Share the body among several readers; ``None`` without a body, or if it is already
        shared."""
        if request.visit.standing & BODILESS or SharedBody.is_kept(request.environ):
            return None
        return SharedBody(request.environ, forget or self._forget_body)

    def _ask_hooks(
        self,
        policy: Policy,
        request: GuardRequest,
        ladder: Ladder,
        shared: SharedBody | None,
    ) -> Block | None:
        """Decide as :meth:`decide` does. If a function of the app reads the body, later checks and
        the app still get all of it."""
        if shared is None:
            return self.decide(policy, request, ladder)
        request.incoming_body = shared.guards(request.incoming_body)
        try:
            return self.decide(policy, request, shared.for_each(ladder))
        finally:
            shared.hand_on()

    def _modified(
        self,
        outgoing: Outgoing,
        modifier: Modifier,
        request: GuardRequest,
        app: WSGIApplication,
        is_left: bool,
    ) -> WSGIApplication:
        """Return the app, with ``custom_response_modifier`` applied: in the framework if it asks
        for that, else here."""
        verdict = request.verdict
        if is_left:
            verdict.unmodified = request

        def modified(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            try:
                return modifier.around(
                    app,
                    environ,
                    start_response,
                    lambda headers: outgoing.headers(request, headers),
                    lambda: self.inside(environ),
                    lambda: is_left and verdict.unmodified is None,
                )
            finally:
                verdict.unmodified = None

        return modified

    def check_route(
        self,
        environ: WSGIEnvironment,
        route: RouteConfig | None,
        endpoint: str,
        *,
        runs_view: bool = True,
        again: bool = False,
    ) -> GuardResponse | None:
        """Check the rules of the view that a framework is about to run, whatever was predicted.

        A layer between the guard and the framework's router may have rewritten the path. If the
        request was already decided by the same rules, only credentials of a preflight are checked,
        which were left for this point.

        :param runs_view: whether the view's own code runs; false if OPTIONS is answered without it.
        :param again: whether the rules were checked before: the app calls the view once more, which
            counts.
        :return: the refusal, or ``None``.
        """
        policy = self.policy
        if not policy.enabled:
            return None
        earlier = environ.get(ENVIRON_KEY)
        if not isinstance(earlier, Verdict):
            earlier = None
        if earlier is not None and earlier.action == "block":
            refused = self._refused_before(policy, environ, earlier, route)
            if refused is not None:
                return refused
        deferred = shared = None
        if earlier is not None:
            earlier.expected = False
            deferred, earlier.deferred = earlier.deferred, None
        if deferred is not None:
            shared = deferred.shared
        if again and route is not None and earlier is not None:
            plan, deferred = policy.counting(route, *earlier.counted_as(route)), None
        elif earlier is not None and earlier.route is route:
            if runs_view and self._defers_credentials(policy, environ):
                plan = policy.credentials(route)
            elif deferred is None:
                return None
            else:
                return self._decided_inside(
                    deferred.policy,
                    deferred.request,
                    deferred.ladder,
                    deferred.watch,
                    earlier,
                    shared,
                )
        elif runs_view:
            plan, deferred = policy.plan(route), None
        else:
            plan, deferred = policy.preflight(route), None
        request = self._decided_anew(policy, environ, route, endpoint, earlier)
        request.verdict.defers_credentials = not runs_view
        ladder = policy.whole_ladder(plan, environ, request.visit) + (
            deferred.ladder if deferred is not None else ()
        )
        with RewoundBody(environ) as rewound:
            if shared is None:
                shared = self._shared_body(request, rewound.noting(self._forget_body))
            return self._decided_inside(policy, request, ladder, plan.watch, earlier, shared)

    def _decided_anew(
        self,
        policy: Policy,
        environ: WSGIEnvironment,
        route: RouteConfig | None,
        endpoint: str,
        earlier: Verdict | None,
    ) -> GuardRequest:
        """Return a request with a verdict of its own, which continues the earlier one."""
        request = GuardRequest(environ, policy.clients, policy.country_of, self)
        verdict = request.verdict
        verdict.endpoint = endpoint
        verdict.route = route
        verdict.expected = False
        if earlier is not None:
            verdict.unmodified = earlier.unmodified
            verdict.passed_before = earlier.passed
            verdict.refusals = earlier.refusals
            verdict.first = earlier.first or earlier
        environ[ENVIRON_KEY] = verdict
        return request

    def _decided_inside(
        self,
        policy: Policy,
        request: GuardRequest,
        ladder: Ladder,
        watch: BehaviorWatch | None,
        earlier: Verdict | None,
        shared: SharedBody | None,
    ) -> GuardResponse | None:
        """Ask the remaining checks in the app's own context. Return the refusal, or ``None``."""
        request.forget_notes()
        block = self._ask_hooks(policy, request, ladder, shared)
        if request.notes:
            self._report.notes(request)
        if earlier is not None and request.verdict is not earlier:
            self._hand_back(request.verdict, earlier)
        if block is None:
            self._observe(policy, request)
            return None
        if earlier is not None and earlier.action != "block":
            self._report.passed -= 1
        if earlier is not None:
            earlier.action = "block"
        if watch is not None:
            self._watch_refusal(watch, request, block)
        verdict = request.verdict
        former, plain = verdict.refusals, policy.refusals.response(block, request)
        # The app's error page may call the view, too.
        verdict.refusals = (*former, (verdict.route, plain))
        self._tell(policy, request, block)
        answer = self._rendered(policy, block, request) or plain
        verdict.refusals = (*former, (verdict.route, answer))
        return answer

    @staticmethod
    def _hand_back(verdict: Verdict, earlier: Verdict) -> None:
        """Copy the decision about a view into the first decision of the request: the answer follows
        the first, and the app may already hold it."""
        first = earlier.first or earlier
        if verdict.quota is not None:
            first.quota = earlier.quota = verdict.quota
        verdict.principal = verdict.principal or earlier.principal
        first.principal = earlier.principal = verdict.principal

    def _observe(self, policy: Policy, request: GuardRequest) -> None:
        """Let the behaviour rules of a view that was not predicted see the answer."""
        verdict, client, environ = request.verdict, request.client, request.environ
        first, route = verdict.first, verdict.route
        watch = policy.own_watch(route)
        if watch is None or first is None or client is None:
            return
        if request.visit.standing & WHITELISTED or any(
            rules.includes(route) for rules in verdict.passed_before
        ):
            return
        observation = watch.observe(
            client, verdict.endpoint or UNROUTED, lambda: self.inside(environ)
        )
        if observation is not None:
            first.observed = (*first.observed, observation)

    def _refused_before(
        self,
        policy: Policy,
        environ: WSGIEnvironment,
        earlier: Verdict,
        route: RouteConfig | None,
    ) -> GuardResponse | None:
        """The refusal of rules that have refused this request: it is counted and reported once."""
        for refusing, answer in earlier.refusals:
            if refusing is route:
                return answer
        if earlier.route is not route or earlier.block is None:
            return None
        visit = arrive(environ, policy.clients, self, Visit())
        visit.verdict = earlier
        request = GuardRequest(environ, policy.clients, policy.country_of, self, visit)
        return policy.refusals.response(earlier.block, request)

    def _defers_credentials(self, policy: Policy, environ: WSGIEnvironment) -> bool:
        """Whether to check credentials only if a view runs: a browser sends a preflight without
        them (Fetch, "CORS-preflight request"), and apps that do CORS themselves answer before any
        view runs."""
        return (
            policy.cors is None
            and getattr(self.resolver, "confirms", False)
            and is_preflight(environ)
        )
