"""Whether state is shared and reachable: workers, packages, the store, its clock."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from guard_wsgi.detection import Detector
from guard_wsgi.detection.scanning import pending_scanner
from guard_wsgi.doctor.advice import Advice, Deployment
from guard_wsgi.doctor.probes import (
    StoreExamination,
    clock_skew_seconds,
    examine_store,
    installed_version,
)
from guard_wsgi.errors import GuardError, count_of
from guard_wsgi.network.cloud import parse_selection
from guard_wsgi.network.feeds import CLOUD_FEEDS
from guard_wsgi.network.provider_ranges import ProviderRanges, ranges_key
from guard_wsgi.network.published_ranges import STALE_INTERVALS
from guard_wsgi.patterns.database import CACHE_DIR_VARIABLE, cache_folders, distrust
from guard_wsgi.state.backends.lmdb_path import missing_file
from guard_wsgi.state.emergency import KEY as EMERGENCY_KEY
from guard_wsgi.state.emergency import Declaration
from guard_wsgi.state.schemes import SCHEMES, is_installed
from guard_wsgi.state.server import SHARED_STORE, memory_of_many


def look_at_workers(deployment: Deployment) -> Iterator[Advice]:
    if not store_url(deployment).startswith("memory:"):
        return
    workers = deployment.workers
    if workers is not None and workers > 1:
        yield Advice(
            "warning",
            "memory-store-of-many-workers",
            memory_of_many("the server", str(workers)),
            SHARED_STORE,
        )
    elif workers is None and installed_version("gunicorn") is not None:
        yield Advice(
            "note",
            "memory-store",
            "store_url is memory://, which counts in each process on its own: use it for one"
            " worker only",
            SHARED_STORE,
        )


def store_url(deployment: Deployment) -> str:
    url: str = deployment.option("effective_store_url", "memory://")
    return url


def look_at_extras(deployment: Deployment) -> Iterator[Advice]:
    wanted: list[tuple[str, str, str]] = []
    scheme = store_url(deployment).partition(":")[0]
    store = SCHEMES.get(scheme)
    if store is not None and store.package:
        wanted.append((f"store_url={scheme}://", store.package, store.extra))
    if deployment.option("ipinfo_token"):
        wanted.append(("ipinfo_token", "maxminddb", "geo"))
    if deployment.option("agent_project_encryption_key"):
        wanted.append(("agent_project_encryption_key", "cryptography", "crypto"))
    if deployment.option("enable_otel"):
        wanted.append(("enable_otel", "opentelemetry", "otel"))
    for option, module, extra in wanted:
        if not is_installed(module):
            yield Advice(
                "error",
                "extra-missing",
                f"{option} needs the package {module}, which is not installed",
                f"pip install 'guard-wsgi[{extra}]'",
            )
    if store is not None and store.outdated:
        yield Advice(
            "error",
            "extra-outdated",
            f"store_url={scheme}:// {store.outdated}",
            f"pip install 'guard-wsgi[{store.extra}]'",
        )
    if not is_installed("hyperscan"):
        yield Advice(
            "warning",
            "no-hyperscan",
            "Hyperscan is not installed: detection uses Python's re, which is many times slower",
            "run pip install hyperscan, if your platform has a wheel",
        )


def look_at_compiled_patterns(deployment: Deployment) -> Iterator[Advice]:
    if not is_installed("hyperscan"):
        return
    for folder in cache_folders():
        with suppress(OSError):
            reason = distrust(folder)
            if reason is not None:
                yield Advice(
                    "warning",
                    "cache-not-trusted",
                    f"the cache of compiled patterns is not used: {reason}",
                    "make this user or root its owner and remove write access for others, or set"
                    f" {CACHE_DIR_VARIABLE} to another folder",
                )
    Detector().warm()  # loads what there is
    waiting = pending_scanner.compiler().waiting
    if waiting:
        yield Advice(
            "note",
            "cold-patterns",
            f"{count_of(waiting, 'database')} of patterns {'is' if waiting == 1 else 'are'} not"
            " compiled for this machine: for about twenty seconds after the first start, detection"
            " is slower",
            "run guard-wsgi warm when you build the image",
        )


def look_at_the_store(deployment: Deployment) -> Iterator[Advice]:
    url = store_url(deployment)
    scheme = url.partition(":")[0]
    store = SCHEMES.get(scheme)
    if scheme == "memory" or (
        store is not None and (not is_installed(store.package) or store.outdated)
    ):
        return
    providers = [rule.provider for rule in parse_selection(_cloud_providers(deployment))]
    keys = [EMERGENCY_KEY, *(ranges_key(provider) for provider in providers)]
    missing = _missing(url)
    if missing is not None:
        examination = StoreExamination()  # the doctor creates nothing
        yield from _missing_store(missing)
    else:
        examination = examine_store(deployment.config, keys)
    if examination.fault:
        is_file = store is not None and store.is_file
        yield Advice(
            "error",
            "store-unreachable",
            f"the store can't be used: {examination.fault}",
            f"{_FILE if is_file else _SERVER}; store_failure_policy says what the guard does"
            " without a store",
        )
        return
    yield from _declared_emergency(examination.values.get(EMERGENCY_KEY))
    for provider in providers:
        yield from _shared_ranges(
            provider,
            examination.values.get(ranges_key(provider)),
            deployment.option("cloud_ip_refresh_interval"),
        )


_FILE = "check store_url, whether this user may write to the file and its folder, and the disk"
_SERVER = "check store_url (redis_url), the network, and user and password"


def _missing(url: str) -> Path | None:
    with suppress(GuardError):
        return missing_file(url)
    return None


def _missing_store(path: Path) -> Iterator[Advice]:
    folder = next(folder for folder in path.parents if folder.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Advice(
            "error",
            "store-unreachable",
            f"there is no store at {path}, and this user can't create it in {folder}",
            "create the folder for the user of the app, or name another one in store_url",
        )
        return
    yield Advice(
        "note",
        "new-store",
        f"there is no store at {path}: the app creates it at its first start, without bans and"
        " counts",
        "if the app has run before, compare the path in store_url with that of the app",
    )


def _cloud_providers(deployment: Deployment) -> frozenset[str]:
    return deployment.option("block_cloud_providers") or frozenset()


def _declared_emergency(value: bytes | None) -> Iterator[Advice]:
    declaration = Declaration.from_bytes(value) if value is not None else None
    if declaration is None or declaration.is_over:
        return
    until = "somebody ends it"
    if declaration.until is not None:
        until = datetime.fromtimestamp(declaration.until, UTC).isoformat(timespec="minutes")
    yield Advice(
        "warning",
        "emergency-declared",
        f"emergency mode was declared at run time, until {until}: only the addresses on its allow"
        " list pass",
        "run guard-wsgi emergency off when it is over",
    )


def _shared_ranges(provider: str, value: bytes | None, interval_seconds: float) -> Iterator[Advice]:
    ranges = ProviderRanges.from_bytes(provider, value) if value is not None else None
    if ranges is None:
        yield Advice(
            "note",
            "no-ranges-yet",
            f"no worker has read the ranges of {provider} yet",
            f"make sure that the machine can reach {CLOUD_FEEDS[provider].url}",
        )
        return
    age = time.time() - ranges.checked_at
    if age > interval_seconds * STALE_INTERVALS:
        yield Advice(
            "warning",
            "ranges-stale",
            f"the ranges of {provider} were confirmed {age / 86_400:.1f} days ago: networks added"
            " since then pass",
            f"make sure that the machine can reach {CLOUD_FEEDS[provider].url}",
        )


LARGEST_SKEW_SECONDS = 2.0
"""Bans and emergencies end at a clock time; authentication and TLS fail when clocks differ by
minutes."""


def look_at_the_clock(deployment: Deployment) -> Iterator[Advice]:
    skew = clock_skew_seconds(deployment.config)
    if skew is None or abs(skew) <= LARGEST_SKEW_SECONDS:
        return
    way = "ahead of" if skew > 0 else "behind"
    yield Advice(
        "warning",
        "clock-skew",
        f"this machine's clock is {abs(skew):.0f} s {way} the store's: bans end that much too"
        " early or too late, and time windows open at the wrong time on one of the two machines",
        "synchronise all machines by NTP",
    )
