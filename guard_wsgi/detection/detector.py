"""Detector: patterns compiled once an instance. Inspection: one set of choices, ready to serve."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

from guard_wsgi.detection.bodies import body_readings
from guard_wsgi.detection.evidence import (
    WRITING,
    BuiltinScanners,
    Reading,
    Surroundings,
    builtin_scanners,
    has_script,
    is_for_code,
    readings,
)
from guard_wsgi.detection.extract import body_values, form_bytes, head_values, is_document
from guard_wsgi.detection.files import EXECUTABLE
from guard_wsgi.detection.finding import BEYOND, BUDGET, CUSTOM, MAX_LOGGED_CHARS, Finding
from guard_wsgi.detection.first_pass import (
    WRAPPED_BYTES,
    StableHeaders,
    body_bytes,
    body_pass,
    unwrapped,
    value_bytes,
)
from guard_wsgi.detection.fragments import without_fragments
from guard_wsgi.detection.framing import structure_fault
from guard_wsgi.detection.large import PiecePass
from guard_wsgi.detection.media import BodyKind
from guard_wsgi.detection.memory import Memory
from guard_wsgi.detection.model import INTROSPECTION, Model, Verdict, shipped_model
from guard_wsgi.detection.normalize import views
from guard_wsgi.detection.prefilter import Prefilter, builtin_prefilter
from guard_wsgi.detection.scanner import Engine, Scanner, compile_patterns
from guard_wsgi.detection.settings import DetectionSettings, is_named
from guard_wsgi.detection.structure import unfold
from guard_wsgi.detection.sufficient import Sufficient, builtin_sufficient
from guard_wsgi.detection.terms import is_term
from guard_wsgi.detection.tokens import RunWeights
from guard_wsgi.detection.value import (
    UNREAD,
    Budget,
    BudgetSpent,
    Value,
    is_password_name,
    passwords,
    to_text,
)
from guard_wsgi.detection.window import Window, windows

NUL = 0  # as a byte (percent.py)
# Values of these kinds are few and are looked at with patterns of their own.
_ALWAYS_WEIGHED = frozenset({"markup", "binary", "graphql", "filename"})
_BATCH_CHARS = 4096
# What a window costs at least, in characters: weighing has a fixed part.
MIN_CHARGE_CHARS = 96
# Looking for indicators costs a fraction of weighing them, and most windows need no more.
CHEAP = 8
# What weighing a window costs of its characters, so that a page of 230 kB that is markup all over
# is still weighed whole.
FULL = 2
# Any characters are a password, so one needs far more evidence: of 100,000 generated ones seven
# reach it, and of SQL injections that are found in other fields 94 in 100 do.
PASSWORD_MARGIN = 1.25
# A cell of a notebook, a line of a stack or a sample in a report is code, and the app says by the
# field's name that it takes it for that.
CODE_MARGIN = 0.5
WORDED_PASSWORD_MARGIN = 0.5
# How far over the threshold a score is certain: there the preset "relaxed" begins, which refuses
# a third of the customers that "balanced" does.
CERTAIN_MARGIN = 0.6
# More findings in one request say no more about it, nor do more indicators about a finding.
MAX_FINDINGS = 10
MAX_INDICATORS = 12


class _EnoughFound(Exception):
    """Ends the inspection of a request that has shown what it is."""


# Text in which every second line is to be weighed spends a request's budget after a quarter of a
# megabyte. A shorter body that spends it is not of a kind that people send.
DENSE_BYTES = 262_144
DENSE = frozenset({"max_chars", "max_values"})

# Of the pairs that are looked at before all else: a flood of attacks has few.
MAX_PAIRS_AT_ONCE = 16

# A pattern with anchors may match a value without matching the request that carries it.
_ANCHOR = re.compile(r"(?<!\\)(?:\^|\$|\\[AZzbB])")


@frozen
class Explanation:
    """How one window of a value was weighed: what `guard-wsgi inspect` prints.

    :ivar evidence: (name, view, weight in log-odds), the weightiest first.
    """

    location: str
    name: str
    value: str
    category: str
    evidence: tuple[tuple[str, str, float], ...]
    score: float
    threshold: float


@frozen
class CustomPattern:
    """A user's pattern: a match is a finding by itself, in every place."""

    name: str
    pattern: str
    category: str = CUSTOM


class Detector:
    """The built-in indicators and a user's own patterns.

    Patterns may be added and removed while serving: inspections made earlier keep theirs until
    `compile` is called again, and adding compiles only the user's patterns.

    :raises PatternRefused: for a pattern the engine can't take, with its reason.
    """

    def __init__(
        self,
        custom_patterns: Mapping[str, str] | Iterable[str] = (),
        engine: Engine = "auto",
        model: Model | None = None,
    ) -> None:
        self._engine = engine
        self._builtin = builtin_scanners(engine)
        self._prefilter = builtin_prefilter(engine)
        self._model = model or shipped_model()
        self._sufficient = (
            builtin_sufficient(engine) if model is None else Sufficient(model, engine)
        )
        self._runs: dict[frozenset[str], RunWeights] = {}
        # One for all inspections: there is one a route, and clients choose what is remembered.
        self._stable = StableHeaders()
        self._custom: dict[str, CustomPattern] = {}
        self._custom_scanner: Scanner | None = None
        if isinstance(custom_patterns, Mapping):
            named = dict(custom_patterns)
        else:
            named = {pattern: pattern for pattern in custom_patterns}
        if named:
            self._set_custom({name: CustomPattern(name, text) for name, text in named.items()})

    def _set_custom(self, patterns: dict[str, CustomPattern]) -> None:
        pairs = [(one.name, one.pattern) for one in patterns.values()]
        scanner = compile_patterns(pairs, self._engine) if pairs else None
        self._custom, self._custom_scanner = patterns, scanner
        # What one set of patterns has cleared, another one may find something in.
        self._stable = StableHeaders()

    def add_pattern(
        self, pattern: str, name: str | None = None, category: str = CUSTOM
    ) -> CustomPattern:
        """Add a pattern under a name (by default the pattern itself); replaces one of the name.

        :raises PatternRefused: for a pattern the engine can't take; nothing changes then.
        """
        made = CustomPattern(name or pattern, pattern, category)
        self._set_custom({**self._custom, made.name: made})
        return made

    def remove_pattern(self, name: str) -> bool:
        """Remove by name; False when there is none."""
        if name not in self._custom:
            return False
        self._set_custom({key: one for key, one in self._custom.items() if key != name})
        return True

    def patterns(self) -> tuple[CustomPattern, ...]:
        """The user's patterns, in the order they were added."""
        return tuple(self._custom.values())

    def warm(self) -> None:
        """Compile, or load, what is otherwise compiled when the first value is to be weighed:
        seconds on a machine that has never done it, milliseconds after (see database.py). For a
        process that forks its workers, or one that may start slowly."""
        self._builtin.warm()
        self._sufficient.warm()

    def compile(self, settings: DetectionSettings | None = None) -> Inspection:
        """Bind settings to the compiled patterns. Cheap: one a route overlay is fine."""
        settings = settings or DetectionSettings()
        runs = self._runs.get(settings.categories)
        if runs is None:
            runs = self._runs[settings.categories] = self._model.run_weights(settings.categories)
        return Inspection(
            settings,
            self._prefilter,
            self._builtin,
            self._model,
            runs,
            self._sufficient,
            self._stable,
            tuple(self._custom.values()),
            self._custom_scanner,
        )


class Inspection:
    """Answers for one request at a time; safe to share between threads."""

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
        self._builtin = builtin
        self._model = model
        self._runs = runs
        # A user's own patterns are told as well, so then every value is read in full.
        self._sufficient = sufficient if custom_scanner is None else None
        self._scores = sufficient.scores(settings.categories, settings.score_threshold)
        self._custom = custom
        self._custom_scanner = custom_scanner
        # The first pass. Usually that is the prefilter itself, without a call in between.
        self._matches, self._matches_json = prefilter.matches, prefilter.matches_json
        self._hits = prefilter.hits
        if custom_scanner is not None:
            anchored = any(_ANCHOR.search(one.pattern) for one in custom)
            self._matches = _also(prefilter.matches, custom_scanner, anchored)
            self._matches_json = _also(prefilter.matches_json, custom_scanner, anchored)
        self._threshold = settings.score_threshold
        self._params = settings.excluded_params
        self._headers = frozenset(name.lower() for name in settings.excluded_headers)
        self._fields = settings.excluded_body_fields
        self._memory = Memory()
        self._ignored = () if settings.refuses_introspection else INTROSPECTION
        # A shorter query can be over neither limit.
        self._longest_within = min(settings.max_chars, settings.max_values)
        #: Clears the head of almost every request; what it does not clear is for `opened_head`.
        self.first_pass = stable.head_pass(
            self._matches,
            self._matches_json,
            lambda environ: self._excess(environ.get("QUERY_STRING") or "") != "",
            self._longest_within,
        )
        #: Clears most bodies; what it does not clear, or was encoded, is for `opened_body`.
        self.clears_body = body_pass(self._matches, self._matches_json, settings.weighs_contents)

    def head(self, environ: dict[str, Any]) -> tuple[Finding, ...]:
        """Findings in the path, query, cookies and headers; () when clean."""
        data = self.first_pass(environ)
        return () if data is None else self.opened_head(environ, data)

    def opened_head(self, environ: dict[str, Any], data: bytes) -> tuple[Finding, ...]:
        """Findings in a head that the first pass has read as ``data`` and not cleared."""
        query = environ.get("QUERY_STRING") or ""
        if len(query) > self._longest_within:
            spent = self._excess(query)
            if spent:
                return (self._spent("query", spent),)
        if NUL in data and "encoding" in self.settings.categories:
            nul = _nul_finding(environ, self._threshold)
            if nul is not None:
                return (nul,)
        finding = self._at_once(query.encode("latin-1", "replace"), "query")
        if finding is not None:
            return (finding,)
        digest = self._memory.head_digest(environ)
        if digest in self._memory:
            return ()
        budget = self._budget()
        found = self._inspect(head_values(environ, budget), budget, "query")
        if not found:
            self._memory.add(digest)
        return found

    def body(
        self,
        body: bytes,
        *,
        content_type: str,
        content_encoding: str = "",
        complete: bool = True,
    ) -> tuple[Finding, ...]:
        """Findings in a body, or in its beginning when `complete` is false."""
        if not content_encoding and self.clears_body(content_type)(body):
            return ()
        return self.opened_body(body, content_type, content_encoding, complete)

    def opened_body(
        self, body: bytes, content_type: str, content_encoding: str, complete: bool
    ) -> tuple[Finding, ...]:
        """Findings in a body that is encoded, or that the first pass has not cleared."""
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
        readings = body_readings(body, BodyKind.of(content_type), content_encoding, complete, limit)
        for data, kind, whole in readings:
            if complete and not whole:
                found = (*found, self._spent("body", BEYOND))
            more = self._read_body(data, kind, whole)
            found += tuple([finding for finding in more if finding not in found])
        if not found:
            self._memory.add(digest)
        return found

    def _read_body(self, body: bytes, kind: BodyKind, complete: bool) -> tuple[Finding, ...]:
        """Findings in one reading of a body."""
        settings = self.settings
        contents = settings.weighs_contents
        if kind.is_file and not contents and not is_document(body):
            return ()
        found: tuple[Finding, ...] = ()
        # Of a multipart body files are passed over, and the values looked at all together.
        if not kind.is_multipart:
            is_json = (kind.is_json and not kind.is_form) or (kind.is_file and body[:1] in b"[{")
            prefilter = self._matches_json if is_json else self._matches
            opened = prefilter(body_bytes(body, kind))
            if not opened and not (WRAPPED_BYTES in body and self._matches_json(unwrapped(body))):
                return ()
        # Rows of brackets match the prefilter as well: what it lets through is not too deep.
        fault = structure_fault(body, kind, complete, settings.max_json_depth)
        if fault:
            found = (self._spent("body", fault),)
        elif kind.media == "application/x-www-form-urlencoded":
            finding = self._at_once(body, "form")
            if finding is not None:
                return (finding,)
        budget = self._budget()
        first_pass = None
        if not kind.is_multipart:
            first_pass = self._piece_pass(prefilter, kind)
        values = body_values(
            body, kind, complete, settings.max_json_depth, budget, contents, first_pass
        )
        more = self._inspect(values, budget, "body")
        if len(body) > DENSE_BYTES and any(DENSE.intersection(one.indicators) for one in more):
            # Its beginning was weighed: what is beyond is told, as it is of a body too long.
            more = tuple([one for one in more if not DENSE.intersection(one.indicators)])
            more = (*more, self._spent("body", BEYOND))
        return found + tuple([finding for finding in more if finding not in found])

    def _piece_pass(self, prefilter: Callable[[bytes], bool], kind: BodyKind) -> PiecePass:
        matches = self._matches
        return (
            lambda piece: prefilter(body_bytes(piece, kind)),
            lambda text: matches(value_bytes(text)),
        )

    def explain_value(
        self, text: str, *, location: str = "query", name: str = ""
    ) -> tuple[Explanation, ...]:
        """How one value is weighed, taken apart as it would be; for people, not for serving."""
        return self._explain(unfold(Value(location, name, text), self._budget()))

    def explain_head(self, environ: dict[str, Any]) -> tuple[Explanation, ...]:
        """How every value of a head is weighed, those without evidence left out."""
        return self._explain(head_values(environ, self._budget()))

    def explain_body(self, body: bytes, *, content_type: str) -> tuple[Explanation, ...]:
        """How every value of a body is weighed, those without evidence left out."""
        depth = self.settings.max_json_depth
        kind = BodyKind.of(content_type)
        return self._explain(body_values(body, kind, True, depth, self._budget()))

    def _explain(self, values: Iterator[Value]) -> tuple[Explanation, ...]:
        made = []
        try:
            for value in values:
                made += self._explain_value(value)
        except BudgetSpent:
            pass
        return tuple(sorted(made, key=lambda one: -one.score))

    def _explain_value(self, value: Value) -> list[Explanation]:
        made = []
        around = Surroundings(value)
        for window in windows(value.text, self._hits):
            weighed = []
            for reading in readings(self._builtin, value, window, around):
                for name in self._ignored:
                    reading.features.pop(name, None)
                reading.add_all()
                verdict = self._model.weigh(reading.features, self.settings.categories)
                weighed.append((verdict.score, verdict, reading))
            if not weighed:
                continue
            _, verdict, reading = max(weighed, key=lambda one: one[0])
            if not verdict.category:
                continue
            features = reading.features
            evidence = tuple(
                (name, features.get(name.partition(" & ")[0], "raw"), weight)
                for name, weight in self._model.contributions(features, self.settings.categories)
            )
            made.append(
                Explanation(
                    value.location,
                    value.name,
                    window.text[:MAX_LOGGED_CHARS],
                    verdict.category,
                    evidence,
                    verdict.score,
                    self._threshold,
                )
            )
        return made

    def _budget(self) -> Budget:
        return Budget(self.settings.max_values, self.settings.max_chars)

    def whole(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """The same findings with all their evidence weighed, where only enough of it was."""
        return tuple([one if one.is_whole else self._whole(one) for one in findings])

    def _whole(self, finding: Finding) -> Finding:
        value = Value(finding.location, finding.name, finding.value)
        return self._judge(value, self._budget()) or finding

    def _at_once(self, encoded: bytes, location: str) -> Finding | None:
        """What the values of an urlencoded string show without being read any further."""
        sufficient = self._sufficient
        if sufficient is None:
            return None
        for pair in encoded.split(b"&", MAX_PAIRS_AT_ONCE):
            name, _, data = pair.partition(b"=")
            data = form_bytes(data)
            hits = sufficient.in_text(data)
            if hits:
                named = name.decode() if name.isalnum() else to_text(form_bytes(name))[0]
                text = data.decode()
                if not (
                    is_password_name(named)
                    or self._is_excluded(location, named)
                    or is_term(Value(location, named, text))
                    or without_fragments(text) != text
                ):
                    finding = sufficient.finding(
                        location, named, text, hits, self._scores, self._threshold
                    )
                    if finding is not None:
                        return finding
        return None

    def _inspect(
        self, values: Iterator[Value], budget: Budget, location: str
    ) -> tuple[Finding, ...]:
        found: list[Finding] = []
        batch: list[Value] = []
        size = 0
        try:
            for value in values:
                if self._is_excluded(value.location, value.name):
                    continue
                if UNREAD in value.flags:
                    found.append(self._spent(value.location, UNREAD))
                if EXECUTABLE in value.flags:
                    self._note_executable(value, found)
                    continue
                if value.flags or value.kind in _ALWAYS_WEIGHED:
                    self._weigh(value, budget, found)
                    continue
                batch.append(value)
                size += len(value.text)
                if size > _BATCH_CHARS:
                    self._weigh_batch(batch, budget, found)
                    batch, size = [], 0
            self._weigh_batch(batch, budget, found)
        except BudgetSpent as spent:
            found.append(self._spent(location, str(spent)))
        except _EnoughFound:
            pass
        return tuple(found)

    def _weigh_batch(self, batch: list[Value], budget: Budget, found: list[Finding]) -> None:
        """Weigh what the first pass does not clear once it is decoded: first all together, as
        a large document has thousands of harmless leaves, then one by one."""
        encoded = [value_bytes(value.text) for value in batch]
        if not self._matches(b"".join(encoded)):
            return
        secret, memory = passwords(batch), self._memory
        for value, data in zip(batch, encoded, strict=True):
            if len(batch) == 1 or self._matches(data):
                margin = 0.0
                if value.kind != "name":
                    if (value.name, value.text) in secret:
                        margin = _margin(value.text)
                    elif is_for_code(value):
                        margin = CODE_MARGIN
                digest = memory.digest(
                    data, value.text, value.location, value.kind, value.name, str(margin)
                )
                if digest in memory:
                    continue
                before = len(found)
                self._weigh(value, budget, found, margin)
                if len(found) == before:
                    memory.add(digest)

    def _weigh(
        self, value: Value, budget: Budget, found: list[Finding], margin: float = 0.0
    ) -> None:
        try:
            finding = self._judge(value, budget, margin)
        except BudgetSpent:
            raise
        except Exception:  # whatever it was: what is not weighed must not pass for harmless
            finding = self._spent(value.location, UNREAD)
        if finding is not None:
            found.append(finding)
            if len(found) >= MAX_FINDINGS:
                raise _EnoughFound

    def _note_executable(self, value: Value, found: list[Finding]) -> None:
        if "file_upload" in self.settings.categories:
            shown, threshold = value.text[:MAX_LOGGED_CHARS], self._threshold
            indicators = (EXECUTABLE,)
            found.append(
                Finding(
                    "file_upload",
                    *(value.location, value.name, shown, "raw"),
                    *(indicators, threshold, threshold),
                )
            )

    def _excess(self, query: str) -> str:
        """Which limit a long query is over before it is taken apart; "" for none."""
        if len(query) > self.settings.max_chars:
            return "max_chars"
        return "max_values" if query.count("&") >= self.settings.max_values else ""

    def _spent(self, location: str, which: str) -> Finding:
        return Finding(
            BUDGET,
            location,
            "",
            "",
            "raw",
            (which,),
            self._threshold,
            self._threshold,
            is_certain=False,
        )

    def _is_excluded(self, location: str, name: str) -> bool:
        if location == "query":
            return bool(self._params) and is_named(name, self._params)
        if location in ("header", "cookie"):
            if not self._headers:
                return False
            return ("cookie" if location == "cookie" else name.partition(">")[0]) in self._headers
        return bool(self._fields) and location != "path" and is_named(name, self._fields)

    def _judge(self, value: Value, budget: Budget, margin: float = 0.0) -> Finding | None:
        """The first window of a value that is over the threshold by a margin."""
        custom = self._match_custom(value.text)
        if custom:
            return self._custom_finding(value, custom)
        if value.kind == "binary":
            return self._script_in_binary(value) if has_script(value.text) else None
        threshold = self._threshold + margin
        around = Surroundings(value)
        for window in windows(value.text, self._hits):
            charged = False
            budget.take_chars(max(window.fresh // CHEAP, MIN_CHARGE_CHARS))
            for reading in readings(self._builtin, value, window, around):
                if not self._may_reach(reading, threshold):
                    break  # nor can the rest without its prose
                if not charged:
                    charged = True
                    budget.take_chars(max(window.fresh // FULL, MIN_CHARGE_CHARS))
                finding = self._weigh_reading(value, window, reading, threshold)
                if finding is not None:
                    return finding
                if not self._model.part_may_reach(
                    threshold, reading.features, self.settings.categories
                ):
                    break
        return None

    def _may_reach(self, reading: Reading, threshold: float) -> bool:
        """Whether the indicators of a reading leave any way to a threshold."""
        for name in self._ignored:
            reading.features.pop(name, None)
        return self._model.may_reach(threshold, reading.features, self.settings.categories)

    def _weigh_reading(
        self, value: Value, window: Window, reading: Reading, threshold: float
    ) -> Finding | None:
        """Weigh as little of the evidence as can tell that a reading is under the threshold."""
        model, categories = self._model, self.settings.categories
        reading.add_context()
        verdict = model.weigh(reading.features, categories)
        if verdict.score + model.shapes_most / model.unit < threshold:
            return None
        verdict = model.weigh(reading.features, categories, reading.shape(self._runs))
        if verdict.score < threshold:
            return None
        # That is a finding, which tells the names as well.
        reading.add_shapes()
        verdict = model.weigh(reading.features, categories)
        if verdict.score < threshold or not verdict.category:
            return None
        return self._finding(value, window.text, verdict, reading.features)

    def _match_custom(self, text: str) -> tuple[CustomPattern, ...]:
        scanner = self._custom_scanner
        if scanner is None:
            return ()
        hits = set()
        for view in views(text):
            hits.update(scanner.scan(view.text.encode("utf-8", "surrogatepass")))
        return tuple(self._custom[index] for index in sorted(hits))

    def _finding(
        self, value: Value, text: str, verdict: Verdict, features: Mapping[str, str]
    ) -> Finding:
        indicators = self._model.leading(features, self.settings.categories, MAX_INDICATORS)
        view = features.get(indicators[0].partition(" & ")[0], "raw") if indicators else "raw"
        return Finding(
            category=verdict.category,
            location=value.location,
            name=value.name,
            value=text[:MAX_LOGGED_CHARS],
            view=view,
            indicators=indicators,
            score=verdict.score,
            threshold=self._threshold,
            is_certain=verdict.score >= self._threshold + CERTAIN_MARGIN
            and WRITING.isdisjoint(features),
        )

    def _custom_finding(self, value: Value, custom: tuple[CustomPattern, ...]) -> Finding:
        return Finding(
            category=custom[0].category,
            location=value.location,
            name=value.name,
            value=value.text[:MAX_LOGGED_CHARS],
            view="raw",
            indicators=tuple(["custom:" + one.name for one in custom]),
            score=self._threshold,
            threshold=self._threshold,
        )

    def _script_in_binary(self, value: Value) -> Finding | None:
        features = {"upload.script_in_binary": "raw"}
        verdict = self._model.weigh(features, self.settings.categories)
        if verdict.score < self._threshold or not verdict.category:
            return None
        return self._finding(value, value.text, verdict, features)


_LETTERS = re.compile(r"[a-z]+")
_SQL_WORDS = frozenset(
    {
        *("or", "and", "xor", "like", "union", "select", "values", "from", "where", "having"),
        *("order", "group", "limit", "null", "is", "not", "between", "exists", "sleep", "glob"),
        *("regexp", "rlike", "insert", "update", "delete", "drop", "exec", "waitfor", "case"),
    }
)


def _margin(password: str) -> float:
    """How much more than the threshold a password needs; less where words of SQL stand in it by
    themselves, as in most injections and in hardly any password."""
    words = sum(1 for word in _LETTERS.findall(password.lower()) if word in _SQL_WORDS)
    return (PASSWORD_MARGIN, WORDED_PASSWORD_MARGIN, 0.0)[min(words, 2)]


def _also(
    matches: Callable[[bytes], bool], custom: Scanner, anchored: bool
) -> Callable[[bytes], bool]:
    """A first pass with a user's own patterns in it. Behind a backslash JSON has quotes, slashes
    and what is beyond ASCII other than the values do."""
    return lambda data: matches(data) or anchored or b"\\" in data or custom.any(data)


def _nul_finding(environ: Mapping[str, Any], threshold: float) -> Finding | None:
    """A NUL in the path or the query: no client sends one that is not after something (CWE-158)."""
    for location, key in (("path", "PATH_INFO"), ("query", "QUERY_STRING")):
        text = environ.get(key) or ""
        if "\x00" in text or "%00" in text:
            shown = text[:MAX_LOGGED_CHARS]
            return Finding(
                "encoding", location, "", shown, "raw", ("path.null_byte",), threshold, threshold
            )
    return None
