"""Selects the values that detection inspects, by route and by path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve

from guard_wsgi.checks.exclusion_reports import ExclusionReports
from guard_wsgi.checks.path_index import PathIndex
from guard_wsgi.config.exclusion import DetectionExclusion
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.detection import CATEGORIES, DetectionSettings, Detector, Finding, Inspection
from guard_wsgi.detection.settings import FieldExclusion
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.routes.config import RouteConfig


class RouteInspections:
    """The inspections of one route: one for all paths, unless ``detection_exclusions`` name
    paths."""

    def __init__(
        self,
        detector: Detector,
        settings: DetectionSettings,
        exclusions: tuple[DetectionExclusion, ...],
        silenced: ExclusionReports,
    ) -> None:
        self.scan_body = settings.scan_body
        self.varies = bool(exclusions)
        self._detector = detector
        self._settings = settings
        self._exclusions = exclusions
        self._index = PathIndex(exclusion.path for exclusion in exclusions)
        self._silenced = silenced
        self._everywhere = detector.compile(settings)
        self._by_exclusions: dict[tuple[DetectionExclusion, ...], Inspection] = {}

    @property
    def everywhere(self) -> Inspection:
        """The only inspection of a route that does not vary by path."""
        return self._everywhere

    def of(self, request: GuardRequest) -> Inspection:
        if not self._exclusions:
            return self._everywhere
        matching = self._matching(request)
        if not matching:
            return self._everywhere
        inspection = self._by_exclusions.get(matching)
        if inspection is None:
            inspection = self._detector.compile(_without(self._settings, matching))
            self._by_exclusions[matching] = inspection
        return inspection

    def wanted(self, request: GuardRequest, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """Remove findings of excluded categories that an inspection can't skip:
        ``detection_budget``, and ``custom`` for the site's own patterns."""
        if all(finding.category in CATEGORIES for finding in findings):
            return findings
        matching = [one for one in self._matching(request) if not one.has_names]
        unwanted = frozenset[str]().union(*(one.categories for one in matching))
        return tuple(finding for finding in findings if finding.category not in unwanted)

    def report_silenced(
        self,
        request: GuardRequest,
        look: Callable[[Inspection], tuple[Finding, ...]],
    ) -> None:
        """Report what detection would have found in a request if no exclusion covered its path."""
        matching = self._matching(request)
        if not matching or not self._silenced.may_look():
            return
        everywhere = self._everywhere
        findings = look(everywhere)
        if findings:
            self._silenced.report(request, findings, matching, everywhere.settings)

    def _matching(self, request: GuardRequest) -> tuple[DetectionExclusion, ...]:
        """Return the exclusions that cover the path, in every reading of it."""
        covering = [self._exclusions[place] for place in self._index.covering(request.path)]
        return tuple(
            exclusion for exclusion in covering if all(map(exclusion.covers, request.readings))
        )


class Inspections:
    """Compiles the detection settings of a configuration, overlaid by those of routes."""

    def __init__(
        self,
        detector: Callable[[], Detector],
        config: SecurityConfig,
        silenced: ExclusionReports,
        reads_any_form: bool,
    ) -> None:
        """
        :param detector: makes the detector when a route is first inspected: compiling one is
            expensive.
        :param reads_any_form: whether the app reads a form from a body of any media type.
        """
        self._silenced = silenced
        self._detector = detector
        self._exclusions = config.detection_exclusions
        self._settings = DetectionSettings(
            categories=config.enabled_detection_categories,
            threshold=config.detection_threat_score_threshold,
            excluded_params=config.excluded_detection_params,
            excluded_headers=config.excluded_detection_headers,
            excluded_body_fields=config.excluded_detection_body_fields,
            scan_body=config.detection_scan_body,
            upload_inspection=config.upload_inspection,
            refuses_introspection=config.detection_graphql_introspection == "refuse",
            max_body_bytes=config.detection_max_body_inspect_bytes,
            max_values=config.detection_max_scan_values,
            max_chars=config.detection_max_scan_chars,
            max_json_depth=config.detection_max_json_depth,
            reads_any_form=reads_any_form,
        )

    def for_route(self, route: RouteConfig) -> RouteInspections:
        """A route's headers are added to the global exclusions; its other lists replace the global
        ones."""
        changes: dict[str, Any] = {}
        if route.excluded_detection_headers is not None:
            changes["excluded_headers"] = (
                self._settings.excluded_headers | route.excluded_detection_headers
            )
        if route.excluded_detection_params is not None:
            changes["excluded_params"] = route.excluded_detection_params
        if route.excluded_detection_body_fields is not None:
            changes["excluded_body_fields"] = route.excluded_detection_body_fields
        if route.enabled_detection_categories is not None:
            changes["categories"] = route.enabled_detection_categories
        if route.detection_scan_body is not None:
            changes["scan_body"] = route.detection_scan_body
        if route.upload_inspection is not None:
            changes["upload_inspection"] = route.upload_inspection
        settings = evolve(self._settings, **changes)
        return RouteInspections(self._detector(), settings, self._exclusions, self._silenced)


def _without(
    settings: DetectionSettings, exclusions: tuple[DetectionExclusion, ...]
) -> DetectionSettings:
    for exclusion in exclusions:
        if exclusion.has_names and exclusion.categories:
            in_fields = FieldExclusion(
                categories=exclusion.categories,
                excluded_params=exclusion.params,
                excluded_headers=exclusion.headers,
                excluded_body_fields=exclusion.body_fields,
            )
            settings = evolve(settings, field_exclusions=(*settings.field_exclusions, in_fields))
            continue
        settings = evolve(
            settings,
            categories=settings.categories - exclusion.categories,
            excluded_params=settings.excluded_params | exclusion.params,
            excluded_headers=settings.excluded_headers | exclusion.headers,
            excluded_body_fields=settings.excluded_body_fields | exclusion.body_fields,
        )
    return settings
