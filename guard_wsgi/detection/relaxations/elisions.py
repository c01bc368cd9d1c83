# ruff: noqa: E501  (tables of words)
"""Names with apostrophes: `L'Oréal & L'Occitane`, `d'Or/d'Argent`, `Kids' & Mens'`, `5' & 6'`.

If an app puts such a name between quotes of SQL, the first apostrophe ends the string, and the next
one begins another directly after a word or a number. That is a syntax error in all conditions,
whatever is before it, unless the word is a prefix of strings or, in PostgreSQL, a type.
"""

from __future__ import annotations

import re
from typing import Final

# Neither a prefix of a string, nor a type, nor a keyword that a string may follow.
_NO_PREFIX: Final = (
    r"(?!(?:[nbxeurq]|nq|bx|rb|br|fr|bool|int\d?|text|date|time|oid|xml|json|bit|char|name|box|cid|lseg|inet|cidr|path|real|line|tid|xid"
    r"|and|or|xor|not|in|is|like|glob|div|mod|as|by|on|end|then|else|when|case|all|any|some|from|into|set|if|to|go|asc|desc|join|using|offset|limit|escape"
    r"|having|values?|isnull|sounds|match|reg[a-z]*)')"
)
# No operator in signs, no comment, no end of a statement.
_FILL: Final = r"(?:[^\W_]|[ ,.&+|\u2019]|/(?!\*)|-(?!-))*"
_LETTER: Final = r"[^\W\d_]"
# A word has one apostrophe: a shell joins the parts of `w'h'o`.
_NAMES: Final = re.compile(
    rf"(?!.*'[^\W_]*')(?=\w){_FILL}'{_FILL}(?:(?<![^\W_])(?:{_NO_PREFIX}{_LETTER}{{1,4}}'(?={_LETTER})|{_NO_PREFIX}{_LETTER}{{2,20}}s'(?=[ ,/]|$)){_FILL})+",
    re.IGNORECASE,
)
_FEET: Final = re.compile(r"\d{1,3}' ?[&/+-] ?\d{1,3}'")
MAX_NAME_CHARS: Final = 100


def without_elisions(text: str) -> str:
    """Replace the apostrophes of a name with those of typographers."""
    if len(text) <= MAX_NAME_CHARS and (_NAMES.fullmatch(text) or _FEET.fullmatch(text)):
        return text.replace("'", "\u2019")
    return text
