"""One piece of evidence: a linear pattern over the bytes of a decoded value."""

from __future__ import annotations

from attrs import frozen

# The weight of an indicator before learning: a hand-set prior, which the learned weights of
# model.json replace. 1.0 is the balanced threshold. STRONG alone is a finding. CERTAIN is a finding
# among harmless words as well. DECISIVE is a finding whatever surrounds it. Learning lowers some of
# the first two.
DECISIVE = 1.6
CERTAIN = 1.3
STRONG = 1.0
MEDIUM = 0.6
WEAK = 0.3


@frozen
class Indicator:
    """A named pattern. Patterns are ASCII and match without case; `.` matches newlines. They use
    only syntax that both Hyperscan and `re` support (no look-around, no back-references).

    :ivar name: `family.evidence`; unique and stable: it appears in findings and in the model file.
    :ivar category: one of CATEGORIES; the category of a finding if this evidence leads.
    :ivar source: the origin of the idea (CWE, OWASP page, CVE, RFC, a chapter of
        PayloadsAllTheThings, a rule family of the OWASP Core Rule Set).
    :ivar prior: the hand-set weight. It counts until model.json has a learned one.
    :ivar prefilter: patterns for the first pass, in the syntax of prefilter_patterns.py, if its own
        patterns do not match what this one looks for.
    :ivar examples: whole values; each must match the first pass and this pattern.
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
