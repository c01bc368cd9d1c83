"""Requests for detection tests: a payload put where attackers put it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from guard_wsgi.detection import Finding, Inspection

BROWSER = {
    "HTTP_HOST": "shop.example.com",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
    "HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "HTTP_ACCEPT_LANGUAGE": "en-US,en;q=0.5",
    "HTTP_ACCEPT_ENCODING": "gzip, deflate, br",
}
PLACES = ("query", "path", "cookie", "header", "form", "json", "multipart")


def environ(path: str = "/", query: str = "", **headers: str) -> dict[str, Any]:
    """A GET as a browser sends it; headers by their environ names."""
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path.encode("utf-8", "surrogatepass").decode("latin-1"),
        "QUERY_STRING": query,
        **BROWSER,
        **headers,
    }


def findings_in(inspection: Inspection, place: str, payload: str) -> tuple[Finding, ...]:
    """Return the findings of an inspection for a payload in one of PLACES."""
    latin = payload.encode("utf-8", "surrogatepass").decode("latin-1")
    if place == "query":
        return inspection.head(environ(query="page=2&q=" + quote(payload, safe="")))
    if place == "path":
        return inspection.head(environ(path="/items/" + payload))
    if place == "cookie":
        return inspection.head(environ(HTTP_COOKIE="theme=dark; p=" + quote(payload, safe=" ")))
    if place == "header":
        return inspection.head(environ(HTTP_X_SEARCH=latin))
    if place == "form":
        body = ("lang=en&text=" + quote(payload, safe="")).encode()
        return inspection.body(body, content_type="application/x-www-form-urlencoded")
    if place == "json":
        body = json.dumps({"id": 17, "user": {"tags": ["a", payload]}}).encode()
        return inspection.body(body, content_type="application/json")
    if place == "multipart":
        body = (
            '--XyZ\r\nContent-Disposition: form-data; name="title"\r\n\r\nhello\r\n'
            '--XyZ\r\nContent-Disposition: form-data; name="text"\r\n\r\n'
            f"{payload}\r\n--XyZ--\r\n"
        ).encode("utf-8", "surrogatepass")
        return inspection.body(body, content_type="multipart/form-data; boundary=XyZ")
    raise ValueError(place)
