from __future__ import annotations

import pytest

from guard_wsgi.detection import Detector, Inspection


@pytest.fixture(scope="session")
def inspection() -> Inspection:
    """The default configuration's."""
    return Detector().compile()
