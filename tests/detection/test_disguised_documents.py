"""A document behind a file's type: a view that parses any body reads it."""

from __future__ import annotations

import pytest
from werkzeug.test import Client

from guard_wsgi import GuardMiddleware, SecurityConfig
from tests.kit.gateway import text_app

FILES = ("application/octet-stream", "image/png", "image/svg+xml")
ENTITY = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'
ATTACK = b'{"q": "1\' UNION SELECT name, password FROM users--"}'


@pytest.fixture(scope="module")
def client() -> Client:
    config = SecurityConfig(enable_ip_banning=False, enable_rate_limiting=False)
    return Client(GuardMiddleware(text_app(), config))


@pytest.mark.parametrize("media", FILES)
@pytest.mark.parametrize("blanks", [0, 100, 262_143, 262_144, 400_000])
def test_json_is_read_behind_any_number_of_blanks(client: Client, media: str, blanks: int) -> None:
    body = b" " * blanks + ATTACK
    assert client.post("/", data=body, content_type=media).status_code == 400


@pytest.mark.parametrize("media", FILES)
@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("says", [True, False])
def test_entities_are_found_in_any_encoding(
    client: Client, media: str, charset: str, says: bool
) -> None:
    said = f' encoding="{charset}"' if says else ""
    body = f'<?xml version="1.0"{said}?>{ENTITY}'.encode(charset)
    assert client.post("/", data=body, content_type=media).status_code == 400


def test_entities_are_found_in_an_encoding_that_the_document_names(client: Client) -> None:
    body = b'<?xml version="1.0" encoding="UTF-7"?>' + ENTITY.replace("<", "+ADw-").encode()
    assert client.post("/", data=body, content_type="image/svg+xml").status_code == 400


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "iso-8859-1"])
def test_a_picture_without_entities_passes(client: Client, charset: str) -> None:
    text = f'<?xml version="1.0" encoding="{charset}"?>\n<!DOCTYPE svg'
    text += ' PUBLIC "-//W3C//DTD SVG 1.1//EN"'
    text += ' "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    text += '<svg xmlns="http://www.w3.org/2000/svg"><style>a{b:c}</style><title>é</title></svg>'
    answer = client.post("/", data=text.encode(charset), content_type="image/svg+xml")
    assert answer.status_code == 200
