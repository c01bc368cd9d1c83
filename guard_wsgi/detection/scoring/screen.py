"""The screen: finds the short values among many that may exceed the threshold.

A form, a table or a flood has thousands of values with some evidence in each, and hardly an attack.
Reading one in every way takes as long as reading ten in a document. The screen scans them together,
and computes the highest possible weight of each. The rest is read and weighed like any value
(scorer.py). So the screen never decides a verdict.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

from guard_wsgi.detection.decoding.decodings import Decoding, decodings
from guard_wsgi.detection.language.tokens import numbers_alike
from guard_wsgi.detection.relaxations.field_names import numbered_alike
from guard_wsgi.detection.relaxations.fragments import without_fragments
from guard_wsgi.detection.scanning.families import BuiltinScanners
from guard_wsgi.detection.scanning.scanner import SEPARATOR
from guard_wsgi.detection.scoring.bounds import Bounds
from guard_wsgi.detection.scoring.model import Model
from guard_wsgi.detection.scoring.reading import WITHOUT_SHAPE
from guard_wsgi.detection.scoring.surroundings import STATEMENT, Surroundings
from guard_wsgi.detection.scoring.window import Window
from guard_wsgi.detection.value import Budget, Value

# The cost of one value, in characters of the budget, plus one for this many bytes of its readings:
# of evidence, as quotes; a scan of ordinary text takes a third.
SCREENED_CHARS: Final = 14
SCREENED_EACH: Final = 1.5
VIEW_CHARS: Final = 12
"""The cost of each further reading of one value, and of each layer of escapes."""
HARD: Final = "{{"
HARD_CHARS: Final = 4
"""The cost of telling whether such a sign begins a placeholder (placeholders.py)."""
ALIKE_CHARS: Final = 6
"""The cost of finding that a value is like one before it."""
REACHING_CHARS: Final = 24
"""The cost of examining the surroundings of the indicators of one value."""


class Screen:
    """Drops values.

    :param threshold: the lowest score that matters.
    """

    def __init__(
        self,
        scanners: BuiltinScanners,
        model: Model,
        bounds: Bounds,
        enabled: frozenset[str],
        threshold: float,
    ) -> None:
        self._scanners = scanners
        self._model = model
        self._bounds = bounds
        self._enabled = enabled
        self._threshold = threshold

    def candidates(self, values: Sequence[Value], budget: Budget) -> list[int]:
        """Return the places of the values that may reach the threshold, in order.

        :param values: of a kind that is weighed as such, without evidence from their decoding.
        """
        pieces = [SEPARATOR]
        ends: list[int] = []
        end = len(SEPARATOR)
        read: list[tuple[str, tuple[Decoding, ...]]] = []
        for value in values:
            budget.take_chars(SCREENED_CHARS)
            if HARD in value.text:
                budget.take_chars(HARD_CHARS * value.text.count(HARD))
            text = without_fragments(value.text)
            views = decodings(text)
            if len(views) > 1:
                budget.take_chars(VIEW_CHARS * (len(views) - 1 + views[1].rounds))
            read.append((text, views))
            begin = end
            for view in views:
                piece = view.text.encode("utf-8", "surrogatepass") + SEPARATOR
                pieces.append(piece)
                end += len(piece)
            ends.append(end)
            budget.take_chars(int((end - begin) / SCREENED_EACH))
        found = self._scanners.among(b"".join(pieces), ends)
        cleared: set[Hashable] = set()
        return [
            place
            for place, names in enumerate(found)
            if names and self._may_reach(values[place], *read[place], names, cleared, budget)
        ]

    def _may_reach(
        self,
        value: Value,
        text: str,
        views: tuple[Decoding, ...],
        names: set[str],
        cleared: set[Hashable],
        budget: Budget,
    ) -> bool:
        """Whether a value may reach the threshold.

        :param text: the value without its fragments.
        :param cleared: the keys of those before it that may not.
        """
        names = names - self._bounds.excluded(value.kind)
        if value.kind in WITHOUT_SHAPE:
            return bool(names)
        # The cheapest first.
        if not self._model.may_reach(self._threshold, names, self._enabled):
            return False
        key = _key(value, views, names)
        if key in cleared:
            budget.take_chars(ALIKE_CHARS)
            return False
        budget.take_chars(REACHING_CHARS + len(value.name))
        around, window = Surroundings(value), Window(text, fresh=len(text))
        if self._bounds.may_reach(value, window, views, names, around, self._threshold, budget):
            return True
        if key is not None:
            cleared.add(key)
        return False


def _key(value: Value, views: tuple[Decoding, ...], names: set[str]) -> Hashable:
    """Return a key that is the same for values that differ only in their numbers; ``None`` if the
    numbers count: comparing them distinguishes a whole statement from an injected one."""
    if STATEMENT.match(value.text):
        return None
    texts = tuple([(view.name, view.rounds, numbers_alike(view.text)) for view in views])
    name, text = numbered_alike(value.name), numbers_alike(value.text)
    return value.location, value.kind, name, text, texts, frozenset(names)
