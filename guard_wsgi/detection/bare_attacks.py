"""Attacks that are the whole value of a field. One scan of the field finds them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from guard_wsgi.detection.columns import MAX_CHARS, Columns
from guard_wsgi.detection.finding import Finding, spent_finding
from guard_wsgi.detection.formats import large_bodies
from guard_wsgi.detection.formats.large_bodies import LARGE_JSON_BYTES, PiecePass
from guard_wsgi.detection.message.body_values import body_values
from guard_wsgi.detection.message.form import form_bytes
from guard_wsgi.detection.message.media import BodyKind
from guard_wsgi.detection.relaxations.exclusions import MAX_SETS, Exclusions, FieldExclusions
from guard_wsgi.detection.relaxations.fragments import without_fragments
from guard_wsgi.detection.relaxations.idle_evidence import idle_in
from guard_wsgi.detection.relaxations.notations import excused_in
from guard_wsgi.detection.relaxations.passwords import is_password_name
from guard_wsgi.detection.relaxations.published_fields import kind_of
from guard_wsgi.detection.relaxations.terms import is_term
from guard_wsgi.detection.scoring.sufficient import MAX_PLAIN_CHARS, MIN_PLAIN_CHARS, Sufficient
from guard_wsgi.detection.settings import DetectionSettings
from guard_wsgi.detection.value import Budget, BudgetSpent, Value, to_text

# How many pairs to search before anything else; a flood of attacks has few.
MAX_PAIRS_AT_ONCE: Final = 16
MAX_ENCODED_CHARS: Final = 3 * MAX_PLAIN_CHARS
"""The most of a value that is plain: each character may be an escape."""
MAX_STRINGS: Final = 100_000
"""The most strings to search of a body over its budget; their cost is counted as well."""
_BEGINNINGS: Final = (b"{", b"[")
# What a command, a template, a path, a second statement, a lookup, a document with entities, an
# address inside the network or a script of a server has, and few short texts have.
_MARK: Final = re.compile(
    r"[$#%*]\{|\$\(|\{[{%]|\.\.[/\\]|/etc/|^\s*[;|&]|[;|&`]\s*\w+ ?[-/.;|]|['\")]\s*;|<[!?%][\w=[]"
    r"|//(?:localhost|127\.|10\.|169\.254|192\.168|172\.|0|\[)|^\s*(?:file|gopher|dict|php|phar):"
    r"|`\s*\w",
    re.IGNORECASE,
)


_WEIGHED: Final = ("", "name")
"""The kinds of values that are weighed after the search."""


def _notable(texts: Sequence[str]) -> list[int]:
    """Which of some texts may be evidence. A short word is none."""
    within = range(MIN_PLAIN_CHARS, MAX_CHARS + 1)
    return [
        at
        for at, text in enumerate(texts)
        if len(text) in within or (len(text) < MIN_PLAIN_CHARS and not text.isalnum())
    ]


# Optimization: most attacks have one of these, and the notations that are found here have none.
_IN_NO_NOTATION: Final = frozenset(" '\"<;")
_BEGINS_NOTATION: Final = frozenset("(/.")


class BareAttacks:
    """Searches for evidence that is enough by itself (sufficient.py)."""

    __slots__ = (
        "_exclusions",
        "_in_fields",
        "_scores",
        "_scores_without",
        "_settings",
        "_sufficient",
    )

    def __init__(self, sufficient: Sufficient, settings: DetectionSettings) -> None:
        self._sufficient = sufficient
        self._settings = settings
        self._scores = sufficient.scores(settings.categories, settings.score_threshold)
        self._exclusions = Exclusions(settings)
        self._in_fields = FieldExclusions(settings)

        @lru_cache(MAX_SETS)
        def scores_without(unwanted: frozenset[str]) -> tuple[float, ...]:
            return sufficient.scores(settings.categories - unwanted, settings.score_threshold)

        self._scores_without = scores_without

    def in_pairs(self, encoded: bytes, location: str) -> Finding | None:
        """Search the first pairs of an urlencoded string."""
        sufficient = self._sufficient
        for pair in encoded.split(b"&", MAX_PAIRS_AT_ONCE):
            name, _, data = pair.partition(b"=")
            if len(data) > MAX_ENCODED_CHARS:
                continue
            data = form_bytes(data)
            hits, is_bare = sufficient.in_text(data)
            if hits:
                named = name.decode() if name.isalnum() else to_text(form_bytes(name))[0]
                finding = self._finding(location, named, data.decode(), hits, is_bare)
                if finding is not None:
                    return finding
        return None

    def in_body(
        self,
        body: bytes,
        kind: BodyKind,
        complete: bool,
        first_pass: PiecePass | None,
        budget: Budget,
        others: list[Value],
    ) -> Finding | None:
        """Search all short values of a body that has too many to weigh each. If there are too many
        for this as well, report the spent budget.

        :param others: receives values that may be weighed: those of small fields first, then those
            with a mark of an attack, then the others.
        """
        columns, marked = Columns(), list[Value]()
        try:
            for value in self._values(body, kind, complete, first_pass, budget):
                hits, is_bare = self._sufficient.in_text(value.text.encode(errors="surrogatepass"))
                if hits and not value.kind and not self._is_content(value):
                    finding = self._finding(value.location, value.name, value.text, hits, is_bare)
                    if finding is not None:
                        return finding
                if len(value.text) > MAX_CHARS or value.kind not in _WEIGHED:
                    continue
                if not self._is_content(value):
                    columns.add(value)
                    if len(value.text) <= MAX_PLAIN_CHARS and _MARK.search(value.text):
                        marked.append(value)
        except BudgetSpent as spent:
            return spent_finding("body", str(spent), self._settings.score_threshold)
        others += dict.fromkeys([*columns.of_small_fields(), *marked, *columns.of_others()])
        return None

    def _is_content(self, value: Value) -> bool:
        is_read = self._settings.weighs_contents or value.location != "json"
        return not is_read and kind_of(value.name, value.text) != ""

    def _values(
        self,
        body: bytes,
        kind: BodyKind,
        complete: bool,
        first_pass: PiecePass | None,
        budget: Budget,
    ) -> Iterator[Value]:
        depth = self._settings.max_json_depth
        is_json = kind.is_json or body[:64].lstrip().startswith(_BEGINNINGS)
        if is_json and first_pass is not None and len(body) > LARGE_JSON_BYTES:
            # Only the length decides: searching the value at once takes no longer.
            return large_bodies.json_values(body, "json", first_pass[0], _notable, depth, budget)
        contents = self._settings.weighs_contents
        return body_values(body, kind, complete, depth, budget, contents, first_pass)

    def _finding(
        self, location: str, name: str, text: str, hits: list[int], is_bare: bool
    ) -> Finding | None:
        if is_password_name(name) or self._exclusions.covers(location, name):
            return None
        if not is_bare and (
            is_term(Value(location, name, text)) or without_fragments(text) != text
        ):
            return None
        if (text[:1] in _BEGINS_NOTATION or _IN_NO_NOTATION.isdisjoint(text)) and excused_in(
            Value(location, name, text)
        ):
            return None
        scores = self._scores
        if self._in_fields and (without := self._in_fields.categories(location, name)):
            scores = self._scores_without(without)
        finding = self._sufficient.finding(
            location, name, text, hits, scores, self._settings.score_threshold
        )
        if finding is None:
            return None
        asked = frozenset(finding.indicators)
        if not asked.isdisjoint(idle_in((text,), asked)):
            return None  # it is weighed with all the rest
        return finding
