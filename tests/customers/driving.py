"""A customer with a browser, who does the same on a guarded site and on a bare one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from attrs import define, field
from werkzeug.test import Client

from guard_wsgi.response.headers import HEADER_NAMES, HTML_PRESET

HOME = "81.2.69.160"
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "de,en-US;q=0.7,en;q=0.3",
    "Sec-Fetch-Mode": "navigate",
}
OF_THE_GUARD = {HEADER_NAMES[key].lower() for key in HTML_PRESET if key in HEADER_NAMES} | {
    "ratelimit",
    "ratelimit-policy",
    "strict-transport-security",
}
"""Headers that the guard may add if the app has not set them."""

_TOKEN = re.compile(r'((?:csrf_token|csrfmiddlewaretoken)"[^>]*?value=")([^"]+)"')
_CHANCE = re.compile(r"(?<=[=\"'])[\w.-]{43,}(?=[;\"'])|nonce-[\w+/=-]+")


@define
class Step:
    """One answer, without parts that depend on chance and the clock."""

    told: str
    status: int
    headers: list[tuple[str, str]]
    body: str


@define
class Customer:
    """Keeps cookies, sends the token of the form it has seen last, follows redirects."""

    app: Any
    steps: list[Step] = field(factory=list)
    token: str = ""
    seen: str = "/"
    _client: Any = None

    def __attrs_post_init__(self) -> None:
        self._client = Client(self.app)

    def get(self, path: str, **options: Any) -> Step:
        return self._send("GET", path, **options)

    def post(self, path: str, form: dict[str, Any] | None = None, **options: Any) -> Step:
        """A form as a browser sends it, with its token; files make it multipart."""
        data = dict(form or {})
        for name in ("csrf_token", "csrfmiddlewaretoken"):
            data.setdefault(name, self.token)
        return self._send("POST", path, data=data, **options)

    def send(self, method: str, path: str, **options: Any) -> Step:
        """A request of a program."""
        return self._send(method, path, **options)

    def _send(self, method: str, path: str, **options: Any) -> Step:
        headers = {**BROWSER, "Referer": f"https://shop.example{self.seen}"}
        if method == "POST":
            headers["Origin"] = "https://shop.example"
        headers |= options.pop("headers", {})
        if method == "GET":
            self.seen = path
        answer = self._client.open(
            path,
            method=method,
            headers=headers,
            base_url="https://shop.example",
            environ_overrides={"REMOTE_ADDR": HOME},
            **options,
        )
        body = answer.get_data(as_text=False).decode("utf-8", "replace")
        found = _TOKEN.search(body)
        if found is not None:
            self.token = found[2]
        step = Step(f"{method} {path}", answer.status_code, _stable(answer.headers), _plain(body))
        self.steps.append(step)
        location = answer.headers.get("Location")
        if location is not None and answer.status_code in (301, 302, 303):
            return self._send("GET", location.removeprefix("https://shop.example"))
        return step


def _plain(text: str) -> str:
    text = _TOKEN.sub(r'\1token"', text)
    return _CHANCE.sub("chance", text)


def _stable(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    stable = []
    for name, value in headers:
        if name.lower() in ("date", "last-modified", "expires", "etag"):
            continue
        if name.lower() == "set-cookie":
            value = re.sub(r"=[^;]*", "=", value, count=1)
            value = re.sub(r"(?i)expires=[^;]*", "expires=", value)
        if name.lower() == "content-length":
            continue  # tokens are of one length, sessions in them not; bodies are compared
        stable.append((name, _plain(value)))
    return sorted(stable)


def differences(bare: list[Step], guarded: list[Step]) -> list[str]:
    """Return the differences between two runs, without the guard's headers, one per line."""
    found = []
    if len(bare) != len(guarded):
        found.append(f"{len(bare)} steps bare, {len(guarded)} guarded")
    for one, other in zip(bare, guarded, strict=False):
        if one.status != other.status:
            found.append(f"{one.told}: {one.status} bare, {other.status} guarded")
        elif one.body != other.body:
            found.append(f"{one.told}: another body")
        sent = {name.lower() for name, _ in one.headers}
        kept = [
            pair
            for pair in other.headers
            if pair[0].lower() not in OF_THE_GUARD or pair[0].lower() in sent
        ]
        if kept != one.headers:
            found.append(f"{one.told}: {one.headers} bare, {kept} guarded")
    return found
