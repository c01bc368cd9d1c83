# ruff: noqa: E501, SIM905  (tables of words)
"""Whether a text can break out of the place that an app puts it in.

An app puts a value either into the middle of a program or between quotes there. In the middle, it
is read from its first word on, and no attacked language accepts several words in a row that are not
its keywords. Between quotes, nothing of it is read before the first quote of the same kind, and
what follows that quote must be something that the language allows after a string.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from guard_wsgi.detection.language.lexicon import LEXICON

MAX_LEADING_CHARS: Final = 240
"""A sentence has two words in a row before that."""
# Marks of lists and quotations, and headings, which some languages take for comments of one line.
_START: Final = re.compile(r"(?:[\s(>*]+|#[^\r\n]*|[-+][ \t]+|\d{1,3}[.)][ \t]+)*")
_WORD: Final = re.compile(r"[^\W\d_]{1,40}(?:\u2019[^\W\d_]{1,16})?|[0-9]{1,9}")
_BETWEEN: Final = re.compile(r",?\s+|,")
_CONTRACTION: Final = re.compile(r"'(?:t|s|d|m|re|ve|ll)(?=[ \t,])", re.IGNORECASE)
_STRING_PREFIXES: Final = frozenset("n e b x r u f q rb br fr nq bx".split())

# Words that may be next to other words in a program: keywords of SQL and its dialects, of Python,
# JavaScript and PHP, and of the expression languages of Java. They don't count as words of a
# sentence, although some are English.
_SQL_KEYWORDS: Final = frozenset(
    """
    a an select union where and or not like ilike in is null order by group having limit offset fetch first next only into insert
    update delete set drop create alter truncate values exec execute declare begin commit case when then else end as on using join
    inner outer left right cross natural full lateral apply all any some distinct top percent with recursive from interval date
    time timestamp year month day hour minute second cast convert collate escape binary between exists rlike regexp glob match
    similar to sounds div mod xor isnull notnull asc desc nulls last unique overlaps at zone local over partition rows range
    preceding following current row filter within except intersect minus procedure analyse force use ignore index key for share
    lock mode of nowait skip locked read uncommitted returning replace call handler open close prepare deallocate if while loop
    repeat return do grant revoke table view database schema column trigger function user role default constraint primary foreign
    references check cascade restrict add rename explain describe show copy load data infile outfile dumpfile attach detach
    pragma vacuum reindex merge matched output sysdate unknown true false prior connect start level rownum dual double precision
    varying character national large object without array multiset member submultiset new old each statement instead after
    before shutdown reconfigure backup restore waitfor delay go print raiserror throw try catch transaction tran save work
    """.split()
)
CODE_KEYWORDS: Final = frozenset(
    """
    and as assert async await break case class continue def del elif else except finally for from global if import in is lambda
    match nonlocal not or pass raise return try type while with yield print exec debugger default delete do enum export extends
    function get implements instanceof interface let new of package private protected public set static super switch throw
    typeof var void const catch int integer float double bool boolean string array object abstract clone declare die echo
    exit final fn goto include insteadof isset iterable list mixed namespace never null readonly require self trait
    unset use xor eq ne lt gt le ge div mod matches between band bor shl shr ushr contains true false bytes byte char long
    short synchronized throws transient volatile native module exports open provides requires to transitive uses b r f u x
    puts p pp load begin end unless until then when rescue ensure alias undef redo retry loop say warn
    """.split()
)
# Words that may follow the name of a table and its alias.
_AFTER_ALIAS: Final = frozenset(
    """
    where join inner left right cross natural full outer union except intersect minus order group having limit offset fetch for on
    using use force ignore set partition tablesample window returning procedure into lock with pivot unpivot default from as
    """.split()
)
_ENDS_ALIAS: Final = ".:!?'\"`=<>+*%&|^~[{"
"""Characters at the end of a row of words that no language allows after those two."""


class Leading(NamedTuple):
    """How a text begins.

    :ivar words: its first words or numbers, with only blanks and commas between them.
    :ivar joined: for each of them, whether no comma follows.
    :ivar in_line: the same, and no end of a line.
    :ivar end: the character that ends the row; "" at the end of the text.
    :ivar rest: the text after the apostrophe, if a contraction ends the row ("it's").
    """

    words: tuple[str, ...]
    joined: tuple[bool, ...]
    in_line: tuple[bool, ...]
    end: str
    rest: str | None

    @property
    def is_sentence(self) -> bool:
        """Whether the text begins with two words in a row, not with an address, a path, a number or
        a document."""
        pairs = zip(self.words, self.words[1:], self.in_line, strict=False)
        return self.rest is not None or any(
            joined and not (one.isdigit() and two.isdigit()) for one, two, joined in pairs
        )


def leading(text: str) -> Leading:
    """Read the beginning of a text."""
    start = _START.match(text)
    at = start.end() if start else 0
    words: list[str] = []
    joined: list[bool] = []
    in_line: list[bool] = []
    rest: str | None = None
    while at < min(len(text), MAX_LEADING_CHARS):
        word = _WORD.match(text, at)
        if word is None:
            break
        after = text[word.end() : word.end() + 1]
        if after == "_" or (after.isalnum() and word[0].isdigit()):
            break  # a name, a unit or a hexadecimal number, not a word
        words.append(word[0].lower())
        at = word.end()
        between = _BETWEEN.match(text, at)
        gap = between[0] if between else ""
        joined.append("," not in gap)
        in_line.append("," not in gap and "\n" not in gap and "\r" not in gap)
        if between is None:
            known = words[-1] in _STRING_PREFIXES or words[-1] in _SQL_KEYWORDS
            if not known and _CONTRACTION.match(text, at):
                rest = text[at + 1 :]
            break
        at = between.end()
    return Leading(tuple(words), tuple(joined), tuple(in_line), text[at : at + 1], rest)


def is_no_sql(first: Leading) -> bool:
    """Whether the beginning is a syntax error in SQL: three words in a row that are no keywords, or
    two without a continuation that a table's name and alias may have."""
    if first.rest is not None and "'" not in first.rest:
        return True
    words, joined = first.words, first.joined
    plain = [word not in _SQL_KEYWORDS and LEXICON.get(word, "w") == "w" for word in words]
    for at in range(len(words) - 1):
        if not (plain[at] and plain[at + 1] and joined[at]):
            continue
        if at + 2 == len(words):
            return joined[at + 1] and first.end != "" and first.end in _ENDS_ALIAS
        if joined[at + 1] and words[at + 2] not in _AFTER_ALIAS:
            return True
    return False


_TOKEN: Final = re.compile(r"[^\W\d]\w*|\d+|[^\w\s]")
# A name in brackets may have blanks.
_OPENED_NAME: Final = re.compile(r"['\"`\[\\{$]")
MAX_STATEMENT_CHARS: Final = 2000


def is_no_statement(text: str) -> bool:
    """Whether a text is a syntax error in SQL before its first quote: a name or the end of a call,
    an alias, and a word that may not follow an alias.

    Use it only for a text without comments and semicolons: then the rest after the error is part of
    the same statement.
    """
    opened = _OPENED_NAME.search(text, 0, MAX_STATEMENT_CHARS)
    row = 0  # how many operands without an operator between them
    for token in _TOKEN.finditer(text, 0, opened.start() if opened else MAX_STATEMENT_CHARS):
        word = token[0].lower()
        if word == ")":
            row = 1
        elif not word[0].isalpha():
            row = 0
        elif row == 2 and word not in _AFTER_ALIAS:
            return True
        elif row == 2 or word in _SQL_KEYWORDS or LEXICON.get(word, "w") != "w":
            row = 0
        else:
            row += 1
    return False


def is_no_code(first: Leading) -> bool:
    """Whether the beginning is a syntax error in Python, JavaScript, PHP and the expression
    languages of Java: two words in a row that are no keywords."""
    words = first.words
    return first.rest is not None or any(
        first.in_line[at] and words[at] not in CODE_KEYWORDS and words[at + 1] not in CODE_KEYWORDS
        for at in range(len(words) - 1)
    )


# What may follow a text in SQL, after closing parentheses and blanks: an operator, a comment, the
# end of the statement, the next item of a list, another text.
_SQL_OPERATORS: Final = (
    r"(?:or|and|xor|not|like|ilike|in|is|between|rlike|regexp|regexp_like|glob|match|similar|sounds|div|mod|collate|escape|overlaps"
    r"|isnull|notnull|union|except|intersect|minus|order|group|having|limit|offset|fetch|for|into|procedure|returning|as|asc|desc|then|else|when|end|from|where|on"
    r"|using|join|inner|left|right|cross|natural|full|exec|execute|select|insert|update|delete|drop|declare|waitfor|shutdown|begin|create|alter|if|while|set|go|print)(?![a-z])"
)
# A column that is a text may have an alias after it.
_NAMED_TEXT: Final = r"[\w$@#]+\s*(?:[,;)#]|--|/\*|(?:from|where|limit|order|group|union|having|into|for|except|intersect|join|window|procedure|offset|fetch|with)\b)"
_AFTER_TEXT_IN_SQL: Final = re.compile(
    rf"[\s)\x00]*(?:{_SQL_OPERATORS}|{_NAMED_TEXT}|[-+.*%=<>|&^~;,#@'\"`\x00/]|![=<>~]|::|\d+[\s'\"=)]*[=<>])",
    re.IGNORECASE,
)
# The same in Python, JavaScript and PHP; anything may follow a parenthesis or the end of a line.
_AFTER_TEXT_IN_CODE: Final = re.compile(
    r"[ \t\x00)\]}]*(?:[-.,;+*/%=<>&|^?:~@(\['\"`#\x00\r\n]|!=|(?:in|instanceof|if|else|or|and|not|is|for|as|xor)(?![a-z]))",
    re.IGNORECASE,
)


def _leaves(text: str, quote: str, after: re.Pattern[str]) -> bool:
    """Whether a text ends a string with these quotes: at its first quote that is neither doubled
    nor escaped, or at an earlier escaped one, because some databases know no escapes."""
    at = text.find(quote)
    while at >= 0:
        if text.startswith(quote, at + 1):
            at = text.find(quote, at + 2)
            continue
        if after.match(text, at + 1):
            return True
        if text[at - 1 : at] != "\\":
            return False
        at = text.find(quote, at + 1)
    return False


def leaves_quotes_in_sql(text: str) -> bool:
    """Whether a text ends a string or a quoted name in SQL."""
    return "$$" in text or any(
        _leaves(text, quote, _AFTER_TEXT_IN_SQL) for quote in ("'", '"', "`", "]")
    )


def leaves_quotes_in_code(text: str) -> bool:
    """Whether a text ends a string in Python, JavaScript or PHP."""
    if any(_leaves(text, quote, _AFTER_TEXT_IN_CODE) for quote in ("'", '"')):
        return True
    # Three in a row end a string and call it as a function, which is an error.
    at = text.find("`")
    return not text.startswith("```", at) and _leaves(text, "`", _AFTER_TEXT_IN_CODE)
