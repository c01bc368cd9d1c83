"""A pickle that calls something is refused, in every encoding that an app may decode."""

from __future__ import annotations

import base64
import bz2
import gzip
import lzma
import os
import pickle
import re
import subprocess
import warnings
import zlib
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

import pytest

from guard_wsgi.detection import Inspection
from guard_wsgi.detection.decoding.pickles import is_pickle_call
from tests.detection.requests import environ


class Call:
    """An object whose pickle calls a function."""

    def __init__(self, function: Callable[..., Any], *arguments: object) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return self._call


PROGRAMS = [
    pickle.dumps(one, protocol)
    for protocol in range(6)
    for one in (
        Call(os.system, "id"),
        {"user": "ann", "cart": [1, 2, Call(eval, "1+1")]},
        Call(subprocess.getoutput, "id"),
    )
] + [b"cos\nsystem\n(S'id'\ntR.", b"(S'id'\nios\nsystem\n.", b"(cos\nsystem\nS'id'\no."]


def _in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


ENCODINGS: dict[str, Callable[[bytes], str]] = {
    "base64": _in_base64,
    "base64 of URLs": lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
    "base64 in lines of four": lambda data: "\n".join(re.findall(".{1,4}", _in_base64(data))),
    "base64 with skipped characters": lambda data: "!".join(re.findall(".{1,3}", _in_base64(data))),
    "base64 twice": lambda data: _in_base64(_in_base64(data).encode()),
    "hexadecimal digits": bytes.hex,
    "base32": lambda data: base64.b32encode(data).decode(),
    "zlib and base64": lambda data: _in_base64(zlib.compress(data)),
    "gzip and base64": lambda data: _in_base64(gzip.compress(data)),
    "bz2 and base64": lambda data: _in_base64(bz2.compress(data)),
    "xz and base64": lambda data: _in_base64(lzma.compress(data)),
    "zlib and hexadecimal digits": lambda data: zlib.compress(data).hex(),
    "repr": repr,
}
NEW_PROTOCOLS: dict[str, Callable[[bytes], str]] = {
    "base85": lambda data: base64.b85encode(data).decode(),
    "Adobe's base85": lambda data: base64.a85encode(data, adobe=True).decode(),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_program_is_refused_in_each_encoding(inspection: Inspection, name: str) -> None:
    for program in PROGRAMS:
        text = ENCODINGS[name](program)
        assert inspection.head(environ(query="q=" + quote_plus(text))), text


@pytest.mark.parametrize("name", NEW_PROTOCOLS)
def test_a_program_of_protocol_2_and_later_is_refused_in_base85(
    inspection: Inspection, name: str
) -> None:
    for program in PROGRAMS:
        if program[0] == 0x80:
            text = NEW_PROTOCOLS[name](program)
            assert inspection.head(environ(query="q=" + quote_plus(text))), text


@pytest.mark.parametrize(
    "text",
    [
        *(data.hex() for data in (b"c" * 40, b"(" * 40, b"\x80\x04" + b"K\x01" * 30)),
        *(zlib.compress(pickle.dumps(data)).hex() for data in ({"a": [1, 2]}, "text", [1.5] * 99)),
        pickle.dumps([147, 147, (147, 1, 2, 147)] * 400).hex(),
        "cats\ndogs\nhello (world) R. " * 9,
        "MNOPQRSTUVWXYZ234567MNOPQRSTUVWX",
        "80 04 95 12 33 44 17 80",
        "Y2xpZW50LWlkOjEyMzQ1Njc4OTA=",
        "gAAAAABlZ2V0LXRva2VuLWZlcm5ldA==",
        "63e4f1a09b2c4d5e6f708192a3b4c5d6e7f80910",
    ],
)
def test_data_without_a_call_is_no_program(text: str) -> None:
    assert not is_pickle_call(text, lambda _: None)


def test_an_object_of_a_class_is_a_call() -> None:
    assert is_pickle_call(pickle.dumps(datetime(2024, 1, 1)).hex(), lambda _: None)


def test_a_program_behind_many_steps_is_found() -> None:
    padded = b"\x80\x02" + b"N0" * 2000 + pickle.dumps(Call(os.system, "id"), 2)[2:]
    assert is_pickle_call(_in_base64(padded), lambda _: None)


@pytest.mark.parametrize("escape", [r"\d", r"\777", r"\N", r"\x1", r"\8", r"\u0041"])
@pytest.mark.parametrize("shape", ["b'cos%s'", "b'cos\\nsystem%s'"])
def test_reading_an_odd_escape_warns_of_nothing(shape: str, escape: str) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        is_pickle_call(shape % escape, lambda characters: None)
    assert warned == []


@pytest.mark.parametrize("escape", [r"\d", r"\777", r"\8"])
def test_an_odd_escape_hides_no_call(escape: str) -> None:
    text = repr(b"cos\nsystem\n(S'id'\ntR.")
    odd = f"{text[:-1]}{escape}{text[-1]}"
    assert is_pickle_call(odd, lambda characters: None)


def test_a_call_is_found_where_warnings_are_errors() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert is_pickle_call("(S'\\d'\nios\nsystem\n.", lambda characters: None)
