"""Whether databases and ranges exist and are fresh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from guard_wsgi.doctor.advice import Advice, Deployment
from guard_wsgi.doctor.probes import database_age_seconds
from guard_wsgi.doctor.state import _cloud_providers

DATABASE_STALE_SECONDS = 35 * 86_400
"""As in network/geo.py: databases appear monthly, and MaxMind's licence ends after 30 days."""


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
                "let the app serve one request, or deploy the file with the app",
            )
        return
    limit = DATABASE_STALE_SECONDS
    if token is not None:
        limit = 2 * deployment.option("geo_ip_db_max_age", 86_400)
    if age > limit:
        yield Advice(
            "warning",
            "database-stale",
            f"{path} is {age / 86_400:.0f} days old: addresses have moved between countries since",
            "check the token, the connection to ipinfo.io and the permissions of the folder"
            if token is not None
            else "update it with geoipupdate or a job of your own",
        )


def _users_database(handler: object) -> Iterator[Advice]:
    status = getattr(handler, "status", None)
    state = status() if callable(status) else None
    if isinstance(state, Mapping) and state.get("state") in ("stale", "missing"):
        yield Advice(
            "warning",
            f"database-{state['state']}",
            f"the country database {state.get('path', '')} is {state['state']}",
            "update it with geoipupdate or a job of your own",
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
