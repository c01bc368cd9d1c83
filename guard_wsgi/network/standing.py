"""Who asks, for what, and with a body or without, as bits.

A request's own bits are computed once, and the ladder of checks for each combination is compiled
with the policy, so a check that a request is excused from costs nothing.
"""

from __future__ import annotations

WHITELISTED = 1
"""The client is on ``whitelist``: full trust."""
EXEMPT = 2
"""The client is in ``exempt_ips``: not limited, but not trusted."""
EXCLUDED = 4
"""The path is under ``exclude_paths``."""

BODILESS = 8
"""The request comes without a body."""

ADDRESSED = 16
"""The client has an address, as all have but those behind a Unix socket that nobody trusts."""

FRAMED = 32
"""It says in one way how long its body is."""

CALM = 64
"""Nobody was ever banned, and no emergency is declared."""

PREFLIGHT = 128
"""A browser's preflight that the guard itself answers: nothing behind the guard is reached."""

PROBE = 256
"""A health probe (health_probes.py): it comes from inside, and says nothing but that it does."""

NOBODY = 0
