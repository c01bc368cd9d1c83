"""How views get rules of their own: the decorators.

A decorator stores a RouteConfig on the view. The guard finds it there (view_rules.py) and checks it
before the view runs. A function that is called in other ways asks the guard itself
(ruled_function.py).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

from guard_wsgi.behavior.rule import BehaviorRule
from guard_wsgi.config.rules import body_pattern_faults, countries_fault
from guard_wsgi.config.security import DoubtfulOption, SecurityConfig
from guard_wsgi.errors import ConfigError
from guard_wsgi.network.cloud import PROVIDERS
from guard_wsgi.options.numbers import Range, number, whole_number
from guard_wsgi.routes.config import RouteConfig as RouteConfig
from guard_wsgi.routes.decorated_views import decorated_by
from guard_wsgi.routes.decorator_events import DecoratorEvents
from guard_wsgi.routes.decorator_faults import ARGUMENTS, in_arguments, only_enabled
from guard_wsgi.routes.ruled_function import ROUTE_ATTRIBUTE, inner_function
from guard_wsgi.routes.ruled_view import ruled
from guard_wsgi.routes.view_rules import route_config_of as route_config_of

if TYPE_CHECKING:
    from guard_wsgi.request.hook_types import LimitExemption, LimitKey, Validator, Verifier

ROUTE_ID_ATTRIBUTE = "_guard_route_id"
"""The attribute with the name by which ``get_route_config`` finds a view."""

FRONTING_PROVIDERS = frozenset({"Cloudflare"})
"""Providers whose ranges also carry people (WARP, iCloud Private Relay): blocked only if named."""

DEFAULT_API_KEY_HEADER = "X-API-Key"

View = TypeVar("View", bound=Callable[..., Any])


class SecurityDecorator(DecoratorEvents):
    """Decorators that give a view rules of its own.

    They work on functions, on class-based views and on their methods, over or under other
    decorators. If decorators are stacked, lists and tables add up. For other options the outermost
    wins, with a warning (``DoubtfulOption``).

    :raises ConfigError: (a ``ValueError``) at decoration, for anything that could not work at the
        first request.
    """

    def __init__(self, config: SecurityConfig) -> None:
        self.config = config
        self._views: WeakValueDictionary[str, Any] = WeakValueDictionary()
        self._revision = 0

    # Who

    def require_ip(
        self, whitelist: list[str] | None = None, blacklist: list[str] | None = None
    ) -> Callable[[View], View]:
        """Admit or refuse addresses and networks; the whitelist takes precedence (403)."""
        if not whitelist and not blacklist:
            raise ConfigError(["@require_ip needs a whitelist or a blacklist"])
        return self._marking(ip_whitelist=whitelist, ip_blacklist=blacklist)

    def block_countries(self, countries: list[str]) -> Callable[[View], View]:
        """Refuse clients from these countries, by ISO 3166 code (403)."""
        return self._marking(blocked_countries=_filled("block_countries", countries))

    def allow_countries(self, countries: list[str]) -> Callable[[View], View]:
        """Admit only these countries; refuse clients whose country is unknown (403)."""
        return self._marking(whitelist_countries=_filled("allow_countries", countries))

    def block_clouds(self, providers: list[str] | None = None) -> Callable[[View], View]:
        """Refuse addresses of cloud providers; by default, of all that host servers (403)."""
        if providers is None:
            providers = sorted(PROVIDERS - FRONTING_PROVIDERS)
        return self._marking(block_cloud_providers=_filled("block_clouds", providers))

    def block_user_agents(self, patterns: list[str]) -> Callable[[View], View]:
        """Refuse clients whose User-Agent matches a regular expression (403)."""
        return self._marking(blocked_user_agents=_filled("block_user_agents", patterns))

    def bypass(self, checks: list[str]) -> Callable[[View], View]:
        """Skip checks of the site: ``all``, ``ip_ban``, ``ip``, ``clouds``, ``rate_limit``,
        ``penetration``."""
        return self._marking(bypassed_checks=_filled("bypass", checks))

    # Credentials

    def require_auth(
        self, type: str = "bearer", verifier: Verifier | None = None
    ) -> Callable[[View], View]:
        """Require credentials in ``Authorization``, and pass them to the verifier (401).

        :param type: ``bearer``, ``basic``, or any other text: then the verifier gets the whole
            value of the header.
        :param verifier: ``(request, credential)`` to a principal, or a false value to refuse. The
            default is ``config.auth_verifier``; one of the two is required.
        """
        self._need_verifier("require_auth", verifier)
        return self._marking(auth_required=type, auth_verifier=verifier)

    def api_key_auth(
        self, header_name: str = DEFAULT_API_KEY_HEADER, verifier: Verifier | None = None
    ) -> Callable[[View], View]:
        """Require an API key in a header, and pass it to the verifier (401)."""
        self._need_verifier("api_key_auth", verifier)
        return self._marking(
            api_key_required=True,
            api_key_header=header_name,
            api_key_verifier=verifier,
        )

    def require_authorization_header(self, scheme: str = "bearer") -> Callable[[View], View]:
        """Require an ``Authorization`` header, which the app verifies itself (401)."""
        return self._marking(authorization_header_required=scheme)

    # What

    def require_https(self) -> Callable[[View], View]:
        """Redirect plain HTTP to HTTPS (308)."""
        return self._marking(require_https=True)

    def require_headers(self, headers: dict[str, str]) -> Callable[[View], View]:
        """Require headers: a name with its exact value, or with ``"required"`` (400)."""
        return self._marking(required_headers=_filled("require_headers", headers))

    def require_referrer(self, allowed_domains: list[str]) -> Callable[[View], View]:
        """Admit requests from pages of these domains and their subdomains (403)."""
        return self._marking(require_referrer=allowed_domains)

    def content_type_filter(self, allowed_types: list[str]) -> Callable[[View], View]:
        """Admit bodies of these media types (415)."""
        return self._marking(allowed_content_types=_filled("content_type_filter", allowed_types))

    def max_request_size(self, size_bytes: int) -> Callable[[View], View]:
        """Admit bodies of at most this number of bytes (413)."""
        return self._marking(max_request_size=size_bytes)

    def time_window(
        self, start_time: str, end_time: str, timezone: str = "UTC"
    ) -> Callable[[View], View]:
        """Admit requests from ``"HH:MM"`` to ``"HH:MM"``, both included (403). An end before the
        start means the next day."""
        return self._marking(time_restrictions=(start_time, end_time, timezone))

    def custom_validation(self, validator: Validator) -> Callable[[View], View]:
        """Ask ``validator(request)``: ``None`` lets the request pass, a response refuses it."""
        return self._marking(custom_validators=(validator,))

    def honeypot_detection(self, trap_fields: list[str]) -> Callable[[View], View]:
        """Refuse clients that fill in form fields that people can't see (403)."""
        return self._marking(honeypot_fields=_filled("honeypot_detection", trap_fields))

    # How much

    def rate_limit(
        self,
        requests: int,
        window: int = 60,
        *,
        cost: int = 1,
        key: LimitKey | None = None,
        exempt_when: LimitExemption | None = None,
    ) -> Callable[[View], View]:
        """Limit each client to a number of requests to this route in ``window`` seconds (429).

        :param cost: how much one request counts.
        :param key: ``(request)`` to the key of the counter, instead of the client's address.
        :param exempt_when: ``(request)`` to ``True`` if it is not counted.
        """
        return self._marking(
            rate_limit=requests,
            rate_limit_window=window,
            rate_limit_cost=cost,
            rate_limit_key=key,
            rate_limit_exempt_when=exempt_when,
        )

    def geo_rate_limit(self, limits: dict[str, tuple[int, int]]) -> Callable[[View], View]:
        """Limit by country (429): a code, or ``"*"`` for all others, to ``(requests, seconds)``."""
        return self._marking(geo_rate_limits=_filled("geo_rate_limit", limits))

    # Behaviour

    def usage_monitor(
        self, max_calls: int, window: int = 3600, action: str = "ban"
    ) -> Callable[[View], View]:
        """Ban clients with more than ``max_calls`` calls of this route in ``window`` seconds.

        :param action: what happens instead: ``ban``, ``log``, ``throttle`` or ``alert``."""
        return self._watching(rule_type="usage", threshold=max_calls, window=window, action=action)

    def return_monitor(
        self, pattern: str, max_occurrences: int, window: int = 86_400, action: str = "ban"
    ) -> Callable[[View], View]:
        """Ban clients that got more than ``max_occurrences`` answers like ``pattern`` in ``window``
        seconds: ``status:404``, ``json:path==value``, ``regex:...`` or a text."""
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
        """Ban clients with more than ``max_frequency`` calls a second, over ``window`` seconds."""
        calls = _read("max_frequency", number(0, above=True), max_frequency)
        seconds = _read("window", whole_number(1), window)
        threshold = max(1, int(calls * seconds))
        return self._watching(
            rule_type="frequency", threshold=threshold, window=window, action=action
        )

    def behavior_analysis(self, rules: list[BehaviorRule]) -> Callable[[View], View]:
        """Apply behavior rules to this route; each names its action."""
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
        enabled_categories: list[str] | None = None,
    ) -> Callable[[View], View]:
        """Exclude values from detection on this route, by their names.

        :param enabled_categories: the only categories that stay on.
        :param categories: the same, under the name that flaskapi-guard gives it. It warns, because
            in the option ``detection_exclusions``, ``categories`` are those that are off.
        :param semantic_headers: the same as ``headers``, as there is one stage of detection.
        """
        if semantic_headers is not None:
            headers = [*(headers or ()), *semantic_headers]
        if categories is not None:
            enabled_categories = only_enabled(categories, enabled_categories)
        return self._marking(
            excluded_detection_headers=headers,
            excluded_detection_params=params,
            excluded_detection_body_fields=body_fields,
            enabled_detection_categories=enabled_categories,
            detection_scan_body=scan_body,
        )

    def upload_inspection(self, mode: str = "strict") -> Callable[[View], View]:
        """Inspect the names of uploaded files (``"names"``), or their contents too
        (``"strict"``)."""
        return self._marking(upload_inspection=mode)

    # Answers

    def security_headers(self, **headers: Any) -> Callable[[View], View]:
        """Change security headers of the route's answers, with the keys of that option. ``None``
        removes a header (``frame_options=None``: any site may frame the page), a text sets it
        (``cross_origin_resource_policy="cross-origin"``: any site may embed the file)."""
        return self._marking(security_headers=headers)

    # Reading marks

    def get_route_config(self, route_id: str) -> RouteConfig | None:
        """Return the rules of the view with this id (``module.qualname``)."""
        view = self._views.get(route_id)
        return getattr(view, ROUTE_ATTRIBUTE, None)

    @property
    def route_config_revision(self) -> int:
        """Return a number that grows with each rule on a view."""
        return self._revision

    # Marking

    def _watching(self, **rule: Any) -> Callable[[View], View]:
        return self._marking(behavior_rules=(rule,))

    def _marking(self, **options: Any) -> Callable[[View], View]:
        """Make a decorator that lays ``options`` over the rules of the view."""
        given = {name: value for name, value in options.items() if value is not None}
        try:
            overlay = RouteConfig(**given)
        except ConfigError as error:
            raise ConfigError(in_arguments(error.faults, given)) from None
        self._check_globals(overlay)

        def mark(view: View) -> View:
            own = vars(view).get(ROUTE_ATTRIBUTE) if hasattr(view, "__dict__") else None
            lost = overlay.overrides(own)
            if lost:
                name = getattr(view, "__qualname__", type(view).__qualname__)
                warnings.warn(
                    f"{name} has two decorators that set {' and '.join(lost)}: only the outer one"
                    " applies",
                    DoubtfulOption,
                    stacklevel=2,
                )
            checked: View = ruled(view)
            self._mark(checked, overlay)
            return checked

        return mark

    def _mark(self, view: Any, overlay: RouteConfig) -> None:
        target = getattr(view, "__func__", view)  # the function of a bound, static or class method
        if not callable(target):
            raise TypeError(f"a view is a function or a class, not {type(view).__name__}")
        merged = overlay.merged_over(getattr(target, ROUTE_ATTRIBUTE, None))
        if merged.authorization_header_required and (
            merged.auth_required or merged.api_key_required
        ):
            raise ConfigError(
                [
                    "@require_authorization_header only checks that the header is there;"
                    " @require_auth or @api_key_auth also checks the credentials: keep one of them"
                ]
            )
        inner = inner_function(target)
        merged = merged.of_one_view(self._count_name(target))
        setattr(target, ROUTE_ATTRIBUTE, merged)
        if inner is not None:
            setattr(inner, ROUTE_ATTRIBUTE, merged)
        self._revision += 1
        self._register(target if inner is None else inner)

    @staticmethod
    def _count_name(view: Any) -> str:
        """Return the name under which a view counts, wherever it is called; ``""`` for a nested
        function, because there may be many of the same name: it counts by its route."""
        name = str(getattr(view, "__qualname__", "<locals>"))
        return "" if "<locals>" in name else f"{getattr(view, '__module__', '')}.{name}"

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
        decorated_by(self.config).add(view)

    def _need_verifier(self, name: str, verifier: Verifier | None) -> None:
        if verifier is None and self.config.auth_verifier is None:
            raise ConfigError(
                [f"@{name} needs a verifier: pass one, or set auth_verifier in the configuration"]
            )

    def _check_globals(self, overlay: RouteConfig) -> None:
        """Check that the global configuration has what a rule needs to take effect."""
        config = self.config
        faults: list[str] = []
        if overlay.uses_countries:
            named = ("blocked_countries", "whitelist_countries", "geo_rate_limits")
            rule = next(ARGUMENTS[name] for name in named if getattr(overlay, name))
            faults.extend(
                countries_fault(
                    rule, config.geo_ip_handler, config.ipinfo_token, config.ipinfo_db_path
                )
            )
        faults.extend(
            body_pattern_faults(
                "@return_monitor", overlay.behavior_rules, config.behavior_scan_response_body
            )
        )
        if faults:
            raise ConfigError(faults)


def _read(argument: str, wanted: Range, given: Any) -> float:
    try:
        return wanted.read(given) or 1
    except ValueError as fault:
        raise ConfigError([f"@suspicious_frequency: {argument} {fault}"]) from None


def _filled(decorator: str, given: Any) -> Any:
    """Return ``given``; refuse an empty one, with which the decorator would do nothing."""
    if not given:
        raise ConfigError([f"@{decorator} needs at least one entry"])
    return given
