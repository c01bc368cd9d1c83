"""The log for its readers, and what an attacker can't make them see."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.network.client import ClientResolver
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.telemetry.bus import EventBus
from guard_wsgi.telemetry.escaping import escape
from guard_wsgi.telemetry.logs import LINES_LOGGED, LogSettings, LogSink


def request(**environ: str) -> GuardRequest:
    given = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/a",
        "QUERY_STRING": "",
        "REMOTE_ADDR": "203.0.113.7",
        "HTTP_USER_AGENT": "curl/8",
        **environ,
    }
    return GuardRequest(given, ClientResolver(()))


@pytest.fixture(autouse=True)
def levels_stay() -> Iterator[None]:
    root = logging.getLogger("guard_wsgi")
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    assert root.handlers == handlers


def emit(sink: LogSink, event_type: str = "ip_blocked", **told: Any) -> None:
    told = {"action_taken": "request_blocked", "check": "ip_ban", "status_code": 403, **told}
    EventBus([sink]).emit(event_type, told.pop("request", request()), **told)


def test_the_line_of_a_ban_says_how_long_it_holds(caplog: pytest.LogCaptureFixture) -> None:
    bus = EventBus([LogSink()])
    bus.emit("ip_banned", reason="manual", ip_address="203.0.113.66", duration=3600)
    assert caplog.records[-1].getMessage().startswith("Banned 203.0.113.66 for 3600 s: manual")


def test_a_refusal_is_a_sentence_with_marks(caplog: pytest.LogCaptureFixture) -> None:
    made = request()
    emit(LogSink(), reason="banned", request=made)
    [record] = caplog.records
    assert record.name == "guard_wsgi.access"
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        "Blocked GET /a from 203.0.113.7: banned "
        f"[event=ip_blocked check=ip_ban status=403 id={made.request_id}]"
    )
    fields = vars(record)
    assert fields["guard_event"] == "ip_blocked"
    assert fields["guard_client_ip"] == "203.0.113.7"
    assert fields["guard_check"] == "ip_ban"
    assert fields["guard_status"] == 403


def test_what_passive_mode_let_through_is_reported_as_such(
    caplog: pytest.LogCaptureFixture,
) -> None:
    emit(LogSink(), action_taken="logged_only")
    assert caplog.records[0].getMessage().startswith("Would have blocked GET /a")


def test_nothing_is_installed_without_a_file() -> None:
    root = logging.getLogger("guard_wsgi")
    before = list(root.handlers), root.level, logging.getLogger().handlers[:]
    emit(LogSink())
    assert (list(root.handlers), root.level, logging.getLogger().handlers[:]) == before


def test_the_area_of_an_event_is_its_logger(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "guard_wsgi"):
        for event_type in (
            "penetration_attempt",
            "rate_limited",
            "ip_banned",
            "dynamic_rule_applied",
        ):
            emit(LogSink(), event_type)
    assert [record.name for record in caplog.records] == [
        "guard_wsgi.detection",
        "guard_wsgi.ratelimit",
        "guard_wsgi.bans",
        "guard_wsgi.rules",
    ]


def test_levels_of_the_config(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "guard_wsgi"):
        emit(LogSink(LogSettings(suspicious_level=None)))
        assert caplog.records == []
        emit(LogSink(LogSettings(suspicious_level=logging.ERROR)))
        assert caplog.records[-1].levelname == "ERROR"
        quiet = LogSink()
        quiet.log_request(request())
        assert len(caplog.records) == 1
        LogSink(LogSettings(request_level=logging.INFO)).log_request(request(QUERY_STRING="a=1"))
        assert caplog.records[-1].getMessage() == "Request from 203.0.113.7: GET /a?a=1"
        quiet.log_country(request(), "DE", "allowed")
        assert caplog.records[-1].getMessage() == "Country of 203.0.113.7 is DE: allowed"
        count = len(caplog.records)
        LogSink(LogSettings(country_level=None)).log_country(request(), "DE", "allowed")
        assert len(caplog.records) == count


def test_levels_go_by_name_too() -> None:
    assert LogSettings(suspicious_level="error").suspicious_level == logging.ERROR  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="loud"):
        LogSettings(suspicious_level="loud")  # type: ignore[arg-type]


def test_muted_checks_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    sink = LogSink(LogSettings(muted_checks=frozenset({"ip_ban"})))
    emit(sink)
    emit(sink, check="user_agent")
    assert [vars(record)["guard_check"] for record in caplog.records] == ["user_agent"]


ATTACKS = [
    "line\r\nforged: yes",
    "\x1b[2J\x1b[31mred",
    "\u202egnp.exe",
    "nul\0byte",
    "\u2028separator",
    "\x9b31m",
]


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_an_attacker_writes_no_lines_and_moves_no_cursor(
    caplog: pytest.LogCaptureFixture, attack: str
) -> None:
    wire = attack.encode().decode("latin-1")
    with caplog.at_level(logging.DEBUG, "guard_wsgi"):
        emit(
            LogSink(),
            reason=attack,
            request=request(PATH_INFO=f"/{wire}", HTTP_USER_AGENT=wire, REQUEST_METHOD=wire),
            findings=[{"value": attack, attack: 1}],
        )
        LogSink(LogSettings(request_level=10)).log_request(request(QUERY_STRING=wire))
    assert len(caplog.records) == 2
    for record in caplog.records:
        assert record.getMessage().isprintable()
        told = [value for name, value in vars(record).items() if name.startswith("guard_")]
        assert all(part.isprintable() for part in _texts(told))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


@given(st.text(), st.integers(1, 50))
def test_escaped_text_is_printable_and_short(text: str, limit: int) -> None:
    told = escape(text, limit)
    assert told.isprintable()
    assert len(told) <= 10 * limit + 1


def test_secrets_in_a_query_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    sink = LogSink(LogSettings(request_level=logging.WARNING))
    sink.log_request(request(QUERY_STRING="user=u&password=hunter2"))
    assert "hunter2" not in caplog.text
    assert "user=u" in caplog.text


def test_no_header_is_logged_unasked(caplog: pytest.LogCaptureFixture) -> None:
    emit(LogSink(), request=request(HTTP_COOKIE="session=hunter2", HTTP_X_ANYTHING="hunter2"))
    assert "hunter2" not in str([vars(record) for record in caplog.records])


@pytest.mark.parametrize("file_format", ["text", "json"])
def test_a_file_of_the_guards_own(tmp_path: Path, file_format: Any) -> None:
    path = tmp_path / "logs" / "guard.log"
    sink = LogSink(LogSettings(file_path=str(path), file_format=file_format))
    emit(sink, reason="banned", findings=[{"value": "x"}])
    emit(sink, "dynamic_rule_applied", action_taken="")
    sink.close()
    emit(sink)
    first, second = path.read_text().splitlines()
    if file_format == "text":
        assert first.startswith("[guard_wsgi.access] ")
        assert " - WARNING - Blocked GET /a from 203.0.113.7" in first
    else:
        line = json.loads(first)
        assert (line["level"], line["logger"]) == ("WARNING", "guard_wsgi.access")
        assert line["event"] == "ip_blocked"
        assert line["findings"] == [{"value": "x"}]
        assert json.loads(second)["event"] == "dynamic_rule_applied"
    sink.close()


def test_two_apps_of_one_process_keep_their_files_apart(tmp_path: Path) -> None:
    sinks = [LogSink(LogSettings(file_path=str(tmp_path / name))) for name in ("a.log", "b.log")]
    emit(sinks[0], reason="for a")
    emit(sinks[1], reason="for b")
    for sink in sinks:
        sink.close()
    assert "for a" in (tmp_path / "a.log").read_text()
    assert "for b" not in (tmp_path / "a.log").read_text()
    assert "for b" in (tmp_path / "b.log").read_text()


def test_the_file_is_found_again_after_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "guard.log"
    sink = LogSink(LogSettings(file_path=str(path)))
    emit(sink, reason="before")
    path.rename(tmp_path / "guard.log.1")
    emit(sink, reason="after")
    sink.close()
    assert "after" in path.read_text()


def test_no_field_collides_with_those_of_logging(caplog: pytest.LogCaptureFixture) -> None:
    """``extra={"message": ...}`` raises in logging; metadata may be called anything."""
    emit(LogSink(), message="m", args=1, name="n", module="m", exc_info="e", asctime="a")
    assert len(caplog.records) == 1


def refusals(sink: LogSink, clients: int, each: int) -> int:
    """How many of the refusals of so many clients in turn make a line."""
    return sum(
        sink.accepts(
            "penetration_attempt",
            request(REMOTE_ADDR=f"203.0.{number // 250}.{number % 250 + 1}"),
            "request_blocked",
            "suspicious_activity",
        )
        for _ in range(each)
        for number in range(clients)
    )


def test_a_client_that_repeats_itself_is_logged_more_and_more_rarely() -> None:
    assert refusals(LogSink(), clients=1, each=100) == 10 + len([16, 32, 64])


def test_a_flood_is_logged_for_each_of_many_clients_but_not_each_time() -> None:
    """The first of every client, then its second, fourth, eighth: a program that reads the log to
    ban addresses misses none."""
    sink = LogSink()
    assert refusals(sink, clients=1000, each=1) == 1000
    assert refusals(sink, clients=1000, each=15) == 1000 * len([2, 4, 8, 16])


def test_a_line_of_a_flood_says_how_many_it_stands_for(caplog: pytest.LogCaptureFixture) -> None:
    sink = LogSink()
    assert refusals(sink, clients=LINES_LOGGED, each=1) == LINES_LOGGED
    assert refusals(sink, clients=1, each=6) == 2
    again = request(REMOTE_ADDR="203.0.0.1")
    emit(sink, "penetration_attempt", check="suspicious_activity", request=again)
    assert "(8 times this minute)" in caplog.records[-1].getMessage()
