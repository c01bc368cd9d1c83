"""Detection."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from attrs import field, frozen

from guard_wsgi.config import tables as tables
from guard_wsgi.config import values as values
from guard_wsgi.config.tables import DetectionExclusion
from guard_wsgi.config.values import one_of
from guard_wsgi.detection.finding import CATEGORIES
from guard_wsgi.detection.settings import UPLOAD_INSPECTIONS
from guard_wsgi.options.numbers import flag, whole_number

_NO_TABLE: Mapping[str, str] = MappingProxyType({})


@frozen(kw_only=True, slots=False, eq=False, repr=False)
class DetectionOptions:
    """Detection."""

    enable_penetration_detection: bool = field(
        # On: the reason that most sites have a guard for.
        default=True,
        converter=flag,
    )
    enabled_detection_categories: frozenset[str] = field(
        # All: each weighs its own evidence, so one less makes the others no better.
        default=CATEGORIES,
        converter=values.string_set,
        validator=values.each_of(*sorted(CATEGORIES)),
    )
    detection_threat_score_threshold: float | str = field(
        # The preset measured on the corpus at the fewest errors of both kinds together.
        default="balanced",
        converter=values.threshold,
    )
    detection_scan_body: bool = field(
        # False never touches a body.
        default=True,
        converter=flag,
    )
    upload_inspection: Literal["names", "strict"] = field(
        # A file is content, which an app stores and does not run: source code, logs and mails are
        # full of what would be an attack in a field. Its name is looked at for what web servers
        # run. "strict" weighs contents as well, where uploads are shown to others as they are.
        default="names",
        validator=one_of(*UPLOAD_INSPECTIONS),
    )
    detection_graphql_introspection: Literal["allow", "refuse"] = field(
        # Every client with code completion asks for the schema first. "refuse" suits a closed API
        # in production (OWASP, GraphQL Cheat Sheet).
        default="allow",
        validator=one_of("allow", "refuse"),
    )
    detection_max_body_inspect_bytes: int = field(
        # 8 MiB: documents and forms of that size are what APIs and frameworks take, and the first
        # pass over them takes a fraction of their own parsing. Files are passed over, not held.
        default=8_388_608,
        validator=whole_number(1024, 67_108_864),
    )
    detection_max_scan_values: int = field(
        # Names and values of one request that are decoded and scored; more is a finding, not a
        # silent pass. Those that the first pass clears in a large document are not among them.
        default=20_000,
        validator=whole_number(2, 100_000),
    )
    detection_max_scan_chars: int = field(
        # A quarter of a megabyte of text of which every line calls for a closer look: weighing it
        # takes as long as a request may.
        default=262_144,
        validator=whole_number(1024, 262_144),
    )
    detection_max_json_depth: int = field(
        # No API nests deeper; what does is scanned as text.
        default=32,
        validator=whole_number(1, 1000),
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
