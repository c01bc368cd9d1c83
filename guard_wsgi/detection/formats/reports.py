"""Reports of browsers (Content Security Policy level 3, Reporting API), and what they quote."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from attrs import evolve

from guard_wsgi.detection.language.python_expressions import FEATURE as REACHING_EXPRESSION
from guard_wsgi.detection.value import PLACE, SAMPLE, Value

MEDIA: Final = frozenset({"application/csp-report", "application/reports+json"})
_SAMPLES: Final = frozenset({"csp-report.script-sample", "[].body.sample", "body.sample"})
_MESSAGES: Final = frozenset({"[].body.message", "body.message"})
_ADDRESSES: Final = frozenset(
    {
        *("csp-report.blocked-uri", "csp-report.source-file", "csp-report.document-uri"),
        *("csp-report.referrer", "[].body.blockedURL", "[].body.sourceFile", "[].body.documentURL"),
        *("[].body.referrer", "[].url", "body.blockedURL", "body.sourceFile", "body.documentURL"),
    }
)
MAX_SAMPLE_CHARS: Final = 96
"""The standard says 40 (CSP3, 2.4.1); older browsers quoted up to 96."""
MAX_MESSAGE_CHARS: Final = 400
"""The longest message of a browser about an outdated function (Deprecation Reporting)."""
# For an address without a network scheme, browsers send the scheme, or a data address as a whole
# (CSP3, 5.4).
_DATA: Final = re.compile(
    r"data(?::[\w.+-]{1,60}/[\w.+-]{1,100}(?:;[\w.=+-]{1,60}){0,4}(?:,[A-Za-z0-9+/=_-]*)?)?",
    re.IGNORECASE,
)


_SIGNS: Final = (b'"csp-report"', b'"csp-violation"')


def is_browser_report(body: bytes, media: str) -> bool:
    """Whether a JSON body is a report of a browser, also one that is declared as plain JSON, as old
    browsers and collectors do. A client that claims it gains nothing outside the fields of a
    report."""
    return media in MEDIA or any(sign in body for sign in _SIGNS)


def kind_of_address(name: str, text: str) -> str:
    """Return the kind of a data address in a report. The browser has blocked it, so nobody opens
    it."""
    return SAMPLE if name in _ADDRESSES and _DATA.fullmatch(text) else ""


def with_samples(values: Iterator[Value], is_declared: bool) -> Iterator[Value]:
    """Yield the values of a report. The quoted beginning of the blocked program is marked as a
    sample, and blocked addresses as addresses that nobody opens. A sample with markup stays an
    ordinary value: a page that shows reports might render it.

    :param is_declared: whether the media type declares a report: then messages of browsers are
        marked as well.
    """
    for value in values:
        if value.name in _ADDRESSES:
            value = evolve(value, kind=value.kind if value.kind == SAMPLE else PLACE)
        else:
            chars = len(value.text)
            is_sample = (value.name in _SAMPLES and chars <= MAX_SAMPLE_CHARS) or (
                is_declared and value.name in _MESSAGES and chars <= MAX_MESSAGE_CHARS
            )
            if is_sample and not value.kind and "<" not in value.text and "&" not in value.text:
                # The program is a browser's, and no Python.
                flags = tuple([flag for flag in value.flags if flag != REACHING_EXPRESSION])
                value = evolve(value, kind=SAMPLE, flags=flags)
        yield value
