"""Options that are texts with a grammar: addresses, countries, hosts, headers, patterns, paths.

Converters as in values.py: each returns the text in one spelling or raises ``ValueError``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from guard_wsgi.network.client import UNIX_PEER
from guard_wsgi.network.cloud import PROVIDERS, parse_selection
from guard_wsgi.network.ipset import parse_network
from guard_wsgi.network.names import ascii_host
from guard_wsgi.options.quoting import did_you_mean, nearest, quoted
from guard_wsgi.options.values import all_or_faults, text
from guard_wsgi.patterns.expressions import ExpressionError, Expressions

FORWARDED_HEADERS = (
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "cf-connecting-ip",
    "true-client-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "x-azure-clientip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-appengine-user-ip",
)
"""The headers in which proxies and content networks name their client."""

MAX_USER_AGENT_CHARS = 512
"""How many characters of a user agent are searched, as in flaskapi-guard; browsers send under
300."""

MAX_HEADER_VALUE_CHARS = 8192
"""The usual limit of servers and proxies for one header line."""

_COUNTRY = re.compile(r"[A-Z][A-Z0-9]\Z")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")  # RFC 9110, 5.6.2
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_HOST = re.compile(r"(?:[0-9a-z_\-]+(?:\.[0-9a-z_\-]+)*|\[[0-9a-f:.]+\])\Z")
_MEDIA_TYPE = re.compile(r"[!#$&\-^_.+0-9a-z]+/(?:\*|[!#$&\-^_.+0-9a-z]+)\Z")


# Converters: addresses, countries, providers.


def _network(value: str) -> str:
    try:
        network = parse_network(value)
    except ValueError:
        raise ValueError(f"contains {quoted(value)}, neither an IP address nor a network") from None
    is_single = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if is_single else str(network)


def networks(values: Iterable[str]) -> tuple[str, ...]:
    """Addresses and CIDR ranges in canonical spelling, host bits masked."""
    return all_or_faults(values, _network)


def optional_networks(values: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if values is None else networks(values)


def proxies(values: Iterable[str]) -> tuple[str, ...]:
    """Networks, or the word ``unix`` for a peer without an address."""

    def convert(value: str) -> str:
        return UNIX_PEER if value.strip().lower() == UNIX_PEER else _network(value)

    return all_or_faults(values, convert)


def _country(value: str) -> str:
    code = value.strip().upper()
    if code == "UK":
        raise ValueError("contains 'UK'; the ISO 3166 code is 'GB'")
    if not _COUNTRY.match(code):
        raise ValueError(f"contains {quoted(value)}, not an ISO 3166 code of two letters")
    return code


def countries(values: Iterable[str]) -> frozenset[str]:
    """ISO 3166-1 alpha-2 codes, upper-cased."""
    return frozenset(all_or_faults(values, _country))


def optional_countries(values: Iterable[str] | None) -> frozenset[str] | None:
    return None if values is None else countries(values)


def _provider(value: str) -> str:
    try:
        (rule,) = parse_selection([value])
    except ValueError as fault:
        raise ValueError(
            f"contains {fault}{did_you_mean(value.partition(':')[0], PROVIDERS)}"
        ) from None
    return ":!".join((rule.provider, *rule.excluded_regions))


def cloud_providers(values: Iterable[str]) -> frozenset[str]:
    """Names of providers in their own spelling, with carve-outs as ``P:!region``."""
    return frozenset(all_or_faults(values, _provider))


def optional_cloud_providers(values: Iterable[str] | None) -> frozenset[str] | None:
    return None if values is None else cloud_providers(values)


# Converters: text that runs or that is sent.


def check_pattern(pattern: str) -> str:
    """A regular expression that is searched in linear time (expressions.py)."""
    try:
        Expressions([pattern])
    except ExpressionError as error:
        raise ValueError(f"contains an unusable pattern: {error}") from None
    return pattern


def patterns(values: Iterable[str]) -> tuple[str, ...]:
    return all_or_faults(values, check_pattern)


def check_user_agent_pattern(pattern: str) -> str:
    """A regular expression for user agents, which are short enough for look-around."""
    try:
        Expressions([pattern], backtracks_on=MAX_USER_AGENT_CHARS)
    except ExpressionError as error:
        raise ValueError(f"contains an unusable pattern: {error}") from None
    return pattern


def user_agent_patterns(values: Iterable[str]) -> tuple[str, ...]:
    return all_or_faults(values, check_user_agent_pattern)


def header_name(value: str) -> str:
    """A field name (RFC 9110, 5.1), lower-cased."""
    if not isinstance(value, str) or not _TOKEN.match(value):
        raise ValueError(f"contains {quoted(value)}, not the name of a header")
    return value.lower()


def header_value(value: str) -> str:
    """A field value (RFC 9110, 5.5): no line break, no control character, of Latin-1."""
    if not isinstance(value, str):
        raise ValueError(f"contains the header value {quoted(value)}, which is not text")
    if any((ord(char) < 32 and char != "\t") or ord(char) == 127 for char in value):
        raise ValueError(
            f"contains {quoted(value)}: a header must not contain line breaks or control characters"
        )
    if len(value) > MAX_HEADER_VALUE_CHARS:
        raise ValueError(f"contains a header of more than {MAX_HEADER_VALUE_CHARS} characters")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"contains {quoted(value)}, which is not Latin-1") from None
    return value


def forwarded_header(value: str) -> str:
    """The header that names the client; a name that is one letter off a known one is a typo."""
    name = header_name(text(value))
    if name not in FORWARDED_HEADERS:
        hint = nearest(name, FORWARDED_HEADERS)
        if hint:
            raise ValueError(f"is {quoted(value)}, which is not a known forwarding header{hint}")
    return name


def _host(value: str) -> str:
    name = value.strip()
    below = "." if name.startswith((".", "*.")) else ""
    try:
        host = ascii_host(name.removeprefix("*").removeprefix("."))
    except ValueError:
        host = ""
    if not _HOST.match(host):
        raise ValueError(f"contains {quoted(value)}, not a host name (no scheme, port or path)")
    return below + host


def hosts(values: Iterable[str]) -> tuple[str, ...]:
    """Host names, lower-cased; ``.example.com`` and ``*.example.com`` cover all below it."""
    return all_or_faults(values, _host)


def _origin(value: str) -> str:
    if value == "*":
        return value
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
        below = "*." if host.startswith("*.") else ""
        host = ascii_host(host.removeprefix("*."))
    except ValueError:
        parts, host, port, below = urlsplit(""), "", None, ""
    bare = f"[{host}]" if ":" in host else host
    if (
        not parts.scheme
        or not _HOST.match(bare)
        or "@" in parts.netloc
        or parts.path not in ("", "/")
        or parts.query
        or parts.fragment
    ):
        raise ValueError(
            f"contains {quoted(value)}, not an origin such as 'https://example.com' or"
            " 'https://*.example.com'"
        )
    scheme = parts.scheme.lower()
    # Browsers omit the default port of the scheme (RFC 6454, 6.2).
    shown = "" if port is None or port == _DEFAULT_PORTS.get(scheme) else f":{port}"
    return f"{scheme}://{below}{bare}{shown}"


def origins(values: Iterable[str]) -> tuple[str, ...]:
    """Origins (RFC 6454) as browsers write them, ``https://*.example.com`` for all hosts below
    one, or ``*``."""
    return all_or_faults(values, _origin)


def _method(value: str) -> str:
    if value != "*" and not _TOKEN.match(value):
        raise ValueError(f"contains {quoted(value)}, not an HTTP method")
    return value.upper()


def methods(values: Iterable[str]) -> tuple[str, ...]:
    return all_or_faults(values, _method)


def header_names(values: Iterable[str]) -> tuple[str, ...]:
    """Field names in the spelling given, for answers that list them; ``*`` is allowed."""

    def convert(value: str) -> str:
        header_name(value)
        return value

    return all_or_faults(values, convert)


def _media_type(value: str) -> str:
    kind = value.partition(";")[0].strip().lower()
    if not _MEDIA_TYPE.match(kind):
        raise ValueError(f"contains {quoted(value)}, not a media type such as 'application/json'")
    return kind


def media_types(values: Iterable[str]) -> tuple[str, ...]:
    """Media types without parameters, lower-cased; ``image/*`` covers all of its kind."""
    return all_or_faults(values, _media_type)


def optional_media_types(values: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if values is None else media_types(values)


# Converters: paths.


def normal_path(value: str) -> str:
    """A path as routers see it: one slash between segments, no dots, no slash at its end."""
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError(f"contains {quoted(value)}, not a path that starts with '/'")
    segments: list[str] = []
    for segment in value.split("/"):
        if segment == "..":
            if segments:
                segments.pop()
        elif segment not in ("", "."):
            segments.append(segment)
    return "/" + "/".join(segments)


def rooted_path(value: str) -> str:
    """A path as above; the slash at its beginning may be left out."""
    if isinstance(value, str) and value.strip() and not value.startswith("/"):
        value = f"/{value}"
    return normal_path(value)


def _exclude_path(value: str) -> str:
    path = rooted_path(value)
    if path == "/" and value != "/":
        raise ValueError(f"contains {quoted(value)}, which means '/' and so excludes every path")
    return path


def paths(values: Iterable[str]) -> tuple[str, ...]:
    return all_or_faults(values, normal_path)


def exclude_paths(values: Iterable[str]) -> tuple[str, ...]:
    return all_or_faults(values, _exclude_path)
