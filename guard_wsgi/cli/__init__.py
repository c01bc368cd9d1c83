"""The command ``guard-wsgi``."""

from __future__ import annotations

from guard_wsgi.cli.tree import main as main
