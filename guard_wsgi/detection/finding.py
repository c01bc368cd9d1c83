"""A finding of detection: one suspicious value, with the evidence against it."""

from __future__ import annotations

from attrs import define

# The categories of the engine whose public names we keep, then ours.
CATEGORIES: frozenset[str] = frozenset(
    {
        "xss",
        "sqli",
        "cmd_injection",
        "code_injection",
        "template",
        "path_traversal",
        "dir_traversal",
        "file_inclusion",
        "file_upload",
        "ldap",
        "xml",
        "nosql",
        "ssrf",
        "http_split",
        "proto_pollution",
        "deserialization",
        "recon",
        "sensitive_file",
        "cms_probing",
        # Not in the older set of nineteen:
        "ssi",
        "xpath",
        "graphql",
        "mail_injection",
        "log_injection",
        "log4shell",
        "request_smuggling",
        "open_redirect",
        "encoding",
        "csv_injection",
    }
)

# What is an attack only where the whole value is an address or a path: no program opens a sentence
# in which one is named.
WHOLE_VALUE: frozenset[str] = frozenset(
    {
        *("path_traversal", "dir_traversal", "file_inclusion", "sensitive_file", "ssrf"),
        *("open_redirect", "recon", "cms_probing", "file_upload"),
    }
)

REPORTED_ONLY: frozenset[str] = frozenset({"csv_injection"})
"""A category that is reported and not refused: harmless to the app, harmful to people who open its
export."""

# Findings of these categories are not weighed and not switched off by `categories`.
CUSTOM = "custom"
BUDGET = "detection_budget"

BEYOND = "max_body_bytes"
"""The indicator of a budget finding for bytes past the inspected part: reported only, unless the
configuration refuses it."""

MAX_LOGGED_CHARS = 200  # enough to recognise an attack, too little to leak a form


@define(unsafe_hash=True)
class Finding:
    """One value over the threshold. Not frozen, which would double the time of making one; nobody
    writes to it.

    :ivar category: one of CATEGORIES, "custom", or "detection_budget".
    :ivar location: "path", "query", "header", "cookie", "form", "json", "multipart", "xml",
        "graphql" or "body".
    :ivar name: of the parameter, header, cookie or field ("" for the path and raw bodies);
        JSON fields by their path, as in `user.address[2].street`.
    :ivar value: as it was sent, at most 200 characters.
    :ivar view: the decoding in which the evidence showed ("raw", "decoded", "spaced", "plain",
        "base64").
    :ivar indicators: names of the evidence, the weightiest first.
    :ivar score: 1.0 is the balanced threshold; log-odds of an attack, scaled.
    :ivar threshold: the score from which this inspection calls a value an attack.
    :ivar is_whole: whether all evidence was weighed. Where some was enough by itself, ``score`` is
        at least so much and ``indicators`` are what was enough; `Inspection.whole` weighs the rest.
    :ivar is_certain: whether the score is well over the threshold and no prose, code or document
        stands around the evidence. Customers who write about code cause those that are not, so
        these count less towards a ban.
    """

    category: str
    location: str
    name: str
    value: str
    view: str
    indicators: tuple[str, ...]
    score: float
    threshold: float
    is_whole: bool = True
    is_certain: bool = True


def spent_finding(location: str, which: str, threshold: float) -> Finding:
    """The finding for a budget that ran out, or for a value that could not be read.

    :param which: the name of the budget or of the fault.
    """
    return Finding(
        BUDGET, location, "", "", "raw", (which,), threshold, threshold, is_certain=False
    )
