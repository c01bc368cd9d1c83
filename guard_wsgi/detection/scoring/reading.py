"""Reads a value: finds the names of all its features that have weights in the model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from attrs import evolve

from guard_wsgi.detection.decoding.decodings import Decoding, decodings
from guard_wsgi.detection.finding import CATEGORIES, WHOLE_VALUE
from guard_wsgi.detection.language.prose import without_prose
from guard_wsgi.detection.language.tokens import RunWeights, numbers_alike, shapes
from guard_wsgi.detection.relaxations.doctypes import without_published
from guard_wsgi.detection.relaxations.fragments import without_fragments
from guard_wsgi.detection.relaxations.notations import excused_in
from guard_wsgi.detection.relaxations.terms import is_term
from guard_wsgi.detection.scanning.families import BuiltinScanners
from guard_wsgi.detection.scoring.surroundings import Surroundings, size_feature, window_context
from guard_wsgi.detection.scoring.window import Window
from guard_wsgi.detection.value import COMMENT, EXPRESSION, KEPT, PLACE, SAMPLE, STORED, Value

_WHOLE_BASE64 = re.compile(r"[A-Za-z0-9+/_ %-]{12,}={0,2}")
# The kinds of values in which only some indicators count.
KIND_CATEGORIES: Final[Mapping[str, frozenset[str]]] = {
    "markup": frozenset({"xml", "ssi"}),
    "graphql": frozenset({"graphql"}),
    # Names of a client's own files. Only a request that reads a file can be a probe.
    STORED: CATEGORIES - {"sensitive_file", "recon", "cms_probing", "file_upload"},
    KEPT: CATEGORIES
    - {"sensitive_file", "recon", "cms_probing", "file_upload", "dir_traversal", "file_inclusion"},
    EXPRESSION: CATEGORIES - {"xpath"},
    COMMENT: CATEGORIES - {"xml"},
    # Nobody opens an address of this kind.
    PLACE: CATEGORIES - WHOLE_VALUE,
    # A browser has blocked this program already.
    SAMPLE: CATEGORIES - {"xss", "code_injection", "cmd_injection", "nosql", "proto_pollution"},
}
# A key of an object, and an address: neither is a path that the app opens or serves.
_KEY_CATEGORIES: Final = CATEGORIES - {"sensitive_file", "recon", "cms_probing", "file_upload"}
_FILE_KEY_CATEGORIES: Final = _KEY_CATEGORIES - {"file_inclusion", "dir_traversal"}
_EXPRESSION_CATEGORIES: Final = CATEGORIES - {"xpath", "sqli"}
# Only the declarations and directives of these count, not the kind of text.
WITHOUT_SHAPE: Final = frozenset({"markup", "graphql"})
# Parts that make an uploaded binary dangerous. They are too long to occur by chance.
_BINARY_EVIDENCE = re.compile(
    r"<\?php\s+\S|<\?=\s*[`$(\w]{4,}|<script[\s>].{0,200}?</script|<%@?\s*(?:page|eval|language)",
    re.IGNORECASE | re.DOTALL,
)


class Reading:
    """One reading of a window of a value, with its evidence.

    Evidence is collected in three steps: indicators, their surroundings, and the shape. Each step
    is more expensive than the one before, so a reading that can no longer reach the threshold is
    dropped.

    :ivar features: name of the feature -> the first view that showed it.
    """

    __slots__ = ("_around", "_decodings", "_is_part", "_shaped", "_window", "features")

    def __init__(
        self,
        around: Surroundings,
        window: Window,
        decodings: tuple[Decoding, ...],
        shaped: tuple[Decoding, ...],
        is_part: bool = False,
    ) -> None:
        self.features: dict[str, str] = {}
        self._around = around
        self._window = window
        self._decodings = decodings
        self._shaped = shaped
        self._is_part = is_part

    def add(self, names: Iterable[str], view: str) -> None:
        for name in names:
            self.features.setdefault(name, view)

    def add_context(self) -> None:
        """Add the context of the evidence: the place of the value, its name and size, prose."""
        context = [*self._around.features(), *window_context(self._window)]
        rounds = max(view.rounds for view in self._decodings)
        if rounds > 1:
            context.append("encoding.rounds>1")
        if self._decodings[-1].name == "base64":
            context.append("encoding.base64_text")
        if self._is_part:
            context.append("text:part")
            context.append(size_feature(max(len(view.text) for view in self._decodings)))
        self.add(context, "raw")

    def shape(self, runs: RunWeights) -> float:
        """Return the weight of its runs of tokens."""
        texts = {tuple(numbers_alike(view.text).split()): None for view in self._shaped}
        return runs.total(texts, self._window.starts, self._window.ends)

    def add_shapes(self) -> None:
        """Add the runs of tokens by their names. They are weighed only together with other
        evidence."""
        window = self._window
        for view in self._shaped:
            self.add(shapes(view.text, window.starts, window.ends), view.name)

    def add_all(self) -> None:
        """Return every kind of evidence, for learning and for people."""
        self.add_context()
        self.add_shapes()


def readings(
    scanners: BuiltinScanners, value: Value, window: Window, around: Surroundings
) -> Iterator[Reading]:
    """Yield the readings of a window with hits: the whole text and, if prose surrounds something
    else, the rest without the prose. Either may be enough; the second is computed only on demand. A
    term has no readings, and fragments that do nothing are left out."""
    text = without_fragments(window.text)
    if "<!" in text:
        text = without_published(text)
    if text != window.text:
        window = evolve(window, text=text)
    allowed = _allowed(value)
    has_shape = value.kind not in WITHOUT_SHAPE
    found = decodings(window.text)
    shaped = shaped_decodings(window.text, found) if has_shape else ()
    whole = Reading(around, window, found, shaped)
    for view in found:
        indicators = scanners.read(window.data(view.text))
        if indicators:
            allowed = allowed - excused_in(value)
            whole.add([one.name for one in indicators if one.category in allowed], view.name)
    whole.add(value.flags, "raw")
    if not whole.features or is_term(value):
        return
    known = set(whole.features)
    yield whole
    if not has_shape:
        return
    rests = tuple([evolve(view, text=without_prose(view.text)) for view in found])
    if all(len(rest.text) == len(view.text) for rest, view in zip(rests, found, strict=True)):
        return
    shaped = tuple([rest for rest, view in zip(rests, found, strict=True) if view in shaped])
    part = Reading(around, window, rests, shaped, is_part=True)
    for rest in rests:
        # Text is no evidence if only the cut has joined it.
        indicators = [one for one in scanners.read(window.data(rest.text)) if one.name in known]
        part.add([one.name for one in indicators if one.category not in WHOLE_VALUE], rest.name)
    part.add(value.flags, "raw")
    yield part


# A whole, plain address in a document. It leads to another app.
_ELSEWHERE: Final = re.compile(
    r"(?=https?:)\w+://(?!\d|localhost|\[)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}(?::\d{1,5})?"
    r"(?:/(?!\.{1,2}(?:/|$))[\w.@+~,%:{}-]*)*/?",
    re.IGNORECASE,
)


# A file of a workspace, as editors name it in a key (Language Server Protocol, WorkspaceEdit).
_FILE: Final = re.compile(
    r"file:///(?:[a-z](?::|%3a)/)?(?:(?!\.{1,2}/)[\w.@+~%-]+/)*[\w.@+~-]+", re.IGNORECASE
)


# A page on a reader's own disk, as old browsers name it in Referer. No app opens what a header says
# of the client's files, and a page is none that attackers look for.
_PAGE: Final = re.compile(
    r"file:///(?:[a-z](?::|%3a|\|)/)?(?:(?!\.{1,2}/)[\w.@+~%() -]+/)*[\w.@+~%() -]+"
    r"\.(?:x?html?|mht(?:ml)?)(?:#[\w-]*)?",
    re.IGNORECASE,
)


def _allowed(value: Value) -> frozenset[str]:
    """Return the categories for which a value may have evidence."""
    if value.location == "json":
        if value.kind == "name":
            return _FILE_KEY_CATEGORIES if _FILE.fullmatch(value.text) else _KEY_CATEGORIES
        if value.kind in ("", "url") and _ELSEWHERE.fullmatch(value.text):
            return _KEY_CATEGORIES
    if value.location == "header" and value.name == "referer" and _PAGE.fullmatch(value.text):
        return _FILE_KEY_CATEGORIES
    if value.kind == EXPRESSION and (is_complete(value.text) or is_condition(value.text)):
        return _EXPRESSION_CATEGORIES
    return KIND_CATEGORIES.get(value.kind, CATEGORIES)


# The texts of an XPath are between operators, commas or brackets, so they end no text that an app
# has put around the value.
_COMPLETE: Final = re.compile(
    r"(?=[a-z@/.*($])(?:[^'\"]*(?:[=(,<>|\[+*-]|\b(?:or|and|div|mod)\s)\s*(?:'[^']*'|\"[^\"]*\")"
    r"(?=\s*(?:[)\],=!<>|+*-]|$)|\s(?:or|and|div|mod)\b))*[^'\"]*",
    re.IGNORECASE,
)


def is_complete(expression: str) -> bool:
    """Whether an XPath has whole texts only, and no comment of SQL."""
    text = expression.strip()
    return _COMPLETE.fullmatch(text) is not None and not ("--" in text or ";" in text)


# A condition of a build (MSBuild): comparisons of a property or an item, which complete no
# statement around the value.
_BUILD_TEXT: Final = r"'[\w$%@().:\\/|*-]{0,200}'"
_BUILD_NAME: Final = r"[$%@]\([\w.]{1,100}(?:\((?:'[\w. -]{0,60}'(?:, ?)?){0,3}\))?\)"
_COMPARISON: Final = (
    rf"!?(?:'[\w|]{{0,60}}(?:{_BUILD_NAME}[\w|.:\\/-]{{0,60}}){{1,4}}'"
    rf" ?(?:[=!]=|[<>]=?) ?(?:{_BUILD_TEXT}|\d+(?:\.\d+)*)"
    rf"|Exists\( ?{_BUILD_TEXT} ?\)|{_BUILD_NAME}(?: ?[=!]= ?{_BUILD_TEXT})?)"
)
_CONDITION: Final = re.compile(
    rf"\s*\(?{_COMPARISON}\)?(?:\s+(?:and|or)\s+\(?{_COMPARISON}\)?)*\s*", re.IGNORECASE
)


def is_condition(expression: str) -> bool:
    """Whether a text is a whole condition of a build."""
    return _CONDITION.fullmatch(expression) is not None


def shaped_decodings(text: str, found: tuple[Decoding, ...]) -> tuple[Decoding, ...]:
    """Return the views whose shape counts: the decoded ones if there are any, and for a value that
    is all base64 its content."""
    if found[-1].name == "base64" and _WHOLE_BASE64.fullmatch(text) is not None:
        return tuple([view for view in found if view.name == "base64"])
    return found[1:] if len(found) > 1 and found[1].name == "decoded" else found


def has_script(text: str) -> bool:
    """Whether the readable part of a binary file has a script in it."""
    return _BINARY_EVIDENCE.search(text) is not None
