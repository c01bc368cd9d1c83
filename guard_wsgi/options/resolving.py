"""Reads and checks the options of a class, and reports every fault at once.

A class of options is a frozen attrs class under :func:`checked`, whose fields have converters and
validators. attrs stops at the first that raises. Here, all of them run, and unknown names are
faults as well.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from attrs import NOTHING, Attribute, evolve, field, fields, fields_dict, frozen

from guard_wsgi.errors import ConfigError
from guard_wsgi.options.numbers import Range, is_blank
from guard_wsgi.options.quoting import nearest, quoted

_Options = TypeVar("_Options")


@frozen(slots=True)
class Resolved:
    """The result of resolving keywords.

    :ivar values: every option's converted value; its default if the given value is at fault.
    :ivar broken: the names of the options at fault.
    :ivar faults: one sentence per fault.
    """

    values: dict[str, Any]
    broken: frozenset[str]
    faults: list[str]


def options_of(cls: Any) -> tuple[Attribute[Any], ...]:
    """Return the attributes of ``cls`` that its constructor takes. Each has an immutable
    default."""
    return tuple(attribute for attribute in fields(cls) if attribute.init)


def resolve(
    instance: Any, keywords: Mapping[str, Any], *, blank_is_unset: bool = False
) -> Resolved:
    """Convert and check ``keywords`` as the options of ``instance``, which is not changed.

    :param blank_is_unset: whether a blank value means that the option is not set. It does in a
        site's configuration, but not in a rule on a view, which must take effect.
    """
    attributes = options_of(type(instance))
    known = {attribute.name: None for attribute in attributes}
    faults = [
        f"unknown option {str(name)!r}{nearest(str(name), known)}"
        for name in keywords
        if name not in known
    ]
    values: dict[str, Any] = {}
    broken: set[str] = set()
    for attribute in attributes:
        name = attribute.name
        if name not in keywords:
            if attribute.default is NOTHING:
                broken.add(name)
                faults.append(f"{name} is required")
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
                fault = "must be a string"
            elif isinstance(error, TypeError):  # a shape that no converter expects
                fault = f"can't be {quoted(value)}"
            else:
                fault = str(error)
            faults.append(f"{name} {fault}")
            value = attribute.default
        values[name] = value
    return Resolved(values, frozenset(broken), faults)


def checked(cls: type[_Options]) -> type[_Options]:
    """Makes a frozen attrs class a class of options, whose constructor reports every fault at once.

    Faults of several options together come from its static method ``contradictions(options,
    broken)``, if it has one. The constructor raises ConfigError, and TypeError if there are more
    values than options or a value is given twice.
    """
    made: Any = cls
    names = [option.name for option in options_of(cls) if not option.kw_only]
    others = {each.name: each.default for each in fields(made) if not each.init}
    contradictions = getattr(cls, "contradictions", None)
    at_last = getattr(cls, "__attrs_post_init__", None)

    def __init__(self: Any, /, *values: Any, **keywords: Any) -> None:
        if len(values) > len(names):
            raise TypeError(f"{cls.__name__} takes {len(names)} values at most, not {len(values)}")
        given = dict(zip(names, values, strict=False))
        twice = given.keys() & keywords.keys()
        if twice:
            raise TypeError(f"{cls.__name__} got {', '.join(sorted(twice))} twice")
        resolved = resolve(self, {**given, **keywords})
        faults = resolved.faults
        if contradictions is not None:
            faults = [*faults, *contradictions(resolved.values, resolved.broken)]
        if faults:
            raise ConfigError(faults)
        for name, value in {**resolved.values, **others}.items():
            object.__setattr__(self, name, value)
        if at_last is not None:
            at_last(self)

    # For help() and consoles: the signature that type checkers see.
    __init__.__signature__ = inspect.signature(made.__init__)  # type: ignore[attr-defined]
    made.__init__ = __init__
    return cls


def same_as(cls: type, name: str, *, within: Range | None = None, optional: bool = False) -> Any:
    """Declare an option as another class of options does: with its default, converter and checks.

    :param within: a narrower range than that of ``cls``.
    :param optional: whether the default is ``None``, which means the default of ``cls``.
    """
    declared = fields_dict(cls)[name]
    convert: Any = declared.converter
    check: Any = within or declared.validator
    if not optional:
        return field(
            default=declared.default,
            converter=convert,
            validator=check,
            metadata=declared.metadata,
        )
    return field(
        default=None,
        converter=None if convert is None else or_none(convert),
        validator=None if check is None else or_none(check),
        metadata={**declared.metadata, "meant": declared.default},
    )


def or_none(check: Any) -> Any:
    """Make a converter or a validator accept ``None``."""
    if isinstance(check, Range):
        return evolve(check, optional=True)

    def checked_unless_none(*arguments: Any) -> Any:
        return None if arguments[-1] is None else check(*arguments)

    return checked_unless_none


def _is_unset(value: object, attribute: Attribute[Any]) -> bool:
    """Whether a value means that the option is not set.

    A blank text does so if the option may be ``None`` or its metadata says so. For an option that
    is empty by default, a blank text, ``None`` and an empty collection do.
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
