"""The sieve: finds the windows of a long text that may exceed the threshold.

A log, a page or a program has evidence all over and is far from the threshold everywhere. Reading
one window in every way and weighing it takes a millisecond. The sieve drops windows whose upper
bound is under the threshold. It takes the cheapest bound first: the highest weight of the
indicators that one scan of many windows finds, in a text of this kind; then their surroundings;
then the shape of the text, because hundreds of tokens make an attack unlikely. The rest is read and
weighed like any value (reading.py). So the sieve never decides a verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from guard_wsgi.detection.decoding.decodings import Decoding, decodings
from guard_wsgi.detection.scanning.families import BuiltinScanners
from guard_wsgi.detection.scoring.bounds import Bounds
from guard_wsgi.detection.scoring.reading import (
    WITHOUT_SHAPE,
)
from guard_wsgi.detection.scoring.surroundings import Surroundings
from guard_wsgi.detection.scoring.window import Window
from guard_wsgi.detection.value import Budget, Value

# How many windows to scan together. The first scans are small, so that an attack is found early;
# the later ones are large, so that harmless text takes few scans.
FIRST_TOGETHER: Final = 2
MOST_TOGETHER: Final = 32
# Scanning this many characters of a window in all readings costs as much as weighing one character.
SCANNED_CHARS: Final = 3

Together = tuple[Window, tuple[Decoding, ...], set[str]]


class Sieve:
    """Drops windows."""

    def __init__(
        self,
        scanners: BuiltinScanners,
        bounds: Bounds,
    ) -> None:
        self._scanners = scanners
        self._bounds = bounds

    def candidates(
        self,
        value: Value,
        windows: Iterator[Window],
        around: Surroundings,
        threshold: float,
        budget: Budget,
    ) -> Iterator[Window]:
        """Yield the windows that may reach the threshold, in order.

        :raises BudgetSpent: after the windows before it were yielded.
        """
        if value.kind in WITHOUT_SHAPE:
            yield from windows
            return
        most = FIRST_TOGETHER
        while batch := list(islice(windows, most)):
            for window, found, names in self._read(value, batch):
                budget.take_chars(len(window.text) // SCANNED_CHARS)
                if self._bounds.may_reach(value, window, found, names, around, threshold, budget):
                    yield window
            most = min(most * 4, MOST_TOGETHER)

    def _read(self, value: Value, batch: list[Window]) -> Iterator[Together]:
        """Return the windows with their views and indicators. Windows are scanned together, so a
        window may also get indicators of its neighbours."""
        excluded = self._bounds.excluded(value.kind)
        read = [(window, decodings(window.text)) for window in batch]
        pieces, ends, end = [], [], 0
        for window, found in read:
            for view in found:
                data = window.data(view.text)
                pieces.append(data)
                end += len(data)
            ends.append(end)
        # Patterns may be anchored at the beginning or the end of a value.
        first, last = batch[0].starts, batch[-1].ends
        each = self._scanners.among(b"".join(pieces), ends)
        for index, (window, found) in enumerate(read):
            names = each[index]
            if (first and index == 0) or (last and index == len(read) - 1):
                for view in found:
                    names.update([one.name for one in self._scanners.read(window.data(view.text))])
            yield window, found, names - excluded
