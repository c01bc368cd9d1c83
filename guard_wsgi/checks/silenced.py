"""What exclusions cost: requests that detection would have refused but for one.

Looked for on paths that an exclusion covers, when nothing else was found in a request. A site
without exclusions pays nothing for it; on such a path, what matches the first pass is
weighed twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import Any

from guard_wsgi.checks.evidence import details_of
from guard_wsgi.config.tables import DetectionExclusion
from guard_wsgi.detection import DetectionSettings, Finding
from guard_wsgi.request.view import GuardRequest

EVENT = "detection_excluded"

LOOKS_A_MINUTE = 600
"""How many requests a minute are weighed without their exclusions. A flood on an excluded path
costs no more than that."""
REPORTED_A_MINUTE = 10
"""Events of one exclusion. The others are counted, and the next event gives their number."""


class Silenced:
    """Reports what passed because of an exclusion.

    Without a lock, which a fork would break: threads that count at once may lose a count.
    """

    def __init__(self, emit: Callable[..., None], clock: Callable[[], float] = monotonic) -> None:
        self._emit = emit  # of the bus of events
        self._clock = clock
        self._minute_ends = 0.0
        self._looks = 0
        self._reported: dict[str, int] = {}
        self._held: dict[str, int] = {}

    def may_look(self) -> bool:
        """Whether another request may be weighed without its exclusions."""
        now = self._clock()
        if now >= self._minute_ends:
            self._minute_ends, self._looks, self._reported = now + 60.0, 0, {}
        self._looks += 1
        return self._looks <= LOOKS_A_MINUTE

    def report(
        self,
        request: GuardRequest,
        findings: tuple[Finding, ...],
        exclusions: Iterable[DetectionExclusion],
        settings: DetectionSettings,
    ) -> None:
        """Count a request under each exclusion that silences one of its findings.

        :param exclusions: those that cover its path.
        """
        for exclusion in exclusions:
            if any(exclusion.silences(one.category, one.location, one.name) for one in findings):
                self._report(request, name_of(exclusion), lambda: details_of(findings, settings))

    def _report(
        self, request: GuardRequest, name: str, details: Callable[[], Mapping[str, Any]]
    ) -> None:
        reported = self._reported.get(name, 0)
        if reported >= REPORTED_A_MINUTE:
            self._held[name] = self._held.get(name, 0) + 1
            return
        self._reported[name] = reported + 1
        count = 1 + self._held.pop(name, 0)
        self._emit(EVENT, request, details=details, exclusion=name, count=count)


def name_of(exclusion: DetectionExclusion) -> str:
    """What an exclusion is known by: its entry as JSON, in one order."""
    return json.dumps(exclusion.as_entry(), sort_keys=True)
