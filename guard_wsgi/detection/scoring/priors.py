"""Hand-set weights. Learning starts from them, and they apply to evidence that no training data
had."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from guard_wsgi.detection.decoding.pickles import FEATURE as PICKLE_CALL
from guard_wsgi.detection.finding import WHOLE_VALUE
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.language.python_expressions import FEATURE as REACHING_EXPRESSION
from guard_wsgi.detection.value import SECRET_OPERATOR

EXCUSES: Final = MappingProxyType(
    {
        **dict.fromkeys(("text:prose", "text:code", "text:source", "text:document"), -0.2),
        **dict.fromkeys(("text:html", "text:lines", "name:text", "name:code"), -0.2),
    }
)
"""The weight of unlearned evidence for a harmless value: the highest that is learned for any
(benchmarks/training/train_detection.py)."""

# Evidence that is not a pattern: name -> category and prior.
FEATURE_CATEGORIES: Final = {
    "encoding.overlong_bytes": "encoding",
    "upload.script_in_binary": "file_upload",
    "protocol.name_line_break": "http_split",
    "protocol.cookies_in_quotes": "http_split",
    "session.foreign_link": "code_injection",
    SECRET_OPERATOR: "nosql",
    "file.remote_include": "file_inclusion",
    PICKLE_CALL: "deserialization",
    REACHING_EXPRESSION: "code_injection",
    "graphql.introspection": "graphql",
    "graphql.depth": "graphql",
    "graphql.guesses": "graphql",
    "graphql.directives": "graphql",
}
PRIOR_FEATURES: Final = {
    "encoding.overlong_bytes": 1.0,
    "upload.script_in_binary": 1.0,
    # Nothing is beside it: the expression is the whole value.
    REACHING_EXPRESSION: 1.7,
    # A header that is split off by the name of a parameter (CWE-113): no form has such a name.
    "protocol.name_line_break": 1.3,
    "protocol.cookies_in_quotes": 1.3,
    SECRET_OPERATOR: 1.7,  # no API documents an operator in place of a password
    # Not certain: the visitor whom the link betrays is not to be banned.
    "session.foreign_link": 1.4,
    "file.remote_include": 0.7,
    PICKLE_CALL: 4.0,  # certain: more than any shape of random letters excuses
    "graphql.introspection": 0.5,
    "graphql.depth": 1.0,
    "graphql.guesses": 1.0,
    "graphql.directives": 1.0,
}
_GRAPH: Final = ("query.graph_statement", "query.graph_clause")
# Names and places that people search for, write of and configure.
_ASKED: Final = (("name:query", -0.4), ("name:text", -0.4), ("at:json", -1.0), ("at:header", -0.3))
# What two pieces of evidence mean together, beyond their sum.
_PRIOR_PAIRS: Final[Mapping[str, tuple[tuple[str, float], ...]]] = {
    "file.script_name": (("kind:filename", 1.0),),
    "file.script_upload": (("kind:filename", 0.7),),
    "file.include_variable": (("kind:name", 1.3),),
    "file.double_extension": (("kind:filename", 0.5),),
    "shell.separator_command": (("kind:agent", -0.7),),
    "shell.separator_last": (("kind:agent", -0.8),),
    "file.loopback": (("name:redirect", -0.6),),
    "file.loopback_only": (
        ("name:redirect", -0.6),
        ("name:text", -0.3),
        ("kind:header", -0.6),
        ("name:target", 0.3),
    ),
    "file.host_suffix": (("name:redirect", 0.4), ("name:target", 0.4)),
    "file.private": (("name:redirect", -0.4), ("name:target", 0.3)),
    "sql.word_only": (("size:S", 0.4),),
    "shell.admin_command": (("name:command", 1.2), ("name:include", 0.2)),
    "shell.bare_command": (("name:command", 0.4),),
    "shell.binary_path": (("name:command", 0.5),),
    "shell.bare_command_line": (("name:command", 0.5),),
    "file.loopback_bare": (("name:include", 0.4), ("name:target", 0.6)),
    "file.data_text": (("name:include", 0.6), ("name:target", 0.6)),
    "file.dot_dot": (("kind:filename", 0.7),),
    "file.line_break": (("kind:path", 1.0),),
    "file.uploaded_setting": (("kind:filename", 1.5),),
    "file.dump_file": (("kind:path", 0.3),),
    # The type of an error in a report; ranges of a documented filter language.
    "code.java_class": (("text:exception", -0.6),),
    "code.java_class_only": (("text:exception", -0.8),),
    "query.operator_name": (("text:filter", -0.8),),
    "query.operator_key": (("text:filter", -0.8),),
    # The field holds one line, or people write one line there.
    "shell.line_program": (("name:line", 0.6), ("name:text", -0.4), ("at:query", 0.7)),
    "shell.line_of_its_own": (
        ("name:line", 1.0),
        ("name:text", -0.4),
        ("name:code", -0.4),
        ("at:query", 0.5),
        ("at:cookie", 0.5),
        ("at:header", 0.3),
    ),
    "code.secret_lookup": (("at:query", 0.3), ("at:form", 0.2), ("at:cookie", 0.3)),
    "sql.word_operator": (("name:number", 1.0),),
    "sql.case_only": (("at:query", 0.3), ("at:form", 0.3), ("name:query", -0.4)),
    "sql.number_call": (("name:number", 1.0),),
    # Questions about Python name these, too.
    "code.python_names": (
        ("name:query", -1.0),
        ("name:text", -0.4),
        ("at:query", 0.35),
        ("at:form", 0.35),
        ("at:json", 0.35),
        ("at:path", 0.3),
        ("at:header", 0.35),
        ("at:cookie", 0.35),
    ),
    "code.php_variable_argument": (("kind:path", 0.8),),
    "file.odd_address": (("kind:path", -1.2),),
    "file.local_service": (("name:target", 0.85), *_ASKED),
    "file.secret_name": (("name:include", 0.7), *_ASKED),
    "query.store_line": (("name:text", -0.4),),
    # Two lines in a field of one.
    "shell.line_signal": (("name:line", 0.5), ("name:text", -0.3), ("at:query", 0.5)),
    "shell.ticked_words": (("name:line", 0.8), ("name:text", -0.4)),
    "file.parent_program": (("name:include", 0.85), *_ASKED),
    "file.server_program": (("name:include", 0.95), *_ASKED),
    "query.lone_schema": (("at:form", 0.9), ("at:query", 0.9)),
    # "sendgrid/6.12.5;python" is a client and the language it runs on.
    **dict.fromkeys(("shell.target_program", "shell.target_word"), (("kind:agent", -1.3),)),
    **dict.fromkeys(_GRAPH, (("name:query", -0.4), ("at:query", 0.4))),
    # An API of a database takes a statement in a field of this name.
    **dict.fromkeys(
        ("sql.statement_only", "sql.alter_only"), (("name:query", -0.4), ("at:query", 0.4))
    ),
}


def feature_categories() -> dict[str, str]:
    """Map each piece of built-in evidence to the category that it indicates."""
    return {one.name: one.category for one in INDICATORS} | FEATURE_CATEGORIES


def prior_pairs() -> dict[str, tuple[tuple[str, float], ...]]:
    """Return the hand-set pairs. A path or an address beside words gets a name and no weight."""
    pairs = dict(_PRIOR_PAIRS)
    for one in INDICATORS:
        if one.category in WHOLE_VALUE:
            # An address continues to its end: text after it is part of it.
            behind = -0.2 if one.category in ("ssrf", "file_inclusion", "open_redirect") else -0.5
            named = (("text:after_words", -0.5), ("text:before_words", behind))
            pairs[one.name] = (*pairs.get(one.name, ()), *named)
    return pairs
