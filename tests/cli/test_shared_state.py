"""guard-wsgi bans, limits, emergency: the state of the workers, seen and changed from outside."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from guard_wsgi.cli.loading import CommandError
from guard_wsgi.cli.shared import duration_text, seconds_of
from guard_wsgi.cli.tree import main
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.middleware import GuardMiddleware
from guard_wsgi.state.store import Store
from tests.kit.gateway import environ_for, serve, text_app

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    path = tmp_path / "guard.toml"
    Store.open(f"lmdb://{tmp_path}/guard").close()  # as the app has created it
    path.write_text(
        f'store_url = "lmdb://{tmp_path}/guard"\n'
        'trusted_proxies = ["192.0.2.1"]\n'
        "rate_limit = 1000\n"
        'endpoint_rate_limits = { "/login" = [2, 60] }\n'
    )
    return path


@pytest.fixture
def run(config_file: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; its exit code and all it wrote."""

    def run(*arguments: str) -> tuple[int, str]:
        code = main([*arguments, "--config", str(config_file)])
        written = capsys.readouterr()
        return code, written.out + written.err

    return run


@pytest.fixture
def guard(config_file: Path) -> Iterator[GuardMiddleware]:
    """A worker that shares the store with the command line."""

    guard = GuardMiddleware(text_app(), SecurityConfig.from_toml(config_file))
    yield guard
    guard.close()


def status(guard: GuardMiddleware, client: str) -> int:
    environ = {**environ_for("/"), "REMOTE_ADDR": client}
    return serve(guard, environ).code


def eventually(check: Callable[[], bool]) -> bool:
    """Whether it comes true within the second that workers may take to see a change."""
    deadline = time.monotonic() + 5
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_what_is_changed_here_holds_in_the_workers(run: Run, guard: GuardMiddleware) -> None:
    client = "203.0.113.9"
    assert status(guard, client) == 200
    run("bans", "add", client)
    assert eventually(lambda: status(guard, client) == 403)
    assert status(guard, "203.0.113.10") == 200
    run("bans", "remove", client)
    assert eventually(lambda: status(guard, client) == 200)
    run("emergency", "on", "--allow", client)
    assert eventually(lambda: status(guard, "203.0.113.10") == 503)
    assert status(guard, client) == 200
    run("emergency", "off")
    assert eventually(lambda: status(guard, "203.0.113.11") == 200)


def test_what_a_worker_counted_is_shown(run: Run, guard: GuardMiddleware) -> None:
    assert status(guard, "203.0.113.9") == 200
    assert (
        "999 of 1000 requests left per 1 min; 1000 left in "
        in run("limits", "show", "203.0.113.9")[1]
    )


def test_a_ban_is_listed_until_it_is_lifted(run: Run) -> None:
    assert run("bans", "list") == (0, "no bans\n")
    code, text = run("bans", "add", "203.0.113.0/24", "--for", "2h", "--reason", "abuse\x1b[2J")
    assert (code, text) == (0, "203.0.113.0/24 is banned for 2 h\n")
    code, text = run("bans", "list")
    assert code == 0
    assert "203.0.113.0/24" in text
    assert "abuse" in text
    assert "\x1b" not in text
    assert run("bans", "remove", "203.0.113.0/24")[0] == 0
    assert run("bans", "remove", "203.0.113.0/24") == (1, "203.0.113.0/24 is not banned\n")
    assert run("bans", "list") == (0, "no bans\n")


@pytest.mark.parametrize("target", ["127.0.0.1", "192.0.2.1", "192.0.2.0/24", "office"])
def test_a_ban_that_would_lock_the_site_out_is_refused(run: Run, target: str) -> None:
    code, text = run("bans", "add", target)
    assert code == 2
    assert text.startswith("Error: ")
    assert run("bans", "list") == (0, "no bans\n")


def test_limits_are_shown_without_being_counted(run: Run) -> None:
    first = run("limits", "show", "203.0.113.9")
    assert first == run("limits", "show", "203.0.113.9")
    assert "1000 of 1000 requests left per 1 min\n" in first[1]
    assert "/login" in first[1]
    assert "2 of 2 requests left" in first[1]
    assert run("limits", "show", "somebody")[0] == 2


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ('exempt_ips = ["203.0.113.0/24"]', "203.0.113.9 is in exempt_ips"),
        ('whitelist = ["203.0.113.9"]', "203.0.113.9 is in whitelist"),
        ("enable_rate_limiting = false", "enable_rate_limiting=False"),
    ],
)
def test_no_limit_is_shown_that_does_not_apply(
    run: Run, config_file: Path, option: str, said: str
) -> None:
    config_file.write_text(f"{option}\n{config_file.read_text()}")
    assert run("limits", "show", "203.0.113.9") == (0, f"no limit applies: {said}\n")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (59, "59 s"),
        (90, "1 min 30 s"),
        (3592, "59 min 52 s"),
        (86_400, "1 d"),
        (90_061, "1 d 1 h"),
        (300 * 86_400, "300 d"),
    ],
)
def test_durations_are_written_for_people(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_a_ban_of_years_names_its_last_day(run: Run) -> None:
    text = run("bans", "add", "203.0.113.9", "--for", "999999d")[1]
    assert re.match(r"203\.0\.113\.9 is banned until \d{4}-\d\d-\d\d$", text)
    assert re.search(r"until \d{4}-\d\d-\d\d", run("bans", "list")[1])


def test_an_emergency_is_declared_shown_and_ended(run: Run) -> None:
    assert run("emergency", "status") == (0, "emergency mode is off\n")
    code, text = run(
        "emergency", "on", "--allow", "10.0.0.0/8", "--for", "15m", "--reason", "flood"
    )
    assert code == 0
    assert "for 15 min" in text
    code, text = run("emergency", "status")
    assert "allowed: 10.0.0.0/8" in text
    assert "reason: flood" in text
    assert run("emergency", "off") == (0, "emergency mode is off\n")
    assert run("emergency", "status") == (0, "emergency mode is off\n")
    assert "emergency" not in run("doctor")[1]
    assert run("emergency", "off") == (0, "emergency mode was not on\n")
    assert run("emergency", "on")[1].startswith("emergency mode is on until `emergency off`")
    assert run("emergency", "on", "--allow", "office")[0] == 2


def test_an_emergency_of_the_configuration_is_reported_and_not_ended(
    run: Run, config_file: Path
) -> None:
    config_file.write_text(config_file.read_text() + "emergency_mode = true\n")
    assert "by the configuration" in run("emergency", "status")[1]
    code, text = run("emergency", "off")
    assert code == 1
    assert "emergency_mode=False" in text


def test_an_address_in_a_banned_network_is_not_said_to_be_free(run: Run) -> None:
    run("bans", "add", "203.0.113.0/24")
    run("bans", "add", "203.0.113.9")
    for _ in range(2):
        code, text = run("bans", "remove", "203.0.113.9")
        assert code == 1
        assert "still banned, as part of 203.0.113.0/24" in text
    assert run("bans", "remove", "203.0.113.0/24")[0] == 0
    assert run("bans", "remove", "203.0.113.9") == (1, "203.0.113.9 is not banned\n")


def test_no_limit_is_shown_where_none_applies(run: Run, config_file: Path) -> None:
    config_file.write_text("enable_rate_limiting = false\n" + config_file.read_text())
    assert "no limit applies" in run("limits", "show", "203.0.113.9")[1]


def test_memory_cannot_be_reached_from_outside(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bans", "list"]) == 2
    assert "store_url is memory://" in capsys.readouterr().err


def test_a_store_that_does_not_answer_is_reported_and_nothing_is_invented(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "guard.toml"
    path.write_text('store_url = "redis://127.0.0.1:1/0"\n')
    assert main(["bans", "list", "--config", str(path)]) == 2
    assert capsys.readouterr().err.startswith("Error: ")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("2h", 7200), ("7d", 604800)]
)
def test_times_are_written_with_a_unit(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "1w", "soon", "1.5h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(CommandError):
        seconds_of(text)
