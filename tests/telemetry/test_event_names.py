"""Each event that the guard emits is in the table of event types."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from guard_wsgi import GuardMiddleware, SecurityConfig, SecurityEvent
from guard_wsgi.telemetry.event_types import EVENT_TYPES
from tests.kit.gateway import environ_for, serve, text_app

ROOT = Path(__file__).parents[2]


class Events:
    """A sink that keeps the names of events."""

    def __init__(self, seen: list[str]) -> None:
        self.seen = seen

    def send_event(self, event: SecurityEvent) -> None:
        self.seen.append(event.event_type)


def emitted() -> Iterator[tuple[str, str]]:
    """Yield file and event of each refusal and each event, where both are written as texts."""
    for package in ("guard_wsgi", "guard_wsgi_flask"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                named = [word.value for word in node.keywords if word.arg == "event"]
                if isinstance(node.func, ast.Attribute) and node.func.attr in ("emit", "_emit"):
                    named += node.args[:1]
                for value in named:
                    if isinstance(value, ast.Constant) and isinstance(value.value, str):
                        yield path.name, value.value


def test_the_table_of_events_has_all_that_the_guard_emits() -> None:
    events = set(emitted())
    assert len(events) > 20
    assert sorted(pair for pair in events if pair[1] not in EVENT_TYPES) == []


def test_the_event_of_a_check_that_raises_can_be_muted() -> None:
    def broken(request: object) -> None:
        raise RuntimeError("broken")

    for muted in ((), {"check_failed"}):
        config = SecurityConfig(custom_request_check=broken, muted_event_types=muted)
        guard = GuardMiddleware(text_app(), config)
        seen: list[str] = []
        guard.services.events.add_sink(Events(seen))
        assert serve(guard, environ_for("/")).status.startswith("500")
        assert seen == ([] if muted else ["check_failed"])
