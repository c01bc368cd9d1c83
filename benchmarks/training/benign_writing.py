"""Make benign requests of people who write about code, measures, paths and faults, and of logins.

    python benchmarks/training/benign_writing.py [ROWS] > benign.jsonl

What such people write has pieces of the languages that are attacked in it: a ticket quotes an
error and a path, an article has a block of shell, a shop sells fence panels of 5' or 6', a
password is any characters at all. Sources and documentation are those of Python's own standard
library; sentences are drawn from lists. Everything is drawn from a seeded generator.
"""

# ruff: noqa: E501, SIM905  (tables: one row a line reads better than the rows broken)
from __future__ import annotations

import ast
import inspect
import json
import pydoc_data.topics
import random
import string
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

Text = Callable[[random.Random], str]

# fmt: off
MODULES = """argparse ast asyncio.tasks base64 bdb calendar cgi cmd code codecs collections configparser contextlib copy csv
dataclasses datetime decimal difflib doctest email.message enum filecmp fileinput fnmatch fractions ftplib functools getpass gettext
glob gzip hashlib heapq html.parser http.client http.cookies http.server imaplib inspect ipaddress json.decoder logging logging.handlers
lzma mailbox mimetypes netrc nntplib ntpath numbers optparse os pathlib pdb pickle pickletools platform plistlib poplib posixpath pprint
profile pstats pydoc queue random sched secrets selectors shelve shlex shutil smtplib socketserver sqlite3.dbapi2 ssl statistics string
subprocess tarfile tempfile textwrap threading timeit tokenize trace traceback turtle types typing unittest.case unittest.mock
urllib.parse urllib.request uuid venv warnings wave weakref webbrowser wsgiref.handlers xml.dom.minidom xml.etree.ElementTree
xmlrpc.client zipapp zipfile""".split()
THINGS = "fence panels;pvc pipe;curtain rails;a mattress;the table top;shelf boards;garden hose;steel tube;the monitor;ceiling height;a ladder;baking tins;picture frames;oak planks;cable ducts;roof tiles;the gate;a screen;tablet cases;drill bits".split(";")
PEOPLE = "my colleague;the customer;our admin;Anna;the new trainee;support;the vendor;his brother;someone on the forum;a user".split(";")
APPS = "the editor;our shop;the backup;the importer;Outlook;the printer driver;the report;the build;the installer;your app;the launcher;the export;the scanner;Firefox;the plugin".split(";")
UNIX = "/etc/hosts;/etc/fstab;/etc/nginx/nginx.conf;/etc/ssh/sshd_config;/etc/resolv.conf;/etc/crontab;/etc/environment;/etc/group;/etc/sudoers;/etc/hostname;/etc/apache2/sites-enabled;/var/log/syslog;/var/log/nginx/error.log;/var/log/mysql;/var/www/html;/var/lib/docker;/usr/local/bin;/usr/share/fonts;/opt/app/conf;/proc/cpuinfo;/proc/meminfo;/sys/class/net;/tmp;/root;/home/ann/.bashrc;~/.ssh/config;~/.config/app;/dev/sda1;/boot/efi;/srv/data;.env;.gitignore;docker-compose.yml;config/database.yml;wp-config.php;settings.py;web.config;.htaccess".split(";")
WINDOWS = r"C:\Windows\System32\drivers\etc\hosts;C:\Windows\win.ini;C:\Program Files\Shop\config.ini;C:\Program Files (x86)\Tool\log.txt;C:\Users\anna\Documents\Report 2024.docx;D:\Backup\mysql\data;C:\xampp\htdocs;C:\inetpub\wwwroot;C:\ProgramData\App\settings.ini;C:\Windows\System32\config;C:\Temp\setup.log;%APPDATA%\Tool;C:\php\php.ini;E:\photos\2023;\\fileserver\public\reports;\\NAS01\share\photos;\\10.1.2.3\scans;\\server\c$\temp".split(";")
URLS = "http://localhost:3000;http://localhost/admin;http://127.0.0.1:8000/health;http://192.168.1.10;http://192.168.178.1/status;http://10.0.0.5:8080;https://intranet.local/wiki;file:///C:/Users/anna/Desktop/report.html;file:///home/anna/doc.pdf;http://host.docker.internal:5000;ftp://files.example.com/pub;sftp://10.2.3.4/in;smb://nas/media;http://[::1]:8080/;ldap://dc01.example.local;https://example.com/a.php?id=5&x=1".split(";")
COMMANDS = "npm install;npm run build && npm start;pip install -r requirements.txt;ls -la;git status;git push --force origin main;docker compose up -d;docker ps | grep web;sudo systemctl restart nginx;cat /etc/os-release;cat /var/log/syslog | grep -i error;tail -f /var/log/nginx/access.log;tail -n 50 /var/log/mail.log | less;chmod +x deploy.sh;chmod -R 755 /var/www;ps aux | grep python;curl -I https://example.com;curl -fsSL https://example.com/install.sh | sh;wget https://example.com/a.tar.gz;ping 192.168.1.1;ipconfig /all;netstat -tulpn;kubectl get pods -n web;kubectl logs -f deploy/web;find . -name '*.py' -exec wc -l {} +;rm -rf node_modules;mkdir -p build && cd build;export PATH=$PATH:~/bin;echo $HOME;id;whoami;uname -a;df -h;du -sh *;ssh ann@10.0.0.7;scp a.txt ann@host:/tmp/;python -m http.server;python3 -c 'print(1)';make clean all;ssh-keygen -t ed25519;mysqldump -u root -p shop > shop.sql;psql -c 'select 1';crontab -e;sed -i 's/a/b/g' file.txt;awk '{print $2}' data.txt;tar xzf a.tgz -C /opt;systemctl status postgresql;journalctl -u app --since today;brew install jq;apt-get update && apt-get install -y vim;grep -rn TODO src/;cp .env.example .env;source venv/bin/activate;php artisan migrate;bundle exec rake db:migrate;redis-cli ping;nslookup example.com;traceroute example.com;$(pwd);$(date +%F);date;env | sort;lsof -i :8080;kill -9 4242;sleep 5; echo done;history | tail;certutil -hashfile a.iso SHA256;powershell -File run.ps1;Get-ChildItem C:\\Temp;reg query HKLM\\Software;dir /s".split(";")
TOOLS = "Python;JavaScript;PHP;MySQL;Postgres;Java;bash;Docker;jQuery;React;Django;Node;Excel;Linux;Windows;nginx;Flask;Angular;Ruby;git".split(";")
CALLS = "eval();exec();setTimeout();innerHTML;document.write();document.querySelector();os.path.join();subprocess.run();preg_match();str_replace();$_POST;mysqli_query();GROUP_CONCAT;information_schema;LEFT JOIN;UNION ALL;window.open();fetch();XMLHttpRequest;System.out.println;java.util.List;NullPointerException;async/await;__init__;process.env;require();module.exports;useEffect;{{ block }};@media;:hover;curl;chmod;crontab;sed;awk;grep -r;ssh-keygen;tail -f;iframe;onclick;onload;localStorage;sessionStorage;JSON.parse();base64;sleep();char();version();pickle;yaml.load();torch.load();model.eval();df.query()".split(";")
SQL = "SELECT * FROM orders WHERE total > 100;SELECT id, name FROM users WHERE active = 1 ORDER BY name;SELECT count(*) FROM logs WHERE day = '2024-01-05';SELECT u.id, o.total FROM users u JOIN orders o ON o.user_id = u.id WHERE o.total > 100 GROUP BY u.id HAVING count(*) > 2;UPDATE products SET price = price * 1.1 WHERE brand = 'Acme';DELETE FROM sessions WHERE expires < now();INSERT INTO tags (name) VALUES ('new'), ('sale');ALTER TABLE users ADD COLUMN phone varchar(20);CREATE INDEX idx_users_email ON users (email);DROP TABLE IF EXISTS tmp_import;SELECT name FROM sqlite_master WHERE type='table';SELECT table_name FROM information_schema.tables;SELECT coalesce(a, b, 'none') FROM t;SELECT a FROM x UNION ALL SELECT a FROM y;WITH t AS (SELECT 1 AS n) SELECT n FROM t;GRANT SELECT ON shop.* TO 'report'@'%';EXPLAIN ANALYZE SELECT * FROM events WHERE user_id = 5 LIMIT 10 OFFSET 20;SELECT DISTINCT city FROM addresses WHERE zip LIKE '10%';SELECT CASE WHEN x > 1 THEN 'a' ELSE 'b' END FROM t;SELECT version();SELECT pg_size_pretty(pg_database_size('shop'));SHOW TABLES;TRUNCATE TABLE staging".split(";")
ERRORS = """Cannot invoke "String.length()" because "s" is null
Cannot invoke "java.util.List.size()" because "this.items" is null
Cannot read the array length because "<local4>" is null
java.lang.NullPointerException: Cannot read field "next" because "node" is null
java.lang.ClassNotFoundException: com.mysql.cj.jdbc.Driver
java.io.FileNotFoundException: /etc/app/config.yml (No such file or directory)
Exception in thread "main" java.lang.IllegalStateException: not ready
org.springframework.beans.factory.BeanCreationException: Error creating bean with name 'dataSource'
ORA-00942: table or view does not exist
ORA-01017: invalid username/password; logon denied
ERROR 1064 (42000): You have an error in your SQL syntax; check the manual near 'order by id' at line 1
ERROR: column "username" does not exist at character 8
ERROR: relation "information_schema.foo" does not exist
sqlite3.OperationalError: no such table: users
django.db.utils.ProgrammingError: relation "shop_order" does not exist
psycopg2.errors.UniqueViolation: duplicate key value violates unique constraint "users_email_key"
Uncaught TypeError: Cannot read properties of undefined (reading 'map')
Uncaught ReferenceError: $ is not defined at window.onload (index.html:12)
Refused to execute inline script because it violates the following Content Security Policy directive: "script-src 'self'"
Blocked loading mixed active content "http://example.com/a.js"
Error: Cannot find module './config.json'
Error: ENOENT: no such file or directory, open '/app/.env'
npm ERR! code ELIFECYCLE; npm ERR! errno 1
sh: 1: next: not found
bash: ./run.sh: Permission denied
/bin/sh: docker: command not found
permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock
ssh: connect to host 10.0.0.7 port 22: Connection refused
curl: (7) Failed to connect to localhost port 8080: Connection refused
connect ECONNREFUSED 127.0.0.1:5432
Traceback (most recent call last): File "/home/ann/app.py", line 3, in <module> import foo
ModuleNotFoundError: No module named 'yaml'
SyntaxError: invalid syntax (<string>, line 1)
NameError: name '__file__' is not defined
AttributeError: 'NoneType' object has no attribute '__class__'
PHP Fatal error: Uncaught Error: Call to undefined function mysql_connect() in /var/www/html/index.php:5
PHP Warning: include(config.inc.php): failed to open stream in /var/www/html/lib.php on line 3
fatal: not a git repository (or any of the parent directories): .git
error: failed to push some refs to 'git@example.com:shop.git'
Segmentation fault (core dumped)
nginx: [emerg] unknown directive "if(" in /etc/nginx/conf.d/app.conf:7
HTTP/1.1 502 Bad Gateway
GET /api/v1/items?limit=5 HTTP/1.1" 500 1234
template error: unexpected '}' in {{ user.name }
jinja2.exceptions.UndefinedError: 'dict object' has no attribute 'role'
Expected ')' but found ';'
Warning: mysqli_query(): MySQL server has gone away""".splitlines()
CODE_WORDS = "eval();exec();system();sleep(5);alert();console.log(x);document.cookie;innerHTML;$(this).hide();fn main() {};int main(void) { return 0; };def main(): pass;function foo() { return 1; };const f = () => {};(function() { })();x => x + 1;import os;require('fs');#include <stdio.h>;using System;package main;<?php echo 1; ?>;<% = name %>;{{ user.name }};{{ m['role'] }};{{ item.price | currency }};{% if user %}hi{% endif %};${name};$HOME;%PATH%;#{id};@Component;<div>;<br>;<img>;<script>;<b>bold</b>;<a href=\"#\">;&nbsp;;&lt;b&gt;;a && b || c;a | b;!important;*.py;**kwargs;__init__;__name__;self.x = x;a[0];a ? b : c;i++;x == null;NULL;WHERE id = 5;ORDER BY 1;GROUP BY;LIKE '%a%';DROP TABLE;LEFT JOIN;OR 1;'; --;-- a comment;/* a comment */;// a comment;# a comment;draft() or public();tip() and not merge();heads(all()) or tag();uid=1000(ann);(objectClass=person);//book[@id='5'];$gt;$ne;{\"$set\": {\"a\": 1}};Ctrl+C;C:\\;../;../..;./run.sh;~/;127.0.0.1;localhost;0.0.0.0".split(";")
TITLES = ["JavaScript: {}", "Javascript: {}", "Learning JavaScript: {}", "SQL: {}", "Python: {}", "{} in JavaScript", "PHP & MySQL: {}", "Select Committee: {}", "Union Select {}", "The {} Select", "Credit Union Select {}", "Western Union: select {}", "Data: {}", "Meta: {}", "View source: {}", "The {} Exec", "System ({})", "Eval ({})", "Alert ({})", "new image: {}", "A new function: {}", "New worker {}", "{} -- part 1", "{}; or, the Whale", "{} (or: how I did it)", "#1: {}", "O'{}", "{}'s \"best of\"", "'{}'"]
TAGS = "script iframe img form input button div span table style link meta select template svg a".split()
WORDS = "the good parts;a definitive guide;an introduction;checking;savings;reports;for beginners;by example;in practice;the missing manual;a short course;patterns;a history;images;tables;windows;orders;notes".split(";")
NEWS = "image;image of the house;image for the front page;images;worker;worker on the night shift;function room;function;date;socket set;object;array of colours;process;session;alert;script;document;window;cookie jar;location;history".split(";")
VERBS = "review;upload;check;send us;add;use;replace;print;open;approve".split(";")
# fmt: on


def _pick(rng: random.Random, row: list[str]) -> str:
    return rng.choice(row)


def _ask(rng: random.Random) -> str:
    return _pick(
        rng,
        [
            "Can you help?",
            "Any idea what this means?",
            "It worked last week.",
            "Thanks in advance!",
            "What am I doing wrong?",
            "I have restarted it twice.",
            "This started after the update.",
            "Please let me know.",
            "",
        ],
    )


def measures(rng: random.Random) -> str:
    mark, other = rng.choice(["''", '""', "'\"", "\"'"])
    a, b, thing = rng.randint(2, 24), rng.randint(2, 24), _pick(rng, THINGS)
    word = rng.choice(["or", "and", "x", "by", "to", "&", "/", "or even", "-"])
    return rng.choice(
        [
            f"{a}{mark} {word} {b}{mark} {thing}",
            f"{thing} {a}{mark} {word} {b}{other}",
            f"{a}{mark}{word}{b}{mark} {thing}",
            f"Do you have {thing} in {a}{mark} {word} {b}{mark}?",
            f"{a}'{b}\" tall {word} {b}'{a}\"",
            f"need {thing}, {a}{mark} {word} {b}{mark} long, asap",
            f"{a} 1/2{mark} {word} {b} 3/4{mark}",
            f"{a}{mark}",
        ]
    )


def titles(rng: random.Random) -> str:
    text = rng.choice(TITLES).format(_pick(rng, WORDS))
    return text.title() if rng.random() < 0.6 else text


def news(rng: random.Random) -> str:
    what = f"new {_pick(rng, NEWS)}"
    return rng.choice(
        [
            what,
            f"Please {_pick(rng, VERBS)} the {what}",
            f"We need a {what} by Friday",
            f"a {what}.",
            f"{what} (final)",
        ]
    )


def paths(rng: random.Random) -> str:
    path = _pick(rng, UNIX if rng.random() < 0.5 else WINDOWS)
    return rng.choice(
        [
            f"{path} entry needed for staging?",
            f"Please add it to {path}, thanks.",
            f"{_pick(rng, APPS)} writes to {path} and then stops. {_ask(rng)}",
            f"Where is {path} on the new machine?",
            f"{path} is missing after the update",
            f"{path} can't be opened by {_pick(rng, PEOPLE)}",
            f"{_pick(rng, PEOPLE)} says the file is under {path} but I don't see it. {_ask(rng)}",
            f"I copied {path} to {_pick(rng, UNIX)} and {_pick(rng, WINDOWS)}",
            f"How do I edit {path}?",
            f"(see {path})",
            f"the share {path} asks for a password each time",
            f"use ../images for pictures; ../ is one level up and {path} is absolute",
        ]
    )


def addresses(rng: random.Random) -> str:
    url = _pick(rng, URLS)
    return rng.choice(
        [
            f"{url} does not load in {_pick(rng, APPS)}",
            f"It opens {url} instead of the site. {_ask(rng)}",
            f"When I go to {url} I get an error page",
            f"{_pick(rng, PEOPLE)} sent me {url}, is that safe?",
            f"router is at {url}",
            f"- staging: {url}\n- local: {_pick(rng, URLS)}",
        ]
    )


def spans(rng: random.Random) -> str:
    one, two = _pick(rng, COMMANDS), _pick(rng, COMMANDS)
    word, other = _pick(rng, CODE_WORDS), _pick(rng, CODE_WORDS)
    return rng.choice(
        [
            f"Run `{one}` and then `{two}`.",
            f"I typed `{one}` but it shows nothing. {_ask(rng)}",
            f"`{one}` says clean, `{two}` does not",
            f"What is the difference between `{word}` and `{other}`?",
            f"use `{word}` instead of `{other}` please",
            f"the docs say {word} but I think {other} is meant",
            f"fix `{word}` in {_pick(rng, APPS)}",
            f"With {one} it works, with {two} it fails. {_ask(rng)}",
            f"In the terminal, type {one} to see what is there, and then {two}.",
            f"How to use {word}",
        ]
    )


def faults(rng: random.Random) -> str:
    error = _pick(rng, ERRORS)
    return rng.choice(
        [
            error,
            f"Since Monday {_pick(rng, APPS)} says: {error}. {_ask(rng)}",
            f'I get "{error}" when I open {_pick(rng, APPS)}.',
            f"{error}\n{_pick(rng, ERRORS)}\n\n{_ask(rng)}",
            f"Error log:\n\n    {error}\n    {_pick(rng, ERRORS)}\n\nThat is all it shows.",
        ]
    )


def articles(rng: random.Random) -> str:
    def block() -> str:
        kind = rng.choice(["sh", "sql", "bash", "console", ""])
        if kind == "sql":
            lines = [f"{_pick(rng, SQL)};" for _ in range(rng.randint(1, 4))]
        else:
            lead = "$ " if kind == "console" else ""
            lines = [lead + _pick(rng, COMMANDS) for _ in range(rng.randint(1, 5))]
        if rng.random() < 0.25:
            return "\n".join("    " + line for line in lines)
        return f"```{kind}\n" + "\n".join(lines) + "\n```"

    def sentence() -> str:
        return rng.choice(
            [
                "First make sure that you have the newest version on your machine.",
                "This takes about a minute, and then you will see the page in your browser.",
                "If it does not work, look at the log file and tell us what it says.",
                "Here is the query that the report uses; it returns nothing since the update.",
                "You can skip this step when you have done it before.",
                f"Note that {_pick(rng, APPS)} needs the right to write to {_pick(rng, UNIX)}.",
                f"Use `{_pick(rng, CODE_WORDS)}` there, not `{_pick(rng, CODE_WORDS)}`.",
                f"To see it, use {_pick(rng, COMMANDS)} in a shell.",
            ]
        )

    pieces = [f"## {titles(rng)}"] if rng.random() < 0.6 else []
    for _ in range(rng.randint(1, 4)):
        pieces += [" ".join(sentence() for _ in range(rng.randint(1, 3))), block()]
    pieces.append(sentence())
    return "\n\n".join(pieces) + "\n"


def sources(rng: random.Random) -> str:
    """Some lines, or a whole function, of a module."""
    while True:
        text = inspect.getsource(import_module(_pick(rng, MODULES)))
        lines = text.splitlines()
        if rng.random() < 0.5:
            start = rng.randrange(max(len(lines) - 10, 1))
            return "\n".join(lines[start : start + rng.randint(4, 60)])
        nodes = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        if nodes:
            node = rng.choice(nodes)
            return "\n".join(lines[node.lineno - 1 : node.end_lineno][:80])


def documentation(rng: random.Random) -> str:
    topic = pydoc_data.topics.topics[rng.choice(sorted(pydoc_data.topics.topics))]
    pieces = topic.split("\n\n")
    start = rng.randrange(len(pieces))
    return "\n\n".join(pieces[start : start + rng.randint(1, 8)])


def docstrings(rng: random.Random) -> str:
    while True:
        module = import_module(_pick(rng, MODULES))
        found = [getattr(module, name).__doc__ for name in sorted(vars(module))[:200]]
        texts = [text for text in [*found, module.__doc__] if isinstance(text, str) and text]
        if texts:
            return rng.choice(texts)[:4000]


def passwords(rng: random.Random) -> str:
    letters = string.ascii_letters + string.digits
    marks = rng.choice([string.punctuation, "!@#$%^&*", "-", string.punctuation + " ", "$@';\"|&`"])
    size = rng.choice([8, 10, 12, 14, 16, 20, 24, 32, 48, 64])
    return "".join(rng.choice(letters + marks) for _ in range(size))


def templates(rng: random.Random) -> str:
    """Requests of mail programs, chats and language models."""
    name, other = rng.choice(["user", "customer", "m", "order"]), rng.choice(["name", "role", "id"])
    return rng.choice(
        [
            f"Hello {{{{ {name}.{other} }}}}, your order is ready.",
            f"Dear {{{{{other}}}}}, thank you for your message about {_pick(rng, THINGS)}.",
            f"{{% for {name} in items %}}{{{{ {name}['{other}'] }}}}: {{{{ {name}['content'] }}}}\n{{% endfor %}}",
            f"{{% if {name} %}}<|{other}|>{{{{ {name} }}}}{{% else %}}-{{% endif %}}",
            f"{{{{ {name}['{other}'] }}}}",
            f"${{{name}.{other}}} has written to you",
            f"Hi %({other})s, see you at %({name})s",
            f"{{{{#if {name}}}}}{{{{{name}.{other}}}}}{{{{/if}}}}",
        ]
    )


def webhelp(rng: random.Random) -> str:
    """Questions and answers about pages, and content that an editor embeds in one."""
    tag, size = rng.choice(TAGS), rng.randint(1, 900)
    host = rng.choice(
        ["www.youtube.com/embed/", "player.vimeo.com/video/", "maps.example.com/embed?pb="]
    )
    return rng.choice(
        [
            f"<{tag}> tag not closed in {_pick(rng, APPS)}",
            f"how to use <{tag}>",
            f"What does <{tag}> do in html, and where does it belong? {_ask(rng)}",
            f'Put <{tag} src="app{size}.js"></{tag}> before </body>, please.',
            f"The link says javascript:void(0) and nothing happens. {_ask(rng)}",
            f"{rng.choice(['document.cookie', 'window.location', 'localStorage', 'innerHTML'])} is empty in {_pick(rng, APPS)}",
            f"localStorage or document.cookie, which is better for {_pick(rng, WORDS)}?",
            f'<iframe src="https://{host}{size}" width="{size}" height="315" allowfullscreen></iframe>',
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 24 24"><path d="M{size} 2L2 7l10 5"/></svg>',
            f'<svg viewBox="0 0 {size} {size}"><path d="M1 1h{size}"/><circle cx="5" cy="5" r="{size}"/></svg>',
            f'<meta name="{rng.choice(["description", "google-site-verification", "author"])}" content="{_pick(rng, WORDS)} {size}" />',
            f"<style>.a{size}{{color:red}}</style><div class=a{size}>x</div>",
            f'<object data="/files/{size}.pdf" type="application/pdf"></object>',
        ]
    )


def operations(rng: random.Random) -> str:
    """Texts that administrators paste: schedules, images, units, loops."""
    one, two, number = _pick(rng, COMMANDS), _pick(rng, COMMANDS), rng.randint(1, 59)
    return rng.choice(
        [
            f"*/{number} * * * * /usr/bin/php /var/www/{_pick(rng, WORDS).split()[-1]}.php >/dev/null 2>&1",
            f"{number} 3 * * * root /usr/local/bin/backup.sh && curl -s https://ping.example.com/{number}",
            f'FROM python:3.{number}-slim\nRUN apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*\nCOPY . /app\nCMD ["python", "app.py"]\n',
            f"[Service]\nExecStart=/usr/bin/app{number} --conf /etc/app.conf\nRestart=always\nUser=app\n",
            f'for f in *.log; do gzip "$f"; done; {one}',
            f"#!/bin/sh\nset -e\ncd /srv/app{number}\n{one}\nif [ -f .env ]; then\n  . ./.env\nfi\n{two}\n",
            f"steps:\n  - run: {one}\n  - run: |\n      {two}\n      echo done\n",
            f'DIR="$( cd "$( dirname "$0" )" && pwd )"\n{one}\nexit {number}\n',
            f"RUN {one} && {two}",
        ]
    )


def helpdesk(rng: random.Random) -> str:
    """Windows and its users."""
    path, share = _pick(rng, WINDOWS), _pick(rng, WINDOWS)
    return rng.choice(
        [
            f"I can't open {share} or {path}. {_ask(rng)}",
            f"error 0x8007000{rng.randint(1, 9)}. I ran cmd.exe /c dir %USERPROFILE% as you said. {_ask(rng)}",
            f"powershell -ExecutionPolicy Bypass -File .\\setup.ps1 fails with access denied in {path}",
            f"reg query HKLM\\Software\\Vendor shows nothing after the update. {_ask(rng)}",
            f"net use Z: {share} asks for a password. {_ask(rng)}",
            f"{path} is full, what can I delete?",
            f"ipconfig /all says 169.254.{rng.randint(1, 250)}.{rng.randint(1, 250)}, and ping 8.8.8.8 fails. {_ask(rng)}",
        ]
    )


def analysis(rng: random.Random) -> str:
    """Queries of analysts, and notes about them."""
    one, two = _pick(rng, SQL), _pick(rng, SQL)
    return rng.choice(
        [
            f"{one};",
            f"{one};\n{two};",
            f"SELECT a FROM t{rng.randint(1, 99)} UNION ALL SELECT b FROM u ORDER BY 1;",
            f"-- {_pick(rng, WORDS)}\n{one};",
            f"{_pick(rng, PEOPLE)} uses {one} for that. {_ask(rng)}",
            f"UPDATE users SET email = 'a@b.c' WHERE id = {rng.randint(1, 99)}; {two};",
        ]
    )


def traces(rng: random.Random) -> str:
    """Files and modules as programs name them in faults and settings."""
    name = _pick(rng, WORDS).split()[-1]
    return rng.choice(
        [
            f"../../node_modules/{name}/index.js",
            f"import from '../../{name}' fails",
            f"Cannot find module '../lib/{name}' in {_pick(rng, APPS)}",
            f"ls: cannot access '../../../etc/{name}/live': Permission denied",
            f"../../components/{name.title()}",
            f"src/**/{name}/*",
            f"../{name}.json",
            f"file:../{name}",
            f"at Object.<anonymous> (/srv/app/{name}.js:{rng.randint(1, 99)}:5)\n    at Module._compile (node:internal/modules/cjs/loader:1105:14)",
        ]
    )


def questions(rng: random.Random) -> str:
    """Questions about programs, also in search fields of sites about them."""
    word, call = rng.choice(CODE_WORDS), _pick(rng, CALLS)
    tool = _pick(rng, TOOLS)
    return rng.choice(
        [
            f"How do I use {call} in {tool}?",
            f"{tool} {call} not working",
            f"Why does {word} fail in {tool} but not in {_pick(rng, TOOLS)}?",
            f"{call} vs {_pick(rng, CALLS)}",
            f"difference between {word} and {rng.choice(CODE_WORDS)} in {tool}",
            f"what does {word} mean in {tool}",
            f"The example with {call} is dangerous, please remove it from the course.",
            f"{word} or {call}: which one is safer? {_ask(rng)}",
            f"When I type {word} in {_pick(rng, APPS)}, the page stays blank. {_ask(rng)}",
            f"is it normal that {_pick(rng, UNIX)} is readable by all users of {tool}?",
        ]
    )


def configs(rng: random.Random) -> str:
    """Settings of tools that build, deploy and watch."""
    name, other, third = (_pick(rng, WORDS).split()[-1] for _ in range(3))
    count = rng.randint(1, 90)
    return rng.choice(
        [
            f'resource "aws_{name}" "{other}" {{\n  {third} = "${{var.{name}}}-{other}"\n  count = {count}\n}}',
            f'output "{name}" {{ value = module.{other}.{third} }}',
            f"image: {{{{ .Values.{name}.repository }}}}:{{{{ .Values.{name}.tag }}}}\nreplicas: {{{{ .Values.{other} }}}}",
            f"- alert: {name}\n  expr: rate({other}_total[5m]) > {count}\n  annotations:\n    summary: 'Instance {{{{ $labels.instance }}}} of {{{{ $labels.job }}}} is down'",
            f"rate of {other} is {{{{ $value }}}} (over {count}) on {{{{ $labels.{name} }}}}",
            f"  - name: {name}\n    run: npm ci && npm run {other}\n    env:\n      TOKEN: ${{{{ secrets.{name.upper()}_TOKEN }}}}",
            f"server {{\n  listen {count};\n  location /{name} {{ proxy_pass http://127.0.0.1:80{count}; }}\n}}",
            f'FROM node:{count}-alpine\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci && npm cache clean --force\nCMD ["node", "{name}.js"]',
            f"services:\n  {name}:\n    image: {other}:{count}\n    volumes:\n      - ./{third}:/var/lib/{name}\n    command: sh -c 'wait-for db && start'",
            f"RewriteEngine On\nRewriteCond %{{REQUEST_FILENAME}} !-f\nRewriteRule ^{name}/(.*)$ /{other}.php?q=$1 [L,QSA]",
            f"[{name}]\npath = /etc/{name}/{other}.conf\nlog = /var/log/{name}.log\nextra = %(here)s/../{third}",
            f"{count} 4 * * {count % 7} cd /srv/{name} && ./{other}.sh > /dev/null 2>&1",
            f"{name}: {{{{ lookup('env', '{other.upper()}') | default('{third}') }}}}",
            f"Hi <%= {name} %>, your <%= {other}.name %> ends on <%= date %>.",
        ]
    )


def pages(rng: random.Random) -> str:
    """Pieces of pages that editors put together."""
    word, other, number = _pick(rng, WORDS), _pick(rng, WORDS), rng.randint(1, 900)
    return rng.choice(
        [
            f'<button type="button" class="btn" onclick="history.back()">{word}</button>',
            f'<p>{word}</p><a href="#" onclick="window.print(); return false;">{other}</a>',
            f'<p>See <a href="https://example.com/{number}" title="{word}" target="_blank">{other}</a> for more.</p>',
            f'<form action="/search" method="get"><label>{word}</label><input type="text" name="q"><button>{other}</button></form>',
            f'<script type="application/ld+json">{{"@context":"https://schema.org","@type":"Product","name":"{word}","offers":{{"price":"{number}"}}}}</script>',
            f'<div class="row"><div class="col-{number % 12}"><img src="/media/{number}.jpg" alt="{word}" width="{number}"></div></div>',
            f'<video controls width="{number}"><source src="/media/{number}.mp4" type="video/mp4">{word}</video>',
            f"<details><summary>{word}</summary>{other}</details>",
            f'<meta name="robots" content="noindex, nofollow"><link rel="canonical" href="https://example.com/{number}">',
            f'<audio controls src="/media/{number}.mp3"></audio><hr><p style="color: #{number:06d}">{word}</p>',
            f'<table border="1"><tr><td colspan="2">{word}</td></tr><tr><td>{number}</td><td>{other}</td></tr></table>',
        ]
    )


def letters(rng: random.Random) -> str:
    """Mails, cards and dates, pasted whole, and markup of wikis and boards."""
    word, other, number = _pick(rng, WORDS), _pick(rng, WORDS), rng.randint(1, 28)
    who = _pick(rng, PEOPLE)
    return rng.choice(
        [
            f"From: {who} <a{number}@example.com>\nTo: team@example.com\nSubject: Re: {word}\nDate: Mon, {number} Jan 2024 10:00:00 +0100\n\nHello,\n\n{_ask(rng)}\n> {other}",
            f'Subject: {word}\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary="b{number}"\n\n{_ask(rng)}',
            f"-----Original Message-----\nFrom: {who}\nSent: Monday\nTo: {who}\nCc: {who}\nSubject: {word}\n\n{_ask(rng)}",
            f"BEGIN:VCARD\nVERSION:3.0\nN:O'Neil;{word};;Dr.;\nTEL;TYPE=CELL:+1 555 01{number}\nEND:VCARD",
            f'BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:202401{number:02d}T100000Z\nRRULE:FREQ=WEEKLY;BYDAY=MO\nSUMMARY:{word}; "{other}"\nEND:VEVENT\nEND:VCALENDAR',
            f"== {word} ==\n'''{other}''' and ''{word}'' in [[{other}|{word}]] {{{{Infobox|name={number}}}}}",
            f'[b]{word}[/b] [url=http://example.com/{number}]{other}[/url] [quote="{who}"]{word}[/quote] [code]a && b[/code]',
            f"h2. {word}\n* {{{{{other}}}}} {{code:java}}int a = {number};{{code}}",
            f"\\begin{{tabular}}{{|c|c|}} {word} & {other} \\\\ {number} & $x^2$ \\end{{tabular}}",
            f'My mail bounces: "550 5.7.1 <a{number}@example.com>: Relay access denied". {_ask(rng)}',
        ]
    )


def notes(rng: random.Random) -> str:
    """Short notes of trades and chats: measures, marks, comparisons, faces."""
    word, number, more = _pick(rng, WORDS), rng.randint(2, 90), rng.randint(2, 90)
    return rng.choice(
        [
            f'{number}\' = {number * 12}" and 1" = 2.54 cm',
            f'{number}/2" x {more}/4" reducing tee; {more}mm elbow x2 -- ptfe tape',
            f"BP {number}/{more}; SpO2 < {more}% on RA -> 2L O2; r/v in 1/24",
            f"if x > {number} then y < {more}, else |x| = {number}",
            f"For x = {number} or x = {more} the formula for {word} isn't defined.",
            f"gg :'( {word} ;-) \\o/ o_O >_< <3",
            f"he said \"it's {word}\"; she said 'no' -- lol",
            f"Am7 | D7 | Gmaj7 || {word} ({number} bpm)",
            f"cf. \"{word}\" [{word[:3]}'{word[3:6]}]; 'or' is a conjunction -- see p. {number}",
            f'clause {number}.{more}(b): "{word}"; provided, however, that (i) or (ii) applies',
            f"grade = (mid*0.{number} + final*0.{more}) | round up",
            f"try `{_pick(rng, COMMANDS)}` in {_pick(rng, APPS)}, it always helps me",
        ]
    )


def reviews(rng: random.Random) -> str:
    """Remarks on other people's programs, with pieces of them."""
    call, other, line = _pick(rng, CALLS), _pick(rng, CALLS), rng.randint(2, 400)
    name = _pick(rng, WORDS).split()[-1]
    return rng.choice(
        [
            f"Why {call} in line {line}? I would take {other}, the values are only numbers.",
            f"Line {line}: `{rng.choice(CODE_WORDS)}` isn't used any more, is it?",
            f'`<script src="/static/{name}.js" defer></script>` belongs at the end of the page, I think.',
            f'`<link rel="stylesheet" href="/{name}.css">` is there twice, and `<img src="{name}.png" alt="">` has no text.',
            f"Please take the `onclick=\"return confirm('Delete {name}?')\"` out, our policy blocks it.",
            f"`{_pick(rng, SQL)}` reads all rows; can we have an index for that?",
            f'This is open to injection: `"SELECT * FROM {name} WHERE id = " + id`. Use parameters, please.',
            f'`os.system("convert " + {name})` should be `subprocess.run(["convert", {name}], check=True)`.',
            f"`$_GET['{name}']` is shown without htmlspecialchars() in {name}.php, line {line}.",
            f"In the Dockerfile `RUN {_pick(rng, COMMANDS)} && {_pick(rng, COMMANDS)}` should come first.",
            f"Can {call} be None there? Then `{name}.items()` fails, and nobody sees why.",
            f"We removed {call} from {name} and use {other} now, see #{line}.",
            f"Runtime.getRuntime().availableProcessors() says {line} in the container. {_ask(rng)}",
        ]
    )


def expressions(rng: random.Random) -> str:
    """Formulas, comparisons, patterns and filters of tools."""
    name, other = _pick(rng, WORDS).split()[-1], _pick(rng, TOOLS).lower()
    a, b, one, two = (
        rng.choice("abxyzt"),
        rng.choice("cdfgkn"),
        rng.randint(1, 60),
        rng.randint(1, 60),
    )
    return rng.choice(
        [
            f"{a}' = -{b}*{a}; {a}(0) = {one}; {a}'' + {two}{a} = 0",
            f"({a} && {b})' = {a}' || {b}'",
            f"is {one} > {two} and {two} < {one + two} the same for all {a}?",
            f"{a} = '{name}' or {a} = '{other}', else it stays empty",
            f"rows where {one} = {one} was left in by the report: WHERE {one}={one} AND status = 'open'. {_ask(rng)}",
            f"(?i)\\b({name}|{other})\\b.*$",
            f"^/{name}/(\\d+)/{other}\\.html$",
            f"/<{_pick(rng, TAGS)}\\b[^>]*>([\\s\\S]*?)<\\/{_pick(rng, TAGS)}>/gi",
            f'.{name}[] | select(.{b} == "{other}" and .count > {one}) | {{id, name: .title}}',
            f'=IF({a.upper()}{one}>{two},"{name}","{other}")',
            f'sum(rate({name}_total{{job="{other}"}}[5m])) by (le) > {one}',
            f"level:error AND service:{other} NOT host:{name}-{one}",
            f"{one} {_pick(rng, THINGS)} and {two} {_pick(rng, THINGS)}; ({a} or {b}) as you like",
            f"df[(df.{name} > {one}) & (df['{other}'] != '{b}')]",
        ]
    )


FAMILIES: dict[str, Text] = {
    "measures": measures,
    "titles": titles,
    "news": news,
    "paths": paths,
    "addresses": addresses,
    "spans": spans,
    "faults": faults,
    "articles": articles,
    "sources": sources,
    "documentation": documentation,
    "docstrings": docstrings,
    "passwords": passwords,
    "templates": templates,
    "webhelp": webhelp,
    "operations": operations,
    "helpdesk": helpdesk,
    "analysis": analysis,
    "traces": traces,
    "questions": questions,
    "configs": configs,
    "pages": pages,
    "letters": letters,
    "notes": notes,
    "reviews": reviews,
    "expressions": expressions,
}
SHORT = frozenset(
    {
        "measures",
        "titles",
        "news",
        "paths",
        "addresses",
        "spans",
        "faults",
        "helpdesk",
        "questions",
        "notes",
        "reviews",
        "expressions",
    }
)
"""Texts for titles and search fields as well."""
CODED = frozenset({"questions", "configs", "pages", "letters", "notes", "reviews", "expressions"})
"""Full of code: it counts less in learning, as other texts of its tier."""
TEXT_FIELDS = "text body content message comment description note question answer details notes summary post reply bio review issue[body] ticket.description html value".split()
SHORT_FIELDS = "title subject q search name headline query s keyword item product term label address url reason".split()
PASSWORD_FIELDS = "password passwd pwd pass password1 password2 new_password user[password] login-password confirm_password".split()


def _placed(rng: random.Random, name: str, text: str, number: int) -> dict[str, Any]:
    is_short = name in SHORT and rng.random() < 0.5
    fields = SHORT_FIELDS if is_short else TEXT_FIELDS
    if name == "passwords":
        fields = PASSWORD_FIELDS
    elif name == "analysis":
        fields = [*TEXT_FIELDS, "sql", "query", "statement", "native"]
    elif name == "traces":
        fields = ["filename", "module", "include[]", "text", "title", "message", "abs_path"]
    elif name == "operations":
        fields = [*TEXT_FIELDS, "code", "script", "snippet", "command"]
    elif name == "configs":
        fields = [*TEXT_FIELDS, "config", "yaml", "template", "file_content"]
    elif name == "templates":
        fields = [*TEXT_FIELDS, "chat_template", "prompt", "template", "subject"]
    field = rng.choice(fields)
    places = ["form", "json", "multipart", "nested", "form"]
    if is_short and len(text) < 300:
        places.append("query")
    place = rng.choice(places)
    others = {"csrf_token": f"{rng.getrandbits(128):032x}", "lang": "en", "id": str(number)}
    query, body, kind = "", "", ""
    if place == "query":
        query = urlencode({"page": 1, field: text})
    elif place == "form":
        kind = "application/x-www-form-urlencoded"
        body = urlencode({**others, field: text.replace("\n", "\r\n")})
    elif place == "json":
        kind, body = "application/json", json.dumps({**others, field: text})
    elif place == "nested" and name == "sources":
        # A notebook as Jupyter saves it, and a cell as Jupyter runs it.
        kind = "application/json"
        cell = {"cell_type": "code", "source": text.splitlines(keepends=True)}
        body = json.dumps(rng.choice([{"cells": [cell]}, {"content": {"code": text}}]))
    elif place == "nested":
        kind = "application/json"
        inner = {field: text, "tags": ["a", "b"]}
        body = json.dumps({"data": {"type": "x", "attributes": inner}})
    else:
        mark = f"----WebKitFormBoundary{rng.getrandbits(64):016x}"
        kind = "multipart/form-data; boundary=" + mark
        rows = {**others, field: text.replace("\n", "\r\n")}
        body = "".join(
            f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in rows.items()
        )
        body += f"--{mark}--\r\n"
    return {
        "id": f"writing-{name}-{number:04d}",
        "source": f"writing-{name}",
        "label": "benign",
        "category": "benign",
        "tier": "hard" if name in CODED else "core",
        "placement": place,
        "method": "GET" if place == "query" else "POST",
        "path": "/search" if place == "query" else "/posts",
        "query": query,
        "headers": {"Host": "shop.example.com", **({"Content-Type": kind} if kind else {})},
        "body": body,
        "meta": {"text": text},
    }


def written_requests(rows: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """So many requests of each family."""
    for name, family in FAMILIES.items():
        rng = random.Random(f"{name}-{seed}")
        for number in range(rows):
            yield _placed(rng, name, family(rng), number)


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    for record in written_requests(rows):
        print(json.dumps(record))


if __name__ == "__main__":
    main()
