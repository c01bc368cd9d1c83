"""Django and Django REST framework: the rules hold for the view that Django runs."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import include, path, re_path

from guard_wsgi import GuardMiddleware
from guard_wsgi.errors import ConfigError
from guard_wsgi.resolvers import DjangoResolver
from tests.core.visiting import Site
from tests.kit.gateway import Answer, environ_for, serve
from tests.routes.frameworks import TOKEN, Project, verify


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(monkeypatch)


def visit(app: Any, target: str, path_info: str | None = None, **options: Any) -> Answer:
    environ = environ_for(target, **options)
    if path_info is not None:
        environ["PATH_INFO"] = path_info
    return serve(app, environ)


def hello(request: Any, *args: Any, **kwargs: Any) -> Any:
    return HttpResponse("hello")


def guarded(project: Project, urlpatterns: list[Any]) -> GuardMiddleware:
    return GuardMiddleware(project.app(urlpatterns), project.config, resolver=DjangoResolver())


def test_a_byte_that_is_no_text_leads_past_no_rule(project: Project) -> None:
    secret = project.decorate.require_auth(verifier=verify)(lambda request: HttpResponse("secret"))
    app = guarded(project, [re_path(r"^admin/%ff$", secret), re_path(r"^admin/.+$", secret)])
    for spelling in ("/admin/\xff", "/admin/%ff", "/admin/\xc3\x28", "/admin/a\xff\xfeb"):
        assert visit(app, "/", spelling).code == 401, spelling
    assert visit(app, "/", "/admin/\xff", headers=TOKEN).body == b"secret"


@pytest.mark.parametrize("left", ["en", "de"])
@pytest.mark.parametrize("prefixes_default", [True, False])
def test_the_language_of_a_path_is_that_of_the_path(
    monkeypatch: pytest.MonkeyPatch, left: str, prefixes_default: bool
) -> None:
    from django.conf.urls.i18n import i18n_patterns
    from django.utils import translation

    project = Project(monkeypatch, MIDDLEWARE=["django.middleware.locale.LocaleMiddleware"])

    @project.decorate.require_auth(verifier=verify)
    def secret(request: Any) -> Any:
        return HttpResponse("secret")

    patterns = i18n_patterns(path("admin/", secret), prefix_default_language=prefixes_default)
    app = guarded(project, [path("", hello), *patterns])
    assert visit(app, "/").code == 200
    for spelling in ("/de/admin/", "/en/admin/" if prefixes_default else "/admin/"):
        for language in (None, "de", "en", "fr"):
            translation.activate(left)
            headers = {"Accept-Language": language} if language else {}
            assert visit(app, spelling, headers=headers).code == 401
            assert visit(app, spelling, headers={**headers, **TOKEN}).body == b"secret"
    translation.deactivate()


def _rewriting(change: Any) -> Any:
    def middleware(get_response: Any) -> Any:
        def respond(request: Any) -> Any:
            change(request)
            return get_response(request)

        return respond

    return middleware


def by_urlconf(request: Any) -> None:
    if request.headers.get("X-Tenant") == "a":
        request.urlconf = "tenant_urls"


def by_path(request: Any) -> None:
    request.path_info = request.path_info.removeprefix("/v1")


@pytest.mark.parametrize("is_installed", [True, False], ids=["in MIDDLEWARE", "by the guard"])
def test_what_middleware_makes_of_a_request_leads_past_no_rule(
    monkeypatch: pytest.MonkeyPatch, is_installed: bool
) -> None:
    rewriting = ["rewriting.by_urlconf", "rewriting.by_path"]
    own = ["guard_wsgi.django.ViewRulesMiddleware"] if is_installed else []
    project = Project(monkeypatch, MIDDLEWARE=[*own, *rewriting])
    project.module("rewriting", by_urlconf=_rewriting(by_urlconf), by_path=_rewriting(by_path))
    decorate = project.decorate

    @decorate.require_auth(verifier=verify)
    def secret(request: Any) -> Any:
        return HttpResponse("secret" + request.POST.get("a", ""))

    @decorate.honeypot_detection(["fax"])
    def form(request: Any) -> Any:
        return HttpResponse("form " + request.POST.get("a", ""))

    project.module("tenant_urls", urlpatterns=[path("", secret), path("form/", form)])
    app = guarded(
        project,
        [path("", hello), path("form/", hello), path("secret/", secret), path("v1/secret/", hello)],
    )
    tenant = {"X-Tenant": "a"}
    assert visit(app, "/").code == 200
    assert visit(app, "/", headers=tenant).code == 401
    assert visit(app, "/", headers={**tenant, **TOKEN}).body == b"secret"
    assert visit(app, "/v1/secret/").code == 401
    filled = visit(app, "/form/", method="POST", data={"a": "b", "fax": "1"}, headers=tenant)
    assert filled.code == 403
    kept = visit(app, "/form/", method="POST", data={"a": "b"}, headers=tenant)
    assert kept.body == b"form b"


def test_a_rule_of_a_rewritten_path_tells_its_own_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(monkeypatch, MIDDLEWARE=["rewriting.by_path"])
    project.module("rewriting", by_path=_rewriting(by_path))
    limited = project.decorate.rate_limit(2, window=60)(lambda request: HttpResponse("limited"))
    app = guarded(project, [path("limited/", limited)])
    answer = visit(app, "/v1/limited/")
    assert answer.code == 200
    assert answer.header("RateLimit-Policy") == '"route";q=2;w=60'
    assert answer.count("RateLimit") == 1
    assert [visit(app, "/v1/limited/").code for _ in range(2)] == [200, 429]


def test_what_serves_static_files_around_django_hides_no_rule(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from django.contrib.staticfiles.handlers import StaticFilesHandler

    project = Project(monkeypatch, MIDDLEWARE=["rewriting.by_path"], STATIC_URL="/static/")
    project.module("rewriting", by_path=_rewriting(by_path))
    secret = project.decorate.require_auth(verifier=verify)(lambda request: HttpResponse("secret"))
    django = StaticFilesHandler(project.app([path("secret/", secret), path("v1/secret/", hello)]))
    app = GuardMiddleware(django, project.config, resolver=DjangoResolver())
    assert visit(app, "/v1/secret/").code == 401
    assert visit(app, "/v1/secret/", headers=TOKEN).body == b"secret"


def test_a_handler_that_is_not_found_is_reported(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    class Hiding:
        __slots__ = ("_apps",)

        def __init__(self, app: Any) -> None:
            self._apps = [app]

        def __call__(self, environ: Any, start_response: Any) -> Any:
            return self._apps[0](environ, start_response)

    secret = project.decorate.require_auth(verifier=verify)(lambda request: HttpResponse("secret"))

    @project.decorate.require_auth(verifier=verify)
    def forgotten(request: Any) -> Any: ...

    django = project.app([path("secret/", secret)])
    app = GuardMiddleware(Hiding(django), project.config, resolver=DjangoResolver())
    with caplog.at_level(logging.WARNING, logger="guard_wsgi.routes"):
        visit(app, "/secret/")
    records = [record for record in caplog.records if record.name == "guard_wsgi.routes"]
    told = [record.getMessage() for record in records]
    assert [record.levelname for record in records] == ["WARNING", "ERROR"]
    assert any("forgotten" in text and "no route" in text for text in told)
    assert any("ViewRulesMiddleware" in text and "MIDDLEWARE" in text for text in told)
    assert len(told) == 2


def test_a_client_that_goes_around_the_guard_meets_the_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from django.core.servers import basehttp
    from django.test import Client

    project = Project(monkeypatch, MIDDLEWARE=["guard_wsgi.django.ViewRulesMiddleware"])
    secret = project.decorate.require_auth(verifier=verify)(lambda request: HttpResponse("secret"))
    app = guarded(project, [path("secret/", secret), path("", hello)])
    with pytest.raises(ConfigError, match="no guard wraps the app"):
        Client().get("/secret/")
    assert Client().get("/").content == b"hello"

    from django.conf import settings

    project.module("guarded_wsgi", application=app)
    monkeypatch.setattr(settings, "WSGI_APPLICATION", "guarded_wsgi.application")
    assert basehttp.get_internal_wsgi_application() is app
    assert Client().get("/secret/").status_code == 401
    assert Client().get("/secret/", headers=TOKEN).content == b"secret"


def test_views_with_rules_are_not_served_by_asgi(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from asgiref.sync import async_to_sync
    from django.conf import settings
    from django.test import AsyncClient

    project = Project(monkeypatch)
    secret = project.decorate.require_auth(verifier=verify)(lambda request: HttpResponse("secret"))
    guarded(project, [path("secret/", secret), path("", hello)])
    ask = async_to_sync(AsyncClient().get)
    with caplog.at_level(logging.WARNING, "guard_wsgi.routes"):
        assert ask("/secret/").content == b"secret"
    assert "no guard has seen" in caplog.text
    monkeypatch.setattr(settings, "MIDDLEWARE", ["guard_wsgi.django.ViewRulesMiddleware"])
    ask = async_to_sync(AsyncClient().get)
    assert ask("/").content == b"hello"
    with pytest.raises(ConfigError, match="ASGI"):
        ask("/secret/")


ATTACK = {"q": "1' UNION SELECT password FROM users -- "}


@pytest.mark.parametrize("middleware", [[], ["guard_wsgi.django.ViewRulesMiddleware"]])
def test_requests_of_djangos_client_go_through_a_controlled_guard(
    monkeypatch: pytest.MonkeyPatch, middleware: list[str]
) -> None:
    from django.test import Client

    from guard_wsgi import testing

    project = Project(monkeypatch, MIDDLEWARE=middleware)
    secret = project.decorate.require_auth(verifier=verify)(lambda request: HttpResponse("secret"))
    app = guarded(project, [path("secret/", secret), path("post/", echo), path("lines/", lines)])
    client = Client()
    with testing.controlled(app) as guard:
        guard.assert_refused(client.get("/secret/"), status=401)
        guard.assert_passed(client.get("/secret/", headers=TOKEN))
        refused = client.get("/post/", ATTACK)
        assert guard.assert_refused(refused, check="suspicious_activity").status == 400
        assert refused.wsgi_request.path == "/post/"
        guard.assert_refused(client.post("/post/", ATTACK), status=400)
        guard.assert_refused(client.post("/post/", ATTACK, content_type="application/json"))

        answer = client.post("/post/", {"text": "hello " * 2000}, headers={"X-A": "1"})
        guard.assert_passed(answer)
        assert answer.content == b"12000 1"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert client.cookies["seen"].value == "yes"
        assert answer.resolver_match.route == "post/"
        streamed = client.get("/lines/")
        guard.assert_passed(streamed)
        assert b"".join(streamed.streaming_content) == b"onetwo"
        with testing.controlled(app) as inner:
            inner.assert_refused(client.get("/post/", ATTACK))
    assert client.get("/post/", ATTACK).content == b"0 None"


def echo(request: Any) -> Any:
    answer = HttpResponse(f"{len(request.POST.get('text', ''))} {request.headers.get('X-A')}")
    answer.set_cookie("seen", "yes")
    return answer


def lines(request: Any) -> Any:
    from django.http import StreamingHttpResponse

    return StreamingHttpResponse(iter([b"one", b"two"]))


def test_a_test_says_that_its_client_goes_around_the_guard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from django.test import Client

    from guard_wsgi import testing

    project = Project(monkeypatch)
    guarded(project, [path("", hello)])
    other = GuardMiddleware(lambda environ, start: [], project.config, resolver=DjangoResolver())

    def go_around() -> None:
        with testing.controlled(other) as guard:
            answer = Client().get("/")
            with pytest.raises(AssertionError, match="goes around the guard"):
                guard.assert_refused(answer)
            with pytest.raises(AssertionError, match="goes around the guard"):
                guard.assert_passed(answer)

    with pytest.warns(testing.BypassedGuard, match="^/: .*goes around the guard") as told:
        go_around()
    assert len(told) == 1


def test_views_of_rest_framework_keep_their_rules(project: Project) -> None:
    from rest_framework.decorators import action, api_view
    from rest_framework.response import Response
    from rest_framework.routers import DefaultRouter
    from rest_framework.viewsets import ViewSet

    decorate = project.decorate

    class Open(ViewSet):
        def list(self, request: Any) -> Any:
            return Response("open")

        @decorate.require_auth(verifier=verify)
        def create(self, request: Any) -> Any:
            return Response("made")

        @action(detail=False, methods=["get", "post"])
        @decorate.require_auth(verifier=verify)
        def inside(self, request: Any) -> Any:
            return Response("inside")

        @decorate.require_auth(verifier=verify)
        @action(detail=True)
        def outside(self, request: Any, pk: str | None = None) -> Any:
            return Response("outside")

        @outside.mapping.delete
        @decorate.require_auth(verifier=verify)
        def remove(self, request: Any, pk: str | None = None) -> Any:
            return Response("removed")

    @decorate.require_auth(verifier=verify)
    class Closed(ViewSet):
        def list(self, request: Any) -> Any:
            return Response("closed")

        @action(detail=False)
        def more(self, request: Any) -> Any:
            return Response("more")

    @api_view(["GET", "POST"])
    @decorate.require_auth(verifier=verify)
    def function(request: Any) -> Any:
        return Response("function")

    @decorate.require_auth(verifier=verify)
    @api_view(["GET"])
    def other(request: Any) -> Any:
        return Response("other")

    router = DefaultRouter(trailing_slash=True)
    router.register("open", Open, basename="open")
    router.register("closed", Closed, basename="closed")
    app = guarded(
        project,
        [path("api/", include(router.urls)), path("function/", function), path("other/", other)],
    )
    assert visit(app, "/api/open/").code == 200
    for method, target in [
        ("POST", "/api/open/"),
        ("GET", "/api/open/inside/"),
        ("HEAD", "/api/open/inside/"),
        ("POST", "/api/open/inside/"),
        ("GET", "/api/open/1/outside/"),
        ("DELETE", "/api/open/1/outside/"),
        ("GET", "/api/closed/"),
        ("GET", "/api/closed.json"),
        ("GET", "/api/closed/more/"),
        ("OPTIONS", "/api/closed/"),
        ("GET", "/function/"),
        ("POST", "/function/"),
        ("GET", "/other/"),
    ]:
        assert visit(app, target, method=method).code == 401, (method, target)
        if target != "/api/closed.json":
            assert visit(app, target, method=method, headers=TOKEN).code == 200, (method, target)


def test_django_reads_the_form_after_the_rules_of_a_view(project: Project) -> None:
    @project.decorate.honeypot_detection(["fax"])
    def form(request: Any) -> Any:
        return HttpResponse(request.POST.get("a", ""))

    site = Site(project.config, resolver=DjangoResolver(), app=project.app([path("f/", form)]))
    assert site.visit("/f/", method="POST", data={"a": "hello"}).body == b"hello"
    assert site.visit("/f/", method="POST", data={"fax": "hello"}).code == 403
