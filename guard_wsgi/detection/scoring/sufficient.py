"""Evidence that is enough by itself. The search for it comes before a value is read in every way.

Reading a value (its decodings, its shape, its surroundings) and weighing all evidence costs a tenth
of a millisecond. Most attacks are not subtle, and a flood of them must be cheap. So the model lists
the indicators that no surroundings ever excused in short, plain values
(`benchmarks/training/train_detection.py --sufficient`), and one scan finds them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Final

from guard_wsgi.detection.finding import MAX_LOGGED_CHARS, Finding
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.language.prose import FUNCTION_WORD
from guard_wsgi.detection.relaxations.field_names import FILTER_RANGE, is_searched, name_features
from guard_wsgi.detection.relaxations.fragments import HINT
from guard_wsgi.detection.relaxations.terms import NO_TERM, is_certain_in_search
from guard_wsgi.detection.scanning.scanner import Engine, Scanner, compile_patterns
from guard_wsgi.detection.scoring.model import Model, shipped_model
from guard_wsgi.detection.scoring.surroundings import HTML_TEXT, STATEMENT, WRITING

MIN_PLAIN_CHARS: Final = 5
MAX_PLAIN_CHARS: Final = MAX_LOGGED_CHARS
"""Longer texts may be documents, whose evidence is weighed against the rest. A finding contains the
whole of a shorter text, so it can be weighed later."""

# Values with their own structure are parsed first (structure.py): JSON, URLs, relative and encoded
# URLs, XML, GraphQL, nested forms.
_STRUCTURED = re.compile(
    rb"\s*(?:[{[%]|\"[^\"]*\"\s*$|//|[a-z][a-z0-9+.-]{1,12}(?::?//|:?%)|/[^?]*\?[\w.%[\]-]+="
    rb"|<[?!\w-]*[?:]|(?:query|mutation|subscription|fragment)\b|[\w.%[\]-]{1,64}=[^&]*&)",
    re.IGNORECASE,
)

# Signs that may excuse a value: words that connect sentences, a complete query, text with markup, a
# filter, a code span, the type of an error. One is enough here. When a value is weighed
# (surroundings.py), some of them count only together.
_EXCUSES: Final = (
    FUNCTION_WORD,
    "^" + STATEMENT.pattern,
    HTML_TEXT.pattern,
    FILTER_RANGE.pattern,
    "`",
    "(?:Exception|Error)$",
)


class Sufficient:
    """The indicators that are enough by themselves, and what may excuse a value, in one scan.

    They are compiled when the first plain value is inspected, or by `warm`.

    :param names: the names of the indicators, instead of those that the model lists.
    """

    def __init__(self, model: Model, engine: Engine, names: Collection[str] | None = None) -> None:
        chosen = frozenset(model.sufficient if names is None else names)
        self._indicators = tuple(one for one in INDICATORS if one.name in chosen)
        self._scores = tuple(model.weigh((one.name,)).score for one in self._indicators)
        self._named: list[tuple[str, tuple[str, ...]]] = [
            (one.category, (one.name,)) for one in self._indicators
        ]
        self._no_term, self._fragment, self._first_excuse = range(
            len(self._indicators), len(self._indicators) + 3
        )
        self._engine = engine
        self._scanner: Scanner | None = None

    def warm(self) -> Scanner:
        """Compile now."""
        scanner = self._scanner
        if scanner is None:
            pairs = [(one.name, one.pattern) for one in self._indicators]
            pairs += [("no term", NO_TERM), ("fragment", HINT)]
            pairs += [("excuse", pattern) for pattern in _EXCUSES]
            scanner = self._scanner = compile_patterns(pairs, self._engine, keep=True)
        return scanner

    def in_text(self, data: bytes) -> tuple[list[int], bool]:
        """Return the indicators in the value of a field for `finding`, and whether the value is
        certainly no term (terms.py) and has no fragments (fragments.py). Looking for these takes a
        quarter of the time of a refusal.

        There are no indicators if the value may have a meaning that evidence does not show: a long
        value, one with its own structure, or one with an excuse.

        :param data: the decoded value of a field, not a part of a document: telemetry and editors
            send code in documents.
        """
        if not MIN_PLAIN_CHARS <= len(data) <= MAX_PLAIN_CHARS or not data.isascii():
            return [], False
        hits = (self._scanner or self.warm()).scan(data)
        if not hits or max(hits) >= self._first_excuse or _STRUCTURED.match(data):
            return [], False
        first = self._no_term
        is_bare = first in hits and self._fragment not in hits
        return [index for index in hits if index < first], is_bare

    def scores(self, categories: frozenset[str], threshold: float) -> tuple[float, ...]:
        """Return the score of each indicator; 0 if its category is off or the score is under the
        threshold."""
        return tuple(
            score if score >= threshold and one.category in categories else 0.0
            for one, score in zip(self._indicators, self._scores, strict=True)
        )

    def finding(
        self,
        location: str,
        name: str,
        text: str,
        hits: list[int],
        scores: tuple[float, ...],
        threshold: float,
    ) -> Finding | None:
        """Return the finding for the indicators in a value; ``None`` if none of them scores."""
        if len(hits) == 1:
            best = hits[0]
            category, names = self._named[best]
        else:
            best = max(hits, key=scores.__getitem__)
            category, _ = self._named[best]
            names = tuple([self._indicators[index].name for index in hits if scores[index]])
        score = scores[best]
        if not score:
            return None
        is_certain = WRITING.isdisjoint(name_features(name)) and (
            not is_searched(name) or is_certain_in_search(text, score - threshold)
        )
        return Finding(
            category, location, name, text, "raw", names, score, threshold, False, is_certain
        )


@lru_cache(maxsize=2)
def builtin_sufficient(engine: Engine) -> Sufficient:
    """Return the scan for the shipped model: compiled constants that all detectors of the process
    share."""
    return Sufficient(shipped_model(), engine)
