# ruff: noqa: E501  (tables of paths)
"""Fields in which published formats carry programs, files and the places of files.

A webhook of a forge lists the files of a commit, an error report quotes the lines around a fault,
a notebook is cells of programs, and a source map holds the sources themselves. Such a field is
content, like that of an uploaded file: a program there is not evidence.

A field is known by its whole path from the root of a JSON body, so it is one that the app itself
reads from there. In a text that itself contains JSON, the sender chooses the names, so they count
for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from guard_wsgi.detection.shown_files import is_plain_path
from guard_wsgi.detection.value import CONTENT, PLACE, Value

# Lines of JSON have a list around them.
_ROOT: Final = r"(?:\[\]\.)?"
# Sentry (event payloads, envelopes, webhooks), Elastic APM, Rollbar, Bugsnag, Airbrake.
_FRAMES: Final = (
    rf"{_ROOT}(?:"
    r"(?:(?:data\.)?(?:event|error|issue)\.)?(?:(?:exception|threads)(?:\.values)?\[\]\.)?(?:raw_)?stacktrace\.frames\[\]\."
    r"|error\.(?:exception|log)\.stacktrace\[\]\."
    r"|(?:data\.)?body\.trace(?:_chain\[\])?\.frames\[\]\."
    r"|(?:events\[\]\.)?exceptions\[\]\.stacktrace\[\]\."
    r"|errors\[\]\.backtrace\[\]\.)"
)
# Kubernetes: workloads, lists of them, and admission reviews.
_CONTAINERS: Final = (
    r"(?:items\[\]\.|request\.(?:object|oldObject)\.)?spec\.(?:(?:jobTemplate\.spec\.)?template\.spec\.)?"
    r"(?:c|initC|ephemeralC)ontainers\[\]\."
)
# What a tool of the Model Context Protocol or of a language model is given to run or to write.
_GIVEN: Final = r"(?:command|cmd|code|script|sql|patch|diff|old_str|new_str|old_string|new_string)"
_CONTENT: Final = re.compile(
    rf"{_FRAMES}(?:context_line|(?:pre|post)_context\[\]|context\.(?:pre|post)\[\]|code(?:\.\d+)?|line\.context|function|method|module|(?:vars|locals)\..+)"
    # Source maps (ECMA-426), notebooks (nbformat 4, and as an API of Jupyter takes them).
    r"|(?:sections\[\]\.map\.)?sourcesContent\[\]"
    r"|(?:content\.)?cells\[\]\.(?:source(?:\[\])?|attachments\..+|outputs\[\]\.(?:text(?:\[\])?|traceback\[\]|evalue|data\..+))"
    # Language Server Protocol, Jupyter's messages.
    r"|params\.textDocument\.text|params\.contentChanges\[\]\.text|content\.code"
    rf"|{_CONTAINERS}(?:(?:command|args)\[\]|(?:(?:liveness|readiness|startup)Probe|lifecycle\.(?:preStop|postStart))\.exec\.command\[\])"
    r"|jobs\.[\w-]+\.steps\[\]\.run"
    rf"|params\.arguments\.{_GIVEN}|messages\[\]\.content\[\]\.input\.{_GIVEN}"
    r"|result\.content\[\]\.text|messages\[\]\.content\[\]\.content(?:\[\]\.text)?"
    r"|messages\[\]\.tool_calls\[\]\.function\.arguments|input\[\]\.arguments"
    # Diffs and files as forges send and take them.
    r"|comment\.diff_hunk|changes\[\]\.diff|files\[\]\.patch|(?:actions|tree)\[\]\.content|files\..+\.content"
    # What tracers tell of requests, attacks among them (OpenTelemetry).
    r"|resource(?:Spans|Logs|Metrics)\[\]\..+\.stringValue"
    # npm: commands of a package.
    r"|scripts\.[\w:.-]+"
)
_PLACES: Final = re.compile(
    rf"{_FRAMES}(?:filename|abs_path|file)"
    r"|params\.textDocument\.uri|params\.(?:rootUri|rootPath)|params\.workspaceFolders\[\]\.uri"
    # Debug Adapter Protocol.
    r"|arguments\.(?:source\.path|program|cwd)"
    # CycloneDX, whose references are addresses of packages.
    r"|(?:metadata\.component\.)?(?:components\[\]\.)*bom-ref|metadata\.component\.bom-ref|dependencies\[\]\.(?:ref|dependsOn\[\])"
)
# Files of a repository.
_FILES: Final = re.compile(
    r"(?:payload\.)?(?:head_commit|commits\[\])\.(?:added|removed|modified)\[\]|(?:\[\]|files\[\])\.(?:previous_)?filename"
    r"|tree\[\]\.path|actions\[\]\.(?:file_path|previous_path)|changes\[\]\.(?:old|new)_path|comment\.path|(?:check_run\.)?output\.annotations\[\]\.path"
)
_SOURCES: Final = re.compile(r"(?:sections\[\]\.map\.)?sources\[\]")
# A program or a style sheet, as bundlers name them: to read one tells nothing.
_SOURCE: Final = re.compile(
    r"(?:webpack(?:-\w+)?|ng|app|vite|rollup|parcel|turbopack):/{2,3}[\w./@~+()\[\] -]*(?:\?[\w-]{0,40})?"
    r"|(?:file:///(?:[a-zA-Z]:/)?|/)?(?:\.{1,2}/)*(?:[\w@~+()\[\] -][\w.@~+()\[\] -]*/)*[\w@~+()\[\] -][\w.@~+()\[\] -]*\.(?:[cm]?[jt]sx?|vue|svelte|s?css|sass|less|coffee|dart)(?:\?[\w-]{0,40})?"
)
# What people and programs tell a language model, and the log before an error.
_TOLD: Final = re.compile(
    r"messages\[\]\.content(?:\[\]\.text)?|input\[\]\.(?:output|content\[\]\.text)"
    r"|params\.arguments\.(?:content|text|file_text|new_text)"
    rf"|{_ROOT}(?:(?:data\.)?event\.)?breadcrumbs(?:\.values)?\[\]\.message"
)
MAX_PATH_CHARS: Final = 99
"""A longer path has lost its beginning, and may look like another one."""

KindOf = Callable[[str, str], str]
"""The kind of a field by its path and its text."""


def no_kind(name: str, text: str) -> str:
    """Of fields that no format is known of."""
    return ""


def kind_of(name: str, text: str) -> str:
    """The kind of a string in a JSON body: CONTENT, PLACE, or ""."""
    said = _said(name)
    if said is _FILES:
        return PLACE if is_plain_path("/" + text) else ""
    if said is _SOURCES:
        return PLACE if _SOURCE.fullmatch(text) else ""
    return CONTENT if said is _CONTENT else PLACE if said is _PLACES else ""


def kind_of_place(name: str, text: str) -> str:
    """The same where contents are weighed."""
    kind = kind_of(name, text)
    return "" if kind == CONTENT else kind


def is_told(value: Value) -> bool:
    """Whether a value is a report of a program or a person about its work."""
    return value.location == "json" and _TOLD.fullmatch(value.name) is not None


@lru_cache(maxsize=1024)
def _said(name: str) -> re.Pattern[str] | None:
    """Return the kind of a path; documents have few paths, and repeat them."""
    if len(name) > MAX_PATH_CHARS:
        return None
    for pattern in (_CONTENT, _PLACES, _FILES, _SOURCES):
        if pattern.fullmatch(name):
            return pattern
    return None
