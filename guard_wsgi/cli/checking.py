"""``guard-wsgi check``: find the faults of a configuration."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, TextIO

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.config.trial_config import for_trial
from guard_wsgi.errors import ConfigError, count_of
from guard_wsgi.middleware import GuardMiddleware
from guard_wsgi.telemetry.logs import log_file_fault


def check(path: str | Path, out: TextIO) -> int:
    """Write every fault and every warning of a file. Return 0 if it is valid, else 1."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            config = SecurityConfig.from_toml(path)
            config.to_agent_config()
            fault = log_file_fault(config.custom_log_file) if config.custom_log_file else ""
            if fault:
                raise ConfigError([fault])
            # A start finds more: unknown names of checks, for example.
            GuardMiddleware(_unreached, for_trial(config)).close()
        except ConfigError as error:
            for fault in error.faults:
                print(fault if fault.startswith(str(path)) else f"{path}: {fault}", file=out)
            print(f"{path}: {count_of(len(error.faults), 'fault')}", file=out)
            return 1
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        print(f"{path}: warning: {text}", file=out)
    print(f"{path}: no faults\n{config!r}", file=out)
    return 0


def _unreached(environ: Any, start_response: Any) -> list[bytes]:
    raise AssertionError("a check of a configuration serves no request")
