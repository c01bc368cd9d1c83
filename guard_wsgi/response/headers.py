"""Headers of browser security that the guard adds to answers.

All headers are prepared when the configuration is compiled; an answer takes one comparison of names
and one joining of lists. Both ``add`` methods only append; they never replace a header of the app.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.config.tables import may_be_preloaded

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
"""OWASP Secure Headers Project: a year, with subdomains. Preloading is not the default, as it can't
be undone quickly."""

# OWASP Secure Headers Project, "Proactive controls", but for three values: - no
# Content-Security-Policy, because only the app knows its sources; - SAMEORIGIN and
# strict-origin-when-cross-origin (the browsers' own default, MDN), because a   site may frame
# itself and look at its own referrers; - no Cross-Origin-Embedder-Policy: "require-corp" breaks
# every image and script from elsewhere. X-XSS-Protection is "0", because the filter that it
# switches off has holes of its own (MDN).
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

_PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"html": HTML_PRESET, "api": API_PRESET, "off": MappingProxyType({})}
)

QUOTA_HEADERS = frozenset(
    {"ratelimit", "ratelimit-policy", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"}
    | {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
)
"""The headers in which apps report limits, in all drafts."""

# Headers of most answers, as frameworks spell them: a lookup is faster than lowering them.
COMMON_NAMES = (
    *("Content-Type", "Content-Length", "Location", "Set-Cookie", "Vary", "Cache-Control"),
    *("Date", "ETag", "Last-Modified", "Expires", "Content-Encoding", "Content-Disposition"),
    *("Content-Language", "Allow", "Link", "Accept-Ranges", "Server"),
)


_CSP, _FRAMES = "content-security-policy", "x-frame-options"
"""Who may frame an answer: ``frame-ancestors`` in the first header replaces the second (CSP 3,
6.4.2), which has no value for "everybody"."""

_READERS, _EMBEDDERS = "access-control-allow-origin", "cross-origin-resource-policy"
"""Who may read an answer, and who may embed it: an answer that all may read, all may embed."""


class SecurityHeaders:
    """A fixed set of headers, added where the app has not set them.

    :ivar plain: the headers of answers over HTTP.
    :ivar https: the headers of answers over HTTPS.
    :ivar others: names, as in most answers, that are not ours.
    """

    __slots__ = ("https", "others", "plain")

    def __init__(self, plain: Iterable[Header], https_only: Iterable[Header] = ()) -> None:
        """
        :param plain: headers for every answer.
        :param https_only: further headers for answers over HTTPS.
        """
        plain = tuple(plain)
        self.plain = _with_names(plain)
        self.https = _with_names((*https_only, *plain))
        ours = self.https[0]
        self.others = frozenset(name for name in COMMON_NAMES if name.lower() not in ours)

    @classmethod
    def from_config(
        cls,
        config: SecurityConfig,
        *,
        route: Mapping[str, Any] | None = None,
        left_to_app: Iterable[str] = (),
    ) -> SecurityHeaders | None:
        """Build the headers of ``config.security_headers``; ``None`` if it adds none.

        :param route: a route's changes, with the same keys.
        :param left_to_app: keys of headers that the app's framework sets itself: an answer without
            one is meant to have none. A header that the configuration or a route names is set all
            the same.
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
        """Build from a preset's name, or from a table over a preset (``html`` by default).

        :param cross_origin: whether other origins may read the answers (CORS). Then they may embed
            answers of the ``api`` preset.
        :param open_to_all: whether any origin may read them. Then they may embed answers of any
            preset.
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
        """Return the headers of an answer."""
        return self.https if is_https else self.plain

    def add(self, headers: list[Header], is_https: bool) -> list[Header]:
        """Return a new list: ``headers``, then those of ours that it lacks."""
        return add_missing(list(headers), self.of(is_https))


def add_missing(headers: list[Header], fixed: Fixed) -> list[Header]:
    """Return a new list: ``headers``, then the fixed ones that it lacks."""
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
    # If the app reports its own limit, ours is left out.
    names = {name.lower() for name, _ in pairs} | QUOTA_HEADERS
    # These headers cover the same subject as two of ours.
    if _FRAMES in names:
        names.add(_CSP)
    if _EMBEDDERS in names:
        names.add(_READERS)
    return frozenset(names), list(pairs)


def _text(value: str | Mapping[str, tuple[str, ...]]) -> str:
    """Return a header's value; a Content-Security-Policy as joined directives."""
    if isinstance(value, str):
        return value
    return "; ".join(" ".join((directive, *sources)) for directive, sources in value.items())


def _hsts(setting: Mapping[str, Any]) -> str:
    """Build the header (RFC 6797, 6.1), with ``preload`` (hstspreload.org) if the site would be
    accepted there."""
    parts = [f"max-age={setting['max_age']}"]
    if setting["include_subdomains"]:
        parts.append("includeSubDomains")
    if setting["preload"] and may_be_preloaded(setting):
        parts.append("preload")
    return "; ".join(parts)
