"""The guard: a WSGI app around a WSGI app.

A request climbs a ladder of checks before the app sees it; the first check that refuses ends it.
Which checks there are, and in which order, is compiled beforehand (policy.py); here they are
asked whether the request passes. At the first that can't say so the request climbs on: from there
each check is asked for its refusal. The response streams past untouched, but for headers.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

from guard_wsgi.behavior.tracker import BehaviorWatch
from guard_wsgi.checks.access import NotBanned, NotInEmergency
from guard_wsgi.checks.base import Check
from guard_wsgi.checks.behavior import UNROUTED, Behaves
from guard_wsgi.checks.custom import CustomRequestCheck
from guard_wsgi.checks.traffic import RateLimits
from guard_wsgi.config.proxy_fix import REWRITTEN_KEY, proxy_fix_conflict
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.errors import StoreError
from guard_wsgi.ladder.deferred import Deferred
from guard_wsgi.ladder.plan import Ladder, Plan
from guard_wsgi.ladder.policy import Policy
from guard_wsgi.network.address import parse_address
from guard_wsgi.network.standing import BODILESS, CALM, PREFLIGHT, WHITELISTED
from guard_wsgi.report import Report
from guard_wsgi.request.block import Block
from guard_wsgi.request.framing import BodyTooLarge
from guard_wsgi.request.hooks import (
    ForgetBody,
    HookContext,
    Inside,
    NotAsked,
    no_context,
    nothing_kept,
)
from guard_wsgi.request.late_limit import LateLimit
from guard_wsgi.request.response import GuardResponse
from guard_wsgi.request.shared_body import SharedBody
from guard_wsgi.request.verdict import ENVIRON_KEY, Verdict
from guard_wsgi.request.view import GuardRequest, is_preflight
from guard_wsgi.request.visit import Visit, arrive
from guard_wsgi.response.modifying import Modifier
from guard_wsgi.response.outgoing import Departure, HeaderList, Outgoing, Write
from guard_wsgi.response.refusal import with_reference
from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.routes.django_app import headers_set_by
from guard_wsgi.routes.resolvers import PatternResolver, Resolver
from guard_wsgi.services import Parts
from guard_wsgi.state.bans import Bans
from guard_wsgi.state.forking import renew_after_fork
from guard_wsgi.state.ratelimit import LimitState
from guard_wsgi.state.store import Store
from guard_wsgi.telemetry.bus import EventBus

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("guard_wsgi.checks")

_KEPT_OUT = frozenset({NotBanned.name, NotInEmergency.name, Behaves.name})
"""The checks that refuse for what was done before."""

Renderer = Callable[[Block, "WSGIEnvironment", Callable[[], GuardResponse]], "GuardResponse | None"]
"""Renders a refusal in a framework's own way, from the guard's own, which the last argument
makes; ``None`` leaves it to the guard."""


class GuardMiddleware:
    """Protects any WSGI app.

    :param app: the app, or anything else that speaks WSGI.
    :param config: a :class:`SecurityConfig`; the defaults without one.
    :param routes: path patterns (werkzeug's syntax) to :class:`RouteConfig`.
    :param resolver: maps an environ to a route instead, for frameworks (resolvers.py).
    :param store: shared state to use instead of what ``config.store_url`` names.
    :param events: an :class:`EventBus` to use instead of one of its own.
    :param renderer: renders refusals in a framework's own way; that of the resolver's framework
        without one.
    :param hook_context: the app's own context, for the app's functions (hooks.py); that of the
        resolver's framework without one.
    :param asks_inside: whether the framework surely calls :meth:`check_route` before anything of
        the app runs, so that such functions can be left to be called there.
    :raises ConfigError: when the configuration can't be served.

    Mounting it twice with one configuration does no harm: the inner one sees that the request
    has been decided on and steps aside.
    """

    def __init__(
        self,
        app: WSGIApplication,
        config: SecurityConfig | None = None,
        *,
        routes: Mapping[str, RouteConfig] | None = None,
        resolver: Resolver | None = None,
        store: Store | None = None,
        events: EventBus | None = None,
        renderer: Renderer | None = None,
        hook_context: HookContext | None = None,
        asks_inside: bool = False,
    ) -> None:
        if routes is not None and resolver is not None:
            raise TypeError("pass routes or a resolver, not both")
        self.app = app
        self._left_to_app = _headers_left_to(app)
        self.config = config = config if config is not None else SecurityConfig()
        of_app: Renderer | None = getattr(resolver, "renderer", None)
        self.renderer = renderer if renderer is not None else of_app
        self.asks_inside = asks_inside
        of_framework: HookContext = getattr(resolver, "hook_context", no_context)
        self._hook_context = hook_context if hook_context is not None else of_framework
        self._forget_body: ForgetBody = getattr(resolver, "forget_body", nothing_kept)
        self.parts = Parts(config, store=store, events=events, serve=self._serve)
        self.resolver = PatternResolver(routes) if routes else resolver
        self._events = self.parts.events
        self._peers = self.parts.peers
        self._report = Report(self._events, self.inside)
        store = self.parts.store
        self._begin_request = store.begin_request if store.waits else None
        self._is_serving = False
        self._is_new = True
        self._serve(config)
        attach = getattr(self.resolver, "attach", None)
        if attach is not None:
            attach(self)
        renew_after_fork(self)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        policy = self._policy
        if ENVIRON_KEY in environ and self._is_decided(environ):
            return self.app(environ, start_response)
        if not policy.enabled:
            return self.app(environ, start_response)
        if self._is_new:
            self._begin_serving(environ)
        visit = arrive(environ, policy.clients, self, Departure())
        environ[ENVIRON_KEY] = visit.verdict
        plan, block = policy.global_plan, None
        if self._prepares or self._events.wants_metrics:
            plan, block = self._prepare(policy, environ, visit)
        paths = policy.listed_paths
        if environ.get("PATH_INFO", "")[paths.beginning] in paths.beginnings:
            paths.excuse(environ, visit)
        bans, now = policy.bans, monotonic()
        if now < policy.emergency.calm_until and (bans.none_yet or now < bans.nobody_until):
            visit.standing |= CALM
        visit.outgoing = policy.outgoing
        visit.security = plan.security
        visit.start_response = start_response
        ask, ladder = plan.ladders[visit.standing]
        place: int | None = 0
        if block is None:
            place = ask(environ, visit)
            if place is None and not (plan.is_hooked or visit.identity.notes):
                self._report.passed += 1
                if plan.is_attended or visit.started:
                    watch = None if visit.standing & WHITELISTED else plan.watch
                    return self._pass_attended(policy, watch, environ, visit, self.app)
                return self.app(environ, visit.begin)
        rest = () if place is None else ladder[place:]
        request = GuardRequest(environ, policy.clients, policy.country_of, self, visit)
        return self._climb(policy, plan, request, visit, rest, block)

    def _climb(
        self,
        policy: Policy,
        plan: Plan,
        request: GuardRequest,
        visit: Departure,
        rest: Ladder,
        block: Block | None,
    ) -> Iterable[bytes]:
        """Let the rest of the ladder decide, then call the app or refuse."""
        if block is None and rest:
            block = self.decide(policy, request, rest)
        if request.notes:
            self._report.notes(request)
        watch = None if visit.standing & WHITELISTED else plan.watch
        if block is not None:
            if watch is not None:
                self._watch_refusal(watch, request, block)
            return self._refuse(policy, request, block, visit.start_response)
        if plan.is_hooked:
            late = plan.inside(visit.standing)
            return self._pass_hooks(policy, watch, request, visit, late)
        self._report.passed += 1
        environ = request.environ
        if plan.is_attended or visit.started:
            return self._pass_attended(policy, watch, environ, visit, self.app)
        try:
            response = self.app(environ, visit.begin)
        except BodyTooLarge:
            return self._refuse_late(policy, environ, visit, visit.start_response)
        if visit.body is not None and visit.body.is_limited:
            return LateLimit(
                response, lambda: self._refuse_late(policy, environ, visit, visit.start_response)
            )
        return response

    def decide(
        self, policy: Policy, request: GuardRequest, ladder: Iterable[Check]
    ) -> Block | None:
        """Ask the checks in order; the first refusal counts, or in passive mode none does."""
        for check in ladder:
            try:
                block = check.refusal(request)
            except Exception as error:
                # The fault boundary: what goes wrong in a check must not become the app's fault.
                block = self._fault(policy, check, error)
            if block is not None:
                if not policy.passive:
                    return block
                self._tell(policy, request, block, passive=True)
        return None

    # The app's own functions ------------------------------------------------------------------

    def inside(self, environ: WSGIEnvironment) -> Inside:
        """The app's context around its own functions; nothing where one has been entered."""
        return Inside(self._hook_context, environ, self._report.fault)

    def _pass_hooks(
        self,
        policy: Policy,
        watch: BehaviorWatch | None,
        request: GuardRequest,
        visit: Departure,
        late: Ladder,
    ) -> Iterable[bytes]:
        """Let the app's own functions decide, or see that they are asked; then call the app."""
        environ, verdict = request.environ, request.verdict
        # A preflight is answered here, whatever the framework would do with it.
        is_left = self.asks_inside and not (policy.cors is not None and request.is_preflight)
        app = self.app
        shared = self._shared_body(request) if late else None
        if late and is_left:
            verdict.deferred = Deferred(policy, request, late, watch, shared)
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
        except NotAsked as fault:
            # Flask always asks. Should a subclass of it answer without, nothing goes out.
            verdict.deferred = verdict.unmodified = None
            block = _failed(CustomRequestCheck.name, str(fault))
            return self._refuse(policy, request, block, visit.start_response)

    def _shared_body(self, request: GuardRequest) -> SharedBody | None:
        """The body, to be read by several; ``None`` without one, or if it is shared already."""
        if request.visit.standing & BODILESS or SharedBody.is_kept(request.environ):
            return None
        return SharedBody(request.environ, self._forget_body)

    def _ask_hooks(
        self,
        policy: Policy,
        request: GuardRequest,
        ladder: Ladder,
        shared: SharedBody | None,
    ) -> Block | None:
        """As :meth:`decide`. Whatever one of the app's functions reads of the body, the checks
        after it and the app get all of it."""
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
        """The app, whose answers ``custom_response_modifier`` is given: in the framework if that
        asks, else here."""
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

    def tell(
        self, event_type: str, environ: WSGIEnvironment, action_taken: str, **metadata: Any
    ) -> None:
        """Tell of an event of the app's own, about a request that it has before it."""
        policy = self.policy
        visit = arrive(environ, policy.clients, self, Visit())
        verdict = environ.get(ENVIRON_KEY)
        if isinstance(verdict, Verdict):
            visit.verdict = verdict
        request = GuardRequest(environ, policy.clients, policy.country_of, self, visit)
        self._events.emit(event_type, request, action_taken, **metadata)

    def name_route(self, environ: WSGIEnvironment, endpoint: str | None) -> str | None:
        """The template of a request's route: asked for when somebody is told of it."""
        resolver = self.resolver
        try:
            template_of = getattr(resolver, "template_of", None)
            if template_of is not None:
                template: str | None = template_of(environ, endpoint)
                return template
            if endpoint is not None or resolver is None:
                return endpoint
            resolution = resolver(environ)
        except Exception as error:  # the app's own converters
            self._report.fault("route_config", error)
            return endpoint
        return None if resolution is None else resolution.endpoint

    def country_of(self, client_ip: str) -> str | None:
        """The country of an address, ``None`` where it is unknown or can't be looked up."""
        look_up = self.policy.country_of
        address = parse_address(client_ip)
        if look_up is None or address is None:
            return None
        try:
            return look_up(address)
        except Exception as error:  # the app's own handler, asked for by the app
            self._report.fault("geo_ip_handler", error)
            return None

    # Before and after ------------------------------------------------------------------------

    def _is_decided(self, environ: WSGIEnvironment) -> bool:
        """Whether another guard of the same configuration has decided on this request."""
        verdict = environ[ENVIRON_KEY]
        if not isinstance(verdict, Verdict):
            return False
        outer = verdict.guard
        if outer is self:
            return True
        return (
            isinstance(outer, GuardMiddleware)
            and (outer.config is self.config or outer.config == self.config)
            and (self.resolver is None or self.resolver == outer.resolver)
        )

    def _begin_serving(self, environ: WSGIEnvironment) -> None:
        """The first requests of this process, of which some tell what the clients' addresses are
        worth."""
        if not self._is_serving:
            self._is_serving = True
            self._start(environ)
        if self._peers.watching:
            self._peers.observe(environ)
        self._is_new = self._peers.watching

    def _start(self, environ: WSGIEnvironment) -> None:
        """The first request in this process: threads and files belong to it, not to a parent."""
        if self.resolver is None:
            # Whoever decorated a view believes it protected.
            for view in self.config._decorated:
                logger.error(
                    "%s.%s has guard rules that have no effect: give GuardMiddleware a resolver"
                    " (guard_wsgi.resolvers), or use FlaskAPIGuard",
                    getattr(view, "__module__", "?"),
                    getattr(view, "__qualname__", repr(view)),
                )
        elif hasattr(self.resolver, "audit"):
            self.resolver.audit(self.config._decorated)
        if REWRITTEN_KEY in environ:
            fault = proxy_fix_conflict(_ProxyFixBefore, self.config)
            if fault:
                logger.error("%s", fault)
        self.parts.begin_serving(environ)

    def after_fork_in_child(self) -> None:
        """A child that serves begins to serve: its parent's threads are not its own."""
        self._is_serving = False
        self._is_new = True

    def _prepare(
        self, policy: Policy, environ: WSGIEnvironment, visit: Visit
    ) -> tuple[Plan, Block | None]:
        """What only some sites need before the checks; the plan, and a refusal without one."""
        if self._events.wants_metrics:
            visit.started = perf_counter()
        # Only a store on another machine can make a request wait, and so needs a budget for it.
        if self._begin_request is not None:
            self._begin_request()
        if policy.logs_requests:
            self.parts.log.log_request(
                GuardRequest(environ, policy.clients, policy.country_of, self, visit)
            )
        plan, block = policy.global_plan, None
        if self.resolver is not None:
            plan, block = self._resolve(policy, self.resolver, environ, visit)
        route = visit.verdict.route
        if policy.cors is not None and is_preflight(environ):
            # A browser sends it without credentials: the route's own checks can't be asked.
            plan = policy.relaxed(route)
            visit.standing |= PREFLIGHT
        elif route is not None and self._defers_credentials(policy, environ):
            plan = policy.preflight(route)
        return plan, block

    def _resolve(
        self, policy: Policy, resolver: Resolver, environ: WSGIEnvironment, visit: Visit
    ) -> tuple[Plan, Block | None]:
        try:
            resolution = resolver(environ)
        except Exception as error:  # a framework's router, or the app's own converters
            self._report.fault("route_config", error)
            if policy.config.fail_secure:
                return policy.global_plan, _unresolved("the resolver failed")
            return policy.global_plan, None
        if resolution is None:
            if not policy.config.route_resolution_strict:
                return policy.global_plan, None
            block = _unresolved("no route matches")
            if policy.passive:
                request = GuardRequest(environ, policy.clients, policy.country_of, self, visit)
                self._tell(policy, request, block, passive=True)
                return policy.global_plan, None
            return policy.global_plan, block
        visit.verdict.endpoint = resolution.endpoint
        visit.verdict.route = resolution.route
        if resolution.others:
            return policy.combined((resolution.route, *resolution.others)), None
        return policy.plan(resolution.route), None

    def _pass_attended(
        self,
        policy: Policy,
        watch: BehaviorWatch | None,
        environ: WSGIEnvironment,
        visit: Departure,
        app: WSGIApplication,
    ) -> Iterable[bytes]:
        """Answer a preflight, or call the app and see how it answers. Nothing of its response is
        held back."""
        if policy.cors is not None and is_preflight(environ):
            answer = policy.cors.preflight(environ)
            request = GuardRequest(environ, policy.clients, policy.country_of, self, visit)
            return policy.refusals.send_response(answer, request, visit.start_response)
        observation = None
        client = visit.identity.address
        if watch is not None and client is not None:
            observation = watch.observe(
                client, visit.verdict.endpoint or UNROUTED, lambda: self.inside(environ)
            )
        verdict, started = visit.verdict, visit.started
        start_response, cors = visit.start_response, policy.cors

        # It knows neither visit nor request: those know it, and a circle would keep every environ.
        def attended_start_response(
            status: str, headers: HeaderList, exc_info: OptExcInfo | None = None
        ) -> Write:
            left = verdict.deferred
            if left is not None and not left.policy.passive:
                raise NotAsked("the app answered before its own checks had run")
            if cors is not None and policy.outgoing.modifier is None:
                headers = cors.add(headers, environ)
            # A refusal inside has been counted there, by the rules of the view that was to run.
            refused = verdict.action == "block"
            if started:
                self._measure(environ, verdict, started, int(status[:3]), refused)
            if observation is not None and not refused:
                observation.status(int(status[:3]), headers)
            if exc_info is None:
                write = start_response(status, headers)
            else:
                try:
                    write = start_response(status, headers, exc_info)
                finally:
                    exc_info = None  # a traceback that refers to its own frame is a circle
            return write if observation is None else observation.write(write)

        visit.start_response = attended_start_response
        begin = visit.begin if policy.outgoing.modifier is None else attended_start_response
        try:
            response = app(environ, begin)
        except BodyTooLarge:
            return self._refuse_late(policy, environ, visit, start_response)
        except Exception:
            if started:
                self._measure(environ, verdict, started, 500)
            raise
        if visit.body is not None and visit.body.is_limited:
            response = LateLimit(
                response, lambda: self._refuse_late(policy, environ, visit, start_response)
            )
        if observation is None or verdict.action == "block":
            return response
        return observation.tap(response, environ.get("wsgi.file_wrapper"))

    def _watch_refusal(self, watch: BehaviorWatch, request: GuardRequest, block: Block) -> None:
        """Let behaviour rules count the guard's own 401s and 403s, which who guesses passwords or
        scans gets instead of the app's. Who is kept out already does not lengthen it."""
        if request.client is None or block.check in _KEPT_OUT:
            return
        observation = watch.observe(request.client, request.endpoint or UNROUTED)
        if observation is None:
            return
        try:
            observation.status(block.status, [])
        except Exception as error:  # as of a check: what goes wrong must not become an answer
            self._report.fault(Behaves.name, error)

    def _refuse_late(
        self,
        policy: Policy,
        environ: WSGIEnvironment,
        visit: Visit,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """The app read a body of unknown length past the limit. It may have begun to answer."""
        request = GuardRequest(environ, policy.clients, policy.country_of, self, visit)
        block = Block(
            status=413,
            message="Request too large",
            check="request_size_content",
            event="content_filtered",
            reason="the body goes on past the limit",
        )
        return self._refuse(policy, request, block, start_response, exc_info=sys.exc_info())

    def _measure(
        self,
        environ: WSGIEnvironment,
        verdict: Verdict,
        started: float,
        status: int,
        blocked: bool = False,
    ) -> None:
        # What passed and has no name by now matched no route.
        named = blocked or verdict.endpoint is not None
        template = self.name_route(environ, verdict.endpoint) if named else None
        self._events.observe(
            template, environ["REQUEST_METHOD"], status, perf_counter() - started, blocked
        )

    def check_route(
        self,
        environ: WSGIEnvironment,
        route: RouteConfig | None,
        endpoint: str,
        *,
        runs_view: bool = True,
    ) -> GuardResponse | None:
        """Hold the rules of the view that a framework is about to run, whatever was foretold.

        Something between the guard and the framework's router may have rewritten the path. Where
        the rules are those that the request was decided by, nothing is asked again, but for
        credentials on a preflight, which are left to be asked here.

        :param runs_view: whether the view's own code runs, or OPTIONS is answered without it.
        :return: the refusal, or ``None``.
        """
        policy = self.policy
        if not policy.enabled:
            return None
        foretold = environ.get(ENVIRON_KEY)
        if not isinstance(foretold, Verdict):
            foretold = None
        left = shared = None
        if foretold is not None:
            left, foretold.deferred = foretold.deferred, None
        if left is not None:
            shared = left.shared
        if foretold is not None and foretold.route is route:
            if runs_view and self._defers_credentials(policy, environ):
                plan = policy.credentials(route)
            elif left is None:
                return None
            else:
                return self._decided_inside(
                    left.policy, left.request, left.ladder, left.watch, foretold, shared
                )
        elif runs_view:
            plan, left = policy.plan(route), None
        else:
            plan, left = policy.preflight(route), None
        request = GuardRequest(environ, policy.clients, policy.country_of, self)
        request.verdict.endpoint = endpoint
        request.verdict.route = route
        if foretold is not None:
            request.verdict.unmodified = foretold.unmodified
            if foretold.route is not None:
                request.verdict.held = (*foretold.held, foretold.route)
        environ[ENVIRON_KEY] = request.verdict
        ladder = policy.whole_ladder(plan, environ, request.visit) + (
            left.ladder if left is not None else ()
        )
        if shared is None:
            shared = self._shared_body(request)
        return self._decided_inside(policy, request, ladder, plan.watch, foretold, shared)

    def _decided_inside(
        self,
        policy: Policy,
        request: GuardRequest,
        ladder: Ladder,
        watch: BehaviorWatch | None,
        foretold: Verdict | None,
        shared: SharedBody | None,
    ) -> GuardResponse | None:
        """Ask what is left to be asked, in the app's own context; the refusal, or ``None``."""
        request.forget_notes()
        block = self._ask_hooks(policy, request, ladder, shared)
        if request.notes:
            self._report.notes(request)
        if foretold is not None and request.verdict is not foretold:
            foretold.quota = request.quota
            request.verdict.principal = request.verdict.principal or foretold.principal
        if block is None:
            return None
        if foretold is not None:
            self._report.passed -= 1
            foretold.action = "block"
        if watch is not None:
            self._watch_refusal(watch, request, block)
        self._tell(policy, request, block)
        return self._rendered(policy, block, request) or policy.refusals.response(block, request)

    def _defers_credentials(self, policy: Policy, environ: WSGIEnvironment) -> bool:
        """Whether credentials are asked for only if a view runs: a browser asks what it may send
        without them (Fetch, "CORS-preflight request"), and apps that do CORS by themselves answer
        before any view does."""
        return (
            policy.cors is None
            and getattr(self.resolver, "confirms", False)
            and is_preflight(environ)
        )

    # Refusing --------------------------------------------------------------------------------

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
        """The framework's response for a refusal, when it has one."""
        if self.renderer is None:
            return None
        try:
            rendered = self.renderer(
                block, request.environ, lambda: policy.refusals.response(block, request)
            )
            if rendered is None:
                return None
            return with_reference(rendered, request.request_id)
        except Exception as error:  # the app's error page must not undo the refusal
            self._report.fault("renderer", error)
            return None

    def _tell(
        self, policy: Policy, request: GuardRequest, block: Block, *, passive: bool = False
    ) -> None:
        self._report.refused(request, block, policy.config.on_block, passive=passive)

    # Faults ----------------------------------------------------------------------------------

    def _fault(self, policy: Policy, check: Check, error: Exception) -> Block | None:
        """A check that raised: access rules refuse, detection and limits let pass, by config."""
        if isinstance(error, StoreError):
            return Block(
                status=503,
                message="Service temporarily unavailable",
                check=check.name,
                event="redis_error",
                reason=str(error),
                retry_after_seconds=self.parts.store.retry_seconds,
            )
        self._report.fault(check.name, error)
        if not (check.fails_closed and policy.config.fail_secure):
            return None
        return _failed(check.name, f"the check raised {type(error).__name__}")

    # For the operator --------------------------------------------------------------------------

    def reconfigure(self, config: SecurityConfig) -> None:
        """Serve another configuration from the next request on; requests under way keep theirs.

        Dynamic rules in force stay in force over it. What the parts were built from (store,
        agent, databases, log) stays as it was constructed.

        :raises ConfigError: when it can't be served; then the former one goes on.
        """
        self.parts.ruled.rebase(config)
        self.config = config

    def _serve(self, config: SecurityConfig) -> None:
        """Compile first, then swap by one assignment."""
        policy = Policy(config, self.parts, self.resolver, self._left_to_app)
        # First this: what a request finds to prepare is asked again then.
        self._prepares = (
            self.resolver is not None
            or self._begin_request is not None
            or policy.logs_requests
            or policy.cors is not None
        )
        self._policy = policy

    @property
    def policy(self) -> Policy:
        """What is being served now."""
        return self._policy

    @property
    def bans(self) -> Bans:
        """Ban, lift and list: ``guard.bans.ban("203.0.113.7", 3600, "abuse")``."""
        return self.parts.store.bans

    def limits(self, client: str, path: str = "/", method: str = "GET") -> list[LimitState]:
        """Where a client stands at each limit that holds for a path; counts nothing.

        :raises StoreError: when the store is down and its policy is to deny.
        """
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "REMOTE_ADDR": client,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
        }
        policy = self.policy
        request = GuardRequest(environ, policy.clients, policy.country_of, self)
        plan = policy.global_plan
        if self.resolver is not None:
            plan, _ = self._resolve(policy, self.resolver, environ, request.visit)
        ladder = policy.whole_ladder(plan, environ, request.visit)
        with self.inside(environ):
            states = [check.peek(request) for check in ladder if isinstance(check, RateLimits)]
        return [state for found in states for state in found]

    def status(self) -> dict[str, Any]:
        """Health of what the guard depends on: store, databases, feeds, agent."""
        return self.parts.status()

    def stats(self) -> dict[str, int]:
        """How many requests passed, were refused, would have been, and how often a part failed."""
        return self._report.stats()

    def use_store(self, store: Store) -> Store:
        """Count and ban in another store from the next request on; returns the former one, which
        is not closed. For tests of an app (guard_wsgi.testing)."""
        former = self.parts.store
        self.parts.store = store
        self._begin_request = store.begin_request if store.waits else None
        self._serve(self.policy.config)
        return former

    def reset(self) -> None:
        """Forget counters, bans and limits: for tests and for a fresh start."""
        self.parts.store.reset()
        self._report.reset()

    def close(self) -> None:
        """Stop threads, flush events and close the store."""
        self.parts.close()


class _ProxyFixBefore:
    """A ProxyFix that has rewritten what the guard is given; it does not say which headers."""

    x_for = x_proto = 1


def _headers_left_to(app: WSGIApplication) -> frozenset[str]:
    """Keys of the security headers that the app's framework sets, and leaves out on purpose."""
    if "django.core.handlers.wsgi" not in sys.modules:
        return frozenset()
    return headers_set_by(app)


def _failed(check: str, reason: str) -> Block:
    return Block(
        status=500,
        message="Security check failed",
        check=check,
        event="check_failed",
        reason=reason,
    )


def _unresolved(reason: str) -> Block:
    return Block(
        status=500,
        message="Route resolution failed",
        check="route_config",
        event="route_unresolved",
        reason=reason,
    )
