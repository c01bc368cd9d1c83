"""The telemetry agent: it sends events to a collector and receives rules from it.

Most of it is imported on first use, which saves a megabyte in a worker without an agent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guard_wsgi.agent.config import AgentConfig as AgentConfig
from guard_wsgi.agent.rules import DynamicRules as DynamicRules
from guard_wsgi.agent.rules import RulesError as RulesError
from guard_wsgi.agent.store_protocol import RedisHandlerProtocol as RedisHandlerProtocol
from guard_wsgi.lazy import imported_later
from guard_wsgi.telemetry.events import SecurityEvent as SecurityEvent
from guard_wsgi.telemetry.events import SecurityMetric as SecurityMetric

if TYPE_CHECKING:
    from guard_wsgi.agent.compat import AgentHandlerProtocol as AgentHandlerProtocol
    from guard_wsgi.agent.compat import BufferProtocol as BufferProtocol
    from guard_wsgi.agent.compat import CircuitBreaker as CircuitBreaker
    from guard_wsgi.agent.compat import EventBatch as EventBatch
    from guard_wsgi.agent.compat import EventBuffer as EventBuffer
    from guard_wsgi.agent.compat import GuardAgentError as GuardAgentError
    from guard_wsgi.agent.compat import HTTPTransport as HTTPTransport
    from guard_wsgi.agent.compat import RateLimiter as RateLimiter
    from guard_wsgi.agent.compat import SyncGuardAgentHandler as SyncGuardAgentHandler
    from guard_wsgi.agent.compat import TransportProtocol as TransportProtocol
    from guard_wsgi.agent.compat import generate_batch_id as generate_batch_id
    from guard_wsgi.agent.compat import get_current_timestamp as get_current_timestamp
    from guard_wsgi.agent.compat import hash_ip as hash_ip
    from guard_wsgi.agent.compat import sanitize_headers as sanitize_headers
    from guard_wsgi.agent.compat import setup_agent_logging as setup_agent_logging
    from guard_wsgi.agent.compat import truncate_payload as truncate_payload
    from guard_wsgi.agent.compat import validate_config as validate_config
    from guard_wsgi.agent.handler import GuardAgentHandler as GuardAgentHandler
    from guard_wsgi.agent.handler import guard_agent as guard_agent
    from guard_wsgi.agent.poller import RulesPoller as RulesPoller
    from guard_wsgi.agent.sender import BufferFullError as BufferFullError
    from guard_wsgi.agent.status import AgentStatus as AgentStatus

_COMPAT = (
    "AgentHandlerProtocol BufferProtocol CircuitBreaker EventBatch EventBuffer GuardAgentError"
    " HTTPTransport RateLimiter SyncGuardAgentHandler TransportProtocol generate_batch_id"
    " get_current_timestamp hash_ip sanitize_headers setup_agent_logging truncate_payload"
    " validate_config"
)
_later = imported_later(
    __name__,
    {
        "guard_wsgi.agent.compat": _COMPAT,
        "guard_wsgi.agent.handler": "GuardAgentHandler guard_agent",
        "guard_wsgi.agent.poller": "RulesPoller",
        "guard_wsgi.agent.sender": "BufferFullError",
        "guard_wsgi.agent.status": "AgentStatus",
    },
)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from guard_wsgi.agent.transport import package_version

        return package_version()
    return _later(name)
