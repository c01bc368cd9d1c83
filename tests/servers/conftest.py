from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.live import SERVERS, Endpoint, ServerPool

BARE = "tests.servers.contract_app:plain"
GUARDED = "tests.servers.contract_app:guarded()"
MARKED = "tests.servers.contract_app:marked()"


@pytest.fixture(scope="session")
def server_pool() -> Iterator[ServerPool]:
    pool = ServerPool(BARE, GUARDED, MARKED)
    yield pool
    pool.close()


@pytest.fixture(params=SERVERS)
def guarded(request: pytest.FixtureRequest, server_pool: ServerPool) -> Endpoint:
    """The contract app behind the guard with its default checks."""
    return server_pool.get(request.param, GUARDED)


@pytest.fixture(params=SERVERS)
def bare_and_marked(
    request: pytest.FixtureRequest, server_pool: ServerPool
) -> tuple[Endpoint, Endpoint]:
    """The contract app without the guard, and behind one that adds a single known header."""
    return server_pool.get(request.param, BARE), server_pool.get(request.param, MARKED)
