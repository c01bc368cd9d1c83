"""Detects that werkzeug's ProxyFix and the guard read the same header."""

from __future__ import annotations

from typing import Any

from guard_wsgi.config.security import SecurityConfig

REWRITTEN_KEY = "werkzeug.proxy_fix.orig"
"""The environ key under which ProxyFix stores the original values."""


def proxy_fix_conflict(fix: Any, config: SecurityConfig) -> str:
    """Describe the conflict if both read the same header; ``""`` if they don't.

    :param fix: a ProxyFix, with the number that it was given for each header.
    """
    both = []
    if (
        getattr(fix, "x_for", 0)
        and config.trusted_proxies
        and config.forwarded_header == "x-forwarded-for"
    ):
        both.append(("X-Forwarded-For", "trusted_proxies", "x_for"))
    if getattr(fix, "x_proto", 0) and config.trust_x_forwarded_proto and config.trusted_proxies:
        both.append(("X-Forwarded-Proto", "trust_x_forwarded_proto", "x_proto"))
    if not both:
        return ""
    header, option, argument = both[0]
    return (
        f"ProxyFix({argument}=...) and {option} both read {header}, and neither can"
        f" check what the other rewrote: remove {', '.join(each[1] for each in both)}, so that"
        " the guard uses the client that ProxyFix finds, or remove ProxyFix"
    )
