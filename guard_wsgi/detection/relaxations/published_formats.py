# ruff: noqa: E501  (tables of paths)
"""Paths of the fields in which published formats carry programs, files, places and reports.

Each is a whole path from the root of a JSON body. The exception is the last table: names that apps
use only for a program or its output.
"""

from __future__ import annotations

import re
from typing import Final

# Lines of JSON have a list around them.
_ROOT: Final = r"(?:\[\]\.)?"
# Sentry (event payloads, envelopes, webhooks), Elastic APM, Rollbar, Bugsnag, Airbrake, Honeybadger.
_EVENT: Final = rf"{_ROOT}(?:(?:data\.)?(?:event|error|issue)\.)?"
_FRAMES: Final = (
    r"(?:"
    rf"{_EVENT}(?:(?:exception|threads)(?:\.values)?\[\]\.)?(?:raw_)?stacktrace\.frames\[\]\."
    rf"|{_ROOT}error\.(?:exception|log)\.stacktrace\[\]\."
    rf"|{_ROOT}(?:data\.)?body\.trace(?:_chain\[\])?\.frames\[\]\."
    rf"|{_ROOT}(?:events\[\]\.)?exceptions\[\]\.stacktrace\[\]\."
    rf"|{_ROOT}errors\[\]\.backtrace\[\]\."
    r"|error\.backtrace\[\]\.|details\.error\.(?:innerError\.)?stackTrace\[\]\.)"
)
# Kubernetes: workloads, lists of them, and admission reviews.
_OBJECT: Final = r"(?:items\[\]\.|request\.(?:object|oldObject)\.)?"
_CONTAINERS: Final = (
    rf"{_OBJECT}spec\.(?:(?:jobTemplate\.spec\.)?template\.spec\.)?"
    r"(?:c|initC|ephemeralC)ontainers\[\]\."
)
# Programs and files for a tool of the Model Context Protocol or of a language model.
_GIVEN: Final = (
    r"(?:command|cmd|code|script|sql|query|statement|expression|patch|diff|input|pattern|content|text|file_text|new_text"
    r"|(?:old|new|insert)_(?:str|string|text))(?:\[\])?"
)
# A message of a language model's API (OpenAI, Anthropic, Ollama), and parts of one (Gemini).
_MESSAGES: Final = r"(?:params\.)?messages\[\]\."
CONTENT_PATHS: Final = re.compile(
    rf"{_FRAMES}(?:context_line|(?:pre|post)_context\[\]|context\.(?:pre|post)\[\]|code(?:\.\d+)?|source\.\d+|line\.context|function|method|methodName|module|(?:vars|locals)\..+)"
    rf"|{_EVENT}(?:exception|threads)(?:\.values)?\[\]\.value"
    rf"|{_ROOT}error\.(?:log\.message|exception\.message)|{_ROOT}span\.context\.db\.statement"
    # Source maps (ECMA-426), notebooks (nbformat 4, and as an API of Jupyter takes them).
    r"|(?:sections\[\]\.map\.)?sourcesContent\[\]"
    r"|(?:content\.)?cells\[\]\.(?:source(?:\[\])?|attachments\..+|outputs\[\]\.(?:text(?:\[\])?|traceback\[\]|evalue|data\..+))"
    # Language Server Protocol, Debug Adapter Protocol, Jupyter's messages.
    r"|params\.textDocument\.text|params\.contentChanges\[\]\.text"
    # Kubernetes, Docker's API, actions of code hosts, and other programs that run commands.
    rf"|{_CONTAINERS}(?:(?:command|args)\[\]|(?:(?:liveness|readiness|startup)Probe|lifecycle\.(?:preStop|postStart))\.exec\.command\[\])"
    rf"|{_OBJECT}metadata\.annotations\.kubectl\.kubernetes\.io/last-applied-configuration"
    r"|(?:Config\.)?(?:Cmd|Entrypoint|Healthcheck\.Test)\[\]|jobs\.[\w-]+\.steps\[\]\.(?:run|with\.script)|workflow_job\.steps\[\]\.name|repository\.dockerfile"
    # A tool's call by the Model Context Protocol, commands of a package.
    r"|params\.arguments\.(?:command|cmd|code|script|sql|patch|diff|old_str|new_str|old_string|new_string)|scripts\.[\w:.-]+"
    r"|resources\[\]\.instances\[\]\.attributes\..+|spec\.rules\[\]\.(?:validate|mutate|generate|preconditions|match|exclude)\..+\.key|spec\.templates\[\]\.container\.(?:args|command)\[\]|dashboard\.(?:panels\[\]\.)+targets\[\]\.\w+"
    rf"|{_MESSAGES}content\[\]\.content(?:\[\]\.text)?"
    rf"|{_MESSAGES}tool_calls\[\]\.function\.arguments|(?:choices\[\]\.(?:message|delta)\.|.*submit_tool_outputs\.)tool_calls\[\]\.function\.arguments.*"
    r"|contents\[\]\.parts\[\]\.(?:functionCall\.args\..+|functionResponse\.response\..+)"
    # Diffs and files, as code hosts send and receive them.
    r"|comment\.diff_hunk|changes\[\]\.diff|files\[\]\.patch|(?:actions|tree)\[\]\.content|files\..+\.content|object_attributes\.st_diff\.diff"
    # Traces of requests, which include attacks (OpenTelemetry), and logs (Loki).
    r"|resource(?:Spans|Logs|Metrics)\[\]\..+\.stringValue|streams\[\]\.values\[\]\[\]"
    # Lines of logs that a program sends to CloudWatch (PutLogEvents).
    r"|logEvents\[\]\.message"
)
# The same with paths so short, or names so common, that another app may have them. A program needs
# far more evidence there, but attacks are still found.
CARRIED_PATHS: Final = re.compile(
    # Actions and messages of a page before an error.
    rf"{_EVENT}breadcrumbs(?:\.values)?\[\]\.(?:message|data\..+)|(?:data\.)?body\.telemetry\[\]\.body\..+"
    rf"|{_EVENT}logentry\.\w+|(?:data\.)?event\.extra\..+|details\.error\.(?:innerError\.)?message|(?:events\[\]\.)?(?:breadcrumbs\[\]\.)?metaData\..+|context\.history\[\]\.arguments\[\]"
    # Language Server Protocol, Debug Adapter Protocol, Jupyter's messages.
    r"|content\.(?:code|text|traceback\[\]|evalue)|params\.(?:context\.)?diagnostics\[\]\.(?:message|relatedInformation\[\]\.message)|params\.arguments\[\](?:\..+)?"
    r"|result\.(?:items\[\]\.)?(?:contents|documentation)(?:\[\])?\.value|result\.items\[\]\.textEdit\.newText|params\.uri|result\.source"
    r"|arguments\.(?:expression|value|breakpoints\[\]\.(?:condition|logMessage))|body\.(?:output|variables\[\]\.value)|params\.text|result\[\]\.command\.arguments\[\]"
    r"|result\.tools\[\]\.(?:description|inputSchema\..+)"
    # Kubernetes, Ansible, Terraform, n8n, and tools of language models.
    rf"|{_OBJECT}(?:data|stringData|binaryData)\.[\w-]+\.(?:conf|cfg|cnf|ini|sh|sql|ya?ml|properties|toml|lua|rules|js|py)"
    r"|outputs\.[\w-]+\.value|extra_vars\.\w+|output_fields\.proc\.\w+|(?:\[\]\.)?tasks\[\]\.(?:shell|command|script|raw)(?:\.cmd)?|nodes\[\]\.parameters\..+"
    rf"|params\.arguments\.{_GIVEN}|{_MESSAGES}content\[\]\.input\.{_GIVEN}"
    r"|result\.(?:content|contents)\[\]\.text|result\.structuredContent\..+|input\[\]\.(?:arguments|output)|tool_outputs\[\]\.output"
    r"|changes\.(?:body|title)\.from|alert\.rule\.\w+"
    # npm: versions that a package needs.
    r"|engines\.\w+|(?:dev|peer|optional|bundled)?[dD]ependencies\.[\w@/.-]+"
    # Names at any depth: an app that has such a field expects a program in it, or a program's
    # output.
    r"|(?:.*[.\]])?(?:std_?(?:out|err)|(?:js|function|python)Code|(?:stack|back)_?trace|stackTrace|backTrace|traceback"
    r"|(?:old|new)_str(?:ing)?|file_text|(?:old|new|insert)(?:Text|_text)|(?:raw|compiled)_?[sS]ql|sqlExpression|cmdline"
    r"|source_?code|sourceCode|typed_code|code_?snippet|codeSnippet|full_log|UserData\.Fn::Base64(?:\.Fn::Sub)?|EmbeddedTmpl"
    r"|(?:db|sql)\.(?:statement|query|query\.text)|(?:event|log)\.original|error\.stack|script\.source|region\.snippet\.text|fix\.text|steps\[\]\.(?:run|script))(?:\[\])?"
)
# Files that an editor changes, as keys.
URI_PATHS: Final = re.compile(r"params\.edit\.changes\{\}|result\[\]\.edit\.changes\{\}")
# Paragraphs of block editors: Draft.js, EditorJS, Quill, ProseMirror and TipTap, Slate and Lexical.
BLOCK_PATHS: Final = re.compile(
    r"(?:\w{1,30}(?:\[\])?\.){0,4}(?:blocks\[\]\.(?:text|data\.(?:text|code|caption|message|items\[\](?:\.content|\.text)?))"
    r"|ops\[\]\.insert|content\[\]\.(?:content\[\]\.){1,8}text|children\[\]\.(?:children\[\]\.){1,8}text)"
)
# Texts of people on a code host. Anyone may write an attack there, so it bans no sender.
WRITTEN_PATHS: Final = re.compile(
    r"(?:issue|comment|review|discussion|release|answer|check_run|commit|page|milestone|label|repository)\.(?:title|name|body|description|message|note|output\.(?:title|summary|text))"
    r"|(?:object_attributes|merge_request|pull_?request)\.(?:last_commit\.)?(?:title|description|message|note|head\.ref|source_branch)|ref|commits\[\]\.author\.name"
)
# JSON Schema, from which editors know the type of a document.
SCHEMA_PATHS: Final = re.compile(r"(?:.+\.)?\$schema")
PLACE_PATHS: Final = re.compile(
    rf"{_FRAMES}(?:filename|abs_path|file|fileName)"
    r"|params\.textDocument\.uri|params\.(?:rootUri|rootPath)|params\.workspaceFolders\[\]\.uri|result\.contents\[\]\.uri"
    r"|params\.edit\.(?:documentChanges\[\]\.textDocument\.uri)|params\.(?:context\.)?diagnostics\[\]\.relatedInformation\[\]\.location\.uri"
    # Debug Adapter Protocol.
    r"|arguments\.(?:source\.path|program|cwd)"
    # Alertmanager and Grafana: the folder or the device that an alert is about.
    r"|(?:(?:alerts|data\.alerts)?\[\]\.labels|commonLabels|groupLabels|evalMatches\[\]\.tags)\.(?:mountpoint|mount_?path|device|fstype|path|file|filename|file_path|volume|dir|directory|name)"
    # Loki: the origin of a log line.
    r"|output_fields\.fd\.name|streams\[\]\.stream\.filename"
    # Kubernetes and Docker: folders of a container and of its host.
    rf"|{_CONTAINERS}(?:volumeMounts\[\]\.(?:mountPath|subPath)|env\[\]\.value)|{_OBJECT}spec\.(?:(?:jobTemplate\.spec\.)?template\.spec\.)?volumes\[\]\.\w+\.\w+|HostConfig\.Binds\[\]"
    # CycloneDX, whose references are addresses of packages.
    r"|(?:metadata\.component\.)?(?:components\[\]\.)*bom-ref|metadata\.component\.bom-ref|dependencies\[\]\.(?:ref|dependsOn\[\])"
)
# Files of a repository or of a workspace.
FILE_PATHS: Final = re.compile(
    r"(?:payload\.)?(?:head_commit|commits\[\])\.(?:added|removed|modified)\[\]|(?:\[\]|files\[\])\.(?:previous_)?filename"
    r"|tree\[\]\.path|actions\[\]\.(?:file_path|previous_path)|changes\[\]\.(?:old|new)_path|(?:check_run\.)?output\.annotations\[\]\.path"
    r"|comments?(?:\[\])?\.(?:inline\.)?path|build\.scm\.changes\[\]|runs\[\]\.results\[\]\.locations\[\]\.physicalLocation\.artifactLocation\.uri|Results\[\]\.Target|alert\.most_recent_instance\.location\.path|object_attributes\.(?:position|st_diff)\.(?:old|new)_path"
    r"|files\{\}"
)
# The same, or a file in a work folder, which a tool opens for a language model.
WORK_PATHS: Final = re.compile(
    r"tests\[\]\.call\.crash\.path|\[\]\.filePath|"
    rf"params\.arguments\.(?:path|file_?path|filename|file|directory|cwd)|{_MESSAGES}content\[\]\.input\.(?:path|file_path|filename)"
)
SOURCE_PATHS: Final = re.compile(r"(?:sections\[\]\.map\.)?sources\[\]")
# Alerts about machines (Alertmanager, Grafana, PagerDuty, Opsgenie), and the blocks of chats that
# show them (Slack, Discord, Teams).
MESSAGE_PATHS: Final = re.compile(
    r"(?:data\.)?extra\.\w+|tools\[\]\.(?:function\.)?description|instructions"
    r"|"
    r"alerts\[\]\.annotations\.[\w.-]+|commonAnnotations\.[\w.-]+|valueString"
    r"|payload\.(?:summary|custom_details\..+)|event\.data\.incident\.(?:title|summary)"
    r"|alert\.(?:message|description|details\..+)|alert_query|result\._raw|heartbeat\.msg|check\.output|(?:long_)?service_output|backlog\[\]\.(?:message|fields\..+)|Problem(?:Title|DetailsText)|data\.(?:essentials\.description|alertContext\..+)|cardsV2\[\]\..+|state_message|entity_display_name"
    r"|blocks\[\]\.(?:text\.text|fields\[\]\.text|elements\[\]\.elements\[\]\.text)|attachments\[\]\.(?:title|text|fallback|pretext|fields\[\]\.value)"
    r"|embeds\[\]\.(?:title|description|fields\[\]\.value)|sections\[\]\.(?:activityTitle|text|facts\[\]\.value)"
    r"|event\.blocks\[\]\.elements\[\]\.elements\[\]\.text"
    # Jira: the changes of an issue.
    r"|changelog\.items\[\]\.(?:from|to)String|issue\.fields\.(?:summary|description|environment)"
    # Texts of commits, pull requests and notes on a code host.
    r"|(?:commits\[\]|head_commit)\.(?:message|title)|push\.changes\[\]\.(?:new\.target|commits\[\])\.message"
    r"|(?:pull_?request|merge_request|object_attributes)\.(?:title|body|description|note)|comment\.content\.raw"
    r"|resource\.commits\[\]\.comment"
    # Prompts: messages of people and programs to a language model. Chats have fields of these
    # names, too.
    rf"|{_MESSAGES}content(?:\[\])?(?:\.text)?|prompt|choices\[\]\.(?:message|delta)\.content|{_MESSAGES}data\.content|chat_history\[\]\.message|instances\[\]\.content|input\[\]\.content(?:\[\]\.text)?"
    r"|(?:contents\[\]|systemInstruction)\.parts\[\]\.text|system\[\]\.text"
)
