"""Detection of attacks in requests: a first pass that few requests match, then a score."""

from __future__ import annotations

from guard_wsgi.detection.custom import CustomPattern
from guard_wsgi.detection.detector import Detector
from guard_wsgi.detection.finding import BUDGET, CATEGORIES, CUSTOM, Finding
from guard_wsgi.detection.inspection import Inspection
from guard_wsgi.detection.scanning.scanner import PatternRefused
from guard_wsgi.detection.settings import THRESHOLDS, DetectionSettings
from guard_wsgi.patterns.hyperscan_scanner import has_hyperscan

__all__ = [
    "BUDGET",
    "CATEGORIES",
    "CUSTOM",
    "THRESHOLDS",
    "CustomPattern",
    "DetectionSettings",
    "Detector",
    "Finding",
    "Inspection",
    "PatternRefused",
    "has_hyperscan",
]
