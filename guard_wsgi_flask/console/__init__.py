"""The console: a dashboard and a playground for one's own machine.

``guard-wsgi console`` serves it; ``create_app()`` is it for a server of one's own.
"""

from __future__ import annotations

from guard_wsgi_flask.console.app import create_app as create_app
from guard_wsgi_flask.console.settings import ConsoleSettings as ConsoleSettings
