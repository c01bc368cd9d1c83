"""First lines of code with the guard: for a wrong line, the message says what to write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from guard_wsgi import GuardMiddleware, SecurityConfig
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
