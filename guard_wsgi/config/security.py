"""The configuration of a guard: one immutable object, checked as a whole when it is made.

``SecurityConfig`` takes keywords only. An unknown name, a value out of range, a contradiction
between two options and a missing package are all reported together in one ConfigError. What it
holds is immutable; a changed configuration is a new one, made with ``evolve``.

The converters of single options are in config_values.py, config_texts.py and config_tables.py.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, MemberDescriptorType
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

from attrs import field, frozen

from guard_wsgi.behavior.rule import BehaviorRule
from guard_wsgi.config import tables as tables
from guard_wsgi.config import texts as texts
from guard_wsgi.config import values as values
from guard_wsgi.config.rules import contradictions, doubts
from guard_wsgi.config.sources import read_env, read_secret_files, read_toml
from guard_wsgi.config.spellings import ModelSpellings
from guard_wsgi.config.tables import DetectionExclusion, ThreatBanConfig
from guard_wsgi.config.values import one_of, synchronous
from guard_wsgi.detection.finding import BUDGET, CATEGORIES, CUSTOM
from guard_wsgi.detection.settings import UPLOAD_INSPECTIONS
from guard_wsgi.errors import ConfigError
from guard_wsgi.options import frozen as config_frozen
from guard_wsgi.options.numbers import (
    MAX_COUNT,
    MAX_SECONDS,
    flag,
    number,
    optional_flag,
    whole_number,
)
from guard_wsgi.options.quoting import quoted
from guard_wsgi.options.resolving import options_of, resolve
from guard_wsgi.state.backend import STRATEGIES, Strategy
from guard_wsgi.state.settings import Feature, Policy
from guard_wsgi.telemetry.events import EVENT_TYPES, METRIC_TYPES

if TYPE_CHECKING:
    from typing_extensions import Self

    from guard_wsgi.agent.config import AgentConfig

COUNTED_CATEGORIES = CATEGORIES | {CUSTOM, BUDGET, "rate_limit"}
"""What can count towards an automatic ban."""

CHECK_NAMES = (
    "client_address_unresolved",
    "ip_ban",
    "emergency_mode",
    "ip_security",
    "country",
    "cloud_provider",
    "allowed_hosts",
    "https_enforcement",
    "framing",
    "request_size_content",
    "required_headers",
    "authentication",
    "referrer",
    "time_window",
    "user_agent",
    "rate_limit",
    "suspicious_activity",
    "honeypot",
    "behavior",
    "custom_validators",
    "custom_request",
    "route_config",
    "request_logging",
    "cloud_ip_refresh",
)
"""The names that logs and events give to checks; the existing system's are among them."""

DEFAULT_RATE_LIMIT = 600
DEFAULT_RATE_LIMIT_WINDOW = 60
DEFAULT_LIMIT = (DEFAULT_RATE_LIMIT, DEFAULT_RATE_LIMIT_WINDOW)
"""What holds where nobody has set a limit: requests, and the seconds they are counted over."""

_DAY_SECONDS = 86_400
_NO_LIMITS: Mapping[str, tuple[int, int]] = MappingProxyType({})
_NO_BODIES: Mapping[int, str] = MappingProxyType({})
_NO_THREATS: Mapping[str, ThreatBanConfig] = MappingProxyType({})
_NO_TABLE: Mapping[str, str] = MappingProxyType({})
_ALL_LOCAL = tables.failure_policies({})

_SECRET = MappingProxyType({"secret": True})
"""Metadata of an option whose value appears in no repr, fault or log."""


_BLANK_IS_UNSET = MappingProxyType({"blank": True})
"""Metadata of a text that can't be blank, so that a blank one says that nobody set it."""

_Config = TypeVar("_Config", bound="SecurityConfig")


class IgnoredOption(UserWarning):
    """An option of the existing system that is accepted and does nothing here, with the reason."""


class DoubtfulOption(UserWarning):
    """A valid configuration that probably does not do what was meant."""


def _inert(reason: str) -> Mapping[str, Any]:
    """Metadata of an option that is accepted for compatibility only."""
    return MappingProxyType({"inert": reason})


_LINEAR = _inert("patterns run in linear time, so none needs a time-out or a safety probe")
_NO_MONITOR = _inert("patterns run in one pass, so no single one has a time to watch")
_ONE_SCORE = _inert("one learned score decides; set detection_threat_score_threshold instead")
_REQUEST_THREAD = _inert("bodies are read in the request's own thread")


@frozen(kw_only=True, slots=True, repr=False)
class SecurityConfig(ModelSpellings):
    """Every option of the guard; frozen, keyword-only.

    Times are in seconds and sizes in bytes unless an option says otherwise. Text of the
    environment will do for numbers and switches, and a blank text for "not set". A subclass may
    give options other defaults: ``class Ours(SecurityConfig): rate_limit = 100``.

    :raises ConfigError: with every fault, not just the first.
    """

    # 1. The client and the proxies before it -----------------------------------------------

    trusted_proxies: tuple[str, ...] = field(
        # Nobody: what a proxy says of the client is believed only of those you name.
        default=(),
        converter=texts.proxies,
    )
    trusted_proxy_depth: int = field(
        # One proxy is the common case; counted from the right of X-Forwarded-For.
        default=1,
        validator=whole_number(1),
    )
    trust_x_forwarded_proto: bool = field(
        # Off: not every proxy overwrites the header, and a forged one would switch HTTPS rules.
        default=False,
        converter=flag,
    )
    forwarded_header: str = field(
        # What nearly all proxies send. Exactly one header is read, never a second as fallback:
        # the one your proxy does not overwrite belongs to the attacker.
        default="x-forwarded-for",
        converter=texts.forwarded_header,
        metadata=_BLANK_IS_UNSET,
    )
    ipv6_client_prefix: int = field(
        # One customer has at least a /64 (RFC 6177), so limits and counters take it as one.
        default=64,
        validator=whole_number(32, 128),
    )
    allowed_hosts: tuple[str, ...] = field(
        # Empty: any Host. When set, other hosts get 400, and redirects to HTTPS can't be
        # pointed elsewhere by a forged Host.
        default=(),
        converter=texts.hosts,
    )

    # 2. Mode, failures and hooks -----------------------------------------------------------

    enabled: bool = field(
        # False passes every request untouched; meant for the tests of an app.
        default=True,
        converter=flag,
    )
    passive_mode: bool = field(
        # True logs and counts what would be refused, and refuses nothing: the way to start on
        # a site with traffic.
        default=False,
        converter=flag,
    )
    fail_secure: bool = field(
        # A check of access that raises denies. Detection and telemetry pass either way.
        default=True,
        converter=flag,
    )
    redis_fail_open: bool = field(
        default=False,
        converter=flag,
        metadata=_inert("local counters serve while a store is down; see store_failure_policy"),
    )
    route_resolution_strict: bool = field(
        # True refuses what no route matches, which turns every 404 into a 500.
        default=False,
        converter=flag,
    )
    exclude_paths: tuple[str, ...] = field(
        # Documentation pages and static files: asked for often, and nothing to attack. Bans,
        # IP lists and rate limits still hold there.
        default=(
            "/docs",
            "/redoc",
            "/openapi.json",
            "/openapi.yaml",
            "/favicon.ico",
            "/static",
        ),
        converter=texts.exclude_paths,
    )
    health_paths: tuple[str, ...] = field(
        # Kubernetes' own endpoints and what most others call theirs. A probe asks for them from a
        # private address, and is answered whatever its Host and user agent, over plain HTTP,
        # without a limit, in an emergency; visitors are treated there as everywhere.
        default=("/health", "/healthz", "/livez", "/readyz"),
        converter=texts.paths,
    )
    max_request_size: int | None = field(
        # None: the server's own limit. Counted on the stream, not only on Content-Length.
        default=None,
        validator=whole_number(1, optional=True),
    )
    allowed_content_types: tuple[str, ...] = field(
        # Empty: any. Requests without a body are not asked for a type.
        default=(),
        converter=texts.media_types,
    )
    unreadable_body: Literal["flag", "block"] = field(
        # A body whose end the server doesn't mark, or that breaks off, can't be inspected, and
        # no app can read it safely either: 411 or 400. "flag" reports it and lets it pass.
        default="block",
        validator=one_of("flag", "block"),
    )
    error_format: Literal["auto", "text", "html", "problem"] = field(
        # As the client asks: a page for a browser, application/problem+json (RFC 9457) for who
        # accepts or sends JSON, plain text for all others.
        default="auto",
        validator=one_of("auto", "text", "html", "problem"),
    )
    custom_error_responses: Mapping[int, str] = field(
        # Body text by status, in place of ours.
        default=_NO_BODIES,
        converter=tables.error_responses,
    )
    custom_request_check: Callable[[Any], Any] | None = field(
        # (request) -> GuardResponse | None, the last check before the app.
        default=None,
        validator=synchronous,
    )
    custom_response_modifier: Callable[[Any], Any] | None = field(
        # (response) -> GuardResponse, for every answer that the guard itself gives.
        default=None,
        validator=synchronous,
    )
    auth_verifier: Callable[[Any, str], Any] | None = field(
        # (request, credential) -> principal | None, for routes whose decorator names none.
        default=None,
        validator=synchronous,
    )
    on_error: Callable[[str, BaseException, Any], None] | None = field(
        # (stage, exception, context); what it raises goes no further.
        default=None,
        validator=synchronous,
    )
    on_block: Callable[[Any, Mapping[str, Any]], None] | None = field(
        # (request, payload), once for each request denied or, in passive mode, flagged.
        default=None,
        validator=synchronous,
    )

    # 3. Lists: addresses, countries, clouds, user agents -----------------------------------

    whitelist: tuple[str, ...] | None = field(
        # None: everybody. When set, only these pass, and pass without limits and detection.
        default=None,
        converter=texts.optional_networks,
    )
    blacklist: tuple[str, ...] = field(
        # Nobody is refused for an address that nobody has named.
        default=(),
        converter=texts.networks,
    )
    exempt_ips: tuple[str, ...] = field(
        # Skip limits, user agents and clouds (monitoring, your own offices); shut nobody out.
        default=(),
        converter=texts.networks,
    )
    whitelist_countries: frozenset[str] = field(
        # When set, other countries and addresses without one are refused.
        default=frozenset(),
        converter=texts.countries,
    )
    blocked_countries: frozenset[str] = field(
        # None: most visitors of most countries are customers.
        default=frozenset(),
        converter=texts.countries,
    )
    geo_ip_handler: Any = field(
        # Anything with get_country(ip) -> str | None.
        default=None,
        validator=values.geo_handler,
    )
    ipinfo_token: str | None = field(
        # None: nothing is downloaded without an account.
        default=None,
        converter=values.optional_text,
        metadata=_SECRET,
    )
    ipinfo_db_path: Path | None = field(
        # Below the working directory, as in the existing system; a file that is there serves
        # without a token, whoever made it.
        default=Path("data/ipinfo/country_asn.mmdb"),
        converter=values.optional_path,
    )
    geo_ip_db_max_age: int = field(
        # IPinfo publishes its free database daily.
        default=_DAY_SECONDS,
        validator=whole_number(3600, 7 * _DAY_SECONDS),
    )
    block_cloud_providers: frozenset[str] | None = field(
        # None: no provider. "AWS:!eu-west-1" is AWS without that region.
        default=None,
        converter=texts.optional_cloud_providers,
    )
    cloud_ip_refresh_interval: int = field(
        # Providers change their ranges some times a week; an hour is polite and soon enough.
        default=3600,
        validator=whole_number(60, _DAY_SECONDS),
    )
    cloud_ip_store: Any = field(
        # None: ranges live in the guard's own store, so that one worker fetches for all.
        default=None
    )
    cloud_ranges_unavailable: Literal["open", "closed"] = field(
        # Before the first ranges arrive nobody is taken for a cloud: "closed" would shut out
        # all visitors whenever a provider's page is down at start-up.
        default="open",
        validator=one_of("open", "closed"),
    )
    lazy_init: bool = field(
        # Databases and ranges load in the background, not in the way of the first request.
        default=True,
        converter=flag,
    )
    allow_verified_bots: bool = field(
        # Costs DNS look-ups, so only on request. A user agent alone proves nothing.
        default=False,
        converter=flag,
    )
    blocked_user_agents: tuple[str, ...] = field(
        # Regular expressions, case-insensitive, searched in the first 512 characters.
        default=(),
        converter=texts.user_agent_patterns,
    )

    # 4. Bans -------------------------------------------------------------------------------

    enable_ip_banning: bool = field(
        # Gates automatic bans only; manual ones hold in any case.
        default=True,
        converter=flag,
    )
    auto_ban_threshold: int = field(
        # Ten refused attacks within the window: a scanner gets there in a second, a customer
        # with an odd search term does not.
        default=10,
        validator=whole_number(1, MAX_COUNT),
    )
    auto_ban_duration: int = field(
        # An hour ends a scan and does not punish the address's next owner for long.
        default=3600,
        validator=whole_number(1),
    )
    auto_ban_window: int = field(
        # Suspicions are forgotten after as long as a ban lasts.
        default=3600,
        validator=whole_number(1, MAX_SECONDS),
    )
    threat_ban_config: Mapping[str, ThreatBanConfig] = field(
        # Per category, in place of the two numbers above.
        default=_NO_THREATS,
        converter=tables.threat_bans,
        validator=values.each_of(*sorted(COUNTED_CATEGORIES)),
    )
    enable_rate_limit_auto_ban: bool = field(
        # Off: an impatient client is no attacker.
        default=False,
        converter=flag,
    )

    # 5. Rate limits ------------------------------------------------------------------------

    enable_rate_limiting: bool = field(
        # The master switch: False turns off the limits of routes and endpoints, too.
        default=True,
        converter=flag,
    )
    rate_limit: int = field(
        # 600 a minute per client: a page with all its files passes, an office behind one
        # address passes, a flood does not. Left as it is, it does not hold for tests of the app.
        default=DEFAULT_RATE_LIMIT,
        validator=whole_number(1, MAX_COUNT),
    )
    rate_limit_window: int = field(
        # A minute: long enough to even out a page's burst, short enough to wait for.
        default=DEFAULT_RATE_LIMIT_WINDOW,
        validator=whole_number(1, MAX_SECONDS),
    )
    endpoint_rate_limits: Mapping[str, tuple[int, int]] = field(
        # {"/login": (5, 60)}: five requests in sixty seconds on that path, however it is spelled.
        default=_NO_LIMITS,
        converter=tables.endpoint_limits,
    )
    rate_limit_strategy: Strategy = field(
        # O(1) for each key, without the burst of two windows meeting.
        default="sliding-window-counter",
        validator=one_of(*STRATEGIES),
    )
    rate_limit_key: Callable[[Any], str] | None = field(
        # None: the client's address. (request) -> what counts together, a user say.
        default=None,
        validator=synchronous,
    )
    rate_limit_exempt_when: Callable[[Any], bool] | None = field(
        # (request) -> True for one that is not counted.
        default=None,
        validator=synchronous,
    )
    rate_limit_headers: Literal["draft", "legacy", "both", "off"] = field(
        # RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11); "legacy" is
        # X-RateLimit-*.
        default="draft",
        validator=one_of("draft", "legacy", "both", "off"),
    )

    # 6. Shared state -----------------------------------------------------------------------

    store_url: str = field(
        # In this process, without any set-up; "lmdb:///path" for the workers of one machine,
        # "redis://host" for several.
        default="memory://",
        converter=values.text,
        metadata=MappingProxyType({**_SECRET, **_BLANK_IS_UNSET}),
    )
    store_timeout: float = field(
        # What a request waits for the store at most. A store on the same network answers in
        # a millisecond.
        default=0.1,
        validator=number(0, 10, above=True),
    )
    store_failure_policy: Mapping[Feature, Policy] = field(
        # While the store is down: counters of this process ("local") keep the site up and
        # most of the protection; "deny" is for sites that would rather be down.
        default=_ALL_LOCAL,
        converter=tables.failure_policies,
    )
    memory_store_max_keys: int = field(
        # About 300 MB when full; the least recently used go first.
        default=1_000_000,
        validator=whole_number(1000),
    )
    max_bans: int = field(
        # About 50 MB in each process when full. In memory those that would end first are dropped;
        # of a shared store what is not kept here is asked for, at a round trip a client.
        default=100_000,
        validator=whole_number(1),
    )
    enable_redis: bool = field(
        # Off: a site without Redis must work as installed. True with redis_url is another
        # spelling of store_url.
        default=False,
        converter=flag,
    )
    redis_url: str | None = field(
        # Where Redis listens when nobody has changed it. Read with enable_redis only.
        default="redis://localhost:6379",
        converter=values.optional_text,
        metadata=_SECRET,
    )
    redis_prefix: str = field(
        # Of every key, whatever the store.
        default="guard_wsgi:",
        converter=values.text,
    )
    redis_socket_connect_timeout: float | None = field(
        # None: as store_timeout.
        default=None,
        validator=number(0, optional=True, above=True),
    )
    redis_socket_timeout: float | None = field(
        # None: as store_timeout.
        default=None,
        validator=number(0, optional=True, above=True),
    )
    redis_health_check_interval: int = field(
        default=30,
        validator=whole_number(0),
        metadata=_inert("a check is a round trip of its own; the breaker's probe stands for it"),
    )
    redis_max_connections: int | None = field(
        # None: the client's own bound.
        default=None,
        validator=whole_number(1, optional=True),
    )
    redis_retries: int = field(
        default=0,
        validator=whole_number(0),
        metadata=_inert("a request waits for one attempt only; a breaker probes a failed store"),
    )

    # 7. HTTPS, security headers, CORS ------------------------------------------------------

    enforce_https: bool = field(
        # Off: many apps are served behind a proxy that does it already. The redirect is a 308,
        # which keeps method and body.
        default=False,
        converter=flag,
    )
    security_headers: str | Mapping[str, Any] = field(
        # A site of pages; "api" for one of data; a table for single headers; "off".
        default="html",
        converter=tables.security_headers,
    )
    enable_cors: bool = field(
        # Off: without CORS headers no other site reads an answer.
        default=False,
        converter=flag,
    )
    cors_allow_origins: tuple[str, ...] = field(
        # Everybody, once CORS is on and without credentials; name them to allow those.
        default=("*",),
        converter=texts.origins,
    )
    cors_allow_methods: tuple[str, ...] = field(
        # Those of REST; a page may send GET, HEAD and POST unasked anyway.
        default=("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
        converter=texts.methods,
    )
    cors_allow_headers: tuple[str, ...] = field(
        # Any, for headers alone are no danger where the origin is allowed.
        default=("*",),
        converter=texts.header_names,
    )
    cors_allow_credentials: bool = field(
        # Off: with it the named origins act as the signed-in user.
        default=False,
        converter=flag,
    )
    cors_expose_headers: tuple[str, ...] = field(
        # None: a page sees the safelisted ones; RateLimit and Retry-After are worth naming.
        default=(),
        converter=texts.header_names,
    )
    cors_max_age: int = field(
        # Ten minutes; browsers cap it at two hours or less. 0 asks before every request.
        default=600,
        validator=whole_number(0),
    )

    # 8. Behaviour rules --------------------------------------------------------------------

    global_behavior_rules: tuple[BehaviorRule, ...] = field(
        # BehaviorRule, or a table of its fields. Those that hold for every route.
        default=(),
        converter=tables.behavior_rules,
    )
    behavior_scan_response_body: bool = field(
        # Off: reading answers costs time on each of them. Needed by patterns on bodies.
        default=False,
        converter=flag,
    )
    behavior_max_response_body_inspect_bytes: int = field(
        # As much of an answer as of a request.
        default=262_144,
        validator=whole_number(1024, 10_485_760),
    )
    body_read_timeout: float = field(
        default=3.0, validator=number(0, 30, above=True), metadata=_REQUEST_THREAD
    )
    sync_body_read_max_concurrent: int = field(
        default=64, validator=whole_number(1, 10_000), metadata=_REQUEST_THREAD
    )

    # 9. Detection --------------------------------------------------------------------------

    enable_penetration_detection: bool = field(
        # On: the reason that most sites have a guard for.
        default=True,
        converter=flag,
    )
    enabled_detection_categories: frozenset[str] = field(
        # All: each weighs its own evidence, so one less makes the others no better.
        default=CATEGORIES,
        converter=values.string_set,
        validator=values.each_of(*sorted(CATEGORIES)),
    )
    detection_threat_score_threshold: float | str = field(
        # The preset measured on the corpus at the fewest errors of both kinds together.
        default="balanced",
        converter=values.threshold,
    )
    detection_scan_body: bool = field(
        # False never touches a body.
        default=True,
        converter=flag,
    )
    upload_inspection: Literal["names", "strict"] = field(
        # A file is content, which an app stores and does not run: source code, logs and mails are
        # full of what would be an attack in a field. Its name is looked at for what web servers
        # run. "strict" weighs contents as well, where uploads are shown to others as they are.
        default="names",
        validator=one_of(*UPLOAD_INSPECTIONS),
    )
    detection_graphql_introspection: Literal["allow", "refuse"] = field(
        # Every client with code completion asks for the schema first. "refuse" suits a closed API
        # in production (OWASP, GraphQL Cheat Sheet).
        default="allow",
        validator=one_of("allow", "refuse"),
    )
    detection_max_body_inspect_bytes: int = field(
        # 8 MiB: documents and forms of that size are what APIs and frameworks take, and the first
        # pass over them takes a fraction of their own parsing. Files are passed over, not held.
        default=8_388_608,
        validator=whole_number(1024, 67_108_864),
    )
    detection_max_scan_values: int = field(
        # Names and values of one request that are decoded and scored; more is a finding, not a
        # silent pass. Those that the first pass clears in a large document are not among them.
        default=20_000,
        validator=whole_number(2, 100_000),
    )
    detection_max_scan_chars: int = field(
        # A quarter of a megabyte of text of which every line calls for a closer look: weighing it
        # takes as long as a request may.
        default=262_144,
        validator=whole_number(1024, 262_144),
    )
    detection_max_json_depth: int = field(
        # No API nests deeper; what does is scanned as text.
        default=32,
        validator=whole_number(1, 1000),
    )
    detection_budget_action: Literal["block", "flag"] = field(
        # A request too large to be looked at whole hides something as likely as not.
        default="block",
        validator=one_of("block", "flag"),
    )
    detection_oversized_body: Literal["flag", "block"] = field(
        # What lies beyond detection_max_body_inspect_bytes is not inspected. Uploads are large,
        # so that is reported; "block" answers 413 where only small bodies are expected.
        default="flag",
        validator=one_of("flag", "block"),
    )
    detection_custom_patterns: Mapping[str, str] = field(
        # Regular expressions by name, or a list of them; linear ones only.
        default=_NO_TABLE,
        converter=tables.custom_patterns,
    )
    detection_exclusions: tuple[DetectionExclusion, ...] = field(
        # [{"path": "/blog/*", "body_fields": ["text"]}]: tables of path with names or
        # categories.
        default=(),
        converter=tables.detection_exclusions,
    )
    excluded_detection_headers: frozenset[str] = field(
        # None. Names of headers ("cookie" for all cookies) whose values are not looked at.
        default=frozenset(),
        converter=values.lower_set,
    )
    excluded_detection_params: frozenset[str] = field(
        # None. Names of query parameters; prefer detection_exclusions, which say where.
        default=frozenset(),
        converter=values.string_set,
    )
    excluded_detection_body_fields: frozenset[str] = field(
        # None. Names of form fields, parts, and JSON keys at any depth.
        default=frozenset(),
        converter=values.string_set,
    )
    excluded_semantic_detection_headers: frozenset[str] = field(
        default=frozenset(),
        converter=values.lower_set,
        metadata=_inert("there is one stage; exclude with excluded_detection_headers"),
    )
    detection_compiler_timeout: float = field(
        default=2.0, validator=number(0.1, 10), metadata=_LINEAR
    )
    detection_max_scan_seconds: float = field(
        default=10.0, validator=number(0.1, 60), metadata=_LINEAR
    )
    detection_pattern_validation_cache_path: str | None = field(
        default=None, converter=values.optional_text, metadata=_LINEAR
    )
    detection_max_content_length: int = field(
        default=10_000, validator=whole_number(1000, 100_000), metadata=_ONE_SCORE
    )
    detection_binary_min_run_length: int = field(
        default=16,
        validator=whole_number(4, 1024),
        metadata=_inert("binary parts are told by their first bytes and their entropy"),
    )
    detection_preserve_attack_patterns: bool = field(
        default=True,
        converter=flag,
        metadata=_inert("nothing is cut out of a value before it is scored"),
    )
    detection_semantic_threshold: float = field(
        default=0.7, validator=number(0, 1), metadata=_ONE_SCORE
    )
    detection_anomaly_threshold: float = field(
        default=3.0, validator=number(1, 10), metadata=_NO_MONITOR
    )
    detection_slow_pattern_threshold: float = field(
        default=0.1, validator=number(0.01, 1), metadata=_NO_MONITOR
    )
    detection_monitor_history_size: int = field(
        default=1000, validator=whole_number(100, 10_000), metadata=_NO_MONITOR
    )
    detection_max_tracked_patterns: int = field(
        default=1000, validator=whole_number(100, 5000), metadata=_NO_MONITOR
    )
    detection_anomaly_emission_cooldown: float = field(
        default=60.0, validator=number(1, 3600), metadata=_NO_MONITOR
    )
    detection_min_samples_for_anomaly: int = field(
        default=30, validator=whole_number(10, 1000), metadata=_NO_MONITOR
    )

    # 10. Logs and telemetry ----------------------------------------------------------------

    custom_log_file: str | None = field(
        # None: the app's own logging decides where lines go.
        default=None,
        converter=values.optional_text,
    )
    log_format: Literal["text", "json"] = field(
        # For people; "json" for collectors and for guard-wsgi report. Of custom_log_file.
        default="text",
        validator=one_of("text", "json"),
    )
    log_request_level: str | None = field(
        # None: passed requests are the server's log to write.
        default=None,
        converter=values.log_level,
    )
    log_suspicious_level: str | None = field(
        # What was refused, or would have been, is worth a look; None is silence.
        default="WARNING",
        converter=values.log_level,
    )
    log_country_check_level: str | None = field(
        # Verdicts on countries that refused nobody.
        default="INFO",
        converter=values.log_level,
    )
    muted_event_types: frozenset[str] = field(
        # None. Types of events that are not sent to the agent and the other sinks.
        default=frozenset(),
        converter=values.string_set,
        validator=values.each_of(*sorted(EVENT_TYPES)),
    )
    muted_metric_types: frozenset[str] = field(
        # None. Types of metrics that are not sent.
        default=frozenset(),
        converter=values.string_set,
        validator=values.each_of(*sorted(METRIC_TYPES)),
    )
    muted_check_logs: frozenset[str] = field(
        # None. Checks whose lines are left out of the log.
        default=frozenset(),
        converter=values.string_set,
        validator=values.each_of(*CHECK_NAMES),
    )
    log_sensitive_headers: frozenset[str] = field(
        # Besides those that are always redacted: authorization, cookie, x-api-key...
        default=frozenset(),
        converter=values.lower_set,
    )
    log_sensitive_params: frozenset[str] = field(
        # Besides password, token, secret, api_key and their like.
        default=frozenset(),
        converter=values.lower_set,
    )
    log_sensitive_body_fields: frozenset[str] = field(
        # Besides the same names in bodies.
        default=frozenset(),
        converter=values.lower_set,
    )
    enable_otel: bool = field(
        # Off. Spans and counters through the OpenTelemetry API; your SDK decides where to.
        default=False,
        converter=flag,
    )
    otel_service_name: str = field(
        # What spans are told apart by, if nothing else says it.
        default="guard-wsgi",
        converter=values.text,
    )
    otel_exporter_endpoint: str | None = field(
        # None: as the SDK's own configuration says.
        default=None,
        converter=values.optional_text,
    )
    otel_resource_attributes: Mapping[str, str] = field(
        # None besides those of the SDK.
        default=_NO_TABLE,
        converter=tables.string_table,
    )
    enable_logfire: bool = field(
        # Off: another account, another collector.
        default=False,
        converter=flag,
    )
    logfire_service_name: str = field(
        # As that of OpenTelemetry.
        default="guard-wsgi",
        converter=values.text,
    )
    enable_enrichment: bool = field(
        # Off: threat scores and correlation keys are for a collector that reads them.
        default=False,
        converter=flag,
    )

    # 11. The agent, dynamic rules, emergency -----------------------------------------------

    enable_agent: bool = field(
        # Off: nothing leaves the process unless you say so.
        default=False,
        converter=flag,
    )
    agent_api_key: str | None = field(
        # None; without one there is no agent.
        default=None,
        converter=values.optional_text,
        metadata=_SECRET,
    )
    agent_strict: bool = field(
        # False: a wrong agent configuration costs telemetry, not the site.
        default=False,
        converter=flag,
    )
    agent_endpoint: str = field(
        # Where the existing agent sends; set your own collector's base URL.
        default="https://api.guard-core.com",
        converter=texts.http_url,
        metadata=_BLANK_IS_UNSET,
    )
    agent_project_id: str | None = field(
        # None: the key's own project.
        default=None,
        converter=values.optional_text,
    )
    agent_buffer_size: int = field(
        # Events waiting to be sent; some 10 MB at worst, an attack's first minute.
        default=10_000,
        validator=whole_number(1),
    )
    agent_flush_interval: float = field(
        # A batch goes when it is this old, if it has not gone for its size.
        default=5.0,
        validator=number(0, above=True),
    )
    agent_timeout: float = field(
        # Of the sender's thread; no request waits for it.
        default=10.0,
        validator=number(0, above=True),
    )
    agent_retry_attempts: int = field(
        # Quick attempts of one batch after the first; then it makes way for the next.
        default=3,
        validator=whole_number(0),
    )
    agent_enable_events: bool = field(
        # On: what the agent is for.
        default=True,
        converter=flag,
    )
    agent_enable_metrics: bool = field(
        # On: aggregated over an interval and a route, they cost next to nothing.
        default=True,
        converter=flag,
    )
    agent_send_paths: bool = field(
        # A path may hold a secret, so a collector is told routes. On for a console of your own.
        default=False,
        converter=flag,
    )
    agent_project_encryption_key: str | None = field(
        # None: TLS alone. 32 bytes in URL-safe base64 (AES-256-GCM).
        default=None,
        converter=values.optional_text,
        metadata=_SECRET,
    )
    agent_payload_signing_secret: str | None = field(
        # None: the API key proves the sender. HMAC-SHA256 over each body.
        default=None,
        converter=values.optional_text,
        metadata=_SECRET,
    )
    agent_guard_version: str | None = field(
        # None: this package's version.
        default=None,
        converter=values.optional_text,
    )
    agent_install_id: str | None = field(
        # None: read from ~/.guard-agent/install-id, or made up once and kept there.
        default=None,
        converter=values.optional_text,
    )
    # None, from here on: the agent's own default, which the reason is of.
    agent_high_watermark_ratio: float | None = field(
        # A queue filled so far is sent at once, whatever its age.
        default=None,
        validator=number(0, 1, optional=True, above=True),
    )
    agent_max_concurrent_flushes: int | None = field(
        # One thread sends; more would only reorder.
        default=None,
        validator=whole_number(1, optional=True),
    )
    agent_buffer_overflow_policy: Literal["drop", "block", "raise"] | None = field(
        # "drop", counted: a request must not wait for telemetry.
        default=None,
        validator=one_of("drop", "block", "raise", optional=True),
    )
    agent_backoff_factor: float | None = field(
        # Seconds of the first pause, doubled with each, with full jitter.
        default=None,
        validator=number(0, optional=True, above=True),
    )
    agent_sensitive_headers: frozenset[str] | None = field(
        # The agent's list: authorization, proxy-authorization, cookie, x-api-key.
        default=None,
        converter=values.optional_lower_set,
    )
    agent_max_payload_size: int | None = field(
        # Characters of the longest text in an event's metadata.
        default=None,
        validator=whole_number(1, optional=True),
    )
    agent_compression_enabled: bool | None = field(
        # On: batches are repetitive and shrink to a tenth.
        default=None,
        converter=optional_flag,
    )
    agent_compression_threshold: int | None = field(
        # Bytes under which gzip gains nothing.
        default=None,
        validator=whole_number(0, optional=True),
    )
    agent_batch_max_bytes: int | None = field(
        # 256 KiB, the most that the collector's service takes in one body.
        default=None,
        validator=whole_number(4096, optional=True),
    )
    agent_status_interval: int = field(
        # Five minutes: soon enough to notice a silent worker.
        default=300,
        validator=whole_number(60, _DAY_SECONDS),
    )
    agent_spool_path: Path | None = field(
        # None: what is queued when the process is killed is lost.
        default=None,
        converter=values.optional_path,
    )
    agent_spool_max_bytes: int | None = field(
        # What an outage may take of the disk; the oldest goes first.
        default=None,
        validator=whole_number(1_048_576, optional=True),
    )
    agent_spool_max_age: int | None = field(
        # Seconds after which news helps nobody.
        default=None,
        validator=whole_number(60, optional=True),
    )
    agent_exit_timeout: float = field(
        # What the end of a process waits at most for the last batch.
        default=1.0,
        validator=number(0, 60),
    )
    enable_dynamic_rules: bool = field(
        # Off: who may send rules may also block everybody.
        default=False,
        converter=flag,
    )
    dynamic_rule_interval: int = field(
        # Five minutes, one fetch a process; rules are no emergency switch.
        default=300,
        validator=whole_number(60),
    )
    dynamic_rules_cache_path: Path | None = field(
        # None: after a restart the last rules come from the store, or anew.
        default=None,
        converter=values.optional_path,
    )
    emergency_mode: bool = field(
        # True answers 503 to all but emergency_whitelist.
        default=False,
        converter=flag,
    )
    emergency_whitelist: tuple[str, ...] = field(
        # Empty: nobody gets in. Name the networks of those who work on the site.
        default=(),
        converter=texts.networks,
    )

    # ---------------------------------------------------------------------------------------

    _decorated: list[Any] = field(factory=list, init=False, eq=False)
    """What a SecurityDecorator of this configuration marked, for the audit at start-up."""

    if not TYPE_CHECKING:
        # Type checkers see the signature that attrs makes; at run time any name is taken, so
        # that unknown ones are reported along with the other faults.

        def __init__(self, **options):
            _fill(self, {**self.class_defaults(), **options}, given=frozenset(options))
            object.__setattr__(self, "_decorated", [])

    def __repr__(self) -> str:
        """The options that differ from their defaults; secrets masked."""
        parts = []
        for attribute in options_of(SecurityConfig):
            value = getattr(self, attribute.name)
            if value == attribute.default:
                continue
            shown = "'***'" if attribute.metadata.get("secret") else quoted(value)
            parts.append(f"{attribute.name}={shown}")
        return f"SecurityConfig({', '.join(parts)})"

    # Derived -------------------------------------------------------------------------------

    @property
    def effective_store_url(self) -> str:
        """``store_url``, or ``redis_url`` when ``enable_redis`` says so."""
        if self.enable_redis and self.redis_url is not None:
            return self.redis_url
        return self.store_url

    @property
    def effective_store_timeout(self) -> float:
        """Seconds that one call of the store may take."""
        if self.redis_socket_timeout is not None:
            return self.redis_socket_timeout
        return self.store_timeout

    @property
    def store_options(self) -> dict[str, object]:
        """What the client of a Redis store is told besides, as far as it is said here."""
        if not urlsplit(self.effective_store_url).scheme.startswith(("redis", "valkey")):
            return {}
        options: dict[str, object] = {}
        if self.redis_socket_connect_timeout is not None:
            options["socket_connect_timeout"] = self.redis_socket_connect_timeout
        if self.redis_max_connections is not None:
            options["max_connections"] = self.redis_max_connections
        return options

    @property
    def uses_countries(self) -> bool:
        """Whether global rules ask for the client's country; routes may do so besides."""
        return bool(self.whitelist_countries or self.blocked_countries)

    @classmethod
    def class_defaults(cls) -> dict[str, Any]:
        """The defaults that a subclass has given to options."""
        known = {option.name for option in options_of(SecurityConfig)}
        return {
            name: value
            for owner in reversed(cls.__mro__[: cls.__mro__.index(SecurityConfig)])
            for name, value in vars(owner).items()
            if name in known and not isinstance(value, MemberDescriptorType)
        }

    # Copying and changing ------------------------------------------------------------------

    def __copy__(self) -> Self:
        """Itself: there is nothing in it that a copy would be kept safe from."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as a mapping, for processes that are spawned with a configuration."""
        return type(self).from_mapping, (self.to_mapping(),)

    def evolve(self, **changes: Any) -> Self:
        """A new configuration that differs in ``changes``, checked as a whole.

        It shares the record of decorated views with this one, for they are the same views.

        :raises ConfigError: as the constructor.
        """
        options = {
            attribute.name: getattr(self, attribute.name)
            for attribute in options_of(SecurityConfig)
        }
        changed = object.__new__(type(self))
        _fill(changed, {**options, **changes}, given=frozenset(changes))
        object.__setattr__(changed, "_decorated", self._decorated)
        return changed

    # Reading and writing -------------------------------------------------------------------

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """From option names to values. A secret may be given as ``<name>_file``: the path of a
        file that holds it.

        :raises ConfigError: as the constructor, and for a file that can't be read.
        """
        options, faults = read_secret_files(mapping, options_of(SecurityConfig))
        return _construct(cls, options, faults)

    @classmethod
    def from_toml(cls, path: str | Path) -> Self:
        """From a TOML file whose top level holds the options.

        :raises ConfigError: as from_mapping, each fault with the file's name.
        """
        options, faults = read_toml(path, options_of(SecurityConfig))
        return _construct(cls, options, faults, source=str(path))

    @classmethod
    def from_env(cls, prefix: str = "GUARD_", environ: Mapping[str, str] | None = None) -> Self:
        """From environment variables such as ``GUARD_RATE_LIMIT=100``, JSON-typed.

        Options of text take the value as it is; ``GUARD_AGENT_API_KEY_FILE=/run/secrets/key``
        reads a secret from a file.

        ``GUARD_API_KEY``, ``GUARD_PROJECT_ID`` and ``GUARD_CORE_URL`` mean what flaskapi-guard's
        documentation means by them (config_foreign.py).

        :raises ConfigError: as from_mapping, also for a variable with the prefix that is no
            option.
        """
        options, faults, doubtful = read_env(prefix, environ, options_of(SecurityConfig))
        for message in doubtful:
            warnings.warn(message, DoubtfulOption, stacklevel=2)
        return _construct(cls, options, faults)

    def to_mapping(self) -> dict[str, Any]:
        """Every option in lists, dicts and plain values, secrets in clear.

        ``SecurityConfig.from_mapping(config.to_mapping()) == config``. Callables, handlers and
        ``None`` are kept as they are; the rest can be written as JSON or TOML.
        """
        return {
            attribute.name: values.plain(getattr(self, attribute.name))
            for attribute in options_of(SecurityConfig)
        }

    def to_agent_config(self) -> AgentConfig | None:
        """The agent's part of the configuration as AgentConfig; ``None`` with the agent off.

        :raises ConfigError: for what the agent can't work with, such as a key that is too short.
        """
        if not self.enable_agent:
            return None
        from guard_wsgi.agent.config import AgentConfig

        given: dict[str, Any] = {
            option.name.removeprefix("agent_"): values.as_text(getattr(self, option.name))
            for option in options_of(SecurityConfig)
            if option.name.startswith("agent_") and option.name != "agent_strict"
        }
        given["dynamic_rule_interval"] = self.dynamic_rule_interval
        given["on_error"] = self.on_error
        return AgentConfig.from_options(given)


def _fill(config: SecurityConfig, keywords: Mapping[str, Any], given: frozenset[str]) -> None:
    """Set every option of ``config``, or raise ConfigError with all faults.

    Warnings speak only of what is ``given`` now, so that a changed configuration does not
    repeat those of the one it came from.
    """
    resolved = resolve(config, keywords, blank_is_unset=True)
    options = resolved.values
    faults = resolved.faults + contradictions(options, resolved.broken)
    if faults:
        raise ConfigError(faults)
    for attribute in options_of(SecurityConfig):
        name = attribute.name
        object.__setattr__(config, name, config_frozen.frozen(name, options[name]))
        reason = attribute.metadata.get("inert")
        if reason and name in given and options[name] != attribute.default:
            warnings.warn(f"{name} does nothing: {reason}", IgnoredOption, stacklevel=3)
    for message in doubts(options, given):
        warnings.warn(message, DoubtfulOption, stacklevel=3)


def _construct(
    cls: type[_Config], options: Mapping[str, Any], faults: list[str], source: str = ""
) -> _Config:
    """Make a configuration from a source that may have had faults of its own."""
    try:
        config = cls(**options)
    except ConfigError as error:
        faults = [*faults, *error.faults]
    else:
        if not faults:
            return config
    raise ConfigError([f"{source}: {fault}" for fault in faults] if source else faults)


def _explain_assignment(config: SecurityConfig, name: str, value: object = None) -> None:
    raise config_frozen.ImmutableConfig(
        f"a configuration can't be changed: make another with config.evolve({name}=...), and"
        " serve it with guard.middleware.reconfigure(...)"
    )


# attrs sets methods of its own, which refuse without a word.
SecurityConfig.__setattr__ = SecurityConfig.__delattr__ = _explain_assignment  # type: ignore[method-assign, assignment]

# For help() and consoles: the signature that type checkers see.
SecurityConfig.__init__.__signature__ = inspect.signature(  # type: ignore[attr-defined]
    SecurityConfig.__attrs_init__  # type: ignore[attr-defined]
)
