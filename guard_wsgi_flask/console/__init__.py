"""The console: a dashboard and a playground on your own machine.

``guard-wsgi console`` serves it. For your own server, ``create_app()`` makes the WSGI app.
"""

from __future__ import annotations

from guard_wsgi_flask.console.app import create_app as create_app
from guard_wsgi_flask.console.settings import ConsoleSettings as ConsoleSettings
