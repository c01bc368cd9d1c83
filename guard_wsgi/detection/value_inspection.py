"""Inspects the values of a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from functools import lru_cache
from typing import Final

from guard_wsgi.detection.finding import (
    BUDGET,
    CUSTOM,
    MAX_LOGGED_CHARS,
    REFUSING,
    Finding,
    spent_finding,
)
from guard_wsgi.detection.first_pass import value_bytes
from guard_wsgi.detection.formats.files import EXECUTABLE, file_in_base64
from guard_wsgi.detection.memory import Memory
from guard_wsgi.detection.relaxations.exclusions import MAX_SETS, Exclusions, FieldExclusions
from guard_wsgi.detection.relaxations.field_names import is_for_code, is_run, numbered_alike
from guard_wsgi.detection.relaxations.passwords import (
    is_password_attack,
    password_margin,
    passwords,
)
from guard_wsgi.detection.relaxations.published_fields import is_message
from guard_wsgi.detection.scoring.scorer import Margin, Scorer
from guard_wsgi.detection.scoring.surroundings import is_source
from guard_wsgi.detection.settings import DetectionSettings
from guard_wsgi.detection.value import CARRIED, CONTENT, GIVEN, UNREAD, Budget, BudgetSpent, Value

# The first pass does not know the patterns of these kinds.
_ALWAYS_WEIGHED: Final = frozenset({"markup", "binary", "graphql"})
_SCREENED: Final = _ALWAYS_WEIGHED - {"binary"}
"""Those that are patterns' alone. A batch of queries has hundreds."""
_NAMES: Final = frozenset({"name", "filename"})
"""What the name of the field says of its value does not hold for these."""
_FIRST_CHARS: Final = 2048
_MOST_CHARS: Final = 16_384
"""The first values are weighed soon, because an attack ends the work; later ones in fewer scans."""
LONG_CHARS: Final = 4096
"""A longer value is a document: comments, mails and addresses are shorter."""
# A cell of a notebook, a line of a stack or a sample in a report is code, and the field's name says
# that the app expects code.
CODE_MARGIN: Final = 0.5
# Text of a file in base64 is content, as in an upload; the weights were learned from fields. Of
# 1,034 published sources these two let 60 more pass; bare exploits exceed both.
FILE_MARGIN: Final = 1.0
SOURCE_MARGIN: Final = 2.0
PACKED_SOURCE_MARGIN: Final = 4.0
"""For a program in base64: an app can only use it as a file."""
YAML_TAGS: Final = ("!!", "%TAG")
"""Turn a document into an object of the reader's own classes (CWE-502)."""
_BODY: Final = frozenset({"form", "json", "multipart"})
# More findings in one request add nothing to the verdict.
MAX_FINDINGS: Final = 10


def _margin(value: Value) -> float:
    """Return how much more than the threshold a value needs, by its field."""
    if value.kind in _NAMES:
        return 0.0
    if value.location in _BODY and (file := file_in_base64(value.text)) and not is_run(value):
        return PACKED_SOURCE_MARGIN if is_source(file) else FILE_MARGIN
    if (
        value.location == "body"
        and not any(tag in value.text for tag in YAML_TAGS)
        and is_source(value.text)
    ):
        return SOURCE_MARGIN
    if value.kind == GIVEN:
        return 0.0  # the scorer asks for more, by the category
    if value.kind == CARRIED:
        return SOURCE_MARGIN
    if is_message(value):
        return SOURCE_MARGIN if is_source(value.text) else FILE_MARGIN
    return CODE_MARGIN if is_for_code(value) else 0.0


def _key(value: Value) -> tuple[str, ...]:
    """A key that is the same for values that get the same weight, except passwords. Fields of one
    form may differ by numbers in their names."""
    return value.location, value.kind, numbered_alike(value.name), value.text


def _holds(one: Finding, other: Finding) -> bool:
    """Whether a finding is of the whole of a text of which the other has a part (sentences.py)."""
    return (one.category, one.location, one.name) == (
        other.category,
        other.location,
        other.name,
    ) and other.value in one.value


RESERVED_SHARE: Final = 4
"""A quarter of a budget more is for the long values behind the one that spends it. Their windows
are few, unless somebody means to spend it again."""


class _EnoughFound(Exception):
    """Ends the inspection of a request with enough findings."""


class ValueInspection:
    """Finds attacks among the values of one head or body."""

    def __init__(
        self,
        settings: DetectionSettings,
        scorer: Scorer,
        matches: Callable[[bytes], bool],
        matching: Callable[[Sequence[bytes]], list[int]],
        memory: Memory,
        scorer_without: Callable[[frozenset[str]], Scorer],
    ) -> None:
        """:param matches: the first pass: only what matches is worth weighing.
        :param matching: which of several texts match it.
        :param memory: remembers values that were weighed and found harmless.
        :param scorer_without: makes a scorer without some categories.
        """
        self._threshold = settings.score_threshold
        self._categories = settings.categories
        self._exclusions = Exclusions(settings)
        self._in_fields = FieldExclusions(settings)
        self._scorer_without = lru_cache(MAX_SETS)(scorer_without)
        self._finding_in, self._candidates = scorer.finding, scorer.candidates
        self._matches, self._matching = matches, matching
        self._memory = memory

    def findings(
        self,
        values: Iterator[Value],
        budget: Budget,
        location: str,
        tested: Set[str] = frozenset(),
    ) -> tuple[Finding, ...]:
        """Return the findings in values. Long values come last, so a document can't spend the
        budget of the fields beside it.

        :param tested: texts that are known to match the first pass.
        """
        found: list[Finding] = []
        batch: list[Value] = []
        unmatched: list[Value] = []
        long: list[Value] = []
        size, most, spent = 0, _FIRST_CHARS, ""
        excludes, covers = bool(self._exclusions), self._exclusions.covers
        budget.hold()
        try:
            try:
                for value in values:
                    if value.kind == CONTENT or (excludes and covers(value.location, value.name)):
                        continue
                    if UNREAD in value.flags:
                        found.append(spent_finding(value.location, UNREAD, self._threshold))
                    if EXECUTABLE in value.flags:
                        self._note_executable(value, found)
                    elif len(value.text) > LONG_CHARS:
                        long.append(value)
                    elif value.flags or value.kind == "binary":
                        self._weigh(value, budget, found)
                    else:
                        (unmatched if value.kind in _SCREENED else batch).append(value)
                        size += len(value.text)
                        if size > most:
                            self._weigh_unmatched(unmatched, budget, found)
                            self._weigh_batch(batch, budget, found, tested)
                            batch, unmatched, size = [], [], 0
                            most = min(most * 2, _MOST_CHARS)
            except BudgetSpent as error:
                # The budget for parsing the rest is spent. What has been parsed is weighed.
                spent = str(error)
            except _EnoughFound:
                raise
            except Exception:  # any fault: what could not be read must not count as harmless
                found.append(spent_finding(location, UNREAD, self._threshold))
            self._weigh_unmatched(unmatched, budget, found)
            self._weigh_batch(batch, budget, found, tested)
            budget.release()
            reserve = budget.chars // RESERVED_SHARE
            for place, value in enumerate(long):
                try:
                    if value.flags or value.kind in _ALWAYS_WEIGHED:
                        self._weigh(value, budget, found)
                    else:
                        self._weigh_batch([value], budget, found)
                except BudgetSpent as error:
                    # A document can't spend the budget of the others, either.
                    spent = spent or str(error)
                    rest = len(long) - place - 1
                    if not rest:
                        break
                    share = reserve // rest
                    reserve -= share
                    budget.chars = share
        except BudgetSpent as error:
            spent = spent or str(error)
        except _EnoughFound:
            pass
        if spent and not budget.is_ending:
            found.append(spent_finding(location, spent, self._threshold))
        return tuple(found)

    def _weigh_batch(
        self,
        batch: list[Value],
        budget: Budget,
        found: list[Finding],
        tested: Set[str] = frozenset(),
    ) -> None:
        """Weigh the decoded values that match the first pass: first all together, because a large
        document has thousands of harmless ones, then one by one."""
        if not batch:
            return
        if len(batch) == 1:
            if self._matches(value_bytes(batch[0].text)):
                self._weigh_unless_known(batch[0], budget, found, passwords(batch))
            return
        alike: dict[tuple[str, ...], list[int]] = {}
        for at in self._matching_in(batch, tested):
            alike.setdefault(_key(batch[at]), []).append(at)
        rows = list(alike.values())
        possible = self._candidates([batch[row[0]] for row in rows], budget)
        if possible:
            secret = passwords(batch)
            for place in possible:
                self._weigh_row(rows[place], batch, budget, found, secret)

    def _weigh_unmatched(self, values: list[Value], budget: Budget, found: list[Finding]) -> None:
        """Weigh values of which the first pass says nothing."""
        for place in self._candidates(values, budget):
            self._weigh(values[place], budget, found)

    def _matching_in(self, batch: list[Value], tested: Set[str]) -> list[int]:
        """Return the places of the values that match the first pass."""
        places = [at for at, value in enumerate(batch) if value.text not in tested]
        new = self._matching([value_bytes(batch[at].text) for at in places]) if places else []
        if len(places) == len(batch):
            return new
        others = set(places).difference([places[at] for at in new])
        return [at for at in range(len(batch)) if at not in others]

    def _weigh_row(
        self,
        row: list[int],
        batch: list[Value],
        budget: Budget,
        found: list[Finding],
        secret: frozenset[tuple[str, str]],
    ) -> None:
        """Weigh values that are alike, until one of them is harmless."""
        harmless: set[bool] = set()
        for at in row:
            value = batch[at]
            is_secret = (value.name, value.text) in secret
            if is_secret not in harmless and self._weigh_unless_known(value, budget, found, secret):
                harmless.add(is_secret)

    def _weigh_unless_known(
        self,
        value: Value,
        budget: Budget,
        found: list[Finding],
        secret: frozenset[tuple[str, str]],
    ) -> bool:
        """Weigh a value unless it is remembered, and return whether it is harmless.

        Memory and margin are needed only if the value may exceed the threshold, and most that match
        the first pass do not.
        """
        memory = self._memory
        digest: bytes | None = None

        is_secret = value.kind not in _NAMES and (value.name, value.text) in secret

        def margin_of() -> float | None:
            nonlocal digest
            margin = password_margin(value.text) if is_secret else _margin(value)
            read_as = f"{margin} {is_secret}"
            digest = memory.digest(
                value_bytes(value.text), value.text, value.location, value.kind, value.name, read_as
            )
            return None if digest in memory else margin

        is_harmless = self._weigh(value, budget, found, margin_of, is_secret)
        if is_harmless:
            memory.add(digest)
        return is_harmless

    def _weigh(
        self,
        value: Value,
        budget: Budget,
        found: list[Finding],
        margin_of: Margin | None = None,
        is_secret: bool = False,
    ) -> bool:
        """Weigh a value, and return whether it is harmless. A part of a text that was found already
        is not, but is no finding of its own."""
        try:
            finding = self._finding_in(value, budget, margin_of)
            if finding is not None and self._in_fields:
                finding = self.allowed(finding, value, budget, margin_of)
                if finding is None:
                    return False  # the same text in another field may be an attack
        except BudgetSpent:
            raise
        except Exception:  # any fault: a value that was not weighed must not count as harmless
            finding = spent_finding(value.location, UNREAD, self._threshold)
        if is_secret and finding is not None:
            over = finding.score - self._threshold
            if finding.category not in (BUDGET, CUSTOM) and not is_password_attack(
                value.text, finding.category, over
            ):
                return True
        if finding is None:
            return True
        if not any(_holds(one, finding) for one in found):
            found.append(finding)
            if len(found) >= MAX_FINDINGS:
                raise _EnoughFound
            if finding.category in REFUSING:
                budget.end_soon()
        return False

    def allowed(
        self, finding: Finding, value: Value, budget: Budget, margin_of: Margin | None = None
    ) -> Finding | None:
        """Return the finding of a value without the categories that are excluded in its field."""
        without = self._in_fields.categories(value.location, value.name)
        if not without:
            return finding
        return self._scorer_without(without).finding(value, budget, margin_of)

    def _note_executable(self, value: Value, found: list[Finding]) -> None:
        if "file_upload" in self._categories - self._in_fields.categories(
            value.location, value.name
        ):
            shown, threshold = value.text[:MAX_LOGGED_CHARS], self._threshold
            indicators = (EXECUTABLE,)
            found.append(
                Finding(
                    "file_upload",
                    *(value.location, value.name, shown, "raw"),
                    *(indicators, threshold, threshold),
                )
            )
