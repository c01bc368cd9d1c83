"""pydantic's names for methods of a configuration, for apps whose configuration was a model.

Each is another name for a method of SecurityConfig, or a view of its options.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from attrs import fields, frozen

from guard_wsgi.errors import ConfigError

if TYPE_CHECKING:
    from typing import Self


@frozen(slots=True)
class FieldInfo:
    """An entry of ``model_fields``."""

    annotation: Any
    default: Any

    def is_required(self) -> bool:
        return False

    def get_default(self, **_: Any) -> Any:
        return self.default


_CALLED_BY_PYDANTIC = frozenset({"model_post_init", "__pydantic_init_subclass__"})

_INSTEAD = (
    "give defaults as they are (rate_limit = 100), and check or change options in"
    " __init__(self, **options) before super().__init__(**options)"
)


class _Fields:
    """The options of the class by name; the same for an instance."""

    def __get__(self, instance: object, owner: Any) -> Mapping[str, FieldInfo]:
        defaults = owner.class_defaults()
        return MappingProxyType(
            {
                attribute.name: FieldInfo(
                    attribute.type, defaults.get(attribute.name, attribute.default)
                )
                for attribute in fields(owner)
                if attribute.init
            }
        )


class PydanticNames:
    """The methods of a pydantic model that apps call on a configuration."""

    __slots__ = ()

    def __init_subclass__(cls, **options: Any) -> None:
        """:raises ConfigError: for methods that only pydantic would call: a check that never runs
        protects nothing."""
        super().__init_subclass__(**options)
        faults = [
            f"{cls.__name__}.{name} belongs to pydantic, and a configuration is not a pydantic"
            f" model: {_INSTEAD}"
            for name, value in vars(cls).items()
            if type(value).__module__.partition(".")[0] == "pydantic"
            or hasattr(value, "__validator_config__")
            or (name in _CALLED_BY_PYDANTIC and callable(value))
        ]
        if faults:
            raise ConfigError(faults)

    model_fields = _Fields()
    model_config: Mapping[str, Any] = MappingProxyType({"frozen": True, "extra": "forbid"})

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """The same as ``evolve(**update)``; a deep copy is not needed."""
        changed: Self = self.evolve(**(update or {}))  # type: ignore[attr-defined]
        return changed

    copy = model_copy

    def model_dump(
        self,
        *,
        mode: str = "python",
        include: Iterable[str] | None = None,
        exclude: Iterable[str] | None = None,
        exclude_none: bool = False,
        exclude_defaults: bool = False,
        exclude_unset: bool = False,
        **_: Any,
    ) -> dict[str, Any]:
        """Return ``to_mapping()`` or a part of it. Secrets are in clear text."""
        mapping: dict[str, Any] = self.to_mapping()  # type: ignore[attr-defined]
        defaults = type(self)().to_mapping() if exclude_defaults or exclude_unset else {}  # type: ignore[attr-defined]
        wanted = set(mapping) if include is None else set(include)
        return {
            name: value
            for name, value in mapping.items()
            if name in wanted - set(exclude or ())
            and not (exclude_none and value is None)
            and not (name in defaults and value == defaults[name])
        }

    dict = model_dump

    def model_dump_json(self, *, indent: int | None = None, **options: Any) -> str:
        """The same as JSON; handlers and functions as their repr."""
        return json.dumps(self.model_dump(**options), indent=indent, default=repr)

    json = model_dump_json

    @classmethod
    def model_validate(cls, obj: Any, **_: Any) -> Self:
        """Return a configuration as it is, or make one from a mapping.

        :raises ConfigError: as the constructor.
        """
        if isinstance(obj, cls):
            return obj
        made: Self = cls.from_mapping(obj)  # type: ignore[attr-defined]
        return made

    parse_obj = model_validate

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Self:
        """Make a configuration from a JSON object.

        :raises ConfigError: as the constructor, and if it is not a JSON object.
        """
        try:
            mapping = json.loads(json_data)
        except ValueError as error:
            raise ConfigError([f"the configuration is not JSON: {error}"]) from error
        if not isinstance(mapping, Mapping):
            raise ConfigError(["the configuration is not a JSON object"])
        return cls.model_validate(mapping)

    parse_raw = model_validate_json

    @classmethod
    def model_validate_strings(cls, obj: Any, **_: Any) -> Self:
        """The same as ``model_validate``: options may be given as text anyway."""
        return cls.model_validate(obj)

    @classmethod
    def model_construct(cls, _fields_set: Any = None, **options: Any) -> Self:
        """The same as the constructor: an unchecked configuration could protect nothing.

        :raises ConfigError: as the constructor.
        """
        return cls.model_validate(options)

    @property
    def model_fields_set(self) -> set[str]:
        """The options that differ from the defaults. An option that was set to its default is not
        included."""
        return set(self.model_dump(exclude_defaults=True))

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Yield pairs of name and value, for ``dict(config)``."""
        return iter(self.model_dump().items())

    @property
    def revision(self) -> int:
        """The number of changes: always 0, because a configuration can't change."""
        return 0
