"""Real files for clients to send: what is on this machine, and what was given to be sent."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

FOLDERS = "PEER_FILES"
"""Variable that names the folders to look in."""

KINDS = {
    "javascript": "*.js",
    "shell": "*.sh",
    "svg": "*.svg",
    "python": "*.py",
    "html": "*.html",
    "css": "*.css",
    "markdown": "*.md",
    "text": "*.txt",
    "restructured": "*.rst",
    "json": "*.json",
    "yaml": "*.y*ml",
    "toml": "*.toml",
    "configuration": "*.cfg",
    "translation": "*.po",
    "sql": "*.sql",
    "xml": "*.xml",
    "image": "*.png",
    "photo": "*.jpg",
    "font": "*.woff2",
    "pdf": "*.pdf",
    "zip": "*.zip",
    "notebook": "*.ipynb",
    "wheel": "*.whl",
}


def real_files(
    per_kind: int, kinds: tuple[str, ...] = tuple(KINDS)
) -> Iterator[tuple[str, str, bytes]]:
    """(kind, name, content) of up to ``per_kind`` files of each kind, the same at every run."""
    folders = [Path(folder) for folder in os.environ[FOLDERS].split(os.pathsep)]
    for kind in kinds:
        found = [
            path
            for folder in folders
            for path in sorted(folder.rglob(KINDS[kind]))
            if path.is_file() and 0 < path.stat().st_size < 3_000_000
        ]
        random.Random(kind).shuffle(found)
        for number, path in enumerate(found[:per_kind]):
            yield kind, f"{number:03}-{path.name}", path.read_bytes()
