"""What can be wrong with a deployment: one look for each kind of trouble.

A look takes the deployment and gives advice; what it has to touch (the store, clocks, servers) it
touches through probes.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from ipaddress import ip_network

from guard_wsgi.config.proxy_fix import proxy_fix_conflict
from guard_wsgi.config.sections.limits import DEFAULT_LIMIT
from guard_wsgi.doctor.advice import Advice, Deployment
from guard_wsgi.doctor.layers import layers, outside_of
from guard_wsgi.doctor.probes import (
    clock_skew_seconds,
    database_age_seconds,
    examine_store,
    installed_version,
    is_importable,
    merges_underscores,
)
from guard_wsgi.network.client import UNIX_PEER
from guard_wsgi.network.cloud import parse_selection
from guard_wsgi.network.feeds import CLOUD_FEEDS
from guard_wsgi.network.provider_ranges import ProviderRanges, ranges_key
from guard_wsgi.network.published import STALE_INTERVALS
from guard_wsgi.state.emergency import KEY as EMERGENCY_KEY
from guard_wsgi.state.emergency import Declaration

# -- the app ---------------------------------------------------------------------------------


def unguarded(app: object) -> Advice:
    return Advice(
        "error",
        "app-not-guarded",
        f"no guard is around {type(app).__name__}: nothing is protected",
        "wrap what the server gets: app = GuardMiddleware(app, config), or FlaskAPIGuard(app)",
    )


def look_at_the_app(deployment: Deployment) -> Iterator[Advice]:
    if deployment.app is None:
        return
    if deployment.guard is None:
        yield unguarded(deployment.app)
        return
    for name in outside_of(deployment.guard, deployment.app):
        yield Advice(
            "warning",
            "outside-the-guard",
            f"{name} stands outside of the guard: what it answers by itself is not guarded",
            "put the guard around it: make the guard last (Flask: FlaskAPIGuard(app) after the"
            " extension that wraps wsgi_app)",
        )
    outside = True
    for layer in layers(deployment.app):
        if layer is deployment.guard:
            outside = False
        elif type(layer).__name__ == "ProxyFix":
            yield from _proxy_fix(layer, outside, deployment)


def _proxy_fix(fix: object, outside: bool, deployment: Deployment) -> Iterator[Advice]:
    """werkzeug's ProxyFix beside the guard's own trust in proxies."""
    fault = proxy_fix_conflict(fix, deployment.config)
    if fault and outside:
        problem, _, remedy = fault.partition(": ")
        yield Advice("error", "proxy-handled-twice", problem, remedy)
    elif getattr(fix, "x_for", None) and not (outside or deployment.option("trusted_proxies")):
        yield Advice(
            "error",
            "proxy-fix-inside",
            "ProxyFix stands inside of the guard: the app sees the visitor, and the guard the"
            " proxy, for whose address all visitors share one rate limit and one ban",
            "let ProxyFix be the outer one: ProxyFix(GuardMiddleware(app, config))",
        )


def look_at_switches(deployment: Deployment) -> Iterator[Advice]:
    if deployment.option("enabled", True) is False:
        yield Advice(
            "error", "guard-disabled", "enabled=False: every request passes", "set enabled=True"
        )
    if deployment.option("passive_mode"):
        yield Advice(
            "note",
            "passive-mode",
            "passive_mode=True: the guard reports and denies nobody",
            "set passive_mode=False once the report shows no visitor of yours",
        )
    if deployment.option("emergency_mode"):
        yield Advice(
            "warning",
            "emergency-mode",
            "emergency_mode=True: everybody outside emergency_whitelist gets 503",
            "set emergency_mode=False when it is over; declare the next one at runtime instead",
        )
    if not deployment.option("fail_secure", True):
        yield Advice(
            "note",
            "fails-open",
            "fail_secure=False: a client without address, or an access rule that fails, passes",
            "set fail_secure=True unless availability matters more",
        )
    if not deployment.option("enable_penetration_detection", True):
        yield Advice(
            "warning",
            "detection-off",
            "enable_penetration_detection=False: attacks are not looked for",
            "set it to True; to try it out first, with passive_mode=True",
        )


# -- who the clients are ---------------------------------------------------------------------

_PLATFORMS = {
    "KUBERNETES_SERVICE_HOST": "Kubernetes",
    "DYNO": "Heroku",
    "K_SERVICE": "Cloud Run",
    "GAE_SERVICE": "App Engine",
    "FLY_APP_NAME": "Fly.io",
    "RENDER": "Render",
    "RAILWAY_ENVIRONMENT_NAME": "Railway",
    "WEBSITE_INSTANCE_ID": "Azure App Service",
    "VERCEL": "Vercel",
}
"""Variables that a platform sets, all of which put a proxy before the app."""

_WIDE_BITS = {4: 16, 6: 32}
"""A public network wider than this has thousands of owners, any of whom could be an attacker."""


def look_at_proxies(deployment: Deployment) -> Iterator[Advice]:
    proxies: Sequence[str] = deployment.option("trusted_proxies", ())
    platform = next((_PLATFORMS[name] for name in _PLATFORMS if name in deployment.variables), "")
    fixed = any(type(layer).__name__ == "ProxyFix" for layer in layers(deployment.app))
    if not proxies and platform and not fixed:
        yield Advice(
            "error",
            "proxies-not-trusted",
            f"this is {platform}, which has a proxy before the app, and trusted_proxies is empty:"
            " all visitors have the proxy's address, share one rate limit and one ban",
            "set trusted_proxies to the addresses that the proxy connects from",
        )
    peers = getattr(getattr(deployment.guard, "parts", None), "peers", None)
    if peers is not None and peers.advice:
        yield Advice("error", "clients-share-a-peer", *_split(peers.advice))
    for text in proxies:
        if text != UNIX_PEER:
            yield from _width_of_trust(text)


def _split(advice: str) -> tuple[str, str]:
    problem, _, remedy = advice.partition(" Set ")
    return problem, f"set {remedy}"


def _width_of_trust(text: str) -> Iterator[Advice]:
    network = ip_network(text, strict=False)
    remedy = "name the proxies' own addresses, or the small network that only they are in"
    if network.prefixlen == 0:
        yield Advice(
            "error",
            "everybody-trusted",
            f"trusted_proxies holds {text}: anybody may claim any address in X-Forwarded-For, and"
            " so be on an allow list, or never twice the same client",
            remedy,
        )
    elif not network.is_private and network.prefixlen < _WIDE_BITS[network.version]:
        yield Advice(
            "error",
            "wide-public-trust",
            f"trusted_proxies holds {text}, a public network of many owners: each host in it may"
            " claim any address",
            remedy,
        )
    elif network.is_private and network.version == 4 and network.prefixlen < 12:
        yield Advice(
            "note",
            "wide-private-trust",
            f"trusted_proxies holds {text}: each host of your network may claim any address",
            remedy,
        )


def look_at_https(deployment: Deployment) -> Iterator[Advice]:
    if not deployment.option("enforce_https"):
        return
    if deployment.option("trusted_proxies") and not deployment.option("trust_x_forwarded_proto"):
        yield Advice(
            "error",
            "https-loop",
            "enforce_https=True behind a proxy whose X-Forwarded-Proto is not believed: if the"
            " proxy ends TLS, every request is redirected for ever",
            "set trust_x_forwarded_proto=True",
        )
    if not deployment.option("allowed_hosts"):
        yield Advice(
            "warning",
            "redirect-to-any-host",
            "enforce_https=True without allowed_hosts: the redirect goes to whatever host the"
            " client named",
            "set allowed_hosts to the site's names",
        )


def look_at_probes(deployment: Deployment) -> Iterator[Advice]:
    if "KUBERNETES_SERVICE_HOST" not in deployment.variables:
        return
    if not (deployment.option("allowed_hosts") or deployment.option("enforce_https")):
        return
    paths = ", ".join(deployment.option("health_paths", ())) or "no path"
    yield Advice(
        "note",
        "probes",
        "Kubernetes asks a pod by its address, over HTTP; allowed_hosts and enforce_https let that"
        f" pass for {paths} only, and a probe that is refused takes the pod away",
        "ask for one of these in livenessProbe and readinessProbe, or set health_paths",
    )


_OLD_GUNICORN = (22,)
"""gunicorn 22 drops header names with underscores by default (header_map)."""


def look_at_header_names(deployment: Deployment) -> Iterator[Advice]:
    """``X_Forwarded_For`` must not become the environ's HTTP_X_FORWARDED_FOR."""
    if not deployment.option("trusted_proxies"):
        return  # no header is believed, whatever its name
    remedy = "upgrade the server, or drop such headers at the proxy (nginx does by default)"
    gunicorn = installed_version("gunicorn")
    options = deployment.variables.get("GUNICORN_CMD_ARGS", "")
    if gunicorn is not None and (gunicorn < _OLD_GUNICORN or "dangerous" in options):
        yield Advice(
            "error",
            "underscores-in-headers",
            "gunicorn takes a client's X_Forwarded_For for the proxy's X-Forwarded-For",
            "upgrade to gunicorn 22 or later and leave header_map at 'drop'",
        )
    for server in ("werkzeug", "waitress"):
        if merges_underscores(server):
            yield Advice(
                "error",
                "underscores-in-headers",
                f"{server} takes a client's X_Forwarded_For for the proxy's X-Forwarded-For",
                remedy,
            )
    if installed_version("waitress") is not None and gunicorn is None:
        yield Advice(
            "note",
            "waitress-drops-forwarding",
            "waitress deletes X-Forwarded-For before the app sees it, unless told otherwise",
            "serve with trusted_proxy='<the proxy>' and trusted_proxy_headers='x-forwarded-for',"
            " or clear_untrusted_proxy_headers=False, when waitress is your server",
        )


def look_at_the_limit(deployment: Deployment) -> Iterator[Advice]:
    if not deployment.option("enable_rate_limiting", True):
        return
    limit = deployment.option("rate_limit"), deployment.option("rate_limit_window")
    if limit != DEFAULT_LIMIT or deployment.option("rate_limit_exempt_when") is not None:
        return
    yield Advice(
        "note",
        "default-limit",
        f"each client may send {limit[0]} requests in {limit[1]} s: enough for people; a program"
        " that syncs, or imports one record a request (WebDAV, CalDAV, an API), gets 429",
        "where programs call, give their routes a limit of their own: RouteConfig(rate_limit=6000)"
        " or @rate_limit(6000)",
    )


def look_at_lists(deployment: Deployment) -> Iterator[Advice]:
    consequences = {
        "whitelist": "everybody passes without limits and detection",
        "exempt_ips": "nobody is limited",
        "emergency_whitelist": "an emergency keeps nobody out",
    }
    for name, consequence in consequences.items():
        for text in deployment.option(name) or ():
            if text.endswith("/0"):
                yield Advice(
                    "error",
                    "everybody-listed",
                    f"{name} holds {text}: {consequence}",
                    f"name the networks that {name} is meant for",
                )
    if "/" in deployment.option("exclude_paths", ()):
        yield Advice(
            "error",
            "everything-excluded",
            "exclude_paths holds '/': every path is checked for bans and limits only",
            "exclude the paths that need it",
        )


# -- state, extras, data ---------------------------------------------------------------------


def look_at_workers(deployment: Deployment) -> Iterator[Advice]:
    if not store_url(deployment).startswith("memory:"):
        return
    remedy = 'set store_url="lmdb://" (one machine, no server) or "redis://host" (several)'
    workers = deployment.workers
    if workers is not None and workers > 1:
        yield Advice(
            "warning",
            "memory-store-of-many-workers",
            f"store_url is memory:// and {workers} workers serve: limits are {workers} times as"
            " high, and a ban holds in one worker only",
            remedy,
        )
    elif workers is None and installed_version("gunicorn") is not None:
        yield Advice(
            "note",
            "memory-store",
            "store_url is memory://, which counts in each process: right for one worker only",
            remedy,
        )


def store_url(deployment: Deployment) -> str:
    url: str = deployment.option("effective_store_url", "memory://")
    return url


_STORE_EXTRAS = {
    "redis": ("redis", "redis"),
    "rediss": ("redis", "redis"),
    "redis+sentinel": ("redis", "redis"),
    "redis+cluster": ("redis", "redis"),
    "lmdb": ("lmdb", "lmdb"),
}


def look_at_extras(deployment: Deployment) -> Iterator[Advice]:
    wanted: list[tuple[str, str, str]] = []
    scheme = store_url(deployment).partition(":")[0]
    if scheme in _STORE_EXTRAS:
        wanted.append((f"store_url={scheme}://", *_STORE_EXTRAS[scheme]))
    if deployment.option("ipinfo_token"):
        wanted.append(("ipinfo_token", "maxminddb", "geo"))
    if deployment.option("agent_project_encryption_key"):
        wanted.append(("agent_project_encryption_key", "cryptography", "crypto"))
    if deployment.option("enable_otel"):
        wanted.append(("enable_otel", "opentelemetry", "otel"))
    for option, module, extra in wanted:
        if not is_importable(module):
            yield Advice(
                "error",
                "extra-missing",
                f"{option} needs the package {module}, which is not installed",
                f"pip install 'guard-wsgi[{extra}]'",
            )
    if not is_importable("hyperscan"):
        yield Advice(
            "warning",
            "no-hyperscan",
            "hyperscan is not installed: detection runs on re, which takes many times as long",
            "pip install hyperscan, where there is a wheel for the platform",
        )


def look_at_the_store(deployment: Deployment) -> Iterator[Advice]:
    url = store_url(deployment)
    scheme = url.partition(":")[0]
    needed = _STORE_EXTRAS.get(scheme)
    if scheme == "memory" or (needed is not None and not is_importable(needed[0])):
        return
    providers = [rule.provider for rule in parse_selection(_cloud_providers(deployment))]
    keys = [EMERGENCY_KEY, *(ranges_key(provider) for provider in providers)]
    examination = examine_store(deployment.config, keys)
    if examination.fault:
        yield Advice(
            "error",
            "store-unreachable",
            f"the store can't be used: {examination.fault}",
            "check store_url (redis_url), the network between, and the rights on the file;"
            " meanwhile store_failure_policy decides",
        )
        return
    yield from _declared_emergency(examination.values.get(EMERGENCY_KEY))
    for provider in providers:
        yield from _shared_ranges(
            provider,
            examination.values.get(ranges_key(provider)),
            deployment.option("cloud_ip_refresh_interval"),
        )


def _cloud_providers(deployment: Deployment) -> frozenset[str]:
    return deployment.option("block_cloud_providers") or frozenset()


def _declared_emergency(value: bytes | None) -> Iterator[Advice]:
    declaration = Declaration.from_bytes(value) if value is not None else None
    if declaration is None:
        return
    until = "it is taken back"
    if declaration.until is not None:
        until = datetime.fromtimestamp(declaration.until, timezone.utc).isoformat(
            timespec="minutes"
        )
    yield Advice(
        "warning",
        "emergency-declared",
        f"an emergency was declared at runtime and holds until {until}: everybody but the allow"
        " list gets 503",
        "guard-wsgi emergency off, when it is over",
    )


def _shared_ranges(provider: str, value: bytes | None, interval_seconds: float) -> Iterator[Advice]:
    ranges = ProviderRanges.from_bytes(provider, value) if value is not None else None
    if ranges is None:
        yield Advice(
            "note",
            "no-ranges-yet",
            f"no worker has read the ranges of {provider} so far",
            f"see that the machine may reach {CLOUD_FEEDS[provider].url}",
        )
        return
    age = time.time() - ranges.checked_at
    if age > interval_seconds * STALE_INTERVALS:
        yield Advice(
            "warning",
            "ranges-stale",
            f"the ranges of {provider} were confirmed {age / 86_400:.1f} days ago: what was new"
            " since then passes",
            f"see that the machine may reach {CLOUD_FEEDS[provider].url}",
        )


LARGEST_SKEW_SECONDS = 2.0
"""Bans and emergencies end at a time of day; authentication and TLS begin to fail at minutes."""


def look_at_the_clock(deployment: Deployment) -> Iterator[Advice]:
    skew = clock_skew_seconds(deployment.config)
    if skew is None or abs(skew) <= LARGEST_SKEW_SECONDS:
        return
    way = "ahead of" if skew > 0 else "behind"
    yield Advice(
        "warning",
        "clock-skew",
        f"this machine's clock is {abs(skew):.0f} s {way} the store's: bans end that much off,"
        " and time windows open wrongly on one of the two",
        "keep all machines on NTP",
    )


DATABASE_STALE_SECONDS = 35 * 86_400
"""As network/geo.py: databases appear monthly, and MaxMind's licence ends at 30 days."""


def look_at_databases(deployment: Deployment) -> Iterator[Advice]:
    if deployment.option("geo_ip_handler") is not None:
        yield from _users_database(deployment.option("geo_ip_handler"))
        return
    path = deployment.option("ipinfo_db_path")
    token = deployment.option("ipinfo_token")
    if path is None or (token is None and not deployment.option("uses_countries")):
        return
    age = database_age_seconds(path)
    if age is None:
        if token is not None:
            yield Advice(
                "note",
                "no-database-yet",
                f"{path} does not exist: clients have no country until the first download",
                "let the app serve once, or put the file there when you deploy",
            )
        return
    limit = DATABASE_STALE_SECONDS
    if token is not None:
        limit = 2 * deployment.option("geo_ip_db_max_age", 86_400)
    if age > limit:
        yield Advice(
            "warning",
            "database-stale",
            f"{path} is {age / 86_400:.0f} days old: addresses move between countries",
            "see why it is not renewed: the token, the way out to ipinfo.io, the folder's rights"
            if token is not None
            else "renew it by geoipupdate or a job of your own",
        )


def _users_database(handler: object) -> Iterator[Advice]:
    status = getattr(handler, "status", None)
    state = status() if callable(status) else None
    if isinstance(state, Mapping) and state.get("state") in ("stale", "missing"):
        yield Advice(
            "warning",
            f"database-{state['state']}",
            f"the country database {state.get('path', '')} is {state['state']}",
            "renew it by geoipupdate or a job of your own",
        )


def look_at_clouds(deployment: Deployment) -> Iterator[Advice]:
    if not _cloud_providers(deployment):
        return
    if deployment.option("cloud_ranges_unavailable", "open") == "open":
        yield Advice(
            "note",
            "clouds-open",
            "cloud_ranges_unavailable='open': until the ranges are read for the first time, clouds"
            " pass",
            "set it to 'closed' if refusing everybody meanwhile is better, or use a shared store,"
            " which keeps the ranges over a restart",
        )


LOOKS: tuple[Callable[[Deployment], Iterator[Advice]], ...] = (
    look_at_the_app,
    look_at_switches,
    look_at_proxies,
    look_at_https,
    look_at_probes,
    look_at_header_names,
    look_at_the_limit,
    look_at_lists,
    look_at_workers,
    look_at_extras,
    look_at_the_store,
    look_at_the_clock,
    look_at_databases,
    look_at_clouds,
)
