"""The tables. Times are whole microseconds since the epoch, so that both databases sort them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA_VERSION = 1

metadata = MetaData()

# SQLite numbers rows itself only if the key is an INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")

meta = Table(
    "meta",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    # From app and idempotency key, so that an item that is sent again is stored once.
    Column("key", LargeBinary(16), nullable=False, unique=True),
    Column("at", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("app", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # refused, would (be refused), told (reported only)
    Column("outcome", String(8), nullable=False),
    Column("check_name", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("status", Integer),
    Column("user_agent", Text, nullable=False),
    Column("reason", Text, nullable=False),
    # Everything without a column, as it came: JSON.
    Column("rest", Text, nullable=False),
)
Index("events_at", events.c.at, events.c.id)
INDEXED = ("client", "kind", "category", "template", "country")
"""Columns with an index in the order of time."""
for _name in INDEXED:
    Index(f"events_{_name}", events.c[_name], events.c.at)

DIMENSIONS = ("client", "template", "category", "country", "kind")
"""The dimensions by which events are counted per hour, and with ``/day`` in the name per day."""
DAY = "/day"
REQUESTS = "requests"
"""The dimension under which all requests are counted by endpoint, from metrics."""
EXCLUSION = "exclusion"
"""The dimension under which requests that exclusions let through are counted, by
:func:`name_of`."""
NETWORK = "network"
"""The dimension of clients' networks (AS), if a database has them."""
STORED = "stored"
"""The dimension under which stored events are counted, at the time ALWAYS."""
ALWAYS = 253_402_300_800
ALL = "all"
"""The outcome under which all requests are counted by minute."""

tallies = Table(
    "tallies",
    metadata,
    Column("dimension", String(16), nullable=False),
    # The beginning of the hour, or of the day under a dimension of days, in seconds since the
    # epoch.
    Column("hour", BigInteger, nullable=False),
    Column("app", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("would", Integer, nullable=False),
    PrimaryKeyConstraint("dimension", "hour", "value", "app"),
    Index("tallies_most", "dimension", "hour", "seen"),
)

minutes = Table(
    "minutes",
    metadata,
    Column("minute", BigInteger, nullable=False),  # seconds since the epoch
    Column("app", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("outcome", String(8), nullable=False),
    Column("count", BigInteger, nullable=False),
    PrimaryKeyConstraint("minute", "app", "category", "outcome"),
)

metrics = Table(
    "metrics",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("app", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("value", Float, nullable=False),
    Column("tags", Text, nullable=False),
    Index("metrics_at", "metric", "at"),
)

batches = Table(
    "batches",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),
    Column("received", BigInteger, nullable=False),
)
"""Batches of metrics, which have no key, by app and batch id."""

clients = Table(
    "clients",
    metadata,
    Column("client", Text, primary_key=True),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("country", Text, nullable=False),
    Column("seen", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("would", Integer, nullable=False),
    Index("clients_last", "last"),
)

agents = Table(
    "agents",
    metadata,
    Column("app", Text, nullable=False),
    Column("install", Text, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("version", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("status", Text, nullable=False),  # JSON, as reported
    Column("status_at", BigInteger, nullable=False),
    Column("rules_version", Integer, nullable=False),
    Column("rules_at", BigInteger, nullable=False),
    Column("rejected", Text, nullable=False),
    PrimaryKeyConstraint("app", "install"),
)

keys = Table(
    "keys",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("app", Text, nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("hint", String(16), nullable=False),
    Column("signing_secret", Text),
    Column("encryption_key", Text),
    Column("created", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("last_used", BigInteger),
    Column("revoked", BigInteger),
)

rules = Table(
    "rules",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("app", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("body", Text, nullable=False),  # JSON of DynamicRules, without version and time
    UniqueConstraint("app", "version"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", String(8), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("audit_at", "at"),
)

trials = Table(
    "trials",
    metadata,
    Column("slug", String(22), primary_key=True),
    Column("created", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("body", Text, nullable=False),  # JSON: what was pasted, and the configuration
)
"""Inputs of the playground, stored for permalinks."""

csp_reports = Table(
    "csp_reports",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)
