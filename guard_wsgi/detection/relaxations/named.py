"""Names of programs in a sentence: `polyfill of String.prototype.at`, `mocks system() and exec()`.

Python, JavaScript, PHP and the expression languages of Java run nothing of a text in which two
words in a row are on one line. So what only names a class, a property or a function is idle in such
a text, if it has no quotes, no arguments and nothing else that would hide the words from a parser.
"""

from __future__ import annotations

import re
from typing import Final

from guard_wsgi.detection.relaxations.breakout import CODE_KEYWORDS

NAMED: Final = frozenset(
    {
        *("code.node", "code.node_function", "code.java_class", "code.java_gadget"),
        *("code.proto_key", "code.php_call", "code.php_call_hard", "query.where_script"),
        *("query.graph_statement", "shell.perl_open"),
    }
)
"""The indicators that names of programs have."""

MAX_NAMING_CHARS: Final = 2000
# Arguments, texts, comments, templates, assignments, and the names that pollute a prototype.
_PROGRAM: Final = re.compile(
    r"[\"`=\[\]{}$;<>\\#\x00]|//|/\*|--|\w\((?!\))|\)\s?\.\s?\w|'(?![st]\b)|(?<!\w)'|constructor|__",
    re.IGNORECASE,
)
# Without words that are keywords only within brackets or braces.
_KEYWORDS: Final = CODE_KEYWORDS - {"of", "to", "get", "set"}
_PAIR: Final = re.compile(r"(?<![\w.])([^\W\d_]{1,20}) (?=([^\W\d_]{1,20})(?:[\s,.:?!]|$))")


def is_naming(text: str) -> bool:
    """Whether a text is a sentence that can only name parts of programs."""
    if len(text) > MAX_NAMING_CHARS or " " not in text or _PROGRAM.search(text) is not None:
        return False
    return any(
        match[1].lower() not in _KEYWORDS and match[2].lower() not in _KEYWORDS
        for match in _PAIR.finditer(text)
    )
