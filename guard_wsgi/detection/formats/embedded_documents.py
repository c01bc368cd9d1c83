"""Documents in a text: JSON, also in base64 and in tokens."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any, Final

from guard_wsgi.detection.value import BudgetSpent

# Only a document with a namespace or a declaration; HTML fragments are not parsed.
XML_DOCUMENT = re.compile(
    r"\s*(?:<\?xml\s[^>]*\?>\s*)?<[\w-]+:[\w.-]+\s[^<>]*xmlns|\s*<\?xml\s[^>]*\?>\s*"
    r"(?:<!DOCTYPE\s[^<>\[\]]{1,400}(?:\[[^\[\]]{1,8000}\]\s*)?>\s*)?<[\w.:-]+[\s/>]"
)


class Pairs(list[tuple[str, Any]]):
    """An object's pairs in order, with repeats: a dict would hide the first of two."""


# Optimization: `json.loads` with options makes a decoder each time, which takes as long as a short
# document.
decode_json: Final = json.JSONDecoder(object_pairs_hook=Pairs, strict=False).decode
"""Parses a text as JSON: lists, `Pairs`, texts.

:raises ValueError: if it is none.
:raises RecursionError: if it nests too deeply.
"""

_TOKEN: Final = re.compile(r"[\w-]+={0,2}(?:\.[\w-]*={0,2}){1,4}", re.ASCII)


def token_documents(text: str) -> list[tuple[str, str]]:
    """Return the header and the claims of a JSON Web Token (RFC 7519), if it has nothing else but
    the signature. For what itsdangerous signs, return its one document."""
    if not _TOKEN.fullmatch(text):
        return []
    found = []
    for name, part in zip(("header", "claims"), text.split("."), strict=False):
        inner = document_in_base64(part)
        if inner is None:
            break
        found.append((name, inner))
    return found


def document_in_base64(text: str) -> str | None:
    """Return the JSON or XML document that is the whole content of a base64 text; ``None`` for
    anything else."""
    # Optimization: most are no document, and their first bytes say so.
    if not _begins_document(text[:_BEGINNING_CHARS]):
        return None
    body = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4))
    except (binascii.Error, ValueError):
        return None
    try:
        inner = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if inner.lstrip()[:1] == "<":
        return inner if XML_DOCUMENT.match(inner) else None
    return inner if parsed_json(inner) is not None else None


_BEGINNING_CHARS: Final = 88
"""Of base64: 64 bytes."""


def _begins_document(text: str) -> bool:
    body = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4))
    except (binascii.Error, ValueError):
        return False
    return data[:64].lstrip()[:1] in (b"{", b"[", b"<", b'"')


def parsed_json(text: str) -> Any:
    """Parse JSON; ``None`` for anything but a text, a list or an object.

    :raises BudgetSpent: if it nests deeper than the parser can go.
    """
    try:
        root = decode_json(text)
    except RecursionError:
        raise BudgetSpent("max_json_depth") from None
    except ValueError:
        return None
    return root if isinstance(root, (str, list)) else None
