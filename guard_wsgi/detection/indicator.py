"""One piece of evidence: a linear pattern over the bytes of a decoded value."""

from __future__ import annotations

from attrs import frozen

# How much one indicator says before anything is learned: the hand-set prior which the learned
# weights of model.json replace. 1.0 is the balanced threshold, so STRONG alone is a finding, and
# CERTAIN is one among harmless words as well.
CERTAIN = 1.3
STRONG = 1.0
MEDIUM = 0.6
WEAK = 0.3


@frozen
class Indicator:
    """A named pattern. Patterns are ASCII, matched without case, `.` takes newlines; they use
    only what both Hyperscan and `re` take (no look-around, no back-references).

    :ivar name: `family.evidence`; unique, stable: it appears in findings and in the model file.
    :ivar category: one of CATEGORIES; the category a finding gets when this evidence leads.
    :ivar source: where the idea comes from (CWE, OWASP page, CVE, RFC, a chapter of
        PayloadsAllTheThings, a rule family of the OWASP Core Rule Set).
    :ivar prior: the hand-set weight.
    :ivar trigger: whether a hit in the raw request makes the values be parsed and scored.
    """

    name: str
    category: str
    pattern: str
    source: str
    prior: float = MEDIUM
    trigger: bool = True
