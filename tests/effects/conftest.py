"""The publisher of the network tests serves here as well, and there is no internet either."""

from __future__ import annotations

from tests.network.conftest import no_internet as no_internet
from tests.network.conftest import publisher as publisher
