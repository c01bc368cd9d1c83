"""Dynamic rules by app: every version with its author, and the version for agents."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import evolve, fields, frozen
from sqlalchemy import RowMapping, func, insert, select

from guard_wsgi.agent.rules import DynamicRules, RulesError
from guard_wsgi.checks.exclusion_reports import name_of
from guard_wsgi.config.exclusion import detection_exclusions
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.config.trial_config import for_trial
from guard_wsgi.dynamic import apply_rules
from guard_wsgi.errors import ConfigError, GuardError
from guard_wsgi.middleware import GuardMiddleware
from guard_wsgi.network.ipset import parse_network
from guard_wsgi_flask.console import schema
from guard_wsgi_flask.console.database import Database, now
from guard_wsgi_flask.console.patterncost import check_patterns
from guard_wsgi_flask.console.records import clean

GIVEN_BY_THE_BOOK = frozenset({"rule_id", "version", "timestamp"})
EDITABLE = tuple(
    attribute.name for attribute in fields(DynamicRules) if attribute.name not in GIVEN_BY_THE_BOOK
)
"""The fields of rules that the editor writes."""
TTL_SECONDS = 60
"""How long an agent without long polls keeps its rules."""
CHANGE_TRIES = 20
"""How often to retry a change that another process has overtaken; each retry checks the rules
again."""
LOOK_SECONDS = 1.0
"""Seconds between looks for rules that another process of the console has written."""

_DEFAULTS = {
    attribute.name: DynamicRules().as_wire()[attribute.name]
    for attribute in fields(DynamicRules)
    if attribute.name in EDITABLE
}


class RulesRefused(GuardError, ValueError):
    """The rules are not valid.

    :ivar faults: one sentence per fault.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class RulesOutdated(RulesRefused):
    """Somebody else has written rules in the meantime; they were not overwritten."""

    def __init__(self, version: int) -> None:
        super().__init__([f"version {version} was written in the meantime: load the page again"])


@frozen(slots=True)
class Delivery:
    """The answer to an agent: the JSON, and its ETag."""

    version: int
    body: bytes
    etag: str


class RuleBook:
    """The rules of every app.

    :param base: returns the configuration over which rules are checked; called at each check.
    """

    def __init__(self, database: Database, base: Callable[[], SecurityConfig]) -> None:
        self._database = database
        self._base = base
        self._written = threading.Condition()
        self._turns = 0
        self._editing = threading.Lock()

    def current(self, app: str) -> tuple[int, dict[str, Any]]:
        """Return the version in force, 0 for none, and its fields that are set."""
        row = self._row(app)
        return (0, {}) if row is None else (row["version"], json.loads(row["body"]))

    def version(self, app: str, version: int) -> RowMapping | None:
        rules = schema.rules
        with self._database.read() as connection:
            return (
                connection.execute(
                    select(rules).where(rules.c.app == app).where(rules.c.version == version)
                )
                .mappings()
                .first()
            )

    def history(self, app: str, most: int = 50) -> Sequence[RowMapping]:
        """Return versions, the newest first."""
        rules = schema.rules
        with self._database.read() as connection:
            found = connection.execute(
                select(rules).where(rules.c.app == app).order_by(rules.c.version.desc()).limit(most)
            )
            return found.mappings().all()

    def write(
        self,
        app: str,
        body: Mapping[str, Any],
        author: str,
        note: str,
        *,
        over: int | None = None,
    ) -> int:
        """Put rules into force. Return the new version.

        :param over: the version that the author has seen; ``None`` for any.
        :raises RulesRefused: if a guard would refuse them.
        :raises RulesOutdated: if another version is in force by now, from any process.
        """
        checked = self.checked(app, body)
        rules = schema.rules
        with self._database.write() as connection:
            # Within the writer's lock, which processes share: nobody writes between these two.
            last = connection.scalar(select(func.max(rules.c.version)).where(rules.c.app == app))
            if over is not None and over != int(last or 0):
                raise RulesOutdated(int(last or 0))
            version = int(last or 0) + 1
            connection.execute(
                insert(rules).values(
                    app=app,
                    version=version,
                    created=now(),
                    author=author,
                    note=clean(note, 500),
                    body=json.dumps(checked, separators=(",", ":")),
                )
            )
        with self._written:
            self._turns += 1
            self._written.notify_all()
        self._database.wake_readers()
        return version

    def change(
        self, app: str, author: str, note: str, change: Callable[[dict[str, Any]], None]
    ) -> int:
        """Apply a change to the rules in force. No change of another person or process is lost.

        :raises RulesRefused: if a guard would refuse the result.
        :raises RulesOutdated: if others write faster than this can.
        """
        with self._editing:
            for _ in range(CHANGE_TRIES - 1):
                try:
                    return self._change_once(app, author, note, change)
                except RulesOutdated:
                    continue
            return self._change_once(app, author, note, change)

    def _change_once(
        self, app: str, author: str, note: str, change: Callable[[dict[str, Any]], None]
    ) -> int:
        version, body = self.current(app)
        change(body)
        return self.write(app, body, author, note, over=version)

    def checked(self, app: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that are set, as they are sent.

        :raises RulesRefused: with every fault that a guard would find.
        """
        unknown = sorted(set(body) - set(EDITABLE))
        if unknown:
            raise RulesRefused([f"unknown field {name}" for name in unknown])
        try:
            rules = DynamicRules.parse(body)
        except RulesError as error:
            raise RulesRefused(error.faults) from None
        if rules.has_expired():
            raise RulesRefused(["expires_at is in the past"])
        rules = _without_ended_bans(rules)
        try:
            check_patterns((*rules.blocked_user_agents, *rules.suspicious_patterns))
            config = apply_rules(checking(self._base()), rules)
            # A guard that starts in an emergency would log one in this process.
            check_servable(config.evolve(emergency_mode=False), rules.ip_blacklist)
        except RulesRefused:
            raise
        except ConfigError as error:
            raise RulesRefused(error.faults) from None
        except GuardError as error:
            raise RulesRefused([str(error)]) from None
        wire = json.loads(json.dumps(rules.as_wire(), default=str))
        return {name: wire[name] for name in EDITABLE if wire[name] != _plain(_DEFAULTS[name])}

    def delivery(self, app: str) -> Delivery:
        """Return what the agents of an app get; an empty set of rules before any were written."""
        row = self._row(app)
        body: dict[str, Any] = json.loads(row["body"]) if row is not None else {}
        version = row["version"] if row is not None else 0
        created = row["created"] if row is not None else 0
        rules = DynamicRules.parse(
            {
                "ttl": TTL_SECONDS,
                **body,
                "rule_id": f"console:{app}",
                "version": version,
                "timestamp": datetime.fromtimestamp(created / 1e6, UTC).isoformat(),
            }
        )
        wire = _without_ended_bans(rules).as_wire()
        encoded = json.dumps(wire, separators=(",", ":"), default=str).encode()
        digest = hashlib.blake2b(encoded, digest_size=8).hexdigest()
        return Delivery(version, encoded, f'"{version}-{digest}"')

    def await_other(self, app: str, etag: str, seconds: float) -> Delivery:
        """Return the delivery as soon as it differs from the one with ``etag``, or when the time is
        over."""
        deadline = now() + int(seconds * 1e6)
        while True:
            with self._written:
                turn = self._turns
            delivery = self.delivery(app)
            seconds = (deadline - now()) / 1e6
            if delivery.etag != etag or seconds <= 0:
                return delivery
            with self._written:
                pause = min(seconds, LOOK_SECONDS)
                self._written.wait_for(lambda turn=turn: self._turns != turn, pause)  # type: ignore[misc]

    def apps(self) -> list[str]:
        """Return the apps that have rules."""
        with self._database.read() as connection:
            return list(connection.scalars(select(schema.rules.c.app).distinct()))

    def _row(self, app: str) -> RowMapping | None:
        rules = schema.rules
        with self._database.read() as connection:
            return (
                connection.execute(
                    select(rules)
                    .where(rules.c.app == app)
                    .order_by(rules.c.version.desc())
                    .limit(1)
                )
                .mappings()
                .first()
            )


# Changes -------------------------------------------------------------------------------------


def ban(target: str, seconds: float) -> Callable[[dict[str, Any]], None]:
    """Ban an address or a network.

    :raises RulesRefused: if it is neither.
    """
    name = network_name(target)

    def change(body: dict[str, Any]) -> None:
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        body["ip_blacklist"] = [*(one for one in body.get("ip_blacklist", ()) if one != name), name]
        body["ip_whitelist"] = [one for one in body.get("ip_whitelist", ()) if one != name]
        body["ip_ban_until"] = {**body.get("ip_ban_until", {}), name: until.isoformat()}

    return change


def unban(target: str) -> Callable[[dict[str, Any]], None]:
    """Remove the ban from the rules, and lift it in the guards.

    :raises RulesRefused: if it is neither an address nor a network.
    """
    name = network_name(target)

    def change(body: dict[str, Any]) -> None:
        body["ip_blacklist"] = [one for one in body.get("ip_blacklist", ()) if one != name]
        body["ip_whitelist"] = [*(one for one in body.get("ip_whitelist", ()) if one != name), name]
        until = dict(body.get("ip_ban_until", {}))
        until.pop(name, None)
        body["ip_ban_until"] = until

    return change


def exclude(entry: Mapping[str, Any]) -> Callable[[dict[str, Any]], None]:
    """Add an exclusion."""

    def change(body: dict[str, Any]) -> None:
        known = list(body.get("detection_exclusions", ()))
        if dict(entry) not in known:
            body["detection_exclusions"] = [*known, dict(entry)]

    return change


def take_out(name: str) -> Callable[[dict[str, Any]], None]:
    """Remove an exclusion.

    :param name: its name from :func:`name_of`.
    :raises RulesRefused: if the rules have no such exclusion.
    """

    def change(body: dict[str, Any]) -> None:
        known = list(body.get("detection_exclusions", ()))
        kept = [one for one in known if name_of(detection_exclusions([one])[0]) != name]
        if len(kept) == len(known):
            raise RulesRefused(
                ["the rules have no such exclusion: somebody has already removed it"]
            )
        body["detection_exclusions"] = kept

    return change


def network_name(target: str) -> str:
    """Return an address or a network in canonical spelling.

    :raises RulesRefused: if it is neither.
    """
    try:
        network = parse_network(target.strip())
    except ValueError:
        raise RulesRefused([f"{target!r:.80} is neither an address nor a network"]) from None
    if network.prefixlen == network.max_prefixlen:
        return str(network.network_address)
    return str(network)


class AnyCountry:
    """Stands for the app's own source of countries, which the console lacks."""

    def get_country(self, ip: str) -> str | None:
        return None


def checking(config: SecurityConfig) -> SecurityConfig:
    """Return a configuration for a check or a trial, in which rules on countries need no
    database."""
    return for_trial(config).evolve(geo_ip_handler=config.geo_ip_handler or AnyCountry())


def check_servable(config: SecurityConfig, banned: Iterable[str] = ()) -> None:
    """:param banned: addresses that the rules ban.

    :raises GuardError: if the guard can't serve it, for example because its engine refuses a
        pattern.
    :raises RulesRefused: if the guard would never ban one of them, such as itself or its proxies.
    """
    guard = GuardMiddleware(_no_app, config)
    try:
        faults = [refusal for target in banned if (refusal := guard.bans.refusal(target))]
    finally:
        guard.close()
    if faults:
        raise RulesRefused([f"ip_blacklist: {fault}: it can't be banned" for fault in faults])


def _no_app(environ: Any, start_response: Any) -> list[bytes]:
    start_response("204 No Content", [])
    return []


def _without_ended_bans(rules: DynamicRules) -> DynamicRules:
    at = datetime.now(UTC)
    ended = {target for target, until in rules.ip_ban_until.items() if until <= at}
    kept = {target: until for target, until in rules.ip_ban_until.items() if target not in ended}
    kept = {target: until for target, until in kept.items() if target in rules.ip_blacklist}
    return evolve(
        rules,
        ip_blacklist=tuple(target for target in rules.ip_blacklist if target not in ended),
        ip_ban_until=kept,
    )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
