"""A window: a piece of a value around hits of the first pass, weighed separately.

A short value is one window. Of a long value, only the surroundings of hits are weighed. So evidence
adds up only if it is close together, a payload after a megabyte of padding weighs as much as one
alone, and a text weighs the same in every place of a document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from attrs import define

from guard_wsgi.detection.decoding.percent import PERCENT, unquote

# Longer than nearly all form fields, and short enough for a paragraph to show its subject.
WHOLE_CHARS: Final = 600
# How much to include before and after a hit: a sentence or a line of code on each side.
AROUND_CHARS: Final = 160
# The overlap of pieces of one run of hits without a gap: an injection is shorter.
OVERLAP_CHARS: Final = 160
# Longer words are cut.
_LONGEST_WORD: Final = 32
# More hits or escapes than these in one value count as one run without a gap.
FEW_HITS: Final = 1000
HIT_EVERY: Final = 16
MOST_HITS: Final = 20_000

# Marks the rest of the value on either side of a piece. For a pattern, it is neither the beginning
# of a value nor an open quote, and it can't complete any pattern.
_BEFORE: Final = "\u00b7'\"`\u00b7 ".encode()
_AFTER: Final = " \u00b7'\"`\u00b7".encode()

_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")

Ends = Callable[[bytes, int], "list[int]"]
"""``ends(data, most)``: the offsets in the data of the first pass at which up to ``most`` hits
end."""


@define(unsafe_hash=True)
class Window:
    """A piece of a value. Not frozen, like Value.

    :ivar starts: whether the value begins with it.
    :ivar ends: whether the value ends with it.
    :ivar fresh: how many of its characters no earlier window had.
    """

    text: str
    starts: bool = True
    ends: bool = True
    fresh: int = 0

    def data(self, text: str) -> bytes:
        """Return a reading of the piece for pattern matching, with the rest of the value marked."""
        data = text.encode("utf-8", "surrogatepass")
        if self.starts and self.ends:
            return data
        return (b"" if self.starts else _BEFORE) + data + (b"" if self.ends else _AFTER)


# Repetitions are filler: a path or an address after them is still the whole value.
_FILLER = re.compile(r"(.{1,4}?)\1{31,}", re.DOTALL)
_FILLER_LEFT: Final = 8
# A repetition has at least 32 characters, so it contains some position of 16 with these after it.
_STEP: Final = 16
_LONGEST_UNIT: Final = 4


def without_filler(text: str) -> str:
    """Shorten each repetition in a text to its beginning.

    A search for repetitions everywhere would take as long as everything after it. So it searches
    only where there may be one: if units have up to four characters, each character repeats after
    twelve.
    """
    kept: list[str] = []
    begin = start = searched = 0
    while start < len(text) and searched < MOST_SEARCHED:
        for at in _repeating(text, start):
            if at < begin or text[at : at + 4] != text[at + 12 : at + 16]:
                continue
            for size in range(1, _LONGEST_UNIT + 1):
                if text[at + size : at + size + 8] != text[at : at + 8]:
                    continue
                # The repetition begins and ends anywhere in its unit.
                near = max(at - 32 * size, begin)
                if text[at : at + size] * 31 in text[near : at + 33 * size]:
                    match = _FILLER.search(text, near, at + 33 * _LONGEST_UNIT)
                    if match is not None:
                        kept += [text[begin : match.start()], match[1] * _FILLER_LEFT]
                        begin = _end_of_row(text, match[1], match.end())
                    break
        searched += SEARCHED_TOGETHER
        start = max(start + SEARCHED_TOGETHER, begin)
    return "".join([*kept, text[begin:]]) if kept else text


SEARCHED_TOGETHER: Final = 16_384
MOST_SEARCHED: Final = 262_144
"""How many characters to search for repetitions, without those in them. What follows so many others
is not the whole value."""


def _repeating(text: str, start: int) -> Iterator[int]:
    """Yield each position, a step apart, whose character may repeat after twelve.

    The characters are compared as two large numbers: a loop takes ten times as long.
    """
    end = start + SEARCHED_TOGETHER
    others = text[start + 12 : end + 12 : _STEP].encode("latin-1", "replace")
    ones = text[start:end:_STEP].encode("latin-1", "replace")[: len(others)]
    differ = int.from_bytes(ones, "big") ^ int.from_bytes(others, "big")
    found = differ.to_bytes(len(ones), "big")
    at = found.find(0)
    while at >= 0:
        yield start + at * _STEP
        at = found.find(0, at + 1)


def _end_of_row(text: str, unit: str, end: int) -> int:
    for many in (unit * 256, unit):
        while text.startswith(many, end):
            end += len(many)
    return end


def windows(text: str, hits: Ends) -> Iterator[Window]:
    """Return the windows of a value without its filler; none if a long value has no hit."""
    if len(text) > WHOLE_CHARS:
        text = without_filler(text).strip()
    size = len(text)
    if size <= WHOLE_CHARS:
        yield Window(text, fresh=size)
        return
    covered = 0
    for start, end in _pieces(text, _spans(text, hits)):
        yield Window(text[start:end], start == 0, end == size, end - max(start, covered))
        covered = end


def _spans(text: str, hits: Ends) -> Iterator[tuple[int, int]]:
    """Return runs of close hits with their surroundings, in order and without overlap."""
    size = len(text)
    start = end = -1
    for hit in _places(text, hits):
        if end < 0:
            start = max(hit - AROUND_CHARS, 0)
        elif hit - AROUND_CHARS > end:
            yield start, end
            start = hit - AROUND_CHARS
        end = min(hit + AROUND_CHARS, size)
    if end >= 0:
        yield start, end


def _places(text: str, hits: Ends) -> list[int]:
    """Return where hits end in the text, in characters; for a hit in an escape, the place of the
    escape."""
    size = len(text)
    most = min(FEW_HITS + size // HIT_EVERY, MOST_HITS)
    data = b"=" + text.encode("utf-8", "surrogatepass").replace(b"+", b" ") + b"\x0b"
    found = hits(data, most)
    is_escaped = PERCENT in data and bool(hits(unquote(data), 1))
    if len(found) >= most or (is_escaped and text.count("%") >= most):
        return list(range(0, size, AROUND_CHARS))
    found = sorted(set(found))
    if text.isascii():
        places = [min(place - 1, size) for place in found]
    else:
        places, characters, before = [], 0, 1
        for place in found:
            characters += len(data[before:place].decode("utf-8", "ignore"))
            before = place
            places.append(min(characters, size))
    if is_escaped:
        places = sorted({*places, *(match.end() for match in _ESCAPE.finditer(text))})
    return places


def _pieces(text: str, spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Return the spans, cut between words; long ones become pieces that overlap."""
    for start, end in spans:
        start, end = _before_word(text, start), _after_word(text, end)
        while end - start > WHOLE_CHARS:
            cut = _after_word(text, start + WHOLE_CHARS - _LONGEST_WORD)
            yield start, cut
            start = _before_word(text, cut - OVERLAP_CHARS)
        yield start, end


def _before_word(text: str, place: int) -> int:
    """Return the beginning of the word at a place."""
    for at in range(place, max(place - _LONGEST_WORD, 0), -1):
        if text[at - 1].isspace():
            return at
    return 0 if place <= _LONGEST_WORD else place


def _after_word(text: str, place: int) -> int:
    """Return the end of the word at a place."""
    size = len(text)
    for at in range(place, min(place + _LONGEST_WORD, size)):
        if text[at].isspace():
            return at
    return size if place + _LONGEST_WORD >= size else place
