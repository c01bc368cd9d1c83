"""``guard-wsgi doctor``: what is wrong with a deployment, and what to set."""

from __future__ import annotations

from typing import TextIO

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.doctor.diagnosis import diagnose, exit_code


def examine(
    config: SecurityConfig | None, app: object, workers: int | None, out: TextIO, name: str = ""
) -> int:
    """Write advice, errors first. Return 0 if there is none, 1 for warnings, 2 for errors.

    :param name: what the user calls the app.
    """
    advice = diagnose(config, app, name=name, workers=workers)
    for piece in advice:
        print(piece, file=out)
    if not advice:
        print("no problems found", file=out)
    if app is None:
        print("examined the configuration only: name your app, such as shop:app", file=out)
    return exit_code(advice)
