"""A pickle is refused in every coding and place, and the sessions of frameworks pass."""

from __future__ import annotations

import base64
import os
import pickle
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.detection.differential import FRAMEWORKS, gates, receives
from tests.detection.places.sent import FORM, JSON, Sent, form_of, json_of

GATES = gates()
STAMP = ".aXkZbA.c2lnbmF0dXJlIG9mIDIwIGJ5"


class Call:
    """An object whose pickle runs a command."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self._command,)


WRITTEN_BY_HAND = [
    b"ccode\ninteract\n)R.",
    b"cbdb\nBdb\n)R.",
    b"cos\nfork\n)R.",
    b"(icode\ninteract\n.",
    b"(ccode\ninteract\no.",
    b"cidlelib.pyshell\nModifiedInterpreter\n)R.",
    b"ctimeit\ntimeit\n(S'1+1'\ntR.",
    b"cpydoc\npipepager\n(S'a'\nS'id'\ntR.",
    b"cctypes\nCDLL\n(S'/tmp/x.so'\ntR.",
    b"cdjango.core.management\ncall_command\n(S'shell'\ntR.",
    b"(ctimeit\ntimeit\nS'1+1'\no.",
    b"(S'1+1'\nitimeit\ntimeit\n.",
    b"cidlelib.run\nmain\n(tR.",
]
COMMANDS = ("id", "ls", "reboot", "./x", "sh x", "python3 x.py", "touch x", "rm x", "nc a 1")
TEXTS = [*(pickle.dumps(Call(one), 0) for one in COMMANDS), *WRITTEN_BY_HAND]
PROGRAMS = [*TEXTS, *(pickle.dumps(Call("id"), protocol) for protocol in range(1, 6))]


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(data)).decode().rstrip("=")


CODINGS: dict[str, Callable[[bytes], str]] = {
    "hexadecimal digits": bytes.hex,
    "base64": lambda data: base64.b64encode(data).decode(),
    "session of Flask": lambda data: f".{_packed(data)}{STAMP}",
    "session of Flask without a signature": lambda data: f".{_packed(data)}",
    "session of Django": lambda data: f".{_packed(data)}:1tABcd:" + "s" * 43,
}


def _in_query(text: str) -> Sent:
    return Sent("head", query="page=2&q=" + quote(text, safe=""))


PLACES: dict[str, Callable[[str], Sent]] = {
    "query": _in_query,
    "form": lambda text: Sent("form", form_of(text), FORM),
    "JSON": lambda text: Sent("json", json_of({"user": {"state": text}}), JSON),
}


def _in_cookie(text: str) -> Sent:
    return Sent("head", headers={"HTTP_COOKIE": f"theme=dark; session={text}"})


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("place", PLACES)
def test_a_pickle_as_it_is_is_refused(place: str, framework: str) -> None:
    for data in TEXTS:
        sent = PLACES[place](data.decode())
        assert receives(framework, sent, data.decode()), data
        assert GATES[framework](sent), data


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_pickle_with_characters_beyond_ascii_is_refused_in_json(framework: str) -> None:
    text = "ctimeit\ntimeit\nU\x01x\x85R."
    assert GATES[framework](PLACES["JSON"](text))


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("coding", CODINGS)
def test_a_pickle_in_a_coding_is_refused(coding: str, framework: str) -> None:
    for data in PROGRAMS:
        text = CODINGS[coding](data)
        for place in (*PLACES.values(), _in_cookie):
            assert receives(framework, place(text), text), data
            assert GATES[framework](place(text)), data


def _flask_sessions() -> list[str]:
    from flask import Flask
    from flask.sessions import SecureCookieSessionInterface

    app = Flask("shop")
    app.secret_key = "x"
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    sessions: list[dict[str, Any]] = [
        {"_flashes": [("info", "Welcome back!")] * 9, "user_id": 17, "csrf_token": "a1" * 20},
        {"cart": [{"sku": f"A-{n}", "count": 1} for n in range(30)], "_fresh": True},
    ]
    return [str(serializer.dumps(one)) for one in sessions]


def _django_sessions() -> list[str]:
    from django.core import signing

    cart = {"cart": [{"sku": f"A-{n}", "count": 1} for n in range(30)], "_auth_user_id": "17"}
    signer = signing.TimestampSigner(key="x", fallback_keys=[])
    return [signer.sign_object(cart, compress=True), signer.sign_object({"a": 1})]


HARMLESS = [
    "carrots\nmilk\neggs",
    "cat\ndog\nhorse (brown)\ncow",
    "(inside\nthe\nhouse)",
    "Contents\nIntroduction\nChapter",
    "function f(\na\n)return a",
    "63616e0a",
    "63e4f1a09b2c4d5e6f708192a3b4c5d6e7f80910",
    "Y2hhbm5lbDoxMjM0NTY3ODkw",
    "Y3Vyc29yOnYyOpHOAAAAAQ==",
]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_texts_and_sessions_pass(framework: str) -> None:
    places = PLACES.values()
    refused = [text for text in HARMLESS for place in places if GATES[framework](place(text))]
    for session in (*_flask_sessions(), *_django_sessions()):
        if GATES[framework](_in_cookie(session)) or GATES[framework](_in_query(session)):
            refused.append(session)
    assert refused == []
