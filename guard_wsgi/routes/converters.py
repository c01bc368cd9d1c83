"""The values of a parameter in a path pattern: everything that an app may read as such.

Python's ``int`` reads ``+1``, ``1_0`` and blanks, ``float`` reads ``1e3``, ``uuid.UUID`` reads
braces and a prefix. werkzeug's own converters match only the usual spelling, so another spelling
would evade the rules. The expressions match all spellings: if a converter refuses a value
afterwards, werkzeug tries no other pattern.
"""

from __future__ import annotations

from uuid import UUID

from werkzeug.routing.converters import DEFAULT_CONVERTERS, NumberConverter, UUIDConverter

_DIGITS = r"\d(?:_?\d)*"


class Integer(NumberConverter):
    """The values that ``int`` reads."""

    regex = rf"\s*[+-]?{_DIGITS}\s*"
    signed_regex = regex


class Float(NumberConverter):
    """The values that ``float`` reads. A pattern for integers comes first, if there is one."""

    weight = NumberConverter.weight + 1
    num_convert = float
    regex = (
        rf"\s*[+-]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?\s*"
        r"|\s*[+-]?(?i:inf|infinity|nan)\s*"
    )
    signed_regex = regex


class Uuid(UUIDConverter):
    """The values that ``uuid.UUID`` reads."""

    regex = r"(?:urn:|uuid:)*[{}]*(?:-*[A-Fa-f0-9]){32}-*[{}]*"

    def to_python(self, value: str) -> UUID:
        return UUID(value)


CONVERTERS = {**DEFAULT_CONVERTERS, "int": Integer, "float": Float, "uuid": Uuid}
