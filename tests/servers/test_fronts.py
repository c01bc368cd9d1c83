"""uWSGI and mod_wsgi behind nginx and HAProxy, as Debian packages them, and forged headers through
them.

The client connects from 127.0.0.2, which no proxy of ours has.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import site
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.kit.live import ROOT
from tests.state.redis_server import free_port

CLIENT = "127.0.0.2"
FORGED = "6.6.6.6"
SITE_PACKAGES = site.getsitepackages()[0]

PROGRAMS = {
    name: shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    for name in ("nginx", "haproxy", "uwsgi", "apache2")
}
MISSING = [name for name, path in PROGRAMS.items() if path is None]

pytestmark = [
    pytest.mark.skipif(bool(MISSING) and "CI" not in os.environ, reason=f"no {MISSING}"),
    # They are linked against the system's Python, which must take this one's packages.
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="Debian's Python is 3.11"),
]

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_http_version 1.1; proxy_set_header Host $host; proxy_pass {target};
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Forwarded "$http_forwarded, for=$remote_addr;proto=http";
    }}
  }}
}}
"""

HAPROXY = """
global
  maxconn 64
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend front
  bind 127.0.0.1:{port}
  option forwardfor
  http-request add-header Forwarded for=%[src];proto=http
  default_backend app
backend app
  server app {target}
"""

APACHE = """
ServerRoot {folder}
PidFile {folder}/apache.pid
ErrorLog {folder}/apache.log
ServerName localhost
Listen 127.0.0.1:{port}
User {user}
Group {group}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule wsgi_module /usr/lib/apache2/modules/mod_wsgi.so
WSGISocketPrefix {folder}/wsgi
WSGIDaemonProcess app processes=1 threads=4 python-path={root}:{packages}
WSGIProcessGroup app
WSGIApplicationGroup %{{GLOBAL}}
WSGIPassAuthorization On
WSGIScriptAlias / {folder}/app.wsgi
<Directory {folder}>
  AllowOverride None
  Require all granted
</Directory>
"""


@contextmanager
def running(command: list[str], ready: Any, **options: Any) -> Iterator[None]:
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, start_new_session=True, **options
    )
    try:
        deadline = time.monotonic() + 40
        while not ready():
            assert process.poll() is None, f"{command[0]} has ended"
            assert time.monotonic() < deadline, f"{command[0]} does not answer"
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):  # what of its workers is left
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def named(program: str) -> str:
    path = PROGRAMS[program]
    assert path is not None, f"CI must install {program}"
    return path


@contextmanager
def uwsgi(folder: Path, header: str) -> Iterator[dict[str, str]]:
    path = folder / "uwsgi.sock"
    command = [
        *(named("uwsgi"), "--plugin", "python3", "--http-socket", str(path), "--master"),
        *("--need-app", "--enable-threads", "--lazy-apps", "--die-on-term", "--disable-logging"),
        *("--chdir", str(ROOT), "--pythonpath", str(ROOT), "--pythonpath", SITE_PACKAGES),
        *("--module", "tests.servers.fronts_app:application", "--chmod-socket=666"),
    ]
    environment = {**os.environ, "FRONTS_HEADER": header}
    with running(command, path.exists, env=environment, stderr=subprocess.DEVNULL):
        yield {"nginx": f"http://unix:{path}", "haproxy": f"unix@{path}"}


@contextmanager
def mod_wsgi(folder: Path, header: str) -> Iterator[dict[str, str]]:
    port = free_port()
    (folder / "app.wsgi").write_text(
        f"import os; os.environ['FRONTS_HEADER'] = {header!r}\n"
        "from tests.servers.fronts_app import application\n"
    )
    user = "www-data" if getpass.getuser() == "root" else getpass.getuser()
    configuration = APACHE.format(
        folder=folder, port=port, root=ROOT, packages=SITE_PACKAGES, user=user, group=user
    )
    (folder / "apache.conf").write_text(configuration)
    command = [named("apache2"), "-f", str(folder / "apache.conf"), "-D", "FOREGROUND"]
    with running(command, lambda: answers(port)):
        yield {"nginx": f"http://127.0.0.1:{port}", "haproxy": f"127.0.0.1:{port}"}


@contextmanager
def nginx(folder: Path, targets: dict[str, str]) -> Iterator[int]:
    port = free_port()
    path = folder / "nginx.conf"
    path.write_text(NGINX.format(folder=folder, port=port, target=targets["nginx"]))
    command = [named("nginx"), "-c", str(path), "-p", str(folder)]
    with running(command, lambda: answers(port)):
        yield port


@contextmanager
def haproxy(folder: Path, targets: dict[str, str]) -> Iterator[int]:
    port = free_port()
    path = folder / "haproxy.cfg"
    path.write_text(HAPROXY.format(port=port, target=targets["haproxy"]))
    with running([named("haproxy"), "-f", str(path), "-db", "-q"], lambda: answers(port)):
        yield port


SERVERS = {"uwsgi": uwsgi, "mod_wsgi": mod_wsgi}
FRONTS = {"nginx": nginx, "haproxy": haproxy}


@pytest.fixture(
    scope="module",
    params=[
        (server, front, header)
        for server in SERVERS
        for front in FRONTS
        for header in ("x-forwarded-for", "forwarded")
    ],
    ids=lambda param: "-".join(param),
)
def front(
    request: pytest.FixtureRequest,
) -> Iterator[int]:
    """The port of the proxy."""
    server, proxy, header = request.param
    # Not below pytest's folder, which is for its user alone.
    with tempfile.TemporaryDirectory(prefix="fronts-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        with SERVERS[server](folder, header) as targets, FRONTS[proxy](folder, targets) as port:
            yield port


def ask(port: int, path: str, headers: list[tuple[str, str]] = []) -> tuple[int, bytes]:  # noqa: B006
    connection = HTTPConnection("127.0.0.1", port, 30, source_address=(CLIENT, 0))
    connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", "Shop.Example")
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    status, body = response.status, response.read()
    connection.close()
    return status, body


FORGERIES = [
    [],
    [("X-Forwarded-For", FORGED)],
    [("X-Forwarded-For", FORGED), ("X-Forwarded-For", "127.0.0.1")],
    [("X-Forwarded-For", f"{FORGED}, 127.0.0.1")],
    [("X_Forwarded_For", FORGED)],
    [("X-Forwarded-For", f'"{FORGED}')],
    [("X-Real-IP", FORGED), ("True-Client-IP", FORGED), ("Client-IP", FORGED)],
    [("Forwarded", f"for={FORGED}")],
    [("Forwarded", f'for="{FORGED}')],
    [("Forwarded", f'for={FORGED};host="a')],
    [("Forwarded", f"for={FORGED}, for=127.0.0.1")],
    [("Forwarded", f'by="_x;for={FORGED}')],
    [("Forwarded", "for=127.0.0.1;\\")],
    [("Connection", "close, X-Forwarded-For"), ("X-Forwarded-For", FORGED)],
]


@pytest.mark.timeout(180)
def test_the_client_is_who_connected_whatever_it_says(front: int) -> None:
    for headers in FORGERIES:
        status, body = ask(front, "/who", headers)
        assert status == 200, (headers, body)
        assert f'"{CLIENT}"'.encode() in body, (headers, body)


PATHS = [
    *("/admin/users", "/admin//users", "//admin/users", "/admin/./users", "/x/../admin/users"),
    *("/admin/%75sers", "/%61dmin/users", "/admin%2fusers", "/admin/%ffusers", "/admin/users%00"),
    *(
        "/admin/users;x",
        "/x/..;/admin/users",
        "/admin/users/",
        "/admin/users?x=1",
        "/who/../admin/a",
    ),
    *("/admin/%2e%2e/admin/users", "/x/%2e%2e/admin/users", "/admin%5cusers", "/ADMIN/users"),
]


@pytest.mark.timeout(180)
def test_no_spelling_of_a_path_leads_past_a_rule(front: int) -> None:
    for path in PATHS:
        status, body = ask(front, path)
        assert b"secret" not in body, path
        assert status in (308, 400, 401, 404), (path, status)
    assert ask(front, "/admin/users", [("Authorization", "Bearer s3cret")])[0] == 200
