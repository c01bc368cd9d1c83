# ruff: noqa: E501  (tables of words)
"""Fragments of markup, templates and prose that do nothing, wherever an app inserts them.

A page's "back" button, a name in a template, a tag that a sentence names and a measure in feet and
inches consist of the same characters as attacks. Each is removed before the rest of a value is
weighed, if it is exactly one of a closed set. So an attacker gains nothing by a fragment, and the
text around it keeps its weight.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from guard_wsgi.detection.relaxations.elisions import without_elisions
from guard_wsgi.detection.relaxations.formulas import HINT as FORMULA_HINT
from guard_wsgi.detection.relaxations.formulas import without_character_codes
from guard_wsgi.detection.relaxations.notations import is_type
from guard_wsgi.detection.relaxations.placeholders import without_placeholders
from guard_wsgi.detection.relaxations.plain_tags import (
    without_formulas,
    without_plain_quotes,
    without_shown_tags,
)
from guard_wsgi.detection.relaxations.styles import HINTS as STYLE_HINTS
from guard_wsgi.detection.relaxations.styles import without_styles
from guard_wsgi.detection.relaxations.wiki_texts import HINT as WIKI_HINT
from guard_wsgi.detection.relaxations.wiki_texts import without_wiki_texts

# Each attribute can match in one way only. Several ways would multiply the time.

# What a handler or a script URL may do: only something with the browser's own window.
_ACTION: Final = (
    r"(?>(?:(?:return false|(?:window\.|self\.)?(?:history\.(?:back\(\)|forward\(\)|go\(-?\d\))|print\(\)|close\(\)|scrollto\(0, ?0\)"
    r"|location\.reload\((?:true)?\))|this\.(?:select|blur|focus)\(\)|this\.form\.(?:submit|reset)\(\)|(?:this\.)?event\.(?:preventdefault|stoppropagation)\(\)|void\(0\)|void 0)?;? ?){0,2})"
)
# Values without a blank or a punctuation mark, so no SQL keyword can be between two quotes.
_WORD: Final = r"(?!(?:or|and|xor|not|is|in|like|div|mod|union|between|rlike|regexp)\b)[\w/#.-]"
_PLAIN: Final = rf"\s+(?:class|id|type|role|rel|target|value|name|href|tabindex|disabled)(?:=(?:\"(?:{_WORD}[\w/#.]*(?:-[\w/#.]+)*(?: {_WORD}[\w/#.]*(?:-[\w/#.]+)*)*)?\"))?(?![=\w-])"
_HANDLER: Final = rf"\s+on(?:click|focus|change|mouseover|mouseout)=\"{_ACTION}\""
_SCRIPT_URL: Final = rf"\s+href=\"javascript:{_ACTION}\""
_BUTTON: Final = re.compile(
    rf"<(?:a|button|input|p|div|span|li|td|tr|label|select|img)(?:(?>{_PLAIN}))*+(?:{_HANDLER}|{_SCRIPT_URL})(?:(?>{_PLAIN}|{_HANDLER}))*+\s*/?>",
    re.IGNORECASE,
)
# Elements that show something and run nothing.
_SHOWN: Final = re.compile(
    rf"<(?:input|button|select|option|textarea|label|fieldset|form|details|summary)(?:(?>{_PLAIN}))*+\s*/?>"
    r"|<meta (?:name|property)=\"(?:robots|viewport|description|keywords|author|theme-color|generator|[a-z-]{2,20}-verification|(?:og|twitter|article|fb):[a-z:_]{2,24})\" content=\"[\w/.,:=@-]*+(?:(?<=,) [\w.=-]++(?:,[\w.=-]++)*+(?:,(?= ))?)*+\" ?/?>"
    r"|<(?:object data|embed src)=\"/?[\w/-]{1,80}\.(?:pdf|png|jpe?g|mp4|mp3)\"(?: type=\"[\w/+-]{1,40}\")?(?: (?:width|height)=\"\d{1,4}%?\")*\s*/?>(?:</(?:object|embed)>)?"
    r"|<iframe(?:\s+(?:(?:width|height|frameborder|border)=\"\d{1,4}%?\"|allowfullscreen(?:=\"\w{0,16}\")?|loading=\"lazy\"|style=\"border: ?0;?\""
    r"|title=\"(?:youtube video player|google maps|spotify)\"|referrerpolicy=\"[a-z-]{1,40}\""
    r"|allow=\"(?:(?:accelerometer|autoplay|clipboard-write|encrypted-media|gyroscope|picture-in-picture|web-share|fullscreen)(?:; ?)?)*\""
    r"|src=\"https://(?:www\.youtube(?:-nocookie)?\.com/embed|player\.vimeo\.com/video|www\.google\.com/maps/embed|open\.spotify\.com/embed)[\w/?=&;!.%-]{0,400}\")){1,10}\s*>(?:</iframe>)?",
    re.IGNORECASE,
)

# The handler of a component (JSX). A browser ends an attribute without quotes at the arrow, and the
# part before it is no program.
_COMPONENT: Final = re.compile(r"\son[A-Z][A-Za-z]{2,20}=\{(?:\(\w{0,16}\)|\w{1,16}) =>(?= )")

# Namespaces that mail programs declare.
_NAMESPACE: Final = re.compile(
    r" xmlns(?::[a-z]{1,4})?=\"(?:urn:schemas-microsoft-com:[a-z:]{1,40}|http://(?:www\.w3\.org/(?:TR/REC-html40|1999/xhtml)|schemas\.microsoft\.com/office/[\w/]{1,40}))\"",
    re.IGNORECASE,
)

# A tag that a sentence names. A text without a call, an assignment or an attribute is no program,
# even in a tag.
_SPOKEN_TAG: Final = re.compile(
    r"(?<![<>'\"=\w/])`?(?:<|&lt;)/?[a-z][a-z0-9]{0,12}(?: on[a-z]{2,16})? ?/?(?:>|&gt;)`?(?=[ ,.;:?!]|$)",
    re.IGNORECASE,
)
_PROGRAM: Final = re.compile(r"[=(`{\[\\]|</script")
_SPOKEN_SCRIPT: Final = re.compile(
    r"<script src=\"[\w-]{1,40}(?:\.min)?\.js\"></script>(?= [a-z])", re.IGNORECASE
)
_TWO_WORDS: Final = re.compile(
    r"\b[a-z]{2,20},? [a-z]{2,20}\b|^[a-z]{2,20} <|> [a-z]{2,20}$", re.IGNORECASE
)
# A name in a sentence: it is between words, so it is part of no program.
_SPOKEN: Final = re.compile(
    r"(?:(?<=[a-z] )|(?<=[a-z], )|(?<=[a-z]: )|^)`?"
    r"(?:(?:document\.(?:cookie|location|write)|window\.location|(?:local|session)storage|innerhtml)(?:\(\))?"
    r"|javascript:void\(0\)|eval\(\)|exec\(\)|alert\(\)|on(?:click|error|load))`?"
    r"(?=,? (?:and |or |vs\.? |versus |is |in |for |to |from |as |on |with |block |blocks |not |does |do |at |when |if |which |instead |call |calls |tag |into |the |a |by )|[.,?!]?$|, [a-z]{2,} [a-z]{2,})",
    re.IGNORECASE,
)
# A path in a sentence: no program opens a sentence.
_SPOKEN_PLACE: Final = re.compile(
    r"(?:(?<=[a-z]{2} )|(?<=[a-z]{2}, )|(?<=[a-z] '))(?:169\.254\.169\.254|file://|c:\\windows\\system32\\drivers\\etc\\hosts|(?:\.\./){1,3}[a-z]{2,12}|\.\./)'?(?= [a-z]{2,20}\b|[.,?!]?$)"
    r"|(?<= \()169\.254\.169\.254(?=\))|(?<=[a-z0-9],)169\.254\.169\.254(?=[, ]|$)",
    re.IGNORECASE,
)
# Feet and inches. In the middle of a sentence "in" is an operator of SQL.
_MEASURE: Final = re.compile(
    r"(?<![\w'\"])\d{1,3}(?:[ .,/-]\d{1,3}(?:/\d{1,2})?)?(?:'|\"|'')(?: = \d{1,4}(?:[.,]\d{1,3})?(?:'|\"| ?(?:mm|cm|m|inch|inches|ft|feet|yd|yards?)\b| ?in(?=\s*(?:[.,;)]|$)))| x (?=\d))"
)
_NUMBER_QUOTE: Final = re.compile(r"\d['\"]")
# A link to another page of the same folders in Markdown: no file ends with a parenthesis.
_LINK: Final = re.compile(
    r"(?<=\])\((?:\.{1,2}/){1,6}[\w-]{1,60}(?:/[\w-]{1,60}){0,6}(?:\.(?:md|html|rst|txt|png|jpg|svg|pdf))?(?:#[\w-]{0,60})?\)(?=[\s.,;:!?]|$)"
)
# An address that is an empty script, in its own quotes.
_NO_ACTION: Final = re.compile(
    r"\bhref=(?:\"javascript:(?:void\(0\)|void 0)?;?\"|'javascript:(?:void\(0\)|void 0)?;?')(?=[\s.,;:?!>]|$)",
    re.IGNORECASE,
)
# Two words in the first quotes of a text. If an app puts the text between such quotes, it ends at
# the first quote, and a word follows, which is a syntax error. Words that are true or false for a
# database are excluded.
_CHOICE: Final = re.compile(
    r"\A([^'\"`]{0,400}[a-z][;,:]? (?<!\blike )(?<!\bnot )(?<!\bis )(?<!\bin )(?<!\bglob )(?<!\bbinary )(?<!\bregexp )(?<!\brlike )(?<!\bmatch )(?<!\bor )(?<!\band )(?<!\bcollate ))'(?!(?:t|f|y|n|true|false|yes|no|on|off|null)')[a-z]{1,20}'(?: or | and |/)'[a-z]{1,20}'(?=[ ,.;:?!]|\Z)(?! ?[=<>|&+*-])",
    re.IGNORECASE,
)
_CHOICE_QUOTES: Final = 4
# A line of a stack trace (V8 and Java, .NET, Python, PHP): names and a place. No program begins or
# ends like this. Only lines with names that attacks use are removed.
_FRAME_NAMES: Final = (
    r"(?=[ \t#][^\n]{0,400}(?:eval|exec|runtime|process|invoke|jndi|system|pdo|\.\./|native))"
)
_FRAME_PLACE: Final = r"(?:[\w:/\\.@~+?=%-]|<\w{1,40}>){1,240}:\d{1,7}"
_FRAME: Final = re.compile(
    rf"(?m)^{_FRAME_NAMES}(?:[ \t]+at (?:async |new )?(?:"
    r"(?:[\w$./@-]|<\w{1,40}>| (?=\[as \w{1,40}\] ?\()|\[as \w{1,40}\]){1,160} ?"
    rf"\((?:(?:eval at [\w.$<>]{{1,80}} \({_FRAME_PLACE}\), )?{_FRAME_PLACE}|native method|unknown source|<anonymous>)\)"
    rf"|{_FRAME_PLACE}"
    r"|[\w.`<>]{1,160}\((?:[\w.&`]{1,40} \w{1,30}(?:, )?){0,8}\)(?: in [\w:/\\.-]{1,240}:line \d{1,7})?"
    r")"
    r"|[ \t]+file \"[\w:/\\.<>-]{1,240}\", line \d{1,7}, in [\w.<>]{1,80}"
    r"|#\d{1,3} [\w:/\\.-]{1,240}\(\d{1,7}\): [\w\\:>-]{1,120}\([\w\\, .]{0,120}\))[ \t\r]*$",
    re.IGNORECASE,
)
# A line of a log names a request: no file has such a name, and no address.
_REQUESTED: Final = re.compile(
    # A way up only before a quote, because no shell reads past it.
    r"\b(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH) /(?:(?!\S*\.\.)[\w./~?=&,:@-]{0,400} HTTP/[123](?:\.[01])?(?=\"? [1-5]\d\d\b)"
    r"|[\w./~?=&,:@-]{0,400} HTTP/[123](?:\.[01])?(?=\" [1-5]\d\d\b))"
)
# The report of a test about two texts that differ.
_ASSERTED: Final = re.compile(r"(?<=\bassert )'\w[\w .-]{0,40}' [=!]= '\w[\w .-]{0,40}'(?!\w)")
# A class that a log line or a sentence mentions, without creating or calling it.
_SPOKEN_CLASS: Final = re.compile(
    r"(?<![\w.@/\"'=({:$])(?:org|com|io|net|javax|jakarta)(?:\.[a-z]\w{0,40}){1,10}\.[A-Z]\w{0,60}(?=:? |[\],]|$)"
)
# Comments that name the schema for an editor.
_SCHEMA_LINE: Final = re.compile(
    r"^#(?: ?yaml-language-server: \$schema=|:schema )[\w.:/@-]{1,200}\.json[ \t]*(?=\r?\n|$)"
)
# Directives of reStructuredText and pkg-config about neighbouring files: no folder has such a name.
_DIRECTIVE: Final = re.compile(
    r"(?m)^[ \t]*\.\. (?:include|literalinclude|image|figure|[a-z]{1,16}-module|csv-table|graphviz)::? (?:\.\./){1,6}[\w./-]{1,80}\.(?:rst|cmake|txt|md|py|csv|dot|png|jpe?g|svg|inc)[ \t]*$"
    r"|^\w{1,40}=\$\{pcfiledir\}(?:/\.\.){1,6}(?=$|/\w|\s)"
)
# The last line of container images.
_APT: Final = re.compile(
    r"&& (?:apt-get clean && )?rm -rf (?:/var/lib/apt/lists/\*|/var/cache/apk/\*|(?:/root|~)/\.cache(?:/pip)?)(?=\s|$)|&& npm cache clean --force(?=\s|$)"
)
# A Markdown table. A shell stops at a line that begins with the bar that ended the line before, and
# runs nothing of either.
_TABLE: Final = re.compile(
    r"(?:^|(?<=\n))[ \t]*\|[^\r\n]*\|[ \t]*\r?\n[ \t]*\|(?:[ \t]*:?-{2,}:?[ \t]*\|)+[ \t]*(?=\r?\n|$)"
    r"(?:\r?\n[ \t]*\|[^\r\n]*\|[ \t]*(?=\r?\n|$))*"
)
_BAR: Final = re.compile(r"(?:^|(?<=\s))\|(?=\s|$)|\|(?=-)|(?<=-)\|")


def _without_bars(match: re.Match[str]) -> str:
    return match[0] if "{{" in match[0] else _BAR.sub(",", match[0])


# A module beside a program's own: no app opens a file of such a name.
_MODULE: Final = re.compile(
    r"(\b(?:from |import |import\(|require\(|require(?:_relative)? ))(['\"])(?:\.{1,2}/){1,8}(?=[\w@-][\w./@-]{0,160}\2)(?!etc/|proc/|var/|windows/)",
    re.IGNORECASE,
)
# A pointer to a function in C. In a filter of LDAP, brackets that are balanced end nothing.
_POINTER: Final = re.compile(r"(?<=[\w ])\(\*{1,2}(\w{0,40})\) ?\((?=\w)")


def _is_balanced(text: str) -> bool:
    depth = 0
    for mark in _BRACKET.finditer(text):
        depth += 1 if mark[0] == "(" else -1
        if depth < 0:
            return False
    return depth == 0


_BRACKET: Final = re.compile(r"[()]")
# Names that differ in a part ("python{,3}-all"). Only after a separator does a shell expand them.
_ALTERNATIVES: Final = re.compile(r"(?<=[\w.])\{[\w-]{0,16}(?:,[\w-]{0,16}){1,6}\}")
_SEPARATOR: Final = re.compile(r"[;|&$`<>()\\\r\n]")

# A sign of comparison as mail programs and old editors write it. An element begins with a letter.
_COMPARED: Final = re.compile(r"&#6[02];(?=[\s\d]|$)")
# The word before a remark in brackets. As a function of style sheets it would call or compare
# something in them.
_REMARKED: Final = re.compile(
    r"(?<=[A-Za-z] )((?:\w{1,40}_)?expressions?) \((?=[A-Za-z\d#][\w#,' -]{0,200}\))", re.IGNORECASE
)
# Optimization: every match of the two expressions contains one of these.
_SPOKEN_HINTS: Final = (
    *("document.", "window.location", "storage", "innerhtml", "javascript:void(0)"),
    *("eval()", "exec()", "alert()", "onclick", "onerror", "onload"),
)
_PLACE_HINTS: Final = ("169.254.169.254", "file://", "c:\\windows", "../")

HINT: Final = "|".join(
    (
        r"[<{\n]|&lt;|&#6[02];",
        "&&",
        "expression",
        " HTTP/",
        "assert '",
        r"['\"] (?:=|x) \d",
        r"- ?\|",
        WIKI_HINT,
        FORMULA_HINT,
        r"\]\(|script:|\(\*",
        r"[a-z]' or '[a-z]|[a-z]' and '[a-z]|[a-z]'/'[a-z]",
        r"[a-z0-9]'[a-z]{0,20} ?[&/+|,-]",
        *map(re.escape, ("org.", "com.", "javax.", *_SPOKEN_HINTS, *_PLACE_HINTS, *STYLE_HINTS)),
    )
)
"""Every text with a fragment contains one of these; in the syntax of both engines
(sufficient.py)."""


def _without_class(match: re.Match[str]) -> str:
    return "name" if is_type(match[0]) else match[0]


def _has_any(text: str, hints: tuple[str, ...]) -> bool:
    # Optimization: `any` with an expression takes twice as long.
    for hint in hints:  # noqa: SIM110
        if hint in text:
            return True
    return False


def without_fragments(text: str) -> str:
    """Replace the harmless fragments of a text with words."""
    if text[:1] == "=":
        text = without_character_codes(text)
    if "<" in text:
        if "=" in text:
            text = _SHOWN.sub("<b>", _BUTTON.sub("<b>", text))
            if " xmlns" in text:
                text = _NAMESPACE.sub("", text)
            if "{" in text:
                text = _COMPONENT.sub(" handler ", text)
        if "%>" in text:
            text = without_placeholders(text)
        text = without_plain_quotes(text)
        if "<math" in text:
            text = without_formulas(text)
    if "&lt;" in text:
        text = without_shown_tags(text)
    if "&#6" in text:
        text = _COMPARED.sub("than", text)
    if ("<" in text or "&lt;" in text) and _TWO_WORDS.search(text):
        text = _SPOKEN_SCRIPT.sub("tag", text)
        spoken = _SPOKEN_TAG.sub("tag", text)
        if not _PROGRAM.search(spoken):
            text = spoken
    if "@" in text or "#{" in text or "\n//" in text:
        text = without_styles(text)
    if "{" in text:
        text = without_placeholders(text)
        if _ALTERNATIVES.search(text) and _TWO_WORDS.search(text) and not _SEPARATOR.search(text):
            text = _ALTERNATIVES.sub("", _ALTERNATIVES.sub("", text))
    if "$" in text or ("{{" in text and "|" in text):
        text = without_wiki_texts(text)
    if "-|" in text or "- |" in text:
        text = _TABLE.sub(_without_bars, text)
    if "'" in text or '"' in text:
        if _NUMBER_QUOTE.search(text):
            text = _MEASURE.sub("measure ", text)
        if text.count("'") > 1:
            text = without_elisions(text)
        if text.count("'") >= _CHOICE_QUOTES:
            text = _CHOICE.sub(r"\1words", text)
        if "script:" in text:
            text = _NO_ACTION.sub("link", text)
    if "](" in text:
        text = _LINK.sub("", text)
    if "(*" in text and text[:1].isalpha() and _is_balanced(text):
        text = _POINTER.sub(r" \1(", text)
    if "../" in text:
        text = _MODULE.sub(r"\1\2./", text)
        text = _DIRECTIVE.sub("file", text)
    if "\n" in text:
        text = _FRAME.sub("line", text)
        if text[0] == "#":
            text = _SCHEMA_LINE.sub("# schema", text)
    if " " in text:
        if "org." in text or "com." in text or "javax." in text:
            text = _SPOKEN_CLASS.sub(_without_class, text)
        lower = text.lower()
        if "expression" in lower:
            text = _REMARKED.sub(r"\1 ", text)
        if _has_any(lower, _SPOKEN_HINTS):
            text = _SPOKEN.sub("word", text)
        if _has_any(lower, _PLACE_HINTS):
            text = _SPOKEN_PLACE.sub("place", text)
        if "assert '" in text:
            text = _ASSERTED.sub("texts", text)
        if " HTTP/" in text:
            text = _REQUESTED.sub("request", text)
        if "&&" in text and any(tool in text for tool in ("apt", "apk ", "pip ", "npm ", "RUN ")):
            text = _APT.sub("", text)
    return text


# Data for search engines in a page (JSON-LD 1.1, section 7), which browsers do not run.
_DATA_BLOCK: Final = re.compile(
    r"<script type=(?:\"application/ld\+json\"|'application/ld\+json')>(.*?)</script>",
    re.IGNORECASE | re.DOTALL,
)
_SCRIPT_END: Final = re.compile(r"</script>", re.IGNORECASE)


def data_blocks(text: str, parse: Callable[[str], Any]) -> tuple[str, list[Any]]:
    """Return a page's text without its blocks of data, and the blocks that parse as documents."""
    documents = []
    rest, end = [], 0
    # Behind the last end, each beginning would look for its end in vain.
    last = max((match.end() for match in _SCRIPT_END.finditer(text)), default=0)
    for match in _DATA_BLOCK.finditer(text, 0, last):
        root = parse(match[1])
        if root is not None:
            documents.append(root)
            rest.append(text[end : match.start()])
            end = match.end()
    return " ".join([*rest, text[end:]]), documents
