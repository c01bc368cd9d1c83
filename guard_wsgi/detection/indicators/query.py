"""Queries in languages beside SQL: NoSQL, LDAP, XPath, XML entities, XSLT, GraphQL."""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
from __future__ import annotations

from string import ascii_lowercase

from guard_wsgi.detection.indicators.indicator import CERTAIN, DECISIVE, STRONG, WEAK, Family

_NOSQL = "PayloadsAllTheThings, NoSQL Injection; CWE-943"
_LDAP = "OWASP: LDAP Injection Prevention; RFC 4515; CWE-90"
_XPATH = "CWE-643; PayloadsAllTheThings, XPATH Injection"
_XXE = "OWASP: XML External Entity Prevention; CWE-611"
_XSLT = "PayloadsAllTheThings, XSLT Injection"
_CYPHER = "Neo4j Cypher manual; CWE-943"
_GRAPHQL = "OWASP: GraphQL Cheat Sheet"

_OPERATOR = r"(?:ne|eq|gte?|lte?|n?in|regex|where|exists|or|and|nor|not|type|mod|expr|jsonschema|text|all|size|elemmatch|options|comment|function|accumulator|lookup|func)"
_ATTRIBUTE = r"(?:uid|cn|sn|ou|dc|mail|objectclass|userpassword|gidnumber|uidnumber|givenname|memberof|samaccountname|userprincipalname|password|user|homedirectory|displayname|directory|department|description|telephonenumber|security_level|\w{1,20})"


_make = Family("query")

# fmt: off
# An operator of a document store in a name, as fixed text.
_OPERATORS = (
    *(rf"\.\${letter}[a-z]{{1,31}}[=\x0b]" for letter in ascii_lowercase),
    *(rf"\[\${letter}[a-z]{{1,31}}\][=\x0b]" for letter in ascii_lowercase),
    *(rf"{quote}:{blank}\{{{quote}\$[a-z]" for quote in (r"\"", r"\\\"") for blank in ("", " ")),
)

QUERY = (
    _make("nosql", "operator_key", r"\[\s*\$" + _OPERATOR + r"\s*\]|(?:^|[{,\s'\"])\$" + _OPERATOR + r"['\"]?\s*:", _NOSQL, STRONG, examples=('[$ne]=1',)),
    _make("nosql", "operator_name", r"^(?:[\w.]+\.)?\$(?:ne|gte?|lte?|n?in|regex|where|exists|or|and|nor|not|expr|elemmatch|func|jsonschema|function|accumulator|lookup|graphlookup|unionwith|out|merge)$", _NOSQL, STRONG, prefilter=(*_OPERATORS, r"[=\"\x0b\[]\$(?:lookup|graphlookup|unionwith|out|merge|accumulator)[\"\x0b\]\\]",), examples=('$gt', '$lookup', '$accumulator')),
    _make("nosql", "where_script", r"\$where\b|\bthis\.\w+(?:\.\w+\(.*?\))?\s*(?:==|!=|\.match|\.length|\[|=|>|<)|\bdb\.\w+\.(?:find|insert|remove|drop|update|aggregate)\w*\s*\(|\bdb\.(?:version|getcollectionnames|stats|injection|getname)\b|\btojson\s*\(|\bmapreduce\b|\bnew\s+date\s*\(\s*\)\s*;", _NOSQL, examples=('$where',)),
    _make("nosql", "shell_call", r"\bdb\.\w+\.(?:drop|insert\w*|remove|delete\w*|update\w*|dropdatabase)\s*\(|\btojson\s*\(\s*this\b|['\"]\s*\}\s*\)\s*;", _NOSQL, STRONG, examples=('tojson(this)',)),
    _make("nosql", "quote_logic", r"['\"]\s*(?:\|\||&&)\s*(?:['\"\d]|this\b|true|\w+\s*==)|['\"]\s*;\s*return\s+|\breturn\s*\(?\s*(?:true\b|false\b|this\b|!)|['\"]\s*\}\s*[,)]\s*\$|['\"]\s*\}\s*\]|,\s*\$(?:or|where)\b|\bsleep\s*\(\s*\d+\s*\)\s*[;}]|\{\s*\$gt\s*:|\{\s*\$ne\s*:|\bwhile\s*\(\s*1\s*\)|['\"]\s*==\s*['\"]", _NOSQL, examples=("'||true",)),
    _make("nosql", "store_command", r"(?:^|[\r\n])(?:\*\d+\r?\n\$\d+\r?\n|flushall\b|flushdb\b|config\s+(?:set\s+[\w-]+\s+\S|get\s+(?:[\w-]*\*|dir\b|dbfilename\b|requirepass\b)|rewrite\b|resetstat\b)|eval\s+['\"]\s*(?:return|local|redis|for|while|if)\b|slaveof\s|replicaof\s|set\s+\S+\s+\d+\s+\d+\s+\d+\s*[\r\n])|\bredis\.p?call\s*\(", "CWE-93: commands of Redis and memcached between line ends", STRONG, prefilter=(r"[=\x0b\"]eval ?\\?['\"] ?(?:return|local|redis|for|while|if) ", r"[=\x0b\"]config (?:set|get|rewrite|resetstat)"), examples=('EVAL "return redis.call(\'get\',\'x\')" 0', 'EVAL "return 1" 0', 'CONFIG GET *')),
    _make("ldap", "filter_break", r"\)\s*\(\s*[|&!]|\*\s*\)\s*\(|\)\s*\(\s*" + _ATTRIBUTE + r"\s*(?:=|~=|>=|<=|<|>|~)|\(\s*[&|!]\s*\(\s*\w+\s*[~<>]?=|\*\)\s*\)|\)\s*[&|!]\s*\(\s*\w*\s*=|\)\s*[&|]\s*\(\w|\*\s*\(\s*\||\)\s*\(\s*!\s*\(", _LDAP, STRONG, examples=('*)(&',)),
    _make("ldap", "filter_star", r"^[\w.\s]{0,20}\*\s*\)|\*\s*\)\s*(?:\(|\)|%00|\x00|&|\|)|^[^(]*\*\s*\)\s*$|^\s*\(\s*\w+[~<>]?=\*\s*\)\s*$|\(\s*(?:uid|cn|sn|ou|objectclass|mail|userpassword|samaccountname)\s*[~<>]?=|\bobjectclass\s*[~=]|\)\s*\(\s*\|?\s*$|\(\|\s*\(|^\*(?:\)|\||&)|\(\s*&\s*\(|\)\s*\(\s*%?\s*&|\|\s*\(\s*\w+\s*=\s*\*|\)\s*\(\s*[a-z]+\s*=|^[&|!]*[(*)][(*)&|!]+", _LDAP, examples=('() {',)),
    _make("ldap", "filter_escape", r"\\2[89a].{0,24}\\2[89a]", _LDAP, STRONG, examples=('\\2a\\29\\28uid=\\2a',)),
    _make("ldap", "filter_noise", r"^\*\(\)\|&|^[*&|!'\"\\]*[()][*()&|!'\"\\]{4,}$", _LDAP, STRONG, examples=("*()|&'",)),
    _make("xpath", "axis", r"\b(?:child|parent|ancestor|descendant|following|preceding|self|attribute|namespace)(?:-or-self|-sibling)?::|\b(?:name|count|position|node|text|comment|last|string-length|substring|starts-with|contains|local-name|namespace-uri|doc|string|concat|codepoints-to-string|string-to-codepoints|normalize-space|translate|document-uri|encode-for-uri)\s*\(\s*(?:/|\.|child|//|\(|@|\)\s*[=<>/]|name\(|parent)", _XPATH, examples=('child::node())',)),
    _make("xpath", "path_predicate", r"//\w+\[|//\*|/\*\[|\]\s*\|\s*(?:/|\w)|['\")]\s*\]\s*[|/]|\[\s*(?:\d+|@\w+|\w+\s*\(\s*\)|last\(\))\s*[\]=]|/text\(\)|/node\(\)|\bor\s+(?:position|name|count|last|node)\s*\(|user/(?:\*|text|name)|\]\s*/\w+\[|\bposition\(\)\s*=", _XPATH, examples=('$__[@o](6)',)),
    _make("xml", "entity", r"<!entity\b|!entity\s+%\s*\w+\s+(?:system|public)\b|<!\[%|%\w+;\s*(?:%\w+;|\]|>)", _XXE, STRONG, examples=('<!ENTITY a0 "dos" >',)),
    _make("xml", "doctype_subset", r"<!doctype[^>\[]{1,200}(?:\[|\bsystem\b|\bpublic\b[^>]*https?://(?!)|\bsystem\s*['\"])".replace(r"|\bpublic\b[^>]*https?://(?!)", ""), _XXE, STRONG, examples=('<!DOCTYPE data [',)),
    _make("xml", "public_path", r"<!(?:doctype|entity)[^>]{1,200}\bpublic\s*(?:\"[^\"]*\"|'[^']*')\s*['\"](?:[/\\]|\.\.|[a-z]:[/\\]|[^'\":?]*/[^'\":]*['\"])", _XXE, CERTAIN, examples=('<!DOCTYPE r PUBLIC "-//W3C//DTD XHTML 1.0//EN" "/tmp/x.dtd"><r/>', '<!DOCTYPE r PUBLIC "x" "uploads/1.dtd"><r/>')),
    _make("xml", "doctype", r"<!doctype\b|<!(?:element|attlist|notation)\b", _XXE, WEAK, examples=('<!DOCTYPE data [',)),
    # HTML and SVG documents name www.w3.org; a parser fetches any other public identifier.
    _make("xml", "public_identifier", r"<!(?:doctype|entity)[^>]{1,200}\bpublic\s*(?:\"[^\"]*\"|'[^']*')\s*['\"](?:file|ftp|php|https?://(?:[a-vx-z\d]|w[a-vx-z]|www\.(?:[a-vx-z]|w[^3])))", _XXE, STRONG, examples=('<!DOCTYPE r PUBLIC "-//A//B//EN" "http://c4f1x9.oast.example/x.dtd"><r/>',)),
    _make("xml", "system_identifier", r"\bsystem\s+['\"](?:file|https?|ftp|php|gopher|jar|expect|netdoc|data|\w+:)?[/:\w.]", _XXE, STRONG, examples=("@{[system 'id']",)),
    _make("xml", "xinclude", r"<xi:include\b|xmlns:xi\s*=|http://www\.w3\.org/2001/xinclude|xsi:schemalocation\s*=\s*['\"][^'\"]*https?://\d", _XXE, STRONG, examples=('<foo xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include parse="text" href="file:///etc/passwd"/></foo>',)),
    _make("xml", "stylesheet", r"<xsl:\w+|xmlns:xsl\b|http://www\.w3\.org/1999/xsl|<\?xml-stylesheet\b|system-property\s*\(|xmlns:(?:php|java|rt|exploit|msxsl|user|ptswarm|os|date)\s*=|php:function|<msxsl:", _XSLT, STRONG, examples=("php:function('scandir', '.')",)),
    _make("xml", "split_cdata", r"<!\[cdata\[[^\]]{0,4}\]\]>", _XXE, STRONG, examples=("<![CDATA[<]]>script<![CDATA[>]]>alert('xss')<![CDATA[<]]>/script<![CDATA[>]]>",)),
    _make("xml", "soap_inject", r"<soap(?:env)?:(?:envelope|header|body)[^>]*>.*?<!--|</\w+>\s*<(?:role|admin|price|id|isadmin|userid)>", "CWE-91: XML injection", WEAK, prefilter=(r"</\w+> ?<(?:role|admin|isadmin|userid)>",), examples=("</id><role>admin",)),
    _make("graphql", "introspection", r"\b__schema\b|\b__typename\b.{0,80}__typename|\b__type\s*\(|introspectionquery", _GRAPHQL, examples=('{__type(name:"User"){fields{name}}}',)),
    _make("graphql", "alias_flood", r"(?:\w+\s*:\s*(?:login|auth\w*|user|__typename)\b[^:]*){4}", _GRAPHQL, examples=('a:login(x) b:login(x) c:login(x) d:login(x)',)),
    _make("graphql", "directive_flood", r"(?:@\w+\s*){6}", _GRAPHQL, examples=('@a@a@a@a@a@a@a@a@a@a@a@a',)),
    # A document with nothing else. Its sender tests whether the app fetches the address.
    _make("xml", "lone_schema", r"^\s*<[\w:.-]{1,32}\s[^<>]*schemalocation\s*=\s*(?:'[^'<>]*https?://[^'<>]*'|\"[^\"<>]*https?://[^\"<>]*\")[^<>]*(?:/>|>[^<>]{0,32}</[\w:.-]{1,32}\s*>)\s*$", "CWE-918: schemas that are fetched", 0.6,
          examples=("<a xmlns='http://a.b/' xsi:schemaLocation='http://a.b/ http://x.example/a.xsd'>a</a>",)),
    _make("xml", "schema_location", r"schemalocation\s*=\s*['\"][^'\"]{0,200}(?:file:|ftp:|\\\\\\\\|/etc/|//(?:127\.|localhost|169\.254|10\.|192\.168|0x|\[))|xsi:nonamespaceschemalocation\s*=\s*['\"]\s*(?:https?|ftp|file):", "CWE-611, CWE-918: schemas that are fetched", STRONG,
          prefilter=(r"schemalocation ?=",),
          examples=("<a xsi:schemaLocation=\"x file:///etc/passwd\"/>", "<a xsi:noNamespaceSchemaLocation='http://evil.example/x.xsd'/>")),
    _make("nosql", "graph_statement", r"\bdetach\s+delete\b|\bmatch\s*(?:\w+\s*=\s*)?\([^()]*\)\s*(?:<?-|return\b|where\b|set\b|delete\b|detach\b|with\b|remove\b|create\b|merge\b|call\b)|\breturn\s+[\w.*]+\s+union\s+(?:all\s+)?match\b", _CYPHER, CERTAIN,
          prefilter=(r"detach delete", r"match ?\(", r"match \w+ ?= ?\(", r" union (?:all )?match"),
          examples=("MATCH (n) DETACH DELETE n", "MATCH (u:User) WHERE u.name='x' RETURN u", "match (a)-[r]->(b) delete r", "MATCH p=(a)-->(b) RETURN p")),
    _make("nosql", "graph_clause", r"\bload\s+csv\s+(?:with\s+headers\s+)?from\b|\bcall\s+(?:db|dbms|apoc|algo|gds)\.\w|\bunwind\s+(?:\[[^\]\[]*\]|[^\s;\[]+)\s+as\s+\w+\s+(?:return|match|create|merge|with|call|foreach)\b|^\s*(?:create|merge)\s*\(\s*\w*\s*:\s*\w+\s*(?:\{|\))", _CYPHER, CERTAIN,
          prefilter=(r"load csv ", r"call (?:db|dbms|apoc|algo|gds)\.", r"unwind [\[$\w]", r"(?:create|merge) ?\( ?\w* ?:"),
          examples=("LOAD CSV FROM 'http://evil.example' AS x RETURN x", "CALL db.labels()", "MERGE (n:Admin {name:'x'})", "UNWIND [1] AS x RETURN x")),
    _make("nosql", "graph_break", r"^[^'\"]*['\"]\s*[})\]]*\s*(?:return|with|match|set|remove|detach|delete|call|union|where|or|and)\b.*//\w*\s*$|^[^'\"]*['\"]?\s*\}\s*\)\s*(?:return|detach|delete|set|with)\s+[\w.*]+\s*(?://|$)", "Neo4j knowledge base: protecting against Cypher injection", STRONG,
          prefilter=(r"['\"})] (?:return|with|match|set|remove|detach|delete|call) ", r"\) ?return \w"),
          examples=("' RETURN n UNION MATCH (m:User) RETURN m//", "'}) RETURN n//", "' WITH 1 AS x CALL db.labels() YIELD label RETURN label//")),
    _make("nosql", "gremlin", r"\bg\.(?:v|e)\([^()]*\)\s*\.\s*\w+\s*\(|^\s*g\.(?:v|e)\([^()]*\)\s*;?\s*$|\bg\.(?:addv|adde|inject|io|tx)\(\s*['\")\d]|\)\s*\.\s*(?:drop|iterate|tolist|sideeffect)\s*\(\s*\)|['\")]\s*\)\s*\.\s*(?:v|e)\(\s*\)", "Apache TinkerPop documentation; CWE-943", DECISIVE,
          prefilter=(r"g\.[ve]\(", r"g\.(?:add[ve]|inject|io|tx)\(", r"\)\.(?:drop|iterate|tolist|sideeffect)\( ?\)"),
          examples=("g.V().drop()", "g.V()", "g.V().has('name','x').values('password')", "').iterate();g.V().drop()", "').drop()", "g.addV('user').property('admin',true)")),
    _make("xpath", "union_break", r"(?:['\"]\s*\)?|^)\s*\]\s*\|\s*/|['\"]\s*\|\s*/{1,2}(?:\*|[\w-]+)", _XPATH, STRONG,
          prefilter=(r"\] ?\| ?/", r"['\"] ?\| ?/", r"\\\" ?\)? ?\]? ?\| ?/"),
          examples=("'] | //user/*[1]|a['", "')] | //node()[('", "' | //user/*[1]|a['", '"] | //password | a["', '] | //a | b[')),
    _make("nosql", "where_match", r"^[\s'\"|&]{0,12}(?:return\s+)?!?this\.\w{1,30}\.(?:match|test|search)\s*\(\s*/", _NOSQL, STRONG, prefilter=(r"this\.\w{1,30}\.(?:match|test|search) ?\( ?/",), examples=("this.password.match(/^a/)", "' || this.name.match(/.*/)")),
    _make("nosql", "object_end", r"^[\s'\"]{0,4}\}\s*,\s*\{?\s*['\"]?\$?\w{1,30}['\"]?\s*:\s*(?:/|\{\s*['\"]?\$)", _NOSQL, CERTAIN, prefilter=tuple(f"{start}{quote}{blank}}}{after}," for start in ("=", r"\x0b") for quote in ("", "'", r"\"") for blank in ("", " ") for after in ("", " ")), examples=("}, { password : /.*/ }", "'}, $or: {$gt: 1}")),
    _make("xpath", "quoted_step", r"^[^'\"]{0,60}['\"]\s*[\])]{0,2}\s*(?:or|and)\s*(?:\.{1,2}(?:/[\w*]{1,20})?|/{1,2}[\w*@]{1,30}|@\w{1,30}|\*|\w{1,30}\(\))\s*(?:(?:or|and)\s*['\"]|[=|\]<>])", _XPATH, CERTAIN, prefilter=(r"['\"] ?(?:or|and) ?[./@*]",), examples=("'or .or'", '"or//*or"', "\"or@id or\"", "x' or ../* or '")),
    _make("nosql", "this_in_quotes", r"['\"]\s*(?:\|\||&&|;)\s*!?this\.\w{1,30}\s*(?:\|\||&&|;|//|==)", _NOSQL, CERTAIN, examples=('"||this.password||"', "' && this.a == '")),
    # Two lines in a value: text of people has sentences in them.
    _make("nosql", "store_line", r"[\r\n]\s*flush_all\b|^\S*\r?\n[ \t]*(?:set|get|del|keys|incr|decr|eval|append|rename|sadd|lpush|hset|config)(?:[ \t]+\S+)+[ \t]*\r?\n\s*$", "CWE-93: commands of Redis and memcached between line ends", STRONG, prefilter=(r"\nflush_all", r"\\nflush_all", r"\n(?:set|get|del|keys|incr|decr|eval|append|rename|sadd|lpush|hset|config) ", r"\\n(?:set|get|del|keys|incr|decr|eval|append|rename|sadd|lpush|hset|config) "), examples=("x\r\nflush_all\r\n", "\r\nSET a b\r\n")),
)
