"""Read a value: the names of everything in it that the model has weights for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Final

from guard_wsgi.detection.indicator import Indicator
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.normalize import View, views
from guard_wsgi.detection.scanner import Engine, Scanner, compile_patterns
from guard_wsgi.detection.tokens import shapes
from guard_wsgi.detection.value import Value

# A long text is read in windows, so that evidence adds up only where it stands together and a
# payload behind a megabyte of padding weighs as much as one alone.
WINDOW_CHARS: Final = 1500
OVERLAP_CHARS: Final = 200

# Names that carry a URL to go to, by the documentation of OAuth 2.0, OpenID Connect, SAML, CAS
# and the web frameworks: a local address is what a developer's browser sends there.
_REDIRECT_NAME = re.compile(
    r"(?:.*[>._\[-])?(?:next|r|redir\w*|redirect\w*|return\w*|callback\w*|continue|goto|service"
    r"|relaystate|back\w*|ref|referrer|referer|origin|success_?url|cancel_?url|failure_?url"
    r"|post_logout_redirect_uri|dl|dr|tu|rl|page_?(?:url|location|referrer)?|location|to|from"
    r"|document-uri|blocked-uri|http\.url)\]?",
    re.IGNORECASE,
)
# Names that programs open: a URL there is a remote inclusion (CWE-98), not a link.
_INCLUDE_NAME = re.compile(
    r"(?:.*[>._\[-])?(?:file\w*|page|path\w*|inc\w*|require|template|tpl|theme|dir|folder|doc"
    r"|root\w*|view|module|mod|conf\w*|lang\w*|layout|pg|style|load|main|abs\w*"
    r"|\w*_path|\w*_dir|\w*basedir|mosconfig\w*|cmd|exec|skin|pdf)\]?",
    re.IGNORECASE,
)
# Names that programs run (CWE-78), and names whose address the server itself fetches (CWE-918).
_COMMAND_NAME = re.compile(
    r"(?:cmd|command\w*|exec\w*|execute|run|args?|argv|arguments?|shell|sh|daemon"
    r"|ping|cli|eval)",
    re.IGNORECASE,
)
_TARGET_NAME = re.compile(
    r"(?:url|uri|link|src|source|target|dest\w*|host\w*|domain|server|endpoint|site|feed"
    r"|fetch|proxy|image\w*|img|webhook|download|ssrf|port|address)",
    re.IGNORECASE,
)
# Fields that people write whole texts into.
_TEXT_NAME = re.compile(
    r"(?:.*[>._\[-])?(?:text|body\w*|content\w*|comment\w*|message|msg|description|note\w*|review"
    r"|bio|html|excerpt|summary|caption|stringvalue|value|diff|context_line|stacktrace)\]?(?:\[\])?",
    re.IGNORECASE,
)
# What error reports, browsers' reports and tracers call the code and the files they speak of, by
# the documentation of Sentry, CSP level 3 and OpenTelemetry.
_CODE_NAME = re.compile(
    r"(?:.*[>._\[-])?(?:context_line|pre_context|post_context|script-sample|diff|patch|hunk"
    r"|stack|stack_?trace|traceback|statement|frames\[\]\.(?:function|vars\.\w+)|culprit|transaction"
    r"|query\.text|scripts\.\w+|steps\[\]\.\w+|argv"
    r"|(?:frames\[\]|stream|log|code|span)\.[\w.]*(?:file|path)\w*|abs_path|containers\[\]\.(?:command|args)|process\.command\w*)\]?(?:\[\])*",
    re.IGNORECASE,
)
_QUERY_NAME = re.compile(
    r"(?:.*[>._\[-])?(?:q|query|\w*ql|native|filter\w*|\$filter|where|search|expr\w*|formula|fq|columns?"
    r"|metrics?|select|fields?|order_?by|sort)\]?(?:\[\])*",
    re.IGNORECASE,
)
_SECRET_NAME = re.compile(
    r".*(?:passw(?:or)?d|pwd|passphrase|\bpass|secret|token|api_?key|\botp|\bpin|hash|salt)\w*\]?",
    re.IGNORECASE,
)
# A query in the languages that APIs and tracers carry, whole: what is injected into one begins
# or ends in the middle of it.
STATEMENT = re.compile(
    r"\s*(?:select|update|insert\s+into|delete\s+from|with|from)\s", re.IGNORECASE
)
_NOT_STATEMENT = re.compile(
    r"--|/\*|#|;\s*\S|\bunion\b|\bsleep\b|benchmark|_schema\b|\bpg_|\bsys\w*\.|@@|0x|\bcha?r\s*\(|\bconcat"
    r"|\b(?:where|and|or|by|from|limit)\s*$|\b(\d+)\s*=\s*\1\b|\binto\s+(?:out|dump)file|\bexec",
    re.IGNORECASE,
)
HTML_TEXT = re.compile(
    r"<(?:p|div|span|h[1-6]|ul|li|table|td|br|font|center|b|strong|em)\b[^<>]*>", re.IGNORECASE
)
# Words that hold sentences together and that no attacked language uses.
FUNCTION_WORD = re.compile(
    r"\b(?:the|my|we|you|your|our|they|she|he|his|her|its|it's|i'm|don't|can't|isn't|please|was|were"
    r"|are|have|would|could|should|there|than|but|when|then|which|what|who|how|until|before|after"
    r"|ich|nicht|und|der|das|ist|les|une|des|pour|est|que|los|por|para|een|het|voor|che|non)\b",
    re.IGNORECASE,
)
_CODE_SPAN = re.compile(r"```.*?(?:```|$)|`[^`]{2,400}`", re.DOTALL)
# Seven words or more in a row, as sentences have them; languages that are attacked put marks
# between. The first and the last two stay, for what stands around the payload.
PROSE_CHARS: Final = 32
_WORD = (
    r"(?!(?:union|select|insert|delete|drop|exec|waitfor)\s)"
    r"[(\"]?[^\W_]{1,24}(?:['\u2019-][^\W_]{1,16})?[,.:;!?)\"]{0,2}\s{1,2}"
)
_PROSE = re.compile(rf"\s({_WORD})(?:{_WORD}){{4,400}}((?:{_WORD}){{2}})")
_THREE_WORDS = re.compile(r"\b(?:[^\W\d_]{2,}\W+){2}[^\W\d_]{2,}")
# Filters of APIs that document operators (Strapi, Feathers, LoopBack, Parse): ranges and lists
# are their daily use, and no way around a comparison of secrets.
_FILTER_NAME = re.compile(r"_?(?:where|filters?|conditions|criteria)\b", re.IGNORECASE)
FILTER_RANGE = re.compile(
    r"\$(?:[gl]te?|n?in|n?eq?|and|n?or|not|exists|regex|options|all|size|text|between|contains\w*|startswith|endswith)\b",
    re.IGNORECASE,
)
_EXCEPTION = re.compile(r"[\w.$]{1,100}(?:Exception|Error)")
_WHOLE_BASE64 = re.compile(r"[A-Za-z0-9+/_ %-]{12,}={0,2}")
_REMOTE = re.compile(r"\s*(?:https?|ftps?):/{0,2}[\w.\[]", re.IGNORECASE)
_KIND_CATEGORIES: Final[Mapping[str, frozenset[str]]] = {
    "markup": frozenset({"xml", "ssi"}),
    "graphql": frozenset({"graphql"}),
    "binary": frozenset(),
}
# What makes an uploaded binary dangerous, long enough not to be there by chance.
_BINARY_EVIDENCE = re.compile(
    r"<\?php\s+\S|<\?=\s*[`$(\w]{4,}|<script[\s>].{0,200}?</script|<%@?\s*(?:page|eval|language)",
    re.IGNORECASE | re.DOTALL,
)


class BuiltinScanners:
    """The built-in indicators, compiled by family: smaller databases compile in less time than
    one large one, and a value needs only microseconds for each.

    They are compiled when the first value is to be weighed, or by `warm`: a process that never
    meets anything suspicious does not pay for them.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._families: tuple[tuple[tuple[Indicator, ...], Scanner], ...] = ()

    def warm(self) -> tuple[tuple[tuple[Indicator, ...], Scanner], ...]:
        """Compile now. Two threads at once do the same work twice, which is harmless, where a
        lock could be held over a fork."""
        if not self._families:
            made = []
            for family in _families():
                pairs = [(one.name, one.pattern) for one in family]
                made.append((family, compile_patterns(pairs, self._engine, keep=True)))
            self._families = tuple(made)
        return self._families

    def read(self, data: bytes) -> list[Indicator]:
        """The indicators that match."""
        found = []
        for family, scanner in self._families or self.warm():
            for index in scanner.scan(data):
                found.append(family[index])
        return found


def _families() -> list[tuple[Indicator, ...]]:
    groups = groupby(INDICATORS, key=lambda one: one.name.partition(".")[0])
    return [tuple(members) for _, members in groups]


@lru_cache(maxsize=2)
def builtin_scanners(engine: Engine) -> BuiltinScanners:
    """Compiled constants, shared by all detectors of the process: immutable, safe to share
    between threads (each has its own scratch) and over a fork."""
    return BuiltinScanners(engine)


class Evidence:
    """What was found in one window of a value.

    :ivar features: name of the feature -> the view in which it showed first.
    :ivar categories: of the indicators among the features.
    """

    __slots__ = ("features",)

    def __init__(self) -> None:
        self.features: dict[str, str] = {}

    def add(self, names: Sequence[str] | set[str], view: str) -> None:
        for name in names:
            self.features.setdefault(name, view)


def windows(text: str) -> list[str]:
    """A text in overlapping windows; short texts are one."""
    if len(text) <= WINDOW_CHARS:
        return [text]
    step = WINDOW_CHARS - OVERLAP_CHARS
    return [
        text[start : start + WINDOW_CHARS] for start in range(0, len(text) - OVERLAP_CHARS, step)
    ]


def read_window(scanners: BuiltinScanners, value: Value, text: str) -> Iterator[Evidence]:
    """The evidence of one window of a value: of all of it and, where there is prose around
    something else, of the rest without the prose. Either may be enough, and the second is not
    looked for unless it is asked for."""
    evidence = Evidence()
    allowed = _KIND_CATEGORIES.get(value.kind)
    if value.kind == "binary":
        if _BINARY_EVIDENCE.search(text):
            evidence.add(("upload.script_in_binary",), "raw")
        yield evidence
        return
    readings: tuple[View, ...] = views(text)
    for view in readings:
        found = scanners.read(view.text.encode("utf-8", "surrogatepass"))
        if allowed is None:
            evidence.add([one.name for one in found], view.name)
        else:
            evidence.add([one.name for one in found if one.category in allowed], view.name)
    if value.flags:
        evidence.add(value.flags, "raw")
    if allowed is not None or not evidence.features:
        yield evidence  # shapes and surroundings weigh only beside evidence
        return
    context = context_features(value, text)
    rounds = max(view.rounds for view in readings)
    if rounds > 1:
        context.append("encoding.rounds>1")
    if readings[-1].name == "base64":
        context.append("encoding.base64_text")
    # A value that is base64 and nothing else has no shape of its own.
    wrapped = readings[-1].name == "base64" and _WHOLE_BASE64.fullmatch(text) is not None
    shaped = tuple(view for view in readings if view.name == "base64") if wrapped else readings
    if not wrapped and len(readings) > 1 and readings[1].name == "decoded":
        shaped = readings[1:]
    for view in shaped:
        evidence.add(shapes(view.text), view.name)
    known = set(evidence.features)
    evidence.add([*context, _size(len(value.text))], "raw")
    yield evidence
    rests = [without_prose(view.text) for view in readings]
    if all(len(rest) == len(view.text) for rest, view in zip(rests, readings, strict=True)):
        return
    part = Evidence()
    for rest, view in zip(rests, readings, strict=True):
        found = scanners.read(rest.encode("utf-8", "surrogatepass"))
        # What only the cut has brought together is no evidence.
        part.add([one.name for one in found if one.name in known], view.name)
        if view in shaped:
            part.add(shapes(rest), view.name)
    longest = max(map(len, rests))
    part.add([*value.flags, *context, "text:part", _size(longest)], "raw")
    yield part


def without_prose(text: str) -> str:
    """A text without its sentences: of every long row of words only both ends stay."""
    if len(text) < PROSE_CHARS:
        return text
    # Optimization: led by a blank, so that `re` looks only where there is one.
    return _PROSE.sub(r" \1 \2", " " + text)[1:]


_NAMED: Final = (
    (_REDIRECT_NAME, "name:redirect"),
    (_INCLUDE_NAME, "name:include"),
    (_COMMAND_NAME, "name:command"),
    (_TARGET_NAME, "name:target"),
    (_TEXT_NAME, "name:text"),
    (_CODE_NAME, "name:code"),
    (_QUERY_NAME, "name:query"),
    (_SECRET_NAME, "name:secret"),
)


@lru_cache(maxsize=1024)
def _name_features(name: str) -> tuple[str, ...]:
    """What a value's name says of it. Sites have few names, and each is matched eight times."""
    return tuple(feature for pattern, feature in _NAMED if pattern.fullmatch(name))


def _is_filter(name: str) -> bool:
    return bool(_FILTER_NAME.match(name)) and not _SECRET_NAME.match(name)


def _is_statement(text: str) -> bool:
    quotes = text.count("'"), text.count('"')
    return not (quotes[0] % 2 or quotes[1] % 2 or _NOT_STATEMENT.search(text))


def context_features(value: Value, text: str) -> list[str]:
    """Where the value stands: what is an attack in one place is data in another."""
    found = ["at:" + value.location]
    if value.kind:
        found.append("kind:" + value.kind)
    found += _name_features(value.name)
    # One word under this name is a country's, a coupon's or an OAuth server's code.
    if value.name.lower() == "code" and len(text.split(None, 1)) > 1:
        found.append("name:command")
    if STATEMENT.match(text) and _is_statement(text):
        found.append("text:statement")
    if "<" in text and len(HTML_TEXT.findall(text)) > 3:
        found.append("text:html")
    if "`" in text:
        outside, spans = _CODE_SPAN.subn(" ", text)
        if spans and _THREE_WORDS.search(outside):
            found.append("text:code")
    if "$" in text and _is_filter(value.name) and FILTER_RANGE.search(text):
        found.append("text:filter")
    if _EXCEPTION.fullmatch(text):
        found.append("text:exception")
    if len(text) > 24 and len({w.lower() for w in FUNCTION_WORD.findall(text)}) > 1:
        found.append("text:prose")
    if _REMOTE.match(value.text):
        found.append("value:url")
        if "name:include" in found and value.location in ("query", "form", "cookie"):
            found.append("file.remote_include")
    return found


def _size(size: int) -> str:
    return "size:" + ("S" if size < 16 else "M" if size < 80 else "L" if size < 400 else "XL")
