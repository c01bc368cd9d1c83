"""The spool: queued events survive a killed process and an absent collector."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from guard_wsgi.agent import AgentConfig, SecurityEvent, SecurityMetric
from guard_wsgi.agent.spool import Spool, directory_of
from tests.agent.collector import Collector, Reply
from tests.agent.conftest import API_KEY, MakeAgent
from tests.agent.processes import run, start


def event(reason: object = "") -> SecurityEvent:
    return SecurityEvent(event_type="x", reason=str(reason))


def reasons(collector: Collector) -> list[str]:
    return [told["reason"] for told in collector.events]


def files(path: Path) -> list[str]:
    return sorted(file.suffix for file in path.glob("*/*"))


def test_events_pass_through_the_spool_in_order(
    agent: MakeAgent, collector: Collector, tmp_path: Path
) -> None:
    handler = agent(spool_path=str(tmp_path), batch_size=10)
    for number in range(100):
        assert handler.send_event(event(number))
    handler.send_metric(SecurityMetric(metric_type="block_rate", value=0.5))
    assert handler.flush_buffer(10)
    assert reasons(collector) == [str(number) for number in range(100)]
    assert len(collector.metrics) == 1
    stats = handler.get_stats()
    assert (stats["events_sent"], stats["pending"], stats["dropped"]) == (100, 0, {})
    handler.stop()
    assert files(tmp_path) == []


KILLED = """
handler = agent(spool_path=os.environ["SPOOL"], flush_interval=3600)
for n in range(50): assert handler.send_event(event(n))
print("written", flush=True)
time.sleep(60)
"""


def test_what_is_queued_survives_kill_9_and_is_sent_once(
    collector: Collector, tmp_path: Path
) -> None:
    process = start(KILLED, collector.url, SPOOL=str(tmp_path))
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
    finally:
        process.kill()
        process.communicate()
    assert collector.requests == []

    heir = """
    handler = agent(spool_path=os.environ["SPOOL"])
    handler.touch()
    time.sleep(2)
    """
    heirs = [start(heir, collector.url, SPOOL=str(tmp_path)) for _ in range(3)]
    for one in heirs:
        _, errors = one.communicate(timeout=30)
        assert (one.returncode, errors) == (0, "")
    assert sorted(reasons(collector), key=int) == [str(number) for number in range(50)]
    keys = [told["idempotency_key"] for told in collector.events]
    assert len(set(keys)) == 50
    assert files(tmp_path) == []


def test_a_collector_that_is_down_at_exit_gets_the_events_from_the_next_process(
    collector: Collector, tmp_path: Path
) -> None:
    collector.default = Reply(503)
    script = """
        handler = agent(spool_path=os.environ["SPOOL"])
        handler.send_event(event(os.environ["NUMBER"]))
    """
    for number in "12":
        done = run(script, collector.url, SPOOL=str(tmp_path), NUMBER=number)
        assert (done.returncode, done.stderr) == (0, "")
    keys = {told["reason"]: told["idempotency_key"] for told in collector.events}
    before = len(collector.requests)
    collector.default = Reply(200)
    waiting = """
        time.sleep(1)
        assert handler.flush_buffer(10)
    """
    done = run(script + waiting, collector.url, SPOOL=str(tmp_path), NUMBER="3")
    assert (done.returncode, done.stderr) == (0, "")
    accepted = {
        told["reason"]: told["idempotency_key"]
        for request in collector.requests[before:]
        for told in request.json["events"]
    }
    assert sorted(accepted) == ["1", "2", "3"]
    # Whichever were offered before, under the same keys now.
    assert "1" in keys
    assert {reason: accepted[reason] for reason in keys} == keys


def test_kill_9_in_the_middle_of_an_outage_loses_and_doubles_nothing(
    collector: Collector, tmp_path: Path
) -> None:
    """100 events a second into an outage; the worker is killed in it, and another goes on."""
    down = threading.Event()
    down.set()
    collector.answer = lambda request: Reply(503) if down.is_set() else None
    worker = """
    handler = agent(spool_path=os.environ["SPOOL"], flush_interval=0.05, backoff_factor=0.2)
    n = 0
    while True:
        handler.send_event(event(f"{os.environ['NAME']}-{n}"))
        os.write(1, b"%d\\n" % n)
        n += 1
        time.sleep(0.01)
    """
    sent: dict[str, int] = {}
    for name in ("first", "second"):
        process = start(worker, collector.url, SPOOL=str(tmp_path), NAME=name)
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(150)]
        process.kill()
        out, errors = process.communicate()
        assert errors == ""
        sent[name] = len([line for line in told if line]) + len(out.splitlines())
        assert sent[name] >= 150
    down.clear()
    heir = """
    handler = agent(spool_path=os.environ["SPOOL"], flush_interval=0.05)
    handler.touch()
    while handler.get_stats()["buffer_stats"]["spooled"] or not handler.get_stats()["events_sent"]:
        time.sleep(0.05)
    """
    refused = len(collector.requests)
    done = run(heir, collector.url, SPOOL=str(tmp_path), timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    accepted = [told for request in collector.requests[refused:] for told in request.json["events"]]
    arrived = {told["reason"] for told in accepted}
    # The kill may come between the queueing and the line that reports it.
    expected = {f"{name}-{n}" for name, count in sent.items() for n in range(count)}
    assert expected <= arrived
    assert len(arrived - expected) <= 2
    assert len({told["idempotency_key"] for told in accepted}) == len(accepted) == len(arrived)


def test_a_living_process_keeps_its_spool_to_itself(collector: Collector, tmp_path: Path) -> None:
    process = start(KILLED, collector.url, SPOOL=str(tmp_path))
    try:
        assert process.stdout is not None
        process.stdout.readline()
        config = AgentConfig(api_key=API_KEY, endpoint=collector.url, spool_path=str(tmp_path))
        spool = Spool(config)
        assert spool.inherit() == (0, 0)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert spool.inherit() == (50, 0)
        assert len(spool.take(1000)) == 50
        other = Spool(config)
        assert other.inherit() == (0, 0)
        other.close()
        spool.close()
    finally:
        process.kill()
        process.communicate()


def test_a_forked_child_has_a_spool_of_its_own(collector: Collector, tmp_path: Path) -> None:
    done = run(
        """
        handler = agent(spool_path=os.environ["SPOOL"], flush_interval=3600)
        for n in range(3): handler.send_event(event(f"parent-{n}"))
        child = os.fork()
        if child == 0:
            for n in range(3): handler.send_event(event(f"child-{n}"))
            assert handler.flush_buffer(10)
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        handler.send_event(event("parent-3"))
        assert handler.flush_buffer(10)
        """,
        collector.url,
        SPOOL=str(tmp_path),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(reasons(collector)) == [
        *(f"child-{n}" for n in range(3)),
        *(f"parent-{n}" for n in range(4)),
    ]
    assert files(tmp_path) == []


def test_the_spool_is_bounded_in_bytes(
    agent: MakeAgent, collector: Collector, tmp_path: Path
) -> None:
    collector.default = Reply(503)
    handler = agent(spool_path=str(tmp_path), spool_max_bytes=1_048_576)
    for _ in range(1500):
        handler.send_event(event("x" * 600))
    stats = handler.get_stats()
    assert stats["dropped"]["spool_full"] > 0
    assert stats["buffer_stats"]["spooled_bytes"] <= 1_048_576
    assert stats["queued"] + stats["dropped"]["spool_full"] == 1500


def test_the_spool_is_bounded_in_age(tmp_path: Path) -> None:
    config = AgentConfig(
        api_key=API_KEY, endpoint="http://127.0.0.1:9", spool_path=str(tmp_path), spool_max_age=0.2
    )
    spool = Spool(config)
    from guard_wsgi.agent.batch import Encoder

    spool.append(Encoder(config).encode(event("old")))
    time.sleep(0.3)
    spool.append(Encoder(config).encode(event("new")))
    assert spool.expire() == 1
    assert [b'"new"' in item.data for item in spool.take(10)] == [True]
    spool.close()
    heir = Spool(config)
    time.sleep(0.3)
    assert heir.inherit() == (0, 1)
    heir.close()


def test_a_damaged_spool_is_set_aside(
    agent: MakeAgent, collector: Collector, tmp_path: Path
) -> None:
    config = AgentConfig(api_key=API_KEY, endpoint=collector.url, spool_path=str(tmp_path))
    directory = directory_of(config)
    directory.mkdir()
    (directory / "deadbeef.db").write_bytes(os.urandom(8192))
    handler = agent(spool_path=str(tmp_path))
    handler.send_event(event("fine"))
    assert handler.flush_buffer(10)
    assert reasons(collector) == ["fine"]
    assert (directory / "deadbeef.damaged").exists()


def test_without_a_place_for_the_spool_events_stay_in_memory(
    agent: MakeAgent, collector: Collector, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a directory")
    told: list[str] = []
    handler = agent(
        spool_path=str(tmp_path / "file"),
        on_error=lambda stage, error, context: told.append(stage),
    )
    handler.send_event(event("kept"))
    assert handler.flush_buffer(10)
    assert reasons(collector) == ["kept"]
    assert "spool" in told


def test_a_spool_whose_disk_fails_hands_over_to_memory(
    agent: MakeAgent, collector: Collector, tmp_path: Path
) -> None:
    handler = agent(spool_path=str(tmp_path), flush_interval=3600)
    handler.send_event(event("written"))
    spool = handler._sender.state.spool
    assert spool is not None
    with sqlite3.connect(spool.own.path) as connection:
        connection.execute("ALTER TABLE items RENAME TO lost")
    connection.close()
    handler.send_event(event("kept"))
    handler.flush_buffer(1)
    assert "kept" in reasons(collector)


def test_an_event_that_json_cannot_hold_does_not_raise_into_the_app(
    agent: MakeAgent, collector: Collector, tmp_path: Path
) -> None:
    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError("no")

    handler = agent(spool_path=str(tmp_path))
    handler.send_event(SecurityEvent(event_type="x", metadata={"x": Hostile()}))
    handler.send_event(event("fine"))
    assert handler.flush_buffer(10)
    assert reasons(collector) == ["fine"]
    assert handler.get_stats()["dropped"] == {"unencodable": 1}


def test_spools_of_two_projects_are_apart(tmp_path: Path) -> None:
    def config(project_id: str) -> AgentConfig:
        return AgentConfig(api_key=API_KEY, project_id=project_id, spool_path=str(tmp_path))

    assert directory_of(config("a")) != directory_of(config("b"))
    assert API_KEY not in str(directory_of(config("a")))


@pytest.mark.parametrize("threads", [8])
def test_many_threads_write_at_once(
    agent: MakeAgent, collector: Collector, tmp_path: Path, threads: int
) -> None:
    handler = agent(spool_path=str(tmp_path), flush_interval=0.01)
    workers = [
        threading.Thread(target=lambda: [handler.send_event(event()) for _ in range(200)])
        for _ in range(threads)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert handler.flush_buffer(20)
    keys = [told["idempotency_key"] for told in collector.events]
    assert len(keys) == len(set(keys)) == 200 * threads
