"""Detection."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from attrs import field, frozen

from guard_wsgi.config import tables as tables
from guard_wsgi.config.exclusion import DetectionExclusion, detection_exclusions
from guard_wsgi.detection.settings import DetectionSettings
from guard_wsgi.options import values as values
from guard_wsgi.options.numbers import flag, whole_number
from guard_wsgi.options.resolving import same_as
from guard_wsgi.options.values import one_of

_NO_TABLE: Mapping[str, str] = MappingProxyType({})


@frozen(kw_only=True, slots=False, eq=False, repr=False)
class DetectionOptions:
    """Detection."""

    enable_penetration_detection: bool = field(
        # The master switch of detection. On: most sites install a guard for this.
        default=True,
        converter=flag,
    )
    enabled_detection_categories: frozenset[str] = same_as(
        # The categories of attacks to detect. All: each category weighs its own evidence, so
        # turning one off does not improve the others.
        DetectionSettings,
        "categories",
    )
    detection_threat_score_threshold: float | str = same_as(
        # The score from which a value is an attack: "relaxed", "balanced", "strict", or a number
        # (1.0 is balanced). On the training corpus, "balanced" makes the fewest errors of both
        # kinds together.
        DetectionSettings,
        "threshold",
    )
    detection_scan_body: bool = same_as(
        # False never reads a body for detection.
        DetectionSettings,
        "scan_body",
    )
    upload_inspection: Literal["names", "strict"] = same_as(
        # A file is content that an app stores and does not run: source code, logs and mails are
        # full of what would be an attack in a field. "names" checks only whether a web server would
        # run the file. "strict" weighs contents as well, for sites that show uploads to others.
        DetectionSettings,
        "upload_inspection",
    )
    detection_graphql_introspection: Literal["allow", "refuse"] = field(
        # Whether queries for a GraphQL schema pass. "allow": every client with code completion asks
        # for the schema first. "refuse" suits a closed API in production (OWASP, GraphQL Cheat
        # Sheet).
        default="allow",
        validator=one_of("allow", "refuse"),
    )
    detection_max_body_inspect_bytes: int = same_as(
        # The most bytes of a body to inspect. 8 MiB: APIs and frameworks take documents and forms
        # of that size, and the first pass costs a fraction of parsing them. Files are skipped and
        # not kept in memory.
        DetectionSettings,
        "max_body_bytes",
        within=whole_number(1024, 67_108_864),
    )
    detection_max_scan_values: int = same_as(
        # Names and values of one request that are decoded and scored. More is reported as a
        # finding. Benign values in a large document are not counted.
        DetectionSettings,
        "max_values",
        within=whole_number(2, 100_000),
    )
    detection_max_scan_chars: int = same_as(
        # The most characters of one request that are weighed: each takes half a microsecond, so
        # this is 0.15 s. Other work is converted to characters by its time.
        DetectionSettings,
        "max_chars",
        within=whole_number(1024, 262_144),
    )
    detection_max_json_depth: int = same_as(
        # The deepest JSON that is parsed; no API nests deeper. Anything deeper is scanned as text.
        DetectionSettings,
        "max_json_depth",
        within=whole_number(1, 1000),
    )
    detection_budget_action: Literal["block", "flag"] = field(
        # What happens to a request that is too large to inspect fully. "block": it may hide
        # something. "flag" reports it.
        default="block",
        validator=one_of("block", "flag"),
    )
    detection_oversized_body: Literal["flag", "block"] = field(
        # What happens to a body beyond detection_max_body_inspect_bytes. "flag": uploads are large,
        # so the guard only reports that it did not inspect the rest. "block" answers 413, for sites
        # that expect small bodies.
        default="flag",
        validator=one_of("flag", "block"),
    )
    detection_custom_patterns: Mapping[str, str] = field(
        # Regular expressions by name, or a list of them. They must run in linear time.
        default=_NO_TABLE,
        converter=tables.custom_patterns,
    )
    detection_exclusions: tuple[DetectionExclusion, ...] = field(
        # [{"path": "/blog/*", "body_fields": ["text"]}]: tables of a path with names, categories,
        # or both: then only these categories, only in these fields.
        default=(),
        converter=detection_exclusions,
    )
    excluded_detection_headers: frozenset[str] = field(
        # Names of headers whose values are not inspected ("cookie" for all cookies).
        default=frozenset(),
        converter=values.lower_set,
    )
    excluded_detection_params: frozenset[str] = field(
        # Names of query parameters. Prefer detection_exclusions, which is limited to a path.
        default=frozenset(),
        converter=values.string_set,
    )
    excluded_detection_body_fields: frozenset[str] = field(
        # Names of form fields, parts and JSON keys at any depth.
        default=frozenset(),
        converter=values.string_set,
    )
