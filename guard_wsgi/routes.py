"""The rules of single routes: what they are (RouteConfig) and how views get them
(SecurityDecorator).

A decorator wraps nothing. It leaves a RouteConfig on the view and returns the same object; the
guard finds it there, before the view runs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import time
from functools import partial
from types import FunctionType, MappingProxyType, MethodType
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import field, frozen

from guard_wsgi import config_tables as tables
from guard_wsgi import config_values as values
from guard_wsgi.config import SecurityConfig
from guard_wsgi.config_options import options_of, resolve
from guard_wsgi.config_rules import body_pattern_faults, countries_fault
from guard_wsgi.config_values import quoted, synchronous, whole_number
from guard_wsgi.detection.finding import CATEGORIES
from guard_wsgi.errors import ConfigError
from guard_wsgi.network.cloud import PROVIDERS
from guard_wsgi.state.behavior_rule import BehaviorRule

if TYPE_CHECKING:
    from guard_wsgi.checks.authentication import Verifier
    from guard_wsgi.checks.custom import Validator
    from guard_wsgi.checks.traffic import Condition, Key

ROUTE_ATTRIBUTE = "__guard_route__"
"""Where a view carries its RouteConfig."""

ROUTE_ID_ATTRIBUTE = "_guard_route_id"
"""Where a view carries the name by which ``get_route_config`` finds it."""

_MERGED_ATTRIBUTE = "_guard_merged_routes"
"""Where a class-based view keeps what the rules of its parts come to."""

_LAYERS_ATTRIBUTE = "_guard_layers"
"""Where a view keeps the functions that it wraps."""

BYPASS_NAMES = ("all", "ip_ban", "ip", "clouds", "rate_limit", "penetration")

FRONTING_PROVIDERS = frozenset({"Cloudflare"})
"""Whose ranges also carry people (WARP, iCloud Private Relay): blocked when named only."""

DEFAULT_API_KEY_HEADER = "X-API-Key"

MAX_WRAPPERS = 64
"""No view stands under more layers; a bound also ends a search among many functions."""

View = TypeVar("View", bound=Callable[..., Any])


@frozen(slots=True)
class TimeRestriction:
    """From ``start`` through the minute of ``end``; over midnight when ``start`` is later."""

    start: time
    end: time
    zone: ZoneInfo


def _clock_time(text: object) -> time:
    if isinstance(text, str) and len(text) == 5 and text[2] == ":":
        hours, minutes = text[:2], text[3:]
        if hours.isdigit() and minutes.isdigit() and int(hours) < 24 and int(minutes) < 60:
            return time(int(hours), int(minutes))
    raise ValueError(f"needs a time from '00:00' to '23:59', not {quoted(text)}")


def time_restriction(
    value: TimeRestriction | Mapping[str, str] | Sequence[str] | None,
) -> TimeRestriction | None:
    """From ``("22:00", "06:00", "Europe/Berlin")`` or a table of start, end and timezone."""
    if value is None or isinstance(value, TimeRestriction):
        return value
    if isinstance(value, Mapping):
        unknown = set(value) - {"start", "end", "timezone"}
        if unknown:
            raise ValueError(f"knows no {quoted(sorted(unknown)[0])}")
        value = (value.get("start", ""), value.get("end", ""), value.get("timezone", "UTC"))
    if isinstance(value, str) or len(value) not in (2, 3):
        raise ValueError(f"needs start, end and timezone, not {quoted(value)}")
    name = value[2] if len(value) == 3 else "UTC"
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise ValueError(f"knows no time zone {quoted(name)}") from None
    return TimeRestriction(_clock_time(value[0]), _clock_time(value[1]), zone)


# Converters of overlays: None is "not said".


def _required_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    for name in tables.string_table(headers):
        values.header_name(name)
    return MappingProxyType(dict(headers))


def _header(name: str | None) -> str | None:
    if name is not None:
        values.header_name(name)
    return name


def _country_limits(
    limits: Mapping[str, tuple[int, int]] | None,
) -> Mapping[str, tuple[int, int]] | None:
    if limits is None:
        return None
    if not isinstance(limits, Mapping):
        raise ValueError(f"must map countries to (requests, window), not {quoted(limits)}")
    converted: dict[str, tuple[int, int]] = {}
    for country, pair in limits.items():
        code = country if country == "*" else next(iter(values.countries([country])))
        converted[code] = values.limit_pair(pair)
    return MappingProxyType(converted)


def _referrers(domains: Iterable[str] | None) -> tuple[str, ...] | None:
    if domains is None:
        return None
    named = values.strings(domains)
    if not named or not all(domain.strip() for domain in named):
        raise ValueError("needs the names of the domains that may refer")
    return named


def _functions(functions: Iterable[Any]) -> tuple[Any, ...]:
    given = tuple(functions)
    for function in given:
        synchronous(None, None, function)  # type: ignore[arg-type]
        if function is None:
            raise ValueError("must be callable, not None")
    return given


def _authorization_scheme(scheme: str | None) -> str | None:
    if scheme is None:
        return None
    if not values.text(scheme).strip():
        raise ValueError("needs a scheme such as 'bearer'")
    return scheme.strip()


@frozen(kw_only=True, slots=True)
class RouteConfig:
    """What a route says in place of, or on top of, the global configuration.

    ``None`` says nothing: the global option holds. Of the tuples, sets and tables, the empty
    default says nothing either. Values are checked as those of SecurityConfig.

    :raises ConfigError: with every fault.
    """

    # Who
    ip_whitelist: tuple[str, ...] | None = field(
        # A non-empty one stands in place of the global address lists.
        default=None,
        converter=values.optional_networks,
    )
    ip_blacklist: tuple[str, ...] | None = field(default=None, converter=values.optional_networks)
    whitelist_countries: frozenset[str] | None = field(
        default=None, converter=values.optional_countries
    )
    blocked_countries: frozenset[str] | None = field(
        default=None, converter=values.optional_countries
    )
    block_cloud_providers: frozenset[str] | None = field(
        default=None, converter=values.optional_cloud_providers
    )
    blocked_user_agents: tuple[str, ...] = field(
        # Besides the global ones.
        default=(),
        converter=values.patterns,
    )
    bypassed_checks: frozenset[str] = field(
        default=frozenset(),
        converter=values.string_set,
        validator=values.each_of(*BYPASS_NAMES),
    )

    # Credentials
    auth_required: str | None = field(default=None, converter=_authorization_scheme)
    auth_verifier: Verifier | None = field(
        # None: config.auth_verifier.
        default=None,
        validator=synchronous,
    )
    api_key_required: bool | None = field(default=None, converter=values.optional_flag)
    api_key_header: str | None = field(default=None, converter=_header)
    api_key_verifier: Verifier | None = field(default=None, validator=synchronous)
    authorization_header_required: str | None = field(
        # Asks for presence only, which proves nothing.
        default=None,
        converter=_authorization_scheme,
    )

    # What
    require_https: bool | None = field(default=None, converter=values.optional_flag)
    max_request_size: int | None = field(default=None, validator=whole_number(1, optional=True))
    allowed_content_types: tuple[str, ...] | None = field(
        default=None, converter=values.optional_media_types
    )
    required_headers: Mapping[str, str] = field(
        # Name to value, or to "required" for any.
        default=MappingProxyType({}),
        converter=_required_headers,
    )
    require_referrer: tuple[str, ...] | None = field(default=None, converter=_referrers)
    time_restrictions: TimeRestriction | None = field(default=None, converter=time_restriction)
    honeypot_fields: tuple[str, ...] = field(default=(), converter=values.strings)
    custom_validators: tuple[Validator, ...] = field(default=(), converter=_functions)

    # How much
    rate_limit: int | None = field(default=None, validator=whole_number(1, optional=True))
    rate_limit_window: int | None = field(default=None, validator=whole_number(1, optional=True))
    rate_limit_cost: int | None = field(default=None, validator=whole_number(1, optional=True))
    rate_limit_key: Key | None = field(default=None, validator=synchronous)
    rate_limit_exempt_when: Condition | None = field(default=None, validator=synchronous)
    geo_rate_limits: Mapping[str, tuple[int, int]] | None = field(
        # Country, or "*" for all others, to (requests, window in seconds).
        default=None,
        converter=_country_limits,
    )
    behavior_rules: tuple[BehaviorRule, ...] = field(default=(), converter=tables.behavior_rules)

    # Detection
    enable_suspicious_detection: bool | None = field(default=None, converter=values.optional_flag)
    enabled_detection_categories: frozenset[str] | None = field(
        default=None,
        converter=values.optional_string_set,
        validator=values.each_of(*sorted(CATEGORIES)),
    )
    detection_scan_body: bool | None = field(default=None, converter=values.optional_flag)
    excluded_detection_headers: frozenset[str] | None = field(
        # Besides the global ones; the two below stand in place of them.
        default=None,
        converter=values.optional_lower_set,
    )
    excluded_detection_params: frozenset[str] | None = field(
        default=None, converter=values.optional_string_set
    )
    excluded_detection_body_fields: frozenset[str] | None = field(
        default=None, converter=values.optional_string_set
    )

    if not TYPE_CHECKING:

        def __init__(self, **options):
            resolved = resolve(self, options)
            if resolved.faults:
                raise ConfigError(resolved.faults)
            for name, value in resolved.values.items():
                object.__setattr__(self, name, value)

    @property
    def uses_countries(self) -> bool:
        """Whether the client's country is asked for."""
        return bool(self.whitelist_countries or self.blocked_countries or self.geo_rate_limits)

    def merged_over(self, other: RouteConfig | None) -> RouteConfig:
        """This one's word first, the ``other``'s where this one says nothing.

        Collections extend: validators, patterns, rules and bait fields of ``other`` come first,
        sets join, and of two tables of headers this one's entries win.
        """
        if other is None:
            return self
        merged: dict[str, Any] = {}
        for option in options_of(RouteConfig):
            name = option.name
            mine, theirs = getattr(self, name), getattr(other, name)
            if name in _EXTENDING and theirs and mine:
                if isinstance(mine, tuple):
                    merged[name] = (*theirs, *(item for item in mine if item not in theirs))
                elif isinstance(mine, frozenset):
                    merged[name] = theirs | mine
                else:
                    merged[name] = {**theirs, **mine}
            else:
                merged[name] = theirs if mine == option.default else mine
        return RouteConfig(**merged)

    def restrictions(self) -> RouteConfig:
        """This one without what only lets more pass."""
        return RouteConfig(
            **{
                option.name: getattr(self, option.name)
                for option in options_of(RouteConfig)
                if option.name not in _RELAXING and getattr(self, option.name) not in (None, False)
            }
        )

    def __repr__(self) -> str:
        """The options that say something."""
        said = (
            f"{option.name}={getattr(self, option.name)!r}"
            for option in options_of(RouteConfig)
            if getattr(self, option.name) != option.default
        )
        return f"RouteConfig({', '.join(said)})"


_EXTENDING = frozenset(
    {
        "blocked_user_agents",
        "bypassed_checks",
        "required_headers",
        "honeypot_fields",
        "custom_validators",
        "behavior_rules",
        "excluded_detection_headers",
        "excluded_detection_params",
        "excluded_detection_body_fields",
    }
)
"""The options that add up when decorators are stacked; of the others the outermost wins."""


_RELAXING = frozenset(
    {
        "bypassed_checks",
        "rate_limit_exempt_when",
        "enabled_detection_categories",
        "detection_scan_body",
        "excluded_detection_headers",
        "excluded_detection_params",
        "excluded_detection_body_fields",
    }
)
"""The options that can only let more pass than the global rules do."""


def route_config_of(view: Any, method: str = "GET") -> RouteConfig | None:
    """What a view carries: a function, or a class-based view with rules on its class, on the
    function made of it and on the method that serves ``method``. The most specific wins.

    A function that is only referred to by the view (a wrapper made without functools.wraps can't
    be told from a view that calls another one) adds what it restricts, not what it allows.

    The same view and method give the same object each time, so that what is compiled of it can
    be kept by its identity.
    """
    carried: list[tuple[RouteConfig, bool]] = []
    for layer, is_sure in _sure_layers(view, method):
        route = getattr(layer, ROUTE_ATTRIBUTE, None)
        # functools.wraps copies the rules, which then stand on wrapper and wrapped.
        if isinstance(route, RouteConfig) and not (carried and carried[-1][0] is route):
            carried.append((route, is_sure))
    if not carried:
        return None
    if len(carried) == 1 and carried[0][1]:
        return carried[0][0]
    attributes = getattr(view, "__dict__", None)
    kept: list[tuple[list[tuple[RouteConfig, bool]], RouteConfig]] = []
    if isinstance(attributes, dict):
        kept = attributes.setdefault(_MERGED_ATTRIBUTE, kept)
    for parts, known in kept:
        if len(parts) == len(carried) and all(
            mine is theirs and surely == as_surely
            for (mine, surely), (theirs, as_surely) in zip(parts, carried, strict=True)
        ):
            return known
    merged: RouteConfig | None = None
    for route, is_sure in carried:
        merged = (route if is_sure else route.restrictions()).merged_over(merged)
    assert merged is not None
    kept.append((carried, merged))
    return merged


def layers_of(view: Any, method: str) -> Iterator[Any]:
    """From the least to the most specific of what may carry a view's rules."""
    for layer, _ in _sure_layers(view, method):
        yield layer


def _sure_layers(view: Any, method: str) -> Iterator[tuple[Any, bool]]:
    """Each layer with whether it surely belongs to the view, or is only referred to by it."""
    cls = getattr(view, "view_class", None)  # Flask's and Django's as_view() set it
    if cls is None:
        yield from reversed(_layers(view))
        return
    yield cls, True
    yield from reversed(_layers(view))
    handler = method.lower()
    if handler == "head" and not hasattr(cls, "head"):
        handler = "get"
    for name in ("dispatch", "dispatch_request", handler):
        function = getattr(cls, name, None)
        if function is not None:
            yield from reversed(_layers(function))


def _layers(view: Any) -> tuple[tuple[Any, bool], ...]:
    """A function and those it wraps, the outermost first; looked for once."""
    function = getattr(view, "__func__", view)
    attributes = getattr(view, "__dict__", None)
    if not isinstance(attributes, dict):
        return tuple(_unwrapped(function, set(), True))
    known: tuple[tuple[Any, bool], ...] | None = attributes.get(_LAYERS_ATTRIBUTE)
    # functools.wraps copies attributes, so what is found here may be that of another function.
    if known is None or known[0][0] is not function:
        known = attributes[_LAYERS_ATTRIBUTE] = tuple(_unwrapped(function, set(), True))
    return known


def _unwrapped(view: Any, seen: set[int], is_sure: bool) -> Iterator[tuple[Any, bool]]:
    if view is None or id(view) in seen or len(seen) > MAX_WRAPPERS:
        return
    seen.add(id(view))
    yield view, is_sure
    inner = view.func if isinstance(view, partial) else getattr(view, "__wrapped__", None)
    if inner is not None:
        yield from _unwrapped(inner, seen, is_sure)
        return
    for cell in getattr(view, "__closure__", None) or ():
        try:
            content = cell.cell_contents
        except ValueError:  # not filled: a function that refers to itself before it is made
            continue
        if isinstance(content, (FunctionType, MethodType, partial)):
            yield from _unwrapped(content, seen, False)


class SecurityDecorator:
    """Decorators that give a view rules of its own.

    They work on functions, on class-based views and on their methods, over or under other
    decorators. Stacked, the outermost wins where a value can only be one; lists and tables
    extend.

    :raises ConfigError: (a ``ValueError``) at decoration, for anything that could not hold at
        the first request.
    """

    def __init__(self, config: SecurityConfig) -> None:
        self.config = config
        self._views: dict[str, Any] = {}
        self._revision = 0

    # Who

    def require_ip(
        self, whitelist: list[str] | None = None, blacklist: list[str] | None = None
    ) -> Callable[[View], View]:
        """Admit or refuse addresses and CIDR ranges; the whitelist wins over the blacklist."""
        if not whitelist and not blacklist:
            raise ConfigError(["require_ip needs a whitelist or a blacklist"])
        return self._marking(ip_whitelist=whitelist, ip_blacklist=blacklist)

    def block_countries(self, countries: list[str]) -> Callable[[View], View]:
        return self._marking(blocked_countries=_filled("block_countries", countries))

    def allow_countries(self, countries: list[str]) -> Callable[[View], View]:
        """Admit these countries only; a client whose country is unknown is refused."""
        return self._marking(whitelist_countries=_filled("allow_countries", countries))

    def block_clouds(self, providers: list[str] | None = None) -> Callable[[View], View]:
        """Refuse the addresses of cloud providers, of all that host servers by default."""
        if providers is None:
            providers = sorted(PROVIDERS - FRONTING_PROVIDERS)
        return self._marking(block_cloud_providers=_filled("block_clouds", providers))

    def block_user_agents(self, patterns: list[str]) -> Callable[[View], View]:
        return self._marking(blocked_user_agents=_filled("block_user_agents", patterns))

    def bypass(self, checks: list[str]) -> Callable[[View], View]:
        """Leave out checks: ``all``, ``ip_ban``, ``ip``, ``clouds``, ``rate_limit``,
        ``penetration``."""
        return self._marking(bypassed_checks=_filled("bypass", checks))

    # Credentials

    def require_auth(
        self, type: str = "bearer", verifier: Verifier | None = None
    ) -> Callable[[View], View]:
        """Ask for credentials in ``Authorization`` and hand them to the verifier.

        :param type: ``bearer``, ``basic``, or another word for the whole value of the header.
        :param verifier: ``(request, credential)`` to a principal, or something false to refuse;
            ``config.auth_verifier`` by default. Without either there would be no
            authentication, so one is mandatory.
        """
        self._need_verifier("require_auth", verifier)
        return self._marking(auth_required=type, auth_verifier=verifier)

    def api_key_auth(
        self, header_name: str = DEFAULT_API_KEY_HEADER, verifier: Verifier | None = None
    ) -> Callable[[View], View]:
        """Ask for an API key in a header; 400 without the header, 401 for a wrong key."""
        self._need_verifier("api_key_auth", verifier)
        return self._marking(
            api_key_required=True,
            api_key_header=header_name,
            api_key_verifier=verifier,
            required_headers={header_name: "required"},
        )

    def require_authorization_header(self, scheme: str = "bearer") -> Callable[[View], View]:
        """Ask for the presence of an ``Authorization`` header, for an app that verifies it
        itself. This is no authentication."""
        return self._marking(authorization_header_required=scheme)

    # What

    def require_https(self) -> Callable[[View], View]:
        return self._marking(require_https=True)

    def require_headers(self, headers: dict[str, str]) -> Callable[[View], View]:
        """Ask for headers: a name to its exact value, or to ``"required"`` for any."""
        return self._marking(required_headers=_filled("require_headers", headers))

    def require_referrer(self, allowed_domains: list[str]) -> Callable[[View], View]:
        """Admit requests that come from these domains and their subdomains."""
        return self._marking(require_referrer=allowed_domains)

    def content_type_filter(self, allowed_types: list[str]) -> Callable[[View], View]:
        return self._marking(allowed_content_types=_filled("content_type_filter", allowed_types))

    def max_request_size(self, size_bytes: int) -> Callable[[View], View]:
        return self._marking(max_request_size=size_bytes)

    def time_window(
        self, start_time: str, end_time: str, timezone: str = "UTC"
    ) -> Callable[[View], View]:
        """Admit from ``"HH:MM"`` through the minute of the other; over midnight if it is
        earlier."""
        return self._marking(time_restrictions=(start_time, end_time, timezone))

    def custom_validation(self, validator: Validator) -> Callable[[View], View]:
        """``validator(request)`` answers ``None`` to let pass, or the response to send."""
        return self._marking(custom_validators=(validator,))

    def honeypot_detection(self, trap_fields: list[str]) -> Callable[[View], View]:
        """Refuse whoever fills in form fields that people can't see."""
        return self._marking(honeypot_fields=_filled("honeypot_detection", trap_fields))

    # How much

    def rate_limit(
        self,
        requests: int,
        window: int = 60,
        *,
        cost: int = 1,
        key: Key | None = None,
        exempt_when: Condition | None = None,
    ) -> Callable[[View], View]:
        """So many requests in ``window`` seconds, for each client on this route.

        :param cost: what one request counts.
        :param key: ``(request)`` to what counts together, in place of the client's address.
        :param exempt_when: ``(request)`` to ``True`` for one that is not counted.
        """
        return self._marking(
            rate_limit=requests,
            rate_limit_window=window,
            rate_limit_cost=cost,
            rate_limit_key=key,
            rate_limit_exempt_when=exempt_when,
        )

    def geo_rate_limit(self, limits: dict[str, tuple[int, int]]) -> Callable[[View], View]:
        """Country, or ``"*"`` for all others, to ``(requests, window in seconds)``."""
        return self._marking(geo_rate_limits=_filled("geo_rate_limit", limits))

    # Behaviour

    def usage_monitor(
        self, max_calls: int, window: int = 3600, action: str = "ban"
    ) -> Callable[[View], View]:
        """Act on a client with more than ``max_calls`` calls of this route in ``window`` s."""
        return self._watching(rule_type="usage", threshold=max_calls, window=window, action=action)

    def return_monitor(
        self, pattern: str, max_occurrences: int, window: int = 86_400, action: str = "ban"
    ) -> Callable[[View], View]:
        """Act on a client that got more than so many answers of a kind: ``status:404``,
        ``json:path==value``, ``regex:...`` or a text."""
        return self._watching(
            rule_type="return_pattern",
            threshold=max_occurrences,
            window=window,
            pattern=pattern,
            action=action,
        )

    def suspicious_frequency(
        self, max_frequency: float, window: int = 300, action: str = "ban"
    ) -> Callable[[View], View]:
        """Act on a client with more than ``max_frequency`` calls a second, over ``window`` s."""
        if isinstance(max_frequency, bool) or not isinstance(max_frequency, (int, float)):
            raise ConfigError([f"max_frequency must be a number, not {quoted(max_frequency)}"])
        if not max_frequency > 0:
            raise ConfigError([f"max_frequency must be more than 0, not {max_frequency}"])
        threshold = max(1, int(max_frequency * window))
        return self._watching(
            rule_type="frequency", threshold=threshold, window=window, action=action
        )

    def behavior_analysis(self, rules: list[BehaviorRule]) -> Callable[[View], View]:
        return self._marking(behavior_rules=_filled("behavior_analysis", rules))

    # Detection

    def suspicious_detection(self, enabled: bool = True) -> Callable[[View], View]:
        """Turn detection on or off for the route."""
        return self._marking(enable_suspicious_detection=enabled)

    def detection_exclusion(
        self,
        headers: list[str] | None = None,
        params: list[str] | None = None,
        body_fields: list[str] | None = None,
        categories: list[str] | None = None,
        scan_body: bool | None = None,
        semantic_headers: list[str] | None = None,
    ) -> Callable[[View], View]:
        """Leave names out of detection on this route.

        :param categories: those that stay on.
        :param semantic_headers: as ``headers``; there is one stage of detection.
        """
        if semantic_headers is not None:
            headers = [*(headers or ()), *semantic_headers]
        return self._marking(
            excluded_detection_headers=headers,
            excluded_detection_params=params,
            excluded_detection_body_fields=body_fields,
            enabled_detection_categories=categories,
            detection_scan_body=scan_body,
        )

    # Looking at what was marked

    def get_route_config(self, route_id: str) -> RouteConfig | None:
        """The rules of the view that was given this id (``module.qualname``)."""
        view = self._views.get(route_id)
        return getattr(view, ROUTE_ATTRIBUTE, None)

    @property
    def route_config_revision(self) -> int:
        """Grows with each rule given to a view."""
        return self._revision

    # Marking

    def _watching(self, **rule: Any) -> Callable[[View], View]:
        return self._marking(behavior_rules=(rule,))

    def _marking(self, **options: Any) -> Callable[[View], View]:
        """A decorator that lays ``options`` over what the view already carries."""
        given = {name: value for name, value in options.items() if value is not None}
        overlay = RouteConfig(**given)
        self._check_globals(overlay)

        def mark(view: View) -> View:
            self._mark(view, overlay)
            return view

        return mark

    def _mark(self, view: Any, overlay: RouteConfig) -> None:
        target = getattr(view, "__func__", view)  # a bound, static or class method's function
        if not callable(target):
            raise TypeError(f"a view is a function or a class, not {type(view).__name__}")
        merged = overlay.merged_over(getattr(target, ROUTE_ATTRIBUTE, None))
        if merged.authorization_header_required and (
            merged.auth_required or merged.api_key_required
        ):
            raise ConfigError(
                [
                    "require_authorization_header asks for presence and require_auth or"
                    " api_key_auth for proof: keep one of them"
                ]
            )
        setattr(target, ROUTE_ATTRIBUTE, merged)
        self._revision += 1
        self._register(target)

    def _register(self, view: Any) -> None:
        route_id = vars(view).get(ROUTE_ID_ATTRIBUTE)
        if route_id is None or self._views.get(route_id) is not view:
            name = getattr(view, "__qualname__", type(view).__name__)
            base = route_id = f"{getattr(view, '__module__', '')}.{name}"
            count = 1
            while route_id in self._views:
                count += 1
                route_id = f"{base}#{count}"
            self._views[route_id] = view
            setattr(view, ROUTE_ID_ATTRIBUTE, route_id)
        if not any(known is view for known in self.config._decorated):
            self.config._decorated.append(view)

    def _need_verifier(self, name: str, verifier: Verifier | None) -> None:
        if verifier is None and self.config.auth_verifier is None:
            raise ConfigError(
                [f"{name} needs a verifier, here or as auth_verifier of the configuration"]
            )

    def _check_globals(self, overlay: RouteConfig) -> None:
        """What a rule needs of the global configuration, or it would never take effect."""
        config = self.config
        faults: list[str] = []
        if overlay.uses_countries:
            faults.extend(
                countries_fault(
                    "this rule", config.geo_ip_handler, config.ipinfo_token, config.ipinfo_db_path
                )
            )
        faults.extend(
            body_pattern_faults(
                "this rule", overlay.behavior_rules, config.behavior_scan_response_body
            )
        )
        if faults:
            raise ConfigError(faults)


def _filled(decorator: str, given: Any) -> Any:
    """``given``, which a decorator without it would silently do nothing."""
    if not given:
        raise ConfigError([f"{decorator} needs at least one entry"])
    return given


# For help() and consoles: the signature that type checkers see.
RouteConfig.__init__.__signature__ = inspect.signature(  # type: ignore[attr-defined]
    RouteConfig.__attrs_init__  # type: ignore[attr-defined]
)
