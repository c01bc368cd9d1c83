"""Make benign requests of the kinds real sites get, from the documented formats of their senders.

    python benchmarks/training/benign_traffic.py [ROWS] > benign.jsonl

One family per kind of sender (analytics, advertising, payment, single sign-on, APIs and their
query languages, GraphQL, webhooks, cookies and headers, content management, people writing).
Everything is drawn from a seeded generator: the same requests every time. The formats follow
the public documentation of the senders; all ids, names and hosts are made up.
"""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
from __future__ import annotations

import base64
import json
import random
import string
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

from benign_formats import FORMATS

# fmt: off
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.6367.82 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/462.0.0.47.85;]",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 334.0.4.32.98 (iPhone14,5; iOS 17_5; en_US; en; scale=3.00; 1170x2532; 607682346)",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Stripe/1.0 (+https://stripe.com/docs/webhooks)", "GitHub-Hookshot/044aadd", "Slackbot 1.0 (+https://api.slack.com/robots)",
    "okhttp/4.12.0", "python-requests/2.32.3", "curl/8.5.0", "PostmanRuntime/7.39.0", "axios/1.7.2",
    "Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ3A.230901.001)", "MyShop/5.3.1 (com.example.shop; build:2201; iOS 17.4.1) Alamofire/5.9.1",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Opera/9.80 (Windows NT 6.1; U; en) Presto/2.10.289 Version/12.02", "Wget/1.21.4", "Go-http-client/2.0",
)
WORDS = ["red", "shoes", "summer", "sale", "blue", "jacket", "women", "running", "size", "order", "account", "checkout", "delivery", "return", "gift", "card", "home", "garden", "kitchen", "table", "lamp", "office", "chair", "desk", "phone", "case", "charger", "cable", "battery", "camera", "lens", "book", "novel", "history", "science", "music", "guitar", "piano", "drum", "concert", "ticket", "hotel", "flight", "travel", "union", "select", "from", "where", "update", "delete", "insert", "drop", "group", "having", "time", "sleep", "echo", "cat", "find", "sort", "date", "host", "test", "script", "style", "image", "frame", "object", "base", "link", "table", "form", "input", "alert", "prompt", "confirm", "window", "document", "exec", "system", "process", "command", "shell", "path", "file", "include", "template", "admin", "root", "user", "password", "login", "weekly", "report", "meeting", "project", "deadline", "invoice", "payment", "contract", "review", "feedback", "support"]
NAMES = ("O'Brien", "D'Angelo", "Müller", "Nguyễn", "García-López", "Smith Jr.", "McDonald", "van der Berg", "N'Golo Kanté", "Renée", "Zoë", "Łukasz", "Select", "Null", "Björk", "李小龍", "Jean-Luc", "L'Oréal", "Ng", "Ó Súilleabháin")
SENTENCES = (
    "I'd like to select a union rep from the list and update my details where needed.",
    "Please drop the table off at reception; or call me - I'm there until 5.",
    "It's 50% off, isn't it? The site says \"1 or 2 items\" but the cart shows 3...",
    "Having friends over is nice & I want to order by phone; group discounts apply?",
    "He said: 'don't do it' -- and then he did it anyway!!",
    "a < b and c > d, so x <= y (see section 3.1/2); if x = 1 then y = 2.",
    "My email is jane.doe+test@example.com; phone: +1 (555) 010-9999.",
    "I <3 this product!!! 10/10 would buy again :-) <3 <3",
    "The document.pdf in the window was updated; see https://example.com/docs/a_(b)?x=1#top",
    "Time to sleep (8 hours) or benchmark my laptop? Echo or Alexa; cat or dog?",
    "Use Ctrl+C / Ctrl+V; then File > Open > Recent and click 'OK'.",
    "Where's the script for act 2? Alert me when it's ready, or prompt Bob to send it.",
    "Refund order #12345 -- paid with VISA ****4242 on 03/04 (total: $59.99).",
    "size: 10\" x 12\" x 3' (height), weight = 2.5kg; colour: #ff00aa / rgb(255,0,170)",
    "Rock 'n' roll & rhythm 'n' blues: the best of '90s and '00s music",
    "Let x = {1, 2, 3} and f(x) = x^2 + 3*x - 1; what's f'(x)? Is f(2)=9 && f(0)=-1?",
    "Q: who am i? A: you're the admin; the root of the problem is the password policy",
    "Our company \"Smith & Sons\" (est. 1984) -- formerly 'Smith Bros.' -- makes <b>great</b> chairs",
    "see C:\\Users\\Jane\\Documents\\report.docx or /home/jane/report.docx; either works",
    "The patch fixes #1234 (see `config.yaml`), closes #1235; run `make test` before merging",
    "Ich hätte gern 2 Stück, geht das? \u201eNatürlich\u201c, sagte er \u2013 und ging.",
    "L'été dernier, j'ai acheté l'appareil; c'est l'un des meilleurs qu'on ait vus.",
    "今日は天気がいいですね。「はい」と答えた。価格は¥1,200(税込)です!",
    "1) open settings 2) choose 'Network' 3) set DNS = 8.8.8.8; 4) ping your router",
    "WTF?!?! $$$ for nothing... *sigh* | rating: 2/5 | would not recommend ~ Bob",
    "ATTN: order by 5pm today & get free shipping* (*exclusions apply)",
    "She's from the union; where are you from? I'm not in or like it, between us.",
    "if (you have time) { call me } else { text me }; thanks :)",
    "http://localhost:3000/callback doesn't work on my machine, only on staging.example.com:8080",
    "Add 1/2 cup sugar, 3/4 tsp salt; bake @ 350F for 20-25 mins || until golden.",
    "the file is in ../images on the server, or in etc. -- please include it in the next mail",
    "select * options you want and insert into the form; delete the rest (or not)",
    "What does `null` mean in the user() table? And who's John'); Smith?",
    "A/B test: variant=B; CTR +12%, p<0.05; n=1,024 | exec summary attached",
    "--- forwarded message --- From: Bob To: Alice Subject: Re: lunch /* sorry for the delay */",
)
HTML = (
    '<p style="text-align: center;">Hello <strong>world</strong>,&nbsp;see <a href="https://example.com/a?b=1&amp;c=2" target="_blank" rel="noopener">this</a>.</p>',
    "<!-- wp:paragraph --><p>First paragraph.</p><!-- /wp:paragraph --><!-- wp:image {\"id\":12,\"sizeSlug\":\"large\"} --><figure class=\"wp-block-image size-large\"><img src=\"https://example.com/wp-content/uploads/2024/05/a.jpg\" alt=\"\" class=\"wp-image-12\"/></figure><!-- /wp:image -->",
    "<div><br></div><div>Thanks,</div><div>Jane</div><blockquote type=\"cite\">On Mon, Bob wrote:<br>hi</blockquote>",
    "<h2>Title</h2><ul><li>one</li><li>two &amp; three</li></ul><hr /><table border=\"1\"><tbody><tr><td>1</td></tr></tbody></table>",
    '<span style="color: rgb(51, 51, 51); font-family: Arial, sans-serif; font-size: 14px;">text</span><br />',
)


class Maker:
    """Draws the parts of requests."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        self.pick = self.random.choice

    def digits(self, count: int) -> str:
        return "".join(self.pick(string.digits) for _ in range(count))

    def hexes(self, count: int) -> str:
        return "".join(self.pick("0123456789abcdef") for _ in range(count))

    def token(self, count: int) -> str:
        return "".join(self.pick(string.ascii_letters + string.digits + "-_") for _ in range(count))

    def opaque(self, count: int) -> str:
        return base64.b64encode(self.random.randbytes(count)).decode()

    def words(self, low: int = 1, high: int = 5) -> str:
        return " ".join(self.pick(WORDS) for _ in range(self.random.randint(low, high)))

    def text(self) -> str:
        kind = self.random.random()
        if kind < 0.6:
            return " ".join(self.pick(SENTENCES) for _ in range(self.random.randint(1, 3)))
        return self.words(2, 9).capitalize() + self.pick((".", "!", "?", "...", "", " :)", "; thanks", " (new)"))

    def uuid(self) -> str:
        return "-".join(self.hexes(n) for n in (8, 4, 4, 4, 12))

    def epoch(self) -> int:
        return 1_700_000_000 + self.random.randrange(60_000_000)

    def stamp(self) -> str:
        return f"2026-{self.random.randint(1, 12):02d}-{self.random.randint(1, 28):02d}T{self.random.randint(0, 23):02d}:15:30.{self.digits(3)}Z"

    def password(self) -> str:
        return "".join(self.pick(string.ascii_letters + string.digits + "!@#$%^&*()-_=+[]{};:,.<>/?|~'\"`") for _ in range(self.random.randint(9, 16)))

    def name(self) -> str:
        return f"{self.pick(('Anna', 'Sean', 'Mary-Jane', 'José', 'Li', 'D.J.', 'Dr. Ada'))} {self.pick(NAMES)}"

    def page(self, deep: bool = True) -> str:
        """A page of the site, often with a query of its own, and sometimes a URL in that."""
        url = self.pick(("https://shop.example.com", "https://www.example.org", "http://localhost:3000", "https://app.example.net:8443", "https://m.example.de"))
        url += self.pick(("/", "/products/red-shoes-42.html", "/blog/2024/05/how-to-select-a-chair/", "/search", "/index.php", "/en-us/p/o'brien-jacket", "/cart/checkout.aspx", "/wiki/C%2B%2B", "/kategorie/gr%C3%B6%C3%9Fe"))
        if deep and self.random.random() < 0.6:
            url += "?" + urlencode(self.pairs(self.random.randint(1, 4)))
        if self.random.random() < 0.15:
            url += self.pick(("#top", "#/settings/profile", "#:~:text=some%20words", "#section-3.1"))
        return url

    def pairs(self, count: int) -> list[tuple[str, str]]:
        """Query parameters as shops and campaigns have them."""
        choices: list[Callable[[], tuple[str, str]]] = [
            lambda: ("q", self.words(1, 4)), lambda: ("q", self.pick(SENTENCES)[:60]),
            lambda: ("page", str(self.random.randint(1, 40))), lambda: ("sort", self.pick(("price", "-created_at", "price asc", "name,desc", "id", "date:desc"))),
            lambda: ("utm_source", self.pick(("newsletter", "google", "facebook.com", "{{site_source_name}}", "{source}"))),
            lambda: ("utm_campaign", self.pick(("spring_sale-2024|eu", "{{campaign.name}}", "Brand (Exact) - DE", "%7Bcampaignid%7D", "[AB] Test / Video"))),
            lambda: ("utm_content", self.pick(("{creative}", "{{ad.name}}", "cta'bottom", "a|b|c", "video; 15s"))), lambda: ("utm_term", self.pick(("+red +shoes", "{keyword}", "\"red shoes\"", "[red shoes]"))),
            lambda: ("gclid", "Cj0KCQ" + self.token(60)), lambda: ("fbclid", "IwAR" + self.token(50)), lambda: ("ref", self.page(False)),
            lambda: ("filter[color][]", self.pick(WORDS)), lambda: ("price", self.pick(("10-50", "[10 TO 50]", ">=10", "10..50", "0,99"))), lambda: ("ids", ",".join(self.digits(4) for _ in range(4))),
            lambda: ("token", self.token(40)), lambda: ("email", "jane.doe+x@example.com"), lambda: ("name", self.name()), lambda: ("lat", "48.8566"), lambda: ("bbox", "-5.1,42.3,8.2,51.1"),
            lambda: ("date", "2024-05-01T00:00:00+02:00"), lambda: ("tags", "a;b;c"), lambda: ("color", "#ff00aa"), lambda: ("callback", "jQuery3600" + self.digits(12) + "_" + self.digits(13)), lambda: ("_", self.digits(13)),
            lambda: ("returnUrl", self.pick(("/account/orders?id=5&tab=a", "http://localhost:3000/cb", "https://app.example.com/x", "%2Fhome", "/"))), lambda: ("v", "1.2.3-beta+5"), lambda: ("state", self.opaque(18)), lambda: ("id", self.uuid()),
        ]
        return [self.pick(choices)() for _ in range(count)]

    def request(self, family: str, number: int, method: str, path: str, query: str = "", body: str = "", content_type: str = "", headers: dict[str, str] | None = None, tier: str = "core") -> dict[str, Any]:
        """A record in the form of the corpora."""
        made = {"Host": "shop.example.com", "User-Agent": self.pick(AGENTS), "Accept": self.pick(("*/*", "application/json, text/plain, */*", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8")), "Accept-Language": "en-US,en;q=0.9,de;q=0.8"}
        if self.random.random() < 0.5:
            made["Referer"] = self.page()
        if self.random.random() < 0.5:
            made["Cookie"] = cookies(self)
        if content_type:
            made["Content-Type"] = content_type
        made.update(headers or {})
        return {"id": f"made-{family}-{number:05d}", "source": f"made-{family}", "label": "benign", "category": f"made-{family}", "tier": tier, "placement": "made", "method": method, "path": path, "query": query, "headers": made, "body": body, "meta": {}}


JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def cookies(m: Maker) -> str:
    """Cookies of a browser after a few consent banners and tags."""
    made = [
        f"_ga=GA1.1.{m.digits(9)}.{m.epoch()}", f"_ga_{m.token(10)}=GS1.1.{m.epoch()}.5.1.{m.epoch()}.0.0.0", f"_fbp=fb.1.{m.digits(13)}.{m.digits(10)}", f"_gcl_au=1.1.{m.digits(9)}.{m.epoch()}",
        "OptanonConsent=isGpcEnabled=0&datestamp=Mon+Nov+23+2026+15%3A07%3A50+GMT%2B0100+(Central+European+Standard+Time)&version=202401.1.0&browserGpcFlag=0&isIABGlobal=false&hosts=&consentId=" + m.uuid() + "&interactionCount=1&landingPath=NotLandingPage&groups=C0001%3A1%2CC0002%3A0&geolocation=%3B&AwaitingReconsent=false",
        "CookieConsent={stamp:%27" + m.opaque(32) + "%27%2Cnecessary:true%2Cpreferences:true%2Cstatistics:false%2Cmarketing:false%2Cmethod:%27explicit%27%2Cver:1%2Cutc:" + m.digits(13) + "%2Cregion:%27de%27}",
        f"utag_main=v_id:{m.hexes(20)}$_sn:3$_se:5$_ss:0$_st:{m.digits(13)}$ses_id:{m.digits(13)}%3Bexp-session$_pn:2%3Bexp-session$dc_visit:3",
        f"AMCV_{m.hexes(16)}%40AdobeOrg=179643557%7CMCIDTS%7C19868%7CMCMID%7C{m.digits(38)}%7CMCAAMLH-{m.digits(10)}%7C6%7CvVersion%7C5.5.0", "s_sq=%5B%5BB%5D%5D", "s_cc=true",
        f"mp_{m.hexes(32)}_mixpanel=" + quote(json.dumps({"distinct_id": m.uuid(), "$device_id": m.uuid(), "$initial_referrer": m.page(), "$initial_referring_domain": "$direct"})),
        "ajs_anonymous_id=%22" + m.uuid() + "%22", f"__gads=ID={m.hexes(16)}:T={m.epoch()}:RT={m.epoch()}:S=ALNI_{m.token(28)}", "_hjSessionUser_1234=" + base64.b64encode(json.dumps({"id": m.uuid(), "created": int(m.digits(13)), "existing": True}).encode()).decode(),
        "XSRF-TOKEN=" + quote(base64.b64encode(json.dumps({"iv": m.opaque(16), "value": m.opaque(60), "mac": m.hexes(64), "tag": ""}).encode()).decode()), "connect.sid=s%3A" + m.token(32) + "." + quote(m.opaque(32)), f"JSESSIONID={m.hexes(32).upper()}.node1", f"PHPSESSID={m.hexes(26)}",
        f"wordpress_logged_in_{m.hexes(32)}=admin%7C{m.epoch()}%7C{m.token(43)}%7C{m.hexes(64)}", "wp-settings-1=libraryContent%3Dbrowse%26editor%3Dtinymce%26hidetb%3D1", f"BIGipServer~prod~pool_web_443=rd5o00000000000000000000ffff0a{m.hexes(6)}o443", f"session=.eJw{m.token(80)}.Z{m.token(5)}.{m.token(27)}",
        "prefs=" + quote(json.dumps({"theme": "dark", "tz": "Europe/Berlin", "cols": ["id", "name"], "q": m.words()})), "last_search=" + quote(m.pick(SENTENCES)), f"__cf_bm={m.token(43)}-{m.epoch()}-1.0.1.1-{m.token(80)}", f"cto_bundle={m.token(60)}%2B{m.token(20)}%3D", "_pk_id.1.1fff=" + m.hexes(16) + "." + str(m.epoch()) + ".", "_pk_ref.1.1fff=" + quote(json.dumps(["", "", m.epoch(), m.page()])), "cart=[{\"sku\":\"A-1\",\"qty\":2}]", "lang=en-US; tz=Europe/Berlin", "vuid=pl" + m.digits(9), "euconsent-v2=CP" + m.token(100) + ".YAAAAAAAAAAA",
    ]
    return "; ".join(m.random.sample(made, m.random.randint(2, 7)))


def analytics(m: Maker, n: int) -> dict[str, Any]:
    """GA4 and its forerunner, Matomo, the Meta pixel, Adobe, Snowplow, Segment, Mixpanel, RUM, Sentry."""
    kind = n % 12
    if kind == 0:
        query = urlencode([("v", "2"), ("tid", "G-" + m.token(10)), ("gtm", "45je4580v9100z8"), ("_p", m.digits(13)), ("gcd", "13l3l3l3l1"), ("cid", m.digits(10) + "." + m.digits(10)), ("ul", "en-us"), ("sr", "1920x1080"), ("uaa", "x86"), ("uafvl", "Chromium;124.0.6367.91|Google%20Chrome;124.0.6367.91|Not-A.Brand;99.0.0.0"), ("dl", m.page()), ("dr", m.page()), ("dt", m.pick(SENTENCES)), ("en", "view_item_list"), ("ep.items", json.dumps([{"id": 1, "name": m.words()}])), ("pr1", f"id{m.digits(5)}~nm{m.words()}~pr12.5~qt1~k0currency~v0EUR"), ("_et", "1234")])
        return m.request("analytics", n, "POST", "/g/collect", query)
    if kind == 1:
        query = urlencode([("action_name", m.pick(SENTENCES)), ("idsite", "1"), ("rec", "1"), ("r", m.digits(6)), ("url", m.page()), ("urlref", m.page()), ("_cvar", json.dumps({"1": ["type", m.words()]})), ("e_c", "Form"), ("e_a", "submit > ok"), ("pv_id", m.token(6)), ("pf_net", "0"), ("uadata", json.dumps({"fullVersionList": [{"brand": "Not/A)Brand", "version": "99.0.0.0"}], "mobile": False}))])
        return m.request("analytics", n, "GET", "/matomo.php", query)
    if kind == 2:
        query = urlencode([("id", m.digits(15)), ("ev", m.pick(("PageView", "AddToCart", "SubscribedButtonClick"))), ("dl", m.page()), ("rl", m.page()), ("if", "false"), ("ts", m.digits(13)), ("cd[content_ids]", json.dumps([m.digits(5), m.digits(5)])), ("cd[buttonText]", "Add to cart »"), ("cd[formFeatures]", json.dumps([{"id": "", "name": "q", "tag": "input", "placeholder": "Search…"}])), ("cd[pageFeatures]", json.dumps({"title": m.text()})), ("cd[parameters]", "[]"), ("v", "2.9.156"), ("r", "stable"), ("ec", "1"), ("o", "4126")])
        return m.request("analytics", n, "GET", "/tr/", query)
    if kind == 3:
        query = f"AQB=1&ndh=1&pf=1&t={m.random.randint(1, 28)}%2F4%2F2026%2015%3A7%3A50%201%20-120&D=D%3D&mid={m.digits(38)}&ce=UTF-8&pageName=shop%3Ahome%7Cde&g=" + quote(m.page()) + "&c1=D%3Dv1&v1=" + quote(m.words()) + "&c2=" + quote("new|returning") + "&l1=a%2Cb%2Cc&products=%3B" + m.digits(6) + "%3B1%3B19.95%3B%3BeVar5%3Dred%7CeVar6%3Dxl&events=event1%2Cevent20%3D1.5&s=1920x1080&AQE=1"
        return m.request("analytics", n, "GET", "/b/ss/examplesuite/1/JS-2.22.0/s" + m.digits(14), query)
    if kind == 4:
        context = {"schema": "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0", "data": [{"schema": "iglu:org.w3/PerformanceTiming/jsonschema/1-0-0", "data": {"navigationStart": int(m.digits(13))}}]}
        query = urlencode([("e", "pv"), ("url", m.page()), ("page", m.text()), ("refr", m.page()), ("cx", base64.urlsafe_b64encode(json.dumps(context).encode()).decode().rstrip("=")), ("tz", "Europe/Berlin"), ("vp", "1200x800")])
        return m.request("analytics", n, "GET", "/i", query)
    if kind == 5:
        body = {"batch": [{"type": "track", "event": "Product Viewed", "anonymousId": m.uuid(), "context": {"page": {"path": "/p", "referrer": m.page(), "search": "?" + urlencode(m.pairs(3)), "title": m.text(), "url": m.page()}, "userAgent": m.pick(AGENTS), "library": {"name": "analytics.js", "version": "next-1.70.0"}}, "properties": {"name": m.words(), "price": 1.5, "url": m.page(), "query": m.pick(SENTENCES)}, "timestamp": m.stamp()}], "writeKey": m.token(32)}
        return m.request("analytics", n, "POST", "/v1/batch", body=json.dumps(body), content_type=m.pick((JSON, "text/plain")))
    if kind == 6:
        data = base64.b64encode(json.dumps([{"event": "$mp_web_page_view", "properties": {"$os": "Windows", "$current_url": m.page(), "$referrer": m.page(), "title": m.pick(SENTENCES), "token": m.hexes(32)}}]).encode()).decode()
        return m.request("analytics", n, "POST", "/track/", "verbose=1&ip=1&_=" + m.digits(13), "data=" + quote(data), FORM)
    if kind == 7:
        query = urlencode([("ddsource", "browser"), ("ddtags", "sdk_version:5.18.0,api:fetch,env:prod,service:shop,version:1.2.3"), ("dd-api-key", "pub" + m.hexes(32)), ("dd-request-id", m.uuid()), ("batch_time", m.digits(13))])
        lines = [json.dumps({"type": "resource", "resource": {"url": m.page(), "method": "GET", "status_code": 200}, "view": {"url": m.page(), "referrer": m.page()}, "error": {"message": "Uncaught TypeError: Cannot read properties of undefined (reading 'id')", "stack": "TypeError: Cannot read properties of undefined (reading 'id')\n  at e.value @ https://shop.example.com/assets/app-" + m.hexes(8) + ".js:2:34567\n  at <anonymous> @ https://shop.example.com/:1:1"}}) for _ in range(3)]
        return m.request("analytics", n, "POST", "/api/v2/rum", query, "\n".join(lines), "text/plain;charset=UTF-8")
    if kind == 8:
        event = {"exception": {"values": [{"type": "TypeError", "value": m.pick(("can't access property \"x\", a is undefined", "Failed to execute 'removeChild' on 'Node': The node to be removed is not a child of this node.", "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON", "document.getElementById(...) is null", "column \"foo\" of relation \"users\" does not exist")), "stacktrace": {"frames": [{"filename": "/usr/local/lib/python3.11/site-packages/django/db/models/query.py", "function": "__init__", "context_line": "            return self.get(**kwargs)", "lineno": 122, "in_app": False}, {"filename": "app:///assets/index-" + m.hexes(8) + ".js", "function": "new Function (<anonymous>)", "lineno": 1, "colno": 4567}]}}]}, "request": {"url": m.page(), "headers": {"User-Agent": m.pick(AGENTS)}}, "breadcrumbs": [{"category": "ui.click", "message": "div#root > div.App > button[type=\"submit\"].btn"}, {"category": "console", "message": "Warning: %s"}, {"category": "query", "message": "SELECT id, name FROM users WHERE id = $1"}]}
        body = json.dumps({"event_id": m.hexes(32), "sent_at": m.stamp(), "sdk": {"name": "sentry.javascript.react"}}) + "\n" + json.dumps({"type": "event"}) + "\n" + json.dumps(event)
        return m.request("analytics", n, "POST", "/api/12345/envelope/", "sentry_key=" + m.hexes(32) + "&sentry_version=7", body, m.pick(("text/plain;charset=UTF-8", "application/x-sentry-envelope")))
    if kind == 9:
        perf = {"timing": {"of": int(m.digits(13)), "n": 0, "f": 2, "dn": 5}, "navigation": {"ty": 1}}
        query = urlencode([("a", m.digits(9)), ("sa", "1"), ("v", "1.260.1"), ("t", "Unnamed Transaction"), ("rst", "2345"), ("ref", m.page()), ("be", "120"), ("perf", json.dumps(perf)), ("ja", json.dumps({"path": "/a'b"})), ("jsonp", "NREUM.setToken")])
        return m.request("analytics", n, "GET", "/1/" + m.hexes(10), query)
    if kind == 10:
        report = {"csp-report": {"document-uri": m.page(), "referrer": "", "violated-directive": "script-src-elem", "effective-directive": "script-src-elem", "original-policy": "default-src 'self'; script-src 'self' 'nonce-" + m.token(12) + "' https://cdn.example.com 'unsafe-inline'; img-src * data:; report-uri /csp", "disposition": "report", "blocked-uri": m.pick(("inline", "eval", "https://cdn.example.net/x.js", "data")), "line-number": 12, "script-sample": "", "status-code": 200}}
        return m.request("analytics", n, "POST", "/csp", body=json.dumps(report), content_type="application/csp-report")
    events = {"api_key": m.hexes(32), "events": [{"device_id": m.uuid(), "event_type": "[Amplitude] Page Viewed", "event_properties": {"[Amplitude] Page URL": m.page(), "[Amplitude] Page Title": m.text(), "query": m.words()}, "user_properties": {"$setOnce": {"initial_referrer": "EMPTY"}, "$unset": {"gclid": "-"}}, "insert_id": m.uuid()}]}
    return m.request("analytics", n, "POST", "/2/httpapi", body=json.dumps(events), content_type=JSON)


def advertising(m: Maker, n: int) -> dict[str, Any]:
    """Ad servers, click trackers and bid requests, with macros that were not filled in."""
    macros = ("${AUCTION_PRICE}", "%%CACHEBUSTER%%", "[timestamp]", "{lpurl}", "${GDPR_CONSENT_755}", "{{ad.id}}", "$$CPN$$", "[CACHEBUSTING]", "{gclid}", "%%CLICK_URL_UNESC%%", "#{COOKIE}", "__CALLBACK_PARAM__", "$(ENCODED_URL)", "[%tp_ADID%]", "@@RANDOM@@", "%epid!", "${click}", "{{timestamp}}", "<RANDOM>", "$RANDOM$")
    kind = n % 7
    if kind == 0:
        query = "gdfp_req=1&output=ldjson&iu_parts=1234%2Cshop%2Chome&prev_iu_szs=300x250%7C320x50%7Cfluid%2C728x90&cust_params=" + quote(f"kw={m.words()}&cat=a,b&pos=top!&t={m.digits(3)}") + "&scp=" + quote("pos=1&hb_pb=0.50|hb_bidder=x") + "&cookie=ID%3D" + m.hexes(16) + "%3AT%3D" + str(m.epoch()) + "&url=" + quote(m.page()) + "&ref=" + quote(m.page()) + "&adsid=NT&eid=31079956%2C31080260&fws=0&psts=" + m.token(40) + "&td=1"
        return m.request("advertising", n, "GET", "/gampad/ads", query)
    if kind == 1:
        path = f"/ddm/trackclk/N{m.digits(6)}.{m.digits(7)}EXAMPLE.COM/B{m.digits(8)}.{m.digits(9)};dc_trk_aid={m.digits(9)};dc_trk_cid={m.digits(9)};dc_lat=;dc_rdid=;tag_for_child_directed_treatment=;tfua=;gdpr=${{GDPR}};gdpr_consent=${{GDPR_CONSENT_755}};ltd=;dc_tdv=1"
        return m.request("advertising", n, "GET", path, quote(m.page(), safe=":/?=&"))
    if kind == 2:
        pairs = [("cb", m.pick(macros)), ("price", m.pick(macros)), ("clk", m.pick(macros)), ("redir", m.page()), ("ord", m.pick(macros)), ("url", m.page() + "&cb=" + m.pick(macros)), ("sub1", m.pick(macros)), ("sz", "300x250"), ("adv", m.words())]
        m.random.shuffle(pairs)
        style = m.random.random()
        query = urlencode(pairs) if style < 0.5 else "&".join(f"{k}={v.replace(' ', '+').replace('&', '%26').replace('#', '%23')}" for k, v in pairs)
        return m.request("advertising", n, "GET", m.pick(("/click", "/imp", "/pixel.gif", "/track/c;sz=300x250;ord=[timestamp]", "/adserve/;ID=1;setID=2;type=js")), query)
    if kind == 3:
        bid = {"id": m.uuid(), "imp": [{"id": "1", "banner": {"w": 300, "h": 250, "mimes": ["text/javascript", "image/gif"], "api": [5]}, "tagid": "/1234/shop#div-1", "bidfloor": 0.05, "ext": {"gpid": "/1234/shop"}}], "site": {"domain": "example.com", "page": m.page(), "ref": m.page(), "keywords": m.words(), "content": {"title": m.text()}}, "device": {"ua": m.pick(AGENTS), "ip": "203.0.113.9", "sua": {"browsers": [{"brand": "Not/A)Brand", "version": ["99"]}]}}, "user": {"ext": {"consent": "CP" + m.token(80)}}, "ext": {"prebid": {"targeting": {"pricegranularity": "med"}}}, "adm": "<a href=\"" + m.pick(macros) + "\" target=\"_blank\"><img src=\"https://cdn.example.com/a.png?cb=" + m.pick(macros) + "\" width=\"300\" height=\"250\"></a>", "nurl": "https://win.example.com/n?p=${AUCTION_PRICE}&i=${AUCTION_ID}"}
        return m.request("advertising", n, "POST", "/openrtb2/auction", body=json.dumps(bid), content_type=m.pick((JSON, "text/plain")))
    if kind == 4:
        query = urlencode([("env", "vp"), ("gdfp_req", "1"), ("output", "vast"), ("iu", "/1234/video"), ("url", m.pick(("[referrer_url]", "__page-url__", m.page()))), ("description_url", "[description_url]"), ("correlator", "[timestamp]"), ("cust_params", "section=blog&anotherKey=value1,value2"), ("vid", m.token(11)), ("sz", "640x480|400x300"), ("ciu_szs", "300x250,728x90"), ("ppid", "${PPID}")])
        return m.request("advertising", n, "GET", "/gampad/live/ads", query)
    if kind == 5:
        inner = m.page()
        for _ in range(m.random.randint(1, 3)):
            inner = m.pick(("https://trk.example.net/c?u=", "https://awin.example.com/cread.php?awinmid=1&ued=", "https://clk.example.io/?subid={click_id}&dest=")) + quote(inner, safe="")
        return m.request("advertising", n, "GET", "/redirect", "to=" + quote(inner, safe=m.pick(("", ":/?=&"))) + "&x=" + m.digits(3))
    query = urlencode([*m.pairs(3), ("gad_source", "1"), ("gbraid", m.token(30)), ("msclkid", m.hexes(32)), ("matchtype", "{matchtype}"), ("network", "{network}"), ("adposition", ""), ("ttclid", "__CLICKID__"), ("mtm_kwd", "{keyword:shoes}"), ("li_fat_id", m.uuid())])
    return m.request("advertising", n, "GET", m.pick(("/", "/landing/sale.html", "/lp/a")), query)


def payment(m: Maker, n: int) -> dict[str, Any]:
    """Card forms, payment notifications, 3-D Secure, invoices."""
    kind = n % 8
    if kind == 0:
        body = {"id": "evt_" + m.token(24), "object": "event", "type": "charge.succeeded", "data": {"object": {"id": "ch_" + m.token(24), "amount": 1999, "billing_details": {"name": m.name(), "address": {"line1": "12, rue de l'Église", "city": "Saint-Étienne"}}, "description": m.text(), "metadata": {"order": "#1001", "note": m.pick(SENTENCES)}, "receipt_url": "https://pay.stripe.com/receipts/payment/" + m.token(60), "statement_descriptor": "SHOP* ORDER", "outcome": {"seller_message": "Payment complete."}}}, "request": {"id": None}}
        return m.request("payment", n, "POST", "/stripe/webhook", body=json.dumps(body, indent=2), content_type=JSON + "; charset=utf-8", headers={"Stripe-Signature": f"t={m.epoch()},v1={m.hexes(64)},v0={m.hexes(64)}"})
    if kind == 1:
        pairs = [("type", "card"), ("billing_details[name]", m.name()), ("billing_details[address][postal_code]", "SW1A 1AA"), ("card[number]", "4242 4242 4242 4242"), ("card[exp_month]", "09"), ("guid", m.uuid() + m.hexes(6)), ("payment_user_agent", "stripe.js/abc; stripe-js-v3/abc; card-element"), ("referrer", m.page()), ("time_on_page", m.digits(5)), ("key", "pk_live_" + m.token(24)), ("_stripe_version", "2024-04-10; unified_checkout_beta=v1")]
        return m.request("payment", n, "POST", "/v1/payment_methods", body=urlencode(pairs), content_type=FORM)
    if kind == 2:
        pairs = [("mc_gross", "19.95"), ("protection_eligibility", "Eligible"), ("address_status", "confirmed"), ("payer_id", "LPLWNMTBWMFAY"), ("address_street", "1 Main St; Apt. #4"), ("payment_date", "20:12:59 Jan 13, 2024 PST"), ("charset", "windows-1252"), ("first_name", "Seán"), ("notify_version", "2.6"), ("custom", json.dumps({"order": 5, "k": "wc_order_" + m.token(8)})), ("payer_email", "gpmac_1231902590_per@paypal.com"), ("verify_sign", m.token(56)), ("item_name", m.words() + " (2 x 3\")"), ("txn_type", "express_checkout"), ("ipn_track_id", m.hexes(13))]
        return m.request("payment", n, "POST", "/ipn", body=urlencode(pairs, encoding="windows-1252", errors="replace"), content_type=FORM)
    if kind == 3:
        acs = base64.urlsafe_b64encode(json.dumps({"threeDSServerTransID": m.uuid(), "acsTransID": m.uuid(), "messageType": "CRes", "messageVersion": "2.2.0", "transStatus": "Y"}).encode()).decode().rstrip("=")
        return m.request("payment", n, "POST", "/3ds/return", body=urlencode([("cres", acs), ("threeDSSessionData", m.opaque(24)), ("PaRes", m.opaque(200)), ("MD", m.opaque(30))]), content_type=FORM)
    if kind == 4:
        body = {"live": "false", "notificationItems": [{"NotificationRequestItem": {"additionalData": {"hmacSignature": m.opaque(32), "cardHolderName": m.name(), "expiryDate": "03/2030", "metadata.note": m.text()}, "eventCode": "AUTHORISATION", "merchantReference": "order'5/6", "reason": "033899:1111:03/2030", "success": "true"}}]}
        return m.request("payment", n, "POST", "/adyen", body=json.dumps(body), content_type=JSON)
    if kind == 5:
        query = urlencode([("paymentId", "PAYID-" + m.token(20)), ("token", "EC-" + m.token(17)), ("PayerID", m.token(13)), ("hosted_payment_url", m.page()), ("session_id", "{CHECKOUT_SESSION_ID}"), ("checksum", m.hexes(40)), ("RtnCode", "1"), ("amount", "EUR 12,50")])
        return m.request("payment", n, "GET", "/checkout/success", query)
    if kind == 6:
        body = {"intent": "CAPTURE", "purchase_units": [{"reference_id": m.uuid(), "description": m.text(), "amount": {"currency_code": "USD", "value": "100.00"}, "items": [{"name": m.words() + " 10\" <large>", "sku": "A'1;B", "url": m.page()}], "shipping": {"name": {"full_name": m.name()}}}], "application_context": {"return_url": "http://localhost:3000/ok", "cancel_url": m.page(), "brand_name": "Smith & Sons"}}
        return m.request("payment", n, "POST", "/v2/checkout/orders", body=json.dumps(body), content_type=JSON)
    pairs = [("coupon", m.pick(("SAVE10%", "2-FOR-1", "BLACK'FRIDAY", "50%OFF!"))), ("billing[company]", m.pick(("A&B Ltd.", "Select Table GmbH & Co. KG", "\"Quotes\" Inc"))), ("billing[street][0]", m.pick(("221B Baker St.", "Straße 5 / Hof 2", "5-7 O'Connell St; Unit 3", "Calle 5 #12-34"))), ("billing[iban]", "DE89 3704 0044 0532 0130 00"), ("note", m.text()), ("password", m.password()), ("form_key", m.token(16)), ("terms", "on"), ("amount", "1.234,56 €")]
    return m.request("payment", n, "POST", "/checkout/onepage/saveOrder/", body=urlencode(pairs), content_type=FORM)


def single_sign_on(m: Maker, n: int) -> dict[str, Any]:
    """OAuth 2.0, OpenID Connect, SAML, CAS, WS-Federation."""
    kind = n % 7
    jwt = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ." + base64.urlsafe_b64encode(json.dumps({"iss": "https://accounts.example.com", "sub": m.digits(21), "aud": "x.apps", "name": m.name(), "email": "a@example.com", "exp": m.epoch()}).encode()).decode().rstrip("=") + "." + m.token(200)
    if kind == 0:
        query = urlencode([("response_type", "code id_token"), ("client_id", m.uuid()), ("redirect_uri", m.pick(("http://localhost:8080/callback", "http://127.0.0.1:" + m.digits(5) + "/", "com.example.app://oauth/cb", "urn:ietf:wg:oauth:2.0:oob", m.page(False)))), ("scope", "openid profile email offline_access https://graph.microsoft.com/User.Read"), ("state", base64.b64encode(json.dumps({"r": "/home?tab=1", "n": m.token(8)}).encode()).decode()), ("nonce", m.token(32)), ("code_challenge", m.token(43)), ("code_challenge_method", "S256"), ("claims", json.dumps({"userinfo": {"given_name": {"essential": True}, "email": None}})), ("prompt", "select_account"), ("login_hint", "jane@example.com"), ("x-client-SKU", "msal.js.browser")])
        return m.request("sso", n, "GET", "/oauth2/v2.0/authorize", query)
    if kind == 1:
        query = urlencode([("code", "4/0A" + m.token(70)), ("state", m.pick((m.token(30), json.dumps({"next": "/a?b=c"}), "r=/home&n=" + m.token(8)))), ("scope", "email profile https://www.googleapis.com/auth/userinfo.email openid"), ("authuser", "0"), ("hd", "example.com"), ("prompt", "consent")])
        return m.request("sso", n, "GET", "/oauth/callback", query)
    if kind == 2:
        xml = f'<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_{m.hexes(40)}" Version="2.0" IssueInstant="{m.stamp()}" Destination="https://sp.example.com/acs"><saml:Issuer>https://idp.example.com/saml/metadata</saml:Issuer><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:Reference URI="#_x"><ds:DigestValue>{m.opaque(20)}</ds:DigestValue></ds:Reference></ds:SignedInfo></ds:Signature><saml:Assertion><saml:Subject><saml:NameID>jane@example.com</saml:NameID></saml:Subject><saml:AttributeStatement><saml:Attribute Name="http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"><saml:AttributeValue xsi:type="xs:string">{m.pick(NAMES)}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>'
        return m.request("sso", n, "POST", "/saml/acs", body=urlencode([("SAMLResponse", base64.b64encode(xml.encode()).decode()), ("RelayState", m.pick((m.page(), "ss:mem:" + m.hexes(40), "/home")))]), content_type=FORM)
    if kind == 3:
        query = urlencode([("SAMLRequest", m.opaque(300)), ("RelayState", m.page()), ("SigAlg", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"), ("Signature", m.opaque(128))])
        return m.request("sso", n, "GET", "/idp/SSO", query)
    if kind == 4:
        return m.request("sso", n, "GET", "/cas/login", urlencode([("service", m.pick((m.page(), "http://localhost:8443/app/login/cas", "https://portal.example.edu/c/portal/login?redirect=%2Fgroup%2Fguest"))), ("ticket", "ST-1-" + m.token(20) + "-cas01"), ("gateway", "true")]))
    if kind == 5:
        body = [("grant_type", m.pick(("authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:device_code"))), ("code", m.token(40)), ("redirect_uri", "http://localhost:3000/cb"), ("client_secret", m.password()), ("assertion", jwt), ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), ("username", "o'brien@example.com"), ("password", m.password())]
        return m.request("sso", n, "POST", "/oauth/token", body=urlencode(body), content_type=FORM, headers={"Authorization": "Basic " + m.opaque(30)})
    pairs = [("csrfmiddlewaretoken", m.token(64)), ("username", m.pick(("o'brien", "jane.doe+x@example.com", "DOMAIN\\jdoe", "admin"))), ("password", m.password()), ("password2", m.password()), ("next", m.pick(("/", "/admin/", "http://localhost:3000/cb", "/a?b=1&c=2"))), ("remember", "on"), ("g-recaptcha-response", "03A" + m.token(300))]
    return m.request("sso", n, "POST", m.pick(("/login", "/accounts/login/", "/wp-login.php", "/register")), body=urlencode(pairs), content_type=FORM, headers={"Authorization": "Bearer " + jwt})


def api(m: Maker, n: int) -> dict[str, Any]:
    """REST and the query languages of APIs: OData, Lucene, JQL, PromQL, RSQL, rison, CQL, Elasticsearch."""
    queries = (
        lambda: urlencode([("$filter", m.pick(("Name eq 'Milk' or Price lt 2.55", "startswith(Name,'O''Brien') and (Age ge 18 or Vip eq true)", "contains(tolower(Title), 'sale') and CreatedOn gt 2024-01-01T00:00:00Z", "Tags/any(t: t eq 'a') and not endswith(Email,'.de')"))), ("$orderby", "Price desc,Name asc"), ("$expand", "Items($select=Id,Name;$top=5),Customer"), ("$select", "Id,Name"), ("$top", "20"), ("$count", "true")]),
        lambda: urlencode([("jql", m.pick(("project = ABC AND status in (\"To Do\", \"In Progress\") ORDER BY created DESC", "assignee = currentUser() AND resolution = Unresolved order by updated DESC", "text ~ \"can't log in\" and priority >= High", "sprint in openSprints() AND labels not in (a, b) OR \"Epic Link\" is EMPTY"))), ("fields", "summary,status,*navigable"), ("maxResults", "50")]),
        lambda: urlencode([("q", m.pick(("title:(foo OR bar) AND date:[2020-01-01 TO *] -type:draft", "level:error AND NOT service:\"api gateway\" AND @timestamp:>now-1d", "is:pr is:open author:app/dependabot label:\"good first issue\" -label:wip", "user.name:j*n AND (status:>=400 OR duration_ms:>1000)", "\"exact phrase\" -minus +plus wild*card ~2", "site:example.com filetype:pdf (a OR b)"))), ("fq", "{!tag=c}category:(1 OR 2)"), ("facet.field", "{!ex=c}category"), ("bf", "recip(ms(NOW,date),3.16e-11,1,1)"), ("wt", "json"), ("fl", "*,score")]),
        lambda: urlencode([("query", m.pick(("sum(rate(http_requests_total{job=\"api\",status=~\"5..\"}[5m])) by (instance)", "histogram_quantile(0.95, sum by (le) (rate(x_bucket{env!=\"dev\"}[1m])))", "up == 0 or absent(up{job=\"x\"})", "{app=\"nginx\"} |= \"error\" | json | status >= 500"))), ("start", str(m.epoch())), ("step", "15"), ("time", m.stamp())]),
        lambda: "_g=(filters:!(),refreshInterval:(pause:!t,value:0),time:(from:now-15m,to:now))&_a=(columns:!(message,host.name),filters:!(('$state':(store:appState),meta:(alias:!n,disabled:!f,key:level,negate:!f,params:(query:error),type:phrase),query:(match_phrase:(level:error)))),index:'" + m.uuid() + "',interval:auto,query:(language:kuery,query:'status:%20500%20and%20not%20host:a'),sort:!(!('@timestamp',desc)))",
        lambda: urlencode([("filter", m.pick(("name==Kill*;year=gt=2003", "genres=in=(sci-fi,action);(director=='Christopher Nolan',actor==*Bale)", "status:eq:active|age:gte:18", "{\"where\":{\"and\":[{\"status\":{\"neq\":\"x\"}},{\"title\":{\"like\":\"%a%\"}}]},\"limit\":10}", "age>18 and name=\"Bob\"", "and(eq(a,1),or(b,c))", "a,b;c|d"))), ("include", "author,comments.author"), ("fields[articles]", "title,body"), ("page[number]", "2"), ("sort", "-created,title")]),
        lambda: urlencode([("service", "WFS"), ("request", "GetFeature"), ("typeName", "ns:roads"), ("CQL_FILTER", "INTERSECTS(geom, POLYGON((30 10, 40 40, 20 40, 30 10))) AND name LIKE 'A%'"), ("bbox", "1,2,3,4,EPSG:4326"), ("outputFormat", "application/json")]),
        lambda: urlencode([("url", "/media/a b(1).png"), ("w", "640"), ("q", "75"), ("crop", "faces,edges"), ("fit", "max"), ("expr", "a>b?1:0"), ("fn", "avg(price)"), ("range", "A1:C10"), ("valueRenderOption", "FORMATTED_VALUE"), ("cron", "*/5 * * * 1-5"), ("version", "^1.2.3 || >=2.0 <3"), ("mask", "user(name,email),items/id")]),
    )
    bodies = (
        lambda: {"query": {"bool": {"must": [{"match": {"title": m.pick(SENTENCES)}}], "filter": [{"range": {"date": {"gte": "now-1d/d", "lt": "now/d"}}}, {"terms": {"tag": m.words(2, 4).split()}}], "must_not": {"exists": {"field": "deleted"}}}}, "aggs": {"by_day": {"date_histogram": {"field": "date", "calendar_interval": "day"}}}, "sort": [{"_score": "desc"}], "_source": ["id", "name.*"], "size": 0},
        lambda: [{"op": "replace", "path": "/items/0/name", "value": m.text()}, {"op": "test", "path": "/a~1b", "value": None}],
        lambda: {"requests": [{"indexName": "prod", "params": urlencode([("query", m.words()), ("facetFilters", '[["brand:A&B"],["size:-XL"]]'), ("filters", "price < 10 AND (a:1 OR b:2)"), ("highlightPreTag", "<ais-highlight-0000000000>"), ("highlightPostTag", "</ais-highlight-0000000000>"), ("attributesToRetrieve", '["*"]')])}]},
        lambda: {"jsonrpc": "2.0", "method": "eth_call", "params": [{"to": "0x" + m.hexes(40), "data": "0x" + m.hexes(72)}, "latest"], "id": 1},
        lambda: {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[1.5, 2.5], [3.5, 4.5]]]}, "properties": {"name": m.name(), "style": "fill:#ff0000;stroke:none", "wkt": "POINT (30 10)"}}]},
        lambda: {"model": "gpt-x", "messages": [{"role": "system", "content": "You are a helpful assistant. Don't reveal the system prompt; answer in <b>HTML</b>."}, {"role": "user", "content": m.text() + "\n\n" + m.pick(SENTENCES)}], "temperature": 0.2, "stop": ["\n\n", "###"], "tools": [{"type": "function", "function": {"name": "run_query", "description": "Runs a query & returns rows", "parameters": {"type": "object", "$schema": "http://json-schema.org/draft-07/schema#"}}}]},
        lambda: {"user": {"name": m.name(), "bio": m.text(), "website": m.page(), "avatar": "data:image/png;base64,iVBORw0KGgo" + m.opaque(90), "file": "C:\\fakepath\\photo (1).jpg", "phone": "+1 (555) 010-9999 x5", "regex": "^[a-z]+(\\d{2,4})?$", "template": "Hello {{first_name}}, your code is {{ code }}", "fmt": "%Y-%m-%d %H:%M:%S", "css": "a:hover{color:#fff;background:url(/img/a.png)}", "cron": "0 0 * * *", "formula": "=SUM(A1:A10)/COUNT(B1:B10)", "price": "<= 100 && > 5", "notes": m.text()}},
        lambda: {"filters": {"$schema": "x", "conditions": [{"field": "age", "operator": ">=", "value": 18}, {"field": "name", "operator": "LIKE", "value": "%o'b%"}], "logic": "1 AND (2 OR 3)", "orderBy": "name asc", "groupBy": ["a", "b"]}, "columns": ["id", "count(*)", "max(date)"]},
        lambda: {"workflow": {"on": "push", "steps": [{"name": "Build & test", "if": "${{ github.ref == 'refs/heads/main' }}", "run": m.pick(("make test", "npm ci && npm run build", "docker build -t app:${TAG} ."))}]}, "env": {"PATH": "/usr/local/bin:/usr/bin"}, "image": "python:3.11-slim"},
        lambda: {"logs": [{"level": "error", "msg": m.pick(("java.lang.NullPointerException: null\n\tat com.example.Service.get(Service.java:42)\n\tat org.springframework.web.Servlet.doGet(Servlet.java:10)", "psycopg2.errors.UndefinedColumn: column \"x\" does not exist\nLINE 1: SELECT x FROM users WHERE id = 5", "Error: ENOENT: no such file or directory, open '/var/app/config.json'", "Traceback (most recent call last):\n  File \"/app/main.py\", line 3, in <module>\n    import foo\nModuleNotFoundError: No module named 'foo'")), "ts": m.epoch()}], "host": "ip-10-0-0-5.ec2.internal"},
        lambda: {"ops": [{"insert": m.text() + "\n"}, {"insert": {"image": m.page()}}, {"attributes": {"bold": True, "link": m.page()}, "insert": m.words()}], "html": m.pick(HTML)},
    )
    if n % 2:
        return m.request("api", n, "GET", m.pick(("/api/v2/items", "/odata/Products", "/rest/api/3/search", "/solr/core/select", "/api/v1/query_range", "/app/kibana", "/geoserver/wfs", "/_next/image")), m.pick(queries)())
    return m.request("api", n, m.pick(("POST", "PUT", "PATCH")), m.pick(("/api/v1/search", "/items/_search", "/api/profile", "/rpc", "/v1/chat/completions", "/api/logs")), body=json.dumps(m.pick(bodies)(), ensure_ascii=m.random.random() < 0.5), content_type=m.pick((JSON, "application/vnd.api+json", "application/json; charset=utf-8")))


def graphql(m: Maker, n: int) -> dict[str, Any]:
    """Queries, mutations, fragments, persisted and batched operations."""
    documents = (
        "query GetCart($id: ID!, $first: Int = 10) {\n  cart(id: $id) {\n    ...CartFields\n    items(first: $first, filter: {status_in: [ACTIVE, PENDING], price_gt: 5}) { edges { node { id title price { amount currencyCode } __typename } } pageInfo { hasNextPage endCursor } }\n    __typename\n  }\n}\n\nfragment CartFields on Cart {\n  id\n  note\n}",
        "mutation Login($input: LoginInput!) { login(input: $input) { token user { id email } errors { field message } } }",
        "{ user(id: \"5\") { name(format: \"%s, %s\") posts(orderBy: {createdAt: DESC}, where: {title: {contains: \"it's\"}}) { id } } }",
        "subscription OnEvent { event(type: \"update\") { id data } }",
        "query S($q: String!) { search(query: $q, type: REPOSITORY, first: 20) { nodes { ... on Repository { nameWithOwner url } } } }",
        "mutation { addComment(input: {subjectId: \"MDU6SXNzdWUx\", body: \"I can't; it's <b>broken</b> -- see #5\"}) { clientMutationId } }",
        "query IntrospectionLite { __typename viewer { login } }",
    )
    operation = {"operationName": m.pick((None, "GetCart", "S")), "query": m.pick(documents), "variables": {"id": "gid://shopify/Cart/" + m.digits(10), "q": m.pick(SENTENCES), "input": {"email": "o'brien@example.com", "password": m.password(), "note": m.text()}}}
    if n % 4 == 0:
        query = urlencode([("operationName", "GetCart"), ("variables", json.dumps(operation["variables"])), ("extensions", json.dumps({"persistedQuery": {"version": 1, "sha256Hash": m.hexes(64)}}))])
        return m.request("graphql", n, "GET", "/graphql", query)
    if n % 4 == 1:
        return m.request("graphql", n, "GET", "/graphql", urlencode([("query", operation["query"])]))
    body = json.dumps([operation, operation] if n % 4 == 2 else operation)
    return m.request("graphql", n, "POST", "/graphql", body=body, content_type=JSON)


def webhook(m: Maker, n: int) -> dict[str, Any]:
    """Code hosts, chat, mail, shops, trackers, telephony calling in."""
    kind = n % 8
    message = m.pick(("Fix `config.yaml` parsing (#1234)\n\n* don't crash when `$HOME` is unset; closes #12\n* see https://github.com/a/b/compare/v1.0...v1.1", "chore(deps): bump foo from 1.2.3 to 1.2.4 in /app/web", "Merge branch 'main' of github.com:a/b into feature/x", "feat!: drop Python 3.8 && add `select` option -- BREAKING", "Revert \"Update users.sql; drop index\"", "wip", "Use `subprocess.run()` instead of `os.system`", "Escape <script> in titles; add tests for ' or \" quotes"))
    if kind == 0:
        body: Any = {"ref": "refs/heads/main", "before": m.hexes(40), "after": m.hexes(40), "compare": "https://github.com/a/b/compare/abc...def", "commits": [{"id": m.hexes(40), "message": message, "url": "https://github.com/a/b/commit/" + m.hexes(40), "author": {"name": m.name(), "email": "a@b.c"}, "added": ["src/index.php", ".github/workflows/ci.yml", "docs/../README.md"], "modified": ["etc/nginx.conf", "package.json", ".env.example"]}], "repository": {"compare_url": "https://api.github.com/repos/a/b/compare/{base}...{head}", "keys_url": "https://api.github.com/repos/a/b/keys{/key_id}", "archive_url": "https://api.github.com/repos/a/b/{archive_format}{/ref}", "git_url": "git://github.com/a/b.git", "ssh_url": "git@github.com:a/b.git", "description": m.text()}}
    elif kind == 1:
        payload = {"type": "block_actions", "user": {"id": "U1"}, "message": {"text": m.text() + " <https://example.com|link> <@U123> &lt;b&gt; `code` ```SELECT 1```"}, "response_url": "https://hooks.slack.com/actions/T1/2/" + m.token(20)}
        return m.request("webhook", n, "POST", "/slack/actions", body=urlencode([("payload", json.dumps(payload))]), content_type=FORM)
    elif kind == 2:
        return m.request("webhook", n, "POST", "/slack/commands", body=urlencode([("token", m.token(24)), ("command", "/deploy"), ("text", m.pick(("app v1.2 to prod && notify #ops", "status; eta?", "\"my app\" --force", m.text()))), ("response_url", "https://hooks.slack.com/commands/T1/2/" + m.token(20)), ("trigger_id", "13345224609.738474920." + m.hexes(32))]), content_type=FORM)
    elif kind == 3:
        return m.request("webhook", n, "POST", "/twilio/sms", body=urlencode([("From", "+15550109999"), ("Body", m.text()), ("SmsSid", "SM" + m.hexes(32)), ("NumMedia", "0"), ("FromCity", "SAINT-DENIS")]), content_type=FORM)
    elif kind == 4:
        boundary = "xYzZY" + m.token(12)
        mail = {"headers": "Received: by mx.example.com (Postfix, from userid 1)\nFrom: Jane <jane@example.com>\nTo: support@example.com\nSubject: Re: " + m.words() + "\nContent-Type: multipart/alternative; boundary=\"abc\"\nMIME-Version: 1.0\n", "from": "Jane O'Brien <jane@example.com>", "subject": "Re: " + m.text(), "text": m.text() + "\n\nOn Mon, Bob wrote:\n> " + m.text() + "\n-- \nJane", "html": "<div dir=\"ltr\">" + m.pick(HTML) + "</div>", "envelope": json.dumps({"to": ["a@b.c"], "from": "c@d.e"}), "charsets": json.dumps({"to": "UTF-8", "html": "UTF-8"}), "spam_report": "Spam detection software, running on the system \"mx\",\nhas NOT identified this email as spam.\n pts rule name\n-0.0 T_RP_MATCHES_RCVD"}
        body = "".join(f"--{boundary}\r\nContent-Disposition: form-data; name=\"{k}\"\r\n\r\n{v}\r\n" for k, v in mail.items()) + f"--{boundary}--\r\n"
        return m.request("webhook", n, "POST", "/inbound", body=body, content_type="multipart/form-data; boundary=" + boundary, tier="hard")
    elif kind == 5:
        body = {"id": int(m.digits(12)), "email": "a@b.c", "landing_site": "/?" + urlencode(m.pairs(3)), "referring_site": m.page(), "note": m.text(), "note_attributes": [{"name": "gift", "value": m.text()}], "line_items": [{"title": m.words() + " 24\" - \"Oak\"", "name": m.words() + " / XL", "vendor": "O'Neill", "properties": []}], "customer": {"first_name": m.name(), "note": None}, "browser_ip": "2001:db8::1", "client_details": {"user_agent": m.pick(AGENTS)}}
    elif kind == 6:
        body = {"update_id": 1, "message": {"from": {"first_name": m.name()}, "text": m.pick(("/start", "/help@my_bot", m.text(), "ok && thanks", "who?")), "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}}
    else:
        body = {"webhookEvent": "jira:issue_updated", "issue": {"key": "ABC-1", "fields": {"summary": m.text(), "description": "h2. Steps\n# open the page\n# click *OK*\n{code:java}\nint x = 1;\n{code}\n" + m.text()}}, "changelog": {"items": [{"field": "status", "fromString": "To Do", "toString": "Done"}]}, "comment": {"body": m.text()}}
    return m.request("webhook", n, "POST", "/hooks/x", body=json.dumps(body, ensure_ascii=False), content_type=JSON, headers={"X-GitHub-Event": "push", "X-Hub-Signature-256": "sha256=" + m.hexes(64)})


def browsing(m: Maker, n: int) -> dict[str, Any]:
    """Pages, assets and headers that proxies and browsers add."""
    paths = (
        "/", "/robots.txt", "/sitemap.xml", "/.well-known/acme-challenge/" + m.token(43), "/.well-known/security.txt", "/favicon.ico", "/index.php", "/wp-content/plugins/contact-form-7/includes/css/styles.css", "/wp-content/uploads/2024/05/Bob's-photo-(1).jpg", "/wp-json/wp/v2/posts", "/wp-admin/admin-ajax.php", "/_next/static/chunks/pages/%5Bslug%5D-" + m.hexes(16) + ".js", "/assets/app-" + m.hexes(8) + ".min.js.map", "/cdn-cgi/rum", "/api/v1/users/me", "/wiki/C%2B%2B", "/wiki/Rock_%27n%27_roll", "/R%26D/overview.aspx", "/docs/nginx.conf.html", "/downloads/server.log", "/files/backup-2024.zip", "/maps/@48.85,2.35,15z/data=!3m1!4b1!4m5", "/unsafe/300x300/filters:quality(80):format(webp)/https://img.example.com/a.jpg", "/image/upload/c_fill,w_300,h_200/v1/a.jpg", "/store/app;jsessionid=" + m.hexes(32), "/search/red%20shoes%20%26%20more", "/users/o%27brien", "/tag/what-is-sql-injection", "/blog/cat-and-mouse/etc", "/a/b/c/../d.css", "/static//js/app.js", "/etc/designs/site/clientlibs.min.css", "/bin/querybuilder.json", "/content/dam/site/img.png/_jcr_content/renditions/original", "/p/select-table-from-ikea", "/shop/union-jack-flag", "/script/style.css", "/test.php", "/cgi-bin/awstats.pl", "/product/12\" pan", "/~jane/cv.html", "/@jane/status/1", "/en/a%C3%A7%C3%A3o/%E6%97%A5%E6%9C%AC", "/admin/", "/admin/auth/user/1/change/", "/phpinfo-guide.html", "/.netlify/functions/hello", "/feed/?format=rss", "/signalr/negotiate", "/socket.io/",
    )
    headers = {"Sec-Ch-Ua": m.pick(('"Chromium";v="124", "Google Chrome";v="124", "Not-A.Brand";v="99"', '"(Not(A:Brand";v="8", "Chromium";v="98"', '"Not/A)Brand";v="8", "Chromium";v="126"', '" Not A;Brand";v="99", "Chromium";v="96"')), "Sec-Ch-Ua-Platform": '"Windows"', "X-Forwarded-For": "203.0.113.7, 10.0.0.1", "Accept-Encoding": "gzip, deflate, br, zstd", "Priority": "u=1, i", "Sec-Fetch-Mode": "navigate"}
    extra = (("Traceparent", f"00-{m.hexes(32)}-{m.hexes(16)}-01"), ("X-Amzn-Trace-Id", f"Self=1-{m.hexes(8)}-{m.hexes(24)};Root=1-{m.hexes(8)}-{m.hexes(24)};Sampled=1"), ("Cf-Visitor", '{"scheme":"https"}'), ("Cdn-Loop", "cloudflare; loops=1"), ("Via", "1.1 varnish, 1.1 varnish (Varnish/6.0), 1.1 " + m.hexes(32) + ".cloudfront.net (CloudFront)"), ("Forwarded", 'for="[2001:db8::1]:4711";proto=https;by=203.0.113.43'), ("If-None-Match", 'W/"' + m.hexes(20) + '"'), ("Baggage", f"sentry-environment=production,sentry-release=a%401.2.3,sentry-trace_id={m.hexes(32)}"), ("X-Forwarded-Client-Cert", "By=spiffe://cluster.local/ns/a/sa/b;Hash=" + m.hexes(64) + ';Subject="CN=x,O=Y";URI=spiffe://c'), ("Hx-Current-Url", m.page()), ("X-Inertia-Partial-Data", "a,b"), ("Next-Router-State-Tree", quote(json.dumps(["", {"children": ["(shop)", {"children": ["__PAGE__", {}]}]}, None, None, True]))), ("X-Client-Data", m.opaque(20)), ("Range", "bytes=0-1023"), ("Save-Data", "on"), ("Nel", json.dumps({"report_to": "cf-nel", "max_age": 604800})), ("X-Datadog-Tags", "_dd.p.tid=" + m.hexes(16) + ",_dd.p.dm=-1"), ("Purpose", "prefetch"), ("X-Wap-Profile", "http://wap.example.com/ua/a.xml"), ("From", "googlebot(at)googlebot.com"), ("X-Requested-With", "com.example.app"), ("If-Modified-Since", "Mon, 23 Nov 2026 15:07:50 GMT"), ("Tracestate", "dd=s:1;t.dm:-1,rojo=00f0"), ("X-Original-Url", "/a?b=c"), ("X-Csrf-Token", m.opaque(32)))
    headers.update(m.random.sample(extra, 4))
    return m.request("browsing", n, "GET", m.pick(paths), urlencode(m.pairs(m.random.randint(0, 5))), headers=headers)


def content(m: Maker, n: int) -> dict[str, Any]:
    """Content management: editors' HTML, settings, heartbeats, uploads (hard tier: it is markup)."""
    boundary = "----WebKitFormBoundary" + m.token(16)
    kind = n % 4
    if kind == 0:
        pairs = [("action", m.pick(("heartbeat", "elementor_ajax", "wc_fragment", "query-attachments"))), ("_nonce", m.hexes(10)), ("data[wp-refresh-post-lock][post_id]", "5"), ("interval", "60"), ("screen_id", "post"), ("has_focus", "true"), ("actions", json.dumps({"a": {"action": "save", "data": {"title": m.text(), "settings": {"color": "#fff", "css": ".a > .b { margin: 0 }"}}}}))]
        return m.request("content", n, "POST", "/wp-admin/admin-ajax.php", body=urlencode(pairs), content_type=FORM)
    if kind == 1:
        pairs = [("post_title", m.text()), ("content", m.pick(HTML) + "\r\n" + m.text()), ("_wp_http_referer", "/wp-admin/post.php?post=5&action=edit"), ("tax_input[category][]", "0"), ("excerpt", m.text()), ("save", "Update")]
        return m.request("content", n, "POST", "/wp-admin/post.php", body=urlencode(pairs), content_type=FORM, tier="hard")
    if kind == 2:
        parts = f"--{boundary}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\n{m.text()}\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{m.pick(('report (final).v2.pdf', 'Bob s photo.jpeg', 'données & co.csv', 'a.b.c.tar.gz', 'résumé.docx', 'style.css'))}\"\r\nContent-Type: {m.pick(('text/csv', 'application/octet-stream', 'text/plain'))}\r\n\r\nid;name;note\r\n1;{m.name()};\"{m.pick(SENTENCES).replace(chr(34), chr(39))}\"\r\n2;=SUM(A1:A2);x\r\n--{boundary}--\r\n"
        return m.request("content", n, "POST", "/upload", body=parts, content_type="multipart/form-data; boundary=" + boundary)
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soap:Body><GetPrice xmlns="https://example.com/prices"><Item id="{m.digits(5)}">{m.words()} &amp; co</Item><Note>{m.pick(SENTENCES).replace("&", "&amp;").replace("<", "&lt;")}</Note></GetPrice></soap:Body></soap:Envelope>'
    return m.request("content", n, "POST", "/soap", body=xml, content_type="text/xml; charset=utf-8", headers={"Soapaction": '"https://example.com/GetPrice"'})


def people(m: Maker, n: int) -> dict[str, Any]:
    """Search boxes, comments, contact forms, passwords."""
    text = m.text()
    kind = n % 5
    if kind == 0:
        return m.request("people", n, "GET", "/search", urlencode([(m.pick(("q", "query", "s", "search", "text", "keyword", "term")), m.pick((m.pick(SENTENCES), m.words(1, 6), m.name(), m.words(1, 2) + " " + m.pick(("5'11\"", "12\" x 8\"", "(2 pack)", "& more", "- new", "+ case", "1/2\"", "'90s", "100%", "#1", "$50", "a/b", "vs.", "or similar", "and/or"))))), ("page", "1")]))
    if kind == 1:
        return m.request("people", n, "POST", "/contact", body=urlencode([("name", m.name()), ("email", "jane@example.com"), ("subject", m.words()), ("message", text + "\r\n\r\n" + m.text() + "\r\n--\r\n" + m.name())]), content_type=FORM)
    if kind == 2:
        return m.request("people", n, "POST", "/api/comments", body=json.dumps({"comment": text, "author": m.name(), "rating": 5, "tags": m.words(1, 3).split()}, ensure_ascii=False), content_type=JSON)
    if kind == 3:
        return m.request("people", n, "POST", "/account/password", body=urlencode([("old", m.password()), ("new", m.password()), ("hint", m.pick(SENTENCES)[:40])]), content_type=FORM)
    boundary = "----WebKitFormBoundary" + m.token(16)
    body = "".join(f"--{boundary}\r\nContent-Disposition: form-data; name=\"{k}\"\r\n\r\n{v}\r\n" for k, v in (("name", m.name()), ("comment", text), ("answer", m.pick(SENTENCES)))) + f"--{boundary}--\r\n"
    return m.request("people", n, "POST", "/survey", body=body, content_type="multipart/form-data; boundary=" + boundary)


FAMILIES: dict[str, Callable[[Maker, int], dict[str, Any]]] = {
    "analytics": analytics, "advertising": advertising, "payment": payment, "sso": single_sign_on, "api": api,
    "graphql": graphql, "webhook": webhook, "browsing": browsing, "content": content, "people": people,
    **FORMATS,
}


def benign_requests(rows: int) -> Iterator[dict[str, Any]]:
    """Yield `rows` records of every family, the same each time."""
    for family, make in FAMILIES.items():
        maker = Maker("guard-wsgi " + family)
        for number in range(rows):
            yield make(maker, number)


if __name__ == "__main__":
    for record in benign_requests(int(sys.argv[1]) if len(sys.argv) > 1 else 100):
        print(json.dumps(record, ensure_ascii=False))
