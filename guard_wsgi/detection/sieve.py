"""Sieve: which windows of a long text may be over a threshold at all.

A log, a page or a program has evidence all over and is far from a threshold everywhere. To read
one window in every way and weigh it takes a millisecond; here it is asked for the least that shows
that it can't reach the threshold, the cheapest first: the indicators that the scan of many windows
together finds in it, against the most that they may weigh in a text of this kind; what stands
around them; the shape, which in a text of hundreds of tokens speaks against an attack by far. What
is left is read and weighed as any value (reading.py): the sieve has no say in a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from guard_wsgi.detection.families import BuiltinScanners
from guard_wsgi.detection.finding import WHOLE_VALUE
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.model import Model
from guard_wsgi.detection.normalize import Decoding, decodings
from guard_wsgi.detection.prose import without_sentences
from guard_wsgi.detection.reading import (
    KIND_CATEGORIES,
    WITHOUT_SHAPE,
    Reading,
    shaped_decodings,
)
from guard_wsgi.detection.surroundings import CONTEXT, SIZES, Surroundings
from guard_wsgi.detection.tokens import RunWeights, numbers_alike
from guard_wsgi.detection.value import Budget, Value
from guard_wsgi.detection.window import Window

# Scanned together. What is refused should be so early, and what is cleared in few scans.
FIRST_TOGETHER: Final = 2
MOST_TOGETHER: Final = 32
# As many characters of a window are scanned in all their readings for the price of one that is
# weighed (value.Budget).
SCANNED_CHARS: Final = 3
# Of contexts, each of a dozen words that a text has or has not: sites meet some hundreds.
MAX_KNOWN: Final = 2048
_OF_A_PART: Final = frozenset({"text:part"})
_OF_WHOLE_VALUES: Final = frozenset(one.name for one in INDICATORS if one.category in WHOLE_VALUE)

Together = tuple[Window, tuple[Decoding, ...], set[str]]


class Sieve:
    """What is needed to clear windows, and what is remembered of contexts.

    :param ignored: names of indicators that do not count.
    """

    def __init__(
        self,
        scanners: BuiltinScanners,
        model: Model,
        runs: RunWeights,
        enabled: frozenset[str],
        ignored: Iterable[str],
    ) -> None:
        self._scanners = scanners
        self._model = model
        self._runs = runs
        self._enabled = enabled
        self._ignored = frozenset(ignored)
        self._excluded = {
            kind: self._ignored.union(one.name for one in INDICATORS if one.category not in allowed)
            for kind, allowed in KIND_CATEGORIES.items()
        }
        self._bounds: dict[tuple[frozenset[str], bool], _Bound] = {}

    def left(
        self,
        value: Value,
        windows: Iterator[Window],
        around: Surroundings,
        threshold: float,
        budget: Budget,
    ) -> Iterator[Window]:
        """The windows that may reach the threshold, in order.

        :raises BudgetSpent: when those before are looked at.
        """
        if value.kind in WITHOUT_SHAPE:
            yield from windows
            return
        most = FIRST_TOGETHER
        while batch := list(islice(windows, most)):
            for window, found, names in self._read(value, batch):
                budget.take_chars(len(window.text) // SCANNED_CHARS)
                if self._may_reach(value, window, found, names, around, threshold, budget):
                    yield window
            most = min(most * 4, MOST_TOGETHER)

    def _read(self, value: Value, batch: list[Window]) -> Iterator[Together]:
        """The windows with their views and the indicators in these: scanned together, those of
        neighbours may be among them."""
        excluded = self._excluded.get(value.kind, self._ignored)
        read = [(window, decodings(window.text)) for window in batch]
        pieces, ends, end = [], [], 0
        for window, found in read:
            for view in found:
                data = window.data(view.text)
                pieces.append(data)
                end += len(data)
            ends.append(end)
        # What begins or ends a value may be anchored there.
        first, last = batch[0].starts, batch[-1].ends
        each = self._scanners.among(b"".join(pieces), ends)
        for index, (window, found) in enumerate(read):
            names = each[index]
            if (first and index == 0) or (last and index == len(read) - 1):
                for view in found:
                    names.update([one.name for one in self._scanners.read(window.data(view.text))])
            yield window, found, names - excluded

    def _may_reach(
        self,
        value: Value,
        window: Window,
        found: tuple[Decoding, ...],
        names: set[str],
        around: Surroundings,
        threshold: float,
        budget: Budget,
    ) -> bool:
        if not names and not value.flags:
            return False
        most = self._model.shapes_most
        known = frozenset((*around.features(), *value.flags))
        if self._bound(known, False).score(names, most) < threshold:
            return False
        budget.take_chars(len(window.text))
        shaped = shaped_decodings(window.text, found)
        reading = Reading(around, window, found, shaped)
        reading.add_context()
        context = frozenset((*reading.features, *value.flags))
        bound = self._bound(context, True)
        texts = {view.text: numbers_alike(view.text) for view in shaped}.values()
        rows = {tuple(text.split()) for text in texts}
        if bound.score(names, most) >= threshold:
            shape = self._runs.total(rows, window.starts, window.ends)
            if bound.score(names, min(shape, most)) >= threshold:
                return True
        # The same without its prose, which has no evidence more.
        names = names - _OF_WHOLE_VALUES
        bound = self._bound(context | _OF_A_PART, False)
        if bound.score(names, most) < threshold:
            return False
        rests = {tuple(without_sentences(text)) for text in texts}
        if rests == rows:
            return False
        shape = self._runs.total(rests, window.starts, window.ends)
        return bound.score(names, min(shape, most)) >= threshold

    def _bound(self, context: frozenset[str], is_whole: bool) -> _Bound:
        """The bound in a context, or in any that has it."""
        key = context, is_whole
        bound = self._bounds.get(key)
        if bound is None:
            if len(self._bounds) >= MAX_KNOWN:
                self._bounds.clear()
            possible = frozenset() if is_whole else CONTEXT | SIZES
            bound = self._bounds[key] = _Bound(self._model, context, possible, self._enabled)
        return bound


class _Bound:
    """The most that indicators can score in a context.

    :param possible: what may be in the context as well.
    """

    __slots__ = ("_base", "_certain", "_enabled", "_gains", "_model", "_possible")

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

    def score(self, names: Iterable[str], shape: float) -> float:
        gains = self._gains
        total = self._base + shape
        for name in names:
            gain = gains.get(name)
            if gain is None:
                gain = self._model.gain(name, self._certain, self._possible, self._enabled)
                gains[name] = gain
            if gain > 0.0:
                total += gain
        return self._model.score_of(total)
