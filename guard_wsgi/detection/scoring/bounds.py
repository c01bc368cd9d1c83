"""Bounds: the highest score that indicators can reach in a context, whatever else the text has."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from guard_wsgi.detection.decoding.decodings import Decoding
from guard_wsgi.detection.finding import WHOLE_VALUE
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.language.prose import without_sentences
from guard_wsgi.detection.language.tokens import RunWeights, numbers_alike
from guard_wsgi.detection.scoring.model import Model
from guard_wsgi.detection.scoring.reading import KIND_CATEGORIES, Reading, shaped_decodings
from guard_wsgi.detection.scoring.surroundings import CONTEXT, SIZES, Surroundings
from guard_wsgi.detection.scoring.window import Window
from guard_wsgi.detection.value import Budget, Value

_OF_A_PART: Final = frozenset({"text:part"})
_OF_WHOLE_VALUES: Final = frozenset(one.name for one in INDICATORS if one.category in WHOLE_VALUE)
# How many contexts to remember. A context is a choice of a dozen words that a text has or has not;
# sites have some hundreds.
MAX_KNOWN: Final = 2048
MAX_SUMS: Final = 64
"""Sets of indicators whose sum is remembered, of each context: a table repeats a few."""


class Bounds:
    """The bounds of one choice of categories, with a cache of contexts.

    :param ignored: names of indicators that do not count.
    """

    def __init__(
        self, model: Model, runs: RunWeights, enabled: frozenset[str], ignored: Iterable[str]
    ) -> None:
        self._model, self._runs, self._enabled = model, runs, enabled
        self._ignored = frozenset(ignored)
        self._excluded = {
            kind: self._ignored.union(one.name for one in INDICATORS if one.category not in allowed)
            for kind, allowed in KIND_CATEGORIES.items()
        }
        self._known: dict[tuple[frozenset[str], bool], Bound] = {}

    def excluded(self, kind: str) -> frozenset[str]:
        """Return the indicators that do not count in values of a kind."""
        return self._excluded.get(kind, self._ignored)

    def of(self, context: frozenset[str], is_whole: bool) -> Bound:
        """Return the bound in a context, or in any context that includes it."""
        key = context, is_whole
        bound = self._known.get(key)
        if bound is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            possible = frozenset() if is_whole else CONTEXT | SIZES
            bound = self._known[key] = Bound(self._model, context, possible, self._enabled)
        return bound

    def may_reach(
        self,
        value: Value,
        window: Window,
        found: tuple[Decoding, ...],
        names: Collection[str],
        around: Surroundings,
        threshold: float,
        budget: Budget,
    ) -> bool:
        """Whether a window with these readings and indicators may reach a threshold."""
        if not names and not value.flags:
            return False
        names = frozenset(names)
        most = self._model.shapes_most
        known = frozenset((*around.features(), *value.flags))
        if self.of(known, False).score(names, most) < threshold:
            return False
        budget.take_chars(len(window.text))
        shaped = shaped_decodings(window.text, found)
        reading = Reading(around, window, found, shaped)
        reading.add_context()
        context = frozenset((*reading.features, *value.flags))
        bound = self.of(context, True)
        texts = {view.text: numbers_alike(view.text) for view in shaped}.values()
        rows = {tuple(text.split()) for text in texts}
        if bound.score(names, most) >= threshold:
            shape = self._runs.total(rows, window.starts, window.ends)
            if bound.score(names, min(shape, most)) >= threshold:
                return True
        # The window without its prose has no further evidence.
        names = names - _OF_WHOLE_VALUES
        bound = self.of(context | _OF_A_PART, False)
        if bound.score(names, most) < threshold:
            return False
        rests = {tuple(without_sentences(text)) for text in texts}
        if rests == rows:
            return False
        shape = self._runs.total(rests, window.starts, window.ends)
        return bound.score(names, min(shape, most)) >= threshold


class Bound:
    """The highest score that indicators can reach in a context.

    :param possible: what else the context may have.
    """

    __slots__ = ("_base", "_certain", "_enabled", "_gains", "_model", "_possible", "_sums")

    def __init__(
        self,
        model: Model,
        certain: frozenset[str],
        possible: frozenset[str],
        enabled: frozenset[str],
    ) -> None:
        self._model, self._enabled = model, enabled
        self._certain, self._possible = certain, possible
        base = sum(model.gain(name, certain, possible, enabled) for name in certain)
        for name in possible - certain:
            base += max(model.gain(name, certain, possible, enabled), 0.0)
        self._base = base + 1e-3
        self._gains: dict[str, float] = {}
        self._sums: dict[frozenset[str], float] = {}

    def score(self, names: frozenset[str], shape: float) -> float:
        total = self._sums.get(names)
        if total is None:
            if len(self._sums) >= MAX_SUMS:
                self._sums.clear()
            total = self._sums[names] = self._base + sum(map(self._gain, names))
        return self._model.score_of(total + shape)

    def _gain(self, name: str) -> float:
        gain = self._gains.get(name)
        if gain is None:
            gain = self._model.gain(name, self._certain, self._possible, self._enabled)
            gain = self._gains[name] = max(gain, 0.0)
        return gain
