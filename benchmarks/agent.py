"""Measures the telemetry agent: its cost for the app, and its throughput.

    python benchmarks/agent.py            enqueue cost and throughput, beside guard-agent 3.2.4
                                          and sentry-sdk's worker, in one alternated run
    python benchmarks/agent.py --load     50,000 events a second from 4 threads, a collector that
                                          answers in 50 ms
    python benchmarks/agent.py --outage   a collector that is down for a minute, 100 events a
                                          second into the spool, the worker killed with -9 in it

The collector runs in its own process on the loopback. ``GUARD_AGENT_PYTHON`` names the Python of an
environment with ``guard-agent==3.2.4``; without it one is made in a temporary directory.
``sentry-sdk`` is left out when it is not installed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import venv
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))

GUARD_AGENT = "guard-agent==3.2.4"
ENQUEUE_BAR_MICROSECONDS = 3.0
WAIT_BAR_MICROSECONDS = 1000.0
EVENTS = 5000
ROUNDS = 3

FIELDS: dict[str, Any] = {
    "event_type": "penetration_attempt",
    "ip_address": "203.0.113.7",
    "country": "DE",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
    "action_taken": "request_blocked",
    "reason": "SQL injection in query 'q'",
    "endpoint": "/search",
    "method": "GET",
    "status_code": 400,
}
METADATA = {
    "check": "suspicious_activity",
    "request_id": "0123456789abcdef0123456789abcdef",
    "findings": [{"category": "sqli", "location": "query", "name": "q", "score": 3.5}],
}


# The collector


def collect(delay_seconds: float, down_until: float) -> None:
    """Count events; GET returns the counts. Before ``down_until`` (epoch), everything is 503."""
    counts: dict[str, int] = {"events": 0, "requests": 0, "refused": 0, "doubled": 0}
    keys: set[str] = set()
    reasons: set[str] = set()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            with lock:
                self.reply(200, json.dumps({**counts, "distinct": len(reasons)}).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if time.time() < down_until:
                with lock:
                    counts["refused"] += 1
                self.reply(503, b"{}")
                return
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            # The agents send batches of many events, sentry-sdk an envelope with one.
            events = json.loads(body)["events"] if body[:1] == b"{" and b'"events"' in body else [0]
            with lock:
                counts["requests"] += 1
                for event in events:
                    key = event["idempotency_key"] if event else ""
                    counts["doubled" if key and key in keys else "events"] += 1
                    keys.add(key)
                    reasons.add(event["reason"] if event else "")
            time.sleep(delay_seconds)
            self.reply(200, b"{}")

        def reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # a client that was killed

    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


class Collector:
    """The collector's process, from ``with`` to its end."""

    def __init__(self, delay_seconds: float = 0.0, down_seconds: float = 0.0) -> None:
        self._arguments = [str(delay_seconds), str(time.time() + down_seconds)]

    def __enter__(self) -> Collector:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE), "collector", *self._arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.wait()

    def counts(self) -> dict[str, int]:
        with urllib.request.urlopen(self.url, timeout=10) as answer:
            counts: dict[str, int] = json.load(answer)
            return counts

    def settle(self, events: int, seconds: float = 30.0) -> dict[str, int]:
        """The counts once there are as many events, or no new ones for two seconds."""
        deadline, quiet_since, last = time.monotonic() + seconds, time.monotonic(), -1
        while True:
            counts = self.counts()
            if counts["events"] != last:
                last, quiet_since = counts["events"], time.monotonic()
            now = time.monotonic()
            if last >= events or now > deadline or now - quiet_since > 2.0:
                return counts
            time.sleep(0.005)


# The senders: each makes (put one event, wait for all events, the number of dropped events)

Sender = tuple[Callable[[], object], Callable[[], object], Callable[[], int]]


def ours(url: str, **options: Any) -> Sender:
    from guard_wsgi.agent import AgentConfig, GuardAgentHandler, SecurityEvent

    handler = GuardAgentHandler(
        AgentConfig(api_key="a-key-of-benchmarks", endpoint=url, install_id="benchmark", **options)
    )
    events = iter([SecurityEvent(**FIELDS, metadata=METADATA) for _ in range(EVENTS + 1)])

    def put() -> object:
        return handler.send_event(next(events))

    return (
        put,
        lambda: handler.flush_buffer(60),
        lambda: sum(handler.get_stats()["dropped"].values()),
    )


def ours_with_a_new_event(url: str) -> Sender:
    from guard_wsgi.agent import AgentConfig, GuardAgentHandler, SecurityEvent

    handler = GuardAgentHandler(
        AgentConfig(api_key="a-key-of-benchmarks", endpoint=url, install_id="benchmark")
    )

    def put() -> object:
        return handler.send_event(SecurityEvent(**FIELDS, metadata=METADATA))

    return (
        put,
        lambda: handler.flush_buffer(60),
        lambda: sum(handler.get_stats()["dropped"].values()),
    )


def ours_with_spool(url: str) -> Sender:
    return ours(url, spool_path=tempfile.mkdtemp(prefix="spool-"))


def theirs(url: str) -> Sender:
    from guard_agent import AgentConfig, SecurityEvent, guard_agent  # type: ignore[import-not-found]

    handler = guard_agent(
        AgentConfig(
            api_key="a-key-of-benchmarks",
            endpoint=url,
            install_id="benchmark",
            buffer_size=10_000,
            flush_interval=1,
        )
    )
    handler.start()
    events = iter(
        [
            SecurityEvent(timestamp="2026-01-02T03:04:05Z", **FIELDS, metadata=METADATA)
            for _ in range(EVENTS + 1)
        ]
    )

    def dropped() -> int:
        stats = handler.get_stats()["buffer_stats"]
        return int(stats["events_dropped"])

    sent = 0

    def put() -> object:
        nonlocal sent
        sent += 1
        return handler.send_event(next(events))

    def finish() -> object:
        # flush_buffer returns while another flush is under way.
        deadline = time.monotonic() + 30
        while handler.get_stats()["events_sent"] < sent and time.monotonic() < deadline:
            handler.flush_buffer()
            time.sleep(0.001)
        return sent

    return put, finish, dropped


def sentry(url: str) -> Sender:
    import sentry_sdk
    from sentry_sdk.envelope import Envelope

    client = sentry_sdk.Client(
        dsn=url.replace("http://", "http://public@") + "/1",
        transport_queue_size=10_000,
        default_integrations=False,
    )
    transport = client.transport
    assert transport is not None
    event = {**FIELDS, "metadata": METADATA, "event_id": "0" * 32, "type": "event"}

    def put() -> object:
        envelope = Envelope()
        envelope.add_event(event)  # type: ignore[arg-type]
        return transport.capture_envelope(envelope)

    return put, lambda: client.flush(60), lambda: 0


SENDERS: dict[str, Callable[[str], Sender]] = {
    "ours": ours,
    "ours, event made as well": ours_with_a_new_event,
    "ours, with a spool": ours_with_spool,
    "guard-agent 3.2.4": theirs,
    "sentry-sdk worker": sentry,
}


def measure(name: str, url: str) -> None:
    """Runs in its own process: put events, time each, wait for the end; print JSON."""
    logging.disable(logging.CRITICAL)
    put, finish, dropped = SENDERS[name](url)
    put()
    finish()
    clock = time.perf_counter_ns
    nanoseconds = []
    began = time.perf_counter()
    for _ in range(EVENTS):
        before = clock()
        put()
        nanoseconds.append(clock() - before)
    finish()
    print(
        json.dumps(
            {
                "median": _quantile(nanoseconds, 0.5) / 1000,
                "p99": _quantile(nanoseconds, 0.99) / 1000,
                "seconds": time.perf_counter() - began,
                "dropped": dropped(),
            }
        )
    )
    sys.stdout.flush()
    os._exit(0)


def compare() -> None:
    """The table of enqueue costs and throughput; the senders take turns."""
    pythons = dict.fromkeys(SENDERS, sys.executable)
    pythons["guard-agent 3.2.4"] = _guard_agent_python()
    if find_spec("sentry_sdk") is None:
        del pythons["sentry-sdk worker"]
        print("sentry-sdk is not installed and left out")
    found: dict[str, list[dict[str, float]]] = {name: [] for name in pythons}
    for _ in range(ROUNDS):
        for name, python in pythons.items():
            with Collector() as collector:
                before = time.perf_counter()
                done = subprocess.run(
                    [python, str(HERE), "measure", name, collector.url],
                    capture_output=True,
                    text=True,
                    timeout=180,
                )
                if done.returncode != 0:
                    print(f"{name} failed: {done.stderr.strip()[-300:]}")
                    continue
                told = json.loads(done.stdout.splitlines()[-1])
                told["arrived"] = collector.settle(EVENTS + 1)["events"]
                told["total"] = time.perf_counter() - before
                found[name].append(told)
    print(f"{EVENTS} events; the best of {ROUNDS} rounds\n")
    print(f"{'':26} {'median us':>10} {'p99 us':>8} {'events/s':>9} {'arrived':>8} {'dropped':>8}")
    for name, rounds in found.items():
        if not rounds:
            continue
        best = min(rounds, key=lambda told: told["median"])
        rate = max(told["arrived"] / told["seconds"] for told in rounds)
        print(
            f"{name:26} {best['median']:10.2f} {best['p99']:8.1f} {rate:9.0f} "
            f"{min(told['arrived'] for told in rounds):8} "
            f"{max(told['dropped'] for told in rounds):8}"
        )
    median = min(told["median"] for told in found["ours"])
    print(f"\nenqueue: {median:.2f} us median; at most {ENQUEUE_BAR_MICROSECONDS} us wanted")


def load(seconds: float = 5.0, rate: int = 50_000, threads: int = 4) -> None:
    """Offer more than can be sent: nothing waits, memory is bounded, every event is accounted
    for."""
    logging.disable(logging.CRITICAL)
    with Collector(delay_seconds=0.05) as collector:
        from guard_wsgi.agent import AgentConfig, GuardAgentHandler, SecurityEvent

        handler = GuardAgentHandler(
            AgentConfig(
                api_key="a-key-of-benchmarks", endpoint=collector.url, install_id="benchmark"
            )
        )
        handler.send_event(SecurityEvent(**FIELDS))
        handler.flush_buffer(10)
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        waits: list[list[int]] = [[] for _ in range(threads)]
        offered = [0] * threads

        def offer(index: int) -> None:
            clock, waited = time.perf_counter_ns, waits[index]
            begin = time.perf_counter()
            share = rate / threads
            while (elapsed := time.perf_counter() - begin) < seconds:
                for _ in range(int(share * elapsed) - offered[index]):
                    event = SecurityEvent(**FIELDS, metadata=METADATA)
                    start = clock()
                    handler.send_event(event)
                    waited.append(clock() - start)
                    offered[index] += 1
                time.sleep(0.002)

        workers = [threading.Thread(target=offer, args=(index,)) for index in range(threads)]
        began = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        took = time.perf_counter() - began
        handler.flush_buffer(60)
        stats = handler.get_stats()
        arrived = collector.settle(stats["events_sent"])["events"]
        all_waits = [wait for waited in waits for wait in waited]
        p999 = _quantile(all_waits, 0.999) / 1000
        total, lost = sum(offered) + 1, sum(stats["dropped"].values())
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
        # The lists of waits above are 8 bytes and an integer object of 32 an event.
        grown -= len(all_waits) * 40 // 1024
        print(f"offered   {total} in {took:.1f} s ({total / took:.0f} a second)")
        print(
            f"waited    median {_quantile(all_waits, 0.5) / 1000:.2f} us, p99.9 {p999:.0f} us, "
            f"longest {max(all_waits) / 1000:.0f} us"
        )
        print(
            f"sent      {stats['events_sent']} ({stats['events_sent'] / took:.0f} a second), "
            f"arrived {arrived}"
        )
        print(f"dropped   {stats['dropped']}")
        print(f"memory    grew by {grown / 1024:.0f} MiB")
        print("accounted", "for every event" if stats["events_sent"] + lost == total else "NOT")
        verdict = "within" if p999 <= WAIT_BAR_MICROSECONDS else "OVER"
        print(f"p99.9 is {verdict} the bar of {WAIT_BAR_MICROSECONDS:.0f} us")


OUTAGE_WORKER = """
import sys, time
sys.path.insert(0, sys.argv[1])
import logging; logging.disable(logging.CRITICAL)
from guard_wsgi.agent import AgentConfig, SecurityEvent, guard_agent
handler = guard_agent(AgentConfig(api_key="a-key-of-benchmarks", endpoint=sys.argv[2],
                                  install_id="benchmark", spool_path=sys.argv[3]))
handler.touch()
number, begin = 0, time.monotonic()
while time.monotonic() - begin < float(sys.argv[5]):
    handler.send_event(SecurityEvent(event_type="x", reason=f"{sys.argv[4]}-{number}"))
    print(number, flush=True)
    number += 1
    time.sleep(max(0.0, begin + number / 100 - time.monotonic()))
"""


def outage(seconds: float = 60.0) -> None:
    """Two workers, one after the other; the first is killed half-way through the outage."""
    with Collector(down_seconds=seconds) as collector, tempfile.TemporaryDirectory() as spool:
        sent = 0
        for name, lasts in (("first", seconds / 2), ("second", seconds / 2 + 15)):
            process = subprocess.Popen(
                [
                    *(sys.executable, "-c", OUTAGE_WORKER, str(HERE.parents[1])),
                    *(collector.url, spool, name, str(lasts if name == "second" else 3600)),
                ],
                stdout=subprocess.PIPE,
                text=True,
            )
            if name == "first":
                time.sleep(lasts)
                process.send_signal(signal.SIGKILL)
            out, _ = process.communicate(timeout=seconds + 120)
            sent += len(out.split())
        counts = collector.settle(sent, 60)
        left = list(Path(spool).glob("*/*"))
    print(
        f"sent {sent}, arrived {counts['distinct']} distinct, keys seen twice "
        f"{counts['doubled']}, requests refused {counts['refused']}, files left {len(left)}"
    )
    print("every event arrived" if counts["distinct"] >= sent else "EVENTS WERE LOST")


def _guard_agent_python() -> str:
    given = os.environ.get("GUARD_AGENT_PYTHON")
    if given:
        return given
    home = Path(tempfile.gettempdir()) / "guard-agent-environment"
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", GUARD_AGENT], check=True)
    return str(python)


def _quantile(values: list[int], share: float) -> float:
    ordered = sorted(values)
    return float(ordered[min(len(ordered) - 1, int(len(ordered) * share))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--load", action="store_true")
    parser.add_argument("--outage", action="store_true")
    options = parser.parse_args()
    if options.load:
        load()
    elif options.outage:
        outage()
    else:
        compare()


if __name__ == "__main__":
    if sys.argv[1:2] == ["collector"]:
        collect(float(sys.argv[2]), float(sys.argv[3]))
    elif sys.argv[1:2] == ["measure"]:
        measure(sys.argv[2], sys.argv[3])
    else:
        main()
