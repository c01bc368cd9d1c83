"""API keys: each names an app. Only a key's digest is kept."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import RowMapping, insert, select, update

from guard_wsgi.errors import GuardError
from guard_wsgi_flask.console import schema
from guard_wsgi_flask.console.database import Database, now
from guard_wsgi_flask.console.records import clean

KEY_BYTES = 24
MAX_APP_CHARS = 64


class KeyRefused(GuardError, ValueError):
    """The name is not allowed for an app."""


@frozen(slots=True)
class Key:
    """The rights of a request with this key.

    :ivar app: the app of the key.
    :ivar signing_secret: the secret for the HMAC of its batches.
    :ivar encryption_key: the key for its envelopes.
    """

    id: int
    app: str
    signing_secret: str | None
    encryption_key: str | None


@frozen(slots=True)
class NewKey:
    """A new key. It is shown once and stored only as a digest."""

    app: str
    text: str
    signing_secret: str | None
    encryption_key: str | None


class Keys:
    """The keys of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, app: str, author: str, *, signed: bool = False, encrypted: bool = False
    ) -> NewKey:
        """:raises KeyRefused: if the name is empty, too long or not printable."""
        app = clean(app.strip(), MAX_APP_CHARS + 1)
        if not app or len(app) > MAX_APP_CHARS or not app.isprintable():
            raise KeyRefused(f"the app needs a name of 1 to {MAX_APP_CHARS} printable characters")
        made = NewKey(
            app,
            "gw_" + secrets.token_urlsafe(KEY_BYTES),
            secrets.token_urlsafe(32) if signed else None,
            base64.urlsafe_b64encode(os.urandom(32)).decode() if encrypted else None,
        )
        with self._database.write() as connection:
            connection.execute(
                insert(schema.keys).values(
                    app=app,
                    digest=_digest(made.text),
                    hint=made.text[:7],
                    signing_secret=made.signing_secret,
                    encryption_key=made.encryption_key,
                    created=now(),
                    created_by=author,
                )
            )
        return made

    def find(self, text: str) -> Key | None:
        """Return the key of a request, unless it was revoked."""
        keys = schema.keys
        with self._database.read() as connection:
            row = connection.execute(
                select(keys.c.id, keys.c.app, keys.c.signing_secret, keys.c.encryption_key)
                .where(keys.c.digest == _digest(text))
                .where(keys.c.revoked.is_(None))
            ).first()
        return Key(*row) if row is not None else None

    def revoke(self, key_id: int) -> str | None:
        """Revoke a key. Return its app; ``None`` if there is no such key in use."""
        keys = schema.keys
        with self._database.write() as connection:
            app: str | None = connection.scalar(
                select(keys.c.app).where(keys.c.id == key_id).where(keys.c.revoked.is_(None))
            )
            if app is not None:
                connection.execute(update(keys).where(keys.c.id == key_id).values(revoked=now()))
        return app

    def all(self) -> Sequence[RowMapping]:
        """Return all keys, those in use first."""
        keys = schema.keys
        columns: list[Any] = [
            keys.c.id,
            keys.c.app,
            keys.c.hint,
            keys.c.created,
            keys.c.created_by,
            keys.c.last_used,
            keys.c.revoked,
            keys.c.signing_secret.is_not(None).label("signed"),
            keys.c.encryption_key.is_not(None).label("encrypted"),
        ]
        with self._database.read() as connection:
            found = connection.execute(
                select(*columns).order_by(keys.c.revoked.is_not(None), keys.c.app, keys.c.id)
            )
            return found.mappings().all()

    def apps(self) -> list[str]:
        """Return the names of apps that have, or had, a key."""
        with self._database.read() as connection:
            return list(
                connection.scalars(select(schema.keys.c.app).distinct().order_by(schema.keys.c.app))
            )


def _digest(text: str) -> bytes:
    """Hash a key. It is random enough for a plain hash."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
