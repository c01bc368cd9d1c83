"""Dynamic rules: read whole or not at all, in force at once, gone when they are gone."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.agent import DynamicRules, RulesError, RulesPoller
from guard_wsgi.agent.ruled_bans import RuledBans
from guard_wsgi.agent.rules import _READERS, RulesAnswer, read_rules
from guard_wsgi.agent.rulescache import CachedRules, RulesCache
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.dynamic import RuledConfiguration, apply_rules
from guard_wsgi.errors import ConfigError
from guard_wsgi.network.address import parse_address
from guard_wsgi.state.store import Store
from tests.agent.collector import Collector, Recorded, Reply
from tests.agent.conftest import MakeAgent
from tests.agent.processes import run

EVERYTHING: dict[str, Any] = {
    "rule_id": "r1",
    "version": 3,
    "timestamp": "2026-01-02 03:04:05+00:00",
    "expires_at": "2099-01-02T03:04:05Z",
    "ttl": 60,
    "ip_blacklist": ["203.0.113.7", "2001:db8::/32"],
    "ip_whitelist": ["198.51.100.1"],
    "ip_ban_duration": 120,
    "ip_ban_until": {"203.0.113.7": "2099-01-02T03:04:05Z"},
    "blocked_countries": ["xx"],
    "whitelist_countries": [],
    "global_rate_limit": 5,
    "global_rate_window": 10,
    "endpoint_rate_limits": {"/login": [3, 60]},
    "blocked_cloud_providers": ["AWS"],
    "blocked_user_agents": ["evil.*"],
    "suspicious_patterns": ["needle[0-9]+"],
    "detection_exclusions": [{"path": "/blog/*", "body_fields": ["text"]}],
    "enable_penetration_detection": True,
    "enable_ip_banning": False,
    "enable_rate_limiting": True,
    "auto_ban_threshold": 7,
    "auto_ban_duration": 30,
    "enable_rate_limit_auto_ban": True,
    "emergency_mode": True,
    "emergency_whitelist": ["192.0.2.1"],
    "emergency_whitelist_only": False,
    "message": "under attack",
}


def answer(**changes: Any) -> bytes:
    return json.dumps({"rule_id": "r1", "version": 1, **changes}).encode()


# Reading


def test_every_field_is_read() -> None:
    rules = DynamicRules.parse(EVERYTHING)
    assert rules.timestamp == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert rules.expires_at == datetime(2099, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert rules.ip_blacklist == ("203.0.113.7", "2001:db8::/32")
    assert rules.blocked_countries == ("XX",)
    assert rules.endpoint_rate_limits == {"/login": (3, 60)}
    assert rules.enable_ip_banning is False
    assert set(EVERYTHING) == set(_READERS) == {one.name for one in fields(DynamicRules)}
    assert DynamicRules.parse(json.loads(json.dumps(rules.as_wire()))) == rules


def test_what_is_not_said_changes_nothing() -> None:
    rules = DynamicRules.parse({})
    assert (rules.rule_id, rules.version, rules.ttl) == ("default-rule", 1, 300)
    config = SecurityConfig()
    assert apply_rules(config, rules) == config


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ip_blacklist", ["not-an-ip"]),
        ("ip_blacklist", "203.0.113.7"),
        ("ip_blacklist", [None]),
        ("blocked_countries", ["Germany"]),
        ("global_rate_limit", 0),
        ("global_rate_limit", "5"),
        ("global_rate_window", True),
        ("endpoint_rate_limits", {"/a": [5]}),
        ("endpoint_rate_limits", {"a": [5, 60]}),
        ("endpoint_rate_limits", {"/a": [0, 0]}),
        ("blocked_user_agents", ["(unclosed"]),
        ("suspicious_patterns", ["*"]),
        ("enable_ip_banning", "yes"),
        ("emergency_mode", 1),
        ("expires_at", "tomorrow"),
        ("version", None),
        ("ip_ban_duration", -1),
    ],
)
def test_one_fault_refuses_the_whole_set(name: str, value: object) -> None:
    with pytest.raises(RulesError) as refused:
        DynamicRules.parse({**EVERYTHING, name: value})
    assert [fault.split(":")[0] for fault in refused.value.faults] == [name]


def test_all_faults_are_reported() -> None:
    with pytest.raises(RulesError) as refused:
        DynamicRules.parse({"ip_blacklist": ["x"], "ttl": "y", "emergency_mode": None, "z": 1})
    assert len(refused.value.faults) == 2


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda children: (
            st.lists(children, max_size=3)
            | st.dictionaries(
                st.sampled_from(sorted(EVERYTHING)) | st.text(max_size=3), children, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_no_answer_makes_the_reader_raise(value: Any) -> None:
    read = read_rules(200, json.dumps(value).encode())
    assert read.kind in ("rules", "none", "invalid", "unknown")
    assert (read.rules is not None) == (read.kind == "rules")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"null", "none"),
        (200, b"{}", "none"),
        (204, b"", "none"),
        (404, b"{}", "unknown"),
        (500, b"", "unknown"),
        (200, b"<html>", "unknown"),
        (200, b"[" * 100_000, "unknown"),
        (200, b"[1]", "invalid"),
        (200, b'{"success": true}', "unknown"),
        (302, b"", "unknown"),
    ],
)
def test_only_a_proper_answer_says_that_there_are_no_rules(
    status: int, body: bytes, kind: str
) -> None:
    assert read_rules(status, body).kind == kind


def test_which_rules_replace_which() -> None:
    def rules(**changes: Any) -> DynamicRules:
        return DynamicRules(rule_id="a", version=2, **changes)

    assert rules().replaces(None)
    assert not rules().replaces(rules())
    assert rules(ttl=5).replaces(rules())
    assert DynamicRules(rule_id="a", version=3).replaces(rules())
    assert not DynamicRules(rule_id="a", version=1, ttl=5).replaces(rules())
    assert DynamicRules(rule_id="b", version=1).replaces(rules())


# Applying


def test_every_field_has_its_effect_on_the_configuration() -> None:
    base = SecurityConfig(
        endpoint_rate_limits={"/a": (1, 1)},
        detection_custom_patterns={"mine": "haystack"},
        emergency_whitelist=("192.0.2.9",),
        ipinfo_token="token",
    )
    config = apply_rules(base, DynamicRules.parse(EVERYTHING))
    assert config.blocked_countries == frozenset({"XX"})
    assert (config.rate_limit, config.rate_limit_window) == (5, 10)
    assert config.endpoint_rate_limits == {"/a": (1, 1), "/login": (3, 60)}
    assert config.block_cloud_providers == frozenset({"AWS"})
    assert config.blocked_user_agents == ("evil.*",)
    assert set(config.detection_custom_patterns.values()) == {"haystack", "needle[0-9]+"}
    assert config.enable_penetration_detection is True
    assert config.enable_ip_banning is False
    assert config.enable_rate_limit_auto_ban is True
    assert (config.auto_ban_threshold, config.auto_ban_duration) == (3, 30)
    assert config.emergency_mode is True
    assert config.emergency_whitelist == ("192.0.2.9", "192.0.2.1")
    only = apply_rules(base, DynamicRules.parse({**EVERYTHING, "emergency_whitelist_only": True}))
    assert only.emergency_whitelist == ("192.0.2.1",)
    assert base.emergency_mode is False
    assert apply_rules(base, DynamicRules(whitelist_countries=("DE",))).whitelist_countries == {
        "DE"
    }
    assert not apply_rules(base, DynamicRules(enable_rate_limiting=False)).enable_rate_limiting


def test_rules_that_make_no_configuration_are_refused() -> None:
    with pytest.raises(ConfigError):
        apply_rules(SecurityConfig(), DynamicRules(blocked_cloud_providers=("Nimbus",)))


def test_bans_are_put_on_and_lifted() -> None:
    store = Store.open("memory://")
    store.bans.ban("198.51.100.1", 60, "by hand")
    rules = DynamicRules(
        ip_blacklist=("203.0.113.0/24", "127.0.0.1"), ip_whitelist=("198.51.100.1",)
    )
    RuledBans(store.bans, store.values).apply(rules)
    banned = parse_address("203.0.113.9")
    assert banned is not None
    assert store.bans.find(banned) is not None
    assert not store.bans.is_banned("198.51.100.1")
    assert not store.bans.is_banned("127.0.0.1")


def test_a_configuration_that_cannot_be_served_changes_nothing() -> None:
    served: list[SecurityConfig] = []
    base = SecurityConfig()

    def serve(config: SecurityConfig) -> None:
        if config.rate_limit == 13:
            raise ConfigError(["unlucky"])
        served.append(config)

    store = Store.open("memory://")
    ruled = RuledConfiguration(base, serve, RuledBans(store.bans, store.values))
    ruled.apply(DynamicRules(rule_id="a", global_rate_limit=7))
    with pytest.raises(ConfigError):
        ruled.apply(DynamicRules(rule_id="b", global_rate_limit=13))
    assert ruled.rules is not None
    assert ruled.rules.rule_id == "a"
    ruled.rebase(SecurityConfig(rate_limit_window=3))
    assert (served[-1].rate_limit, served[-1].rate_limit_window) == (7, 3)
    ruled.restore()
    assert served[-1].rate_limit_window == 3
    assert served[-1].rate_limit == base.rate_limit
    assert ruled.rules is None


# Polling


class App:
    """Active rules, and the events about them."""

    def __init__(self) -> None:
        self.rules: DynamicRules | None = None
        self.applied = 0
        self.events: list[str] = []
        self.refuse: Callable[[DynamicRules], bool] = lambda rules: False

    def apply(self, rules: DynamicRules) -> None:
        if self.refuse(rules):
            raise ConfigError(["can't be served"])
        self.rules = rules
        self.applied += 1

    def restore(self) -> None:
        self.rules = None

    def emit(self, event_type: str, request: object = None, **told: Any) -> None:
        self.events.append(event_type)

    def poller(self, source: Any, **options: Any) -> RulesPoller:
        return RulesPoller(source, self.apply, self.restore, emit=self.emit, **options)


def test_rules_come_change_and_go(agent: MakeAgent, collector: Collector) -> None:
    app = App()
    poller = app.poller(agent())
    collector.rules = answer(ip_blacklist=["203.0.113.7"], emergency_mode=True)
    poller.poll()
    assert app.rules is not None
    assert app.rules.emergency_mode
    assert app.events == [
        "dynamic_rule_updated",
        "dynamic_rule_applied",
        "emergency_mode_activated",
    ]
    poller.poll()
    assert app.applied == 1
    collector.rules = answer(version=2)
    poller.poll()
    assert app.applied == 2
    assert app.events[-1] == "emergency_mode_deactivated"
    collector.rules = b"{}"
    poller.poll()
    assert app.rules is None
    assert poller.current is None


def test_a_failing_collector_leaves_the_rules_in_force(
    agent: MakeAgent, collector: Collector
) -> None:
    app = App()
    poller = app.poller(agent(timeout=0.3))
    collector.rules = answer(emergency_mode=True)
    poller.poll()
    collector.rules = None
    for reply in (Reply(500), Reply(404), Reply(reset=True), Reply(hang=5), Reply(body=b"<html>")):
        collector.default = reply
        poller.poll()
        assert app.rules is not None


def test_rules_that_are_not_valid_leave_the_former_in_force(
    agent: MakeAgent, collector: Collector
) -> None:
    app = App()
    poller = app.poller(agent())
    collector.rules = answer(global_rate_limit=5)
    poller.poll()
    collector.rules = answer(version=2, ip_blacklist=["203.0.113.7", "nonsense"])
    poller.poll()
    assert app.rules is not None
    assert app.rules.version == 1
    assert app.events[-1] == "dynamic_rule_rejected"


def test_rules_the_app_cannot_serve_are_rejected_once(
    agent: MakeAgent, collector: Collector
) -> None:
    app = App()
    app.refuse = lambda rules: rules.version == 2
    poller = app.poller(agent())
    collector.rules = answer()
    poller.poll()
    collector.rules = answer(version=2)
    poller.poll()
    poller.poll()
    assert app.rules is not None
    assert app.rules.version == 1
    assert app.events.count("dynamic_rule_rejected") == 1
    collector.rules = answer(version=3)
    poller.poll()
    assert app.rules.version == 3


def test_an_expiry_restores_the_base(agent: MakeAgent, collector: Collector) -> None:
    app = App()
    poller = app.poller(agent(), interval_seconds=3600)
    soon = datetime.now(UTC) + timedelta(seconds=1)
    collector.rules = answer(expires_at=soon.isoformat())
    poller.touch()
    try:
        _until(lambda: app.rules is not None)
        _until(lambda: app.rules is None)
        assert "dynamic_rule_expired" in app.events
    finally:
        poller.stop()


def test_rules_that_have_expired_already_are_not_applied(
    agent: MakeAgent, collector: Collector
) -> None:
    app = App()
    collector.rules = answer(expires_at="2001-01-01T00:00:00Z")
    app.poller(agent()).poll()
    assert app.rules is None


def test_the_thread_starts_with_the_first_touch_and_ends_with_stop(
    agent: MakeAgent, collector: Collector
) -> None:
    collector.rules = answer()
    app = App()
    poller = app.poller(agent())
    assert _pollers() == 0
    poller.touch()
    poller.touch()
    assert _pollers() == 1
    _until(lambda: app.rules is not None)
    poller.stop(5)
    assert _pollers() == 0


def test_the_last_known_rules_outlive_a_restart_and_an_outage(
    agent: MakeAgent, collector: Collector, tmp_path: Path
) -> None:
    path = tmp_path / "deep" / "rules.json"
    collector.rules = answer(emergency_mode=True)
    App().poller(agent(), cache_path=str(path)).poll()
    assert path.stat().st_mode & 0o077 == 0
    collector.rules = None
    collector.default = Reply(503)
    restarted = App()
    poller = restarted.poller(agent(), cache_path=str(path))
    poller.touch()
    try:
        _until(lambda: restarted.rules is not None)
    finally:
        poller.stop()
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"schema_version": 2, "rules": {}}', b'{"schema_version": 1}', b"\xff"],
)
def test_a_damaged_cache_is_no_cache(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rules.json"
    path.write_bytes(content)
    assert RulesCache(None, str(path)).load() is None


def test_expired_rules_of_a_cache_are_not_applied(
    agent: MakeAgent, collector: Collector, tmp_path: Path
) -> None:
    path = tmp_path / "rules.json"
    expired = DynamicRules(expires_at=datetime(2001, 1, 1, tzinfo=UTC))
    RulesCache(None, str(path)).save(CachedRules(expired, time.time()))
    collector.default = Reply(503)
    app = App()
    poller = app.poller(agent(), cache_path=str(path))
    poller.touch()
    collector.wait_for(lambda: collector.requests or time.sleep(0.05), 5)
    poller.stop()
    assert app.rules is None


def test_processes_that_share_a_store_fetch_once(collector: Collector, tmp_path: Path) -> None:
    """Four workers, one fetch; all of them have the rules within seconds."""
    collector.rules = answer(emergency_mode=True)
    done = run(
        """
        from guard_wsgi.agent import RulesPoller
        from guard_wsgi.state.store import Store
        handler = agent()
        workers = []
        for _ in range(4):
            worker = os.fork()
            if worker == 0:
                applied = threading.Event()
                store = Store.open("lmdb://" + os.environ["STORE"])
                poller = RulesPoller(handler, lambda rules: applied.set(), lambda: None,
                                     store=store)
                poller.touch()
                ok = applied.wait(20)
                poller.stop(5)
                os._exit(0 if ok else 1)
            workers.append(worker)
        for worker in workers: assert os.waitpid(worker, 0)[1] == 0
        """,
        collector.url,
        STORE=str(tmp_path / "store"),
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert collector.summary() == ["GET /api/v1/rules"]


def test_a_forked_child_polls_for_itself(collector: Collector) -> None:
    collector.rules = answer()
    done = run(
        """
        from guard_wsgi.agent import RulesPoller
        applied = threading.Event()
        poller = RulesPoller(agent(), lambda rules: applied.set(), lambda: None)
        poller.touch()
        assert applied.wait(10)
        applied.clear()
        poller.current = None
        child = os.fork()
        if child == 0:
            poller.touch()
            os._exit(0 if applied.wait(20) else 1)
        assert os.waitpid(child, 0)[1] == 0
        """,
        collector.url,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_get_dynamic_rules_asks_again_only_after_the_ttl(
    agent: MakeAgent, collector: Collector
) -> None:
    handler = agent()
    collector.rules = answer(ttl=3600)
    first = handler.get_dynamic_rules()
    assert first is not None
    assert handler.get_dynamic_rules() is first
    assert len(collector.requests) == 1
    assert handler.get_stats()["rules_fetched"] == 1


def test_a_source_that_fails_in_any_way_does_not_end_the_thread() -> None:
    class Source:
        calls = 0

        def await_rules(self) -> RulesAnswer:
            self.calls += 1
            raise RuntimeError("a fault of the source")

    source = Source()
    poller = App().poller(source)
    poller.touch()
    _until(lambda: source.calls > 0)
    time.sleep(0.1)
    assert _pollers() == 1
    poller.stop(5)
    assert _pollers() == 0


def test_a_collector_that_holds_the_question_is_asked_again_at_once(
    agent: MakeAgent, collector: Collector
) -> None:
    held = {"ETag": '"1"', "X-Guard-Rules-Wait": "30"}
    app = App()

    def hold(request: Recorded) -> Reply:
        if request.headers.get("if-none-match") == '"1"':
            # Held until its answer changes, which is soon.
            return Reply(body=answer(version=2), headers={"ETag": '"2"'}, hang=0.6)
        return Reply(body=answer(), headers=held)

    collector.answer = hold
    poller = app.poller(agent(timeout=5), interval_seconds=300)
    poller.touch()
    try:
        _until(lambda: app.rules is not None and app.rules.version == 2)
    finally:
        poller.stop()
    first, second = collector.requests[:2]
    assert "prefer" not in first.headers
    assert "if-none-match" not in first.headers
    assert second.headers["prefer"] == "wait=4"
    assert second.at - first.at < 4


def test_a_collector_that_says_unchanged_at_once_is_not_asked_without_a_pause(
    agent: MakeAgent, collector: Collector
) -> None:
    held = {"ETag": '"1"', "X-Guard-Rules-Wait": "30"}

    def hurry(request: Recorded) -> Reply:
        if "if-none-match" in request.headers:
            return Reply(status=304, body=b"", headers=held)
        return Reply(body=answer(), headers=held)

    collector.answer = hurry
    app = App()
    poller = app.poller(agent(timeout=5))
    poller.touch()
    try:
        _until(lambda: len(collector.requests) >= 2)
        time.sleep(1)
        assert len(collector.requests) == 2
        assert app.rules is not None
    finally:
        poller.stop()


def test_exclusions_are_added_and_each_ban_has_its_own_end() -> None:
    base = SecurityConfig(detection_exclusions=[{"path": "/a", "params": ["x"]}])
    now = datetime.now(UTC)
    rules = DynamicRules.parse(
        {
            "ip_blacklist": ["203.0.113.7", "203.0.113.8", "203.0.113.9"],
            "ip_ban_duration": 60,
            "ip_ban_until": {
                "203.0.113.7": (now + timedelta(days=7)).isoformat(),
                "203.0.113.8": (now - timedelta(days=7)).isoformat(),
            },
            "detection_exclusions": [{"path": "/b", "body_fields": ["text"]}],
        }
    )
    config = apply_rules(base, rules)
    assert [entry.path for entry in config.detection_exclusions] == ["/a", "/b"]
    with pytest.raises(ConfigError):
        apply_rules(base, DynamicRules.parse({"detection_exclusions": [{"path": "/b"}]}))
    store = Store.open("memory://")
    RuledBans(store.bans, store.values).apply(rules)
    left = {ban.target: ban.expires_at - now.timestamp() for ban in store.bans.list()}
    store.close()
    assert set(left) == {"203.0.113.7", "203.0.113.9"}
    assert left["203.0.113.7"] > 6 * 86_400
    assert left["203.0.113.9"] < 70


def _pollers() -> int:
    return sum(thread.name == "guard-wsgi-rules" for thread in threading.enumerate())


def _until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)
