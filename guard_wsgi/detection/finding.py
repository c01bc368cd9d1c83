"""A finding of detection: one suspicious value, with the evidence against it."""

from __future__ import annotations

from attrs import define

# The categories of flaskapi-guard, then ours.
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
        # Not among the nineteen of flaskapi-guard:
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

# Attacks only if the whole value is an address or a path: no program opens a sentence that names
# one.
WHOLE_VALUE: frozenset[str] = frozenset(
    {
        *("path_traversal", "dir_traversal", "file_inclusion", "sensitive_file", "ssrf"),
        *("open_redirect", "recon", "cms_probing", "file_upload"),
    }
)

REPORTED_ONLY: frozenset[str] = frozenset({"csv_injection"})
"""A category that is reported and not refused: harmless to the app, harmful to people who open its
export."""

REFUSING: frozenset[str] = CATEGORIES - REPORTED_ONLY
"""A finding of these refuses the request, whatever else is in it."""

# Findings of these categories are not weighed, and `categories` does not switch them off.
CUSTOM = "custom"
BUDGET = "detection_budget"

BEYOND = "max_body_bytes"
"""The indicator of a budget finding for bytes past the inspected part: reported only, unless the
configuration refuses it."""

MAX_LOGGED_CHARS = 200  # enough to recognise an attack; too little to leak a form


@define(unsafe_hash=True)
class Finding:
    """One value over the threshold. Not frozen, because that doubles the time of making one; nobody
    writes to it.

    :ivar category: one of CATEGORIES, "custom", or "detection_budget".
    :ivar location: "path", "query", "header", "cookie", "form", "json", "multipart", "xml",
        "graphql" or "body".
    :ivar name: the parameter, header, cookie or field ("" for the path and raw bodies); JSON fields
        by their path, such as `user.address[2].street`.
    :ivar value: as it was sent, at most 200 characters.
    :ivar view: the decoding that showed the evidence ("raw", "decoded", "spaced", "plain",
        "base64").
    :ivar indicators: names of the evidence, the heaviest first.
    :ivar score: scaled log-odds of an attack; 1.0 is the balanced threshold.
    :ivar threshold: the score at which this inspection calls a value an attack.
    :ivar is_whole: whether all evidence was weighed. If a part was enough, ``score`` is a lower
        bound and ``indicators`` are that part; `Inspection.whole` weighs the rest.
    :ivar is_certain: whether the score is well over the threshold and no prose, code or document
        surrounds the evidence. Customers who write about code cause other findings, so those count
        less towards a ban.
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
    """Return the finding for a spent budget, or for a value that could not be read.

    :param which: the name of the budget or of the fault.
    """
    return Finding(
        BUDGET, location, "", "", "raw", (which,), threshold, threshold, is_certain=False
    )
