"""Scores one value of a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from attrs import evolve

from guard_wsgi.detection.custom import CustomPattern
from guard_wsgi.detection.decoding.decodings import decodings
from guard_wsgi.detection.finding import MAX_LOGGED_CHARS, WHOLE_VALUE, Finding
from guard_wsgi.detection.language.session_names import FOREIGN_LINK
from guard_wsgi.detection.language.tokens import RunWeights
from guard_wsgi.detection.relaxations.field_names import (
    is_for_statements,
    is_pasted,
    is_searched,
    is_written,
)
from guard_wsgi.detection.relaxations.idle_evidence import IdleEvidence
from guard_wsgi.detection.relaxations.published_fields import is_block, is_passed_on
from guard_wsgi.detection.relaxations.terms import is_certain_in_search
from guard_wsgi.detection.scanning.families import BuiltinScanners
from guard_wsgi.detection.scanning.scanner import Scanner
from guard_wsgi.detection.scoring.bounds import Bounds
from guard_wsgi.detection.scoring.model import INTROSPECTION, Model, Scored
from guard_wsgi.detection.scoring.reading import Reading, has_script, readings
from guard_wsgi.detection.scoring.screen import HARD, HARD_CHARS, Screen
from guard_wsgi.detection.scoring.sieve import Sieve
from guard_wsgi.detection.scoring.surroundings import WRITING, Surroundings, is_program
from guard_wsgi.detection.scoring.window import WHOLE_CHARS, Window, windows
from guard_wsgi.detection.settings import DetectionSettings
from guard_wsgi.detection.value import GIVEN, Budget, Value

# The cost of the steps, in characters of the budget: to begin with a value; to look for its hits,
# per some characters; to read a window in every way, per character.
BEGIN_CHARS: Final = 50
LONG_EACH: Final = 64
SHORT_EACH: Final = 2
KEPT_CHARS: Final = 16_384
"""How much of a budget is kept to weigh a text that is long enough to spend it by its length."""
READ_CHARS: Final = 100
READ_EACH: Final = 1.5
MIN_SCREENED: Final = 3
"""How many values the screen takes together; fewer are read one by one."""
# A score that is this much over the threshold is certain: it is over the preset "relaxed", too,
# which refuses a third of the customers that "balanced" refuses.
CERTAIN_MARGIN: Final = 0.6
# Apps don't run a field for sentences as a program or a filter, so these categories need more
# evidence there. They may put it into pages, templates, statements and command lines.
WRITTEN_MARGINS: Final = {"code_injection": 0.4, "ldap": 0.75, "proto_pollution": 0.75}
# A paragraph of a document has none of the document's context. Markup and templates act in pages,
# to which apps send such paragraphs as they are.
BLOCK_MARGIN: Final = 1.0
IN_PAGES: Final = frozenset({"xss", "template", "ssi"})
# A text whose lines are mostly a program, in a field for programs and in one for texts.
PASTED_MARGIN: Final = 1.0
WRITTEN_SOURCE_MARGIN: Final = 0.5
# A whole program has a little of everything: tests, calls, quotes. An attack inside a program has
# more evidence in one place.
PROGRAM_MARGIN: Final = 1.0
PROGRAM_LINES: Final = 12
# Filters have one line, and a string in a browser's program can't continue on the next line.
NO_PROGRAM: Final = frozenset({"ldap", "nosql", "xpath"})
NO_PROGRAM_MARGIN: Final = 3.0
# A list in a document names many files and addresses. Apps don't open them as written.
LISTED_MARGIN: Final = 0.5
# A field for commands contains commands and names of files.
GIVEN_MARGIN: Final = 1.0
RUN: Final = frozenset({"cmd_injection", "path_traversal", "sensitive_file", "dir_traversal"})
# A field for statements contains whole statements.
STATEMENT_MARGIN: Final = 1.0
OPENED: Final = frozenset({"dir_traversal", "file_inclusion", "sensitive_file"})
"""These are attacks only if an app opens the whole value as a file. A sentence, such as the message
of a commit or of an alert, is no file name."""
_SENTENCE: Final = re.compile(r"[A-Za-z]{3,20}[,:;]? (?=\S)")
# A text that people write, or a visitor whom a link on another site betrays: neither is banned.
_DOUBTFUL: Final = WRITING | {FOREIGN_LINK}
# More indicators add nothing to a finding.
MAX_INDICATORS: Final = 12


def _more(value: Value, category: str, features: Collection[str]) -> float:
    """Return how much more evidence a category needs, by the field and the kind of its text."""
    more = 0.0
    if value.kind == GIVEN and category in RUN:
        more = GIVEN_MARGIN
    if category == "sensitive_file" and value.location == "json" and value.name.endswith("[]"):
        more = LISTED_MARGIN
    if category == "sqli" and "text:statement" in features and is_for_statements(value):
        more = STATEMENT_MARGIN
    if category not in IN_PAGES and is_block(value):
        return max(more, BLOCK_MARGIN)
    is_source_text = "text:source" in features and category not in WHOLE_VALUE
    is_for_programs = is_pasted(value)
    if not (is_for_programs or is_written(value)):
        return more
    if is_source_text and is_program(value.text, PROGRAM_LINES):
        more = NO_PROGRAM_MARGIN if category in NO_PROGRAM else PROGRAM_MARGIN
    elif is_source_text and is_for_programs:
        more = PASTED_MARGIN
    elif not is_for_programs:
        more = WRITTEN_MARGINS.get(category, 0.0)
        if is_source_text:
            more = max(more, WRITTEN_SOURCE_MARGIN)
    return more


def _begins_sentence(value: Value) -> bool:
    return is_written(value) and _SENTENCE.match(value.text) is not None


Margin = Callable[[], "float | None"]
"""Returns how much more than the threshold a value needs; ``None`` if it was already found
harmless."""


class Scorer:
    """Weighs the evidence in a value against the threshold of the settings."""

    def __init__(
        self,
        settings: DetectionSettings,
        builtin: BuiltinScanners,
        model: Model,
        runs: RunWeights,
        hits: Callable[[bytes, int], list[int]],
        custom: tuple[CustomPattern, ...],
        custom_scanner: Scanner | None,
        unwanted: frozenset[str] = frozenset(),
    ) -> None:
        """
        :param hits: finds where the prefilter matches: a long text is cut into windows around these
            places.
        :param unwanted: the categories of a user's own patterns to ignore.
        """
        self._categories = settings.categories
        self._threshold = settings.score_threshold
        self._ignored = () if settings.refuses_introspection else INTROSPECTION
        self._builtin = builtin
        bounds = Bounds(model, runs, settings.categories, self._ignored)
        self._sieve = Sieve(builtin, bounds)
        self._screen = Screen(builtin, model, bounds, settings.categories, self._threshold)
        self._model = model
        self._runs = runs
        self._hits = hits
        self._custom = custom
        self._custom_scanner = custom_scanner
        self._unwanted = unwanted

    def finding(
        self, value: Value, budget: Budget, margin_of: Margin | None = None
    ) -> Finding | None:
        """Return the first window of a value that exceeds the threshold by a margin.

        :param margin_of: called only if a value may exceed the threshold at all.
        """
        custom = self._match_custom(value.text)
        if custom:
            return self._custom_finding(value, custom)
        if value.kind == "binary":
            return self._script_in_binary(value) if has_script(value.text) else None
        is_long = len(value.text) > WHOLE_CHARS
        most = max(budget.chars - KEPT_CHARS, budget.chars // 2) * LONG_EACH
        if is_long and len(value.text) > most:
            # As much of it as there is a budget for.
            found = self.finding(evolve(value, text=value.text[:most]), budget, margin_of)
            if found is None:
                budget.spend()
            return found
        threshold = self._threshold
        around, idle = Surroundings(value), IdleEvidence(value, budget)
        budget.take_chars(BEGIN_CHARS + len(value.text) // (LONG_EACH if is_long else SHORT_EACH))
        pieces = windows(value.text, self._hits)
        if is_long:
            if margin_of is not None:
                margin, margin_of = margin_of(), None
                if margin is None:
                    return None
                threshold += margin
            pieces = self._sieve.candidates(value, pieces, around, threshold, budget)
        for window in pieces:
            for reading in readings(self._builtin, value, window, around):
                if not self._may_reach(reading, threshold):
                    break  # nor can the rest without its prose
                if margin_of is not None:
                    margin, margin_of = margin_of(), None
                    if margin is None:
                        return None
                    threshold += margin
                    if not self._may_reach(reading, threshold):
                        break
                budget.take_chars(
                    READ_CHARS
                    + int(len(window.text) * READ_EACH)
                    + HARD_CHARS * window.text.count(HARD)
                )
                finding = self._weigh_reading(value, window, reading, threshold, idle)
                if finding is not None:
                    return finding
                if not self._model.part_may_reach(threshold, reading.features, self._categories):
                    break
        return None

    def candidates(self, values: Sequence[Value], budget: Budget) -> Sequence[int]:
        """Return the places of the values that may have a finding, and of all long ones."""
        if self._custom_scanner is not None or len(values) < MIN_SCREENED:
            return range(len(values))
        short = [at for at, value in enumerate(values) if len(value.text) <= WHOLE_CHARS]
        possible = [
            short[at] for at in self._screen.candidates([values[at] for at in short], budget)
        ]
        if len(short) < len(values):
            possible += [at for at, value in enumerate(values) if len(value.text) > WHOLE_CHARS]
        return sorted(possible)

    def _may_reach(self, reading: Reading, threshold: float) -> bool:
        """Whether a reading with these indicators can still reach the threshold."""
        for name in self._ignored:
            reading.features.pop(name, None)
        return self._model.may_reach(threshold, reading.features, self._categories)

    def _weigh_reading(
        self, value: Value, window: Window, reading: Reading, threshold: float, idle: IdleEvidence
    ) -> Finding | None:
        """Weigh only as much evidence as it takes to show that a reading is under the threshold."""
        model, categories = self._model, self._categories
        reading.add_context()
        scored = model.weigh(reading.features, categories)
        if scored.score + model.shapes_most / model.unit < threshold:
            return None
        scored = model.weigh(reading.features, categories, reading.shape(self._runs))
        if scored.score < threshold:
            return None
        # This is a finding, which needs the names as well.
        reading.add_shapes()
        scored = model.weigh(reading.features, categories)
        if scored.category in OPENED and _begins_sentence(value):
            scored = model.weigh(reading.features, categories - OPENED)
        if scored.score < threshold or not scored.category:
            return None
        if scored.score < threshold + _more(value, scored.category, reading.features):
            return None
        features = self._working(idle, scored, reading.features, threshold)
        if features is None:
            return None
        if len(features) < len(reading.features):
            scored = model.weigh(features, categories)
        return self._finding(value, window.text, scored, features)

    def _working(
        self, idle: IdleEvidence, scored: Scored, features: Mapping[str, str], threshold: float
    ) -> Mapping[str, str] | None:
        """Return the features without the leading evidence that has no effect there
        (idle_evidence.py); ``None`` if they do not reach the threshold without it."""
        category_of = self._model.categories
        names = idle.names().intersection(features)
        while gone := {name for name in names if category_of[name] == scored.category}:
            names -= gone
            features = {name: view for name, view in features.items() if name not in gone}
            scored = self._model.weigh(features, self._categories)
            if scored.score < threshold or not scored.category:
                return None
        return features

    def _match_custom(self, text: str) -> tuple[CustomPattern, ...]:
        scanner = self._custom_scanner
        if scanner is None:
            return ()
        hits = set()
        for view in decodings(text):
            hits.update(scanner.scan(view.text.encode("utf-8", "surrogatepass")))
        matched = (self._custom[index] for index in sorted(hits))
        return tuple(one for one in matched if one.category not in self._unwanted)

    def _finding(
        self, value: Value, text: str, scored: Scored, features: Mapping[str, str]
    ) -> Finding:
        indicators = self._model.leading(features, self._categories, MAX_INDICATORS)
        view = features.get(indicators[0].partition(" & ")[0], "raw") if indicators else "raw"
        return Finding(
            category=scored.category,
            location=value.location,
            name=value.name,
            value=text[:MAX_LOGGED_CHARS],
            view=view,
            indicators=indicators,
            score=scored.score,
            threshold=self._threshold,
            is_certain=scored.score >= self._threshold + CERTAIN_MARGIN
            and _DOUBTFUL.isdisjoint(features)
            and not is_passed_on(value)
            and (
                not is_searched(value.name)
                or is_certain_in_search(value.text, scored.score - self._threshold)
            ),
        )

    def _custom_finding(self, value: Value, custom: tuple[CustomPattern, ...]) -> Finding:
        return Finding(
            category=custom[0].category,
            location=value.location,
            name=value.name,
            value=value.text[:MAX_LOGGED_CHARS],
            view="raw",
            indicators=tuple(["custom:" + one.name for one in custom]),
            score=self._threshold,
            threshold=self._threshold,
        )

    def _script_in_binary(self, value: Value) -> Finding | None:
        features = {"upload.script_in_binary": "raw"}
        scored = self._model.weigh(features, self._categories)
        if scored.score < self._threshold or not scored.category:
            return None
        return self._finding(value, value.text, scored, features)
