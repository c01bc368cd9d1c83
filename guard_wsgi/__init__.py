"""Security middleware for any WSGI app."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from guard_wsgi.agent import AgentConfig as AgentConfig
from guard_wsgi.agent import DynamicRules as DynamicRules
from guard_wsgi.behavior.rule import BehaviorRule as BehaviorRule
from guard_wsgi.behavior.rule import BehaviorRuleConfig as BehaviorRuleConfig
from guard_wsgi.checks.authentication import decode_basic as decode_basic
from guard_wsgi.checks.authentication import same_secret as same_secret
from guard_wsgi.config.security import SecurityConfig as SecurityConfig
from guard_wsgi.config.tables import ThreatBanConfig as ThreatBanConfig
from guard_wsgi.detection import Finding as Finding
from guard_wsgi.errors import BanRefused as BanRefused
from guard_wsgi.errors import ConfigError as ConfigError
from guard_wsgi.errors import GuardError as GuardError
from guard_wsgi.errors import MissingExtra as MissingExtra
from guard_wsgi.errors import StoreError as StoreError
from guard_wsgi.lazy import imported_later
from guard_wsgi.middleware import GuardMiddleware as GuardMiddleware
from guard_wsgi.network.geo import GeoIPHandler as GeoIPHandler
from guard_wsgi.network.geo import IPInfoManager as IPInfoManager
from guard_wsgi.network.geo import MaxMindGeoIP as MaxMindGeoIP
from guard_wsgi.request.block import Block as Block
from guard_wsgi.request.response import GuardResponse as GuardResponse
from guard_wsgi.request.verdict import Verdict as Verdict
from guard_wsgi.request.view import GuardRequest as GuardRequest
from guard_wsgi.routes.config import RouteConfig as RouteConfig
from guard_wsgi.routes.decorators import SecurityDecorator as SecurityDecorator
from guard_wsgi.telemetry.events import SecurityEvent as SecurityEvent
from guard_wsgi.telemetry.events import SecurityMetric as SecurityMetric

if TYPE_CHECKING:
    from guard_wsgi.agent import GuardAgentHandler as GuardAgentHandler
    from guard_wsgi.agent import guard_agent as guard_agent

_later = imported_later(__name__, {"guard_wsgi.agent": "GuardAgentHandler guard_agent"})


def __getattr__(name: str) -> Any:
    if name == "__version__":
        # Looked up when asked for: reading the metadata takes longer than importing the package.
        return version("guard-wsgi")
    return _later(name)
