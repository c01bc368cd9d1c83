"""nginx before the app, speaking the uwsgi protocol: it puts chunks together and leaves the header.

Needs nginx (``apt-get install nginx-light``); gunicorn understands its protocol.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.live import ROOT

NGINX = shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else None)

pytestmark = pytest.mark.skipif(
    NGINX is None and "CI" not in os.environ, reason="nginx is not installed"
)

CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen unix:{folder}/nginx.sock;
    location / {{ include /etc/nginx/uwsgi_params; uwsgi_pass 127.0.0.1:{port}; }}
    location /plain/ {{ proxy_http_version 1.1; proxy_pass http://127.0.0.1:{plain}/; }}
  }}
}}
"""


def gunicorn(listener: socket.socket, protocol: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}"),
            *("--protocol", protocol, "--no-control-socket", "--log-level", "warning"),
            "tests.servers.contract_app:guarded()",
        ],
        cwd=ROOT,
        pass_fds=[listener.fileno()],
    )


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The path of its socket."""
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o777)
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    port, plain = (listener.getsockname()[1] for listener in listeners)
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port, plain=plain))
    assert NGINX is not None, "CI must install nginx"
    processes = [gunicorn(listeners[0], "uwsgi"), gunicorn(listeners[1], "http")]
    processes.append(subprocess.Popen([NGINX, "-c", str(folder / "nginx.conf"), "-p", str(folder)]))
    path = str(folder / "nginx.sock")
    deadline = time.monotonic() + 30
    while not Path(path).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    yield path
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(10)
    for listener in listeners:
        listener.close()


def ask(path: str, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(path)
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


HEAD = b"POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: %s\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
FORM = b"application/x-www-form-urlencoded"


def chunks(*data: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in (*data, b""))


@pytest.mark.parametrize("path", [b"/echo", b"/plain/echo"])
def test_a_chunked_upload_reaches_the_app(nginx: str, path: bytes) -> None:
    answer = ask(nginx, HEAD % (path, b"text/plain") + CHUNKED + chunks(b"hello ", b"world"))
    assert answer.startswith(b"HTTP/1.1 200"), answer
    assert b'"length": 11' in answer


def test_a_chunked_attack_is_found(nginx: str) -> None:
    attack = b"q=1'+UNION+SELECT+password+FROM+users--"
    answer = ask(nginx, HEAD % (b"/echo", FORM) + CHUNKED + chunks(attack[:9], attack[9:]))
    assert answer.startswith(b"HTTP/1.1 400"), answer
    assert b"Reference:" in answer  # the guard's


def test_a_length_beside_chunks_stays_a_400(nginx: str) -> None:
    smuggled = b"Content-Length: 4\r\n" + CHUNKED + chunks(b"hello")
    for path in (b"/echo", b"/plain/echo"):
        assert b" 400 " in ask(nginx, HEAD % (path, b"text/plain") + smuggled)[:20]
