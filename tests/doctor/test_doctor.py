"""The doctor finds each problem, and none where nothing is wrong."""

from __future__ import annotations

import os
import socket
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from guard_wsgi.config.security import DoubtfulOption, SecurityConfig
from guard_wsgi.doctor.diagnosis import Advice, diagnose, exit_code, find_guard, worker_count
from guard_wsgi.doctor.probes import (
    clock_skew_seconds,
    installed_version,
    merges_underscores,
)
from guard_wsgi.middleware import GuardMiddleware
from guard_wsgi.network.peers import WATCHED_REQUESTS, PeerWatch
from guard_wsgi.network.provider_ranges import ProviderRanges, ranges_key
from guard_wsgi.state.emergency import declare
from guard_wsgi.state.schemes import is_installed
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from guard_wsgi_flask import FlaskAPIGuard
from tests.state.redis_server import RedisServer


def config(**options: Any) -> SecurityConfig:
    """A configuration, without the warnings that it gives of itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SecurityConfig(**options)


def found(*arguments: Any, **options: Any) -> dict[str, Advice]:
    options.setdefault("variables", {})
    return {advice.code: advice for advice in diagnose(*arguments, **options)}


def app(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return []


def test_a_sound_deployment_gets_no_error_and_no_warning() -> None:
    advice = diagnose(
        config(trusted_proxies=["10.0.0.7"], trust_x_forwarded_proto=True), workers=1, variables={}
    )
    assert exit_code(advice) == 0
    assert {piece.severity for piece in advice} <= {"note"}


@pytest.mark.parametrize(
    ("options", "code", "severity", "remedy"),
    [
        ({"enabled": False}, "guard-disabled", "error", "enabled=True"),
        ({"passive_mode": True}, "passive-mode", "note", "passive_mode=False"),
        ({"emergency_mode": True}, "emergency-mode", "warning", "emergency_mode=False"),
        ({"fail_secure": False}, "fails-open", "note", "fail_secure=True"),
        (
            {"enable_penetration_detection": False},
            "detection-off",
            "warning",
            "passive_mode=True",
        ),
        ({"trusted_proxies": ["0.0.0.0/0"]}, "everybody-trusted", "error", "own addresses"),
        ({"trusted_proxies": ["::/0"]}, "everybody-trusted", "error", "own addresses"),
        ({"trusted_proxies": ["52.0.0.0/8"]}, "wide-public-trust", "error", "own addresses"),
        ({"trusted_proxies": ["2600::/20"]}, "wide-public-trust", "error", "own addresses"),
        ({"trusted_proxies": ["10.0.0.0/8"]}, "wide-private-trust", "note", "own addresses"),
        (
            {"enforce_https": True, "trusted_proxies": ["10.0.0.7"]},
            "https-loop",
            "error",
            "trust_x_forwarded_proto",
        ),
        ({"enforce_https": True}, "redirect-to-any-host", "warning", "allowed_hosts"),
        ({"whitelist": ["0.0.0.0/0"]}, "everybody-listed", "error", "whitelist"),
        ({"exempt_ips": ["::/0"]}, "everybody-listed", "error", "exempt_ips"),
        ({"exclude_paths": ["/"]}, "everything-excluded", "error", "exclude"),
        ({"block_cloud_providers": ["AWS"]}, "clouds-open", "note", "closed"),
    ],
)
def test_an_option_that_weakens_the_guard_is_reported_with_what_to_set(
    options: dict[str, Any], code: str, severity: str, remedy: str
) -> None:
    advice = found(config(**options))[code]
    assert advice.severity == severity
    assert remedy in advice.remedy


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"trusted_proxies": ["10.1.2.0/24", "unix"]}, "wide-private-trust"),
        ({"trusted_proxies": ["173.245.48.0/20"]}, "wide-public-trust"),
        (
            {
                "enforce_https": True,
                "trusted_proxies": ["10.0.0.7"],
                "trust_x_forwarded_proto": True,
                "allowed_hosts": ["example.com"],
            },
            "https-loop",
        ),
        ({"block_cloud_providers": ["AWS"], "cloud_ranges_unavailable": "closed"}, "clouds-open"),
    ],
)
def test_what_is_set_as_advised_is_not_said_again(options: dict[str, Any], code: str) -> None:
    assert code not in found(config(**options))


# -- workers and platform --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "workers"),
    [
        ({"WEB_CONCURRENCY": "4"}, 4),
        ({"GUNICORN_CMD_ARGS": "--bind 0.0.0.0 --workers=3"}, 3),
        ({"GUNICORN_CMD_ARGS": "-w 2", "WEB_CONCURRENCY": "8"}, 2),
        ({"WEB_CONCURRENCY": "many"}, None),
        ({}, None),
    ],
)
def test_the_number_of_workers_is_read_from_gunicorns_variables(
    variables: dict[str, str], workers: int | None
) -> None:
    assert worker_count(variables) == workers


def test_memory_under_many_workers_is_reported() -> None:
    advice = found(config(), variables={"WEB_CONCURRENCY": "4"})["memory-store-of-many-workers"]
    assert "runs 4 worker processes" in advice.problem
    assert "lmdb://" in advice.remedy
    assert "memory-store-of-many-workers" not in found(config(), workers=1)


def test_a_shared_store_under_many_workers_is_fine(tmp_path: Path) -> None:
    pytest.importorskip("lmdb")
    shared = config(store_url=f"lmdb://{tmp_path}/guard.lmdb")
    codes = found(shared, workers=8)
    assert "memory-store-of-many-workers" not in codes
    assert "store-unreachable" not in codes


@pytest.mark.parametrize("variable", ["KUBERNETES_SERVICE_HOST", "DYNO", "K_SERVICE", "RENDER"])
def test_a_platform_with_a_proxy_that_is_not_trusted_is_reported(variable: str) -> None:
    advice = found(config(), variables={variable: "x"})["proxies-not-trusted"]
    assert advice.severity == "error"
    assert "trusted_proxies" in advice.remedy
    trusting = config(trusted_proxies=["10.0.0.7"])
    assert "proxies-not-trusted" not in found(trusting, variables={variable: "x"})


# -- the app ---------------------------------------------------------------------------------


def test_an_app_without_a_guard_is_an_error() -> None:
    assert "app-not-guarded" in found(app=app)
    assert "app-not-guarded" in found(config(), app)
    with pytest.raises(ValueError, match="configuration or an app"):
        diagnose()


def test_a_guard_is_found_under_other_middlewares_and_gives_its_configuration() -> None:
    guard = GuardMiddleware(app, config(passive_mode=True))
    try:
        wrapped = ProxyFix(ProxyFix(guard))
        assert find_guard(wrapped) is guard
        assert "passive-mode" in found(app=wrapped)
    finally:
        guard.close()


def test_a_guard_inside_of_a_function_is_found() -> None:
    app = Flask("shop")
    FlaskAPIGuard(app)
    guarded = app.wsgi_app

    def timed(environ: Any, start_response: Any) -> Any:
        return guarded(environ, start_response)

    app.wsgi_app = timed  # type: ignore[method-assign]
    assert find_guard(app) is guarded


def test_proxyfix_outside_a_guard_that_trusts_proxies_is_reported() -> None:
    guard = GuardMiddleware(ProxyFix(app), config(trusted_proxies=["10.0.0.7"]))
    try:
        assert "proxy-handled-twice" not in found(app=guard)
        assert "proxy-handled-twice" in found(app=ProxyFix(guard))
    finally:
        guard.close()


def test_an_app_that_wraps_itself_does_not_hang_the_doctor() -> None:
    class Loop:
        def __init__(self) -> None:
            self.app = self

    assert find_guard(Loop()) is None


def test_a_guarded_flask_app_is_looked_into() -> None:
    flask = pytest.importorskip("flask")
    guarded = flask.Flask(__name__)
    from guard_wsgi_flask import FlaskAPIGuard

    extension = FlaskAPIGuard(guarded, config=config(passive_mode=True))
    try:
        assert find_guard(guarded) is not None
        assert "passive-mode" in found(app=guarded)
    finally:
        extension.middleware.close()


# -- peers -----------------------------------------------------------------------------------


def watch(peer: str, headers: dict[str, str], requests: int = WATCHED_REQUESTS) -> PeerWatch:
    peers = PeerWatch(trusts_anybody=False)
    for _ in range(requests):
        if peers.watching:
            peers.observe({"REMOTE_ADDR": peer, **headers})
    return peers


XFF = {"HTTP_X_FORWARDED_FOR": "81.2.69.1"}


@pytest.mark.parametrize(
    ("peer", "headers"), [("10.0.0.5", {}), ("10.0.0.5", XFF), ("127.0.0.1", XFF), ("fd00::5", {})]
)
def test_all_clients_behind_one_private_peer_are_noticed(
    peer: str, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    peers = watch(peer, headers)
    assert f'trusted_proxies=["{peer}"]' in peers.advice
    assert caplog.text.count("trusted_proxies") == 1
    assert not peers.watching


@pytest.mark.parametrize(
    ("peer", "headers", "requests"),
    [
        ("81.2.69.1", {}, WATCHED_REQUESTS),
        ("127.0.0.1", {}, WATCHED_REQUESTS),
        ("10.0.0.5", {}, WATCHED_REQUESTS - 1),
        ("", {}, WATCHED_REQUESTS),
    ],
    ids=["public", "at work on this machine", "too early to say", "unix socket"],
)
def test_one_peer_alone_is_not_always_a_proxy(
    peer: str, headers: dict[str, str], requests: int
) -> None:
    assert watch(peer, headers, requests).advice == ""


def test_a_second_peer_ends_the_watch() -> None:
    peers = PeerWatch(trusts_anybody=False)
    peers.observe({"REMOTE_ADDR": "10.0.0.5"})
    peers.observe({"REMOTE_ADDR": "10.0.0.6"})
    assert not peers.watching
    assert peers.advice == ""


def test_a_guard_that_trusts_a_proxy_watches_nobody() -> None:
    assert not PeerWatch(trusts_anybody=True).watching


# -- header names ----------------------------------------------------------------------------


def test_a_server_that_merges_underscores_is_distinguished_from_others() -> None:
    assert merges_underscores("wsgiref")
    assert not merges_underscores("werkzeug")
    assert not merges_underscores("waitress")


def test_a_gunicorn_that_is_set_to_merge_underscores_is_reported() -> None:
    if installed_version("gunicorn") is None:
        pytest.skip("gunicorn is not installed")
    variables = {"GUNICORN_CMD_ARGS": "--header-map dangerous"}
    trusting = config(trusted_proxies=["10.0.0.7"])
    assert "underscores-in-headers" in found(trusting, variables=variables)
    assert "underscores-in-headers" not in found(trusting)
    assert "underscores-in-headers" not in found(config(), variables=variables)


# -- state and data --------------------------------------------------------------------------


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.mark.skipif(not is_installed("redis"), reason="redis is not installed")
def test_an_unreachable_redis_is_reported() -> None:
    advice = found(config(store_url=f"redis://127.0.0.1:{free_port()}/0"))["store-unreachable"]
    assert advice.severity == "error"
    assert "store_url" in advice.remedy


@pytest.mark.skipif(not is_installed("redis"), reason="redis is not installed")
def test_a_silent_redis_is_reported_within_seconds(silent_port: int) -> None:
    assert "store-unreachable" in found(config(store_url=f"redis://127.0.0.1:{silent_port}/0"))


def test_an_lmdb_store_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    pytest.importorskip("lmdb")
    (tmp_path / "file").write_text("")
    assert "store-unreachable" in found(config(store_url=f"lmdb://{tmp_path}/file/guard.lmdb"))


def shared(tmp_path: Path, **options: Any) -> tuple[SecurityConfig, Store]:
    pytest.importorskip("lmdb")
    url = f"lmdb://{tmp_path}/guard.lmdb"
    made = config(store_url=url, **options)
    return made, Store.open(url, settings=StoreSettings(prefix=made.redis_prefix))


def test_an_emergency_declared_at_runtime_is_reported(tmp_path: Path) -> None:
    made, store = shared(tmp_path)
    assert "emergency-declared" not in found(made)
    declare(store.values, ["10.0.0.0/8"], 900)
    assert "guard-wsgi emergency off" in found(made)["emergency-declared"].remedy
    store.close()


@pytest.mark.parametrize(
    ("age_days", "code"), [(0, ""), (5, "ranges-stale"), (None, "no-ranges-yet")]
)
def test_ranges_that_nobody_renews_are_reported(
    tmp_path: Path, age_days: int | None, code: str
) -> None:
    made, store = shared(tmp_path, block_cloud_providers=["AWS:!eu-west-1"])
    if age_days is not None:
        at = time.time() - age_days * 86_400
        ranges = ProviderRanges("AWS", (("3.5.140.0/22", ""),), at, at)
        store.values.set(ranges_key("AWS"), ranges.to_bytes(), 1000)
    codes = {"ranges-stale", "no-ranges-yet"} & set(found(made))
    assert codes == ({code} if code else set())
    store.close()


@pytest.mark.skipif(not is_installed("redis"), reason="redis is not installed")
def test_a_redis_in_good_health_gets_no_advice(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    try:
        made = config(store_url=server.url)
        assert not {"store-unreachable", "clock-skew"} & set(found(made, workers=4))
        skew = clock_skew_seconds(made)
        assert skew is not None
        assert abs(skew) < 2
    finally:
        server.stop()


def test_missing_extras_are_reported_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from guard_wsgi.doctor import state

    monkeypatch.setattr(state, "is_installed", lambda module: False)
    advice = found(config(ipinfo_token="x", store_url="redis://127.0.0.1:1/0"))
    assert advice["extra-missing"].severity == "error"
    remedies = [
        piece.remedy
        for piece in diagnose(
            config(ipinfo_token="x", store_url="redis://127.0.0.1:1/0"), variables={}
        )
        if piece.code == "extra-missing"
    ]
    assert remedies == ["pip install 'guard-wsgi[redis]'", "pip install 'guard-wsgi[geo]'"]
    assert "no-hyperscan" in advice


def test_a_stale_database_is_reported_and_a_fresh_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "country_asn.mmdb"
    using = config(ipinfo_token="x", ipinfo_db_path=path)
    assert "no-database-yet" in found(using)
    path.write_bytes(b"")
    assert not {"no-database-yet", "database-stale"} & set(found(using))
    old = time.time() - 10 * 86_400
    os.utime(path, (old, old))
    assert "10 days" in found(using)["database-stale"].problem


def test_a_users_handler_that_says_it_is_stale_is_believed() -> None:
    class Handler:
        def get_country(self, ip: str) -> str | None:
            return None

        def status(self) -> dict[str, str]:
            return {"state": "stale", "path": "/var/lib/geo.mmdb"}

    advice = found(config(geo_ip_handler=Handler()))["database-stale"]
    assert "/var/lib/geo.mmdb" in advice.problem


@pytest.mark.parametrize(
    ("skew", "said"), [(90.0, "ahead of"), (-90.0, "behind"), (1.0, ""), (None, "")]
)
def test_a_clock_that_disagrees_with_the_stores_is_reported(
    monkeypatch: pytest.MonkeyPatch, skew: float | None, said: str
) -> None:
    from guard_wsgi.doctor import state

    monkeypatch.setattr(state, "clock_skew_seconds", lambda config: skew)
    advice = found(config())
    if said:
        assert said in advice["clock-skew"].problem
    else:
        assert "clock-skew" not in advice


# -- for scripts -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severities", "code"),
    [([], 0), (["note"], 0), (["note", "warning"], 1), (["warning", "error"], 2)],
)
def test_the_exit_code_tells_ci_how_bad_it_is(severities: list[Any], code: int) -> None:
    assert exit_code([Advice(severity, "x", "x", "x") for severity in severities]) == code


def test_the_worst_comes_first() -> None:
    advice = diagnose(
        config(passive_mode=True, emergency_mode=True, enabled=False), variables={}, workers=1
    )
    severities = [piece.severity for piece in advice]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)


def test_advice_reads_as_two_lines() -> None:
    text = str(Advice("error", "a-code", "it is broken", "mend it"))
    assert text == "error: it is broken [a-code]\n    mend it"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"trusted_proxies": ["0.0.0.0/0"]}, "everybody-trusted"),
        ({"whitelist": ["::/0"]}, "everybody-listed"),
        ({"exclude_paths": ["/"]}, "everything-excluded"),
        ({"enabled_detection_categories": []}, "detection-of-nothing"),
        ({"trust_x_forwarded_proto": True}, "proto-of-nobody"),
        ({"security_headers": {"hsts": {"max_age": 60, "preload": True}}}, "no-preload"),
    ],
)
def test_the_doctor_says_what_the_configuration_warned_of(
    options: dict[str, Any], code: str
) -> None:
    with pytest.warns(DoubtfulOption) as caught:
        configured = SecurityConfig(**options)
    advice = found(configured)[code]
    assert f"{advice.problem}; {advice.remedy}" in {str(one.message) for one in caught}
