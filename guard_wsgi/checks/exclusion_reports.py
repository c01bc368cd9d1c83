"""Reports requests that detection would have refused without an exclusion.

It looks only at paths that an exclusion covers, and only if nothing else was found in a request. A
site without exclusions pays nothing. On a covered path, a request that matches the first pass is
weighed twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import Any

from guard_wsgi.checks.evidence import details_of
from guard_wsgi.config.exclusion import DetectionExclusion
from guard_wsgi.detection import DetectionSettings, Finding
from guard_wsgi.request.view import GuardRequest

EVENT = "detection_excluded"

LOOKS_A_MINUTE = 600
"""How many requests a minute are weighed without their exclusions, which bounds the cost of a
flood."""
REPORTED_A_MINUTE = 10
"""Events per minute of one exclusion. The next event gives the number of those left out."""


class ExclusionReports:
    """Reports requests that passed because of an exclusion.

    It has no lock, which a fork would break: threads that count at once may lose a count.
    """

    def __init__(self, emit: Callable[..., None], clock: Callable[[], float] = monotonic) -> None:
        self._emit = emit  # of the event bus
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
        """Count a request under each exclusion that removes one of its findings.

        :param exclusions: the exclusions that cover its path.
        """
        for exclusion in exclusions:
            if any(exclusion.removes(one.category, one.location, one.name) for one in findings):
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
    """Return the name of an exclusion: its entry as JSON with sorted keys."""
    return json.dumps(exclusion.as_entry(), sort_keys=True)
