"""Emergency mode: who declares it, who still comes in, and when every worker knows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import time_machine

from guard_wsgi.errors import StoreError
from guard_wsgi.state.emergency import KEY, Declaration, EmergencyMode, declare, revoke
from guard_wsgi.state.store import Store
from tests.core.visiting import Site
from tests.kit.addresses import address

ALICE = address("81.2.69.1")
OFFICE = address("10.1.2.3")


@pytest.fixture
def store() -> Store:
    return Store.open("memory://")


def test_without_an_emergency_everybody_comes_in(store: Store) -> None:
    mode = EmergencyMode(store.values, allow=["10.0.0.0/8"])
    assert not mode.refuses(ALICE)
    assert not mode.refuses(None)
    assert not mode.active
    assert mode.status() == {"active": False, "declared_by": [], "until": None, "allow": []}


def test_the_configuration_declares_it_for_all_but_its_allow_list() -> None:
    mode = EmergencyMode(active=True, allow=["10.0.0.0/8", "2a02:c7f::/32"])
    assert mode.refuses(ALICE)
    assert mode.refuses(None), "a client without address is on no list"
    assert not mode.refuses(OFFICE)
    assert not mode.refuses(address("::ffff:10.9.9.9"))
    assert not mode.refuses(address("2a02:c7f:5::1"))
    assert mode.retry_after_seconds == 60.0


def test_a_command_line_declares_it_in_every_worker_within_a_second(store: Store) -> None:
    workers = [EmergencyMode(store.values) for _ in range(3)]
    assert not any(worker.refuses(ALICE) for worker in workers)
    declare(store.values, ["10.0.0.0/8"], 900, "attack on /login")
    deadline = time.monotonic() + 1.0
    while not all(worker.refuses(ALICE) for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert not any(worker.refuses(OFFICE) for worker in workers)
    assert 890 < workers[0].retry_after_seconds <= 900
    assert workers[0].status()["declared_by"] == ["attack on /login"]
    assert revoke(store.values)
    deadline = time.monotonic() + 1.0
    while any(worker.refuses(ALICE) for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert not revoke(store.values)


def test_the_configured_allow_list_holds_whoever_declares(store: Store) -> None:
    mode = EmergencyMode(store.values, allow=["81.2.69.0/24"], poll_seconds=0)
    declare(store.values, ["10.0.0.0/8"])
    assert not mode.refuses(ALICE)
    assert not mode.refuses(OFFICE)
    assert mode.refuses(address("9.9.9.9"))


def test_it_ends_by_itself(store: Store) -> None:
    with time_machine.travel("2026-11-01 12:00", tick=False) as travel:
        mode = EmergencyMode(store.values, poll_seconds=0)
        store.values.set(KEY, Declaration(until=time.time() + 60).to_bytes(), 10_000)
        assert mode.refuses(ALICE)
        travel.shift(61)
        assert not mode.refuses(ALICE)


def test_taking_back_one_declaration_leaves_the_others(store: Store) -> None:
    mode = EmergencyMode(store.values, active=True, poll_seconds=0)
    declare(store.values)
    revoke(store.values)
    assert mode.refuses(ALICE)


def test_a_store_that_is_down_changes_nothing(store: Store) -> None:
    class Values:
        down = False

        def get(self, key: str) -> bytes | None:
            if self.down:
                raise StoreError("unreachable")
            return store.values.get(key)

        ask = get

        def set(self, key: str, value: bytes, ttl_seconds: float) -> None: ...

        def delete(self, key: str) -> None: ...

    values = Values()
    mode = EmergencyMode(values, poll_seconds=0)
    declare(store.values)
    assert mode.refuses(ALICE)
    values.down = True
    assert mode.refuses(ALICE)
    values.down = False
    revoke(store.values)
    assert not mode.refuses(ALICE)


@pytest.mark.parametrize("damage", [b"", b"{}", b"null", b"[]", b'{"allow": ["x"], "until": 1}'])
def test_damage_in_the_store_declares_nothing(store: Store, damage: bytes) -> None:
    store.values.set(KEY, damage, 60)
    assert not EmergencyMode(store.values, poll_seconds=0).refuses(ALICE)


def test_the_store_is_not_asked_at_every_request(store: Store) -> None:
    asked = []

    class Values:
        def get(self, key: str) -> bytes | None:
            asked.append(key)
            return None

        ask = get

        def set(self, key: str, value: bytes, ttl_seconds: float) -> None: ...

        def delete(self, key: str) -> None: ...

    mode = EmergencyMode(Values(), poll_seconds=3600)
    for _ in range(1000):
        mode.refuses(ALICE)
    assert asked == [KEY]


@pytest.mark.parametrize(
    ("allow", "seconds"), [(["not an address"], 60), (["10.0.0.0/8"], 0), ((), -5)]
)
def test_a_declaration_that_says_nothing_is_refused(
    store: Store, allow: list[str], seconds: float
) -> None:
    with pytest.raises(ValueError, match=r"address|network|positive"):
        declare(store.values, allow, seconds)
    assert store.values.get(KEY) is None


def test_another_process_declares_it_through_a_shared_store(tmp_path: Path) -> None:
    pytest.importorskip("lmdb")
    url = f"lmdb://{tmp_path}/guard.lmdb"
    store = Store.open(url)
    mode = EmergencyMode(store.values)
    assert not mode.refuses(ALICE)
    script = """
import sys
from guard_wsgi.state.emergency import declare
from guard_wsgi.state.store import Store
declare(Store.open(sys.argv[1]).values, ["10.0.0.0/8"], 60)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["", *sys.path])}
    subprocess.run([sys.executable, "-c", script, url], check=True, timeout=30, env=environment)
    deadline = time.monotonic() + 1.0
    while not mode.refuses(ALICE):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    store.close()


def test_a_guard_that_was_calm_sees_it_begin_and_end_within_a_second() -> None:
    site = Site()
    values = site.guard.services.store.values
    assert site.visit().code == 200
    for begin_or_end, code in ((lambda: declare(values), 503), (lambda: revoke(values), 200)):
        begin_or_end()
        deadline = time.monotonic() + 1.0
        while site.visit().code != code:
            assert time.monotonic() < deadline
            time.sleep(0.02)
