"""Clients of search engines, trackers, stores, messengers, databases over HTTP."""

# ruff: noqa: B023, E501  (tables of calls, each made before the next turn of its loop)
# fmt: off
from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from package_corpus_client_runs import FAKERS, RNG, M, each, run, statement


def search_calls(client: Any, old: bool) -> None:
    def search(body: dict[str, Any]) -> Any:
        return client.search(index="articles", body=body) if old else client.search(index="articles", **body)

    for _ in range(35):
        f = M.f
        words = f.sentence(nb_words=4)
        each([
            lambda: search({"query": {"bool": {"must": [{"match": {"title": words}}], "filter": [{"range": {"date": {"gte": "now-7d/d", "lt": "now/d"}}}, {"term": {"author.keyword": f.name()}}]}}, "highlight": {"fields": {"*": {}}, "pre_tags": ["<em>"], "post_tags": ["</em>"]}}),
            lambda: search({"query": {"query_string": {"query": f'title:"{f.word()}" AND (author:{FAKERS["en_US"].last_name()} OR tags:{f.word()}~2) AND NOT status:draft', "default_operator": "AND"}}, "size": 20}),
            lambda: search({"size": 0, "aggs": {"per_day": {"date_histogram": {"field": "@timestamp", "calendar_interval": "day"}, "aggs": {"uniq": {"cardinality": {"field": "user.id"}}}}}}),
            lambda: search({"query": {"script_score": {"query": {"match_all": {}}, "script": {"source": "Math.log(2 + doc['likes'].value) * params.boost", "params": {"boost": 1.2}}}}}),
            lambda: search({"query": {"regexp": {"path": "/api/v[0-9]+/.*"}}, "sort": [{"_score": "desc"}, {"date": {"order": "asc", "missing": "_last"}}]}),
            lambda: client.index(index="articles", id=f.uuid4(), **({"body": {"title": words, "text": M.text(4), "author": M.person()}} if old else {"document": {"title": words, "text": M.text(4), "author": M.person()}})),
            lambda: client.bulk(body=[{"index": {"_index": "logs"}}, {"message": f'{f.ipv4()} "GET /{f.uri_path()} HTTP/1.1" 404', "agent": f.user_agent()}]) if old else client.bulk(operations=[{"index": {"_index": "logs"}}, {"message": f'{f.ipv4()} "GET /{f.uri_path()} HTTP/1.1" 404', "agent": f.user_agent()}]),
            lambda: client.update_by_query(index="articles", body={"script": {"source": "ctx._source.views += params.n; ctx._source.remove('old')", "params": {"n": 1}}, "query": {"match": {"author": f.name()}}}),
            lambda: client.search(index="logs-*", q=f"status:>=500 AND path:\"/{f.uri_path()}\""),
            lambda: client.indices.create(index=f.slug(), body={"mappings": {"properties": {"title": {"type": "text", "analyzer": "english"}, "loc": {"type": "geo_point"}}}}),
        ])


@run("elasticsearch")
def elasticsearch_calls(address: str) -> None:
    from elasticsearch import Elasticsearch

    client = Elasticsearch(address, basic_auth=("elastic", "changeme"), request_timeout=5, max_retries=0)
    search_calls(client, old=False)
    each([lambda: client.esql.query(query=f"FROM logs-* | WHERE status >= 500 AND host LIKE \"{FAKERS['en_US'].word()}*\" | STATS n = COUNT(*) BY host | SORT n DESC | LIMIT 10")], 15)


@run("opensearch-py")
def opensearch_calls(address: str) -> None:
    from opensearchpy import OpenSearch

    search_calls(OpenSearch([address], http_compress=False, max_retries=0, timeout=5), old=True)


@run("meilisearch")
def meilisearch_calls(address: str) -> None:
    import meilisearch

    index = meilisearch.Client(address, "masterKey").index("movies")
    for _ in range(70):
        f = M.f
        each([
            lambda: index.search(f.sentence(nb_words=3), {"filter": f"genre = '{f.word()}' AND (year > 1990 OR rating >= 4)", "facets": ["genre"], "attributesToHighlight": ["*"], "sort": ["year:desc"]}),
            lambda: index.add_documents([{"id": RNG.randrange(9999), "title": f.sentence(), "overview": M.text(2), "cast": [f.name(), f.name()]}]),
            lambda: index.update_settings({"synonyms": {f.word(): [f.word()]}, "stopWords": ["the", "a"], "rankingRules": ["words", "typo"]}),
        ])


@run("pysolr")
def solr_calls(address: str) -> None:
    import pysolr

    client = pysolr.Solr(address + "/solr/core", timeout=5)
    for _ in range(70):
        f = M.f
        each([
            lambda: client.search(f"title:({f.word()} OR {f.word()}) AND -type:draft", **{"fq": ["year:[2000 TO *]", "{!geofilt sfield=store pt=45.15,-93.85 d=5}"], "facet": "true", "hl": "true", "rows": 20, "sort": "score desc, date asc"}),
            lambda: client.add([{"id": f.uuid4(), "title": f.sentence(), "text": M.text(3), "author": f.name()}]),
            lambda: client.delete(q=f"author:\"{f.name()}\" AND date:[* TO NOW-1YEAR]"),
            lambda: client.more_like_this(q=f"id:{f.uuid4()}", mltfl="title,text"),
        ])


def markdown() -> str:
    f = M.f
    return RNG.choice((
        f"## Steps\n\n1. Open `{f.file_path()}`\n2. Run\n\n```sh\nnpm run build && ls -la {f.file_path()}\n```\n\n> {f.sentence()}\n\n| a | b |\n|---|---|\n| {f.word()} | {f.name()} |",
        f"{M.text(2)}\n\n- [ ] {f.sentence()}\n- [x] {f.sentence()} (#{RNG.randrange(999)})\n\ncc @{f.user_name()} <!-- {f.word()} -->",
        f"Traceback (most recent call last):\n  File \"/app/{f.file_name(extension='py')}\", line {RNG.randrange(400)}, in <module>\n    main()\nKeyError: '{f.word()}'\n\n{M.text(1)}", M.text(5), M.text(3),
        f"![shot]({f.image_url()})\n\nFixes #{RNG.randrange(99)}. `{f.word()}()` returns **null** when `{f.word()} == \"\"`.",
    ))


@run("pygithub")
def github_calls(address: str) -> None:
    from github import Auth, Github

    client = Github(base_url=address, auth=Auth.Token("ghp_x"), retry=None, timeout=5, seconds_between_requests=None, seconds_between_writes=None)
    repo = client.get_repo("octo/hello", lazy=True)
    for _ in range(60):
        f = M.f
        each([
            lambda: repo.create_issue(title=f.sentence(), body=markdown(), labels=["bug"], assignees=[f.user_name()]),
            lambda: repo.create_pull(base="main", head=f.slug(), title=f.sentence(), body=markdown()),
            lambda: repo.create_file("docs/" + f.file_name(extension="md"), f.sentence(), markdown(), branch="main"),
            lambda: client.search_issues(f"{f.word()} repo:octo/hello is:open label:\"help wanted\" created:>2026-01-01")[0],
            lambda: client.search_code(f"{f.word()} language:python path:/src")[0],
            lambda: repo.create_git_tag_and_release("v1." + str(RNG.randrange(99)), f.sentence(), f.sentence(), markdown(), "abc", "commit"),
            lambda: client.get_user(f.user_name()),
        ])


@run("python-gitlab")
def gitlab_calls(address: str) -> None:
    import gitlab

    project = gitlab.Gitlab(address, private_token="glpat-x", timeout=5).projects.get(7, lazy=True)
    for _ in range(60):
        f = M.f
        each([
            lambda: project.issues.create({"title": f.sentence(), "description": markdown(), "labels": "bug,ui"}),
            lambda: project.commits.create({"branch": "main", "commit_message": f"fix({f.word()}): {f.sentence()}\n\nCloses #{RNG.randrange(99)}", "actions": [{"action": "create", "file_path": f.file_path().lstrip("/"), "content": markdown()}]}),
            lambda: project.files.get(file_path="src/" + f.file_name(), ref="main"),
            lambda: project.search("blobs", f"{f.word()} filename:*.py"),
            lambda: project.variables.create({"key": f.word().upper(), "value": f.password(length=20)}),
            lambda: project.mergerequests.create({"source_branch": f.slug(), "target_branch": "main", "title": "Draft: " + f.sentence(), "description": markdown()}),
        ])


@run("jira")
def jira_calls(address: str) -> None:
    from jira import JIRA

    client = JIRA(address, basic_auth=("anna", "token"), get_server_info=False, max_retries=0, timeout=5)
    for _ in range(60):
        f = M.f
        each([
            lambda: client.create_issue(fields={"project": {"key": "AB"}, "summary": f.sentence(), "description": f"h2. Steps\n# {f.sentence()}\n{{code:java}}\nint a = b[{RNG.randrange(9)}];\n{{code}}\n{M.text(2)}", "issuetype": {"name": "Bug"}}),
            lambda: client.add_comment("AB-1", f"[~{f.user_name()}] {M.text(2)} {{quote}}{f.sentence()}{{quote}}"),
            lambda: client.search_issues(f"project = AB AND status in (\"To Do\", 'In Progress') AND summary ~ \"{f.word()}\" AND created >= -{RNG.randrange(9)}d ORDER BY priority DESC, updated"),
            lambda: client.search_issues(f"assignee = currentUser() OR reporter = \"{f.name()}\""),
        ])


@run("atlassian-python-api")
def confluence_calls(address: str) -> None:
    from atlassian import Confluence

    client = Confluence(url=address, username="anna", password="x", timeout=5)
    for _ in range(60):
        f = M.f
        page = f'<h1>{f.sentence()}</h1><p>{f.paragraph()}</p><ac:structured-macro ac:name="code"><ac:parameter ac:name="language">bash</ac:parameter><ac:plain-text-body><![CDATA[cat {f.file_path()} | grep {f.word()}]]></ac:plain-text-body></ac:structured-macro><table><tbody><tr><td>{f.name()}</td></tr></tbody></table>'
        each([
            lambda: client.create_page("DOC", f.sentence(), page),
            lambda: client.cql(f"space = DOC and type = page and title ~ \"{f.word()}\" and lastmodified > now('-4w')"),
            lambda: client.add_comment(123, f"<p>{M.text(1)}</p>"),
            lambda: client.update_page(123, f.sentence(), page, minor_edit=True),
        ])


@run("simple-salesforce")
def salesforce_calls(address: str) -> None:
    from simple_salesforce import Salesforce

    client = Salesforce(instance=address.split("//")[1], session_id="00D!x")
    client.base_url = client.base_url.replace("https", "http")
    for _ in range(70):
        f, p = M.f, M.person()
        contacts = client.Contact
        contacts.base_url = contacts.base_url.replace("https", "http")
        each([
            lambda: client.query(f"SELECT Id, Name, Account.Name FROM Contact WHERE LastName = '{FAKERS['en_US'].last_name()}' AND CreatedDate > LAST_N_DAYS:30 ORDER BY Name LIMIT 50"),
            lambda: client.query(f"SELECT COUNT(Id), Industry FROM Account WHERE Name LIKE '{f.word()}%' GROUP BY Industry HAVING COUNT(Id) > 1"),
            lambda: client.search(f"FIND {{{f.word()}}} IN ALL FIELDS RETURNING Contact(Id, Name), Lead"),
            lambda: contacts.create({"LastName": p["name"], "Email": p["email"], "Description": M.text(2), "MailingStreet": p["address"]}),
            lambda: client.query(f"SELECT Id FROM Case WHERE Status != 'Closed' AND (Subject LIKE '%{f.word()}%' OR Owner.Name = '{f.name().replace(chr(39), chr(92) + chr(39))}')"),
        ])


@run("notion-client")
def notion_calls(address: str) -> None:
    from notion_client import Client

    client = Client(auth="secret_x", base_url=address)
    for _ in range(80):
        f = M.f
        rich = [{"type": "text", "text": {"content": M.text(1), "link": {"url": f.url()}}, "annotations": {"bold": True}}]
        each([
            lambda: client.pages.create(parent={"database_id": f.uuid4()}, properties={"Name": {"title": [{"text": {"content": f.sentence()}}]}, "Tags": {"multi_select": [{"name": f.word()}]}, "Mail": {"email": f.email()}}, children=[{"object": "block", "type": "paragraph", "paragraph": {"rich_text": rich}}, {"type": "code", "code": {"language": "sql", "rich_text": [{"text": {"content": statement()}}]}}]),
            lambda: client.search(query=f.sentence(nb_words=3), filter={"property": "object", "value": "page"}, sort={"direction": "ascending", "timestamp": "last_edited_time"}),
            lambda: client.blocks.children.append(f.uuid4(), children=[{"type": "equation", "equation": {"expression": r"\frac{a}{b} = \sqrt{x^2}"}}, {"type": "quote", "quote": {"rich_text": rich}}]),
            lambda: client.comments.create(parent={"page_id": f.uuid4()}, rich_text=rich),
        ])


@run("postgrest")
def postgrest_calls(address: str) -> None:
    from postgrest import SyncPostgrestClient

    client = SyncPostgrestClient(address + "/rest/v1", headers={"apikey": "eyJhbGciOiJIUzI1NiJ9.e30.x"})
    for _ in range(60):
        f = M.f
        each([
            lambda: client.from_("people").select("id, name, city:cities(name), orders!inner(total)").eq("name", f.name()).gte("age", 18).order("name", desc=True).limit(20).execute(),
            lambda: client.from_("people").select("*", count="exact").or_(f"name.ilike.*{f.word()}*,email.eq.{f.email()}").not_.is_("deleted_at", "null").execute(),
            lambda: client.from_("posts").select("*").in_("status", ["draft", f.name()]).contains("tags", [f.word()]).range(0, 9).execute(),
            lambda: client.from_("people").insert([M.person(), M.person()]).execute(),
            lambda: client.from_("posts").update({"body": M.text(3)}).match({"id": RNG.randrange(99)}).execute(),
            lambda: client.from_("docs").select("title").text_search("body", f"'{f.word()}' & '{f.word()}' | !{f.word()}", options={"config": "english"}).execute(),
            lambda: client.rpc("nearby", {"lat": 48.1, "long": 11.5, "q": f.city()}).execute(),
        ])


@run("woocommerce")
def woocommerce_calls(address: str) -> None:
    from woocommerce import API

    client = API(url=address, consumer_key="ck_x", consumer_secret="cs_x", version="wc/v3", timeout=5)
    for _ in range(70):
        f, p = M.f, M.person()
        billing = {"first_name": f.first_name(), "last_name": f.last_name(), "company": p["company"], "address_1": f.street_address(), "city": p["city"], "email": p["email"], "phone": p["phone"]}
        each([
            lambda: client.post("products", {"name": f.sentence(nb_words=3), "description": f"<p>{f.paragraph()}</p><ul><li>{f.word()} &amp; {f.word()}</li><li>10\" x 5'</li></ul>", "short_description": M.text(1), "regular_price": "21.99", "images": [{"src": f.image_url()}]}),
            lambda: client.post("orders", {"payment_method": "bacs", "billing": billing, "shipping": billing, "customer_note": M.text(1), "line_items": [{"product_id": 93, "quantity": 2}], "meta_data": [{"key": "_gift", "value": f.sentence()}]}),
            lambda: client.get("products", params={"search": f.word(), "orderby": "price", "order": "desc", "per_page": 20, "after": "2026-01-01T00:00:00"}),
            lambda: client.post("products/reviews", {"product_id": 22, "review": M.text(2), "reviewer": p["name"], "reviewer_email": p["email"], "rating": 5}),
        ])


@run("python-telegram-bot")
def telegram_calls(address: str) -> None:
    from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup

    async def talk() -> None:
        bot = Bot("123:ABC", base_url=address + "/bot")
        for _ in range(75):
            f = M.f
            keys = InlineKeyboardMarkup([[InlineKeyboardButton(f.word(), callback_data=f"v:{f.word()}"), InlineKeyboardButton("Web", url=f.url())]])
            for call in (
                lambda: bot.send_message(42, M.text(2), reply_markup=keys),
                lambda: bot.send_message(42, f"<b>{f.name()}</b> <a href=\"{f.url()}\">{f.word()}</a> <code>{f.word()}()</code>", parse_mode="HTML"),
                lambda: bot.send_document(42, document=M.text(5).encode(), filename=f.file_name(), caption=f.sentence()),
                lambda: bot.send_message(42, f"*{f.word()}*\n\\- {f.word()}\\! ||{f.word()}||", parse_mode="MarkdownV2"),
            ):
                try:
                    await call()
                except Exception:
                    continue

    asyncio.run(talk())


@run("sendgrid")
def sendgrid_calls(address: str) -> None:
    from sendgrid import SendGridAPIClient
    from sendgrid.helpers.mail import Mail

    client = SendGridAPIClient("SG.x", host=address)
    for _ in range(140):
        f = M.f
        page = f'<!DOCTYPE html><html><head><meta charset="utf-8"><style>body{{font-family:Arial}}.b{{color:#fff}}</style></head><body><h1>{f.sentence()}</h1><p>{f.paragraph()}</p><a href="{f.url()}?u={{{{id}}}}" style="color:#06c">{f.word()}</a><img src="{f.image_url()}" width="1" height="1" alt=""></body></html>'
        each([
            lambda: client.send(Mail(from_email="shop@example.com", to_emails=f.email(), subject=f.sentence(), plain_text_content=M.text(4))),
            lambda: client.send(Mail(from_email="shop@example.com", to_emails=f.email(), subject=f.sentence(), html_content=page)),
        ])


@run("influxdb-client")
def influx_calls(address: str) -> None:
    from influxdb_client import InfluxDBClient, Point
    from influxdb_client.client.write_api import SYNCHRONOUS

    client = InfluxDBClient(url=address, token="x", org="o", timeout=5000)
    write = client.write_api(write_options=SYNCHRONOUS)
    for _ in range(90):
        f = M.f
        each([
            lambda: write.write("b", record=[Point("http").tag("host", f.hostname()).tag("path", "/" + f.uri_path()).field("ms", RNG.random()).field("ua", f.user_agent()) for _ in range(3)]),
            lambda: client.query_api().query(f'from(bucket: "b") |> range(start: -{RNG.randrange(9)}h) |> filter(fn: (r) => r._measurement == "http" and r.host == "{f.hostname()}") |> aggregateWindow(every: 1m, fn: mean) |> yield(name: "mean")'),
            lambda: write.write("b", record=f'sensor,room={f.word()},owner={f.first_name()} temp={RNG.random()},note="{f.sentence()}"'),
        ])


@run("clickhouse-connect")
def clickhouse_calls(address: str) -> None:
    """The server's handshake is not played, so the driver's own transport is used."""
    import requests

    for _ in range(150):
        text = statement()
        each([
            lambda: requests.post(address + "/", params={"database": "web", "wait_end_of_query": "1"}, data=(text + " FORMAT JSONCompact").encode(), headers={"User-Agent": "clickhouse-connect/0.10.0 (lv:py/3.12.3; mode:sync; os:linux)"}, timeout=5),
            lambda: requests.get(address + "/", params={"query": text, "default_format": "Native", "max_result_rows": "1000"}, timeout=5),
        ])


@run("openai")
def openai_calls(address: str) -> None:
    from openai import OpenAI

    client = OpenAI(api_key="sk-x", base_url=address + "/v1", max_retries=0, timeout=5)
    tool: Any = {"type": "function", "function": {"name": "weather", "description": "Look up the weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
    tasks: tuple[Callable[[], str], ...] = (
        lambda: f"Translate into French: \"{M.text(2)}\"", lambda: f"Explain this query:\n```sql\n{statement()}\n```", lambda: f"Why does `rm -rf {M.f.file_path()}` need sudo?",
        lambda: f"Write a bash one-liner that counts lines in {M.f.file_path()} | sort | uniq", lambda: f"Fix this HTML: <div onclick=\"go('{M.f.word()}')\"><p>{M.f.word()}</div>", lambda: M.text(6),
    )
    for _ in range(110):
        each([
            lambda: client.chat.completions.create(model="gpt-5", messages=[{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": RNG.choice(tasks)()}], tools=[tool], temperature=0.2),
            lambda: client.embeddings.create(model="text-embedding-3-small", input=[M.text(2), M.text(1)]),
            lambda: client.moderations.create(input=M.text(1)),
        ])
