"""Labelled requests: the records of a corpus, and the environs that a server makes of them."""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes


def load(paths: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Labelled records of files and folders, without those held back for judging."""
    for path in map(Path, paths):
        files = sorted(path.glob("*.jsonl*")) if path.is_dir() else [path]
        for file in files:
            opener = gzip.open if file.suffix == ".gz" else open
            with opener(file, "rt", encoding="utf-8") as lines:
                for line in lines:
                    record = json.loads(line)
                    held = record.get("meta", {}).get("fold") == "held"
                    if record["label"] in ("attack", "benign") and not held:
                        yield record


def environ_of(record: dict[str, Any]) -> dict[str, Any]:
    """The WSGI environ a server would make of the record (PEP 3333)."""
    body = record.get("body") or ""
    data = (
        base64.b64decode(body)
        if record.get("body_enc") == "base64"
        else body.encode("utf-8", "surrogatepass")
    )
    path = (record["path"] or "/").encode("utf-8", "surrogatepass")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": record["method"],
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": (record["query"] or "").encode("utf-8", "surrogatepass").decode("latin-1"),
        "wsgi.input": io.BytesIO(data),
    }
    for name, value in record["headers"].items():
        text = str(value).encode("utf-8", "surrogatepass").decode("latin-1")
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key] = text
    return environ
