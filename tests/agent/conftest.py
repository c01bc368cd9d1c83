"""A collector and agents that are stopped after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from guard_wsgi.agent import AgentConfig, GuardAgentHandler
from tests.agent.collector import Collector

API_KEY = "a-key-of-the-tests"

MakeAgent = Callable[..., GuardAgentHandler]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running


@pytest.fixture
def agent(collector: Collector) -> Iterator[MakeAgent]:
    """Makes agents for the collector: quick to retry, everything else as configured."""
    made: list[GuardAgentHandler] = []

    def make(**options: Any) -> GuardAgentHandler:
        settings = {
            "api_key": API_KEY,
            "endpoint": collector.url,
            "install_id": "install-of-the-tests",
            "backoff_factor": 0.01,
            **options,
        }
        made.append(GuardAgentHandler(AgentConfig(**settings)))
        return made[-1]

    yield make
    for handler in made:
        handler.stop(0.5)
