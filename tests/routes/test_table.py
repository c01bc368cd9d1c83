"""Every framework, kind of view, spelling of a path and method: the rule applies."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from tests.kit.gateway import environ_for, serve
from tests.routes.frameworks import TOKEN
from tests.routes.views import (
    BOTTLE,
    DJANGO,
    FLASK,
    PATH,
    PATTERNS,
    bottle_app,
    django_app,
    flask_app,
    patterns_app,
)

SPELLINGS = [
    *("/admin/users", "/admin/users/", "//admin/users", "/admin//users", "/admin/users//"),
    *("/admin/./users", "/x/../admin/users", "/admin/x/../users", "/./admin/users/."),
    *("/admin/users;x=1", "/admin;x/users", "/admin\\users", "/x/..;/admin/users"),
    *("/ADMIN/USERS", "/admin/users.json", "/admin/users%00", "/admin/users\x00", "/admin/users "),
    *("/admin/\xffusers", "/\xffadmin/users", "/admin/users\xff", "/ad\xc3\xa9min/users"),
    *("/admin/\xe2\x80\x8busers", "/\xef\xbc\x8fadmin/users", "/admin/%75sers", "/%61dmin/users"),
    *("/admin/user\xc3", "admin/users", "", "/de/admin/users/", "/DE/admin/users/"),
]
METHODS = [
    *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"),
    *("get", "Post", "PROPFIND", "PROXY", "ANY"),
]
PREFLIGHT = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}

APPS: list[tuple[str, str]] = [
    *(("flask", kind) for kind in FLASK),
    *(("django", kind) for kind in DJANGO),
    *(("bottle", kind) for kind in BOTTLE),
    *(("patterns", kind) for kind in PATTERNS),
]


def build(framework: str, kind: str, ran: Any, monkeypatch: Any) -> Any:
    if framework == "django":
        return django_app(kind, ran, monkeypatch)
    builders: dict[str, Any] = {
        "flask": flask_app,
        "bottle": bottle_app,
        "patterns": patterns_app,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Bottle's mounts
        return builders[framework](kind, ran)


def asked(app: Any, path: str, method: str, headers: dict[str, str]) -> int:
    environ = environ_for("/", headers=headers)
    environ["REQUEST_METHOD"] = method
    environ["PATH_INFO"] = path
    return serve(app, environ).code


@pytest.mark.parametrize(("framework", "kind"), APPS, ids=lambda part: part)
def test_the_view_runs_for_nobody_without_the_token(
    framework: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[str] = []

    def ran() -> str:
        runs.append(current)
        return "secret"

    app = build(framework, kind, ran, monkeypatch)
    served = set()
    for method in METHODS:
        for path in SPELLINGS:
            current = f"{method} {path!r}"
            asked(app, path, method, PREFLIGHT if method == "OPTIONS" else {})
            assert runs == [], current
            asked(app, path, method, TOKEN)
            served.update(runs)
            runs.clear()
    # The table would prove nothing if nothing were served.
    assert {f"GET {PATH!r}", f"GET {PATH + '/'!r}"} & served
    assert any(run.startswith(("POST", "get", "HEAD")) for run in served), served
