"""First lines of code with the guard: for a wrong line, the message says what to write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from guard_wsgi import GuardMiddleware, RouteConfig, SecurityConfig
from guard_wsgi_flask import FlaskAPIGuard
from tests.kit.gateway import text_app


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: GuardMiddleware(text_app(), {"rate_limit": 5}), "SecurityConfig, not dict"),
        (lambda: GuardMiddleware(SecurityConfig(), text_app()), "must be a WSGI app"),
        (lambda: GuardMiddleware("shop:app", SecurityConfig()), "WSGI app, not str"),
        (
            lambda: GuardMiddleware(text_app(), routes={"/a": {"rate_limit": 5}}),
            "routes\\['/a'\\] must be a RouteConfig, not dict",
        ),
        (
            lambda: GuardMiddleware(text_app()).reconfigure({"rate_limit": 5}),
            "SecurityConfig, not dict",
        ),
        (lambda: FlaskAPIGuard(text_app(), config=SecurityConfig()), "use GuardMiddleware"),
        (lambda: FlaskAPIGuard(Flask("x"), config={"rate_limit": 5}), "SecurityConfig, not dict"),
        (lambda: FlaskAPIGuard(config={"rate_limit": 5}), "SecurityConfig, not dict"),
    ],
)
def test_a_wrong_argument_is_named(make: Callable[[], Any], what: str) -> None:
    with pytest.raises(TypeError, match=what):
        make()


def test_another_store_for_a_running_guard_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    guard = GuardMiddleware(text_app(), SecurityConfig())
    guard.reconfigure(SecurityConfig(rate_limit=5))
    assert "restart the workers" not in caplog.text
    guard.reconfigure(SecurityConfig(store_url=f"lmdb://{tmp_path}/guard"))
    assert "restart the workers" in caplog.text
    guard.close()


def test_a_pattern_that_cant_be_read_is_reported_with_its_place() -> None:
    with pytest.raises(ValueError, match=r"routes has a pattern .* 'foo'"):
        GuardMiddleware(text_app(), routes={"/a/<foo:x>": RouteConfig()})
