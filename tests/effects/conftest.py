"""The publisher of the network tests serves here as well."""

from __future__ import annotations

from tests.network.conftest import publisher as publisher
