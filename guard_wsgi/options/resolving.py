"""Turning keywords into the fields of a class of options, with every fault at once.

attrs runs converters and validators one by one and stops at the first that raises; here they all
run, and unknown names are faults beside the others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from attrs import Attribute, fields, frozen

from guard_wsgi.options.numbers import Range, is_blank
from guard_wsgi.options.quoting import nearest, quoted


@frozen(slots=True)
class Resolved:
    """What keywords came to.

    :ivar values: every option's value, converted; its default where the one given is at fault.
    :ivar broken: the names of those at fault.
    :ivar faults: one sentence each.
    """

    values: dict[str, Any]
    broken: frozenset[str]
    faults: list[str]


def options_of(cls: Any) -> tuple[Attribute[Any], ...]:
    """The attributes of ``cls`` that its constructor takes. Each has an immutable default."""
    return tuple(attribute for attribute in fields(cls) if attribute.init)


def resolve(
    instance: Any, keywords: Mapping[str, Any], *, blank_is_unset: bool = False
) -> Resolved:
    """Convert and check ``keywords`` as the options of ``instance``, which is not changed.

    :param blank_is_unset: whether what is given for an option may also say that nobody set it: for
        a site's configuration it may, a rule that somebody puts on a view must hold.
    """
    attributes = options_of(type(instance))
    known = {attribute.name: None for attribute in attributes}
    faults = [
        f"{name} is no option{nearest(str(name), known)}" for name in keywords if name not in known
    ]
    values: dict[str, Any] = {}
    broken: set[str] = set()
    for attribute in attributes:
        name = attribute.name
        if name not in keywords:
            values[name] = attribute.default
            continue
        value = keywords[name]
        if blank_is_unset and _is_unset(value, attribute):
            values[name] = attribute.default
            continue
        try:
            if attribute.converter is not None:
                value = attribute.converter(value)  # type: ignore[operator]
            if isinstance(attribute.validator, Range):
                value = attribute.validator.read(value)
            elif attribute.validator is not None:
                attribute.validator(instance, attribute, value)
        except (ValueError, TypeError) as error:
            broken.add(name)
            if attribute.metadata.get("secret"):
                fault = "must be text"
            elif isinstance(error, TypeError):  # a shape that no converter reckons with
                fault = f"can't be {quoted(value)}"
            else:
                fault = str(error)
            faults.append(f"{name} {fault}")
            value = attribute.default
        values[name] = value
    return Resolved(values, frozenset(broken), faults)


def _is_unset(value: object, attribute: Attribute[Any]) -> bool:
    """Whether a value only says that nobody set the option.

    So do a blank text where ``None`` is a value or the option says so in its metadata, and a
    blank text, ``None`` or any empty collection for an option that is empty otherwise.
    """
    default = attribute.default
    if is_blank(value):
        return (
            "None" in str(attribute.type)
            or "blank" in attribute.metadata
            or _is_empty_collection(default)
        )
    is_nothing = value is None or (isinstance(value, Collection) and not value)
    return is_nothing and not isinstance(value, bytes) and _is_empty_collection(default)


def _is_empty_collection(value: object) -> bool:
    return isinstance(value, (tuple, frozenset, Mapping)) and not value
