"""The schemes of ``store_url``: the only table of stores."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType

from attrs import frozen

_BACKENDS = "guard_wsgi.state.backends"


@frozen(slots=True)
class Scheme:
    """One kind of store.

    :ivar module: the module with ``open_backend(url, settings)``; imported when a store is opened.
    :ivar package: the package that must be installed; empty for none.
    :ivar extra: the extra of this package that installs it.
    """

    module: str
    package: str = ""
    extra: str = ""

    @property
    def is_installed(self) -> bool:
        return not self.package or is_installed(self.package)


def is_installed(package: str) -> bool:
    """Whether a package is installed."""
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


_REDIS = Scheme(f"{_BACKENDS}.redis", "redis", "redis")
_VALKEY = Scheme(f"{_BACKENDS}.redis", "valkey", "valkey")
_MONGODB = Scheme(f"{_BACKENDS}.remote", "pymongo", "mongodb")

SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        "memory": Scheme(f"{_BACKENDS}.memory"),
        "lmdb": Scheme(f"{_BACKENDS}.lmdb", "lmdb", "lmdb"),
        "redis": _REDIS,
        "rediss": _REDIS,
        "redis+unix": _REDIS,
        "redis+sentinel": _REDIS,
        "redis+cluster": _REDIS,
        "valkey": _VALKEY,
        "valkeys": _VALKEY,
        "valkey+unix": _VALKEY,
        "valkey+sentinel": _VALKEY,
        "valkey+cluster": _VALKEY,
        "memcached": Scheme(f"{_BACKENDS}.remote", "pymemcache", "memcached"),
        "mongodb": _MONGODB,
        "mongodb+srv": _MONGODB,
    }
)
