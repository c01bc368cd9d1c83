"""The whole public API as type checkers see it. Nothing here runs: ``mypy`` reads it in CI.

A change that breaks a line of it breaks users. ``tests/test_public_api.py`` holds that each public
name is here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, Response

import guard_wsgi
from guard_wsgi import (
    AgentConfig,
    BanRefused,
    BehaviorRule,
    BehaviorRuleConfig,
    Block,
    ConfigError,
    DynamicRules,
    Finding,
    GeoIPHandler,
    GuardAgentHandler,
    GuardError,
    GuardMiddleware,
    GuardRequest,
    GuardResponse,
    IPInfoManager,
    MaxMindGeoIP,
    MissingExtra,
    RouteConfig,
    SecurityConfig,
    SecurityDecorator,
    SecurityEvent,
    SecurityMetric,
    StoreError,
    ThreatBanConfig,
    Verdict,
    decode_basic,
    guard_agent,
)
from guard_wsgi import agent as agent_package
from guard_wsgi import testing as guard_testing
from guard_wsgi.resolvers import (
    BottleResolver,
    Dispatcher,
    DjangoResolver,
    PatternResolver,
    Resolution,
    Resolver,
)
from guard_wsgi_flask import (
    BehaviorTracker,
    CloudManager,
    FlaskAPIGuard,
    FlaskGuardRequest,
    FlaskGuardResponse,
    IPBanManager,
    RateLimitManager,
    RedisHandlerProtocol,
    RedisManager,
    SecurityHeadersManager,
    SusPatternsManager,
    cloud_handler,
    ip_ban_manager,
    rate_limit_handler,
    redis_handler,
    same_secret,
    security_headers_manager,
    sus_patterns_handler,
)

if TYPE_CHECKING:
    from datetime import datetime

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from guard_wsgi.state.ban_index import Ban


def verifier(request: GuardRequest, credential: str) -> str | None:
    return "ann" if same_secret(credential, "secret") else None


def validator(request: GuardRequest) -> GuardResponse | None:
    address: str = request.client_ip
    country: str | None = request.country
    return None if address and country else GuardResponse("no", 403)


def modifier(response: GuardResponse) -> GuardResponse:
    response.headers["X-Shop"] = "1"
    return response


def on_block(request: GuardRequest, payload: Any) -> None: ...


def on_error(stage: str, error: Exception, context: Any) -> None: ...


def user_of(request: GuardRequest) -> str | None:
    return request.headers.get("X-User")


class Countries:
    """The least that a source of countries is."""

    def get_country(self, ip: str) -> str | None:
        return "DE" if ip else None


SecurityConfig(geo_ip_handler=Countries())
config = SecurityConfig(
    trusted_proxies=["10.0.0.0/8"],
    blocked_countries={"XX"},
    blacklist=("203.0.113.0/24",),
    geo_ip_handler=MaxMindGeoIP("country.mmdb"),
    endpoint_rate_limits={"/login": (5, 60)},
    rate_limit_key=user_of,
    rate_limit_exempt_when=lambda request: request.path == "/status",
    threat_ban_config={"sqli": ThreatBanConfig(threshold=1, duration=60)},
    global_behavior_rules=[BehaviorRule("usage", 100)],
    custom_request_check=validator,
    custom_response_modifier=modifier,
    auth_verifier=verifier,
    on_block=on_block,
    on_error=on_error,
    security_headers={"preset": "html", "csp": {"default-src": ["'self'"]}},
    enable_agent=True,
    agent_api_key="0123456789",
    agent_timeout=5,
)
stricter: SecurityConfig = config.evolve(rate_limit=100)
from_file: SecurityConfig = SecurityConfig.from_toml("guard.toml")
from_env: SecurityConfig = SecurityConfig.from_env()
agent: AgentConfig | None = config.to_agent_config()
rule: BehaviorRule = BehaviorRuleConfig(rule_type="usage", threshold=3).to_rule()


class Ours(SecurityConfig):
    """A site's own defaults."""

    rate_limit = 100


ours: Ours = Ours().evolve(passive_mode=True)

protect = SecurityDecorator(config)


@protect.require_auth(verifier=verifier)
@protect.rate_limit(5, window=60, key=user_of)
@protect.custom_validation(validator)
def view(number: int) -> str:
    return str(number)


answer: str = view(3)


def guard(app: WSGIApplication) -> GuardMiddleware:
    guarded = GuardMiddleware(app, config, routes={"/admin": RouteConfig(require_https=True)})
    GuardMiddleware(app, config, resolver=PatternResolver({"/a": RouteConfig()}))
    GuardMiddleware(app, config, resolver=DjangoResolver())
    guarded.bans.ban("203.0.113.7", 3600, "abuse")
    statistics: dict[str, int] = guarded.stats()
    guarded.reconfigure(stricter)
    assert statistics
    return guarded


def flask_app() -> FlaskAPIGuard:
    app = Flask(__name__)
    extension = FlaskAPIGuard(app, config=config)
    with guard_testing.controlled(app) as controlled:
        controlled.move_clock(60)
    return extension


def read(verdict: Verdict, environ: dict[str, Any]) -> tuple[Finding, ...]:
    block: Block | None = verdict.block
    reason: str = verdict.reason if block is None else block.message
    return verdict.findings if reason else ()


def tell(event: SecurityEvent) -> str:
    try:
        guard_agent(AgentConfig(api_key="0123456789", buffer_size=10))
    except ConfigError as error:
        return error.faults[0]
    return event.event_type


resolver_of_bottle: type[BottleResolver] = BottleResolver
version: str = guard_wsgi.__version__


# Configuration: reading, changing, writing -------------------------------------------------------

from_mapping: SecurityConfig = SecurityConfig.from_mapping({"rate_limit": 100})
written: dict[str, Any] = config.to_mapping()
copied: SecurityConfig = config.model_copy(update={"rate_limit": 100})
dumped: dict[str, Any] = config.model_dump()
as_json: str = config.model_dump_json(indent=2)
validated: SecurityConfig = SecurityConfig.model_validate(written)
from_json: SecurityConfig = SecurityConfig.model_validate_json(as_json)
from_texts: SecurityConfig = SecurityConfig.model_validate_strings({"rate_limit": "100"})
constructed: SecurityConfig = SecurityConfig.model_construct(rate_limit=100)
given: set[str] = config.model_fields_set
fields: Any = config.model_fields
frozen: bool = SecurityConfig.model_config["frozen"]
source: GeoIPHandler = IPInfoManager("token")


# Decorators --------------------------------------------------------------------------------------


@protect.require_ip(whitelist=["192.0.2.0/24"], blacklist=["192.0.2.7"])
@protect.block_countries(["XX"])
@protect.allow_countries(["DE"])
@protect.block_clouds(["AWS"])
@protect.block_clouds()
@protect.block_user_agents(["curl"])
@protect.bypass(["rate_limit"])
@protect.api_key_auth("X-API-Key", verifier=verifier)
@protect.require_authorization_header("bearer")
def credentials() -> str:
    return "hello"


@protect.require_https()
@protect.require_headers({"X-Shop": "required"})
@protect.require_referrer(["example.com"])
@protect.content_type_filter(["application/json"])
@protect.max_request_size(1_000_000)
@protect.time_window("08:00", "18:00", "Europe/Berlin")
@protect.honeypot_detection(["website"])
@protect.geo_rate_limit({"DE": (100, 60), "*": (10, 60)})
@protect.usage_monitor(100, window=60, action="log")
@protect.return_monitor("status:404", 10, window=60, action="ban")
@protect.suspicious_frequency(1.0, window=60, action="throttle")
@protect.behavior_analysis([BehaviorRule("usage", 100)])
@protect.suspicious_detection(enabled=False)
@protect.detection_exclusion(params=["q"], headers=["x-a"], enabled_categories=["sqli"])
@protect.upload_inspection("strict")
@protect.security_headers(frame_options=None)
def content() -> str:
    return "hello"


names: tuple[str, str] = (credentials(), content())
carried: RouteConfig | None = protect.get_route_config("shop.views.login")
marks: int = protect.route_config_revision
protect.initialize_agent(None)
protect.initialize_behavior_tracking()


def own_events(request: GuardRequest) -> None:
    protect.send_decorator_event("shop_event", request, "logged_only", "odd", "shop")
    protect.send_access_denied_event(request, "no", "shop")
    protect.send_authentication_failed_event(request, "no", "basic")
    protect.send_rate_limit_event(request, 5, 60)
    protect.send_decorator_violation_event(request, "shop", "no")


# Requests, responses, refusals -------------------------------------------------------------------


def look(request: GuardRequest) -> GuardResponse | None:
    texts: list[str] = [
        request.client_host,
        request.client_key,
        request.content_type,
        request.host,
        request.method,
        request.canonical_path,
        request.query_string,
        request.request_id,
        request.scheme,
        request.url,
        request.url_full,
        request.url_path,
        request.url_scheme,
        request.url_replace_scheme("https"),
        request.user_agent,
        *request.readings,
        request.endpoint or request.route_template or "",
    ]
    switches: tuple[bool, bool, bool] = (request.has_body, request.is_https, request.is_preflight)
    beginning: bytes = request.body() + request.read_body_prefix(100)
    request.state.user = "ann"
    environ: dict[str, Any] = request.scope
    first: str | None = request.query_params.get("q") or request.fields.get("q")
    if all(switches) and texts and beginning and environ and first:
        response = GuardResponse("no", 403, {"Retry-After": "7"})
        status: int = response.status_code
        line: str = response.status
        pairs: list[tuple[str, str]] = response.header_list
        content: bytes | None = response.body
        return response.with_headers(pairs) if status and line and content else None
    return None


def refused(verdict: Verdict, block: Block) -> list[str]:
    found: list[tuple[str, float, str, str]] = [
        (finding.category, finding.score, finding.location, finding.value)
        for finding in verdict.findings
    ]
    status: int = block.status
    retry: float | None = block.retry_after_seconds
    texts = [verdict.action, verdict.client_ip, verdict.check, verdict.request_id, block.event]
    country: str | None = verdict.country
    owner: Any = verdict.principal
    assert owner is None or country is None or status
    return [*texts, block.check, block.category, str(found), str(status), str(retry), str(country)]


# The guard at run time ---------------------------------------------------------------------------


def operate(guarded: GuardMiddleware, environ: WSGIEnvironment) -> dict[str, Any]:
    try:
        ban: Ban = guarded.bans.ban("203.0.113.7", 3600, "abuse")
    except BanRefused as error:
        return {"refused": str(error)}
    except StoreError:
        return {}
    bans: list[Ban] = guarded.bans.list()
    lifted: bool = guarded.bans.unban(ban.target) and not guarded.bans.is_banned(ban.target)
    left: list[int] = [state.remaining for state in guarded.limits("203.0.113.7", "/login", "POST")]
    country: str | None = guarded.country_of("203.0.113.7")
    inner: WSGIApplication = guarded.app
    policy = guarded.policy
    guarded.tell("shop_event", environ, "logged_only", reason="odd")
    guarded.reset()
    guarded.close()
    return {**guarded.status(), "all": (bans, lifted, left, country, inner, policy)}


def operate_flask(extension: FlaskAPIGuard, app: Flask) -> dict[str, Any]:
    extension.init_app(app, config)
    extension.set_decorator_handler(protect)
    served: SecurityConfig | None = extension.config
    sender: GuardAgentHandler | None = extension.agent_handler
    page: Response = extension.create_error_response(403, "no")
    made: GuardResponse = extension.guard_response_factory.create_response("no", 403)
    extension.bans.unban("203.0.113.7")
    extension.refresh_cloud_ip_ranges()
    extension.reset()
    extension.middleware.reconfigure(stricter)
    answers = (served, sender, page, made, extension.limits("203.0.113.7"))
    return {**extension.stats(), **extension.status(), **extension.agent_stats, "all": answers}


class OwnResolver:
    """The least that a resolver is."""

    def __call__(self, environ: WSGIEnvironment) -> Resolution | None:
        return Resolution("home", RouteConfig(rate_limit=5))


own_resolver: Resolver = OwnResolver()


def attach(dispatching: Dispatcher, guarded: GuardMiddleware) -> bool:
    dispatching.attach(guarded)
    return dispatching.confirms


# The agent ---------------------------------------------------------------------------------------


def report(handler: GuardAgentHandler, event: SecurityEvent, metric: SecurityMetric) -> list[str]:
    handler.start()
    queued: bool = handler.send_event(event) and handler.send_metric(metric)
    sent: bool = handler.flush_buffer(timeout=1.0) and handler.health_check()
    rules: DynamicRules | None = handler.get_dynamic_rules()
    health: agent_package.AgentStatus = handler.get_status()
    handler.stop(timeout=1.0)
    values: dict[str, Any] = {**event.as_wire(), **metric.as_wire(), **handler.get_stats()}
    if rules is not None and not rules.has_expired():
        values |= DynamicRules.parse(rules.as_wire()).as_wire()
    return [event.event_type, metric.metric_type, str(values), str(queued and sent), health.status]


def original_agent(event: SecurityEvent, metric: SecurityMetric) -> list[Any]:
    settings = AgentConfig(api_key="0123456789")
    buffer = agent_package.EventBuffer(settings)
    transport = agent_package.HTTPTransport(settings)
    try:
        buffer.add_event(event)
        buffer.add_metric(metric)
    except agent_package.BufferFullError:
        buffer.clear_buffer()
    breaker = agent_package.CircuitBreaker()
    try:
        answered: int = breaker.call(buffer.get_buffer_size)
    except agent_package.GuardAgentError:
        answered = 0
    limiter = agent_package.RateLimiter(10, 1.0)
    moment: datetime = agent_package.get_current_timestamp()
    poller: type[agent_package.RulesPoller] = agent_package.RulesPoller
    faults: tuple[type[Exception], ...] = (agent_package.RulesError, GuardError, MissingExtra)
    protocols: tuple[type, ...] = (
        agent_package.AgentHandlerProtocol,
        agent_package.BufferProtocol,
        agent_package.RedisHandlerProtocol,
        agent_package.TransportProtocol,
        agent_package.SyncGuardAgentHandler,
        agent_package.EventBatch,
    )
    agent_package.setup_agent_logging()
    return [
        transport.send_events(buffer.flush_events()),
        limiter.acquire(),
        agent_package.generate_batch_id(),
        agent_package.hash_ip("203.0.113.7"),
        agent_package.sanitize_headers({"Cookie": "a"}, ["cookie"]),
        agent_package.truncate_payload("text", 2),
        agent_package.validate_config(settings),
        (answered, moment, poller, faults, protocols),
    ]


# The names of flaskapi-guard ---------------------------------------------------------------------


def original_names(
    request: FlaskGuardRequest, response: FlaskGuardResponse, store: RedisHandlerProtocol
) -> list[Any]:
    bans: IPBanManager = ip_ban_manager
    clouds: CloudManager = cloud_handler
    headers: SecurityHeadersManager = security_headers_manager
    patterns: SusPatternsManager = sus_patterns_handler
    limits: type[RateLimitManager] = rate_limit_handler
    values: type[RedisManager] = redis_handler
    banned: bool = bans.ban_ip("203.0.113.7", 60) and bans.is_ip_banned("203.0.113.7")
    bans.unban_ip("203.0.113.7")
    cloud: bool = clouds.is_cloud_ip("203.0.113.7")
    sent: dict[str, str] = headers.get_headers()
    found: dict[str, Any] = patterns.detect("1 OR 1=1", "203.0.113.7")
    behaviour: type[BehaviorTracker] = BehaviorTracker
    body: bytes = request.body() + response.body
    basic: tuple[str, str] | None = decode_basic("YTpi")
    return [banned, cloud, sent, found, behaviour, body, basic, limits, values, store]


# Tests of an app ---------------------------------------------------------------------------------


def tested(app: Flask, response: Any) -> list[str]:
    with guard_testing.off(app):
        pass
    with guard_testing.controlled(app) as controlled:
        guarded: GuardMiddleware = controlled.guard
        refusal: guard_testing.Refusal = controlled.assert_refused(response, check="rate_limit")
        controlled.assert_passed(response)
        controlled.reset()
        assert guarded is guard_testing.guard_of(app)
        return [refusal.check, refusal.reason, refusal.reference, str(refusal.status)]
