"""The console as a Flask app: behind the guard, and closed to everybody who has not logged in."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from flask import (
    Flask,
    Response,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.exceptions import BadRequest, Forbidden, HTTPException, ServiceUnavailable

from guard_wsgi.agent.transport import package_version
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.detection.finding import CATEGORIES
from guard_wsgi.errors import GuardError
from guard_wsgi_flask.console import template_filters
from guard_wsgi_flask.console.audit import Audit
from guard_wsgi_flask.console.database import Database
from guard_wsgi_flask.console.envelope import MAX_BODY_BYTES
from guard_wsgi_flask.console.geography import Geography
from guard_wsgi_flask.console.intake import Intake
from guard_wsgi_flask.console.keys import Keys
from guard_wsgi_flask.console.pages import admin, clients, events, login, now, playground, rules
from guard_wsgi_flask.console.people import PasswordFile, People, Person, same
from guard_wsgi_flask.console.playground import offline
from guard_wsgi_flask.console.retention import Keeper
from guard_wsgi_flask.console.rulebook import RuleBook
from guard_wsgi_flask.console.running_work import Work
from guard_wsgi_flask.console.services import EXTENSION, Places, Repeats, Services, services
from guard_wsgi_flask.console.settings import LOOPBACK, ConsoleSettings
from guard_wsgi_flask.console.sharedbans import SharedBans
from guard_wsgi_flask.console.wire import MAX_WAITING, wire
from guard_wsgi_flask.extension import FlaskAPIGuard

log = logging.getLogger("guard_wsgi.console")

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "report-uri /csp-report",
    )
)
"""Nothing inline, nothing from elsewhere: every page shows text of attackers."""

LOGIN_TRIES = (10, 60)
"""Requests per minute and client to the login page; an attempt takes two."""
WIRE_REQUESTS = (60_000, 60)
"""Requests per minute of one machine with an API key: a thousand batches a second."""
PAGE_REQUESTS = (6_000, 60)
"""Pages and their parts; a browser with ten live tabs sends 600."""
RETRY_SECONDS = 5
"""Seconds to wait after a fault of the database."""
STATIC_SECONDS = 86_400
"""The addresses of static files contain this package's version, so caches never mix versions."""


EVERYWHERE = frozenset({"0.0.0.0", "::", ""})
_PUBLIC = frozenset({"static", "login.page", "login.enter", "admin.csp_report", "now.health"})
"""Endpoints without a login, besides those of agents, which have keys."""
_ATTACKS_SHOWN = ("/events*", "/playground*", "/rules*", "/client*", "/paths*", "/report*")
"""Pages whose addresses and forms contain text of attackers, because people search for it."""


def create_app(
    settings: ConsoleSettings | None = None,
    *,
    base: SecurityConfig | None = None,
    database: Database | None = None,
) -> Flask:
    """The console for a WSGI server.

    :param base: the guarded app's configuration; by default that in ``settings.config``.
    :param database: an open database to use instead of ``settings.database``.
    :raises GuardError: if the database, password file or configuration is not usable.
    """
    settings = settings if settings is not None else ConsoleSettings()
    if base is None:
        base = (
            SecurityConfig.from_toml(settings.config)
            if settings.config is not None
            else SecurityConfig()
        )
    if not settings.is_local and settings.password_file is None:
        raise GuardError(
            f"serving on {settings.host} needs --password-file: the link that is printed here is"
            " for this machine alone"
        )
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES + 1024
    app.extensions[EXTENSION] = _services(
        settings, base, database if database is not None else Database(settings.database)
    )
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = STATIC_SECONDS
    app.url_defaults(_with_version)
    template_filters.install(app)
    for blueprint in (
        wire,
        login.login,
        now.now,
        events.events,
        clients.clients,
        rules.rules,
        playground.playground,
        admin.admin,
    ):
        app.register_blueprint(blueprint)
    app.before_request(_admit)
    app.after_request(_finish)
    app.register_error_handler(HTTPException, _failed)
    app.register_error_handler(GuardError, _failed)
    for fault in (DBAPIError, NoConnection):
        app.register_error_handler(fault, _no_database)
    app.context_processor(_for_templates)
    FlaskAPIGuard(app, config=_own_guard(settings))
    return app


def _services(settings: ConsoleSettings, base: SecurityConfig, database: Database) -> Services:
    """Make the parts that the pages share."""
    passwords = PasswordFile(settings.password_file) if settings.password_file else None
    checked = offline(base)
    store = settings.store
    geography = Geography(settings.geo) if settings.geo else None
    return Services(
        settings=settings,
        base=base,
        database=database,
        intake=Intake(database, geography),
        keys=Keys(database),
        rules=RuleBook(database, lambda: checked),
        people=People(database, passwords, settings.session_hours),
        audit=Audit(database),
        keeper=Keeper(database, settings),
        bans=SharedBans(base.evolve(store_url=store, enable_redis=False)) if store else None,
        live=Places(settings.max_live_streams),
        waiting=Places(MAX_WAITING),
        refusals=Repeats(),
        geography=geography,
        work=Work(),
    )


def _with_version(endpoint: str, values: dict[str, object]) -> None:
    if endpoint == "static":
        values["v"] = package_version()


def _own_guard(settings: ConsoleSettings) -> SecurityConfig:
    """Make the guard of the console itself."""
    every = sorted(CATEGORIES)
    wire_paths = ("events", "events/encrypted", "metrics", "status", "rules")
    return SecurityConfig(
        trusted_proxies=settings.trusted_proxies,
        trust_x_forwarded_proto=bool(settings.trusted_proxies),
        exclude_paths=["/api/v1"],
        detection_exclusions=[
            *({"path": path, "categories": every} for path in _ATTACKS_SHOWN),
            # One of those addresses, to return to after the login.
            {"path": "/login", "params": ["next"]},
            # Requests from such a page have its address as the referrer.
            {"path": "/*", "headers": ["referer"]},
        ],
        # A colleague who searches for an attack is not an attacker.
        enable_ip_banning=False,
        rate_limit=PAGE_REQUESTS[0],
        rate_limit_window=PAGE_REQUESTS[1],
        endpoint_rate_limits={
            "/login": LOGIN_TRIES,
            **{f"/api/v1/{path}": WIRE_REQUESTS for path in wire_paths},
        },
        security_headers={"preset": "html", "csp": CONTENT_SECURITY_POLICY},
    )


def _is_known_host(settings: ConsoleSettings) -> bool:
    """Whether the request names this console, and not a name that an attacker has pointed at
    127.0.0.1 (DNS rebinding). If it serves on every address without ``--allow-host``, the proxy in
    front has to check the host."""
    try:
        name = urlsplit(f"//{request.host}").hostname
    except ValueError:
        return False
    if settings.host in EVERYWHERE and not settings.hosts:
        return True
    return name in LOOPBACK or name == settings.host or name in settings.hosts


# Each request ----------------------------------------------------------------------------------


def _admit() -> ResponseReturnValue | None:
    """Require a session for every page, and its token for every change."""
    g.person = None
    if request.blueprint == "wire" or request.endpoint in ("static", "now.health"):
        return None
    if not _is_known_host(services().settings):
        raise BadRequest(
            "this host name is not allowed: start the console with --allow-host and the name"
        )
    if request.endpoint == "admin.csp_report":
        return None
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        _check_origin()
    person = services().people.find(request.cookies.get(services().people.cookie, ""))
    g.person = person
    if request.endpoint in _PUBLIC:
        return None
    if person is None:
        if request.method == "GET" and "HX-Request" not in request.headers:
            return redirect(url_for("login.page", next=_here()), 303)
        # A live part of a page whose session has ended: the whole page must go to the login.
        return Response("log in again", 401, {"HX-Redirect": url_for("login.page")})
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        given = request.headers.get("X-CSRF-Token") or request.form.get("_csrf", "")
        if not same(given, person.csrf):
            raise Forbidden("the form is not from this session: load the page again")
    return None


def _check_origin() -> None:
    """Check where a form comes from. Browsers send that; other clients send nothing.

    :raises Forbidden: if it comes from another site.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("the request comes from another site")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise Forbidden("the request comes from another site")


def _here() -> str:
    return request.full_path.rstrip("?") if request.path != "/" else ""


def _finish(response: Response) -> Response:
    if request.endpoint != "static":
        # No cache may keep pages, so that the back button shows nothing after logging out.
        response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _failed(error: Exception) -> ResponseReturnValue:
    code = error.code or 500 if isinstance(error, HTTPException) else 400
    what = error.description if isinstance(error, HTTPException) else str(error)
    if isinstance(error, HTTPException) and error.response is not None:
        return error.response
    page = render_template("error.html", code=code, what=what, title="Error")
    return page, code


def _no_database(error: Exception) -> ResponseReturnValue:
    """Answer 503 if the database fails: the disk is full, the file is locked, the server is gone.
    Nothing was acknowledged, so an agent keeps what it has sent."""
    cause = getattr(error, "orig", None) or error
    log.warning("the database does not answer: %s", " ".join(str(cause).split())[:300])
    if request.blueprint == "wire":
        answer = jsonify(success=False, error="the database does not answer: try again")
        answer.status_code = 503
    else:
        what = (
            "The database does not answer, or is not writable: its disk may be full, another"
            " program may lock it, its server may be down. The console's own log lines say which."
        )
        answer = make_response(_failed(ServiceUnavailable(what)))
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def _for_templates() -> dict[str, object]:
    person: Person | None = g.get("person")
    return {
        "person": person,
        "is_admin": person is not None and person.is_admin,
        "has_store": services().bans is not None,
    }
