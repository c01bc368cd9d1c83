"""Cross-site scripting: what a browser runs, found in tags, attributes, URLs and bare script."""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
from __future__ import annotations

from guard_wsgi.detection.indicator import CERTAIN, MEDIUM, STRONG, WEAK, Indicator

_CWE = "CWE-79"
_EVASION = "OWASP: XSS Filter Evasion Cheat Sheet"
_PATT = "PayloadsAllTheThings, XSS Injection"
_HTML = "WHATWG HTML: event handlers, the tokenizer"
_CRS = "idea of the CRS 941 family"


def _xss(
    name: str, pattern: str, source: str, prior: float = MEDIUM, trigger: bool = True
) -> Indicator:
    return Indicator("xss." + name, "xss", pattern, source, prior, trigger)


_SINK = (
    r"(?:alert|prompt|confirm|eval|settimeout|setinterval|fetch|atob|btoa|expression|execscript"
    r"|importscripts|msgbox|print|navigate|createelement|getelementbyid|queryselector)"
)

# fmt: off
MARKUP = (
    _xss("script_tag", r"<[\s/\x00]*script\b", _CWE, STRONG),
    _xss("script_close", r"</\s*script\b", _CWE),
    _xss("script_tag_odd", r"<[^\s>a-z]{0,3}(?:s[\s\x00/]*c[\s\x00/]*r[\s\x00/]*i[\s\x00/]*p[\s\x00/]*t)", _EVASION),
    _xss(
        "event_attribute",
        r"<[a-z!?/][^>]*[\s/\"'`\x00-\x20]on[a-z]{3}[a-z]*[\s\x00-\x20/]*=",
        _HTML,
        STRONG,
    ),
    _xss("event_bare", r"(?:^|[\s\"'`/;>\x00-\x20&])on(?:abort|activate|afterprint|animation\w+|auxclick"
         r"|before\w+|begin|blur|bounce|canplay\w*|change|click|close|contextmenu|copy|cut|dblclick"
         r"|drag\w*|drop|end|ended|error|finish|focus\w*|formdata|fullscreenchange|hashchange|input"
         r"|invalid|key(?:down|press|up)|load\w*|message|mouse\w+|offline|online|page\w+|paste"
         r"|play\w*|pointer\w+|popstate|progress|propertychange|readystatechange|repeat|reset"
         r"|resize|scroll\w*|search|seek\w+|select\w*|show|start|submit|suspend|toggle|touch\w+"
         r"|transition\w+|unhandledrejection|unload|volumechange|waiting|webkit\w+|wheel)"
         r"[\s\x00-\x20/]*=", _HTML, 0.9),
    _xss("event_quoted_break", r"[\"'`][\s/>]*on[a-z]{4,20}\s*=", _EVASION, STRONG),
    _xss("javascript_url", r"j[\s\x00-\x20]*a[\s\x00-\x20]*v[\s\x00-\x20]*a[\s\x00-\x20]*s[\s\x00-\x20]*c"
         r"[\s\x00-\x20]*r[\s\x00-\x20]*i[\s\x00-\x20]*p[\s\x00-\x20]*t[\s\x00-\x20]*"
         # What follows is code, or it stands where an address does: "JavaScript: The Good Parts" is a book.
         r":(?:\s{0,3}(?:[^\s\w]|\w[\w.$]{0,40}\s?[(`=\[.;%/+,&|])|[\t\r\n])"
         r"|(?:^[\s\"'(]{0,4}|=\s{0,3}[\"'`]?|url\(\s{0,3}[\"']?)j[\s\x00-\x20]*a[\s\x00-\x20]*v[\s\x00-\x20]*a[\s\x00-\x20]*s[\s\x00-\x20]*c"
         r"[\s\x00-\x20]*r[\s\x00-\x20]*i[\s\x00-\x20]*p[\s\x00-\x20]*t[\s\x00-\x20]*:(?:\S|$)", _EVASION, STRONG),
    _xss("vbscript_url", r"(?:vbscript|livescript|mocha|jscript)[\s\x00-\x20]*:", _EVASION, STRONG),
    _xss("data_url_active", r"data\s*:\s*(?:text/(?:html|xml|javascript)|image/svg\+xml|application/"
         r"(?:x-)?(?:javascript|xhtml\+xml|xml))?\s*[;,]", _EVASION),
    _xss("data_url_html", r"data\s*:\s*(?:text/(?:html|javascript|xml)|application/(?:x-javascript|xhtml\+xml))", _EVASION, STRONG),
    _xss("active_tag", r"<[\s/\x00]*(?:i?frame|frameset|object|embed|applet|svg|math|meta|link|base|isindex"
         r"|xml|xss|bgsound|layer|ilayer|marquee|keygen|portal|animate|set|foreignobject|noscript"
         r"|template|handler|listener|import|htmlfile)[\s/>\x00-\x20]", _EVASION),
    _xss("document_tag", r"<[\s/\x00]*(?:html|head|body|style|title)[\s/>\x00-\x20]", _HTML, 0.4),
    _xss("media_tag", r"<[\s/\x00]*(?:img|image|video|audio|source|input|button|form|textarea|select|details"
         r"|isindex|track|picture|canvas|object|map|area)[\s/\x00-\x20]", _EVASION, WEAK),
    _xss("tag_slash", r"<[a-z]+/+[a-z]+\s*=", _EVASION, 0.9),
    _xss("tag_any", r"<[a-z!?/][a-z0-9:_-]*(?:[\s/>]|$)", _HTML, 0.1),
    _xss("tag_custom_event", r"<\w+[^>]*\s(?:style|tabindex|autofocus|contenteditable|id)\b[^>]*on\w+\s*=", _PATT),
    _xss("quote_then_tag", r"^[^<>]*[\"'`]\s*/?>\s*<", _EVASION),
    _xss("close_then_tag", r"</(?:title|textarea|style|noscript|script|iframe|xmp|noembed|template|select|option|a|div|p|svg|math)\s*>\s*<", _PATT, WEAK),
    _xss("cdata", r"<!\[cdata\[", _PATT, WEAK),
    _xss("comment_tag", r"<!--", _EVASION, WEAK),
    _xss("active_attribute", r"<[a-z][^>]*[\s/\"'](?:srcdoc|formaction|xlink:href|data|action|background|dynsrc"
         r"|lowsrc|poster|code|codebase|manifest|allowscriptaccess|http-equiv|attributename|folder)\s*=", _EVASION),
    _xss("style_expression", r"expression\s*\(|-moz-binding|behaviou?r\s*:\s*url|@import\b|url\s*\(\s*['\"]?\s*javascript", _EVASION, 0.9),
    _xss("style_attribute", r"<[a-z][^>]*[\s/\"']style\s*=", _EVASION, WEAK),
    _xss("sink_call", r"(?:^|[^\w.])" + _SINK + r"\s*(?:\(|`|\.(?:call|apply|bind)\b)", _PATT),
    _xss("sink_argument", r"\b(?:alert|prompt|confirm)\s*[(`]\s*(?:[\d'\"/`)]|(?:document|location|window|this)\s*[.\[])|\b(?:alert|prompt|confirm)[(`](?:document|location|window|origin|string|this|xss|name|cookie)\b", _PATT, STRONG),
    _xss("timer_string", r"\bset(?:timeout|interval)\s*\(\s*['\"`]", _PATT, STRONG),
    _xss("probe_exact", r"<'\">|<\"'>|['\"]{1,2}<'\">", "sqlmap: characters that show whether output is encoded", STRONG),
    _xss("probe", r"<['\"]{1,2}>|['\"]{1,2}<['\"]{1,2}|<[\"'][>)(]|[\"']>[\"'(]", "sqlmap and ZAP: characters that show whether output is encoded", 0.8),
    _xss("sink_indirect", r"\b(?:alert|prompt|confirm|eval|fetch|print)\b\s*\)\s*[(`]|[\[(]\s*['\"`](?:alert|prompt|confirm|eval|constructor)"
         r"['\"`]\s*[\])]|['\"]al['\"]\s*\+|\bal['\"]\s*\+\s*['\"]ert", _PATT, STRONG),
    _xss("sink_as_value", r"(?:=|\bthrow\b|,|\|\||&&|;)\s*(?:alert|prompt|confirm|eval)\s*(?:[,;)]|$)", _PATT, 0.9),
    _xss("sink_unicode", r"\\u00(?:61|41)lert|\\u0061|\\x61lert|al\\u0065rt|\\141lert", _EVASION, STRONG),
    _xss("document_property", r"\bdocument\s*\.\s*(?:cookie|write(?:ln)?|domain|location|body|url|referrer|forms|scripts|documentelement"
         r"|implementation|all|head|execcommand|defaultview|createelement|getelement\w+|queryselector\w*|title)\b", _PATT),
    _xss("cookie_theft", r"(?:[=(+,;{:!&|?\[]|^|\breturn|\$)\s*[\"'`]?(?:\w+\.)?document\s*\.\s*cookie|document\s*\.\s*cookie\s*(?:[=(+;,)\].}'\"`<|&]|$)|document\s*\[\s*['\"]cookie", _PATT, STRONG),
    _xss("window_property", r"\b(?:window|self|top|parent|frames|globalthis|this)\s*(?:\.\s*(?:location|name|open|onerror|onload|eval|alert|document"
         r"|atob|opener|parent|constructor)\b|\[\s*['\"`/(+\d])", _PATT),
    _xss("location_assign", r"\b(?:location|location\.(?:href|hash|search|pathname))\s*=|\blocation\s*\.\s*(?:replace|assign)\s*\(", _PATT, MEDIUM),
    _xss("storage", r"\b(?:local|session)storage\s*(?:\.|\[)", _PATT, WEAK),
    _xss("dom_write", r"\b(?:inner|outer)html\s*\+?=|insertadjacenthtml|\.srcdoc\s*=|\.write\s*\(", _PATT),
    _xss("from_char_code", r"fromcharcode|fromcodepoint|\bunescape\s*\(|\bdecodeuri(?:component)?\s*\(", _EVASION, 0.9),
    _xss("function_constructor", r"\bnew\s+function[(`]|\bfunction\s*\(\s*['\"`]|\[\s*['\"`]?constructor['\"`]?\s*\]|"
         r"\.constructor\s*(?:\(|\.\s*constructor|\[)|\bconstructor\.constructor\b|\bfunction`|\breflect\.(?:construct|apply|get)", _PATT, MEDIUM),
    _xss("constructor_call", r"\bconstructor\.constructor\b|\.constructor\s*\(\s*\\?['\"`]", _PATT, STRONG),
    _xss("immediate_function", r"\(\s*function\s*\(\s*\)\s*\{|\(\s*\(\s*\)\s*=>|=>\s*(?:alert|eval|fetch|\{)|\bfunction\s*\(\s*\w?\s*\)\s*\{", _PATT),
    _xss("jsfuck", r"(?:\[\]|!\[\]|\+\[\]|!!\[\]|\(!\+|\{\}\+){3,}|\[[\[\]()!+]{11,}", "jsfuck.com", STRONG),
    _xss("js_break", r"[\"'`]\s*[;)}\]]+\s*(?:alert|prompt|confirm|eval|settimeout|setinterval|fetch\s*\(|var\s|document|window|location|function|//|throw)", _EVASION, STRONG),
    _xss("js_operator_sink", r"[\"'`]\s*(?:[-+*/^|&%,?:]+\s*(?:alert|prompt|confirm|eval|fetch)\b|[-+*/^|&%,?]+[ \t]*print[(`])", _PATT, STRONG),
    _xss("js_close_script", r"</script|<\\/script|\*/\s*<|//\s*--\s*>", _PATT, WEAK),
    _xss("iife_import", r"\bimport\s*\(\s*['\"`]|\brequire\s*\(\s*['\"`](?:child_process|fs|net|http|os|vm)", _PATT),
    _xss("xhr", r"\bnew\s+(?:xmlhttprequest|activexobject)\b|\bnew\s+(?:image|websocket|worker)\s*(?:\(|\)\s*\.)|\bnavigator\s*\.\s*(?:sendbeacon|serviceworker)|\$\.(?:get|post|getscript|ajax)\s*\(", _PATT, 0.9),
    _xss("fetch_url", r"\bfetch\s*\(\s*['\"`](?:https?:)?//", _PATT, STRONG),
    _xss("angular", r"\bng-(?:app|init|csp|click|mouse\w+|focus|include|bind-html|on-\w+)\b|\bv-(?:html|on:|bind:)|\bx-(?:data|init|html|on:)\S*\s*=|"
         r"\{\{\s*(?:constructor|\$on|\$eval|toString|'a'\.constructor|\w+\s*=)", _PATT),
    _xss("meta_refresh", r"<meta[^>]+(?:http-equiv\s*=?\s*['\"]?\s*(?:refresh|set-cookie|link\b)|content\s*=\s*['\"]?\s*\d+\s*;\s*url|charset\s*=\s*['\"]?\s*(?:utf-7|mac-farsi|x-mac))", _EVASION, STRONG),
    _xss("utf7", r"\+ad[w4][-a-z]|\+/v[89+/]|¼script", _EVASION, STRONG),
    _xss("entity_hidden", r"&(?:tab|newline|colon|lpar|rpar|comma|period|excl|quest|lbrace|grave|bsol|sol);|&#x?0{0,8}(?:6a|4a|3c|3e|28|29|60|62|106|74|40|58|3a)\b;?", _EVASION, 0.9),
    _xss("iso_start", r"^\s*[\"'`]?\s*/?>\s*<\s*\w", _EVASION),
    _xss("polyglot", r"-->\s*<|\*/\s*-->|</(?:title|style|textarea|script)/*[^>]*>\s*/?-*!?>?", _PATT, WEAK),
    _xss("external_script", r"<[^>]+\bsrc\s*=\s*['\"`]?\s*(?:https?:)?(?://|\\\\)[^>]+\.js\b", _PATT),
    _xss("template_literal_call", r"\b(?:alert|prompt|confirm|eval|settimeout|setinterval)`", _PATT, STRONG),
    _xss("sink_only", r"^[\s'\"(=;]*(?:(?:window|self|top|parent|frames)\s*\.\s*)?(?:alert|prompt|confirm|eval|set(?:timeout|interval|immediate)|atob|btoa|fetch|execscript|importscripts|unescape|document\.write(?:ln)?)\([^)]*\)[\s;'\")]*$", _PATT, STRONG, False),
    _xss("property_only", r"^[\s'\"=(.]*(?:(?:window|self|top|parent)\s*\.\s*(?:location|name|document|opener|onerror)|document\s*\.\s*(?:cookie|domain|location|body|referrer|write(?:ln)?))(?:\s*\.\s*\w+)*[\s'\"=);.]*$", _PATT, STRONG, False),
    _xss("function_only", r"^\s*new\s+function\((?:[^<]|$)", _PATT, STRONG, False),
    _xss("event_only", r"^[\s'\"`<>/]*on[a-z]{4,44}\s*=\s*\S{0,1}\s*$", _HTML, STRONG, False),
    _xss("attribute_break", r"^\s*['\"`][\s/>]*(?:formaction|srcdoc|xlink:href|autofocus|style|href|src|background|action)\s*=", _EVASION, 0.9, False),
    _xss("spaced_tag", r"</?\s?[a-z](?:[\s/\x00]+[a-z]\b){3,}", _EVASION, STRONG),
    _xss("us_ascii", r"\xc2\xbc\s*/?[a-z]{2,}.{0,80}\xc2\xbe|\\xbc\s*/?[a-z]{2,}.{0,80}\\xbe", "OWASP: XSS Filter Evasion Cheat Sheet, US-ASCII encoding", STRONG),
    _xss("array_call", r"\]\s*\.\s*\w+\s*\.\s*(?:call|apply|bind)\s*[`(]", _PATT, STRONG),
    _xss("entity_in_word", r"[a-z]&(?:tab|newline|nbsp|shy|zwj|zwnj);[a-z]{2,}", _EVASION, STRONG),
    _xss("link_script", r"<link\b[^>]*(?:\.js\b|javascript)", _EVASION, STRONG),
    _xss("not_array", r"!\s*\[\s*\]\s*(?:$|[\])+,])", "jsfuck.com", 0.8),
    _xss("import_url", r"\bimport\s*\(\s*['\"`](?:https?:)?//", _PATT, STRONG),
    _xss("namespace_tag", r"<(?:svg|html|xhtml|math):[a-z]", _EVASION, MEDIUM),
    _xss("css_escapes", r"(?:\\00[2-7][0-9a-f]\s?){3,}", _EVASION, STRONG),
    _xss("mhtml_url", r"=\s*['\"]?mhtml:|classid\s*=\s*['\"]?clsid:", _EVASION, STRONG),
    _xss("dom_assign", r"\bdocument\s*\.\s*(?:query\w+|getelement\w+|createelement|body|forms|images|links)\b.{0,80}?\.\s*(?:textcontent|innertext|innerhtml|outerhtml|src|href|value|action|style)\s*=", _PATT, STRONG),
    _xss("tagged_call", r"\.\s*(?:call|apply)\s*`", _PATT, STRONG),
    _xss("vml_frame", r"<\w+:vmlframe\b", _EVASION, CERTAIN),
    _xss("script_loop", r"\bwhile\s*\(+\s*(?:!|-|\+|true|1\b|this|infinity|new\s|\[|\{|'|\"|`|string)", "CRS rule family 934: denial of service by script", STRONG),
    _xss("import_tag", r"<\?import\b|<!attlist|\bdatasrc\s*=|\bdataformatas|xmlns:xss|<v:\w+|<\w+:vmlframe", _EVASION, 0.9),
    _xss("bracket_access", r"\)\s*\[\s*['\"]\w+['\"]|\b(?:document|window|self|this|top|console|process)\s*(?:/\*[^*]*\*/)?\)?\s*\[\s*['\"\\]", _PATT, 0.9),
    _xss("cookie_set", r"\.cookie\s*=|set-cookie\s*[:=]|http-equiv\W+set-cookie", "CWE-384", 0.8),
    _xss("svg_animate", r"<(?:animate\w*|set)\b[^>]*(?:attributename|onbegin|values|to)\s*=", _PATT, 0.9),
)
