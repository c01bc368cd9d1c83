"""The guard around a Bottle app: ``guard-wsgi serve`` or any server may serve ``app``."""

from __future__ import annotations

from bottle import Bottle, request

from guard_wsgi import GuardMiddleware, SecurityConfig, SecurityDecorator
from guard_wsgi.resolvers import BottleResolver

config = SecurityConfig()
protect = SecurityDecorator(config)
site = Bottle()


@site.get("/hello/<name>")
def hello(name: str) -> str:
    return f"hello, {name}"


@site.post("/login")
@protect.rate_limit(5, window=60)
def login() -> str:
    return f"hello, {request.forms.get('user', 'nobody')}"


app = GuardMiddleware(site, config, resolver=BottleResolver(site))
