"""The effects of the options of detection."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from guard_wsgi.config.exclusion import DetectionExclusion
from tests.effects.site import LiveSite

SQLI = "1' UNION SELECT username, password FROM users--"
XSS = "<script>alert(document.cookie)</script>"
MARKUP = "<script>alert(1)</script> "
"""A value that needs a second look and is not refused at the highest threshold: to test the cost of
a look."""
ON = {"enable_penetration_detection": True, "enable_ip_banning": False}


def query(value: str, name: str = "q") -> str:
    return f"/?{name}={quote(value)}"


def post_json(site: LiveSite, document: Any, path: str = "/") -> int:
    body = json.dumps(document).encode()
    return site.visit(path, body=body, headers={"Content-Type": "application/json"}).status


def test_enable_penetration_detection() -> None:
    with LiveSite({**ON}) as site:
        assert site.visit(query(SQLI)).status == 400
        assert site.visit(query("blue shoes")).status == 200
    with LiveSite({**ON, "enable_penetration_detection": False}) as site:
        assert site.visit(query(SQLI)).status == 200


def test_enabled_detection_categories() -> None:
    with LiveSite({**ON, "enabled_detection_categories": ["xss"]}) as site:
        assert site.visit(query(XSS)).status == 400
        assert site.visit(query(SQLI)).status == 200


def test_detection_threat_score_threshold() -> None:
    scores: list[float] = []

    def note(request: Any, payload: Any) -> None:
        scores.extend(finding.score for finding in request.verdict.findings)

    with LiveSite({**ON, "on_block": note}) as site:
        assert site.visit(query(SQLI)).status == 400
    above = max(scores) + 0.1
    with LiveSite({**ON, "detection_threat_score_threshold": above}) as site:
        assert site.visit(query(SQLI)).status == 200


def test_detection_scan_body() -> None:
    with LiveSite({**ON}) as site:
        assert site.visit("/", form={"comment": SQLI}).status == 400
    with LiveSite({**ON, "detection_scan_body": False}) as site:
        assert site.visit("/", form={"comment": SQLI}).status == 200
        assert site.visit(query(SQLI)).status == 400


def upload(site: LiveSite, content: bytes, name: str = "a.html") -> int:
    body = (
        b'--X\r\nContent-Disposition: form-data; name="f"; filename="%s"\r\n'
        b"Content-Type: text/html\r\n\r\n%s\r\n--X--\r\n" % (name.encode(), content)
    )
    kind = {"Content-Type": "multipart/form-data; boundary=X"}
    return site.visit("/", body=body, headers=kind).status


def test_upload_inspection() -> None:
    with LiveSite({**ON}) as site:
        assert upload(site, XSS.encode()) == 200
        assert upload(site, b"harmless", name="a.php") == 400
    with LiveSite({**ON, "upload_inspection": "strict"}) as site:
        assert upload(site, XSS.encode()) == 400
        assert upload(site, b"<p>harmless</p>") == 200


def test_detection_graphql_introspection() -> None:
    asked = b'{"query": "query Introspection { __schema { queryType { name } types { name } } }"}'
    kind = {"Content-Type": "application/json"}
    with LiveSite({**ON}) as site:
        assert site.visit("/", body=asked, headers=kind).status == 200
    with LiveSite({**ON, "detection_graphql_introspection": "refuse"}) as site:
        assert site.visit("/", body=asked, headers=kind).status == 400


def test_detection_max_body_inspect_bytes() -> None:
    padded = {"filler": "lorem ipsum " * 200, "comment": SQLI}
    options = {**ON, "detection_budget_action": "flag"}
    with LiveSite(options) as site:
        assert site.visit("/", form=padded).status == 400
    with LiveSite({**options, "detection_max_body_inspect_bytes": 1024}) as site:
        assert site.visit("/", form=padded).status == 200


def test_detection_oversized_body() -> None:
    large = {"text": "lorem ipsum " * 200}
    options = {**ON, "detection_max_body_inspect_bytes": 1024}
    with LiveSite({**options, "detection_oversized_body": "flag"}) as site:
        assert site.visit("/", form=large).status == 200
    with LiveSite({**options, "detection_oversized_body": "block"}) as site:
        assert site.visit("/", form=large).status == 413
        assert site.visit("/", form={"text": "short"}).status == 200


@pytest.mark.parametrize("action", ["block", "flag"])
def test_detection_max_scan_values_and_detection_budget_action(action: str) -> None:
    many = "/?" + "&".join(f"p{n}={quote(MARKUP)}" for n in range(40))
    options = {**ON, "detection_budget_action": action, "detection_threat_score_threshold": 10.0}
    with LiveSite(options) as site:
        assert site.visit(many).status == 200
    with LiveSite({**options, "detection_max_scan_values": 10}) as site:
        assert site.visit(many).status == (400 if action == "block" else 200)


def test_detection_max_scan_chars() -> None:
    long = query(MARKUP * 60)
    with LiveSite({**ON, "detection_threat_score_threshold": 10.0}) as site:
        assert site.visit(long).status == 200
    options = {"detection_threat_score_threshold": 10.0, "detection_max_scan_chars": 1024}
    with LiveSite({**ON, **options}) as site:
        assert site.visit(long).status == 400


def test_detection_max_json_depth() -> None:
    document: Any = MARKUP
    for _ in range(20):
        document = {"inner": document}
    high = {"detection_threat_score_threshold": 10.0}
    with LiveSite({**ON, **high}) as site:
        assert post_json(site, document) == 200
    findings: list[str] = []

    def note(request: Any, payload: Any) -> None:
        findings.extend(finding.category for finding in request.verdict.findings)

    options = {**high, "detection_max_json_depth": 5, "on_block": note}
    with LiveSite({**ON, **options}) as site:
        status = post_json(site, document)
        assert (status, findings) == (400, ["detection_budget"])


def test_detection_custom_patterns() -> None:
    with LiveSite({**ON, "detection_custom_patterns": {"canary": "tr0ub4dor"}}) as site:
        assert site.visit(query("my tr0ub4dor&3")).status == 400
        assert site.visit(query("my trouble")).status == 200


def test_detection_exclusions() -> None:
    exclusion = DetectionExclusion(path="/blog/*", body_fields=["text"])
    with LiveSite({**ON, "detection_exclusions": [exclusion]}) as site:
        assert site.visit("/blog/new", form={"text": SQLI}).status == 200
        assert site.visit("/blog/new", form={"title": SQLI}).status == 400
        assert site.visit("/shop", form={"text": SQLI}).status == 400


def test_excluded_detection_headers() -> None:
    with LiveSite({**ON}) as site:
        assert site.visit(headers={"X-Search": XSS}).status == 400
    with LiveSite({**ON, "excluded_detection_headers": ["X-Search"]}) as site:
        assert site.visit(headers={"X-Search": XSS}).status == 200
        assert site.visit(headers={"X-Other": XSS}).status == 400


def test_excluded_detection_params() -> None:
    with LiveSite({**ON, "excluded_detection_params": ["q"]}) as site:
        assert site.visit(query(SQLI)).status == 200
        assert site.visit(query(SQLI, "other")).status == 400


def test_excluded_detection_body_fields() -> None:
    with LiveSite({**ON, "excluded_detection_body_fields": ["comment"]}) as site:
        assert site.visit("/", form={"comment": SQLI}).status == 200
        assert site.visit("/", form={"name": SQLI}).status == 400
        assert post_json(site, {"deep": {"comment": SQLI}}) == 200
