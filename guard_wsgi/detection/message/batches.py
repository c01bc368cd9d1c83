"""Requests in a multipart/mixed body (OData 4.01, part 1, 11.7; batches of Google's APIs).

The media type says that each part is an HTTP message, so its request line and header lines are no
injection. An app dispatches each request as its own, so path, query, headers and body are weighed
as those of a request. A set of changes is a batch within the batch.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final
from urllib.parse import unquote

from guard_wsgi.detection.formats.structure import unfold, whole_json
from guard_wsgi.detection.message.form import form_values
from guard_wsgi.detection.message.multipart import Part, boundaries, part_values, parts
from guard_wsgi.detection.value import Budget, Value, to_text

MEDIA: Final = "multipart/mixed"
MAX_SETS: Final = 1
"""How deep batches nest: sets of changes contain requests only."""
_HEAD_LINE: Final = re.compile(
    rb"content-type: *application/http(?: *; *msgtype=request)?"
    rb"|content-transfer-encoding: *binary|content-id: *<?[\w.@+:=-]{1,200}>?"
    rb"|content-length: *\d+|mime-version: *1\.0",
    re.IGNORECASE,
)
_SET: Final = re.compile(
    rb"content-type: *(multipart/mixed *; *boundary=\"?[\w=.+-]{1,70}\"?) *", re.IGNORECASE
)
# The body of the request ends where the part ends.
_REQUEST: Final = re.compile(
    rb"(?:\r?\n)?(?:GET|HEAD|POST|PUT|PATCH|DELETE|MERGE) +(?:https?://[\w.:-]{1,255})?(\S{1,4096})"
    rb"(?: HTTP/1\.[01])?(?:\r?\n|\Z)"
    rb"((?:(?!transfer-encoding)[\w-]{1,64}:[^\r\n]*(?:\r?\n|\Z)){0,64})(?:\r?\n|\Z)",
    re.IGNORECASE,
)


def batch_values(
    body: bytes,
    found: list[bytes],
    complete: bool,
    max_depth: int,
    budget: Budget,
    contents: bool,
    charsets: Collection[str] = (),
    depth: int = 0,
) -> Iterator[Value]:
    """Yield the values of the requests in a batch, and of other parts as those of a form.

    :param found: the boundaries at which the body is split.
    """
    for boundary in found:
        for part in parts(body, boundary, complete, budget, charsets):
            inner = _SET.fullmatch(part.head)
            request = _REQUEST.match(part.content) if _is_message(part) else None
            if request is not None:
                rest = part.content[request.end() :]
                yield from _request_values(request[1], request[2], rest, max_depth, budget)
            elif inner is not None and depth < MAX_SETS:
                names = boundaries(inner[1].decode("ascii"))
                yield from batch_values(
                    part.content, names, True, max_depth, budget, contents, charsets, depth + 1
                )
            else:
                yield from part_values(part, budget, contents, charsets)


def _is_message(part: Part) -> bool:
    lines = part.head.split(b"\r\n")
    return b"application/http" in part.head.lower() and all(
        _HEAD_LINE.fullmatch(line.strip()) for line in lines
    )


def _request_values(
    target: bytes, head: bytes, body: bytes, max_depth: int, budget: Budget
) -> Iterator[Value]:
    path, _, query = target.partition(b"?")
    shown = unquote(to_text(path)[0])
    yield Value("path", "", shown if shown.startswith("/") else f"/{shown}", "path")
    yield from form_values(query, "query", budget)
    for line in head.splitlines():
        name, _, text = to_text(line)[0].partition(":")
        budget.take_value()
        yield Value("multipart", name.strip().lower(), text.strip(), "header")
    document = whole_json(body)
    if document is not None:
        yield from document.values("json", max_depth, budget)
    elif body.strip():
        yield from unfold(Value("body", "", to_text(body)[0]), budget)
