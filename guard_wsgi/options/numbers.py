"""Reads numbers and switches as people write them: in Python, in TOML, and as text of the
environment.

``"100"``, ``60.0`` and ``Decimal("60")`` are whole numbers, ``"off"`` is a switch. Values that only
look like one (``60.5``, ``"many"``, a ``bool`` for a count) are refused; the error names the value.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from attrs import Attribute, frozen

from guard_wsgi.options.quoting import quoted

_WORDS = {
    **dict.fromkeys(("true", "1", "yes", "on", "t", "y"), True),
    **dict.fromkeys(("false", "0", "no", "off", "f", "n"), False),
}
"""The words for a switch, in upper or lower case."""


def is_blank(value: object) -> bool:
    """Whether it is an empty text, which in an environment means "not set"."""
    return isinstance(value, str) and not value.strip()


def flag(value: object) -> bool:
    """Read a switch: a ``bool``, 0 or 1, or one of the usual words."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = _WORDS.get(value.strip().lower())
        if word is not None:
            return word
    elif isinstance(value, (int, float, Decimal)) and value in (0, 1):
        return bool(value)
    raise ValueError(f"must be true or false, not {quoted(value)}")


def optional_flag(value: object) -> bool | None:
    return None if value is None else flag(value)


def read_number(value: object) -> int | float:
    """Read a number.

    :raises ValueError: if it is not a number; a ``bool`` is not one here.
    """
    if isinstance(value, str):
        return _of_text(value)
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == int(value) else float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"must be a number, not {quoted(value)}")
    return value


def read_whole(value: object) -> int:
    """Read a whole number.

    :raises ValueError: if it is not a number, or has a fraction.
    """
    try:
        number = read_number(value)
        if number == int(number):
            return int(number)
    except (ValueError, OverflowError):  # infinity is a number, but not a whole one
        pass
    raise ValueError(f"must be a whole number, not {quoted(value)}")


def _of_text(text: str) -> int | float:
    for kind in (int, float):
        try:
            number: int | float = kind(text)
        except ValueError:
            continue
        return number
    raise ValueError(f"must be a number, not {quoted(text)}")


MAX_COUNT = 2**31 - 1
"""Counts have 32 bits in the stores; twice this number does not overflow them."""

MAX_SECONDS = 3_155_760_000
"""A hundred years. Stores keep the end of the window after the next as nanoseconds in 64 bits."""

_LARGEST = 2**63 - 1


@frozen(slots=True)
class Range:
    """Numbers from ``minimum`` to ``maximum``.

    It is a validator for attrs. :meth:`read` also converts text, for constructors that resolve
    their options themselves (resolving.py).

    :ivar above: whether the range excludes the minimum itself.
    :ivar optional: whether ``None`` is allowed as well.
    """

    minimum: float
    maximum: float | None = None
    whole: bool = False
    optional: bool = False
    above: bool = False

    def __call__(self, instance: object, attribute: Attribute[Any], value: object) -> None:
        self.read(value)

    def read(self, value: object) -> int | float | None:
        """Read a number in the range.

        :raises ValueError: if it is not a number, or out of the range; the error names the value.
        """
        if self.optional and value is None:
            return None
        number = read_whole(value) if self.whole else read_number(value)
        if isinstance(number, int) and abs(number) > _LARGEST:  # too large for a float
            raise ValueError(
                f"must be at most {_LARGEST if self.maximum is None else self.maximum}"
            )
        if not math.isfinite(number):
            raise ValueError(f"must be finite, not {number}")
        if self.above and number <= self.minimum:
            raise ValueError(f"must be more than {self.minimum}, not {number}")
        if number < self.minimum:
            raise ValueError(f"must be at least {self.minimum}, not {number}")
        if self.maximum is not None and number > self.maximum:
            raise ValueError(f"must be at most {self.maximum}, not {number}")
        return number


def whole_number(minimum: int, maximum: int | None = None, *, optional: bool = False) -> Range:
    """An ``int`` in a range."""
    return Range(minimum, maximum, whole=True, optional=optional)


def number(
    minimum: float,
    maximum: float | None = None,
    *,
    optional: bool = False,
    above: bool = False,
) -> Range:
    """A finite number in a range; ``above`` excludes the minimum itself."""
    return Range(minimum, maximum, optional=optional, above=above)
