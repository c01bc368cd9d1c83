"""Reading what is wrapped in a value costs the sender's budget, whatever it is wrapped in."""

from __future__ import annotations

import base64
import json
from email.message import EmailMessage
from zlib import compress

import pytest

from tests.core.visiting import Site

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
