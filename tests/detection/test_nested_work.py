"""Reading what is wrapped in a value costs the sender's budget, whatever it is wrapped in."""

from __future__ import annotations

import base64
import gzip
import json
import random
from email.message import EmailMessage
from urllib.parse import urlencode
from zlib import compress

import pytest

from benchmarks.documents import DOCUMENTS
from tests.core.visiting import Site

FORM = "application/x-www-form-urlencoded"
INJECTION = "1' union select password from users-- -"


def mail(*, forwarded: int = 0, text: str = "It's late.\n") -> str:
    made = EmailMessage()
    made["From"], made["Date"] = "ann@example.com", "Mon, 1 Jan 2024 10:00:00 +0000"
    made.set_content(text)
    made.add_attachment(bytes(range(256)) * 40, maintype="image", subtype="png", filename="a.png")
    for _ in range(forwarded):
        outer = EmailMessage()
        outer["From"], outer["Date"] = "bob@example.com", "Tue, 2 Jan 2024 10:00:00 +0000"
        outer.set_content("See below.")
        outer.add_attachment(made)
        made = outer
    return made.as_string()


def nested(levels: int) -> str:
    return "From: a\r\nDate: b\r\n" + "".join(
        f"Content-Type: multipart/mixed; boundary=x{n}\r\n\r\n--x{n}\r\n" for n in range(levels)
    )


def packed(count: int, text: str = "<a>{}'") -> list[str]:
    """Texts that compress well, in base64."""
    return [
        base64.b64encode(compress(text.format(number).encode() * 6000)).decode()
        for number in range(count)
    ]


def posted(site: Site, document: object) -> int:
    body = json.dumps(document)
    return site.visit("/in", method="POST", data=body, content_type="application/json").code


@pytest.mark.parametrize("forwarded", [0, 3, 9])
def test_a_mail_forwarded_many_times_is_read_to_its_end(forwarded: int) -> None:
    site = Site()
    for text, code in (("It's late.\n", 200), (INJECTION, 400)):
        assert posted(site, {"RawEmail": mail(forwarded=forwarded, text=text)}) == code


def test_unpacking_many_values_spends_the_budget_of_a_short_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = Site()
    assert posted(site, {"a": packed(5, "It's line {}. ")}) == 200
    assert posted(site, {"a": packed(40)}) == 400
    assert "detection_budget" in caplog.text


@pytest.mark.parametrize("levels", [40, 500, 3000])
def test_a_mail_that_nests_deeper_than_mails_do_is_refused(
    levels: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert posted(Site(), {"RawEmail": nested(levels) + "'"}) == 400
    assert "detection_budget" in caplog.text


def test_costly_requests_count_towards_a_ban_a_tenth_each() -> None:
    site = Site(auto_ban_threshold=2)
    sent = {"a": packed(40), "RawEmail": nested(500) + "'"}
    assert [posted(site, sent) for _ in range(21)] == [400] * 19 + [403] * 2


def sent(site: Site, body: bytes, kind: str, coding: str = "") -> int:
    headers = {"Content-Encoding": coding} if coding else {}
    return site.visit("/in", method="POST", data=body, content_type=kind, headers=headers).code


ROWS = [
    {"id": number, "name": f"it's item {number * 7919 % 104729}", "tags": ["a", "b"]}
    for number in range(40_000)
]


@pytest.mark.parametrize("coding", ["gzip", "deflate", "gzip, gzip"])
def test_a_compressed_document_of_megabytes_passes(coding: str) -> None:
    packed = json.dumps(ROWS).encode()
    for name in coding.split(", "):
        packed = gzip.compress(packed) if name == "gzip" else compress(packed)
    assert sent(Site(), packed, "application/json", coding) == 200


@pytest.mark.parametrize("body", [b"\0" * 30_000_000, b"' " * 4_000_000, b"a" * 8_000_000])
@pytest.mark.parametrize("layers", [1, 2])
def test_more_than_a_short_body_may_have_in_it_is_refused_unless_it_is_a_file(
    body: bytes, layers: int, caplog: pytest.LogCaptureFixture
) -> None:
    packed, coding = body, ", ".join(["gzip"] * layers)
    for _ in range(layers):
        packed = gzip.compress(packed)
    site = Site()
    assert sent(site, packed, "text/plain", coding) == 400
    assert "(max_density)" in caplog.text
    assert sent(site, packed, "application/octet-stream", coding) == 200


def test_what_a_short_body_has_in_it_earns_no_budget_of_a_long_one() -> None:
    page = (DOCUMENTS["HTML"](random.Random(1), 1500) * 100)[:60_000].encode()
    assert sent(Site(), page, "text/plain") == 200
    assert sent(Site(), gzip.compress(page), "text/plain", "gzip") == 400


def test_a_form_in_the_charset_of_its_country_passes() -> None:
    text = "Это просто текст, it's a <b>test</b>. "
    fields = {f"f{number}": f"{text}{number}" for number in range(900)}
    form = urlencode(fields, encoding="cp1251").encode()
    assert sent(Site(), form, f"{FORM}; charset=windows-1251") == 200


@pytest.mark.parametrize("fill", [b"a'", b"\xff", b"a=%27&"])
@pytest.mark.parametrize("kind", ["text/plain", "application/json", FORM])
def test_more_charsets_than_a_client_names_spend_the_budget(
    kind: str, fill: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    names = ["gb18030", "big5", "shift_jis", "euc_kr", "utf-16", "utf-7", "cp037", "utf-32"]
    media = kind + "".join(f"; charset={name}" for name in names)
    assert sent(Site(), fill * (1_000_000 // len(fill)), media) == 400
    assert "detection_budget" in caplog.text
