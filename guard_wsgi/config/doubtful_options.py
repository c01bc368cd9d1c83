"""Options that are valid but probably wrong: a warning for the developer, advice from the
doctor."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from guard_wsgi.agent.config import MIN_API_KEY_CHARS
from guard_wsgi.config.advice import Advice
from guard_wsgi.config.csp import doubtful_csp
from guard_wsgi.config.tables import HSTS_PRELOAD_MIN_SECONDS, may_be_preloaded

Options = Mapping[str, Any]
Rule = Callable[[Options], Iterator[Advice]]


def doubts(options: Options, given: Collection[str] | None = None) -> list[Advice]:
    """List doubtful options.

    :param given: report only what concerns one of these options; everything by default.
    """
    return [
        doubt
        for names, rule in _DOUBTS
        if given is None or any(name in given for name in names)
        for doubt in rule(options)
    ]


def _two_country_lists(options: Options) -> Iterator[Advice]:
    if options["whitelist_countries"] and options["blocked_countries"]:
        yield Advice(
            "warning",
            "two-country-lists",
            "blocked_countries is ignored, because whitelist_countries is set",
            "set only one of the two",
        )


_EVERYBODY: Mapping[str, tuple[str, str, str]] = {
    "trusted_proxies": (
        "everybody-trusted",
        "anybody can claim any address in X-Forwarded-For, pass allow lists and evade limits and"
        " bans",
        "name the proxies' own addresses, or the small network that only they are in",
    ),
    "whitelist": (
        "everybody-listed",
        "everybody passes without limits and detection",
        "name the networks that whitelist is meant for",
    ),
    "exempt_ips": (
        "everybody-listed",
        "nobody is limited",
        "name the networks that exempt_ips is meant for",
    ),
    "emergency_whitelist": (
        "everybody-listed",
        "an emergency keeps nobody out",
        "name the networks that emergency_whitelist is meant for",
    ),
}
"""Maps a list of addresses to the advice for a list that contains every address."""


def _everybody(options: Options) -> Iterator[Advice]:
    for name, (code, consequence, remedy) in _EVERYBODY.items():
        for network in options[name] or ():
            if network.endswith("/0"):
                yield Advice("error", code, f"{name} contains {network}: {consequence}", remedy)


def _everything_excluded(options: Options) -> Iterator[Advice]:
    if "/" in options["exclude_paths"]:
        yield Advice(
            "error",
            "everything-excluded",
            "exclude_paths contains '/': every path is checked for bans and limits only",
            "exclude the paths that need it",
        )


def _detection_of_nothing(options: Options) -> Iterator[Advice]:
    if options["enable_penetration_detection"] and not options["enabled_detection_categories"]:
        yield Advice(
            "warning",
            "detection-of-nothing",
            "enabled_detection_categories is empty: detection finds nothing",
            "name categories, or set enable_penetration_detection=False",
        )


def _proto_without_proxies(options: Options) -> Iterator[Advice]:
    if options["trust_x_forwarded_proto"] and not options["trusted_proxies"]:
        yield Advice(
            "warning",
            "proto-of-nobody",
            "trust_x_forwarded_proto has no effect while trusted_proxies is empty",
            "set trusted_proxies to the addresses that the proxy connects from",
        )


def _preload_that_is_none(options: Options) -> Iterator[Advice]:
    table = options["security_headers"]
    hsts = table.get("hsts") if isinstance(table, Mapping) else None
    if hsts and hsts["preload"] and not may_be_preloaded(hsts):
        yield Advice(
            "note",
            "no-preload",
            "preload is left out of security_headers: hstspreload.org accepts no site with a"
            f" max_age under {HSTS_PRELOAD_MIN_SECONDS} or without include_subdomains",
            "raise max_age and set include_subdomains, or set preload to false",
        )


def _csp(options: Options) -> Iterator[Advice]:
    table = options["security_headers"]
    policy = table.get("csp") if isinstance(table, Mapping) else None
    if isinstance(policy, Mapping):
        yield from doubtful_csp(policy)


def _short_agent_key(options: Options) -> Iterator[Advice]:
    key = options["agent_api_key"]
    if options["enable_agent"] and key and len(key) < MIN_API_KEY_CHARS:
        yield Advice(
            "warning",
            "short-agent-key",
            f"agent_api_key has under {MIN_API_KEY_CHARS} characters: the agent does not start",
            "copy the whole key",
        )


_DOUBTS: tuple[tuple[tuple[str, ...], Rule], ...] = (
    (("whitelist_countries", "blocked_countries"), _two_country_lists),
    (tuple(_EVERYBODY), _everybody),
    (("exclude_paths",), _everything_excluded),
    (("enable_penetration_detection", "enabled_detection_categories"), _detection_of_nothing),
    (("trust_x_forwarded_proto", "trusted_proxies"), _proto_without_proxies),
    (("security_headers",), _preload_that_is_none),
    (("security_headers",), _csp),
    (("enable_agent", "agent_api_key"), _short_agent_key),
)
