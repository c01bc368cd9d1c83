"""Whether the guard sees the real clients: proxies, HTTPS, probes, headers, lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network

from attrs import fields

from guard_wsgi.config.doubtful_options import doubts
from guard_wsgi.config.sections.limits import DEFAULT_LIMIT
from guard_wsgi.doctor.advice import Advice, Deployment
from guard_wsgi.doctor.layers import layers
from guard_wsgi.doctor.probes import installed_version, merges_underscores
from guard_wsgi.network.client import UNIX_PEER

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
"""Variables of platforms that put a proxy before the app."""

_WIDE_BITS = {4: 16, 6: 32}
"""A public network that is wider than this has thousands of owners; any of them could attack."""


def look_at_proxies(deployment: Deployment) -> Iterator[Advice]:
    proxies: Sequence[str] = deployment.option("trusted_proxies", ())
    platform = next((_PLATFORMS[name] for name in _PLATFORMS if name in deployment.variables), "")
    fixed = any(type(layer).__name__ == "ProxyFix" for layer in layers(deployment.app))
    if not proxies and platform and not fixed:
        yield Advice(
            "error",
            "proxies-not-trusted",
            f"{platform} puts a proxy before the app, and trusted_proxies is empty:"
            " all visitors have the proxy's address, share one rate limit and one ban",
            "set trusted_proxies to the addresses that the proxy connects from",
        )
    peers = getattr(getattr(deployment.guard, "services", None), "peers", None)
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
        return  # look_at_options
    if not network.is_private and network.prefixlen < _WIDE_BITS[network.version]:
        yield Advice(
            "error",
            "wide-public-trust",
            f"trusted_proxies contains {text}, a public network of many owners: each of its hosts"
            " can claim any address",
            remedy,
        )
    elif network.is_private and network.version == 4 and network.prefixlen < 12:
        yield Advice(
            "note",
            "wide-private-trust",
            f"trusted_proxies contains {text}: each host of your network can claim any address",
            remedy,
        )


def look_at_https(deployment: Deployment) -> Iterator[Advice]:
    if not deployment.option("enforce_https"):
        return
    if deployment.option("trusted_proxies") and not deployment.option("trust_x_forwarded_proto"):
        yield Advice(
            "error",
            "https-loop",
            "enforce_https=True behind a proxy whose X-Forwarded-Proto is not trusted: if the"
            " proxy terminates TLS, every request is redirected forever",
            "set trust_x_forwarded_proto=True",
        )
    if not deployment.option("allowed_hosts"):
        yield Advice(
            "warning",
            "redirect-to-any-host",
            "enforce_https=True without allowed_hosts: the redirect goes to any host that the"
            " client names",
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
        "Kubernetes probes a pod by its address, over HTTP; allowed_hosts and enforce_https"
        f" exempt only {paths}, and a refused probe restarts the pod",
        "use one of these paths in livenessProbe and readinessProbe, or set health_paths",
    )


_OLD_GUNICORN = (22,)
"""gunicorn 22 drops header names with underscores by default (header_map)."""


def look_at_header_names(deployment: Deployment) -> Iterator[Advice]:
    """``X_Forwarded_For`` must not become the environ's HTTP_X_FORWARDED_FOR."""
    if not deployment.option("trusted_proxies"):
        return  # the guard then believes no header at all
    remedy = "upgrade the server, or drop such headers at the proxy (nginx does by default)"
    gunicorn = installed_version("gunicorn")
    options = deployment.variables.get("GUNICORN_CMD_ARGS", "")
    if gunicorn is not None and (gunicorn < _OLD_GUNICORN or "dangerous" in options):
        yield Advice(
            "error",
            "underscores-in-headers",
            "gunicorn confuses a client's X_Forwarded_For with the proxy's X-Forwarded-For",
            "upgrade to gunicorn 22 or later and leave header_map at 'drop'",
        )
    for server in ("werkzeug", "waitress"):
        if merges_underscores(server):
            yield Advice(
                "error",
                "underscores-in-headers",
                f"{server} confuses a client's X_Forwarded_For with the proxy's X-Forwarded-For",
                remedy,
            )
    if installed_version("waitress") is not None and gunicorn is None:
        yield Advice(
            "note",
            "waitress-drops-forwarding",
            "waitress deletes X-Forwarded-For before the app sees it, by default",
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
        " that syncs or imports record by record (WebDAV, CalDAV, an API) gets 429",
        "give the routes that programs call their own limit: RouteConfig(rate_limit=6000)"
        " or @rate_limit(6000)",
    )


def look_at_options(deployment: Deployment) -> Iterator[Advice]:
    """Report the configuration's own warnings."""
    config = deployment.config
    yield from doubts(
        {option.name: getattr(config, option.name) for option in fields(type(config))}
    )
