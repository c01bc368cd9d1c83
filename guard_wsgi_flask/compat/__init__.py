"""Names that flaskapi-guard exports and that this package does not need itself.

Each is a thin facade of the current app's guard (registry.py finds it); none keeps state. In
flaskapi-guard they are singletons, shared by all apps of a process; here each app has its own
guard.
"""

from __future__ import annotations

from guard_wsgi_flask.compat.answers import FlaskGuardResponse as FlaskGuardResponse
from guard_wsgi_flask.compat.answers import GuardResponseFactory as GuardResponseFactory
from guard_wsgi_flask.compat.answers import SecurityHeadersManager as SecurityHeadersManager
from guard_wsgi_flask.compat.bans_and_limits import IPBanManager as IPBanManager
from guard_wsgi_flask.compat.bans_and_limits import RateLimitManager as RateLimitManager
from guard_wsgi_flask.compat.behavior import BehaviorTracker as BehaviorTracker
from guard_wsgi_flask.compat.clouds import HOSTING as HOSTING
from guard_wsgi_flask.compat.clouds import CloudManager as CloudManager
from guard_wsgi_flask.compat.patterns import SusPatternsManager as SusPatternsManager
from guard_wsgi_flask.compat.requests import FlaskGuardRequest as FlaskGuardRequest
from guard_wsgi_flask.compat.state import OriginalState as OriginalState
from guard_wsgi_flask.compat.values import RedisHandlerProtocol as RedisHandlerProtocol
from guard_wsgi_flask.compat.values import RedisManager as RedisManager

ip_ban_manager = IPBanManager()
cloud_handler = CloudManager()
security_headers_manager = SecurityHeadersManager()
sus_patterns_handler = SusPatternsManager()
# These are classes in flaskapi-guard, and so here.
rate_limit_handler = RateLimitManager
redis_handler = RedisManager
