"""The first pass: one scan of the raw request. Almost no request of customers matches.

These patterns are wider than the indicators, and cheap to match and to compile. They scan the path,
the query, cookies and headers, decoded once and joined by JOINER, or a body as it was sent. Text in
a further encoding has its own patterns (escapes of plain characters, base64 of typical words at
each of the three alignments). A match decides nothing: it causes the values to be parsed, decoded
and scored.

This file has literals: one of them anywhere is enough. prefilter_patterns.py has patterns that need
two things. Every request pays for this scan, so plain text is preferred to patterns, and rare text
to common.
"""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.scanning.prefilter_patterns import cross, patterns, quoted_patterns
from guard_wsgi.detection.scanning.scanner import Engine, compile_tripwire

# Separates the parts of a head: white space to every pattern, and not part of any header.
JOINER: Final = "\x0b"
JOINER_BYTES: Final = b"\x0b"

Named = list[tuple[str, str]]
"""Names and patterns."""

# The beginnings of event names (HTML standard, "Event handlers"; UI Events; SVG 2).
_EVENTS = """abort activate after animation append auxclick beforecopy beforecut before begin blur bounce
cancel canplay cached change chargingchange click close compass complete content contextmenu
controlselect copy cuechange dblclick deactivate device duration emptied error exit fetch
filterchange finish focus fullscreen gamepad gotpointer hashchange help input invalid landscape
language layoutcomplete load location lose lostpointer media message mouse moz navigate obsolete
offline online open orientation outofsync paint paste pause pointer popstate popup portrait
progress propertychange ratechange reached readystate received rejection repeat reset resize
resume reverse scroll search security select selection show slotchange sort stalled start
storage submit suspend sync toggle touch track transition unhandled unload volume waiting webkit
wheel zoom fscommand"""
# Words of prose contain the letters of these ("monkey", "conform").
_SHORT_EVENTS = "cut data drag drop end form key page play row stop time cell move url seek"
_BLANKS = (" ", "\t", "\n", "\r", "/*", "(", "\\n", "\\t", "\x0c", "\xa0", "+", "`", "%", "{")
_ODD_BLANKS = ("\t", "\n", "\r", "/*", "(", "\\n", "\\t", "\x0c", "\xa0", "`", "%", "  ")
_DIGITS = tuple("0123456789")
_CALLED = """sleep benchmark substr substring mid ascii ord char chr concat concat_ws group_concat hex unhex version
database schema load_file extractvalue updatexml rand cast convert ifnull name_const conv lpad coalesce make_set md5
compress uncompress decode trim strcmp sysdate db_name current_user session_user system_user find_in_set floor count
randomblob pg_sleep row_count elt iif nvl to_char xmltype dbms_pipe receive_message waitfor cos sin pi pow length len
user insert lower upper rtrim ltrim abs round exists
alert prompt confirm eval settimeout setinterval function fetch atob btoa fromcharcode unescape expression execscript
constructor navigate msgbox import require print write writeln tostring call apply decodeuri decodeuricomponent open
system exec execute shell_exec passthru popen proc_open assert phpinfo phpversion base64_decode gzinflate include
file_get_contents file_put_contents readfile include_once require_once fopen fwrite call_user_func create_function
call_user_func_array preg_replace array_map unserialize var_dump print_r highlight_file show_source scandir getenv die
curl_exec curl_init fsockopen strrev str_rot13 hex2bin bzdecompress gzdecode gzuncompress zlib_decode readgzfile file_exists
get_defined_functions opendir posix_getegid posix_getpwuid ini_set define func_get_args is_a session_start mail glob
getclass forname getruntime newinstance getmethod getmethods invoke loadclass defineclass getparameter getinputstream
exitvalue getdeclaredconstructor subclasses mro getattr attr listdir spawn spawnsync execsync readfilesync readdirsync
tojson starts-with string-length contains position last node text local-name while for whoami fetchall log find
interpret new dump filter map range popitem substr_count encode getstring trim exec_shell uc crypt getpwuid
fromcodepoint setimmediate importscripts host_name suser_name last_insert_id user_name polygon multipoint linestring
multilinestring multipolygon geometrycollection row lo_get lo_put import_module check_output check_call getoutput popitem
fputs pclose putenv readlink ftp_connect ftp_get"""
_TAGS = """script svg image iframe frame object embed applet math meta link base style body html head video audio source
input button form textarea select details isindex marquee keygen layer ilayer bgsound xml xss portal noscript template
title animate set foreignobject import xsl xi: esi: soap dialog custom canvas option plaintext listing picture track use
v: ?import a/ img/ img\\ x/ p/ img!on a% b/ div/ audio/ !-- !doctype !entity !element !attlist ![ ? % # & @ \x00 /script /style
/title /textarea /iframe /xmp /noscript /svg /body /html img x xyz"""

# Folders of a Unix system (FHS). A shell matches any letter of their names with a "?".
_ROOT_FOLDERS = "etc bin usr dev proc var home tmp opt sys root sbin boot lib lib64 mnt run"

# Words of SQL, Cypher and programs before which another one stands, or a mark.
_SPACED_WORDS = "or and not is like having union select insert update delete drop alter show desc describe import net reg iwr call detach python perl sleep limit exec begin except intersect minus where"


# fmt: off
def _words() -> tuple[str, ...]:
    """Words of which one anywhere is enough."""
    return (
    *cross("union", (" all", " select", " distinct")),
    *cross("union select", _ODD_BLANKS),
    *cross(("insert", "delete", "drop", "alter", "truncate", "waitfor", "having", "procedure", "declare"), ("\t", "\n", "/*", "(", "\\n", "\\t", "\x0c", "\xa0", "`")),
    # A tab is a blank to SQL and to shells; a JSON document writes it as a letter after a
    # backslash.
    *cross("\\t", "or and by limit like is into not regexp when identified sounds", ("\\t", " ", "(", "+", "-", "'")), "&\\t", ";\\t", "|\\t",
    "(select", "( select", *cross(("select ",), ("*", "@", "'", '"', "(", "-", "~", *_DIGITS, "null", "char", "case", "top ", "distinct", "all ", "if", "concat", "user", "version", "database", "group_", "load_", "count", "sleep", "bench", "table_", "column_", "password", "schema_", "sin(", "session_", "name ", "current", "pg_", "utl_", "ascii", "current", "sql", "sum(", "host")),
    " from information", " from mysql", " from dual", " from users", " from sys", "from pg_", " from all_tables", " from (", " from bar", " from foo", " from user", " from admin", " from master", " from test",
    "insert into", "delete from", "drop table", "drop database", "drop user", "drop view", "drop schema", "drop function", "drop procedure", "drop index", "alter table", "alter database", "alter user", "create table", "create user", "create function", "create database", "create procedure", "create or replace", "create alias", "truncate table", "group by ", "procedure analyse", "waitfor delay", "waitfor time", "exec xp", "exec sp", "exec master", "exec(", "exec (", "execute immediate", "declare @", "into outfile", "into dumpfile", "into @", "load data", "case when", "is null", "is not null", "shutdown", "then sleep", "rlike ", "sounds like", "limit 0", "where 1", "set @",
    *cross(("order by ", "having ", "limit "), (*_DIGITS, "'", '"', "(", "-", "if(")), *cross("order by", ("(", "/*", "\t", "\n")), "update users set", "') set", " set password", " where id", "where name", "where user",
    "/**", "/*!", *cross("*/", tuple("abcdefghijklmnopqrstuvwxyz0123456789( '\"-@<")), *cross("/*", tuple("abcdefghijklmnopqrstuvwxyz0123456789 &'\"(-+.#")),
    "-- -", "--+", "--\x0b", "--&", "--'", '--"', "--\n", "--%", "';", ");--", "#\x0b", "#'", '#"}', "%23\x0b", ";%00", ";\x00", "||", "&&'", "||'", "1#", "0#",
    "@@", "information_schema", "schema_name", "sysobjects", "syscolumns", "sysusers", "pg_catalog", "pg_sleep", "pg_shadow", "pg_user", "sqlite_", "all_tables", "user_tables", "xp_", "sp_password", "sp_exec", "sp_oa", "sp_make", "sp_help", "mysql.user", "mysql.db", "msysaccess", "tempdb", "msdb", "northwind", "utl_", "dbms_", "sys.", "master..", "master.dbo", "openrowset", "opendatasource", *cross(("=", " ", ",", "("), ("0x",)), "::int", "::text", "@version",
    *cross(_CALLED, ("(", " (")), "'(", '"(', *cross(tuple("abcdefghijklmnopqrstuvwxyz_"), "\\("), ".call(", ".apply(", ".call ", ".apply ", ".call`", ".apply`",
    *cross("<", _TAGS), *cross(("< ", "</ ", "<\t", "<\n", "<\\", "<x", "<%00", "<\x00"), ("script", "img", "svg", "iframe", "a ", "f o r m", "d i a l o g")), '"><', '">\x0b', '">&', '"> <', "'>", "`>", '"/>', "'/>", '" >', "' >", "\\\"><", "&lt;", "%3c",
    *cross("on", _EVENTS), *cross((" ", "\t", "\n", "\\n", "\x0c", "/", "'", '"', "`", ";", ">", ")", "=", "&"), "on", _SHORT_EVENTS),
    *cross("javascript", (":", "&", "\\", "\t", "\n", " :", "%", "/")), "vbscript", "livescript", "mocha:", "jscript", "java\t", "java\n", "java\x00", "javas\\", "javas&", "javas\t", "javas\n", "javas%", "ja\tva", "j\na", "data:,", "data:;", "data:text", "data:image/svg", "data:application", "data: ", "data:x", ":url(", "=url(", "url:", "url(javascript",
    "alert`", "prompt`", "confirm`", "eval`", "prompt(", "confirm(", "eval(", "document.", "document[", "document/", "(document)", "window.", "window[", "self[", "self.location", "self.__", "self._", "self.alert", "self.name", "self.env", "self.module", "self.context", "self.att", "top[", "top.location", "top.alert", "top.document", "parent[", "parent.location", "parent.document", "frames[", "this[", "this.constructor", "this.pass", "this.user", "this.name", "this.pop", "this.mem", "globalthis", "console.", "console[", "process.", "process[", "location=", "location.", "location[", "localstorage", "sessionstorage", "module.", "require[", "require.", "reflect.", "innerhtml", "outerhtml", "xmlhttp.", "xmlhttp(", "xmlhttp'", "xmlhttprequest(", "new xmlhttp", "xmlhttp=", "activex", "fromcharcode", "srcdoc", "formaction", "xlink:", ".cookie", "-moz-binding", "expression(", "@import", "ng-app", "ng-init", "ng-on", "v-html", "v-on:", "x-data", "x-init", "=>", "new function", "new image", "new date", "new xml", "attributename", "http-equiv", "throw ", "onerror", "onload", "autofocus", "[].", "''.", '"".', "datasrc", "constructor", "'-'", "-alert", "settimeout", "string.from", "</script", "</title", "</style", "</textarea", ";//", "'+'", "\"+\"", "'.'", "`+`",
    "{{", "{%", "${", "#{", "@{", "*{", "~{", "$(", "%{", "{#", "{php", "{$", "{!", "<#", "$ {", "$\x09{", "{if ", "[php]", "[/php", "\\php", "{literal", "#{", "@(", "$!", "$class", "$ex.", "$out", "__$", "*/}", "{=", "[[", "{_",
    "$ifs", "$_get", "$_post", "$_req", "$_ser", "$_coo", "$_fil", "$_env", "$path", "$home", "$shell", "$@", "$$", "$'", "$[", "_$$", "${", "$a=", "$foo", "globals[", "$_[", "$_", "$y =", "->$", "@argv",
    "|/", ";/", "|\\", ";\\", "; /", "| /", "`id", "`ls", "`cat", "`ping", "`curl", "`sleep", "`uname", "`echo", "%0a", "|id", ";id", "|ls", ";ls", "&&", "& echo", "& ping", "&\x0b", "=|", "=`", "=&&", "\x0b;", "\x0b|", "`\x0b", "|sh", "&ls ", "&cat ", "&id\x0b", "& dir", "& net",
    "ansible", "chef-", "cscli", "aa-disable", "aa-exec", "aa-enforce", "aa-complain", "rmt-", ";rmt", "visudo", "vigr", "vipw", "unxz", "xzcat", "bzcat", "zcat", "zstdcat", "zstd -", "bunzip2", "gunzip", "bsdtar", "c89 ", "c99 ", "-wrapper ", "cpulimit", "flock", "htop", "lastlogin", "perf -", "strace", "ltrace", "systemctl", "journalctl", "sysctl", "dmesg", "getent", "base32", "base58", "basenc", "uuencode", "xxd ", "pkill", "killall", "iptables", "tcpdump", "tshark", "nmap", "socat", "rsync -", "sshpass", "openssl", "kubectl", "mysqldump", "psql", "redis-cli", "python3.", "python2.", "bcdboot", "bcdedit", "regedit", "schtasks", "wevtutil", "vssadmin", "ntdsutil", "nltest", "diskpart", "icacls", "takeown", "msiexec", "odbcconf", "installutil", "msbuild", "cmstp", "esentutl", "forfiles", "mavinject", "winrm", "iwmi", "hkey_", "hkcu\\", "hklm\\", ";cd ", "cd etc", "sh -c", "sh$", "trap '", 'trap "', "{,", "/tcp/", "bash -c", "=\\ls", "=\\id", "=\\cat", "=\\w",
    "call_user_", "func_get_", "function_exists", "get_defined_", "register_shutdown", "register_tick", "create_function", "curl_init", "curl_exec", "posix_", "pcntl_", "proc_close", "proc_get", "shell_exec", "escapeshell", "base64_decode", "base64_encode", "gzinflate", "gzuncomp", "gzdecode", "readgz", "str_rot13", "preg_repl", "preg_match", "array_walk", "array_filter", "usort", "ob_start", "stream_context", "fsockopen", "file_get", "file_put", "highlight_", "show_source", "php_uname", "phpcredits", "get_current_user", "var_export", "move_uploaded", "parse_str", "assert_options", "ssh2_", "'](", '"](', '"."', '" . "', "session.auto", "session.save", "session.upload", "php_value", "php_admin", "php_flag", "sendmail_path", "include_path", "($",
    "'::", ")::", "<@", "@>", "#>>", "->>", "' ? '", "' ?| ", "' ?& ", "jsonb", "json_extract", "json_pretty", "json_keys", "json_build", "json_object", "json_array", "json_contains", *cross(_DIGITS, (".e(", ".e.")),
    "exec#", "exec//", "exec\t", "system#", "system\t", "=if(", '";&', '";\x0b', "adw-", "/.windsurf", "/.cursor", "/.claude", "/.aider", "/.cline", "/.copilot", "/.continue", "/.codex", "/.gemini", "/.junie", "/.openai", "/.kiro", "boundary=app", 'boundary="app', "boundary=text/", 'boundary="text/', "![ ]", "! []", "!![]", "'$.", "'$[",
    "pearcmd", "peclcmd", "..??", "{@math", "{*", "'.execute", "qos.logback",
    "isnull(", "union#", "union--", "delete quick", "delete ignore", "delete low", "exec(@", "execute(@", "mhtml:", "clsid:", "memory_limit", "max_execution", "php://std", "localtest.me", "lvh.me", *cross(_DIGITS, (") order by", ")order by", ") group by")), "`; ", ".call``",
    "<f o r m", "\\xbc", "=localhost/", "=localhost4", "=localhost6", ">localhost/", "ip6-l", "ipv6-l", ".localdomain",
    "whoami", "ifconfig", "ipconfig", "netstat", "systeminfo", "tasklist", "nslookup", "wget ", "curl ", "cmd /", "cmd.exe", "cmd=", "powershell", "pwsh", "chmod ", "chown ", "mkfifo", "busybox", "certutil", "bitsadmin", "mshta", "regsvr32", "rundll32", "wmic", "uname", "printenv", "netcat", "ncat ", "lsb_release", "useradd", "usermod", "crontab", "traceroute", "phpinfo", "invoke-", "downloadstring", "new-object", "encodedcommand", "frombase64", "wscript", "cscript", "iex ", "iex(", "get-process", "get-child", "get-content", "get-wmi", "write-host", "start-process", "net user", "net view", "net localgroup", "net share", "ls -", "ps -", "ps aux", "id -", "rm -", "ping -", "nc -", "nc 1", "sh -", "cat /", "cat <", "cat ~", "ls /", "ls ~", "cat *", "cat $", "cat {", "cd /", "cd ..", "arp -", "route print", "dir c:", "dir /", "type c:", "for /", "errorlevel", "if exist", "if not exist", "if /i", "if/i", "sudo ", "echo $", "echo '", 'echo "', "echo %", "touch /", "alias ", "shellshock", "/bin/", "/sbin/", "/dev/", "bin/", "bash ", "/bash", "bash\x0b", "bash;", "bash|", ".sh ", ".sh;", "2>&1", "> /", ">/", "<<<", ">&", "<(", ">(", "(){", "() {", "??", "shell ", "nohup", "base64 -", "| sh", "|sh", "tac ", "%~", "/etc", "kill -", "%ifs", "exec ", "system ", "lwp-", "tftp", "/c ping", "dd if", "python -", "python3 -", "python -c", "perl -e", "php -r", "ruby -e", "mkdir /", "rm /", "mv /", "cp /", "find /", "grep -", "head /", "tail /", "ping 1", "ping l", "host ", "!!",
    "../", "..\\", "..;", "..%", ".../", "...\\", ".\\.", "\\..", ".;/", ";/", "/./", ".2f", "0x2e", "0x2f", "0x5c", "//..", "..0x", "./.", "\\\\", "..c0", "..u", "?/", ".%", "..\xc0", "%..", "/..", "..//", "..\x0b", "..\x00", "/.\\",
    "etc/", "etc\\", "/proc/", "proc/", "/var/", "/usr/", "/root", "/boot", "/sys/", "/opt/", "/home/", "/tmp/", "/srv/", "windows/", "windows\\", "winnt", "boot.ini", "win.ini", "system32", "passwd", "/shadow", "shadow\x0b", "id_rsa", ".ssh", "_history", "inetpub", "php.ini", "my.ini", "my.cnf", "httpd.conf", "web-inf", "meta-inf", "web.xml", "web.config", "access_log", "access.log", "access log", "error_log", "error.log", "errors.log", "debug.log", "unattend", "sysprep", "ntds", "/ssl/", "c:/", "c:\\", "d:\\", "c|/", "program files", "xampp", "/logs/", ".log\x0b",
    ".htaccess", ".htpasswd", ".htgroup", ".env", "/.git/", ".gitconfig", ".gitignore", ".svn", ".ds_store", ".bash", ".aws", ".docker", ".kube", ".npmrc", ".mysql_h", ".xauth", ".boto",
    *cross(".", ("bak", "old", "orig", "save", "swp", "swo", "backup", "inc", "sql", "mdb", "sqlite", "pem", "key", "p12", "pfx", "jks", "tfstate", "dump", "kdbx", "ppk"), ("\x0b", "&", '"', ".", "~", "?")), "~\x0b", "wp-config", "config.php", "config.yml", "config.yaml", "config.json", "config.inc", "config.xml", "configuration.php", "settings.p", "settings.json", "settings. p", "database.y", "composer.", "secrets.", "secret.", "credentials", "dockerfile", "docker-compose", "appsettings", "package.json", "localsettings", "local_settings", "htpasswd", "parameters.y", "application.y", "application.prop", "server.key", "private.key", ".conf\x0b", ".cfg\x0b", ".ini\x0b", ".ini&", ".yml\x0b",
    *cross(".", ("php", "phtml", "phar", "pht", "phps", "php3", "php4", "php5", "php7", "jsp", "jspx", "jspf", "asp", "aspx", "asa", "cer", "cgi", "exe", "sh", "bat", "cmd", "ps1", "war", "hta", "shtml", "cfm"), (".", ";", ":", "%", "\x00", "/", " ")), ".phtml", ".phar", ".pht", ".phps", ".jspx", ".jspf", ".hta", ".php3", ".php4", ".php5", ".php7", ". php", ". jsp", ". phtml", "::$", ".php?\x0b", ".jsp\x0b", "sess_",
    *cross(("php", "phar", "zip", "zlib", "compress.zlib", "compress.bzip2", "expect", "glob", "ogg", "rar", "ssh", "ssh2", "ssh2.sftp", "data", "netdoc", "gopher", "dict", "ldap", "ldaps", "tftp", "sftp", "imap", "imaps", "smb", "rmi", "iiop", "corba", "nis", "dns", "view-source", "pop3", "smtp", "telnet", "local_file", "s3", "unix", "feed"), ("://", ":/", "%3a", ":\\/\\/")), "file:", "jar:", "jndi", "unix:", "convert.", "resource=", "gopher:", "dict:", "expect:", "ftp:", "ftps:", "mailto:", "=http?", "=https?", "=ftp?", "=file?",
    "instance-data", "kubernetes.", ".svc/", ".svc.", ".internal", "system.diag", "system.windows", "%comspec", "&reboot", "cmd_", "\\u0000", "169.254", "metadata.", "/metadata", "meta-data", "100.100.100", *cross(("://", ":/", ":%2f%2f", ":\\/\\/", "@", "//"), ("localhost", "127.", "0.", "0/", "0:", "0x", "[", "10.", "192.168", "172.1", "172.2", "172.3", "017", "0177", "00", "2130706433", "2852039166", "0\x0b")), "nip.io", "sslip.io", "xip.io", "lvh.me", "192.0.0.192", "168.63.129", "rancher-meta", "169.254.170", "/latest/", "\xe2\x92", "\xe2\x93", ":10250", ":8500", ":4040", ":5984", "localtest", "burpcollab", "oastify", "oast.", "interact.sh", "interactsh", "dnslog", "ceye.", "webhook.site", "ngrok", "aws_lambda", ":22/", ":25/", ":6379", ":11211", ":2375", ":3306", ":9200", ":27017", "2852039166", "http:/\\", "http:\\", "127.0.0.1", "0251", "0xa9", "bxss", "xss.ht",
    "//*", "self::", "parent::", "descendant::", "ancestor::", "following::", "preceding::", "/text()", "]/", "]|", "] |", "[last", "[position", "[@", "child::", "node()", "/*[", "')]", "'][", "//user", "'] ",
    "[$", "{$", *cross("=", "$ne $gt $lt $in $nin $regex $where $exists $or $and $nor $not $expr $elem $func $json $acc"), *cross(("{", ",", "'", '"', " ", "["), ("$ne", "$eq", "$gt", "$lt", "$in", "$nin", "$regex", "$where", "$exists", "$or", "$and", "$nor", "$not", "$type", "$mod", "$expr", "$func", "$elem", "$all", "$size", "$text")), "db.inj", "db.coll", "db.getc", "db.vers", "db.stat", "db.user", "return true", "return false", "return this", "return !", "return(", "return (", ";return", "; return", "{ $", "tojson", "== '", "==1", "1==", "'=='", "mapreduce",
    "__proto__", "prototype", "__define", "__lookup", "__schema", "__type(", "__js_", "__class", "__import", "__glob", "__init__.", "__subcl", "__mro", "__builtin", "__base", "__self", "_self.",
    *cross(("{", "{ ", ":", ": "), ("login", "signin", "authenticate", "tokenauth", "verifyotp", "resetpassword"), ("(", " (")),
    "<!", "<?", "xmlns", "<xsl", "xinclude", "system \"", "system '", "!entity", "%xxe", "public \"", ";]>", "<%", "%>", "<esi", "<#",
    "http/1", "http/2", "http/0", "http/3", "transfer-encoding", "utf-7", "$version", "get /", "post /", "get http", "post http", "head /", "set-cookie", "content-length:", "ibm0", *cross("charset", ("=", "=\"", "='", " ="), ("utf-7", "utf7", "utf-3", "ibm", "cp", "mac-", "x-mac")), "rcpt to", "mail from", "\\r\\n", "%0d", "bytes=0-,", "-,5-", "refresh:", "x-forwarded",
    'o:1:"', 'o:2:"', *cross(("o: ", "c: "), _DIGITS, (':"',)), *cross(("o:", "a:", "c:"), _DIGITS, (":{", ':"', "")), "ro0ab", "aced0005", "!!python", "!!java", "!ruby", "!<tag", '"@type', '"@class', "@type", "$type", "aaeaaad/", "ysoserial", "nd_func", "xyqktkrf", "bahb", "bah7", "bahi", "cos\n", "cos\\n", "cposix\\n", "csubprocess\\n", "c__builtin__\\n", "\ntr.", "\\ntr.", "y29zcn", "y3bvc2l4", "gajj", "ganj", "gan9", "kgrw", "bahv", "bahu", "bahj", "/wey", "tzo0", "tzo1", "tzo2", "tzo3", "tzo4", "tzo5", "tzo6", "tzoy", "tzox", "ytox", "ytoy", "ytoz", "__type", "py/object", "py/reduce", "resolved_model", '"$1:', '"$2:', '"$3:', "gasv", *cross("h4si", tuple("abcdefgh")),
    "java.", "javax.", "org.apache", "org.spring", "org.omg", "org.codehaus", "com.sun", "com.opensymphony", "com.mchange", "com.alibaba", "sun.misc", "freemarker", "groovy", ".runtime", "runtime.", "runtime(", "runtime'", "getruntime", "lang/runtime", "lang.runtime", "processbuilder", "processimpl", "classloader", "scriptengine", "ognl", "memberaccess", "transformer", "templatesimpl", "class.module", "class[", "allow_url", "auto_prepend", "auto_append", "disable_functions", "open_basedir", "safe_mode", "php_self", "import os", "import sys", "import subprocess", "import socket", "import pty", "subprocess", "os.system", "os.popen", "os.environ", "child_process", "mainmodule", "lipsum", "cycler", "joiner", "url_for", "get_flashed", "registerundefined", "<?php", "echo '", "kernel.", "%x{", "erb.new", "io.popen", "xmldecoder", "objectdata", "%x(", "qx(", "qx{", "request.app", "request.args", "request.q", "request.get", "request.cl", "request.env", "request.f", "{request", "(request", "request|", "request[", "config.", "config|", "config}", "smarty", "cfexecute", "createobject", "response.write", "bufferedreader", "inputstream", "outputstream", "filewriter", "stringwriter", "getcode", "getprotection", "values row(", "values(row", "glob:", "flushall", "config set", "\nset ", "\\nset ", "eval \"", "oqueue", "docker.sock", "pagecontext", "upload-pack", "compress-prog", "resource=", "json?@", "beresource", "*1\r", "*2\r", "*3\r", "*1\\r", "slaveof", "{{printf", "-oproxy", "--output", "--checkpoint", "return this", "return (", "prototypeclone", "prototypeser", "instantiatef", "instantiatet", "whileclosure", "forclosure", "=-d ", "=-s", "\x0b-d ", "getclass", "nativemap", "|attr", "|map", "|join", "|filter", "popen", "passthru", "_tpl", "precision=", "opcache.", "mbstring.", "memory_limit", "extension_dir", "unserialize", "|e}", "|safe", "process.env", "func(", "xwork", "=redirect:", "=action:", "=method:",
    "sqlmap", "nikto", "nessus", "acunetix", "netsparker", "w3af", "dirbuster", "gobuster", "wpscan", "nuclei", "zgrab", "masscan", "openvas", "havij", "arachni", "wfuzz", "ffuf", "feroxbuster", "zmeu", "morfeus", "whatweb", "skipfish", "commix", "xsser", "fimap", "brutus", "appscan", "webinspect", "owasp zap", "burpsuite", "burp suite", "sqlninja", "dirsearch", "leakix", "x-scanner", "wvstest", "rfiinc", "jorgee", "jbrofuzz", "grendel", "n-stealth", "bsqlbf",
    "/phpmyadmin", "/pma", "/myadmin", "/adminer", "/manager/html", "/host-manager", "/jmx-console", "/web-console", "/invoker/", "/actuator/", "/jolokia", "/solr/admin", "/server-status", "/server-info", "/boaform", "/hnap1", "/gponform", "setup.cgi", "/owa/auth", "/ecp/", "/_ignition", "elmah", "trace.axd", "/debug/pprof", "/druid/", "/nacos/", "jsonws", "phpunit", "eval-stdin", "cgi-bin/", "/struts", ".action", "/@fs/", "/@id/", "/_profiler", "/_cat/", "shell.", "cmd.", "/c99", "/r57", "c99.", "r57.", "b374k", "wso.", "id;", "=ls -", "evil.", "webshell", "fckeditor", "/com_",
    *cross('"', ("", " ", ")", ") "), "or( or' or\" or! and( and' and\" and! union like having -- = || ) % ^ | ' xor rlike"), *cross('"', (" ", ")", ") "), "+ # * < > ! ~ - @"), *cross('"', ("", " ", ")", ") "), ("or ", "and ", "xor ", "or\t", "and\t", "or/", "and/", "group by", "order by", "limit ")), *cross(('"or', '"and'), tuple("-!~(@'123456789")), *cross('";', tuple("swduiec-#|")), '"; --', '"&&',
    "'or", "'and", "'union", "' or", "' and", "\" or", "\" and", "=' ", "%27", "''", "'\"", "\"'", "\\'", "`'", "'`", "1'", "2'", "'1", "'a'", "';", "'|", "'&", "'=", "'-", "'+", "'*", "'/", "'#", "'%", "')", "(' ", "','", "' |", "||(", "-1 ", "(1)", "pi()", "'::",
    *cross("%25", ("00", "0a", "0d", "09", "22", "27", "28", "29", "2a", "2e", "3b", "3c", "3e", "5c", "5e", "60", "7b", "7c", "u", "c0", "c1", "25")), *cross("%%", tuple("234567")), *cross("%u", tuple("0123456789abcdef")), "%c0", "%c1", "%e0%80", "%f0%80", "%0a", "%0d", "%00", "%27", "%2e", "%22%3e", "%3c", "%5c", "%bg%qf", "%2%", "%u0", "..%",
    "&#x", *cross("&#", _DIGITS), *cross("&", "lt; gt; quot; apos; colon; tab; newline; lpar; rpar; lbrace; grave; bsol; sol; excl; comma; period; num; dollar; semi;"), *cross("\\u00", tuple("234567")), *cross("\\x", tuple("0123456789abcdef")), "\\u{", *cross("\\", ("00", "01", "04", "05", "06", "07", "10", "11", "12", "13", "14", "15", "16", "17")), "\\0",
    "\xc0", "\xc1", *cross("\xe0", tuple(map(chr, range(0x80, 0xA0)))), "\xef\xbc\x87", "\xef\xbc\x9c", "\xef\xbc\x9e", "\xef\xbc\x8f", "\xef\xbc\x8e", "\xef\xbc\x82", "\xef\xbc\xbc", "\xe2\x88\x95", "\xe2\x88\x96", "\xe5\x98\x8a", "\xe5\x98\x8d", "\xc4\x8a", "\xc4\x8d", "\xe2\x91", "\xe3\x80\x82", "\xe2\x81\x84",
    *cross("/.", tuple("abcdefghijklmnopqrstuvxyz")), *cross(("=", "\x0b", "/", '"', " ", "'", "("), tuple("abcdefghijklmnopqrstuvwxyz"), (":\\", ":/")), *map(chr, (*range(9), *range(14, 32), 127)),
    "![", "!![", "=!!", "(!!", "+[", "+!", "(!", "{}+", "[[$", "[$", "@(", "#set(", "#set (", "#foreach", "#include(", "#parse(", "#macro", "#evaluate", "#define", *cross("{", _DIGITS, ("*", "+")), *cross("=", _DIGITS, ("*", "-(", "+(", " + ", " - ", "/(", "/*")),
    *cross(("'", '"', ")", *_DIGITS), ("\xc2\xa0",)), *cross(("\xc2\xa0",), ("or", "and", "union", "select", "order", "group", "having", "from", "where", "rlike", "like"), ("\xc2\xa0",)),
    "eyik", "utf7", "+adw", "+ad4", "+/v8", "\xbcscript", "+acc",
    "\\uff", "%2e%2e", "%2e.", ".%2e", "%252e", "%255c", "%2527", "%c0%", "%c1%", "%uff", "%u22", "%uef", "%25c0", "\xef\xbc", "\xe2\x88", "\xe2\x80\xb2", "\xca\xb9", "\xca\xbc", "\xc0\xae", "\xc0\xaf",
    *cross("p s", (":/", "://"), (*_DIGITS, "[")), *cross("p s", (":///",)), *cross("http https ftp", (":",), (*_DIGITS, "[")),
    *(f"/{name[:at]}?{name[at + 1:]}/" for name in _ROOT_FOLDERS.split() for at in range(len(name))),
    # Languages let any number of blanks stand where one does.
    *cross(" ", _SPACED_WORDS, ("  ",)), *cross(("=", "\x0b", '"', "(", ")", "'", ";"), _SPACED_WORDS, ("  ",)),
    *cross("into load waitfor execute declare order group identified create sounds procedure", ("  ",)),
    *cross("document window", (" .", " [")), "location =", *cross("$.", ("get", "post", "ajax", "getscript"), ("(", " (")), "?.(", "new worker", "new websocket", "hx-",
    "global.process", "root.process", "constantize", "instance_eval", "scripting.file", "adodb.", "$globals", "display_errors", "suhosin", "(system)", "(exec)", "(assert)", "(passthru)", "(phpinfo)",
    "::varchar", "::numeric", "::bytea", "::json", "pg_class", "pg_ls_dir", "pg_read", "all_users", "all_objects", "user_tab_", "dba_", "sys_eval", "sys_exec", "lo_import", "lo_export", "name_const", "drithsx",
    "run/secrets", "serviceaccount", "netdoc:", "zlib.in", "zlib.de", "/opc/v", "fd00:ec2", "computemeta", "localhost6", "localhost4", "out-file", "set-content", "write-output", "downloadfile", "add-type", "$env:", "2> &1", "env |",
    "lazymap", "beanshell", "commonscoll", "jdbcrowset", "unmarshal", "xstream", "dynamic-proxy", "sorted-set", "<java", "@java", "replicaof", "flushdb", "flushall", "msxsl", "php:function", "system-property", "objectclass", "gi_frame", "cr_frame", "ag_frame", "tb_frame", "f_globals",
    )

# Words whose base64 the scan looks for: usual beginnings of encoded attacks.
_WRAPPED: Final = (
    "<script", "<svg", "<img", "<?php", "<iframe", "javascript:", "alert(", "onerror=", "document.", "eval(",
    "system(", "exec(", "union select", "UNION SELECT", " or 1=", "' or ", "' OR ", "select ", "SELECT ", "sleep(", "/etc/passwd",
    "../..", "cat /", "whoami", "bash -i", "wget http", "curl http", "/bin/sh", "/bin/bash", "while(", "{{7*7", "${jndi",
    "__proto__", "file:///", '":{"$', '": {"$', "return true", "<!DOCTYPE", "<!ENTITY", "1=1", "nc -e", "import os", "os.system", "passthru(", "__class__", "powershell", "require(", "process.", "phpinfo(",
)


# fmt: on
def _base64_forms(word: str) -> list[str]:
    """Return the base64 of a word at its three possible positions, cut to the part that only the
    word decides."""
    forms = []
    data = word.encode()
    for lead in range(3):
        text = base64.b64encode(b"\0" * lead + data).decode().rstrip("=")
        start = (0, 2, 3)[lead]
        whole = (lead + len(data)) * 8 // 6
        form = text[start:whole]
        forms += [form, form.replace("+", "-").replace("/", "_")]
    return forms


def _lower(word: str) -> str:
    """Return the text in lower case; ASCII only, because other characters stand for bytes."""
    return word.encode("latin-1").lower().decode("latin-1")


def _escape(word: str) -> str:
    """Return a literal as a pattern that both engines read alike."""
    if word.isascii() and word.isprintable():
        return re.escape(word)
    return "".join(
        re.escape(char) if " " <= char <= "~" else f"\\x{ord(char):02x}" for char in word
    )


_LONGEST_NEEDLESS = 6


def _needed(words: set[str], beside: Iterable[str] = ()) -> set[str]:
    """Return the words without those that contain another word, or a short one of some more words.

    The removed words would add nothing, and a scan waits for the memory of its tables: with a fifth
    fewer words, a scan with cold caches takes half the time.
    """
    kept = set(beside)
    for word in sorted(words, key=len):
        ends = range(1, _LONGEST_NEEDLESS + 1)
        if kept.isdisjoint([word[i : i + n] for i in range(len(word)) for n in ends]):
            kept.add(word)
    return kept


def _as_json(word: str) -> set[str]:
    """Return a literal as a JSON document contains it: escaped once more.

    A plain double quote in JSON begins or ends a string, so prose that begins with "and" would look
    like SQL after a quote. But operators and types are names in JSON itself (``"$ne"``). Escapes
    such as ``\u0027`` are JSON's own, so a backslash also stays as it is.
    """
    if word.startswith(('"$', '"@')):
        return {word}
    return {form.replace('"', '\\"') for form in (word, word.replace("\\", "\\\\"))}


class Prefilter:
    """The compiled first pass: literals and patterns in one database, one scan per request.

    JSON escapes double quotes, so words with a double quote differ between JSON and other texts.
    All other words are the same, so one large database has them, and a small one has the words and
    patterns with a plain double quote.

    :ivar matches: whether anything in the data needs a closer look.
    :ivar matches_json: the same for a JSON document as it was sent.
    :ivar tripwires: the scanners behind these, to compile them ahead of time.
    """

    def __init__(self, engine: Engine) -> None:
        plain, with_quotes = literals()
        everywhere = compile_tripwire([*plain, *named_patterns()], engine)
        quoted = compile_tripwire([*with_quotes, *_named(quoted_patterns())], engine)
        self.matches_json: Callable[[bytes], bool] = everywhere.any
        self.matches: Callable[[bytes], bool] = _either(everywhere.any, quoted.any)
        self.tripwires = everywhere, quoted

    def hits(self, data: bytes, most: int) -> list[int]:
        """Return where matches end (`Tripwire.ends`)."""
        everywhere, quoted = self.tripwires
        ends = everywhere.ends(data, most)
        if _QUOTE in data and len(ends) < most:
            ends += quoted.ends(data, most - len(ends))
        return ends

    def matching(self, pieces: Sequence[bytes]) -> list[int]:
        """Return which of several texts match (`Tripwire.matching`)."""
        everywhere, quoted = self.tripwires
        return sorted({*everywhere.matching(pieces), *quoted.matching(pieces)})


_QUOTE: Final = ord('"')
"""In each word that JSON writes differently (a number, as in percent.py)."""


def literals() -> tuple[Named, Named]:
    """Return the fixed texts, each by its own name: for all texts, and for those with a plain double
    quote."""
    words = {_lower(word) for word in _words() if "\x00" not in word}
    words.update(
        _lower(form) for word in _WRAPPED for form in _base64_forms(word) if len(form) >= 6
    )
    needed = _needed(words)
    in_json = {form for word in needed for form in _as_json(word)}
    # Words that JSON changes contain backslashes; the others were removed before.
    in_json = _needed(in_json - needed, beside=in_json & needed)
    return _literals(in_json), _literals(needed - in_json)


def named_patterns() -> Named:
    """Return the patterns for all texts, with their names."""
    return _named(patterns() | {one.name: one.prefilter for one in INDICATORS})


def _either(
    everywhere: Callable[[bytes], bool], quoted: Callable[[bytes], bool]
) -> Callable[[bytes], bool]:
    def matches(data: bytes) -> bool:
        # The small one first: in markup it has a match within microseconds.
        return (_QUOTE in data and quoted(data)) or everywhere(data)

    return matches


def _literals(words: set[str]) -> Named:
    return [(word, _escape(word)) for word in sorted(words)]


def _named(kinds: dict[str, tuple[str, ...]]) -> Named:
    return [(name, pattern) for name, kind in kinds.items() for pattern in kind]


@lru_cache(maxsize=2)
def builtin_prefilter(engine: Engine) -> Prefilter:
    """Return the compiled constants. All detectors of the process share them (immutable; see
    scanner.py)."""
    return Prefilter(engine)
