# ruff: noqa: E501, SIM905  (tables of words)
"""Expressions of columns, as tools for reports send them: `SUM(x)::float`,
`CASE WHEN status='paid' THEN amount ELSE 0 END`.

An injection asks for what its sender may not see: a function of the database, another table, a
secret, or a condition that is always true. An expression here has functions of arithmetic, columns
without a telling name, and comparisons of a column with a constant. Its texts begin with a word, so
a quote in it that ends the app's own string is followed by a word, which is a syntax error.
"""

from __future__ import annotations

import re
from typing import Final

from guard_wsgi.detection.relaxations.field_names import name_features
from guard_wsgi.detection.relaxations.placeholders import SAID
from guard_wsgi.detection.value import Value

MAX_EXPRESSION_CHARS: Final = 800
_MAX_DEPTH: Final = 12
_TELLING: Final = re.compile(
    r"pass|pwd|secret|token|hash|salt|key|pin\b|otp|cred|session|cookie|user\b|version|database|schema|catalog|pg_|sys|hostname|role|admin|priv|grant",
    re.IGNORECASE,
)
_TYPE: Final = r"(?:big|small)?int(?:eger|[248])?|double precision|float[48]?|real|numeric|decimal|text|varchar|char|date|time|timestamptz?|interval|bool(?:ean)?|jsonb?|uuid|money"
_TOKEN: Final = re.compile(
    rf"\s*(?:(?P<cast>::\s?(?:{_TYPE})\b(?:\(\d{{1,3}}(?:, ?\d{{1,3}})?\))?)|(?P<text>'(?:{SAID})?'(?!'))|(?P<name>\"[A-Za-z][\w ]{{0,60}}\"(?!\"))"
    r"|(?P<number>\d{1,12}(?:\.\d{1,10})?)(?!\w)|(?P<word>[A-Za-z_]\w{0,62}(?:\.[A-Za-z_]\w{0,62}){0,2})|(?P<compare>!=|<>|[<>]=?|=)|(?P<operator>\|\||[-+*/%])|(?P<mark>[(),]))",
    re.IGNORECASE,
)
_MARKED: Final = re.compile(r"[('\"]|::")
_FUNCTIONS: Final = frozenset(
    """
    sum avg min max count round abs ceil ceiling floor coalesce nullif ifnull nvl greatest least date_trunc date trunc lower upper trim
    initcap length concat to_char to_date datediff date_part year month day stddev variance median sqrt power mod
    """.split()
)
_KEYWORDS: Final = frozenset(
    """
    or and xor not like ilike rlike regexp in is null between union select from where having group order by limit into case when then else end
    as on join exists all any distinct cast convert collate escape div mod true false current_user session_user sleep
    benchmark delay exec execute for with values table insert update delete drop current_setting
    """.split()
)


class _Failed(Exception):
    """The text is no expression."""


class _Parser:
    """Reads an expression to its end, or fails."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None:
                raise _Failed
            self._tokens.append((token.lastgroup or "", token[0].strip()))
            at = token.end()
        self._at = 0
        self._depth = 0
        self.columns = 0

    def read(self) -> None:
        self._expression()
        if self._at < len(self._tokens) or len(self._tokens) == 1:
            raise _Failed

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "")

    def _take(self, *texts: str) -> bool:
        taken = self._peek()[1].lower() in texts
        self._at += taken
        return taken

    def _need(self, text: str) -> None:
        if not self._take(text):
            raise _Failed

    def _expression(self) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _Failed
        self._operand()
        while self._peek()[0] == "operator":
            self._at += 1
            self._operand()
        self._depth -= 1

    def _operand(self) -> None:
        kind, text = self._peek()
        self._at += 1
        if kind == "word" and text.lower() == "case":
            self._case()
        elif kind == "word" and self._peek()[1] == "(":
            if text.lower() not in _FUNCTIONS:
                raise _Failed
            self._at += 1
            self._arguments()
        elif kind == "word":
            self._column(text)
        elif text == "(":
            self._expression()
            self._need(")")
        elif kind == "name":
            self._column(text.strip('"'))
        elif kind not in ("number", "text"):
            raise _Failed
        while self._peek()[0] == "cast":
            self._at += 1

    def _arguments(self) -> None:
        if self._take("*"):
            self.columns += 1
            self._need(")")
            return
        self._take("distinct")
        self._expression()
        while self._take(","):
            self._expression()
        self._need(")")

    def _column(self, name: str) -> None:
        if not _KEYWORDS.isdisjoint(name.lower().split()) or _TELLING.search(name) is not None:
            raise _Failed
        self.columns += 1

    def _case(self) -> None:
        self._need("when")
        while True:
            self._comparison()
            while self._take("and", "or"):
                self._comparison()
            self._need("then")
            self._expression()
            if not self._take("when"):
                break
        if self._take("else") and not self._take("null"):
            self._expression()
        self._need("end")

    def _comparison(self) -> None:
        kind, name = self._peek()
        if kind not in ("word", "name"):
            raise _Failed
        self._at += 1
        self._column(name.strip('"'))
        if self._take("is"):
            self._take("not")
            self._need("null")
            return
        kind = self._peek()[0]
        self._at += 1
        if kind != "compare" or self._peek()[0] not in ("number", "text"):
            raise _Failed
        self._at += 1


def is_column_expression(text: str) -> bool:
    """Whether a text is an expression of columns. A name alone, or names joined by operators, may
    be base64."""
    if len(text) > MAX_EXPRESSION_CHARS or _MARKED.search(text) is None:
        return False
    try:
        parser = _Parser(text)
        parser.read()
    except _Failed:
        return False
    return parser.columns > 0


# Also the name of a class in Perl, C++ or Rust. A cast to text fails for no value, so no message
# of a failure reveals it.
_CAST_TO_TEXT: Final = re.compile(r"[A-Za-z_]\w{0,60}::text", re.IGNORECASE)


def is_calculated(value: Value) -> bool:
    """Whether a value is an expression of columns, in a body and not in a field that sorts or
    counts: there, an injection reads a column by the order."""
    text = value.text.strip(" ")
    if _CAST_TO_TEXT.fullmatch(text):
        return _TELLING.search(text) is None
    return (
        value.location in ("json", "form", "multipart")
        and ">" not in value.name
        and "name:number" not in name_features(value.name)
        and is_column_expression(text)
    )
