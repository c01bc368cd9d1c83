"""The guard around a Django project, here in one file. In yours, the last lines go to wsgi.py."""

from __future__ import annotations

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

from guard_wsgi import GuardMiddleware, SecurityConfig, SecurityDecorator
from guard_wsgi.resolvers import DjangoResolver

config = SecurityConfig()
protect = SecurityDecorator(config)


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"hello, {request.META['guard_wsgi'].client_ip}")


@protect.require_headers({"X-Requested-With": "required"})
@protect.rate_limit(5, window=60)
def login(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


urlpatterns = [path("", home), path("login", login)]

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="an example", MIDDLEWARE=[]
    )
app = GuardMiddleware(get_wsgi_application(), config, resolver=DjangoResolver())
