# ruff: noqa: E501, SIM905  (tables of words)
"""Tags of rich text whose attributes hold only plain values, and tags that a text shows.

An editor writes `<td class="num">(12)</td>`, and the same quotes leave a string. A tag is plain if
its element only shows something and each attribute has a closed grammar: words, a web address, rules
of a style sheet. Only the quotes of such attributes are removed before the text is weighed, so all
characters between and around them count. The quotes do no harm: where they end a string of SQL,
two words in a row follow, or a word and an equals sign, which is a syntax error; a browser reads the
same tag with and without them.
"""

from __future__ import annotations

import re
from typing import Final

_ELEMENT: Final = (
    r"a|abbr|address|article|aside|b|blockquote|br|caption|center|cite|code|col|colgroup|dd|del|details|dfn|div|dl|dt|em|figcaption|figure"
    r"|font|footer|h[1-6]|header|hr|i|img|ins|kbd|label|li|main|mark|nav|o:p|ol|p|pre|q|s|samp|section|small|span|strong|sub|summary|sup|table"
    r"|tbody|td|tfoot|th|thead|time|tr|tt|u|ul|var"
)
_TAG: Final = re.compile(
    rf"<(?:{_ELEMENT})(?:\s+[a-z-]{{1,30}}(?:=(?:\"[^\"<>`\\]*\"|'[^\"'<>`\\]*'))?)+\s*/?>",
    re.IGNORECASE,
)
_ATTRIBUTE: Final = re.compile(r"([a-z-]{1,30})=(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
# Words of SQL that may follow a text.
_OPERATOR: Final = r"(?:or|and|xor|not|is|in|like|div|mod|union|between|rlike|regexp|having|limit|order|group|into|collate|select|from|where)\b"
_OPERATED: Final = re.compile(rf"\b{_OPERATOR}", re.IGNORECASE)
_WORDS: Final = re.compile(
    rf"(?:(?!{_OPERATOR})[\w#@./%:+-][\w.,/%:]*+(?:[-+][\w.,/%:]++)*+(?: |$))*", re.IGNORECASE
)
_STYLE: Final = re.compile(
    r"(?:[a-z-]{2,40}: ?(?:(?:[\w#.%-]++|'[a-z][\w ]{1,30}'(?=[,;\"]|$)|rgba?\([\d., %]{5,30}\))(?:, ?| )?){1,8}(?:; ?|$))*",
    re.IGNORECASE,
)
# The text of a plain style is not weighed: it has no call, no address and no operator.
_STYLED: Final = re.compile(r"\sstyle=(?:\"[^\"]*\"|'[^']*')", re.IGNORECASE)
_ADDRESS: Final = re.compile(
    r"(?:https?://[\w.-]{1,120}(?::\d{1,5})?|(?=[/#?]|[\w.-]++(?:[/#?]|$))(?!//)|(?:mailto|tel):(?=[\w+]))"
    r"[\w./~%+@,;:=-]*+(?:\?(?:[\w.~%+@,/:-]*+(?:=[\w.~%+@,/:-]*+)?(?:&(?:amp;)?(?=[\w.-]{1,40}=)|$|(?=#)))*)?(?:#[\w./=-]*)?",
    re.IGNORECASE,
)
_ADDRESSES: Final = frozenset({"href", "src", "cite"})
_PLAIN: Final = frozenset(
    """
    align alt border cellpadding cellspacing class color colspan contenteditable controls datetime decoding dir face for height hreflang id lang loading name nowrap
    property rel role rowspan scope size span spellcheck start tabindex target title type valign value width bgcolor
    """.split()
)
_PREFIXES: Final = ("data-", "aria-")


# The element contains only words in brackets. A shell reads its end tag as a redirection without an
# end.
_REMARK: Final = re.compile(
    r"(?<=[\w/#]>)(?=\([\w ,.:!?\u2019-]{1,60}(?:(?<=\w)'(?=\w)[\w ,.:!?\u2019-]{1,60})?\)[\w ,.:!?()\u2019-]{0,80}</[a-z][a-z0-9]{0,10}>(?:\s*<|\s*$))"
)


def _is_plain(name: str, value: str) -> bool:
    if "--" in value:
        return False
    if name in _ADDRESSES:
        return _ADDRESS.fullmatch(value) is not None
    if name == "style":
        return _STYLE.fullmatch(value) is not None and _OPERATED.search(value) is None
    return (name in _PLAIN or name.startswith(_PREFIXES)) and _WORDS.fullmatch(value) is not None


def _without_quotes(match: re.Match[str]) -> str:
    tag = match[0]
    attributes = _ATTRIBUTE.findall(tag)
    if not all(_is_plain(name.lower(), one or other) for name, one, other in attributes):
        return tag
    return _ATTRIBUTE.sub(r"\1=\2\3", _STYLED.sub("", tag))


def without_plain_quotes(text: str) -> str:
    """Remove the quotes of plain attributes."""
    return _REMARK.sub(" ", _TAG.sub(_without_quotes, text))


# A tag without attributes that a page shows.
_SHOWN_TAG: Final = re.compile(r"&lt;/?(?!script)[a-z][a-z0-9-]{0,16} ?/?&gt;", re.IGNORECASE)
_FORMULA: Final = re.compile(
    r"<math(?: xmlns=\"http://www\.w3\.org/1998/Math/MathML\")?(?: display=\"(?:block|inline)\")?>"
    r"(?:[^<>]|</?(?:m(?:i|o|n|s|row|frac|sqrt|root|sub|sup|subsup|under|over|underover|table|tr|td|space|fenced|padded|phantom)|semantics)\s*/?>)*</math>",
    re.IGNORECASE,
)
_MATH_TAG: Final = re.compile(r"</?m[^<>]*>|</?semantics>", re.IGNORECASE)


def without_shown_tags(text: str) -> str:
    """Replace the tags without attributes that a text shows to its readers."""
    return _SHOWN_TAG.sub("tag", text)


def without_formulas(text: str) -> str:
    """Remove the tags of formulas (MathML) without attributes. What is in them stays."""
    return _FORMULA.sub(lambda match: _MATH_TAG.sub(" ", match[0]), text)
