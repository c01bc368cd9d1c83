"""The telemetry agent: sends events to a collector, and brings its rules back."""

from __future__ import annotations

from guard_wsgi.agent.config import AgentConfig as AgentConfig
from guard_wsgi.agent.handler import GuardAgentHandler as GuardAgentHandler
from guard_wsgi.agent.handler import guard_agent as guard_agent
from guard_wsgi.agent.poller import RulesPoller as RulesPoller
from guard_wsgi.agent.rules import DynamicRules as DynamicRules
from guard_wsgi.agent.rules import RulesError as RulesError
from guard_wsgi.agent.sender import BufferFullError as BufferFullError
from guard_wsgi.agent.status import AgentStatus as AgentStatus
from guard_wsgi.telemetry.events import SecurityEvent as SecurityEvent
from guard_wsgi.telemetry.events import SecurityMetric as SecurityMetric
