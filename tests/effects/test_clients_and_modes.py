"""The effects of the options of clients, modes, failures and hooks."""

from __future__ import annotations

import json
import re
import socket
from typing import Any

import pytest

from guard_wsgi import GuardResponse, RouteConfig
from tests.effects.site import VISITOR, DecoratedSite, LiveSite
from tests.kit.wire import exchange, request

PROXY = "10.0.0.7"
BLACKLISTED = {"blacklist": [VISITOR]}
INJECTION = "/?id=1'%20UNION%20SELECT%20username,password%20FROM%20users--"


def test_trusted_proxies() -> None:
    with LiveSite({**BLACKLISTED, "trusted_proxies": ["127.0.0.1"]}) as site:
        assert site.visit().status == 403
    with LiveSite({**BLACKLISTED, "trusted_proxies": []}) as site:
        assert site.visit().status == 200, "anybody could write that header"


def test_trusted_proxy_depth() -> None:
    chain = {"X-Forwarded-For": VISITOR}
    with LiveSite(BLACKLISTED) as site:
        assert site.visit(headers=chain).status == 403
    with LiveSite({**BLACKLISTED, "trusted_proxy_depth": 2}) as site:
        assert site.visit(headers=chain).status == 200, "it did not come through two proxies"


def test_trust_x_forwarded_proto() -> None:
    secure = {"X-Forwarded-Proto": "https"}
    with LiveSite({"enforce_https": True, "trust_x_forwarded_proto": True}) as site:
        assert site.visit(headers=secure).status == 200
        assert site.visit().status == 308
    with LiveSite({"enforce_https": True}) as site:
        assert site.visit(headers=secure).status == 308


def test_forwarded_header() -> None:
    with LiveSite({**BLACKLISTED, "forwarded_header": "X-Real-IP"}) as site:
        assert site.visit(ip="9.9.9.9", headers={"X-Real-IP": VISITOR}).status == 403
        assert site.visit(ip=VISITOR, headers={"X-Real-IP": "9.9.9.9"}).status == 200


def test_ipv6_client_prefix() -> None:
    neighbours = ["2a02:c7f:1:1::1", "2a02:c7f:1:2::1", "2a02:c7f:1:3::1"]
    with LiveSite({"rate_limit": 2}) as site:
        assert [site.visit(ip=ip).status for ip in neighbours] == [200, 200, 200]
    with LiveSite({"rate_limit": 2, "ipv6_client_prefix": 48}) as site:
        assert [site.visit(ip=ip).status for ip in neighbours] == [200, 200, 429]


def test_allowed_hosts() -> None:
    with LiveSite({"allowed_hosts": ["localhost"]}) as site:
        assert site.visit().status == 200
        raw = request("GET", "/").replace(b"Host: localhost", b"Host: evil.example")
        assert exchange(site.port, raw).status == 400


def test_enabled() -> None:
    with LiveSite({**BLACKLISTED, "enabled": False}) as site:
        assert site.visit().status == 200


def test_passive_mode() -> None:
    with LiveSite({**BLACKLISTED, "passive_mode": True}) as site:
        assert site.visit().status == 200
        assert [payload["passive_mode"] for payload in site.blocked] == [True]


def test_route_resolution_strict() -> None:
    routes = {"/known": RouteConfig()}
    with LiveSite({"route_resolution_strict": True}, routes=routes) as site:
        assert site.visit("/known").status == 200
        assert site.visit("/unknown").status == 500
    with LiveSite(routes=routes) as site:
        assert site.visit("/unknown").status == 200


def test_health_paths() -> None:
    with LiveSite({"allowed_hosts": ["shop.example"], "health_paths": ["/alive"]}) as site:
        by_address = {"Host": "10.1.2.3:8000"}
        assert site.visit("/alive", ip=None, headers=by_address).status == 200
        assert site.visit("/healthz", ip=None, headers=by_address).status == 400
        assert site.visit("/alive", headers=by_address).status == 400


def test_exclude_paths() -> None:
    options = {"enable_penetration_detection": True, "exclude_paths": ["/open"]}
    with LiveSite(options) as site:
        assert site.visit(INJECTION).status == 400
        assert site.visit("/open" + INJECTION).status == 200
        assert site.visit("/opened" + INJECTION).status == 400


def test_max_request_size() -> None:
    with LiveSite({"max_request_size": 100}) as site:
        assert site.visit(body=b"x" * 100).status == 200
        assert site.visit(body=b"x" * 101).status == 413


def test_allowed_content_types() -> None:
    with LiveSite({"allowed_content_types": ["application/json"]}) as site:
        kind = {"Content-Type": "Application/JSON; charset=utf-8"}
        assert site.visit(body=b"{}", headers=kind).status == 200
        assert site.visit(form={"a": "b"}).status == 415
        assert site.visit().status == 200


def broken_upload(site: LiveSite) -> int:
    """A chunked body that ends in the middle of a chunk."""
    head = request("POST", "/", headers=[("Transfer-Encoding", "chunked")])
    with socket.create_connection(("127.0.0.1", site.port), 10) as connection:
        connection.sendall(head + b"10\r\nnot all of it")
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(4096)
    match = re.match(rb"HTTP/1\.\d (\d+)", answer)
    return int(match.group(1)) if match else 0


def test_unreadable_body() -> None:
    options = {"enable_penetration_detection": True}
    with LiveSite({**options, "unreadable_body": "block"}) as site:
        assert broken_upload(site) == 400
    with LiveSite({**options, "unreadable_body": "flag"}) as site:
        assert broken_upload(site) == 200


def test_error_format() -> None:
    wants_json = {"Accept": "application/json"}
    kinds = {}
    for error_format in ("auto", "text", "html", "problem"):
        with LiveSite({**BLACKLISTED, "error_format": error_format}) as site:
            kinds[error_format] = [
                (site.visit(headers=headers).header("Content-Type") or "").partition(";")[0]
                for headers in (wants_json, {})
            ]
    assert kinds == {
        "auto": ["application/problem+json", "text/plain"],
        "text": ["text/plain", "text/plain"],
        "html": ["text/html", "text/html"],
        "problem": ["application/problem+json", "application/problem+json"],
    }


def test_custom_error_responses() -> None:
    with LiveSite({**BLACKLISTED, "custom_error_responses": {403: "Not here."}}) as site:
        assert site.visit().body.startswith(b"Not here.\nReference: ")


def test_custom_request_check() -> None:
    def no_tuesdays(request: Any) -> GuardResponse | None:
        return GuardResponse("Come back tomorrow", 418) if "tuesday" in request.path else None

    with LiveSite({"custom_request_check": no_tuesdays}) as site:
        assert site.visit("/monday").status == 200
        answer = site.visit("/tuesday")
        assert (answer.status, answer.body) == (418, b"Come back tomorrow")


def test_custom_response_modifier() -> None:
    def sign(response: GuardResponse) -> GuardResponse:
        response.headers["X-Guarded"] = "yes"
        return response

    with LiveSite({**BLACKLISTED, "custom_response_modifier": sign}) as site:
        assert site.visit().header("X-Guarded") == "yes"


def test_auth_verifier() -> None:
    def verify(request: Any, credential: str) -> str | None:
        return "alice" if credential == "right" else None

    with DecoratedSite(
        {"auth_verifier": verify}, decorate=lambda guard: guard.require_auth()
    ) as site:
        assert site.visit("/view").status == 401
        assert site.visit("/view", headers={"Authorization": "Bearer wrong"}).status == 401
        assert site.visit("/view", headers={"Authorization": "bearer right"}).status == 200
        assert site.seen["principal"] == "alice"


def test_on_error() -> None:
    stages: list[str] = []

    class Deaf:
        def send_event(self, event: object) -> None:
            raise OSError("nobody listens")

    options = {**BLACKLISTED, "on_error": lambda stage, error, context: stages.append(stage)}
    with LiveSite(options) as site:
        site.guard.services.events.add_sink(Deaf())
        assert site.visit().status == 403
    assert stages == ["event_sink"]


def test_on_block() -> None:
    calls: list[tuple[str, Any]] = []
    options = {
        **BLACKLISTED,
        "on_block": lambda request, payload: calls.append((request.path, payload)),
    }
    with LiveSite(options) as site:
        site.visit("/some/page")
        ((path, payload),) = calls
        assert path == "/some/page"
        assert payload["check_name"] == "ip_security"
        assert (payload["client_ip"], payload["path"]) == (VISITOR, "/some/page")
        assert (payload["status_code"], payload["passive_mode"]) == (403, False)
        site.visit("/some/page", ip="9.9.9.9")
        assert len(calls) == 1


def test_a_guard_that_takes_its_proxy_for_the_only_client_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with LiveSite({"trusted_proxies": []}) as site:
        site.statuses(101)
        assert 'trusted_proxies=["127.0.0.1"]' in caplog.text
        assert "127.0.0.1" in str(site.guard.status()["peers"])
    caplog.clear()
    with LiveSite() as site:
        site.statuses(101)
        assert "trusted_proxies" not in caplog.text


def test_a_problem_tells_what_it_is_and_no_more() -> None:
    with LiveSite({**BLACKLISTED, "error_format": "problem"}) as site:
        document = json.loads(site.visit().body)
        assert document["status"] == 403
        assert "blacklist" not in str(document), "which rule refused is the operator's to know"
