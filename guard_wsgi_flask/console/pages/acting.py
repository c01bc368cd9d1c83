"""What every page that changes something does: it allows only admins, and writes to the audit
log."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from attrs import frozen
from flask import g, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden

from guard_wsgi.request.verdict import ENVIRON_KEY, Verdict
from guard_wsgi_flask.console.services import services

NOTICES = {
    "banned": "The ban is written.",
    "banned-in-store": "Banned in the store: every worker that shares it knows within a second.",
    "unbanned": "The ban is lifted.",
    "excluded": "The exclusion is written.",
    "taken-away": "The exclusion is removed.",
    "written": "The rules are written.",
    "rolled-back": "The earlier rules are in force again.",
    "revoked": "The key is revoked.",
    "deleted": "The events are deleted.",
    "unchanged": "Nothing has changed.",
}
"""The message of a page after an action; only its name is in the address."""


@frozen(slots=True)
class Notice:
    """:ivar app: the app whose rules changed, if any; the page then says when its agents have taken
    them.

    :ivar version: the version of those rules.
    """

    text: str
    app: str = ""
    version: int = 0


def notice() -> Notice | None:
    """Return the last action, from the page's address."""
    text = NOTICES.get(request.args.get("notice", ""))
    if text is None:
        return None
    version = request.args.get("notice_version", "")
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        return Notice(text)
    return Notice(text, request.args.get("notice_app", "")[:64], int(version))


def for_admins(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """Refuses viewers."""

    @wraps(view)
    def guarded(*arguments: Any, **named: Any) -> ResponseReturnValue:
        if not g.person.is_admin:
            raise Forbidden("this is for admins; you are logged in as a viewer")
        return view(*arguments, **named)

    return guarded


def client_address() -> str:
    """Return the client of the request, as the guard in front has found it."""
    verdict = request.environ.get(ENVIRON_KEY)
    return str(verdict.client_ip) if isinstance(verdict, Verdict) else ""


def record(action: str, target: str, detail: str = "") -> None:
    """Write what the person of this request did to the audit log."""
    services().audit.record(g.person.name, client_address(), action, target, detail)


def back(default: str, notice: str, app: str = "", version: int = 0) -> ResponseReturnValue:
    """Redirect to the page of the form, which then says what was done.

    :param app: the app whose rules changed, to which ``version``.
    """
    target = request.form.get("back", "")
    if not target.startswith("/") or target.startswith(("//", "/\\")) or not target.isprintable():
        target = default
    path, _, query = target.partition("?")
    notices = {"notice": notice}
    if version:
        notices.update(notice_app=app, notice_version=str(version))
    kept = [part for part in query.split("&") if part and not part.startswith("notice")]
    return redirect(f"{path}?{'&'.join([*kept, urlencode(notices)])}", 303)
