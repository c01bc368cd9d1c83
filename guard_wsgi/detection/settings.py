"""What a user may tune about detection: categories, threshold, exclusions, budgets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import field, frozen

from guard_wsgi.detection.finding import CATEGORIES
from guard_wsgi.errors import ConfigError

# Scores are log-odds scaled so that 1.0 is the balanced point. What each preset makes of sources
# that the model has not seen, benchmarks/training/train_detection.py prints.
THRESHOLDS: Final = {"relaxed": 1.6, "balanced": 1.0, "strict": 0.6}

UPLOAD_INSPECTIONS: Final = ("names", "strict")


def _names(names: Iterable[str]) -> frozenset[str]:
    return frozenset(names)


@frozen(kw_only=True)
class DetectionSettings:
    """One set of choices; a route overlay is another one.

    :ivar threshold: a preset's name or a score (0 < score <= 10).
    :ivar excluded_params: names of query parameters that are not inspected.
    :ivar excluded_headers: header names, any case, that are not inspected.
    :ivar excluded_body_fields: form fields, multipart names, and JSON keys at any depth.
    :ivar upload_inspection: "names" weighs file names only, "strict" contents as well.
    :ivar refuses_introspection: whether a GraphQL query for the schema is a finding.
    :raises ConfigError: for an unknown category or preset, or a budget below 1.
    """

    categories: frozenset[str] = field(default=CATEGORIES, converter=_names)
    threshold: float | str = "balanced"
    excluded_params: frozenset[str] = field(default=frozenset(), converter=_names)
    excluded_headers: frozenset[str] = field(default=frozenset(), converter=_names)
    excluded_body_fields: frozenset[str] = field(default=frozenset(), converter=_names)
    scan_body: bool = True
    # Contents of files are what an app stores, and full of what would be an attack in a field.
    upload_inspection: str = "names"
    refuses_introspection: bool = False
    # 8 MiB: what APIs and frameworks take of documents and forms.
    max_body_bytes: int = 8_388_608
    # Names and values of a request that are looked at one by one. A large form has hundreds, a
    # large JSON document tens of thousands of leaves, most of which the first pass clears.
    max_values: int = 20000
    # Characters that are decoded and scored one by one after the first pass.
    max_chars: int = 262144
    max_json_depth: int = 32  # real documents stay below 20

    def __attrs_post_init__(self) -> None:
        faults = []
        unknown = sorted(self.categories - CATEGORIES)
        if unknown:
            faults.append(f"enabled_detection_categories: unknown {', '.join(unknown)}")
        if isinstance(self.threshold, str):
            if self.threshold not in THRESHOLDS:
                faults.append(
                    f"detection_threat_score_threshold: {self.threshold!r} is none of "
                    + ", ".join(THRESHOLDS)
                )
        elif not 0 < self.threshold <= 10:
            faults.append("detection_threat_score_threshold: must be over 0 and at most 10")
        if self.upload_inspection not in UPLOAD_INSPECTIONS:
            faults.append(
                f"upload_inspection: {self.upload_inspection!r} is none of "
                + ", ".join(UPLOAD_INSPECTIONS)
            )
        for name in ("max_body_bytes", "max_values", "max_chars", "max_json_depth"):
            if getattr(self, name) < 1:
                faults.append(f"detection_{name}: must be at least 1")
        if faults:
            raise ConfigError(faults)

    @property
    def weighs_contents(self) -> bool:
        """Whether contents of files are weighed, besides their names."""
        return self.upload_inspection == "strict"

    @property
    def score_threshold(self) -> float:
        """The threshold as a number."""
        if isinstance(self.threshold, str):
            return THRESHOLDS[self.threshold]
        return float(self.threshold)
