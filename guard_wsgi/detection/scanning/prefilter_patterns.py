"""Patterns of the first pass that need two things next to each other (prefilter.py).

Hyperscan searches for all fixed text at once, and checks the rest of a pattern only where it finds
that text. A pattern without two bytes of fixed text becomes a machine that reads every byte of
every request. One such machine costs as much as all patterns with fixed text together. So marks are
combined with what may follow them, and words are grouped by ten, the number that still gives fixed
text. Text that is common in harmless requests (``"; "`` in cookies, ``"& "`` in names, blanks
before ``and``) must be as long as possible.
"""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from string import ascii_lowercase, digits

from guard_wsgi.detection.language.session_names import LOG_IN_COOKIES, SESSION_COOKIES


def cross(*parts: str | Sequence[str]) -> Iterator[str]:
    """Return every concatenation of one word of each part; a str is a space-separated list."""
    lists = [part.split() if isinstance(part, str) else part for part in parts]
    for combination in product(*lists):
        yield "".join(combination)


def _any_of(words: str | Sequence[str], most: int = 10) -> list[str]:
    """Return alternations of a few words each, which together contain all words."""
    words = words.split() if isinstance(words, str) else words
    starts = range(0, len(words), most)
    return ["(?:" + "|".join(words[start : start + most]) + ")" for start in starts]


def _mixed(firsts: Sequence[str], lasts: Sequence[str]) -> list[str]:
    """Return alternations that together match every first with every last, each first at most once
    in an alternation.

    Hyperscan would merge alternatives with the same beginning into one with a class of bytes at its
    end, and use only the part before the class as fixed text.
    """
    most = min(len(firsts), len(lasts))
    return [
        "(?:" + "|".join(firsts[i] + lasts[(i + shift) % len(lasts)] for i in part) + ")"
        for part in (range(at, min(at + most, len(firsts))) for at in range(0, len(firsts), most))
        for shift in range(len(lasts))
    ]


def _run(
    start: str, blanks: Sequence[str], then: Sequence[str], common: Sequence[str] = ()
) -> Iterator[str]:
    """Return patterns for a start, any number of blanks, and one of what may follow.

    :param common: blanks that often follow the start: then a third byte is fixed as well.
    """
    yield from cross([start], then)
    for blank in blanks:
        if blank in common:
            yield from _run(start + blank, blanks, then)
        else:
            yield from cross([start + blank + "[" + "".join(blanks) + "]*"], then)


_BLANKS = (" ", r"\t", r"\n", r"\r", r"\x0b", r"\x0c")
_VALUE_STARTS = ("=", r"\x0b")
_WORD_CHARS = ascii_lowercase + digits + "_"

# Base64 of printable text (RFC 4648): bytes below 0x80, few of them controls, leave only some
# letters for the first three places of each group of four. Random data is as regular over four
# groups once in ten thousand. The usual beginnings of JSON ("ey") and of node identifiers of the
# GitHub API ("MD") are excluded: JSON matches by the words in it.
_B64_FIRST, _B64_SECOND = "[CDI-Za-f]", "[A-HQ-Xg-nw-z0-3]"
_B64_THIRD_FOURTH = "[ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9 /_-]"
_B64_GROUP = _B64_FIRST + _B64_SECOND + _B64_THIRD_FOURTH
_B64_STARTS = (
    *(letter + _B64_SECOND for letter in "IJKLNOPQRSTUVWXYZabcdf"),
    *("M[CE-HQ-Xg-nw-z0-3]", "e[A-HQ-Xg-nwxz0-3]", "C[g-n]", "DQ"),
)
_BASE64_TEXT = (
    f"{_B64_GROUP}{_B64_GROUP}(?:{_B64_GROUP}|{_B64_FIRST}{_B64_SECOND}(?:==|$|[^\\w/+-])"
    f"|{_B64_FIRST}{_B64_SECOND}[A-Za-z0-9](?:=|$|[^\\w/+-])|[^\\w/+-]|$)"
)
# Five to eleven bytes, with the padding for that length.
_BASE64_SHORT = (
    f"(?:{_B64_GROUP}){{0,2}}{_B64_FIRST}{_B64_SECOND}(?:=|[A-Za-z0-9])=" + r"(?:$|[&\x0b;])"
)
# SQL after a quote or a bracket that ends a value.
_KEYWORD = (
    r"(?:or|and|xor|union|having|group|order|like|rlike|regexp|limit|where|in|is|between|div|mod|not"
    r"|select|procedure|into|as|waitfor|exec|if|case|when|then|end|asc|desc|collate)\b"
)
_COMMAND_NAMES = """cat ls id dir ps pwd rm mv cp nc su sh bash zsh wget curl ping echo sleep type net reg set env python\\d? perl
php ruby node awk sed grep find head tail sort date time touch mkdir chmod chown kill uname ver copy del start exec eval
printf tar dd vi vim who w last for iwmi netsh sysinfo reboot shutdown halt mount umount expr aptitude apt yum pip3? gem
npm docker lscpu lsmod df du free top host dig hostname crontab telnet ftp tftp ssh make cmd nohup sudo strace gdb
lwp-download phpversion phpinfo"""
_COMMANDS = _COMMAND_NAMES.split()
_COMMAND = "(?:" + "|".join(_COMMANDS) + ")"
_COMMAND_BUT_W = "(?:" + "|".join([name for name in _COMMANDS if name != "w"]) + ")"
_COMMAND_ENDS = r"(?:[^\w/:-]|$)"
_ARGUMENT_0 = r"[\s({\"'\\]*(?:/(?:\w+/)*)?" + _COMMAND + r"(?:[\s;|&`)}>\"'<\\#(,{.]|\$|$)"
_LOGIC = ("or", "and", "xor", "having", "where")
_VALUE_ENDS = (*digits, "'", r"\"", r"\)", "`", r"\*/")
_MARKS = (r"\(", "!", "~", r"\+", "'", r"\"", "@", "/", r"\*", r"\\", "-")
_COMPARISON = r"(?:\s?[=<>!(]|\s+(?:like|between|rlike|is\s+(?:not|null|true|false))\b|\s+in\s?\()"
_AFTER_OPERAND = r"[\d\s()+*.'\"-]*(?:[=<>!,]|like|in\b|between|$|[\x0b&#\"-])"
_OPERANDS = r"[\s(!~+'\"@/*\\-]*(?:\d" + _AFTER_OPERAND + r"|[\w.@'\"`\\]+" + _COMPARISON + ")"
_NAME_COMPARED = r"[a-z_][\w.@'\"`\\]*" + _COMPARISON
# Tests of cmd.exe's IF.
_BATCH_COMPARISON = r"[\])\"%!}\\]{0,2}\s*(?:==|equ\b|neq\b|lss\b|leq\b|gtr\b|geq\b)"
_BATCH_TEST = (
    r"(?:(?:not\s+)?[\"(\[%!{\w~\\]+"
    + _BATCH_COMPARISON
    + r"|(?:/i\s+)?(?:not\s+)?(?:exist|defined|errorlevel|cmdext))"
)
_LINE_COMMAND = r"(?:cat|env|printenv|hostname|id|ls|wget|curl|whoami|ping|uname|nc|bash|sh|sleep|dir|netstat|echo|nslookup|ps|pwd)(?:[\s;|&\"$\\]|$)"
_HEADER = (
    r"(?:(?:set-cookie|location|content-(?:length|security|location|type|disposition|transfer-encoding)|bcc|cc|to|from|subject|reply-to|mime-version|x-[\w-]+|host|referer|link|refresh|status|access-control-[\w-]+)\s*[:=]"
    r"|http/|get\s/|post\s/|transfer-|rcpt|mail\sfrom|data\b|quit|helo|ehlo|header\w*:|inject\w*:|rset|vrfy|expn|retr\s|dele\s)"
)
_LINE_BREAKS = (r"\n", r"\r", r"\\n", r"\\r")
_BEFORE_WORDS = (" ", r"\t", r"\n", r"\x0b", "/", "=", r"\(", ",", ";", "&")
_BEFORE_WORD = "[" + "".join(_BEFORE_WORDS) + "]"


# fmt: off
_AFTER_NUMBER = _any_of("or and as in is xor mod div union order group having rlike", 7)
_NUMBER = r"=\(?-?\d+\)?['\"\s\\]*"
_VERBS = _any_of("""select insert update delete drop create alter exec execute declare waitfor shutdown truncate grant revoke
backup restore begin copy call merge load handler rename print kill dbcc bulk sleep benchmark attach vacuum pragma prepare
explain with""")
_SHORT_COMMANDS = _any_of("ls cat ps id cd rm nc sh dir type echo find tail head grep sudo ping host ver set env w who df last")
_ALONE = r"(?:\s+[-/.~$*\w][^&\x0b\"]*)?(?:$|[\x0b&;|`])"
_SPACED_CALLS = "file fopen exec system passthru eval assert popen phpinfo alert prompt confirm sleep benchmark concat version database"
_QUOTED_SYMBOL = r"(?:[-+*/%^&|=<>!~#;,@({})\]'\"]|[\x0b\n]|$)"
_EVENT = (r"on[a-z]{3,30}\s*=",)
_TAG_BLANKS = (*_BLANKS, "/")
_IGNORABLES = (
    *(r"\xc2\xad", r"\xcd\x8f", r"\xd8\x9c", r"\xe1\x85[\x9f\xa0]", r"\xe1\xa0[\x8b-\x8f]", r"\xe1\x9e[\xb4\xb5]"),
    *cross((r"\xe2\x80",), tuple(f"\\x{byte:02x}" for byte in (*range(0x8B, 0x90), *range(0xAA, 0xAF)))),
    *(r"\xe2\x81[\xa0-\xaf]", r"\xe3\x85\xa4", r"\xef\xb8[\x80-\x8f]", r"\xef\xbb\xbf", r"\xef\xbe\xa0", r"\xf3\xa0[\x80-\xbf][\x80-\xbf]"),
    *cross((r"\\u",), "00ad 034f 061c 115f 1160 17b4 17b5 180b 180c 180d 180e 180f 200b 200c 200d 200e 200f 202a 202b 202c 202d 202e 3164 feff ffa0"),
    *(r"\\u206[0-9a-f]", r"\\ufe0[0-9a-f]", r"\\udb40\\ud[cdef][0-9a-f][0-9a-f]"),
)
# Charsets that disguise a query in ASCII.
_CHARSETS = (
    *(r"cp\d", "ibm", "ebcdic", "cs", "u7", "utf.?7", "utf.?1", "utf.?3", "unicode", r"\d", "hz"),
    *("iso.?2022", "jis", "punycode", "idna", "raw", "mac", "koi", "johab", "euc", "viscii"),
)

# An IMAP command (RFC 9051) after a line break: a tag and a name.
_MAILBOX = tuple(cross((r"\w{0,4}\d\s",), _any_of("""capability fetch select examine login list lsub store search noop
logout create delete rename subscribe unsubscribe status append check close expunge copy uid authenticate starttls"""), (r"\b",)))
# How a pickle or its compressed bytes begin (decoding/pickles.py): in base64, once and twice, in
# hexadecimal digits, base32 and base85. Fixed text only: with a class, the database grows by 68 kB.
# Y1 to Y3 are a `c` with a letter. Sessions of Flask and Django put a dot before compressed ones.
_PICKLES = (
    *cross("gA eJ .eJ eA eF eN fXE XXE Y1 Y2 Y3 KFM KFY KGN KGR KGl KGx Z0F WTI WTN WTE S0d S0Z QA MNXXG MNYG6 MNPV6 MNRHK MNZXK MNRW6 FBJSO FBRW6 FBSHA FBWHA FBRV6 FBRX PVYQA LVYQA fC c$ <~"),
    *cross("g", tuple("!#$%'()*,.:;<>?@[\\]^`{|}~\n\r\t")),
)
_HEX_PICKLES = ("800[0-5][0-9a-f]{9}", "78(?:01|5e|9c|da)[0-9a-f]{9}", "7d7100", "5d7100", "285327", *cross("63 2863 2869", ("(?:[4-7][0-9a-f]|2e|3[0-9])+0a",)))
# The ends of lines with a module's name: os, posix, builtins, commands, subprocess.
_HEX_LINES = ("6f730a", "7369780a", "5f5f0a", "6e730a", "616e64730a", "6573730a")
# As it is, with line breaks: a module and a name, the first text that is remembered, and a call. A
# JSON document escapes the breaks; there, a quote and a letter are too common to begin with.
_RAW_PICKLES = tuple(
    pattern.replace("BREAK", line)
    for line in (r"\n", r"\\n")
    for pattern in (
        *cross(("=", r"\x0b", "BREAK", r"\("), "c i", (r"[a-z_][\w.]*BREAK[a-z_][\w.]*BREAK",)),
        *cross("BREAK", ("p0BREAK", "p1BREAK", "tR", r"\(tR", r"\)R")),
    )
)
# A value of two words; the second one is compared.
_WORD_AND_WORD = r"[=\"][\w.]{1,24} [andorx]{2,3} \w{0,23}"


def patterns() -> dict[str, tuple[str, ...]]:
    """Return the name of a match -> its patterns, in the common syntax of Hyperscan and `re`. They
    are made for each call: nothing needs them once they are compiled."""
    return {name: tuple(made) for name, made in {
    "quote_keyword": cross(("'", "`", r"\)"), (" ", "", r"\t", r"\n", r"\x0b", r"\r\n", "  "), (_KEYWORD,)),
    # Blanks that JSON escapes, and rare ones.
    "quote_escaped_blank": (
        *cross(("'", "`", r"\\\""), (r"\\n", r"\\t", r"\\r", r"\\f"), (r"(?:or|and|xor|union|having|is|like|not|in|where)\b",)),
        *cross(("'", "`", '"'), (r"\x0c", r"\r"), (r"(?:or|and|xor|union|having|is|like|not|in|where)\b",)),
        *cross(('"or', '"and', r"\\\"or", r"\\\"and"), (r"\r", r"\n", r"\x0c", r"\\n", r"\\t", r"\\r", r"\\f")),
    ),
    "quote_symbol": (
        *cross("' `", tuple(map(re.escape, "-+*/%^&|=<>!~#;,@({})]'\"\x0b\n")), ("",)),
        *cross("' `", (*_BLANKS, r"\)"), (r"[\s)]*" + _QUOTED_SYMBOL,)),
        "'$", "`$",
    ),
    # Prose is full of "and" and "or". They count only before a character that begins no word, or
    # before a word that is compared, where a value may end in front of them.
    "condition": (
        *cross((_BEFORE_WORD,), [*_mixed(_LOGIC, digits), *_mixed(_LOGIC, [*cross((" ",), tuple(digits))])], ("(?:" + _AFTER_OPERAND + r"|[\w.@'\"`\\]*" + _COMPARISON + ")",)),
        *cross((_BEFORE_WORD,), [*_mixed(_LOGIC, _MARKS), *_mixed(_LOGIC, [*cross((" ",), _MARKS)])], (_OPERANDS,)),
        *cross((_BEFORE_WORD,), _mixed(_LOGIC, ("  ", *_BLANKS[1:])), (_OPERANDS,)),
        *cross(_VALUE_ENDS, _mixed(_BEFORE_WORDS[:4], _LOGIC), (" " + _NAME_COMPARED,)),
        *cross(_BEFORE_WORDS[4:], _any_of(_LOGIC), (" " + _NAME_COMPARED,)),
    ),
    # After two marks, which are rare, all commands form one machine. As fixed texts they would take
    # a tenth more memory.
    "separator": (
        *cross(("&&", r"\x0b&\s"), (_ARGUMENT_0,)),
        *cross((";", r"\|", "`", r"\("), ("", " "), (*_any_of(_COMMANDS), r"/(?:\w+/)*" + _COMMAND), (_COMMAND_ENDS,)),
        *cross(("& ",), (*_COMMANDS, r"/(?:\w+/)*" + _COMMAND), (_COMMAND_ENDS,)),
        *cross("&", (r"\t", r"\n", r"\r"), (_COMMAND,)),
        *cross((";", r"\|", "`", r"\("), ("  ", r"\t", r"\n", '"', "'", r"\(", r"\{"), (_COMMAND_BUT_W,)),
    ),
    # Events whose names are not among the literals, in a tag or after a quote.
    "tag_event": cross("<", tuple(ascii_lowercase), (r"[^<>\x0b]*[\s\"'/]",), _EVENT),
    "quote_event": (
        *_run("'", _TAG_BLANKS, _EVENT), *_run("`", _TAG_BLANKS, _EVENT),
        *(pattern for start in cross(_VALUE_STARTS, _TAG_BLANKS) for pattern in _run(start, _TAG_BLANKS, _EVENT)),
    ),
    "escaped_quote_event": (r"\\\"[\s/]*[on]{2}[a-z]{3,30}\s*=",),
    "style": (r"[\s\"'`/;>]style\s*=",),
    "script_link": (r"href\s*=\W*j",),
    # After a quote it is "quote_keyword", after a blank with a comparison "condition".
    "number_logic": (
        *cross((r"=\(?-?\d*",), tuple(digits), ("", " "), _AFTER_NUMBER, (r"\b",)),
        *cross((_NUMBER,), (r"\\", *_BLANKS[1:]), _AFTER_NUMBER, (r"\b",)),
        *cross((_NUMBER,), (r"\\ ", *(blank + " " for blank in _BLANKS)), _AFTER_NUMBER, (r"\b",)),
    ),
    "number_operator": (
        *cross((_NUMBER,), (r"\|\|", "&&")),
        *cross((_NUMBER,), (r"\*", "/", r"\^", "%"), ("", " "), (*digits, r"\(", *(blank + r"\s*[\d(]" for blank in _BLANKS[1:]))),
        *cross((_NUMBER,), (r"\*", "/", r"\^", "%"), (r"  \s*[\d(]",)),
        *cross((_NUMBER,), (";", r";\s+"), _VERBS, (r"[\s(/]",)),
    ),
    "line_command": cross(_LINE_BREAKS, ("", " "), (_LINE_COMMAND,)),
    "header_line": cross(_LINE_BREAKS, ("", " ", r"\t"), (_HEADER,)),
    # In the name of a parameter.
    "name_break": (r"\r=", r"\n=", r"&\r", r"&\n"),
    "redirect": (r"=(?:/{2,}|/\\|\\|/\x09|/?https?:/{0,2}[^\s/?&\x0b]*[@\\]|https?:/?[^/]|/?https?:[^\x0b&]*/\.\.|/https?:|/\.)", r"\"///", r"\x0b///"),
    "remote": (r"=(?:url:)?(?:https?|ftps?):?/{0,2}[^\x0b&]*(?:\?(?:$|[\x0b&])|\.(?:txt|php|inc|dat|asp|jsp|cgi|pl)\??(?:$|[\x0b&]))",),
    "bracket_path": (
        *cross((r"/\w*\[",), ("!", "/", r"\-", *ascii_lowercase)),
        r"/\w*\?/", r"/\w*\?{2,3}\w*/", r"/\w*\*/", *cross((r"/\w*\*",), tuple(_WORD_CHARS), (r"\w*/",)),
        r"\w''\w", r"\w\"\"\w", r"\w\\\"\"\w", r"\w\"\\\"\w", r"\w\\\"\\\"\w", *cross((r"\w\^",), tuple(_WORD_CHARS)),
    ),
    "filter": (
        *_run(r"\)", _BLANKS, (r"\(\s*[|&!\w]", r"\|\s*\(", r"&\s*\(", r"!\s*\("), (" ",)),
        *_run(r"\(", _BLANKS, (r"\|\s*\(", r"&\s*\(", r"!\s*\("), (" ",)),
        *_run(r"\*", _BLANKS, (r"\)\s*[()%&|]",), (" ",)),
        r"=\*\w*[)(|]", r"[=\x0b(]\w{0,12}\*\)",
    ),
    "batch": (
        *cross(_BEFORE_WORDS, ("if",), ("  ", *_BLANKS[1:]), (r"\s*" + _BATCH_TEST,)),
        *cross(_BEFORE_WORDS, ("if ",), (r"\"", r"\(", r"\[", "%", "!", r"\{", "~", r"\\"), (r"[\"(\[%!{\w~\\]*" + _BATCH_COMPARISON,)),
        *cross(_BEFORE_WORDS, ("if ",), ("not", "/i"), (r"\s+" + _BATCH_TEST,)),
        *cross(_BEFORE_WORDS, ("if ",), ("exist", "defined", "errorlevel", "cmdext")),
        *cross(("==",), (*_WORD_CHARS, "%", "!", r"\(")),
        *cross((" ",), "equ neq lss leq gtr geq", (" ",)),
    ),
    "batch_loop": cross((r"%[\w%]+\s+in",), (r"\(", *(blank + r"\s*\(" for blank in _BLANKS))),
    "edge_separator": (
        *(pattern for start in _VALUE_STARTS for mark in (";", r"\|", r"\|\|", "&&", "`", r"\$\(", r"\^")
          for pattern in _run(start, ("'", '"', *_BLANKS), (mark + r"[\s('\"]*[a-z/.$(]",), (" ", r"\x0b"))),
        r"=&\s*[a-z/][a-z/.]*[\s;|&#]*(?:$|\x0b)",
    ),
    "short_command": cross(_VALUE_STARTS, ("", "'", '"', " ", r"\t", r"\n", r"\r"), _SHORT_COMMANDS, (_ALONE,)),
    "base64": (
        *cross(_VALUE_STARTS, ("(?-i:",), _B64_STARTS, (_B64_THIRD_FOURTH + f"(?:{_BASE64_TEXT}|{_BASE64_SHORT}))",)),
        *cross("/ >", ("(?-i:",), _B64_STARTS, (_B64_THIRD_FOURTH + _BASE64_TEXT + ")",)),
    ),
    # Not v: the brands of browsers are written "Chromium";v="131" (Sec-CH-UA).
    "string_edge": (r"\";\s?[a-uw-z/.$(]", *cross((r"\"\|", r"\"&", r"\"`", r"\"\);", r"\"\$\("), (r"\s?[a-z/.$(]",))),
    "spaced_call": (
        *cross((r"\b",), _SPACED_CALLS, _BLANKS, (r"\s{1,15}\(",)),
        *cross((r"\$",), tuple(_WORD_CHARS), (r"\w{0,31}\s{0,4}[\[{(#/]",)),
    ),
    # A command, or any word in braces that is part of another word: JSON is full of braces.
    "brace_expansion": (r"\{" + _COMMAND + ",", *cross(("=", r"\x0b", *ascii_lowercase), (r"\{\w{1,12},[-\w]{0,12}\}",))),
    # GraphQL documents that are deep, spread fragments in a circle, have many directives, or try
    # many secrets (structure.py). In a JSON document, the text continues after an escaped quote.
    "graphql_depth": (
        *cross("query mutation subscription fragment", (r"\b(?:(?:[^\"\\{\x0b]|\\.)*\{){16}",)),
        *cross(("=query", "=mutation", "=subscription", "=fragment"), (r"\b(?:[^{\x0b]*\{){16}",)),
        *cross((r"\"\{", r"\" \{", r"\"\\n[\s\\nrt]*\{", r"\"\\r[\s\\nrt]*\{", r"\"\\t[\s\\nrt]*\{"), (r"[\s,]?[\w.\\](?:(?:[^\"\\{\x0b]|\\.)*\{){15}",)), r"\"#(?:(?:[^\"\\{\x0b]|\\.)*\{){16}",
        *cross((r"=\{", r"= \{", r"=,\{", r"=\n\s*\{", r"=\r\s*\{"), (r"[\s,]?[\w.](?:[^{\x0b]*\{){15}",)), r"=#(?:[^{\x0b]*\{){16}",
    ),
    "graphql_directives": cross("@", tuple(ascii_lowercase), (r"\w*[\s,]*(?:\([^()\x0b]*\)[\s,]*)?(?:@[a-z_]\w*[\s,]*(?:\([^()\x0b]*\)[\s,]*)?){3}",)),
    "graphql_circle": (r"fragment(?:\s|\\[nrt])+\w+(?:\s|\\[nrt])+on\b[^\x0b]*\.\.\.(?:\s|\\[nrt])*(?:[a-np-z_]|o[^n])",),
    "graphql_guesses": cross("password passcode passwd passphrase pass: pwd: pin: otp: code: secret", (r":?\s?(?:\\?\"|\d|\$)(?:[^\x0b]*(?:pass(?:word|code|wd|phrase)?|pwd|pin|otp|code|secret):\s?(?:\\?\"|\d|\$)){3}",)),
    # Invisible characters between two letters of ASCII: as UTF-8, and as JSON escapes. Scripts that
    # need joiners have other letters.
    "ignorable": cross(("[!-~]",), _IGNORABLES, ("[!-~]",)),
    # Django reads the query in the charset of the body.
    "charset": (*cross(("charset=",), ("", "'", r"\"", " "), _any_of(_CHARSETS)), r"charset\*"),
    # Runs of brackets at the beginning or the end of a document that is nested too deeply
    # (framing.py).
    "deep_document": (r"\[{16}|\]{16}|\}{16}",),
    "nul": (r"\x00",),
    "tilde": (r"[=\x0b>]~[-+ ]\d*(?:$|[\x0b&<])",),
    "history": (r"[=\x0b>]!-?\d",),
    "variable_blank": cross((r"\$",), _BLANKS, (r"\s*\{",)),
    "spaced_tag": (r"<[a-z]\s[a-z]\s[a-z]\b",),
    "us_ascii": (r"\xc2\xbc/?[a-z]{2}",),
    "leading_field": cross(("=", "&", r"\x0b"), (r"\r", r"\n"), (r"[\r\n]?[a-z]+-[a-z-]+\s*:",)),
    # first_pass.py itself finds a line break in the path of a head.
    "path_line": (r"=/[^\x0b\s=&?]*[\r\n]",),
    "named_script": (r"\x0b[^/\x0b=&;]*\.(?:php[\dt]?|phtml|phar|jspx?|aspx?|sh|cgi)\.*(?:\x0b|$)",),
    "known_suffix": (r"=https?://[\w.-]*\.(?:com|org|net)\.[a-z\d-]{4,}",),
    # In JSON, line breaks between values are layout, and those in values are escaped.
    "mailbox": cross(_LINE_BREAKS, _MAILBOX),
    # Prose is full of " and ", and looking at each takes a fifth of the time of a scan. Hardly
    # anything has a comparison.
    "word_compared": cross((_WORD_AND_WORD,), tuple(_WORD_CHARS), ("=", "<", ">", " [=<>]")),
    # A list, or an object with blanks around its first brace, in base64: `{ "`, `{\n`, `["`, `[{`. The
    # usual beginning of an object has its own search (first_pass.py).
    "wrapped_document": (
        *cross((r"\"(?-i:",), "eyAg eyAi ewog ew0K ewoJ ewki WyI WyJ W3si Wwog WyAi Ww0K IHsi CnsK", (r"[\w/ -]{6})",)),
        *cross(_VALUE_STARTS, ("(?-i:eyA",), "g i", (r"[\w/ -]{6})",)),
    ),
    "pickle": (*cross(("=", r"\x0b", r"\""), ("(?-i:",), tuple(map(re.escape, _PICKLES)), (")",)), *cross(("=", r"\x0b", r"\""), _HEX_PICKLES), *_HEX_LINES, *_RAW_PICKLES, r"\\u008[5-7]R", "qlpoOT", "/Td6WFo", "425a68", "fd377a58"),
    # A built-in function of Python that is not called by its name alone (python_expressions.py).
    "python_name": ("\\(open[,)]", "\\[open[],]", ":open\\}", ":=open", "import__[,)\\]}]", "open\\([fbru]{1,2}['\"]", "open\\(file=", "open\\(\\*", "open\\('''", "locals\\(\\)", "globals\\(\\)", "vars\\(\\)", *cross(("=", r"\x0b"), ("f'", 'f"'), (r"[^'\"\x0b]{0,40}\{",)), "%[srd]['\"] ?%"),
    # As the name of a parameter. In Cookie, a blank precedes each name but the first.
    "session_name": cross(("&", r"\x0b"), (*SESSION_COOKIES, *LOG_IN_COOKIES), ("=",)),
    }.items()}


def quoted_patterns() -> dict[str, tuple[str, ...]]:
    """Return the patterns with a plain double quote inside a text, as `patterns` does. A JSON
    document escapes it, so no body of JSON is scanned for them."""
    return {
        # The name of a program in part (indicators/shell.py).
        "quoted_name": tuple(cross((r"[;|&] ?[a-z]{1,3}\"",), tuple(ascii_lowercase), (r"[a-z]*\\*\"[a-z]* [\w./~$*-]",))),
    }

# fmt: on
