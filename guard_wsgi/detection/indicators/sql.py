"""SQL injection: the shapes of broken-out strings, tautologies, stacked and blind queries."""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
from __future__ import annotations

from guard_wsgi.detection.indicator import CERTAIN, MEDIUM, STRONG, WEAK, Indicator

_CWE = "CWE-89"
_OWASP = "OWASP Testing Guide WSTG-INPV-05"
_PATT = "PayloadsAllTheThings, SQL Injection"
_BLIND = "OWASP: Blind SQL Injection"
_CRS = "idea of the CRS 942 family"

_LOGIC = r"(?:\b(?:or|and|xor|having|where|rlike|like|between|in|is|not)\b|\|\||&&)"
# A word is an operand, and so is what a quote opens, were it nothing.
_OPERAND = r"(?:['\"`][\w.@]*['\"`]?|[\w.@]+['\"`]?)"
_COMPARE = r"(?:<=>|[<>!]?=|<>|<|>|\b(?:like|rlike|regexp|in|is|between|sounds|similar|not)\b)"
# What stands between two strings in SQL and hardly elsewhere.
_BETWEEN = (
    r"(?:or|and|xor|div|mod|is|in|(?:not\s+)?(?:like|rlike|regexp|between|in)|sounds\s+like|collate"
    r"|<=>|[<>!]=|<>|:=|[=<>^&*/%~]|\|\||&&|<<|>>)"
)

# What follows a quote that has ended a string, up to the one that begins the next: operators and
# operands, no sentence.
_MIDDLE = r"[\w\s.+*/%^&|<>=!~@()\\,-]{0,60}"
_AFTER = r"(?:(?:[\^&|<>=!~]|is\s+(?:not\s+)?(?:null\b|true\b|false\b|\d)|not\s*[\d('\"!]|(?:not\s+)?(?:in|like|rlike|regexp|between)\s*['\"(\d%@]|sounds\s+like\b|div\b|mod\b|xor\b)|(?:or|and)\b[^'\"]{0,40}[=<>!~^&|@+*/-])"
_ARITHMETIC = r"[-+*/%][^'\"]{0,40}(?:[=<>!~^&|@]|\b(?:or|and|xor|is|like|rlike|in|not|null)\b)"


# A number as an operand. What follows is of SQL, or nothing: "5' or 6' long" is a length.
_NUMBER = r"\d[\w.]*\s*(?:$|[^\s\w'\"]|\b(?:or|and|xor|like|rlike|in|is|between|order|group|limit|union|having|div|mod|not|from|into|where|then|end|as)\b)"


def _sqli(
    name: str, pattern: str, source: str, prior: float = MEDIUM, trigger: bool = True
) -> Indicator:
    return Indicator("sql." + name, "sqli", pattern, source, prior, trigger)


# fmt: off
SQL = (
    _sqli(
        "union_select",
        # With what makes it a query: a credit union has a "select checking" account.
        r"\bunion\b(?:\s*[(+/*][\s(+/*]*|[\s(+/*]*\b(?:all|distinct|distinctrow|unique)\b[\s(+/*]*)\bselect\b"
        r"|['\"`)]\s*union\s+select\b|^[\s(]*-?[\d.]+['\")]*\s*union\s+select\b"
        r"|\bunion\s+select\b(?:\s*[(+/*]|\s+(?:all\b|distinct\b|distinctrow\b|top\s+\d|null\b|case\b|['\"@*`~(-]|0x|[\d.]+\s*(?:,|$|from\b|--|#|;|\)|'|\")"
        r"|[\w.@]+\s*\(|[\w.@`]+\s*,\s*['\"@`(]?[\w.@`]+['\"`]?\s*(?:,|from\b|--|#|;|\)|$|\(|/\*)|[\w.@`]+\s+from\b|[\w.@`]+\s*(?:--|#|;|/\*|\|\|)"
        r"|(?:user|users|password|passwd|version|database|schema|table_name|column_name|schema_name|load_file|sleep|char|concat)\s*$))",
        _PATT,
        STRONG,
    ),
    _sqli("union_select_words", r"\bunion\s+select\b", _PATT, WEAK),
    _sqli("quoted_union", r"['\"`)]\s*\bunion\b\s*(?:all\b|select\b|\()", _PATT, STRONG),
    _sqli(
        "quoted_tautology",
        r"['\"`]\s*\)*\s*(?:\b(?:or|and|xor)\b|\|\||&&)[\s(!~+-]*(?:\bnot\b\s*)?"
        + _OPERAND
        + r"\s*\)*\s*"
        + _COMPARE,
        _OWASP,
        STRONG,
    ),
    # The quote that breaks out is the first of the value; in prose and in whole queries the
    # quotes before an "or" come in pairs.
    _sqli(
        "break_tautology",
        r"^[^'\"`]*(?:'{1,3}|\"{1,3}|`)\s*\)*\s*(?:\b(?:or|and|xor)\b|\|\||&&)[\s(!~+-]*(?:\bnot\b\s*)?"
        + _OPERAND
        + r"\s*\)*\s*"
        + _COMPARE,
        _OWASP,
        STRONG,
        False,
    ),
    _sqli(
        "break_keyword",
        r"^[^'\"`]*(?:'{1,3}|\"{1,3}|`)\s*\)*\s*(?:;\s*)?(?:(?:or|and|xor|div|mod|having|rlike|regexp|union|order\s+by|group\s+by"
        r"|limit|select|insert|update|delete|drop|exec|waitfor|declare)\b|\|\||&&)"
        r"[\s(!~+-]*(?:" + _NUMBER + r"|['\"`]\s*[\w'\"=<>@(]|[@(]|true\b|false\b|null\b|not\b|exists\b|select\b|all\b|into\b|table\b|delay\b|[a-z_]+\s*\()"
        r"|^[^'\"`]*['\"`]\s*\)*\s*(?:(?:not\s+)?(?:between|like)|is(?:\s+not)?)\s+['\"(\d]",
        _OWASP,
        MEDIUM,
        False,
    ),
    _sqli(
        "quoted_logic_operand",
        r"['\"`]\s*\)*\s*(?:\b(?:or|and|xor|div|mod|having|rlike|regexp)\b|\|\||&&)"
        r"[\s(!~+-]*(?:" + _NUMBER + r"|['\"`]\s*[\w'\"=<>@(]|@|true\b|false\b|null\b|not\b|exists\b|select\b|[a-z_]+\()",
        _OWASP,
    ),
    _sqli(
        "number_tautology",
        r"(?:\b\d+|\))\s*\)*\s*(?:\b(?:or|and|xor)\b|\|\||&&)[\s(!~+-]*['\"`]?\d+['\"`]?\s*\)*\s*"
        r"(?:[<>!]?=|<>|<|>|\blike\b|\bin\b|\bis\b)",
        _OWASP,
        STRONG,
    ),
    _sqli(
        "logic_comparison",
        r"\b(?:or|and|having|where)\b[\s(]+['\"`]?\w+['\"`]?\s*=\s*['\"`(]?\w+",
        _OWASP,
        WEAK,
    ),
    _sqli(
        "logic_same",
        r"(?:\b(?:or|and)\b|\|\||&&)[\s(]*(?:1\s*=\s*1|0\s*=\s*0|2\s*=\s*2|'1'\s*=\s*'1|'a'\s*=\s*'a"
        r"|\"1\"\s*=\s*\"1|'x'\s*=\s*'x|1\s*=\s*0|1\s*=\s*2|1\s*<\s*2|2\s*>\s*1)",
        _OWASP, 0.9,
    ),
    _sqli("logic_true", r"\b(?:or|and)\s+(?:not\s+)?(?:true|false)\b|['\"]\s*(?:\|\||&&)\s*(?:true|false)\b", _OWASP),
    _sqli("logic_numbers", r"(?:\b(?:and|or|xor)\b|&&|\|\|)[\s(!~+-]*\d[\d\s()+*.-]*(?:=|<>|!=|<|>|\blike\b|\bin\b)[\s(!~+'\"-]*\d", _OWASP, STRONG),
    _sqli("logic_call", r"(?:\b(?:and|or|xor|having|where|like)\b|&&|\|\|)[\s(!~+-]*(?:cos|sin|pi|make_set|elt|ascii|char|substr(?:ing)?|length|len|mid|ord|rand|floor|lower|upper|lpad|conv|count|exists|if|concat|database|version|extractvalue|left|right|find_in_set|round|ceil|hex|unhex|abs|power|log)\s*\(", _BLIND),
    _sqli("equals_call", r"=[\s(!~+-]*(?:ascii|char|substr(?:ing)?|mid|ord|rand|lpad|conv|count|exists|database|version|extractvalue|find_in_set|unhex|sleep|benchmark)\s*\(", _BLIND),
    _sqli("select_call", r"\bselect\b[\s(!~@+*-]*(?:\w+\s*\(|['\"@\d]).*?\bfrom\b", _CRS),
    _sqli("null_test", r"\b\w+\s+is\s+(?:not\s+)?null\b", _CRS, WEAK),
    _sqli("function_open", r"^[\s'\",)]*(?:database|db_name|coalesce|u?n?compress|concat|concat_ws|current_user|decode|encode|group_concat|hex|ifnull|insert|trim|make_set|md5|mid|ord|sysdate|rand|rtrim|ltrim|strcmp|substr|substring|unhex|cos|sin|pow|ascii|char|benchmark|sleep|find_in_set|schema|extractvalue)\s*\(?\\?\($", _CRS, STRONG, False),
    _sqli("word_only", r"^\s*(?:information_schema|pg_catalog|schema_name|tempdb|msdb|northwind|mysql\.db|msysaccessobjects|xp_cmdshell|sysobjects|sysusers|master\.\.\w+|current_user\(?\)?|db_name\(?\)?|@@version)\s*$", _CRS, STRONG, False),
    _sqli("word_quote_comment", r"^(?:[\w.@ %-]*[\w.@%-])?['\"`]\s*\)*\s*;?\s*(?:--[\s+-]*|#\s*|/\*[^*]*|;\s*\x00)$", _OWASP, STRONG, False),
    _sqli("quote_comment", r"['\"`]\s*\)*\s*;?\s*(?:--|#|/\*)", _OWASP),
    _sqli("number_comment", r"(?:^|[=\s])-?\d+\s*\)*\s*(?:--(?:\s+[-+]?|\+)?$|#\s*$|/\*)", _OWASP, WEAK),
    _sqli("trailing_comment", r"(?:(?:^|[^-])--(?:\+|\s[\s+-]*)?|#|[^*]/\*|;%00|;\x00)$", _OWASP, WEAK, False),
    _sqli(
        "stacked",
        r"[;'\")]\s*(?:select\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s"
        r"|drop\s+(?:table|database|schema|view|user|index|function|procedure)\s"
        r"|create\s+(?:table|user|database|function|procedure|or\s+replace|alias|trigger)\s"
        r"|alter\s+(?:table|user|database|login)\s|truncate\s+table|exec(?:ute)?\s*(?:\(|['@]|sp_|xp_|master\b|immediate\b|\w+\s*(?:$|[;'@\d-]))"
        r"|declare\s+(?:@|\w+\s+(?:cursor|n?varchar|int|char|table)\b)|waitfor\s+(?:delay|time)\b|shutdown\b|grant\s+\w+|merge\s+into|call\s+\w+\(|copy\s+\w+"
        r"|handler\s+\w+|prepare\s+\w+\s+from|do\s+sleep|rename\s+table)",
        _PATT,
    ),
    _sqli("subselect", r"\(\s*select\b", _OWASP),
    _sqli(
        "select_list",
        r"\bselect\b[\s(]*(?:\*|@@?\w|\d+\s*(?:,|$|from\b)|null\b|'[^']*'|[\w.]+\s*\(|case\b|if\b"
        r"|(?:all|distinct|top\s+\d+)\s|[\w.`\[\]\"]+(?:\s*,\s*[\w.`\[\]\"]+)+\s+from\b"
        r"|[\w.`\[\]\"]+\s+from\s+[\w.`\[\]\"]+\s*(?:where\b|limit\b|$|[;)#'-]))",
        _OWASP,
    ),
    _sqli("select_from", r"\bselect\b.+?\bfrom\b", _CRS, WEAK),
    _sqli("from_where", r"\bfrom\s+[\w.`\[\]\"]+\s+where\s+[\w.`\[\]\"]+\s*" + _COMPARE, _CRS),
    _sqli(
        "sleep",
        r"\b(?:pg_sleep|receive_message|dbms_lock\.sleep|randomblob|sleep_for)\s*\(|\bsleep\s*\(\s*[^a-z)\s]*\s*\)(?:[^\s\w]|\s*$|\s*(?:[^\s\w(]|and\b|or\b|from\b|union\b|where\b|order\b|as\b|is\b|in\b|like\b|limit\b))"
        r"|\bsleep\s*\(\s*(?:[@$'\"(]|\d[\d.]*\s*[-+*/&|<>=,]|\d[\d.]*\s*$|select\b|if\b|null\b|-)|\bbenchmark\s*\([^,)]*,|\bwaitfor\s+(?:delay|time)\b[\s(]*(?:['\"@\d]|$)",
        _BLIND,
        STRONG,
    ),
    _sqli(
        "error_based",
        r"\b(?:geometrycollection|polygon|multipoint|linestring|multilinestring|multipolygon)\s*"
        r"\(\s*\(*\s*(?:select\b|[a-z_]+\s*\(|@)"
        r"|\b(?:extractvalue|updatexml|xmltype|gtid_subset|st_latfromgeohash|json_keys|procedure\s+analyse"
        r"|get_host_(?:address|name)|utl_http\.request|utl_inaddr|drithsx|name_const|exp\s*\(\s*~"
        r"|floor\s*\(\s*rand|row\s*\(\s*\d+\s*,)\s*\(?",
        _PATT,
        STRONG,
    ),
    _sqli(
        "catalog",
        r"\binformation_schema\b|\bmysql\.(?:user|db)\b|\bsys(?:objects|columns|databases|users)\b"
        r"|\bpg_(?:catalog|shadow|user|database|class|tables|read_file|ls_dir)\b|\bsqlite_(?:master|"
        r"version|schema)\b|\b(?:all|user|dba)_(?:tables|tab_\w+|users|objects)\b"
        r"|\bmsysaccessobjects\b|\bsys\.(?:objects|tables|databases|columns|user_tables|sql_logins)\b"
        r"|\bv\$version\b|\bmaster\.\.[a-z]|\bmaster\.dbo\b|\btable_schema\b|\bperformance_schema\b",
        _PATT, STRONG,
    ),
    _sqli(
        "procedure",
        r"\b(?:xp_(?:cmdshell|dirtree|reg\w+|fileexist|servicecontrol|availablemedia|enumdsn)"
        r"|sp_(?:password|executesql|oacreate|oamethod|configure|makewebtask|addextendedproc|help\w*"
        r"|addsrvrolemember|adduser)|openrowset|opendatasource|openquery|dbms_\w+|utl_\w+"
        r"|lo_(?:import|export)|sys_(?:eval|exec)|current_setting|pg_sleep)\b",
        _PATT,
        STRONG,
    ),
    _sqli("server_variable", r"@@[a-z_]+(?:[^a-z_@]|$)", _PATT),
    _sqli(
        "file_access",
        r"\binto\s+(?:outfile|dumpfile)\b|\bload_file\s*\(|\bload\s+data\s+(?:local\s+)?infile\b",
        _PATT,
        STRONG,
    ),
    _sqli("comment_break", r"\d['\"]?\)*\s*(?:#|--)[^\r\n]{0,60}[\r\n][\s#-]*(?:union|select|or|and|having|order|limit|rlike)\b|^-?\d+#\s*(?:union|select)\b", _OWASP, STRONG),
    _sqli("order_by_number", r"\border\s+by\s+\(?\s*\d+", _OWASP),
    _sqli("order_by_comment", r"\border\s+by\s+\d+\s*(?:--|#|/\*)", _OWASP, STRONG),
    _sqli("negated_numbers", r"\b(?:or|and)\s+not\s+\(?\d+\s*=\s*\d+", _BLIND, STRONG),
    _sqli("where_numbers", r"\b(?:where|having)\s+\(?\d+\s*=\s*\(?\d+", _BLIND, STRONG),
    _sqli("comparison_argument", r"\b(?:make_set|elt|i?if|field|nullif|char|power|exp)\s*\(\s*\(?\s*\d+\s*=\s*\d+", _BLIND, STRONG),
    _sqli("call_equals_call", r"(?:\b(?:and|or|where)\b|=)\s*\(?[a-z_]{3,40}\(\s*\)\s*=\s*[a-z_]{3,40}\(\s*\)", _BLIND, STRONG),
    _sqli("comment_word", r"[\d'\"`)]\s*(?:--\s+|#\s*)\w{1,8}$", _OWASP, WEAK, False),
    # Behind the first quote, which it breaks out of: Java says 'because "s" is null'.
    _sqli("quote_null_test", r"^[^'\"`]*['\"`]\s*\)*\s*is\s+(?:not\s+)?null\b", _OWASP, STRONG, False),
    _sqli("quoted_null_test", r"['\"`]\s*\)*\s*is\s+(?:not\s+)?null\b", _OWASP, WEAK),
    # Not a quoted word such as 'and': something stands on one side at least.
    _sqli(
        "quoted_pair",
        r"^[\w.@ -]{0,24}(?:'\s*\)*\s*" + _BETWEEN + r"[\s(]*'[\w.@-]+|\"\s*\)*\s*" + _BETWEEN + r"[\s(]*\"[\w.@-]+)$"
        r"|^[\w.@-]{1,24}(?:'\s*" + _BETWEEN + r"\s*'|\"\s*" + _BETWEEN + r"\s*\")$"
        r"|^[\w ]{1,24}\s['\"](?:or|and|xor|div|mod|sounds\s+like|rlike|<=>|[<>!]?=|<>|\|\||&&)['\"]\s[\w ]{1,24}$",
        _OWASP,
        STRONG,
        False,
    ),
    _sqli(
        "broken_string",
        r"^[\s(]*[\w.-]{0,12}(?:'\s*(?:" + _AFTER + r"|" + _ARITHMETIC + r")" + _MIDDLE + r"'\s*[-+]?[\w.%]{0,12}\s*|\"\s*(?:" + _AFTER + r"|" + _ARITHMETIC + r")" + _MIDDLE + r"\"\s*[-+]?[\w.%]{0,12}\s*)$",
        _OWASP,
        STRONG,
        False,
    ),
    _sqli("broken_comment", r"^[\s(]*[\w.-]{0,12}['\"]\s*(?:" + _AFTER + r"|[-+*/%])" + _MIDDLE + r"(?:--[\s+-]|#)[^'\"]{0,12}$", _OWASP, STRONG, False),
    _sqli("operator_quoted", r"^['\"]\s+(?:or|and|xor|div|mod|(?:not\s+)?(?:like|rlike|regexp|in|between)|sounds\s+like|is(?:\s+not)?)\s+['\"]$|^'(?:not\s+(?:like|rlike|regexp|in|between)|xor|rlike|regexp|sounds\s+like)'$|^\w{1,8}\s+'not\s+(?:like|rlike|regexp)'\s+\w{1,8}$", _OWASP, STRONG, False),
    _sqli("quote_digit_end", r"['\"]\s*(?:or|and|xor|\|\||&&)\s*['\"]\d+\s*$", _OWASP, STRONG, False),
    _sqli("variable_comment", r"^@+\w+\s*(?:--|/\*|#)", _OWASP, STRONG, False),
    _sqli("concatenated_select", r"\|\|\s*\(\s*select\b|\d\s*[-+*/]\s*\(\s*select\b", _PATT, STRONG),
    _sqli("nested_functions", r"\b(?:ascii|ord|(?:char_)?length|hex|unhex|bin|lower|upper)\s*\(\s*(?:substr(?:ing)?|mid|left|right|hex|cast|convert)\s*\(", _BLIND, STRONG),
    _sqli("call_logic", r"^[\s(]*[a-z_]{2,20}\(\s*\)\s*(?:and|or|xor|&&|\|\|)\s*[a-z_]{2,20}\(", _BLIND, WEAK, False),
    _sqli("call_logic_known", r"^[\s(]*(?:pi|rand|now|user|version|database|schema|sysdate|current_user|session_user|system_user|row_count|connection_id|last_insert_id|found_rows|uuid|sleep|exp|ascii|char)\(\s*\)\s*(?:and|or|xor|&&|\|\|)\s*[a-z_]{2,20}\(", _BLIND, STRONG, False),
    _sqli("number_truth", r"^[\s'\"(]*\d+\s*(?:=|<>|!=|<=>|like)\s*\d+\s*\)*\s*(?:and|or|xor|&&|\|\|)|\(\s*\d+\s+(?:or|and|xor)\s+\d+\s*\)|\b(?:or|and)[-+~!(][-+~!(\s]+\d", _OWASP, STRONG, False),
    _sqli("isnull_call", r"(?:^|[\s'\")])(?:and|or|xor|having)\s+isnull\s*\(", _BLIND, STRONG),
    _sqli("number_null_test", r"^[\s(]*\d+['\")\s]*(?:\|\||&&|or\b|and\b)\s*[\w.]+\s+is\s+(?:not\s+)?null\b", _BLIND, STRONG, False),
    _sqli("order_by_call", r"\d['\")]*\s+(?:order|group)\s+by\s+(?:ifnull|if|case|rand|sleep|nullif|elt|field|extractvalue|updatexml|concat|cast)\s*\(|\d\s*\)\s*(?:order|group)\s+by\b", _BLIND, STRONG),
    _sqli("execute_variable", r"\bexec(?:ute)?\s*\(\s*@", _PATT, STRONG),
    _sqli("union_commented", r"\bunion\s*(?:#|--|/\*)", _PATT, STRONG),
    _sqli("delete_modified", r"[;'\")]\s*(?:delete|insert|update|replace)\s+(?:low_priority|quick|ignore|delayed|high_priority)\s+\w", _PATT, STRONG),
    _sqli("json_logic", r"\b(?:or|and|having|where)\s*\(*\s*jsonb?_\w+\s*\(|'\s*::\s*jsonb?\b", "PostgreSQL and MySQL manuals: JSON functions", CERTAIN),
    _sqli("select_probe", r"^\W*select\s+(?:all\s+|distinct\s+)?(?:iif|if|sleep|benchmark|version|user|database|concat(?:_ws)?|group_concat|char|load_file|ascii|hex|substr(?:ing)?|mid|pg_sleep|extractvalue)\s*\(", _BLIND, 0.8, False),
    _sqli("three_quotes", r"^'\w{0,8}'\s*(?:[<>!]?=|<>|<=>|r?like\b)\s*'\w{0,8}$|^\"\w{0,8}\"\s*(?:[<>!]?=|<>|<=>|r?like\b)\s*\"\w{0,8}$", _OWASP, STRONG, False),
    _sqli("json_path", r"'\$[.\[][^']{1,60}'\s*\)?\s*(?:[<>!]?=|<>|[<>]|like\b|is\b)", "MySQL and PostgreSQL manuals: JSON paths", STRONG),
    _sqli("sqlite_function", r"\bsqlite_\w+\s*\(", _PATT, STRONG),
    _sqli("create_routine", r"\bcreate\s+(?:or\s+replace\s+)?(?:function|procedure|trigger|event)\s+\w+\s*\(", _PATT, 0.8),
    _sqli("alias_from", r"^[\s\d'\"`]*\s*as\s+['\"`]\w+['\"`]\s+from\b", _OWASP, CERTAIN, False),
    _sqli("fragment_open", r"^\W*select\W+(?:distinct\s+)?(?:\w+\s*,\s*)*[a-z_]+\s*\(\s*$|^\s*if\s*\(\s*\d+\s*=\s*$|^['\"]?\s*\)\s*(?:like|or|and|in)\s*\(\s*$", "OWASP: HTTP parameter pollution, a statement cut over repeats", STRONG, False),
    _sqli("sleep_quoted", r"['\"]\s*(?:and\s+|or\s+|\|\||\+)?\s*sleep\s*\(\s*\d+[^)]{0,12}\)\s*(?:['\"]|--|#|and\b|or\b)", _BLIND, STRONG),
    _sqli("paren_comment", r"(?:[\d'\"]|@\w{1,20})\s*(?:\)\s*)+--\s*$", _OWASP, STRONG, False),
    _sqli("identity_compare", r"\b(?:or|and|having|where)\s+(?:current_user|session_user|system_user|user|version|database|@@\w+)\s*(?:\(\s*\)\s*)?(?:=|<|>|like\b|is\b|in\b)", _BLIND, STRONG),
    _sqli("bracket_noise", r"[.,]*['\"(),.]{2,}['\"][\"'(),.]{2,}[(),.'\"]{3,}$", "sqlmap, heuristic test: what quotes and brackets do to a query", 0.8, False),
    _sqli("dangling_clause", r"\bselect\b.+\bfrom\b.+\b(?:where|and|or|by)\s*$", _CRS, CERTAIN, False),
    _sqli("number_from", r"\bselect\s*\d+from\W", _PATT, STRONG),
    _sqli("boolean_mode", r"['\"`]\s*in\s+boolean\s+mode\b", _PATT, STRONG),
    _sqli("stacked_block", r"[;'\"]\s*(?:begin|if\s*\(?[\d@(])\s.{0,80}(?:shutdown|waitfor|drop|exec|end)\b", _PATT, STRONG),
    _sqli("stacked_comment", r";\s*(?:drop|delete|update|insert|select|exec|create|alter|grant|truncate)\b[^;]{1,200}(?:--|#)\s*$", _PATT, STRONG, False),
    _sqli("binary_operand", r"\b(?:or|and|not|\()\s*binary\s*[('\"\d@]|\(\s*binary\s+[a-z(]", _CRS, 0.8),
    _sqli("variable_logic", r"(?:^|[\s(])@\w{1,20}\s*\)*\s*(?:or|and|xor)\s*\(*\s*[@\d'\"(]", _CRS),
    _sqli("group_by_having", r"\bgroup\s+by\b[^;]*\bhaving\b|\bhaving\s+['\"(]?\d+\s*[=<>]", _CRS),
    _sqli("limit_offset", r"\blimit\s+\d+\s*(?:,|\boffset\b)\s*\d+", _CRS, WEAK),
    _sqli(
        "string_function",
        r"\b(?:concat(?:_ws)?|group_concat|unhex|hex|ascii|ord|substr(?:ing)?(?:_index)?|mid|cast"
        r"|convert|ifnull|nullif|isnull|iif|elt|make_set|lpad|rpad|coalesce|load_extension|quote"
        r"|string_agg|listagg|xmlagg|to_char|nvl|chr|n?char|bin|length|count|md5|sha1|if)\s*\("
        r"\s*(?:select\b|\(|0x|@|\d+\s*[,)]|[a-z_]+\s*\(|'|\"|\*)",
        _PATT,
    ),
    _sqli(
        "identity_function",
        r"\b(?:version|database|user|current_user|system_user|session_user|schema|db_name|user_name"
        r"|host_name|suser_name|current_database|last_insert_id|row_count|connection_id"
        r"|is_srvrolemember|is_member)\s*\(\s*\)",
        _PATT,
    ),
    _sqli("case_when", r"\bcase\s.*?\bwhen\b.*?\bthen\b", _BLIND),
    _sqli("if_comparison", r"\bi?if\s*\(\s*\(?[^,]*[=<>][^,]*,", _BLIND),
    _sqli("versioned_comment", r"/\*!\d{0,6}", _PATT, STRONG),
    _sqli("comment_space", r"\w/\*[^*]*\*/|/\*[^*]*\*/\w|['\")]/\*\*/|/\*\*/['\"(@-]", _PATT),
    _sqli("quote_concatenation", r"['\"]\s*(?:\|\||\+)\s*['\"(]|['\"]\s*\|\|\s*\w+", _PATT, WEAK),
    _sqli("adjacent_quotes", r"\w'\s+'\w|^'\s*'", _PATT, WEAK, False),
    _sqli(
        "quote_operator",
        r"['\"]\s*(?:\^|\*|%|&|\||-|\+|/|=|<|>|!=|<>|<=>|:=)\s*(?:['\"(@]|\d)",
        _PATT,
        WEAK,
    ),
    _sqli("quoted_in_list", r"['\")]\s*(?:\bnot\b\s*)?\b(?:in|like|between|is|rlike|regexp)\b[\s(]*"
          r"['\"(%]", _OWASP, WEAK),
    _sqli("quote_close", r"['\"`]\s*\)+\s*(?:$|;|--|#|/\*|\b(?:or|and|as|order|group|limit)\b)", _OWASP),
    _sqli("edge_quote", r"^['\"`]|['\"`]$", _OWASP, 0.1, False),
    _sqli("odd_start", r"^[\s(]*(?:\d+|\w{1,12})?['\"`]\s*\)*\s*(?:;|or\b|and\b|union\b|having\b|group\b"
          r"|order\b|limit\b|like(?:[^'\"\w]|$)|\|\||&&|\+|=|<|>|-(?:[^\"]|$)|\*|/|%|\^)", _OWASP),
    _sqli("hex_literal", r"(?:\b0x[0-9a-f]{4,}|\bx'[0-9a-f]{4,}')", _PATT, WEAK),
    _sqli("char_codes", r"\bcha?r\s*\(\s*(?:0x)?[0-9a-f]{1,3}\s*[,)]", _PATT, 0.8),
    _sqli("drop_statement", r"\b(?:drop|truncate|alter)\s+(?:table|database|schema|column|user)\s+[\w.`\[]", _CRS),
    _sqli("insert_statement", r"\binsert\s+(?:ignore\s+)?into\s+[\w.`\[\]]+\s*(?:\(|values\b|select\b)", _CRS),
    _sqli("update_statement", r"\bupdate\s+[\w.`\[\]]+\s+set\s+[\w.`\[\]]+\s*=", _CRS),
    _sqli("delete_statement", r"\bdelete\s+from\s+[\w.`\[\]]+\s*(?:where\b|;|--|#|$)", _CRS),
    _sqli("create_statement", r"\bcreate\s+(?:temp(?:orary)?\s+)?table\s+[\w.`\[]+\s*\(", _CRS),
    _sqli("grant_statement", r"\bgrant\s+(?:all|select|dba|connect)\b.*?\bto\b|\bexec\s+(?:master|sp_|xp_|\()", _PATT, 0.8),
    _sqli("logic_function", r"(?:" + _LOGIC + r")\s*\(*\s*(?:select|exists|sleep|ascii|length|substr\w*|"
          r"count|benchmark|mid|ord|updatexml|extractvalue|if|char|database|version)\s*\(", _BLIND),
    _sqli("postgres_cast", r"::(?:int|text|numeric|varchar|regclass)\b|\$\$.*?\$\$\s*(?:;|--|language)", _PATT, MEDIUM),
    _sqli("scientific_union", r"\d(?:e\d*|\.)\s*union\b|\d'?\s*union\s*\(?\s*select", _PATT),
    _sqli("postgres_json", r"['\])]\s*(?:::\s*jsonb?\s*)?(?:<@|@>|\?[|&]?|#>>?|->>?|@@|@\?|#-)\s*(?:'|array\s*\[|\d|\$)", "PostgreSQL manual: JSON operators", STRONG),
    _sqli("postgres_json_break", r"(?:\bor\b|\band\b|=|['\"])\s*'[{\[][^']{0,60}'(?:::\s*jsonb?)?\s*(?:<@|@>|\?[|&]?|#>>?|->>?|@@|@\?|#-|=)\s*(?:'|array|\d|null)|'\s*::\s*jsonb?\b", "Claroty Team82: JSON operators that firewalls do not know", CERTAIN),
    _sqli("json_function", r"\bjsonb?_(?:pretty|extract\w*|build\w*|agg|object\w*|each\w*|array\w*|contains\w*|search|keys|value|query|typeof|set\w*|populate\w*|depth|valid|length|path\w*|overlaps)\s*\(", "PostgreSQL and MySQL manuals: JSON functions", 0.7),
    _sqli("cast_of_call", r"\)\s*::\s*(?:int\d?|integer|text|numeric|varchar|regclass|bool(?:ean)?|jsonb?|date|bytea|float\d?)\b", "PostgreSQL manual: type casts", STRONG),
    _sqli("exponent_name", r"\b\d\.e(?:\s*\(|\.[a-z_])", "MySQL 1.e names: M. O. Bergeron, 2021", CERTAIN),
    _sqli("execute_immediate", r"\bexecute\s+immediate\s*(?:['\"(:@`|;]|\w+\s*(?:\|\||;|using\b|into\b))", _PATT, STRONG),
    _sqli("declare_variable", r"\bdeclare\s+@\w+", _PATT, 0.9),
    _sqli("quote_semicolon", r"^[\w.@+-]{1,60}['\"`]\s*\)*\s*;\s*$", _OWASP, STRONG, False),
    _sqli("case_numbers", r"\bcase\b.{0,60}\bwhen\b\s*\(?\s*[\d'\"].{0,60}\bthen\b", _BLIND, STRONG),
    _sqli("into_variable", r"@\w+\s*:=|\bselect\b.+\binto\s+@", _PATT, STRONG),
    _sqli("mssql_declare", r"\bdeclare\s+@\w+\s+(?:n?varchar|char|int|table|cursor)", _PATT, STRONG),
)
