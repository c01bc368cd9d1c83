"""Describes findings for events and log lines."""

from __future__ import annotations

from typing import Any

from guard_wsgi.checks.reached_limit import reached_limit
from guard_wsgi.detection import DetectionSettings, Finding

MAX_REPORTED = 8
"""The most findings of an event, and indicators of a finding: enough to see why."""


def details_of(findings: tuple[Finding, ...], settings: DetectionSettings) -> dict[str, Any]:
    """Return what an event reports about findings."""
    return {
        "reason": reason_of(findings, settings),
        "threat_categories": sorted({finding.category for finding in findings}),
        "threat_scores": {finding.category: round(finding.score, 3) for finding in findings},
        "findings": [
            {
                "category": finding.category,
                "location": finding.location,
                "name": finding.name,
                "value": finding.value,
                "view": finding.view,
                "indicators": " ".join(finding.indicators[:MAX_REPORTED]),
                "score": round(finding.score, 3),
                "threshold": round(finding.threshold, 3),
                **_spent(finding, settings),
            }
            for finding in findings[:MAX_REPORTED]
        ],
    }


def _spent(finding: Finding, settings: DetectionSettings) -> dict[str, Any]:
    spent = reached_limit(finding, settings)
    return {} if spent is None else spent.as_mapping()


def reason_of(findings: tuple[Finding, ...], settings: DetectionSettings) -> str:
    """Return a line about the first findings."""
    if len(findings) == 1:
        return describe(findings[0], settings)
    return "; ".join([describe(finding, settings) for finding in findings[:3]])


def describe(finding: Finding, settings: DetectionSettings) -> str:
    """Return one finding as one line, for the log."""
    where = f"{finding.location} {finding.name!r}" if finding.name else finding.location
    spent = reached_limit(finding, settings)
    if spent is not None:
        return f"{finding.category} in {where}: {spent}"
    return f"{finding.category} in {where} (score {finding.score:.2f})"
