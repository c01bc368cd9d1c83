"""Fields for passwords, which need more evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from guard_wsgi.detection.decoding.decodings import decodings
from guard_wsgi.detection.value import Value

# Names of password fields in the languages of common forms; "passw" and "passphrase" are enough in
# any part of a name.
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
# The shared secret of a device or a network, which people type like a password, by the end of the
# name.
_SECRETS: Final = frozenset(
    {"secret", "psk", "passkey", "wifi_key", "wlan_key", "network_key", "wpa_key"}
)
# Passwords that programs generate: base85 (RFC 1924) has no quote, blank, dot or slash.
_TOKENS: Final = frozenset(
    {
        *("token", "api_key", "apikey", "secret_key", "access_key", "license_key", "client_secret"),
        *("pin", "otp", "recovery_code", "recovery_key", "backup_code", "key", "seed_phrase"),
    }
)
_TOKEN: Final = re.compile(
    r"(?!.*(?:[a-z]{6}|[A-Z]{6}))(?=.*[0-9])(?=(?:.*[a-z]){3})(?=(?:.*[A-Z]){3})"
    r"[0-9A-Za-z!#$%&()*+\-;<=>?@^_`{|}~]+"
)
MIN_TOKEN_CHARS: Final = 20
_REPETITIONS: Final = frozenset(
    {"again", "confirm", "confirmation", "repeat", "repeated", "retype", "verify"}
)
_NAME_PARTS = re.compile(r"[^>.\[\]_\s-]+")
# The field of an API whose neighbour says "this is a password".
_PASSWORD_SIBLING: Final = frozenset({"value", "secret", "data", "text", "credential"})
_KINDS: Final = frozenset({"type", "kind", "method", "credential_type", "input_type"})
BASIC_PASSWORD: Final = "authorization>password"
MAX_PASSWORD_CHARS: Final = 128  # OWASP, Authentication Cheat Sheet: allow at least 64


def passwords(values: Iterable[Value]) -> frozenset[tuple[str, str]]:
    """Return the name and text of each password in a body: by its name, as the repetition of a
    named password, or next to a field that says so (``{"type": "password", "value": ...}``). A
    field inside another value does not count, because its sender chooses the names."""
    values = list(values)
    basic = {(one.name, one.text) for one in values if _is_basic(one)}
    # Optimization: a document has thousands of short values, and a slice is no call.
    long = [one for one in values if one.text[MIN_TOKEN_CHARS - 1 :]]
    tokens = {(one.name, one.text) for one in long if _is_token(one)}
    values = [one for one in values if _may_be_password(one)]
    found = basic | tokens | {(one.name, one.text) for one in values if is_password_name(one.name)}
    said = {text for _, text in found}
    # Only in an object of its own, because any request may have one field more.
    parents = {one.name.rpartition(".")[0] for one in values if _declares_password(one)}
    for one in values:
        parent, _, key = one.name.rpartition(".")
        is_sibling = parent != "" and parent in parents and key.lower() in _PASSWORD_SIBLING
        if is_sibling or (one.text in said and _is_repetition(one.name)):
            found.add((one.name, one.text))
    return frozenset(found)


def _declares_password(value: Value) -> bool:
    return value.text.lower() == "password" and value.name.rpartition(".")[2].lower() in _KINDS


def _is_basic(value: Value) -> bool:
    """Whether a value is the password of HTTP's own login (RFC 7617)."""
    return (
        value.location == "header"
        and value.name == BASIC_PASSWORD
        and len(value.text) <= MAX_PASSWORD_CHARS
        and value.text.isprintable()
    )


# What a shell, a template or a database runs within a token.
_ACTS: Final = re.compile(
    r"\$[({]|\{\{.*\}\}|\{%.*%\}|`|[;|&]\w{2,}[;|&]|\|\|\(|<[A-Za-z]{1,10}[>/]"
)


def _is_token(value: Value) -> bool:
    """Whether it is a long random token, and not an encoded text, in a field for a token."""
    if len(value.text) > MAX_PASSWORD_CHARS or value.kind:
        return False
    if ">" in value.name or value.location not in ("query", "form", "json", "multipart"):
        return False
    last = "_".join(_NAME_PARTS.findall(value.name.lower())[-2:])
    return (
        (last in _TOKENS or last.rpartition("_")[2] in _TOKENS)
        and _TOKEN.fullmatch(value.text) is not None
        and _ACTS.search(value.text) is None
        and {"decoded", "base64"}.isdisjoint(view.name for view in decodings(value.text))
    )


def is_password_name(name: str) -> bool:
    """Whether a name is that of a password field."""
    if ">" in name:
        return False
    name = name.lower()
    parts = [name] if name.isalnum() else _NAME_PARTS.findall(name)[-3:]
    for part in parts:
        if "passw" in part or "passphrase" in part or part.rstrip("0123456789") in _PASSWORD_WORDS:
            return True
    return not _SECRETS.isdisjoint((*parts[-1:], "_".join(parts[-2:])))


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


# A password may have any characters, so it needs far more evidence. Of 100,000 generated passwords
# 7 are over this margin, and of SQL injections that are found in other fields 94 %.
PASSWORD_MARGIN: Final = 1.25
WORDED_PASSWORD_MARGIN: Final = 0.5
_LETTERS = re.compile(r"[a-z]+")
_SQL_WORDS = frozenset(
    {
        *("or", "and", "xor", "like", "union", "select", "values", "from", "where", "having"),
        *("order", "group", "limit", "null", "is", "not", "between", "exists", "sleep", "glob"),
        *("regexp", "rlike", "insert", "update", "delete", "drop", "exec", "waitfor", "case"),
    }
)


# The attacks that a login, or the lookup of a token, may be open to. Apps don't run, show or open
# passwords.
_LOGIN_CATEGORIES: Final = frozenset({"sqli", "nosql", "ldap", "xpath"})
OTHER_MARGIN: Final = 1.25
# Punctuation only. An injection of punctuation only has few characters ("'||''='").
PUNCTUATION_MARGIN: Final = 2.5
MIN_PUNCTUATION: Final = 8
MIN_DIFFERENT: Final = 6
_ALNUM: Final = re.compile(r"[^\W_]")


def password_margin(password: str) -> float:
    """Return how much more than the threshold a password needs. It needs less if it contains
    separate words of SQL, as most injections do and hardly any password does."""
    words = sum(1 for word in _LETTERS.findall(password.lower()) if word in _SQL_WORDS)
    return (PASSWORD_MARGIN, WORDED_PASSWORD_MARGIN, 0.0)[min(words, 2)]


def is_password_attack(password: str, category: str, over: float) -> bool:
    """Whether a finding in a password counts, by the extra score that its category needs.

    :param over: the score less the threshold.
    """
    if (
        len(password) >= MIN_PUNCTUATION
        and len(set(password)) >= MIN_DIFFERENT
        and _ALNUM.search(password) is None
    ):
        return over >= PUNCTUATION_MARGIN
    return category in _LOGIN_CATEGORIES or over >= OTHER_MARGIN
