"""One name and text taken out of a request, and the budget that taking out may use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from attrs import define

from guard_wsgi.detection.normalize import overlong

STORED: Final = "stored"
"""Kind of a path under which a client keeps a file of its own."""

# Names that are more than a label to a deserializer, an object merger or a browser (CWE-502,
# CWE-1321, CWE-79).
NAME_EVIDENCE: Final = re.compile(
    r"__(?:proto|class|import|global|init|type|define|lookup|builtin|subclass|base|mro|dict|reduce|code)|constructor|prototype|^@(?:type|class)$|java|class[.\[]|processbuilder"
    r"|transformer|closure|getruntime|instantiatefactory|\borg\.(?:apache|omg|spring)"
    r"|\bcom\.(?:sun|opensymphony|mchange)|^(?:document|window)\.",
    re.IGNORECASE,
)


def with_parent(path: str, key: str) -> str:
    """A key, with that of the object it stands in where the two together say more
    (``{"constructor": {"prototype": ...}}``, ``{"__class__": {"__init__": ...}}``)."""
    parent = path.rpartition(".")[2]
    is_telling = parent == "constructor" or (parent[:2] == "__" and parent[-2:] == "__")
    return f"{parent}.{key}" if is_telling else key


UNREAD: Final = "unread_value"
"""Flag of a value that could not be taken apart."""

# What fields for passwords are called, in the languages whose forms are common; "passw" and
# "passphrase" in any part of a name are enough.
_PASSWORD_WORDS: Final = frozenset(
    {
        *(
            "pass",
            "pwd",
            "pw",
            "passcode",
            "kennwort",
            "motdepasse",
            "mdp",
            "contrasena",
            "contrase\u00f1a",
        ),
        *("senha", "wachtwoord", "haslo", "heslo", "parola", "sifre", "salasana", "jelszo"),
    }
)
_REPETITIONS: Final = frozenset(
    {"again", "confirm", "confirmation", "repeat", "repeated", "retype", "verify", "check"}
)
_NAME_PARTS = re.compile(r"[^>.\[\]_\s-]+")
# What an API calls the field beside one that says "this is a password".
_PASSWORD_SIBLING: Final = frozenset({"value", "secret", "data", "text", "credential"})
MAX_PASSWORD_CHARS: Final = 128  # OWASP, Authentication Cheat Sheet: at least 64 are allowed


def passwords(values: Iterable[Value]) -> frozenset[tuple[str, str]]:
    """The name and text of each field of a body that is a password: by its name, as a repetition
    of one that is called so, or beside a field that says so
    (``{"type": "password", "value": ...}``). What stands inside of another value is none: whoever
    writes the value writes the names in it as well."""
    values = [one for one in values if _may_be_password(one)]
    found = {(one.name, one.text) for one in values if is_password_name(one.name)}
    said = {text for _, text in found}
    parents = {one.name.rpartition(".")[0] for one in values if one.text.lower() == "password"}
    for one in values:
        parent, _, key = one.name.rpartition(".")
        is_sibling = parent in parents and key.lower() in _PASSWORD_SIBLING
        if is_sibling or (one.text in said and _is_repetition(one.name)):
            found.add((one.name, one.text))
    return frozenset(found)


def is_password_name(name: str) -> bool:
    """Whether a field is one for a password, by its name."""
    return ">" not in name and any(
        "passw" in part or "passphrase" in part or part.rstrip("0123456789") in _PASSWORD_WORDS
        for part in _NAME_PARTS.findall(name.lower())[-3:]
    )


def _is_repetition(name: str) -> bool:
    return not _REPETITIONS.isdisjoint(_NAME_PARTS.findall(name.lower()))


def _may_be_password(value: Value) -> bool:
    return (
        value.kind != "name"
        and value.location in ("form", "json", "multipart")
        and ">" not in value.name
        and len(value.text) <= MAX_PASSWORD_CHARS
        and value.text.isprintable()
    )


@define(unsafe_hash=True)
class Value:
    """A piece of a request that an application would see as one string. Not frozen, which would
    double the time of making one; nobody writes to it.

    :ivar location: as in Finding.
    :ivar name: of the parameter or field.
    :ivar text: decoded as the transport says (form decoding, JSON strings), not further.
    :ivar kind: what the text is known to be: "" (anything), "name" (a field's own name),
        "filename", "agent" (User-Agent), "header", "path", STORED, "url" (without its query),
        "upload" (text of an uploaded file), "binary" (the same, not text), "markup" (a document of
        XML).
    :ivar flags: evidence seen while decoding, as names of features.
    """

    location: str
    name: str
    text: str
    kind: str = ""
    flags: tuple[str, ...] = ()


@define
class Budget:
    """What a request may still cost. Spending more than is left raises BudgetSpent."""

    values: int
    chars: int

    def take_value(self) -> None:
        self.values -= 1
        if self.values < 0:
            raise BudgetSpent("max_values")

    def take_chars(self, count: int) -> None:
        self.chars -= count
        if self.chars < 0:
            raise BudgetSpent("max_chars")


class BudgetSpent(Exception):
    """A budget ran out; the argument names it. Never leaves the detection package."""


def to_text(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Bytes as text: UTF-8, else leniently, which is evidence when overlong forms were used."""
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        text = overlong(data)
        if len(text) < len(data):
            return text, ("encoding.overlong_bytes",)
        return text, ()
