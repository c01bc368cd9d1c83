"""Evidence that can do no harm in its text, such as a quote after which no code can continue.

An injection must leave the place that the app puts the value in. So each family of indicators here
needs a condition before it can do harm, such as an open quote. If the text lacks the condition, the
indicator is not counted. The conditions come from the grammars of the languages, so an attacker
can't fake them: a sentence before a payload changes nothing while the payload works.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from guard_wsgi.detection.decoding.decodings import decodings
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.relaxations.breakout import (
    is_no_code,
    is_no_sql,
    is_no_statement,
    leading,
    leaves_quotes_in_code,
    leaves_quotes_in_sql,
)
from guard_wsgi.detection.relaxations.named import NAMED, is_naming
from guard_wsgi.detection.relaxations.pasted_heads import IN_HEADS, has_pasted_head
from guard_wsgi.detection.value import Budget, Value

MAX_IDLE_CHARS: Final = 20_000
"""A longer text is a document, which is weighed in windows."""
IDLE_EACH: Final = 4
"""This many characters of a text cost one character of the budget."""


def _names(*prefixes: str, without: Iterable[str] = ()) -> frozenset[str]:
    excluded = frozenset(without)
    return frozenset(
        one.name for one in INDICATORS if one.name.startswith(prefixes) and one.name not in excluded
    )


# Calls of Python, PHP or JavaScript; a shell does not know them.
_CALLS: Final = frozenset({"shell.function_command", "shell.os_function"})
_SQL: Final = _names("sql.") | _names("query.axis", "query.path_predicate", "query.union_break")
_SQL_QUOTES: Final = frozenset(
    "sql." + name
    for name in (
        *("quoted_union", "quoted_tautology", "break_tautology", "break_keyword", "quote_comment"),
        *("quoted_logic_operand", "quote_null_test", "quoted_null_test", "quoted_pair"),
        *("broken_string", "quote_digit_end", "sleep_quoted", "quote_concatenation", "quote_is"),
        *("quote_operator", "quote_close", "edge_quote", "odd_start", "quote_semicolon"),
        *("quoted_arithmetic", "word_quote_comment", "adjacent_quotes", "quoted_in_list"),
    )
)
# Names of catalogs and of functions that reveal or wait.
_CATALOG: Final = frozenset(
    {"sql.catalog", "sql.procedure", "sql.sqlite_function", "sql.call_logic"}
)
# What a parser of XML reads at the beginning of a document only. Text before it is an error.
_PROLOG: Final = _names("query.doctype", "query.public_identifier", "query.system_identifier")
_CODE_QUOTES: Final = frozenset({"xss.js_break"})
# A protocol command must be at the beginning of a line.
_LINES: Final = frozenset({"protocol.request_line", "xss.cookie_set", "code.session_fixation"})
_SCRIPT: Final = _names("xss.")
_PROTOTYPE: Final = frozenset({"code.proto_key", "code.prototype_path"})
_ALIAS: Final = frozenset({"shell.alias"})
# Without tags, which count anywhere, and without settings, which count on any line.
_CODE: Final = _CALLS | frozenset(
    one.name
    for one in INDICATORS
    if one.category == "code_injection"
    and not one.name.startswith(
        (
            *("code.php_open", "code.php_tag", "code.php_block", "code.asp_", "code.ognl"),
            *("code.php_ini", "code.php_setting", "code.php_limit", "code.php_option"),
            *("code.perl", "code.ruby", "code.groovy", "code.node_rsc", "code.session"),
            *("code.spel", "code.spring"),
        )
    )
)
_TEMPLATE: Final = _names(
    *("code.double_brace", "code.statement", "code.expression_call", "code.dollar_expression"),
    *("code.erb", "code.asp_open", "code.ruby_interpolation", "code.tornado_tag"),
)

# Opens a program in the middle of a page, a string or a template.
_OPENED_CODE: Final = re.compile(
    r"<\s*[?%]|<\s*(?:jsp|cf|script)|\{/?php|\[/?\\?php|[$#%@*]\s*\{|\{[\w.]*(?:__|\[)|\{\{|\{%|_\$\$|\$\(",
    re.IGNORECASE,
)
_TEMPLATES: Final = (
    *(("{{", "}}"), ("{%", "%}"), ("<%", "%>"), ("[[", "]]")),
    *((mark + "{", "}") for mark in "$#%@*~"),
)
# Tags of JSP and ColdFusion, and a call after "<%", need no end of their own, because the rest of a
# page may have one. Lines of Mako have no end.
_UNCLOSED_TEMPLATE: Final = re.compile(
    r"<%[^%]*[(`]|<(?:jsp|cf)|^[ \t]{0,40}%", re.I | re.MULTILINE
)
# Tags, attributes and addresses of scripts count anywhere in a page.
_MARKUP: Final = re.compile(
    r"<[\s\x00/]*[a-z!?%&\\]|\b(?:on\w+|style|src\w*|href|action|formaction|data|background|poster|content|http-equiv)\s*="
    r"|script\s*:|\bdata\s*:|\{\{|[$#]\{|\[\[|@import|expression\s*\(|-moz-binding|behavior\s*:",
    re.IGNORECASE,
)
_PROTOTYPE_STEP: Final = re.compile(
    r"(?:^|[.\[\]\"'/&?=,])\s*(?:__proto__|constructor|prototype)\s*(?:$|[.\[\]\"':=/])",
    re.IGNORECASE,
)
_ALIAS_COMMAND: Final = re.compile(
    r"(?:^|[;&|`\n\r({]|\$\()[\s\"'\\]{0,16}"
    r"(?:(?:command|builtin|eval|exec|sudo|then|do|else|time|!)[\s\"'\\]{1,16}){0,4}alias\b",
    re.IGNORECASE,
)
# Line ends, escaped or not; and attacks that need no line of their own: an address for a proxy, a
# cookie that a script or a page sets.
_NOT_ONE_LINE: Final = re.compile(
    r"[\r\n\x0b\x0c\x85\u2028\u2029\u010a\u010d\u560a\u560d]|%0|%e|%c4|\\[rnu0x]|<|://|\.\s*cookie|cookie\W{0,3}=|sess",
    re.IGNORECASE,
)
_TERMINATOR: Final = re.compile(r"--|/\*|[#;\x00]")
_CODE_SPAN: Final = re.compile(r"```.+?```|`[^`]{2,400}`", re.DOTALL)


def _is_template(text: str) -> bool:
    """Whether a template in a text has an end as well as a beginning."""
    for begin, end in _TEMPLATES:
        at = text.find(begin)
        if at >= 0 and text.find(end, at + len(begin)) >= 0:
            return True
    return _UNCLOSED_TEMPLATE.search(text) is not None


_DOCTYPE: Final = re.compile(r"<!doctype\b", re.IGNORECASE)
_ENTITY: Final = re.compile(r"<!entity\b", re.IGNORECASE)
_IN_PROSE: Final = _SQL_QUOTES | _CODE_QUOTES | _SQL | _CODE | _SCRIPT
_EVERY: Final = _IN_PROSE | _PROTOTYPE | _TEMPLATE | _ALIAS | _LINES | _PROLOG | NAMED


def _idle_in(text: str, asked: frozenset[str]) -> frozenset[str]:
    found: set[str] = set()
    if not asked.isdisjoint(_PROTOTYPE) and " " in text and _PROTOTYPE_STEP.search(text) is None:
        found |= _PROTOTYPE
    if not asked.isdisjoint(_TEMPLATE) and not _is_template(text):
        found |= _TEMPLATE
    if "alias" in text and _ALIAS_COMMAND.search(text) is None:
        found |= _ALIAS
    if not asked.isdisjoint(_LINES) and _NOT_ONE_LINE.search(text) is None:
        found |= _LINES
    if not asked.isdisjoint(NAMED) and is_naming(text):
        found |= NAMED
    if (
        not asked.isdisjoint(_PROLOG)
        and _DOCTYPE.search(text) is not None
        and _ENTITY.search(text) is None
        and leading(text).is_sentence
    ):
        found |= _PROLOG
    if asked.isdisjoint(_IN_PROSE):
        return frozenset(found)
    if (
        not asked.isdisjoint(_CATALOG)
        and _TERMINATOR.search(text) is None
        and (is_no_statement(text) or is_no_sql(leading(text)))
        and not leaves_quotes_in_sql(text)
    ):
        found |= _CATALOG
    # Optimization: in a text without a code span, only quotes can be idle, and quotes of SQL only
    # if no terminator follows.
    if (
        "`" not in text
        and asked.isdisjoint(_CODE_QUOTES)
        and (asked.isdisjoint(_SQL_QUOTES) or _TERMINATOR.search(text) is not None)
    ):
        return frozenset(found)
    first = leading(text)
    is_fenced = text.lstrip()[:3] == "```"
    if not (first.is_sentence or is_fenced):
        return frozenset(found)
    leaves_sql, leaves_code = leaves_quotes_in_sql(text), leaves_quotes_in_code(text)
    if not leaves_sql and _TERMINATOR.search(text) is None:
        found |= _SQL_QUOTES
    if not leaves_code:
        found |= _CODE_QUOTES
    if _CODE_SPAN.search(text) is None:
        return frozenset(found)
    if not leaves_sql and (is_fenced or is_no_sql(first)):
        found |= _SQL
    if not leaves_code and (is_fenced or is_no_code(first)):
        if _OPENED_CODE.search(text) is None:
            found |= _CODE
        if _MARKUP.search(text) is None:
            found |= _SCRIPT
    return frozenset(found)


def idle_in(texts: Iterable[str], asked: frozenset[str] = _EVERY) -> frozenset[str]:
    """Return the names of the indicators that can do no harm in any reading of a value.

    :param texts: the readings of all of the value, the raw one among them.
    :param asked: the names to look for; fewer take less time.
    """
    found: frozenset[str] | None = None
    for text in texts:
        here = _idle_in(text, asked)
        found = here if found is None else found & here
        if not found:
            break
    return found or frozenset()


class IdleEvidence:
    """The idle indicators of a value. They are computed once, when the value is over the
    threshold."""

    __slots__ = ("_budget", "_names", "_value")

    def __init__(self, value: Value, budget: Budget) -> None:
        self._value, self._budget = value, budget
        self._names: frozenset[str] | None = None

    def names(self) -> frozenset[str]:
        """:raises BudgetSpent: by the reading of the value."""
        names = self._names
        if names is None:
            names = self._names = self._found()
        return names

    def _found(self) -> frozenset[str]:
        value = self._value
        if value.kind or value.flags or len(value.text) > MAX_IDLE_CHARS:
            return frozenset()
        self._budget.take_chars(len(value.text) // IDLE_EACH)
        # Without "plain", which only a shell or a database reads.
        found = idle_in(view.text for view in decodings(value.text) if view.name != "plain")
        return found | IN_HEADS if has_pasted_head(value) else found
