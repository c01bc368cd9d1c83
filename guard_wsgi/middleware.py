"""The guard: a WSGI app around a WSGI app.

A request climbs a ladder of checks before the app sees it. The first check that refuses ends the
climb. policy.py compiles the checks and their order; each check first answers from the environ
alone. From the first check that can't, ``refusal`` decides. The base classes have the rest:
view_checker.py calls the app's functions and checks views, answer_watcher.py observes answers,
refuser.py sends refusals, decider.py asks the checks. The response streams past; only headers are
added.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from guard_wsgi.checks.traffic import RateLimits
from guard_wsgi.config.proxy_fix import REWRITTEN_KEY, proxy_fix_conflict
from guard_wsgi.config.security import SecurityConfig, needed
from guard_wsgi.ladder.decider import Renderer, unresolved
from guard_wsgi.ladder.plan import Ladder, Plan
from guard_wsgi.ladder.policy import Policy
from guard_wsgi.ladder.view_checker import ViewChecker
from guard_wsgi.network.standing import CALM, NOTED, PREFLIGHT, WHITELISTED
from guard_wsgi.report import Report
from guard_wsgi.request.block import Block
from guard_wsgi.request.current_request import when_decorated
from guard_wsgi.request.framing import BodyTooLarge
from guard_wsgi.request.hook_context import ForgetBody, HookContext, no_context, nothing_kept
from guard_wsgi.request.late_limit import LateLimit
from guard_wsgi.request.verdict import ENVIRON_KEY, Verdict
from guard_wsgi.request.view import GuardRequest, is_preflight
from guard_wsgi.request.visit import Visit, arrive
from guard_wsgi.response.outgoing import Departure
from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.routes.decorated_views import decorated_by
from guard_wsgi.routes.framework import Framework
from guard_wsgi.routes.resolvers import Resolver, pattern_resolver
from guard_wsgi.services import Services
from guard_wsgi.state.bans import Bans
from guard_wsgi.state.fork_pauses import renew_after_fork
from guard_wsgi.state.ratelimit import LimitState
from guard_wsgi.state.store import Store
from guard_wsgi.telemetry.bus import EventBus

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("guard_wsgi.checks")


class GuardMiddleware(ViewChecker):
    """Protects any WSGI app.

    :param app: the app, or anything else that speaks WSGI.
    :param config: a :class:`SecurityConfig`; the defaults without one.
    :param routes: path patterns (werkzeug's syntax) to :class:`RouteConfig`.
    :param resolver: maps an environ to a route instead, for frameworks (resolvers.py).
    :param store: shared state to use instead of what ``config.store_url`` names.
    :param events: an :class:`EventBus` to use instead of one of its own.
    :param renderer: renders refusals in a framework's own way; by default that of the resolver's
        framework.
    :param hook_context: the app's own context, for the app's functions (hook_context.py).
        The default is that of the resolver's framework.
    :param asks_inside: whether the framework always calls :meth:`check_route` before any function
        of the app. Then the app's functions are called there.
    :raises ConfigError: if the configuration can't be served.
    :raises TypeError: if ``app`` is not a WSGI app, or both ``routes`` and ``resolver`` are given.

    Two guards with one configuration around an app do no harm: the inner one sees that the outer
    one has decided, and passes the request on.
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
        if not callable(app):
            raise TypeError(f"app must be a WSGI app, not {type(app).__name__}")
        self.app = app
        self._framework = Framework.of(app)
        self.config = config = needed(config if config is not None else SecurityConfig())
        of_app: Renderer | None = getattr(resolver, "renderer", None)
        self.renderer = renderer if renderer is not None else of_app
        self.asks_inside = asks_inside
        of_framework: HookContext = getattr(resolver, "hook_context", no_context)
        self._hook_context = hook_context if hook_context is not None else of_framework
        self._forget_body: ForgetBody = getattr(resolver, "forget_body", nothing_kept)
        self.services = Services(config, store=store, events=events, serve=self._serve)
        self.resolver = pattern_resolver(routes, config) if routes else resolver
        self._events = self.services.events
        self._peers = self.services.peers
        self._report = Report(self._events, self.inside)
        store = self.services.store
        self._begin_request = store.begin_request if store.waits else None
        self._is_serving = False
        self._is_new = True
        self._serve(config)
        attach = getattr(self.resolver, "attach", None)
        if attach is not None:
            attach(self)
        when_decorated(self)
        renew_after_fork(self)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        policy = self._policy
        if ENVIRON_KEY in environ and self._is_decided(environ):
            return self._entry(environ, start_response)
        if not policy.enabled:
            return self._entry(environ, start_response)
        if self._is_new:
            self._begin_serving(environ)
        if self._events.wants_metrics:
            visit: Departure = self._measured(policy, environ)
        else:
            visit = arrive(environ, policy.clients, self, Departure())
        environ[ENVIRON_KEY] = verdict = visit.verdict
        verdict.environ_id = id(environ)
        plan, block = policy.global_plan, None
        if policy.prepares:
            plan, block = self._prepare(policy, environ, visit)
        elif self.resolver is not None:
            plan, block = self._resolve(policy, self.resolver, environ, visit)
        paths = policy.listed_paths
        if environ.get("PATH_INFO", "")[paths.beginning] in paths.beginnings:
            paths.excuse(environ, visit)
        bans, now = policy.bans, monotonic()
        if now < policy.emergency.calm_until and (bans.none_yet or now < bans.nobody_until):
            visit.standing |= CALM
        visit.outgoing = policy.outgoing
        visit.security = plan.security
        visit.start_response = start_response
        ask, ladder, is_plain = plan.ladders[visit.standing]
        place = ask(environ, visit) if block is None else 0
        if place is None:  # no check needs a request object: all pass
            if is_plain:
                self._report.passed += 1
                return self._entry(environ, visit.begin)
            if not (plan.is_hooked or visit.standing & NOTED):
                self._report.passed += 1
                if not plan.is_attended:
                    return self._pass_measured(environ, visit)
                watch = None if visit.standing & WHITELISTED else plan.watch
                return self._pass_attended(policy, watch, environ, visit, self._entry)
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
        """Let the remaining checks decide, then call the app or refuse."""
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
            return self._pass_attended(policy, watch, environ, visit, self._entry)
        try:
            response = self._entry(environ, visit.begin)
        except BodyTooLarge:
            return self._refuse_late(policy, environ, visit, visit.start_response)
        if visit.body is not None and visit.body.is_limited:
            return LateLimit(
                response, lambda: self._refuse_late(policy, environ, visit, visit.start_response)
            )
        return response

    def tell(
        self, event_type: str, environ: WSGIEnvironment, action_taken: str, **metadata: Any
    ) -> None:
        """Report an event of the app's own about a request."""
        policy = self.policy
        visit = arrive(environ, policy.clients, self, Visit())
        verdict = environ.get(ENVIRON_KEY)
        if isinstance(verdict, Verdict):
            visit.verdict = verdict
        request = GuardRequest(environ, policy.clients, policy.country_of, self, visit)
        self._events.emit(event_type, request, action_taken, **metadata)

    def _is_decided(self, environ: WSGIEnvironment) -> bool:
        """Whether another guard with the same configuration has decided on this request.

        A copy of an environ is another request: an app makes one when it requests a page from
        itself.
        """
        verdict = environ[ENVIRON_KEY]
        if not isinstance(verdict, Verdict) or verdict.environ_id != id(environ):
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
        """Handle the first requests; some of them show whether client addresses can be trusted."""
        if not self._is_serving:
            self._is_serving = True
            self._start(environ)
        if self._peers.watching:
            self._peers.observe(environ)
        self._is_new = self._peers.watching

    def _start(self, environ: WSGIEnvironment) -> None:
        """Handle the first request of a process, to which threads and files belong."""
        if self.resolver is None:
            # The author of a decorated view believes that it is protected.
            for view in decorated_by(self.config):
                logger.error(
                    "%s.%s has guard rules that have no effect: give GuardMiddleware a resolver"
                    " (guard_wsgi.resolvers), or use FlaskAPIGuard",
                    getattr(view, "__module__", "?"),
                    getattr(view, "__qualname__", repr(view)),
                )
        elif hasattr(self.resolver, "audit"):
            self.resolver.audit(decorated_by(self.config))
        limits = getattr(self.resolver, "route_limits", None)
        if self.services.agent is not None and limits is not None:
            self.services.agent.add_route_source(limits)
        if REWRITTEN_KEY in environ:
            fault = proxy_fix_conflict(_ProxyFixBefore, self.config)
            if fault:
                logger.error("%s", fault)
        self.services.begin_serving(environ)

    def after_fork_in_child(self) -> None:
        """Start again in a child process: it has none of its parent's threads."""
        self._is_serving = False
        self._is_new = True

    def _prepare(
        self, policy: Policy, environ: WSGIEnvironment, visit: Departure
    ) -> tuple[Plan, Block | None]:
        """Do what only some sites need before the checks; return the plan, and a refusal if any."""
        # Only a store on another machine can make a request wait, so only that needs a time budget.
        if self._begin_request is not None:
            self._begin_request()
        if policy.logs_requests:
            self.services.log.log_request(
                GuardRequest(environ, policy.clients, policy.country_of, self, visit)
            )
        plan, block = policy.global_plan, None
        if self.resolver is not None:
            plan, block = self._resolve(policy, self.resolver, environ, visit)
        if policy.cors is not None:
            visit.origin = environ.get("HTTP_ORIGIN")
            if is_preflight(environ):
                # A browser sends a preflight without credentials, so the route's own checks can't
                # decide on it.
                plan = policy.relaxed(visit.verdict.route)
                visit.standing |= PREFLIGHT
        return plan, block

    def _resolve(
        self, policy: Policy, resolver: Resolver, environ: WSGIEnvironment, visit: Visit
    ) -> tuple[Plan, Block | None]:
        """Find the plan of the view that a request leads to; return a refusal if there is none."""
        try:
            resolution = resolver(environ)
        except Exception as error:  # a framework's router, or the app's own converters
            self._report.fault("route_config", error)
            if policy.config.fail_secure:
                return policy.global_plan, unresolved("the resolver failed")
            return policy.global_plan, None
        if resolution is None:
            if not policy.config.route_resolution_strict:
                return policy.global_plan, None
            block = unresolved("no route matches")
            if policy.passive:
                request = GuardRequest(environ, policy.clients, policy.country_of, self, visit)
                self._tell(policy, request, block, passive=True)
                return policy.global_plan, None
            return policy.global_plan, block
        verdict = visit.verdict
        verdict.endpoint = resolution.endpoint
        verdict.route = route = resolution.route
        is_options = environ["REQUEST_METHOD"] == "OPTIONS"
        if is_options and route is not None and self._defers_credentials(policy, environ):
            verdict.defers_credentials, verdict.expected = True, False
            return policy.preflight(route), None
        if resolution.others:
            return policy.combined((route, *resolution.others)), None
        return policy.plan(route), None

    # For the operator --------------------------------------------------------------------------

    def reconfigure(self, config: SecurityConfig) -> None:
        """Serve another configuration from the next request on; running requests keep theirs.

        Dynamic rules stay in force over it. The services (store, agent, databases, log) stay as
        they were constructed.

        :raises ConfigError: if it is not valid; then the former configuration stays.
        """
        self.services.ruled.rebase(needed(config))
        self.config = config

    def _serve(self, config: SecurityConfig) -> None:
        """Compile first, then swap by one assignment."""
        self._policy = Policy(config, self.services, self.resolver, self._framework)

    @property
    def bans(self) -> Bans:
        """Ban, lift and list: ``guard.bans.ban("203.0.113.7", 3600, "abuse")``."""
        return self.services.store.bans

    def limits(self, client: str, path: str = "/", method: str = "GET") -> list[LimitState]:
        """Return what a client has left of each limit that applies to a path. This counts nothing.

        :raises StoreError: if the store is down and its policy is to deny.
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
        """Return the health of what the guard depends on: store, databases, feeds, agent."""
        return self.services.status()

    def stats(self) -> dict[str, int]:
        """Count requests that passed, were refused or would have been, and faults of each part."""
        return self._report.stats()

    def use_store(self, store: Store) -> Store:
        """Count and ban in another store from the next request on. Return the former store, still
        open. For tests of an app (guard_wsgi.testing)."""
        former = self.services.store
        self.services.store = store
        self._begin_request = store.begin_request if store.waits else None
        self._serve(self.policy.config)
        return former

    def reset(self) -> None:
        """Forget counters, bans and limits: for tests and for a fresh start."""
        self.services.store.reset()
        self._report.reset()

    def close(self) -> None:
        """Stop threads, flush events and close the store."""
        self.services.close()


class _ProxyFixBefore:
    """Stands for a ProxyFix that has rewritten the environ by unknown headers."""

    x_for = x_proto = 1
