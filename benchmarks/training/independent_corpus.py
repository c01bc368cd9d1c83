"""Write a second, independent corpus of labelled requests, to judge how detection generalises.

    python benchmarks/training/independent_corpus.py [--fold dev|held] > independent.jsonl

Nothing of it is drawn from the corpus that the weights are learned from: exploits are written
from advisories (independent_exploits.py), payloads from the classes' descriptions
(independent_attacks.py), benign requests from senders' documentation (independent_benign.py).
Deterministic. Every payload belongs to one of two folds by its hash, all of its placements with
it, so that what was looked at while rules were improved can be told from what was not.
"""

# ruff: noqa: E501  (tables: one row a line reads better than the rows broken)
# fmt: off
from __future__ import annotations

import argparse
import base64
import hashlib
import json
import random
import re
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

from independent_attacks import (
    CATEGORY,
    GRAPHQL,
    NOSQL_FORM,
    NOSQL_JSON,
    PARAMETERS,
    PROTO_FORM,
    PROTO_JSON,
    XXE,
    encoded,
    payloads,
)
from independent_benign import AGENTS, SENDERS
from independent_exploits import EXPLOITS

PLACEMENTS = ("query", "form", "json", "multipart", "path", "cookie", "header", "json-nested")
ENCODINGS = ("browser", "browser", "full", "plus", "raw", "double")
FORM = "application/x-www-form-urlencoded"


def fold(text: str) -> str:
    """Fold of a payload."""
    return "held" if hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[0] % 3 == 0 else "dev"


def record(source: str, label: str, category: str, placement: str, method: str, path: str, query: str, headers: dict[str, str], body: str | bytes, *, payload: str, tier: str = "core") -> dict[str, Any]:
    """One record in the corpora's format."""
    made: dict[str, Any] = {"source": source, "label": label, "category": category, "tier": tier, "placement": placement, "method": method, "path": path, "query": query, "headers": {"Host": "shop.example.com", **headers}}
    if isinstance(body, bytes):
        made["body"], made["body_enc"] = base64.b64encode(body).decode(), "base64"
    else:
        made["body"] = body
    made["meta"] = {"payload": payload, "fold": fold(payload)}
    return made


def place(source: str, payload: str, placement: str, rng: random.Random) -> dict[str, Any]:
    """A payload in one place of a request."""
    name = rng.choice(PARAMETERS[source])
    agent = {"User-Agent": rng.choice(AGENTS[:3]), "Accept": "*/*"}
    ready = re.search(r"%(?:[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})", payload) is not None
    plain = unquote(payload, encoding="utf-8", errors="surrogateescape").encode("utf-8", "replace").decode("utf-8", "replace") if ready else payload
    how = "base64" if rng.random() < 0.04 and len(plain) > 12 else rng.choice(ENCODINGS)
    wire = re.sub(r"[ \r\n\t#&+\x00-\x1f\x7f-\U0010ffff]", lambda m: quote(m[0]), payload) if ready else encoded(payload, how)
    method, path, query, body = ("GET", rng.choice(("/", "/search", "/api/items", "/view.php", "/product")), "", "")
    headers = dict(agent)
    if placement == "query":
        query = rng.choice((f"{name}={wire}", f"page=1&{name}={wire}", f"{name}={wire}&sort=asc&lang=en"))
    elif placement == "form":
        method, headers["Content-Type"] = "POST", FORM
        body = f"csrf=ab12&{name}={wire}&submit=Go"
    elif placement == "json":
        method, headers["Content-Type"] = "POST", "application/json"
        body = json.dumps({"id": 7, name: plain, "tags": ["a"]}, ensure_ascii=rng.random() < 0.5)
    elif placement == "json-nested":
        method, headers["Content-Type"] = "PUT", "application/json; charset=utf-8"
        body = json.dumps({"data": {"items": [{"k": 1}, {"attributes": {name: plain}}]}})
    elif placement == "multipart":
        method, headers["Content-Type"] = "POST", "multipart/form-data; boundary=xx9b1"
        body = f'--xx9b1\r\nContent-Disposition: form-data; name="token"\r\n\r\nabc\r\n--xx9b1\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{plain}\r\n--xx9b1--\r\n'
    elif placement == "path":
        path = f"/{rng.choice(('items', 'u', 'page', 'files'))}/" + (wire if ready else encoded(payload, rng.choice(("full", "browser", "double"))).replace("?", "%3F"))
    elif placement == "cookie":
        headers["Cookie"] = f"theme=dark; {name}=" + (wire if ready else encoded(payload, "full")).replace(";", "%3B") + "; lang=en"
    else:
        clean = plain.replace("\r", "").replace("\n", " ").replace("\x00", "")
        headers[rng.choice(("User-Agent", "Referer", "X-Forwarded-For", "X-Api-Version", "X-Custom", "Accept-Language"))] = clean if rng.random() < 0.8 else "https://a.example/?x=" + quote(clean)
    return record(source, "attack", CATEGORY[source], placement, method, path, query, headers, body, payload=payload)


PLACES_OF = {
    "indep-redirect": ("query", "form", "json"),
    "indep-crlf": ("query", "path", "form"),
    "indep-mail": ("form", "query", "json", "multipart"),
    "indep-ssrf": ("query", "form", "json", "json-nested", "multipart"),
    "indep-xxe": ("form", "query", "json"),
    "indep-ldap": ("query", "form", "json"),
    "indep-nosql": ("query", "form", "json"),
    "indep-xpath": ("query", "form", "json"),
    "indep-deser": ("query", "form", "json", "cookie"),
    "indep-lfi": ("query", "query", "form", "json", "path", "multipart", "cookie"),
}
TIMES = {"indep-sqli": 2, "indep-cmdi": 2, "indep-lfi": 2, "indep-log4shell": 4, "indep-nosql": 3, "indep-ldap": 3, "indep-xpath": 3}


def attacks(rng: random.Random) -> Iterator[dict[str, Any]]:
    """All attack records."""
    for name, category, method, path, query, headers, body in EXPLOITS:
        agent = {"User-Agent": rng.choice((*AGENTS[:3], "python-requests/2.31.0", "Go-http-client/1.1")), "Accept": "*/*"}
        found = record("indep-exploits", "attack", category, "exploit", method, path, query, {**agent, **headers}, body, payload=name)
        if category in ("recon", "sensitive_file"):
            found["source"], found["tier"] = "indep-recon", "hard"
        yield found
    for source, texts in payloads(rng).items():
        for index, text in enumerate(texts):
            where = PLACES_OF.get(source, PLACEMENTS)
            start = rng.randrange(len(where))
            for turn in range(TIMES.get(source, 3)):
                placement = where[(start + turn * 3 + index) % len(where)]
                if source == "indep-redirect" and placement == "path":
                    continue
                yield place(source, text, placement, rng)
    json_kind = {"Content-Type": "application/json", "User-Agent": AGENTS[0]}
    form_kind = {"Content-Type": FORM, "User-Agent": AGENTS[0]}
    for source, category, bodies, kind in (
        ("indep-nosql", "nosql", NOSQL_JSON, json_kind),
        ("indep-nosql", "nosql", NOSQL_FORM, form_kind),
        ("indep-proto", "proto_pollution", PROTO_JSON, json_kind),
        ("indep-proto", "proto_pollution", PROTO_FORM, form_kind),
        ("indep-graphql", "graphql", GRAPHQL, json_kind),
        ("indep-xxe", "xml", XXE, {"Content-Type": "application/xml", "User-Agent": AGENTS[0]}),
    ):
        for text in bodies:
            path = "/graphql" if source == "indep-graphql" else "/api/session"
            yield record(source, "attack", category, "body", "POST", path, "", dict(kind), text, payload=text)
            if kind is form_kind:
                yield record(source, "attack", category, "query", "GET", "/login", quote(text, safe="=&%$"), {"User-Agent": AGENTS[1]}, "", payload=text)
            if kind is json_kind and source != "indep-graphql":
                yield record(source, "attack", category, "query", "GET", "/find", "filter=" + quote(text, safe=""), {"User-Agent": AGENTS[1]}, "", payload=text)


def benign(rng: random.Random) -> Iterator[dict[str, Any]]:
    """All benign records."""
    for source, (make, count, tier) in SENDERS.items():
        for _ in range(count):
            method, path, query, headers, body = make(rng)
            yield record(source, "benign", "benign", "request", method, quote(path, safe="/%;=~@,()'+:!*"), query, headers, body, payload=f"{method} {path[:60]}?{query[:300]} {body[:300]!r}", tier=tier)


def corpus() -> Iterator[dict[str, Any]]:
    """Every record, with ids."""
    for make, seed in ((attacks, 20261), (benign, 20262)):
        for number, made in enumerate(make(random.Random(seed))):
            yield {"id": f"{made['source']}-{number:05d}", **made}


def main() -> None:
    """Print the corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fold", choices=("dev", "held"))
    wanted = parser.parse_args().fold
    for made in corpus():
        if wanted is None or made["meta"]["fold"] == wanted:
            sys.stdout.write(json.dumps(made) + "\n")


if __name__ == "__main__":
    main()
