"""Passwords and tokens that programs generate are never refused in the fields for them."""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable
from urllib.parse import quote

import pytest

from guard_wsgi.detection import Inspection

FORM = "application/x-www-form-urlencoded"
LETTERS = string.ascii_letters + string.digits
WORDS = (
    *("garden", "river", "music", "horse", "staple", "window", "paper", "yellow", "drop"),
    *("table", "sleep", "winter", "order"),
)


def _of(chars: str, least: int, most: int) -> Callable[[random.Random], str]:
    return lambda rng: "".join(rng.choices(chars, k=rng.randint(least, most)))


def _words(rng: random.Random) -> str:
    return rng.choice("-.,_ ;:|&+=#*!").join(rng.sample(WORDS, rng.randint(4, 6)))


def _human(rng: random.Random) -> str:
    mark = rng.choice(string.punctuation)
    return rng.choice(WORDS).capitalize() + mark + str(rng.randint(0, 2030)) + rng.choice("!?#$;")


GENERATORS = {
    "all that is printable": _of(LETTERS + string.punctuation, 8, 32),
    "signs alone": _of(string.punctuation, 10, 20),
    "letters and eight signs": _of(LETTERS + "!@#$%^&*", 12, 20),
    "with blanks": _of(LETTERS + string.punctuation + " ", 16, 40),
    "words": _words,
    "a word, a sign and a year": _human,
}


@pytest.mark.parametrize("kind", GENERATORS)
def test_a_password_passes(inspection: Inspection, kind: str) -> None:
    rng = random.Random(kind)
    refused = []
    for number in range(1500):
        password = GENERATORS[kind](rng)
        name = ("password", "new_password1", "passphrase")[number % 3]
        form = f"username=ann&{name}={quote(password, safe='')}".encode()
        if inspection.body(form, content_type=FORM):
            refused.append(password)
    assert refused == []


@pytest.mark.parametrize(
    "token", ["8?wxph*{IbdJ_YGN%SUr*nDKraB}4AzYr$UVLiu=iJl$<wpV7z", "eiOAIm*eu~Xh&qp6Z=>IGs;f$Dkb"]
)
@pytest.mark.parametrize("name", ["token", "refresh_token", "api_key", "client_secret"])
def test_a_token_in_base85_passes(inspection: Inspection, name: str, token: str) -> None:
    body = json.dumps({"id": 5, name: token}).encode()
    assert not inspection.body(body, content_type="application/json")


@pytest.mark.parametrize("name", ["password", "token", "api_key"])
@pytest.mark.parametrize(
    "attack",
    [
        "' or '1'='1' -- ",
        "admin' union select 1,2,3 -- ",
        "{{ config.__class__.__init__.__globals__ }}",
        "<script>alert(document.cookie)</script>",
        base64.b64encode(b"\xac\xed\x00\x05sr\x00\x11java.util.HashMap\x05\x07").decode(),
    ],
)
def test_an_attack_in_their_place_is_refused(
    inspection: Inspection, name: str, attack: str
) -> None:
    body = json.dumps({"id": 5, name: attack}).encode()
    assert inspection.body(body, content_type="application/json")


@pytest.mark.parametrize(
    "body",
    [
        *({"x": "password", "text": "$(id)"}, {"kind": "password", "text": "*)(uid=*))(|(uid=*"}),
        *({"type": "password", "data": "{{config}}"}, {"a": {"x": "password", "text": "$(id)"}}),
        {"password": "{{config}}", "check": "{{config}}"},
    ],
)  # fmt: skip
def test_a_field_more_makes_no_password_of_another(
    inspection: Inspection, body: dict[str, object]
) -> None:
    assert inspection.body(json.dumps(body).encode(), content_type="application/json")


@pytest.mark.parametrize(
    "token",
    [
        *("{{dict|attr(dict(mro=1)|join)()}}ABC12", "{{self}}ABC123defGHIJK"),
        "{{range|attr(dict(mro=1)|join)}}ABC1",
    ],
)  # fmt: skip
def test_a_template_is_no_token(inspection: Inspection, token: str) -> None:
    body = json.dumps({"token": token}).encode()
    assert inspection.body(body, content_type="application/json")
