"""More kinds of benign requests: what programs, tools and people send that is hard to tell from
attacks. benign_traffic.py adds these families to its own.

One family per kind of sender: telemetry and error reports, query languages, documents and files,
URLs inside parameters, odd inputs, mail, paths, build systems, infrastructure interfaces. The
formats follow the public documentation of the senders; names, hosts and texts are made up.
"""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from benign_traffic import Maker

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

# fmt: off
TABLES = ("users", "orders", "order_items", "invoices", "public.accounts", "shop.products", "events", "sessions", "Account", "Contact", "Opportunity", "Case", "django_session", "wp_posts", "\"Customers\"", "analytics.page_views")
FIELDS = ("id", "name", "email", "status", "created_at", "total", "amount", "country", "user_id", "Industry", "StageName", "price", "quantity", "updated_at", "is_active", "category")
LITERALS = ("'active'", "'Media'", "42", "'2024-05-01'", "true", "NULL", "'O''Brien'", "'%shoe%'", "100.50", "$1", "?", "%s", ":id", "@p0")
HOSTS = ("http://localhost:3000", "http://127.0.0.1:8000", "https://192.0.2.10", "http://192.168.1.20:8123", "http://10.0.3.7:9000", "http://localhost", "https://app.example.com", "https://203.0.113.9:8443", "http://172.17.0.2:5000", "http://[::1]:8080", "https://staging.example.net", "http://host.docker.internal:8080", "https://user@git.example.com", "http://127.0.0.1:9200", "http://localhost:5432")
FILES = ("/var/log/nginx/access.log", "/var/log/app/app.log", "/usr/lib/python3.12/json/decoder.py", "/app/src/views.py", "/home/ci/build/out.txt", "/usr/local/lib/node_modules/npm/bin/npm-cli.js", "/root/.pyenv/versions/3.12.1/lib/python3.12/site-packages/flask/app.py", "/opt/app/current/app/models/user.rb", "C:\\Program Files\\App\\app.exe", "C:\\Users\\jane\\AppData\\Local\\Temp\\a.tmp", "/etc/hosts", "/var/www/html/index.php", "/proc/self/status", "/tmp/upload_a1.csv", "webpack:///./src/components/Cart.vue?1a2b", "app:///main.jsbundle", "node:internal/process/task_queues", "/srv/www/shop/wp-content/plugins/a/b.php", "/usr/share/nginx/html/50x.html", "../node_modules/react-dom/index.js", "/etc/nginx/conf.d/default.conf")
CODE = (
    "const el = document.getElementById('cart');", "el.innerHTML = '<b>' + name + '</b>';", "return eval('(' + text + ')');", "var s = document.createElement('script');", "window.location.href = '/login?next=' + encodeURIComponent(path);", "fetch('/api/items').then(r => r.json())", "setTimeout(function () { alert('saved'); }, 500);", "if (document.cookie.indexOf('consent=') < 0) showBanner();",
    "cursor.execute('SELECT * FROM users WHERE id = %s', (user_id,))", "result = subprocess.run(['ls', '-la'], check=True)", "os.system('make clean')", "with open('/etc/hosts') as f:", "import os, sys", "value = __import__(name)", "eval(compile(source, '<string>', 'exec'))", "return pickle.loads(data)", "raise ValueError(f'bad value {value!r}')", "for i in range(10): print(i)",
    "echo $_POST['name'];", "$stmt = $pdo->query(\"SELECT * FROM orders WHERE id = $id\");", "include 'header.php';", "<?php echo htmlspecialchars($title); ?>", "$out = shell_exec('git rev-parse HEAD');", "throw new Error('Cannot read properties of undefined');", "System.out.println(\"hello \" + name);", "Runtime.getRuntime().exec(cmd);", "Class.forName(\"org.postgresql.Driver\");", "Process.Start(\"notepad.exe\");",
    "<script src=\"https://cdn.example.com/app.js\"></script>", "<a href=\"#\" onclick=\"go(this)\">next</a>", "{{ user.name|upper }}", "{% if user.is_staff %}<b>staff</b>{% endif %}", "<%= link_to 'Home', root_path %>", "${user.name}", "#{user.email}", "<c:out value=\"${row.id}\"/>", "th:text=\"${item.price}\"", "v-on:click=\"save\"",
    "ls -la | grep log", "cat /etc/os-release", "curl -fsSL https://get.example.com/install.sh | sh", "sudo apt-get update && sudo apt-get install -y nginx", "docker run --rm -it -v $(pwd):/app node:20 sh", "git commit -m \"fix: don't drop the table\"", "npm ci && npm run build", "chmod +x deploy.sh; ./deploy.sh", "ping -c 4 192.168.1.1", "kubectl get pods -n prod", "export PATH=$PATH:/usr/local/bin", "tail -f /var/log/syslog", "wget https://example.com/file.tar.gz", "rm -rf node_modules", "python3 -m venv .venv",
    "SELECT u.id, COUNT(*) FROM users u JOIN orders o ON o.user_id = u.id GROUP BY u.id HAVING COUNT(*) > 5;", "DROP TABLE IF EXISTS tmp_import;", "INSERT INTO settings (k, v) VALUES ('a', 'b');", "UPDATE users SET active = 0 WHERE last_login < NOW() - INTERVAL 1 YEAR;", "db.users.find({\"age\": {\"$gt\": 21}})", "SELECT pg_sleep(1);", "ALTER TABLE orders ADD COLUMN note text;",
)
ERRORS = ("TypeError: Cannot read properties of undefined (reading 'id')", "java.lang.NullPointerException: null", "django.db.utils.OperationalError: could not connect to server", "SyntaxError: Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON", "ORA-00942: table or view does not exist", "You have an error in your SQL syntax; check the manual near ''1'' at line 1", "org.springframework.beans.factory.BeanCreationException: Error creating bean with name 'dataSource'", "PHP Fatal error:  Uncaught Error: Call to undefined function foo() in /var/www/html/a.php:3", "sh: 1: foo: not found", "FileNotFoundError: [Errno 2] No such file or directory: '../data/x.csv'", "ReferenceError: alert is not defined", "com.example.shop.OrderException: Order 5 not found", "curl: (7) Failed to connect to localhost port 80", "javax.servlet.ServletException: Servlet.init() threw exception", "System.NullReferenceException: Object reference not set to an instance of an object.")
WORDY = ("the quick answer is that it depends", "please have a look when you can", "this was working before the update", "it's not clear where the value is from", "we should order by date and group by team", "thanks, that fixed it for me", "can you select a better name for this?", "I don't think we need both", "see the docs for details", "it fails on my machine only")


def statement(m: Maker) -> str:
    """A whole query as tools and tracers carry it."""
    f, t, v = (lambda: m.pick(FIELDS)), m.pick(TABLES), (lambda: m.pick(LITERALS))
    kind = m.random.randrange(12)
    if kind == 0:
        return f"SELECT {f()}, {f()} FROM {t} WHERE {f()} = {v()} LIMIT {m.random.randint(1, 200)}"
    if kind == 1:
        return f"SELECT COUNT() FROM {t}"
    if kind == 2:
        return f"select count(*) from {t} where {f()} = {v()} and {f()} > {v()}"
    if kind == 3:
        return f"SELECT * FROM {t} ORDER BY {f()} DESC LIMIT 21"
    if kind == 4:
        return f"UPDATE {t} SET {f()} = {v()}, {f()} = NOW() WHERE {f()} = {v()}"
    if kind == 5:
        return f"INSERT INTO {t} ({f()}, {f()}) VALUES ({v()}, {v()}) RETURNING id"
    if kind == 6:
        return f"DELETE FROM {t} WHERE {f()} < {v()}"
    if kind == 7:
        return f"SELECT {f()}, sum({f()}) AS total FROM {t} GROUP BY {f()} HAVING sum({f()}) > 100 ORDER BY 2 DESC"
    if kind == 8:
        return f"SELECT a.{f()}, b.{f()} FROM {t} a LEFT JOIN {m.pick(TABLES)} b ON a.id = b.{f()} WHERE a.{f()} IN ({v()}, {v()})"
    if kind == 9:
        return f"SELECT {f()}, (SELECT {f()} FROM {m.pick(TABLES)}) FROM {t} WHERE {f()} LIKE '%{m.words(1, 2)}%' AND {f()} IS NOT NULL"
    if kind == 10:
        return f"SELECT \"{t}\".\"{f()}\" FROM \"{t}\" WHERE (\"{t}\".\"{f()}\" = {v()} AND \"{t}\".\"{f()}\" BETWEEN {v()} AND {v()})"
    return f"SELECT date_trunc('day', {f()}) AS d, count(distinct {f()}) FROM {t} WHERE {f()} >= now() - interval '7 days' GROUP BY 1 ORDER BY 1"


def prose(m: Maker, sentences: int = 3) -> str:
    return " ".join(m.pick(WORDY).capitalize() + m.pick((".", "!", "?", "...")) for _ in range(m.random.randint(1, sentences)))


def markdown(m: Maker) -> str:
    """Text with code in it."""
    parts = []
    for _ in range(m.random.randint(2, 5)):
        kind = m.random.randrange(9)
        if kind < 2:
            parts.append(prose(m))
        elif kind == 2:
            parts.append("```" + m.pick(("", "js", "python", "bash", "sql", "html", "php")) + "\n" + "\n".join(m.pick(CODE) for _ in range(m.random.randint(1, 3))) + "\n```")
        elif kind == 3:
            parts.append(f"{m.pick(('Use', 'Run', 'Suggest:', 'Replace', 'nit:'))} `{m.pick(CODE)}` {m.pick(('instead', 'here', 'first', 'and it works', 'returns 500'))}. {prose(m, 1)}")
        elif kind == 4:
            parts.append(f"## {m.words(1, 3).title()}\n\n- [{m.words(1, 2)}]({m.page()})\n- ![img](https://img.example.com/{m.hexes(6)}.png)\n- [x] {prose(m, 1)}")
        elif kind == 5:
            parts.append(f"> {prose(m, 1)}\n\n@{m.pick(('bob', 'alice'))} {prose(m, 1)} (#{m.digits(4)})")
        elif kind == 6:
            parts.append(f"| Command | Does |\n|---|---|\n| `{m.pick(CODE).replace('|', '/')}` | {m.words(1, 3)} |\n| `{m.words(1, 1)}` | {m.words(1, 2)} |")
        elif kind == 7:
            parts.append(f"<details>\n<summary>{m.words(1, 2)}</summary>\n\n```\n{m.stamp()} ERROR [main] {m.pick(ERRORS)}\n\tat com.acme.App.main(App.java:{m.digits(2)})\n```\n</details>")
        else:
            parts.append(f"Open {m.pick(HOSTS)} and look at {m.pick(FILES)}; {prose(m, 1)}")
    return "\n\n".join(parts)


def html_document(m: Maker) -> str:
    """HTML as mail programs and editors write it."""
    head = m.pick(("", '<html>\n<head>\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">\n<title>' + m.words() + '</title>\n<style type="text/css">p { margin: 0 } .a{color:#fff}</style>\n</head>\n<body bgcolor="#FFFFFF" text="#000000">\n', '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd"><html xmlns="http://www.w3.org/1999/xhtml"><head><meta name="viewport" content="width=device-width"><link rel="stylesheet" href="https://cdn.example.com/a.css"></head><body style="margin:0">', '<HTML><HEAD><TITLE></TITLE><META content="Editor 6.0" name=GENERATOR></HEAD><BODY>'))
    blocks = (
        lambda: f'<p style="margin:0 0 10px;color:#{m.hexes(6)}">{prose(m)}</p>', lambda: f'<table width="600" border="0" cellpadding="0" cellspacing="0"><tr><td align="center"><font face="Arial" size="2">{prose(m, 1)}</font></td></tr></table>',
        lambda: f'<a href="{m.page().replace("&", "&amp;")}" target="_blank" title="x"><img src="https://img.example.com/{m.hexes(8)}.gif" width="1" height="1" alt="" border="0"></a>', lambda: f"<ul><li>{m.words()}</li><li>{m.words()} &amp; more</li></ul>",
        lambda: f'<div class="gmail_quote">On Mon, {m.name()} &lt;a@example.com&gt; wrote:<br><blockquote style="border-left:1px solid #ccc">{prose(m)}</blockquote></div>', lambda: f'<pre><code class="language-html">{m.pick(CODE).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}</code></pre>',
        lambda: '<figure class="wp-block-video"><video controls src="/m.mp4" poster="/p.jpg"></video><figcaption>Cap</figcaption></figure>', lambda: '<iframe width="560" height="315" src="https://www.youtube.com/embed/' + m.token(11) + '" title="video" frameborder="0" allowfullscreen></iframe>',
        lambda: '<svg viewBox="0 0 24 24" width="24"><path d="M12 2L2 7z" fill="#' + m.hexes(3) + '"/></svg>', lambda: f'<h2 id="{m.words(1, 1)}">{m.words().title()}</h2><hr /><p><strong>{m.words()}</strong>&nbsp;{prose(m, 1)}</p>', lambda: '{{block class="Acme\\Cms\\Block" block_id="' + m.words(1, 1) + '"}}',
        lambda: '<form action="/subscribe" method="post"><input type="email" name="email" placeholder="E-mail"><button type="submit">Go</button></form>', lambda: "<!--[if mso]><v:rect fill='t'></v:rect><![endif]-->",
    )
    body = m.pick(("", "\n", "\r\n")).join(m.pick(blocks)() for _ in range(m.random.randint(2, 7)))
    return head + body + ("</body></html>" if head else "")


def _telemetry(m: Maker, n: int) -> dict[str, Any]:
    """OpenTelemetry, Sentry, Loki, Splunk, Datadog, Elastic bulk, CSP and browser reports (hard tier:
    paths, code and statements are what they report)."""
    kind = n % 11
    frame = lambda: {"filename": m.pick(FILES), "abs_path": m.pick(FILES), "function": m.pick(("get", "<anonymous>", "new Function (<anonymous>)", "Object.eval", "main", "__init__", "async load", "<module>", "exec")), "lineno": m.random.randint(1, 900), "context_line": m.pick(CODE), "pre_context": [m.pick(CODE) for _ in range(2)], "post_context": [m.pick(CODE)], "vars": {"q": repr(m.pick(CODE)), "self": "<Worker object at 0x7f" + m.hexes(8) + ">"}}  # noqa: E731
    attribute = lambda: m.pick(({"key": "db.statement", "value": {"stringValue": statement(m)}}, {"key": "http.url", "value": {"stringValue": m.pick(HOSTS) + "/api/v1/items?id=5"}}, {"key": "log.file.path", "value": {"stringValue": m.pick(FILES)}}, {"key": "exception.message", "value": {"stringValue": m.pick(ERRORS)}}, {"key": "process.command_line", "value": {"stringValue": m.pick(("/usr/bin/python3 -m gunicorn app:app", "node /app/server.js", "java -jar /opt/app.jar", "/bin/sh -c \"exec nginx -g 'daemon off;'\""))}}, {"key": "db.query.text", "value": {"stringValue": m.pick((statement(m), "db.users.find({\"_id\":{\"$in\":[1,2]}})", "GET session:" + m.hexes(8), "HGETALL cart:5"))}}, {"key": "code.filepath", "value": {"stringValue": m.pick(FILES)}}, {"key": "user_agent.original", "value": {"stringValue": "curl/8.5.0"}}))  # noqa: E731
    body: Any
    if kind in (0, 1):
        spans = [{"traceId": m.hexes(32), "spanId": m.hexes(16), "name": m.pick(("GET /items", "SELECT shop", "redis.get")), "attributes": [attribute() for _ in range(3)]}]
        body = {"resourceSpans": [{"resource": {"attributes": [attribute()]}, "scopeSpans": [{"spans": spans}]}]}
        return m.request("telemetry", n, "POST", "/v1/traces", body=json.dumps(body), content_type=JSON)
    if kind == 2:
        body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": m.digits(19), "severityText": "ERROR", "body": {"stringValue": m.pick((*ERRORS, *WORDY)) + " in " + m.pick(FILES)}, "attributes": [attribute()]}]}]}]}
        return m.request("telemetry", n, "POST", "/v1/logs", body=json.dumps(body), content_type=JSON)
    if kind in (3, 4):
        event = {"event_id": m.hexes(32), "platform": "python", "exception": {"values": [{"type": m.pick(("TypeError", "OperationalError", "java.lang.IllegalStateException")), "value": m.pick(ERRORS), "stacktrace": {"frames": [frame() for _ in range(m.random.randint(1, 3))]}}]}, "request": {"url": m.pick(HOSTS) + "/x", "query_string": urlencode(m.pairs(2)), "headers": {"Cookie": "a=b", "User-Agent": "curl/8"}}, "breadcrumbs": [{"category": "query", "message": statement(m)}, {"category": "console", "message": m.pick(CODE)}], "server_name": "web-1", "modules": {"flask": "3.1"}}
        lines = [json.dumps({"event_id": m.hexes(32), "dsn": f"https://{m.hexes(32)}@o1.ingest.example.com/5"}), json.dumps({"type": "event"}), json.dumps(event)]
        return m.request("telemetry", n, "POST", "/api/5/envelope/", body="\n".join(lines), content_type="application/x-sentry-envelope")
    if kind == 5:
        body = {"data": {"environment": "production", "body": {"trace": {"frames": [{"filename": m.pick(FILES), "lineno": 5, "method": "run", "code": m.pick(CODE)}], "exception": {"class": "ValueError", "message": m.pick(ERRORS)}}}, "server": {"host": "web-1", "argv": [m.pick(FILES), m.pick(HOSTS), "--debug"], "root": "/app"}, "request": {"url": m.pick(HOSTS) + "/a?b=c"}}}
        return m.request("telemetry", n, "POST", "/api/1/item/", body=json.dumps(body), content_type=JSON)
    if kind == 6:
        body = {"streams": [{"stream": {"job": "varlogs", "filename": m.pick(FILES)}, "values": [[m.digits(19), f'203.0.113.5 - - [10/Oct/2026:13:55:36 +0000] "GET {m.pick(("/a.php?x=1", "/wp-login.php", "/index.html", "/../x"))} HTTP/1.1" 404 {m.digits(3)} "-" "curl/8.5"']]}]}
        return m.request("telemetry", n, "POST", "/loki/api/v1/push", body=json.dumps(body), content_type=JSON)
    if kind == 7:
        body = {"csp-report": {"document-uri": m.page(), "violated-directive": "script-src-elem", "blocked-uri": m.pick(("inline", "eval", "data", "https://cdn.example.net/a.js", "blob")), "original-policy": "default-src 'self'; script-src 'self' 'nonce-" + m.token(8) + "'; report-uri /csp", "script-sample": m.pick(CODE)[:40], "source-file": m.page(False)}}
        return m.request("telemetry", n, "POST", "/csp", body=json.dumps(body), content_type="application/csp-report")
    if kind == 8:
        body = [{"ddsource": "nginx", "ddtags": "env:prod,version:5.1", "hostname": "i-" + m.hexes(17), "service": "shop", "message": m.stamp() + " " + m.pick(ERRORS) + " " + m.pick(WORDY)} for _ in range(3)]
        return m.request("telemetry", n, "POST", "/api/v2/logs", body=json.dumps(body), content_type=JSON)
    if kind == 9:
        lines = []
        for _ in range(3):
            lines += [json.dumps({"index": {"_index": "logs-app", "_id": m.token(20)}}), json.dumps({"@timestamp": m.stamp(), "message": m.pick((*CODE, *ERRORS, *WORDY)), "log.file.path": m.pick(FILES), "url.full": m.pick(HOSTS) + "/x"})]
        return m.request("telemetry", n, "POST", "/_bulk", body="\n".join(lines) + "\n", content_type="application/x-ndjson")
    body = {"event": {"message": m.pick(ERRORS), "severity": "warn", "cmd": m.pick(("cron[5]: (root) CMD (run-parts /etc/cron.hourly)", "sudo: jane : TTY=pts/0 ; PWD=/home/jane ; COMMAND=/usr/bin/apt update", "sshd[99]: Accepted publickey for ci from 10.0.0.5"))}, "sourcetype": "_json", "source": m.pick(FILES), "host": "web-1"}
    return m.request("telemetry", n, "POST", "/services/collector", body=json.dumps(body), content_type=JSON)


def telemetry(m: Maker, n: int) -> dict[str, Any]:
    """See _telemetry; all of it is of the hard tier."""
    return {**_telemetry(m, n), "tier": "hard"}


def queries(m: Maker, n: int) -> dict[str, Any]:
    """Whole queries as parameters: SOQL, BI tools, search engines, geometry, FHIR, chart definitions."""
    kind = n % 9
    if kind in (0, 1):
        return m.request("queries", n, "GET", m.pick(("/services/data/v59.0/query", "/api/sql", "/query", "/v1/query")), urlencode([(m.pick(("q", "query", "sql", "soql")), statement(m)), ("format", "json")]))
    if kind == 2:
        body: Any = {"database": 2, "type": "native", "native": {"query": statement(m), "template-tags": {}}, "parameters": []}
        return m.request("queries", n, "POST", "/api/dataset", body=json.dumps(body), content_type=JSON)
    if kind == 3:
        body = {"datasource": {"id": 5, "type": "table"}, "queries": [{"columns": [m.pick(FIELDS), m.pick(("count(*)", "COUNT(*)", "sum(amount)", "avg(price)", "max(id)"))], "metrics": [m.pick(("count", "COUNT(*)", "sum__total")), {"expressionType": "SQL", "sqlExpression": m.pick(("SUM(amount)/COUNT(*)", "count(distinct user_id)", "CASE WHEN status = 'paid' THEN 1 ELSE 0 END"))}], "extras": {"where": m.pick(("", "(country = 'DE')", "total > 100 AND status IN ('a', 'b')")), "having": ""}, "order_desc": True}]}
        return m.request("queries", n, "POST", "/api/v1/chart/data", body=json.dumps(body), content_type=JSON)
    if kind == 4:
        geometry = m.pick(("POLYGON((30 10, 40 40, 20 40, 10 20, 30 10))", "POINT(13.4 52.5)", "LINESTRING(30 10, 10 30, 40 40)", "MULTIPOLYGON(((1 1,5 1,5 5,1 5,1 1)),((2 2,3 2,3 3,2 3,2 2)))"))
        if m.random.random() < 0.5:
            body = {"wkt": geometry, "srid": 4326, "type": m.pick(("Polygon", "MultiPoint", "LineString", "FeatureCollection"))}
            return m.request("queries", n, "POST", "/api/areas", body=json.dumps(body), content_type=JSON)
        return m.request("queries", n, "GET", "/geoserver/wfs", urlencode([("request", "GetFeature"), ("CQL_FILTER", m.pick((f"INTERSECTS(geom, {geometry})", f"WITHIN(the_geom, {geometry}) AND name LIKE 'A%'", "BBOX(geom, 1, 2, 3, 4) AND type = 'road'")))]))
    if kind == 5:
        text = m.pick(("project = SHOP AND status in (Open, \"In Progress\") AND assignee = currentUser() ORDER BY created DESC", "text ~ \"select from\" AND updated >= -7d", "labels in (a, b) OR fixVersion = 5.1 ORDER BY rank", "(type = Bug OR priority = High) AND reporter != empty", "summary ~ 'union' AND NOT resolution = Done"))
        return m.request("queries", n, m.pick(("GET", "GET")), "/rest/api/3/search", urlencode([("jql", text), ("maxResults", "50")]))
    if kind == 6:
        text = m.pick(("$filter=contains(Name,'O''Brien') and Price gt 10 or Active eq true", "$filter=Tags/any(t: t eq 'a') and not endswith(Email,'.de')&$orderby=Name desc&$top=10", "$expand=Orders($filter=Total gt 5;$select=Id)&$count=true", "$apply=groupby((Country),aggregate(Amount with sum as Total))"))
        return m.request("queries", n, "GET", "/odata/v4/Customers", quote(text, safe="$=&,()';"))
    if kind == 7:
        body = {"where": {m.pick(FIELDS): m.pick(({"$gte": 5, "$lt": 10}, {"$in": ["a", "b"]}, {"$exists": True}, {"$regex": "^" + m.words(1, 1), "$options": "i"}, {"$ne": None}))}, "limit": 20, "order": "-createdAt"}
        if m.random.random() < 0.5:
            return m.request("queries", n, "GET", "/parse/classes/Item", urlencode([("where", json.dumps(body["where"])), ("limit", "5")]))
        return m.request("queries", n, "POST", "/api/items/query", body=json.dumps(body), content_type=JSON)
    text = m.pick(("from(bucket: \"m\") |> range(start: -1h) |> filter(fn: (r) => r._measurement == \"cpu\") |> mean()", "StormEvents | where State == \"TEXAS\" | summarize count() by Type | sort by count_ desc", "index=web status>=500 | stats count by host | sort -count | head 10", "MATCH (a:Person)-[:KNOWS]->(b) WHERE a.name = 'Ann' RETURN b.name LIMIT 5", "SELECT ?s WHERE { ?s rdf:type foaf:Person . FILTER(?age > 21) }", "sum by (job) (rate(http_requests_total{code!~\"2..\"}[5m])) / 2 > 0.5", "SELECT mean(\"usage\") FROM \"cpu\" WHERE time > now() - 1h GROUP BY time(5m) fill(null)", "title:(red AND shoes) OR tags:[a TO z] -draft \"exact words\"~2 name:jo*n boost^3"))
    return m.request("queries", n, "GET", m.pick(("/api/search", "/api/v1/query", "/explore")), urlencode([(m.pick(("q", "query", "search", "expr")), text)]))


def documents(m: Maker, n: int) -> dict[str, Any]:
    """Markdown, HTML and files of all kinds that people save, mail and upload (hard tier: code is in them)."""
    kind = n % 6
    if kind == 0:
        text = markdown(m)
        return m.request("documents", n, "POST", "/api/pages", body=json.dumps({m.pick(("body", "content", "description", "text", "comment")): text, "title": m.words().title()}), content_type=JSON, tier="hard")
    if kind == 1:
        return m.request("documents", n, "POST", "/reviews", body=urlencode([("path", "src/app.py"), ("line", "5"), (m.pick(("body", "comment", "message", "note")), markdown(m))]), content_type=FORM, tier="hard")
    if kind == 2:
        field = m.pick(("content", "body", "html", "description", "message"))
        text = html_document(m)
        if m.random.random() < 0.5:
            return m.request("documents", n, "POST", "/api/posts", body=json.dumps({field: text, "title": m.words()}), content_type=JSON, tier="hard")
        return m.request("documents", n, "POST", "/admin/pages/edit", body=urlencode([("title", m.words()), (field, text)]), content_type=FORM, tier="hard")
    boundary = "----WebKitFormBoundary" + m.token(16)
    files: tuple[Callable[[], tuple[str, str, str]], ...] = (
        lambda: ("event.ics", "text/calendar", f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:{m.words()}\r\nLOCATION:{m.name()}'s\r\nORGANIZER;CN=Bob:mailto:b@example.com\r\nDESCRIPTION:{prose(m)}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"),
        lambda: ("contact.vcf", "text/vcard", f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{m.name()}\r\nTEL;TYPE=CELL:+1 555 0100\r\nURL:{m.page()}\r\nEND:VCARD\r\n"),
        lambda: ("data.csv", "text/csv", "id;name;note\r\n" + "".join(f"{i};{m.name()};\"{m.text()}\"\r\n" for i in range(4))),
        lambda: ("feed.xml", "text/xml", f"<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>{m.words()}</title><link>{m.page(False)}</link><description><![CDATA[<p>{prose(m)}</p>]]></description></channel></rss>"),
        lambda: ("logo.svg", "image/svg+xml", '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 24 24"><style>.a{fill:#' + m.hexes(6) + '}</style><defs><linearGradient id="g"/></defs><path class="a" d="M12 2L2 7z"/><use xlink:href="#g"/></svg>'),
        lambda: ("mail.eml", "message/rfc822", f"From: a@example.com\r\nTo: b@example.com\r\nSubject: {m.words()}\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html_document(m)}"),
        lambda: ("config.yml", "application/yaml", f"on: push\nhost: {m.pick(HOSTS)}\nlink: /a\nstatus: ok\njobs:\n  build:\n    steps:\n      - run: {m.pick(CODE)}\n        env:\n          X: ${{{{ secrets.X }}}}\n"),
        lambda: ("query.json", "application/json", json.dumps({"filter": {"a": {"$gt": 1}}, "path": "../x", "sql": statement(m)})),
        lambda: ("script.py", "text/x-python", "\n".join(m.pick(CODE) for _ in range(5))), lambda: ("dump.sql", "application/sql", ";\n".join(statement(m) for _ in range(4)) + ";\n-- done\n"),
        lambda: ("notes.md", "text/markdown", markdown(m)), lambda: ("app.log", "text/plain", "\n".join(f"{m.stamp()} [error] {m.pick(ERRORS)}" for _ in range(4))),
        lambda: ("page.html", "text/html", html_document(m)), lambda: ("change.patch", "text/x-diff", "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1,4 @@\n-" + m.pick(CODE) + "\n+" + m.pick(CODE) + "\n"),
    )
    name, media, text = m.pick(files)()
    parts = f"--{boundary}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\n{m.words()}\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {media}\r\n\r\n{text}\r\n--{boundary}--\r\n"
    code = name in ("script.py", "dump.sql", "notes.md", "page.html", "change.patch", "mail.eml", "config.yml")
    return m.request("documents", n, "POST", "/upload", body=parts, content_type="multipart/form-data; boundary=" + boundary, tier="hard" if code else "core")


def links(m: Maker, n: int) -> dict[str, Any]:
    """URLs, deep links, buckets and files as values."""
    target = m.pick(HOSTS) + m.pick(("/", "", "/status", "/api/hooks", "/auth/callback?code=5", "/a/b/merge_requests/1", "/images/a.png", "/health"))
    value = m.pick((target, target, target, "//cdn.example.com/x.js", "//beacon.example.net/usermatch.gif?partner=a&id=[ID]", "/", "/account?tab=orders&id=5", "myapp://item/" + m.digits(4), "mailto:jane@example.com?subject=Hi", "tel:+15550100", "s3://bucket/out/" + m.digits(3), "gs://bucket/data.csv", "ssh://git@localhost:3035/acme/app.git", "git@github.com:acme/app.git", "git+https://git.example.com/a/b.git@v1.2#egg=b", "redis://localhost:6379/0", "postgres://app:pw@db:5432/shop", "jdbc:mysql://db.example.com:3306/shop?useSSL=true", "blob:https://app.example.com/" + m.uuid(), "chrome-extension://" + m.words(1, 1) + "/popup.html", "android-app://com.google.android.gm", "urn:isbn:9780000000000", "about:blank", "file:///android_asset/index.html", "data:image/gif;base64,R0lGODlhAQABAAAAACw=", "ftp://ftp.example.com/pub/a.zip", "wss://ws.example.com/socket", "http://[2001:db8::1]:8080/x"))
    name = m.pick(("url", "u", "link", "href", "target", "redirect_uri", "callback", "next", "return_to", "webhook_url", "image_url", "src", "source", "website", "homepage", "endpoint", "ref", "location", "refresh_uri", "feed", "repo", "ssh_url", "dest", "OutputLocation"))
    kind = n % 3
    if kind == 0:
        return m.request("links", n, "GET", m.pick(("/go", "/login", "/preview", "/share", "/imp")), urlencode([(name, value), ("cb", m.digits(6))]))
    if kind == 1:
        return m.request("links", n, "POST", "/api/webhooks", body=json.dumps({name: value, "events": ["push"], "secret": "********", "data": {"config": {"url": target}}}), content_type=JSON)
    return m.request("links", n, "POST", "/settings", body=urlencode([(name, value), ("save", "1")]), content_type=FORM)


def odd(m: Maker, n: int) -> dict[str, Any]:
    """Passwords, formulas, measures, macros, separators, emoticons, commands to bots."""
    value = m.pick((
        lambda: m.password(), lambda: m.password(), lambda: m.password() + m.words(1, 1), lambda: m.words(1, 1).title() + m.pick(("!", "'s#1", "$$", "@2024", "&Co.", "*", "||", "(1)", "%", "<3", "\"", "';")) + m.digits(2),
        lambda: m.pick(("f(x)=sin(x)/x", "x in {1,2,3}", "{1,2;3,4}", "=IF(A1>10,\"yes\",\"no\")", "=SUM(B2:B9)*1.19", "=VLOOKUP(A2,Sheet2!A:C,3,FALSE)", "y = mx + b; m = 2", "a^2 + b^2 = c^2", "lim(x->0) (1+x)^(1/x)", "|x| <= 5 && x != 0", "P(A|B) = 0.5", "(a+b)*(c-d)/e", "2*3=6 or 6/3=2", "n! / (k!(n-k)!)", "[1, 2) U (3, 4]", "{x | x > 0}", "max(a, b) - min(c, d)", "log(100)=2")),
        lambda: m.pick(("|||", "||a|", "0||l=5||", "a|b|c", "a;b;c;", "1,2,,3", "--", "...", "n/a", "N/A", "-", "null", "undefined", "[object Object]", "NaN", "true", "{}", "[]", "''", "\"\"", "0", "???", "***", "********", "[]", "%", "_", "@", "#1", "\\\\", "//", "~", "'", "\"", "`")),
        lambda: m.pick(("@@RANDOM@@", "%%CACHEBUSTER%%", "[timestamp]", "${CLICK_URL}", "{{site_source_name}}", "{ad_id}", "$$FOO$$", "__CLICK__", "[%tracking%]", "!!encoded!!", "#{random}", "<%= id %>", "%eid!", "${GDPR}", "{lpurl}?a={keyword}", "{{ campaign.name }}", "[CACHE_BUSTER]", "{{alert.name}} is {{alert.state}}")),
        lambda: m.pick(("/help@my_bot", "/deploy app v1.2 to prod", "/remind me to 'order lunch' at 11", "!play song - artist", "#select", "@here please order by 5", "> quoted", ":) ;-) <3 </3", "o_O", "¯\\_(ツ)_/¯", "brb; cat on keyboard", "1 + 1 = 2; right?", "me && you || them", "A -> B => C", "<- left | right ->")),
        lambda: m.pick(("6' 2\"", "10\" x 12\" x 3'", "24\" monitor -- used", "5'-10\"", "3/4\" pipe (NPT)", "1/2' #4 rebar", "10'x12' room", "sleep 24\" - \"Oak\"", "12\" & 15\" speakers", "size 'M' or 'L'", "50% 'off' -- today", "'70s or '80s", "rock 'n' roll or 'soul'", "\"or\" best offer", "O'Neil and O'Hara", "'tis and 'twas", "d'or & d'argent", "l'an 2000 and 'more'", "Qur'an or Bible")),
        lambda: m.pick(("SLEEP(8) hours per night", "Union Select", "select all and delete", "From return (new)", "date; time; place", "cat & dog", "shoes & more", "find & replace", "who | what | where", "time & date", "echo chamber | echo location", "id; name; email", "top 10 (or less)", "system (2 x 3\")", "alert (new)", "print (a4)", "ping pong; sleep; repeat", "where 1 or 2 are gone", "exec will create the case 7", "kill -9 joke t-shirt", "UNION of two; SELECT few", "drop table (antique)", "having 5 = a lot", "order by 5 -- or later", "charcoal soap no 1 #sale", "or 1 or 2", "1 or 2 or 3", "2 and a half", "x or y = z")),
        lambda: m.pick(("^[a-z]+$", "(foo|bar)*", "\\d{3}-\\d{4}", "*.{js,css}", "src/**/*.ts", "!node_modules", "[^/]+/(?P<id>\\d+)", "s/a/b/g", ".*", "%Y-%m-%d %H:%M", "%s (%d)", "{0} of {1}", "HH:mm:ss", "#,##0.00;(#,##0.00)", "yyyy-MM-dd'T'HH:mm", "rgb(255, 0, 0)", "calc(100% - 10px)", "url(#gradient)", "16/9", "1e-5", "0x1F", "#include <stdio.h>", "C:\\fakepath\\photo.jpg", "\\\\fileserver\\share\\Team\\budget.xlsx", "D:\\Backup\\2024")),
    ))()
    name = m.pick(("q", "name", "note", "title", "answer", "expr", "cell", "formula", "pattern", "rsz", "term", "size", "text", "cmd", "label", "value", "password", "pwd", "new_password", "hint", "clk", "cb", "coupon", "item_name", "format", "mask", "comment", "nickname", "filename"))
    kind = n % 4
    if kind == 0:
        return m.request("odd", n, "GET", m.pick(("/search", "/imp", "/api/items", "/")), urlencode([("v", "1"), (name, value)]))
    if kind == 1:
        return m.request("odd", n, "POST", "/save", body=urlencode([(name, value), ("csrf", m.token(20))]), content_type=FORM)
    if kind == 2:
        return m.request("odd", n, "POST", "/api/v1/items", body=json.dumps({"id": 5, "data": {"attributes": {name: value}}}, ensure_ascii=False), content_type=JSON)
    return m.request("odd", n, "POST", "/graphql", body=json.dumps({"query": "mutation U($input: I!) { update(input: $input) { id } }", "variables": {"input": {name: value}}}), content_type=JSON)


def mail(m: Maker, n: int) -> dict[str, Any]:
    """Inbound mail and tickets with quoted headers, logs, diffs and signatures (hard tier)."""
    quoted = f"From: {m.name()} <a@example.com>\nSent: Monday, 23 November 2026\nTo: b@example.com\nCc: c@example.com\nSubject: Re: {m.words()}\n\n"
    blocks = (
        lambda: prose(m), lambda: "-----Original Message-----\n" + quoted + prose(m), lambda: "> " + prose(m).replace(". ", ".\n> "), lambda: "diff -u a/x.c b/x.c\n@@ -72,7 +74,7 @@\n-" + m.pick(CODE) + "\n+" + m.pick(CODE), lambda: "-- \n" + m.name() + "\nhttp://www.example.com/~jane | tel: 555-0100",
        lambda: f"{m.pick(ERRORS)}\n  at line {m.digits(2)}", lambda: f"On Mon, Nov 23, 2026 at 10:05:12AM +0100, {m.name()} wrote:\n> {m.pick(WORDY)}", lambda: "#" * 20 + f"\nSTATUS: {m.words()}\nDATE: today\nLOCATION: room 5 (or online)\nLINK: {m.page()}", lambda: f"1) {m.words()}\n2) {m.words()}; {m.words()}\n* {m.words()}\n* * *\n[1] {m.page()}",
        lambda: f"$ {m.pick(CODE)}\n{m.words()}: command not found", lambda: f"Name: {m.name()}\nE-mail: x@example.com\nPhone: +1 555 0100\nMessage: {m.text()}", lambda: m.text(),
    )
    text = m.pick(("\n", "\n\n", "\r\n")).join(m.pick(blocks)() for _ in range(m.random.randint(2, 6)))
    name = m.pick(("body-plain", "text", "content", "description", "message", "stripped-text", "body", "note", "comment"))
    if n % 2:
        return m.request("mail", n, "POST", "/inbound/mail", body=urlencode([("sender", "a@example.com"), ("subject", m.pick((m.words(), "Re: " + m.pick(WORDY), text[:50].replace("\n", " ").replace("\r", "")))), (name, text)]), content_type=FORM, tier="hard")
    return m.request("mail", n, "POST", "/v2/tickets", body=json.dumps({"subject": m.pick((m.words(), text[:50].replace("\n", " ").replace("\r", ""))), name: text, "priority": 1}), content_type=JSON, tier="hard")


def paths(m: Maker, n: int) -> dict[str, Any]:
    """Paths that look like probes: file views of code hosts, packages, documentation, sessions in paths."""
    repository = f"/{m.words(1, 1)}/{m.words(1, 1)}"
    path = m.pick((
        repository + "/blob/main/" + m.pick((".github/workflows/ci.yml", ".gitignore", "src/etc/passwd_reader.py", "docker-compose.yml", "config/database.yml.example", "Dockerfile", "package.json", ".env.example", "scripts/deploy.sh", "wp-config-sample.php", "src/config.php", "docs/sql-injection.md")), repository + "/raw/v1.2/" + m.pick((".eslintrc.json", ".prettierrc", "setup.py", "README.md")), repository + "/compare/v1.0...v1.1", repository + "/-/tree/main/../x".replace("/../x", "/lib"),
        "/shop.jsp;jsessionid=" + m.hexes(32).upper() + ".node0", "/account/login.do;jsessionid=" + m.hexes(16).upper(), "/docs/etc/hosts.html", "/wiki/" + m.pick(("SQL_injection", "Cross-site_scripting", "C%2B%2B", "Rock_%27n%27_roll", "Fork_bomb", "AC/DC", "Who%3F", "Select_(SQL)", "Union_(set_theory)")), "/" + m.words(1, 1) + "/config.js", "/boomerang/config.js", "/static/js/admin.config.js", "/assets/config.json", "/config.json", "/manifest.json", "/package/@types/node",
        "/npm/jquery@3/dist/jquery.min.js", "/gh/acme/app@1.2/dist/app.js", "/.netlify/functions/hello", "/.auth/me", "/.well-known/openid-configuration", "/.well-known/assetlinks.json", "/_next/static/chunks/pages/%5Bslug%5D-" + m.hexes(16) + ".js", "/_nuxt/entry." + m.hexes(8) + ".css", "/test", "/test.php", "/tests/1", "/phpinfo-guide.html", "/blog/what-is-phpinfo", "/search/red shoes & more", "/search/" + quote(m.text()[:40], safe=""), "/maps/@48.85,2.35,15z/data=!3m1!4b1!4m5!3m4",
        "/proc/", "/log/2024/05/", "/logs", "/backup", "/admin/", "/admin/login", "/administrator", "/user/login", "/cgi-bin/show_bug.cgi", "/index.php/blog/5", "/a.php", "/forum/viewtopic.php", "/content.asp", "/Default.aspx", "/WebResource.axd", "/ScriptResource.axd", "/ajax/libs/jquery/3/jquery.js", "/wp-json/wp/v2/posts", "/wp-content/uploads/2024/05/photo-1.jpg", "/wp-admin/admin-ajax.php", "/files/report.final.v2.pdf", "/dl/archive.tar.gz", "/releases/app-1.2.exe", "/images/photo.jpg.webp", "/fonts/a.woff2", "/v1/files/..%2Fx".replace("..%2F", ""), "/item/O'Brien's-pub", "/p/size-10%22-x-12%22", "/c/100%25-cotton", "/tag/c%23", "/u/~jane", "/~jane/index.html", "/x;v=1.2/y", "/oauth2/sign_in", "/remote.php/dav/files/jane/", "/sites/default/files/styles/large/a.jpg", "/typo3temp/assets/a.css", "/skin/frontend/default/a.css", "/media/../media/a.png".replace("/../media", ""),
    ))
    return m.request("paths", n, "GET", path, urlencode(m.pairs(m.random.randint(0, 2))))


def builds(m: Maker, n: int) -> dict[str, Any]:
    """Build systems and registries calling in, and interfaces of infrastructure: commands are their data."""
    kind = n % 6
    command = m.pick(CODE[38:53])
    if kind == 0:
        body: Any = {"action": "published", "package": {"name": m.words(1, 1), "manifest": {"scripts": {"test": m.pick(('echo "Error: no test specified" && exit 1', "jest --ci", "npm run lint && npm run unit")), "build": "tsc -p . && rm -rf tmp", "prepare": "husky install || true"}, "bin": {"app": "./bin/cli.js"}, "repository": {"type": "git", "url": "git+ssh://git@github.com/acme/app.git"}}}}
    elif kind == 1:
        body = {"action": "completed", "workflow_job": {"id": int(m.digits(10)), "run_url": "https://api.example.com/runs/5", "steps": [{"name": m.pick(("Run actions/checkout@v4", "Run git diff --exit-code || bash -c \\", "Run npm ci && npm test", "Run " + command, "Post Run", "Set up job")), "status": "completed"} for _ in range(4)]}}
    elif kind == 2:
        body = {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": {"spec": {"containers": [{"image": "alpine:3", "command": ["/bin/sh", "-c"], "args": [command], "env": [{"name": "DB", "value": "postgres://db:5432/x"}], "volumeMounts": [{"mountPath": "/var/run/secrets"}]}]}}}}
        return m.request("builds", n, "POST", "/apis/batch/v1/namespaces/prod/jobs", body=json.dumps(body), content_type=JSON, tier="hard")
    elif kind == 3:
        body = {"object_kind": "merge_request", "object_attributes": {"title": m.pick(("Fix", "Add", "Drop")) + " " + m.words(), "description": prose(m) + " `" + m.words(1, 2) + "`", "url": m.pick(HOSTS) + "/a/b/merge_requests/1", "last_commit": {"message": f"{m.pick(('fix', 'feat', 'chore'))}({m.words(1, 1)}): {m.pick(WORDY)} (#{m.digits(3)})\n\n* {m.words()}\n* remove type\n\n* fix: wip"}}, "changes": [m.pick(("etc/nginx.conf", "src/.env.example", "app/config.php", ".github/dependabot.yml", "bin/start.sh", "tests/data/passwd"))]}
    elif kind == 4:
        wiki = f"h1. {m.words()}\n# open {{{{{m.pick(FILES)}}}}}\n# {m.words()}\n{{code:java}}\n{m.pick(CODE)}\n{{code}}\n{prose(m)}\n* _{m.words()}_ | *{m.words()}*\n||head||head||\n|a|b|"
        body = {"webhookEvent": "jira:issue_updated", "issue": {"fields": {"summary": m.words(), "description": wiki}}}
        return m.request("builds", n, "POST", "/hooks/jira", body=json.dumps(body), content_type=JSON, tier="hard")
    else:
        body = {"AWSTemplateFormatVersion": "2010-09-09", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/${aws:username}/*"}], "UserData": base64.b64encode(("#!/bin/bash\n" + command + "\n").encode()).decode(), "QueryString": statement(m), "ResultConfiguration": {"OutputLocation": "s3://b/out/"}}
        return m.request("builds", n, "POST", "/", body=json.dumps(body), content_type="application/x-amz-json-1.1", tier="hard")
    return m.request("builds", n, "POST", "/hooks/build", body=json.dumps(body), content_type=JSON, headers={"X-GitHub-Event": "package"}, tier="hard")


FORMATS: dict[str, Callable[[Maker, int], dict[str, Any]]] = {
    "telemetry": telemetry, "queries": queries, "documents": documents, "links": links, "odd": odd,
    "mail": mail, "paths": paths, "builds": builds,
}
