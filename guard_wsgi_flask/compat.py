"""The names that flaskapi-guard exports and this package has no use for.

Each is a thin face of what the guard of the current app does (registry.py says which that is);
none keeps anything. There they were singletons, shared by all apps of a process; here each app
has its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from flask import Response as FlaskResponse
from flask import g, make_response, redirect

from guard_wsgi.behavior.response_pattern import BodyPatterns
from guard_wsgi.behavior.rule import BehaviorRule
from guard_wsgi.cli.inspecting import place
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.errors import BanRefused, ConfigError, GuardError
from guard_wsgi.network.address import parse_address
from guard_wsgi.network.cloud import PROVIDERS
from guard_wsgi.request.response import GuardResponse
from guard_wsgi.request.verdict import ENVIRON_KEY
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.response.headers import Cors, SecurityHeaders
from guard_wsgi.state.ratelimit import Limit
from guard_wsgi.state.values import Values
from guard_wsgi_flask.beforehand import Beforehand, with_patterns
from guard_wsgi_flask.guarded import GuardedApp
from guard_wsgi_flask.registry import all_guarded, beforehand, is_too_early, the_guarded

if TYPE_CHECKING:
    from guard_wsgi.middleware import GuardMiddleware

HOSTING = PROVIDERS - {"Cloudflare"}
"""The providers that the other package knows."""

DAY_SECONDS = 86_400
"""How long a value without a time to live is kept: the guard's stores keep none for ever."""


def _guard() -> GuardMiddleware:
    return the_guarded().middleware


def _settable() -> GuardMiddleware | Beforehand:
    """What bans, patterns and headers are set of: the guard, or before there is one what keeps
    them for those to come."""
    return beforehand if is_too_early() else _guard()


class _Face:
    """What all of them have: nothing has to be initialized, and nothing is."""

    def initialize(self) -> None:
        """Nothing to do: the first request does what there is to do."""

    def initialize_redis(self, redis_handler: Any) -> None:
        """Nothing to do: ``store_url`` says where the state lives."""

    def initialize_agent(self, agent_handler: Any) -> None:
        """Nothing to do: ``enable_agent`` says who is told."""


class IPBanManager(_Face):
    """Bans: ``guard.bans``."""

    def ban_ip(self, ip: str, duration: int, reason: str = "threshold_exceeded") -> bool:
        """Ban an address or a network for ``duration`` seconds; ``False`` for one that would
        lock out the site itself.

        :raises ValueError: for what is no address, or a duration that is none.
        """
        try:
            _settable().bans.ban(ip, duration, reason)
        except BanRefused:
            return False
        return True

    def unban_ip(self, ip: str) -> None:
        beforehand.bans.unban(ip)
        _settable().bans.unban(ip)

    def is_ip_banned(self, ip: str) -> bool:
        return _settable().bans.is_banned(ip)

    def reset(self) -> None:
        beforehand.forget_bans()
        for guarded in all_guarded():
            guarded.middleware.bans.clear()


class RateLimitManager(_Face):
    """Limits: ``guard.limits``. :param config: not needed; that of the guard holds."""

    def __init__(self, config: SecurityConfig | None = None) -> None:
        self.config = config

    def check_rate_limit(
        self,
        request: Any,
        client_ip: str,
        create_error_response: Callable[[int, str], Any],
        endpoint_path: str = "",
        rate_limit: int | None = None,
        rate_limit_window: int | None = None,
        **_: Any,
    ) -> Any:
        """Count a request of a client; ``None``, or the response of one over the limit.

        :param endpoint_path: counts apart from other paths.
        :param rate_limit: and its window, in place of the site's.
        """
        guard = _guard()
        config = guard.policy.config
        limit = Limit(
            rate_limit if rate_limit is not None else config.rate_limit,
            rate_limit_window if rate_limit_window is not None else config.rate_limit_window,
            "face",
        )
        state = guard.parts.store.limiter.hit(limit, f"{endpoint_path}|{client_ip}")
        return None if state.allowed else create_error_response(429, "Too many requests")

    def reset(self) -> None:
        """Forget all counts, those that lead to bans as well; bans stay."""
        for guarded in all_guarded():
            store = guarded.middleware.parts.store
            kept = [(ban, store.bans.seconds_left(ban)) for ban in store.bans.list()]
            store.reset()
            for ban, seconds in kept:
                store.bans.ban(ban.target, seconds, ban.reason)


class CloudManager(_Face):
    """The ranges of cloud providers."""

    def is_cloud_ip(self, ip: str, providers: Collection[str] = HOSTING) -> bool:
        return self.get_cloud_provider_details(ip, providers) is not None

    def get_cloud_provider_details(
        self, ip: str, providers: Collection[str] = HOSTING
    ) -> tuple[str, str] | None:
        """The provider of an address and the range that it is in, ``None`` for other addresses.

        :raises ValueError: for what is no address.
        """
        address = parse_address(ip)
        if address is None:
            raise ValueError(f"{ip!r} is no IP address")
        clouds = _guard().parts.clouds
        provider = clouds.select(providers).match(address)
        return None if provider is None else (provider, clouds.range_of(provider, address))

    def refresh(self, providers: Collection[str] = HOSTING) -> None:
        _guard().parts.clouds.refresh()

    def refresh_async(self, providers: Collection[str] = HOSTING, ttl: int = 3600) -> None:
        """As ``refresh``: a WSGI app has no loop to do it on."""
        self.refresh(providers)

    def get_status(self) -> dict[str, Any]:
        status: dict[str, Any] = _guard().parts.clouds.status()["providers"]
        return status


class RedisManager(_Face):
    """Small values in the guard's store, whichever that is.

    :param config: not needed; that of the guard holds.
    """

    def __init__(self, config: SecurityConfig | None = None) -> None:
        self.config = config

    def get_key(self, namespace: str, key: str) -> Any:
        value = self._values().get(f"{namespace}:{key}")
        if value is None:
            return None
        text = value.decode()
        try:
            return json.loads(text)
        except ValueError:
            return text

    def set_key(self, namespace: str, key: str, value: Any, ttl: int | None = None) -> bool:
        """Keep a text, or what JSON can write, for ``ttl`` seconds; a day without one."""
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        self._values().set(f"{namespace}:{key}", text.encode(), ttl or DAY_SECONDS)
        return True

    def delete(self, namespace: str, key: str) -> int:
        existed = self.exists(namespace, key)
        self._values().delete(f"{namespace}:{key}")
        return int(existed)

    def exists(self, namespace: str, key: str) -> bool:
        return self._values().get(f"{namespace}:{key}") is not None

    def incr(self, namespace: str, key: str, ttl: int | None = None) -> int:
        return _guard().parts.store.counters.increment(f"{namespace}:{key}", ttl or DAY_SECONDS)

    def keys(self, pattern: str) -> list[str]:
        """Keys by a pattern of Redis.

        :raises GuardError: for a store that is not Redis: others can't be listed.
        """
        prefix = _guard().policy.config.redis_prefix
        with self.get_connection() as connection:
            return [
                key.decode() if isinstance(key, bytes) else key
                for key in connection.scan_iter(match=f"{prefix}{pattern}")
            ]

    def delete_pattern(self, pattern: str) -> int:
        """Delete keys by a pattern of Redis.

        :raises GuardError: as :meth:`keys`.
        """
        found = self.keys(pattern)
        with self.get_connection() as connection:
            return int(connection.delete(*found)) if found else 0

    @contextmanager
    def get_connection(self) -> Iterator[Any]:
        """A client of the store's Redis.

        :raises GuardError: for a store that is not Redis.
        """
        config = _guard().policy.config
        url = config.effective_store_url
        if not url.startswith(("redis://", "rediss://", "redis+unix://")):
            raise GuardError("the guard's store is not Redis: set enable_redis and redis_url")
        import redis

        with redis.Redis.from_url(
            url.replace("redis+unix", "unix"),
            socket_timeout=config.effective_store_timeout,
            socket_connect_timeout=config.redis_socket_connect_timeout,
        ) as client:
            yield client

    def close(self) -> None:
        """Nothing to do: the store belongs to the guard."""

    def _values(self) -> Values:
        return _guard().parts.store.values


@runtime_checkable
class RedisHandlerProtocol(Protocol):
    """What the other package asks of a store that a user brings."""

    def get_key(self, namespace: str, key: str) -> Any: ...

    def set_key(self, namespace: str, key: str, value: Any, ttl: int | None = None) -> Any: ...

    def delete(self, namespace: str, key: str) -> Any: ...

    def keys(self, pattern: str) -> list[str] | None: ...

    def initialize(self) -> None: ...

    def get_connection(self) -> Any: ...


class SusPatternsManager(_Face):
    """Detection: the site's own patterns, and the verdict on a text."""

    def add_pattern(self, pattern: str, custom: bool = True) -> bool:
        """Look for a pattern of the site's own from now on; ``False`` for one that can't run in
        linear time."""
        guard = _settable()
        known = guard.config.detection_custom_patterns
        named = with_patterns(known, [pattern])
        if len(named) == len(known):
            return True
        try:
            changed = guard.config.evolve(detection_custom_patterns=named)
        except ConfigError:
            return False
        guard.reconfigure(changed)
        return True

    def remove_pattern(self, pattern: str, custom: bool = True) -> bool:
        was_known = _without(beforehand, pattern)
        return was_known if is_too_early() else _without(_guard(), pattern)

    def get_custom_patterns(self) -> list[str]:
        return list(_settable().config.detection_custom_patterns.values())

    def detect(
        self,
        content: str,
        ip_address: str,
        context: str = "unknown",
        correlation_id: str | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        """What detection makes of a text, as one value of a query."""
        inspection = _guard().policy.inspection
        findings = inspection.whole(inspection.head(place(content, "query")))
        threats = [
            {
                "type": "custom" if finding.category == "custom" else "weighed",
                "category": finding.category,
                "match": finding.value,
                "weight": finding.score,
                "pattern": ", ".join(finding.indicators),
            }
            for finding in findings
        ]
        return {
            "is_threat": bool(threats),
            "threat_score": max((finding.score for finding in findings), default=0.0),
            "threats": threats,
            "context": context,
            "original_length": len(content),
            "correlation_id": correlation_id,
        }

    def detect_pattern_match(
        self,
        content: str,
        ip_address: str,
        context: str = "unknown",
        correlation_id: str | None = None,
    ) -> tuple[bool, str | None]:
        """Whether a text is an attack, and by what evidence."""
        threats = self.detect(content, ip_address, context, correlation_id)["threats"]
        return bool(threats), threats[0]["pattern"] if threats else None

    def reset(self) -> None:
        """Forget the site's own patterns."""
        guards: list[GuardMiddleware | Beforehand] = [beforehand]
        guards += [guarded.middleware for guarded in all_guarded()]
        for middleware in guards:
            if middleware.config.detection_custom_patterns:
                changed = middleware.config.evolve(detection_custom_patterns={})
                middleware.reconfigure(changed)


def _without(guard: GuardMiddleware | Beforehand, pattern: str) -> bool:
    """Take a pattern away; whether it was there."""
    known = guard.config.detection_custom_patterns
    kept = {name: each for name, each in known.items() if each != pattern}
    if len(kept) == len(known):
        return False
    guard.reconfigure(guard.config.evolve(detection_custom_patterns=kept))
    return True


class SecurityHeadersManager(_Face):
    """The headers that the guard adds to answers."""

    def get_headers(
        self, request_path: str | None = None, config: SecurityConfig | None = None
    ) -> dict[str, str]:
        """The security headers of an answer over HTTPS."""
        headers = SecurityHeaders.from_config(config or _guard().policy.config)
        return {} if headers is None else dict(headers.https[1])

    def get_cors_headers(self, origin: str, config: SecurityConfig | None = None) -> dict[str, str]:
        """The CORS headers of an answer to a page of ``origin``."""
        cors = Cors.from_config(config or _guard().policy.config)
        if cors is None or not cors.allows(origin):
            return {}
        return dict(cors.add([], {"HTTP_ORIGIN": origin}))

    def configure(self, **options: Any) -> None:
        """Serve other security headers from now on; ``hsts_*`` are those of the table ``hsts``.

        :raises ConfigError: as ``security_headers``.
        """
        hsts = {
            name.removeprefix("hsts_"): options.pop(name)
            for name in tuple(options)
            if name.startswith("hsts_")
        }
        custom = options.pop("custom_headers", None)
        names = {name for name in options if name.startswith("cors_")}
        cors = {name: options.pop(name) for name in names}
        table = {name: value for name, value in options.items() if value is not None}
        if hsts.get("max_age") is not None:
            table["hsts"] = hsts
        if custom:
            table["custom"] = custom
        guard = _settable()
        guard.reconfigure(guard.config.evolve(security_headers=table, **cors))

    def validate_csp_report(self, report: Mapping[str, Any]) -> bool:
        """Tell of a browser's report of a violated policy; whether it was one."""
        told = report.get("csp-report")
        needed = ("document-uri", "violated-directive", "blocked-uri")
        if not isinstance(told, Mapping) or not all(name in told for name in needed):
            return False
        _guard().parts.events.emit(
            "csp_violation",
            reason=f"{told['violated-directive']} blocked {told['blocked-uri']}",
            document=told["document-uri"],
        )
        return True

    def reset(self) -> None:
        """Nothing is kept here."""


class BehaviorTracker(_Face):
    """Behaviour rules, asked by hand. :param config: not needed; that of the guard holds."""

    def __init__(self, config: SecurityConfig | None = None) -> None:
        self.config = config

    def track_endpoint_usage(self, endpoint_id: str, client_ip: str, rule: BehaviorRule) -> bool:
        """Count a call; whether the client is over the rule's threshold."""
        return self._counted(f"calls:{endpoint_id}", client_ip, rule)

    def track_return_pattern(
        self, endpoint_id: str, client_ip: str, response: Any, rule: BehaviorRule, **_: Any
    ) -> bool:
        """Count an answer that matches the rule's pattern; whether the client is over the
        threshold."""
        pattern = rule.response_pattern
        if pattern.is_status:
            matches = response.status_code in pattern.statuses
        else:
            is_json = "json" in str(response.headers.get("Content-Type", ""))
            body = bytes(response.body or b"")
            matches = bool(BodyPatterns([pattern]).matches(body, is_json=is_json, is_complete=True))
        if not matches:
            return False
        return self._counted(f"answers:{rule.pattern}:{endpoint_id}", client_ip, rule)

    def apply_action(
        self, rule: BehaviorRule, client_ip: str, endpoint_id: str, details: str
    ) -> None:
        """Do what the rule says: call its ``custom_action``, ban, or tell of it."""
        if rule.custom_action is not None:
            rule.custom_action(client_ip, endpoint_id, details)
            return
        guard = _guard()
        if rule.action == "ban" and not guard.policy.passive:
            IPBanManager().ban_ip(client_ip, rule.ban_duration or 3600, "behavioral_violation")
        guard.parts.events.emit(
            "behavioral_violation",
            reason=details,
            ip_address=client_ip,
            endpoint=endpoint_id,
            rule_type=rule.rule_type,
            action=rule.action,
        )

    def _counted(self, what: str, client_ip: str, rule: BehaviorRule) -> bool:
        counters = _guard().parts.store.counters
        key = f"behavior-face:{what}:{client_ip}"
        return counters.increment(key, rule.window) > rule.threshold


class FlaskGuardRequest:
    """A Flask request under the names that validators use (those of GuardRequest)."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self.environ: dict[str, Any] = request.environ

    @property
    def guarded(self) -> GuardRequest:
        """What the guard makes of it."""
        guard = _guard()
        policy = guard.policy
        return GuardRequest(self.environ, policy.clients, policy.country_of, guard)

    @property
    def state(self) -> Any:
        return g

    @property
    def client_host(self) -> str | None:
        verdict = self.environ.get(ENVIRON_KEY)
        host: str | None = verdict.client_ip if verdict is not None else self._request.remote_addr
        return host

    def body(self) -> bytes:
        data: bytes = self._request.get_data(cache=True)
        return data

    def read_body_prefix(self, max_bytes: int) -> bytes:
        return self.body()[:max_bytes]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.guarded, name)


class FlaskGuardResponse:
    """A Flask response under the names that modifiers use."""

    def __init__(self, response: FlaskResponse) -> None:
        self._response = response

    @property
    def status_code(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> Any:
        return self._response.headers

    @property
    def body(self) -> bytes:
        self._response.direct_passthrough = False
        return self._response.get_data()

    def read_body_prefix(self, max_bytes: int) -> bytes:
        return self.body[:max_bytes]


class GuardResponseFactory:
    """Makes answers for checks and validators."""

    def create_response(self, content: str, status_code: int) -> GuardResponse:
        return GuardResponse(content, status_code)

    def create_redirect_response(self, url: str, status_code: int) -> GuardResponse:
        made = make_response(redirect(url, status_code))
        return GuardResponse(made.get_data(), status_code, list(made.headers))


class OriginalState(Mapping[str, Any]):
    """What stands at ``app.extensions["flaskapi_guard"]``: guard, config, guard_decorator."""

    def __init__(self, guarded: GuardedApp) -> None:
        self._guarded = guarded

    def __getitem__(self, name: str) -> Any:
        return {
            "guard": self._guarded.guard,
            "config": self._guarded.config,
            "guard_decorator": self._guarded.decorator,
        }[name]

    def __iter__(self) -> Iterator[str]:
        return iter(("guard", "config", "guard_decorator"))

    def __len__(self) -> int:
        return 3


ip_ban_manager = IPBanManager()
cloud_handler = CloudManager()
security_headers_manager = SecurityHeadersManager()
sus_patterns_handler = SusPatternsManager()
# Classes there, and so here.
rate_limit_handler = RateLimitManager
redis_handler = RedisManager
