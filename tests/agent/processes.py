"""Scripts in processes of their own, with a hard end to each of them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PRELUDE = """
from __future__ import annotations
import logging, os, signal, sys, threading, time
from guard_wsgi.agent import AgentConfig, SecurityEvent, SecurityMetric, guard_agent

logging.getLogger("guard_wsgi").addHandler(logging.NullHandler())

def agent(**options):
    settings = {
        "api_key": "a-key-of-the-tests",
        "endpoint": os.environ["COLLECTOR"],
        "install_id": "install-of-the-tests",
        "backoff_factor": 0.05,
        **options,
    }
    return guard_agent(AgentConfig(**settings))

def event(reason=""):
    return SecurityEvent(event_type="x", reason=str(reason))
"""


def environment(collector_url: str, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "COLLECTOR": collector_url,
        "PYTHONPATH": str(ROOT),
        # Python 3.12 and later warn of every fork of a process with threads; here it is meant.
        "PYTHONWARNINGS": "default,ignore:This process:DeprecationWarning",
        "PYTHONFAULTHANDLER": "1",
        **more,
    }


def run(
    script: str, collector_url: str, timeout: float = 30.0, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run a script to its end.

    :raises subprocess.TimeoutExpired: when it hangs.
    """
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(script)],
        env=environment(collector_url, **more),
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=ROOT,
    )


def start(script: str, collector_url: str, **more: str) -> subprocess.Popen[str]:
    """Start a script; the caller ends it."""
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(script)],
        env=environment(collector_url, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
