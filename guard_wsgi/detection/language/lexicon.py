# ruff: noqa: E501  (word lists)
"""Words that mean something to an interpreter, in classes: the vocabulary of tokens.py.

A word outside the lexicon is just a word ("w"), so prose is a run of w. Words that are as common in
English as in an attack have their own class: only their surroundings count.
"""

from __future__ import annotations

from typing import Final

_SELF = """
select union from where and or not like in is null order by group having limit insert into update
set delete drop table values exec execute declare between exists case when then else end waitfor
delay as on join all distinct top xor div mod rlike regexp procedure analyse outfile dumpfile true
false cast convert begin create alter truncate database shutdown call handler if for while function
return new this var let const typeof void throw try catch import include require eval system class
constructor prototype proto __proto__ script svg img iframe body style src href javascript data
http https ftp file php jndi ldap etc passwd document window cookie location alert env config self
request echo print id cat rm ls type exe shell cmd win ini get post host content length
entity doctype system public element xml xsl include virtual expression math application session
"""

_CLASSES: Final = {
    # functions of SQL dialects
    "SQLF": """sleep benchmark pg_sleep extractvalue updatexml load_file concat concat_ws
    group_concat char chr ascii ord substring substr mid hex unhex md5 sha1 user version current_user
    session_user system_user schema ifnull nullif isnull iif elt make_set floor rand count randomblob
    lpad rpad coalesce length len left right upper lower trim reverse replace instr locate position
    nvl to_char dbms_pipe utl_inaddr utl_http xmltype exp name_const row_count last_insert_id db_name
    host_name suser_name object_id string_agg listagg geometrycollection polygon multipoint
    linestring bin conv soundex quote aes_encrypt compress nchar varchar nvarchar""",
    # names in the catalogues of databases
    "SQLC": """information_schema sysobjects syscolumns sysusers pg_catalog pg_shadow pg_user
    sqlite_master all_tables user_tables table_name column_name table_schema schema_name mysql
    msysaccessobjects tabname dual xp_cmdshell sp_executesql xp_dirtree master performance_schema
    openrowset all_tab_columns tables columns schemata receive_message dbms_lock""",
    "SQLT": "int integer numeric decimal text binary unsigned signed datetime date char2 bigint",
    "BOOL": "yes no nan infinity undefined",
    "ASC": "asc desc offset fetch rows only nulls first last",
    "ODATA": "eq ne gt lt ge le startswith endswith contains",
    # tags that load or run
    "TAG": """embed object applet frame frameset video audio source details marquee meta link base
    isindex input button textarea keygen math animate animatetransform animatemotion foreignobject
    bgsound layer ilayer xss xmp noscript template portal picture image track canvas map area title
    option noembed plaintext blink menu dialog desc use mglyph mtext mi listing""",
    # tags of plain rich text
    "TEXTTAG": """p b i u em strong br hr ul ol li span div h1 h2 h3 h4 h5 h6 table tr td th thead
    tbody blockquote pre code figure figcaption sup sub strike small section article a""",
    "ATTR": """srcdoc formaction xlink poster background dynsrc lowsrc srcset action codebase classid
    allowscriptaccess xmlns autofocus contenteditable tabindex accesskey attributename begin dur
    values to repeatcount fill onbegin sandbox integrity nonce""",
    "TEXTATTR": "width height alt rel target align valign border colspan rowspan lang dir",
    "JSF": """prompt confirm settimeout setinterval fetch atob btoa execscript fromcharcode unescape
    decodeuri decodeuricomponent importscripts msgbox open write writeln createelement
    getelementbyid queryselector appendchild insertadjacenthtml innerhtml outerhtml
    getelementsbytagname createcontextualfragment navigate postmessage sendbeacon xmlhttprequest
    onerror tostring tostringtag assign replace source""",
    "JSO": """top parent frames opener navigator localstorage sessionstorage globalthis string
    array object number boolean regexp reflect json domain referrer hash search pathname origin
    event target arguments callee name""",
    # programs whose names are hardly words
    "CMD": """whoami uname ifconfig ipconfig netstat curl wget nc ncat netcat nslookup dig ping bash
    sh zsh ksh csh dash busybox powershell pwsh chmod chown mkfifo telnet tftp ssh scp socat nmap
    perl python python3 ruby awk sed grep egrep xxd printf printenv sudo systeminfo tasklist taskkill
    certutil bitsadmin mshta wmic regsvr32 rundll32 cscript wscript useradd passwd2 getent xargs nohup
    strace gdb vim nano traceroute tracert tac nl od strings base64 crontab lsof ps pwd mkdir touch
    mv cp ln dd tee expr hostname reg iex invoke""",
    # programs whose names are words too
    "CMDW": """dir net more less head tail find sort time timeout date test kill export read watch
    which start copy del last who su node java env2 mount make""",
    "DIR": """var usr bin sbin proc tmp home root dev opt lib log logs www html windows winnt system32
    inetpub wwwroot boot conf sys srv mnt xampp apache apache2 nginx httpd users administrator
    programdata ssh""",
    "SFILE": """shadow hosts issue motd group cmdline environ fstab htaccess htpasswd id_rsa
    authorized_keys bash_history bashrc git svn docker sudoers resolv crontab access_log error_log
    win2 wp_config php5 php7""",
    "EXT": "asp aspx jsp jspx cgi pl py sh2 dll bat ps1 phtml phar war jar shtml cfm inc bak sql",
    "TEXTEXT": "txt pdf png jpg jpeg gif css js json csv doc docx xls xlsx svg2 webp mp4 zip",
    "PHPF": """exec passthru shell_exec popen proc_open assert phpinfo phpversion preg_replace
    create_function call_user_func call_user_func_array array_map array_filter base64_decode
    gzinflate file_get_contents file_put_contents fopen fwrite readfile highlight_file show_source
    unserialize var_dump print_r scandir unlink str_rot13 include_once require_once ini_set getenv
    usort array_walk hex2bin pcntl_exec die fputs opendir symlink allow_url_include
    auto_prepend_file""",
    "PHPV": "_get _post _request _server _cookie _files _session globals",
    "PY": """__import__ __class__ __mro__ __subclasses__ __globals__ __builtins__ __init__ __bases__
    __base__ __getitem__ os popen subprocess getattr lipsum cycler joiner namespace url_for
    get_flashed_messages attr check_output __dict__ __reduce__ sys modules linecache _self
    registerundefinedfiltercallback getfilter range mro subclasses globals builtins""",
    "JAVA": """java javax runtime getruntime processbuilder getclass forname classloader
    getmethod newinstance invoke scriptenginemanager ognl freemarker springframework apache commons
    classes bufferedreader inputstream fileinputstream lang util io reflect defineclass
    memberaccess getresource execute ognlcontext""",
    "NODE": """process mainmodule child_process execsync spawnsync spawn execfile module exports
    global binding console fs readfilesync readdirsync writefile then""",
    "RUBY": "kernel erb io2 dir2 instance_eval constantize",
    "TPL": "endif endfor block extends macro raw autoescape filter foreach assign dump settings",
    "SCHEME": """gopher dict phar zip expect glob zlib ssh2 rmi jar netdoc tftp sftp vbscript
    livescript mocha mailto ldaps dns iiop corba nis view feed""",
    "FILTER": "convert iconv resource stdin input utf",
    "LDAPA": """uid cn sn ou objectclass userpassword samaccountname givenname memberof gidnumber
    uidnumber homedirectory""",
    "HDR": """location refresh status cc bcc subject mime transfer encoding chunked forwarded
    authorization user agent accept connection set""",
    "HTTPV": "put head options trace connect patch",
    "LOCAL": "localhost internal metadata instance",
    "XP": "child parent ancestor descendant following preceding node position starts last local",
    "SSI": "printenv fsize flastmod",
}


def _lexicon() -> dict[str, str]:
    words = {}
    for name, members in _CLASSES.items():
        for word in members.split():
            words[word] = name
    for word in _SELF.split():
        words[word] = word
    return words


LEXICON: Final = _lexicon()
