"""``guard-wsgi check``: find the faults of a configuration."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TextIO

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.errors import ConfigError


def check(path: str | Path, out: TextIO) -> int:
    """Write every fault and every warning of a file. Return 0 if it is valid, else 1."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            config = SecurityConfig.from_toml(path)
            config.to_agent_config()
        except ConfigError as error:
            for fault in error.faults:
                print(fault if fault.startswith(str(path)) else f"{path}: {fault}", file=out)
            print(f"{path}: {len(error.faults)} fault(s)", file=out)
            return 1
    for warning in caught:
        print(f"{path}: warning: {warning.message}", file=out)
    print(f"{path}: can be served\n{config!r}", file=out)
    return 0
