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
        # Addresses and networks that are refused.
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
        # Countries (ISO 3166 codes) that may pass. When set, other countries are refused, and so
        # are addresses without a country.
        default=frozenset(),
        converter=texts.countries,
    )
    blocked_countries: frozenset[str] = field(
        # Countries (ISO 3166 codes) that are refused. Empty: most visitors from most countries are
        # customers.
        default=frozenset(),
        converter=texts.countries,
    )
    geo_ip_handler: CountrySource | None = field(
        # Your own source of countries: any object with get_country(ip) -> str | None.
        default=None,
        validator=values.geo_handler,
    )
    ipinfo_token: str | None = field(
        # The token of your IPinfo account, with which the guard downloads a country database. None:
        # it downloads nothing.
        default=None,
        converter=values.optional_text,
        metadata=SECRET,
    )
    ipinfo_db_path: Path | None = field(
        # The file of the country database, below the working directory as in flaskapi-guard. An
        # existing file is used even without a token.
        default=Path("data/ipinfo/country_asn.mmdb"),
        converter=values.optional_path,
    )
    geo_ip_db_max_age: int = field(
        # Seconds until the database is downloaded again. A day: IPinfo publishes its free database
        # daily.
        default=_DAY_SECONDS,
        validator=whole_number(3600, 7 * _DAY_SECONDS),
    )
    block_cloud_providers: frozenset[str] | None = field(
        # Cloud providers that are refused: AWS, GCP, Azure and others. None: no provider.
        # "AWS:!eu-west-1" is AWS without that region.
        default=None,
        converter=texts.optional_cloud_providers,
    )
    cloud_ip_refresh_interval: int = field(
        # Seconds until the address ranges of providers are fetched again. Providers change them a
        # few times a week; an hour is soon enough and does not annoy them.
        default=3600,
        validator=whole_number(60, _DAY_SECONDS),
    )
    cloud_ip_store: Any = field(
        # Your own store of address ranges, with get, set and clear. None: the guard's store keeps
        # them, so that one worker fetches them for all.
        default=None
    )
    cloud_ranges_unavailable: Literal["open", "closed"] = field(
        # What happens until the first ranges arrive. "open": nobody counts as a cloud. "closed"
        # refuses all visitors meanwhile, also whenever a provider's page is down at start-up.
        default="open",
        validator=one_of("open", "closed"),
    )
    lazy_init: bool = field(
        # True: databases and ranges load in the background, and the first request does not wait for
        # them.
        default=True,
        converter=flag,
    )
    allow_verified_bots: bool = field(
        # Whether search engines that DNS confirms skip the checks of countries, clouds and user
        # agents, and get no automatic bans. Off: it costs DNS lookups.
        default=False,
        converter=flag,
    )
    blocked_user_agents: tuple[str, ...] = field(
        # User agents that are refused: regular expressions, case-insensitive, searched in the first
        # 512 characters.
        default=(),
        converter=texts.user_agent_patterns,
    )
