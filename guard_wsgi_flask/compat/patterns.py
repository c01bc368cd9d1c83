"""The facade of detection and its patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guard_wsgi.errors import ConfigError
from guard_wsgi_flask.compat.facade import Facade, current_guard, settable
from guard_wsgi_flask.early_calls import EarlyCalls, with_patterns
from guard_wsgi_flask.registry import all_guarded, beforehand, is_too_early

if TYPE_CHECKING:
    from guard_wsgi.middleware import GuardMiddleware


class SusPatternsManager(Facade):
    """Detection: the site's own patterns, and the verdict on a text."""

    def add_pattern(self, pattern: str, custom: bool = True) -> bool:
        """Add a pattern of the site's own. Return ``False`` if it can't run in linear time."""
        guard = settable()
        known = guard.config.detection_custom_patterns
        named = with_patterns(known, [pattern])
        if len(named) == len(known):
            return True
        try:
            changed = guard.config.evolve(detection_custom_patterns=named)
        except ConfigError:
            return False
        guard.reconfigure(changed)
        return True

    def remove_pattern(self, pattern: str, custom: bool = True) -> bool:
        was_known = _without(beforehand, pattern)
        return was_known if is_too_early() else _without(current_guard(), pattern)

    def get_custom_patterns(self) -> list[str]:
        return list(settable().config.detection_custom_patterns.values())

    def detect(
        self,
        content: str,
        ip_address: str,
        context: str = "unknown",
        correlation_id: str | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        """Return detection's verdict on a text, as one value of a query."""
        # Here, because serving needs no commands.
        from guard_wsgi.cli.inspecting import place

        inspection = current_guard().policy.inspection
        findings = inspection.whole(inspection.head(place(content, "query")))
        threats = [
            {
                "type": "custom" if finding.category == "custom" else "weighed",
                "category": finding.category,
                "match": finding.value,
                "weight": finding.score,
                "pattern": ", ".join(finding.indicators),
            }
            for finding in findings
        ]
        return {
            "is_threat": bool(threats),
            "threat_score": max((finding.score for finding in findings), default=0.0),
            "threats": threats,
            "context": context,
            "original_length": len(content),
            "correlation_id": correlation_id,
        }

    def detect_pattern_match(
        self,
        content: str,
        ip_address: str,
        context: str = "unknown",
        correlation_id: str | None = None,
    ) -> tuple[bool, str | None]:
        """Return whether a text is an attack, and the evidence."""
        threats = self.detect(content, ip_address, context, correlation_id)["threats"]
        return bool(threats), threats[0]["pattern"] if threats else None

    def reset(self) -> None:
        """Forget the site's own patterns."""
        guards: list[GuardMiddleware | EarlyCalls] = [beforehand]
        guards += [guarded.middleware for guarded in all_guarded()]
        for middleware in guards:
            if middleware.config.detection_custom_patterns:
                changed = middleware.config.evolve(detection_custom_patterns={})
                middleware.reconfigure(changed)


def _without(guard: GuardMiddleware | EarlyCalls, pattern: str) -> bool:
    """Remove a pattern. Return whether it was there."""
    known = guard.config.detection_custom_patterns
    kept = {name: each for name, each in known.items() if each != pattern}
    if len(kept) == len(known):
        return False
    guard.reconfigure(guard.config.evolve(detection_custom_patterns=kept))
    return True
