"""Bait fields are seen in forms of any size, and the app reads the form whole."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from guard_wsgi import RouteConfig, SecurityConfig
from guard_wsgi.checks.honeypot_fields import filled_in
from tests.core.visiting import Site

ROUTES = {"/<path:any>": RouteConfig(honeypot_fields=("fax",))}
SIZES = [0, 300_000, 3_000_000]


def reading(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    left = int(environ["CONTENT_LENGTH"])
    while left and (chunk := environ["wsgi.input"].read(min(left, 65_536))):
        left -= len(chunk)
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield str(int(environ["CONTENT_LENGTH"]) - left).encode()


@pytest.fixture
def site() -> Site:
    config = SecurityConfig(enable_penetration_detection=False)
    return Site(config, routes=ROUTES, app=reading)


def multipart(size: int, **fields: str) -> dict[str, Any]:
    upload = FileStorage(io.BytesIO(b"\xff" * size), filename="a.bin")
    boundary, data = encode_multipart({"upload": upload, **fields})
    return {"data": data, "content_type": f"multipart/form-data; boundary={boundary}"}


def urlencoded(size: int, **fields: str) -> dict[str, Any]:
    pairs = "&".join([f"long={'x' * size}", *(f"{name}={value}" for name, value in fields.items())])
    return {"data": pairs.encode(), "content_type": "application/x-www-form-urlencoded"}


def in_json(size: int, **fields: str) -> dict[str, Any]:
    data = json.dumps({"long": "x" * size, **fields}).encode()
    return {"data": data, "content_type": "application/json"}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [multipart, urlencoded, in_json])
@pytest.mark.parametrize("ends_by_itself", [False, True])
def test_a_bait_behind_a_large_part_is_seen(
    site: Site, kind: Any, size: int, ends_by_itself: bool
) -> None:
    server = {"wsgi.input_terminated": True} if ends_by_itself else {}
    filled = kind(size, name="a", fax="1")
    assert site.visit("/form", method="POST", server=server, **filled).code == 403
    empty = kind(size, name="a", fax="")
    answer = site.visit("/form", method="POST", server=server, **empty)
    assert answer.code == 200
    assert answer.body == str(len(empty["data"])).encode()


@pytest.mark.parametrize("size", SIZES)
def test_a_form_that_breaks_off_is_refused(site: Site, size: int) -> None:
    form = multipart(size, fax="1")
    form["data"] = form["data"][: -len(form["data"]) // 3 or None][:-200]
    assert site.visit("/form", method="POST", **form).code in (400, 403)


def test_other_bodies_pass(site: Site) -> None:
    for kind in ("text/plain", "application/octet-stream", "image/png"):
        data = b"fax=1" + b"x" * 300_000
        assert site.visit("/f", method="PUT", data=data, content_type=kind).code == 200


_names = st.sampled_from(["fax", "name", "fa", "x", "fax2", "%66ax", "f+x"])


@given(st.lists(st.tuples(_names, st.sampled_from(["", "1", "y" * 70_000])), max_size=6))
def test_a_form_in_pieces_reads_as_in_one(pairs: list[tuple[str, str]]) -> None:
    from urllib.parse import parse_qsl

    data = "&".join(f"{name}={value}" for name, value in pairs)
    expected = any(name == "fax" and value for name, value in parse_qsl(data, True))
    kind = "application/x-www-form-urlencoded"
    assert (filled_in(io.BytesIO(data.encode()), kind, ["fax"]) == "fax") is expected
