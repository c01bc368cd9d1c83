"""An exclusion of one category in one field: every other attack is still refused there."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from guard_wsgi import GuardMiddleware, SecurityConfig
from tests.kit.gateway import sandwich, serve, text_app

POLLUTION = "__proto__[isAdmin]=true"
POLLUTING_JSON = '{"__proto__": {"isAdmin": true}}'
SQL = "1' UNION SELECT password FROM users--"
SCRIPT = "<script>alert(document.cookie)</script>"


def guarded(*entries: dict[str, Any], **options: Any) -> Any:
    config = SecurityConfig(enable_ip_banning=False, detection_exclusions=entries, **options)
    return sandwich(text_app(), lambda app: GuardMiddleware(app, config))


def code(app: Any, place: str, name: str, value: str, path: str = "/search") -> int:
    if place == "query":
        return int(serve(app, path=f"{path}?{urlencode({name: value})}").code)
    if place == "header":
        return int(serve(app, path=path, headers={name: value}).code)
    if place == "json":
        return int(serve(app, path=path, method="POST", json={name: value}).code)
    return int(serve(app, path=path, method="POST", data={name: value}).code)


PLACES = [
    pytest.param("query", {"params": ["q"]}, "q", "p", id="params"),
    pytest.param("form", {"body_fields": ["q"]}, "q", "p", id="form"),
    pytest.param("json", {"body_fields": ["q"]}, "q", "p", id="json"),
    pytest.param("header", {"headers": ["X-Search"]}, "X-Search", "X-Other", id="headers"),
]


@pytest.mark.parametrize(("place", "names", "name", "other"), PLACES)
@pytest.mark.parametrize(
    ("category", "passing"),
    [("proto_pollution", POLLUTION), ("proto_pollution", POLLUTING_JSON), ("sqli", SQL)],
)
def test_only_the_category_passes_and_only_in_the_field(
    place: str, names: dict[str, list[str]], name: str, other: str, category: str, passing: str
) -> None:
    assert code(guarded(), place, name, passing) == 400
    app = guarded({"path": "/search", **names, "categories": [category]})
    for _ in range(2):  # what passed is remembered
        assert code(app, place, name, passing) == 200
        assert code(app, place, other, passing) == 400
        assert code(app, place, name, passing, "/elsewhere") == 400
        for attack in {SQL, SCRIPT} - {passing}:
            assert code(app, place, name, attack) == 400


@pytest.mark.parametrize("attack", [SQL, "1; drop table users", "select password from users"])
def test_fields_with_numbers_are_not_alike_where_one_is_excluded(attack: str) -> None:
    app = guarded({"path": "/search", "params": ["q1"], "categories": ["sqli"]})
    assert serve(app, path="/search?" + urlencode({"q1": attack})).code == 200
    for names in (("q1", "q2"), ("q2", "q1")):
        pairs = [(name, attack) for name in (*names, "q3")]
        assert serve(app, path="/search?" + urlencode(pairs)).code == 400
    assert serve(app, path="/search?" + urlencode({"q1": attack, "p": SCRIPT})).code == 400


def test_a_part_of_the_value_that_is_another_attack_is_refused() -> None:
    app = guarded({"path": "/search", "params": ["q"], "categories": ["proto_pollution"]})
    assert code(app, "query", "q", f"{POLLUTION} {SQL}") == 400
    assert code(app, "query", "q", f"{POLLUTION} {SCRIPT}") == 400


def test_entries_for_one_field_add_up() -> None:
    sqli = {"path": "/search", "params": ["q"], "categories": ["sqli"]}
    xss = {"path": "/*", "params": ["q"], "categories": ["xss"]}
    app = guarded(sqli, xss)
    assert code(app, "query", "q", SQL) == 200
    assert code(app, "query", "q", SCRIPT) == 200
    assert code(app, "query", "q", POLLUTION) == 400
    assert code(app, "query", "q", SQL, "/elsewhere") == 400


def test_patterns_of_the_site_can_be_excluded_in_a_field() -> None:
    entry = {"path": "/search", "params": ["q"], "categories": ["custom"]}
    app = guarded(entry, detection_custom_patterns={"word": "forbiddenword"})
    assert code(app, "query", "q", "forbiddenword") == 200
    assert code(app, "query", "p", "forbiddenword") == 400
    assert code(app, "query", "q", f"forbiddenword {SQL}") == 400


def test_names_of_uploaded_files_can_be_excluded_in_a_field() -> None:
    def upload(app: Any, name: str) -> int:
        body = (
            f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="shell.php"\r\n'
            "Content-Type: text/plain\r\n\r\nhello\r\n--x--\r\n"
        ).encode()
        kind = "multipart/form-data; boundary=x"
        return int(serve(app, path="/search", method="POST", data=body, content_type=kind).code)

    app = guarded({"path": "/search", "body_fields": ["file"], "categories": ["file_upload"]})
    assert upload(guarded(), "file") == 400
    assert upload(app, "file") == 200
    assert upload(app, "other") == 400
