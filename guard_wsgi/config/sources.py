"""Reads options from TOML files, the environment and files with secrets.

Each reader returns ``(options, faults)`` and does not raise, so that faults of the source are
reported together with those of the values.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import Attribute

from guard_wsgi.config.foreign_names import translated, without_kubernetes
from guard_wsgi.options.numbers import flag, is_blank
from guard_wsgi.options.quoting import nearest, quoted
from guard_wsgi.patterns.database import CACHE_DIR_VARIABLE

SECRET_FILE_SUFFIX = "_file"
"""The suffix for files: ``agent_api_key_file`` is the path of a file with the ``agent_api_key``."""

MAX_SECRET_BYTES = 65_536
"""More than any key or URL; a larger file is the wrong file."""

_JSON_KINDS = ("int", "float", "tuple", "frozenset", "Mapping")
"""The beginnings of types whose values are written as JSON."""

Read = tuple[dict[str, Any], list[str]]


def read_secret_files(mapping: Mapping[str, Any], options: Iterable[Attribute[Any]]) -> Read:
    """Replace each ``<secret>_file`` in ``mapping`` by the secret in that file."""
    secrets = {option.name for option in options if option.metadata.get("secret")}
    found: dict[str, Any] = {}
    faults: list[str] = []
    for name, value in mapping.items():
        secret = name.removesuffix(SECRET_FILE_SUFFIX) if isinstance(name, str) else name
        if secret == name or secret not in secrets:
            found[name] = value
            continue
        if secret in mapping:
            faults.append(f"{name} and {secret} are both set: keep one")
            continue
        if not isinstance(value, (str, Path)):  # open() would read a number as a file descriptor
            faults.append(f"{name} must be a path, not {quoted(value)}")
            continue
        try:
            with open(value, "rb") as file:
                found[secret] = file.read(MAX_SECRET_BYTES).decode("utf-8").strip()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            faults.append(f"{name}: {quoted(value)} can't be read: {reason}")
    return found, faults


def read_toml(path: str | Path, options: Iterable[Attribute[Any]]) -> Read:
    import tomllib  # here, because most apps have no such file

    try:
        with open(path, "rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        return {}, [f"can't be read: {error.strerror}"]
    except ValueError as error:  # TOMLDecodeError, or bytes that are not UTF-8
        return {}, [f"is not TOML: {error}"]
    except RecursionError:
        return {}, ["is nested too deeply"]
    return read_secret_files(table, options)


def read_env(
    prefix: str, environ: Mapping[str, str] | None, options: Iterable[Attribute[Any]]
) -> tuple[dict[str, Any], list[str], list[str]]:
    """Read options from the variables that start with ``prefix``, except the one for the cache
    folder of compiled patterns, which is not an option.

    :returns: options, faults and warnings.
    """
    options = tuple(options)
    types = {option.name: str(option.type) for option in options}
    environ = os.environ if environ is None else environ
    texts = {
        variable[len(prefix) :].lower(): environ[variable]
        for variable in sorted(environ)
        if variable.startswith(prefix) and variable not in (prefix, CACHE_DIR_VARIABLE)
    }
    texts, doubtful = without_kubernetes(texts, types, prefix)
    given, faults = read_texts(translated(texts), options, prefix)
    for name in [name for name in given if not is_option(name, options)]:
        faults.append(f"{prefix}{name.upper()}: unknown option {name!r}{nearest(name, types)}")
        del given[name]
    read, file_faults = read_secret_files(given, options)
    return read, faults + file_faults, doubtful


def read_texts(given: Mapping[str, Any], options: Iterable[Attribute[Any]], prefix: str) -> Read:
    """Convert the texts of an environment to values. A list of names may have commas, and a blank
    text means that the option is not set.

    :param given: option names to values; a value that is not text stays as it is.
    """
    types = {option.name: str(option.type) for option in options}
    found: dict[str, Any] = {}
    faults: list[str] = []
    for name, value in given.items():
        kind = types.get(name, "str")
        if not isinstance(value, str):
            found[name] = value
        elif kind == "str" or not is_blank(value):
            try:
                found[name] = _typed(value, kind)
            except ValueError as fault:
                faults.append(f"{prefix}{name.upper()} {fault}")
    return found, faults


def is_option(name: str, options: Iterable[Attribute[Any]]) -> bool:
    """Whether a name is an option, or a file with a secret option."""
    known = {option.name: option.metadata.get("secret") for option in options}
    return name in known or bool(
        name.endswith(SECRET_FILE_SUFFIX) and known.get(name.removesuffix(SECRET_FILE_SUFFIX))
    )


def _typed(text: str, kind: str) -> Any:
    """Convert a variable's text to a value for an option of type ``kind``.

    A text option keeps the text, so that a key of digits only does not become a number.
    """
    if is_blank(text):
        return text
    if kind.startswith("bool"):
        return flag(text)
    may_be_text = "str" in kind and kind.startswith(("str", "float"))
    if not kind.startswith(_JSON_KINDS) and not (may_be_text and "Mapping" in kind):
        return text
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except ValueError:
        if kind.startswith(("tuple[str", "frozenset[str")):
            items = [item.strip() for item in text.split(",") if item.strip()]
            if not items:  # an empty whitelist would let everybody in
                raise ValueError(f"must not be empty, but is {quoted(text)}") from None
            return items
        if may_be_text:
            return text
        raise ValueError(f"must be {_shape(kind)}, not {quoted(text)}") from None


def _shape(kind: str) -> str:
    if kind.startswith("int"):
        return "a whole number"
    if kind.startswith("float"):
        return "a number"
    return 'JSON, such as {"name": "value"}' if "Mapping" in kind else 'JSON, such as [{"...": 1}]'
