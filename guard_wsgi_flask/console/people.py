"""People and their roles: links that work once, passwords in a file, sessions."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from pathlib import Path
from typing import Literal

from attrs import frozen
from sqlalchemy import delete, insert, select
from werkzeug.security import check_password_hash, generate_password_hash

from guard_wsgi.errors import GuardError
from guard_wsgi.files import replaced
from guard_wsgi_flask.console import schema
from guard_wsgi_flask.console.database import Database, now

Role = Literal["viewer", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "admin")

MAX_CHECKS = 4
"""How many passwords to check at once: each takes 32 MB and a core for a tenth of a second."""
CHECK_SECONDS = 3.0
"""How long a check waits for its turn."""

LINK_SECONDS = 3600
"""How long a printed link works."""
MIN_PASSWORD_CHARS = 12
"""NIST SP 800-63B requires at least 8, and 15 without a second factor. Here, a rate limit applies
as well."""
LOCAL_NAME = "local"
"""The name of a person who used the printed link."""

COOKIE = "guard_console_"
"""The prefix of the cookie's name; the rest distinguishes databases."""

_LINK = "link:"


class PasswordFileError(GuardError):
    """The password file is not usable: nobody may log in with half of one."""


class TooManyLogins(GuardError):
    """Too many password checks are running in this process."""


@frozen(slots=True)
class Person:
    """A person who is logged in."""

    name: str
    role: Role
    csrf: str

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


class PasswordFile:
    """Lines of ``name:role:hash``, read again at each login.

    :raises PasswordFileError: if it can't be read, or a line is not valid.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # An unknown name takes as long as a known one.
        self._nobody = generate_password_hash(secrets.token_hex(8))
        if not self.entries():
            raise PasswordFileError(f"{path} has no names: add one with --add-person NAME")

    def entries(self) -> dict[str, tuple[Role, str]]:
        return read_entries(self._path)

    def role_of(self, name: str, password: str) -> Role | None:
        """Return the role for a correct password; ``None`` for a wrong one."""
        role, stored = self.entries().get(name, (None, self._nobody))
        is_right = check_password_hash(stored, password)
        return role if is_right else None


def read_entries(path: Path) -> dict[str, tuple[Role, str]]:
    """:raises PasswordFileError: if it can't be read, or a line is not ``name:role:hash``."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PasswordFileError(f"the password file can't be read: {error}") from None
    entries: dict[str, tuple[Role, str]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        role, _, stored = rest.partition(":")
        if not name or role not in ROLES or not stored.startswith(("scrypt:", "pbkdf2:")):
            raise PasswordFileError(f"{path}:{number} is not name:role:hash")
        entries[name] = (role, stored)
    return entries


def add_person(path: Path, name: str, role: Role, password: str) -> None:
    """Write a person's line; an existing name gets the new password.

    :raises PasswordFileError: if the name or the password is not allowed.
    """
    if not name or not name.isprintable() or ":" in name or name.startswith("#"):
        raise PasswordFileError(f"{name!r} is not a name: use printable characters without a colon")
    if name == LOCAL_NAME:
        raise PasswordFileError(f"{name!r} is the name for the printed link: choose another name")
    if len(password) < MIN_PASSWORD_CHARS:
        raise PasswordFileError(f"the password needs at least {MIN_PASSWORD_CHARS} characters")
    entries = read_entries(path) if path.exists() else {}
    entries[name] = (role, generate_password_hash(password))
    lines = [f"{known}:{its_role}:{stored}\n" for known, (its_role, stored) in entries.items()]
    with replaced(path) as file:
        file.write("".join(lines).encode())


class People:
    """Sessions of a database, which stores only digests of a browser's cookies."""

    def __init__(
        self, database: Database, passwords: PasswordFile | None, session_hours: float
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._session_microseconds = int(session_hours * 3600 * 1e6)
        # Browsers send cookies to all consoles on one machine, so each console has its own cookie
        # name.
        self.cookie = COOKIE + _digest(database.value("secret") or "").hex()[:8]
        self._checking = threading.BoundedSemaphore(MAX_CHECKS)

    @property
    def has_passwords(self) -> bool:
        return self._passwords is not None

    def new_link(self) -> str:
        """Make a token that logs an administrator in, once, within the hour."""
        token = secrets.token_urlsafe(24)
        expires = str(now() + LINK_SECONDS * 1_000_000)
        self._database.set_value(_LINK + _digest(token).hex()[:48], expires)
        return token

    def take_link(self, token: str) -> bool:
        """Whether the token works; it works only once."""
        meta = schema.meta
        name = _LINK + _digest(token).hex()[:48]
        with self._database.write() as connection:
            expires = connection.scalar(select(meta.c.value).where(meta.c.name == name))
            connection.execute(delete(meta).where(meta.c.name == name))
        return expires is not None and int(expires) > now()

    def check(self, name: str, password: str) -> Role | None:
        """Return the role for a correct password, if there is a password file.

        :raises TooManyLogins: if other checks take too long.
        """
        if self._passwords is None:
            return None
        if not self._checking.acquire(timeout=CHECK_SECONDS):
            raise TooManyLogins("too many people log in at once: try again in a minute")
        try:
            return self._passwords.role_of(name, password)
        finally:
            self._checking.release()

    def begin(self, name: str, role: Role) -> str:
        """Open a session. Return the value of its cookie."""
        cookie_value = secrets.token_urlsafe(32)
        at = now()
        sessions = schema.sessions
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires < at))
            connection.execute(
                insert(sessions).values(
                    digest=self._digests(cookie_value).get(name) or _digest(cookie_value),
                    name=name,
                    role=role,
                    csrf=secrets.token_urlsafe(32),
                    created=at,
                    expires=at + self._session_microseconds,
                )
            )
        return cookie_value

    def find(self, cookie_value: str) -> Person | None:
        """Return the person of a cookie. The session ends if the person's line leaves the password
        file, or gets another role or password."""
        sessions = schema.sessions
        digests = self._digests(cookie_value)
        with self._database.read() as connection:
            rows = connection.execute(
                select(sessions.c.digest, sessions.c.name, sessions.c.role, sessions.c.csrf)
                .where(sessions.c.digest.in_(digests.values()))
                .where(sessions.c.expires > now())
            )
            for digest, name, role, csrf in rows:
                if digests.get(name) == bytes(digest):
                    return Person(name, role, csrf)
        return None

    def _digests(self, cookie_value: str) -> dict[str, bytes]:
        """Return a mark for each person's sessions: if a line of the password file changes, its
        sessions end."""
        found = {LOCAL_NAME: _digest(cookie_value)}
        if self._passwords is not None:
            for name, (role, stored) in self._passwords.entries().items():
                found[name] = _digest("\0".join((cookie_value, name, role, stored)))
        return found

    def end(self, cookie_value: str) -> None:
        sessions = schema.sessions
        with self._database.write() as connection:
            connection.execute(
                delete(sessions).where(sessions.c.digest.in_(self._digests(cookie_value).values()))
            )


def same(one: str, other: str) -> bool:
    """Whether two texts are the same, in constant time."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
