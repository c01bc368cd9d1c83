"""Reports of browsers (Content Security Policy level 3, Reporting API): what they quote."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import evolve

from guard_wsgi.detection.value import SAMPLE, Value

MEDIA: Final = frozenset({"application/csp-report", "application/reports+json"})
_SAMPLES: Final = frozenset({"csp-report.script-sample", "[].body.sample", "body.sample"})
MAX_SAMPLE_CHARS: Final = 96
"""The standard says 40 (CSP3, 2.4.1); browsers that are older than it quoted up to 96."""


def with_samples(values: Iterator[Value]) -> Iterator[Value]:
    """The values of a report, the beginning of the program that was blocked known for one. Markup
    in it is none: a page that shows reports may not mean to run them."""
    for value in values:
        is_sample = value.name in _SAMPLES and len(value.text) <= MAX_SAMPLE_CHARS
        if is_sample and not value.kind and "<" not in value.text and "&" not in value.text:
            value = evolve(value, kind=SAMPLE)
        yield value
