# ruff: noqa: E501  (tables of names)
"""Fields in which published formats carry programs, files and the origins of files.

A webhook of a code host lists the files of a commit, an error report quotes the lines around a
fault, a notebook consists of programs, and a source map contains the sources themselves. Such a
field is content, like that of an uploaded file: a program there is not evidence.

A field is recognised by its whole path from the root of a JSON body, so the app itself reads it
from there. In a text that itself contains JSON, the sender chooses the names, so no text in it is
content (`kind_if_given`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from guard_wsgi.detection.relaxations.boot_scripts import HINTS, is_boot_script
from guard_wsgi.detection.relaxations.published_formats import (
    BLOCK_PATHS,
    CARRIED_PATHS,
    CONTENT_PATHS,
    FILE_PATHS,
    MESSAGE_PATHS,
    PLACE_PATHS,
    SCHEMA_PATHS,
    SOURCE_PATHS,
    URI_PATHS,
    WORK_PATHS,
    WRITTEN_PATHS,
)
from guard_wsgi.detection.relaxations.shown_files import is_plain_path
from guard_wsgi.detection.value import CARRIED, CONTENT, GIVEN, PLACE, Value

# A program or a style sheet as bundlers name it; reading one reveals nothing.
_SOURCE: Final = re.compile(
    r"(?:webpack(?:-\w+)?|ng|app|vite|rollup|parcel|turbopack):/{2,3}[\w./@~+()\[\] -]*(?:\?[\w-]{0,40})?"
    r"|(?:file:///(?:[a-zA-Z]:/)?|/)?(?:\.{1,2}/)*(?:[\w@~+()\[\] -][\w.@~+()\[\] -]*/)*[\w@~+()\[\] -][\w.@~+()\[\] -]*\.(?:[cm]?[jt]sx?|vue|svelte|s?css|sass|less|coffee|dart)(?:\?[\w-]{0,40})?"
)
_FILE_URI: Final = re.compile(r"file:///(?!.*\.\.)[\w./%@:+~() -]{1,400}")
# A schema file in a folder of the project itself.
_SCHEMA: Final = re.compile(r"(?:\.{1,2}/){0,6}(?:[\w-][\w.-]*/){0,8}[\w-][\w.-]*\.(?:json|ya?ml)")
# These contain nothing of the system.
_WORK_FOLDER: Final = re.compile(
    r"/(?=(?:home|users|repo|repos|src|app|work|workspaces?|projects?|code|srv|opt|tmp|mnt|data|var/www)/)|[a-z]:[/\\]",
    re.IGNORECASE,
)
# Commands of tasks, hooks, builds, services and migrations, and their environment variables, by the
# last name of a path that is not at the root.
_GIVEN_TO_RUN: Final = re.compile(
    r"(?:\w*?_?(?i:commands?|cmds?|scripts?|executable)|run|entrypoint|shell|ps|pwsh|bash"
    r"|(?:before|after|pre|post)_(?:script|install|build|test|deploy|publish|start|stop|success|failure))(?:\[\])*|(?:args|entry|install)(?:\[\])+|entry"
)
_VARIABLE: Final = re.compile(
    r"(?:.+\.)?(?i:env|environment|env_?vars|variables)(?:\.\w+|\[\]\.value)"
)
MAX_PATH_CHARS: Final = 99
"""A longer path has lost its beginning, and may look like another path."""

_PATHS: Final = (
    *(CONTENT_PATHS, PLACE_PATHS, FILE_PATHS, WORK_PATHS, SOURCE_PATHS, SCHEMA_PATHS, URI_PATHS),
    *(MESSAGE_PATHS, CARRIED_PATHS, WRITTEN_PATHS, BLOCK_PATHS),
)

KindOf = Callable[[str, str], str]
"""The kind of a field by its path and its text."""


def no_kind(name: str, text: str) -> str:
    """The kind of fields of unknown formats."""
    return ""


def kind_of(name: str, text: str) -> str:
    """Return the kind of a string in a JSON body: CONTENT, CARRIED, PLACE, GIVEN,
    or ""."""
    if text[:1] in HINTS and is_boot_script(name, text):
        return CONTENT
    table = _table_of(name)
    if table is _GIVEN_TO_RUN:
        return GIVEN
    if table is FILE_PATHS:
        return PLACE if is_plain_path("/" + text) else ""
    if table is WORK_PATHS:
        return PLACE if is_plain_path("/" + _WORK_FOLDER.sub("", text)) else ""
    if table is SOURCE_PATHS:
        return PLACE if _SOURCE.fullmatch(text) else ""
    if table is CONTENT_PATHS:
        return CONTENT
    if table is CARRIED_PATHS:
        return CARRIED
    if table is URI_PATHS:
        return PLACE if _FILE_URI.fullmatch(text) else ""
    if table is SCHEMA_PATHS:
        return PLACE if _SCHEMA.fullmatch(text) else ""
    return PLACE if table is PLACE_PATHS else ""


def kind_of_place(name: str, text: str) -> str:
    """Return the kind of a string if contents are weighed: PLACE or ""."""
    kind = kind_of(name, text)
    return "" if kind in (CONTENT, CARRIED) else kind


def kind_if_given(name: str, text: str) -> str:
    """The same in a document that is a text in a field. The sender may have chosen its names, so
    they only raise the threshold, except for the address of a schema."""
    table = _table_of(name)
    if table is _GIVEN_TO_RUN:
        return GIVEN
    return PLACE if table is SCHEMA_PATHS and _SCHEMA.fullmatch(text) else ""


def kinds_inside(value: Value) -> KindOf:
    """Return the function that tells the kinds of strings in a document that is a text in a
    field."""
    if value.location not in ("form", "json", "multipart"):
        return no_kind
    # GitHub and Slack send a document like this if a form is requested.
    return kind_of_place if value.name == "payload" and value.location == "form" else kind_if_given


def is_message(value: Value) -> bool:
    """Whether a value is a message of a program or a person about its work."""
    return value.location == "json" and _table_of(value.name) is MESSAGE_PATHS


def is_block(value: Value) -> bool:
    """Whether a value is a paragraph in the document of an editor of blocks."""
    return value.location == "json" and _table_of(value.name) is BLOCK_PATHS


_PASSED_ON: Final = frozenset({MESSAGE_PATHS, WRITTEN_PATHS, PLACE_PATHS})


def is_passed_on(value: Value) -> bool:
    """Whether a sender passes on what others wrote or did, in a field of a published format. A
    webhook of a code host, or an alert about a machine, is not to be banned for that."""
    return value.location == "json" and (
        value.kind in (CARRIED, GIVEN) or _table_of(value.name) in _PASSED_ON
    )


@lru_cache(maxsize=1024)
def _table_of(name: str) -> re.Pattern[str] | None:
    """Return the table that a path is in. Cached, because documents have few paths and repeat
    them."""
    if len(name) > MAX_PATH_CHARS:
        return None
    for pattern in _PATHS:
        if pattern.fullmatch(name):
            return pattern
    if ("." in name or "[" in name) and (
        _GIVEN_TO_RUN.fullmatch(name.rpartition(".")[2]) or _VARIABLE.fullmatch(name)
    ):
        return _GIVEN_TO_RUN
    return None
