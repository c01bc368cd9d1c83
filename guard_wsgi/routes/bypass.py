"""The words of the ``bypass`` decorator, written once: a check names those that remove it."""

from __future__ import annotations

from enum import StrEnum


class Bypass(StrEnum):
    """What a view may skip of the site's rules."""

    IP_BAN = "ip_ban"
    IP = "ip"
    CLOUDS = "clouds"
    RATE_LIMIT = "rate_limit"
    PENETRATION = "penetration"


BYPASS_NAMES = ("all", *(word.value for word in Bypass))
"""The words that ``bypass`` takes; ``all`` skips everything."""
