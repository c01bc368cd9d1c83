# ruff: noqa: E501  (tables of words)
"""Placeholders in templates that only print data.

Mails, dashboards, alerts, charts, workflows and deployments are saved as templates: `{{ name }}`,
`{{ $json["id"] }}`, `${var.region}`. A template injection has the same braces, but calculates,
calls, or reads the machine. So a placeholder is harmless if it contains only names of data, plain
texts, and display functions of one engine. For another engine it is an error or an empty text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# A lookup of names, except names that lead to settings, classes or the machine.
NAME: Final = (
    r"\$?(?!(?:config|settings?|self|request|session|application|app|env\w*|os|sys|process|globals?|module|class\w*|constructor|prototype|this|root"
    r"|proto|mro|base\w*|subclasses|init|url_for|lipsum|cycler|joiner|namespace|get_\w*|g|t|_\w*|context|binding|exit|abort|current_app|fork|gets|methods?"
    r"|system|exec|eval|runtime|file|io|dir|kernel|objectspace|\w*(?:secret|passw|token|private|credential|signer|__)\w*|(?:\w*_)?key|\w*scope|\w*context|\w*properties|\w*environment|servlet\w*|beans?|headers?|header\w*|param\w{0,6}|cookies?|initparam)\b)[a-z][\w-]{0,40}"
)
PATH: Final = rf"{NAME}(?:\.{NAME}){{0,4}}"
"""Names in a template that lead only to data, in lower or any case."""
# A text in quotes. It may be inside quotes of SQL, so it has no operator and does not begin with a
# word of an expression. An empty one is an escaped quote.
SAID: Final = (
    r"(?!(?:or|and|xor|not|in|is|like|rlike|regexp|glob|match|between|div|mod|union|select|having|where|limit|order|group|into|collate|sounds|escape|as)\b)"
    r"(?!\w*__|[^'\"]*(?:--|\b(?:union|select)\b))(?:(?:\*\*/|\./)?\w[\w ./:%,@?!-]{0,118}|%\.?\d{0,2}[A-Za-z](?:[ :/.,T-]{0,2}%-?[A-Za-z]){0,8})"
)
_TEXT: Final = rf"(?:'(?:{SAID})?'|\"(?:{SAID})?\")"
_ARGUMENT: Final = rf"(?:{_TEXT}|-?\d{{1,9}}(?:\.\d{{1,4}})?|{PATH})"
_FILTER: Final = (
    r" ?\| ?(?:upper|lower|upcase|downcase|capitalize|title|date|time|round|int|float|floatformat|length|size|trim|strip|abs|currency|number"
    r"|humanize|humanizeduration|humanize1024|humanizepercentage|humanizetimestamp|intcomma|linebreaks|truncate\w*|pluralize|slugify|wordcount|first|last|json|tojson|money\w*|t|trans|translate"
    r"|default|escape|e|urlencode|url_encode|replace|split|join|append|prepend|plus|minus|times|divided_by|img_url|asset_url|link_to|number_format|nl2br|newline_to_br|strip_html|handle|uniq|raw|safe"
    r"|printf|quote|nindent|indent|toyaml|b64enc|trunc|trimsuffix|timestamp_custom|regex_replace|is_defined)"
    rf"(?:(?:: ?| ){_ARGUMENT}|\({_ARGUMENT}(?:, ?{_ARGUMENT}){{0,3}}\)|(?:: ?{_ARGUMENT}(?:, ?{_ARGUMENT}){{1,3}}))?"
)
# Functions of Home Assistant, of translations and of routes, which show their argument.
_SHOWN: Final = (
    rf"(?:states|state_attr|is_state|is_state_attr|has_value|now|utcnow|trans|t|__|_|gettext|asset|path|route|csrf_token|csrf_field|static)\((?:{_TEXT}(?:, ?{_TEXT}){{0,2}})?\)"
    rf"(?:\.(?:strftime|isoformat|format|timestamp|date|time)\(?{_TEXT}?\)?|\.(?:hour|minute|day|month|year))?"
    r"|url_for\('[\w.-]{1,60}'(?:, ?[a-z_]{1,30}='[\w./-]{0,80}'){0,3}\)"
)
# The same of Home Assistant, whose argument may be a variable.
_STATE: Final = rf"(?:states|state_attr|is_state|is_state_attr|has_value)\((?:{_TEXT}|{PATH})(?:, ?(?:{_TEXT}|{PATH}))?\)"
# An expression of GitHub's workflows: its contexts, functions of contexts, and plain words.
_CONTEXT: Final = r"(?:matrix|github|secrets|vars|inputs|needs|steps|runner|env|job|strategy)(?:\.(?!_)[\w-]{1,40}|\.\*){1,5}"
_OPERAND: Final = (
    rf"!?(?:(?:fromjson|tojson|hashfiles|format|contains|startswith|endswith|join|always|success|failure|cancelled)"
    rf"\((?:(?:{_CONTEXT}|{_TEXT})(?:, ?)?){{0,4}}\)(?:\.[a-z][\w-]{{0,40}}){{0,2}}|{_CONTEXT}|{_TEXT}|true|false|\d{{1,6}})"
)
_SIMPLE: Final = (
    rf"\{{\{{[-~]? ?(?:\.?{PATH}|{_TEXT}(?= ?\|))(?:{_FILTER}){{0,4}} ?[-~]?\}}\}}"
    # A filter of the site's own. Names that engines call, sort by or look up are not plain data;
    # names of shell programs are not, either.
    rf"|\{{\{{ ?{PATH} ?\| ?(?!(?:system|exec|shell_?exec|passthru|popen|proc_open|eval|assert|attr|map|filter|reduce|sort|select\w*|reject\w*|group_?by|file\w*|include|source|column|call\w*|print|debug|dump|pprint|xmlattr|format|read\w*|write\w*|open\w*|load\w*|run\w*|get\w*)\b)(?:[a-z]{{1,20}}(?:_[a-z]{{1,20}}){{1,3}} ?|[a-z]{{2,20}})\}}\}}"
    rf"|\{{\{{[-~]? ?(?:{_SHOWN}|{_STATE})(?:{_FILTER}){{0,3}} ?[-~]?\}}\}}"
    # Two data names, or a data name and a number.
    rf"|\{{\{{ ?{PATH} [*+/-] (?:{PATH}|\d{{1,6}}) ?\}}\}}"
    # Handlebars and Mustache; a step of Make and Zapier; a group of names.
    rf"|\{{\{{ ?(?:#(?:if|unless|each|with|section) (?:this\.)?{PATH}|this\.(?!(?:pop|push|shift|unshift|splice|split|sub|concat|apply|call|bind|valueof|tostring|lookup|filter|map|length)\b){PATH}|/[a-z]{{1,20}}|else|> ?[a-z][\w/-]{{0,40}}|!(?! ?_|[^}}]{{0,80}}__)[\w ,.-]{{0,80}}|\d{{1,9}}(?:\.[a-z][\w-]{{0,40}}|\[\]){{1,6}}|-?\d{{1,9}}(?:\.\d{{1,6}})?|namespace|request\.(?:path|method|url|user(?:\.username)?)) ?\}}\}}"
    r"|\{%-? ?(?:(?:block|endblock|macro|partial)(?: [a-z_]{0,30})?|else|endif|endwith|trans(?:late)?|(?:end)?blocktrans(?:late)?(?: (?:trimmed|asvar \w{1,30}))?|load (?:i18n|static|l10n|tz|humanize)"
    rf"|static (?:\"\w[\w./-]{{0,80}}\.\w{{2,5}}\"|'\w[\w./-]{{0,80}}\.\w{{2,5}}')|trans(?:late)? {_TEXT}|url {_TEXT}(?: {PATH}){{0,3}}"
    rf"|(?:if|elif|unless|endif)(?: not)? {PATH}(?: (?:and|or|==|!=|>|<) (?:{_ARGUMENT})){{0,3}}|with {NAME}={PATH}) ?-?%\}}"
    # Alone it is a probe; templates have more text.
    r"|\{% extends (?:\"\w[\w./-]{0,80}\.\w{2,5}\"|'\w[\w./-]{0,80}\.\w{2,5}') %\}(?=\s+\S|\{%)"
    rf"|<%= ?@?{PATH} ?-?%>"
    rf"|\$\{{\{{ ?{_OPERAND}(?: (?:==|!=|&&|\|\|) {_OPERAND}){{0,6}} ?\}}\}}"
    r"|\$\{(?:var|local|each|count|path|data|aws_\w{1,30}|azurerm_\w{1,30}|google_\w{1,30}|__field\.labels|__data\.fields)(?:\.[a-z][\w-]{0,40}){1,4}\}"
    rf"|\$\{{(?:user|customer|order|item|product|page|post|article|name|invoice)(?:\.{NAME}){{0,3}}\}}"
    # Grafana's variables with a format, VS Code's variables.
    r"|\$\{[a-z_]\w{0,40}:(?:queryparam|csv|json|pipe|percentencode|text|value|singlequote|doublequote|distributed|glob|lucene)\}"
    r"|\$\{(?:workspacefolder(?:basename)?|relativefile(?:dirname)?|file(?:basename(?:noextension)?|dirname|extname)?|linenumber|selectedtext|cwd|userhome|(?:command|input):[\w.-]{1,80})\}"
    # Placeholders that a deployment fills in (the manifest of .NET Aspire).
    r"|\{[a-z][\w-]{0,60}\.(?:value|connectionstring|bindings\.[\w-]{1,30}\.(?:host|port|url|scheme|targetport)|(?:secret)?outputs\.\w{1,40}|inputs\.\w{1,40})\}"
    r"|#\{@?(?:user|customer|order|item|product|page|post|name|title|invoice)(?:\.[a-z_]{1,30}){0,2}\}"
)


@lru_cache(maxsize=1)
def _simple() -> re.Pattern[str]:
    """Compile the table when a text first has a brace or a mark of ERB: this takes 60 ms and 2 MB,
    and many sites never see one."""
    return re.compile(_SIMPLE, re.IGNORECASE)


MAX_EXPRESSION_CHARS: Final = 800
# A loop over data, from its beginning to its end.
_LOOP: Final = re.compile(
    rf"\{{%-? for {NAME} in {PATH} -?%\}}|\{{%-? (?:endfor|empty) -?%\}}", re.IGNORECASE
)
_EXPRESSION: Final = re.compile(r"\{\{[-~]?((?:[^{}]|\{[^{}]{0,200}\}){1,800}?)[-~]?\}\}")
# Go's templates (Helm, Alertmanager): each word is a keyword, or begins with a dot or a dollar
# sign. No other engine reads such a name, and in Go it is data.
_GO_WORD: Final = (
    r"if|else|end|range|with|define|template|block|include|required|requiredenv|default|toyaml|tojson|quote|squote|nindent|indent|eq|ne|and|or|not|lt|gt|le|ge|len|lower|upper"
    r"|title|trunc|trim|trimsuffix|trimprefix|printf|replace|b64enc|join|ternary|coalesce|int|int64|haskey|hasprefix|hassuffix|contains|empty|dict|list|index|get|first|last|until|add|sub|mul|div|mod"
    r"|kindis|typeis|tostring|sha256sum|semvercompare|regexmatch|regexreplaceall|now|date|humanize|humanizeduration|humanizepercentage|tolower|toupper|reremplaceall|safehtml|stringslice|true|false|nil"
)
_GO: Final = re.compile(
    rf"(?>\s+|(?:{_GO_WORD})\b(?!\()|(?-i:\.[A-Z])\w*(?:\.\w+)*|\.(?=[\s)]|$)|\$\w*(?:\.\w+)*|\"(?:{SAID})?\"|-?\d+|[|(),]|:=)++",
    re.IGNORECASE,
)
_GO_NAME: Final = re.compile(
    r"(?<![\w)\"])(?-i:\.[A-Z])|\$(?:(?-i:\.[A-Z])|labels\b|value\b|externallabels\b|\w+ :=)|^ ?(?:if|range|with|end|else|template|include|define|block|required\w*|default) (?=[.\"$(]|$|if\b)|^ ?end ?$",
    re.IGNORECASE,
)
# A method of the data, which an argument follows.
_GO_METHOD: Final = re.compile(r"(?:^|[|(=])\s*(?:\$\w*)?\.\w+(?:\.\w+)*\s+(?![|)\s]|$)")
_GO_DATA: Final = re.compile(r"\.(?:system|exec|env|command|password|secret)\b", re.IGNORECASE)
# Expressions of n8n and similar engines: they begin at the data of a step. Engines of Python, Ruby
# and Java have no such names; engines of JavaScript need a constructor to get out, PHP needs a
# call.
_STEP: Final = re.compile(
    r"\$(?:json|node|input|now|today|workflow|execution|itemindex|vars|items?|prevnode|parameter|runindex|binary|fromai|jmespath|if|max|min|ifempty|agentinfo|pagecount|response|env|credentials|secrets|\(\s*~)",
    re.IGNORECASE,
)
_STEP_UNSAFE: Final = re.compile(
    # Commands that a shell would run.
    r"(?:\|\||&&)(?!\s*+(?:[!(]++\s*+)?(?:\$|~|-?\d|true\b|false\b|null\b|undefined\b|boolean\(|number\(|string\())|(?<!\|)\|(?!\|)|(?<!&)&(?!&)|\n[ \t]*[a-z]"
    r"|(?<!\$)\b(?:or|and|else|not)\b|=>\s*\{|->|`|\\[ux\d]|;|\.(?:call|apply|bind|exec|ownerdocument|defaultview)\b|\bnew\s+(?!date\b)"
    r"|(?<![.'\"\w])(?:process|location|document|window|globalthis|self|top|parent|frames|reflect|proxy|require|import|eval|function|symbol|settimeout|setinterval|setimmediate|alert|confirm|prompt|fetch|open|navigator|history|localstorage|sessionstorage|this|global|module)\b"
    r"|(?<![=!<>])=(?![=>])|(?<=[\w)\]~])\s*\[(?!\s*+(?:~|-?\d{1,6}|\$?[a-z][\w.]*+)?\s*+\])"
    r"|(?<![.\w$])(?!(?:boolean|number|string|parseint|parsefloat|encodeuricomponent|decodeuricomponent|encodeuri|isnan|isfinite|array\.from|date|if|max|min|return)\b)[a-z_]\w*\s*\(",
    re.IGNORECASE,
)
# A text in a place for a program.
_STEP_TEXT: Final = re.compile(
    rf"(?:^|(?<=[(\[,+=!<>?:&|]))(\s*)(?:{_TEXT}|\"{SAID}'(?!.*\b(?:or|and|union|like|not)\b)[\w ./:,@?!-]{{0,100}}\")(?=\s*(?:[)\],+=!<>?:&|.]|$))",
    re.IGNORECASE,
)
_BY_NAME: Final = re.compile(r"(?<=[\w)\]~])\s*\[\s*\$?[a-z]", re.IGNORECASE)
_QUOTE: Final = re.compile(r"['\"]|<[a-z!/?]", re.IGNORECASE)
_STEP_OUT: Final = re.compile(r"constructor|prototype|__", re.IGNORECASE)


def _is_go(body: str) -> bool:
    return (
        _GO_NAME.search(body) is not None
        and _GO.fullmatch(body) is not None
        and _GO_DATA.search(body) is None
        and _GO_METHOD.search(body) is None
    )


def _is_step(body: str) -> bool:
    if _STEP_OUT.search(body) is not None:
        return False
    bare = _STEP_TEXT.sub(r"\1~", body.replace("``", ""))
    if _STEP.search(bare) is None or _QUOTE.search(bare) is not None:
        return False
    if "=>" in bare and _BY_NAME.search(bare) is not None:
        return False
    return "$" not in _STEP.sub("", bare) and _STEP_UNSAFE.search(bare) is None


def _without_expression(match: re.Match[str]) -> str:
    body = match[1]
    if len(body) > MAX_EXPRESSION_CHARS:
        return match[0]
    return "name" if _is_step(body) or _is_go(body) else match[0]


def without_placeholders(text: str) -> str:
    """Replace the harmless placeholders of a text with a word."""
    if ("{" not in text or "}" not in text) and "%>" not in text:
        return text
    text = _simple().sub("name", text)
    if "endfor" in text and ("% for " in text or "- for " in text):
        looped = _LOOP.sub("name", text)
        if "{{" not in looped and "{%" not in looped:
            text = looped  # a loop shows no more than what is in it
    if "{{" in text and "}}" in text:
        text = _EXPRESSION.sub(_without_expression, text)
    return text
