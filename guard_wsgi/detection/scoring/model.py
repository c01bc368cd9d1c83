"""The weights of evidence, learned from labelled requests.

benchmarks/training/train_detection.py writes `model.json`. A score is the weighted sum of the
evidence, shifted and scaled so that 1.0 is the balanced threshold.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, Final, NamedTuple

from attrs import field, frozen

from guard_wsgi.detection.finding import CATEGORIES
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.language.tokens import RunWeights
from guard_wsgi.detection.scoring.priors import (
    EXCUSES,
    PRIOR_FEATURES,
    feature_categories,
    prior_pairs,
)

MODEL_FILE: Final = "model.json"


_OF_PARTS: Final = ("text:part", "size:")
_INDICATOR_NAMES: Final = frozenset(one.name for one in INDICATORS)


@frozen
class Scored:
    """A weighed value.

    :ivar score: 1.0 is the balanced threshold.
    :ivar category: the one with the most evidence; "" if nothing indicates an attack.
    """

    score: float
    category: str


class _Entry(NamedTuple):
    """A model's data about one feature.

    :ivar category: the category that it supports; "" for none, and for evidence of harmlessness.
    :ivar most: the most that it may add in any place, without other indicators.
    :ivar rivals: other indicators that add to it if they are present.
    """

    weight: float
    category: str
    partners: tuple[tuple[str, float], ...]
    is_shape: bool
    most: float
    rivals: tuple[tuple[str, float], ...]


@frozen
class Model:
    """Weights by feature.

    :ivar bias: log-odds of an attack before any evidence.
    :ivar balanced: log-odds at which the score is 1.0.
    :ivar unit: log-odds between a score of 0 and 1.0.
    :ivar weights: feature -> log-odds.
    :ivar categories: feature -> the category that it supports, if any.
    :ivar pairs: feature -> partners with their own weight, which counts if both are present.
    :ivar shapes_most: the most log-odds that all runs of tokens add. They distinguish a short
        injection from prose; in a long text there are so many that they would add up to any sum.
    :ivar sufficient: the indicators that are enough by themselves (sufficient.py).
    """

    bias: float
    balanced: float
    unit: float
    weights: Mapping[str, float]
    categories: Mapping[str, str]
    pairs: Mapping[str, tuple[tuple[str, float], ...]]
    shapes_most: float = math.inf
    sufficient: tuple[str, ...] = ()
    _entries: Mapping[str, _Entry] = field(init=False, repr=False, eq=False)
    _runs: dict[frozenset[str], RunWeights] = field(init=False, repr=False, eq=False, factory=dict)

    @_entries.default
    def _by_feature(self) -> Mapping[str, _Entry]:
        return {name: self._entry(name, weight) for name, weight in self.weights.items()}

    def _entry(self, feature: str, weight: float) -> _Entry:
        category = self.categories.get(feature, "") if weight > 0 else ""
        is_shape = feature.startswith("t:")
        partners = self.pairs.get(feature, ())
        more = [(partner, extra) for partner, extra in partners if extra > 0]
        rivals = tuple([one for one in more if one[0] in _INDICATOR_NAMES])
        most = weight  # the same object, for most features
        for partner, extra in more:
            if partner not in _INDICATOR_NAMES:
                most += extra
        return _Entry(weight, category, partners, is_shape, most, rivals)

    def may_reach(self, score: float, features: Collection[str], enabled: frozenset[str]) -> bool:
        """Whether a value with this evidence can reach a score, whatever its shape and place. This
        is much cheaper than weighing, and says no to most values."""
        entries = self._entries
        total = self.bias + self.shapes_most - self.balanced
        for feature in features:
            entry = entries.get(feature)
            if entry is not None and not (entry.category and entry.category not in enabled):
                gain = entry.most
                for rival, extra in entry.rivals:
                    if rival in features:
                        gain += extra
                if gain > 0.0:
                    total += gain
        return 1.0 + total / self.unit >= score - 1e-3

    def part_may_reach(
        self, score: float, features: Collection[str], enabled: frozenset[str]
    ) -> bool:
        """Whether a part of a value can reach a score, if these are the features of the whole value
        without its shape: a part has no more evidence, and only another size."""
        entries = self._entries
        total = self.bias + self.shapes_most - self.balanced
        for feature in features:
            entry = entries.get(feature)
            if entry is None or (entry.category and entry.category not in enabled):
                continue
            gain = entry.weight
            for partner, extra in entry.partners:
                if partner in features or (extra > 0 and partner.startswith(_OF_PARTS)):
                    gain += extra
            if gain > 0:
                total += gain
        return 1.0 + total / self.unit >= score - 1e-3

    def gain(
        self,
        feature: str,
        certain: Collection[str],
        possible: Collection[str],
        enabled: frozenset[str],
    ) -> float:
        """Return the most, in log-odds, that a feature adds next to other features, which are
        certain or possible."""
        entry = self._entries.get(feature)
        if entry is None or (entry.category and entry.category not in enabled):
            return 0.0
        return entry.weight + sum(
            extra
            for partner, extra in entry.partners
            if partner in certain
            or (extra > 0 and (partner in possible or partner in _INDICATOR_NAMES))
        )

    def score_of(self, log_odds: float) -> float:
        """Convert a sum of evidence to a score, before rounding and the cut at 0."""
        return 1.0 + (self.bias + log_odds - self.balanced) / self.unit

    def run_weights(self, enabled: frozenset[str]) -> RunWeights:
        """Return the weights of the runs of tokens that count if these categories are enabled.

        Making them takes four fifths of making a guard, so all guards of a process share them.
        """
        runs = self._runs.get(enabled)
        if runs is None:
            runs = self._runs[enabled] = RunWeights(
                {
                    feature: entry.weight
                    for feature, entry in self._entries.items()
                    if entry.is_shape and not (entry.category and entry.category not in enabled)
                }
            )
        return runs

    def weigh(
        self,
        features: Collection[str],
        enabled: frozenset[str] = CATEGORIES,
        shape: float | None = None,
    ) -> Scored:
        """Weigh the features of one value. Evidence for a category that is not enabled does not
        count.

        :param shape: the weight of its runs of tokens, if they are not among the features.
        """
        entries = self._entries
        everything = enabled >= CATEGORIES
        weights: list[float] = [self.bias]
        shapes: list[float] = []
        by_category: dict[str, float] = {}
        for feature in features:
            entry = entries.get(feature)
            if entry is None:
                continue
            weight, category, partners, is_shape, _, _ = entry
            if category:
                if not everything and category not in enabled:
                    continue
                # A run of tokens shows how much is wrong, an indicator what: runs name the category
                # only if there is nothing else.
                share = weight * 0.01 if is_shape else weight
                by_category[category] = by_category.get(category, 0.0) + share
            (shapes if is_shape else weights).append(weight)
            for partner, extra in partners:
                if partner in features:
                    weights.append(extra)
        # Exact, so the order in which an engine reports does not change the last digit.
        shape = min(math.fsum(shapes) if shape is None else shape, self.shapes_most)
        score = 1.0 + (math.fsum(weights) + shape - self.balanced) / self.unit
        lead = max(sorted(by_category), key=by_category.__getitem__) if by_category else ""
        return Scored(round(max(score, 0.0), 4), lead)

    def leading(
        self, features: Collection[str], enabled: frozenset[str], count: int
    ) -> tuple[str, ...]:
        """Return the names of the features with the most weight for an attack."""
        added = self._added(features, enabled)
        found = sorted([(-weight, name) for name, weight in added if weight > 0])
        return tuple([name for _, name in found[:count]])

    def _added(self, features: Collection[str], enabled: frozenset[str]) -> list[tuple[str, float]]:
        found: list[tuple[str, float]] = []
        entries = self._entries
        for feature in features:
            entry = entries.get(feature)
            if entry is None:
                continue
            weight, category, partners = entry.weight, entry.category, entry.partners
            if category and category not in enabled:
                continue
            found.append((feature, weight))
            for partner, extra in partners:
                if partner in features:
                    found.append((f"{feature} & {partner}", extra))
        return found


STRONG_LOG_ODDS: Final = 4.5
"""The log-odds of a prior of 1.0: over the balanced threshold by itself, with a bias of -4."""

INTROSPECTION: Final = ("graphql.introspection", "query.introspection")
"""The features of a query for a GraphQL schema."""

SHAPES_MOST: Final = 1.5
"""With this bound, 0.3 % of attacks are missed that would be found without one."""


def parse_model(data: Mapping[str, Any]) -> Model:
    """Make a model from the parsed file. Shapes are grouped by category to keep the file small.

    A feature that is not in the file was added after the last training: it keeps the weight that
    its author gave it.
    """
    weights: dict[str, float] = {}
    categories = feature_categories()
    for category, members in data["weights"].items():
        for feature, weight in members.items():
            weights[feature] = float(weight)
            if category:
                categories[feature] = category
    pairs: dict[str, tuple[tuple[str, float], ...]] = {}
    for pair, weight in data.get("pairs", {}).items():
        first, _, second = pair.partition(" & ")
        pairs[first] = (*pairs.get(first, ()), (second, float(weight)))
    prior = prior_model()
    for feature, weight in prior.weights.items():
        if feature not in weights:
            weights[feature] = STRONG_LOG_ODDS * weight
            partners = {**EXCUSES, **dict(prior.pairs.get(feature, ()))}
            pairs[feature] = tuple(
                (name, STRONG_LOG_ODDS * extra) for name, extra in partners.items()
            )
    return Model(
        bias=float(data["bias"]),
        balanced=float(data["balanced"]),
        unit=float(data["unit"]),
        weights=weights,
        categories=categories,
        pairs=pairs,
        shapes_most=float(data["shapes_most"]),
        sufficient=tuple(data.get("sufficient", ())),
    )


def prior_model() -> Model:
    """Return the hand-set weights, from which learning starts: a model without any data."""
    return Model(
        bias=0.0,
        balanced=1.0,
        unit=1.0,
        weights={one.name: one.prior for one in INDICATORS} | PRIOR_FEATURES,
        categories=feature_categories(),
        pairs=prior_pairs(),
        shapes_most=SHAPES_MOST,
    )


@lru_cache(maxsize=1)
def shipped_model() -> Model:
    """Return the model in the package, a constant that is read once."""
    file = resources.files("guard_wsgi.detection.scoring") / MODEL_FILE
    if not file.is_file():
        return prior_model()
    return parse_model(json.loads(file.read_text(encoding="utf-8")))
