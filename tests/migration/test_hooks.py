"""An app's own functions find the framework's context, and may answer as its views do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Response, abort, current_app, g, jsonify, redirect, request, session
from werkzeug.exceptions import Conflict, Forbidden, Unauthorized

from guard_wsgi import BehaviorRule, GuardResponse, SecurityConfig, SecurityDecorator
from guard_wsgi_flask import FlaskAPIGuard

ATTACK = "/?q=<script>alert(1)</script>"


class Passing:
    """A middleware that the guard knows nothing of, between it and Flask."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/metrics":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"metrics"]
        return self.app(environ, start_response)


class Site:
    """A Flask app with a login, and what its functions have seen."""

    def __init__(self, *, between: bool = False, **options: Any) -> None:
        self.app = app = Flask("site")
        app.secret_key = "k"
        app.config["KEYS"] = {"s3cret": "ann"}
        if between:
            app.wsgi_app = Passing(app.wsgi_app)  # type: ignore[method-assign]
        self.config = SecurityConfig(**options)
        self.protect = SecurityDecorator(self.config)
        self.torn_down: list[str] = []
        app.teardown_request(lambda error: self.torn_down.append("request"))
        app.teardown_appcontext(lambda error: self.torn_down.append("app"))

        @app.route("/")
        def home() -> Any:
            return jsonify(user=session.get("user"), left=getattr(g, "left", None))

        @app.route("/login", methods=["POST"])
        def login() -> str:
            session["user"] = request.form["user"]
            return "hello"

    def guarded(self) -> Any:
        self.guard = FlaskAPIGuard(self.app, config=self.config)
        return self.app.test_client()

    def answers(self, hook: Callable[[Any], Any]) -> Any:
        """The response to a client if a validator answers like this."""
        self.app.add_url_rule("/v", view_func=self.protect.custom_validation(hook)(lambda: "view"))
        return self.guarded().get("/v")


both = pytest.mark.parametrize("between", [False, True], ids=["direct", "with a middleware"])


@both
def test_a_check_sees_the_request_the_session_and_leaves_what_the_view_finds(between: bool) -> None:
    seen = []

    def check(guarded: Any) -> Any:
        seen.append((request.path, request.args.get("a"), session.get("user"), current_app.name))
        g.left = "by the check"
        session["visits"] = session.get("visits", 0) + 1
        return Response("no", 418) if request.args.get("deny") else None

    site = Site(between=between, custom_request_check=check)
    site.app.add_url_rule("/visits", view_func=lambda: str(session["visits"]))
    client = site.guarded()
    assert client.post("/login", data={"user": "ann"}).status_code == 200
    assert client.get("/?a=b").get_json() == {"user": "ann", "left": "by the check"}
    assert seen[-1] == ("/", "b", "ann", "site")
    assert client.get("/visits").text == "3"
    refused = client.get("/?deny=1")
    assert (refused.status_code, refused.text) == (418, "no")


def test_functions_that_tear_down_run_once_for_each_request() -> None:
    site = Site(
        custom_request_check=lambda r: Response("no", 418) if "deny" in request.args else None,
        on_block=lambda r, payload: current_app.name,
        rate_limit_key=lambda r: session.get("user"),
        custom_response_modifier=lambda response: response,
    )
    site.app.after_request(lambda response: response)
    client = site.guarded()
    for path, status in (("/", 200), ("/?deny=1", 418), (ATTACK, 400), ("/none", 404)):
        site.torn_down.clear()
        assert client.get(path).status_code == status
        assert sorted(site.torn_down) == ["app", "request"], path


@both
def test_a_body_that_a_hook_reads_is_the_view_s_as_well(between: bool) -> None:
    site = Site(
        between=between, custom_request_check=lambda r: None if request.form["user"] else "no"
    )
    client = site.guarded()
    assert client.post("/login", data={"user": "ann"}).text == "hello"


def test_a_middleware_that_answers_by_itself_is_asked_about_first() -> None:
    """A check of the whole site does not only guard Flask's views."""
    site = Site(between=True, custom_request_check=lambda r: Response("no", 418))
    client = site.guarded()
    assert client.get("/metrics").status_code == 418
    assert client.get("/").status_code == 418


def test_a_check_holds_for_what_no_route_matches() -> None:
    site = Site(custom_request_check=lambda r: Response("no", 418))
    assert site.guarded().get("/nowhere").status_code == 418


@both
def test_a_hook_that_raises_opens_nothing(between: bool) -> None:
    def fails(guarded: Any, *_: Any) -> Any:
        raise KeyError("user")

    site = Site(between=between, custom_request_check=fails)
    assert site.guarded().get("/").status_code == 500
    site = Site(between=between)
    site.app.add_url_rule("/k", view_func=site.protect.api_key_auth(verifier=fails)(lambda: "in"))
    assert site.guarded().get("/k", headers={"X-API-Key": "x"}).status_code == 401


def test_a_framework_that_answers_without_asking_lets_nothing_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = Site(custom_request_check=lambda r: None)
    client = site.guarded()
    assert client.get("/").status_code == 200
    monkeypatch.setattr(site.app, "before_request_funcs", {})
    refused = client.get("/")
    assert refused.status_code == 500
    assert "user" not in refused.text


@both
def test_a_verifier_looks_into_the_app(between: bool) -> None:
    site = Site(
        between=between, auth_verifier=lambda r, token: current_app.config["KEYS"].get(token)
    )
    view = site.protect.require_auth()(lambda: g.guard.principal)
    site.app.add_url_rule("/me", view_func=view)
    client = site.guarded()
    assert client.get("/me", headers={"Authorization": "Bearer s3cret"}).text == "ann"
    assert client.get("/me", headers={"Authorization": "Bearer no"}).status_code == 401


@pytest.mark.parametrize(
    "answer", [Response("no", 403), GuardResponse("no", 403), Response("no", 200)]
)
def test_a_verifier_s_response_is_a_no(answer: Any) -> None:
    site = Site()
    view = site.protect.api_key_auth(verifier=lambda r, key: answer)(lambda: "in")
    site.app.add_url_rule("/k", view_func=view)
    refused = site.guarded().get("/k", headers={"X-API-Key": "x"})
    assert refused.status_code in (401, 403)
    assert refused.text == "no"


@both
def test_keys_and_exemptions_of_limits_are_the_session_s(between: bool) -> None:
    site = Site(
        between=between,
        rate_limit=3,
        rate_limit_key=lambda r: session.get("user"),
        rate_limit_exempt_when=lambda r: request.args.get("free") == "1",
    )
    client = site.guarded()
    client.post("/login", data={"user": "ann"})
    assert [client.get("/").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client.get("/?free=1").status_code == 200
    assert site.app.test_client().get("/").status_code == 200


@both
def test_on_block_is_called_inside_the_app(between: bool) -> None:
    told = []
    site = Site(
        between=between,
        on_block=lambda r, payload: told.append((current_app.name, request.path, payload)),
    )
    site.app.add_url_rule(
        "/k", view_func=site.protect.api_key_auth(verifier=lambda r, k: None)(lambda: "in")
    )
    client = site.guarded()
    assert client.get(ATTACK).status_code == 400
    assert client.get("/k").status_code == 401
    assert [(name, path) for name, path, _ in told] == [("site", "/"), ("site", "/k")]


def test_a_custom_action_of_a_behaviour_rule_runs_inside_the_app() -> None:
    acted = []
    rules = [
        BehaviorRule("usage", 1, custom_action=lambda *_: acted.append(current_app.name)),
        BehaviorRule(
            "return_pattern",
            1,
            pattern="regex:us.r",
            custom_action=lambda *_: acted.append(request.path),
        ),
    ]
    site = Site(global_behavior_rules=rules, behavior_scan_response_body=True)
    client = site.guarded()
    for _ in range(2):
        assert "user" in client.get("/").get_json()
    assert acted == ["site", "/"]


# What hooks answer.

PASSES = [None, True]
REFUSES: list[tuple[Any, int, str]] = [
    (False, 403, ""),
    ("not today", 403, "not today"),
    (b"bytes", 403, "bytes"),
    ({"error": "x"}, 403, '"error"'),
    ([1, 2], 403, "[1, 2]"),
    (("gone", 410), 410, "gone"),
    (({"error": "x"}, 422), 422, '"error"'),
    (("slow", 429, {"Retry-After": "7"}), 429, "slow"),
    (("head", {"X-Why": "y"}), 403, "head"),
    ((Response("own", 201), 409), 409, "own"),
    (Response("own", 409), 409, "own"),
    (GuardResponse("ours", 451), 451, "ours"),
    (402, 402, ""),
    (Conflict("twice"), 409, "twice"),
]


@pytest.mark.parametrize("answer", PASSES)
def test_none_and_true_let_pass(answer: Any) -> None:
    assert Site().answers(lambda r: answer).text == "view"
    assert Site(custom_request_check=lambda r: answer).guarded().get("/").status_code == 200


@pytest.mark.parametrize(("answer", "status", "text"), REFUSES, ids=lambda each: repr(each)[:30])
def test_what_else_a_hook_answers_is_the_refusal(answer: Any, status: int, text: str) -> None:
    for refused in (
        Site().answers(lambda r: answer),
        Site(custom_request_check=lambda r: answer).guarded().get("/"),
        Site(between=True, custom_request_check=lambda r: answer).guarded().get("/"),
    ):
        assert refused.status_code == status
        assert text in refused.text
        assert int(refused.headers["Content-Length"]) == len(refused.data)
        assert refused.headers["X-Content-Type-Options"] == "nosniff"


def test_json_is_json_and_headers_are_sent() -> None:
    assert Site().answers(lambda r: ({"error": "x"}, 422)).get_json() == {"error": "x"}
    refused = Site().answers(lambda r: ("slow", 429, [("Retry-After", "7"), ("X-A", "b")]))
    assert (refused.headers["Retry-After"], refused.headers["X-A"]) == ("7", "b")


def test_abort_in_a_hook_is_an_answer() -> None:
    def abort_with(guarded: Any) -> Any:
        abort(409, "taken")

    refused = Site().answers(abort_with)
    assert refused.status_code == 409
    assert "taken" in refused.text


class Plain:
    """Any object with a status, headers and a body."""

    status_code = 418
    body = b"tea"

    def __init__(self) -> None:
        self.headers = {"X-Pot": "round"}


def test_any_object_with_a_status_headers_and_a_body_is_an_answer() -> None:
    refused = Site().answers(lambda r: Plain())
    assert (refused.status_code, refused.text, refused.headers["X-Pot"]) == (418, "tea", "round")


def test_cookies_of_a_flask_response_are_kept() -> None:
    def answer(guarded: Any) -> Any:
        response = Response("no", 403)
        response.set_cookie("why", "because")
        response.set_cookie("and", "more")
        return response

    assert len(Site().answers(answer).headers.getlist("Set-Cookie")) == 2


def test_what_is_no_answer_fails_closed() -> None:
    assert Site().answers(lambda r: object()).status_code == 500


# Refusals.


@both
def test_refusals_pass_what_the_app_does_to_its_answers(between: bool) -> None:
    site = Site(between=between, rate_limit=2)

    @site.app.after_request
    def cors(response: Any) -> Any:
        response.headers["Access-Control-Allow-Origin"] = "https://a.example"
        response.headers["X-Seen"] = f"{request.path} {response.status_code}"
        return response

    site.app.add_url_rule(
        "/k", view_func=site.protect.api_key_auth(verifier=lambda r, k: None)(lambda: "in")
    )
    client = site.guarded()
    for path, status in ((ATTACK, 400), ("/k", 401)):
        refused = client.get(path)
        assert refused.status_code == status
        assert refused.headers.getlist("X-Seen") == [f"{path.partition('?')[0]} {status}"]
        assert refused.headers["Access-Control-Allow-Origin"] == "https://a.example"
        assert int(refused.headers["Content-Length"]) == len(refused.data)
    limited = [client.get("/") for _ in range(3)][-1]
    assert (limited.status_code, limited.headers["X-Seen"]) == (429, "/ 429")
    assert limited.headers["Retry-After"]


def test_an_error_page_passes_them_too() -> None:
    site = Site(custom_request_check=lambda r: False if "deny" in request.args else None)
    site.app.after_request(lambda r: (r.headers.add("X-Seen", "1"), r)[1])

    @site.app.errorhandler(403)
    def page(error: Any) -> Any:
        return f"our page: {error.block.check}", 403

    @site.app.errorhandler(400)
    def page_400(error: Any) -> Any:
        return "our 400", 400

    client = site.guarded()
    refused = client.get("/?deny=1")
    assert refused.text == "our page: custom_request"
    assert refused.headers.getlist("X-Seen") == ["1"]
    refused = client.get(ATTACK)
    assert (refused.text, refused.headers.getlist("X-Seen")) == ("our 400", ["1"])


def test_a_function_of_the_app_that_raises_undoes_no_refusal() -> None:
    site = Site()

    @site.app.after_request
    def fails(response: Any) -> Any:
        raise KeyError("x")

    assert site.guarded().get(ATTACK).status_code == 400


# custom_response_modifier


@both
def test_a_modifier_sees_real_answers_and_replaces_them_whole(between: bool) -> None:
    seen = []

    def modify(response: Any) -> Any:
        seen.append((response.status_code, response.headers["Content-Type"], response.body))
        return Response(f"<{response.status_code}>", response.status_code, mimetype="text/x-own")

    client = Site(between=between, custom_response_modifier=modify).guarded()
    for path, status in (("/", 200), ("/none", 404), (ATTACK, 400)):
        answer = client.get(path)
        assert (answer.status_code, answer.text) == (status, f"<{status}>")
        assert int(answer.headers["Content-Length"]) == len(answer.data)
        assert answer.mimetype == "text/x-own"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert seen[0][:2] == (200, "application/json")
    assert b'"left"' in seen[0][2]
    assert len(seen) == 3


@both
def test_a_modifier_may_change_the_answer_it_is_given(between: bool) -> None:
    def modify(response: Any) -> Any:
        response.headers["X-Own"] = current_app.name if not between else "site"
        del response.headers["X-Frame-Options"]
        if response.status_code == 404:
            response.body = "nothing here"
            response.status_code = 410
        return response

    client = Site(between=between, custom_response_modifier=modify).guarded()
    answer = client.get("/")
    assert (answer.status_code, answer.headers["X-Own"]) == (200, "site")
    assert "X-Frame-Options" not in answer.headers
    assert "user" in answer.get_json()
    answer = client.get("/none")
    assert (answer.status_code, answer.text) == (410, "nothing here")
    assert int(answer.headers["Content-Length"]) == len("nothing here")


@both
@pytest.mark.parametrize("has_page", [False, True])
@pytest.mark.parametrize("is_permanent", [False, True])
@pytest.mark.parametrize(
    "refusing",
    [lambda: None, lambda: abort(401), lambda: ("no", 401), lambda: 1 / 0, Unauthorized],
    ids=["None", "abort", "tuple", "fault", "exception"],
)
def test_what_a_refused_verifier_wrote_into_the_session_is_not_saved(
    between: bool, has_page: bool, is_permanent: bool, refusing: Any
) -> None:
    site = Site(between=between)
    app = site.app

    def verifier(guarded: Any, key: str) -> Any:
        session["user"] = key
        session.setdefault("list", []).append(key)
        session.permanent = is_permanent
        return "ann" if key == "good" else refusing()

    view = site.protect.api_key_auth(verifier=verifier)(lambda: "secret")
    app.add_url_rule("/s", "s", view)
    app.add_url_rule("/list", "list", lambda: session.get("list", []))
    if has_page:
        app.register_error_handler(401, lambda error: (str(session.get("user")), 401))
        app.after_request(lambda response: response)
    client = site.guarded()
    assert client.get("/s", headers={"X-API-Key": "forged"}).status_code == 401
    assert client.get("/").json["user"] is None
    assert client.get("/s", headers={"X-API-Key": "good"}).status_code == 200
    assert client.get("/").json["user"] == "good"
    answer = client.get("/s", headers={"X-API-Key": "forged"})
    assert answer.status_code == 401
    assert "forged" not in answer.text
    assert client.get("/").json["user"] == "good"
    assert client.get("/list").json == ["good"]


@both
def test_what_a_check_says_in_the_session_with_its_own_answer_is_saved(between: bool) -> None:
    def check(guarded: Any) -> Any:
        if request.path != "/flashed" and "user" not in session:
            session["next"] = request.path
            return redirect("/flashed")
        return None

    site = Site(between=between, custom_request_check=check)
    site.app.add_url_rule("/flashed", view_func=lambda: session.get("next", ""))
    site.app.after_request(lambda response: response)
    client = site.guarded()
    assert client.get("/").status_code == 302
    assert client.get("/flashed").text == "/"


@both
def test_a_modifier_that_leaves_the_body_alone_leaves_a_stream_a_stream(between: bool) -> None:
    def modify(response: Any) -> None:
        response.headers["X-Own"] = "1"

    drawn = []

    def chunks() -> Any:
        for number in range(3):
            drawn.append(number)
            yield f"{number}"

    site = Site(between=between, custom_response_modifier=modify)
    site.app.add_url_rule("/s", view_func=lambda: Response(chunks()))
    answer = site.guarded().get("/s", buffered=False)
    assert answer.headers["X-Own"] == "1"
    assert len(drawn) <= 1
    assert b"".join(answer.response) == b"012"


@both
@pytest.mark.parametrize("answer", [3, object()])
def test_a_modifier_that_fails_changes_nothing(between: bool, answer: Any) -> None:
    def modify(response: Any) -> Any:
        response.headers["X-Own"] = "1"
        response.status_code = 202
        return answer

    given = Site(between=between, custom_response_modifier=modify).guarded().get("/")
    assert given.status_code == 200
    assert "X-Own" not in given.headers
    assert "user" in given.get_json()


@both
@pytest.mark.parametrize(
    ("modify", "status", "text"),
    [
        (lambda response: abort(403), 403, "permission"),
        (lambda response: abort(Response("own", 409)), 409, "own"),
        (lambda response: False, 403, "Forbidden"),
        (lambda response: Forbidden("kept in"), 403, "kept in"),
        (lambda response: True, 200, "user"),
    ],
)
def test_a_modifier_says_no_as_a_check_does(
    between: bool, modify: Any, status: int, text: str
) -> None:
    for path in ("/", "/none"):
        given = Site(between=between, custom_response_modifier=modify).guarded().get(path)
        if path == "/none" and status == 200:
            assert given.status_code == 404
            continue
        assert given.status_code == status
        assert text in given.text
        assert status == 200 or "user" not in given.text
        assert given.headers["X-Content-Type-Options"] == "nosniff"


@both
def test_a_modifier_and_head(between: bool) -> None:
    client = Site(between=between, custom_response_modifier=lambda response: None).guarded()
    answer = client.head("/")
    assert answer.data == b""
    assert answer.headers["Content-Length"] == client.get("/").headers["Content-Length"]


# The verdict


def test_the_verdict_tells_id_and_country_on_both_ways() -> None:
    class Atlas:
        asked = 0

        def get_country(self, ip: str) -> str:
            self.asked += 1
            return "NZ"

    for options in ({}, {"custom_request_check": lambda r: None}):
        atlas = Atlas()
        site = Site(geo_ip_handler=atlas, **options)
        site.app.add_url_rule(
            "/w", view_func=lambda: {"id": g.guard.request_id, "country": g.guard.country}
        )
        client = site.guarded()
        client.get("/", environ_base={"REMOTE_ADDR": "203.0.113.9"})
        assert atlas.asked == 0
        told = client.get("/w", environ_base={"REMOTE_ADDR": "203.0.113.9"}).get_json()
        assert len(told["id"]) == 32
        assert told["country"] == "NZ"
