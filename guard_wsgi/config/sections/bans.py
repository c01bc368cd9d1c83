"""Bans."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from attrs import field, frozen

from guard_wsgi.config import tables as tables
from guard_wsgi.config.tables import ThreatBanConfig
from guard_wsgi.detection.finding import BUDGET, CATEGORIES, CUSTOM
from guard_wsgi.options import values as values
from guard_wsgi.options.numbers import MAX_COUNT, MAX_SECONDS, flag, whole_number

_NO_THREATS: Mapping[str, ThreatBanConfig] = MappingProxyType({})

COUNTED_CATEGORIES = CATEGORIES | {CUSTOM, BUDGET, "rate_limit"}
"""What can count towards an automatic ban."""


@frozen(kw_only=True, slots=False, eq=False, repr=False)
class BanOptions:
    """Bans."""

    enable_ip_banning: bool = field(
        # Switches automatic bans only. Manual bans always apply.
        default=True,
        converter=flag,
    )
    auto_ban_threshold: int = field(
        # The number of refused attacks within the window that bans a client. A scanner makes ten in
        # a second; a customer with an odd search term does not.
        default=10,
        validator=whole_number(1, MAX_COUNT),
    )
    auto_ban_duration: int = field(
        # Seconds that an automatic ban lasts. An hour ends a scan and does not punish the next
        # owner of the address for long.
        default=3600,
        validator=whole_number(1),
    )
    auto_ban_window: int = field(
        # Seconds within which attacks are counted. An hour, as long as a ban lasts; older attacks
        # are forgotten.
        default=3600,
        validator=whole_number(1, MAX_SECONDS),
    )
    threat_ban_config: Mapping[str, ThreatBanConfig] = field(
        # Threshold and duration by category, in place of the two numbers above.
        default=_NO_THREATS,
        converter=tables.threat_bans,
        validator=values.each_of(*sorted(COUNTED_CATEGORIES)),
    )
    enable_rate_limit_auto_ban: bool = field(
        # Whether refusals by rate limits count towards a ban. Off: an impatient client is not an
        # attacker.
        default=False,
        converter=flag,
    )
