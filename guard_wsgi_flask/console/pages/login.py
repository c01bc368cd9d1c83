"""Logging in and out."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from guard_wsgi_flask.console.pages.acting import client_address
from guard_wsgi_flask.console.people import LOCAL_NAME, Role, TooManyLogins
from guard_wsgi_flask.console.services import services

login = Blueprint("login", __name__)


@login.get("/login")
def page() -> ResponseReturnValue:
    """Show the form; with the token of a printed link, open a session."""
    token = request.args.get("token", "")
    # A prefetch must not use up the link.
    is_visit = request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", "")
    if token and is_visit:
        if services().people.take_link(token):
            return _enter(LOCAL_NAME, "admin", "with the printed link")
        if g.person is not None:
            return redirect(url_for("now.page"), 303)
        return _form("This link has been used, or is older than an hour.", 403)
    if g.person is not None:
        return redirect(url_for("now.page"), 303)
    return _form("", 200)


@login.post("/login")
def enter() -> ResponseReturnValue:
    name, password = request.form.get("name", "")[:64], request.form.get("password", "")[:1024]
    try:
        role = services().people.check(name, password)
    except TooManyLogins as error:
        return _form(str(error), 503)
    if role is None:
        services().audit.record(name, client_address(), "login refused", "")
        return _form("Name or password is wrong.", 403)
    return _enter(name, role, "with a password")


@login.post("/logout")
def leave() -> ResponseReturnValue:
    services().people.end(request.cookies.get(services().people.cookie, ""))
    answer = redirect(url_for("login.page"), 303)
    answer.delete_cookie(services().people.cookie)
    return answer


def _enter(name: str, role: Role, how: str) -> ResponseReturnValue:
    # End the former session, which somebody else may have planted.
    services().people.end(request.cookies.get(services().people.cookie, ""))
    cookie_value = services().people.begin(name, role)
    services().audit.record(name, client_address(), "login", "", how)
    answer = redirect(_next(request.args.get("next", "")), 303)
    answer.set_cookie(
        services().people.cookie,
        cookie_value,
        httponly=True,
        samesite="Lax",
        secure=_is_secure(),
        path="/",
    )
    return answer


def _is_secure() -> bool:
    """Whether the browser uses TLS, to this server or to the proxy in front. A client that forges
    the header only keeps its own cookie from plain HTTP."""
    proxied = bool(services().settings.trusted_proxies)
    return request.is_secure or (
        proxied and request.headers.get("X-Forwarded-Proto", "").lower() == "https"
    )


def _next(target: str) -> str:
    """Return a path of this console; its first page for anything else."""
    is_path = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if is_path and target.isprintable() else url_for("now.page")


def _form(fault: str, status: int) -> ResponseReturnValue:
    return (
        render_template(
            "login.html",
            title="Log in",
            fault=fault,
            has_passwords=services().people.has_passwords,
            next=request.args.get("next", ""),
        ),
        status,
    )
