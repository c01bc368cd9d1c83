"""Credentials: verifiers, spellings, and refusals."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from werkzeug.exceptions import Unauthorized

from guard_wsgi import (
    GuardMiddleware,
    GuardResponse,
    RouteConfig,
    SecurityConfig,
    decode_basic,
    same_secret,
)
from guard_wsgi.errors import ConfigError
from guard_wsgi.resolvers import Resolution
from tests.core.visiting import Site
from tests.kit.gateway import serve, text_app


def verify(request: Any, credential: str) -> str | None:
    return "ada" if same_secret(credential, "s3cret") else None


def at_root(**options: Any) -> Site:
    return Site(routes={"/": RouteConfig(**options)})


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("Bearer s3cret", 200),
        ("bearer s3cret", 200),
        ("BEARER   s3cret ", 200),
        ("Bearer wrong", 401),
        ("Bearer", 401),
        ("Basic s3cret", 401),
        ("s3cret", 401),
        ("", 401),
    ],
)
def test_a_bearer_token_goes_to_the_verifier(value: str, code: int) -> None:
    site = at_root(auth_required="bearer", auth_verifier=verify)
    answer = site.visit(headers={"Authorization": value} if value else {})
    assert answer.code == code
    if code == 401:
        assert answer.header("WWW-Authenticate") == 'Bearer realm="guard"'
        assert answer.message == b"Authentication required"
    else:
        assert site.seen[0]["guard_wsgi"].principal == "ada"


def test_a_basic_credential_is_decoded_by_a_helper() -> None:
    def check(request: Any, credential: str) -> bool:
        return decode_basic(credential) == ("ada", "pass:word")

    site = at_root(auth_required="basic", auth_verifier=check)
    good = b64encode(b"ada:pass:word").decode()
    assert site.visit(headers={"Authorization": f"basic {good}"}).code == 200
    refused = site.visit(headers={"Authorization": "Basic !!!"})
    assert refused.code == 401
    assert (refused.header("WWW-Authenticate") or "").startswith("Basic ")


@pytest.mark.parametrize("credential", ["", "====", "YQ==", "//79"])
def test_what_is_no_basic_credential_decodes_to_nothing(credential: str) -> None:
    assert decode_basic(credential) is None


def test_an_api_key_has_a_header_of_its_own() -> None:
    site = at_root(
        api_key_required=True,
        api_key_header="X-Shop-Key",
        api_key_verifier=verify,
        required_headers={"X-Shop-Key": "required"},
    )
    assert site.visit().message == b"Missing required header: X-Shop-Key"
    refused = site.visit(headers={"X-Shop-Key": "wrong"})
    assert refused.code == 401
    assert 'header="X-Shop-Key"' in (refused.header("WWW-Authenticate") or "")
    assert site.visit(headers={"X-Shop-Key": "s3cret"}).code == 200


@pytest.mark.parametrize(
    ("options", "headers"),
    [
        ({"api_key_required": True}, {"X-API-Key": "a"}),
        ({"auth_required": "bearer"}, {"Authorization": "Bearer a"}),
        ({"auth_required": "basic"}, {"Authorization": "Basic YTpi"}),
    ],
    ids=lambda value: next(iter(value)),
)
def test_a_route_without_a_verifier_is_a_fault_and_lets_nobody_in(
    options: dict[str, Any], headers: dict[str, str]
) -> None:
    """Decorators say so as well. A resolver of the app's own has routes that nobody sees before."""
    rules = RouteConfig(**options)
    with pytest.raises(ConfigError, match=r"route '/x': .* needs .*, or auth_verifier"):
        GuardMiddleware(text_app(), SecurityConfig(), routes={"/x": rules})
    verified = SecurityConfig(auth_verifier=lambda request, credential: "ann")
    for config, code in ((SecurityConfig(), "401"), (verified, "200")):
        guard = GuardMiddleware(text_app(), config, resolver=lambda environ: Resolution("x", rules))
        assert serve(guard, path="/x", headers=headers).status.startswith(code)


def test_a_verifier_that_raises_or_waits_refuses() -> None:
    def raising(request: Any, credential: str) -> Any:
        raise RuntimeError("database is down")

    class Waiting:
        def __await__(self) -> Any:
            yield

    for verifier in (raising, lambda request, credential: Waiting()):
        site = at_root(auth_required="bearer", auth_verifier=verifier)
        assert site.visit(headers={"Authorization": "Bearer s3cret"}).code == 401


def test_the_config_may_name_the_verifier_for_all_routes() -> None:
    site = Site(auth_verifier=verify, routes={"/": RouteConfig(auth_required="bearer")})
    assert site.visit(headers={"Authorization": "Bearer s3cret"}).code == 200
    assert site.visit(headers={"Authorization": "Bearer x"}).code == 401


def test_presence_alone_can_be_asked_for() -> None:
    site = at_root(authorization_header_required="bearer")
    assert site.visit().code == 401
    assert site.visit(headers={"Authorization": "Bearer whatever"}).code == 200


def test_guesses_are_limited_where_each_secret_has_a_limit_of_its_own() -> None:
    site = at_root(
        api_key_required=True,
        api_key_verifier=lambda request, key: key == "right",
        rate_limit=3,
        rate_limit_key=lambda request: request.headers.get("X-API-Key"),
    )
    guesses = [site.visit(headers={"X-API-Key": f"guess {n}"}).code for n in range(5)]
    assert guesses == [401, 401, 401, 429, 429]
    # Clients with the right credential behind the same address have their own limit.
    assert site.visit(headers={"X-API-Key": "right"}).code == 200


def test_guesses_of_a_required_value_are_limited() -> None:
    site = at_root(required_headers={"X-Secret": "right", "X-Other": "required"}, rate_limit=3)
    guesses = [
        site.visit(headers={"X-Secret": f"guess {n}", "X-Other": "a"}).code for n in range(5)
    ]
    assert guesses == [400, 400, 400, 429, 429]


def test_guessing_credentials_is_limited() -> None:
    site = at_root(auth_required="bearer", auth_verifier=verify, rate_limit=3)
    wrong = {"Authorization": "Bearer guess"}
    assert [site.visit(headers=wrong).code for _ in range(5)] == [401, 401, 401, 429, 429]


@pytest.mark.parametrize(
    "answer",
    [
        ("no", 401),
        ({"error": "no"}, 401, {"X-Why": "bad"}),
        (GuardResponse(b"no", 401), 401),
        (False, "bad key"),
        (None, "bad key"),
        (),
        401,
        Unauthorized(),
        ValueError("bad key"),
        GuardResponse(b"no", 403),
        "",
        0,
        False,
        None,
    ],
    ids=[str(number) for number in range(14)],
)
def test_whatever_way_a_verifier_says_no_in_nobody_gets_in(answer: Any) -> None:
    for options in (
        {"auth_required": "bearer", "auth_verifier": lambda request, credential: answer},
        {"api_key_required": True, "api_key_verifier": lambda request, credential: answer},
    ):
        site = at_root(**options)
        made = site.visit(headers={"Authorization": "Bearer forged", "X-API-Key": "forged"})
        assert made.code in (401, 403)
        assert not site.seen


@pytest.mark.parametrize("principal", ["ada", 17, ("ada", ["admin"]), {"name": "ada"}, True])
def test_any_other_answer_of_a_verifier_is_the_principal(principal: Any) -> None:
    site = at_root(auth_required="bearer", auth_verifier=lambda request, credential: principal)
    assert site.visit(headers={"Authorization": "Bearer x"}).code == 200
    assert site.seen[0]["guard_wsgi"].principal == principal
