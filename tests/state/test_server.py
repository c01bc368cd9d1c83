"""Warnings about memory:// under a server with several workers, and wrong settings."""

from __future__ import annotations

from typing import Any

import pytest

from guard_wsgi.errors import ConfigError
from guard_wsgi.state.server import (
    configured_worker_count,
    known_worker_count,
    multi_worker_server,
)
from guard_wsgi.state.settings import StoreSettings


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"wsgi.multiprocess": False, "SERVER_SOFTWARE": "gunicorn/23.0"}, None),
        ({"wsgi.multiprocess": True, "SERVER_SOFTWARE": "gunicorn/23.0"}, "gunicorn runs several"),
        ({"wsgi.multiprocess": True, "SERVER_SOFTWARE": "Apache"}, "the server runs several"),
        ({"wsgi.multiprocess": False, "SERVER_SOFTWARE": "waitress"}, None),
        ({}, None),
        ({"uwsgi.version": b"2", "wsgi.multiprocess": True}, "uWSGI runs several"),
        (
            {"uwsgi.version": b"2", "uwsgi.opt": {b"workers": b"8"}, "wsgi.multiprocess": True},
            "uWSGI runs 8",
        ),
        ({"uwsgi.version": b"2", "uwsgi.opt": {b"processes": b"4"}}, "uWSGI runs 4"),
        ({"uwsgi.version": b"2", "uwsgi.opt": {b"processes": b"1"}}, None),
    ],
)
def test_warns_under_several_workers_only(environ: dict[str, Any], says: str | None) -> None:
    text = multi_worker_server(environ)
    if says is None:
        assert text is None
    else:
        assert text is not None
        assert says in text
        assert 'store_url="lmdb:///' in text


@pytest.mark.parametrize(
    ("options", "workers"),
    [({}, None), ({b"workers": b"8"}, 8), ({"workers": "2"}, 2), ({b"workers": True}, None)],
)
def test_the_number_of_workers_where_the_server_tells(
    options: dict[Any, Any], workers: int | None
) -> None:
    assert known_worker_count({"uwsgi.opt": options}) == workers


def test_every_wrong_setting_is_reported() -> None:
    with pytest.raises(ConfigError) as raised:
        StoreSettings(
            rate_limit_strategy="leaky-bucket",  # type: ignore[arg-type]
            policies={"rate_limit": "shrug", "cookies": "local"},  # type: ignore[dict-item]
            timeout_seconds=0,
            max_keys=0,
            max_bans=0,
            worker_count=0,
        )
    assert len(raised.value.faults) == 6
    for name in ("leaky-bucket", "shrug", "cookies", "timeout", "max_keys", "max_bans", "worker"):
        assert name in str(raised.value)


def test_a_budget_must_have_room_for_a_call() -> None:
    with pytest.raises(ConfigError, match="request_budget_seconds"):
        StoreSettings(timeout_seconds=1.0)


@pytest.mark.parametrize(
    ("value", "count"), [("4", 4), (" 2 ", 2), ("0", None), ("", None), ("many", None)]
)
def test_the_environment_may_name_the_number_of_workers(value: str, count: int | None) -> None:
    assert configured_worker_count({"WEB_CONCURRENCY": value}) == count
    assert configured_worker_count({}) is None
