"""What every page that changes something does: only for admins, and written down."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import g, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden

from guard_wsgi.request.verdict import ENVIRON_KEY, Verdict
from guard_wsgi_flask.console.services import services

NOTICES = {
    "banned": "Banned. Agents hear of it within two seconds.",
    "unbanned": "The ban is lifted.",
    "excluded": "The exclusion is in force.",
    "written": "The rules are in force.",
    "rolled-back": "The earlier rules are in force again.",
    "revoked": "The key is revoked.",
    "deleted": "The events are deleted.",
    "unchanged": "Nothing has changed.",
}
"""What a page says after something was done; only the name travels in an address."""


def notice() -> str:
    return NOTICES.get(request.args.get("notice", ""), "")


def for_admins(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """Refuses viewers."""

    @wraps(view)
    def guarded(*arguments: Any, **named: Any) -> ResponseReturnValue:
        if not g.person.is_admin:
            raise Forbidden("this is for admins; you are logged in as a viewer")
        return view(*arguments, **named)

    return guarded


def client_address() -> str:
    """Where the request comes from, as the guard in front has found it."""
    verdict = request.environ.get(ENVIRON_KEY)
    return str(verdict.client_ip) if isinstance(verdict, Verdict) else ""


def record(action: str, target: str, detail: str = "") -> None:
    """Write down what the person of this request did."""
    services().audit.record(g.person.name, client_address(), action, target, detail)


def back(default: str, said: str) -> ResponseReturnValue:
    """To the page that the form was on, which then says what was done."""
    target = request.form.get("back", "")
    if not target.startswith("/") or target.startswith(("//", "/\\")) or not target.isprintable():
        target = default
    path, _, query = target.partition("?")
    kept = "&".join(part for part in query.split("&") if part and not part.startswith("notice="))
    return redirect(f"{path}?{kept}&notice={said}" if kept else f"{path}?notice={said}", 303)
