"""Headers that the guard adds to answers: those of browser security, and CORS.

Everything is put together when the configuration is compiled; an answer costs one comparison of
names and one joining of lists. Nothing the app has set is replaced, and both ``add`` methods only
append.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from attrs import field, frozen

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.config.tables import may_be_preloaded
from guard_wsgi.request.response import GuardResponse

Header = tuple[str, str]
Fixed = tuple[frozenset[str], list[Header]]
"""The names in lower case, and the headers."""

# The names are those of the tables of ``security_headers``; "custom" and "hsts" apart.
HEADER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "csp": "Content-Security-Policy",
        "frame_options": "X-Frame-Options",
        "content_type_options": "X-Content-Type-Options",
        "xss_protection": "X-XSS-Protection",
        "referrer_policy": "Referrer-Policy",
        "permissions_policy": "Permissions-Policy",
        "cross_origin_opener_policy": "Cross-Origin-Opener-Policy",
        "cross_origin_resource_policy": "Cross-Origin-Resource-Policy",
        "cross_origin_embedder_policy": "Cross-Origin-Embedder-Policy",
        "permitted_cross_domain_policies": "X-Permitted-Cross-Domain-Policies",
    }
)

HSTS_YEAR: Mapping[str, Any] = MappingProxyType(
    {"max_age": 31_536_000, "include_subdomains": True, "preload": False}
)
"""OWASP Secure Headers Project: a year, with subdomains. Preloading can't be undone quickly, so
it is never a default."""

# OWASP Secure Headers Project, "Proactive controls", but for three values:
# - no Content-Security-Policy, for only the app knows its sources;
# - SAMEORIGIN and strict-origin-when-cross-origin (the browsers' own default, MDN), because a
#   site may frame itself and look at its own referrers;
# - no Cross-Origin-Embedder-Policy: "require-corp" breaks every image and script from elsewhere.
# X-XSS-Protection is "0" since the filter it switches off opened holes of its own (MDN).
HTML_PRESET: Mapping[str, Any] = MappingProxyType(
    {
        "hsts": HSTS_YEAR,
        "content_type_options": "nosniff",
        "frame_options": "SAMEORIGIN",
        "xss_protection": "0",
        "referrer_policy": "strict-origin-when-cross-origin",
        "permissions_policy": "geolocation=(), microphone=(), camera=()",
        "cross_origin_opener_policy": "same-origin",
        "cross_origin_resource_policy": "same-origin",
        "permitted_cross_domain_policies": "none",
    }
)

# OWASP REST Security Cheat Sheet, "Security Headers": an answer of data is no page, so it loads,
# frames and stores nothing. What may be cached says so itself: no-store is set only if absent.
API_PRESET: Mapping[str, Any] = MappingProxyType(
    {
        "hsts": HSTS_YEAR,
        "csp": "default-src 'none'; frame-ancestors 'none'",
        "content_type_options": "nosniff",
        "frame_options": "DENY",
        "xss_protection": "0",
        "referrer_policy": "no-referrer",
        "cross_origin_resource_policy": "same-origin",
        "permitted_cross_domain_policies": "none",
        "custom": MappingProxyType({"Cache-Control": "no-store"}),
    }
)

_LABELS = re.compile(r"[0-9a-z_-]+(?:\.[0-9a-z_-]+)*")
"""Of a host name."""

_PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"html": HTML_PRESET, "api": API_PRESET, "off": MappingProxyType({})}
)

QUOTA_HEADERS = frozenset(
    {"ratelimit", "ratelimit-policy", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"}
    | {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
)
"""The headers in which apps report limits, by all drafts."""

SAFELISTED_HEADERS = frozenset({"accept", "accept-language", "content-language", "content-type"})
"""What a page may send anywhere without asking (Fetch, "CORS-safelisted request-header")."""


# What apps send with most answers, as frameworks spell it: looked up faster than lowered.
_COMMON = (
    *("Content-Type", "Content-Length", "Location", "Set-Cookie", "Vary", "Cache-Control"),
    *("Date", "ETag", "Last-Modified", "Expires", "Content-Encoding", "Content-Disposition"),
    *("Content-Language", "Allow", "Link", "Accept-Ranges", "Server"),
)


_CSP, _FRAMES = "content-security-policy", "x-frame-options"
"""Who may frame an answer: ``frame-ancestors`` of the first stands in place of the second (CSP 3,
6.4.2), which has no word for "everybody"."""

_READERS, _EMBEDDERS = "access-control-allow-origin", "cross-origin-resource-policy"
"""Who may read an answer, and who may embed it: what all may read, all may embed."""


class SecurityHeaders:
    """A fixed set of headers, added where the app has not set them.

    :ivar plain: those of answers over HTTP.
    :ivar https: those over HTTPS.
    :ivar others: names as most answers have them that are none of ours.
    """

    __slots__ = ("https", "others", "plain")

    def __init__(self, plain: Iterable[Header], https_only: Iterable[Header] = ()) -> None:
        """
        :param plain: for every answer.
        :param https_only: besides, for answers over HTTPS.
        """
        plain = tuple(plain)
        self.plain = _with_names(plain)
        self.https = _with_names((*https_only, *plain))
        ours = self.https[0]
        self.others = frozenset(name for name in _COMMON if name.lower() not in ours)

    @classmethod
    def from_config(
        cls,
        config: SecurityConfig,
        *,
        route: Mapping[str, Any] | None = None,
        left_to_app: Iterable[str] = (),
    ) -> SecurityHeaders | None:
        """What ``config.security_headers`` says; ``None`` when it says nothing is to be added.

        :param route: what a route says in its place, by the same keys.
        :param left_to_app: keys of headers that the app's framework sets by itself, so that an
            answer without one means to have none. What configuration or route name is set.
        """
        setting = config.security_headers
        if isinstance(setting, str):
            setting = {"preset": setting}
        if route:
            setting = {**setting, **route}
        return cls.from_setting(
            {**dict.fromkeys(left_to_app), **setting},
            cross_origin=config.enable_cors,
            open_to_all=config.enable_cors and "*" in config.cors_allow_origins,
        )

    @classmethod
    def from_setting(
        cls,
        setting: str | Mapping[str, Any],
        *,
        cross_origin: bool = False,
        open_to_all: bool = False,
    ) -> SecurityHeaders | None:
        """From a preset's name, or from a table laid over the preset that it names (``html``).

        :param cross_origin: whether other origins may read the answers (CORS), in which case
            those of the ``api`` preset may be embedded by them.
        :param open_to_all: whether any origin may, in which case those of any preset may be.
        """
        if isinstance(setting, str):
            setting = {"preset": setting}
        if setting.get("enabled") is False:
            return None
        preset = setting.get("preset", "html")
        table = {**_PRESETS[preset]}
        is_open = open_to_all or (preset == "api" and cross_origin)
        if is_open and "cross_origin_resource_policy" in table:
            table["cross_origin_resource_policy"] = "cross-origin"
        custom = {**(table.pop("custom", None) or {}), **(setting.get("custom") or {})}
        table.update(
            (key, value)
            for key, value in setting.items()
            if key not in ("enabled", "preset", "custom")
        )
        plain = {
            HEADER_NAMES[key]: _text(value)
            for key, value in table.items()
            if key != "hsts" and value is not None
        }
        own = {name.lower() for name in custom}
        pairs = [(name, value) for name, value in plain.items() if name.lower() not in own]
        pairs.extend(custom.items())
        hsts = table.get("hsts")
        https_only = [] if hsts is None else [("Strict-Transport-Security", _hsts(hsts))]
        return cls(pairs, https_only) if pairs or https_only else None

    def of(self, is_https: bool) -> Fixed:
        """Those of an answer."""
        return self.https if is_https else self.plain

    def add(self, headers: list[Header], is_https: bool) -> list[Header]:
        """A new list: ``headers``, then those of ours that it lacks."""
        return add_missing(list(headers), self.of(is_https))


def add_missing(headers: list[Header], fixed: Fixed) -> list[Header]:
    """A new list: ``headers``, then those of the fixed ones that it lacks."""
    present = {name.lower() for name, _ in headers}
    for name, value in headers:
        lower = name.lower()
        if lower == _CSP and "frame-ancestors" in value.lower():
            present.add(_FRAMES)
        elif lower == _READERS and value.strip() == "*":
            present.add(_EMBEDDERS)
    return headers + [pair for pair in fixed[1] if pair[0].lower() not in present]


def has_quota(headers: Iterable[Header]) -> bool:
    """Whether the app reports its own limits, which ours would contradict."""
    return any(name.lower() in QUOTA_HEADERS for name, _ in headers)


def _with_names(pairs: tuple[Header, ...]) -> Fixed:
    # Where the app reports a limit of its own, ours is left out.
    names = {name.lower() for name, _ in pairs} | QUOTA_HEADERS
    # By these, too, an answer says what two of ours are about.
    if _FRAMES in names:
        names.add(_CSP)
    if _EMBEDDERS in names:
        names.add(_READERS)
    return frozenset(names), list(pairs)


def _text(value: str | Mapping[str, tuple[str, ...]]) -> str:
    """A header's value; of a Content-Security-Policy, its directives joined."""
    if isinstance(value, str):
        return value
    return "; ".join(" ".join((directive, *sources)) for directive, sources in value.items())


def _hsts(setting: Mapping[str, Any]) -> str:
    """RFC 6797, 6.1; ``preload`` is that of hstspreload.org, where it would be of use."""
    parts = [f"max-age={setting['max_age']}"]
    if setting["include_subdomains"]:
        parts.append("includeSubDomains")
    if setting["preload"] and may_be_preloaded(setting):
        parts.append("preload")
    return "; ".join(parts)


@frozen(slots=True, kw_only=True)
class Cors:
    """Says which other origins may read answers (the Fetch standard's CORS protocol).

    The one place for it: preflight answers, the app's answers and the guard's own refusals.

    :ivar origins: lower-cased, ``https://*.example.com`` for all below; ``None`` for all.
    :ivar request_headers: as configured; ``None`` for all.
    """

    origins: frozenset[str] | None
    methods: tuple[str, ...]
    request_headers: tuple[str, ...] | None
    credentials: bool = False
    exposed_headers: tuple[str, ...] = ()
    max_age_seconds: int = 600
    _allowed_headers: frozenset[str] = field(init=False)
    _static: tuple[Header, ...] = field(init=False)
    _below: tuple[tuple[str, str], ...] = field(init=False)

    @_below.default
    def _wildcards(self) -> tuple[tuple[str, str], ...]:
        parted = (origin.partition("*") for origin in self.origins or ())
        return tuple((scheme, host) for scheme, star, host in parted if star)

    @_allowed_headers.default
    def _lower_names(self) -> frozenset[str]:
        return SAFELISTED_HEADERS.union(name.lower() for name in self.request_headers or ())

    @_static.default
    def _besides_origin(self) -> tuple[Header, ...]:
        pairs: list[Header] = []
        if self.credentials:
            pairs.append(("Access-Control-Allow-Credentials", "true"))
        if self.exposed_headers:
            pairs.append(("Access-Control-Expose-Headers", ", ".join(self.exposed_headers)))
        return tuple(pairs)

    @classmethod
    def from_config(cls, config: SecurityConfig) -> Cors | None:
        """``None`` when ``enable_cors`` is off."""
        if not config.enable_cors:
            return None
        origins = frozenset(config.cors_allow_origins)
        headers = config.cors_allow_headers
        return cls(
            origins=None if "*" in origins else origins,
            methods=config.cors_allow_methods,
            request_headers=None if "*" in headers else headers,
            credentials=config.cors_allow_credentials,
            exposed_headers=config.cors_expose_headers,
            max_age_seconds=config.cors_max_age,
        )

    def allows(self, origin: str) -> bool:
        if self.origins is None:
            return True
        origin = origin.lower()
        if origin in self.origins:
            return "*" not in origin
        return any(
            origin.startswith(scheme)
            and origin.endswith(host)
            and _LABELS.fullmatch(origin, len(scheme), len(origin) - len(host)) is not None
            for scheme, host in self._below
        )

    def preflight(self, environ: Mapping[str, Any]) -> GuardResponse:
        """The answer to a preflight: 200, or 400 that names what is not allowed."""
        method = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD", "")
        asked = _header_list(environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", ""))
        refused = []
        if not self.allows(environ.get("HTTP_ORIGIN", "")):
            refused.append("origin")
        if "*" not in self.methods and method not in self.methods:
            refused.append("method")
        if self.request_headers is not None and not self._allowed_headers.issuperset(
            name.lower() for name in asked
        ):
            refused.append("headers")
        if refused:
            response = GuardResponse(f"Disallowed CORS: {', '.join(refused)}", 400)
        else:
            response = GuardResponse("OK", 200)
        if "origin" in refused:
            return response
        methods = (method,) if "*" in self.methods and _is_token(method) else self.methods
        response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
        # "*" would not cover Authorization, and with credentials nothing (Fetch, 3.3.5).
        headers = asked if self.request_headers is None else self.request_headers
        if headers:
            response.headers["Access-Control-Allow-Headers"] = ", ".join(headers)
        if self.request_headers is None:
            response.headers.add("Vary", "Access-Control-Request-Headers")
        if not refused:
            response.headers["Access-Control-Max-Age"] = str(self.max_age_seconds)
        return response

    def add(self, headers: list[Header], environ: Mapping[str, Any]) -> list[Header]:
        """A new list: ``headers``, then what lets an allowed origin read the answer.

        An app that answers CORS itself is left alone. Where the answer depends on the origin,
        ``Vary`` says so even to those who sent none or a foreign one, or a cache would hand one
        origin's answer to another.
        """
        varies = self.origins is not None
        for name, value in headers:
            lower = name.lower()
            if lower == "access-control-allow-origin":
                return headers
            if lower == "vary" and varies:
                listed = [item.strip().lower() for item in value.split(",")]
                varies = "origin" not in listed and "*" not in listed
        added: list[Header] = [("Vary", "Origin")] if varies else []
        if self.origins is None:
            added.append(("Access-Control-Allow-Origin", "*"))
            added.extend(self._static)
        else:
            origin = environ.get("HTTP_ORIGIN")
            if origin is not None and self.allows(origin):
                added.append(("Access-Control-Allow-Origin", origin))
                added.extend(self._static)
        return headers + added


def _header_list(value: str) -> tuple[str, ...]:
    """The names in a list of headers; what could not be one is kept out of our answer."""
    names = (name.strip() for name in value.split(","))
    return tuple(name for name in names if _is_token(name))


def _is_token(text: str) -> bool:
    """Whether it can be the name of a method or header; the rarer signs of RFC 9110 can't."""
    return text.isascii() and text.replace("-", "").replace("_", "").isalnum()
