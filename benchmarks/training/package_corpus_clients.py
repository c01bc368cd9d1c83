"""Real clients of web services, run against the capturing server with made-up but lifelike data.

Each client runs in a virtual environment of its own (package_corpus_client_runs.py), is told that
its service is the server on this machine, and what it sends is kept as it stood on the wire.
"""

# ruff: noqa: E501  (a long pattern)
from __future__ import annotations

import contextlib
import gzip
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_plus

from package_corpus_capture import Answer, Sent, capturing
from package_corpus_fetch import Fetcher
from package_corpus_records import Record, benign, source

# All clients live in one environment. Faker gives them names, addresses and texts.
REQUIRED = (
    "amplitude-analytics==1.3.0",
    "atlassian-python-api==5.0.5",
    "authlib==1.9.9",
    "boto3==1.44.5",
    "caldav==3.6.0",
    "clickhouse-connect==1.12.0",
    "discord-webhook==1.4.1",
    "elasticsearch==9.5.1",
    "faker==40.54.0",
    "gql[requests]==4.4.0",
    "influxdb-client==1.50.0",
    "jira==3.10.5",
    "meilisearch==0.43.0",
    "mixpanel==5.4.1",
    "notion-client==3.1.0",
    "openai==3.54.0",
    "opensearch-py==3.2.0",
    "postgrest==2.34.1",
    "opentelemetry-exporter-otlp-proto-http==1.45.2",
    "opentelemetry-sdk==1.45.2",
    "posthog==7.91.1",
    "pygithub==2.10.0",
    "pysolr==3.11.0",
    "python-gitlab==8.6.0",
    "python-telegram-bot==22.8",
    "rollbar==1.5.0",
    "segment-analytics-python==2.4.0",
    "sendgrid==6.12.5",
    "sentry-sdk==2.75.0",
    "simple-salesforce==1.12.10",
    "slack-sdk==3.47.0",
    "snowplow-tracker==1.1.0",
    "stripe==16.1.0",
    "twilio==9.13.0",
    "woocommerce==3.0.0",
    "zeep==4.3.3",
)
CLIENTS = (
    "faker",
    "boto3",
    "boto3-examples",
    "boto3-queries",
    "stripe",
    "twilio",
    "slack-sdk",
    "sentry-sdk",
    "posthog",
    "segment-analytics-python",
    "mixpanel",
    "amplitude-analytics",
    "rollbar",
    "elasticsearch",
    "opensearch-py",
    "meilisearch",
    "pysolr",
    "pygithub",
    "python-gitlab",
    "jira",
    "atlassian-python-api",
    "simple-salesforce",
    "notion-client",
    "postgrest",
    "woocommerce",
    "python-telegram-bot",
    "sendgrid",
    "influxdb-client",
    "clickhouse-connect",
    "openai",
    "caldav",
    "zeep",
    "snowplow-tracker",
    "discord-webhook",
    "gql",
    "authlib",
    "opentelemetry-exporter-otlp-proto-http",
)
# Clients that send complete queries or code: hard, because injection looks the same.
HARD = {
    "boto3-queries",
    "simple-salesforce",
    "clickhouse-connect",
    "openai",
    "sentry-sdk",
    "rollbar",
}
# So are single requests with a query, a page, a script or code in them.
HARD_SIGN = re.compile(
    r"\b(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE|ALTER TABLE)\b[^\"]{1,200}\b(?:FROM|VALUES|SET|AS|WHERE|COLUMN)\b"
    r"|<!DOCTYPE|<html|<!\[CDATA|```|\{code|Traceback \(most|\bcat /|ctx\._source|Math\.|exception_list",
    re.S,
)
CALLS = Path(__file__).with_name("package_corpus_client_runs.py")


def service(sent: Sent) -> Answer:
    """An answer that most clients take: an object, a list where a list is due."""
    kind = {"Content-Type": "application/json", "X-Elastic-Product": "Elasticsearch"}
    if "xml" in sent.headers.get("Content-Type", ""):
        return 200, {"Content-Type": "text/xml"}, b"<ok/>"
    made = {
        "id": "1",
        "ok": True,
        "status": "success",
        "url": "http://127.0.0.1/x",
        "data": {},
        "key": "AB-1",
        "version": {"number": "9.0.0", "distribution": "opensearch"},
        "name": "node",
        "self": "http://127.0.0.1/x",
        "results": [],
        "object": "list",
    }
    return 200, kind, json.dumps(made).encode()


def sent_by(name: str, fetcher: Fetcher) -> list[Sent]:
    """Everything that a client sent."""
    programs = fetcher.environment("clients", *REQUIRED)
    with tempfile.TemporaryDirectory() as folder, capturing(service) as (address, sent):
        settings = {
            **os.environ,
            "HOME": folder,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        command = ["nice", str(programs / "python"), str(CALLS), name, address]
        done = subprocess.run(
            command,
            timeout=240,
            cwd=folder,
            env=settings,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not sent:
            raise RuntimeError(done.stderr.strip().splitlines()[-1:] or "sent nothing")
        return list(sent)


HERE = {
    **{str(folder): b"/srv/app" for folder in {CALLS.parent, CALLS.parent.resolve()}},
    sys.base_prefix: b"/usr/local",
    str(Path.home()): b"/home/app",
}


def elsewhere(content: bytes) -> bytes:
    """Return what was sent, without this machine's address and folders."""
    for folder, other in sorted(HERE.items(), key=lambda pair: -len(pair[0])):
        content = content.replace(folder.encode(), other)
    content = re.sub(rb"/[\w/.-]+/(?:env-)?clients/(lib|bin)/", rb"/srv/app/.venv/\1/", content)
    return re.sub(
        rb"http(://|%3A%2F%2F)127\.0\.0\.1(?::|%3A)\d+", rb"https\1api.example.com", content
    )


def as_record(name: str, sent: Sent, tier: str) -> Record:
    """Make a record of what a client sent, without this machine's address."""
    encoding = sent.headers.get("Content-Encoding", "")
    plain = sent.body
    if encoding == "gzip":
        plain = gzip.decompress(plain)
    elif encoding == "deflate":
        plain = zlib.decompress(plain)
    plain = elsewhere(plain)
    target = elsewhere(sent.target.encode()).decode()
    headers = {
        key: re.sub(r"127\.0\.0\.1(?::\d+)?", "api.example.com", value)
        for key, value in sent.headers.items()
        if key.lower() not in ("host", "content-length", "connection", "transfer-encoding")
    }
    content = plain
    if encoding == "gzip":
        content = gzip.compress(plain, mtime=0)
    elif encoding == "deflate":
        content = zlib.compress(plain)
    body: str | bytes = content
    with contextlib.suppress(UnicodeDecodeError):
        body = content.decode("utf-8")
    words = unquote_plus(target + " " + plain.decode("utf-8", "replace"))
    if HARD_SIGN.search(words):
        tier = "hard"
    # Ids, times and signatures differ from run to run: the fold must not.
    document = re.sub(r"[0-9a-f-]{8,}|\d+", "0", words)
    return benign(name, sent.method, target, headers, body, document=document, tier=tier)


def client(name: str) -> None:
    """Register a client."""

    @source("pypi-" + name)
    def made(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
        tier = "hard" if name in HARD else "core"
        return (as_record("pypi-" + name, sent, tier) for sent in sent_by(name, fetcher))


for each in CLIENTS:
    client(each)
