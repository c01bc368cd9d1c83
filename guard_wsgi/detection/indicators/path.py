"""Traversal, file inclusion, file names worth stealing, and server-side request forgery."""

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

_TRAVERSAL = "OWASP: Path Traversal; CWE-22"
_PATT_TRAVERSAL = "PayloadsAllTheThings, Directory Traversal"
_LFI = "PayloadsAllTheThings, File Inclusion; CWE-98"
_SSRF = "OWASP: Server Side Request Forgery Prevention; CWE-918"
_RECON = "OWASP Testing Guide WSTG-CONF-04"
_TOMCAT = "CVE-2020-5902, CVE-2018-1271: path parameters"
_UPLOAD = "OWASP: Unrestricted File Upload; CWE-434"

_EXTENSION = r"(?:php\d?|phtml|phar|pht|phps|jspx?|jspf|aspx?|ashx|asa|cer|cfm|cgi|pl|py|sh|exe|dll|bat|cmd|ps1|vbs|war|jar|hta|shtml|htaccess|so|rb)"

# A host of fewer than four numbers, and a host of octal or hexadecimal numbers.
_NUMBERED = tuple(
    f"://{digit}{rest}"
    for digit in "0123456789"
    for rest in (r"\d{0,9}(?:\.\d+){0,2}(?:[/:?\x0b\"&]|$)", r"[\dx.]{0,12}\.0[0-7x]")
)


_make = Family("file")

# fmt: off
PATH = (
    _make("path_traversal", "dot_dot", r"(?:^|[/\\=\s'\"(:,;])\.\.(?:;[^/]*)?[/\\]", _TRAVERSAL, examples=('../',)),
    _make("path_traversal", "dot_dot_many", r"\.\.(?:;[^/]*)?[/\\]+(?:\.[/\\]+)*\.\.(?:[/\\]|$)", _TRAVERSAL, STRONG, examples=('../../',)),
    _make("path_traversal", "dot_dot_file", r"\.\.[/\\]+(?:etc|proc|var|usr|home|root|windows|winnt|boot\.ini|web-inf|meta-inf|config|\.env|\.ht|\.git|\.ssh|conf|apache|xampp|inetpub|passwd|admin|cgi-bin)", _PATT_TRAVERSAL, STRONG, examples=('../../.env',)),
    _make("path_traversal", "dot_dot_end", r"[/\\]\.\.(?:$|[\s?&#\x00])", _TRAVERSAL, WEAK, examples=('//google.com//..',)),
    _make("path_traversal", "dots_slashes", r"\.{3,}[/\\]+\.{2,}|(?:\.{2,}[/\\]{2,}){2,}|\.\./\\|\.\.\\/|\\\.\.\\|(?:\.[/\\]{1,2}){4,}|\.\\\./|\.\?/", _PATT_TRAVERSAL, STRONG, examples=('..\\..\\\\',)),
    _make("path_traversal", "encoded_dot_dot", r"(?:%2e|%252e|%c0%ae|%c0%2e|%uff0e|%u002e|%%32%65|0x2e|\.){2}(?:%2f|%5c|%252f|%255c|%c0%af|%c1%9c|%c0%2f|%c0%5c|%u2215|%u2216|%uefc8|%uf025|%%32%66|%%35%63|0x2f|0x5c|%c1%1c|%c1%af|%bg%qf|%e0%80%af|%f0%80%80%af)", _PATT_TRAVERSAL, STRONG, examples=('%2e%2e%5c',)),
    _make("path_traversal", "encoded_dots", r"(?:%2e|%252e|%c0%ae|%c0%2e|%uff0e|%%32%65|0x2e|%e0%40%ae|%c0%5e){2}", _PATT_TRAVERSAL, examples=('%2f%2e%2e',)),
    _make("path_traversal", "backslash_dots", r"\.\\\.|\\\.\.|\.\.\\", _PATT_TRAVERSAL, WEAK, examples=('..\\',)),
    _make("path_traversal", "semicolon_slash", r"\.\.;/|/;/|/;\w*[./]|;/\.\.|/\.;/|//;|/%2e/|\.;\w*=?[^/]*/", _TOMCAT, examples=('..;/manager/html',)),
    # The end of the value, or of a word after which no sentence continues.
    _make("dir_traversal", "etc_file", r"(?:[/\\=\s'\":.`({<,$}>|;]|%2f)etc[/\\]+(?:\./)*(?:passwd|shadow|group|hosts|issue|motd|fstab|crontab|sudoers|resolv|hostname|mysql|apache2?|nginx|httpd|php|ssh|my\.cnf|profile|ld\.so|exports|services|inetd|redhat|lsb|os-release|master|security|init|rc|cron|network|subuid|subgid|gshadow|ftp|samba|snmp|xinetd|timezone|environment|mtab|proftp|vsftp|pure|lighttpd|postfix|squid|termcap|securetty|modules|openldap|bash|alias|\*)[\w./-]{0,60}(?:\s*$|[\x00%&|<>\"'`\\(){}\[\]$+*~#;=]|\?\S|\s+[^\sa-z])", _TRAVERSAL, STRONG, examples=('/etc/motd',)),
    _make("dir_traversal", "etc_mention", r"(?:[/\\=\s'\":.`({<,$}>|;]|%2f)etc[/\\]+(?:\./)*(?:passwd|shadow|group|hosts|issue|motd|fstab|crontab|sudoers|resolv|hostname|mysql|apache2?|nginx|httpd|php|ssh|my\.cnf|profile|ld\.so|exports|services|inetd|redhat|lsb|os-release|master|security|init|rc|cron|network|subuid|subgid|gshadow|ftp|samba|snmp|xinetd|timezone|environment|mtab|proftp|vsftp|pure|lighttpd|postfix|squid|termcap|securetty|modules|openldap|bash|alias|\*)", _TRAVERSAL, WEAK, examples=('/etc/motd',)),
    _make("dir_traversal", "proc_file", r"(?:^|[/\\=\s'\":])proc[/\\]+(?:self|version|cmdline|cpuinfo|meminfo|mounts|net|sched_debug|filesystems|stat|swaps|modules|devices|config|interrupts|ioports|loadavg|uptime|partitions|kcore|\d+)[/\\]?", _LFI, STRONG, examples=('proc/net/dev',)),
    _make("dir_traversal", "unix_tree", r"/(?:var/(?:log|www|lib|mail|spool|run|adm|apache|backups?|tmp|htmltemp|local|cache|webmin)|usr/(?:local|share|lib|pkg|home|ports|bin|sbin)|home/\w+|root|opt/\w+|tmp|dev/(?:fd|shm|random|urandom|null|zero|stdin)|sys/(?:class|kernel|devices|block|module)|boot|srv/\w+)(?:/|$)", _LFI, WEAK, examples=('/tmp/x',)),
    _make("dir_traversal", "log_file", r"/(?:access|error|auth|httpd?-?\w*|mail|secure|messages|syslog|maillog|ftp\w*|mysql\w*|php\w*|debug|sys|daemon|kern|dmesg|lastlog|wtmp|utmp|faillog)[._-]?(?:log|err|error|access)?(?:\.log|_log|\.err)\b|/var/log/", _LFI, examples=('/var/log/wtmp',)),
    _make("dir_traversal", "windows_file", r"\b[a-z]:[/\\]+(?:apache|php\d?|mysql|repair)|\\(?:apache|php\d?|mysql|repair)\b|(?:\b[a-z]:[/\\]+|(?:^|[^/\\])[/\\])(?:windows|winnt|boot\.ini|inetpub|program files|programdata|documents and settings|users[/\\]administrator|xampp|wamp|pagefile|autoexec|sysprep|unattend\w*|minint|ntuser)", _LFI, examples=('../boot.ini',)),
    _make("dir_traversal", "windows_ini", r"\b(?:win|boot|system|php|my|ntuser|global|config|settings)\.ini\b|\bsystem32\b|\bsetupinfo\b|\bunattend(?:ed)?\.(?:xml|txt)\b|\bsam\b[/\\.]|ntds\.dit|\bhttpd\.conf\b|\bhosts\.(?:allow|deny)\b", _LFI, 0.8, examples=('my.ini',)),
    _make("dir_traversal", "drive", r"(?:^|=|\s|['\"])(?:file:/*)?[a-z]:[/\\]", _LFI, WEAK, examples=('| dir C:\\',)),
    _make("dir_traversal", "absolute_start", r"^(?:file:)?/*/(?:etc|proc|usr/local|usr/pkg|usr/lib|var/(?:log|adm|lp|spool|www|mail|run|lib|apache\w*|mysql\w*|nm2)|root/\.\w|boot|sys/class|opt/lampp|dev/\w+)/?[\w.*]*(?:/|$)", _LFI, MEDIUM, examples=('/etc',)),
    _make("dir_traversal", "drive_start", r"^/?[a-z]:[/\\]+(?:windows|winnt|program files|programdata|inetpub|xampp|wamp|apache|php\d?|mysql|documents and settings|sysprep|boot|logs|unattend)", _LFI, MEDIUM, examples=('C:/php/php.ini',)),
    _make("dir_traversal", "secrets_mount", r"/run/secrets/|/serviceaccount/(?:token|namespace|ca\.crt)", "Kubernetes: service account volumes", STRONG, examples=('/var/run/secrets/kubernetes.io/serviceaccount/token',)),
    _make("path_traversal", "dots_stuffed", r"(?:\.{2,}/+\.?/+){2,}|\.\.\./\./", _PATT_TRAVERSAL, STRONG, examples=('..//..//etc/passwd',)),
    _make("dir_traversal", "etc_any", r"(?:^|=|\s|['\":(])/?etc[/\\][\w.-]+(?:[/\\][\w.-]+)*[\s\x00%]*$", _LFI, MEDIUM, examples=('etc/motd',)),
    _make("dir_traversal", "unc_path", r"(?:^|=)\\\\[\w.-]+\\", _LFI, examples=('\\\\198.51.100.9\\share\\x.php',)),
    _make("dir_traversal", "null_byte", r"(?:\x00|%00|\\0|\\x00|\\u0000)\.?\w{0,5}$|\x00", "CWE-158: null byte", WEAK, examples=(')(cn=))\\x00',)),
    _make("sensitive_file", "ssh_keys", r"\.ssh/|\bid_(?:rsa|dsa|ecdsa|ed25519)\b|authorized_keys|\.bash_(?:history|profile|rc)|\.(?:mysql|sh|zsh|psql|python|viminfo)_?history|\.bashrc|\.profile\b|\.netrc|\.pgpass|\.my\.cnf|\.k?shrc", _RECON, examples=('id_rsa',)),
    _make("file_inclusion", "wrapper", r"(?:^[doa]{0,3}:|^|[^d]:|[^a]d:|[^o]ad:|[^l]oad:|[^:\w])file:/{1,3}|\b(?:php://(?:filter|input|std(?:in|out|err)|memory|temp|output|fd)|phar://|zip://|zlib://|compress\.(?:zlib|bzip2)://|expect://|glob://|ogg://|rar://|ssh2\.?\w*://|data://|netdoc:|jar:(?:https?|file):|gopher:|dict:/|ldaps?:/|tftp:/|sftp:/|imap:/|smb:/|rmi:/)", _LFI, STRONG, examples=('file:///',)),
    _make("file_inclusion", "filter_chain", r"convert\.(?:base64|iconv|quoted)|string\.(?:rot13|toupper|strip_tags)|resource=|zlib\.(?:in|de)flate", _LFI, examples=('resource=index.php',)),
    _make("file_inclusion", "remote_script", r"(?:https?|ftps?)://[^\s&?'\"<>]+\.(?:php\d?|phtml|txt|inc|asp|jsp|dat|cgi|pl|gif|jpe?g|png)\?*(?:%00|\x00|\?{1,2}(?:$|&)|$)", "CWE-98: remote file inclusion; CRS 931 family", WEAK, examples=('http://198.51.100.7/c99.txt',)),
    _make("file_inclusion", "remote_question", r"^(?:https?|ftps?|ftp)://[^\s?&]+\?+$", "CRS 931 family: trailing question mark", 0.9, examples=('https://foo.bar?',)),
    _make("file_inclusion", "remote_address", r"^(?:https?|ftps?|file)://(?:1[013-68]\d|12[0-689]|17[013-9]|19[013-9]|2\d\d|[2-9]\d|1[1-9]|[1-9])\.(?:\d{1,3}\.){2}\d{1,3}[:/]", "CRS 931 family: a bare address", MEDIUM, examples=('http://198.51.100.7/c99.txt',)),
    _make("file_inclusion", "address_script", r"^(?:https?|ftps?)://(?:(?:\d{1,3}\.){3}\d{1,3}|\[[0-9a-f:.]+\])(?::\d+)?/\S*\.(?:php\d?|phtml|txt|inc|asp|jsp|dat|cgi|pl)\?*$", "CWE-98: remote file inclusion", CERTAIN, examples=('http://198.51.100.7/c99.txt',)),
    _make("file_inclusion", "data_text", r"^data:(?://)?text/plain[;,]?", "PHP manual: data://", MEDIUM, examples=('data:text/plain',)),
    _make("file_inclusion", "web_shell", r"\b(?:c99|c100|r57|wso\d*|b374k|webshell|cmdshell|shell|cmd|backdoor|phpshell|evil|rfiinc|id1?|mad)\.(?:php\d?|txt|asp|jsp)\b|://\S{1,200}/(?:c99|c100|r57|wso\d*|b374k|webshell|cmdshell|shell|cmd|backdoor|phpshell|evil|rfiinc|id1?|mad)\.(?:gif|jpg|dat|inc)\b", "PayloadsAllTheThings, File Inclusion: names of web shells", 0.9, examples=('evil.txt',)),
    _make("ssrf", "metadata", r"169\.254\.169\.254|metadata\.(?:google|goog|azure|packet|tencentyun)|100\.100\.100\.200|169\.254\.170\.2|192\.0\.0\.192|168\.63\.129\.16|rancher-metadata|//metadata[/:]|/latest/(?:meta-data|user-data|dynamic)|computemetadata|instance-data\b|fd00:ec2::254|0xa9fea9fe|2852039166|/metadata/(?:v1|instance|identity)|/opc/v\d|0251\.0*376\.0*251|kubernetes\.default|/var/run/docker\.sock|\b(?:kubernetes|gateway|host)\.docker\.internal|//instance-data\b|\.svc\.cluster\.local|\blocalhost\d?\.localdomain|\bhost\.containers\.internal", _SSRF, STRONG, examples=('http:2852039166',)),
    _make("ssrf", "loopback", r"\b(?:https?|ftp|gopher|dict|ldap|tftp|sftp|file|ssh|wss?|jar)(?::|%3a)/{0,4}(?:[^/\s@]*@)?(?:localhost|127\.[\d.]+|0\.0\.0\.0|0x7f|0177\.|2130706433|017700000001|\[(?:::1?|0*:0*:0*:|::ffff:)|0(?:[:/]|$)|127\.1\b|localtest\.me|ip6-localhost|lvh\.me|\w+\.nip\.io|customer\d*\.\w+)", _SSRF, examples=('http://0/',)),
    _make("ssrf", "loopback_only", r"^\s*(?:https?|ftp)://(?:127\.\d+\.\d+\.\d+|\[(?:0*:)*:?(?:0*:)*0*1?\])(?::\d+)?/?\s*$", _SSRF, 0.8, examples=('http://[::]/',)),
    _make("ssrf", "loopback_name", r"^\s*(?:(?:ip6|ipv6)-(?:localhost|loopback)|localhost[46](?:\.localdomain[46])?|localhost\.localdomain\d?|localtest\.me|lvh\.me|[\w.-]{1,60}\.(?:nip|sslip)\.io)(?::\d+)?(?:/|$)", "Debian and Red Hat: names of the loopback in /etc/hosts", CERTAIN, examples=('lvh.me/',)),
    _make("ssrf", "loopback_bare", r"^\s*localhost(?::\d+)?/", _SSRF, WEAK, examples=('localhost/',)),
    _make("ssrf", "loopback_disguised", r"\b(?:https?|ftp|gopher|dict|ldap|tftp|sftp|wss?)(?:::?|%3a)/{0,4}(?:[^/\s@]*@)?(?:127\.\d{1,3}[/:]|127\.\d{1,3}\.\d{1,3}[/:]|127\.(?:1[0-9]|[2-9])\d*\.\d+\.\d+|0x7f|0177\.|0{2,}177\.|2130706433|0?17700000001|0\.0\.0\.0|\[(?:::1?|0*:0*:0*:|::ffff:)|0(?:[:/]|$)|localtest\.me|lvh\.me|[\w.-]+\.(?:nip|sslip|xip)\.io)|\bhttps?:/*[^\s/]*@(?:127\.\d|localhost|169\.254|10\.\d|192\.168)|\b(?:127\.0\.0\.1|localhost)[#\\]\S*@", _SSRF, STRONG, examples=('http://0/',)),
    _make("ssrf", "host_lookalike", r"\bhttps?:/+\S{0,60}(?:\xe2\x91[\xa0-\xbf]|\xe2\x92[\xb6-\xbf]|\xe2\x93[\x80-\xbf]|\xef\xbc[\x90-\x99]|\xe3\x80\x82)", _SSRF, STRONG, examples=('http://127\u30020\u30020\u30021/',)),
    _make("ssrf", "exchange_backend", r"autodiscover\.json\??(?:\?|%3f)?@|localhost~\d{6,}|autodiscover\.json\?a=\S+@", "CVE-2021-26855, CVE-2021-34473", STRONG, examples=('autodiscover/autodiscover.json@evil.example',)),
    _make("ssrf", "private", r"\b(?:https?|ftp|gopher|dict)://(?:[^/\s@]*@)?(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}", _SSRF, examples=('http://10.0.0.1/',)),
    _make("ssrf", "odd_host", r"\b(?:https?|ftp)://(?:[^/\s@]*@)?(?:0x[0-9a-f]{2,8}|0[0-7]{3,}[./]|\d{8,10}(?:[:/]|$)|\[[0-9a-f:.]+\]|(?:\d{1,3}\.){1,2}\d{1,6}(?:[:/]|$)|0[xX0-7][\w.]*\.[\w.]*[/:]|[^\s/?#]*[\u2460-\u24ff])" .replace(r"[\u2460-\u24ff]", r"\xe2\x91"), _SSRF, examples=('http://[a::]',)),
    # Services inside a network that answer without authentication: Docker, Kubernetes,
    # Elasticsearch, Consul, etcd, Spark, AWS Lambda's runtime, Spring's actuator.
    _make("ssrf", "internal_interface", r"\bhttps?://(?:localhost|127\.[\d.]+|10\.[\d.]+|192\.168\.[\d.]+|172\.\d+\.\d+\.\d+|169\.254\.[\d.]+|\[[:\w]+\])(?::\d+)?/(?:(?:v\d[\d.]*/)?(?:containers/|images/)|images/json|_cluster/|_cat/|_nodes|v1/(?:agent|kv|catalog)|v2/(?:keys|_catalog)|pods\b|run/|jobs\b|api/v1/(?:secrets|pods|namespaces|nodes)|\d{4}-\d\d-\d\d/runtime|actuator|server-status|druid/|solr/admin|jolokia|manager/html|metrics\b|admin(?:/|$)|%2561dmin)", _SSRF, CERTAIN, examples=('http://127.0.1/admin',)),
    _make("ssrf", "number_host", r"\bhttps?://(?:[^/\s@]*@)?(?:0x[0-9a-f]{1,8}[.:/]|0[0-7]{3,}\.|0[0-7]{8,})", _SSRF, STRONG, examples=('http://0x7f.1/',)),
    _make("ssrf", "odd_scheme", r"\b(?:gopher|dict|netdoc|jar|ldaps?|tftp|sftp|expect|file|rmi|iiop|corba|nis|imaps?|pop3|smtp|telnet|view-source|ssh)(?:://|:/|%3a%2f)", _SSRF, examples=('file:///',)),
    _make("ssrf", "internal_port", r"\bhttps?://[\w.\[\]:-]+:(?:22|21|23|25|110|135|139|445|1433|2375|2376|2379|3306|3389|4040|5432|5601|5984|5985|6379|6443|8500|9200|9300|10250|10255|11211|15672|27017)\b", _SSRF, 0.8, examples=('http://0.0.0.0:22',)),
    _make("ssrf", "interaction_host", r"\.(?:burpcollaborator\.net|oastify\.com|oast\.(?:fun|live|me|online|pro|site)|interact\.sh|interactsh\.com|dnslog\.cn|ceye\.io|requestbin|webhook\.site|pipedream\.net|ngrok\.io|xss\.ht|bxss\.me|r87\.(?:me|com)|vcap\.me)\b|\bburpcollaborator\b", _SSRF, STRONG, examples=('lol=require;x="child_process";lol(x).spawn(\'curl\',+[\'5gmgdi7mjd5o3g8oj8gawq6n8ee5ht6.oastify.com\']);',)),
    _make("ssrf", "userinfo_host", r"(?:^|=)/*(?:https?:/*|//+)[^\s/?#@]+[@\\]+@?[\w.-]+\.\w+|https?:/{3,}\w|https?:\\+|//\S+#@", _SSRF, MEDIUM, examples=('http:///127.0.0.1/',)),
    _make("open_redirect", "protocol_relative", r"^\s*(?:[/\\]{2,}|/\x09/|[/\\]+\.?[/\\]+|\.?/{2,}|/%09/|/%5c)\w[\w-]*\.\w{2,}", "CWE-601; PayloadsAllTheThings, Open Redirect", MEDIUM, examples=('\\.\\boot.ini',)),
    _make("open_redirect", "odd_slashes", r"^(?:\\/|/\\|/[\t\r\n]/|//+/|\\\\[\w-]+\.\w|[/\\]{3,}\w|https?:/?[^/]|https?:///|/\.[\w.]+@|//\w+%)|^(?:[/\\]*https?:?)?[/\\]+[^/]*(?:\.[a-z]{2,}(?::\d+)?@|%E3%80%82|\xe3\x80\x82|%2e%2e|\?\.|;@)", "CWE-601", MEDIUM, examples=('/%2e%2e%5c',)),
    # Text that a browser reads as the beginning of a host, and that no program writes.
    _make("open_redirect", "host_trick", r"^\s*(?:https?:)?[/\\]{2,}(?:[\r\n\t]|%0[9ad]|%5c|%2f|\\)|^\s*[/\\]{2,}[^/?#]*(?:%e3%80%82|\xe3\x80\x82)|^https?:(?:/|/{3,})?[a-z\d-]+(?:\.[a-z\d-]+)+(?:[/?#:]|$)", "CWE-601; WHATWG URL standard: special authority slashes", STRONG, examples=('//\\google.com',)),
    _make("open_redirect", "host_suffix", r"^(?:https?:)?//(?:[\w-]+\.)+(?:com|org|net)(?:\.(?:[a-z\d-]+\.)*(?:evil|attacker|[\w-]{4,})\.[a-z]{2,12}|@[^/]*)(?:[/?#:]|$)", "CWE-601; PayloadsAllTheThings, Open Redirect", MEDIUM, examples=('https://example.com.evil.com/',)),
    _make("sensitive_file", "dot_file", r"/\.(?:env|git|svn|hg|bzr|cvs|ht(?:access|passwd|group)|aws|ssh|docker|kube|npmrc|pypirc|netrc|bash_history|vscode|idea|dockercfg|gnupg|composer|travis|circleci|terraform|azure|subversion|mysql_history|psql_history|rediscli_history|sh_history|history|passwd|xauthority|fabric/\w|n8n|zed|kiro|rovodev|opencode|cursor\w*|claude|cline\w*|aider\w*|aiignore|junie|plandex|a0proj|windsurf\w*|copilot|continue|codex|gemini|roo\w*|openai|anthropic)(?:[/._-]|$)", _RECON, STRONG, examples=('/.env',)),
    _make("sensitive_file", "backup_suffix", r"\.(?:bak|bkp|backup|old|orig|save|swp|swo|tmp|copy|sql(?:\.\w+)?|dump|inc|cfg|conf|config|ini|log|mdb|sqlite3?|db|pem|key|p12|pfx|crt|jks|keystore|ppk|kdbx|ovpn|rdp|tfstate|tfvars|env|yml\.\w+|php~|~)(?:\.\w{2,4})?$|\.\w+~$|/~\w", _RECON, WEAK, examples=('.env',)),
    _make("sensitive_file", "config_file", r"/(?:wp-config\.\w+|web\.config|config\.(?:php|inc|json|ya?ml|xml|rb|py)(?:\.\w+)?|configuration\.php|settings\.(?:py|php)|local_settings\.py|database\.ya?ml|secrets?\.(?:ya?ml|json|env)|credentials(?:\.\w+)?|application(?:-\w+)?\.(?:ya?ml|properties)|appsettings(?:\.\w+)?\.json|parameters\.ya?ml|docker-compose\.ya?ml|dockerfile|composer\.(?:json|lock)|package(?:-lock)?\.json|yarn\.lock|gemfile|id_rsa|server\.key|private\.key|global\.asax?|localsettings\.php|env\.js|sftp-config\.json|htpasswd|passwd|shadow)(?:$|[?.~])", _RECON, STRONG, examples=('etc/passwd',)),
    _make("sensitive_file", "hidden_setting", r"/\.\w[\w.-]*/(?:[\w.-]+/)*(?:settings|config|credentials|secrets?|hooks?|rules|context|keys?|token|mcp|memory|session)[\w.-]*$|/\.(?:[a-vx-z]|w[a-df-z])[\w-]*/(?:[\w.-]+/)*[\w.-]+\.(?:json|ya?ml|toml|env|sh|ini|cfg|conf|key|pem|log|bak)$", _RECON, MEDIUM, examples=('/.n8n/config',)),
    _make("sensitive_file", "dump_file", r"(?:^|/)[\w.-]+\.sql\.(?:gz|bz2|xz|zip|7z|rar|tar|lz4|zst|bak|old|txt)$|/(?:wp-content|storage/logs|logs?|app|var)/(?:[\w-]+/)?(?:debug|errors?|error_log|laravel|access|production|development)\.log$", _RECON, STRONG, examples=('backup.sql.zip',)),
    _make("sensitive_file", "uploaded_setting", r"^\.(?:boto|env|ht(?:access|passwd|group)|user\.ini|npmrc|netrc|pgpass|my\.cnf|bash\w*|zshrc|profile|gitconfig|aws|ssh|dockercfg|kube|s3cfg)\b|^wp-config|^web\.config\b|^config\.(?:ya?ml|inc\.php|php)\s*$", _RECON, 0.1, examples=('.env',)),
    _make("dir_traversal", "sys_tree", r"^/?sys/(?:class|kernel|devices|module|firmware|block|hypervisor)(?:/|$)", _LFI, STRONG, examples=('/sys/class',)),
    _make("dir_traversal", "drive_setting", r"^/?[a-z]:[/\\]+(?:xampp|wamp|windows|winnt|program files[^/\\]{0,8}|inetpub|apache|php|mysql)[/\\].*\.(?:ini|inc|log|conf|cnf|dat|xml|err|php)\b", _LFI, STRONG, examples=('C:/php/php.ini',)),
    _make("dir_traversal", "log_tree", r"^/(?:var|usr/local|opt|etc|private/var)/(?:log|apache\w*|adm|lp|nginx|httpd|mysql|lampp)/\S*(?:log|err|error)\w*$|^/var/(?:log|apache2?)/\w+/?$", _LFI, STRONG, examples=('/var/log/wtmp',)),
    _make("dir_traversal", "pear_command", r"\bpe(?:ar|cl)cmd\b|\.\.\?{2}", "CVE-2024-4577 and docker-library images: pearcmd.php", STRONG, examples=('/usr/local/lib/php/pearcmd.php',)),
    _make("dir_traversal", "line_break", r"^/[^\s]*[\r\n]+\S", "CVE-2019-11043: a line break in a path", 0.1, examples=('/foo\nbar',)),
    _make("sensitive_file", "web_inf", r"/(?:web|meta)-inf(?:/|$)|\bweb\.xml\b", _RECON, STRONG, examples=('web.xml',)),
    _make("recon", "admin_tool", r"/(?:phpmyadmin\w*|pma|myadmin|mysqladmin|dbadmin|adminer(?:-[\d.]+)?(?:\.php)?|phppgadmin|sqlite\w*manager|manager/(?:html|text|status)|host-manager|jmx-console|web-console|invoker/\w+|actuator/\w+|jolokia|solr/admin|server-(?:status|info)|nginx_status|phpinfo(?:\.php\d?)?(?:$|[/?])|info\.php|shell\.php|cmd\.php|c99\.php|r57\.php|wso\.php|webshell\S*|cgi-bin/\S+|boaform/\S*|hnap1|gponform/\S*|setup\.cgi|\w+\.cgi|owa/auth|ecp/\w+|autodiscover/\S+@|telescope|_ignition|elmah\.axd|trace\.axd|console/?$|debug/pprof|druid/\S*|nacos/\S*|hudson|script$|api/jsonws|vendor/phpunit|eval-stdin\.php|horde/\S*|cacti/\S*|zabbix/\S*|axis2/\S*|struts\S*\.action|_profiler|@fs/|@id/__x00__|_cat/indices|_all_dbs|\.well-known/\.\.)", "OWASP Testing Guide WSTG-CONF-05; CRS 913 and 930 families", MEDIUM, examples=('/HNAP1/',)),
    # The name of a parameter: Werkzeug runs what stands in `cmd`.
    _make("recon", "debugger_name", r"^__debugger__$", "Werkzeug: the debugger's own requests; CWE-489", DECISIVE, prefilter=("__debugger__",), examples=("__debugger__",)),
    _make("cms_probing", "cms_path", r"/(?:wp-login\.php|wp-admin(?:/|$)|xmlrpc\.php|wp-json/wp/v2/users|wlwmanifest\.xml|wp-content/(?:plugins|themes|debug\.log|uploads/\S+\.php)|wp-includes/\S+\.php|administrator/(?:index\.php|components|manifests)|components/com_\w+|index\.php\?option=com_|user/login\?|sites/default/(?:files|settings)|misc/drupal\.js|typo3(?:conf)?/|magento_version|downloader/|skin/\w+/|bitrix/admin|fckeditor/|tiny_?mce/\S*\.php|ckfinder/)", "OWASP Testing Guide WSTG-INFO-08", WEAK, examples=('/wp-content/debug.log',)),
    _make("file_upload", "double_extension", r"\.(?:php\d?|phtml|phar|jspx?|aspx?|asa|cer|cgi|exe|sh)\.(?:jpe?g|png|gif|txt|pdf|zip|bak|\w{1,4})$|\.(?:jpe?g|png|gif|txt|pdf|docx?)\.{1,2}" + _EXTENSION + r"(?:$|[\s.;\x00])", _UPLOAD, MEDIUM, examples=('a.php.gif',)),
    _make("file_upload", "script_name", r"(?:^|[\w\s.\"'-])\.\s*" + _EXTENSION + r"[\s.]*(?:$|[\x00;:%/])", _UPLOAD, 0.1, examples=('.jsp',)),
    _make("file_upload", "name_trick", r"\.(?:php|asp|jsp|aspx)\w?(?:;(?:[^j]|$)|:(?:[^\d]|$)|\x00|%00|\.{1,2}$|\w{0,3}\.{3,}$|::\$data|/$|\s+$|\x20)|::\$data|\.htaccess|\.user\.ini|web\.config", _UPLOAD, examples=('a.php..',)),
    _make("file_upload", "script_upload", r"\.\s?(?:php[\dt]?|phtml|phar|phps|jspx?|jspf|aspx?|ashx|asa|cfm|cgi|shtml)[\s.]*$", _UPLOAD, 0.1, examples=('.jsp',)),
    _make("file_upload", "php_session", r"(?:^|[/\\])sess_[a-z0-9,-]{16,}$", "PHP session files", CERTAIN, examples=('sess_1234567890abcdefghij',)),
    _make("ssrf", "numeric_host", r"^[\s'\"]*(?:(?:https?|ftps?|wss?):/{0,3}|[a-z][a-z0-9+.-]{1,12}:/{2,3})(?:[^/?#@\s]*@)?(?:(?:(?:0x[0-9a-f]+|\d+)\.){0,3}(?:0x[0-9a-f]+|0[0-7]+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}|(?:\d{1,3}\.){0,2}\d{1,10})(?::\d{1,5})?(?:[/?#\s'\"]|$)", "WHATWG URL: IPv4 parser; PayloadsAllTheThings, SSRF", CERTAIN,
          prefilter=(*_NUMBERED, r"\\u246", r"\\u247", r"\\u248", r"\\u249", r"\\u24e", r"\\u24f", r"\\ud835\\udf", r"\xf0\x9d\x9f"),
          examples=("http://127.0x0.0x0.0x1/", "http://0177.1/", "http://012.0.0.1/", "http://3232235521/", "http://169.254.43518/", "http://\u2460\u2461\u2466.\u24ea.1/")),
    _make("ssrf", "rebinding_host", r"(?:^|[/@.\s])(?:[\w-]+\.)*(?:rbndr\.us|1u\.ms|rebind\.network|rebind\.it|rebinder\.net|lvh\.me|localtest\.me|vcap\.me|lacolhost\.com|fuf\.me|localh\.st|nip\.io|sslip\.io|xip\.io|traefik\.me|backname\.io|yoogle\.com|bugbounty\.dod\.network|spoofed\.burpcollaborator\.net)\.?(?::\d+)?(?:[/?#\s]|$)", "Singularity of Origin and rbndr: names that resolve to what is in them", CERTAIN,
          prefilter=(r"rbndr\.us", r"\.1u\.ms", r"rebind\.network", r"rebind\.it", r"rebinder\.net", r"lvh\.me", r"localtest\.me", r"vcap\.me", r"lacolhost\.com", r"fuf\.me", r"localh\.st", r"traefik\.me", r"backname\.io", r"yoogle\.com"),
          examples=("http://7f000001.c0a80001.rbndr.us/", "http://make-127.0.0.1-rebind-1.1.1.1-rr.1u.ms/", "http://a.lvh.me/")),
    _make("path_traversal", "percentless", r"(?:^|[/\\=])\.\.(?:2f|5c|252f|255c|c0af|c1(?:9c|1c)|e080af|0x[25][fc])|(?:2e2e(?:2f|5c)){2}|\.\.(?:2f|5c|252f|255c)\.\.|0x(?:2f|5c)0x2e(?:[./%]|0x)", "CWE-22: escapes whose sign a filter has taken out", CERTAIN,
          prefilter=(r"\.\.(?:2f|5c|25[25]|c0af|c1|e080|0x)", r"0x(?:2f|5c)0x2e", r"2e2e(?:2f|5c)2e"),
          examples=("..2f..2f..2fetc2fpasswd", "..255c..255cboot.ini", "..5c..5cwindows", "2e2e2f2e2e2fetc", "0x5c0x2e./")),
    _make("dir_traversal", "unc_local", r"^[\s'\"]*(?:\\\\|//)(?:localhost|127\.[\d.]+|\[?(?:0*:)*:?1\]?|\[?::1\]?|0x7f\w*|2130706433)[\\/](?:\w{1,40}\$?[\\/]|\w{1,40}\$\s*$|share\b)|^[\s'\"]*\\\\[.?]\\(?:\w:|unc\\|globalroot|pipe\\|physicaldrive)", "Microsoft: UNC and device paths; CWE-40", STRONG,
          prefilter=(r"(?:\\\\|//)(?:localhost|127\.|\[?:|0x7f|2130706433)", r"\\\\[.?]\\"),
          examples=("\\\\localhost\\admin$", "\\\\127.0.0.1\\c$\\x", "//127.0.0.1/share/a", "\\\\.\\c:\\x")),
    # RFC 4291, 2.5.5: IPv4 addresses within IPv6. No development server has such a name.
    _make("ssrf", "mapped_address", r"://(?:[^/\s@]*@)?\[(?:[0:]*:)?(?:ffff:(?:0:)?)?(?:127\.\d|0\.0\.0\.0|10\.\d|192\.168|172\.(?:1[6-9]|2\d|3[01])\.|169\.254|7f[0-9a-f]{2}:|0?a[0-9a-f]{2}:|c0a8:|a9fe:)[\w.:]*\]|://(?:[^/\s@]*@)?\[64:ff9b:[^\]\s]*\]", _SSRF, CERTAIN,
          examples=("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/a", "http://[0:0:0:0:0:ffff:7f00:1]/", "http://[::127.0.0.1]/", "https://[64:ff9b::7f00:1]/")),
    _make("ssrf", "metadata_address", r"^https?://(?:metadata\.google\.internal|metadata\.goog|169\.254\.169\.254|169\.254\.170\.2|100\.100\.100\.200)(?::\d+)?(?:/|$)", _SSRF, DECISIVE, examples=("http://metadata.google.internal/computeMetadata/v1beta1/project/",)),
    _make("dir_traversal", "answer_file", r"(?:^|[/\\])(?:unattend(?:ed)?|sysprep|autounattend)(?:\.(?:xml|txt|inf))?[/\\](?:unattend(?:ed)?|sysprep)\.(?:xml|txt|inf)\s*$|[/\\](?:panther|system32|sysprep)[/\\](?:unattend(?:ed)?|sysprep)\.(?:xml|txt|inf)\s*$|[/\\]config[/\\]regback[/\\]\w+\s*$", _LFI, STRONG, examples=("C:/windows/panther/unattend.txt", "C:/windows/system32/config/regback/security")),
    _make("dir_traversal", "server_setting", r"^/(?:etc|usr|var|opt|private|home|www|srv)/(?:[\w.-]+/){0,8}(?:httpd|nginx|apache2?|lighttpd|vsftpd|proftpd|my|php)\.(?:conf|cnf|ini)\s*$", _LFI, MEDIUM, examples=("/usr/local/apps/apache2/conf/httpd.conf",)),
    # Variables of old PHP programs, by which a page included what an address says.
    _make("file_inclusion", "include_variable", r"^(?:mosconfig_\w+|_(?:conf|server|request|get|post|session|env|files)\[[\w.]*\]?|globals\[[\w.]*\]?)$", "CRS 931110; PHP register_globals", 0.1,
          prefilter=(r"mosconfig_", r"_conf(?:\[|%5b)", r"_server(?:\[|%5b)", r"globals(?:\[|%5b)"), examples=("mosConfig_absolute_path", "_CONF[path]", "GLOBALS[x]")),
    _make("file_upload", "dotted_script", r"\.(?:php|phtml|asp|jsp|cgi)\w{0,4}\.{3,}\s*$", _UPLOAD, STRONG, examples=("a.php907....",)),
    _make("file_inclusion", "bare_ipv6", r"\b(?:https?|ftps?)://(?:[0-9a-f]{1,4}:){3,7}:?[0-9a-f]{1,4}/", "RFC 3986, 3.2.2: an address of IPv6 stands in brackets", CERTAIN, prefilter=(r"://[\da-f]{1,4}:[\da-f]{1,4}:[\da-f]{1,4}:",), examples=("https://2001:db8:701:1100::29c8/x.php",)),
    # Programs and settings beside or above a page (priors.py): where a name of a file is asked for.
    _make("path_traversal", "parent_program", r"^(?:\./|[\w-]+[/\\]\.\.[/\\])?(?:\.\.[/\\])+(?:[\w.-]{1,40}[/\\]){0,6}[\w.-]{0,40}\.(?:py[co]?|php|rb|conf|cfg|ini|env|toml|ya?ml|sqlite3?|db|log|key|pem|crt|bak|sql|htaccess|properties|war|jsp|aspx?)$", _TRAVERSAL, 0.1, examples=("../app.py", "../../conf/settings.ini", "static/../../app.py")),
    # Not programs in a home: development tools and file managers name them.
    _make("dir_traversal", "server_program", r"^/(?:(?:var/www|srv|usr/src|usr/local|app|opt|etc|root|code|workspace|data)/[\w./-]*\.(?:py[co]?|php|rb|toml|ya?ml)|(?:var/www|srv|usr/src|usr/local|app|opt|home|etc|root|code|workspace|data)/[\w./-]*\.(?:conf|cfg|ini|env|sqlite3?|db|log|key|pem|crt|bak|sql|htaccess|properties))$", _LFI, 0.2, prefilter=(r"=/(?:app|code|workspace|data)/[\w./-]*\.(?:py|php|rb|conf|cfg|ini|env|toml|ya?ml|sqlite|db|log|key|pem|sql)",), examples=("/var/www/html/index.php", "/usr/src/app/app.py", "/app/config.yml")),
    _make("open_redirect", "backslash_user", r"^\s*(?:https?:)?[/\\]{2,3}[\w.-]+\\+[\w.-]*@", "CWE-601; WHATWG URL standard: a backslash is a slash", CERTAIN, examples=("https://evil.example\\@shop.example.com", "//evil.example\\a@shop.example.com")),
    # A host that only the server itself reaches (priors.py): where an address is asked for.
    # Ports that IANA or the makers give to stores, to container engines and to cluster managers: no
    # site that a visitor names is there. A client chooses path and query freely, so neither counts.
    _make("ssrf", "service_port", r"^\s*(?:https?|ftp|wss?)://(?:localhost|127\.[\d.]+|0\.0\.0\.0|\[::1?\]|host\.docker\.internal)\.?:(?:2[23]|25|110|143|389|636|873|1433|1521|2049|2181|237[5-9]|2380|3306|4243|5432|5984|6379|638\d|7001|8086|8500|8600|9042|9092|9200|9300|10250|10255|11211|15672|2701[789]|50070)(?:[/?#]|\s*$)", _SSRF, CERTAIN, examples=("http://localhost:2375/", "http://127.0.0.1:6379/avatar.png", "http://127.0.0.1:9200/x?a=b")),
    # RFC 3986, 3.2.2: a host name may be encoded. Programs decode it, but no browser and no person
    # writes it like that.
    _make("ssrf", "encoded_host", r"^\s*(?:https?|ftp|wss?)://[\w.-]*%(?:[013-7][\da-f]|2[0-46-9a-f])[\w.%-]*(?:[:/?#]|\s*$)", _SSRF, CERTAIN, examples=("http://%31%32%37.0.0.1/x?a=b", "http://127%2e0%2e0%2e1/avatar.png", "http://loc%61lhost/")),
    _make("ssrf", "local_service", r"^\s*(?:(?:localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0|\[::1?\]):\d+(?:/\S*)?|https?://(?:db|database|redis|backend|postgres|mysql|mongo(?:db)?|elasticsearch|rabbitmq|memcached|kafka|vault|consul|etcd|internal|intranet|admin|metadata|docker|registry|jenkins|gitlab|grafana|prometheus|api|app|web)(?::\d+)?(?:/\S*)?)\s*$", _SSRF, 0.1,
          prefilter=(r"=(?:localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0):\d", r"://(?:db|database|redis|backend|postgres|mysql|mongo|mongodb|elasticsearch|rabbitmq|memcached)[/:\x0b&]", r"://(?:kafka|vault|consul|etcd|internal|intranet|admin|metadata|docker|registry)[/:\x0b&]", r"://(?:jenkins|gitlab|grafana|prometheus|api|app|web)[/:\x0b&]"),
          examples=("127.0.0.1:6379", "localhost:8080/admin", "http://backend:8000/admin", "http://db:5432", "http://intranet/")),
    _make("ssrf", "local_odd", r"^\s*//(?:localhost|127\.\d|10\.\d|192\.168\.|169\.254\.|0\.0\.0\.0|\[:)|\bhttps?\+unix:|\bhttps?://(?:localhost|127(?:\.\d{1,3}){3})\.(?:[:/]|$)|\bhttps?://(?-i:l(?:[A-Z][\w]{7}|o[A-Z]\w{6}|oc[A-Z]\w{5}|oca[A-Z]\w{4}|ocal[A-Z]\w{3}|ocalh[A-Z]\w\w|ocalho[A-Z]\w|ocalhos[A-Z])|L(?:[a-z]\w{0,7}[A-Z]\w{0,7}|O[a-z]\w{6}))(?:[:/]|$)", _SSRF, CERTAIN,
          prefilter=(r"=//(?:localhost|127\.|10\.|192\.168|169\.254|0\.0)", r"http(?:s)?\+unix", r"://localhost"), examples=("//127.0.0.1", "//localhost/x", "http+unix://x", "http://lOcAlHoSt:5000/x", "http://localhost./")),
    _make("sensitive_file", "secret_name", r"^(?:\.{1,2}/|~/)*(?:\.(?:env|bash|aws/|ssh/|docker/|kube/)[\w.]*|\.git/(?:config|head|index|logs)|\.(?:profile|netrc|pgpass|npmrc|pypirc|htpasswd|htaccess)|id_(?:rsa|ed25519)|wp-config\.php|web-inf/web\.xml|db\.sqlite3|settings\.py|config\.py|secrets?\.\w+)$|^/dev/(?:zero|u?random|full|stdin|tty)$", _RECON, 0.15,
          prefilter=(r"=\.git/(?:config|head|index|logs)", r"=/dev/(?:zero|u?random|full|stdin|tty)(?:$|[\x0b&])",), examples=("~/.bashrc", ".git/config", ".env", "/dev/zero", "../db.sqlite3", "/dev/urandom")),
    # Nothing but dots and slashes of both kinds.
    _make("path_traversal", "dots_only", r"^[./\\]*(?:\\/|/\\|\.\\)[./\\]{2,}$", _PATT_TRAVERSAL, STRONG, examples=("/./\\/./", "/.\\/\\.\\.\\/\\.\\")),
    # Addresses that only a browser or a careless check reads as ones of another site. Proxies have
    # the first of these in their paths (priors.py).
    _make("open_redirect", "odd_address", r"^\s*/+https?:/|^\s*https?://(?:(?:\d{1,3}\.){0,3}(?:[3-9]\d\d|2[6-9]\d|25[6-9])\.\d|[^/?\s]*#@|[\w.-]+\\+[\w.-]+\.\w)|^\s*/<>/", "PayloadsAllTheThings, Open Redirect", 0.95,
          prefilter=(r"[=\"]/+https?:", r"=/<>/", r"://[\w.:-]+#@", r"://[\w.-]+\\[\w.]", r"://(?:\d{1,3}\.){0,3}(?:[3-9]\d\d|2[6-9]\d|25[6-9])\.\d"),
          examples=("/https://example.com/", "http://472.314.470.462", "http://google.com:80#@shop.example.com/", "http://google.com\\shop.example.com", "/<>//example.com")),
)
