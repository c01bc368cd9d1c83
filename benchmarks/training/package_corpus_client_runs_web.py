"""Clients of calendars, SOAP, GraphQL, logins and telemetry."""

# ruff: noqa: B023, E501  (tables of calls, each made before the next turn of its loop)
# fmt: off
from __future__ import annotations

import json
from datetime import UTC, datetime

from package_corpus_client_runs import EVENTS, RNG, M, each, properties, run


@run("caldav")
def caldav_calls(address: str) -> None:
    import caldav

    client = caldav.DAVClient(url=address + "/dav/", username="anna", password="x", timeout=5)
    calendar = caldav.Calendar(client=client, url=address + "/dav/calendars/anna/work/")
    for _ in range(60):
        f = M.f
        each([
            lambda: calendar.save_event(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:{f.uuid4()}\r\nDTSTAMP:20261123T100000Z\r\nDTSTART;TZID=Europe/Berlin:20261124T090000\r\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20271231T000000Z\r\nSUMMARY:{f.sentence()}\r\nLOCATION:{f.address()!r}\r\nATTENDEE;CN=\"{f.name()}\":mailto:{f.email()}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"),
            lambda: calendar.date_search(datetime(2026, 1, RNG.randrange(1, 28), tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
            lambda: client.propfind(address + f"/dav/{f.slug()}/", depth=1, props="<?xml version='1.0'?><D:propfind xmlns:D='DAV:'><D:prop><D:displayname/><D:resourcetype/><D:getetag/></D:prop></D:propfind>"),
            lambda: client.mkcalendar(address + f"/dav/calendars/anna/{f.slug()}/", body=f"<?xml version='1.0'?><C:mkcalendar xmlns:D='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav'><D:set><D:prop><D:displayname>{f.company()}</D:displayname></D:prop></D:set></C:mkcalendar>"),
        ])


WSDL = """<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:t="urn:shop" xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:shop"><types><x:schema targetNamespace="urn:shop" elementFormDefault="qualified"><x:element name="Order"><x:complexType><x:sequence><x:element name="name" type="x:string"/><x:element name="email" type="x:string"/><x:element name="address" type="x:string"/><x:element name="note" type="x:string"/><x:element name="amount" type="x:decimal"/></x:sequence></x:complexType></x:element><x:element name="Done" type="x:string"/></x:schema></types><message name="i"><part name="p" element="t:Order"/></message><message name="o"><part name="p" element="t:Done"/></message><portType name="P"><operation name="PlaceOrder"><input message="t:i"/><output message="t:o"/></operation></portType><binding name="B" type="t:P"><s:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/><operation name="PlaceOrder"><s:operation soapAction="urn:shop#PlaceOrder"/><input><s:body use="literal"/></input><output><s:body use="literal"/></output></operation></binding><service name="S"><port name="P" binding="t:B"><s:address location="ADDRESS/soap"/></port></service></definitions>"""


@run("zeep")
def soap_calls(address: str) -> None:
    from pathlib import Path

    from zeep import Client
    from zeep.wsse.username import UsernameToken

    Path("shop.wsdl").write_text(WSDL.replace("ADDRESS", address))
    plain, signed = Client("shop.wsdl"), Client("shop.wsdl", wsse=UsernameToken("anna", "letmein", use_digest=True))
    for _ in range(150):
        p = M.person()
        each([lambda c=c: c.service.PlaceOrder(name=p["name"], email=p["email"], address=p["address"], note=M.text(2), amount=9) for c in (plain, signed)])


@run("snowplow-tracker")
def snowplow_calls(address: str) -> None:
    from snowplow_tracker import Emitter, Subject, Tracker

    host, _, port = address.split("//")[1].partition(":")
    for method in ("get", "post"):
        emitter = Emitter(host, protocol="http", port=int(port), method=method, batch_size=1)
        tracker = Tracker(namespace="t", emitters=emitter, app_id="shop", encode_base64=method == "get")
        for _ in range(60):
            f = M.f
            tracker.set_subject(Subject().set_user_id(f.email()).set_useragent(f.user_agent()).set_ip_address(f.ipv4()))
            each([
                lambda: tracker.track_page_view(f.url() + "?" + f.slug() + "=" + f.word(), f.sentence(), f.url()),
                lambda: tracker.track_struct_event(RNG.choice(EVENTS), f.word(), label=M.text(1), value=RNG.random()),
            ])
        tracker.flush()


@run("discord-webhook")
def discord_calls(address: str) -> None:
    from discord_webhook import DiscordEmbed, DiscordWebhook

    for _ in range(200):
        f = M.f
        hook = DiscordWebhook(url=address + "/api/webhooks/1/x", content=RNG.choice((M.text(1), f"**{f.word()}** ||{f.word()}|| <@123> <:smile:1> ```py\nprint({f.word()!r})\n```")), username=f.name())
        hook.add_embed(DiscordEmbed(title=f.sentence(), description=M.text(2), url=f.url(), color="03b2f8"))
        each([hook.execute])


QUERIES = (
    "query Search($q: String!, $first: Int = 10) { search(query: $q, type: REPOSITORY, first: $first) { edges { node { ... on Repository { id name owner { login } } } } pageInfo { hasNextPage endCursor } } }",
    "mutation AddComment($input: AddCommentInput!) { addComment(input: $input) { comment { id body author { name } } clientMutationId } }",
    "query Product($handle: String!) @inContext(country: DE) { product(handle: $handle) { ...Fields variants(first: 5) { nodes { price { amount currencyCode } } } } } fragment Fields on Product { id title descriptionHtml }",
    "subscription OnMessage($room: ID!) { messageAdded(room: $room) { id text user { name avatar(size: 40) } } }",
    "{ viewer { login notifications(first: 5, filter: {read: false, or: [{type: MENTION}, {type: REVIEW}]}) { totalCount } } }",
    "query { __schema { queryType { name } } users(where: {name: {_ilike: \"%an%\"}, _or: [{age: {_gt: 18}}]}, order_by: {name: asc}) { id name } }",
)


@run("gql")
def gql_calls(address: str) -> None:
    from gql import Client, gql
    from gql.transport.requests import RequestsHTTPTransport

    post = Client(transport=RequestsHTTPTransport(address + "/graphql", timeout=5))
    get = Client(transport=RequestsHTTPTransport(address + "/graphql", timeout=5, use_json=True, method="GET"))
    for _ in range(130):
        f = M.f
        query = gql(RNG.choice(QUERIES[:-1]))
        query.variable_values = {"q": f.sentence(nb_words=3), "handle": f.slug(), "room": f.uuid4(), "input": {"subjectId": f.uuid4(), "body": M.text(2), "filter": json.loads("{}"), "props": properties()}}
        each([lambda: post.execute(query), lambda: get.execute(query)])


@run("authlib")
def login_calls(address: str) -> None:
    """Logging in: authorization requests, callbacks, tokens, assertions, signed calls."""
    import requests
    from authlib.integrations.requests_client import OAuth1Session, OAuth2Session
    from authlib.jose import jwt

    for _ in range(45):
        f = M.f
        callback = f.url() + "login/callback?from=" + f.uri_path()
        session = OAuth2Session("app", f.password(length=30), scope="openid profile email offline_access", redirect_uri=callback, code_challenge_method="S256")
        verifier = f.password(length=48, special_chars=False)
        token = jwt.encode({"alg": "HS256"}, {"iss": "app", "sub": f.email(), "name": f.name(), "exp": 1895000000, "groups": [f.company()]}, "k").decode()
        url, state = session.create_authorization_url(address + "/oauth2/v2.0/authorize", code_verifier=verifier, nonce=f.uuid4(), login_hint=f.email(), prompt="select_account", claims=json.dumps({"id_token": {"acr": {"essential": True}}}))
        back = f"{address}/login/callback?code=4/0A{f.password(length=60, special_chars=False)}&state={state}&scope=email%20profile%20https://www.googleapis.com/auth/userinfo.email&authuser=0&hd={f.domain_name()}"
        each([
            lambda: requests.get(url, headers={"User-Agent": f.user_agent()}, timeout=5),
            lambda: requests.get(back, headers={"User-Agent": f.user_agent(), "Cookie": f"state={state}; id_token={token}"}, timeout=5),
            lambda: session.fetch_token(address + "/oauth2/token", authorization_response=back, state=state, code_verifier=verifier),
            lambda: requests.post(address + "/oauth2/token", data={"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": token}, timeout=5),
            lambda: requests.post(address + "/signin-oidc", data={"id_token": token, "state": f.password(length=90), "session_state": f.uuid4()}, headers={"User-Agent": f.user_agent()}, timeout=5),
            lambda: requests.get(address + "/me", headers={"Authorization": "Bearer " + token}, params={"post_logout_redirect_uri": callback, "id_token_hint": token}, timeout=5),
            lambda: OAuth1Session("key", "secret", "token", "tokensecret").post(address + "/1.1/statuses/update.json", data={"status": M.text(1)}),
        ])


@run("opentelemetry-exporter-otlp-proto-http")
def telemetry_calls(address: str) -> None:
    """Traces in protocol buffers."""
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    for compression in (Compression.NoCompression, Compression.Gzip):
        provider = TracerProvider(resource=Resource.create({"service.name": "shop", "host.name": M.f.hostname()}))
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=address + "/v1/traces", compression=compression, timeout=5)))
        tracer = provider.get_tracer("shop")
        for _ in range(80):
            f = M.f
            with tracer.start_as_current_span("GET /" + f.uri_path(), attributes={"url.full": f.url() + "?q=" + f.word(), "user_agent.original": f.user_agent(), "enduser.id": f.email(), "app.note": M.text(1)}) as span:
                span.add_event("cache miss", {"key": f.slug()})
        provider.shutdown()
