# ruff: noqa: E501  (tables of words)
"""Whole values in a language of settings: types of columns, lists of fields, XPaths, filters of a
directory, measures.

Each grammar is strict and covers the whole value. It has no text of its own choice between quotes:
if an app puts the value between such quotes, the first quote in the value ends the app's text, and
a word follows, which is a syntax error. So such a value completes nothing around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from guard_wsgi.detection.relaxations.expressions import is_calculated
from guard_wsgi.detection.relaxations.field_names import name_features
from guard_wsgi.detection.relaxations.placeholders import SAID
from guard_wsgi.detection.value import Value

# The type of a column with a length, and what may follow it.
_KEYWORD: Final = r"(?:or|and|xor|not|union|select|all|case|when|like|in|is|between|having|where|limit|by|exec|execute|return|if|as|from|set|values)"
_COLUMN_TYPE: Final = re.compile(
    rf"(?:(?!{_KEYWORD}\b)[a-z_]\w{{0,60}} )?"
    r"(?:n?char|n?varchar2?|national char|character(?: varying)?|bpchar|varying character|fixedstring|(?:var)?binary)"
    r"\(\d{1,5}(?: (?:char|byte))?\)(?:\[\])?"
    r"(?: (?:not null|null|unique|primary key|binary|default (?:null|'\w{0,40}'|\d{1,9})|(?:character set|charset|collate) \w{1,40})){0,6}",
    re.IGNORECASE,
)

# Lists of fields with lists of their own fields: GraphQL without blanks, the Graph API of Facebook,
# sparse fields of REST. A shell expands them to words, and the first one is the command.
_FIELD: Final = r"[A-Za-z_]\w{0,60}"
_SETTING: Final = r"(?:[A-Za-z_]\w{0,40}: ?)?[\w-]{1,60}"
_NESTED: Final = re.compile(
    rf"\b{_FIELD}(?:\.{_FIELD}(?:\({_SETTING}(?:, ?{_SETTING}){{0,6}}\))?){{0,6}}(?:\({_SETTING}(?:, ?{_SETTING}){{0,6}}\))?"
    rf" ?\{{ ?{_FIELD}(?: ?, ?{_FIELD}){{0,80}} ?\}}(?!\w)"
)
_CALLED_FIELD: Final = re.compile(
    rf"\b{_FIELD}(?:\.{_FIELD}\({_SETTING}(?:, ?{_SETTING}){{0,6}}\)){{1,6}}"
)
_FIELDS: Final = re.compile(rf"\{{{_FIELD}(?:,{_FIELD}){{1,80}}\}}|{_FIELD}(?:,{_FIELD}){{0,80}}")
_MAX_NESTED: Final = 8
# Programs that do something with names alone. "id", "date" and "host" are fields everywhere.
_PROGRAM: Final = re.compile(
    r"(?:cat|tac|less|more|head|tail|nl|ls|dir|curl|wget|nc|ncat|netcat|socat|(?:ba|z|da|k|c)?sh|python[\d.]*|perl|ruby|php\d?|node|lua|rm|mv|cp|dd|ln|chmod|chown|kill|pkill|killall|reboot"
    r"|shutdown|halt|poweroff|init|ping|nslookup|dig|whoami|uname|ifconfig|ip|netstat|ps|env|printenv|sudo|su|ssh|scp|telnet|ftp|tftp|touch|mkdir|rmdir|echo|printf|xargs|find|grep|e?grep|sed|g?awk|base64"
    r"|xxd|od|strings|rev|tee|eval|exec|source|sleep|crontab|at|mount|tar|zip|gcc|make|docker|kubectl|systemctl|service|useradd|passwd|mysql|psql|cmd|powershell|pwsh|certutil)",
    re.IGNORECASE,
)
_EXPANDED: Final = re.compile(r"(?<!\w)(\w{0,60})\{ ?(\w{1,60})")
_WORD: Final = re.compile(r"\w+")

# Variables with a default, in files of Docker Compose: `${TAG:-latest}`. A default of one letter,
# and variables side by side, could spell a command.
_VARIABLE: Final = re.compile(
    r"\$\{[A-Z][A-Z\d_]{1,60}:(?:-([\w@-][\w./:@-]{1,120}|\d|\.{0,2}/[\w./@-]{1,120})|\?[a-zA-Z_][\w -]{1,60})\}"
)
_AROUND: Final = re.compile(r"[\w./:@-]{0,120}")
_SYSTEM_PLACE: Final = re.compile(
    r"[./]{0,3}(?:etc|proc|s?bin|usr|root|sys|dev)\b|.*\.\./\.\.", re.DOTALL
)
_JOINS: Final = frozenset("/:@.-")

# Paths of XPath, as browsers copy them.
_NAME: Final = r"[A-Za-z_][\w-]{0,60}(?::[A-Za-z_][\w-]{0,60})?"
_SECRET: Final = r"(?!\w*(?i:pass|pwd|secret|token|hash))"
_AXIS: Final = r"(?:(?:ancestor(?:-or-self)?|child|descendant(?:-or-self)?|following(?:-sibling)?|parent|preceding(?:-sibling)?|self)::)?"
_STEP: Final = rf"(?:\.\.|text\(\)|node\(\)|@{_SECRET}{_NAME}|{_AXIS}(?:\*|{_SECRET}{_NAME}))"
_SPELLED: Final = rf"(?:__[a-z]\w{{0,40}}|{SAID})"
_QUOTED: Final = rf"(?:' ?(?:{_SPELLED} ?)?'|\" ?(?:{_SPELLED} ?)?\")"
_SUBJECT: Final = (
    rf"(?:\.|text\(\)|@{_SECRET}{_NAME}|normalize-space\((?:\.|text\(\)|@{_NAME})?\)|local-name\(\)"
    r"|concat\(['\"] ['\"], ?(?:normalize-space\()?@class\)?, ?['\"] ['\"]\))"
)
_CONDITION: Final = (
    rf"(?:(?:contains|starts-with|ends-with)\({_SUBJECT}, ?{_QUOTED}\)|{_SUBJECT} ?!?= ?{_QUOTED}|@{_SECRET}{_NAME}"
    r"|position\(\) ?(?:[<>]=?|=) ?\d{1,5})"
)
_PREDICATE: Final = rf"\[(?:\d{{1,5}}|last\(\)(?: ?- ?\d{{1,3}})?|(?:not\({_CONDITION}\)|{_CONDITION})(?: (?:and|or) (?:not\({_CONDITION}\)|{_CONDITION})){{0,6}})\]"
# A glob of a shell has brackets, too, but no program is in a folder of these names.
_LOCATION: Final = (
    rf"/{{1,2}}(?!(?:s?bin|usr|etc|var|proc|home|root|tmp|opt|dev|lib\d*|sys|srv|mnt|run|boot|media)\b){_STEP}(?:{_PREDICATE}){{0,4}}"
    rf"(?:/{{1,2}}{_STEP}(?:{_PREDICATE}){{0,4}}){{0,60}}"
)
_XPATH: Final = re.compile(
    rf"(?:xpath=)?(?:\.?{_LOCATION}|\({_LOCATION}\)\[(?:\d{{1,5}}|last\(\))\](?:/{{1,2}}{_STEP}(?:{_PREDICATE}){{0,4}}){{0,20}})"
)

# Filters of a directory (RFC 4515). The name of an attribute is not that of a secret, and the
# values have no brackets.
_PLACE: Final = r"%(?:[a-z]|\(\w{1,30}\)s)|\{\{? ?[\w.]{0,30} ?\}?\}|%\{[\w:.-]{1,30}\}|\$\{?\w{1,30}\}?|<\w{1,30}>"
_ITEM: Final = re.compile(
    r"\((?!\w*(?i:pass|pwd|secret|hash|token))[A-Za-z][\w;-]{0,60}(?::[\w.]{1,60}){0,2}:?[~<>]?="
    rf"(?:{_PLACE}|\\[\da-fA-F]{{2}}|[\w .,@=+*:/-]){{1,200}}\)"
)
_ANY: Final = re.compile(r"\(\w+=\*\)")
_GROUP: Final = re.compile(r"\((?:[&|]\s*(?:~\s*){1,40}|!\s*~)\)")
_MAX_GROUPS: Final = 12
# The address of a directory, in a field for it.
_DIRECTORY: Final = re.compile(
    r"ldaps?://[A-Za-z\d](?:[\w-]{0,62}\.){0,8}[\w-]{0,62}(?::\d{1,5})?(?:/(?:(?:dc|ou|o|cn|c)=[\w .-]{1,60}(?:,|%2C)?){0,12})?",
    re.IGNORECASE,
)
_DIRECTORY_NAME: Final = re.compile(
    r"ldap|directory_?(?:server|ur[il]|host|address)", re.IGNORECASE
)

# A title with feet and inches, and what it describes behind a dash: "Shelf 3' -- white". Between
# the first quote and the dash are only measures, and nobody signs in with a title.
_SIZE: Final = r"\d{1,4}(?:[ .-]\d{1,3})?(?:/\d{1,2})?(?:'|\"|'')"
_TITLE: Final = re.compile(
    rf"(?:(?:[^\W\d_]{{2,30}}|{_SIZE} x)[,.:]? )(?:(?:[^\W\d_][\w-]{{0,30}}|\d{{1,4}}(?:[./]\d{{1,4}})?)[,.:]? ){{0,8}}"
    rf"(?:{_SIZE} x ){{0,3}}{_SIZE} (?:--?|#) ?(?:(?:{_SIZE}|#?\d{{0,4}}[A-Za-z]{{0,2}}) )?(?!{_KEYWORD}\b)[^\W\d_]{{3,30}}[,.]?(?: (?!{_KEYWORD}\b)(?:[^\W\d_][\w-]{{0,30}}|{_SIZE}|\d{{1,4}}(?:[./]\d{{1,4}})?)[,.]?){{0,12}}",
    re.IGNORECASE,
)
_SIGNS_IN: Final = re.compile(
    r"user|log_?in|sign|account|mail|pass|pwd|nick|auth|\bid\b", re.IGNORECASE
)


def is_column_type(text: str) -> bool:
    """Whether a text is the type of a column: ``CHAR(10) NOT NULL``."""
    return _COLUMN_TYPE.fullmatch(text) is not None


def is_field_list(text: str) -> bool:
    """Whether a text is a list of names with lists of their own: ``id,author{id,name}``."""
    if (
        "{" not in text
        or _begins_program(text)
        or any(_is_program(match) for match in _EXPANDED.finditer(text))
    ):
        return False
    rest = text
    for _ in range(_MAX_NESTED):
        less = _NESTED.sub("fields", rest)
        if less == rest:
            break
        rest = less
    return _FIELDS.fullmatch(_CALLED_FIELD.sub("fields", rest)) is not None


def _is_program(match: re.Match[str]) -> bool:
    """Whether the first word that a shell makes of braces is a program."""
    before, first = match.groups()
    return _PROGRAM.fullmatch(before + first) is not None


def is_defaulted(text: str) -> bool:
    """Whether a text is made of names and variables with a default."""
    if "${" not in text:
        return False
    pieces = _VARIABLE.split(text)
    around, defaults = pieces[::2], [one for one in pieces[1::2] if one]
    return (
        len(around) > 1
        and all(_AROUND.fullmatch(one) for one in around)
        and all(one and {one[0], one[-1]} <= _JOINS for one in around[1:-1])
        and around[0][-1:] in ("", *_JOINS)
        and around[-1][:1] in ("", *_JOINS)
        and not any(_SYSTEM_PLACE.match(one) or _begins_program(one) for one in defaults)
        and _SYSTEM_PLACE.match(around[0]) is None
    )


def _begins_program(text: str) -> bool:
    word = _WORD.search(text)
    return word is not None and _PROGRAM.fullmatch(word[0]) is not None


def is_xpath(text: str) -> bool:
    """Whether a text is a path of XPath: ``/html/body/div[1]/p``."""
    return text[:1] in "/.(x" and "[" in text and _XPATH.fullmatch(text) is not None


def is_directory_filter(text: str) -> bool:
    """Whether a text is a filter of a directory that is complete: ``(&(a=1)(b=%s))``."""
    if text[:1] != "(" or text[-1:] != ")":
        return False
    items = _ITEM.findall(text)
    rest = _ITEM.sub("~", text)
    if all(_ANY.fullmatch(item) for item in items):
        return False  # asks which entries there are
    for _ in range(_MAX_GROUPS):
        less = _GROUP.sub("~", rest)
        if less == rest:
            break
        rest = less
    return rest == "~"


def is_title(text: str) -> bool:
    """Whether a text is a title with a measure and a description behind a dash."""
    return ("'" in text or '"' in text) and _TITLE.fullmatch(text) is not None


def is_titled(value: Value) -> bool:
    """Whether a value is a title, in a field where nobody signs in."""
    return _SIGNS_IN.search(value.name) is None and is_title(value.text.strip(" "))


_ASKS: Final = re.compile(r"filter|ldap|search|query", re.IGNORECASE)


def _is_no_login(name: str) -> bool:
    """Whether nobody signs in with a field, or it is for filters."""
    return _SIGNS_IN.search(name) is None or _ASKS.search(name) is not None


_LOCATIONS: Final = frozenset({"query", "form", "json", "multipart"})
_NOTHING: Final[frozenset[str]] = frozenset()
_GRAMMARS: Final[tuple[tuple[Callable[[str], bool], frozenset[str]], ...]] = (
    (is_column_type, frozenset({"sqli"})),
    (is_field_list, frozenset({"cmd_injection"})),
    (is_defaulted, frozenset({"cmd_injection", "template", "code_injection"})),
    (is_xpath, frozenset({"cmd_injection", "xpath", "sqli", "ldap", "xss"})),
    (is_directory_filter, frozenset({"ldap"})),
)


def excused_by_grammar(value: Value) -> frozenset[str]:
    """Return the categories of attacks that a value can't be, by its grammar and its field."""
    if value.location not in _LOCATIONS:
        return _NOTHING
    # A line break would begin a command.
    text, name = value.text.strip(" "), value.name
    for is_written, categories in _GRAMMARS:
        if is_written(text):
            if is_written is is_directory_filter and not _is_no_login(name):
                return _NOTHING
            if "cmd_injection" in categories and "name:command" in name_features(name):
                return categories - {"cmd_injection"}
            return categories
    if _DIRECTORY_NAME.search(name) and _DIRECTORY.fullmatch(text):
        return frozenset({"file_inclusion", "ssrf"})
    if is_titled(value) or is_calculated(value):
        return frozenset({"sqli"})
    return _NOTHING
