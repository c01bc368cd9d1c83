"""Rate limits."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from inspect import isawaitable, isgenerator
from typing import Any

from attrs import evolve, frozen

from guard_wsgi.behavior.suspicion import Suspicion
from guard_wsgi.checks.base import Check
from guard_wsgi.checks.limit_reasons import EVERYWHERE as EVERYWHERE
from guard_wsgi.checks.limit_reasons import exceeded
from guard_wsgi.checks.page_requests import is_made_by_a_page
from guard_wsgi.checks.path_limits import PathLimits
from guard_wsgi.checks.services import CheckServices
from guard_wsgi.config.sections.limits import DEFAULT_LIMIT
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.network.origin import serves_a_test
from guard_wsgi.network.standing import EXEMPT, PREFLIGHT, PROBE, WHITELISTED
from guard_wsgi.options.numbers import MAX_COUNT
from guard_wsgi.repeats import is_reported
from guard_wsgi.request.answers import discard
from guard_wsgi.request.block import Block, whole_seconds
from guard_wsgi.request.hook_types import LimitExemption, LimitKey
from guard_wsgi.request.response import GuardResponse
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.request.visit import Visit
from guard_wsgi.routes.bypass import Bypass
from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.state.ratelimit import Limit, LimitState, RateLimiter

logger = logging.getLogger("guard_wsgi.ratelimit")

MAX_KEY_CHARS = 128
"""The most characters of the app's own key: more than a user's or a session's id. A longer key is
hashed."""

ANY_COUNTRY = "*"

PREFLIGHTS_A_REQUEST = 10
"""Preflights allowed per request of the global limit: a browser sends at most one, and a page that
retries sends some more."""

PREFLIGHTS_OF_A_CHOSEN_LIMIT = 2
"""Preflights allowed per request of the limit of a path or a route. Some views act on any method,
so OPTIONS must not evade the limit; and a page over the limit must still be able to read that."""


@frozen(slots=True, kw_only=True)
class RouteLimits:
    """The limits of a route's decorators; ``None`` if they set none.

    :ivar counted_as: the name under which its requests count; ``""`` for the name of the route.
    """

    limit: Limit | None = None
    by_country: Mapping[str, Limit] | None = None
    cost: int = 1
    key: LimitKey | None = None
    exempt_when: LimitExemption | None = None
    counted_as: str = ""


class RateLimits(Check):
    """Refuses a client that has used up its limit, and says exactly when to come back.

    One limit applies: the route's, else the path's from ``endpoint_rate_limits``, else the global
    one. A route's limit by country has its own bucket and applies in addition. A refused request is
    not counted, so a client that slows down gets through.

    A preflight uses up no limit, as the page did not ask for it. Preflights that the app answers
    have their own, wider limit. The guard answers those over that limit.
    """

    name = "rate_limit"
    bypasses = frozenset({Bypass.RATE_LIMIT})
    excused = WHITELISTED | EXEMPT | PREFLIGHT | PROBE
    fails_closed = False

    def __init__(
        self,
        limiter: RateLimiter,
        *,
        everywhere: Limit,
        by_path: PathLimits,
        route: RouteLimits,
        key: LimitKey | None = None,
        exempt_when: LimitExemption | None = None,
        suspicion: Suspicion | None = None,
        unset: tuple[int, int] | None = None,
    ) -> None:
        """:param unset: the default limit, which does not apply to tests of the app."""
        self._unset = unset
        self._faults: Counter[str] = Counter()
        self.is_own = route.limit is not None or route.by_country is not None
        self._hit = limiter.hit
        self._take = limiter.take
        self._peek = limiter.peek
        self._everywhere = everywhere
        self._by_path = by_path if by_path else None
        if route.limit is not None:  # a view's own limit applies to probes, too
            self.excused = WHITELISTED | EXEMPT | PREFLIGHT
        self._route = route.limit
        self._counted_as = route.counted_as
        self._by_country = route.by_country
        self._cost = route.cost
        self._key = route.key or key
        self._exempt_when = route.exempt_when or exempt_when
        self.calls_hooks = self._key is not None or self._exempt_when is not None
        self._suspicion = suspicion
        # The common case: one limit, counted by address.
        self._is_by_address = not self.calls_hooks and self._by_country is None and self._cost == 1
        # Whether one limit counts all requests of a client, whatever the path.
        self.is_same_everywhere = self._is_by_address and self._route is None and not by_path

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        if not config.enable_rate_limiting:
            return
        yield cls._counted_by(config.rate_limit_key, route.rate_limit_key, config, route, services)

    @classmethod
    def of_guesses(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> RateLimits | None:
        """Return the limits of requests that were refused for a wrong secret, counted by address.

        A key of the app's own is often the secret itself, and each guess would have a count of its
        own.
        """
        if not config.enable_rate_limiting:
            return None
        return cls._counted_by(None, None, config, route, services)

    @classmethod
    def _counted_by(
        cls,
        key: LimitKey | None,
        route_key: LimitKey | None,
        config: SecurityConfig,
        route: RouteConfig,
        services: CheckServices,
    ) -> RateLimits:
        limit = None
        if route.rate_limit is not None:
            limit = Limit(route.rate_limit, route.rate_limit_window or 60, "route")
        by_country = None
        if route.geo_rate_limits:
            by_country = {
                country: Limit(requests, window, "country")
                for country, (requests, window) in route.geo_rate_limits.items()
            }
        return cls(
            services.store.limiter,
            everywhere=services.everywhere,
            by_path=PathLimits(
                {
                    path: Limit(requests, window, "endpoint")
                    for path, (requests, window) in config.endpoint_rate_limits.items()
                },
                services.resolver,
            ),
            route=RouteLimits(
                limit=limit,
                by_country=by_country,
                cost=route.rate_limit_cost or 1,
                key=route_key,
                exempt_when=route.rate_limit_exempt_when,
                counted_as=route.limits_counted_as,
            ),
            key=key,
            exempt_when=config.rate_limit_exempt_when,
            suspicion=services.suspicion if config.enable_rate_limit_auto_ban else None,
            unset=DEFAULT_LIMIT,
        )

    def passes(self, environ: dict[str, Any], visit: Visit) -> bool:
        if not self._is_by_address or environ["REQUEST_METHOD"] == "OPTIONS":
            return False  # OPTIONS may be a preflight, which counts differently
        limit = self._everywhere
        if self._route is not None:
            limit = self._route
            name = self._counted_as or visit.verdict.endpoint
            key = f"{limit.key_prefix}{name}|{visit.identity.client_key}"
        elif self._by_path is not None and (found := self._by_path.of(environ)) is not None:
            path, limit = found
            key = f"{limit.key_prefix}{path}|{visit.identity.client_key}"
        else:
            key = visit.identity.limit_key
        requests = limit.requests
        allowed, remaining, reset_seconds, applied = self._take(
            key, requests, limit.window_seconds, 1
        )
        if applied != requests:
            limit = evolve(limit, requests=applied)
        if allowed:
            visit.verdict.quota = limit, remaining, reset_seconds
            return True
        visit.found = LimitState(False, remaining, reset_seconds, limit)
        return False

    def refusal(self, request: GuardRequest) -> Block | None:
        state: LimitState | None = request.take_found()
        if state is not None:
            return None if self._is_a_suite(request, state.limit) else self._refuse(request, state)
        if request.is_preflight:
            return self._preflight(request)
        return self._by_rules(request)

    def peek(self, request: GuardRequest) -> list[LimitState]:
        """Return what the client has left of each limit that applies to the request. This counts
        nothing."""
        return [self._peek(limit, key) for limit, key in self._buckets(request)]

    def _by_rules(self, request: GuardRequest) -> Block | None:
        if self._exempt_when is not None and self._is_exempt(self._exempt_when, request):
            return None
        buckets = self._buckets(request)
        if len(buckets) > 1:
            # Ask all limits before charging any, so that a refused request is not counted.
            full = []
            for limit, key in buckets:
                state = self._peek(limit, key, self._cost)
                if not state.allowed and not self._is_a_suite(request, limit):
                    full.append(state)
            if full:  # the client must be within all of them
                return self._refuse(request, max(full, key=lambda state: state.reset_seconds))
        for limit, key in buckets:
            state = self._hit(limit, key, self._cost)
            if not state.allowed:
                if self._is_a_suite(request, limit):
                    continue
                return self._refuse(request, state)
            if request.quota is None or state.remaining < request.quota[1]:
                request.quota = state.limit, state.remaining, state.reset_seconds
        return None

    def _preflight(self, request: GuardRequest) -> Block | None:
        """Refuse a preflight over its wider limit.

        A browser sends no more preflights than requests, which are limited. Any other client can
        send OPTIONS without end, and some views act on any method.
        """
        if self._exempt_when is not None and self._is_exempt(self._exempt_when, request):
            return None
        for limit, key in self._buckets(request):
            is_global = limit.name == EVERYWHERE
            times = PREFLIGHTS_A_REQUEST if is_global else PREFLIGHTS_OF_A_CHOSEN_LIMIT
            wider = evolve(limit, requests=min(limit.requests * times, MAX_COUNT))
            if not self._hit(wider, f"preflight|{key}", 1).allowed:
                return Block(
                    status=204,
                    message="",
                    check=self.name,
                    event="rate_limited",
                    reason=exceeded(wider, "preflight"),
                    # Not 429, which a page would take for the answer to its own request.
                    response=GuardResponse(b"", 204),
                    metadata={"limit": limit.name, "rule_type": limit.name},
                )
        return None

    def _is_exempt(self, exempt_when: LimitExemption, request: GuardRequest) -> bool:
        try:
            answer: Any = exempt_when(request)
        except Exception as error:  # an unlimited client would be worse
            self._report("rate_limit_exempt_when raised: counting the request", error)
            return False
        if answer is None or isinstance(answer, int):
            return bool(answer)
        discard(answer)
        # A coroutine or ``(False, "why")`` is true, and would exempt everybody.
        kind = type(answer).__name__
        self._report(
            f"rate_limit_exempt_when must return True or False, not {kind}: counting the request"
        )
        return False

    def _buckets(self, request: GuardRequest) -> list[tuple[Limit, str]]:
        """Return the limits that apply, each with its key: that of the country, and one of the
        others."""
        client = self._client_key(request)
        name = self._counted_as or request.endpoint
        buckets = []
        if self._by_country is not None:
            country = self._country(request)
            limit = self._by_country.get(country) or self._by_country.get(ANY_COUNTRY)
            if limit is not None:
                buckets.append((limit, f"{name}|{country}|{client}"))
        if self._route is not None:
            buckets.append((self._route, f"{name}|{client}"))
            return buckets
        found = self._by_path.of(request.environ) if self._by_path is not None else None
        if found is not None:
            path, limit = found
            buckets.append((limit, f"{path}|{client}"))
        else:
            buckets.append((self._everywhere, client))
        return buckets

    def _country(self, request: GuardRequest) -> str:
        """Return the client's country; ``""`` if it is not known, and then the limit of all others
        applies."""
        try:
            country = request.country
        except Exception as error:  # no limit at all would be worse
            self._report("the source of countries raised: using the limit of all others", error)
            return ""
        return country if isinstance(country, str) else ""

    def _client_key(self, request: GuardRequest) -> str:
        if self._key is not None:
            try:
                key: Any = self._key(request)
                if key is not None and not _is_nameless(key):
                    return f"key:{_bounded(str(key))}"
            except Exception as error:  # an unlimited client would be worse
                self._report("rate_limit_key raised: using the client's address as the key", error)
            else:
                if key is not None:
                    discard(key)
                    self._report(
                        f"rate_limit_key must return text or a number, not {type(key).__name__}:"
                        " using the client's address as the key"
                    )
        return request.client_key

    def _report(self, message: str, error: Exception | None = None) -> None:
        """Log a fault of the app's own code: the first of a kind, then every power of two."""
        self._faults[message] += 1
        if is_reported(self._faults[message]):
            logger.error("%s", message, exc_info=error)

    def _is_a_suite(self, request: GuardRequest, limit: Limit) -> bool:
        """Whether a test of the app exceeds the default limit.

        A suite sends thousands of requests from one address. A limit that the site has set itself
        also applies to its tests, so that they can test it.
        """
        client = request.identity.address
        return (
            limit.name == EVERYWHERE
            and (limit.requests, limit.window_seconds) == self._unset
            and client is not None
            and client.is_loopback
            and serves_a_test()
        )

    def _refuse(self, request: GuardRequest, state: LimitState) -> Block:
        request.quota = state.limit, state.remaining, state.reset_seconds
        if self._suspicion is not None and request.client is not None:
            is_certain = not is_made_by_a_page(request.environ)
            self._suspicion.record(request.client, ("rate_limit",), is_certain)
        return Block(
            status=429,
            message="Too many requests",
            check=self.name,
            event="rate_limited",
            reason=exceeded(state.limit),
            retry_after_seconds=whole_seconds(state.reset_seconds),
            metadata={"limit": state.limit.name, "rule_type": state.limit.name},
        )


def _is_nameless(key: object) -> bool:
    """Whether an object's text is its address in memory: then each request would have its own
    key."""
    kind = type(key)
    return kind.__str__ is object.__str__ and (
        kind.__repr__ is object.__repr__ or isawaitable(key) or isgenerator(key)
    )


def _bounded(key: str) -> str:
    """Shorten the app's own key to `MAX_KEY_CHARS`: a million long keys would fill the memory."""
    if len(key) <= MAX_KEY_CHARS:
        return key
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()
    return f"#{digest}"


CHECKS: tuple[type[Check], ...] = (RateLimits,)
"""In the order of the ladder."""
