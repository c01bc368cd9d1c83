"""Requests from another hand than those the weights were learned from.

The fold "held" of benchmarks/training/independent_corpus.py is never learned from. The rates are
floors and ceilings with a little room, so that a change that only fits the known corpora shows.
"""

from __future__ import annotations

import base64
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest

from guard_wsgi.detection import DetectionSettings, Detector, Inspection


@pytest.fixture(scope="module")
def corpus() -> list[dict[str, Any]]:
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "training"))
    try:
        from independent_corpus import corpus
    finally:
        sys.path.pop(0)
    return [record for record in corpus() if record["meta"]["fold"] == "held"]


def blocked(inspection: Inspection, record: dict[str, Any]) -> bool:
    """Whether a record has findings."""
    raw = record["body"]
    body = base64.b64decode(raw) if record.get("body_enc") else raw.encode("utf-8", "surrogatepass")
    environ = {
        "PATH_INFO": unquote_to_bytes(record["path"].encode()).decode("latin-1"),
        "QUERY_STRING": record["query"].encode("utf-8", "surrogatepass").decode("latin-1"),
    }
    for name, value in record["headers"].items():
        text = value.encode("utf-8", "surrogatepass").decode("latin-1")
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else "HTTP_" + key] = text
    kind = environ.get("CONTENT_TYPE", "")
    return bool(inspection.head(environ) or inspection.body(body, content_type=kind))


def test_attacks_by_another_hand_are_found(
    inspection: Inspection, corpus: list[dict[str, Any]]
) -> None:
    attacks = [one for one in corpus if one["label"] == "attack" and one["tier"] == "core"]
    missed = Counter(one["source"] for one in attacks if not blocked(inspection, one))
    assert len(attacks) > 1000
    assert missed.total() / len(attacks) < 0.055, missed


def test_customers_by_another_hand_pass(
    inspection: Inspection, corpus: list[dict[str, Any]]
) -> None:
    customers = [one for one in corpus if one["label"] == "benign" and one["tier"] == "core"]
    refused = Counter(one["source"] for one in customers if blocked(inspection, one))
    assert len(customers) > 1000
    assert refused.total() / len(customers) < 0.003, refused


@pytest.mark.parametrize("filler", ["\n", " ", "\r\n ", "1#\n", "`ab` ", "' or ", "$(id) the my "])
def test_runs_of_one_thing_end_soon_without_hyperscan(filler: str) -> None:
    """Cubic matching of such a run once took minutes; the suite's timeout is the bound."""
    inspection = Detector(engine="re").compile(DetectionSettings())
    body = ("text=" + filler * (6000 // len(filler)) + "x' or 1=1 -- ").encode()
    assert inspection.body(body, content_type="application/x-www-form-urlencoded")
