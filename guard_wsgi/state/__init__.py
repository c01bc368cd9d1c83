"""Rate limits, bans, counters and emergencies, and the stores behind them."""

from __future__ import annotations
