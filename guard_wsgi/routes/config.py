"""The options of one route: they replace or extend those of the global configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen

from guard_wsgi.behavior.rule import BehaviorRule
from guard_wsgi.config import tables as tables
from guard_wsgi.config import texts as texts
from guard_wsgi.detection.finding import CATEGORIES
from guard_wsgi.detection.settings import UPLOAD_INSPECTIONS
from guard_wsgi.options import values as values
from guard_wsgi.options.frozen import ImmutableConfig
from guard_wsgi.options.numbers import MAX_COUNT, MAX_SECONDS, optional_flag, whole_number
from guard_wsgi.options.quoting import quoted, shown
from guard_wsgi.options.resolving import checked, options_of
from guard_wsgi.options.values import one_of, synchronous
from guard_wsgi.routes.bypass import BYPASS_NAMES
from guard_wsgi.routes.time_restriction import TimeRestriction, time_restriction

if TYPE_CHECKING:
    from guard_wsgi.request.hook_types import LimitExemption, LimitKey, Validator, Verifier

# Converters. None means: inherit the global option.


def _required_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    table = tables.string_table(headers)
    for name in table:
        texts.header_name(name)
    return table


def _header(name: str | None) -> str | None:
    if name is not None:
        texts.header_name(name)
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
        code = country if country == "*" else next(iter(texts.countries([country])))
        converted[code] = tables.limit_pair(pair)
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
            raise ValueError("must be a function, not None")
    return given


def _authorization_scheme(scheme: str | None) -> str | None:
    if scheme is None:
        return None
    if not values.text(scheme).strip():
        raise ValueError("needs a scheme such as 'bearer'")
    return scheme.strip()


@checked
@frozen(kw_only=True, slots=True)
class RouteConfig:
    """The options of one route: they replace or extend those of the global configuration.

    ``None`` means that the global option applies. For tuples, sets and tables, the empty default
    means the same. Values are checked like those of SecurityConfig.

    :raises ConfigError: with every fault.
    """

    # Who
    ip_whitelist: tuple[str, ...] | None = field(
        # A non-empty list replaces the global address lists.
        default=None,
        converter=texts.optional_networks,
    )
    ip_blacklist: tuple[str, ...] | None = field(default=None, converter=texts.optional_networks)
    whitelist_countries: frozenset[str] | None = field(
        default=None, converter=texts.optional_countries
    )
    blocked_countries: frozenset[str] | None = field(
        default=None, converter=texts.optional_countries
    )
    block_cloud_providers: frozenset[str] | None = field(
        default=None, converter=texts.optional_cloud_providers
    )
    blocked_user_agents: tuple[str, ...] = field(
        # Besides the global ones.
        default=(),
        converter=texts.user_agent_patterns,
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
    api_key_required: bool | None = field(default=None, converter=optional_flag)
    api_key_header: str | None = field(default=None, converter=_header)
    api_key_verifier: Verifier | None = field(default=None, validator=synchronous)
    authorization_header_required: str | None = field(
        # Only requires the header to be present, which proves nothing.
        default=None,
        converter=_authorization_scheme,
    )

    # What
    require_https: bool | None = field(default=None, converter=optional_flag)
    max_request_size: int | None = field(default=None, validator=whole_number(1, optional=True))
    allowed_content_types: tuple[str, ...] | None = field(
        default=None, converter=texts.optional_media_types
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
    rate_limit: int | None = field(
        default=None, validator=whole_number(1, MAX_COUNT, optional=True)
    )
    rate_limit_window: int | None = field(
        default=None, validator=whole_number(1, MAX_SECONDS, optional=True)
    )
    rate_limit_cost: int | None = field(
        default=None, validator=whole_number(1, MAX_COUNT, optional=True)
    )
    rate_limit_key: LimitKey | None = field(default=None, validator=synchronous)
    rate_limit_exempt_when: LimitExemption | None = field(default=None, validator=synchronous)
    geo_rate_limits: Mapping[str, tuple[int, int]] | None = field(
        # Country, or "*" for all others, to (requests, window in seconds).
        default=None,
        converter=_country_limits,
    )
    behavior_rules: tuple[BehaviorRule, ...] = field(default=(), converter=tables.behavior_rules)

    # Answers
    security_headers: Mapping[str, Any] | None = field(
        # Changes config.security_headers, with the same keys; None removes a header.
        default=None,
        converter=tables.optional_security_headers,
    )

    # Detection
    enable_suspicious_detection: bool | None = field(default=None, converter=optional_flag)
    enabled_detection_categories: frozenset[str] | None = field(
        default=None,
        converter=values.optional_string_set,
        validator=values.each_of(*sorted(CATEGORIES)),
    )
    detection_scan_body: bool | None = field(default=None, converter=optional_flag)
    upload_inspection: Literal["names", "strict"] | None = field(
        # "strict" weighs the contents of files on this route, "names" only their names.
        default=None,
        validator=one_of(*UPLOAD_INSPECTIONS, optional=True),
    )
    excluded_detection_headers: frozenset[str] | None = field(
        # These headers add to the global ones. The two options below replace the global ones.
        default=None,
        converter=values.optional_lower_set,
    )
    excluded_detection_params: frozenset[str] | None = field(
        default=None, converter=values.optional_string_set
    )
    excluded_detection_body_fields: frozenset[str] | None = field(
        default=None, converter=values.optional_string_set
    )

    _parts: tuple[RouteConfig, ...] = field(default=(), init=False, eq=False)
    """The configurations from which this one was merged."""

    _heard: frozenset[int] = field(default=frozenset(), init=False, eq=False)
    """The ids of these parts."""

    limits_counted_as: str = field(default="", init=False, eq=False)
    """The view for which its limits count, for all of its routes; ``""`` for the route itself."""

    behavior_counted_as: str = field(default="", init=False, eq=False)
    """The same for its behaviour rules."""

    @property
    def uses_countries(self) -> bool:
        """Whether the rules need the client's country."""
        return bool(self.whitelist_countries or self.blocked_countries or self.geo_rate_limits)

    @property
    def has_limits(self) -> bool:
        """Whether the route has its own limits."""
        return self.rate_limit is not None or self.geo_rate_limits is not None

    def merged_over(self, other: RouteConfig | None) -> RouteConfig:
        """Return both, merged: options of this configuration win over those of ``other``.

        Collections add up: validators, patterns, rules and honeypot fields of ``other`` come first,
        sets are joined, and in tables of headers the entries of this one win.
        """
        if other is None:
            return self
        merged: dict[str, Any] = {}
        for option in options_of(RouteConfig):
            name = option.name
            mine, others = getattr(self, name), getattr(other, name)
            if name in _EXTENDING and others and mine:
                if isinstance(mine, tuple):
                    merged[name] = (*others, *(item for item in mine if item not in others))
                elif isinstance(mine, frozenset):
                    merged[name] = others | mine
                else:
                    merged[name] = {**others, **mine}
            else:
                merged[name] = others if mine == option.default else mine
        return RouteConfig(**merged)._made_of(other, self)

    def overrides(self, other: RouteConfig | None) -> list[str]:
        """Return the options in which this configuration overrides another one."""
        if other is None or self.includes(other) or other.includes(self):
            return []
        pairs = (
            (option, getattr(self, option.name), getattr(other, option.name))
            for option in options_of(RouteConfig)
            if option.name not in _EXTENDING
        )
        return [
            option.name
            for option, mine, others in pairs
            if mine != others and option.default not in (mine, others)
        ]

    def includes(self, other: RouteConfig) -> bool:
        """Whether the ``other`` configuration was merged into this one."""
        if self is other:
            return True
        heard = self._heard or (id(self),)
        return other._heard.issubset(heard) if other._heard else id(other) in heard

    def of_one_view(self, name: str) -> RouteConfig:
        """Return the same rules for the view of that name only. One decorator on two views counts
        for each: a request that was counted for one view is not counted for the other."""
        if not (self.has_limits or self.behavior_rules):
            return self
        own = RouteConfig(**self._options())
        object.__setattr__(own, "limits_counted_as", name)
        object.__setattr__(own, "behavior_counted_as", name)
        return own

    def counted_as(self, limits: str, behavior: str) -> RouteConfig:
        """Return the same rules, counted by the names of views."""
        if (limits, behavior) == (self.limits_counted_as, self.behavior_counted_as):
            return self
        named = RouteConfig(**self._options())._made_of(self)
        object.__setattr__(named, "limits_counted_as", limits)
        object.__setattr__(named, "behavior_counted_as", behavior)
        return named

    def _options(self) -> dict[str, Any]:
        return {option.name: getattr(self, option.name) for option in options_of(RouteConfig)}

    def _made_of(self, *merged: RouteConfig) -> RouteConfig:
        parts = {id(part): part for route in merged for part in route._parts or (route,)}
        object.__setattr__(self, "_parts", tuple(parts.values()))
        object.__setattr__(self, "_heard", frozenset(parts))
        return self

    def restrictions(self) -> RouteConfig:
        """Return the rules without options that only let more requests pass."""
        return RouteConfig(
            **{
                option.name: getattr(self, option.name)
                for option in options_of(RouteConfig)
                if option.name not in _RELAXING and getattr(self, option.name) not in (None, False)
            }
        )._made_of(self)

    def relaxations(self) -> RouteConfig | None:
        """Return only the options that let more requests pass, for a preflight, which is answered
        before the view; ``None`` if there are none."""
        relaxing = {
            option.name: getattr(self, option.name)
            for option in options_of(RouteConfig)
            if option.name in _RELAXING and getattr(self, option.name) != option.default
        }
        if self.enable_suspicious_detection is False:
            relaxing["enable_suspicious_detection"] = False
        return RouteConfig(**relaxing) if relaxing else None

    def __deepcopy__(self, memo: object) -> RouteConfig:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as options, for processes that are spawned with a RouteConfig."""
        options = {
            option.name: _picklable(getattr(self, option.name))
            for option in options_of(RouteConfig)
            if getattr(self, option.name) != option.default
        }
        return partial(RouteConfig, **options), ()

    def __repr__(self) -> str:
        """Return the options that are set."""
        options_set = (
            f"{option.name}={shown(getattr(self, option.name))}"
            for option in options_of(RouteConfig)
            if getattr(self, option.name) != option.default
            # Write limits as the decorator takes them.
            and (option.name, getattr(self, option.name)) != ("rate_limit_cost", 1)
        )
        return f"RouteConfig({', '.join(options_set)})"


def _picklable(value: Any) -> Any:
    """Return a plain dict for a read-only view of one, which pickle does not accept."""
    if isinstance(value, MappingProxyType):
        return {name: _picklable(one) for name, one in value.items()}
    return value


_EXTENDING = frozenset(
    {
        "blocked_user_agents",
        "bypassed_checks",
        "required_headers",
        "honeypot_fields",
        "custom_validators",
        "behavior_rules",
        "security_headers",
        "excluded_detection_headers",
        "excluded_detection_params",
        "excluded_detection_body_fields",
    }
)
"""The options that add up when decorators are stacked; for other options the outermost wins."""


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
"""The options that can only let more requests pass than the global rules."""


def _explain_assignment(route: RouteConfig, name: str, value: object = None) -> None:
    raise ImmutableConfig(
        f"{name} of a RouteConfig can't be changed: put another decorator on the view, or give"
        f" RouteConfig({name}=...) where the route is named"
    )


# attrs sets its own methods, which refuse without an explanation.
RouteConfig.__setattr__ = RouteConfig.__delattr__ = _explain_assignment  # type: ignore[method-assign, assignment]
