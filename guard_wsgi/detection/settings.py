"""The settings of detection: categories, threshold, exclusions, budgets."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from guard_wsgi.detection.finding import CATEGORIES
from guard_wsgi.options.numbers import flag, read_number, whole_number
from guard_wsgi.options.quoting import quoted
from guard_wsgi.options.resolving import checked
from guard_wsgi.options.values import each_of, one_of, string_set

# Scores are scaled log-odds; 1.0 is the balanced point. benchmarks/training/train_detection.py
# prints the results of each preset on sources that the model has not seen.
THRESHOLDS: Final = {"relaxed": 1.6, "balanced": 1.0, "strict": 0.6}

MAX_SCORE: Final = 10
"""A score is 1 at the balanced point. Nothing real is ten times as certain."""

UPLOAD_INSPECTIONS: Final = ("names", "strict")


def score_or_preset(value: float | str) -> float | str:
    """A score, or the name of a preset."""
    if isinstance(value, str) and value in THRESHOLDS:
        return value
    try:
        score = float(read_number(value))
    except ValueError:
        listed = ", ".join(THRESHOLDS)
        raise ValueError(f"must be a number or one of {listed}, not {quoted(value)}") from None
    if not 0 < score <= MAX_SCORE:
        raise ValueError(f"must be more than 0 and at most {MAX_SCORE}, not {score}")
    return score


@frozen(kw_only=True)
class FieldExclusion:
    """Categories that the values of some fields are not inspected for."""

    categories: frozenset[str]
    excluded_params: frozenset[str]
    excluded_headers: frozenset[str]
    excluded_body_fields: frozenset[str]


@checked
@frozen(kw_only=True)
class DetectionSettings:
    """One set of settings; a route's overlay makes another one.

    :ivar threshold: a preset's name or a score (0 < score <= 10).
    :ivar excluded_params: names of query parameters that are not inspected.
    :ivar excluded_headers: names of headers, in upper or lower case, that are not inspected.
    :ivar excluded_body_fields: form fields, multipart names, and JSON keys at any depth.
    :ivar field_exclusions: fields that are not inspected for some categories.
    :ivar upload_inspection: "names" weighs file names only, "strict" contents as well.
    :ivar refuses_introspection: whether a GraphQL query for the schema is a finding.
    :ivar reads_any_form: whether the app reads a form from a body of any media type.
    :raises ConfigError: for an unknown category or preset, or a budget below 1.
    """

    categories: frozenset[str] = field(
        default=CATEGORIES, converter=string_set, validator=each_of(*sorted(CATEGORIES))
    )
    # The preset with the fewest errors of both kinds together on the corpus.
    threshold: float | str = field(default="balanced", converter=score_or_preset)
    excluded_params: frozenset[str] = field(default=frozenset(), converter=string_set)
    excluded_headers: frozenset[str] = field(default=frozenset(), converter=string_set)
    excluded_body_fields: frozenset[str] = field(default=frozenset(), converter=string_set)
    field_exclusions: tuple[FieldExclusion, ...] = ()
    scan_body: bool = field(default=True, converter=flag)
    # Apps store the contents of files. They are full of text that would be an attack in a field.
    upload_inspection: str = field(default="names", validator=one_of(*UPLOAD_INSPECTIONS))
    refuses_introspection: bool = field(default=False, converter=flag)
    # 8 MiB: the usual limit of APIs and frameworks for documents and forms.
    max_body_bytes: int = field(default=8_388_608, validator=whole_number(1))
    # How many names and values of a request are weighed one by one. A large form has hundreds, a
    # large JSON document tens of thousands, and most of these pass the first pass.
    max_values: int = field(default=20_000, validator=whole_number(1))
    # The work after the first pass, in characters to weigh (value.Budget): 0.15 s.
    max_chars: int = field(default=262_144, validator=whole_number(1))
    # Real documents stay below 20.
    max_json_depth: int = field(default=32, validator=whole_number(1))
    reads_any_form: bool = field(default=False, converter=flag)

    @property
    def weighs_contents(self) -> bool:
        """Whether the contents of files are weighed, not only their names."""
        return self.upload_inspection == "strict"

    @property
    def score_threshold(self) -> float:
        """The threshold as a number."""
        if isinstance(self.threshold, str):
            return THRESHOLDS[self.threshold]
        return float(self.threshold)
