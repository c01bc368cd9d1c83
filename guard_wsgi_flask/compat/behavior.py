"""The facade of behaviour rules."""

from __future__ import annotations

from typing import Any

from guard_wsgi.behavior.response_pattern import BodyPatterns
from guard_wsgi.behavior.rule import BehaviorRule
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi_flask.compat.bans_and_limits import IPBanManager
from guard_wsgi_flask.compat.facade import Facade, current_guard


class BehaviorTracker(Facade):
    """Behaviour rules, called by hand.

    :param config: not used; the guard's configuration applies.
    """

    def __init__(self, config: SecurityConfig | None = None) -> None:
        self.config = config

    def track_endpoint_usage(self, endpoint_id: str, client_ip: str, rule: BehaviorRule) -> bool:
        """Count a call. Return whether the client is over the rule's threshold."""
        return self._counted(f"calls:{endpoint_id}", client_ip, rule)

    def track_return_pattern(
        self, endpoint_id: str, client_ip: str, response: Any, rule: BehaviorRule, **_: Any
    ) -> bool:
        """Count an answer that matches the rule's pattern. Return whether the client is over the
        threshold."""
        pattern = rule.response_pattern
        if pattern.is_status:
            matches = response.status_code in pattern.statuses
        else:
            is_json = "json" in str(response.headers.get("Content-Type", ""))
            body = bytes(response.body or b"")
            matches = bool(BodyPatterns([pattern]).matches(body, is_json=is_json, is_complete=True))
        if not matches:
            return False
        return self._counted(f"answers:{rule.pattern}:{endpoint_id}", client_ip, rule)

    def apply_action(
        self, rule: BehaviorRule, client_ip: str, endpoint_id: str, details: str
    ) -> None:
        """Apply the rule's action: call its ``custom_action``, ban, or report it."""
        if rule.custom_action is not None:
            rule.custom_action(client_ip, endpoint_id, details)
            return
        guard = current_guard()
        if rule.action == "ban" and not guard.policy.passive:
            IPBanManager().ban_ip(client_ip, rule.ban_duration or 3600, "behavioral_violation")
        guard.services.events.emit(
            "behavioral_violation",
            reason=details,
            ip_address=client_ip,
            endpoint=endpoint_id,
            rule_type=rule.rule_type,
            action=rule.action,
        )

    def _counted(self, what: str, client_ip: str, rule: BehaviorRule) -> bool:
        counters = current_guard().services.store.counters
        key = f"behavior-face:{what}:{client_ip}"
        return counters.increment(key, rule.window) > rule.threshold
