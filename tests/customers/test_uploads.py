"""Files of every common type arrive, through each framework and by each way there is."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from guard_wsgi import GuardMiddleware, SecurityConfig
from tests.core.visiting import INJECTION
from tests.customers.apps import FRAMEWORKS, bottle_app, django_app, flask_app
from tests.customers.files import File, files
from tests.kit.gateway import Answer, environ_for, sandwich, serve

SLICE_BYTES = 262_144
TITLE = "Photos of the new kitchen"


class Visitors:
    """Visitors of one guarded site, each upload by another one."""

    def __init__(self, app: Any) -> None:
        config = SecurityConfig()
        self._app = sandwich(app, lambda inner: GuardMiddleware(inner, config))
        self._count = 0

    def send(
        self, path: str, method: str, body: bytes, content_type: str, **headers: str
    ) -> Answer:
        environ = environ_for(path, method=method)
        environ["CONTENT_TYPE"] = content_type
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(body), str(len(body))
        environ.update(headers)
        self._count += 1
        environ["REMOTE_ADDR"] = f"203.0.{self._count // 250}.{self._count % 250 + 1}"
        return serve(self._app, environ)

    def refused(self, sent: bytes, answer: Answer, title: str = "") -> str:
        """Return why an upload did not arrive unchanged; "" if it did."""
        if answer.code != 200:
            return f"{answer.status}: {answer.body[:200]!r}"
        arrived = json.loads(answer.body)
        return "" if arrived == [title, hashlib.sha256(sent).hexdigest()] else "other bytes"


@pytest.fixture(params=FRAMEWORKS, scope="module")
def visitors(request: pytest.FixtureRequest) -> Iterator[Visitors]:
    if request.param == "django":
        with django_app() as app:
            yield Visitors(app)
    else:
        yield Visitors(flask_app() if request.param == "flask" else bottle_app())


def form_of(file: File) -> tuple[bytes, str]:
    """A browser sends it like this, with a field before the file and the button's after it."""
    boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
    disposition = "Content-Disposition: form-data; name="
    head = (
        f'--{boundary}\r\n{disposition}"title"\r\n\r\n{TITLE}\r\n'
        f'--{boundary}\r\n{disposition}"file"; filename="{file.name}"\r\n'
        f"Content-Type: {file.media}\r\n\r\n"
    )
    tail = f'\r\n--{boundary}\r\n{disposition}"send"\r\n\r\nSend\r\n--{boundary}--\r\n'
    return (
        head.encode() + file.content + tail.encode(),
        f"multipart/form-data; boundary={boundary}",
    )


def test_a_form_with_a_file_of_each_type_arrives(visitors: Visitors) -> None:
    refused = {}
    for file in files():
        body, content_type = form_of(file)
        answer = visitors.send("/form", "POST", body, content_type)
        refused[file.name] = visitors.refused(file.content, answer, TITLE)
    assert {name: why for name, why in refused.items() if why} == {}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_file_of_each_type_arrives_by(method: str, visitors: Visitors) -> None:
    refused = {}
    for file in files():
        answer = visitors.send("/raw/file", method, file.content, file.media)
        refused[file.name] = visitors.refused(file.content, answer)
    assert {name: why for name, why in refused.items() if why} == {}


def test_a_file_of_each_type_arrives_in_resumable_slices(visitors: Visitors) -> None:
    """https://tus.io/protocols/resumable-upload: bytes, whatever they begin with."""
    refused = {}
    for file in files():
        starts = range(0, min(len(file.content), 2_000_000), SLICE_BYTES)
        for start in starts:
            piece = file.content[start : start + SLICE_BYTES]
            answer = visitors.send("/raw/x", "PATCH", piece, "application/offset+octet-stream")
            refused[file.name, start] = visitors.refused(piece, answer)
    assert {name: why for name, why in refused.items() if why} == {}


@pytest.mark.parametrize("first", [b"{", b"[", b"<", b'"', b"\x00\x00\x00{", b"a=b"])
def test_a_slice_arrives_whatever_it_begins_with(first: bytes, visitors: Visitors) -> None:
    noise = next(file for file in files() if file.name == "backup.bin").content
    for start in range(0, 2_000_000, 200_000):
        piece = first + noise[start : start + 150_000]
        answer = visitors.send("/raw/x", "PATCH", piece, "application/offset+octet-stream")
        assert visitors.refused(piece, answer) == ""


def test_several_photos_arrive_in_one_form(visitors: Visitors) -> None:
    photo = next(file for file in files() if file.name == "large.jpg")
    body, content_type = form_of(photo)
    last = body.rindex(b"\r\n--", 0, -60)
    photos = body[body.index(b"\r\n--") : last] * 5
    whole = body[: body.index(b"\r\n--")] + photos + body[last:]
    answer = visitors.send("/form", "POST", whole, content_type)
    assert visitors.refused(photo.content, answer, TITLE) == ""


def test_compressed_json_arrives_however_large_it_is(visitors: Visitors) -> None:
    rows = [{"id": n, "name": f"customer {n}", "note": "likes tea"} for n in range(12_000)]
    body = gzip.compress(json.dumps(rows).encode())
    answer = visitors.send(
        "/raw/rows", "POST", body, "application/json", HTTP_CONTENT_ENCODING="gzip"
    )
    assert visitors.refused(body, answer) == ""


def test_an_attack_beside_a_file_is_refused(visitors: Visitors) -> None:
    for file in files()[:12]:
        body, content_type = form_of(file)
        for place in (TITLE.encode(), b"Send\r\n"):
            attacked = body.replace(place, INJECTION.encode() + place[4:], 1)
            assert visitors.send("/form", "POST", attacked, content_type).code == 400
