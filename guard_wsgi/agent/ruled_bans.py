"""The bans of dynamic rules. One worker makes them for all workers of a store. They end with the
rules.

The time of a ban begins when the rule is first applied. The store keeps these times, and the bans
that a rule's ban replaced. So a worker that starts later does not begin the time again, and does
not ban clients again that somebody has unbanned.
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from hashlib import blake2b

from guard_wsgi.agent.rules import DynamicRules
from guard_wsgi.errors import StoreError
from guard_wsgi.state.ban_index import Ban
from guard_wsgi.state.bans import MAX_REASON_CHARACTERS, Bans
from guard_wsgi.state.values import Values
from guard_wsgi.telemetry.events import utc_now

logger = logging.getLogger("guard_wsgi.rules")

_MARK = "dynamic rule "
"""The prefix of the reasons of rules' bans."""

_KEPT_SECONDS = 30 * 86_400
"""How long the store remembers that rules were applied. Rules change sooner."""


class RuledBans:
    """Bans and lifts bans as rules say."""

    def __init__(self, bans: Bans, values: Values) -> None:
        self._bans = bans
        self._values = values

    def apply(self, rules: DynamicRules) -> None:
        """Ban ``ip_blacklist`` and lift the bans on ``ip_whitelist``, unless another worker has
        done so.

        An address that can't be banned (loopback, a trusted proxy) is logged and skipped. The
        other rules still apply.
        """
        if not rules.ip_blacklist and not rules.ip_whitelist:
            return
        key = _key(rules)
        with suppress(StoreError):
            if self._values.get(key) is not None:
                return
        reason = _reason(rules)
        now = utc_now()
        for target in rules.ip_blacklist:
            until = rules.ip_ban_until.get(target)
            seconds = rules.ip_ban_duration if until is None else (until - now).total_seconds()
            if seconds <= 0:
                continue
            try:
                self._ban(target, seconds, reason)
            except (ValueError, StoreError) as error:
                logger.warning("%s: %s was not banned: %s", reason, target, error)
        for target in rules.ip_whitelist:
            try:
                self._bans.unban(target)
            except (ValueError, StoreError) as error:
                logger.warning("%s: the ban on %s was not lifted: %s", reason, target, error)
        with suppress(StoreError):
            self._values.set(key, b"applied", _KEPT_SECONDS)  # last: a worker may die earlier

    def lift(self, before: DynamicRules, rules: DynamicRules | None) -> None:
        """Lift bans of earlier rules that these rules no longer contain: removing a mistaken ban
        from the rules ends it. Other bans stay or are restored."""
        if rules is None or _key(rules) != _key(before):
            with suppress(StoreError):
                self._values.delete(_key(before))
        kept = frozenset(rules.ip_blacklist) if rules is not None else frozenset[str]()
        taken_out = (target for target in before.ip_blacklist if target not in kept)
        removed = {each for target in taken_out for each in self._bans.targets_of(target)}
        if not removed:
            return
        reason = _reason(before)
        try:
            listed = [
                ban for ban in self._bans.list() if ban.reason == reason and ban.target in removed
            ]
            for ban in listed:
                self._bans.unban(ban.target)
                self._restore(ban)
        except StoreError as error:
            logger.warning("%s: bans were not lifted: %s", reason, error)

    def _ban(self, target: str, seconds: float, reason: str) -> None:
        before = self._bans.exactly(target)
        # A longer ban is from elsewhere, or from an earlier version of this rule.
        ban = self._bans.ban(target, seconds, reason, shortens=reason)
        if before is None or before.reason.startswith(_MARK) or ban.reason != reason:
            return
        seconds_left = self._bans.seconds_left(before)
        if seconds_left > 0:
            under = {"over": ban.expires_at, "until": before.expires_at, "reason": before.reason}
            self._values.set(f"under:{ban.target}", json.dumps(under).encode(), seconds_left)

    def _restore(self, ban: Ban) -> None:
        """Restore the ban that a rule's ban replaced, if its time is not over."""
        record = self._values.get(f"under:{ban.target}")
        under = {} if record is None else json.loads(record)
        if under.get("over") != ban.expires_at:
            return
        former = Ban(ban.target, under["reason"], under["until"])
        seconds_left = self._bans.seconds_left(former)
        if seconds_left > 0:
            self._bans.ban(former.target, seconds_left, former.reason)
        self._values.delete(f"under:{ban.target}")


def _key(rules: DynamicRules) -> str:
    """Return the key under which the store notes that the bans of these rules were made. It does
    not depend on the time when the rules were sent."""
    bans = rules.rule_id, rules.ip_blacklist, rules.ip_whitelist, rules.ip_ban_duration
    until = sorted((target, str(end)) for target, end in rules.ip_ban_until.items())
    digest = blake2b(repr((bans, until)).encode("utf-8", "replace"), digest_size=16)
    return f"rules:{digest.hexdigest()}"


def _reason(rules: DynamicRules) -> str:
    """Return the text that marks the bans of these rules."""
    return f"{_MARK}{rules.rule_id}"[:MAX_REASON_CHARACTERS]
