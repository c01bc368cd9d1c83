"""The sieve: finds the windows of a long text that may exceed a threshold at all.

A log, a page or a program has evidence all over and is far from a threshold everywhere. To read
one window in every way and weigh it takes a millisecond; here it is asked for the least that shows
that it can't reach the threshold, the cheapest first: the indicators that the scan of many windows
together finds in it, against the most that they may weigh in a text of this kind; what stands
around them; the shape, which in a text of hundreds of tokens speaks against an attack by far. What
is left is read and weighed as any value (reading.py): the sieve has no say in a verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from guard_wsgi.detection.bounds import Bounds
from guard_wsgi.detection.families import BuiltinScanners
from guard_wsgi.detection.normalize import Decoding, decodings
from guard_wsgi.detection.reading import (
    WITHOUT_SHAPE,
)
from guard_wsgi.detection.surroundings import Surroundings
from guard_wsgi.detection.value import Budget, Value
from guard_wsgi.detection.window import Window

# Scanned together. What is refused should be so early, and what is cleared in few scans.
FIRST_TOGETHER: Final = 2
MOST_TOGETHER: Final = 32
# As many characters of a window are scanned in all their readings for the price of one that is
# weighed (value.Budget).
SCANNED_CHARS: Final = 3

Together = tuple[Window, tuple[Decoding, ...], set[str]]


class Sieve:
    """What is needed to clear windows."""

    def __init__(
        self,
        scanners: BuiltinScanners,
        bounds: Bounds,
    ) -> None:
        self._scanners = scanners
        self._bounds = bounds

    def left(
        self,
        value: Value,
        windows: Iterator[Window],
        around: Surroundings,
        threshold: float,
        budget: Budget,
    ) -> Iterator[Window]:
        """Yield the windows that may reach the threshold, in order.

        :raises BudgetSpent: after the windows before were yielded.
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
        """The windows with their views and the indicators in these: scanned together, those of
        neighbours may be among them."""
        excluded = self._bounds.excluded(value.kind)
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
