"""Questions about the deployment, and what to do about the answers."""

from __future__ import annotations
