"""guard_wsgi for Flask: ``FlaskAPIGuard(app, config=SecurityConfig(...))``.

Besides the extension, the names of guard_wsgi that its users import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import guard_wsgi
from guard_wsgi import AgentConfig as AgentConfig
from guard_wsgi import BehaviorRule as BehaviorRule
from guard_wsgi import BehaviorRuleConfig as BehaviorRuleConfig
from guard_wsgi import Block as Block
from guard_wsgi import ConfigError as ConfigError
from guard_wsgi import DynamicRules as DynamicRules
from guard_wsgi import GeoIPHandler as GeoIPHandler
from guard_wsgi import GuardError as GuardError
from guard_wsgi import GuardMiddleware as GuardMiddleware
from guard_wsgi import GuardRequest as GuardRequest
from guard_wsgi import GuardResponse as GuardResponse
from guard_wsgi import IPInfoManager as IPInfoManager
from guard_wsgi import MaxMindGeoIP as MaxMindGeoIP
from guard_wsgi import RouteConfig as RouteConfig
from guard_wsgi import SecurityConfig as SecurityConfig
from guard_wsgi import SecurityDecorator as SecurityDecorator
from guard_wsgi import SecurityEvent as SecurityEvent
from guard_wsgi import SecurityMetric as SecurityMetric
from guard_wsgi import ThreatBanConfig as ThreatBanConfig
from guard_wsgi import decode_basic as decode_basic
from guard_wsgi import same_secret as same_secret
from guard_wsgi.lazy import imported_later
from guard_wsgi_flask.compat import BehaviorTracker as BehaviorTracker
from guard_wsgi_flask.compat import CloudManager as CloudManager
from guard_wsgi_flask.compat import FlaskGuardRequest as FlaskGuardRequest
from guard_wsgi_flask.compat import FlaskGuardResponse as FlaskGuardResponse
from guard_wsgi_flask.compat import IPBanManager as IPBanManager
from guard_wsgi_flask.compat import RateLimitManager as RateLimitManager
from guard_wsgi_flask.compat import RedisHandlerProtocol as RedisHandlerProtocol
from guard_wsgi_flask.compat import RedisManager as RedisManager
from guard_wsgi_flask.compat import SecurityHeadersManager as SecurityHeadersManager
from guard_wsgi_flask.compat import SusPatternsManager as SusPatternsManager
from guard_wsgi_flask.compat import cloud_handler as cloud_handler
from guard_wsgi_flask.compat import ip_ban_manager as ip_ban_manager
from guard_wsgi_flask.compat import rate_limit_handler as rate_limit_handler
from guard_wsgi_flask.compat import redis_handler as redis_handler
from guard_wsgi_flask.compat import security_headers_manager as security_headers_manager
from guard_wsgi_flask.compat import sus_patterns_handler as sus_patterns_handler
from guard_wsgi_flask.extension import FlaskAPIGuard as FlaskAPIGuard

if TYPE_CHECKING:
    from guard_wsgi import guard_agent as guard_agent

_later = imported_later(__name__, {"guard_wsgi": "guard_agent"})


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return guard_wsgi.__version__
    return _later(name)
