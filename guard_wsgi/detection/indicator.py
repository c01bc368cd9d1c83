"""One piece of evidence: a linear pattern over the bytes of a decoded value."""

from __future__ import annotations

from attrs import frozen

# The weight of an indicator before learning: a hand-set prior, which the learned weights of
# model.json replace. 1.0 is the balanced threshold, so STRONG alone is a finding, and CERTAIN is
# one among harmless words as well. DECISIVE is one whatever stands around it and whatever it is
# like: learning takes some of either.
DECISIVE = 1.6
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
    :ivar prior: the hand-set weight. It counts as long as model.json has none that was learned.
    :ivar prefilter: patterns for the first pass, in the syntax of prefilter_patterns.py, where
        its own do not match what this one looks for.
    :ivar examples: whole values of which each opens the first pass and is found by the pattern.
    """

    name: str
    category: str
    pattern: str
    source: str
    prior: float = MEDIUM
    prefilter: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


@frozen
class Family:
    """Makes the indicators of one family.

    :ivar name: the beginning of their names.
    """

    name: str

    def __call__(
        self,
        category: str,
        name: str,
        pattern: str,
        source: str,
        prior: float = MEDIUM,
        prefilter: tuple[str, ...] = (),
        examples: tuple[str, ...] = (),
    ) -> Indicator:
        return Indicator(
            f"{self.name}.{name}", category, pattern, source, prior, prefilter, examples
        )
