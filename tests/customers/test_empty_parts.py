"""Parts of a form without content. In the form that werkzeug's test client writes, the line end of
the delimiter is also that of the head (RFC 2046, 5.1.1)."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask, request

from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig


@pytest.fixture
def client() -> Any:
    app = Flask(__name__)

    @app.post("/upload")
    def upload() -> dict[str, Any]:
        files = {name: file.filename for name, file in request.files.items()}
        return {"form": request.form.to_dict(), "files": files}

    FlaskAPIGuard(app, config=SecurityConfig())
    return app.test_client()


@pytest.mark.parametrize("filename", ["", "btmp", "README", "a.txt", "empty file.png", "日本.pdf"])
@pytest.mark.parametrize("title", ["", "x"])
def test_an_empty_file_of_the_test_client_passes(client: Any, filename: str, title: str) -> None:
    data = {"title": title, "file": (io.BytesIO(b""), filename), "other": ""}
    answer = client.post("/upload", data=data)
    assert answer.status_code == 200
    assert answer.json["form"]["title"] == title


@pytest.mark.parametrize(
    "line",
    [
        b'Content-Disposition: form-data; name="x\' UNION SELECT password FROM users--"',
        b'Content-Disposition: form-data; name="x"\r\nX-A: \' UNION SELECT password FROM users--',
        b"' UNION SELECT password FROM users--",
        # Over several lines, none of which is an attack alone: no head, but content.
        b"1'\r\nUNION\r\nSELECT\r\npassword\r\nFROM\r\nusers",
        b"$(\r\nid\r\n)",
    ],
)
def test_an_attack_in_a_part_without_content_is_refused(client: Any, line: bytes) -> None:
    body = b"--B\r\n" + line + b"\r\n\r\n--B--\r\n"
    answer = client.post("/upload", data=body, content_type="multipart/form-data; boundary=B")
    assert answer.status_code == 400
