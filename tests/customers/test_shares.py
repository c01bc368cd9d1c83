"""A share of files behind the guard: what a client has stored it reads back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from guard_wsgi import GuardMiddleware, SecurityConfig
from tests.kit.gateway import Environ, environ_for, serve

NAMES = (
    *(".bashrc", "id_rsa.pub", "passwd", ".env.example", "backup.sql.gz", "wp-config.txt"),
    *("web.config.bak", "php.ini", "notes.php.txt", ".git/config", "settings.py", "site.zip"),
)
README = Path(__file__).parents[2] / "docs" / "detection.md"


def share(**options: Any) -> GuardMiddleware:
    """An app that takes and gives whatever it is asked for."""

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        created = environ["REQUEST_METHOD"] == "PUT"
        start_response("201 Created" if created else "200 OK", [("Content-Type", "text/plain")])
        return [b"served"]

    return GuardMiddleware(app, SecurityConfig(enable_ip_banning=False, **options))


def documented() -> list[dict[str, Any]]:
    """The exclusion that the documentation gives a share."""
    line = next(line for line in README.read_text().splitlines() if "/dav/*" in line)
    words = line.split("`")
    said = next(word for word in words if word.startswith("detection_exclusions="))
    loaded: list[dict[str, Any]] = json.loads(said.partition("=")[2])
    return loaded


@pytest.mark.parametrize("name", NAMES)
def test_a_share_gives_back_what_was_stored(name: str) -> None:
    guard = share(detection_exclusions=documented())
    for method in ("PUT", "PROPFIND", "GET", "HEAD"):
        answer = serve(guard, environ_for(f"/dav/ann/{name}", method=method))
        assert answer.code in (200, 201), (method, answer.body)
    guard.close()


def test_the_exclusion_of_a_share_opens_nothing_else() -> None:
    guard = share(detection_exclusions=documented())
    for path in ("/.env", "/backup.sql.gz", "/dav/x' UNION SELECT password FROM users -- "):
        assert serve(guard, environ_for(path)).code == 400, path
    guard.close()
