"""An app for a server of its own."""

from __future__ import annotations

from guard_wsgi import GuardMiddleware, SecurityConfig
from tests.kit.gateway import text_app

app = GuardMiddleware(text_app(), SecurityConfig())
