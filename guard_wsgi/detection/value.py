"""A name and a text of a request, and the budget for extracting them."""

from __future__ import annotations

import re
from typing import Final, NoReturn

from attrs import define

from guard_wsgi.detection.decoding.decodings import overlong

STORED: Final = "stored"
"""Kind of a path of a file: a client stores its own file there, or the site shows one."""

KEPT: Final = "kept"
"""The same for a path of plain names, which can't lead to another folder."""

EXPRESSION: Final = "expression"
"""Kind of an XPath that a format prescribes."""

COMMENT: Final = "comment"
"""Kind of a comment in an XML document. It contains no elements."""

SAMPLE: Final = "sample"
"""Kind of a program's beginning that a browser quotes in a report."""

PLACE: Final = "place"
"""Kind of a file name or an address that only names an origin (a stack trace, a diff)."""

GIVEN: Final = "given"
"""Kind of a command, or of an environment variable, in a field inside a document."""

CARRIED: Final = "carried"
"""Kind of a field that carries programs in a published format, and may carry others elsewhere."""

CONTENT: Final = "content"
"""Kind of a field that a published format uses like a file: programs, their output, pages."""

MAIL: Final = "mail"
"""Kind of a raw mail in a field for mails; it is split before it is weighed."""

# Names that are more than a label to a deserializer, an object merger or a browser (CWE-502,
# CWE-1321, CWE-79).
NAME_EVIDENCE: Final = re.compile(
    r"__(?:proto|class|import|global|init|type|define|lookup|builtin|subclass|base|mro|dict|reduce|[gs]etstate|code|debugger)|constructor|prototype|^@(?:type|class)$|java|class[.\[]|processbuilder"
    r"|^py/(?:object|reduce|function|type|repr|new)|transformer|closure|getruntime|instantiatefactory|\borg\.(?:apache|omg|spring)"
    r"|\bcom\.(?:sun|opensymphony|mchange)|^(?:document|window)\.|^mosconfig_|^_(?:conf|server|request|get|post|session|env|files)\[|^globals\[",
    re.IGNORECASE,
)


# Fields of Java Server Faces, and properties that Java and Spring document: settings, not classes.
_PROPERTY: Final = re.compile(
    r"(?:javax|jakarta)\.faces\.[\w.]{1,60}|org\.apache\.struts\.taglib\.html\.TOKEN|logging\.level\.[\w.]{1,80}"
    r"|java\.(?:version|vendor|home|io\.tmpdir|class\.path|class\.version|library\.path|(?:runtime|specification|vm)\.\w{1,24})(?:\.\w{1,16})?",
    re.IGNORECASE,
)


MAX_LABEL_CHARS: Final = 512
"""A longer name is not the name of a field, so it is always weighed."""


def stands_out(name: str) -> bool:
    """Whether a name may be more than a label."""
    if len(name) > MAX_LABEL_CHARS:
        return True
    return NAME_EVIDENCE.search(name) is not None and not _PROPERTY.fullmatch(name)


def with_parent(path: str, key: str) -> str:
    """Return a key, after its parent's key if the pair is evidence (``{"constructor": {"prototype":
    ...}}``, ``{"__class__": {"__init__": ...}}``)."""
    parent = path.rpartition(".")[2]
    is_suggestive = parent == "constructor" or (parent[:2] == "__" and parent[-2:] == "__")
    return f"{parent}.{key}" if is_suggestive else key


SECRET_OPERATOR: Final = "query.secret_operator"
"""Flag of a name that asks a document store about a secret (field_names.py)."""

UNREAD: Final = "unread_value"
"""Flag of a value that could not be parsed."""


@define(unsafe_hash=True)
class Value:
    """A piece of a request that an application sees as one string. Not frozen, because that doubles
    the time of making one; nobody writes to it.

    :ivar location: as in Finding.
    :ivar name: the name of the parameter or field.
    :ivar text: decoded as the transport says (form decoding, JSON strings), and no further.
    :ivar kind: what is known about the text: "" (nothing), "name" (a field's own name), "filename",
        "agent" (User-Agent), "header", "path", STORED, EXPRESSION, SAMPLE, PLACE, GIVEN, CARRIED,
        CONTENT (not weighed), "url" (without its query), "upload" (text of an uploaded file),
        "binary" (the same, not text), "markup" (an XML document).
    :ivar flags: evidence seen while decoding, as names of features.
    """

    location: str
    name: str
    text: str
    kind: str = ""
    flags: tuple[str, ...] = ()


VALUE_CHARS: Final = 10
"""The cost of extracting one value from a document and looking at it with the first pass."""
FREE_CHARS: Final = 12_288
"""What any request may cost, however short it is: 6 ms. Of 23,244 requests that other people made,
the most expensive head took a sixth of it. A page or a program of 5 kB takes all of it."""
HEAD_EACH: Final = 0.25
BODY_EACH: Final = 2.0
"""What each byte of a head and of a body may cost in addition. Pages and logs with evidence all
over cost less."""
SHORT_SHARE: Final = 0.6
"""How much of this the short values of a body may cost. Tables of queries and of marked-up texts
cost less. Thousands of short values with evidence in each cost more, and only attackers send
them."""
MOST_CHARS: Final = 2**62
"""No limit."""
FOUND_CHARS: Final = 4096
"""What the rest of a request may cost after a finding that refuses it: enough to weigh all of a
short request, whose log names each finding."""
DENSITY: Final = "max_density"
"""The limit that a request exceeds if it costs more than requests of its length may."""


@define
class Budget:
    """How much a request may still cost. Spending more than remains raises BudgetSpent.

    Characters are the unit of work. One is about half a microsecond of processor time, the cost of
    a character in a text that is weighed all over. Other work is charged by its time
    (benchmarks/bytes.py), whatever its length is.

    :ivar spare: how much more a longer request may cost.
    :ivar short: how much of it the short values may cost, which are weighed first.
    :ivar kept: what the long values have besides (`hold`).
    :ivar is_ending: whether the request is refused, whatever else is in it.
    :ivar searches: how many readings of a body were searched. Each may cost half of the one before.
    """

    values: int
    chars: int
    spare: int = 0
    short: int = MOST_CHARS
    kept: int = 0
    is_ending: bool = False
    searches: int = 0

    @classmethod
    def of(cls, values: int, chars: int, more: int, short_share: float = 1.0) -> Budget:
        """Return the budget of a head or a body.

        :param chars: the most that any may cost.
        :param more: what this one may cost in addition.
        :param short_share: how much of that the short values may cost.
        """
        allowed = min(chars, FREE_CHARS + more)
        return cls(values, allowed, chars - allowed, FREE_CHARS + int(more * short_share))

    def hold(self) -> None:
        """Keep what is for the long values while the short ones are weighed."""
        self.kept = max(self.chars - self.short, 0)
        self.chars -= self.kept

    def release(self) -> None:
        """Return what was kept."""
        self.short = self.chars
        if not self.is_ending:
            self.chars += self.kept
        self.kept = 0

    def grow(self, more: int) -> None:
        """Add characters, up to the most that any request may cost."""
        if not self.is_ending:
            more = min(more, self.spare)
            self.chars += more
            self.short += int(more * SHORT_SHARE)
            self.spare -= more

    def end_soon(self) -> None:
        """Leave only a little for the rest: the request is refused."""
        self.is_ending = True
        self.chars = min(self.chars, FOUND_CHARS)

    def take_value(self) -> None:
        self.values -= 1
        if self.values < 0:
            raise BudgetSpent("max_values")
        self.take_chars(VALUE_CHARS)

    def take_chars(self, count: int) -> None:
        self.chars -= count
        if self.chars < 0:
            self.spend()

    def spend(self) -> NoReturn:
        """End the work."""
        raise BudgetSpent(DENSITY if self.spare or self.kept else "max_chars")


class BudgetSpent(Exception):
    """A budget ran out; the argument names it. Never leaves the detection package."""


def to_text(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Decode bytes as UTF-8, else leniently: overlong forms are evidence."""
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        text = overlong(data)
        if len(text) < len(data):
            return text, ("encoding.overlong_bytes",)
        return text, ()
