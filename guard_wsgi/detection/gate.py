"""The first pass: one scan of the raw request that clears almost everything customers send.

These patterns are wider than the indicators and cheap: each asks for two things next to each
other that ordinary traffic seldom has. They are matched against the path, the query decoded
once, cookies, headers, or a body as it came; so whatever hides behind a further encoding has a
pattern of its own (escapes of plain characters, base64 of the usual beginnings).
A hit decides nothing: it makes the values be parsed, decoded and scored.
"""

from __future__ import annotations

from typing import Final

_SQL_AFTER_QUOTE = (
    r"(?:or|and|xor|union|having|group|order|like|rlike|regexp|limit|where|in|is|between|div|mod"
    r"|select|procedure|into|as|waitfor|exec|if|case|when|then|end|from|then|returning|asc|desc)\b"
)

GATE: Final[tuple[tuple[str, str], ...]] = (
    # quotes that end a string in a query
    ("quote_keyword", r"['\"`)]\s*\)*\s*[+/*]*" + _SQL_AFTER_QUOTE),
    ("quote_symbol", r"['`\"]\s*\)*\s*(?:--|#|/\*|;|\|\||&&|\|\s|&\s)"),
    ("single_operator", r"['`]\s*\)*\s*(?:[-+*/%^&|=<>!~\\,@(]|$)"),
    ("single_start", r"(?:[=\n/\"(,;]|^)\s*[\w-]*\s*[')]+\s*(?:['\"`()=,;]|$|\n|&)"),
    ("double_operator", r"[^:,{\[\s\\]\"\s*\)*\s*(?:[-+*/%^|=<>!~(;]|or\b|and\b)"),
)
