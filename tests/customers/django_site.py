"""A site as people build them with Django: its admin, a model with rich text and a file, sessions.

Run as a program, since Django has one configuration in a process:
``python -m tests.customers.django_site FOLDER bare|guarded`` drives an editor's day, and writes
down each answer as JSON, and what the guard refused.
"""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from attrs import asdict

from tests.customers.driving import Customer
from tests.customers.texts import ARTICLE, REVIEWS, SEARCHES

_CHANCE = re.compile(r"\b[A-Z][a-z]{2,4}\.? \d+, \d{4},? [^<]*|\d\d:\d\d:\d\d|<bdi>[^<]*")

PASSWORD = "kX9#mQ2!vL"


def configure(folder: Path) -> Any:
    """Django's WSGI app, with everything that ``startproject`` switches on."""
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="a test's",
        ALLOWED_HOSTS=["shop.example"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "site.db"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
        ],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        ROOT_URLCONF="customers_urls",
        STATIC_URL="static/",
        MEDIA_ROOT=folder / "media",
        USE_TZ=True,
    )
    django.setup()
    article = make_model()
    make_urls(article)
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(article)
    User.objects.create_superuser("ann", "ann@shop.example", PASSWORD)
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def make_model() -> Any:
    from django.contrib import admin
    from django.db import models

    class Article(models.Model):
        title = models.CharField(max_length=200)
        body = models.TextField()
        file = models.FileField(blank=True)
        published = models.BooleanField(default=False)

        class Meta:
            app_label = "auth"  # an installed one, for want of a package of its own

        def __str__(self) -> str:
            return str(self.title)

    class Articles(admin.ModelAdmin):  # type: ignore[type-arg]
        list_display = ("title", "published")
        list_filter = ("published",)
        search_fields = ("title", "body")

    admin.site.register(Article, Articles)
    return Article


def make_urls(article: Any) -> None:
    from django.contrib import admin
    from django.http import HttpResponse
    from django.urls import path

    def home(request: Any) -> Any:
        return HttpResponse("<br>".join(article.objects.values_list("title", flat=True)))

    def read(request: Any, number: int) -> Any:
        found = article.objects.get(pk=number)
        return HttpResponse(f"<h1>{found.title}</h1>{found.body}")

    def download(request: Any, number: int) -> Any:
        return HttpResponse(article.objects.get(pk=number).file.read())

    urls = ModuleType("customers_urls")
    urls.urlpatterns = [  # type: ignore[attr-defined]
        path("admin/", admin.site.urls),
        path("", home),
        path("article/<int:number>", read),
        path("file/<int:number>", download),
    ]
    sys.modules["customers_urls"] = urls


ADMIN = "/admin/auth/article/"


def edit_for_a_day(customer: Customer) -> None:
    customer.get("/admin/")
    customer.post("/admin/login/?next=/admin/", {"username": "ann", "password": "wrong"})
    customer.post("/admin/login/?next=/admin/", {"username": "ann", "password": PASSWORD})
    for number, (title, text) in enumerate(REVIEWS, start=1):
        customer.get(f"{ADMIN}add/")
        form = {"title": title, "body": ARTICLE + f"<p>{text}</p>", "published": "on"}
        customer.post(f"{ADMIN}add/", {**form, "_save": "Save"})
        customer.get(f"/article/{number}")
        customer.get(f"{ADMIN}{number}/change/")
        customer.post(f"{ADMIN}{number}/change/", {**form, "title": title + "!", "_continue": "1"})
        customer.get(f"{ADMIN}{number}/history/")
    for wanted in SEARCHES:
        customer.get(ADMIN, query_string={"q": wanted, "published__exact": "1", "o": "-1.2"})
    upload(customer)
    for number in (1, 2):
        customer.get(f"{ADMIN}{number}/delete/")
        customer.post(f"{ADMIN}{number}/delete/", {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": ["3", "4"], "index": "0"}
    customer.get(ADMIN)
    customer.post(ADMIN, {**chosen, "select_across": "0"})
    customer.post(ADMIN, {**chosen, "post": "yes"})
    look_after_users(customer)
    customer.get("/admin/jsi18n/")
    customer.get("/")
    customer.get("/no/such/page")
    customer.get("/admin/auth/article")  # without its slash
    customer.post("/admin/logout/")
    customer.get(ADMIN)


def upload(customer: Customer) -> None:
    first = len(REVIEWS) + 1
    files = {
        "photo.jpg": bytes(range(256)) * 1200,
        "scan.pdf": b"%PDF-1.7\n" + bytes(range(255, -1, -1)) * 200,
        "solution.py": Path(__file__).read_bytes(),
        "page.html": ARTICLE.encode(),
        "data.csv": b"name,price\n" + b"O'Reilly,12.50\n" * 500,
    }
    for number, (name, content) in enumerate(files.items(), start=first):
        customer.get(f"{ADMIN}add/")
        form = {"title": name, "body": "a file", "file": (io.BytesIO(content), name)}
        customer.post(f"{ADMIN}add/", {**form, "_save": "Save"})
        customer.get(f"/file/{number}")


def look_after_users(customer: Customer) -> None:
    customer.get("/admin/auth/user/add/")
    passwords = {"password1": "C3:#zR(8)w=+u", "password2": "C3:#zR(8)w=+u"}
    customer.post("/admin/auth/user/add/", {"username": "ben", **passwords, "_continue": "1"})
    for field in ("username", "email", "first_name"):
        customer.get(
            "/admin/auth/user/", query_string={"q": field, "o": "1", "is_staff__exact": "1"}
        )
    customer.get("/admin/password_change/")
    changed = {
        "old_password": PASSWORD,
        "new_password1": "Tr0ub4dor&3",
        "new_password2": "Tr0ub4dor&3",
    }
    customer.post("/admin/password_change/", changed)


def main() -> None:
    folder, mode = Path(sys.argv[1]), sys.argv[2]
    app = configure(folder)
    refused: list[str] = []
    if mode == "guarded":
        from guard_wsgi import GuardMiddleware
        from guard_wsgi.resolvers import DjangoResolver

        app = GuardMiddleware(app, resolver=DjangoResolver())
        handler = logging.Handler()
        handler.emit = lambda record: refused.append(record.getMessage())  # type: ignore[method-assign]
        logging.getLogger("guard_wsgi").addHandler(handler)
    customer = Customer(app)
    edit_for_a_day(customer)
    # Parts of pages that depend on the clock and chance: the time of an action, the salt of a
    # password.
    for step in customer.steps:
        step.body = _CHANCE.sub("", step.body)
    steps = [asdict(step) for step in customer.steps]
    told = {"steps": steps, "refused": [text for text in refused if text.startswith("Blocked")]}
    (folder / "told.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main()
