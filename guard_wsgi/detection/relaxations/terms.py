# ruff: noqa: E501, SIM905  (tables of words)
"""Terms: values that are only a name or a word of a language.

People type `eval()`, `information_schema` or `java.lang.String` into search boxes. The evidence
says attack, because attacks contain these. But as the whole value, such a term can't leave its
context in any language: it has no quote, separator, comment, operator or operand. So an attacker
gains nothing by it, wherever the app inserts it. Text that does something by itself is not a term:
a statement, a file, a program that changes or reveals anything, `$(pwd)`.
"""

from __future__ import annotations

import re
from typing import Final

from guard_wsgi.detection.relaxations.field_names import is_filter
from guard_wsgi.detection.value import Value

MAX_TERM_CHARS: Final = 96

# A filter without a program. Each text in it is one word and no SQL operator, so only that word
# could be outside of quotes.
_OPERATOR: Final = r"(?:or|and|xor|not|is|in|like|div|mod|union|between|rlike|regexp|glob|match|collate|escape|binary|as)"
_SCALAR: Final = rf"(?:\"(?!{_OPERATOR}\")\w(?:[\w.@-]{{0,40}}\w)?\"|[\w.]{{1,30}})"
_FILTER: Final = rf"\{{ ?(?:\w{{1,30}}: ?(?:{_SCALAR}|\{{ ?(?!\$where)\$\w{{1,16}}: ?{_SCALAR} ?\}})(?:, ?)?){{0,3}} ?\}}"
_CALLED: Final = (
    # SQL functions that reveal and change nothing.
    r"(?:sleep|pg_sleep)\(\)|(?:char|chr|nchar|ascii|unhex|hex)\(\d{0,2}\)|n?varchar\(\d{1,4}\)|benchmark\(\)"
    r"|(?:version|user|database|schema|current_user|session_user|system_user|now|rand|length|count|concat|concat_ws"
    r"|group_concat|substr|substring|char|coalesce|ifnull|nullif|load_file|extractvalue|updatexml|row_number)\(\)"
    # Functions that run or show their argument, without an argument.
    r"|(?:eval|exec|system|assert|popen|passthru|shell_exec|open|include|require|fopen|file_get_contents|unserialize"
    r"|preg_replace|call_user_func|os\.(?:system|popen)|subprocess\.(?:run|call|popen)|compile|__import__"
    r"|pickle\.loads|yaml\.load|input|print|isset|mysqli?_query|str_replace|strlen|array_map|htmlspecialchars"
    r"|settimeout|setinterval|requestanimationframe|fetch|document\.(?:write|writeln|getelementbyid|queryselector|createelement)"
    r"|window\.open|location\.reload|history\.back|json\.parse|atob|btoa|unescape|encodeuricomponent|decodeuricomponent"
    r"|(?:process|child_process)\.exec|runtime\.getruntime|system\.out\.println|thread\.sleep|class\.forname)\(\)"
    # A query of a document store.
    rf"|db\.\w{{1,30}}\.(?:find|findone|count|countdocuments|distinct)\({_FILTER}\)(?:\.(?:sort|limit|skip|count|toarray|pretty)\((?:{_FILTER}|\d{{1,6}})?\)){{0,4}}"
    # A greeting on the screen.
    r"|(?:window\.)?(?:alert|prompt|confirm|console\.(?:log|error|warn|info)|print|println|echo|system\.out\.println|fmt\.println)"
    r"\((?:(?P<quote>['\"]?)(?:hi|hello|hello,? world|hey|test|ok|done|yes|no|here|works|x|a|i)?(?P=quote))\)"
)
# Keywords only. They are no statement without a name, a number or a list.
_SQL_WORD: Final = (
    r"(?:union|all|select|distinct|from|where|and|or|not|in|like|between|exists|having|group|order|by|asc|desc|limit|offset"
    r"|join|inner|left|right|full|outer|cross|natural|on|using|insert|into|values|update|set|delete|drop|create|alter|truncate|replace"
    r"|table|view|index|database|column|procedure|function|trigger|if|case|when|then|else|end|as|with|recursive|load|data|infile|outfile"
    r"|dumpfile|local|grant|revoke|exec|execute|waitfor|delay|declare|cast|convert|begin|commit|rollback|over|partition|add|constraint"
    r"|primary|foreign|key|references|default|unique|check|cascade|explain|analyze|show|tables|databases|columns|describe|intersect|except)"
)
_SQL: Final = (
    _SQL_WORD
    + r"(?: "
    + _SQL_WORD
    + r"){1,7}|(?:group|order) by \d|limit \d{1,3}|select \*(?: from)?|count\(\*\)|having count\(\*\) ?[<>=]{1,2} ?\d"
    r"|select (?:version|user|database|now|current_user)\(\)|(?:exec(?:ute)? )?sp_(?:help|helptext|helpindex|who2?|lock|rename|spaceused|columns|tables)"
)
# Names joined with dots: of catalogues, prototypes, documents, operators and known classes.
_NAMES: Final = (
    r"information_schema(?:\.(?:\*|tables|columns|schemata|views|routines))?|pg_catalog(?:\.pg_tables)?|pg_tables|pg_user|sysobjects|syscolumns"
    r"|sys\.(?:tables|objects|columns|databases)|sqlite_master|all_tables|user_tables|all_tab_columns|mysql\.user|dual"
    r"|xp_cmdshell|sp_executesql|sp_configure|openrowset|pg_sleep|load_file|group_concat|concat_ws|extractvalue|updatexml|utl_http|dbms_output"
    r"|child_process|os\.(?:system|popen|environ|path(?:\.join)?)|subprocess\.(?:run|popen|call)|__proto__|(?:object\.)?prototype|constructor(?:\.prototype)?|object\.prototype\.\w{1,24}|__(?:init|name|main|file|class|dict|doc|str|repr|import)__"
    r"|(?:window\.|self\.)?(?:document|location|navigator|history|localstorage|sessionstorage)(?:\.(?:cookie|domain|referrer|location|href|hash|search|body|head|url|title|getitem|setitem|useragent|language))?"
    r"|(?:inner|outer)html|textcontent|on(?:click|error|load|change|input|submit|mouseover|focus|blur|keydown|keyup|scroll|resize)|srcdoc|javascript:(?:void\(0\);?)?"
    r"|\$(?:eq|ne|gte?|lte?|n?in|and|n?or|not|exists|regex|where|expr|type|size|all|elemmatch|set|unset|inc|push|pull|lookup|match|group|project)"
    r"|\$_(?:get|post|request|server|cookie|files|session|env)|\(\w{1,24}=\*\)"
    r"|java\.lang\.(?:string(?:builder|buffer)?|long|double|float|boolean|character|math|iterable|comparable|record|enum|override|deprecated|void)"
    r"|java\.(?:lang|io|net|util|sql|time|security|nio(?:\.\w{1,16})?)\.\w{0,40}(?:exception|error)"
    r"|java\.util\.(?:list|arraylist|linkedlist|map|hashmap|treemap|set|hashset|date|calendar|optional|collections?|arrays|iterator|locale|uuid|random|scanner|regex(?:\.(?:pattern|matcher))?)"
    r"|java\.time\.\w{1,24}|java\.math\.\w{1,24}|java\.sql\.(?:date|timestamp|connection|resultset|preparedstatement)"
)
# Lines of programs that have no effect.
_LINES: Final = (
    r"return (?:false|null|none|0|this|self|undefined);?|return;|while ?\((?:true|1)\)|for ?\(;;\)|if ?\((?:true|false|x)\)|else if|try catch"
    r"|module\.exports(?: ?= ?(?:\{\}|\w{1,32}))?;?|export default(?: \w{1,32})?;?|use strict|require\(\)|import (?:os|sys|re|json)"
    r"|(?:console\.(?:log|error|warn|info)|system\.out\.println)\(|<\?php|<\?=|\?>|<%=?|%>|#!/bin/(?:ba)?sh|#!/usr/bin/env (?:python3?|node|bash)"
)
_WORK: Final = (
    r"(?:docker[ -]compose (?:up|down|logs|ps|build|pull|restart|stop)(?: -{1,2}[a-z-]{1,16}){0,2}|npm (?:ci|install|i|start|test|run [a-z:]{2,16})"
    r"|yarn(?: [a-z:]{2,12})?|pnpm (?:i|install|dev|build)|git (?:status|pull|push|fetch|add \.|stash|commit)|make(?: [a-z]{2,12})?|cargo (?:build|run|test)"
    r"|cd (?:\.\.(?:/\.\.){0,2}|[\w-]{1,24})|ls(?: -[a-z]{1,4})?)"
)
# Programs that show the user or the folder. In a field for commands they are no terms.
_COMMANDS: Final = (
    r"(?:sudo )?(?:whoami|id|pwd|ls|dir|hostname|uname|ifconfig|ipconfig|netstat|tasklist|uptime|nslookup|traceroute|tracert|arp|route"
    r"|ping|curl|wget|netcat|nc|nmap|telnet|ssh|scp|powershell|pwsh|cmd|bash|zsh|sh|crontab|chmod|chown|grep|awk|sed|find|cat|tar|top|htop|ps|df|du"
    r"|systemctl|journalctl|iptables|tcpdump|certutil|wmic|rundll32|regsvr32|mshta|bitsadmin|docker|kubectl|npm|pip|git|python3?|perl|ruby|node)(?:\.exe)?"
    r"|(?:ls|dir|ps|df|du|uname|netstat|ipconfig|ifconfig|git log|ss|free|top|id) [-/][a-z]{1,12}|git status"
    r"|(?:ping|traceroute|tracert|nslookup|dig|whois)(?: -[cn46] ?\d{0,2})? (?:\d{1,3}(?:\.\d{1,3}){3}|localhost|[a-z\d-]{1,30}(?:\.[a-z\d-]{1,30}){0,3}\.[a-z]{2,8})(?: \d{1,3}(?:\.\d{1,3}){3})?"
    r"|(?:echo )?[$%](?:home|path|user|pwd|shell|lang|term|editor|java_home|python_?path|userprofile|appdata|temp|tmp|windir|systemroot|programfiles)%?"
    r"|(?:echo )?\$\{(?:home|path|user|pwd|shell|lang)\}|cd (?:~|-|\.\.(?:/\.\.){0,3}/?)|rm -rf?|chmod (?:\+x|-r|[0-7]{3}|[ugoa]\+[rwx])|kill -9|sudo (?:su|-i)|man [a-z]{2,12}"
    # Commands with which developers start their work.
    rf"|{_WORK}(?: && {_WORK}){{1,3}}"
)
# Folders of systems without content of their own, and files that are the same on every machine.
_PLACES: Final = (
    r"[a-z]:\\?|[a-z]:\\(?:windows|winnt)(?:\\(?:fonts|temp|system32|syswow64|installer|logs|inf|web|media|help|prefetch|tasks|softwaredistribution))?\\?"
    r"|[a-z]:\\(?:program files(?: \(x86\))?|programdata)(?:\\[\w-]{1,24}(?: [\w-]{1,24}){0,3}){0,3}\\?"
    r"|/(?:etc|usr|var|opt|srv|bin|sbin|lib|dev|sys|proc|mnt|media|tmp|boot)/?"
    r"|/usr/(?:local|share|lib|bin|sbin|include|src)(?:/(?:bin|share|lib|sbin|include|src|fonts|doc|man))?/?"
    r"|/etc/(?:nginx|apache2|httpd|ssh|ssl|systemd|init\.d|cron\.d|apt|docker|network|netplan|php|mysql|postgresql|default)(?:/(?:conf\.d|sites-(?:enabled|available)|system|certs))?/?"
    r"|/var/(?:log|www|lib|run|tmp|cache|spool|mail)(?:/(?:html|nginx|apache2|mysql|postgresql|docker))?/?"
    r"|/dev/(?:null|zero|u?random|sd[a-z]\d?|tty(?:usb|s|acm)?\d?|nvme\d|video\d|loop\d|mapper)"
    r"|/sys/(?:class|block|bus|devices)/[a-z]{2,12}/?|\.\./?|\./|~/?"
)
_FILES: Final = (
    r"web\.config|\.htaccess|\.gitignore|\.gitattributes|\.dockerignore|\.editorconfig|robots\.txt"
)
# A tag without an attribute.
_TAGS: Final = r"(?:<|&lt;)[/!]?[a-z][a-z0-9-]{0,16}(?: html| on[a-z]{2,16})? ?/?(?:>|&gt;)|(?:html|css|js) <[a-z]{1,12}>(?: (?:tag|element))?"
# A typing error at the end of a line of code.
_SLIPS: Final = r"['\"]? ?[)\]}]{0,2} ?[;,]?"


def _whole(*tables: str) -> re.Pattern[str]:
    language = r"(?:(?:python|php|javascript|js|java|sql|mysql|postgres|oracle|bash|linux|windows|jquery|node|html|css|ruby|what is|what are|what does|how to use|how does|when to use|why use|example of|difference between|learn) )?"
    return re.compile(rf"{language}(?:{'|'.join(tables)})[;?!.]?", re.IGNORECASE)


# A term among other words of a search. Two words in a row are a syntax error in every attacked
# language. Words that SQL has between operands or before a table are excluded.
MAX_PHRASE_WORDS: Final = 8
_WORD: Final = re.compile(r"[a-z]{1,20}(?:[-'][a-z]{1,12})?[,?!.]?|c\+\+|c#", re.IGNORECASE)
_NAMED: Final = re.compile(
    rf"(?:phpinfo\(\)|</?[a-z][a-z0-9]{{0,12}}>|{_CALLED}|{_NAMES})[,?!.]?", re.IGNORECASE
)
_NO_WORDS: Final = frozenset(
    """
    or and xor not like rlike regexp glob ilike between union select from where order by having group limit into insert update
    delete drop exec execute declare waitfor call set table null true false as exists case when then else end values join
    desc describe explain show analyze truncate create alter use with handler grant revoke load replace merge lock do
    div mod collate escape match sounds begin return new throw typeof void var let const function if while
    """.split()
)


def _is_phrase(text: str) -> bool:
    """Whether a text is terms among plain words, with one blank between words."""
    tokens = text.split(" ")
    if not 1 < len(tokens) <= MAX_PHRASE_WORDS:
        return False
    words = [token for token in tokens if _WORD.fullmatch(token)]
    return (
        0 < len(words) < len(tokens)
        and _NO_WORDS.isdisjoint([word.rstrip(",?!.").lower() for word in words])
        and all(_WORD.fullmatch(token) or _NAMED.fullmatch(token) for token in tokens)
    )


_TERM: Final = _whole(_CALLED, _SQL, _NAMES, _LINES, _PLACES, _FILES, _TAGS, _SLIPS)
# A whole LDAP filter (RFC 4515) in a field for filters, except for attributes that nobody looks up.
_ITEM: Final = (
    r"\((?!\w*(?:pass|pwd|secret|hash|token|key))[a-z][\w;.-]{0,40}[~<>:]?=[\w .@,=+*:/-]{0,80}\)"
)
_GROUP: Final = rf"\([&|!](?:{_ITEM}){{1,8}}\)"
_DIRECTORY_FILTER: Final = re.compile(
    rf"\([&|!](?:{_ITEM}|{_GROUP}){{1,8}}\)|{_ITEM}", re.IGNORECASE
)
# Commands that show a file that is the same on every machine, or a log.
_SHOWS: Final = re.compile(
    r"(?:sudo )?(?:cat|less|more|head|tail|vi|vim|nano|ls)(?: -[a-zA-Z]{1,3}(?: ?\d{1,4})?)? (?P<path>\S+)",
    re.IGNORECASE,
)
_LOG: Final = re.compile(r"/var/log/(?:nginx|apache2|httpd)/(?:access|error)(?:\.log|_log)")
_COMMAND: Final = re.compile(_COMMANDS, re.IGNORECASE)
# Last words of names of fields whose value is run, opened, counted or sorted by. There, a path, a
# command or a call takes effect.
_ACTS: Final = frozenset(
    """
    cmd command commands exec execute run arg args argv argument arguments shell sh daemon ping cli eval code expr expression host hostname
    ip addr address domain program script process action func function method class type cls callback handler page inc include require
    template tpl theme folder doc document root view module mod conf config layout load main url uri src source dest destination target
    location read download image img key sort order by no num number limit offset start count quantity qty price amount year col column
    columns field fields table db group basedir filename files paths
    """.split()
)
_ACTS_ENDS: Final = ("id", "file", "path", "dir")
_LAST_WORD: Final = re.compile(r"[^\W_]+")
# A path in a field for texts or searches, except paths of secrets and paths that attackers probe:
# an app does not open the text of such a field.
_PATH: Final = re.compile(
    r"(?!.*(?:passwd|shadow|\.ssh|id_rsa|secret|token|\.env|environ|\.git\b|\.aws|\.kube|credential|wp-config|\bsam\b|\.key|\.pem|history|self|sudoers|\.sock|wamp|xampp|inetpub"
    r"|httpd|apache|php|/etc/(?:hostname|motd|issue|group)|ftp|/proc/(?!(?:cpu|mem)info$|version$)|(?<!sys)log(?!/(?:syslog|messages|dmesg|kern\.log|dpkg\.log)$)))"
    r"(?:/(?:etc|var|usr|opt|srv|home|proc|sys|tmp|dev|boot|mnt)(?:/[\w@+-][\w.@+-]{0,40}){1,7}/?|[a-z]:(?:\\[\w-][\w .()-]{0,40}){1,7}\\?)",
    re.IGNORECASE,
)
# A file of a network share, which Windows opens.
_SHARE: Final = re.compile(
    r"\\\\(?!localhost)[a-z][\w-]{0,30}(?:\\[\w-][\w .()-]{0,40}){1,7}\\?", re.IGNORECASE
)
# A database waits if this replaces a number, so it is a term only in a field for texts.
_WAIT: Final = re.compile(r"(?:sleep|pg_sleep)\((?:\d|10)\);?", re.IGNORECASE)
_WRITES: Final = frozenset(
    """
    q s query search keyword keywords term terms title subject headline question answer comment comments text body content message msg
    description desc note notes review summary tag tags bio about caption reply feedback remark remarks reason
    """.split()
)
_SEARCHES: Final = frozenset({"q", "s", "query", "search", "keyword", "keywords", "term", "terms"})
_LOCATIONS: Final = frozenset({"query", "form", "json", "multipart"})


NO_TERM: Final = r"['\"]\s+\w|['\"]\s*[=|&+*/-]|--(?:\s|$)|/\*|\|\|"
"""Most attacks contain one of these, and no term does; in the syntax of both engines
(sufficient.py)."""
# Optimization: a value that is no term takes 15 us, and a flood has many of them.
_NO_TERM: Final = re.compile(NO_TERM + r"|(?<!&lt);\s*\w", re.IGNORECASE)


# Letters of both cases in turn hide a word from filters. Nobody who looks one up writes it like
# that.
_CASED: Final = re.compile(r"\b(?:union|select|from|where|insert|update|delete)\b", re.IGNORECASE)


# A field of a document, of a form (`item[title]`) or of one of several forms (Django's formsets).
_KEY: Final = re.compile(r"(?:[\w.\[\]-]+[.\[]|[a-z_]{1,40}-\d{1,4}-)?([a-z_]+)(?:\])?(?:\[\])*")


def _key(name: str) -> str:
    """Return the name of the field itself; "" in a field that runs or opens something, because the
    sender may have chosen the inner name."""
    match = _KEY.fullmatch(name)
    if match is None or not _ACTS.isdisjoint(_LAST_WORD.findall(name[: match.start(1)])):
        return ""
    return match[1]


# A tag before a call. People who look for help with an element omit what it runs.
_MARKED: Final = re.compile(NO_TERM + r"|<[a-z]{1,20}\b[^(]{0,200}\w\(", re.IGNORECASE)
CERTAIN_IN_SEARCH: Final = 1.75
"""How far over the threshold a score must be to be certain in a search field, if the value could be
a term."""


def is_certain_in_search(text: str, over: float) -> bool:
    """Whether a finding in a search field is more than a programmer's search for a command, a
    statement or a call.

    :param over: the score minus the threshold.
    """
    return over >= CERTAIN_IN_SEARCH or _MARKED.search(text) is not None


def is_term(value: Value) -> bool:
    """Whether a value is a term, in a field that neither runs nor opens its value."""
    text = value.text
    if len(text) > MAX_TERM_CHARS or value.kind or value.flags or value.location not in _LOCATIONS:
        return False
    if _NO_TERM.search(text):
        return False
    text, name = text.strip(), value.name.lower()
    if any(word not in (word.lower(), word.upper(), word.title()) for word in _CASED.findall(text)):
        return False
    if text[:1] == "(" and is_filter(name) and _DIRECTORY_FILTER.fullmatch(text):
        return True
    if (key := _key(name)) in _WRITES:
        if _PATH.fullmatch(text) or _WAIT.fullmatch(text) or _SHARE.fullmatch(text):
            return True
        shown = _SHOWS.fullmatch(text)
        path = shown["path"] if shown else text
        if value.location != "query" and key not in _SEARCHES and _LOG.fullmatch(path):
            return True
        if shown and _PATH.fullmatch(path):
            return True
    if not (_TERM.fullmatch(text) or _COMMAND.fullmatch(text) or _is_phrase(text)):
        return False
    last = (_LAST_WORD.findall(name) or [""])[-1]
    return last not in _ACTS and not last.endswith(_ACTS_ENDS)
