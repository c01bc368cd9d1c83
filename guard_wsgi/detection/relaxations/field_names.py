"""What the name of a field says about its value."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from guard_wsgi.detection.value import Value

# Names of fields with a URL to redirect to, from the documentation of OAuth 2.0, OpenID Connect,
# SAML, CAS and the web frameworks. There, a developer's browser sends a local address.
_REDIRECT_NAME = re.compile(
    r"(?:.*[>._\[-])?(?:next|r|redir\w*|redirect\w*|return\w*|callback\w*|continue|goto|service"
    r"|relaystate|back\w*|ref|referrer|referer|origin|success_?url|cancel_?url|failure_?url"
    r"|post_logout_redirect_uri|dl|dr|tu|rl|page_?(?:url|location|referrer)?|location|to|from"
    r"|document-uri|blocked-uri|http\.url)\]?",
    re.IGNORECASE,
)
# Names of files that programs open: a URL there is a remote inclusion (CWE-98), not a link.
_INCLUDE_NAME = re.compile(
    r"(?:.*[>._\[-])?(?:file\w*|page|path\w*|inc\w*|require|template|tpl|theme|dir|folder|doc"
    r"|root\w*|view|module|mod|conf\w*|lang\w*|layout|pg|style|load|main|abs\w*"
    r"|[^\W_]*basedir|mosconfig\w*|cmd|exec|skin|pdf)\]?",
    re.IGNORECASE,
)
# Names of commands (CWE-78), and of addresses that the server itself fetches (CWE-918).
_COMMAND_NAME = re.compile(
    r"(?:cmd|command\w*|exec\w*|execute|run|args?|argv|arguments?|shell|sh|daemon"
    r"|ping|cli|eval)",
    re.IGNORECASE,
)
_TARGET_NAME = re.compile(
    r"(?:url|uri|link|src|source|target|dest\w*|host\w*|domain|server|endpoint|site|feed"
    r"|fetch|proxy|image\w*|img|webhook|download|ssrf|port|address)",
    re.IGNORECASE,
)
# Fields in which people write whole texts.
_TEXT_NAME = re.compile(
    r"(?:.*[>._\[-])?(?:text|body\w*|content\w*|comment\w*|message|msg|description|note\w*|review"
    r"|bio|html|(?:html|text|formatted)_?body|excerpt|summary|caption|stringvalue|value|diff|context_line|stacktrace)\]?(?:\[\])?",
    re.IGNORECASE,
)
# Names for code and its files in error reports, browsers' reports and traces, from the
# documentation of Sentry, CSP level 3 and OpenTelemetry.
_CODE_NAME = re.compile(
    r"(?:.*[>._\[-])?(?:context_line|pre_context|post_context|script-sample|diff|patch|hunk"
    r"|stack|stack_?trace|traceback|statement|frames\[\]\.(?:function|vars\.\w+)|culprit|transaction"
    r"|query\.text|scripts\.\w+|source\[\]|cells\[\]\.source|content\.code|source_?code|snippet|[^\W_]*prompt\w*|chat_template|steps\[\]\.\w+|argv"
    r"|(?:frames\[\]|stream|log|code|span)\.[\w.]*(?:file|path)\w*|abs_path|containers\[\]\.(?:command|args)|process\.command\w*)\]?(?:\[\])*",
    re.IGNORECASE,
)
_QUERY_NAME = re.compile(
    r"(?:.*[>._\[-])?(?:q|query|[^\W_]*ql|native|filter\w*|\$filter|where|search|expr\w*|formula|fq|columns?"
    r"|metrics?|select|fields?|order_?by|sort)\]?(?:\[\])*",
    re.IGNORECASE,
)
# Inputs of one line, and inputs for a number or a column, which queries contain without quotes.
_LINE_NAME = re.compile(
    r"(?:.*[>._\[-])?(?:id|ip|host\w*|domain|port|url|uri|link|address|e?mail|phone|zip|city|country|user|username|login"
    r"|lang|locale|name|first_?name|last_?name|file\w*|path|dir|key|format|cmd|command|q|query|search|keyword|term|page)\]?",
    re.IGNORECASE,
)
_NUMBER_NAME = re.compile(
    r"(?:.*[>._\[-])?(?:id|uid|pid|cid|num|sort\w*|order_?by|order|page|limit|offset)\]?",
    re.IGNORECASE,
)
_SECRET_NAME = re.compile(
    r".*(?:passw(?:or)?d|pwd|passphrase|\bpass|secret|token|api_?key|\botp|\bpin|hash|salt)\w*\]?",
    re.IGNORECASE,
)
# Filters of APIs with documented operators (Strapi, Feathers, LoopBack, Parse): they use ranges and
# lists daily, and these do not evade a comparison of secrets.
_FILTER_NAME = re.compile(
    r"_?(?:where|filters?|conditions|criteria|(?:query|selector)(?=\.\w|\[\w))\b", re.IGNORECASE
)
# Operators by which a filter compares.
FILTER_RANGE: Final = re.compile(
    r"\$(?:[gl]te?|n?in|n?eq?|and|n?or|not|exists|regex|options|all|size|text|between|contains\w*|startswith|endswith)\b",
    re.IGNORECASE,
)
_OPERATOR = re.compile(r"\[(\$?[\w-]{0,64})\]")


_NAMED: Final = (
    (_REDIRECT_NAME, "name:redirect"),
    (_INCLUDE_NAME, "name:include"),
    (_COMMAND_NAME, "name:command"),
    (_TARGET_NAME, "name:target"),
    (_TEXT_NAME, "name:text"),
    (_CODE_NAME, "name:code"),
    (_QUERY_NAME, "name:query"),
    (_SECRET_NAME, "name:secret"),
    (_LINE_NAME, "name:line"),
    (_NUMBER_NAME, "name:number"),
)


MAX_NAME_CHARS: Final = 100
"""How many characters of a name to read. The patterns may take quadratic time."""
_NUMBERS: Final = re.compile(r"[0-9]+")


def numbered_alike(name: str) -> str:
    """A key that is the same for names that differ only in their numbers."""
    return name if name.isalpha() else _NUMBERS.sub("0", name)


def name_features(name: str) -> tuple[str, ...]:
    """Return the features of a field's name. Only its end counts, as a path's."""
    return _features(numbered_alike(name[-MAX_NAME_CHARS:]))


@lru_cache(maxsize=1024)
def _features(name: str) -> tuple[str, ...]:
    """Cached, because sites have few names, and each needs ten matches."""
    return tuple(feature for pattern, feature in _NAMED if pattern.fullmatch(name))


def is_for_code(value: Value) -> bool:
    """Whether a value is in a field for code. In a field inside another value, the sender chooses
    the names."""
    return ">" not in value.name and "name:code" in name_features(value.name)


def is_filter(name: str) -> bool:
    return bool(_FILTER_NAME.match(name)) and not _SECRET_NAME.match(name)


# An operator in the place of a secret: the last part of a name, or a key below it.
_ASKED_SECRET: Final = re.compile(r"(?P<name>.+?)[.\[]\$(?P<word>[a-zA-Z]{2,32})\]?")
# Keywords of JSON Schema, and types of MongoDB Extended JSON.
_NO_OPERATOR: Final = re.compile(
    r"ref|dynamicRef|id|anchor|dynamicAnchor|defs|schema|comment"
    r"|oid|date|binary|uuid|timestamp|number(?:Int|Long|Double|Decimal)"
)


def asks_secret(name: str) -> bool:
    """Whether a name ends in an operator below the name of a secret: ``password[$type]``,
    ``pass.$size``. A store then compares the secret with more than one text (CWE-943)."""
    match = _ASKED_SECRET.fullmatch(name)
    return (
        match is not None
        and _NO_OPERATOR.fullmatch(match["word"]) is None
        and _SECRET_NAME.fullmatch(match["name"]) is not None
    )


# Operators that join conditions, and one that asks for words in all fields.
_JOINING: Final = re.compile(r"\$(?:and|n?or|not|text|expr|options)", re.IGNORECASE)


def is_whole(value: Value) -> bool:
    """Whether a key is an operator that compares, in place of a field's name: it makes the filter
    itself a condition, and no API documents that."""
    return (
        value.kind == "name"
        and _FILTER_NAME.fullmatch(value.name) is not None
        and value.text.startswith("$")
        and _JOINING.fullmatch(value.text) is None
    )


def names_filter(name: str) -> bool:
    """Whether a name is one of a documented filter (``filters[$and][0][title][$contains]``): of a
    field, by operators that compare."""
    head, bracket, _ = name.partition("[")
    parts = _OPERATOR.findall(name)
    if not bracket or "".join(f"[{part}]" for part in parts) != name[len(head) :]:
        return False
    operators = [part for part in parts if part.startswith("$")]
    return (
        is_filter(name)
        and any(not part.isdigit() and part not in operators for part in parts)
        and all(FILTER_RANGE.fullmatch(one) for one in operators)
    )


def is_run(value: Value) -> bool:
    """Whether a value is in a field for commands or for queries."""
    return not {"name:command", "name:query"}.isdisjoint(name_features(value.name))


_STATEMENTS: Final = re.compile(
    r"(?:.*[.\]])?\w*(?:sql|query|querystring|statement|commandtext)(?:\[\])*", re.IGNORECASE
)


def is_for_statements(value: Value) -> bool:
    """Whether a value is in a field of a document for statements of SQL."""
    return (
        value.location == "json"
        and ">" not in value.name
        and _STATEMENTS.fullmatch(value.name) is not None
    )


# Fields into which people paste a program, by the last word of the name.
_PASTED: Final = frozenset({"code", "source", "snippet", "paste", "program", "sourcecode"})


def is_pasted(value: Value) -> bool:
    """Whether a value is in a field of a body for programs."""
    return (
        value.location in ("form", "json", "multipart")
        and ">" not in value.name
        and not _PASTED.isdisjoint(_WORDS.findall(value.name.lower())[-1:])
    )


# Search boxes, by the whole name. Programmers search for commands and statements.
_SEARCHED: Final = frozenset({"q", "query", "search", "keyword", "keywords", "term", "terms", "s"})


def is_searched(name: str) -> bool:
    """Whether a field is a search field."""
    return name in _SEARCHED


# Fields for sentences, by the app's own name for them.
_WRITTEN: Final = frozenset(
    {
        *(
            "text",
            "content",
            "comment",
            "comments",
            "message",
            "msg",
            "description",
            "desc",
            "note",
            "notes",
        ),
        *("review", "question", "answer", "reply", "title", "subject", "summary", "headline"),
    }
)
_WORDS: Final = re.compile(r"[^\W_]+")


def is_written(value: Value) -> bool:
    """Whether a value is in a field of a body for sentences."""
    return (
        value.location in ("form", "json", "multipart")
        and not value.kind
        and ">" not in value.name
        and not _WRITTEN.isdisjoint(_WORDS.findall(value.name.lower())[-1:])
    )
