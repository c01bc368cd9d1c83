"""An upload service: resumable uploads with tuspy, forms and notebooks with requests."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from peer_files import real_files
from peer_graphql import TEXTS

REQUIREMENTS = ("tuspy", "nbformat", "flask")
SENDS_FILES = True


def app(folder: Path) -> Any:
    """A tus 1.0 server, a form and a notebooks' contents API."""
    from flask import Flask, Response, jsonify, request

    site = Flask(__name__)
    tus = {"Tus-Resumable": "1.0.0"}

    @site.post("/files/")
    def create() -> Response:
        name = uuid.uuid4().hex
        (folder / name).write_bytes(b"")
        return Response(status=201, headers={**tus, "Location": f"{request.host_url}files/{name}"})

    @site.route("/files/<name>", methods=["HEAD", "PATCH"])
    def go_on(name: str) -> Response:
        file = folder / name
        if request.method == "PATCH":
            with file.open("ab") as stream:
                stream.write(request.get_data())
        size = {"Upload-Offset": str(file.stat().st_size)}
        return Response(status=204 if request.method == "PATCH" else 200, headers={**tus, **size})

    @site.get("/files/<name>")
    def read(name: str) -> Response:
        return Response((folder / name).read_bytes())

    @site.post("/form")
    def form() -> Response:
        sizes = {name: len(file.read()) for name, file in request.files.items(multi=True)}
        return jsonify(sizes=sizes, fields=request.form.to_dict())

    @site.put("/api/contents/<path:name>")
    def contents(name: str) -> Response:
        return jsonify(name=name, cells=len(request.get_json()["content"]["cells"]))

    return site


def drive(url: str, folder: Path, step: Any) -> None:
    """Upload real files in each way."""
    import nbformat.v4
    import requests
    from tusclient.client import TusClient

    client = TusClient(url + "/files/")
    session = requests.Session()
    for number, (kind, name, content) in enumerate(real_files(12)):
        file = folder / name
        file.write_bytes(content)

        def resumable(file: Path = file, content: bytes = content) -> None:
            uploader = client.uploader(
                str(file), chunk_size=50_000, metadata={"filename": file.name, "by": "O'Brien"}
            )
            uploader.upload()
            assert session.get(uploader.url, timeout=30).content == content

        def form(file: Path = file, content: bytes = content) -> None:
            files = {"file": (file.name.split("-", 1)[1], content)}
            fields = {"title": "Hand-in", "note": "It's the second version; see page 3"}
            answer = session.post(url + "/form", data=fields, files=files, timeout=60)
            assert answer.status_code == 200, f"{answer.status_code} {answer.text[:200]}"
            assert answer.json() == {"sizes": {"file": len(content)}, "fields": fields}

        step(f"resumes {kind} {name}", resumable)
        step(f"hands in {kind} {name}", form)
        if kind == "python" or number % 7 == 0:
            source = content.decode("utf-8", "replace")
            cells = [
                cell
                for part in source.split("\n\n\n")
                for cell in (
                    nbformat.v4.new_markdown_cell(f"## Part\nSee `{name}` & <b>below</b>"),
                    nbformat.v4.new_code_cell(part),
                )
            ]
            notebook = nbformat.v4.new_notebook(cells=cells)
            document = {"type": "notebook", "format": "json", "content": notebook}

            def save(name: str = name, document: dict[str, Any] = document) -> None:
                answer = session.put(
                    f"{url}/api/contents/work/{name}.ipynb",
                    data=json.dumps(document),
                    headers={"Content-Type": "application/json", "X-XSRFToken": "2|a|b|1"},
                    timeout=60,
                )
                assert answer.status_code == 200, f"{answer.status_code} {answer.text[:200]}"

            if kind == "python":
                step(f"saves the notebook of {name}", save)
    for note in TEXTS:

        def noted(note: str = note) -> None:
            files = {"file": ("photo.jpg", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40)}
            answer = session.post(url + "/form", data={"note": note}, files=files, timeout=60)
            assert answer.status_code == 200, f"{answer.status_code} {answer.text[:200]}"

        step(f"hands in with a note: {note[:30]}", noted)
    begin = b'[{"a": "' + b"{'x': 1} or `ls`; " * 4000
    for first in (b"[", b"{", b"<", b"%PDF", b"PK\x03\x04", b"#!/bin/sh\n", b"<?php echo 1;"):

        def slice_(data: bytes = first + begin) -> None:
            made = session.post(url + "/files/", headers={"Tus-Resumable": "1.0.0"}, timeout=30)
            headers = {
                "Content-Type": "application/offset+octet-stream",
                "Upload-Offset": "0",
                "Tus-Resumable": "1.0.0",
            }
            answer = session.patch(made.headers["Location"], data=data, headers=headers, timeout=30)
            assert answer.status_code == 204, f"{answer.status_code} {answer.text[:200]}"

        step(f"sends a slice that begins with {first!r}", slice_)
