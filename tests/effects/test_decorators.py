"""The effects of every decorator on a Flask view over a real socket, there and nowhere else."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine

from guard_wsgi import BehaviorRule, GuardResponse
from guard_wsgi.network.geo import MaxMindGeoIP
from tests.effects.site import VISITOR, Decorate, DecoratedSite
from tests.network import databases

OTHER = "89.160.20.112"
SQLI = "?q=1'%20UNION%20SELECT%20username,password%20FROM%20users--"
DETECTION = {"enable_penetration_detection": True, "enable_ip_banning": False}


def decorated(decorate: Decorate, **options: Any) -> DecoratedSite:
    return DecoratedSite(options, decorate=decorate)


def test_require_ip() -> None:
    with decorated(lambda guard: guard.require_ip(whitelist=["81.2.69.0/24"])) as site:
        assert site.visit("/view", ip=VISITOR).status == 200
        assert site.visit("/view", ip=OTHER).status == 403
        assert site.visit("/plain", ip=OTHER).status == 200
    with decorated(lambda guard: guard.require_ip(blacklist=[VISITOR])) as site:
        assert site.visit("/view", ip=VISITOR).status == 403
        assert site.visit("/view", ip=OTHER).status == 200


@pytest.fixture
def geo(tmp_path: Path) -> Iterator[MaxMindGeoIP]:
    path = databases.maxmind(
        tmp_path / "countries.mmdb", {"81.2.69.0/24": "GB", "89.160.20.0/24": "SE"}
    )
    handler = MaxMindGeoIP(path)
    yield handler
    handler.close()


def test_block_countries(geo: MaxMindGeoIP) -> None:
    with decorated(lambda guard: guard.block_countries(["gb"]), geo_ip_handler=geo) as site:
        assert site.visit("/view", ip=VISITOR).status == 403
        assert site.visit("/view", ip=OTHER).status == 200
        assert site.visit("/plain", ip=VISITOR).status == 200


def test_allow_countries(geo: MaxMindGeoIP) -> None:
    with decorated(lambda guard: guard.allow_countries(["GB"]), geo_ip_handler=geo) as site:
        assert site.visit("/view", ip=VISITOR).status == 200
        assert site.visit("/view", ip=OTHER).status == 403
        assert site.visit("/view", ip="9.9.9.9").status == 403


class Ranges:
    """A cache of ranges that another process fills."""

    def get(self, provider: str) -> set[str] | None:
        return {"81.2.69.0/24"} if provider == "Linode" else {"192.0.2.0/24"}

    def set(self, provider: str, ranges: set[str], ttl: int) -> None: ...

    def clear(self) -> None: ...


@pytest.mark.parametrize("providers", [["Linode"], None])
def test_block_clouds(providers: list[str] | None) -> None:
    site = decorated(lambda guard: guard.block_clouds(providers), cloud_ip_store=Ranges())
    with site:
        deadline = time.monotonic() + 10
        while site.visit("/view", ip=VISITOR).status == 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert site.visit("/view", ip=OTHER).status == 200
        assert site.visit("/plain", ip=VISITOR).status == 200


def test_block_user_agents() -> None:
    curl = {"User-Agent": "curl/8.5"}
    with decorated(lambda guard: guard.block_user_agents(["curl"])) as site:
        assert site.visit("/view", headers=curl).status == 403
        assert site.visit("/view").status == 200
        assert site.visit("/plain", headers=curl).status == 200


@pytest.mark.parametrize(
    ("check", "options", "target"),
    [
        ("ip", {"blacklist": [VISITOR]}, ""),
        ("rate_limit", {"rate_limit": 1}, ""),
        ("penetration", DETECTION, SQLI),
        ("all", {"blacklist": [VISITOR], "rate_limit": 1, **DETECTION}, SQLI),
    ],
)
def test_bypass(check: str, options: dict[str, Any], target: str) -> None:
    with decorated(lambda guard: guard.bypass([check]), **options) as site:
        assert site.statuses(3, "/view" + target) == [200, 200, 200]
        assert site.statuses(3, "/plain" + target)[-1] in (400, 403, 429)


def test_bypass_of_bans_and_clouds() -> None:
    with decorated(lambda guard: guard.bypass(["ip_ban"])) as site:
        site.guard.services.store.bans.ban(VISITOR, 60, "abuse")
        assert site.visit("/plain").status == 403
        assert site.visit("/view").status == 200
    options = {"block_cloud_providers": ["Linode"], "cloud_ip_store": Ranges()}
    with decorated(lambda guard: guard.bypass(["clouds"]), **options) as site:
        deadline = time.monotonic() + 10
        while site.visit("/plain").status == 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert site.visit("/view").status == 200


def verify(request: Any, credential: str) -> str | None:
    return "alice" if credential in ("right", "YWxpY2U6cmlnaHQ=") else None


@pytest.mark.parametrize(
    ("scheme", "right", "wrong"),
    [
        ("bearer", "Bearer right", "Bearer wrong"),
        ("basic", "Basic YWxpY2U6cmlnaHQ=", "Basic d3Jvbmc="),
    ],
)
def test_require_auth(scheme: str, right: str, wrong: str) -> None:
    with decorated(lambda guard: guard.require_auth(scheme, verify)) as site:
        refused = site.visit("/view")
        assert refused.status == 401
        assert (refused.header("WWW-Authenticate") or "").lower().startswith(scheme)
        assert site.visit("/view", headers={"Authorization": wrong}).status == 401
        assert site.visit("/view", headers={"Authorization": right}).status == 200
        assert site.seen["principal"] == "alice"
        assert site.visit("/plain").status == 200


def test_api_key_auth() -> None:
    with decorated(lambda guard: guard.api_key_auth("X-Key", verify)) as site:
        assert site.visit("/view").status == 401
        assert dict(site.visit("/view").headers)["www-authenticate"].startswith("ApiKey ")
        assert site.visit("/view", headers={"X-Key": "wrong"}).status == 401
        assert site.visit("/view", headers={"X-Key": "right"}).status == 200


def test_require_authorization_header() -> None:
    with decorated(lambda guard: guard.require_authorization_header()) as site:
        assert site.visit("/view").status == 401
        assert site.visit("/view", headers={"Authorization": "Basic eA=="}).status == 401
        assert site.visit("/view", headers={"Authorization": "bearer whatever"}).status == 200


def test_require_https() -> None:
    site = decorated(
        lambda guard: guard.require_https(),
        trust_x_forwarded_proto=True,
        allowed_hosts=["localhost"],
    )
    with site:
        answer = site.visit("/view")
        assert answer.status == 308
        assert answer.header("Location") == "https://localhost/view"
        assert site.visit("/view", headers={"X-Forwarded-Proto": "https"}).status == 200
        assert site.visit("/plain").status == 200


def test_require_headers() -> None:
    wanted = {"X-Version": "2", "X-Client": "required"}
    with decorated(lambda guard: guard.require_headers(wanted)) as site:
        assert site.visit("/view").status == 400
        assert site.visit("/view", headers={"X-Version": "1", "X-Client": "a"}).status == 400
        assert site.visit("/view", headers={"X-Version": "2", "X-Client": "a"}).status == 200


def test_require_referrer() -> None:
    with decorated(lambda guard: guard.require_referrer(["shop.example"])) as site:
        assert site.visit("/view").status == 403
        for referrer, status in (
            ("https://shop.example/cart", 200),
            ("https://www.shop.example/", 200),
            ("https://shop.example.evil.example/", 403),
        ):
            assert site.visit("/view", headers={"Referer": referrer}).status == status


def test_content_type_filter() -> None:
    with decorated(lambda guard: guard.content_type_filter(["application/json"])) as site:
        kind = {"Content-Type": "application/json; charset=utf-8"}
        assert site.visit("/view", body=b"{}", headers=kind).status == 200
        assert site.visit("/view", form={"a": "b"}).status == 415
        assert site.visit("/plain", form={"a": "b"}).status == 200


def test_max_request_size() -> None:
    with decorated(lambda guard: guard.max_request_size(10)) as site:
        assert site.visit("/view", body=b"x" * 10).status == 200
        assert site.visit("/view", body=b"x" * 11).status == 413
        assert site.visit("/plain", body=b"x" * 11).status == 200


def test_time_window() -> None:
    with decorated(lambda guard: guard.time_window("09:00", "17:00", "Asia/Tokyo")) as site:
        with time_machine.travel("2026-11-01T03:00:00+00:00", tick=False):
            assert site.visit("/view").status == 200
        with time_machine.travel("2026-11-01T12:00:00+00:00", tick=False):
            assert site.visit("/view").status == 403
            assert site.visit("/plain").status == 200


def test_custom_validation() -> None:
    def odd_only(request: Any) -> GuardResponse | None:
        number = int(request.query_params.get("n", "0"))
        return None if number % 2 else GuardResponse("Odd numbers only", 422)

    with decorated(lambda guard: guard.custom_validation(odd_only)) as site:
        assert site.visit("/view?n=3").status == 200
        answer = site.visit("/view?n=4")
        assert (answer.status, answer.body) == (422, b"Odd numbers only")


def test_honeypot_detection() -> None:
    with decorated(lambda guard: guard.honeypot_detection(["website"])) as site:
        assert site.visit("/view", form={"name": "Ada", "website": ""}).status == 200
        assert site.visit("/view", form={"name": "x", "website": "x"}).status == 403
        assert site.visit("/plain", form={"name": "x", "website": "x"}).status == 200


def test_rate_limit() -> None:
    with decorated(lambda guard: guard.rate_limit(2, 60)) as site:
        assert site.statuses(3, "/view") == [200, 200, 429]
        assert site.statuses(3, "/plain") == [200, 200, 200]
    with decorated(lambda guard: guard.rate_limit(4, 60, cost=2)) as site:
        assert site.statuses(3, "/view") == [200, 200, 429]


def test_geo_rate_limit(geo: MaxMindGeoIP) -> None:
    limits = {"GB": (1, 60), "*": (2, 60)}
    with decorated(lambda guard: guard.geo_rate_limit(limits), geo_ip_handler=geo) as site:
        assert site.statuses(2, "/view", ip=VISITOR) == [200, 429]
        assert site.statuses(3, "/view", ip=OTHER) == [200, 200, 429]
        assert site.statuses(3, "/plain", ip=VISITOR) == [200, 200, 200]


@pytest.mark.parametrize(("action", "status"), [("ban", 403), ("throttle", 429), ("log", 200)])
def test_usage_monitor(action: str, status: int) -> None:
    with decorated(lambda guard: guard.usage_monitor(2, 60, action)) as site:
        assert site.statuses(3, "/view") == [200, 200, status]
        assert site.visit("/plain").status == (403 if action == "ban" else 200)
        assert site.visit("/view", ip=OTHER).status == 200


def test_return_monitor() -> None:
    with decorated(lambda guard: guard.return_monitor("status:200", 2, 60, "ban")) as site:
        assert site.statuses(5, "/plain") == [200] * 5
        assert site.statuses(4, "/view") == [200, 200, 200, 403]


def test_suspicious_frequency() -> None:
    with decorated(lambda guard: guard.suspicious_frequency(0.05, 60, "throttle")) as site:
        assert site.statuses(4, "/view") == [200, 200, 200, 429]
        assert site.statuses(4, "/plain") == [200] * 4


def test_behavior_analysis() -> None:
    calls: list[tuple[str, str, str]] = []
    rules = [
        BehaviorRule("usage", 1, 60, custom_action=lambda *call: calls.append(call)),
        BehaviorRule("usage", 3, 60, action="throttle"),
    ]
    with decorated(lambda guard: guard.behavior_analysis(rules)) as site:
        assert site.statuses(4, "/view") == [200, 200, 200, 429]
    assert calls[0][0] == VISITOR
    assert "view" in calls[0][1]


def test_suspicious_detection() -> None:
    with decorated(lambda guard: guard.suspicious_detection(False), **DETECTION) as site:
        assert site.visit("/view" + SQLI).status == 200
        assert site.visit("/plain" + SQLI).status == 400
    options = {**DETECTION, "enable_penetration_detection": False}
    with decorated(lambda guard: guard.suspicious_detection(True), **options) as site:
        assert site.visit("/view" + SQLI).status == 400
        assert site.visit("/plain" + SQLI).status == 200


def test_detection_exclusion() -> None:
    attack = "1' UNION SELECT username, password FROM users--"

    def status(decorate: Decorate, **visit: Any) -> tuple[int, int]:
        with decorated(decorate, **DETECTION) as site:
            target = visit.pop("target", "")
            return (
                site.visit("/view" + target, **visit).status,
                site.visit("/plain" + target, **visit).status,
            )

    passes_here_only = (200, 400)
    json_body = {
        "body": json.dumps({"text": attack}).encode(),
        "headers": {"Content-Type": "application/json"},
    }
    assert status(lambda g: g.detection_exclusion(params=["q"]), target=SQLI) == passes_here_only
    assert (
        status(lambda g: g.detection_exclusion(headers=["X-Note"]), headers={"X-Note": attack})
        == passes_here_only
    )
    assert (
        status(lambda g: g.detection_exclusion(body_fields=["text"]), **json_body)
        == passes_here_only
    )
    assert status(lambda g: g.detection_exclusion(scan_body=False), **json_body) == passes_here_only
    assert (
        status(lambda g: g.detection_exclusion(enabled_categories=["xss"]), target=SQLI)
        == passes_here_only
    )


def test_security_headers() -> None:
    with decorated(lambda g: g.security_headers(frame_options=None, csp="sandbox")) as site:
        here, elsewhere = site.visit("/view"), site.visit("/plain")
        assert here.header("X-Frame-Options") is None
        assert here.header("Content-Security-Policy") == "sandbox"
        assert here.header("X-Content-Type-Options") == "nosniff"
        assert elsewhere.header("X-Frame-Options") == "SAMEORIGIN"
        assert elsewhere.header("Content-Security-Policy") is None


def test_upload_inspection() -> None:
    upload = {
        "body": b'--X\r\nContent-Disposition: form-data; name="f"; filename="a.html"\r\n\r\n'
        b"<script>alert(document.cookie)</script>\r\n--X--\r\n",
        "headers": {"Content-Type": "multipart/form-data; boundary=X"},
    }
    for everywhere, here, statuses in (
        ("names", "strict", (400, 200)),
        ("strict", "names", (200, 400)),
    ):
        with decorated(
            lambda guard, mode=here: guard.upload_inspection(mode),  # type: ignore[misc]
            upload_inspection=everywhere,
            **DETECTION,
        ) as site:
            found = site.visit("/view", **upload).status, site.visit("/plain", **upload).status
            assert found == statuses
