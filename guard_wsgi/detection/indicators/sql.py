"""SQL injection: the shapes of broken-out strings, tautologies, stacked and blind queries."""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
from __future__ import annotations

from functools import partial

from guard_wsgi.detection.indicators.indicator import (
    CERTAIN,
    DECISIVE,
    MEDIUM,
    STRONG,
    WEAK,
    Family,
)

_CWE = "CWE-89"
_OWASP = "OWASP Testing Guide WSTG-INPV-05"
_PATT = "PayloadsAllTheThings, SQL Injection"
_BLIND = "OWASP: Blind SQL Injection"
_CRS = "idea of the CRS 942 family"

_LOGIC = r"(?:\b(?:or|and|xor|having|where|rlike|like|between|in|is|not)\b|\|\||&&)"
# An operand: a word, or a quoted text, which may be empty.
_OPERAND = r"(?:['\"`][\w.@]*['\"`]?|[\w.@]+['\"`]?)"
_COMPARE = r"(?:<=>|[<>!]?=|<>|<|>|\b(?:like|rlike|regexp|in|is|between|sounds|similar|not)\b)"
# Operators between two strings in SQL, hardly found elsewhere.
_BETWEEN = (
    r"(?:or|and|xor|div|mod|is|in|(?:not\s+)?(?:like|rlike|regexp|between|in)|sounds\s+like|collate"
    r"|<=>|[<>!]=|<>|:=|[=<>^&*/%~]|\|\||&&|<<|>>)"
)

# Parentheses with their content, two levels of them: any, without a comparison, and with one.
# The last two have the first comparison in one place only, which keeps the search linear.
_CLOSED = r"\((?:[^()]|\([^()]*\))*\)"
_UNCOMPARED = r"\((?:[^()=<>]|\([^()=<>]*\))*\)"
_COMPARED = (
    r"\((?:[^()=<>]|\([^()=<>]*\))*(?:[=<>]|\([^()=<>]*[=<>][^()]*\))(?:[^()]|\([^()]*\))*\)"
)

# The text after a quote that ends a string, up to the quote that begins the next: operators and
# operands, no sentence.
_MIDDLE = r"[\w\s.+*/%^&|<>=!~@()\\,-]{0,60}"
_AFTER = r"(?:(?:[\^&|<>=!~]|is\s+(?:not\s+)?(?:null\b|true\b|false\b|\d)|not\s*[\d('\"!]|(?:not\s+)?(?:in|like|rlike|regexp|between)\s*['\"(\d%@]|sounds\s+like\b|div\b|mod\b|xor\b)|(?:or|and)\b[^'\"]{0,40}[=<>!~^&|@+*/-])"
_ARITHMETIC = r"[-+*/%][^'\"]{0,40}(?:[=<>!~^&|@]|\b(?:or|and|xor|is|like|rlike|in|not|null)\b)"


# A number as an operand. SQL follows, or nothing: "5' or 6' long" is a length.
_NUMBER = r"\d[\w.]*\s*(?:$|[^\s\w'\"]|\b(?:or|and|xor|like|rlike|in|is|between|order|group|limit|union|having|div|mod|not|from|into|where|then|end|as)\b)"

# The beginning of an operand of a condition that no word of a sentence has: a sign, a typed or
# quoted literal, a call, a name that is compared.
_ODD_OPERAND = (
    r"(?:[~!-][\s(~!+-]*[\w.@]|\+\s*[\d(]|@{1,2}\w+\s*(?:$|[=<>:;#)-])|\.\d|0[xb][\da-f]|\d+e\d|[enbx]'|u&'|_\w+'|q'\W|\$\w*\$"
    r"|[a-z_]\w*\s?\(\s*(?:\)|[\d'\"@*(-]|select\b|null\b)|(?:cast|exists|strcmp|greatest|least|coalesce|length|char)\s?\("
    r"|(?:current_(?:timestamp|date|time|user)|localtime(?:stamp)?|sysdate|systimestamp|session_user|rownum)\s*(?:$|[-#;=<>)])"
    r"|array\s*\[|(?:date|time|timestamp|interval|\{d)\s?'|interval\s+\d|\(\s*-?\d+\s*[,)=<>]|\d+\s*(?:::|\sis\s|\sescape\s))"
)
# After a word; "5||a=1||" is a list.
_COMPARED_NAME = (
    r"[a-z_][\w.]*\s*(?:[=<>~]|!=|\s(?:glob|rlike|regexp|ilike|match)\s|\sis\s+(?:not\s+)?null\b)"
)
# Statements that read no table, so they contain no other word of SQL; the words after them belong
# to the statement. A statement that is also a sentence counts only alone ("1;commit").
_STATEMENT = (
    r"(?:truncate\s+(?:table\s+)?[\w.\"`\[]|vacuum\b|handler\s+\w+\s+(?:open|read|close)|merge\s+into\s|call\s+[\w.]+\s*\(|call\s+\w+\.\w|(?:at|de)tach\s+(?:database\b|'|\w+\s*$)|set\s+(?:@|global\s|session\s|local\s|role\s|names\s|password\s)"
    r"|lock\s+tables?\s|flush\s+(?:privileges|tables|logs|hosts|status)|kill\s+(?:query\s+)?\d|(?:reset|purge)\s+(?:master|slave|binary|all)|(?:analyze|optimize|repair)\s+table\s|rename\s+(?:table|user)\s|comment\s+on\s|reindex\b|discard\s+(?:all|plans)|deallocate\s"
    r"|prepare\s+\w+\s+(?:as|from)\s|exec(?:ute)?\s+[\w.]+\s*(?:$|[;(@'-])|pragma\s+\w|do\s+(?:\$|sleep)|start\s+transaction|(?:create|drop|alter)\s+(?:role|extension|view|sequence|type|server|schema|user|login|system|session|policy|event|function|procedure|trigger|database|index|rule)\s+\w|begin\s+tran"
    r"|drop\s+[\w.]+\s*(?:$|;|--)|import\s+foreign|install\s+(?:plugin|component)|load\s+'|revoke\s+\w+\s+on\s|explain\s+(?:select|analyze|update|delete)\b|values\s*\(|table\s+\w+\s*(?:$|;|--)|with\s+\w+\s+as\s*\(|(?:replace|upsert)\s+into\s"
    r"|declare\s+\w+\s+\w|print\s+['@]|dbcc\s+\w|(?:backup|restore)\s+(?:database|log)\s|(?:listen|notify|use|savepoint)\s+\w+\s*(?:$|;|--)|(?:begin|commit|rollback|reconfigure|shutdown|go|checkpoint|abort|cluster)\s*(?:$|;|--|#))"
)


def _mixed(word: str) -> str:
    """Return a pattern for a word that is neither in one case nor has a capital only."""
    lower, upper = word.lower(), word.upper()
    both = [f"[{one}{other}]" for one, other in zip(lower, upper, strict=True)]
    size = len(word)
    found = [lower[:at] + upper[at] + "".join(both[at + 1 :]) for at in range(1, size)]
    begins = ((lower, upper), (upper, lower))
    for most, odd in begins:
        start = upper[0] + most[1]
        found += [start + most[2:at] + odd[at] + "".join(both[at + 1 :]) for at in range(2, size)]
    return f"(?-i:{'|'.join(found)})"


_sqli = partial(Family("sql"), "sqli")

_COLUMN = r"(?:_?row_?id_?|oid|id|uid|name|title|email|price|age|owner|user(?:name)?|password|secret|\w+_(?:id|at|name))"
# fmt: off
SQL = (
    _sqli(
        "union_select",
        # With another sign of a query: a credit union has a "select checking" account.
        r"\bunion\b(?:\s*[(+/*][\s(+/*]*|[\s(+/*]*\b(?:all|distinct|distinctrow|unique)\b[\s(+/*]*)\bselect\b"
        r"|['\"`)]\s*union\s+select\b|^[\s(]*-?[\d.]+['\")]*\s*union\s+select\b"
        r"|\bunion\s+select\b(?:\s*[(+/*]|\s+(?:all\b|distinct\b|distinctrow\b|top\s+\d|null\b|case\b|['\"@*`~(-]|0x|[\d.]+\s*(?:,|$|from\b|--|#|;|\)|'|\")"
        r"|[\w.@]+\s*\(|[\w.@`]+\s*,\s*['\"@`(]?[\w.@`]+['\"`]?\s*(?:,|from\b|--|#|;|\)|$|\(|/\*)|[\w.@`]+\s+from\b|[\w.@`]+\s*(?:--|#|;|/\*|\|\|)"
        r"|(?:user|users|password|passwd|version|database|schema|table_name|column_name|schema_name|load_file|sleep|char|concat)\s*$))",
        _PATT,
        STRONG, examples=('union(select',)),
    _sqli("union_select_words", r"\bunion\s+select\b", _PATT, WEAK, examples=('union select',)),
    _sqli("quoted_union", r"['\"`)]\s*\bunion\b\s*(?:all\b|select\b|\()", _PATT, STRONG, examples=('"union select',)),
    _sqli("quoted_tautology", r"['\"`]\s*\)*\s*(?:\b(?:or|and|xor)\b|\|\||&&)[\s(!~+-]*(?:\bnot\b\s*)?" + _OPERAND + r"\s*\)*\s*" + _COMPARE, _OWASP, STRONG, examples=("'or''='",)),
    # The quote that ends the app's string is the first of the value. In prose and in complete
    # queries, the quotes before an "or" come in pairs.
    _sqli("break_tautology", r"^[^'\"`]*(?:'{1,3}|\"{1,3}|`)\s*\)*\s*(?:\b(?:or|and|xor)\b|\|\||&&)[\s(!~+-]*(?:\bnot\b\s*)?" + _OPERAND + r"\s*\)*\s*" + _COMPARE, _OWASP, STRONG, examples=("'or''='",)),
    _sqli(
        "break_keyword",
        r"^[^'\"`]*(?:'{1,3}|\"{1,3}|`)\s*\)*\s*(?:;\s*)?(?:(?:or|and|xor|div|mod|having|rlike|regexp|union|order\s+by|group\s+by"
        r"|limit|select|insert|update|delete|drop|exec|waitfor|declare)\b|\|\||&&)"
        r"[\s(!~+-]*(?:" + _NUMBER + r"|['\"`]\s*[\w'\"=<>@(]|[@(]|true\b|false\b|null\b|not\b|exists\b|select\b|all\b|into\b|table\b|delay\b|[a-z_]+\s*\()"
        r"|^[^'\"`]*['\"`]\s*\)*\s*(?:(?:not\s+)?(?:between|like)|is(?:\s+not)?)\s+['\"(\d]",
        _OWASP,
        MEDIUM, examples=("a'or'a",)),
    _sqli(
        "quoted_logic_operand",
        r"['\"`]\s*\)*\s*(?:\b(?:or|and|xor|div|mod|having|rlike|regexp)\b|\|\||&&)"
        r"[\s(!~+-]*(?:" + _NUMBER + r"|['\"`]\s*[\w'\"=<>@(]|@|true\b|false\b|null\b|not\b|exists\b|select\b|[a-z_]+\()",
        _OWASP, examples=("a'or'a",)),
    _sqli("number_tautology", r"(?:\b\d+|\))\s*\)*\s*(?:\b(?:or|and|xor)\b|\|\||&&)[\s(!~+-]*['\"`]?\d+['\"`]?\s*\)*\s*" r"(?:[<>!]?=|<>|<|>|\blike\b|\bin\b|\bis\b)", _OWASP, STRONG, examples=('1 OR+1=1',)),
    _sqli(
        "logic_comparison",
        r"\b(?:or|and|having|where)\b[\s(]+['\"`]?\w+['\"`]?\s*=\s*['\"`(]?\w+",
        _OWASP,
        WEAK, examples=(' OR 1=1',)),
    _sqli(
        "logic_same",
        r"(?:\b(?:or|and)\b|\|\||&&)[\s(]*(?:1\s*=\s*1|0\s*=\s*0|2\s*=\s*2|'1'\s*=\s*'1|'a'\s*=\s*'a"
        r"|\"1\"\s*=\s*\"1|'x'\s*=\s*'x|1\s*=\s*0|1\s*=\s*2|1\s*<\s*2|2\s*>\s*1)",
        _OWASP, 0.9, examples=(' OR 1=1',)),
    _sqli("logic_true", r"\b(?:or|and)\s+(?:not\s+)?(?:true|false)\b|['\"]\s*(?:\|\||&&)\s*(?:true|false)\b", _OWASP, examples=("'||true",)),
    _sqli("logic_numbers", r"(?:\b(?:and|or|xor)\b|&&|\|\|)[\s(!~+-]*\d[\d\s()+*.-]*(?:=|<>|!=|<|>|\blike\b|\bin\b)[\s(!~+'\"-]*\d", _OWASP, STRONG, examples=(' OR 1=1',)),
    _sqli("logic_call", r"(?:\b(?:and|or|xor|having|where|like)\b|&&|\|\|)[\s(!~+-]*(?:cos|sin|pi|make_set|elt|ascii|char|substr(?:ing)?|length|len|mid|ord|rand|floor|lower|upper|lpad|conv|count|exists|if|concat|database|version|extractvalue|left|right|find_in_set|round|ceil|hex|unhex|abs|power|log)\s*\(", _BLIND, examples=('+like+database()--',)),
    _sqli("equals_call", r"=[\s(!~+-]*(?:ascii|char|substr(?:ing)?|mid|ord|rand|lpad|conv|count|exists|database|version|extractvalue|find_in_set|unhex|sleep|benchmark)\s*\(", _BLIND, examples=("aa'!=ascii(1)#(",)),
    _sqli("select_call", r"\bselect\b[\s(!~@+*-]*(?:\w+\s*\(|['\"@\d]).*?\bfrom\b", _CRS, examples=('(SELECT (1) FROM DUAL)',)),
    _sqli("null_test", r"\b\w+\s+is\s+(?:not\s+)?null\b", _CRS, WEAK, examples=("1'*@a is null - '",)),
    _sqli("function_open", r"^[\s'\",)]*(?:database|db_name|coalesce|u?n?compress|concat|concat_ws|current_user|decode|encode|group_concat|hex|ifnull|insert|trim|make_set|md5|mid|ord|sysdate|rand|rtrim|ltrim|strcmp|substr|substring|unhex|cos|sin|pow|ascii|char|benchmark|sleep|find_in_set|schema|extractvalue)\s*\(?\\?\($", _CRS, STRONG, examples=('COS(',)),
    _sqli("word_only", r"^\s*(?:information_schema|pg_catalog|schema_name|tempdb|msdb|northwind|mysql\.db|msysaccessobjects|xp_cmdshell|sysobjects|sysusers|master\.\.\w+|current_user\(?\)?|db_name\(?\)?|@@version)\s*$", _CRS, STRONG, examples=('msdb',)),
    _sqli("word_quote_comment", r"^(?:[\w.@ %-]*[\w.@%-])?['\"`]\s*\)*\s*;?\s*(?:--[\s+-]*|#\s*|/\*[^*]*|;\s*\x00)$", _OWASP, STRONG, examples=("';#",)),
    _sqli("quote_comment", r"['\"`]\s*\)*\s*;?\s*(?:--|#|/\*)", _OWASP, examples=("';#",)),
    _sqli("number_comment", r"(?:^|[=\s])-?\d+\s*\)*\s*(?:--(?:\s+[-+]?|\+)?$|#\s*$|/\*)", _OWASP, WEAK, examples=('1=1#',)),
    _sqli("trailing_comment", r"(?:(?:^|[^-])--(?:\+|\s[\s+-]*)?|#|[^*]/\*|;%00|;\x00)$", _OWASP, WEAK, examples=('--',)),
    _sqli(
        "stacked",
        r"[;'\")]\s*(?:select\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s"
        r"|drop\s+(?:table|database|schema|view|user|index|function|procedure)\s"
        r"|create\s+(?:table|user|database|function|procedure|or\s+replace|alias|trigger)\s"
        r"|alter\s+(?:table|user|database|login)\s|truncate\s+table|exec(?:ute)?\s*(?:\(|['@]|sp_|xp_|master\b|immediate\b|\w+\s*(?:$|[;'@\d-]))"
        r"|declare\s+(?:@|\w+\s+(?:cursor|n?varchar|int|char|table)\b)|waitfor\s+(?:delay|time)\b|shutdown\b|grant\s+\w+|merge\s+into|call\s+\w+\(|copy\s+\w+"
        r"|handler\s+\w+|prepare\s+\w+\s+from|do\s+sleep|rename\s+table)",
        _PATT, examples=('1; select 1',)),
    _sqli("subselect", r"\(\s*select\b", _OWASP, examples=('(select',)),
    _sqli(
        "select_list",
        r"\bselect\b[\s(]*(?:\*|@@?\w|\d+\s*(?:,|$|from\b)|null\b|'[^']*'|[\w.]+\s*\(|case\b|if\b"
        r"|(?:all|distinct|top\s+\d+)\s|[\w.`\[\]\"]+(?:\s*,\s*[\w.`\[\]\"]+)+\s+from\b"
        r"|[\w.`\[\]\"]+\s+from\s+[\w.`\[\]\"]+\s*(?:where\b|limit\b|$|[;)#'-]))",
        _OWASP, examples=('select if(x',)),
    _sqli("select_from", r"\bselect\b.+?\bfrom\b", _CRS, WEAK, examples=('in ( select * from',)),
    _sqli("from_where", r"\bfrom\s+[\w.`\[\]\"]+\s+where\s+[\w.`\[\]\"]+\s*" + _COMPARE, _CRS, examples=("1) from users where username='ad1min')",)),
    _sqli(
        "sleep",
        r"\b(?:pg_sleep|receive_message|dbms_lock\.sleep|randomblob|sleep_for)\s*\(|\bsleep\s*\(\s*[^a-z)\s]*\s*\)(?:[^\s\w]|\s*$|\s*(?:[^\s\w(]|and\b|or\b|from\b|union\b|where\b|order\b|as\b|is\b|in\b|like\b|limit\b))"
        r"|\bsleep\s*\(\s*(?:[@$'\"(]|\d[\d.]*\s*[-+*/%&|<>=,]|\d[\d.]*\s*$|select\b|if\b|null\b|-)|\bbenchmark\s*\([^,)]*,|\bwaitfor\s+(?:delay|time)\b[\s(]*(?:['\"@\d]|$)",
        _BLIND,
        STRONG, examples=('sleEP(3)',)),
    _sqli(
        "error_based",
        r"\b(?:geometrycollection|polygon|multipoint|linestring|multilinestring|multipolygon)\s*"
        r"\(\s*\(*\s*(?:select\b|[a-z_]+\s*\(|@)"
        r"|\b(?:extractvalue|updatexml|xmltype|gtid_subset|st_latfromgeohash|json_keys|procedure\s+analyse"
        r"|get_host_(?:address|name)|utl_http\.request|utl_inaddr|drithsx|name_const|exp\s*\(\s*~"
        r"|floor\s*\(\s*rand|row\s*\(\s*\d+\s*,)\s*\(?",
        _PATT,
        STRONG, examples=('xmltype(',)),
    _sqli(
        "catalog",
        r"\binformation_schema\b|\bmysql\.(?:user|db)\b|\bsys(?:objects|columns|databases|users)\b"
        r"|\bpg_(?:catalog|shadow|user|database|class|tables|read_file|ls_dir)\b|\bsqlite_(?:master|"
        r"version|schema)\b|\b(?:all|user|dba)_(?:tables|tab_\w+|users|objects)\b"
        r"|\bmsysaccessobjects\b|\bsys\.(?:objects|tables|databases|columns|user_tables|sql_logins)\b"
        r"|\bv\$version\b|\bmaster\.\.[a-z]|\bmaster\.dbo\b|\btable_schema\b|\bperformance_schema\b",
        _PATT, STRONG, examples=('mysql.db',)),
    _sqli(
        "procedure",
        r"\b(?:xp_(?:cmdshell|dirtree|reg\w+|fileexist|servicecontrol|availablemedia|enumdsn)"
        r"|sp_(?:password|executesql|oacreate|oamethod|configure|makewebtask|addextendedproc|help\w*"
        r"|addsrvrolemember|adduser)|openrowset|opendatasource|openquery|dbms_\w+|utl_\w+"
        r"|lo_(?:import|export|get|put|from_bytea|unlink)|sys_(?:eval|exec)|current_setting|pg_sleep)\b",
        _PATT,
        STRONG, examples=('UTL_HTTP',)),
    _sqli("server_variable", r"@@[a-z_]+(?:[^a-z_@]|$)", _PATT, examples=('@@version--',)),
    _sqli("file_access", r"\binto\s+(?:outfile|dumpfile)\b|\bload_file\s*\(|\bload\s+data\s+(?:local\s+)?infile\b", _PATT, STRONG, examples=('load_file(',)),
    _sqli("comment_break", r"\d['\"]?\)*\s*(?:#|--)[^\r\n]*[\r\n][\s#-]*(?:union|select|or|and|having|order|limit|rlike)\b|^-?\d+#\s*(?:union|select)\b", _OWASP, STRONG, examples=('-1# union #',)),
    _sqli("order_by_number", r"\border\s+by\s+\(?\s*\d+", _OWASP, examples=(' ORDER BY 2# ',)),
    _sqli("order_by_comment", r"\border\s+by\s+\d+\s*(?:--|#|/\*)", _OWASP, STRONG, examples=(' ORDER BY 2# ',)),
    _sqli("negated_numbers", r"\b(?:or|and)\s+not\s+\(?\d+\s*=\s*\d+", _BLIND, STRONG, examples=("1') Or nOt 1=2;",)),
    _sqli("where_numbers", r"\b(?:where|having)\s+\(?\d+\s*=\s*\(?\d+", _BLIND, STRONG, examples=(' HAVING 1=1#',)),
    _sqli("comparison_argument", r"\b(?:make_set|elt|i?if|field|nullif|char|power|exp)\s*\(\s*\(?\s*\d+\s*=\s*\d+", _BLIND, STRONG, examples=('1 AND MAKE_SET(7=7,2)',)),
    _sqli("call_equals_call", r"(?:\b(?:and|or|where)\b|=)\s*\(?[a-z_]{3,40}\(\s*\)\s*=\s*[a-z_]{3,40}\(\s*\)", _BLIND, STRONG, examples=('AND CONNECTION_ID()=CONNECTION_ID()',)),
    _sqli("comment_word", r"[\d'\"`)]\s*(?:--\s+|#\s*)\w{1,8}$", _OWASP, WEAK, examples=("asd' |1 != (1)#aa",)),
    # After the first quote, which ends the app's string: Java says 'because "s" is null'.
    _sqli("quote_null_test", r"^[^'\"`]*['\"`]\s*\)*\s*is\s+(?:not\s+)?null\b", _OWASP, STRONG, examples=("aa'IS NOT NULL or+1^+'0",)),
    _sqli("quoted_null_test", r"['\"`]\s*\)*\s*is\s+(?:not\s+)?null\b", _OWASP, WEAK, examples=("aa'IS NOT NULL or+1^+'0",)),
    # Not a quoted word such as 'and': there is something on at least one side.
    _sqli(
        "quoted_pair",
        r"^[\w.@ -]{0,24}(?:'\s*\)*\s*" + _BETWEEN + r"[\s(]*'[\w.@-]+|\"\s*\)*\s*" + _BETWEEN + r"[\s(]*\"[\w.@-]+)$"
        r"|^[\w.@-]{1,24}(?:'\s*" + _BETWEEN + r"\s*'|\"\s*" + _BETWEEN + r"\s*\")$"
        r"|^[\w ]{1,24}\s['\"](?:or|and|xor|div|mod|sounds\s+like|rlike|<=>|[<>!]?=|<>|\|\||&&)['\"]\s[\w ]{1,24}$",
        _OWASP,
        STRONG, examples=("a'or'a",)),
    _sqli("broken_string", r"^[\s(]*[\w.-]{0,12}(?:'\s*(?:" + _AFTER + r"|" + _ARITHMETIC + r")" + _MIDDLE + r"'\s*[-+]?[\w.%]{0,12}\s*|\"\s*(?:" + _AFTER + r"|" + _ARITHMETIC + r")" + _MIDDLE + r"\"\s*[-+]?[\w.%]{0,12}\s*)$", _OWASP, STRONG, examples=("'DIV'",)),
    _sqli("broken_comment", r"^[\s(]*[\w.-]{0,12}['\"]\s*(?:" + _AFTER + r"|[-+*/%])" + _MIDDLE + r"(?:--[\s+-]|#)[^'\"]{0,12}$", _OWASP, STRONG, examples=("'=0#",)),
    _sqli("operator_quoted", r"^['\"]\s+(?:or|and|xor|div|mod|(?:not\s+)?(?:like|rlike|regexp|in|between)|sounds\s+like|is(?:\s+not)?)\s+['\"]$|^'(?:not\s+(?:like|rlike|regexp|in|between)|xor|rlike|regexp|sounds\s+like)'$|^\w{1,8}\s+'not\s+(?:like|rlike|regexp)'\s+\w{1,8}$", _OWASP, STRONG, examples=("'XOR'",)),
    _sqli("quote_digit_end", r"['\"]\s*(?:or|and|xor|\|\||&&)\s*['\"]\d+\s*$", _OWASP, STRONG, examples=("\\'or'1",)),
    _sqli("variable_comment", r"^@+\w+\s*(?:--|/\*|#)", _OWASP, STRONG, examples=('@version--',)),
    _sqli("concatenated_select", r"\|\|\s*\(\s*select\b|\d\s*[-+*/]\s*\(\s*select\b", _PATT, STRONG, examples=("SELECT 'qzxjq'||(SELECT (CASE",)),
    _sqli("nested_functions", r"\b(?:ascii|ord|(?:char_)?length|hex|unhex|bin|lower|upper)\s*\(\s*(?:substr(?:ing)?|mid|left|right|hex|cast|convert)\s*\(", _BLIND, STRONG, examples=(' ASCII(substring(passwd,1,1))-4)',)),
    _sqli("call_logic", r"^[\s(]*[a-z_]{2,20}\(\s*\)\s*(?:and|or|xor|&&|\|\|)\s*[a-z_]{2,20}\(", _BLIND, WEAK, examples=('PI() && COS(PI())=-1',)),
    _sqli("call_logic_known", r"^[\s(]*(?:pi|rand|now|user|version|database|schema|sysdate|current_user|session_user|system_user|row_count|connection_id|last_insert_id|found_rows|uuid|sleep|exp|ascii|char)\(\s*\)\s*(?:and|or|xor|&&|\|\|)\s*[a-z_]{2,20}\(", _BLIND, STRONG, examples=('PI() && COS(PI())=-1',)),
    _sqli("number_truth", r"^[\s'\"(]*\d+\s*(?:=|<>|!=|<=>|like)\s*\d+\s*\)*\s*(?:and|or|xor|&&|\|\|)|\(\s*\d+\s+(?:or|and|xor)\s+\d+\s*\)|\b(?:or|and)[-+~!(][-+~!(\s]+\d", _OWASP, STRONG, examples=('1 OR+(1)=(1)',)),
    _sqli("isnull_call", r"(?:^|[\s'\")])(?:and|or|xor|having)\s+isnull\s*\(", _BLIND, STRONG, examples=('AND ISNULL(1/0)',)),
    _sqli("number_null_test", r"^[\s(]*\d+['\")\s]*(?:\|\||&&|or\b|and\b)\s*[\w.]+\s+is\s+(?:not\s+)?null\b", _BLIND, STRONG, examples=('1) OR 1 IS NOT NULL',)),
    _sqli("order_by_call", r"\d['\")]*\s+(?:order|group)\s+by\s+(?:ifnull|if|case|rand|sleep|nullif|elt|field|extractvalue|updatexml|concat|cast)\s*\(|\d\s*\)\s*(?:order|group)\s+by\b", _BLIND, STRONG, examples=('1) order by 8#',)),
    _sqli("execute_variable", r"\bexec(?:ute)?\s*\(\s*@", _PATT, STRONG, examples=('exec (@\n',)),
    _sqli("union_commented", r"\bunion\s*(?:#|--|/\*)", _PATT, STRONG, prefilter=(r"union ?(?:#|--)", r"union\t#"), examples=("union#", "1 union #x")),
    _sqli("delete_modified", r"[;'\")]\s*(?:delete|insert|update|replace)\s+(?:low_priority|quick|ignore|delayed|high_priority)\s+\w", _PATT, STRONG, examples=('1; delete quick from foo',)),
    _sqli("json_logic", r"\b(?:or|and|having|where)\s*\(*\s*jsonb?_\w+\s*\(|'\s*::\s*jsonb?\b", "PostgreSQL and MySQL manuals: JSON functions", CERTAIN, examples=("OR '[1,2,3]'::json ->> 2='3'",)),
    _sqli("select_probe", r"^\W*select\s+(?:all\s+|distinct\s+)?(?:iif|if|sleep|benchmark|version|user|database|concat(?:_ws)?|group_concat|char|load_file|ascii|hex|substr(?:ing)?|mid|pg_sleep|extractvalue)\s*\(", _BLIND, STRONG, examples=('select if(x',)),
    _sqli("three_quotes", r"^'\w{0,8}'\s*(?:[<>!]?=|<>|<=>|r?like\b)\s*'\w{0,8}$|^\"\w{0,8}\"\s*(?:[<>!]?=|<>|<=>|r?like\b)\s*\"\w{0,8}$", _OWASP, STRONG, examples=("'1'='1",)),
    _sqli("json_path", r"'\$[.\[][^']{1,60}'\s*\)?\s*(?:[<>!]?=|<>|[<>]|like\b|is\b)", "MySQL and PostgreSQL manuals: JSON paths", CERTAIN, examples=('\'{"a":2,"c":[4,5,{"f":7}]}\' < \'$.c[2].f\' = 7',)),
    _sqli("sqlite_function", r"\bsqlite_\w+\s*\(", _PATT, STRONG, examples=("admin@example.com' or sqlite_compileoption_used (id)--",)),
    _sqli("create_routine", r"\bcreate\s+(?:or\s+replace\s+)?(?:function|procedure|trigger|event)\s+\w+\s*\(", _PATT, 0.8, examples=("CREATE FUNCTION hello (s CHAR(20)) RETURNS CHAR(50) DETERMINISTIC RETURN CONCAT('Hello, ',s,'!');",)),
    _sqli("alias_from", r"^[\s\d'\"`]*\s*as\s+['\"`]\w+['\"`]\s+from\b", _OWASP, DECISIVE, examples=('` AS `OXTIMESTAMP` from',)),
    _sqli("fragment_open", r"^\W*select\W+(?:distinct\s+)?(?:\w+\s*,\s*)*[a-z_]+\s*\(\s*$|^\s*if\s*\(\s*\d+\s*=\s*$|^['\"]?\s*\)\s*(?:like|or|and|in)\s*\(\s*$", "OWASP: HTTP parameter pollution, a statement cut over repeats", STRONG, prefilter=(r"[\"/>\x0b ]if ?\( ?\d+ ?=",), examples=('if(2=',)),
    _sqli("sleep_quoted", r"['\"]\s*(?:and\s+|or\s+|\|\||\+)?\s*sleep\s*\(\s*\d+[^)]{0,12}\)\s*(?:['\"]|--|#|and\b|or\b)", _BLIND, CERTAIN, examples=("1' and sleep(9) #",)),
    _sqli("paren_comment", r"(?:[\d'\"]|@\w{1,20})\s*(?:\)\s*)+--\s*$", _OWASP, STRONG, examples=('&&SLEEP(5)--',)),
    _sqli("identity_compare", r"\b(?:or|and|having|where)\s+(?:current_user|session_user|system_user|user|version|database|@@\w+)\s*(?:\(\s*\)\s*)?(?:=|<|>|like\b|is\b|in\b)", _BLIND, STRONG, examples=('951 and version()<4',)),
    _sqli("bracket_noise", r"['\"(),.]{2}(?:[()][,.]*['\"]|['\"][,.]*[()])[\"'(),.]{3,}$", "sqlmap, heuristic test: what quotes and brackets do to a query", 0.8, examples=("a',(.)\"',.(,)",)),
    _sqli("dangling_clause", r"\bselect\b.+\bfrom\b.+\b(?:where|and|or|by)\s*$", _CRS, CERTAIN, examples=("select 'foo' from bar where",)),
    _sqli("number_from", r"\bselect\s*\d+from\W", _PATT, STRONG, examples=('SELECT 1FROM[table]WHERE\\1=\\1AND\\1=\\1',)),
    _sqli("boolean_mode", r"['\"`]\s*in\s+boolean\s+mode\b", _PATT, STRONG, examples=("' or MATCH username AGAINST ('+admin -a' IN BOOLEAN MODE); -- -a",)),
    _sqli("stacked_block", r"[;'\"]\s*(?:begin|if\s*\(?[\d@(])\s.{0,80}(?:shutdown|waitfor|drop|exec|end)\b", _PATT, STRONG, examples=("'; begin shutdown end-- -a ",)),
    _sqli("stacked_comment", r";\s*(?:drop|delete|update|insert|select|exec|create|alter|grant|truncate)\b[^;]{1,200}(?:--|#)\s*$", _PATT, STRONG, examples=('10;DROP members --',)),
    _sqli("binary_operand", r"\b(?:or|and|not|\()\s*binary\s*[('\"\d@]|\(\s*binary\s+[a-z(]", _CRS, 0.8, examples=("aa'or BINARY 1= '1",)),
    _sqli("variable_logic", r"(?:^|[\s(])@\w{1,20}\s*\)*\s*(?:or|and|xor)\s*\(*\s*[@\d'\"(]", _CRS, examples=(' ( @a OR 1 )  --',)),
    _sqli("group_by_having", r"\bgroup\s+by\b[^;]*\bhaving\b|\bhaving\s+['\"(]?\d+\s*[=<>]", _CRS, examples=('HAVING 1=',)),
    _sqli("limit_offset", r"\blimit\s+\d+\s*(?:,|\boffset\b)\s*\d+", _CRS, WEAK, examples=('2 from users limit 1,1)',)),
    _sqli(
        "string_function",
        r"\b(?:concat(?:_ws)?|group_concat|unhex|hex|ascii|ord|substr(?:ing)?(?:_index)?|mid|cast"
        r"|convert|ifnull|nullif|isnull|iif|elt|make_set|lpad|rpad|coalesce|load_extension|quote"
        r"|string_agg|listagg|xmlagg|to_char|nvl|chr|n?char|bin|length|count|md5|sha1|if)\s*\("
        r"\s*(?:select\b|\(|0x|@|\d+\s*[,)]|[a-z_]+\s*\(|'|\"|\*)",
        _PATT, examples=('chr(123)',)),
    _sqli(
        "identity_function",
        r"\b(?:version|database|user|current_user|system_user|session_user|schema|db_name|user_name"
        r"|host_name|suser_name|current_database|last_insert_id|row_count|connection_id"
        r"|is_srvrolemember|is_member)\s*\(\s*\)",
        _PATT, examples=(' user())x))',)),
    _sqli("case_when", r"\bcase\s.*?\bwhen\b.*?\bthen\b", _BLIND, examples=("case when 's' then 3 end",)),
    # The parenthesis is open until the comma. "if (a < b) f(c, d)" is a program in another language.
    _sqli("if_comparison", r"\bi?if\s*\((?:(?:[^,()=<>]|" + _UNCOMPARED + r")*(?:[=<>]|" + _COMPARED + r")(?:[^,()]|" + _CLOSED + r")*|(?:\s*\(){2}[^,=<>]*[=<>][^,]*),", _BLIND, examples=('FOO,IIF(2510=9436,FOO,1/0)',)),
    _sqli("versioned_comment", r"/\*!\d{0,6}", _PATT, STRONG, examples=("' /*!or*/1='1",)),
    _sqli("comment_space", r"\w/\*[^*]*\*/|/\*[^*]*\*/\w|['\")]/\*\*/|/\*\*/['\"(@-]", _PATT, examples=('IN/**/(',)),
    _sqli("quote_concatenation", r"['\"]\s*(?:\|\||\+)\s*['\"(]|['\"]\s*\|\|\s*\w+", _PATT, WEAK, examples=("'||true",)),
    _sqli("adjacent_quotes", r"\w'\s+'\w|^'\s*'", _PATT, WEAK, examples=("' ', 10",)),
    _sqli("quote_operator", r"['\"]\s*(?:\^|\*|%|&|\||-|\+|/|=|<|>|!=|<>|<=>|:=)\s*(?:['\"(@]|\d)", _PATT, WEAK, examples=("'-''",)),
    _sqli("quoted_in_list", r"['\")]\s*(?:\bnot\b\s*)?\b(?:in|like|between|is|rlike|regexp)\b[\s(]*"
          r"['\"(%]", _OWASP, WEAK, examples=(')like(',)),
    _sqli("quote_close", r"['\"`]\s*\)+\s*(?:$|;|--|#|/\*|\b(?:or|and|as|order|group|limit)\b)", _OWASP, examples=("');>",)),
    _sqli("edge_quote", r"^['\"`]|['\"`]$", _OWASP, 0.1, examples=("';",)),
    _sqli("odd_start", r"^[\s(]*(?:\d+|\w{1,12})?['\"`]\s*\)*\s*(?:;\s*(?:[^\s'\"]|$)|or\b|and\b|union\b|having\b|group\b"
          r"|order\b|limit\b|like\s*(?:[^'\"\w\s]|$)|\|\||&&|\+|=|[<>]\s*(?:[\d'\"(@=]|$)|-(?:[^\"]|$)|\*|/(?:[^/]|$)|%|\^)", _OWASP, examples=("';",)),
    _sqli("hex_literal", r"(?:\b0x[0-9a-f]{4,}|\bx'[0-9a-f]{4,}')", _PATT, WEAK, examples=('\\0xf00dsdfdsa',)),
    _sqli("char_codes", r"\bcha?r\s*\(\s*(?:0x)?[0-9a-f]{1,3}\s*[,)]", _PATT, 0.8, examples=('chr(123)',)),
    _sqli("drop_statement", r"\b(?:drop|truncate|alter)\s+(?:table|database|schema|column|user)\s+[\w.`\[]", _CRS, examples=('; DROP table Users --',)),
    _sqli("insert_statement", r"\binsert\s+(?:ignore\s+)?into\s+[\w.`\[\]]+\s*(?:\(|values\b|select\b)", _CRS, examples=(';INSERT INTO table (col) VALUES',)),
    _sqli("update_statement", r"\bupdate\s+[\w.`\[\]]+\s+set\s+[\w.`\[\]]+\s*=", _CRS, examples=('1; update users set password=1',)),
    _sqli("delete_statement", r"\bdelete\s+from\s+[\w.`\[\]]+\s*(?:where\b|;|--|#|$)", _CRS, examples=('1; delete from foo',)),
    _sqli("create_statement", r"\bcreate\s+(?:temp(?:orary)?\s+)?table\s+[\w.`\[]+\s*\(", _CRS, examples=("x.php' AS x;CREATE TABLE x.p(d TEXT);",)),
    _sqli("grant_statement", r"\bgrant\s+(?:all|select|dba|connect)\b.*?\bto\b|\bexec\s+(?:master|sp_|xp_|\()", _PATT, 0.8, examples=('exec  (blah)',)),
    _sqli("logic_function", r"(?:" + _LOGIC + r")\s*\(*\s*(?:select|exists|sleep|ascii|length|substr\w*|"
          r"count|benchmark|mid|ord|updatexml|extractvalue|if|char|database|version)\s*\(", _BLIND, examples=('&&SLEEP(5)#',)),
    _sqli("postgres_cast", r"::(?:int|text|numeric|varchar|regclass)\b|\$\$.*?\$\$\s*(?:;|--|language)", _PATT, MEDIUM, examples=('password::int',)),
    _sqli("scientific_union", r"\d(?:e\d*|\.)\s*union\b|\d'?\s*union\s*\(?\s*select", _PATT, examples=('\\1UNION SELECT 2',)),
    _sqli("postgres_json", r"['\])]\s*(?:::\s*jsonb?\s*)?(?:<@|@>|\?[|&]?|#>>?|->>?|@@|@\?|#-)\s*(?:'|array\s*\[|\d|\$)", "PostgreSQL manual: JSON operators", STRONG, examples=("left')?$(",)),
    _sqli("postgres_json_break", r"(?:\bor\b|\band\b|=|['\"])\s*'[{\[][^']{0,60}'(?:::\s*jsonb?)?\s*(?:<@|@>|\?[|&]?|#>>?|->>?|@@|@\?|#-|=)\s*(?:'|array|\d|null)|'\s*::\s*jsonb?\b", "Claroty Team82: JSON operators that firewalls do not know", CERTAIN, examples=("OR '[1,2]' ? '1'",)),
    _sqli("json_function", r"\bjsonb?_(?:pretty|extract\w*|build\w*|agg|object\w*|each\w*|array\w*|contains\w*|search|keys|value|query|typeof|set\w*|populate\w*|depth|valid|length|path\w*|overlaps)\s*\(", "PostgreSQL and MySQL manuals: JSON functions", 0.7, examples=("admin@juice-sh.op\\' or json_valid (id);",)),
    _sqli("cast_of_call", r"\)\s*::\s*(?:(?:big|small)?int\d?|integer|double\s+precision|real|timestamp\w*|oid|text|numeric|varchar|regclass|bool(?:ean)?|jsonb?|date|bytea|float\d?)\b", "PostgreSQL manual: type casts", STRONG, examples=('function(foo)::text',)),
    _sqli("exponent_name", r"\b\d\.e(?:\s*\(|\.[a-z_])", "MySQL 1.e names: M. O. Bergeron, 2021", CERTAIN, examples=('1.e(ascii)',)),
    _sqli("execute_immediate", r"\bexecute\s+immediate\s*(?:['\"(:@`|;]|\w+\s*(?:\|\||;|using\b|into\b))", _PATT, STRONG, examples=('EXECUTE IMMEDIATE "',)),
    _sqli("declare_variable", r"\bdeclare\s+@\w+", _PATT, 0.9, examples=('declare @b\n',)),
    _sqli("quote_semicolon", r"^[\w.@+-]{1,60}['\"`]\s*\)*\s*;\s*$", _OWASP, CERTAIN, examples=("passwd');",)),
    _sqli("case_numbers", r"\bcase\b.{0,60}\bwhen\b\s*\(?\s*[\d'\"].{0,60}\bthen\b", _BLIND, STRONG, examples=("case when 's' then 3 end",)),
    _sqli("into_variable", r"@\w+\s*:=|\bselect\b.+\binto\s+@", _PATT, STRONG, examples=("1' AND 0x35 = (SELECT @phpids:=MID(@@version FROM 1 FOR 1) FROM dual) and '1 ",)),
    _sqli("mssql_declare", r"\bdeclare\s+@\w+\s+(?:n?varchar|char|int|table|cursor)", _PATT, STRONG, examples=('1;declare @c cursor',)),
    _sqli("union_glued", r"\b\d+\.?(?:e\d*)?union(?:\s+(?:all|distinct))?[\s(]+(?:select|table|values)\b", "PortSwigger and M. O. Bergeron: numbers that end in a name", CERTAIN,
          prefilter=(r"\dunion[ (]", r"\d\.?e\d*union[ (]", r"\d\.union[ (]"),
          examples=("1.eunion select 1,2", "1e1union(select 2)", "1.union select 1")),
    _sqli("union_table", r"(?:^|['\")\d])\s*union\s+(?:all\s+|distinct\s+)?(?:table\s+[\w.`\"]+\s*(?:$|--|#|;|\bor(?:der)?\b|\blimit\b)|values\s*(?:row)?\s*\()", "MySQL 8 manual: TABLE and VALUES statements", CERTAIN,
          prefilter=(r"union(?: all| distinct)? (?:table|values) ?",),
          examples=("union table users", "1 union values row(1,2)", "1' union all table mysql.user-- ")),
    _sqli("between_numbers", r"(?:\b(?:or|and|xor|having|where)|\|\||&&)\s*\(*\s*(?:not\s+)?(['\"]?)\d+['\"]?\s+(?:not\s+)?between\s+['\"]?\d+['\"]?\s+and\s+['\"]?\d", _OWASP, CERTAIN,
          prefilter=tuple(rf" between {digit}\d* and \d" for digit in range(10)),
          examples=("x or 5 between 4 and 6", "1 and 3 not between 4 and 6")),
    _sqli("quoted_arithmetic", r"^[\w.@]{0,20}'\s?(?:[-+*/%^|&]|<<|>>|div|mod)\s?(?:(?:\d{1,6}|true|false|null|\w{1,12}\(\))\s?(?:[-+*/%^|&]|<<|>>)\s?)?'\w{0,8}$", _BLIND, STRONG,
          examples=("'-0-'", "'-false-'", "'*version()*'")),
    _sqli("dollar_quote", r"\$\w*\$\s*(?:\|\||&&|or\b|and\b|xor\b)\s*(?:not\s+)?\$\w*\$[^$]*\$\w*\$\s*(?:=|<|>|!|i?like\b|~)|\$\w*\$\s*(?:union\b\s*(?:all\s+)?select|;\s*(?:select|drop|insert|update|delete|copy)\b)|\$\w*\$\s*\|\|\s*\$\w*\$|^\$\$\s*(?:or|and|xor)\s+\$\$\s*(?:=|<|>|like\b)", "PostgreSQL manual: dollar-quoted string constants", CERTAIN,
          prefilter=(r"\$\w{0,12}\$ ?(?:or|and|xor|union|;|\|\|)",),
          examples=("$$ OR $$a$$=$$a", "$x$ or $x$a$x$=$x$a", "$q$ union select 1 $q$")),
    _sqli("glob", r"(?:^|\b(?:or|and|where|not|having)\s+|\|\|\s*)[\w.\"`]+\s+(?:not\s+)?glob\s*'[^']*$|(?:\b(?:or|and|where|having)|\|\||['\")])\s+(?:not\s+)?[\w.\"`]*\s*\bglob\s*['\"(]|^(?:\w{0,12}(?:name|id|pass\w*|pwd|mail|login|title|type)|sql|[a-z])\s+(?:not\s+)?glob\s+'[^']*'$", "SQLite documentation: the GLOB operator", CERTAIN,
          prefilter=(r" glob ?['\"(]", r" glob \\\""),
          examples=("name glob '*", "1 or name glob 'a*", "x glob '*'")),
    _sqli("catalogue_names", r"\b(?:syscat|sysibm|sysibmadm|sysstat|sysproc|qsys2)\.\w+|\binformation_schema\.system_\w+|\bfrom\s+sysibm\b|\brdb\$(?:relations|fields|users|get_context|database)\b|\bsys\.(?:systables|sysschemas|sysusers|sysinfo)\b", "IBM Db2, HSQLDB, Firebird and Derby manuals: catalogues", CERTAIN,
          prefilter=(r"(?:syscat|sysibm|sysibmadm|sysstat|sysproc|qsys2)\.\w", r"rdb\$[rfugd]"),
          examples=("select tabname from syscat.tables", "sysibm.sysdummy1", "select * from INFORMATION_SCHEMA.SYSTEM_USERS", "select 1 from rdb$database")),
    _sqli("set_operator", r"\b(?:except|intersect|minus)\s+(?:all\s+|distinct\s+)?select\s+(?:\d|null\b|['\"*@(])|(?:['\"`)]|^[\s(]*-?[\d.]+)\s*(?:except|intersect|minus)\s+(?:all\s+|distinct\s+)?select\s", "SQL:2016, 7.17: set operators", CERTAIN, examples=("1 except select pw from users", "' intersect select 1--"), prefilter=(r"(?:except|intersect)\s+(?:all\s+|distinct\s+)?select\s", r"minus\s+(?:all\s+)?select\s")),
    _sqli("word_operator", r"^\s*(?:-?\d[\d.]*\s+(?:(?:or|and|xor)\s+(?:-?\d[\d.]*\s*(?:$|[<>=-])|['(\"]|not\s|\w+\s*(?:[<>=!(]|(?:like|in|glob|between|is|regexp|rlike)\b))|between\s+\w+\s+and\b|(?:div|mod)\s+\d)|[\w.]+\s+(?:not\s+)?(?:in\s*\(|(?:like|glob|regexp|rlike)\s*['\"(]|between\s+['\"]?\w+['\"]?\s+and\s|is\s+(?:not\s+)?null\b|(?:or|and|xor)\s+\w+\s*[<>=])|\(\w+\)\s*(?:or|and|xor)\b|(?:iif|substr(?:ing)?|ascii|instr|hex|unicode|mid|coalesce|nullif|ifnull)\s*\(\s*[\w(])", _BLIND, 0.05,
          prefilter=(r"[=\x0b\"] ?-?\d[\d.]{0,12} (?:or|and|xor|in|like|glob|between|regexp|rlike|is|not|div|mod) [\w('-]", r" in \(", r" in\(", r" not in ?\(", r" like ?['(]", r" glob ?['(]", r" regexp ?['(]", r" rlike ?['(]", r" between ['\d][\w']{0,11} and ", r"[=\x0b\"] ?\(\w{1,12}\) ?(?:or|and|xor)", r"[=\x0b\"] ?(?:iif|substr|substring|ascii|instr|hex|unicode|mid|coalesce|nullif|ifnull) ?\("),
          examples=("-1 or id>0", "1 or 1", "id in (1,2)", "title like 'h%' desc", "(1)or(1)", "substr(pw,1,1)")),
    _sqli("describe", r"^\s*(?:desc|describe|explain)\s+(?:table\s+|extended\s+)?(?:\w+\.\w+|\w*(?:user|account|customer|member|admin|employee|order|login|credential|password|session|token|card|payment)s?)\s*;?\s*$|^\s*(?:explain|describe|desc)\s+(?:analyze\s+|verbose\s+)*(?:select|update|insert|delete)\s", "MySQL and Oracle manuals: DESCRIBE", 1.2,
          prefilter=(r"[=\x0b]desc(?:ribe)? \w+(?:$|[\x0b&;.])", r"[=\x0b]explain (?:\w+(?:$|[\x0b&;.])|select|analyze)", r"\"desc(?:ribe)? [\w.]+;?\"", r"\"explain (?:[\w.]+;?\"|select|analyze)"),
          examples=("desc users", "describe mysql.user", "explain users")),
    _sqli("show", r"(?:^|;)\s*show\s+(?:full\s+|extended\s+)?(?:databases|schemas|grants|processlist|(?:tables|columns|index(?:es)?|keys)\s+(?:from|in|like)\s+['\"`\w]+|create\s+table\s+\w+|table\s+status|master\s+status)\s*(?:$|;|--|#|where\b|like\b|from\b|for\b)|;\s*show\s+tables\b|^\s*show\s+tables\s*;?\s*$", "MySQL manual: SHOW", 1.25, prefilter=(r"(?:[=\x0b;\"]|; )show (?:full |extended )?(?:databases|schemas|grants|processlist|tables|columns|index|keys|create|table s|master)",),
          examples=("show databases", "show columns from users", "1;show tables")),
    _sqli("number_logic_odd", r"^\s*-?\d+['\")]{0,3}\s*(?:(?:or|and|xor|\|\||&&)\(+\s*-?\d+\s*\)+\s*$|xor\s+-?\d+\s*$|(?:or|and|xor)\s+\d+\s+(?:rlike|regexp|like|sounds\s+like|div|mod)\s+['\"]?\d)|\bor\s+not\s+(?:false|0|null)\b|^\s*\d+\s+div\s+0\s*$|^\s*\d+\s+escape\s+'[^']?'", _BLIND, STRONG, examples=("1 or(1)", "1 or 1 rlike 1", "1 or not false", "1 xor 1")),
    _sqli("quote_is", r"['\"]\s*is\s+(?:not\s+)?(?:true|false|null|unknown)\s*(?:--|#|/\*|;|\)|\bor\b|\band\b)", _BLIND, STRONG, examples=("' is true--", "' is not null or '1")),
    _sqli("statement_only", r"^\s*\(?\s*select\s+(?:(?:all\s+|distinct\s+)?(?:\*|[a-z]\w{0,20}\.\*)\s+from\s+[\w.\"`\[\]]+|[\w.\"`]+(?:\s*,\s*[\w.\"`]+){0,20}\s+from\s+[\"`\[]?(?:\w+\.)?(?:users|accounts|members|customers|admins?|administrators?|employees|credentials|passwords|logins|sessions|tokens|\w+_(?:users?|accounts|admin|members)|tbl\w+)[\"`\]]?)(?:\s+(?:as\s+)?\w+)?(?:\s+(?:where|limit|order|group|having|inner|left|right|join|fetch|offset)\b[^\r\n]{0,200})?\s*(?:\);?\s*|;\s*)?$", _OWASP, DECISIVE,
          prefilter=(r"\.\* from ", r" from [\"`\[]?(?:\w+\.)?(?:users|accounts|members|customers|admins?|administrators?|employees|credentials|passwords|logins|sessions|tokens|\w+_(?:users?|accounts|admin|members)|tbl\w+)(?:$|[\"`\]\x0b&; ])"),
          examples=("select * from users", "SELECT id, name FROM customers", "select password from users where id=1")),
    _sqli("number_condition", r"^[\s(]*-?\d[\d.]*[\s)]*(?:\b(?:or|and|xor)|\|\||&&)[\s(]*" + _ODD_OPERAND + r"|^[\s(]*-?\d[\d.]*[\s)]*\b(?:or|and|xor)[\s(]*" + _COMPARED_NAME
          + r"|^[\s(]*-?\d[\d.]*\s*(?:(?:\|\||&&)\s*(?:-?\d+\s*$|true\b|false\b|null\b|[a-z_][\w.]*\s*(?:=\s*['\"]?[\w.]+\s*)?$)|\s+xor\s+(?:true|false|null)\b|[\^|&]\s*\(\s*\d+\s*[=<>]|\)\s*(?:or|and|xor)\s*\(\s*-?\d|(?:or|and|xor)['\"`])|^\s*-?\d+\s+(?:or|and|xor)['\"`]|^\s*-?\d+\s+(?:rlike|regexp|sounds\s+like|ilike|glob)\s+['\"\d@(.]"
          r"|^\s*(?:0\s+or\s+0|1\s+or\s+1|2\s+or\s+2|3\s+or\s+3|4\s+or\s+4|5\s+or\s+5|6\s+or\s+6|7\s+or\s+7|8\s+or\s+8|9\s+or\s+9|-\d+\s+or\s+\d+)\s*$", _OWASP, CERTAIN,
          prefilter=(r"[=\x0b\"] ?-?\d+ (?:or|and|xor|rlike|regexp|ilike|glob) ?[.~!@$+\d\w('\"\\-]", r"[=\x0b\"]-?\d+ sounds like", r"\"-?\d+ ?(?:\|\||&&)", r"[=\x0b\"]-?\d+\^ ?\(", r"[=\x0b\"]-?\d+\) ?(?:or|and|xor) ?\("),
          examples=("1 or e'a'='a'", "1 or $$a$$=$$a$$", "1 OR x=x-- ", "1 or ~1", "1 or !0", "1 or .1", "1 or pi()", "1 or @a", "1||1", "1^(1=1)", "1 rlike 1", "1 or 1", "1)or(1", "7 && true")),
    _sqli("quoted_pattern", r"^[\w.@ -]{0,24}(?:'\s*(?:(?:not\s+)?(?:like|glob)\s*'\w{0,8}[%_*.^]|(?:not\s+)?(?:ilike|rlike|regexp|similar\s+to)\s*'|not\s+(?:like|glob)\s*'\w)[\w%_*.^$-]*$|\"\s*(?:(?:not\s+)?(?:like|glob)\s*\"\w{0,8}[%_*.^]|(?:not\s+)?(?:ilike|rlike|regexp|similar\s+to)\s*\"|not\s+(?:like|glob)\s*\"\w)[\w%_*.^$-]*$)", _OWASP, STRONG, prefilter=(r"['\"] ?(?:not )?(?:i?like|rlike|regexp|glob|similar to) ?\\?['\"]",),
          examples=("'like'a%", "'like'%", "' ilike '%", "' similar to '%", "x' not like '_%", '"like"%')),
    _sqli("stacked_statement", r"(?:^[\s(]*-?\d[\w.]{0,12}['\")\s]*|^[\w@.+-]{0,24}['\"][\s)]*);\s*" + _STATEMENT, _PATT, STRONG,
          prefilter=(r"['\"]\)? ?; ?(?:truncate|vacuum|handler|merge|call|attach|detach|set|lock|flush) ", r"['\"]\)? ?; ?(?:kill|reset|purge|analyze|optimize|repair|comment|reindex|discard|pragma) ", r"['\"]\)? ?; ?(?:vacuum|commit|rollback|shutdown|begin)[ ;]", r"[=\x0b\"]-?\d+\w*['\")]* ?; ?(?:truncate|vacuum|handler|merge|call|attach|detach|set|lock|flush|kill|reset|purge|analyze|optimize|repair|comment|reindex|discard)", r"[=\x0b\"]-?\d+\w*['\")]* ?; ?(?:deallocate|prepare|exec|pragma|do|start|alter|create|drop|import|install|load|rename|revoke|explain|values|table|with)", r"[=\x0b\"]-?\d+\w*['\")]* ?; ?(?:replace|upsert|declare|print|dbcc|backup|restore|listen|notify|use|begin|commit|rollback|savepoint|reconfigure|go|shutdown|checkpoint|abort|cluster)"),
          examples=("a'; truncate users; --", "a'; vacuum; --", "a'; pragma x=1; --", "1;truncate t", "1;vacuum", "1; call sys.x()", "1;set @a=0x73656c", "1;attach database '/var/www/x.php' as x", "1;commit", "1');flush privileges--")),
    _sqli("number_comment_logic", r"^[\s(]*-?\d+[\s'\")]*(?:(?:or|and|xor)\b|\|\||&&)\s*/\*[^*]{0,80}\*/\s*(?:not\s+)?(?:\d|true\b|false\b|null\b|['\"@(])", _BLIND, STRONG, examples=("1 or /*+ hint */ true", "1 and /*x*/ 1")),
    _sqli("number_equals_call", r"\b(?:and|or|xor|where|having)\s+\(?\d+\s*=\s*\(?(?:convert|cast|char|chr|ctxsys\.|dbms_|utl_|upper|concat|if|iif|case|ascii|length)\b\s*[(.]", _BLIND, STRONG, examples=(" AND 5650=CONVERT(INT,(SELECT CHAR(88)))",)),
    _sqli("cast_only", r"^\s*[a-z_][\w.]{0,40}::(?:(?:big|small)int|int[248]?|integer|numeric|varchar|regclass|double\s+precision|bytea|jsonb?)\s*(?:--.*)?$", "PostgreSQL manual: type casts", STRONG, examples=("password::int",)),
    _sqli("identified_by", r"\buser\s+[\w.@'\"%]+\s+identified\s+(?:by|with)\b", _PATT, CERTAIN, examples=("'create user name identified by 'pass123' --",)),
    _sqli("alter_only", r"^\s*;?\s*alter\s+table\s+[\w.`\"\[\]]+\s+(?:add|change|modify|drop|rename|alter|convert|engine)\b", _PATT, CERTAIN, examples=("ALTER TABLE `a` ADD `b` TEXT CHARACTER SET latin1",)),
    _sqli("schema_read", r"\bfrom\s+(?:information_schema|performance_schema|pg_catalog)\s*\.", _PATT, MEDIUM, examples=("from information_schema.",)),
    _sqli("number_logic_end", r"^[\s(]*-?\d+\)?\s+(?:or|and|xor)\s+(?:not\s+\d+\s*(?:$|[#;-])|-?\d+\s*(?:#|--|/\*|;|\s+limit\s+\d))", _BLIND, STRONG, examples=("1 or 2#", "1 or 2-- ", "1 or not 2", "1 or 1 limit 1")),
    _sqli("leading_statement", r"^\s*;\s*(?:insert\s+into\s+\w|update\s+[\w.`\"]+\s+set\s|delete\s+from\s+\w|drop\s+(?:table|database|view)\s|select\s+[\w*'\"@(])", _PATT, STRONG, examples=(";INSERT INTO table (col) VALUES", "; drop table users")),
    _sqli("list_call", r"^\s*,\s*(?:find_in_set|extractvalue|updatexml|sleep|benchmark|if|char|ascii|substr(?:ing)?|concat(?:_ws)?|group_concat|load_file|database|version|user|field|elt|greatest|least|convert|cast)\s*\(", _CRS, CERTAIN,
          prefilter=(r"[=\x0b\"] ?, ?(?:find_in_set|if|field|elt|greatest|least) ?\(",),
          examples=(", FIND_IN_SET('22', Category )", ",if(1=1,1,0)")),
    # A function of numbers where a number is asked for (priors.py).
    _sqli("number_call", r"^\s*-?(?:div|mod|pow(?:er)?|abs|ceil(?:ing)?|floor|round|sign|sqrt|exp|greatest|least|trunc(?:ate)?|bit_count|gcd|lcm)\s*\(\s*-?[\d.]+\s*(?:,\s*-?[\d.]+\s*)?\)\s*(?:--.*|#.*)?$", _BLIND, 0.3,
          prefilter=(r"[=\x0b\"] ?-?(?:div|mod|power|ceiling|sign|sqrt|greatest|least|trunc|truncate) ?\( ?-?\d", r"[=\x0b\"] ?-?(?:bit_count|gcd|lcm) ?\( ?-?\d"),
          examples=("div(23,-2)", "mod (7, 4)", "-abs(3)", "greatest(1,2)")),
    _sqli("mixed_case", r"\b(?:" + _mixed("union") + r"[\s/*+(]+(?:all[\s/*+(]+)?select|union[\s/*+(]+(?:all[\s/*+(]+)?" + _mixed("select") + r")\b", "sqlmap: randomcase", STRONG, examples=("UnIoN SeLeCt", "uNioN  all sElecT 1")),
    _sqli("doubled_keyword", r"(?:u|un|uni|unio)union(?:nion|ion|on|n)\b|(?:s|se|sel|sele|selec)select(?:elect|lect|ect|ct|t)\b", "PayloadsAllTheThings, SQL Injection: a word that is left when a filter has cut it out", CERTAIN,
          prefilter=(r"(?:u|un|uni|unio)union(?:nion|ion|on|n)", r"(?:se|sel|sele|selec|s)select(?:elect|lect|ect|ct|t)"),
          examples=("1 uniunionon selselectect 1", "1 ununionion sselectelect 2")),
    _sqli("select_glued", r"^[\s(]*select(?:\*|'[^']{0,20}'|\"[^\"]{0,20}\"|\(\s*[*\w]{1,20}\s*\))\s*from\b", _OWASP, CERTAIN, prefilter=(r"select\*", r"select['\"]", r"select\([*\w]+\) ?from"), examples=("select*from users", "select(name)from users", "select'a'from t")),
    _sqli("number_truth_sum", r"^\s*['\"]?-?\d+['\"]?\s*[-+*/%^|&]{1,2}\s*['\"]?(?:true|false)\b\s*(?:--.*|#.*|;.*)?$", _BLIND, CERTAIN, prefilter=(r"[=\x0b\"]-?\d+ ?[-*/%^|&]{1,2} ?(?:true|false)",), examples=("1-true", "1*false", "7 - false-- ")),
    # Only words follow the first quote, and the rest of the statement is cut off or its quote
    # opened again. A name is true unless it is a text or zero.
    _sqli("quote_names", r"^[^'\"`]{0,60}['\"]\s*\)*\s*(?:(?:(?:or|and|xor)\s+(?:not\s+)?[a-z_][\w.]{0,40}(?:\s+(?:notnull|isnull|collate\s+\w{1,20}|is\s+(?:not\s+)?(?:null|true|false)|(?:order|group)\s+by\s+[\w.,][\w., ]{0,39}|limit\s+\d{1,6}))?\s*|collate\s+\w{1,20}\s*|(?:order|group)\s+by\s+[\w.]{1,40}\s*(?:desc\s*|asc\s*)?|window\s+\w{1,20}\s+as\b[^'\"]{0,60}|(?:notnull|isnull)\s*|limit\s+\d{1,6}\s*)(?:(?:--|#|/\*)[\s\w+-]{0,12}|;\s*(?:--.{0,12})?|\s(?:(?:or|and)\s+\w{1,20}\s+)?(?:or|and)\s*['\"`])"
          r"|(?:or|and|xor)\s*(?:not\s+)?[\w.]{1,40}\s*(?:[<>=!]{1,3}|\b(?:or|and|xor|like|is|glob|regexp)\b)\s*['\"]\s*)$", _OWASP, CERTAIN,
          prefilter=(r"['\"] ?\)? ?(?:window \w|notnull|isnull|collate \w)", r"\\\" ?(?:or|and|xor|collate|window|group|order|limit|notnull) ?\w"),
          examples=("zed' or age --", "zed' or age or '", "ann' collate nocase --", "ann' window w as (order by id) --", '" or id or "', '"or title>"', "x' or name notnull --")),
    _sqli("scalar_subselect", r"^[\s('\"]{0,6}(?:-?\d[\d.]*|[\w.]+)['\"\s)]{0,4}(?:(?:\b(?:or|and|xor|like|in|between|not)|[,=<>+*/|&%-]{1,2})\s*){1,3}(?:exists\s*)?\(+\s*select\s+(?:[\w.*\"`]+|[^()]*\([^()]*\))\s+from\s+[\w.\"`\[]", _BLIND, CERTAIN,
          examples=("0 or (select secret from users limit 1) like 'S3%'", "title, (select secret from users limit 1)", "owner,(select max(pw) from users)")),
    _sqli("columns_from", r"^[\w.*\"`]+(?:\s*,\s*[\w.*\"`]+)*\s+from\s+[\w.\"`]+(?:\s+(?:where|limit|order|group|having)\b[^'\"]*)?\s*(?:--|/\*)[\s\w+-]{0,12}$", _OWASP, CERTAIN,
          prefilter=(r" from [\w.]+ ?(?:--|/\*)", r" from [\w.]+ (?:where|limit|order|group|having) [^'\"\x0b]+--"),
          examples=("secret from users --", "id, secret from users --", "secret from users where id = 1 --")),
    _sqli("quote_terms", r"^[^'\"`]*['\"]\s*\)*\s*(?:(?:or|and|xor)\s*(?:[-+~]\s*[a-z_]\w*|\[\w+\]|\.\d+|[a-z_][\w.]*\s*[-+*/%|&]\s*[\w.]+|[a-z_]\w*\s+(?:isnull\s+|notnull\s+)?(?:or|and)\s+\w+)\s*(?:--|#|/\*)[\s\w+-]*$|is\s+(?:not\s+)?['\"]$)", _OWASP, CERTAIN, prefilter=(r"['\"] ?is (?:not )?\\?['\"]",), examples=("zed' or -age --", "zed'or age+1 --", "zed' or [age] --", "ann' and age and name --", '" is not "')),
    _sqli("number_columns", r"^[\s(]*-?\d+\s*(?:[|&]\s*\d+\s*)?(?:(?:or|xor)\s*(?:\(+\s*" + _COLUMN + r"\s*\)+|\s" + _COLUMN + r"|\s(?:abs|length|hex|lower|upper|ascii|unicode|typeof|ifnull|coalesce)\s?\([\w., ]+\))\s*(?:(?:is|not)\s?null\s*|(?:not\s+)?like\s+\w+\s*|(?:not\s+)?between\s+\w+\s+and\s+\w+\s*)?(?:or\s+\d+\s*)?(?:$|(?:--|#|/\*)[\s\w+-]*$)|(?:or|and|xor)\s+\w+\s+(?:(?:not|is)null\b|(?:not\s+)?in\s*\(\s*['\d])|(?:or|and|xor)\s+['\"]\w*['\"]\s*[<>=]+\s*\(\s*select\b)", _BLIND, CERTAIN, prefilter=(r"[=\x0b\"]-?\d+ ?[|&] ?\d+ (?:or|xor)",), examples=("0 or id", "1 or rowid", "0 or(id)", "1 or id -- x", "1|0 or id", "0 or id in (1,2,3)", "0 or title like title", "0 or abs(id)", "0 or id between 1 and 3", "0 or 'S3' < (select a from b)")),
    _sqli("value_union", r"^[\s(]*(?:(?:-?(?:\d[\d.]*(?:e\d+)?|\.\d+)|null|true|false|''|\"\")['\")\s]*\s(?:union|except|intersect)\s+(?:all\s+|distinct\s+)?select\s[^;]+?[\s\]\"`*)']from[\s\[\"`(]"
          r"|[\w.'\")]+\s+union\s+(?:all\s+|distinct\s+)?select\s+(?:[\w.]*\*|[\w.'\"`|()]+\s*,)[^;]*?[\s\]\"`*)']from[\s\[\"`(])", _PATT, CERTAIN, prefilter=(r"null union ",), examples=("9 union all select id,name||'PW',pass from users--", "null union select a.*from users a", "0 union select pw from users")),
    # An operation of the database follows the first quote. A comment cuts off the rest of the
    # statement, or a quote opens again at once.
    _sqli("quote_operation", r"^[^'\"`]*['\"]\s*\)*\s*(?:"
          r"(?:(?:[<>=!]=|<>|<<|>>|[<>=|&+*%^])\s*[\w.\[\]]+|(?:is\s+(?:not\s+)?|not\s+|(?:is|not)null\s*)(?:distinct\s+from\s+)?(?:[=<>]{0,2}\s*[\w.]+)?|collate\s+\w+\s+(?:or|and)\s+[\w.]+|(?:or|and|xor)\s*(?:\.\d+|\[\w+\]))"
          r"(?:\s*(?:[<>=!|&+*%]{1,2}|\b(?:or|and|is|like)\b)\s*[\w.]+)?\s*;?(?:\s*(?:--|/\*)|\s+#)[\s\w+-]*"
          r"|(?:is\s+(?:not\s+)?distinct\s+from|not\s+(?:like|glob|regexp|in\s*\()|<>|!=|<=>)\s*['\"]\w{0,8})$", _OWASP, CERTAIN, prefilter=(r"['\"] ?(?:is|not) ?null", r"\\\" ?is (?:not |distinct )", r"\\\" ?not (?:null|like|glob|in)", r"\\\"(?:<>|!=|\[)"), examples=("' not null--", "'is not pass--", "'<>name--", "'collate nocase or 1--", "' is distinct from '", "O'=pass<1--", "it is over'<>'", "' or [id];--")),
    _sqli("value_condition", r"^[\s(]*(?:null|''|\"\"|(?:row)?id|oid)[\s)]*(?:(?:\bor\b|\|\|)[\s(]*(?:0x[\da-f]+|x'[\da-f]*'|(?:row)?id\s*$|[a-z_]\w*\s*(?:[<>=]|\s(?:not\s+)?(?:like|glob|between|in|is)\b|(?:not|is)null))"
          r"|in\s*\(\s*\w+\s*\)\s*(?:or|and)\b|(?:not|is)null\b)|^[\s(]*-?[\d.]+[\s)]*(?:\|\s*[a-z_]\w*\s+(?:not\s+)?(?:like|glob)\b|[<>=!]{1,2}\s*(?:row)?id\s+(?:(?:not|is)null|is|like)\b|\bis\s+(?:not\s+)?'[^']?'?\s*$|\bor\s+\d+\s+is\s+\d)", _BLIND, CERTAIN, prefilter=(r"null ?in ?\(", r"null (?:or|\|\|) ?id", r"id or 0x", r"id or x'", r"id or id", r"null\tor", r"null\\tor", r"id\) or id", r"'' ?(?:not|is)null", r"id ?(?:not|is)null"), examples=("id or 0x1", "null or id", "null in(id) or '1'", "'' notnull +1", "9|name like'%'", "1>=id notnull", "9 is not '1'", "id OR x'31'", "id or name like'%'")),
    _sqli("quote_statement", r"^(?:['`]\s*\)*\s*;?|\"\s*\)*\s*;)\s*(?:select\s+[\w*@(]|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|drop\s+(?:table|database)\s)[^'\"`]*$", _OWASP, STRONG, examples=("'select H", '";SELECT P', "';drop table x")),
    _sqli("case_only", r"^\s*case\s+when\s+[\w.=<>'()]+\s+then\s+\S", _BLIND, 0.5, examples=("case when a then b", "case when 1=1 then 1 else 0 end")),
    # Further columns of an UPDATE, further values of an INSERT, and columns before a FROM.
    _sqli("set_column", r"^[^'\"]*['\"]\s*(?:,\s*[\[\"'(]*[a-z_]\w*[\]\"']?(?:\s*,\s*\w+)*\s*(?:\)\s*)?=\s*(?:['\"(][^'\"]*(?:$|['\"]?\s*(?:--|#|where\b)|['\"]\s*,)|[\w.]+\s*(?:--|#|where\b))|where\s+(?:[\[\"'(]*[a-z_]\w*[\]\"')]?\s*(?:[=<>]|\s(?:like|in|is)\b)|\d+\s*(?:--|#))|(?:\s*,\s*(?:'[^']*'|[\w.]+))+\s*\)\s*(?:;\s*)?(?:--|#))", _OWASP, CERTAIN, prefilter=(r"\\\" ?, ?\[?\w+\]? ?= ?", r"\\\" where \w"), examples=("x',role='admin", "x', role='admin' --", "x' where name='admin'--", "x',[role]='admin", "x',role=name where id=1--", "hello','world',1);--")),
    _sqli("calls_from", r"^(?:(?:distinct|all)\s+[\w.]+|\w+\([\w*., ]*\)|\w+\.\w+)\s+from\s+[\w.]+(?:\s+\w+)?\s*--[\s\w+-]*$", _OWASP, CERTAIN, prefilter=(r" from [\w.]+ \w+ ?--",), examples=("max(pass) from users--", "distinct pass from users--", "u.pass from users u--")),
)
