"""Each provider's publication is read in its documented format, IPv6 and regions included."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.network.feeds import (
    CLOUD_FEEDS,
    CRAWLER_FEEDS,
    Feed,
    FeedError,
    locate_azure,
    parse_geofeed,
)
from tests.network.publisher import sample

SAMPLES = {
    "AWS": "aws.json",
    "GCP": "gcp.json",
    "Azure": "azure.json",
    "DigitalOcean": "digitalocean.csv",
    "Linode": "linode.csv",
    "Vultr": "vultr.json",
    "Oracle": "oracle.json",
    "Cloudflare": "cloudflare.json",
}


@pytest.mark.parametrize(
    ("provider", "network"),
    [
        ("AWS", ("3.5.140.0/22", "ap-northeast-2")),
        ("AWS", ("13.32.0.0/15", "GLOBAL")),
        ("AWS", ("2600:1f14::/35", "us-west-2")),
        ("GCP", ("34.76.0.0/14", "europe-west1")),
        ("GCP", ("2600:1900:4010::/44", "europe-west1")),
        ("Azure", ("20.33.0.0/16", "")),
        ("Azure", ("13.69.0.0/17", "westeurope")),
        ("Azure", ("2603:1030::/45", "")),
        ("DigitalOcean", ("5.101.96.0/21", "NL-NH")),
        ("DigitalOcean", ("2400:6180:0:d0::/64", "SG-05")),
        ("Linode", ("45.33.0.0/20", "US-TX")),
        ("Linode", ("2a01:7e00::/32", "GB-LND")),
        ("Vultr", ("45.32.144.0/21", "DE-HE")),
        ("Vultr", ("2001:19f0:5::/48", "US-NJ")),
        ("Oracle", ("134.70.8.0/21", "us-phoenix-1")),
        ("Oracle", ("2603:c020::/40", "eu-frankfurt-1")),
        ("Cloudflare", ("104.16.0.0/13", "")),
        ("Cloudflare", ("2606:4700::/32", "")),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_network_of_the_sample_is_read_with_its_region(
    provider: str, network: tuple[str, str]
) -> None:
    assert network in CLOUD_FEEDS[provider].parse(sample(SAMPLES[provider]))


def test_azure_reads_its_cloud_tags_and_no_others() -> None:
    networks = {cidr for cidr, _ in CLOUD_FEEDS["Azure"].parse(sample("azure.json"))}
    assert "4.145.74.52/30" not in networks
    assert "198.51.100.0/24" not in networks


def test_the_newest_file_of_azures_download_page_is_taken_from_microsoft_only() -> None:
    assert locate_azure(sample("azure-page.html")).endswith("ServiceTags_Public_20261116.json")
    assert locate_azure(sample("azure-page.html")).startswith("https://download.microsoft.com/")


def test_a_download_page_without_the_file_says_so() -> None:
    with pytest.raises(FeedError, match="ServiceTags_Public"):
        locate_azure(b"<html>We have moved</html>")


def test_cloudflares_plain_lists_are_read_as_well() -> None:
    networks = CLOUD_FEEDS["Cloudflare"].parse(b"173.245.48.0/20\n2400:cb00::/32\n")
    assert networks == [("173.245.48.0/20", ""), ("2400:cb00::/32", "")]


def test_a_crawlers_published_list_is_read() -> None:
    networks = CRAWLER_FEEDS["Google"].parse(sample("googlebot.json"))
    assert ("66.249.66.0/27", "") in networks
    assert ("2001:4860:4801:10::/64", "") in networks


def test_a_geofeed_without_a_region_gives_the_country() -> None:
    assert parse_geofeed(b"192.0.2.0/24,NL\n") == [("192.0.2.0/24", "NL")]


BROKEN = {
    "empty": b"",
    "an error page": b"<!DOCTYPE html><html><body>503 Service Unavailable</body></html>",
    "a list": b"[]",
    "nothing inside": b"{}",
    "an emptied list": json.dumps(
        {
            "prefixes": [],
            "ipv6_prefixes": [],
            "values": [],
            "subnets": [],
            "regions": [],
            "result": {"ipv4_cidrs": [], "ipv6_cidrs": []},
        }
    ).encode(),
    "renamed fields": json.dumps(
        {
            "prefixes": [{"prefix": "3.0.0.0/9"}],
            "ipv6_prefixes": [],
            "values": [{"name": "AzureCloud", "properties": {"prefixes": []}}],
            "subnets": [{"prefix": "3.0.0.0/9"}],
            "regions": [{"region": "x", "cidrs": ["3.0.0.0/9"]}],
            "result": {"v4": []},
        }
    ).encode(),
    "cut off": sample("aws.json")[:300],
    "not text": b"\xff\xfe\x00{",
    "deeply nested": b"[" * 100_000,
}


@pytest.mark.parametrize("provider", SAMPLES)
@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_what_is_not_the_publication_is_refused(provider: str, body: bytes) -> None:
    feed = CLOUD_FEEDS[provider]
    with pytest.raises(FeedError):
        feed.parse(body)


@given(body=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_is_published_a_parser_reads_it_or_says_that_it_is_broken(body: bytes) -> None:
    feeds: list[Feed] = [*CLOUD_FEEDS.values(), *CRAWLER_FEEDS.values()]
    for feed in feeds:
        try:
            networks = feed.parse(body)
        except FeedError:
            continue
        assert networks
        assert all(isinstance(cidr, str) for cidr, _ in networks)
