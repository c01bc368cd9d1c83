from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.live import SERVERS, LiveServer, ServerPool


@pytest.fixture(scope="session")
def server_pool() -> Iterator[ServerPool]:
    pool = ServerPool()
    yield pool
    pool.close()


@pytest.fixture(params=SERVERS)
def bare(request: pytest.FixtureRequest, server_pool: ServerPool) -> LiveServer:
    """The contract app without the guard."""
    return server_pool.get(request.param, "tests.servers.contract_app:plain")


@pytest.fixture(params=SERVERS)
def guarded(request: pytest.FixtureRequest, server_pool: ServerPool) -> LiveServer:
    """The contract app behind the guard with its default checks."""
    return server_pool.get(request.param, "tests.servers.contract_app:guarded()")
