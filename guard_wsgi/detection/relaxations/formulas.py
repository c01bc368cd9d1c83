# ruff: noqa: E501  (tables of words)
"""Formulas of spreadsheets with the code of a character: `=A1&CHAR(10)&B1`.

An injection builds texts of such codes for lack of quotes. A formula begins with "=" and consists
of functions of spreadsheets, cells, numbers and texts, so it names no column and no function of a
database that reveals anything. Only the calls are taken out of it; what else it contains is
weighed.
"""

from __future__ import annotations

import re
from typing import Final

MAX_FORMULA_CHARS: Final = 2000
_FUNCTION: Final = (
    r"(?:SUM|SUMIFS?|SUMPRODUCT|COUNT|COUNTA|COUNTIFS?|COUNTBLANK|AVERAGE|AVERAGEIFS?|MIN|MAX|ROUND|ROUNDUP|ROUNDDOWN|INT|ABS|MOD|RANK|LARGE|SMALL|MEDIAN"
    r"|IF|IFS|IFERROR|IFNA|AND|OR|NOT|TRUE|FALSE|SWITCH|CHOOSE|ISBLANK|ISNUMBER|ISTEXT|ISERROR|ISNA|NA"
    r"|VLOOKUP|HLOOKUP|XLOOKUP|LOOKUP|INDEX|MATCH|OFFSET|ROW|ROWS|COLUMN|COLUMNS|FILTER|SORT|UNIQUE|TRANSPOSE|ARRAYFORMULA|SPLIT|FLATTEN|SEQUENCE"
    r"|CONCATENATE|CONCAT|TEXTJOIN|JOIN|TEXT|VALUE|LEFT|RIGHT|MID|LEN|FIND|SEARCH|SUBSTITUTE|REPLACE|REPT|TRIM|CLEAN|UPPER|LOWER|PROPER|EXACT|T|N|CHAR|UNICHAR|CODE|UNICODE"
    r"|DATE|TODAY|NOW|YEAR|MONTH|DAY|HOUR|MINUTE|SECOND|WEEKDAY|WEEKNUM|EOMONTH|EDATE|DATEDIF|DATEVALUE|NETWORKDAYS|WORKDAY|REGEXREPLACE|REGEXEXTRACT|REGEXMATCH|DOLLAR|FIXED)\("
)
_CELL: Final = r"\$?[A-Z]{1,3}\$?\d{1,7}|\$?[A-Z]{1,3}:\$?[A-Z]{1,3}|\[@?[\w ]{1,40}\]"
_TOKEN: Final = re.compile(
    rf"(?P<code>\b(?:UNI)?CHAR\(\d{{1,5}}\))|(?P<open>{_FUNCTION}|\()|(?P<close>\))"
    rf"|(?P<text>\"(?:[^\"]|\"\")*+\")|(?P<sheet>(?:'[\w .-]{{1,60}}'|[A-Za-z]\w{{0,40}})!(?={_CELL}))"
    rf"|{_CELL}|\d{{1,15}}(?:\.\d{{1,10}})?%?|TRUE\b|FALSE\b|<>|[<>]=|[-+*/^&=<>,;:]|[ \n]",
    re.IGNORECASE,
)
HINT: Final = r"char\(\d"
"""Every formula of this kind contains this."""
_HINT: Final = re.compile(HINT, re.IGNORECASE)


def without_character_codes(text: str) -> str:
    """Replace the calls of a formula that make a character by its code with a cell."""
    if text[:1] != "=" or len(text) > MAX_FORMULA_CHARS or _HINT.search(text) is None:
        return text
    pieces: list[str] = []
    at, depth = 0, 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return text
        at = token.end()
        depth += (token.lastgroup == "open") - (token.lastgroup == "close")
        if depth < 0:
            return text
        pieces.append("A1" if token.lastgroup == "code" else token[0])
    return text if depth else "".join(pieces)
