"""Notations: values that are a pattern, a pointer or a type in a language that people write.

Configurations, schemas and rules contain regular expressions, globs, match patterns of browsers,
JSON pointers and names of types. They have the same characters as attacks. Each notation has a
strict grammar, and lists the attacks that a value of that grammar can't be, wherever the app
inserts it: a glob has no quote to end a string and no bracket to end a filter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from guard_wsgi.detection.finding import WHOLE_VALUE
from guard_wsgi.detection.relaxations.grammars import excused_by_grammar
from guard_wsgi.detection.relaxations.placeholders import PATH
from guard_wsgi.detection.value import Value

MAX_CHARS: Final = 1024
"""A longer value is a text, and takes too long to parse."""

# SQL reads a comment between these words as a blank.
_SQL_WORD: Final = re.compile(
    r"(?:^|[/,.*])(?:declare|set|with|call|use|create|alter|drop|truncate|merge|replace|load|grant|explain|pragma|attach|waitfor|case|when|begin|join|values|or|and|xor|not|union|all|select|from|where|like|in|is|between|having|order|group|limit|into"
    r"|div|mod|rlike|regexp|glob|match|sounds|escape|collate|sleep|benchmark|insert|update|delete|exec|\d+)(?=[/,.*(]|$)",
    re.IGNORECASE,
)
_SEGMENT: Final = r"(?:[\w.@+~,-]|\*|\?|\[!?[\w-]{1,40}\]|\{[\w.,*-]{1,80}\}){0,80}"
_GLOB: Final = re.compile(rf"!?(?:\.\./){{0,4}}(?!.*\.\.){_SEGMENT}(?:/{_SEGMENT}){{0,16}}")
_NO_FILTER: Final = frozenset({"ldap", "cmd_injection", "xpath"})
_NO_FILE: Final = frozenset({"sensitive_file", "dir_traversal", "path_traversal"})

# No quote, blank or separator, so no string ends, and no second command and no second word begins.
# Each piece can match in one way only. Another way would double the time of a failed match.
_REGEX: Final = re.compile(
    r"(?:(?!\[\^?[\w=?#&/:.%-]{1,60}\]|\\\$)[^\s'\"`;&<>$%{}]|(?<=\()\?P?<[A-Za-z_]\w{0,40}>|(?<=\()\?<[=!]|\[\^?[\w=?#&/:.%-]{1,60}\]|\{\d{0,4}(?:,\d{0,4})?\}|\\[{}$]|\$(?=$|[|)/]))+"
)
# Text that occurs only in regular expressions.
_REGEX_SIGN: Final = re.compile(
    r"\\[dDwWsSbB.]|\[\^?[^\]]{1,60}\][+*?{]|\)[+*?{]|^\^|\(\?[:=!<P]|\.[+*](?:\)|\\|\$|$)"
)
# A browser reads a backslash as a slash, so an address may begin with either.
_NO_ADDRESS: Final = re.compile(r"[(^]|/(?:[^/\\]|\\\.)")
_ANCHORED: Final = re.compile(r"^/?[(^]|\$/?$")
# A call, a comment or a word of SQL.
_SQL_SIGN: Final = re.compile(
    r"[A-Za-z_]\((?![~?])|--|#|/\*|\b(?:select|union|or|and|xor|not|case|sleep|if|like|in|is|from|where|exists|between|having|div|mod)\b",
    re.IGNORECASE,
)
# A bracket at the beginning is a command of the shell.
_NO_COMMAND: Final = re.compile(r"/?\^|/?\(\^\|/\)")
_FROM_TO: Final = re.compile(r"\^.*\$$")
_INLINE: Final = re.compile(r"^/(.*)/[gimsuy]{0,6}$")
_ESCAPED: Final = re.compile(r"\\.")
_CLASS: Final = re.compile(r"\[[^\[\]]*\]")

# Chrome's match patterns, and origins with a wildcard (CORS, CSP).
_MATCH: Final = re.compile(
    r"(?:\*|https?|wss?|ftp)://(?:\*|\*\.[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63}){0,6})(?::(?:\d{1,5}|\*))?(?:/[\w*./-]{0,200})?",
    re.IGNORECASE,
)
# An address with brackets in a name, such as bots have on code hosts (`/users/renovate%5Bbot%5D`).
# No shell runs a text that begins like this.
_BRACKETED: Final = re.compile(
    r"https?://[\w.-]{1,100}(?::\d{1,5})?(?:/(?:[\w.~@+-]|%5B|%5D|\[|\]){1,100}){1,8}(?:\{[\w/,]{1,40}\})?/?",
    re.IGNORECASE,
)
# JSON pointers as addresses (RFC 6901, section 6): a fragment, which browsers send to no server.
_POINTER: Final = re.compile(r"#(?:/(?!\.{1,2}(?:/|$))(?:[\w$.-]|~[01]){0,100}){1,20}")
# Names of packages and classes (Java, Kotlin, .NET), except those that run, load or look up
# something.
_TYPE: Final = re.compile(
    r"(?:javax?|jakarta|kotlinx?|scala|groovy|org|com|io|net|de|androidx?)(?:\.[a-z]\w{0,40}){1,10}(?:\.(?:\*|[A-Z]\w{0,60})){0,2}"
    r"|javax?\.[a-z]\w{0,30}|(?:System|Microsoft|Newtonsoft)(?:\.[A-Z]\w{0,40}){1,8}"
)
_RISKY_TYPE: Final = re.compile(
    r"runtime|process(?!ors?\b|ing\b)|^system\.(?:windows|configuration\.install|management\.automation|reflection)|script|shell|naming|jndi|ldap|\brmi\b|rowset|templates|invoke|transformer|factor|functor|bcel|xalan"
    r"|beans|beanutils|classloader|classpath|filesystem|xmlapplication|snakeyaml|\bsun\b|opensymphony|xwork|struts|ognl|mvel|\bel\b|spel\b|expression|codehaus\.groovy|mchange|collections\d?\.|reflect|unsafe|omg|exec|mlet|management\.loading|drivermanager|filehandler|basicdatasource|xbean|urlresource|appender|deseriali[sz]ation|objectinput|remot|^java\.lang|^java\.(?:net|io|nio|security)(?:\.(?!\w*(?:exception|error|string|integer|long)\b)|$)",
    re.IGNORECASE,
)
# Fields in which a deserializer finds the class to create (CWE-502).
_CLASS_NAMES: Final = frozenset(
    {"type", "ctor", "javatype", "java-type", "object", "new", "function", "reduce"}
)
_CLASS_WORDS: Final = (
    *("class", "clazz", "driver", "converter", "handler", "implementation", "bean", "factory"),
    *("loader", "provider", "plugin"),
)


def _makes_object(name: str) -> bool:
    last = name.rpartition(".")[2].rpartition(">")[2].rstrip("]").lower().strip("@$_/")
    return (
        last.rpartition("/")[2] in _CLASS_NAMES
        or last.endswith("impl")
        or any(word in last for word in _CLASS_WORDS)
    )


_NAMED_TYPE: Final = frozenset({"code_injection", "deserialization"})
# A file of a network share. A host without a dot is in the local network.
_SHARE: Final = re.compile(
    r"(?!.*\.(?:php\d?|phtml|inc|jspx?|aspx?|js|exe|dll|hta)$)"
    r"\\\\[A-Za-z][\w-]{0,14}(?:\\(?!\.)[\w .()&'-]{1,80}){1,10}\\?"
)
# Placeholders of one name, in a name or a path; NLog's layouts, whose arguments have names.
_LAYOUT: Final = (
    r"longdate|shortdate|date|time|ticks|level|logger|message|exception|newline|callsite|callsite-linenumber|threadid|threadname|machinename|processid"
    r"|processname|guid|counter|sequenceid|mdlc|mdc|ndlc|ndc|activityid|assembly-version|appdomain|hostname|local-ip|event-properties|all-event-properties"
)
_PLACEHOLDER: Final = re.compile(
    rf"(?!.*(?:://|\$\{{(?:[a-z\d_]|cmd)\}}))[\w./:@-]{{0,80}}(?:\$\{{(?:\d|(?i:{PATH})|[A-Z]|[A-Z][A-Z\d]{{0,20}}(?:_[A-Z\d]{{1,20}}){{1,8}})\}}[\w./:@-]{{0,80}}){{1,8}}"
    # A variable of Power Automate, Robot Framework and Thymeleaf.
    rf"|@\{{(?i:{PATH})\}}"
    rf"|(?:\$\{{(?:{_LAYOUT})(?::[a-zA-Z]{{1,20}}=[\w.:-]{{0,40}}){{0,4}}\}}"
    r"[\w .:|-]{0,20}){1,20}"
)
# A tag of an image, or a service and its port; a service of Kubernetes. No scheme, so no address.
_SERVICE: Final = re.compile(
    r"(?!localhost\b|[\w.-]*(?:metadata|internal)|file:|dict:|gopher:)[a-z][a-z\d._/-]{0,100}:\d{1,6}(?:\.[\w-]{1,40}){0,5}(?:-[\w.-]{1,60})?"
    r"|(?!kubernetes\.)[a-z\d-]{1,63}\.[a-z\d-]{1,63}\.svc(?:\.cluster\.local)?(?::\d{1,5})?"
)
# A volume mount: a folder of the machine and its place in a container. Paths have no colon in the
# middle.
_MOUNT: Final = re.compile(
    r"(?!.*(?:\.\.|\.sock))(?:/(?!/)|\./|~/)[\w./@-]{0,200}(?<!http)(?<!https):/(?!/)[\w./@-]{0,200}(?::[a-z]{1,10}(?:,[a-z]{1,10})?)?"
)
# Conditions on variables of a program, in documents; "===" is no SQL. Words and numbers in
# brackets. An LDAP filter would have a "=".
_COMPARED: Final = (
    r"(?!this\b)[A-Za-z][\w.]{0,60} (?:===|!==) "
    r"(?:\"\w{0,40}\"|'\w{0,40}'|-?\d{1,9}|true|false|null)"
)
_CONDITION: Final = re.compile(
    rf"\(?{_COMPARED}(?: (?:\|\||&&) {_COMPARED}){{0,8}}\)?", re.IGNORECASE
)
_LOGIC: Final = re.compile(r"!?\((?:[\w.+*/<>-]|[ !()]| (?:\|\||&&|==) ){1,300}\)")
# Ranges of versions (npm). It does not begin with an operator, which could continue an SQL
# expression.
_VERSION: Final = r"(?:[<>]=?|\^|~|=)? ?v?[\dxX*]{1,6}(?:\.[\dxX*]{1,6}){0,2}(?:-[\w.]{1,30})?"
_RANGE: Final = re.compile(rf"(?=[<>^]){_VERSION}(?:(?: - | \|\| ?| ){_VERSION}){{1,12}}")
# Packages named after a method that they add to old browsers. They don't touch other prototypes.
_PACKAGE: Final = re.compile(
    r"(?:[\w@.-]{1,60}/){0,6}(?:array|string|object|regexp|function|promise|arraybuffer|sharedarraybuffer|typedarray|iterator|symbol|date|map|set|number|error|reflect)"
    r"\.prototype\.[a-z]{1,40}(?:[/@-][\w.@-]{1,60})?"
)
# An operator without operands, and an escaped control character alone, such as the separator of a
# table in a file.
_OPERATOR: Final = re.compile(r"\|\||&&")
_ENDS_FIELD: Final = re.compile(r"\\(?:0{1,3}|00[1-7]|x0[0-9a-fA-F]|u000[0-9a-fA-F])")
_PROGRAM: Final = re.compile(r"/(?:usr/)?(?:local/)?(?:s?bin)/[\w.+-]{1,60}")


def _is_glob(text: str) -> bool:
    """Whether a text is a glob. One that ends in a name names a file."""
    return (
        "**" in text
        and "*" in text.rpartition("/")[2]
        and _GLOB.fullmatch(text) is not None
        and _SQL_WORD.search(text) is None
    )


def _is_glob_list(text: str) -> bool:
    """Whether a text is a list of globs on one line, separated by a comma and a blank."""
    parts = text.strip('"').split(", ")
    return len(parts) > 1 and all(map(_is_glob, parts))


def is_type(text: str) -> bool:
    """Whether a text is the name of a package or a class that only stores or shows something."""
    return _TYPE.fullmatch(text) is not None and _RISKY_TYPE.search(text) is None


def _brackets(bare: str) -> tuple[bool, bool]:
    """Return whether every bracket has its counterpart, and whether a bar is outside of all
    brackets, where a shell reads it as a pipe."""
    depth, bars_outside = 0, False
    for sign in bare:
        if sign == "(":
            depth += 1
        elif sign == ")":
            depth -= 1
            if depth < 0:
                return False, True
        elif sign == "|" and depth == 0:
            bars_outside = True
    return depth == 0, bars_outside


def _of_regex(text: str) -> frozenset[str]:
    """Return the categories of attacks that a regular expression can't be."""
    inline = _INLINE.match(text)
    pattern = inline[1] if inline else text
    if not _REGEX.fullmatch(pattern) or not _REGEX_SIGN.search(pattern):
        # Brackets that are balanced end no filter around them, whatever is between them.
        if _FROM_TO.match(text) and _REGEX_SIGN.search(text, 1) and _brackets(text)[0]:
            return _A_FILTER
        return frozenset()
    bare = _CLASS.sub("", _ESCAPED.sub("~", pattern))
    is_whole, bars_outside = _brackets(bare)
    if not is_whole:
        return frozenset()
    excused = {"ldap", "xpath"}
    if _NO_ADDRESS.match(text):
        excused.add("open_redirect")
    if _ANCHORED.search(text) and "../" not in text and "..\\" not in text:
        excused |= _NO_FILE
    if "\\" in pattern and _SQL_SIGN.search(bare) is None:
        excused.add("sqli")
    if "|" not in bare or (_NO_COMMAND.match(text) and not bars_outside):
        excused.add("cmd_injection")
    return frozenset(excused)


_A_FILTER: Final = frozenset({"ldap"})
_A_CONDITION: Final = frozenset({"sqli"})
_A_PROGRAM: Final = frozenset({"cmd_injection"})
_NOTHING: Final[frozenset[str]] = frozenset()
_WHOLE: Final[tuple[tuple[Callable[[str], object], frozenset[str]], ...]] = (
    (_is_glob, _NO_FILTER | {"sensitive_file", "sqli"}),
    (_is_glob_list, frozenset({"sensitive_file", "sqli", "ldap"})),
    (_MATCH.fullmatch, frozenset({"open_redirect", "ssrf", "xpath"})),
    (_BRACKETED.fullmatch, frozenset({"cmd_injection"})),
    (_POINTER.fullmatch, WHOLE_VALUE | _NO_FILE),
    (is_type, _NAMED_TYPE),
    (_SHARE.fullmatch, frozenset({"open_redirect"})),
    (_PLACEHOLDER.fullmatch, frozenset({"template", "code_injection", "log4shell"})),
    (_SERVICE.fullmatch, frozenset({"ssrf"})),
    (_MOUNT.fullmatch, _NO_FILE | {"ssrf", "file_inclusion"}),
    (_LOGIC.fullmatch, frozenset({"ldap"})),
    (_RANGE.fullmatch, frozenset({"sqli"})),
    (_OPERATOR.fullmatch, frozenset({"cmd_injection"})),
    (_ENDS_FIELD.fullmatch, _NO_FILE),
    (_PACKAGE.fullmatch, frozenset({"proto_pollution"})),
)


def excused_in(value: Value) -> frozenset[str]:
    """Return the categories of attacks that a value can't be in its place."""
    found = excused(value.text, value.location == "json")
    if found is _NAMED_TYPE and (value.kind == "name" or _makes_object(value.name)):
        return _NOTHING
    if value.kind or not 2 <= len(value.text) <= MAX_CHARS:
        return found
    return found | excused_by_grammar(value)


@lru_cache(maxsize=1024)
def excused(text: str, in_document: bool) -> frozenset[str]:
    """Return the categories of attacks that a value can't be, by its notation.

    :param in_document: whether it is a value of a JSON body, where the path of a program is a
        setting. In a query it looks for a web shell.
    """
    if len(text) > MAX_CHARS or len(text) < 2:
        return _NOTHING
    for is_written, categories in _WHOLE:
        if is_written(text):
            return categories
    if in_document:
        if _PROGRAM.fullmatch(text):
            return _A_PROGRAM
        if _CONDITION.fullmatch(text):
            return _A_CONDITION
    return _of_regex(text)
