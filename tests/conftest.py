"""What every test folder shares: hypothesis without a clock, and the fixtures of tests/kit."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from guard_wsgi.agent import handler
from tests.kit.capture import CapturingServer

# Speed is measured in benchmarks/; a busy machine must not fail a test.
settings.register_profile(
    "guard", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "thorough", deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "guard"))


@pytest.fixture
def capturing_server() -> Iterator[CapturingServer]:
    """A real HTTP server on a free port that records requests and answers from a script."""
    with CapturingServer() as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def agents_end_with_their_module() -> Iterator[None]:
    """Stop the agents of the process: one that outlives its collector logs into other tests."""
    yield
    for agent in list(handler._handlers.values()):
        agent.stop(0.2)
    handler._handlers.clear()


def pytest_configure(config: pytest.Config) -> None:
    """Compile the built-in patterns once, before all else, where they have been changed since
    the installation: else the first tests would run on `re`."""
    if not hasattr(config, "workerinput"):
        program = [sys.executable, "-m", "guard_wsgi.detection.built_in"]
        subprocess.run(program, check=True, timeout=600, stdout=subprocess.DEVNULL)
