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


KEY = {"headers": {"Authorization": "Basic YW5uOnNlY3JldA=="}}
DAV_NAMES = (
    *NAMES,
    *(".env", ".DS_Store", "id_rsa", "backup.sql", "wp-config.php", ".htaccess", "dump.sql.gz"),
    *(".ssh/config", ".aws/credentials", "shadow", "phpinfo.php", ".svn/entries", "web.config"),
)


def webdav(root: str, **options: Any) -> GuardMiddleware:
    """A site with a share below one folder, for clients that have logged in."""

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        method, status = environ["REQUEST_METHOD"], "200 OK"
        if environ["PATH_INFO"].startswith(root):
            if environ.get("HTTP_AUTHORIZATION") != KEY["headers"]["Authorization"]:
                status = "401 Unauthorized"
            else:
                answers = {"PROPFIND": "207 Multi-Status", "PUT": "201 Created"}
                status = answers.get(method, "200 OK")
        elif method not in ("GET", "HEAD", "POST"):
            status = "405 Method Not Allowed"
        start_response(status, [("Content-Type", "text/plain")])
        return [b"served"]

    return GuardMiddleware(app, SecurityConfig(enable_ip_banning=False, **options))


def codes(guard: GuardMiddleware, path: str, *methods: str, **options: Any) -> list[int]:
    found = []
    for method in methods:
        environ = environ_for("/", method=method, **options)
        environ["PATH_INFO"] = path  # as it is
        found.append(serve(guard, environ).code)
    return found


@pytest.mark.parametrize("root", ["/dav/", "/"])
def test_a_client_reads_what_the_app_has_listed_for_it(root: str) -> None:
    guard = webdav(root)
    assert codes(guard, root + "ann/", "PROPFIND", **KEY) == [207]
    for name in DAV_NAMES:
        asked = ("PROPFIND", "GET", "HEAD", "PUT", "LOCK", "MOVE", "DELETE")
        found = codes(guard, f"{root}ann/{name}", *asked, **KEY)
        assert 400 not in found, (name, found)
    guard.close()


def test_a_client_reads_the_file_that_the_app_has_taken() -> None:
    guard = webdav("/files/")
    assert codes(guard, "/files/.env", "GET", **KEY) == [400]
    assert codes(guard, "/files/.env", "PUT", "GET", **KEY) == [201, 200]
    # Of its neighbours nothing is known.
    assert codes(guard, "/files/.git/config", "GET", **KEY) == [400]
    guard.close()


def test_who_only_claims_a_share_gains_nothing() -> None:
    guard = webdav("/dav/")
    # What the app has not answered for: without a login, and where no share is.
    for path in ("/dav/", "/", "/.env", "/backup/"):
        codes(guard, path, "PROPFIND", "PUT", "OPTIONS", "MKCOL")
    for path in ("/.env", "/dav/.env", "/backup/dump.sql.gz", "/dav/ann/.git/config"):
        assert codes(guard, path, "GET", "HEAD", **KEY) == [400, 400], path
    # A share below one folder opens no other one, by no way out of it, and no attack in its names.
    assert codes(guard, "/dav/ann/", "PROPFIND", **KEY) == [207]
    for path in (
        *("/.env", "/dav2/.env", "/dav/.env", "/dav/ann/../../.env", "/dav/ann/..;/.env"),
        *("/dav/ann//../.env", "/dav/ann/%2e%2e/.env", "/dav/ann\\..\\.env"),
        "/dav/ann/x' UNION SELECT password FROM users -- ",
        "/dav/ann/<script>alert(1)</script>",
        "/dav/ann/../../../../etc/passwd",
    ):
        assert codes(guard, path, "GET", **KEY) == [400], path
    assert codes(guard, "/dav/ann/.env", "GET", **KEY) == [200]
    query = environ_for("/dav/ann/.env", query_string="file=../../../../etc/passwd", **KEY)
    assert serve(guard, query).code == 400
    guard.close()


def test_an_app_that_is_not_webdav_teaches_nothing() -> None:
    """Many apps answer any method, with 200 or with a refusal."""

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"served"]

    guard = GuardMiddleware(app, SecurityConfig(enable_ip_banning=False))
    codes(guard, "/", "PROPFIND", "PUT")
    codes(guard, "/.env", "PROPFIND", "PUT")
    assert codes(guard, "/.env", "GET") == [400]
    guard.close()


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
