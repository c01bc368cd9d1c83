"""Filters for templates: times, numbers and texts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from markupsafe import Markup

from guard_wsgi.cli.inspecting import described

LABELS = {
    "access_denied": "access denied",
    "cmd_injection": "command injection",
    "code_injection": "code injection",
    "detection_excluded": "let through by an exclusion",
    "dir_traversal": "directory traversal",
    "decorator_violation": "rule of a route",
    "framing": "broken framing",
    "ip_ban": "ban",
    "ip_banned": "client banned",
    "ip_blocked": "banned client",
    "ip_unbanned": "ban lifted",
    "ldap": "LDAP injection",
    "log4shell": "Log4Shell",
    "nosql": "NoSQL injection",
    "proto_pollution": "prototype pollution",
    "rate_limited": "rate limit",
    "sqli": "SQL injection",
    "ssi": "server-side include",
    "ssrf": "SSRF",
    "template": "template injection",
    "xml": "XML attack",
    "xss": "XSS",
    "refused": "refused",
    "would": "would be refused",
    "told": "information",
}
"""The texts for names in the data; other names are shown with blanks instead of underscores."""


def install(app: Flask) -> None:
    """Add these filters to an app's templates."""
    app.jinja_env.finalize = writable
    app.jinja_env.filters.update(
        when=when,
        stamp=stamp,
        count=count,
        share=share,
        label=label,
        seconds=seconds,
        pretty=pretty,
        described=described,
    )


def writable(value: Any) -> Any:
    """Return any value of a template without lone surrogates, which UTF-8 can't encode."""
    if type(value) is str and not value.isascii():
        return value.encode("utf-8", "replace").decode()
    return value


def when(at: int | float | None) -> Markup:
    """Write a time of microseconds in UTC; the page's script converts it to the reader's zone."""
    if not at:
        return Markup('<span class="none">never</span>')
    try:
        moment = datetime.fromtimestamp(at / 1_000_000, UTC)
    except (ValueError, OverflowError):
        return Markup('<span class="none">unknown</span>')
    stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    shown = moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    return Markup('<time datetime="{}">{}</time>').format(stamp, shown)


def stamp(text: str) -> Markup | str:
    """Write an ISO 8601 time as :func:`when` does; another text as it is."""
    try:
        return when(datetime.fromisoformat(text).timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        return text


def count(number: int | float | None) -> str:
    """Write a number with thin spaces between thousands."""
    if number is None:
        return "–"
    if isinstance(number, float) and not number.is_integer():
        return f"{number:,.2f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return f"{int(number):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def share(part: int | float, whole: int | float) -> str:
    """Return a share in per cent; a dash if there is no whole."""
    return f"{100 * part / whole:.0f} %" if whole else "–"


def label(name: str) -> str:
    """Return the words for a name of an event, a check or a category."""
    return LABELS.get(name) or name.replace("_", " ")


def seconds(value: float | None) -> str:
    """Write a duration with a suitable unit."""
    if value is None:
        return "–"
    if value < 0.001:
        return f"{value * 1e6:.0f} µs"
    if value < 1:
        return f"{value * 1e3:.1f} ms"
    if value < 120:
        return f"{value:.1f} s"
    if value < 7200:
        return f"{value / 60:.0f} min"
    if value < 172_800:
        return f"{value / 3600:.0f} h"
    return f"{value / 86_400:.0f} d"


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
