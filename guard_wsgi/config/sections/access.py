"""Lists: addresses, countries, clouds, user agents."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

from guard_wsgi.config import texts as texts
from guard_wsgi.network.geo import CountrySource
from guard_wsgi.options import values as values
from guard_wsgi.options.declaring import SECRET
from guard_wsgi.options.numbers import flag, whole_number
from guard_wsgi.options.values import one_of

_DAY_SECONDS = 86_400


@frozen(kw_only=True, slots=False, eq=False, repr=False)
class AccessOptions:
    """Lists: addresses, countries, clouds, user agents."""

    whitelist: tuple[str, ...] | None = field(
        # None: everybody. When set, only these addresses pass, without limits and detection.
        default=None,
        converter=texts.optional_networks,
    )
    blacklist: tuple[str, ...] = field(
        # Empty: no address is refused until you list it.
        default=(),
        converter=texts.networks,
    )
    exempt_ips: tuple[str, ...] = field(
        # These addresses skip limits and the checks of user agents and clouds (monitoring, your own
        # offices). It is no allow list: other addresses still pass.
        default=(),
        converter=texts.networks,
    )
    whitelist_countries: frozenset[str] = field(
        # When set, other countries are refused, and so are addresses without a country.
        default=frozenset(),
        converter=texts.countries,
    )
    blocked_countries: frozenset[str] = field(
        # Empty: most visitors from most countries are customers.
        default=frozenset(),
        converter=texts.countries,
    )
    geo_ip_handler: CountrySource | None = field(
        # Any object with get_country(ip) -> str | None.
        default=None,
        validator=values.geo_handler,
    )
    ipinfo_token: str | None = field(
        # None: nothing is downloaded without an account.
        default=None,
        converter=values.optional_text,
        metadata=SECRET,
    )
    ipinfo_db_path: Path | None = field(
        # Below the working directory, as in flaskapi-guard. An existing file is used even without a
        # token.
        default=Path("data/ipinfo/country_asn.mmdb"),
        converter=values.optional_path,
    )
    geo_ip_db_max_age: int = field(
        # IPinfo publishes its free database daily.
        default=_DAY_SECONDS,
        validator=whole_number(3600, 7 * _DAY_SECONDS),
    )
    block_cloud_providers: frozenset[str] | None = field(
        # None: no provider. "AWS:!eu-west-1" is AWS without that region.
        default=None,
        converter=texts.optional_cloud_providers,
    )
    cloud_ip_refresh_interval: int = field(
        # Providers change their ranges a few times a week. An hour is soon enough and does not
        # annoy them.
        default=3600,
        validator=whole_number(60, _DAY_SECONDS),
    )
    cloud_ip_store: Any = field(
        # None: the ranges are kept in the guard's store, so that one worker fetches them for all.
        default=None
    )
    cloud_ranges_unavailable: Literal["open", "closed"] = field(
        # Until the first ranges arrive, nobody counts as a cloud. "closed" would lock out all
        # visitors whenever a provider's page is down at start-up.
        default="open",
        validator=one_of("open", "closed"),
    )
    lazy_init: bool = field(
        # Databases and ranges load in the background. The first request does not wait for them.
        default=True,
        converter=flag,
    )
    allow_verified_bots: bool = field(
        # Off: it costs DNS look-ups. A user agent alone proves nothing.
        default=False,
        converter=flag,
    )
    blocked_user_agents: tuple[str, ...] = field(
        # Regular expressions, case-insensitive, searched in the first 512 characters.
        default=(),
        converter=texts.user_agent_patterns,
    )
