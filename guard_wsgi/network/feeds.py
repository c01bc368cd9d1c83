"""The publications of providers' address ranges, and their parsers.

A parser takes the bytes of one publication and returns ``(cidr, region)`` pairs; the region is
empty if the provider names none. It raises :class:`FeedError` for anything else, so that an error
page, a renamed field or an empty file never replaces good ranges.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from attrs import frozen

from guard_wsgi.errors import GuardError

Networks = list[tuple[str, str]]
"""``(cidr, region)`` pairs in the order of the publication."""


class FeedError(GuardError):
    """A publication could not be fetched, or does not have the documented format."""


@frozen(slots=True)
class Feed:
    """One provider's publication. ``locate`` finds the file's address on a download page."""

    provider: str
    url: str
    parse: Callable[[bytes], Networks]
    locate: Callable[[bytes], str] | None = None


_NETWORK = re.compile(r"[0-9A-Fa-f.:]{2,45}(?:/\d{1,3})?\Z")


def parse_aws(body: bytes) -> Networks:
    """``ip-ranges.json``: AWS VPC User Guide, "AWS IP address ranges"; IPv4 and IPv6.

    Entries of every service count. Each is also in AMAZON, so this adds nothing now, but a service
    that is listed separately in future is included.
    """
    document = _json_object(body)
    networks = [
        *_pairs(document, "prefixes", "ip_prefix", "region"),
        *_pairs(document, "ipv6_prefixes", "ipv6_prefix", "region"),
    ]
    return _some(networks)


def parse_google(body: bytes) -> Networks:
    """``cloud.json``, and the crawler lists in the same layout (Google, Bing, Apple, DuckDuckGo).

    A prefix has either ``ipv4Prefix`` or ``ipv6Prefix``; ``scope`` is the optional region.
    """
    networks: Networks = []
    for entry in _list(_json_object(body), "prefixes"):
        prefix = entry.get("ipv4Prefix") or entry.get("ipv6Prefix")
        if not isinstance(prefix, str):
            raise FeedError("an entry of prefixes has neither ipv4Prefix nor ipv6Prefix")
        networks.append((prefix, _text(entry, "scope")))
    return _some(networks)


def parse_azure(body: bytes) -> Networks:
    """``ServiceTags_Public``: Azure documentation, "Virtual network service tags".

    The tag ``AzureCloud`` is all of Azure and ``AzureCloud.<region>`` a part. Both are read: the
    whole for matching, the parts for regions to carve out.
    """
    networks: Networks = []
    whole_found = False
    for tag in _list(_json_object(body), "values"):
        name = _text(tag, "name")
        if name != "AzureCloud" and not name.startswith("AzureCloud."):
            continue
        properties = tag.get("properties")
        if not isinstance(properties, dict):
            raise FeedError(f"the tag {name} has no properties")
        whole_found = whole_found or name == "AzureCloud"
        region = _text(properties, "region") or name.partition(".")[2]
        prefixes = properties.get("addressPrefixes")
        if not isinstance(prefixes, list):
            raise FeedError(f"the tag {name} has no addressPrefixes")
        networks.extend((str(prefix), region) for prefix in prefixes)
    if not whole_found:
        raise FeedError("no tag AzureCloud")
    return _some(networks)


def locate_azure(page: bytes) -> str:
    """Find the URL of the newest ``ServiceTags_Public_<date>.json`` on Microsoft's page."""
    links = _AZURE_LINK.findall(page)
    if not links:
        raise FeedError("the download page names no ServiceTags_Public file")
    newest: bytes = max(links, key=lambda link: link.rpartition(b"_")[2])
    return newest.decode("ascii")


_AZURE_LINK = re.compile(
    rb"https://download\.microsoft\.com/download/[A-Za-z0-9/_.-]{1,200}"
    rb"ServiceTags_Public_\d{8}\.json"
)


def parse_geofeed(body: bytes) -> Networks:
    """A self-published geofeed (RFC 8805): ``prefix,country,region,city,postal`` and # comments.

    Used by DigitalOcean and Linode. The region is the ISO 3166-2 code, else the country's.
    """
    networks: Networks = []
    for line in _lines(body):
        columns = [column.strip() for column in line.split(",")]
        if len(columns) < 2 or not _NETWORK.match(columns[0]):
            raise FeedError(f"not a line of a geofeed: {line[:60]!r}")
        networks.append((columns[0], (columns[2] if len(columns) > 2 else "") or columns[1]))
    return _some(networks)


def parse_vultr(body: bytes) -> Networks:
    """``geofeed.constant.com/?json``: a geofeed's columns as the objects of ``subnets``."""
    return _some(list(_pairs(_json_object(body), "subnets", "ip_prefix", "region")))


def parse_oracle(body: bytes) -> Networks:
    """``public_ip_ranges.json``: OCI documentation, "IP Addresses for VCNs and the OSN"."""
    networks: Networks = []
    for region in _list(_json_object(body), "regions"):
        networks.extend(
            (cidr, _text(region, "region")) for cidr, _ in _pairs(region, "cidrs", "cidr", "")
        )
    return _some(networks)


def parse_cloudflare(body: bytes) -> Networks:
    """Cloudflare's API ``/client/v4/ips``, or the plain lists ``ips-v4`` and ``ips-v6``."""
    if not body.lstrip().startswith(b"{"):
        lines = _lines(body)
        for line in lines:
            if not _NETWORK.match(line):
                raise FeedError(f"not a network: {line[:60]!r}")
        return _some([(line, "") for line in lines])
    result = _json_object(body).get("result")
    if not isinstance(result, dict):
        raise FeedError("no result")
    return _some(
        [
            (str(cidr), "")
            for name in ("ipv4_cidrs", "ipv6_cidrs")
            for cidr in _present(result, name)
        ]
    )


CLOUD_FEEDS = {
    feed.provider: feed
    for feed in (
        Feed("AWS", "https://ip-ranges.amazonaws.com/ip-ranges.json", parse_aws),
        Feed("GCP", "https://www.gstatic.com/ipranges/cloud.json", parse_google),
        Feed(
            "Azure",
            "https://www.microsoft.com/en-us/download/details.aspx?id=56519",
            parse_azure,
            locate_azure,
        ),
        Feed("DigitalOcean", "https://digitalocean.com/geo/google.csv", parse_geofeed),
        Feed("Linode", "https://geoip.linode.com/", parse_geofeed),
        Feed("Vultr", "https://geofeed.constant.com/?json", parse_vultr),
        Feed(
            "Oracle",
            "https://docs.oracle.com/en-us/iaas/tools/public_ip_ranges.json",
            parse_oracle,
        ),
        Feed("Cloudflare", "https://api.cloudflare.com/client/v4/ips", parse_cloudflare),
    )
}
"""The publications of cloud providers, by the names of ``block_cloud_providers``."""

CRAWLER_FEEDS = {
    feed.provider: feed
    for feed in (
        Feed(
            "Google",
            "https://developers.google.com/static/search/apis/ipranges/googlebot.json",
            parse_google,
        ),
        Feed("Bing", "https://www.bing.com/toolbox/bingbot.json", parse_google),
        Feed("Apple", "https://search.developer.apple.com/applebot.json", parse_google),
        Feed("DuckDuckGo", "https://duckduckgo.com/duckduckbot.json", parse_google),
    )
}
"""The publications of crawlers that the guard can verify."""


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FeedError(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise FeedError("not a JSON object")
    return document


def _present(container: dict[str, Any], name: str) -> list[Any]:
    value = container.get(name)
    if not isinstance(value, list):
        raise FeedError(f"no list {name}")
    return value


def _list(container: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = _present(container, name)
    if not all(isinstance(entry, dict) for entry in value):
        raise FeedError(f"an entry of {name} is not an object")
    return value


def _pairs(
    container: dict[str, Any], name: str, prefix: str, region: str
) -> Iterator[tuple[str, str]]:
    for entry in _list(container, name):
        cidr = entry.get(prefix)
        if not isinstance(cidr, str):
            raise FeedError(f"an entry of {name} has no {prefix}")
        yield cidr, _text(entry, region)


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def _lines(body: bytes) -> list[str]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FeedError("not UTF-8 text") from error
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def _some(networks: Networks) -> Networks:
    if not networks:
        raise FeedError("no ranges")
    return networks
