"""The standing of a request, as bits: its client, its path, and whether it has a body.

The bits of a request are computed once, and the policy compiles the ladder for each combination. So
a check from which a request is exempt costs nothing.
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
"""The client has an address. Only those behind an untrusted Unix socket have none."""

FRAMED = 32
"""The length of its body is unambiguous."""

CALM = 64
"""Nobody was ever banned, and no emergency is declared."""

PREFLIGHT = 128
"""A browser's preflight that the guard itself answers: the app does not see it."""

PROBE = 256
"""A health probe from inside (health_probes.py)."""

NOTED = 512
"""Something about its forwarding headers is to be reported (client.py)."""

MEASURED = 1024
"""Somebody wants to know how long it takes."""

NOBODY = 0
