"""A configuration compiled for serving.

Everything that depends on the configuration alone is decided here, once: which checks a route gets
and in which order, for each standing of a client. A request only needs a lookup. A policy never
changes. A changed configuration is a new policy, swapped in by one assignment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from guard_wsgi.behavior.tracker import BehaviorWatch
from guard_wsgi.checks.authentication import Authentication
from guard_wsgi.checks.base import Check
from guard_wsgi.checks.behavior import ClientBehavior
from guard_wsgi.checks.content import RequiredHeaders
from guard_wsgi.checks.services import CheckServices
from guard_wsgi.checks.traffic import EVERYWHERE, RateLimits
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.detection import Inspection
from guard_wsgi.ladder.ladder import checks_for, require_known_checks
from guard_wsgi.ladder.listed_paths import ListedPaths
from guard_wsgi.ladder.plan import Ladder, Plan
from guard_wsgi.network.client import ClientResolver
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.network.standing import EXEMPT, WHITELISTED
from guard_wsgi.request.visit import Visit
from guard_wsgi.response.headers import SecurityHeaders
from guard_wsgi.response.outgoing import Outgoing
from guard_wsgi.response.refusal import Refusals
from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.routes.framework import UNKNOWN, Framework
from guard_wsgi.routes.resolvers import Resolver
from guard_wsgi.services import Services
from guard_wsgi.state.ratelimit import Limit

_CREDENTIALS: frozenset[type[Check]] = frozenset({Authentication, RequiredHeaders})
"""Checks of headers that a browser sends only after a preflight has allowed them."""

_ALL_BUT_CREDENTIALS: frozenset[type[Check]] = frozenset()

_INHERIT_ALL = RouteConfig()

MAX_PLANS = 4096
"""More than any app has views with rules, unless it decorates views while it runs."""


class Policy:
    """A compiled :class:`SecurityConfig`.

    :param services: the parts that outlive a change of configuration: state, detector, databases,
        events.
    :param framework: what the app's framework does by itself.
    :ivar listed_paths: exemptions of a request by its path.
    :ivar calls_hooks_on_refusal: whether functions of the app are called with refusals.
    :ivar prepares: whether there is more to do before the checks than to look at the environ and to
        find the route.
    :raises ConfigError: if the configuration names an unknown check.
    """

    def __init__(
        self,
        config: SecurityConfig,
        services: Services,
        resolver: Resolver | None = None,
        framework: Framework = UNKNOWN,
    ) -> None:
        require_known_checks(config)
        self.config = config
        self.services = services
        self.enabled = config.enabled
        self.passive = config.passive_mode
        self.logs_requests = config.log_request_level is not None
        everywhere = Limit(config.rate_limit, config.rate_limit_window, EVERYWHERE)
        self.clients = ClientResolver(
            config.trusted_proxies,
            depth=config.trusted_proxy_depth,
            header=config.forwarded_header,
            trust_forwarded_proto=config.trust_x_forwarded_proto,
            ipv6_prefix_bits=config.ipv6_client_prefix,
            limit_prefix=everywhere.key_prefix,
            lists=(
                (IPSet(config.whitelist or ()), WHITELISTED),
                (IPSet(config.exempt_ips), EXEMPT),
            ),
        )
        self.outgoing = Outgoing(config, framework.headers)
        self.cors = self.outgoing.cors
        self.prepares = services.store.waits or self.logs_requests or self.cors is not None
        self.refusals = Refusals(config, self.outgoing)
        self.calls_hooks_on_refusal = (
            config.on_block is not None or self.outgoing.modifier is not None
        )
        self.country_of = services.country
        self.bans = services.store.bans
        self.listed_paths = ListedPaths(config.exclude_paths, config.health_paths)
        self._services = CheckServices(
            config, services, resolver, self.clients, everywhere, framework.reads_any_form
        )
        self.emergency = self._services.emergency
        self._plans: dict[int | tuple[int, frozenset[type[Check]]], Plan] = {}
        self._counting: dict[tuple[int, str, str], tuple[RouteConfig, Plan]] = {}
        self._relaxed: dict[int, tuple[RouteConfig | None, Plan]] = {}
        self.global_plan = self._plan(_INHERIT_ALL)

    @property
    def inspection(self) -> Inspection:
        """Return the detection of routes without their own settings."""
        return self._services.inspections.for_route(_INHERIT_ALL).everywhere

    def plan(self, route: RouteConfig | None) -> Plan:
        """Return the compiled ladders of a route; ``None`` for a route without its own rules."""
        if route is None:
            return self.global_plan
        return self._plans.get(id(route)) or self._kept(route, None)

    def preflight(self, route: RouteConfig | None) -> Plan:
        """Return the ladders without checks of headers that a browser can't send before a preflight
        allows them."""
        return self.global_plan if route is None else self._kept(route, _ALL_BUT_CREDENTIALS)

    def credentials(self, route: RouteConfig | None) -> Plan:
        """Return the other part of a route's checks."""
        return self._kept(route or _INHERIT_ALL, _CREDENTIALS)

    def counting(self, route: RouteConfig, limits: str, behavior: str) -> Plan:
        """The route's own limits and rules on calls, for a view that is called again.

        :param limits: what its limits count as; ``behavior``: what its rules on calls do.
        """
        key = id(route), limits, behavior
        kept = self._counting.get(key)
        if kept is None:
            if len(self._counting) >= MAX_PLANS:
                self._counting.clear()
            checks = self._counts(route.counted_as(limits, behavior))
            # With the route, as below.
            plan = self._made(route, checks, None, self._security(route))
            kept = self._counting[key] = route, plan
        return kept[1]

    def combined(self, routes: Iterable[RouteConfig | None]) -> Plan:
        """Return all checks of several routes, for a path that may lead to any of them."""
        plans = [self.plan(route) for route in routes]
        checks: list[Check] = []
        for plan in plans:
            for check in plan.checks:
                # The global limit counts a request once.
                is_same = isinstance(check, RateLimits) and check.is_same_everywhere
                if not (is_same and any(isinstance(known, RateLimits) for known in checks)):
                    checks.append(check)
        watch = next((plan.watch for plan in plans if plan.watch is not None), None)
        return self._made(plans[0].route, tuple(checks), watch, plans[0].security)

    def relaxed(self, route: RouteConfig | None) -> Plan:
        """Return the global rules without what a route exempts. They apply to a preflight that the
        guard answers, which has the path and query of the request that follows."""
        kept = self._relaxed.get(id(route))
        if kept is None:
            relaxations = None if route is None else route.relaxations()
            plan = self._plan(relaxations or _INHERIT_ALL, answers_preflights=True)
            # It refers to the route, as below.
            kept = self._relaxed[id(route)] = route, plan
        return kept[1]

    def whole_ladder(self, plan: Plan, environ: Mapping[str, Any], visit: Visit) -> Ladder:
        """Return all checks of a plan that apply to a request, with bans and emergency."""
        self.listed_paths.excuse(environ, visit)
        return plan.whole(visit.standing)

    def _kept(self, route: RouteConfig, part: frozenset[type[Check]] | None) -> Plan:
        key = id(route) if part is None else (id(route), part)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= MAX_PLANS:
                self._plans.clear()
            # The plan refers to the route, so no other object can get its id.
            plan = self._plans[key] = self._plan(route, part)
        return plan

    def _plan(
        self,
        route: RouteConfig,
        part: frozenset[type[Check]] | None = None,
        *,
        answers_preflights: bool = False,
    ) -> Plan:
        checks = tuple(
            check
            for check in checks_for(self.config, route, self._services)
            if part is None or (type(check) in _CREDENTIALS) is (part is _CREDENTIALS)
        )
        bypasses_all = "all" in (route.bypassed_checks or ())
        watch = None
        if route.behavior_rules or not bypasses_all:
            watch = self._services.watch(route) or None
        return self._made(route, checks, watch, self._security(route), answers_preflights)

    def own_watch(self, route: RouteConfig | None) -> BehaviorWatch | None:
        """The behaviour rules of a view that no prediction led to, for its answers."""
        if route is None or not route.behavior_rules:
            return None
        return self._services.own_watch(route)

    def _counts(self, route: RouteConfig) -> Ladder:
        found: list[Check] = []
        if route.has_limits:
            found.extend(RateLimits.for_route(self.config, route, self._services))
        own = self._services.own_watch(route)
        if own:
            found.append(ClientBehavior(own, is_own=True))
        return tuple(found)

    def _made(
        self,
        route: RouteConfig,
        checks: Ladder,
        watch: BehaviorWatch | None,
        security: SecurityHeaders,
        answers_preflights: bool = False,
    ) -> Plan:
        is_modified = self.outgoing.modifier is not None
        return Plan(route, checks, watch, answers_preflights, is_modified, security)

    def _security(self, route: RouteConfig) -> SecurityHeaders:
        headers = route.security_headers
        return self.outgoing.security_of(headers) if headers else self.outgoing.security
