"""Read a value: the names of everything in it that the model has weights for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from typing import Final

from attrs import evolve

from guard_wsgi.detection.finding import CATEGORIES, WHOLE_VALUE
from guard_wsgi.detection.fragments import without_fragments
from guard_wsgi.detection.indicator import Indicator
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.lexicon import LEXICON
from guard_wsgi.detection.normalize import View, views
from guard_wsgi.detection.scanner import Engine, Scanner, compile_patterns
from guard_wsgi.detection.terms import is_term
from guard_wsgi.detection.tokens import RunWeights, shapes
from guard_wsgi.detection.value import STORED, Value
from guard_wsgi.detection.window import Window

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
    r"|query\.text|scripts\.\w+|source\[\]|cells\[\]\.source|content\.code|source_?code|snippet|\w*prompt\w*|chat_template|steps\[\]\.\w+|argv"
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
_FUNCTION_WORDS: Final = (
    *("the", "my", "we", "you", "your", "our", "they", "she", "he", "his", "her", "its", "it's"),
    *("i'm", "don't", "can't", "isn't", "please", "was", "were", "are", "have", "would", "could"),
    *("should", "there", "than", "but", "when", "then", "which", "what", "who", "how", "until"),
    *("before", "after", "ich", "nicht", "und", "der", "das", "ist", "les", "une", "des", "pour"),
    *("est", "que", "los", "por", "para", "een", "het", "voor", "che", "non"),
)
FUNCTION_WORD: Final = rf"\b(?:{'|'.join(_FUNCTION_WORDS)})\b"
_FUNCTION_WORD_SET: Final = frozenset(word.encode() for word in _FUNCTION_WORDS)
# Whatever no such word has is a blank.
_LETTERS_APART: Final = bytes(
    code | 32 if chr(code).isalpha() and code < 128 else code if code == 39 else 32
    for code in range(256)
)


def function_words(text: str) -> int:
    """How many different ones a text has; cutting it into words and looking them up takes a tenth
    of the time of looking for these."""
    words = text.encode("utf-8", "surrogatepass").translate(_LETTERS_APART).split()
    return len(_FUNCTION_WORD_SET.intersection(words))


_CODE_SPAN = re.compile(r"```.*?(?:```|$)|`[^`]{2,400}`", re.DOTALL)
# Seven words or more in a row, as sentences have them; languages that are attacked put marks
# between. The first and the last two stay, for what stands around the payload.
PROSE_CHARS: Final = 32
_WORD = (
    r"(?!(?:union|select|insert|delete|drop|exec|waitfor)\s)"
    r"[(\"]?[^\W_]{1,24}(?:['\u2019-][^\W_]{1,16})?[,.:;!?)\"]{0,2}\s{1,2}"
)
_PROSE = re.compile(rf"\s({_WORD})(?:{_WORD}){{4,400}}((?:{_WORD}){{2}})")
_PROSE_WORD = re.compile(_WORD.removesuffix(r"\s{1,2}"))
_PROSE_ROW: Final = "w" * 7
MAX_KNOWN: Final = 4096
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
# What may be found in values of some kinds, where that is not everything.
KIND_CATEGORIES: Final[Mapping[str, frozenset[str]]] = {
    "markup": frozenset({"xml", "ssi"}),
    "graphql": frozenset({"graphql"}),
    # The names of one's own files: whoever looks for those of others reads.
    STORED: CATEGORIES - {"sensitive_file", "recon", "cms_probing", "file_upload"},
}
# Of these the declarations and directives count, not what the text is like.
_WITHOUT_SHAPE: Final = frozenset({"markup", "graphql"})
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


class Surroundings:
    """What the whole of a value says of each window of it; looked at once, if anybody asks."""

    __slots__ = ("_features", "_value")

    def __init__(self, value: Value) -> None:
        self._value = value
        self._features: list[str] | None = None

    def features(self) -> list[str]:
        if self._features is None:
            self._features = _surroundings(self._value)
        return self._features


class Reading:
    """One way to read a window of a value, with the evidence found in it.

    Evidence comes in three steps, each dearer than the one before, so that a reading that can't
    be over a threshold any more is left: indicators, what stands around them, and the shape.

    :ivar features: name of the feature -> the view in which it showed first.
    """

    __slots__ = ("_around", "_is_part", "_shaped", "_views", "_window", "features")

    def __init__(
        self,
        around: Surroundings,
        window: Window,
        views: tuple[View, ...],
        shaped: tuple[View, ...],
        is_part: bool = False,
    ) -> None:
        self.features: dict[str, str] = {}
        self._around = around
        self._window = window
        self._views = views
        self._shaped = shaped
        self._is_part = is_part

    def add(self, names: Iterable[str], view: str) -> None:
        for name in names:
            self.features.setdefault(name, view)

    def add_context(self) -> None:
        """What stands around the evidence: where the value is, its name and size, prose."""
        context = [*self._around.features(), *_context(self._window)]
        rounds = max(view.rounds for view in self._views)
        if rounds > 1:
            context.append("encoding.rounds>1")
        if self._views[-1].name == "base64":
            context.append("encoding.base64_text")
        if self._is_part:
            context.append("text:part")
            context.append(_size(max(len(view.text) for view in self._views)))
        self.add(context, "raw")

    def shape(self, runs: RunWeights) -> float:
        """What its runs of tokens weigh."""
        texts = {" ".join(view.text.split()): None for view in self._shaped}
        return runs.total(texts, self._window.starts, self._window.ends)

    def add_shapes(self) -> None:
        """The runs of tokens by their names; weighed only beside other evidence."""
        window = self._window
        for view in self._shaped:
            self.add(shapes(view.text, window.starts, window.ends), view.name)

    def add_all(self) -> None:
        """Every kind of evidence, for learning and for people."""
        self.add_context()
        self.add_shapes()


def readings(
    scanners: BuiltinScanners, value: Value, window: Window, around: Surroundings
) -> Iterator[Reading]:
    """The readings of a window in which something was found: all of it and, where there is prose
    around something else, the rest without the prose. Either may be enough, and the second is
    not looked for unless it is asked for. A term has none, and fragments that do nothing are no
    part of any."""
    if is_term(value):
        return
    text = without_fragments(window.text)
    if text != window.text:
        window = evolve(window, text=text)
    allowed = KIND_CATEGORIES.get(value.kind, CATEGORIES)
    has_shape = value.kind not in _WITHOUT_SHAPE
    found = views(window.text)
    shaped = _shaped(window.text, found) if has_shape else ()
    whole = Reading(around, window, found, shaped)
    for view in found:
        indicators = scanners.read(window.data(view.text))
        whole.add([one.name for one in indicators if one.category in allowed], view.name)
    whole.add(value.flags, "raw")
    if not whole.features:
        return
    known = set(whole.features)
    yield whole
    if not has_shape:
        return
    rests = tuple([evolve(view, text=without_prose(view.text)) for view in found])
    if all(len(rest.text) == len(view.text) for rest, view in zip(rests, found, strict=True)):
        return
    shaped = tuple([rest for rest, view in zip(rests, found, strict=True) if view in shaped])
    part = Reading(around, window, rests, shaped, is_part=True)
    for rest in rests:
        # What only the cut has brought together is no evidence.
        indicators = [one for one in scanners.read(window.data(rest.text)) if one.name in known]
        part.add([one.name for one in indicators if one.category not in WHOLE_VALUE], rest.name)
    part.add(value.flags, "raw")
    yield part


def _shaped(text: str, found: tuple[View, ...]) -> tuple[View, ...]:
    """The views whose shape counts: decoded ones where there are such, and of a value that is
    base64 and nothing else what is inside."""
    if found[-1].name == "base64" and _WHOLE_BASE64.fullmatch(text) is not None:
        return tuple([view for view in found if view.name == "base64"])
    return found[1:] if len(found) > 1 and found[1].name == "decoded" else found


def has_script(text: str) -> bool:
    """Whether the readable part of a binary file has a script in it."""
    return _BINARY_EVIDENCE.search(text) is not None


def without_prose(text: str) -> str:
    """A text without its sentences: of every long row of words only both ends stay."""
    if len(text) < PROSE_CHARS or _PROSE_ROW not in "".join(map(_prose_word, text.split())):
        return text
    # Optimization: led by a blank, so that `re` looks only where there is one.
    return _PROSE.sub(r" \1 \2", " " + text)[1:]


@lru_cache(maxsize=MAX_KNOWN)
def _prose_word(word: str) -> str:
    """A "w" for what may be a word of a row of them. Texts repeat their words."""
    return "w" if _PROSE_WORD.fullmatch(word) else "."


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


def is_for_code(value: Value) -> bool:
    """Whether a value stands in a field for code. Inside of another value the names are the
    sender's own."""
    return ">" not in value.name and "name:code" in _name_features(value.name)


def _is_filter(name: str) -> bool:
    return bool(_FILTER_NAME.match(name)) and not _SECRET_NAME.match(name)


def _is_statement(text: str) -> bool:
    quotes = text.count("'"), text.count('"')
    return not (quotes[0] % 2 or quotes[1] % 2 or _NOT_STATEMENT.search(text))


def _surroundings(value: Value) -> list[str]:
    """Where a value stands, and what it is: an attack in one place is data in another."""
    text = value.text
    found = ["at:" + value.location]
    if value.kind:
        found.append("kind:path" if value.kind == STORED else "kind:" + value.kind)
    found += _name_features(value.name)
    # One word under this name is a country's, a coupon's or an OAuth server's code.
    if value.name.lower() == "code" and len(text.split(None, 1)) > 1:
        found.append("name:command")
    if _REMOTE.match(text):
        found.append("value:url")
        if "name:include" in found and value.location in ("query", "form", "cookie"):
            found.append("file.remote_include")
    if "$" in text and _is_filter(value.name) and FILTER_RANGE.search(text):
        found.append("text:filter")
    found += _document(text)
    found.append(_size(len(text)))
    return found


WRITING: Final = frozenset(
    {
        *("text:document", "text:source", "text:code", "text:prose", "text:html", "text:statement"),
        *("text:after_words", "text:before_words", "text:lines", "name:text", "name:code"),
    }
)
"""Features of texts that people write: sentences, programs, documents, and fields for them."""

# Of a long text the beginning tells what it is.
_DOCUMENT_CHARS: Final = 8000
_LINES: Final = 4
# A line of a program: a comment, an indented line, one that ends as statements do or begins as
# they do.
_CODE_LINE = re.compile(
    r"\s*(?:#|//|/?\*|--|@|\$ |>>> |\+|-)|(?:\t| {2,})\S|.*[;{}(\[,:\\>)=]\s*$"
    r"|(?:def|class|import|from|return|if|else|elif|for|while|try|const|let|var|function|public|private"
    r"|static|void|int|select|where|join|and|or|order|group|insert|update|delete|create|alter|drop|echo"
    r"|export|sudo|cd|pip|npm|git|docker|apt|curl)\b",
    re.IGNORECASE,
)


def _document(text: str) -> list[str]:
    """What kind of text of many lines or sentences a value is."""
    found: list[str] = []
    head = text[:_DOCUMENT_CHARS]
    if len(head) > 200 and function_words(head) > 4:
        found.append("text:document")
    if head.count("\n") >= _LINES:
        found.append("text:lines")
        lines = [line for line in head.splitlines() if line.strip()]
        code = sum(1 for line in lines if _CODE_LINE.match(line))
        if len(lines) > _LINES and code * 2 > len(lines):
            found.append("text:source")
    if "`" in head:
        outside, spans = _CODE_SPAN.subn(" ", head)
        if spans and _THREE_WORDS.search(outside):
            found.append("text:code")
    return found


# A word of a sentence, by itself between blanks.
_PLAIN_WORD = re.compile(r"[(\"]?([^\W\d_]{2,24}(?:['\u2019-][^\W\d_]{1,16})?)[,.:;!?)\"]{0,2}")


def _context(window: Window) -> list[str]:
    """What stands around the evidence in a window."""
    text = window.text
    found: list[str] = []
    if window.starts and STATEMENT.match(text) and _is_statement(text):
        found.append("text:statement")
    if "<" in text and len(HTML_TEXT.findall(text)) > 3:
        found.append("text:html")
    if window.starts and window.ends and _EXCEPTION.fullmatch(text):
        found.append("text:exception")
    if len(text) > 24 and function_words(text) > 1:
        found.append("text:prose")
    words = text.split()
    if _are_words(words[:2]):
        found.append("text:after_words")
    if _are_words(words[-2:]):
        found.append("text:before_words")
    return found


def _are_words(words: list[str]) -> bool:
    """Whether these are two words of a sentence and none that an attacked language knows."""
    plain = [match[1].lower() for word in words if (match := _PLAIN_WORD.fullmatch(word))]
    return len(plain) == 2 and not any(word in LEXICON for word in plain)


def _size(size: int) -> str:
    return "size:" + ("S" if size < 16 else "M" if size < 80 else "L" if size < 400 else "XL")
