"""Values that people may write for an option, and the ones that a configuration accepts.

It imports neither package, so each can be asked in its own interpreter.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

EXPRESSIONS: tuple[str, ...] = (
    "None",
    '""',
    '" "',
    '"0"',
    '"1"',
    '"5"',
    '"100"',
    '" 100 "',
    '"60.0"',
    '"1_000"',
    '"0.5"',
    '"true"',
    '"false"',
    '"True"',
    '"on"',
    '"off"',
    '"yes"',
    '"no"',
    '"t"',
    '"n"',
    '"1e3"',
    '"many"',
    '"INFO"',
    '"info"',
    '"json"',
    '"/a"',
    '"a"',
    '"https://x.example"',
    "0",
    "1",
    "2",
    "5",
    "10",
    "60",
    "100",
    "1000",
    "10000",
    "86400",
    "100000",
    "1000000",
    "10**9",
    "10**12",
    "-1",
    "1.0",
    "60.0",
    "0.5",
    "1.5",
    "2.5",
    "0.0",
    "1e-6",
    'Decimal("60")',
    'Decimal("0.5")',
    'Decimal("1.5")',
    "True",
    "False",
    "math.inf",
    "[]",
    "()",
    "set()",
    "frozenset()",
    "{}",
    "deque()",
    '[""]',
    '["a"]',
    '("a",)',
    '{"a"}',
    '["1.2.3.4"]',
    '["10.0.0.0/8"]',
    '["10.0.0.1/8"]',
    '["::1"]',
    '["US"]',
    '["us"]',
    '("US","DE")',
    '["UK"]',
    '["USA"]',
    '["unix"]',
    '["AWS"]',
    '["aws"]',
    '["AWS:!eu-west-1"]',
    '["/a"]',
    '["health"]',
    '["/a/"]',
    '["/"]',
    '["a/../b"]',
    '["*"]',
    '["GET"]',
    '["get"]',
    '["https://a.example"]',
    '["https://a.example/"]',
    '["a.example"]',
    '["null"]',
    '["X-Thing"]',
    '["^bot"]',
    '["^(?!Mozilla)"]',
    '["(?<=a)b"]',
    '["(a)\\\\1"]',
    '["xss"]',
    '["rate_limited"]',
    '["response_time"]',
    '["ip_security"]',
    '["authorization"]',
    '"1.2.3.4"',
    '"US"',
    "[1]",
    "[None]",
    '["0.0.0.0/0"]',
    '[ip_network("10.0.0.0/8")]',
    '[ip_address("10.0.0.1")]',
    '["10.0.0.0/8","10.0.0.0/8"]',
    'b"abc"',
    'Path("/tmp/x")',
    '"/tmp/x"',
    '{"a": "b"}',
    '{"a": 1}',
    '{"a": None}',
    '{"/a": (5, 60)}',
    '{"/a": [5, 60]}',
    '{"/a": ["5", "60"]}',
    '{"/a": (0, 0)}',
    '{"a": (5, 60)}',
    '{"/a": (5.0, 60.0)}',
    '{403: "no"}',
    '{"403": "no"}',
    '{200: "x"}',
    '{999: "x"}',
    '{403: ""}',
    '{"xss": {"threshold": 3, "duration": 60}}',
    '{"xss": {"threshold": "3", "duration": "60"}}',
    '{"xss": {"threshold": 3.0, "duration": 60}}',
    '{"sqli": {"threshold": 3, "duration": 60, "more": 1}}',
    '{"rate_limit": {"threshold": 3, "duration": 60}}',
    "lambda *a: None",
    "lambda *a, **k: True",
    "object()",
    "print",
    '[{"rule_type": "return_pattern", "threshold": 3, "pattern": "status:404"}]',
    '[{"rule_type": "usage", "threshold": "3", "window": "60"}]',
    '[{"rule_type": "frequency", "threshold": 3.0}]',
    '[{"rule_type": "usage", "threshold": 3, "pattern": "x"}]',
    (
        '[{"rule_type": "return_pattern", "threshold": 3, "pattern": "status:404", "ban_d'
        'uration": "60", "action": "ban"}]'
    ),
    '[{"rule_type": "return_pattern", "threshold": 3}]',
    '({"rule_type": "usage", "threshold": 3, "extra": 1},)',
    '{"enabled": True}',
    '{"enabled": False}',
    '{"enabled": "false"}',
    '{"hsts": {"max_age": 300, "preload": True}}',
    '{"hsts": {"max_age": "300"}}',
    '{"hsts": None}',
    '{"hsts": {"max_age": 31536000, "include_subdomains": False, "preload": True}}',
    '{"csp": {"default-src": ["\'self\'"]}}',
    '{"csp": {"default-src": "\'self\'"}}',
    '{"csp": None}',
    '{"frame_options": "DENY"}',
    '{"frame_options": None}',
    '{"custom": {"X-A": "1"}}',
    '{"custom": None}',
    '{"custom": {"X-A": 1}}',
    '{"frame_option": "DENY"}',
    '{"permissions_policy": ""}',
    '{"hsts": {"max_age": 0}}',
    (
        '{"enabled": True, "hsts": {"max_age": 31536000, "include_subdomains": True, "pre'
        'load": False}, "csp": None, "frame_options": "SAMEORIGIN", "content_type_options'
        '": "nosniff", "xss_protection": "1; mode=block", "referrer_policy": "strict-orig'
        'in-when-cross-origin", "permissions_policy": "geolocation=()", "custom": None}'
    ),
    '"drop"',
    '"block"',
    '"raise"',
    '"redis://localhost:6379"',
    '"rediss://h"',
    '"http://127.0.0.1:9"',
    '"http://h/api/v1/"',
    '"text"',
    '"WARNING"',
    '"critical"',
    '"k" * 20',
    '"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="',
)
"""Values of every kind: strings of an environment, numbers, collections, tables, functions."""

_AGENT = {"enable_agent": True, "agent_api_key": "k" * 20}


class Atlas:
    """A source of countries, which rules about countries need."""

    is_initialized = True

    def initialize(self) -> None: ...

    def initialize_redis(self, redis_handler: Any) -> None: ...

    def initialize_agent(self, agent_handler: Any) -> None: ...

    def get_country(self, ip: str) -> str | None:
        return None

    def refresh(self) -> None: ...

    def close(self) -> None: ...


def value_of(expression: str) -> Any:
    """Return the value of an expression of `EXPRESSIONS`."""
    names = {
        "Decimal": Decimal,
        "Path": Path,
        "deque": deque,
        "ip_address": ip_address,
        "ip_network": ip_network,
        "math": math,
    }
    return eval(expression, names)


def taken(config_class: Callable[..., Any], names: Iterable[str]) -> dict[str, list[str]]:
    """Return, by option, the expressions whose value the configuration accepts, with the other
    options that they need."""
    found: dict[str, list[str]] = {}
    for name in names:
        others: dict[str, Any] = {"enable_redis": False}
        if name.startswith(("agent_", "enable_agent", "dynamic_rule")) or name in (
            "enable_dynamic_rules",
            "enable_enrichment",
        ):
            others.update(_AGENT)
        if "countries" in name:
            others["geo_ip_handler"] = Atlas()
        found[name] = []
        for expression in EXPRESSIONS:
            try:
                config_class(**{**others, name: value_of(expression)})
            except Exception:  # whatever it raises, it does not take the value
                continue
            found[name].append(expression)
    return found
