"""Events, and where they go: log, agent, OpenTelemetry, Prometheus."""

from __future__ import annotations
