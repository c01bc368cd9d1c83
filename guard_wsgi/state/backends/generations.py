"""A bounded table of recently used keys. Forgetting takes the same time for any size.

It has two dicts: the young generation holds keys used since it began, the old one keys used in the
generation before. A key found in the old one moves to the young one. When the young one is full, or
older than the lifetime of its entries, it becomes the old one, and the old one is forgotten, a few
keys at a time. So the last ``max_keys / 2`` used keys are kept, at most ``max_keys`` are, and an
unused entry is gone after two generations.

An exact order of use (OrderedDict) would touch three more places in memory for every hit, and with
a million keys a hit waits for memory.
"""

from __future__ import annotations

from typing import Generic, TypeVar

_FORGOTTEN_PER_KEY = 2
"""How many keys to forget per added key: two, so that they are gone in half the time."""

Value = TypeVar("Value")


class Generations(Generic[Value]):
    """It has no lock: the owner holds its own lock.

    For speed, callers read and write ``young`` directly. `recall` looks up a key that isn't in it,
    and `added` reports a new key.
    """

    __slots__ = ("_born_ns", "_dying", "_longest_ns", "_old", "_size", "young")

    def __init__(self, max_keys: int) -> None:
        self.young: dict[str, Value] = {}
        self._old: dict[str, Value] = {}
        self._dying: dict[str, Value] = {}
        self._size = max(1, max_keys // 2)
        self._born_ns = 0
        self._longest_ns = 0

    def __len__(self) -> int:
        return len(self.young) + len(self._old) + len(self._dying)

    def find(self, key: str) -> Value | None:
        """Return the value of a key without marking it as used."""
        found = self.young.get(key)
        return self._old.get(key) if found is None else found

    def recall(self, key: str) -> Value | None:
        """Remove and return a key of the old generation."""
        return self._old.pop(key, None)

    def added(self, now_ns: int, lives_ns: int) -> None:
        """Report that a key was added to ``young``, which lives for ``lives_ns``."""
        if lives_ns > self._longest_ns:
            self._longest_ns = lives_ns
        dying = self._dying
        if dying:
            for _ in range(min(_FORGOTTEN_PER_KEY, len(dying))):
                dying.popitem()
        if not self._born_ns:
            self._born_ns = now_ns
        elif len(self.young) >= self._size or now_ns - self._born_ns >= self._longest_ns:
            dying.clear()  # empty but after very few keys
            self._dying, self._old, self.young = self._old, self.young, {}
            self._born_ns = now_ns

    def drop(self, key: str) -> None:
        self.young.pop(key, None)
        self._old.pop(key, None)

    def clear(self) -> None:
        self.young, self._old, self._dying = {}, {}, {}
