"""Commands for the state that the workers share: bans, limits, emergency mode."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

from guard_wsgi.cli.loading import CommandError
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.network.address import parse_address
from guard_wsgi.network.client import UNIX_PEER
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.state.backends.lmdb_path import missing_file
from guard_wsgi.state.emergency import KEY, Declaration, declare, revoke
from guard_wsgi.state.ratelimit import Limit, LimitState
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store

COMMAND_TIMEOUT_SECONDS = 3.0
"""A person can wait longer than a request."""

LONGEST_SPAN_SECONDS = 366 * 86_400
"""A longer time is written as the day on which it ends."""

_DURATION = re.compile(r"(\d+)([smhd]?)\Z")
_UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds_of(text: str) -> int:
    """Read ``90``, ``90s``, ``15m``, ``2h`` or ``7d`` as seconds.

    :raises CommandError: for anything else, and for zero.
    """
    match = _DURATION.match(text.strip())
    seconds = int(match[1]) * _UNIT_SECONDS[match[2]] if match else 0
    if seconds < 1:
        raise CommandError(f"{text!r} is not a duration: write 90s, 15m, 2h or 7d")
    return seconds


def duration_text(seconds: float) -> str:
    """Write a duration for people: ``90 s``, ``1 h 30 min``, ``7 d``; over a year, its last day."""
    if seconds > LONGEST_SPAN_SECONDS:
        return f"until {datetime.fromtimestamp(time.time() + seconds, UTC):%Y-%m-%d}"
    rest = max(0, round(seconds))
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def _for(seconds: float) -> str:
    text = duration_text(seconds)
    return text if text.startswith("until") else f"for {text}"


@contextmanager
def shared_store(config: SecurityConfig, *, creates: bool = False) -> Iterator[Store]:
    """Open the store of the workers.

    :param creates: whether to create a file that is missing, for what shall hold at the first start
        of the app.
    :raises CommandError: for ``memory://``, which no other process can reach, and if the file is
        missing.
    :raises StoreError: if it can't be reached.
    """
    url = config.effective_store_url
    if url.startswith("memory:"):
        raise CommandError(
            "store_url is memory://, which only the worker itself can reach; set store_url to"
            " lmdb:///path or redis://host, in the file of --config or in GUARD_STORE_URL"
        )
    missing = missing_file(url)
    if missing is not None and not creates:
        raise CommandError(
            f"there is no store at {missing}: is store_url that of the app? The app creates its"
            " store at its first start"
        )
    proxies = (proxy for proxy in config.trusted_proxies if proxy != UNIX_PEER)
    settings = StoreSettings(
        prefix=config.redis_prefix,
        timeout_seconds=COMMAND_TIMEOUT_SECONDS,
        request_budget_seconds=COMMAND_TIMEOUT_SECONDS,
        rate_limit_strategy=config.rate_limit_strategy,
        # Deny: an answer from this process's own memory would be wrong.
        policies=dict.fromkeys(("rate_limit", "bans", "counters"), "deny"),
        ipv6_prefix_bits=config.ipv6_client_prefix,
        protected=IPSet(proxies),
    )
    store = Store.open(url, settings=settings)
    try:
        yield store
    finally:
        store.close()


def list_bans(config: SecurityConfig, out: TextIO) -> int:
    with shared_store(config) as store:
        bans = sorted(store.bans.list(), key=lambda ban: ban.expires_at)
    now = time.time()
    for ban in bans:
        duration = duration_text(ban.expires_at - now)
        print(f"{ban.target:<42} {duration:>16}  {_printable(ban.reason)}", file=out)
    if not bans:
        print("no bans", file=out)
    return 0


def add_ban(config: SecurityConfig, target: str, seconds: int, reason: str, out: TextIO) -> int:
    with shared_store(config, creates=True) as store:
        try:
            ban = store.bans.ban(target, seconds, reason)
        except ValueError as error:  # not an address, or one that would lock the site out
            raise CommandError(str(error)) from None
    print(f"{ban.target} is banned {_for(ban.expires_at - time.time())}", file=out)
    if "/" in ban.target and "/" not in target:
        print(f"a client owns the whole network; to ban one address, write {target}/128", file=out)
    return 0


def remove_ban(config: SecurityConfig, target: str, out: TextIO) -> int:
    """Lift a ban. Return 1 if there was no such ban."""
    with shared_store(config) as store:
        try:
            lifted = store.bans.unban(target)
            address = parse_address(target, config.ipv6_client_prefix)
            ban = store.bans.find(address) if address is not None else None
        except ValueError as error:
            raise CommandError(str(error)) from None
    if ban is not None:
        print(
            f"{target} is still banned, as part of {ban.target}: remove that ban to end it",
            file=out,
        )
        return 1
    print(f"{target} is no longer banned" if lifted else f"{target} is not banned", file=out)
    return 0 if lifted else 1


def limits_left(config: SecurityConfig, client: str) -> list[tuple[str, LimitState]]:
    """Return what a client has left of the global limit and of the limits by path, by place.

    This counts nothing.

    :raises CommandError: if ``client`` is not an IP address.
    :raises StoreError: if the store can't be reached.
    """
    address = parse_address(client, config.ipv6_client_prefix)
    if address is None:
        raise CommandError(f"{client!r} is not an IP address")
    named = [("global limit", Limit(config.rate_limit, config.rate_limit_window, "global"), "")]
    named.extend(
        (path, Limit(requests, window, "endpoint"), f"{path}|")
        for path, (requests, window) in config.endpoint_rate_limits.items()
    )
    with shared_store(config) as store:
        return [
            (place, store.limiter.peek(limit, prefix + address.client_key))
            for place, limit, prefix in named
        ]


def why_unlimited(config: SecurityConfig, client: str) -> str:
    """Say why no limit applies to a client; "" if limits apply."""
    if not config.enable_rate_limiting:
        return "enable_rate_limiting=False"
    address = parse_address(client)
    for option in ("whitelist", "exempt_ips"):
        if address is not None and address in IPSet(getattr(config, option) or ()):
            return f"{client} is in {option}"
    return ""


def show_limits(config: SecurityConfig, client: str, out: TextIO) -> int:
    """Write what a client has left of each limit."""
    unlimited = why_unlimited(config, client)
    if unlimited:
        print(f"no limit applies: {unlimited}", file=out)
        return 0
    for place, state in limits_left(config, client):
        limit = state.limit
        left = f"{state.remaining} of {limit.requests} requests left"
        line = f"{place:<32} {left} per {duration_text(limit.window_seconds)}"
        if state.remaining < limit.requests:
            line += f"; {limit.requests} left in {duration_text(state.reset_seconds)}"
        print(line, file=out)
    if config.endpoint_rate_limits:
        print(
            "requests to a path with its own limit do not count towards the global limit", file=out
        )
    return 0


def begin_emergency(
    config: SecurityConfig, allow: Iterable[str], seconds: int | None, reason: str, out: TextIO
) -> int:
    with shared_store(config, creates=True) as store:
        try:
            declare(store.values, allow=tuple(allow), seconds=seconds, reason=reason)
        except ValueError as error:
            raise CommandError(str(error)) from None
    allowed = ", ".join((*allow, *config.emergency_whitelist)) or "nobody"
    until = "until `emergency off`" if seconds is None else _for(seconds)
    print(
        f"emergency mode is on {until}: every client gets 503; allowed: {allowed}."
        " Workers follow within a second",
        file=out,
    )
    return 0


_CONFIGURED = "emergency mode is on by the configuration: set emergency_mode=False to end that"


def end_emergency(config: SecurityConfig, out: TextIO) -> int:
    with shared_store(config) as store:
        was_on = revoke(store.values)
    if config.emergency_mode:
        print(_CONFIGURED, file=out)
        return 1
    print("emergency mode is off" if was_on else "emergency mode was not on", file=out)
    return 0


def show_emergency(config: SecurityConfig, out: TextIO) -> int:
    """Write the emergency that the configuration or the store declares; dynamic rules may add
    another one."""
    with shared_store(config) as store:
        value = store.values.get(KEY)
    declaration = None if value is None else Declaration.from_bytes(value)
    if config.emergency_mode:
        print(_CONFIGURED, file=out)
    if declaration is None or declaration.is_over:
        if not config.emergency_mode:
            print("emergency mode is off", file=out)
        return 0
    until = "until `emergency off`"
    if declaration.until is not None:
        until = _for(declaration.until - time.time())
    allowed = ", ".join((*declaration.allow, *config.emergency_whitelist)) or "nobody"
    print(f"emergency mode is on {until}: every client gets 503; allowed: {allowed}", file=out)
    if declaration.reason:
        print(f"reason: {_printable(declaration.reason)}", file=out)
    return 0


def _printable(text: str) -> str:
    """Escape text from outside, so that it can't control the terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)
