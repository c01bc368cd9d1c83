"""Detection."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from attrs import field, frozen

from guard_wsgi.config import tables as tables
from guard_wsgi.config.tables import DetectionExclusion
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
        # On: the reason that most sites have a guard for.
        default=True,
        converter=flag,
    )
    enabled_detection_categories: frozenset[str] = same_as(
        # All: each weighs its own evidence, so one less makes the others no better.
        DetectionSettings,
        "categories",
    )
    detection_threat_score_threshold: float | str = same_as(
        # The preset measured on the corpus at the fewest errors of both kinds together.
        DetectionSettings,
        "threshold",
    )
    detection_scan_body: bool = same_as(
        # False never touches a body.
        DetectionSettings,
        "scan_body",
    )
    upload_inspection: Literal["names", "strict"] = same_as(
        # A file is content, which an app stores and does not run: source code, logs and mails are
        # full of what would be an attack in a field. Its name is looked at for what web servers
        # run. "strict" weighs contents as well, where uploads are shown to others as they are.
        DetectionSettings,
        "upload_inspection",
    )
    detection_graphql_introspection: Literal["allow", "refuse"] = field(
        # Every client with code completion asks for the schema first. "refuse" suits a closed API
        # in production (OWASP, GraphQL Cheat Sheet).
        default="allow",
        validator=one_of("allow", "refuse"),
    )
    detection_max_body_inspect_bytes: int = same_as(
        # 8 MiB: documents and forms of that size are what APIs and frameworks take, and the first
        # pass over them takes a fraction of their own parsing. Files are passed over, not held.
        DetectionSettings,
        "max_body_bytes",
        within=whole_number(1024, 67_108_864),
    )
    detection_max_scan_values: int = same_as(
        # Names and values of one request that are decoded and scored; more is a finding, not a
        # silent pass. Benign ones in a large document are not counted.
        DetectionSettings,
        "max_values",
        within=whole_number(2, 100_000),
    )
    detection_max_scan_chars: int = same_as(
        # A quarter of a megabyte of text of which every line calls for a closer look: weighing it
        # takes as long as a request may.
        DetectionSettings,
        "max_chars",
        within=whole_number(1024, 262_144),
    )
    detection_max_json_depth: int = same_as(
        # No API nests deeper; what does is scanned as text.
        DetectionSettings,
        "max_json_depth",
        within=whole_number(1, 1000),
    )
    detection_budget_action: Literal["block", "flag"] = field(
        # A request too large to be looked at whole hides something as likely as not.
        default="block",
        validator=one_of("block", "flag"),
    )
    detection_oversized_body: Literal["flag", "block"] = field(
        # What lies beyond detection_max_body_inspect_bytes is not inspected. Uploads are large,
        # so that is reported; "block" answers 413 where only small bodies are expected.
        default="flag",
        validator=one_of("flag", "block"),
    )
    detection_custom_patterns: Mapping[str, str] = field(
        # Regular expressions by name, or a list of them; linear ones only.
        default=_NO_TABLE,
        converter=tables.custom_patterns,
    )
    detection_exclusions: tuple[DetectionExclusion, ...] = field(
        # [{"path": "/blog/*", "body_fields": ["text"]}]: tables of path with names or
        # categories.
        default=(),
        converter=tables.detection_exclusions,
    )
    excluded_detection_headers: frozenset[str] = field(
        # None. Names of headers ("cookie" for all cookies) whose values are not looked at.
        default=frozenset(),
        converter=values.lower_set,
    )
    excluded_detection_params: frozenset[str] = field(
        # None. Names of query parameters; prefer detection_exclusions, which say where.
        default=frozenset(),
        converter=values.string_set,
    )
    excluded_detection_body_fields: frozenset[str] = field(
        # None. Names of form fields, parts, and JSON keys at any depth.
        default=frozenset(),
        converter=values.string_set,
    )
