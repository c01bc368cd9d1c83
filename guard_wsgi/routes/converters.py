"""What a parameter of a path pattern stands for: all that an app may read as such.

Python's ``int`` reads ``+1``, ``1_0`` and blanks, ``float`` reads ``1e3``, ``uuid.UUID`` reads
braces and a prefix. werkzeug's own converters match the usual spelling alone, and another one led
past the rules. The expressions say all of it: of a value that a converter refuses afterwards,
werkzeug asks no other pattern.
"""

from __future__ import annotations

from uuid import UUID

from werkzeug.routing.converters import DEFAULT_CONVERTERS, NumberConverter, UUIDConverter

_DIGITS = r"\d(?:_?\d)*"


class Integer(NumberConverter):
    """What ``int`` reads."""

    regex = rf"\s*[+-]?{_DIGITS}\s*"
    signed_regex = regex


class Float(NumberConverter):
    """What ``float`` reads. An integer comes first, where a pattern has one."""

    weight = NumberConverter.weight + 1
    num_convert = float
    regex = (
        rf"\s*[+-]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?\s*"
        r"|\s*[+-]?(?i:inf|infinity|nan)\s*"
    )
    signed_regex = regex


class Uuid(UUIDConverter):
    """What ``uuid.UUID`` reads."""

    regex = r"(?:urn:|uuid:)*[{}]*(?:-*[A-Fa-f0-9]){32}-*[{}]*"

    def to_python(self, value: str) -> UUID:
        return UUID(value)


CONVERTERS = {**DEFAULT_CONVERTERS, "int": Integer, "float": Float, "uuid": Uuid}
