"""A store compares no secret by an operator that a client sends (CWE-943)."""

from __future__ import annotations

import json

import pytest

from guard_wsgi.detection import Detector
from tests.detection.requests import environ

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
OPERATORS = (
    *("$ne", "$eq", "$type", "$all", "$size", "$mod", "$bitsAllClear", "$bitsAnySet"),
    *("$not", "$exists", "$regex", "$regularExpression", "$in", "$elemMatch"),
)
NAMES = ("password", "pass", "pwd", "user[password]", "api_key", "resetToken")


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_operator_in_place_of_a_secret_is_found(operator: str) -> None:
    inspection = Detector().compile()
    for name in NAMES:
        for pair in (f"{name}[{operator}]=1", f"{name}.{operator}=1"):
            assert inspection.head(environ(QUERY_STRING=pair)), pair
            assert inspection.body(pair.encode(), content_type=FORM), pair
    for name in ("password", "pass", "pwd", "api_key", "resetToken"):
        for document in (
            {"user": "ann", name: {operator: "string"}},
            {"data": {"account": {name: {operator: 1}}}},
        ):
            for separators in ((",", ":"), (", ", ": ")):
                body = json.dumps(document, separators=separators).encode()
                assert inspection.body(body, content_type=JSON), body


@pytest.mark.parametrize(
    "document",
    [
        {"properties": {"password": {"$ref": "#/definitions/Password"}}},
        {"properties": {"token": {"$comment": "shown once"}}},
        {"_id": {"$oid": "65f0c0ffee"}, "tokenExpires": {"$date": "2026-01-01T00:00:00Z"}},
        {"passwordHash": {"$binary": {"base64": "aGVsbG8=", "subType": "00"}}},
        {"password": "$ecret", "secret": "$type"},
        {"price": {"$type": "Money", "value": "10"}},
    ],
)
def test_schemas_and_exports_pass(document: object) -> None:
    assert not Detector().compile().body(json.dumps(document).encode(), content_type=JSON)
