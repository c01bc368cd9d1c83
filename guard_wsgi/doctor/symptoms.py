"""What can be wrong with a deployment: one function for each kind of problem.

Each takes the deployment and yields advice. It uses probes.py to reach the store, clocks and
servers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from guard_wsgi.doctor.advice import Advice, Deployment
from guard_wsgi.doctor.clients import (
    look_at_header_names,
    look_at_https,
    look_at_options,
    look_at_probes,
    look_at_proxies,
    look_at_the_limit,
)
from guard_wsgi.doctor.data import look_at_clouds, look_at_databases
from guard_wsgi.doctor.guarding import look_at_switches, look_at_the_app
from guard_wsgi.doctor.state import (
    look_at_compiled_patterns,
    look_at_extras,
    look_at_the_clock,
    look_at_the_store,
    look_at_workers,
)

LOOKS: tuple[Callable[[Deployment], Iterator[Advice]], ...] = (
    look_at_the_app,
    look_at_switches,
    look_at_proxies,
    look_at_https,
    look_at_probes,
    look_at_header_names,
    look_at_the_limit,
    look_at_options,
    look_at_workers,
    look_at_extras,
    look_at_compiled_patterns,
    look_at_the_store,
    look_at_the_clock,
    look_at_databases,
    look_at_clouds,
)
