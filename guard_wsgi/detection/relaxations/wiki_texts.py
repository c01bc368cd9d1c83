# ruff: noqa: E501  (tables of words)
"""Templates and messages of wikis: `{{Quote|text=Don't|author=X}}`, `{{PLURAL:$1|page|pages}}`,
`$1 (at $2)`.

Only a wiki gives a template arguments without quotes behind bars. For the engines that attackers
aim at, the name of a filter is behind a bar, and a word, a number or an equals sign behind that is
an error. So the braces and bars of such a template are removed before a text is weighed, if its
name is no data of an engine and no argument is a filter or a command. The text of the template
stays.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.relaxations.placeholders import NAME

_HEAD: Final = (
    rf"(?:{NAME}(?: [\w'-]{{1,30}}){{0,5}}(?::(?:\$\d{{1,2}}|[\w ]{{1,40}}))?"
    r"|#(?:if|ifeq|ifexist|iferror|switch|invoke|expr|time|tag|formatdate)\s?:[\w ,.$=:+-]{0,100})"
)
_ARGUMENT: Final = r"[^{}|<>()\[\]\"`;&\\*~^%$]"
# In the innermost braces, with at least one bar.
_TEMPLATE: Final = re.compile(
    rf"\{{\{{\s?({_HEAD})\s?((?:\|(?:{_ARGUMENT}|\$\d){{0,400}}){{1,30}})\}}\}}", re.IGNORECASE
)
_PARAMETER: Final = re.compile(
    rf"(?<!\{{)\{{\{{\{{(?:{NAME}|\d{{1,2}})(?:\|[\w ]{{0,30}})?\}}\}}\}}(?!\}})", re.IGNORECASE
)
# Names that an engine calls or looks up behind a bar (Jinja, Twig, Smarty, Liquid, Angular, Vue).
_FILTER: Final = re.compile(
    r"\|\s*(?:[\w ]{1,30}=\s*)?(?:\w{0,30}(?:system|exec|eval|popen|open|assert|passthru|include|source|attr|filter|print|dump|load|call|__)\w{0,30}|map|reduce|sort|select|reject"
    r"|group_?by|column|file\w{0,30}|format|read\w{0,30}|write\w{0,30}|run\w{0,30}|get\w{0,30}|e|s|safe|string|list|first|last|join|tojson|json|upper|lower|length|replace|raw|escape|date|keys)\s*(?=\||\}\}|$)",
    re.IGNORECASE,
)
_MARK: Final = re.compile(r"[{|}]+")
# An argument of a message (gettext, MediaWiki, Java). No variable of PHP begins with a digit.
_PLACE: Final = re.compile(r"(?<![\w$/'\"\\{(])\$\d{1,2}(?= ?\()")
_VARIABLE: Final = re.compile(r"\$(?!\d)")

HINT: Final = r"\$\d\d? ?\("
"""Every text with an argument of a message contains this."""


@lru_cache(maxsize=1)
def _command() -> re.Pattern[str]:
    """A command behind a bar; compiled when a text first has a template."""
    return re.compile(
        "|".join(
            one.pattern
            for one in INDICATORS
            if one.name in ("shell.separator_command", "shell.separator_last", "shell.pipe_shell")
        ),
        re.IGNORECASE,
    )


def _without_marks(match: re.Match[str]) -> str:
    text = match[0]
    if _FILTER.search(match[2] + "}}") is not None or _command().search(text) is not None:
        return text
    return _MARK.sub(" , ", text)


def without_wiki_texts(text: str) -> str:
    """Remove the braces and bars of a wiki's templates, and the dollar signs of the arguments of a
    message."""
    if "{{" in text and "|" in text:
        if "{{{" in text:
            text = _PARAMETER.sub("value", text)
        text = _TEMPLATE.sub(_without_marks, text)
    if "$" in text and _VARIABLE.search(text) is None:
        text = _PLACE.sub("value", text)
    return text
