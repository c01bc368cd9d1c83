"""Faults of several options together: contradictions and missing packages.

Each rule names the options it reads. If one of them is already at fault, the rule does not run: it
would only repeat the fault in other words.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from guard_wsgi.behavior.rule import BehaviorRule
from guard_wsgi.errors import MissingExtra
from guard_wsgi.options.quoting import nearest
from guard_wsgi.state.schemes import SCHEMES, is_installed, location_fault

Options = Mapping[str, Any]
Rule = Callable[[Options], Iterator[str]]


def contradictions(options: Options, broken: Collection[str]) -> list[str]:
    """Return every fault of several options together."""
    return [
        fault
        for names, rule in _RULES
        if not any(name in broken for name in names)
        for fault in rule(options)
    ]


def store_fault(option: str, url: str) -> str:
    """Say why ``url`` can't be opened; empty if it can. Never quotes the URL: it may contain a
    password."""
    scheme, separator, _ = url.partition("://")
    if not separator:
        return f"{option} must be a URL such as 'memory://' or 'redis://localhost:6379'"
    known = SCHEMES.get(scheme)
    if known is None:
        return f"unsupported {option} scheme {scheme[:20]!r}{nearest(scheme, SCHEMES)}"
    if not known.is_installed:
        return str(MissingExtra(f"{option}={scheme}://", known.extra))
    if known.outdated:
        return f"{option}={scheme}:// {known.outdated}"
    fault = location_fault(url)
    return f"{option} {fault}" if fault else ""


def _store(options: Options) -> Iterator[str]:
    if options["enable_redis"]:
        if options["redis_url"] is None:
            yield "enable_redis needs redis_url"
            return
        if options["store_url"] not in ("memory://", options["redis_url"]):
            yield "enable_redis (with redis_url) and store_url name two stores: set only one"
        if not options["redis_url"].startswith(("redis", "valkey")):
            yield "redis_url must start with redis://, rediss:// or a variant of them"
            return
        fault = store_fault("redis_url", options["redis_url"])
    else:
        fault = store_fault("store_url", options["store_url"])
    if fault:
        yield fault


def _strategy(options: Options) -> Iterator[str]:
    scheme = "" if options["enable_redis"] else options["store_url"].partition("://")[0]
    if scheme == "memcached" and options["rate_limit_strategy"] == "moving-window":
        yield (
            "memcached does not support rate_limit_strategy moving-window: choose another strategy"
        )


def _failure_policy(options: Options) -> Iterator[str]:
    denied = [name for name, kind in options["store_failure_policy"].items() if kind == "deny"]
    if options["redis_fail_open"] and denied:
        yield (
            f"redis_fail_open contradicts store_failure_policy, which denies for"
            f" {', '.join(sorted(denied))}"
        )


def countries_fault(
    option: str, handler: object, token: str | None, database: Path | None
) -> Iterator[str]:
    """Say why the guard can't find the country of a client, although ``option`` needs it."""
    if handler is not None:
        return
    if token is None and not (database is not None and database.exists()):
        yield (
            f"{option} needs a source of countries: geo_ip_handler, ipinfo_token, or an"
            " existing file at ipinfo_db_path"
        )
    if not is_installed("maxminddb"):
        yield str(MissingExtra(option, "geo"))


def _countries(options: Options) -> Iterator[str]:
    for name in ("whitelist_countries", "blocked_countries"):
        if options[name]:
            yield from countries_fault(
                name, options["geo_ip_handler"], options["ipinfo_token"], options["ipinfo_db_path"]
            )


def _cors(options: Options) -> Iterator[str]:
    if options["cors_allow_credentials"] and "*" in options["cors_allow_origins"]:
        yield (
            "cors_allow_credentials needs named origins in cors_allow_origins: with '*' every"
            " site could act as the signed-in user"
        )
    if "*" in options["cors_allow_origins"] and len(options["cors_allow_origins"]) > 1:
        yield "cors_allow_origins contains '*' and named origins: keep one or the other"


def _agent(options: Options) -> Iterator[str]:
    if options["enable_agent"] and options["agent_api_key"] is None:
        yield "enable_agent needs agent_api_key"
    if options["agent_project_encryption_key"] is not None and not is_installed("cryptography"):
        yield str(MissingExtra("agent_project_encryption_key", "crypto"))


def _agent_dependents(options: Options) -> Iterator[str]:
    for name in ("enable_dynamic_rules", "enable_enrichment"):
        if options[name] and not options["enable_agent"]:
            yield f"{name} needs enable_agent"


def body_pattern_faults(
    option: str, rules: Iterable[BehaviorRule], scans_bodies: bool
) -> Iterator[str]:
    """Find rules on response bodies while ``behavior_scan_response_body`` is off."""
    for rule in rules:
        if rule.needs_body and not scans_bodies:
            yield (
                f"{option} looks for {rule.pattern!r} in response bodies, which needs"
                " behavior_scan_response_body"
            )


def _behavior(options: Options) -> Iterator[str]:
    yield from body_pattern_faults(
        "global_behavior_rules",
        options["global_behavior_rules"],
        options["behavior_scan_response_body"],
    )


_RULES: tuple[tuple[tuple[str, ...], Rule], ...] = (
    (("enable_redis", "redis_url", "store_url"), _store),
    (("enable_redis", "store_url", "rate_limit_strategy"), _strategy),
    (("redis_fail_open", "store_failure_policy"), _failure_policy),
    (
        (
            "whitelist_countries",
            "blocked_countries",
            "geo_ip_handler",
            "ipinfo_token",
            "ipinfo_db_path",
        ),
        _countries,
    ),
    (("cors_allow_origins", "cors_allow_credentials"), _cors),
    (("enable_agent", "agent_api_key", "agent_project_encryption_key"), _agent),
    (("enable_agent", "enable_dynamic_rules", "enable_enrichment"), _agent_dependents),
    (("global_behavior_rules", "behavior_scan_response_body"), _behavior),
)
