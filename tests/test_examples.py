"""The examples do what they say."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from werkzeug.test import Client

from guard_wsgi.config.security import SecurityConfig
from tests.kit.live import LiveServer

EXAMPLES = Path(__file__).parents[1] / "examples"


def load(name: str) -> ModuleType:
    spec = spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def client_of(app: Any) -> Client:
    return Client(app)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the example is tried with curl")
def test_the_flask_example_prints_commands_that_show_what_they_say() -> None:
    example = load("flask_app")
    with LiveServer("werkzeug", "examples.flask_app:app") as server:
        outcomes = []
        for what, command in example.curl_lines(server.url):
            quiet = command.replace("curl -i", "curl -s -o /dev/null -w '%{http_code}\\n'")
            done = subprocess.run(["sh", "-c", quiet], capture_output=True, text=True, timeout=60)
            outcomes.append((what, done.stdout))
    flood = outcomes.pop()
    for what, code in outcomes:
        said = re.search(r"\d{3}", what)
        assert code.strip() == (said[0] if said else "200"), what
    counts = {code: int(count) for count, code in re.findall(r"(\d+) (\d{3})", flood[1])}
    assert set(counts) == {"200", "429"}
    assert sum(counts.values()) == 80


def test_the_flask_example_serves_on_its_port_and_says_so() -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 8000)) == 0:
            pytest.skip("port 8000 is taken on this machine")
    process = subprocess.Popen(
        [sys.executable, "-u", str(EXAMPLES / "flask_app.py")],
        env={**os.environ, "PYTHONPATH": str(EXAMPLES.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        printed = "".join(process.stdout.readline() for _ in range(24))
    finally:
        process.kill()
        process.communicate()
    assert "A guarded app on http://127.0.0.1:8000/" in printed
    assert printed.count("  curl -i ") == 6


def test_the_factory_example_knows_its_callers() -> None:
    client = load("flask_factory").create_app().test_client()
    key = {"X-API-Key": "example-key-of-ann"}
    assert client.get("/api/me").status_code == 401
    assert client.get("/api/me", headers={"X-API-Key": "guess"}).status_code == 401
    assert client.get("/api/me", headers=key).get_json() == {"name": "ann"}
    assert client.get("/api/notes").status_code == 200
    assert client.post("/api/notes", json={}).status_code == 401
    assert client.post("/api/notes", data="text", headers=key).status_code == 415
    assert client.post("/api/notes", json={"a": "b" * 20_000}, headers=key).status_code == 413
    assert client.post("/api/notes", json={"a": "b"}, headers=key).status_code == 201


def test_the_plain_example_keeps_strangers_out_of_a_part() -> None:
    client = client_of(load("plain_wsgi").app)
    near = {"environ_base": {"REMOTE_ADDR": "127.0.0.1"}}
    far = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}
    assert client.get("/admin/users", **near).status_code == 200
    assert client.get("/admin/users", **far).status_code == 403
    assert client.get("/", **far).text == "hello, 203.0.113.9\n"
    codes = [client.post("/login", **far).status_code for _ in range(6)]
    assert codes == [200] * 5 + [429]


def test_the_bottle_example_limits_its_login() -> None:
    client = client_of(load("bottle_app").app)
    far = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}
    assert client.get("/hello/ann", **far).text == "hello, ann"
    codes = [client.post("/login", data={"user": "ann"}, **far).status_code for _ in range(6)]
    assert codes == [200] * 5 + [429]


def test_the_django_example_limits_its_login() -> None:
    # In its own process, because Django's settings are for a whole process.
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from django_app import app\n"
        "from werkzeug.test import Client\n"
        "client = Client(app)\n"
        "far = {'environ_base': {'REMOTE_ADDR': '203.0.113.9'}}\n"
        "asked = {'headers': {'X-Requested-With': 'fetch'}, **far}\n"
        "print(client.get('/', **far).text)\n"
        "print(client.get('/login', **far).status_code)\n"
        "print(*[client.get('/login', **asked).status_code for _ in range(6)])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(EXAMPLES)],
        env={**os.environ, "PYTHONPATH": str(EXAMPLES.parent)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.splitlines() == [
        "hello, 203.0.113.9",
        "400",
        "200 200 200 200 200 429",
    ], done.stderr


def test_the_configuration_file_can_be_served() -> None:
    config = SecurityConfig.from_toml(EXAMPLES / "guard.toml")
    assert config.passive_mode
    assert config.endpoint_rate_limits == {"/login": (5, 60)}


def test_the_gunicorn_settings_are_known_to_gunicorn() -> None:
    from gunicorn.config import Config

    known = Config().settings
    for name, value in _settings(EXAMPLES / "gunicorn.conf.py").items():
        assert name in known
        Config().set(name, value)


def _settings(path: Path) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    exec(compile(path.read_text(), str(path), "exec"), namespace)
    return {
        name: value
        for name, value in namespace.items()
        if not name.startswith("_") and name != "annotations"
    }
