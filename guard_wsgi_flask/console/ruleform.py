"""Converts rules to the fields of a form, and back. The rule book checks the values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from guard_wsgi.agent.rule_values import MAX_ENTRIES
from guard_wsgi_flask.console.exclusions import as_toml
from guard_wsgi_flask.console.rulebook import RulesRefused

LISTS = (
    "ip_whitelist",
    "blocked_countries",
    "whitelist_countries",
    "blocked_cloud_providers",
    "blocked_user_agents",
    "suspicious_patterns",
    "emergency_whitelist",
)
"""One entry per line."""
NUMBERS = (
    "ip_ban_duration",
    "global_rate_limit",
    "global_rate_window",
    "auto_ban_threshold",
    "auto_ban_duration",
)
CHOICES = (
    "enable_penetration_detection",
    "enable_ip_banning",
    "enable_rate_limiting",
    "enable_rate_limit_auto_ban",
)
"""Yes, no, or the app's own setting."""
SWITCHES = ("emergency_mode", "emergency_whitelist_only")


def form_of_body(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of the fields."""
    form = {name: "\n".join(body.get(name, ())) for name in LISTS}
    form.update({name: str(body.get(name, "")) for name in NUMBERS})
    form.update({name: _choice(body.get(name)) for name in CHOICES})
    form.update({name: "on" if body.get(name) else "" for name in SWITCHES})
    until = body.get("ip_ban_until", {})
    form["ip_blacklist"] = "\n".join(
        f"{target} until {until[target]}" if target in until else target
        for target in body.get("ip_blacklist", ())
    )
    form["endpoint_rate_limits"] = "\n".join(
        f"{path} {requests} {window}"
        for path, (requests, window) in body.get("endpoint_rate_limits", {}).items()
    )
    form["detection_exclusions"] = as_toml(body.get("detection_exclusions", ()))
    form["expires_at"] = str(body.get("expires_at") or "")
    form["message"] = str(body.get("message") or "")
    return form


def body_of_form(form: Mapping[str, str]) -> dict[str, Any]:
    """Read the fields; empty ones are left out.

    :raises RulesRefused: if a field can't be parsed at all.
    """
    faults: list[str] = []
    body: dict[str, Any] = {name: _lines(form.get(name, "")) for name in LISTS}
    for name in NUMBERS:
        text = form.get(name, "").strip()
        if text:
            body[name] = _whole(name, text, faults)
    for name in CHOICES:
        body[name] = _one_of(name, form, {"": None, "yes": True, "no": False}, faults)
    for name in SWITCHES:
        body[name] = _one_of(name, form, {"": False, "on": True}, faults)
    _read_bans(form.get("ip_blacklist", ""), body)
    limits: dict[str, list[Any]] = {}
    for line in _lines(form.get("endpoint_rate_limits", "")):
        words = line.split()
        if len(words) != 3:
            faults.append(f"endpoint_rate_limits: {line!r:.80} is not 'path requests seconds'")
            continue
        path, *pair = words
        if path in limits:
            faults.append(f"endpoint_rate_limits: {path} has two limits")
        limits[path] = [_whole("endpoint_rate_limits", word, faults) for word in pair]
    body["endpoint_rate_limits"] = limits
    try:
        table = tomllib.loads(form.get("detection_exclusions", ""))
        body["detection_exclusions"] = table.pop("detection_exclusions", [])
        if table:
            faults.append("detection_exclusions: only [[detection_exclusions]] tables belong here")
    except (ValueError, RecursionError) as error:
        faults.append(f"detection_exclusions: is not TOML: {error}")
    for name in ("expires_at", "message"):
        text = form.get(name, "").strip()
        body[name] = text or None
    if faults:
        raise RulesRefused(faults)
    # A choice of "off" is a value; a switch that is off is not set, like an empty list.
    return {
        name: value
        for name, value in body.items()
        if not (value is None or value in ([], {}) or (value is False and name in SWITCHES))
    }


def _read_bans(text: str, body: dict[str, Any]) -> None:
    targets: list[str] = []
    until: dict[str, str] = {}
    for line in _lines(text):
        target, marked, end = line.partition(" until ")
        targets.append(target.strip())
        if marked:
            until[target.strip()] = end.strip()
    body["ip_blacklist"], body["ip_ban_until"] = targets, until


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()][: MAX_ENTRIES + 1]


def _whole(name: str, text: str, faults: list[str]) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return int(text)
    faults.append(f"{name}: {text!r:.40} is not a whole number")
    return 1


def _one_of(
    name: str, form: Mapping[str, str], values: Mapping[str, Any], faults: list[str]
) -> Any:
    text = form.get(name, "")
    if text not in values:
        known = ", ".join(value for value in values if value)
        faults.append(f"{name}: {text!r:.40} is none of {known}, or nothing")
    return values.get(text)


def _choice(value: Any) -> str:
    return "" if value is None else "yes" if value else "no"
