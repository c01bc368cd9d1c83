"""The one call of a view that Flask is about to make is asked about before; every other call, also
of the same view and before Flask's, is asked about by itself."""

from __future__ import annotations

from typing import Any

from flask import Flask, request
from werkzeug.exceptions import HTTPException

from guard_wsgi import SecurityConfig, SecurityDecorator
from guard_wsgi_flask import FlaskAPIGuard
from tests.kit.gateway import Answer, environ_for, serve

INSIDE, OUTSIDE = "192.0.2.7", "203.0.113.9"


class Office:
    """A site with a view for its own network, a page for all, and a hook that runs before each."""

    def __init__(self) -> None:
        self.runs = 0
        self.hook: Any = lambda: None
        config = SecurityConfig()
        protect = SecurityDecorator(config)
        self.app = app = Flask(__name__)

        def ledger(**given: Any) -> str:
            self.runs += 1
            return "ledger"

        self.ledger = protect.require_ip(whitelist=["192.0.2.0/24"])(ledger)
        self.price = protect.rate_limit(4, window=60)(lambda: "price")
        app.add_url_rule("/ledger", "ledger", self.ledger)
        app.add_url_rule("/ledger/<int:year>/<name>", "year", self.ledger)
        app.add_url_rule("/price", "price", self.price)
        app.add_url_rule("/", "page", lambda: "page")
        FlaskAPIGuard(app, config=config)
        app.before_request(lambda: self.hook())

    def visit(self, path: str, client: str = INSIDE) -> Answer:
        return serve(self.app, environ_for(path, environ_base={"REMOTE_ADDR": client}))

    def environ_of(self, client: str) -> dict[str, Any]:
        """The environ of a guarded request for the page, after its answer."""
        environ = environ_for("/", environ_base={"REMOTE_ADDR": client})
        assert serve(self.app, environ).code == 200
        return environ


def tried(view: Any, **given: Any) -> str:
    try:
        return str(view(**given))
    except HTTPException as refused:
        return str(refused.get_response().status_code)


def test_flask_runs_a_view_whose_rules_were_checked() -> None:
    office = Office()
    assert office.visit("/ledger").body == b"ledger"
    assert office.visit("/ledger/2024/sales").body == b"ledger"
    assert office.visit("/ledger", OUTSIDE).code == 403
    assert office.visit("/ledger/2024/sales", OUTSIDE).code == 403
    assert office.runs == 2


def test_a_hook_that_calls_the_view_first_counts_as_well() -> None:
    office = Office()
    office.hook = lambda: tried(office.price) and None
    assert office.visit("/price").code == 200
    assert office.visit("/price").code == 200
    assert office.visit("/price").code == 429


def test_a_call_in_the_context_of_another_request_is_asked_about() -> None:
    office = Office()
    other = office.environ_of(OUTSIDE)
    found = []

    def hook() -> None:
        with office.app.request_context(other):
            found.append(tried(office.ledger))

    office.hook = hook
    assert office.visit("/ledger").code == 200
    assert found == ["403"]
    assert office.runs == 1


def test_a_call_with_another_request_is_asked_about() -> None:
    office = Office()
    with office.app.request_context(office.environ_of(OUTSIDE)):
        other = request._get_current_object()
    found = []
    office.hook = lambda: found.append(tried(office.ledger, asked=other))
    assert office.visit("/ledger").code == 200
    assert found == ["403"]
    assert office.runs == 1


def test_another_guarded_function_is_asked_about_before_the_view() -> None:
    office = Office()
    found = []
    office.hook = lambda: found.append(tried(office.ledger))
    assert office.visit("/price", OUTSIDE).code == 200
    assert found == ["403"]
    assert office.runs == 0
