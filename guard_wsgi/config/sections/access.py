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
        # None: everybody. When set, only these pass, and pass without limits and detection.
        default=None,
        converter=texts.optional_networks,
    )
    blacklist: tuple[str, ...] = field(
        # Nobody is refused for an address that nobody has named.
        default=(),
        converter=texts.networks,
    )
    exempt_ips: tuple[str, ...] = field(
        # Skip limits, user agents and clouds (monitoring, your own offices); shut nobody out.
        default=(),
        converter=texts.networks,
    )
    whitelist_countries: frozenset[str] = field(
        # When set, other countries and addresses without one are refused.
        default=frozenset(),
        converter=texts.countries,
    )
    blocked_countries: frozenset[str] = field(
        # None: most visitors of most countries are customers.
        default=frozenset(),
        converter=texts.countries,
    )
    geo_ip_handler: CountrySource | None = field(
        # Anything with get_country(ip) -> str | None.
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
        # Below the working directory, as in the existing system; a file that is there serves
        # without a token, whoever made it.
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
        # Providers change their ranges some times a week; an hour is polite and soon enough.
        default=3600,
        validator=whole_number(60, _DAY_SECONDS),
    )
    cloud_ip_store: Any = field(
        # None: ranges live in the guard's own store, so that one worker fetches for all.
        default=None
    )
    cloud_ranges_unavailable: Literal["open", "closed"] = field(
        # Before the first ranges arrive nobody is taken for a cloud: "closed" would shut out
        # all visitors whenever a provider's page is down at start-up.
        default="open",
        validator=one_of("open", "closed"),
    )
    lazy_init: bool = field(
        # Databases and ranges load in the background, not in the way of the first request.
        default=True,
        converter=flag,
    )
    allow_verified_bots: bool = field(
        # Costs DNS look-ups, so only on request. A user agent alone proves nothing.
        default=False,
        converter=flag,
    )
    blocked_user_agents: tuple[str, ...] = field(
        # Regular expressions, case-insensitive, searched in the first 512 characters.
        default=(),
        converter=texts.user_agent_patterns,
    )
