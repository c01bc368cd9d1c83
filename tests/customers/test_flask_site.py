"""A customer's day in a Flask shop under the default configuration: nothing is refused, and every
answer is that of the bare shop but for the guard's headers."""

from __future__ import annotations

import random
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from guard_wsgi_flask import FlaskAPIGuard
from tests.core.visiting import Site
from tests.customers.driving import Customer, differences
from tests.customers.flask_site import make
from tests.customers.texts import ARTICLE, EXPLOITS, PASSWORDS, REVIEWS, SEARCHES


def sign_in(customer: Customer, name: str, password: str) -> int:
    customer.get("/account/sign-in")
    return customer.post("/account/sign-in", {"name": name, "password": password}).status


def spend_the_day(customer: Customer) -> None:
    stock_the_shop(customer)
    for number, password in enumerate(PASSWORDS):
        name = f"customer{number}"
        customer.get("/account/new")
        customer.post("/account/new", {"name": name, "password": password})
        assert sign_in(customer, name, "wrong") == 401
        assert sign_in(customer, name, password) == 200, password
        assert customer.get("/account/me").status == 200
        customer.post("/account/sign-out")
    assert sign_in(customer, "customer0", PASSWORDS[0]) == 200
    browse(customer)
    write(customer)
    upload(customer)
    program(customer)
    customer.post("/account/sign-out")
    administer(customer)


def stock_the_shop(customer: Customer) -> None:
    for number in range(12):
        product = {"name": f"Product {number}'s", "description": ARTICLE, "cents": 100 * number}
        assert customer.send("POST", "/api/products", json=product).status == 201


def browse(customer: Customer) -> None:
    customer.get("/")
    for wanted in SEARCHES:
        assert customer.get("/search", query_string={"q": wanted}).status == 200, wanted
    for number in range(1, 13):
        customer.get(f"/product/{number}")
        customer.post(f"/basket/{number}")
    customer.get("/basket")
    for missing in ("/product/999", "/no/such/page", "/favicon.ico", "/robots.txt"):
        assert customer.get(missing).status == 404
    assert customer.send("HEAD", "/").status == 200
    assert customer.send("OPTIONS", "/").status == 200


def write(customer: Customer) -> None:
    for number, (title, text) in enumerate(REVIEWS, start=1):
        customer.get(f"/product/{number}")
        written = customer.post(f"/product/{number}", {"title": title, "text": text})
        assert written.status == 200, (title, text)
    customer.get("/product/1")
    assert customer.post("/product/1", {"title": "", "text": ""}).status == 200
    assert customer.post("/product/1", {"csrf_token": "forged"}).status == 400


def upload(customer: Customer) -> None:
    noise = random.Random(4)
    for name, size in (("photo.jpg", 300_000), ("scan.pdf", 40_000), ("solution.py", 0)):
        content = noise.randbytes(size) or Path(__file__).read_bytes()
        customer.get("/pictures/new")
        shown = customer.post(
            "/pictures/new", {"title": f"my {name}", "file": (BytesIO(content), name)}
        )
        assert shown.body == content.decode("utf-8", "replace"), name
    customer.get("/pictures/new")
    assert customer.post("/pictures/new", {"title": "none"}).status == 200


def program(customer: Customer) -> None:
    wants_json = {"Accept": "application/json", "User-Agent": "shop-client/1.2"}
    for number, (title, text) in enumerate(REVIEWS, start=1):
        changed = {"name": title, "description": text}
        customer.send("PATCH", f"/api/products/{number}", json=changed, headers=wants_json)
        step = customer.send("GET", f"/api/products/{number}", headers=wants_json)
        assert step.status == 200
        note = customer.send("PUT", f"/api/notes/{number}", data=text, content_type="text/markdown")
        assert note.status == 200
    assert customer.send("POST", "/api/products", data=b"{", content_type="application/json")
    assert customer.send("DELETE", "/api/products/12").status == 204


def administer(customer: Customer) -> None:
    customer.get("/admin/product/")  # sends to the sign-in
    customer.get("/account/new")
    customer.post("/account/new", {"name": "admin", "password": PASSWORDS[1]})
    assert sign_in(customer, "admin", PASSWORDS[1]) == 200
    for path in ("/admin/", "/admin/product/", "/admin/user/"):
        assert customer.get(path).status == 200
    for number, (title, text) in enumerate(REVIEWS):
        form = {"name": title, "description": ARTICLE + text, "cents": str(number)}
        customer.get("/admin/product/new/?url=/admin/product/")
        assert customer.post("/admin/product/new/?url=/admin/product/", form).status == 200
    for wanted in SEARCHES:
        found = customer.get("/admin/product/", query_string={"search": wanted, "sort": "0"})
        assert found.status == 200, wanted
    customer.get("/admin/product/edit/?id=3&url=%2Fadmin%2Fproduct%2F%3Fpage%3D0")
    customer.post(
        "/admin/product/edit/?id=3&url=%2Fadmin%2Fproduct%2F", {"name": "X", "cents": "1"}
    )
    customer.get("/admin/product/")
    assert customer.post("/admin/product/delete/", {"id": "4", "url": "/admin/product/"})


def drive(folder: Path, *, guarded: bool) -> Customer:
    folder.mkdir()
    app = make(folder)
    if guarded:
        FlaskAPIGuard(app)
    customer = Customer(app)
    spend_the_day(customer)
    return customer


def test_a_day_in_a_flask_shop(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    guarded = drive(tmp_path / "guarded", guarded=True)
    refused = [text for text in caplog.messages if text.startswith("Blocked")]
    bare = drive(tmp_path / "bare", guarded=False)
    assert refused == []
    assert differences(bare.steps, guarded.steps) == []
    assert 300 < len(guarded.steps) < 600


SITE = Site()


@pytest.mark.parametrize("password", EXPLOITS)
def test_what_is_an_exploit_and_nothing_else_is_no_password(password: str) -> None:
    form = {"name": "ann", "password": password, "csrf_token": "x"}
    assert SITE.visit("/form", method="POST", data=form).code == 400


def test_the_drive_sees_a_guard_that_interferes(tmp_path: Path) -> None:
    """The comparison can fail: a guard that limits more is seen in it."""
    steps: dict[bool, Any] = {}
    for strict in (False, True):
        folder = tmp_path / str(strict)
        folder.mkdir()
        app = make(folder)
        if strict:
            app.config["GUARD_RATE_LIMIT"] = 20
            FlaskAPIGuard(app)
        customer = Customer(app)
        for _ in range(30):
            customer.get("/")
        steps[strict] = customer.steps
    assert "GET /: 200 bare, 429 guarded" in differences(steps[False], steps[True])
