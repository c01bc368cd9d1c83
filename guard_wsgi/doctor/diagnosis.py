"""Finds what is wrong with a deployment, and says what to set.

``diagnose`` examines a configuration, the app and the machine, and returns its advice with errors
first. symptoms.py lists what it looks for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from guard_wsgi.doctor.advice import Advice, Deployment
from guard_wsgi.doctor.guarding import unguarded
from guard_wsgi.doctor.layers import layers
from guard_wsgi.doctor.symptoms import LOOKS
from guard_wsgi.state.server import configured_worker_count

if TYPE_CHECKING:
    from guard_wsgi.config.security import SecurityConfig
    from guard_wsgi.middleware import GuardMiddleware

_WEIGHT: Mapping[str, int] = {"error": 0, "warning": 1, "note": 2}


def diagnose(
    config: SecurityConfig | None = None,
    app: object = None,
    *,
    name: str = "",
    workers: int | None = None,
    variables: Mapping[str, str] | None = None,
) -> list[Advice]:
    """Find what is wrong with a deployment, the worst first.

    :param config: the configuration; by default the app's own.
    :param app: the WSGI app as the server gets it.
    :param name: what the user calls the app; its class by default.
    :param workers: how many processes will serve it, if the environment doesn't say.
    :param variables: environment variables; this process's by default.
    :raises ValueError: if there is neither a configuration nor a guarded app.
    """
    guard = find_guard(app) if app is not None else None
    if config is None and guard is not None:
        config = guard.policy.config
    if config is None:
        if app is None:
            raise ValueError("diagnose() needs a configuration or an app")
        return [unguarded(name or type(app).__name__)]
    known = os.environ if variables is None else variables
    deployment = Deployment(
        config=config,
        app=app,
        name=name,
        guard=guard,
        workers=worker_count(known) if workers is None else workers,
        variables=known,
    )
    advice = [piece for look in LOOKS for piece in look(deployment)]
    return sorted(advice, key=lambda piece: _WEIGHT[piece.severity])


def exit_code(advice: Sequence[Advice]) -> int:
    """Return the exit code for CI: 2 if there is an error, 1 for a warning, else 0."""
    severities = {piece.severity for piece in advice}
    return 2 if "error" in severities else 1 if "warning" in severities else 0


def find_guard(app: object) -> GuardMiddleware | None:
    """Find the guard around or inside a WSGI app, through other middleware and Flask."""
    from guard_wsgi.middleware import GuardMiddleware

    for layer in layers(app):
        if isinstance(layer, GuardMiddleware):
            return layer
    return None


def worker_count(variables: Mapping[str, str]) -> int | None:
    """Return the number of workers in gunicorn's variables; ``None`` if they don't say."""
    match = re.search(
        r"(?:^|\s)(?:-w|--workers)[\s=]*(\d+)", variables.get("GUNICORN_CMD_ARGS", "")
    )
    return int(match.group(1)) if match else configured_worker_count(variables)


__all__ = ["Advice", "Deployment", "diagnose", "exit_code", "find_guard", "worker_count"]
