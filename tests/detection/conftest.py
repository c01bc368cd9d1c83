from __future__ import annotations

import pytest

from guard_wsgi.detection import Detector, Inspection


@pytest.fixture(scope="session")
def detector() -> Detector:
    return Detector()


@pytest.fixture(scope="session")
def inspection(detector: Detector) -> Inspection:
    return detector.compile()
