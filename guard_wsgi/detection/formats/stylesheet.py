# ruff: noqa: E501, SIM905  (tables of words)
"""XSLT style sheets: tells whether one only transforms a document (XSLT 1.0 to 3.0).

If an attacker's style sheet reaches a processor, it can read files, fetch addresses and call
functions of the host, through named elements and functions (OWASP, XML Injection; CWE-91). A style
sheet without any of these is a template.
"""

from __future__ import annotations

import re
from typing import Final

from guard_wsgi.detection.decoding.strict_xml import Refused, reads_strictly

XSL: Final = "http://www.w3.org/1999/XSL/Transform"
_SPACES: Final = re.compile(
    r"http://www\.w3\.org/(?:1999/XSL/(?:Transform(?:Alias)?|Format)|1999/xhtml|2000/svg|1998/Math/MathML|1999/xlink"
    r"|2001/XMLSchema(?:-instance)?|TR/[\w-]{1,16}/?|XML/1998/namespace|2005/Atom)"
    # Functions of these have a prefix, and a style sheet that calls one is refused; their elements
    # do nothing.
    r"|https?://(?:www\.)?(?:docbook|purl|oclc|purl\.oclc|ascc|xml\.ascc|relaxng|oasis-open|schemastore|sitemaps|dublincore|schematron)\.(?:org|net|com)/[\w./#-]{0,120}"
)
_ELEMENTS: Final = frozenset(
    """
    stylesheet transform template apply-templates call-template with-param param variable value-of copy copy-of
    element attribute attribute-set text comment for-each for-each-group if choose when otherwise sort number
    output strip-space preserve-space key decimal-format message sequence analyze-string matching-substring
    import include non-matching-substring next-match apply-imports perform-sort namespace-alias
    """.split()
)
_READ: Final = frozenset({"import", "include"})
# A style sheet of the same folder, or of one next to it.
_BESIDE: Final = re.compile(r"(?:[\w-]+/){0,4}[\w-]+(?:\.[\w-]+)*\.xslt?")
# Functions that read other resources, describe the processor, or belong to its host.
_REACHES_OUT: Final = re.compile(
    r"(?:document|doc|doc-available|collection|unparsed-[\w-]{1,40}|json-doc|system-property|environment-variables?"
    r"|function-available|element-available|transform|load-xquery-module|evaluate)\(|\w:[\w.-]{1,200}\(|script:",
    re.IGNORECASE,
)


def only_transforms(document: str) -> bool:
    """Whether a document is a style sheet that reads only the document that it transforms."""
    depth = 0

    def start(tag: str, attributes: list[str]) -> None:
        nonlocal depth
        space, _, name = tag.rpartition(" ")
        if (depth == 0 and (space != XSL or name not in ("stylesheet", "transform"))) or (
            space == XSL and name not in _ELEMENTS
        ):
            raise Refused
        depth += 1
        for key, value in zip(attributes[::2], attributes[1::2], strict=True):
            if space == XSL and name in _READ and not (key != "href" or _BESIDE.fullmatch(value)):
                raise Refused
            if "extension-element" in key or _REACHES_OUT.search("".join(value.split())):
                raise Refused

    def declare_space(_: str | None, uri: str | None) -> None:
        if uri and not _SPACES.fullmatch(uri):
            raise Refused

    return reads_strictly(
        document, StartElementHandler=start, StartNamespaceDeclHandler=declare_space
    )
