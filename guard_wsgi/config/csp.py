# ruff: noqa: SIM905  (tables of words)
"""Doubts about a Content Security Policy that is written as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from guard_wsgi.config.advice import Advice
from guard_wsgi.options.quoting import did_you_mean

DIRECTIVES: Final = frozenset(
    """
    default-src child-src connect-src fenced-frame-src font-src frame-src img-src manifest-src
    media-src object-src prefetch-src script-src script-src-attr script-src-elem style-src
    style-src-attr style-src-elem worker-src base-uri sandbox form-action frame-ancestors
    navigate-to report-to report-uri require-trusted-types-for trusted-types
    upgrade-insecure-requests block-all-mixed-content plugin-types webrtc require-sri-for
    """.split()
)
"""Content Security Policy level 3, its extensions, and old directives that browsers still read."""

KEYWORDS: Final = frozenset(
    """
    self none unsafe-inline unsafe-eval unsafe-hashes strict-dynamic report-sample wasm-unsafe-eval
    """.split()
)
"""Sources that need quotes: without them, they are names of hosts."""


def doubtful_csp(policy: Mapping[str, Iterable[str]]) -> Iterator[Advice]:
    """Find unknown directives, which browsers ignore, and keywords without quotes."""
    for directive, sources in policy.items():
        if directive.lower() not in DIRECTIVES:
            yield Advice(
                "warning",
                "unknown-csp-directive",
                f"csp in security_headers has the unknown directive {directive!r}: browsers ignore"
                " it",
                f"correct its name{did_you_mean(directive, DIRECTIVES)}",
            )
        for source in sources:
            if source.lower() in KEYWORDS:
                yield Advice(
                    "warning",
                    "unquoted-csp-keyword",
                    f"csp in security_headers has {source} without quotes in {directive}: browsers"
                    " read it as a host name",
                    f"write \"'{source}'\", with quotes inside the text",
                )
