"""The place of the guard, and whether it is on."""

from __future__ import annotations

from collections.abc import Iterator

from guard_wsgi.config.proxy_fix import proxy_fix_conflict
from guard_wsgi.doctor.advice import Advice, Deployment
from guard_wsgi.doctor.layers import layers, outside_of


def unguarded(name: str) -> Advice:
    """:param name: the app, as the user calls it."""
    return Advice(
        "error",
        "app-not-guarded",
        f"{name} is not guarded: the guard checks no request",
        "wrap what the server gets: app = GuardMiddleware(app, config), or FlaskAPIGuard(app)",
    )


def look_at_the_app(deployment: Deployment) -> Iterator[Advice]:
    if deployment.app is None:
        return
    if deployment.guard is None:
        yield unguarded(deployment.name or type(deployment.app).__name__)
        return
    for name in outside_of(deployment.guard, deployment.app):
        yield Advice(
            "warning",
            "outside-the-guard",
            f"{name} wraps the guard: its own answers are not guarded",
            "make the guard the outermost layer (Flask: FlaskAPIGuard(app) after the"
            " extension that wraps wsgi_app)",
        )
    outside = True
    for layer in layers(deployment.app):
        if layer is deployment.guard:
            outside = False
        elif type(layer).__name__ == "ProxyFix":
            yield from _proxy_fix(layer, outside, deployment)


def _proxy_fix(fix: object, outside: bool, deployment: Deployment) -> Iterator[Advice]:
    """Find conflicts between werkzeug's ProxyFix and the guard's own trust in proxies."""
    fault = proxy_fix_conflict(fix, deployment.config)
    if fault and outside:
        problem, _, remedy = fault.partition(": ")
        yield Advice("error", "proxy-handled-twice", problem, remedy)
    elif getattr(fix, "x_for", None) and not (outside or deployment.option("trusted_proxies")):
        yield Advice(
            "error",
            "proxy-fix-inside",
            "the guard wraps ProxyFix: the guard sees the proxy in place of the visitors, so"
            " all visitors share one rate limit and one ban",
            "make ProxyFix the outermost layer: ProxyFix(GuardMiddleware(app, config))",
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
            "passive_mode=True: the guard reports refusals and refuses nobody",
            "set passive_mode=False when the report shows none of your visitors",
        )
    if deployment.option("emergency_mode"):
        yield Advice(
            "warning",
            "emergency-mode",
            "emergency_mode=True: everybody outside emergency_whitelist gets 503",
            "set emergency_mode=False when it is over; declare the next one at run time instead",
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
            "enable_penetration_detection=False: the guard does not look for attacks",
            "set it to True; try it first with passive_mode=True",
        )
