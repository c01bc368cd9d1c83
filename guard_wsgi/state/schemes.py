"""The schemes of ``store_url``: the only table of stores."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType

from attrs import evolve, frozen

_BACKENDS = "guard_wsgi.state.backends"

MAX_PORT = 65_535


@frozen(slots=True)
class Scheme:
    """One kind of store.

    :ivar module: the module with ``open_backend(url, settings)``, which returns a `Backend`. It is
        imported when a store is opened.
    :ivar package: the package that must be installed; empty for none.
    :ivar extra: the extra of this package that installs it.
    :ivar since: the oldest version of the package that has what the store needs.
    :ivar example: a URL of this kind, if host, port or path are needed.
    :ivar needs_port: whether each host needs a port.
    :ivar needs_path: whether the URL needs a path.
    :ivar is_file: whether the URL names a file of this machine and no host.
    """

    module: str
    package: str = ""
    extra: str = ""
    since: str = ""
    example: str = ""
    needs_port: bool = False
    needs_path: bool = False
    is_file: bool = False

    @property
    def is_installed(self) -> bool:
        return not self.package or is_installed(self.package)

    @property
    def outdated(self) -> str:
        """Which versions are needed and installed, if the installed one is too old; else ""."""
        found = version_of(self.package) if self.package else ""
        if not found or _numbers(found) >= _numbers(self.since):
            return ""
        return f"needs {self.package} {self.since} or later; {found} is installed"


def is_installed(package: str) -> bool:
    """Whether a package is installed."""
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def version_of(package: str) -> str:
    """Return the version of an installed package; "" if it says none."""
    # Optimization: only a site with such a store needs it.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return ""


_NUMBER = re.compile(r"\d+")


def _numbers(version: str) -> tuple[int, ...]:
    """The first two numbers of a version."""
    return tuple([int(one) for one in _NUMBER.findall(version)[:2]])


def location_fault(url: str) -> str:
    """Return what is wrong with the hosts, ports and path of a known scheme's URL; "" for nothing.

    Never quotes the URL: it may contain a password.
    """
    name, _, rest = url.partition("://")
    scheme = SCHEMES[name]
    location, _, path = rest.partition("?")[0].partition("/")
    hosts = location.rpartition("@")[2]
    if scheme.is_file:
        return (
            f"must be {name}:///absolute/path, with three slashes, or {name}://" if location else ""
        )
    is_socket = not hosts and bool(path)
    lacks_host = bool(scheme.example) and not hosts and not is_socket
    if lacks_host or (scheme.needs_path and not path):
        return f"is incomplete: write it like {scheme.example}"
    for host in hosts.split(",") if hosts else ():
        address, _, port = host.rpartition("]")[2].partition(":")
        if host.startswith("[") and ("]" not in host or address):
            return "has a broken IPv6 address: write it like [::1]:6379"
        if scheme.needs_port and not port:
            return f"has a host without a port: write it like {scheme.example}"
        if port and not (port.isdecimal() and 0 < int(port) <= MAX_PORT):
            return f"has a port that is not a number from 1 to {MAX_PORT}"
    return ""


_REDIS = Scheme(f"{_BACKENDS}.redis", "redis", "redis", "5.0")
_VALKEY = Scheme(f"{_BACKENDS}.redis", "valkey", "valkey", "6")
_MONGODB = Scheme(
    f"{_BACKENDS}.remote", "pymongo", "mongodb", "4", example="mongodb://localhost:27017"
)
_SENTINEL = "redis+sentinel://localhost:26379/mymaster"

SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        "memory": Scheme(f"{_BACKENDS}.memory"),
        "lmdb": Scheme(f"{_BACKENDS}.lmdb", "lmdb", "lmdb", "1.5", is_file=True),
        "redis": _REDIS,
        "rediss": _REDIS,
        "redis+unix": _REDIS,
        "redis+sentinel": evolve(_REDIS, example=_SENTINEL, needs_port=True, needs_path=True),
        "redis+cluster": _REDIS,
        "valkey": _VALKEY,
        "valkeys": _VALKEY,
        "valkey+unix": _VALKEY,
        "valkey+sentinel": evolve(
            _VALKEY, example=_SENTINEL.replace("redis", "valkey"), needs_port=True, needs_path=True
        ),
        "valkey+cluster": _VALKEY,
        "memcached": Scheme(
            f"{_BACKENDS}.remote",
            "pymemcache",
            "memcached",
            "4",
            example="memcached://localhost:11211",
            needs_port=True,
        ),
        "mongodb": _MONGODB,
        "mongodb+srv": _MONGODB,
    }
)
