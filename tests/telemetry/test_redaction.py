"""Nothing that opens a door leaves the process."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.telemetry.redaction import (
    MAX_ITEMS,
    REDACTED,
    SENSITIVE_FIELDS,
    SENSITIVE_HEADERS,
    Redaction,
)

SECRET = "hunter2secret"


@pytest.mark.parametrize(
    "text",
    [
        f"password={SECRET}",
        f"/login?user=u&password={SECRET}&next=/",
        f"PASSWORD = {SECRET}",
        f'{{"password": "{SECRET}"}}',
        f"'token': '{SECRET}'",
        f'text {{\\"token\\": \\"{SECRET}\\"}} text',
        f"password=back\\slash{SECRET}",
        f"access-token={SECRET}",
        f"accesstoken: {SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"Cookie: a=b; session={SECRET}",
        f"X-Api-Key:{SECRET}",
        f"<password>{SECRET}</password>",
        f'<Password type="plain">{SECRET}</Password>',
        f"redis://user:{SECRET}@host:6379/0",
        f"https://{SECRET}@host/",
    ],
)
def test_text(text: str) -> None:
    told = Redaction().text(text)
    assert SECRET not in told
    assert REDACTED in told


@pytest.mark.parametrize(
    "text",
    [
        "a passwordless login",
        "SELECT * FROM users WHERE name = 'x'",
        "see https://example.org/docs?page=2",
        "token ring networks",
        "key: value",
        "1.2.3.4 asked for /a",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert Redaction().text(text) == text


@pytest.mark.parametrize("name", sorted(SENSITIVE_FIELDS | SENSITIVE_HEADERS))
@pytest.mark.parametrize(
    "spelling",
    [str, str.upper, lambda n: n.replace("_", "-"), lambda n: n.replace("_", "").replace("-", "")],
)
def test_every_sensitive_name_in_every_spelling(name: str, spelling: Any) -> None:
    assert Redaction().metadata({spelling(name): SECRET}) == {spelling(name): REDACTED}


def test_names_of_the_config_are_added_to_the_built_in_ones() -> None:
    redaction = Redaction(headers=["X-Session"], params=["pin"], body_fields=["cvv"])
    assert redaction.headers({"x-session": "1", "Cookie": "2", "Accept": "3"}) == {
        "x-session": REDACTED,
        "Cookie": REDACTED,
        "Accept": "3",
    }
    assert redaction.is_sensitive("PIN")
    assert redaction.is_sensitive("cvv")
    assert "9" not in redaction.text("pin=9&cvv=9")


def test_json_inside_of_text_is_read() -> None:
    body = json.dumps({"user": "u", "login": {"password": SECRET}, "list": [{"token": SECRET}]})
    told = Redaction().metadata({"body": body})["body"]
    assert SECRET not in told
    assert json.loads(told)["user"] == "u"


def test_json_too_long_to_read_is_hidden_whole() -> None:
    body = json.dumps({"a": "x" * 9000, "password": SECRET})
    assert Redaction().metadata({"body": body}) == {"body": REDACTED}


def test_what_a_finding_says_of_a_secret_parameter_is_hidden() -> None:
    told = Redaction().metadata(
        {"findings": [{"name": "password", "value": SECRET}, {"name": "q", "value": "shown"}]}
    )
    assert told["findings"] == [
        {"name": "password", "value": REDACTED},
        {"name": "q", "value": "shown"},
    ]


def test_width_and_depth_are_bounded() -> None:
    wide = Redaction().metadata({str(number): number for number in range(1000)})
    assert len(wide) == MAX_ITEMS + 1
    deep: Any = SECRET
    for _ in range(50):
        deep = {"a": [deep]}
    assert SECRET not in json.dumps(Redaction().metadata({"a": deep}))


def test_types_that_json_lacks_become_text() -> None:
    told = Redaction().metadata({"set": {2, 1}, "bytes": b"x", 5: float("nan"), "none": None})
    assert told == {"set": [1, 2], "bytes": "b'x'", "5": "nan", "none": None}
    json.dumps(told, allow_nan=False)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=20)
        | st.binary(),
        lambda children: (
            st.lists(children, max_size=4)
            | st.dictionaries(st.text(max_size=6) | st.integers(), children, max_size=4)
        ),
        max_leaves=20,
    )
)
def test_anything_becomes_json(value: Any) -> None:
    json.dumps(Redaction().metadata({"value": value}), allow_nan=False)


@given(
    st.sampled_from(sorted(SENSITIVE_FIELDS)),
    st.text(st.characters(categories=["L", "N"]), min_size=8, max_size=20),
    st.lists(st.sampled_from(["{", "[", "list"]), max_size=6),
)
def test_a_secret_is_hidden_wherever_it_lies(name: str, secret: str, path: list[str]) -> None:
    value: Any = {name: secret}
    for step in path:
        value = json.dumps(value) if step == "{" else [value]
    assert secret not in json.dumps(Redaction().metadata({"outer": value}), ensure_ascii=False)
