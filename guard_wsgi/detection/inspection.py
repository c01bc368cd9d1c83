"""An inspection: detection with one set of settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import evolve

from guard_wsgi.detection.bare_attacks import MAX_STRINGS, BareAttacks
from guard_wsgi.detection.base64_documents import has_wrapped, unwrapped
from guard_wsgi.detection.custom import CustomPattern, matching_each, with_custom
from guard_wsgi.detection.finding import BEYOND, MAX_LOGGED_CHARS, Finding, spent_finding
from guard_wsgi.detection.first_pass import (
    HIDDEN,
    StableHeaders,
    Weighed,
    body_matches,
    body_pass,
    value_bytes,
)
from guard_wsgi.detection.formats.large_bodies import PiecePass
from guard_wsgi.detection.formats.structure import unfold
from guard_wsgi.detection.language.tokens import RunWeights
from guard_wsgi.detection.memory import Memory
from guard_wsgi.detection.message.bodies import body_readings, is_undecodable
from guard_wsgi.detection.message.body_values import body_values, is_document
from guard_wsgi.detection.message.framing import structure_fault
from guard_wsgi.detection.message.head import head_values
from guard_wsgi.detection.message.media import BodyKind
from guard_wsgi.detection.scanning.families import BuiltinScanners
from guard_wsgi.detection.scanning.prefilter import Prefilter
from guard_wsgi.detection.scanning.scanner import Scanner
from guard_wsgi.detection.scoring.model import Model
from guard_wsgi.detection.scoring.scorer import Scorer
from guard_wsgi.detection.scoring.sufficient import Sufficient
from guard_wsgi.detection.settings import DetectionSettings
from guard_wsgi.detection.value import (
    BODY_EACH,
    DENSITY,
    HEAD_EACH,
    SHORT_SHARE,
    UNREAD,
    Budget,
    BudgetSpent,
    Value,
)
from guard_wsgi.detection.value_inspection import ValueInspection

NUL: Final = 0  # as a byte (percent.py)
# A text that is weighed all over spends a request's budget after 130 kB of markup or 300 kB of
# logs. No ordinary shorter body spends it.
DENSE_BYTES = 65_536
SEARCHED_SHARE = 4
"""This fraction of a budget is reserved for a search of everything that the rest could not
weigh."""
UNWRAPPING_SHARE: Final = 4
"""This fraction of a budget may be used to decompress and decode a body."""
MOST_RATIO: Final = 16
"""How many bytes of what is in a compressed body count as sent, for each byte of it: the ratio of
logs."""
MARKED_SHARE = 2
"""This fraction of that, and what the search has left, may be used to weigh the values of small
fields and short values with a mark of an attack."""
DENSE = frozenset({"max_chars", "max_values", DENSITY})


class Inspection:
    """Inspects one request at a time; safe to share between threads."""

    def __init__(
        self,
        settings: DetectionSettings,
        prefilter: Prefilter,
        builtin: BuiltinScanners,
        model: Model,
        runs: RunWeights,
        sufficient: Sufficient,
        stable: StableHeaders,
        custom: tuple[CustomPattern, ...],
        custom_scanner: Scanner | None,
    ) -> None:
        self.settings = settings
        # Findings also name a user's own patterns, so then every value is read in full.
        self._bare = BareAttacks(sufficient, settings)
        self._at_once = self._bare.in_pairs if custom_scanner is None else _nothing
        # The first pass. It is usually the prefilter itself, without a call in between.
        self._matches, self._matches_json = prefilter.matches, prefilter.matches_json
        self._matching: Callable[[Sequence[bytes]], list[int]] = prefilter.matching
        if custom_scanner is not None:
            self._matches = with_custom(prefilter.matches, custom_scanner, custom)
            self._matches_json = with_custom(prefilter.matches_json, custom_scanner, custom)
            self._matching = matching_each(self._matches)
        self._threshold = settings.score_threshold
        self._memory = Memory()
        self._scorer = Scorer(
            settings, builtin, model, runs, prefilter.hits, custom, custom_scanner
        )

        def scorer_without(unwanted: frozenset[str]) -> Scorer:
            fewer = evolve(settings, categories=settings.categories - unwanted)
            weights = model.run_weights(fewer.categories)
            rest = (prefilter.hits, custom, custom_scanner, unwanted)
            return Scorer(fewer, builtin, model, weights, *rest)

        self._values = ValueInspection(
            settings, self._scorer, self._matches, self._matching, self._memory, scorer_without
        )
        # A shorter query can't exceed a limit.
        self._longest_within = min(settings.max_chars, settings.max_values)
        #: Almost every head is benign to it. What it reads of any other is for `matched_head`.
        # Headers that match the first pass, and in which these settings find nothing.
        self._weighed: Weighed = {}
        self._stable = stable
        self.first_pass = stable.head_pass(
            self._matches,
            self._matches_json,
            lambda environ: self._excess(environ.get("QUERY_STRING") or "") != "",
            self._longest_within,
            self._weighed,
        )
        #: Whether a body is benign. One that is not, or was encoded, is for `matched_body`.
        self.benign_body = body_pass(
            self._matches, self._matches_json, settings.weighs_contents, settings.reads_any_form
        )

    def head(self, environ: dict[str, Any]) -> tuple[Finding, ...]:
        """Return findings in the path, query, cookies and headers; () if clean."""
        data = self.first_pass(environ)
        return () if data is None else self.matched_head(environ, data)

    def matched_head(self, environ: dict[str, Any], data: bytes) -> tuple[Finding, ...]:
        """Return findings in a head whose text ``data`` matched the first pass."""
        query = environ.get("QUERY_STRING") or ""
        if len(query) > self._longest_within:
            spent = self._excess(query)
            if spent:
                return (spent_finding("query", spent, self._threshold),)
        if NUL in data and "encoding" in self.settings.categories:
            nul = _nul_finding(environ, self._threshold)
            if nul is not None:
                return (nul,)
        finding = self._at_once(query.encode("latin-1", "replace"), "query")
        if finding is not None:
            return (finding,)
        digest = self._memory.head_digest(environ)
        if digest in self._memory:
            self._stable.remember_weighed(environ, self._weighed)
            return ()
        budget = self._budget(int(_head_size(environ) * HEAD_EACH))
        found = self._values.findings(head_values(environ, budget), budget, "query")
        if not found:
            self._memory.add(digest)
            self._stable.remember_weighed(environ, self._weighed)
        return found

    def stored_head(self, environ: dict[str, Any]) -> tuple[Finding, ...]:
        """The same where the path is of a file that the app keeps for its clients."""
        budget = self._budget(int(_head_size(environ) * HEAD_EACH))
        return self._values.findings(head_values(environ, budget, is_stored=True), budget, "query")

    def body(
        self,
        body: bytes,
        *,
        content_type: str,
        content_encoding: str = "",
        complete: bool = True,
    ) -> tuple[Finding, ...]:
        """Return findings in a body, or in its beginning if `complete` is false."""
        if not content_encoding and self.benign_body(content_type)(body):
            return ()
        return self.matched_body(body, content_type, content_encoding, complete)

    def matched_body(
        self, body: bytes, content_type: str, content_encoding: str, complete: bool
    ) -> tuple[Finding, ...]:
        """Return findings in a body that is encoded, or that matched the first pass."""
        settings = self.settings
        if not body or not settings.scan_body:
            return ()
        limit = settings.max_body_bytes
        if len(body) > limit:
            body, complete = body[:limit], False
        digest = self._memory.digest(body, content_type, content_encoding, str(complete))
        if digest in self._memory:
            return ()
        found: tuple[Finding, ...] = ()
        size = len(body)
        budget = self._budget(int(size * BODY_EACH), SHORT_SHARE)  # of all readings together
        unwrapping = Budget.of(0, settings.max_chars // UNWRAPPING_SHARE, int(size * BODY_EACH))
        allowed, earning = unwrapping.chars, size * MOST_RATIO
        kind = BodyKind.of(content_type)
        readings = body_readings(body, kind, content_encoding, complete, limit, unwrapping)
        try:
            for data, read_as, fault in readings:
                if complete and fault:
                    which = BEYOND if kind.is_file else fault
                    found = (*found, spent_finding("body", which, self._threshold))
                budget.chars -= min(allowed - unwrapping.chars, budget.chars)
                allowed = unwrapping.chars
                if size < min(len(data), earning):  # it was compressed
                    budget.grow(int((min(len(data), earning) - size) * BODY_EACH))
                    size = len(data)
                is_tested = data is body and _was_tested(body, content_type, content_encoding, kind)
                more = self._read_body(data, read_as, not fault, budget, is_tested)
                found += tuple([finding for finding in more if finding not in found])
        except BudgetSpent:
            which = BEYOND if kind.is_file else DENSITY
            found = (*found, spent_finding("body", which, self._threshold))
        except Exception:  # any fault: a body that was not read must not count as harmless
            found = (*found, spent_finding("body", UNREAD, self._threshold))
        if content_encoding and not kind.is_file and is_undecodable(body, content_encoding):
            found = (*found, spent_finding("body", UNREAD, self._threshold))
        if not found:
            self._memory.add(digest)
        return found

    def _read_body(
        self, body: bytes, kind: BodyKind, complete: bool, budget: Budget, is_tested: bool
    ) -> tuple[Finding, ...]:
        """Return findings in one reading of a body.

        :param is_tested: whether the first pass is known to match it.
        """
        settings = self.settings
        contents = settings.weighs_contents
        if kind.is_file and not contents and not is_document(body, settings.reads_any_form):
            return ()
        found: tuple[Finding, ...] = ()
        # In a multipart body, files are skipped, and the values are tested all together.
        if not kind.is_multipart:
            is_json = (kind.is_json and not kind.is_form) or (kind.is_file and body[:1] in b"[{")
            prefilter = self._matches_json if is_json else self._matches
            if (
                not is_tested
                and not body_matches(body, kind, prefilter)
                and not (has_wrapped(body) and self._matches_json(unwrapped(body)))
            ):
                return ()
        # Runs of brackets match the prefilter as well, so a body without a match is not too deep.
        fault = structure_fault(body, kind, complete, settings.max_json_depth)
        if fault:
            found = (spent_finding("body", fault, self._threshold),)
        elif kind.media == "application/x-www-form-urlencoded":
            finding = self._at_once(body, "form")
            if finding is not None:
                return (finding,)
        first_pass = None
        tested: set[str] = set()
        if not kind.is_multipart:
            first_pass = self._piece_pass(prefilter, kind, tested)
        values = body_values(
            body,
            kind,
            complete,
            settings.max_json_depth,
            budget,
            contents,
            first_pass,
            settings.reads_any_form,
        )
        more = self._values.findings(values, budget, "body", tested)
        if len(body) > DENSE_BYTES and any(DENSE.intersection(one.indicators) for one in more):
            chars = settings.max_chars // SEARCHED_SHARE // 2**budget.searches
            budget.searches += 1
            search = Budget(MAX_STRINGS, chars)
            others: list[Value] = []
            bare = self._bare.in_body(body, kind, complete, first_pass, search, others)
            if bare is not None:
                return (*found, bare)
            rest = search.chars + chars // MARKED_SHARE
            more += self._weighed_after(others, Budget(settings.max_values, rest))
            # Its beginning was weighed. The rest is reported, like the rest of too long a body.
            more = tuple([one for one in more if not DENSE.intersection(one.indicators)])
            more = (*more, spent_finding("body", BEYOND, self._threshold))
        return found + tuple([finding for finding in more if finding not in found])

    def _weighed_after(self, values: list[Value], budget: Budget) -> tuple[Finding, ...]:
        """Weigh one value after the other, so that unfolding those behind it spends nothing."""
        found: tuple[Finding, ...] = ()
        for value in values:
            if budget.chars < 0:
                break
            found += self._values.findings(iter(unfold(value, budget)), budget, "body")
        return found

    def _piece_pass(
        self, prefilter: Callable[[bytes], bool], kind: BodyKind, tested: set[str]
    ) -> PiecePass:
        """Return the first pass over pieces of a body and over values.

        :param tested: receives the values that match.
        """
        matching = self._matching

        def matching_values(texts: Sequence[str]) -> list[int]:
            found = matching(list(map(value_bytes, texts)))
            tested.update([texts[at] for at in found])
            return found

        return lambda piece: body_matches(piece, kind, prefilter), matching_values

    def _budget(self, more: int, short_share: float = 1.0) -> Budget:
        settings = self.settings
        most = settings.max_chars - settings.max_chars // SEARCHED_SHARE
        return Budget.of(settings.max_values, most, more, short_share)

    def whole(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """Return the same findings, with all evidence weighed where so far only a part was."""
        return tuple([one if one.is_whole else self._whole(one) for one in findings])

    def _whole(self, finding: Finding) -> Finding:
        value = Value(finding.location, finding.name, finding.value)
        budget = self._budget(len(value.text))
        whole = self._scorer.finding(value, budget)
        return (whole and self._values.allowed(whole, value, budget)) or finding

    def _excess(self, query: str) -> str:
        """Return the limit that a long query exceeds before parsing; "" for none."""
        if len(query) > self.settings.max_chars:
            return "max_chars"
        return "max_values" if query.count("&") >= self.settings.max_values else ""


def _was_tested(body: bytes, content_type: str, content_encoding: str, kind: BodyKind) -> bool:
    """Whether a body that is not benign (`body_pass`) must have matched: it has one reading."""
    return not (
        content_encoding
        or kind.is_file
        or "charset" in content_type.lower()
        or body.startswith(HIDDEN)
    )


def _head_size(environ: Mapping[str, Any]) -> int:
    return sum(
        len(text)
        for key, text in environ.items()
        if key.startswith("HTTP_") or key in ("PATH_INFO", "QUERY_STRING")
    )


def _nothing(encoded: bytes, location: str) -> Finding | None:
    return None


def _nul_finding(environ: Mapping[str, Any], threshold: float) -> Finding | None:
    """Find a NUL in the path or the query: no legitimate client sends one (CWE-158)."""
    for location, key in (("path", "PATH_INFO"), ("query", "QUERY_STRING")):
        text = environ.get(key) or ""
        if "\x00" in text or "%00" in text:
            shown = text[:MAX_LOGGED_CHARS]
            return Finding(
                "encoding", location, "", shown, "raw", ("path.null_byte",), threshold, threshold
            )
    return None
