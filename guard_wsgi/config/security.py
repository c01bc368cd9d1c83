"""The configuration of a guard: one immutable object, checked as a whole at construction.

``SecurityConfig`` takes keywords only. One ConfigError lists unknown names, values out of range,
contradictions between options and missing packages. All values are immutable; ``evolve`` makes a
changed configuration.

The converters of single options are in values.py, texts.py and tables.py.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from attrs import field, frozen

from guard_wsgi.config import tables as tables
from guard_wsgi.config import texts as texts
from guard_wsgi.config.doubtful_options import doubts
from guard_wsgi.config.pydantic_names import PydanticNames
from guard_wsgi.config.rules import contradictions
from guard_wsgi.config.sections.access import AccessOptions
from guard_wsgi.config.sections.agent import AgentOptions
from guard_wsgi.config.sections.answers import AnswerOptions
from guard_wsgi.config.sections.bans import BanOptions
from guard_wsgi.config.sections.behavior import BehaviorOptions
from guard_wsgi.config.sections.client import ClientOptions
from guard_wsgi.config.sections.detection import DetectionOptions
from guard_wsgi.config.sections.inert import InertOptions
from guard_wsgi.config.sections.limits import LimitOptions
from guard_wsgi.config.sections.mode import ModeOptions
from guard_wsgi.config.sections.stores import StoreOptions
from guard_wsgi.config.sections.telemetry import TelemetryOptions
from guard_wsgi.config.sources import read_env, read_secret_files, read_toml
from guard_wsgi.errors import ConfigError
from guard_wsgi.options import frozen as config_frozen
from guard_wsgi.options import values as values
from guard_wsgi.options.quoting import quoted
from guard_wsgi.options.resolving import options_of, resolve

if TYPE_CHECKING:
    from typing import Self

    from guard_wsgi.agent.config import AgentConfig

_Config = TypeVar("_Config", bound="SecurityConfig")


class IgnoredOption(UserWarning):
    """An option of flaskapi-guard does nothing here; the message says why."""


class DoubtfulOption(UserWarning):
    """The configuration is valid, but probably does not do what its author wants."""


def _masked(value: object) -> str:
    return "***"


class Lineage:
    """Identifies a configuration and all that evolved from it. It has no attributes."""


# attrs lists the options of the last base first.
@frozen(kw_only=True, slots=False, repr=False)
class SecurityConfig(
    InertOptions,
    AgentOptions,
    TelemetryOptions,
    DetectionOptions,
    BehaviorOptions,
    AnswerOptions,
    StoreOptions,
    LimitOptions,
    BanOptions,
    AccessOptions,
    ModeOptions,
    ClientOptions,
    PydanticNames,
):
    """Every option of the guard; frozen, keyword-only.

    Times are in seconds and sizes in bytes unless an option says otherwise. Numbers and switches
    may be given as text, and a blank text means "not set". A subclass may change defaults: ``class
    Ours(SecurityConfig): rate_limit = 100``.

    :raises ConfigError: with every fault, not just the first.
    """

    _lineage: Lineage = field(factory=Lineage, init=False, eq=False)

    if not TYPE_CHECKING:
        # Type checkers see the signature that attrs generates. At run time, any name is accepted,
        # so that unknown names are reported along with the other faults.

        def __init__(self, **options):
            _fill(self, {**self.class_defaults(), **options}, given=frozenset(options))
            object.__setattr__(self, "_lineage", Lineage())

    def __repr__(self) -> str:
        """The options that differ from their defaults; secrets masked."""
        parts = []
        for attribute in options_of(SecurityConfig):
            value = getattr(self, attribute.name)
            if value == attribute.default:
                continue
            if attribute.metadata.get("secret"):
                value = attribute.metadata.get("shown", _masked)(value)
            shown = quoted(value)
            parts.append(f"{attribute.name}={shown}")
        return f"SecurityConfig({', '.join(parts)})"

    # Derived -------------------------------------------------------------------------------

    @property
    def effective_store_url(self) -> str:
        """``store_url``, or ``redis_url`` if ``enable_redis`` is true."""
        if self.enable_redis and self.redis_url is not None:
            return self.redis_url
        return self.store_url

    @property
    def effective_store_timeout(self) -> float:
        """The most seconds that one call of the store may take."""
        if self.redis_socket_timeout is not None:
            return self.redis_socket_timeout
        return self.store_timeout

    @property
    def store_options(self) -> dict[str, object]:
        """Further options for the client of a Redis store, if they are set."""
        if not urlsplit(self.effective_store_url).scheme.startswith(("redis", "valkey")):
            return {}
        options: dict[str, object] = {}
        if self.redis_socket_connect_timeout is not None:
            options["socket_connect_timeout"] = self.redis_socket_connect_timeout
        if self.redis_max_connections is not None:
            options["max_connections"] = self.redis_max_connections
        return options

    @property
    def uses_countries(self) -> bool:
        """Whether global rules need the client's country; routes may need it as well."""
        return bool(self.whitelist_countries or self.blocked_countries)

    @classmethod
    def class_defaults(cls) -> dict[str, Any]:
        """Return the defaults that a subclass has given to options."""
        known = {option.name for option in options_of(SecurityConfig)}
        return {
            name: value
            for owner in reversed(cls.__mro__[: cls.__mro__.index(SecurityConfig)])
            for name, value in vars(owner).items()
            if name in known and not isinstance(value, MemberDescriptorType)
        }

    # Copying and changing ------------------------------------------------------------------

    def __copy__(self) -> Self:
        """Return the configuration itself: it is immutable, so no copy is needed."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a mapping, for processes that are spawned with a configuration."""
        return type(self).from_mapping, (self.to_mapping(),)

    def evolve(self, **changes: Any) -> Self:
        """Make a new configuration with ``changes``, checked as a whole.

        Views that were decorated with this configuration count as decorated with the new one.

        :raises ConfigError: as the constructor.
        """
        options = {
            attribute.name: getattr(self, attribute.name)
            for attribute in options_of(SecurityConfig)
        }
        changed = object.__new__(type(self))
        _fill(changed, {**options, **changes}, given=frozenset(changes))
        object.__setattr__(changed, "_lineage", self._lineage)
        return changed

    # Reading and writing -------------------------------------------------------------------

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Read options from a mapping. A secret may be given as ``<name>_file``: the path of a
        file.

        :raises ConfigError: as the constructor, and if a file can't be read.
        """
        options, faults = read_secret_files(mapping, options_of(SecurityConfig))
        return _construct(cls, options, faults)

    @classmethod
    def from_toml(cls, path: str | Path) -> Self:
        """Read options from the top level of a TOML file.

        :raises ConfigError: as from_mapping; each fault has the file's name.
        """
        options, faults = read_toml(path, options_of(SecurityConfig))
        return _construct(cls, options, faults, source=str(path))

    @classmethod
    def from_env(cls, prefix: str = "GUARD_", environ: Mapping[str, str] | None = None) -> Self:
        """Read options from environment variables such as ``GUARD_RATE_LIMIT=100``, written as
        JSON.

        Text options take the value as it is; ``GUARD_AGENT_API_KEY_FILE=/run/secrets/key`` reads a
        secret from a file. ``GUARD_API_KEY``, ``GUARD_PROJECT_ID`` and ``GUARD_CORE_URL`` have the
        meaning of flaskapi-guard's documentation (foreign_names.py).

        :raises ConfigError: as from_mapping, and for a variable with the prefix that is not an
            option.
        """
        options, faults, doubtful = read_env(prefix, environ, options_of(SecurityConfig))
        for message in doubtful:
            warnings.warn(message, DoubtfulOption, stacklevel=2)
        return _construct(cls, options, faults)

    def to_mapping(self) -> dict[str, Any]:
        """Return every option as lists, dicts and plain values. Secrets are in clear text.

        ``SecurityConfig.from_mapping(config.to_mapping()) == config``. Callables, handlers and
        ``None`` stay as they are; all other values can be written as JSON or TOML.
        """
        return {
            attribute.name: values.plain(getattr(self, attribute.name))
            for attribute in options_of(SecurityConfig)
        }

    def to_agent_config(self) -> AgentConfig | None:
        """Return the agent's part of the configuration; ``None`` if the agent is off.

        :raises ConfigError: if the agent can't work with it, for example if the key is too short.
        """
        if not self.enable_agent:
            return None
        from guard_wsgi.agent.config import AgentConfig

        given: dict[str, Any] = {
            option.name.removeprefix("agent_"): values.as_text(getattr(self, option.name))
            for option in options_of(SecurityConfig)
            if option.name.startswith("agent_") and option.name != "agent_strict"
        }
        given["dynamic_rule_interval"] = self.dynamic_rule_interval
        given["on_error"] = self.on_error
        try:
            return AgentConfig.from_options(given)
        except ConfigError as error:  # it names its own options: those here begin with agent_
            names = {option.name for option in options_of(SecurityConfig)}
            faults = (f"agent_{fault}" for fault in error.faults)
            raise ConfigError(
                [
                    fault if fault.split(" ", 1)[0] in names else fault.removeprefix("agent_")
                    for fault in faults
                ]
            ) from None


def _fill(config: SecurityConfig, keywords: Mapping[str, Any], given: frozenset[str]) -> None:
    """Set every option of ``config``, or raise ConfigError with all faults.

    Warnings concern only what is ``given`` now, so that ``evolve`` does not repeat the warnings of
    the original configuration.
    """
    resolved = resolve(config, keywords, blank_is_unset=True)
    options = resolved.values
    faults = resolved.faults + contradictions(options, resolved.broken)
    if faults:
        raise ConfigError(faults)
    for attribute in options_of(SecurityConfig):
        name = attribute.name
        object.__setattr__(config, name, config_frozen.frozen(name, options[name]))
        reason = attribute.metadata.get("inert")
        if reason and name in given and options[name] != attribute.default:
            warnings.warn(f"{name} does nothing: {reason}", IgnoredOption, stacklevel=3)
    for doubt in doubts(options, given):
        warnings.warn(f"{doubt.problem}; {doubt.remedy}", DoubtfulOption, stacklevel=3)


def _construct(
    cls: type[_Config], options: Mapping[str, Any], faults: list[str], source: str = ""
) -> _Config:
    """Make a configuration from a source, and report the faults of both together."""
    try:
        config = cls(**options)
    except ConfigError as error:
        faults = [*faults, *error.faults]
    else:
        if not faults:
            return config
    raise ConfigError([f"{source}: {fault}" for fault in faults] if source else faults)


def _explain_assignment(config: SecurityConfig, name: str, value: object = None) -> None:
    raise config_frozen.ImmutableConfig(
        f"a configuration can't be changed: make another with config.evolve({name}=...), and"
        " serve it with guard.middleware.reconfigure(...)"
    )


# attrs sets its own methods, which refuse without an explanation.
SecurityConfig.__setattr__ = SecurityConfig.__delattr__ = _explain_assignment  # type: ignore[method-assign, assignment]

# For help() and consoles: the signature that type checkers see.
SecurityConfig.__init__.__signature__ = inspect.signature(  # type: ignore[attr-defined]
    SecurityConfig.__attrs_init__  # type: ignore[attr-defined]
)


def needed(config: Any) -> SecurityConfig:
    """Return what is passed as a configuration.

    :raises TypeError: if it is anything else, most often a dict.
    """
    if not isinstance(config, SecurityConfig):
        kind = type(config).__name__
        raise TypeError(
            f"config must be a SecurityConfig, not {kind}: SecurityConfig(rate_limit=100)"
        )
    return config
