"""What the clients of package_corpus_clients.py do: run in their own environment, as

    python package_corpus_client_runs.py CLIENT ADDRESS

A client's complaint about an answer is none of ours: the request was sent.
"""

# ruff: noqa: B023, E501  (tables of calls, each made before the next turn of its loop)
# fmt: off
from __future__ import annotations

import contextlib
import gzip
import importlib
import json
import logging
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from faker import Faker
from package_corpus_client_faults import fail

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "pl_PL", "ja_JP", "pt_BR", "nl_NL", "ar_AA", "ru_RU", "en_IE", "zh_CN", "sv_SE")
RNG = random.Random(20263)
Faker.seed(20263)
FAKERS = {locale: Faker(locale) for locale in LOCALES}


class Made:
    """Lifelike values."""

    @property
    def f(self) -> Any:
        return FAKERS[RNG.choice(LOCALES)]

    def text(self, sentences: int = 3) -> str:
        """Words, and the marks that people put between them."""
        said = self.f.paragraph(nb_sentences=sentences)
        return RNG.choice((
            said, f"Hi {self.f.first_name()},\n\n{said}\n\n-- \n{self.f.name()}", f"{said} (see #{RNG.randrange(999)})",
            f"\"{said}\" & more… {self.f.company()} / {self.f.job()}; 50% off = {self.f.pricetag()}", f"{said} {self.f.url()}?id={RNG.randrange(99)}&ref=mail",
            f"* {self.f.sentence()}\n* {self.f.sentence()}\n> {said}", f"It's {self.f.name()}'s: {said} <3",
        ))

    def person(self) -> dict[str, Any]:
        f = self.f
        return {"name": f.name(), "email": f.email(), "phone": f.phone_number(), "address": f.address(), "company": f.company(), "city": f.city()}


M = Made()
RUNS: dict[str, Callable[[str], None]] = {}


def run(name: str) -> Callable[[Any], Any]:
    def named(function: Any) -> Any:
        RUNS[name] = function
        return function

    return named


def each(calls: Any, times: int = 1) -> None:
    """Make every call; the client's reaction to the answer does not matter."""
    for _ in range(times):
        for call in calls:
            with contextlib.suppress(Exception):
                call()


def aws(service: str, address: str) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(retries={"max_attempts": 0}, parameter_validation=False, read_timeout=5, inject_host_prefix=False)
    return boto3.client(service, endpoint_url=address, config=config)


@run("boto3-examples")
def boto3_examples(address: str) -> None:
    """The documented example of every operation that has one."""
    import botocore

    for path in sorted((Path(botocore.__file__).parent / "data").glob("*/*/examples-1.json*")):
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        examples = json.loads(text).get("examples") or {}
        if not examples:
            continue
        client = aws(path.parts[-3], address)
        for operation, cases in examples.items():
            for case in cases[:2]:
                each([lambda o=operation, c=case: client._make_api_call(o, c.get("input") or {})])


@run("boto3")
def boto3_calls(address: str) -> None:
    """Daily work of applications: objects, queues, tables, mail, logs, metrics."""
    s3, sqs, table, mail, logs, metrics, sns, events, states, secrets, lam, cognito = (aws(n, address) for n in ("s3", "sqs", "dynamodb", "sesv2", "logs", "cloudwatch", "sns", "events", "stepfunctions", "secretsmanager", "lambda", "cognito-idp"))
    for _ in range(22):
        p, f = M.person(), M.f
        key = f"{f.word()}/{f.file_name()}"
        log = [{"timestamp": 1763900000000 + n, "message": f'{f.ipv4()} - - [23/Nov/2026:10:00:0{n} +0000] "GET /{f.uri_path()}?q={f.word()} HTTP/1.1" 200 512 "{f.url()}" "{f.user_agent()}"'} for n in range(3)]
        each([
            lambda: s3.put_object(Bucket="my-bucket", Key=key, Body=json.dumps(p).encode(), ContentType="application/json", Metadata={"author": "anna"}),
            lambda: s3.list_objects_v2(Bucket="my-bucket", Prefix=key, Delimiter="/", StartAfter=f.word()),
            lambda: s3.put_object_tagging(Bucket="b", Key=key, Tagging={"TagSet": [{"Key": "owner", "Value": p["name"]}]}),
            lambda: s3.put_bucket_policy(Bucket="b", Policy=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::b/*", "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}]})),
            lambda: sqs.send_message(QueueUrl=address + "/123/q", MessageBody=json.dumps({"event": "signup", **p}), MessageAttributes={"Lang": {"DataType": "String", "StringValue": "de"}}),
            lambda: table.put_item(TableName="people", Item={k: {"S": v} for k, v in p.items()}),
            lambda: table.query(TableName="people", KeyConditionExpression="#n = :n AND begins_with(city, :c)", FilterExpression="attribute_exists(email) AND age > :a OR contains(#t, :x)", ExpressionAttributeNames={"#n": "name", "#t": "tags"}, ExpressionAttributeValues={":n": {"S": p["name"]}, ":c": {"S": p["city"]}, ":a": {"N": "18"}, ":x": {"S": "x"}}),
            lambda: table.update_item(TableName="people", Key={"id": {"S": f.uuid4()}}, UpdateExpression="SET views = views + :one, #s = if_not_exists(#s, :d) REMOVE draft", ConditionExpression="attribute_not_exists(locked) OR locked = :f", ExpressionAttributeNames={"#s": "status"}, ExpressionAttributeValues={":one": {"N": "1"}, ":d": {"S": "new"}, ":f": {"BOOL": False}}),
            lambda: mail.send_email(FromEmailAddress="shop@example.com", Destination={"ToAddresses": [f'"{p["name"]}" <{p["email"]}>']}, Content={"Simple": {"Subject": {"Data": f.sentence()}, "Body": {"Text": {"Data": M.text()}}}}),
            lambda: logs.put_log_events(logGroupName="/aws/lambda/web", logStreamName="2026/11/23/[$LATEST]ab", logEvents=log),
            lambda: logs.filter_log_events(logGroupName="/aws/lambda/web", filterPattern='{ $.status >= 500 && $.path = "/api/*" }'),
            lambda: metrics.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Latency", "Dimensions": [{"Name": "Path", "Value": "/" + f.uri_path()}], "Value": RNG.random(), "Unit": "Milliseconds"}]),
            lambda: sns.publish(TopicArn="arn:aws:sns:eu-west-1:123456789012:orders", Subject=f.word(), Message=M.text()),
            lambda: events.put_events(Entries=[{"Source": "shop.orders", "DetailType": "OrderPlaced", "Detail": json.dumps({"order": f.uuid4(), "customer": p})}]),
            lambda: states.start_execution(stateMachineArn="arn:aws:states:eu-west-1:123456789012:stateMachine:S", input=json.dumps(p)),
            lambda: states.create_state_machine(name="s", roleArn="arn:aws:iam::123456789012:role/r", definition=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": [{"Variable": "$.amount", "NumericGreaterThan": 100, "Next": "B"}]}, "B": {"Type": "Pass", "Parameters": {"id.$": "$$.Execution.Id", "text.$": "States.Format('Hello {}', $.name)"}, "End": True}}})),
            lambda: secrets.put_secret_value(SecretId="db", SecretString=json.dumps({"username": "app", "password": f.password(length=24)})),
            lambda: lam.invoke(FunctionName="resize", Payload=json.dumps({"Records": [{"s3": {"object": {"key": key}}}]})),
            lambda: cognito.initiate_auth(AuthFlow="USER_PASSWORD_AUTH", ClientId=f.uuid4(), AuthParameters={"USERNAME": p["email"], "PASSWORD": f.password(length=16)}),
        ])


SELECTS = (
    "SELECT {a}, count(*) AS n FROM {t} WHERE {b} >= date '2026-01-01' GROUP BY {a} ORDER BY n DESC LIMIT 100",
    "SELECT * FROM {t} t JOIN {u} u ON t.id = u.{t}_id WHERE u.{a} LIKE '%{v}%' AND t.{b} IS NOT NULL",
    "CREATE TABLE {t}_daily AS SELECT date_trunc('day', {b}) AS day, sum(amount) FROM {t} GROUP BY 1",
    "INSERT INTO {t} ({a}, {b}) VALUES ('{v}', now()), ('{v} & Co.', now())",
    "WITH recent AS (SELECT * FROM {t} WHERE {b} > now() - interval '7 days') SELECT {a}, avg(amount) FROM recent UNION ALL SELECT 'total', avg(amount) FROM recent",
    "UPDATE {t} SET {a} = '{v}', updated_at = CURRENT_TIMESTAMP WHERE id IN (SELECT id FROM {u} WHERE status = 'new')",
    "ALTER TABLE {t} ADD COLUMN {a} varchar(255) DEFAULT ''",
    "SELECT approx_distinct(user_id) FROM {t} WHERE regexp_like({a}, '^(?i){v}') -- daily actives",
    "DELETE FROM {t} WHERE {b} < '2024-01-01' AND {a} <> ''",
)


def statement() -> str:
    f = FAKERS["en_US"]
    words = {k: f.word(part_of_speech="noun") for k in "atu"} | {"b": RNG.choice(("created_at", "order_date", "ts")), "v": f.last_name()}
    return RNG.choice(SELECTS).format(**words)


@run("boto3-queries")
def boto3_queries(address: str) -> None:
    """Queries in a database's language, which is what these services are for."""
    athena, redshift, rds, timestream, partiql = (aws(n, address) for n in ("athena", "redshift-data", "rds-data", "timestream-query", "dynamodb"))
    each([
        lambda: athena.start_query_execution(QueryString=statement(), QueryExecutionContext={"Database": "web"}, ResultConfiguration={"OutputLocation": "s3://b/out/"}),
        lambda: redshift.execute_statement(Database="dev", ClusterIdentifier="c", Sql=statement()),
        lambda: rds.execute_statement(resourceArn="arn:aws:rds:eu-west-1:123456789012:cluster:c", secretArn="arn:aws:secretsmanager:eu-west-1:123456789012:secret:s", sql=statement()),
        lambda: timestream.query(QueryString=statement()),
        lambda: partiql.execute_statement(Statement=f"SELECT * FROM \"{M.f.word()}\" WHERE id = ? AND contains(name, '{FAKERS['en_US'].last_name()}')", Parameters=[{"S": M.f.uuid4()}]),
    ], 40)


@run("stripe")
def stripe_calls(address: str) -> None:
    import stripe

    stripe.api_key, stripe.max_network_retries, stripe.enable_telemetry = "sk_test_4eC39HqLyjWDarjtT1zdp7dc", 0, False
    c = stripe.StripeClient(stripe.api_key, base_addresses={"api": address}).v1
    for _ in range(45):
        p, f = M.person(), M.f
        ship = {"name": p["name"], "address": {"line1": f.street_address(), "city": p["city"], "postal_code": f.postcode(), "country": "DE"}}
        each([
            lambda: c.customers.create({"name": p["name"], "email": p["email"], "phone": p["phone"], "description": M.text(1), "shipping": ship, "metadata": {"ref": f.uuid4(), "vat": "DE123456789"}}),
            lambda: c.payment_intents.create({"amount": RNG.randrange(100, 99999), "currency": "eur", "description": f.sentence(), "statement_descriptor_suffix": f.word()[:20], "automatic_payment_methods": {"enabled": True}, "shipping": ship}),
            lambda: c.products.create({"name": f.catch_phrase() if hasattr(f, "catch_phrase") else f.word(), "description": M.text(2), "images": [f.image_url()], "default_price_data": {"currency": "usd", "unit_amount": 1500}}),
            lambda: c.checkout.sessions.create({"mode": "payment", "success_url": f.url() + "ok?session_id={CHECKOUT_SESSION_ID}", "cancel_url": f.url(), "line_items": [{"price_data": {"currency": "eur", "product_data": {"name": f.word()}, "unit_amount": 900}, "quantity": 2}]}),
            lambda: c.customers.search({"query": f"name~'{FAKERS['en_US'].last_name()}' AND metadata['plan']:'pro'"}),
            lambda: c.invoices.list({"created": {"gte": 1760000000}, "limit": 50, "expand": ["data.customer"]}),
            lambda: c.refunds.create({"payment_intent": "pi_" + f.password(length=24, special_chars=False), "reason": "requested_by_customer"}),
            lambda: c.disputes.update("dp_1", {"evidence": {"product_description": M.text(2), "customer_communication": M.text(4)}}),
        ])


@run("twilio")
def twilio_calls(address: str) -> None:
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    class Local(TwilioHttpClient):
        def request(self, method: str, url: str, *args: Any, **named: Any) -> Any:
            return super().request(method, address + "/" + url.split("/", 3)[3], *args, **named)

    client = Client("AC" + "0" * 32, "token", http_client=Local())
    for _ in range(60):
        f = M.f
        each([
            lambda: client.messages.create(to=FAKERS["en_US"].phone_number(), from_="+15005550006", body=M.text(1)[:300], status_callback=f.url()),
            lambda: client.calls.create(to="+15558675310", from_="+15017122661", twiml=f"<Response><Say voice=\"alice\">{f.sentence()}</Say><Gather numDigits=\"1\"/></Response>"),
            lambda: client.conversations.v1.conversations("CH" + "1" * 32).messages.create(author=f.name(), body=M.text(2), attributes=json.dumps({"mood": f.word()})),
            lambda: client.verify.v2.services("VA" + "1" * 32).verifications.create(to="+15017122661", channel="sms"),
            lambda: client.messages.list(date_sent_after=datetime(2026, 1, RNG.randrange(1, 28), tzinfo=UTC), limit=20),
        ])


@run("slack-sdk")
def slack_calls(address: str) -> None:
    from slack_sdk import WebClient
    from slack_sdk.webhook import WebhookClient

    client, hook = WebClient(token="xoxb-1-2-3", base_url=address + "/api/"), WebhookClient(address + "/services/T0/B0/x")
    for _ in range(50):
        f = M.f
        blocks = [{"type": "header", "text": {"type": "plain_text", "text": f.sentence()[:100]}}, {"type": "section", "text": {"type": "mrkdwn", "text": f"*{f.word()}* <{f.url()}|{f.word()}> <@U0{RNG.randrange(999)}> :tada: `{f.word()}`\n>{M.text(1)}"}, "accessory": {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go", "value": f.uuid4()}}]
        each([
            lambda: client.chat_postMessage(channel="C0123", text=M.text(2), blocks=blocks),
            lambda: client.chat_update(channel="C0123", ts="1503435956.000247", text=f"~{f.sentence()}~ *{f.word()}* ```{f.word()} = {{}}```"),
            lambda: client.reactions_add(channel="C0123", name="thumbsup", timestamp="1503435956.000247"),
            lambda: client.views_open(trigger_id="1.2.3", view={"type": "modal", "title": {"type": "plain_text", "text": "Form"}, "blocks": blocks, "private_metadata": json.dumps({"u": f.name()})}),
            lambda: client.conversations_create(name=f.slug()[:70]),
            lambda: client.search_messages(query=f"from:@anna in:#general \"{f.word()}\" after:2026-01-01"),
            lambda: hook.send(text=M.text(2), attachments=[{"color": "#36a64f", "title": f.sentence(), "fields": [{"title": f.word(), "value": f.name(), "short": True}], "footer": f.company()}]),
        ])


def faults(count: int, report: Callable[[], Any]) -> None:
    """Report faults, each while it is being handled."""
    for _ in range(count):
        try:
            fail(RNG, M.f.word(), M.f.name())
        except Exception:
            report()


@run("sentry-sdk")
def sentry_calls(address: str) -> None:
    import sentry_sdk

    sentry_sdk.init(dsn=address.replace("://", "://abcdef0123456789@") + "/42", traces_sample_rate=0.3, send_default_pii=True, debug=False)

    def report() -> None:
        with sentry_sdk.new_scope() as scope:
            scope.set_user({"id": RNG.randrange(9999), "email": M.f.email(), "username": M.f.name()})
            scope.set_tag("page", "/" + M.f.uri_path())
            if RNG.random() < 0.3:
                scope.add_breadcrumb(category="query", message=statement(), level="info")
            scope.add_breadcrumb(category="http", data={"url": M.f.url() + "?q=" + M.f.word(), "method": "GET", "status_code": 200})
            scope.set_extra("form", M.person())
            RNG.choice((sentry_sdk.capture_exception, lambda: sentry_sdk.capture_message(M.text(1))))()
            with sentry_sdk.start_transaction(op="http.server", name="GET /" + M.f.uri_path()), sentry_sdk.start_span(op="cache.get", name=M.f.slug()):
                pass

    faults(160, report)
    sentry_sdk.flush(20)


@run("faker")
def registrations(address: str) -> None:
    """People of fifty countries who fill in forms, in a browser and in an app."""
    import requests

    locales = ("ar_AA", "az_AZ", "bg_BG", "cs_CZ", "da_DK", "de_AT", "de_DE", "el_GR", "en_AU", "en_GB", "en_IE", "en_IN", "en_NZ", "en_US", "es_ES", "es_MX", "et_EE", "fa_IR", "fi_FI", "fr_CA", "fr_FR", "ga_IE", "he_IL", "hi_IN", "hr_HR", "hu_HU", "hy_AM", "it_IT", "ja_JP", "ka_GE", "ko_KR", "lt_LT", "lv_LV", "ne_NP", "nl_BE", "nl_NL", "no_NO", "pl_PL", "pt_BR", "pt_PT", "ro_RO", "ru_RU", "sk_SK", "sl_SI", "sv_SE", "th_TH", "tr_TR", "uk_UA", "vi_VN", "zh_CN", "zh_TW")
    for locale in locales:
        f = Faker(locale)
        for _ in range(4):
            row = {"first_name": f.first_name(), "last_name": f.last_name(), "company": f.company(), "street": f.street_address(), "city": f.city(), "postcode": f.postcode(), "phone": f.phone_number(), "email": f.email(), "password": f.password(length=14), "card": f.credit_card_number(), "iban": f.iban(), "birthday": str(f.date_of_birth()), "job": f.job(), "website": f.url(), "note": f.sentence()}
            headers = {"User-Agent": f.user_agent(), "Accept-Language": locale.replace("_", "-"), "Referer": "https://shop.example.com/register"}
            each([
                lambda r=row, h=headers: requests.post(address + "/register", data=r, headers=h, timeout=5),
                lambda r=row, h=headers: requests.post(address + "/api/v1/customers", json={"customer": r}, headers=h, timeout=5),
                lambda r=row, h=headers: requests.post(address + "/profile", files={k: (None, v) for k, v in r.items()}, headers=h, timeout=5),
                lambda r=row, h=headers: requests.get(address + "/people", params={"q": r["first_name"] + " " + r["last_name"], "near": r["city"]}, headers=h, timeout=5),
            ])


@run("rollbar")
def rollbar_calls(address: str) -> None:
    import rollbar

    rollbar.init("0123456789abcdef", "production", endpoint=address + "/api/1/", handler="blocking")
    faults(120, lambda: rollbar.report_exc_info(extra_data={"form": M.person(), "path": "/" + M.f.uri_path()}))
    for _ in range(60):
        rollbar.report_message(M.text(1), "warning", extra_data=M.person())


EVENTS = ("Signed Up", "$pageview", "Order Completed", "Song Played", "button_click", "Search", "Experiment Viewed")


def properties() -> dict[str, Any]:
    f = M.f
    return {
        "$current_url": f"{f.url()}{f.uri_path()}?utm_source=newsletter&utm_campaign={f.slug()}&q={f.word()}#top", "title": f.sentence(), "$referrer": "$direct",
        "revenue": RNG.randrange(999), "currency": "EUR", "products": [{"sku": f.ean8(), "name": f.word(), "price": 9.9}], "$browser": "Chrome", "$lib": "web", "search_term": f.sentence(nb_words=3),
    }


@run("posthog")
def posthog_calls(address: str) -> None:
    from posthog import Posthog

    client = Posthog("phc_0123456789", host=address, flush_at=2, sync_mode=True, gzip=False, disable_geoip=False)
    for _ in range(90):
        each([
            lambda: client.capture(RNG.choice(EVENTS), distinct_id=M.f.email(), properties=properties()),
            lambda: client.set(distinct_id=M.f.uuid4(), properties=M.person()),
            lambda: client.group_identify("company", M.f.company(), {"name": M.f.company(), "employees": RNG.randrange(900)}),
        ])
    faults(25, lambda: client.capture_exception(sys.exc_info()[1]))
    client.flush()


@run("segment-analytics-python")
def segment_calls(address: str) -> None:
    import segment.analytics as analytics

    analytics.write_key, analytics.host, analytics.sync_mode = "key", address, True
    for _ in range(80):
        f = M.f
        each([
            lambda: analytics.track(f.uuid4(), RNG.choice(EVENTS), properties()),
            lambda: analytics.identify(f.uuid4(), M.person()),
            lambda: analytics.page(f.uuid4(), "Docs", f.sentence(), {"url": f.url(), "referrer": f.url() + "?q=" + f.word(), "search": "?page=2"}),
        ])


@run("mixpanel")
def mixpanel_calls(address: str) -> None:
    from mixpanel import Consumer, Mixpanel

    client = Mixpanel("token0123", consumer=Consumer(events_url=address + "/track", people_url=address + "/engage", groups_url=address + "/groups", import_url=address + "/import"))
    for _ in range(90):
        each([
            lambda: client.track(M.f.uuid4(), RNG.choice(EVENTS), properties()),
            lambda: client.people_set(M.f.uuid4(), {"$" + k: v for k, v in M.person().items()}),
            lambda: client.people_append(M.f.uuid4(), {"notes": M.text(1)}),
        ])


@run("amplitude-analytics")
def amplitude_calls(address: str) -> None:
    import time

    from amplitude import Amplitude, BaseEvent, EventOptions, Identify

    client = Amplitude("key")
    client.configuration.server_url, client.configuration.flush_queue_size = address + "/2/httpapi", 1
    for _ in range(120):
        client.track(BaseEvent(event_type=RNG.choice(EVENTS), user_id=M.f.email(), event_properties=properties(), ip=M.f.ipv4(), language="fr"))
        client.identify(Identify().set("name", M.f.name()), EventOptions(user_id=M.f.uuid4()))
    client.shutdown()
    time.sleep(4)  # its senders are threads that it does not wait for


def main() -> int:
    """Run the client that is named."""
    logging.disable(logging.CRITICAL)
    name, address = sys.argv[1:]
    for kind in ("work", "web"):
        importlib.import_module(f"package_corpus_client_runs_{kind}")
    RUNS[name](address)
    return 0


if __name__ == "__main__":
    # The others register in this very module.
    sys.modules["package_corpus_client_runs"] = sys.modules["__main__"]
    sys.exit(main())
