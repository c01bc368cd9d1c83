"""A configuration compiled for serving.

Everything that a config decides is decided here, once: which checks a route gets and in which
order, for each standing that a client can have. What is left for a request is a lookup. A policy
never changes; a changed configuration is a new policy, swapped in by one assignment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from guard_wsgi.behavior.tracker import BehaviorWatch
from guard_wsgi.checks.access import (
    AddressLists,
    Clouds,
    Countries,
    KnownClient,
    NotBanned,
    NotInEmergency,
    RouteAddressLists,
    UserAgents,
)
from guard_wsgi.checks.authentication import Authentication
from guard_wsgi.checks.base import Check
from guard_wsgi.checks.behavior import Behaves
from guard_wsgi.checks.content import (
    ContentTypes,
    Referrers,
    RequestSize,
    RequiredHeaders,
    TimeWindow,
)
from guard_wsgi.checks.custom import CustomRequestCheck, Validators
from guard_wsgi.checks.health_probes import HealthProbes
from guard_wsgi.checks.inspections import Inspections
from guard_wsgi.checks.path_limits import PathLimits
from guard_wsgi.checks.threats import (
    WEIGHED_A_MINUTE,
    Allowance,
    BodyInspection,
    HeadInspection,
    Honeypot,
    Judgement,
)
from guard_wsgi.checks.traffic import EVERYWHERE, RateLimits, RouteLimits
from guard_wsgi.checks.transport import AllowedHosts, Framing, Https
from guard_wsgi.config.sections.limits import DEFAULT_LIMIT
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.detection import Inspection
from guard_wsgi.network.client import ClientResolver
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.network.standing import EXCLUDED, EXEMPT, PROBE, WHITELISTED
from guard_wsgi.request.block import Block
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.response.headers import SecurityHeaders
from guard_wsgi.response.outgoing import Outgoing
from guard_wsgi.response.refusal import Refusals
from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.routes.resolvers import Resolver
from guard_wsgi.services import Parts
from guard_wsgi.state.ratelimit import Limit

BYPASSES: Mapping[str, frozenset[str]] = {
    "ip_ban": frozenset({NotBanned.name}),
    "ip": frozenset({AddressLists.name, Countries.name, Clouds.name}),
    "clouds": frozenset({Clouds.name}),
    "rate_limit": frozenset({RateLimits.name}),
    "penetration": frozenset({HeadInspection.name}),
}
"""Which checks each name of the ``bypass`` decorator takes off a route; ``all`` takes all."""

_CREDENTIALS = frozenset({Authentication.name, RequiredHeaders.name})
"""What a browser sends only after a preflight: its headers are part of what it asks for."""

_ALL_BUT_CREDENTIALS: frozenset[str] = frozenset()

_INHERIT_ALL = RouteConfig()


Run = Callable[[GuardRequest], "Block | None"]
"""A check's bound ``__call__``: quicker to call than the check, which is its ``__self__``."""


class _Ladders(dict[int, tuple[Run, ...]]):
    """By the bits of a standing, the checks that those who have it are not excused from. Each is
    made when the first of them comes: of all combinations few ever do."""

    def __init__(self, checks: tuple[Check, ...]) -> None:
        super().__init__()
        self._runs = [(check.__call__, check.excused) for check in checks]

    def __missing__(self, standing: int) -> tuple[Run, ...]:
        self[standing] = ladder = tuple(
            run for run, excused in self._runs if not excused & standing
        )
        return ladder


class Plan:
    """The ladders of one route: by the standing of who asks, the checks that apply.

    :ivar checks: all of them.
    :ivar late: what comes from the first check on that calls a function of the app, and so runs
        in the app's own context (hooks.py); ``None`` where none does.
    :ivar watch: the behaviour rules that hold for its answers, if any do.
    :ivar security: the security headers of its answers, if it has some of its own.
    :ivar is_attended: whether more is to be done with what passes than to call the app.
    """

    __slots__ = ("checks", "is_attended", "ladders", "late", "route", "security", "watch")

    def __init__(
        self,
        route: RouteConfig,
        checks: tuple[Check, ...],
        watch: BehaviorWatch | None,
        answers_preflights: bool,
        security: SecurityHeaders | None = None,
    ) -> None:
        self.route = route
        self.security = security
        self.checks = checks
        self.watch = watch
        self.is_attended = watch is not None or answers_preflights
        calling = [getattr(check, "calls_hooks", False) for check in checks]
        first = calling.index(True) if True in calling else len(checks)
        self.ladders = _Ladders(checks[:first])
        self.late = _Ladders(checks[first:]) if first < len(checks) else None

    def whole(self, standing: int) -> tuple[Run, ...]:
        """All of the checks, for one who is in the app's context already."""
        late = self.late[standing] if self.late is not None else ()
        return self.ladders[standing] + late


class Policy:
    """One :class:`SecurityConfig`, ready to be asked.

    :param parts: what outlives a change of configuration: state, detector, databases, events.
    :param left_to_app: keys of security headers that the app's framework sets by itself.
    :ivar lists_clients: whether any client is whitelisted or exempt.
    :ivar calls_hooks_on_refusal: whether functions of the app are told of refusals.
    :ivar listed_paths: ``exclude_paths`` and ``health_paths`` as PEP 3333 spells them, UTF-8
        bytes as latin-1.
    """

    def __init__(
        self,
        config: SecurityConfig,
        parts: Parts,
        resolver: Resolver | None = None,
        left_to_app: frozenset[str] = frozenset(),
    ) -> None:
        self.config = config
        self.parts = parts
        self._resolver = resolver
        self.enabled = config.enabled
        self.passive = config.passive_mode
        self.logs_requests = config.log_request_level is not None
        self._everywhere = Limit(config.rate_limit, config.rate_limit_window, EVERYWHERE)
        self.clients = ClientResolver(
            config.trusted_proxies,
            depth=config.trusted_proxy_depth,
            header=config.forwarded_header,
            trust_forwarded_proto=config.trust_x_forwarded_proto,
            ipv6_prefix_bits=config.ipv6_client_prefix,
            limit_prefix=self._everywhere.key_prefix,
        )
        self.outgoing = Outgoing(config, left_to_app)
        self.cors = self.outgoing.cors
        self.refusals = Refusals(config, self.outgoing)
        self.calls_hooks_on_refusal = (
            config.on_block is not None or self.outgoing.modifier is not None
        )
        self.country_of = parts.country
        self._whitelist = IPSet(config.whitelist or ())
        self._exempt = IPSet(config.exempt_ips)
        self.lists_clients = bool(self._whitelist or self._exempt)
        self._excluded_exact = frozenset(config.exclude_paths)
        self._excluded_below = tuple(path.rstrip("/") + "/" for path in config.exclude_paths)
        self._excluded_paths = tuple(map(_as_wsgi, config.exclude_paths))
        self._probes = HealthProbes(config.health_paths)
        self.listed_paths = (*self._excluded_paths, *map(_as_wsgi, config.health_paths))
        self._listed_below = tuple(map(_as_wsgi, self._excluded_below))
        self.emergency = parts.emergency(config)
        self._suspicion = parts.suspicion(config)
        self._behavior = parts.behavior(config, self._suspicion)
        self._inspections = Inspections(lambda: parts.detector(config), config)
        log_country = config.log_country_check_level is not None
        self._on_country = parts.log.log_country if log_country else None
        self._weighing = Allowance(WEIGHED_A_MINUTE)
        self._plans: dict[tuple[int, frozenset[str] | None], Plan] = {}
        self._relaxed: dict[int, tuple[RouteConfig, Plan]] = {}
        self.global_plan = self._plan(_INHERIT_ALL)

    @property
    def inspection(self) -> Inspection:
        """Detection as it is where no route says otherwise."""
        return self._inspections.for_route(_INHERIT_ALL).everywhere

    def plan(self, route: RouteConfig | None) -> Plan:
        """The compiled ladders of a route; ``None`` for one without rules of its own."""
        return self.global_plan if route is None else self._kept(route, None)

    def preflight(self, route: RouteConfig | None) -> Plan:
        """The same without what a browser can't send before it is allowed to."""
        return self.global_plan if route is None else self._kept(route, _ALL_BUT_CREDENTIALS)

    def credentials(self, route: RouteConfig | None) -> Plan:
        """The other part of a route's checks."""
        return self._kept(route or _INHERIT_ALL, _CREDENTIALS)

    def combined(self, routes: Iterable[RouteConfig | None]) -> Plan:
        """All the checks of several routes: a path that may lead to any of them."""
        plans = [self.plan(route) for route in routes]
        checks: list[Check] = []
        for plan in plans:
            for check in plan.checks:
                # What everybody is counted by is counted once.
                is_plain = isinstance(check, RateLimits) and check.is_plain
                if not (is_plain and any(isinstance(known, RateLimits) for known in checks)):
                    checks.append(check)
        watch = next((plan.watch for plan in plans if plan.watch is not None), None)
        return Plan(plans[0].route, tuple(checks), watch, self.cors is not None, plans[0].security)

    def _kept(self, route: RouteConfig, part: frozenset[str] | None) -> Plan:
        key = id(route), part
        plan = self._plans.get(key)
        if plan is None:
            # The plan holds the route, so the id can't come to mean another one.
            plan = self._plans[key] = self._plan(route, part)
        return plan

    def relaxed(self, route: RouteConfig | None) -> Plan:
        """The global rules but for what a route lets pass: for a preflight that the guard answers,
        whose path and query are those of the request that follows."""
        if route is None:
            return self.global_plan
        kept = self._relaxed.get(id(route))
        if kept is None:
            # It holds the route, as above.
            kept = self._relaxed[id(route)] = route, self.plan(route.relaxations())
        return kept[1]

    def standing(self, request: GuardRequest) -> int:
        """The bits that choose a plan's ladder: the request's own, and those of the lists.

        The lists add nothing, and need not be asked, unless `lists_clients` or the path begins
        with one of `listed_paths`.
        """
        standing = request.standing
        client = request.identity.address
        if client is not None:
            if client in self._whitelist:
                standing |= WHITELISTED
            if client in self._exempt:
                standing |= EXEMPT
        path = request.environ.get("PATH_INFO") or "/"
        if path.startswith(self.listed_paths):
            if self._is_excluded(path, request):
                standing |= EXCLUDED
            if self._probes.include(request, standing):
                standing |= PROBE
        return standing

    def _is_excluded(self, path: str, request: GuardRequest) -> bool:
        """Only a path that is excluded whatever the app takes it for is excluded."""
        return (path in self._excluded_paths or path.startswith(self._listed_below)) and all(
            reading in self._excluded_exact or reading.startswith(self._excluded_below)
            for reading in request.readings
        )

    def _plan(self, route: RouteConfig, part: frozenset[str] | None = None) -> Plan:
        skipped = route.bypassed_checks or frozenset()
        if "all" in skipped:
            return Plan(route, (), None, self.cors is not None, self._security(route))
        names: frozenset[str] = frozenset().union(*(BYPASSES[name] for name in skipped))
        watch = self._behavior.watch(route.behavior_rules, self.config.global_behavior_rules)
        checks = tuple(
            check
            for check in self._checks(route, watch)
            if check.name not in names
            and (part is None or (check.name in _CREDENTIALS) is (part is _CREDENTIALS))
        )
        return Plan(route, checks, watch or None, self.cors is not None, self._security(route))

    def _security(self, route: RouteConfig) -> SecurityHeaders | None:
        headers = route.security_headers
        return self.outgoing.security_of(headers) if headers else None

    def _checks(self, route: RouteConfig, watch: BehaviorWatch) -> Iterator[Check]:
        """The ladder: cheap before dear, who before what, the head before the body."""
        config = self.config
        parts = self.parts
        if config.fail_secure:
            yield KnownClient()
        yield NotBanned(parts.store.bans)
        yield NotInEmergency(self.emergency)
        yield from self._address_checks(route)
        yield from self._country_checks(route)
        providers = route.block_cloud_providers or config.block_cloud_providers
        if providers:
            match = parts.cloud_match(providers)
            yield Clouds(match, is_verified_bot=parts.is_verified_bot)
        if config.allowed_hosts:
            yield AllowedHosts(config.allowed_hosts)
        if route.require_https:
            yield Https(scope="route")
        elif config.enforce_https:
            yield Https()
        yield from self._content_checks(route)
        rate_limits = tuple(self._rate_limit_checks(route))
        yield from self._authentication_checks(route, rate_limits[0] if rate_limits else None)
        if route.require_referrer:
            yield Referrers(route.require_referrer)
        if route.time_restrictions is not None:
            window = route.time_restrictions
            yield TimeWindow(window.start, window.end, window.zone)
        yield from self._user_agent_checks(route)
        yield from rate_limits
        yield from self._threat_checks(route)
        if watch:
            yield Behaves(watch)
        if route.custom_validators:
            yield Validators(tuple(route.custom_validators))
        if config.custom_request_check is not None:
            yield CustomRequestCheck(config.custom_request_check)

    def _address_checks(self, route: RouteConfig) -> Iterator[Check]:
        config = self.config
        if route.ip_whitelist or route.ip_blacklist:
            yield RouteAddressLists(route.ip_whitelist or (), route.ip_blacklist or ())
        # A route's own allow list stands in place of the global lists.
        if (config.whitelist or config.blacklist) and not route.ip_whitelist:
            yield AddressLists(IPSet(config.whitelist or ()), IPSet(config.blacklist))

    def _country_checks(self, route: RouteConfig) -> Iterator[Check]:
        config = self.config
        allowed, blocked = route.whitelist_countries or (), route.blocked_countries or ()
        if allowed or blocked:
            yield Countries(
                allowed,
                blocked,
                scope="route",
                on_pass=self._on_country,
                is_verified_bot=self.parts.is_verified_bot,
            )
        # Whom the route admits by country, the global country rules don't turn away.
        if config.uses_countries and not allowed:
            yield Countries(
                config.whitelist_countries,
                config.blocked_countries,
                on_pass=self._on_country,
                is_verified_bot=self.parts.is_verified_bot,
            )

    def _content_checks(self, route: RouteConfig) -> Iterator[Check]:
        config = self.config
        yield Framing()
        if route.max_request_size is not None:
            yield RequestSize(route.max_request_size, scope="route")
        elif config.max_request_size is not None:
            yield RequestSize(config.max_request_size)
        if route.allowed_content_types:
            yield ContentTypes(route.allowed_content_types, scope="route")
        elif config.allowed_content_types:
            yield ContentTypes(config.allowed_content_types)
        if route.required_headers:
            yield RequiredHeaders(route.required_headers)

    def _authentication_checks(
        self, route: RouteConfig, rate_limit: Check | None
    ) -> Iterator[Check]:
        verifier = self.config.auth_verifier
        if route.authorization_header_required:
            yield Authentication(route.authorization_header_required, None, rate_limit=rate_limit)
        if route.auth_required:
            yield Authentication(
                route.auth_required, route.auth_verifier or verifier, rate_limit=rate_limit
            )
        if route.api_key_required:
            yield Authentication(
                "apikey",
                route.api_key_verifier or verifier,
                header=route.api_key_header or "X-API-Key",
                rate_limit=rate_limit,
            )

    def _user_agent_checks(self, route: RouteConfig) -> Iterator[Check]:
        is_verified_bot = self.parts.is_verified_bot
        if route.blocked_user_agents:
            yield UserAgents(
                route.blocked_user_agents, is_verified_bot=is_verified_bot, scope="route"
            )
        if self.config.blocked_user_agents:
            yield UserAgents(self.config.blocked_user_agents, is_verified_bot=is_verified_bot)

    def _rate_limit_checks(self, route: RouteConfig) -> Iterator[Check]:
        config = self.config
        if not config.enable_rate_limiting:
            return
        limit = None
        if route.rate_limit is not None:
            limit = Limit(route.rate_limit, route.rate_limit_window or 60, "route")
        by_country = None
        if route.geo_rate_limits:
            by_country = {
                country: Limit(requests, window, "country")
                for country, (requests, window) in route.geo_rate_limits.items()
            }
        yield RateLimits(
            self.parts.store.limiter,
            everywhere=self._everywhere,
            by_path=PathLimits(
                {
                    path: Limit(requests, window, "endpoint")
                    for path, (requests, window) in config.endpoint_rate_limits.items()
                },
                self._resolver,
            ),
            route=RouteLimits(
                limit=limit,
                by_country=by_country,
                cost=route.rate_limit_cost or 1,
                key=route.rate_limit_key,
                exempt_when=route.rate_limit_exempt_when,
            ),
            key=config.rate_limit_key,
            exempt_when=config.rate_limit_exempt_when,
            suspicion=self._suspicion if config.enable_rate_limit_auto_ban else None,
            unset=DEFAULT_LIMIT,
        )

    def _threat_checks(self, route: RouteConfig) -> Iterator[Check]:
        config = self.config
        enabled = config.enable_penetration_detection
        if route.enable_suspicious_detection is not None:
            enabled = route.enable_suspicious_detection
        judge = Judgement(
            budget_blocks=config.detection_budget_action == "block",
            tells_always=config.passive_mode or config.on_block is not None,
            suspicion=self._suspicion,
            weighing=self._weighing,
        )
        if enabled:
            inspections = self._inspections.for_route(route)
            yield HeadInspection(inspections, judge)
        if route.honeypot_fields:
            yield Honeypot(route.honeypot_fields)
        if enabled and inspections.scan_body:
            yield BodyInspection(
                inspections,
                judge,
                max_bytes=config.detection_max_body_inspect_bytes,
                unreadable_blocks=config.unreadable_body == "block",
                oversized_blocks=config.detection_oversized_body == "block",
            )


def _as_wsgi(text: str) -> str:
    return text.encode().decode("latin-1")
