"""What customers, their browsers and their services send: a second hand's view of benign traffic.

One function per kind of sender, each drawing from a seeded generator. The wire formats follow the
senders' public documentation; all names, hosts and ids are made up.
"""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
# fmt: off
from __future__ import annotations

import base64
import json
import random
import string
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

FORM = "application/x-www-form-urlencoded"
Request = tuple[str, str, str, dict[str, str], "str | bytes"]  # method, path, query, headers, body

FIRST = ("Seán", "Mary-Jane", "José", "Zoë", "D'Andre", "Anaïs", "Siobhán", "Nguyễn", "Søren", "Łukasz", "Ama", "Jean-Luc", "Björn", "Fatima", "Yui", "O", "Null", "True", "Al", "Drop", "Union", "Jo Ann")
LAST = ("O'Brien", "O'Neill-Smith", "D'Souza", "Null", "van der Berg", "Müller", "de la Cruz", "Mc'Donald", "L'Heureux", "Select", "St. John", "Hernández y García", "al-Farsi", "Wójcik", "Ng", "Von Trapp III", "Smith, Jr.", "N'Diaye", "Exec", "Cat", "Ó Súilleabháin", "Test")
PLACES = (
    "Rue de l'Église",
    "King's Road",
    "Martin Luther King Jr. Blvd",
    "C/ Mayor, 3º 2ª",
    "Große Straße",
    "St. John's Wood",
    "Plot #14/B, Sector-9",
    "Av. 9 de Julio 1000",
    "P.O. Box 42",
    "c/o J. & K. Brown",
    "1/2 Station Rd",
    "Unit 5; Rear Bldg",
    "N 5th St & Main",
    "Nørre Allé 7, 2. tv",
    "Calle 10 #43A-30",
    "50% House, High St",
    "Flat 3|Block C",
    "L'Anse-au-Loup",
    "Hawai'i Kai Dr.",
    "Land's End",
)
CITIES = ("Coeur d'Alene", "Saint-Jean-d'Angély", "'s-Hertogenbosch", "Winston-Salem", "São Paulo", "Köln", "Xi'an", "Ta' Xbiex", "N'Djamena", "St. John's", "Côte d'Ivoire", "Port-au-Prince", "İstanbul", "Đà Nẵng")
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/315.0 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Twitterbot/1.0",
    "WhatsApp/2.23.20.0",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "okhttp/5.0.0-alpha.11",
    "Java/17.0.2",
    "Ruby",
    "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
    "Shopify-Captain-Hook",
    "PayPal/AUHR-214.0-55417034",
    "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 12 subscribers; like FeedFetcher-Google)",
    "UptimeRobot/2.0 (http://www.uptimerobot.com/)",
    "Outlook-iOS/723.4027091.prod.iphone (4.2.1)",
    "Datadog/Synthetics",
    "kube-probe/1.29",
    "ELB-HealthChecker/2.0",
    "Prometheus/2.51.0",
    "GoogleStackdriverMonitoring-UptimeChecks(https://cloud.google.com/monitoring)",
    "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko",
    "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)",
    "git/2.43.0",
    "docker/26.1.3 go/go1.21.10 git-commit/8e96db1 kernel/6.5.0 os/linux arch/amd64 UpstreamClient(Docker-Client/26.1.3 \\(linux\\))",
    'pip/24.0 {"ci":null,"cpu":"x86_64","distro":{"id":"jammy","name":"Ubuntu"}}',
    "npm/10.5.0 node/v20.12.2 linux x64 workspaces/false",
)
SITES = ("https://www.example.com", "https://shop.example.co.uk", "https://m.example.de", "http://localhost:3000", "https://app.example.io", "https://blog.example.org", "https://staging.example.com:8443")
PAGES = (
    "/",
    "/products/mens-t-shirt",
    "/p/12345?variant=40012&utm_source=google&utm_medium=cpc",
    "/search?q=select+comfort+mattress",
    "/cart",
    "/a/b(c)_d.html",
    "/de/über-uns",
    "/index.php?option=com_content&view=article&id=12",
    "/blog/2024/05/how-to-drop-a-table-in-sql/",
    "/checkout/#/payment",
    "/kategorie/damen~schuhe,1",
    "/wiki/Union_(set_theory)",
    "/news/%E6%97%A5%E6%9C%AC",
    "/path/to/file.pdf",
    "/?p=1&s=%22exact+phrase%22",
)

PROSE = (
    "Select your favorite from the list below and update your order before noon.",
    "I want to drop the table reservation and insert a new one where there's space.",
    "She said \"I'll be there\" -- then didn't show; typical!",
    "The union of workers voted to select a leader from within.",
    "Does 1=1 always hold? My teacher says yes; see page 42.",
    "Price went from $30 to $45 (50% more!) & they don't even apologise...",
    "We're having a group order by Friday; limit 10 per person.",
    "Can't log in; keeps saying 'invalid password or username'. Tried admin/admin too.",
    "Please exec-approve the purchase; cat food 12 x 400g; ping me when done.",
    "Time to sleep(zzz) -- see you tomorrow!",
    "If a < b and b < c then a < c; otherwise c > a.",
    "It's like comparing apples/oranges; or is it? 'Yes' or 'no' = both wrong.",
    "i <3 u <3 <3 (and the dog too)",
    "the script for act 1 -> alert('the cast') lol, just kidding!",
    "My order #12345; total: $59.99; status='shipped'; where is it?",
    "Error: \"Cannot read property 'length' of undefined\" when I click Save.",
    "Use the following: Settings > Privacy > Clear data; then restart.",
    "curl up with a good book and wget... I mean get, some tea",
    "The cat /dog debate; ls it just me?",
    "He's 6'2\" and she's 5'4\", so it's 10\" difference",
    "Rock 'n' roll isn't dead -- it's just 'resting'",
    "You have insert the SIM before you update the phone; set region = EU.",
    "For 2 or more nights: rate = 100 + 20*(n-2); min 2, max 14",
    "Where do I find the user guide? Select * isn't working in the demo (error 1064).",
    "DELETE my account please, and from all mailing lists, or I will complain!!",
    "We need to shutdown the server on Sunday; declare downtime at 9:00; wait for delay from the vendor",
    "Cast iron pan; convert to induction? char marks on the base, sub string lights ok",
    "Le prix de l'article est 12,50 € -- c'est l'offre d'aujourd'hui",
    "5 stars * 5 = 25 :) ... 10/10 would buy again && recommend",
    "john.doe+test@example.com; jane@example.com, bob@example.co.uk",
    "Q: 1+1=? A: 2; Q: 2*3=? A: 6",
    "Dear team,\r\n\r\nSubject: holiday rota\r\nTo: everyone\r\nfrom Monday I'm off.\r\n\r\nBest,\r\nAnn",
    "From: Bob\nTo: Alice\nSubject: lunch?\n\nHi Alice -- lunch at 12?",
    "bcc: please copy me on the thread",
    "Note: location: Berlin; set-up: 2 tables; cookie: chocolate chip",
    "The path is C:\\Program Files\\Acme\\app.exe and the log C:\\Windows\\Temp\\acme.log",
    "check /var/log/app.log or /etc/hosts for details, it's documented at https://docs.example.com/faq#hosts",
    "Our Wi-Fi password is 'Tr0ub4dor&3'; don't tell ;)",
    "use `npm install` then `npm start`; open http://localhost:3000",
    "see http://192.168.1.1/ for the router's login page; password's on the sticker",
    "{name}, your order {order_id} ships today!",
    "Hello {{first_name}}, thanks for joining {{company}}!",
    "Dear %FIRSTNAME%, save 20% with code ${COUPON}",
    "<3 this! but <b>why</b> so expensive?",
    "Temperature <5°C or >30°C; humidity <=40%",
    "#1 in sales; #2 in service -- & #3 in price",
    "x^2 + y^2 = r^2; |x| < 1 && |y| < 1",
    "Is it 'cause I'm new; or 'cause they're slow?",
    "1' x 2' rug; 3\" thick; 5/8\" bolts; M4-0.7x10",
    "Mon-Fri 9-5; Sat 10-4; Sun closed -- except holidays",
    "@all: stand-up at 10, retro @ 3; sign-off = EOD",
    "I'd give it 4/5; the 'union jack' mug was chipped or cracked",
    "Works w/ Alexa, Google Home, etc. and/or IFTTT",
    "whoami? just a guy who likes id cards | and pipes",
    "kill two birds with one stone; head to tail; sort of unique",
    "The document.cookie banner blocks window.location on my iPad?!",
    "the onclick and onload handlers don't fire in Safari, only onerror does",
    "Our LDAP group (cn=staff) can't log in; (uid) missing?",
    "Alert (red): prompt payment due; confirm (yes/no)",
    "more < less, tail > head, nano -> emacs; vi vs vim!",
    "Base64? eval my options? I'd rather assert that system (A) beats system (B).",
    "printf is not echo, and echo is not cat; the exam covers sed, awk and grep.",
    "..and then../or not.. hmm... ../.. whatever",
    "AC/DC -- Back in Black (1980) / Queen -- '39",
    "He replied, 'or else'; 'and' what? -- 'nothing'",
    "So, 'it' = 'that' or 'that' = 'it'?",
    "100% cotton; 0% polyester; wash <= 30°; do not tumble-dry #laundry",
    "Call us: +1 (800) 555-0199 ext. 12; fax: 555-0198;",
    "Please insert into the envelope two copies; values as of 1 May (see annex)",
    "and 1 more thing: or 2 more, if you like",
    "Having count issues: group by family, order by age",
    "Send to user@host: /home/user/files; chmod isn't needed",
    "The benchmark(2024) shows sleep (8h) is best; waitfor delay is worst",
    "truncate table legs by 2cm; alter table height; drop leaf table for sale",
    "create user manual for new table lamp; grant access to all editors",
)
MULTI = (
    "C'est l'été ; n'oubliez pas d'acheter « l'essentiel » aujourd'hui !",
    "J'ai reçu l'article, mais il n'est pas conforme à la photo... 20 % de réduction ?",
    "Ich möchte den Tisch umtauschen -- geht das? „Natürlich“ sagte er; oder?",
    "Größe 42/43, Farbe: schwarz & weiß, Preis < 50 €",
    "¿Dónde está mi pedido #4521? ¡Llevo 2 semanas esperando!",
    "El artículo 'premium' costó $1.200,50; ¿o era $1.250?",
    "今日は天気がいいですね。「はい」と答えた;(笑)",
    "商品は¥1,200(税込)です。送料=無料 or 着払い?",
    "请选择您的尺码;价格:¥199(含税)——谢谢!",
    "订单号:12345,状态='已发货'",
    "주문 번호 #991; '배송 중' 상태입니다. 언제 오나요?",
    "Где мой заказ №778? Обещали 'до 5 мая' -- и ничего!",
    "Ціна: 100 грн; знижка 10% -- дякую!",
    "Ürünü seçin ve sepete ekleyin; fiyatı 50₺'den az mı?",
    "Türkiye'de İstanbul'a kargo; 'ücretsiz' mi?",
    "الطلب رقم 55؛ متى يصل؟ السعر = 100 ريال",
    'המחיר: 100 ש"ח; האם יש הנחה?',
    "Tôi muốn đổi hàng; giá < 200.000đ không?",
    "สินค้านี้ราคาเท่าไหร่? ลด 50% ไหม",
    "Το προϊόν είναι 'εξαιρετικό'; τιμή: 20€",
    "Objednávka č. 12; kdy dorazí? 'Zítra' nebo 'pozítří'?",
    "Zażółć gęślą jaźń; cena: 12,99 zł -- dziękuję",
    "L'ordine dell'altro giorno non c'è; dov'è l'e-mail?",
    "Quer trocar? É só seleccionar 'Devolução' & enviar; de graça!",
    "Vill du köpa 2 för 1? Då är det dags -- nu!",
    "यह उत्पाद 'बहुत' अच्छा है; कीमत = ₹500",
    "👍🏽👍🏽 10/10!! ❤️ <3 :-) ;-) \\o/ ¯\\_(ツ)_/¯",
    "O’Reilly “smart quotes” — em–dash… and ‘more’",
    "Škoda; žádný 'problém' -- děkuji",
    "Kérem, hogy a 'csomagot' küldjék a(z) 1052 Budapest, Petőfi u. 5. címre; köszönöm!",
    "Het 's-avonds bezorgen = mogelijk? 't kost € 5; of niet?",
    "Ka pai! Kei te pēhea koe? 'Pai' -- ka kite",
)
REVIEWS = (
    "Nit: rename `getUser()` to `findUser(id)`; also `if (!user) return null;` is unreachable.",
    "Why `SELECT *` here? Only `id` and `name` are used; see `UserRepository.java#L42`.",
    "LGTM! `git rebase -i HEAD~3 && git push -f` before merge please.",
    "This breaks when `x == null || x.length === 0`; add a test?",
    '```python\nfor i in range(10):\n    print(f"{i}: {names[i]}")\n```\nshould be `enumerate`.',
    "s/foo/bar/g in the docs; `$HOME` isn't set on CI, use `${HOME:-/root}`.",
    "Could use `Array.from(new Set(xs))` rather than the nested loop (O(n^2)).",
    "`rm -rf node_modules && npm ci` fixed it for me",
    "The regex `^[a-z]+\\d{2,}$` doesn't match `ab1`. Try `/^\\w+$/i`",
    "```sql\nSELECT u.id, COUNT(*) FROM users u JOIN orders o ON o.user_id = u.id GROUP BY u.id HAVING COUNT(*) > 5;\n```\nneeds an index on `orders.user_id`.",
    "```diff\n- const x = require('fs')\n+ import fs from 'node:fs'\n```",
    '`docker run --rm -it -v $(pwd):/app node:20 sh -c "npm test"` works locally',
    "In `Dockerfile`: `RUN apt-get update && apt-get install -y curl` -- add `--no-install-recommends`",
    "`onClick={() => setOpen(!open)}` re-renders each time; memoise with `useCallback`",
    "Template: `{% for item in items %}{{ item.name|escape }}{% endfor %}` -- missing `{% empty %}`",
    '`System.out.println("here")` left in; and the `try { ... } catch (Exception e) {}` hides errors',
    "Fixes #123, closes GH-456. Refs: JIRA-789 (see `/etc/nginx/nginx.conf`)",
    '`<div onclick="go()">` isn\'t accessible, make it a `<button>`.',
    "`eval()` is evil: use `JSON.parse(str)` instead",
    "`os.path.join(BASE_DIR, '..', 'static')` -> `BASE_DIR.parent / 'static'`",
    'Please don\'t log `password`; mask it as `***`. `logger.info("user=%s", user)`',
    "`kubectl get pods -n prod | grep CrashLoop` shows 3 pods; `kubectl logs -f pod/api-0`",
    "`curl -X POST https://api.example.com/v1/items -H 'Content-Type: application/json' -d '{\"a\":1}'` returns 500",
    "`public static void main(String[] args) { Runtime rt = Runtime.getRuntime(); }` unused variable `rt`",
    "`__init__.py` is missing; `from .models import User` fails",
    "`const { data, error } = await supabase.from('users').select('*').eq('id', id)`",
    "TIL `WHERE 1=1` is a trick for building dynamic SQL: `WHERE 1=1 AND name = ?`",
    "Suggest: `echo \"$VAR\" | sed -e 's/,/\\n/g' | sort -u > out.txt`",
    "`chmod 644 /etc/app/config.yml; systemctl restart app` in the runbook",
    "XSS risk: `innerHTML = '<b>' + name + '</b>'`; use `textContent`.",
)
MARKDOWN = (
    "# Release notes\n\n* **New**: `export` to CSV (#234)\n* _Fixed_: crash in `src/app/main.ts`\n\n> Thanks @alice & @bob!\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    "## Install\n\n```bash\ncurl -fsSL https://get.example.com | sh\nsudo systemctl enable --now app\n```\n\nThen open <http://localhost:8080>.",
    '- [x] done\n- [ ] todo; see [docs](https://example.com/docs?a=1&b=2 "Docs")\n\n![logo](/img/logo.png)',
    "1. Clone: `git clone git@github.com:acme/app.git`\n2. `cp .env.example .env`\n3. `make up`\n\n---\n\n~~old~~ new",
    "Inline math $a^2+b^2=c^2$ and block:\n\n$$\\int_0^1 x\\,dx = \\frac{1}{2}$$",
    "<details>\n<summary>Logs</summary>\n\n```\n2024-05-01 12:00:00 ERROR [main] java.lang.NullPointerException: null\n\tat com.acme.App.main(App.java:12)\n```\n</details>",
    "Footnote[^1], <kbd>Ctrl</kbd>+<kbd>C</kbd>, <br> and &nbsp; too.\n\n[^1]: here",
    "| Command | Does |\n|:--|:-:|\n| `ls -la` | list |\n| `cat x` | show |\n| `ps aux \\| grep py` | find |",
    "> quote\n>> nested\n\n***bold italic*** `code` ``a ` b``\n\n<!-- TODO: add pictures -->",
    '---\ntitle: "Hello: World"\ndate: 2024-05-01\ntags: [a, b]\n---\n\n{{< figure src="/x.png" >}}\n\nText.',
    "## Query\n```sql\nSELECT name FROM users WHERE id = 1 OR email LIKE '%@example.com';\n```",
    '```html\n<script src="https://cdn.example.com/a.js"></script>\n<div id="app"></div>\n```',
    "Use `{{ variable }}` in Jinja and `${var}` in JS template strings.",
    "```js\nconst x = () => document.querySelector('#a').innerHTML = `<b>${name}</b>`;\n```",
    '```yaml\non: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo "${{ secrets.TOKEN }}" | docker login -u x --password-stdin\n```',
)
QUERIES = (
    "o'neal shoes",
    '"exact match" -exclude',
    "site:example.com filetype:pdf",
    "c++ vs c#",
    "select comfort mattress",
    "union jack t-shirt",
    '24" monitor',
    "drop leaf table",
    "black & decker",
    "50% off",
    "AT&T",
    "1/2 inch pipe",
    "size:10 OR size:11",
    "(red OR blue) AND shoes",
    "cat litter; natural",
    "what is 2+2=?",
    "how to delete from table where id in sql",
    "alter ego",
    "toys 'r' us",
    "H&M",
    "a* search",
    "node.js require path",
    "iphone 15 || samsung s24",
    "price<100",
    "<title> tag",
    "rock 'n' roll",
    "l'oréal",
    "5'10 to cm",
    "../ meaning",
    "etc passwd file linux",
    "javascript alert box",
    "sleep apnea",
    "exec summary template",
    "what's new?",
    "naïve café",
    "日本語 辞書",
    "наушники",
    "tag:sale|new",
    "#hashtag @user",
    "foo* bar?",
    "R$ 100",
    'user:me is:open label:"bug"',
    "NOT cheap",
    "created:>2024-01-01",
    "insert molding",
    "where to order by phone",
    "script font",
    "onload washing machine",
    "ping pong table",
    "echo dot (4th gen)",
    "having fun group games",
    "x-men '97",
    "system of a down",
    "curl hair iron",
    "kill bill vol. 1",
    "nc state",
    "id card holder",
    "host a party",
    "eval form pdf",
    "base 64 led",
    "cast iron & steel",
    "null set",
)
JQL = (
    'project = ABC AND status in ("In Progress", "To Do") ORDER BY created DESC',
    "assignee = currentUser() AND resolution = Unresolved order by updated DESC",
    'text ~ "login error" AND created >= -7d',
    "sprint in openSprints() AND labels not in (wontfix) OR priority = Highest",
    "summary ~ 'O\\'Brien' AND duedate < now()",
    'issuekey in (ABC-1,ABC-2) AND "Epic Link" is not EMPTY',
    'status changed FROM "Open" TO "Done" AFTER startOfWeek()',
    'filter=10011 AND type = Bug and fixVersion = "1.2"',
)
CQL = ('type=page and space=DOC and title ~ "release"', 'created > now("-4w") and creator = currentUser()')
SOQL = ("SELECT Id, Name FROM Account WHERE Industry = 'Media' LIMIT 10", "SELECT COUNT() FROM Contact", "FIND {Smith} IN ALL FIELDS RETURNING Contact(Name)")
ODATA = ("$filter=Price gt 20 and contains(Name,'O''Neil')&$select=Id,Name&$orderby=Name desc&$top=10&$expand=Items($select=Id)", "$filter=startswith(City,'S') or Country eq 'DE'&$count=true", '$search="blue car" AND NOT red&$skip=20')
FILTERS = (
    "filter[status]=open&filter[tags][]=a&filter[tags][]=b&sort=-created_at&page[size]=20",
    "fields[articles]=title,body&include=author,comments.author",
    "created_at=gte.2024-01-01&status=in.(open,closed)&select=id,name,items(*)&order=created_at.desc",
    'q=title:foo AND (author:bar OR tag:"x y") AND price:[10 TO 20]&fq={!tag=dt}doctype:pdf&sort=score desc&wt=json',
    'where={"age":{"$gt":21},"name":{"$regex":"^J","$options":"i"}}&limit=10&order=-createdAt',
    'filter={"where":{"and":[{"price":{"lt":100}},{"title":{"like":"%shoe%"}}]},"limit":10}',
    "expand[]=data.customer&expand[]=data.invoice&limit=3",
    'query=sum(rate(http_requests_total{job="api",code=~"5.."}[5m])) by (instance) / 2&start=1715000000&end=1715003600&step=15',
    'query={app="web"} |= "error" != "timeout" | json | line_format "{{.msg}}"&limit=100',
    "jql=project=ABC&fields=*all,-comment&expand=names",
    "range[price][min]=10&range[price][max]=99&facets[]=brand&facets[]=size",
    "sort=price:asc,name:desc&ids=1,2,3,4&bbox=-0.489,51.28,0.236,51.686",
    "name=like.*O'Reilly*&age=gte.18",
    "filters=%5B%5B%22creation%22,%22%3E%22,%222024-01-01%22%5D%5D&group_by=status&order_by=modified+desc",
    "aggs=count(*)&groupBy=country&having=count>10",
    'match[]=up&match[]=process_start_time_seconds{job="x"}',
    "select=sum(amount)&where=state='CA' AND year>2020&$limit=50",
    "f=json&where=1=1&outFields=*&returnGeometry=false&orderByFields=NAME",
    "where=POP2000 > 100000&outFields=CITY_NAME&geometryType=esriGeometryEnvelope&f=pjson",
    "service=WFS&version=2.0.0&request=GetFeature&typeName=topp:states&CQL_FILTER=PERSONS>1000000 AND STATE_NAME LIKE 'N%'",
    "request=GetCapabilities&service=WMS",
    "target=alias(summarize(stats.web.*.count,'1hour','sum',false),'hits')&from=-24h&until=now&format=json",
    'query=SELECT mean("usage_idle") FROM "cpu" WHERE time > now() - 1h GROUP BY time(1m) fill(null)&db=telegraf&epoch=ms',
)


def token(rng: random.Random, size: int, alphabet: str = string.ascii_letters + string.digits + "-_") -> str:
    """Random text."""
    return "".join(rng.choice(alphabet) for _ in range(size))


def ident(rng: random.Random) -> str:
    """A UUID of the seeded generator."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def url(rng: random.Random) -> str:
    """A page of a site."""
    return rng.choice(SITES) + rng.choice(PAGES)


def person(rng: random.Random) -> str:
    """A full name."""
    return f"{rng.choice(FIRST)} {rng.choice(LAST)}"


def prose(rng: random.Random, most: int = 3) -> str:
    """A few sentences."""
    return rng.choice((" ", "\n", "\r\n\r\n")).join(rng.sample(PROSE, rng.randint(1, most)))


def headers(rng: random.Random, kind: str = "", **more: str) -> dict[str, str]:
    """A browser's headers."""
    made = {
        "User-Agent": rng.choice(AGENTS),
        "Accept": rng.choice(("*/*", "application/json, text/plain, */*", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7")),
        "Accept-Language": rng.choice(("en-US,en;q=0.9", "de-DE,de;q=0.8,en;q=0.5", "fr", "ja,en-US;q=0.9", "*")),
    }
    if rng.random() < 0.5:
        made["Referer"] = url(rng)
    if kind:
        made["Content-Type"] = kind
    made.update({k.replace("_", "-"): v for k, v in more.items()})
    return made


def send(rng: random.Random, fields: dict[str, str], path: str) -> Request:
    """Fields as a form, query, JSON or multipart, as real clients choose."""
    how = rng.random()
    if how < 0.3:
        return "GET", path, urlencode(fields), headers(rng), ""
    if how < 0.55:
        return "POST", path, "", headers(rng, FORM), urlencode(fields)
    if how < 0.85:
        return ("POST", path, "", headers(rng, "application/json"), json.dumps(fields, ensure_ascii=rng.random() < 0.5))
    boundary = "----WebKitFormBoundary" + token(rng, 16, string.ascii_letters + string.digits)
    body = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items())
    return ("POST", path, "", headers(rng, f"multipart/form-data; boundary={boundary}"), body + f"--{boundary}--\r\n")


def ga4(rng: random.Random) -> Request:
    """Google Analytics 4 collection."""
    q = {
        "v": "2",
        "tid": "G-" + token(rng, 10, string.ascii_uppercase + string.digits),
        "gtm": f"45je45{rng.randint(10, 99)}v9{rng.randint(100000, 999999)}za200",
        "_p": str(rng.randint(10**9, 10**10)),
        "gcs": "G111",
        "gcd": "13l3l3l3l1l1",
        "npa": "0",
        "dma": "0",
        "cid": f"{rng.randint(10**8, 10**9)}.{rng.randint(10**9, 2 * 10**9)}",
        "ul": "en-us",
        "sr": "1920x1080",
        "uaa": "x86",
        "uafvl": "Chromium;124.0.6367.119|Google%20Chrome;124.0.6367.119|Not-A.Brand;99.0.0.0",
        "uamb": "0",
        "uap": "Windows",
        "pscdl": "noapi",
        "_s": str(rng.randint(1, 9)),
        "sid": str(rng.randint(10**9, 2 * 10**9)),
        "sct": "3",
        "seg": "1",
        "dl": url(rng),
        "dr": rng.choice(("https://www.google.com/", "android-app://com.google.android.gm/", url(rng))),
        "dt": rng.choice(("Women's Shoes | Shop & Save", "Home — Example", "O'Brien's Pub: Menu (2024)", "404: Page not found")),
        "en": rng.choice(("page_view", "scroll", "click", "view_item", "add_to_cart", "user_engagement")),
        "_ee": "1",
        "ep.link_url": url(rng),
        "ep.content_group": "(not set)",
        "epn.value": "12.5",
        "_et": "1234",
    }
    if rng.random() < 0.4:
        q["pr1"] = "idSKU_12345~nmStan%20and%20Friends%20Tee~afGoogle%20Store~cpSUMMER_FUN~ds2.22~lp0~brGoogle~caApparel~c2Adult~pr10.01~qt3"
    if rng.random() < 0.4:
        return ("POST", "/g/collect", urlencode(q), headers(rng, "text/plain;charset=UTF-8"), "en=scroll&epn.percent_scrolled=90&_et=5\r\nen=click&ep.link_text=" + quote(rng.choice(QUERIES)))
    return "GET", "/g/collect", urlencode(q), headers(rng), ""


def pixel(rng: random.Random) -> Request:
    """Meta, TikTok, Pinterest and Snapchat pixels."""
    kind = rng.randint(0, 4)
    if kind == 0:
        q = {
            "id": str(rng.randint(10**14, 10**15)),
            "ev": rng.choice(("PageView", "ViewContent", "SubscribedButtonClick", "Microdata")),
            "dl": url(rng),
            "rl": url(rng),
            "if": "false",
            "ts": "1715000000123",
            "cd[buttonFeatures]": json.dumps({"classList": "btn btn-primary js-add", "destination": url(rng), "id": "add", "imageUrl": 'url("/img/x.png")', "innerText": "ADD TO CART", "numChildButtons": 0, "tag": "button", "type": "submit", "value": ""}),
            "cd[content_ids]": '["123","456"]',
            "cd[contents]": '[{"id":"123","quantity":1}]',
            "cd[pageFeatures]": json.dumps({"title": 'Men\'s "Classic" Tee | Shop'}),
            "cd[parameters]": "[]",
            "sw": "1920",
            "v": "2.9.156",
            "r": "stable",
            "ec": "1",
            "o": "4126",
            "fbp": f"fb.1.171500.{rng.randint(10**8, 10**9)}",
            "cs_est": "true",
            "it": "1715000000",
            "coo": "false",
            "udff[em]": token(rng, 64, "0123456789abcdef"),
            "rqm": "GET",
        }
        return "GET", "/tr/", urlencode(q), headers(rng), ""
    if kind == 1:
        return (
            "POST",
            "/api/v2/pixel",
            "",
            headers(rng, "text/plain;charset=UTF-8"),
            json.dumps(
                {
                    "event": "Pageview",
                    "event_id": "",
                    "message_id": "messageId-171500-" + token(rng, 10),
                    "is_onsite": False,
                    "timestamp": "2024-05-06T12:00:00.000Z",
                    "context": {
                        "ad": {"callback": "E.C.P." + token(rng, 40), "sdk_env": "external"},
                        "user": {"anonymous_id": ident(rng)},
                        "pixel": {"code": token(rng, 20), "runtime": "1"},
                        "page": {"url": url(rng), "referrer": url(rng)},
                        "library": {"name": "pixel.js", "version": "2.1.35"},
                        "userAgent": rng.choice(AGENTS),
                    },
                    "_inspection": {},
                    "properties": {"content_type": "product", "price": "<undefined>"},
                }
            ),
        )
    if kind == 2:
        return (
            "GET",
            "/v3/",
            urlencode(
                {
                    "tid": str(rng.randint(10**12, 10**13)),
                    "event": "pagevisit",
                    "ed": json.dumps({"line_items": [{"product_name": "Men's hat; blue", "product_id": "1"}], "np": "shopify"}),
                    "pd": json.dumps({"np": "gtm", "em": token(rng, 64, "0123456789abcdef")}),
                    "ad": json.dumps({"loc": url(rng), "ref": url(rng), "if": False, "sh": 1080, "sw": 1920, "mh": "abc"}),
                    "cb": "1715000000123",
                }
            ),
            headers(rng),
            "",
        )
    if kind == 3:
        return ("POST", "/events", "v=1.2&ip=1&_e=" + quote('["ready","load"]'), headers(rng, FORM), urlencode({"e": base64.b64encode(json.dumps({"type": "clk", "sel": 'div#main > ul.nav > li:nth-child(2) > a[href="/x"]', "u": url(rng)}).encode()).decode(), "n": token(rng, 12)}))
    return ("POST", "/collect", "", headers(rng, "application/json"), json.dumps({"events": [{"t": 3, "d": "body>div:nth-of-type(2)>a.btn", "x": 120, "y": 500, "text": rng.choice(PROSE)[:60], "html": '<a class="btn" href="/cart">Add</a>'}], "p": url(rng), "v": "0.7.32"}))


def ads(rng: random.Random) -> Request:
    """Ad servers: bids, impressions, clicks, macros, nested redirects."""
    nested = url(rng)
    for _ in range(rng.randint(1, 3)):
        nested = f"https://ad.example.net/clk;{rng.randint(10**8, 10**9)};{rng.randint(10**7, 10**8)};k?{nested if rng.random() < 0.5 else quote(nested, safe='')}"
    kind = rng.randint(0, 4)
    if kind == 0:
        return (
            "GET",
            "/gampad/ads",
            urlencode(
                {
                    "iu": "/1234/news/top",
                    "sz": "300x250|728x90",
                    "cust_params": "pos=top&sect=sports&kw=a,b&pmp=(x)",
                    "correlator": "4242",
                    "url": url(rng),
                    "ref": url(rng),
                    "gdpr": "1",
                    "gdpr_consent": "CP" + token(rng, 120),
                    "prev_scp": "hb_bidder=rubicon&hb_pb=1.20|hb_size=300x250",
                    "tfcd": "0",
                    "ptt": "17",
                    "fws": "4,4",
                    "ohw": "1600",
                }
            ),
            headers(rng),
            "",
        )
    if kind == 1:
        return (
            "GET",
            rng.choice(("/click", "/adj/N1.site/B12;dc_trk_aid=1;ord=[timestamp];dc_lat=", "/aclk")),
            "sa=L&ai="
            + token(rng, 90)
            + "&adurl="
            + quote(nested, safe=rng.choice(("", ":/?&=;")))
            + rng.choice(
                (
                    "",
                    "&cb=${CACHEBUSTER}",
                    "&gdpr=${GDPR}&gdpr_consent=${GDPR_CONSENT_50}",
                    "&ord=[timestamp]",
                    "&p=%%WINNING_PRICE%%&c=%%CLICK_URL_UNESC%%",
                    "&price=${AUCTION_PRICE}&id={creative_id}",
                    "&gclid={gclid}&kw={keyword:default}&mt={matchtype}&d={ifmobile:m}{ifnotmobile:d}",
                    "&utm_campaign={{campaign.name}}&utm_content={{ad.name}}",
                )
            ),
            headers(rng),
            "",
        )
    if kind == 2:
        return (
            "POST",
            "/openrtb2/auction",
            "",
            headers(rng, "application/json"),
            json.dumps(
                {
                    "id": ident(rng),
                    "imp": [{"id": "1", "banner": {"format": [{"w": 300, "h": 250}], "topframe": 0}, "ext": {"prebid": {"bidder": {"appnexus": {"placement_id": 1}}, "adunitcode": "/1/top|main"}}}],
                    "site": {"page": url(rng), "ref": nested, "domain": "example.com", "keywords": "news,select,union", "publisher": {"id": "1"}},
                    "device": {"ua": rng.choice(AGENTS), "ip": "203.0.113.9", "language": "en", "sua": {"browsers": [{"brand": "Not/A)Brand", "version": ["8"]}]}},
                    "regs": {"ext": {"gdpr": 1, "us_privacy": "1YNN"}},
                    "user": {"eids": [{"source": "id5-sync.com", "uids": [{"id": "ID5*" + token(rng, 80), "atype": 1}]}]},
                    "bcat": ["IAB25-3"],
                    "badv": ["evil.example"],
                    "tmax": 500,
                }
            ),
        )
    if kind == 3:
        return ("GET", "/usersync", "redir=" + quote("https://sync.example.com/p?uid=$UID&gdpr=${GDPR}&r=" + quote(nested, safe=""), safe="") + "&us_privacy=1---", headers(rng), "")
    return ("GET", "/imp", urlencode({"an": "6.0", "data": json.dumps({"viewability": 0.5, "evt": "imp", "tags": ["<div id='ad'>", "a|b"]}), "u": nested, "vast": "https://vast.example.com/x?ord=[CACHEBUSTING]&err=[ERRORCODE]", "t": "1715000000"}), headers(rng), "")


def payments(rng: random.Random) -> Request:
    """Stripe, PayPal, Adyen and 3-D Secure traffic."""
    kind = rng.randint(0, 5)
    if kind == 0:
        return (
            "POST",
            "/v1/payment_intents",
            "",
            headers(rng, FORM, Authorization="Bearer sk_test_" + token(rng, 24, string.ascii_letters), Idempotency_Key=ident(rng)),
            urlencode(
                {
                    "amount": "1999",
                    "currency": "eur",
                    "payment_method_data[billing_details][name]": person(rng),
                    "payment_method_data[billing_details][address][line1]": rng.choice(PLACES),
                    "payment_method_data[guid]": ident(rng),
                    "payment_method_data[payment_user_agent]": "stripe.js/83a1f53796; stripe-js-v3/83a1f53796; card-element",
                    "payment_method_data[referrer]": url(rng),
                    "return_url": url(rng),
                    "metadata[order]": "#1234",
                    "expand[]": "latest_charge",
                    "description": rng.choice(PROSE),
                }
            ),
        )
    if kind == 1:
        return (
            "POST",
            "/webhooks/stripe",
            "",
            headers(rng, "application/json; charset=utf-8", Stripe_Signature=f"t=1715000000,v1={token(rng, 64, '0123456789abcdef')},v0={token(rng, 64, '0123456789abcdef')}"),
            json.dumps(
                {
                    "id": "evt_" + token(rng, 24),
                    "object": "event",
                    "api_version": "2024-04-10",
                    "type": "charge.succeeded",
                    "data": {
                        "object": {
                            "id": "ch_1",
                            "amount": 1999,
                            "billing_details": {"name": person(rng), "address": {"line1": rng.choice(PLACES), "city": rng.choice(CITIES)}, "email": "o'brien@example.com"},
                            "description": rng.choice(PROSE),
                            "receipt_url": "https://pay.stripe.com/receipts/payment/" + token(rng, 80) + "?s=ap",
                            "outcome": {"network_status": "approved_by_network", "seller_message": "Payment complete.", "type": "authorized"},
                            "metadata": {"cart": '{"1":2,"7":1}'},
                        }
                    },
                    "request": {"id": None, "idempotency_key": ident(rng)},
                },
                indent=2,
            ),
        )
    if kind == 2:
        return (
            "POST",
            "/ipn",
            "",
            headers(rng, FORM),
            urlencode(
                {
                    "mc_gross": "19.95",
                    "protection_eligibility": "Eligible",
                    "address_status": "confirmed",
                    "payer_id": token(rng, 13, string.ascii_uppercase),
                    "address_street": rng.choice(PLACES),
                    "payment_date": "20:12:59 Jan 13, 2024 PST",
                    "payment_status": "Completed",
                    "charset": "windows-1252",
                    "first_name": rng.choice(FIRST),
                    "last_name": rng.choice(LAST),
                    "address_name": person(rng),
                    "notify_version": "3.9",
                    "custom": json.dumps({"order_id": 12, "key": "wc_order_" + token(rng, 8)}),
                    "verify_sign": token(rng, 50, string.ascii_letters + "-."),
                    "item_name": "Women's Tee (M) & Hat; x2",
                    "ipn_track_id": "a1",
                }
            ),
        )
    if kind == 3:
        return (
            "POST",
            "/3ds/return",
            "",
            headers(rng, FORM),
            urlencode({"PaRes": base64.b64encode(rng.getrandbits(1600).to_bytes(200, "big")).decode(), "MD": token(rng, 40), "cres": base64.urlsafe_b64encode(json.dumps({"threeDSServerTransID": ident(rng), "messageType": "CRes", "messageVersion": "2.2.0", "transStatus": "Y"}).encode()).decode().rstrip("=")}),
        )
    if kind == 4:
        return (
            "POST",
            "/v71/payments",
            "",
            headers(rng, "application/json"),
            json.dumps(
                {
                    "amount": {"currency": "EUR", "value": 1000},
                    "paymentMethod": {"type": "scheme", "encryptedCardNumber": "adyenjs_0_1_25$" + token(rng, 60, string.ascii_letters + "+/=") + "$" + token(rng, 200, string.ascii_letters + string.digits + "+/")},
                    "shopperName": {"firstName": rng.choice(FIRST), "lastName": rng.choice(LAST)},
                    "browserInfo": {"acceptHeader": "*/*", "userAgent": rng.choice(AGENTS), "javaEnabled": False},
                    "returnUrl": "http://localhost:8080/redirect?orderRef=" + ident(rng),
                    "reference": "ORD'7/2024;1",
                }
            ),
        )
    return (
        "POST",
        "/v2/checkout/orders",
        "",
        headers(rng, "application/json", PayPal_Request_Id=ident(rng)),
        json.dumps(
            {
                "intent": "CAPTURE",
                "purchase_units": [{"reference_id": "d9", "amount": {"currency_code": "USD", "value": "100.00"}, "description": rng.choice(PROSE), "shipping": {"name": {"full_name": person(rng)}, "address": {"address_line_1": rng.choice(PLACES), "admin_area_2": rng.choice(CITIES)}}}],
                "payment_source": {"paypal": {"experience_context": {"return_url": url(rng), "cancel_url": "http://localhost:3000/cancel", "brand_name": "O'BRIEN & SONS"}}},
            }
        ),
    )


def sso(rng: random.Random) -> Request:
    """OAuth 2, OpenID Connect and SAML."""
    kind = rng.randint(0, 5)
    jwt = ".".join(
        (base64.urlsafe_b64encode(b'{"alg":"RS256","typ":"JWT","kid":"1"}').decode().rstrip("="), base64.urlsafe_b64encode(json.dumps({"iss": "https://idp.example.com/", "sub": "auth0|" + token(rng, 20), "aud": [token(rng, 12)], "name": person(rng), "exp": 1715000000}).encode()).decode().rstrip("="), token(rng, 86))
    )
    if kind == 0:
        return (
            "GET",
            "/authorize",
            urlencode(
                {
                    "client_id": token(rng, 20),
                    "redirect_uri": rng.choice(("http://localhost:3000/api/auth/callback/google", "http://127.0.0.1:8400/", url(rng), "com.example.app:/oauth2redirect", "urn:ietf:wg:oauth:2.0:oob")),
                    "response_type": "code id_token",
                    "response_mode": "form_post",
                    "scope": "openid profile email https://www.googleapis.com/auth/userinfo.email offline_access",
                    "state": base64.b64encode(json.dumps({"returnTo": "/dashboard?tab=1&x=2", "nonce": token(rng, 8)}).encode()).decode(),
                    "nonce": token(rng, 32),
                    "code_challenge": token(rng, 43),
                    "code_challenge_method": "S256",
                    "claims": '{"id_token":{"acr":{"essential":true}}}',
                    "prompt": "select_account",
                    "login_hint": "o'brien@example.com",
                }
            ),
            headers(rng),
            "",
        )
    if kind == 1:
        return ("GET", "/callback", urlencode({"code": "4/0A" + token(rng, 70), "state": token(rng, 40), "scope": "email profile openid https://www.googleapis.com/auth/userinfo.profile", "authuser": "0", "hd": "example.com", "prompt": "none", "iss": "https://accounts.google.com"}), headers(rng), "")
    if kind == 2:
        xml = f'<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_{ident(rng)}" Version="2.0" Destination="https://sp.example.com/acs"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://idp.example.com/</saml:Issuer><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:SignedInfo></ds:Signature><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">{person(rng)}</saml:AttributeValue></samlp:Response>'
        return ("POST", "/saml/acs", "", headers(rng, FORM), urlencode({"SAMLResponse": base64.b64encode(xml.encode()).decode(), "RelayState": rng.choice((url(rng), "/app?x=1", token(rng, 30), "ss:mem:" + token(rng, 64, "0123456789abcdef")))}))
    if kind == 3:
        return (
            "POST",
            "/oauth/token",
            "",
            headers(rng, FORM, Authorization="Basic " + base64.b64encode(token(rng, 30).encode()).decode()),
            urlencode(
                {
                    "grant_type": rng.choice(("authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer")),
                    "code": token(rng, 60),
                    "assertion": jwt,
                    "redirect_uri": "http://localhost:8080/login/oauth2/code/keycloak",
                    "client_secret": token(rng, 32, string.ascii_letters + "~.!_-"),
                    "code_verifier": token(rng, 64),
                }
            ),
        )
    if kind == 4:
        return (
            "POST",
            "/signin-oidc",
            "",
            headers(rng, FORM, Cookie=".AspNetCore.Correlation." + token(rng, 43) + "=N"),
            urlencode({"id_token": jwt, "state": "CfDJ8" + token(rng, 120), "session_state": ident(rng), "error_description": rng.choice(("", "AADSTS50105: The signed in user 'o@example.com' is not assigned to a role for the application 'x'(App).\r\nTrace ID: 1\r\nTimestamp: 2024-05-01 12:00:00Z"))}),
        )
    return ("GET", "/login", "next=" + quote(rng.choice(("/admin/?q=1", "http://localhost:3000/cb", "https://app.example.com/cb?x=1#y", "/de/konto/", "%2Fprofile")), safe="") + "&error=access_denied&service=" + quote(url(rng), safe=""), headers(rng, Authorization="Bearer " + jwt), "")


def shopify(rng: random.Random) -> Request:
    """Shops: carts, checkouts, product feeds, Liquid."""
    kind = rng.randint(0, 4)
    if kind == 0:
        return (
            "POST",
            "/cart/add.js",
            "",
            headers(rng, FORM),
            urlencode([("id", str(rng.randint(10**10, 10**11))), ("quantity", "1"), ("properties[Engraving]", rng.choice(PROSE)[:40]), ("properties[_gift]", 'Yes; wrap it & add card: "Love, Mum"'), ("form_type", "product"), ("utf8", "✓"), ("sections", "cart-items,cart-icon-bubble")]),
        )
    if kind == 1:
        return (
            "POST",
            "/checkouts/c/" + token(rng, 32, "0123456789abcdef"),
            "",
            headers(rng, FORM),
            urlencode(
                {
                    "_method": "patch",
                    "authenticity_token": token(rng, 86) + "==",
                    "previous_step": "contact_information",
                    "checkout[shipping_address][first_name]": rng.choice(FIRST),
                    "checkout[shipping_address][last_name]": rng.choice(LAST),
                    "checkout[shipping_address][address1]": rng.choice(PLACES),
                    "checkout[shipping_address][city]": rng.choice(CITIES),
                    "checkout[note]": rng.choice(PROSE),
                }
            ),
        )
    if kind == 2:
        return (
            "POST",
            "/webhooks/orders/create",
            "",
            headers(rng, "application/json", X_Shopify_Hmac_Sha256=token(rng, 43) + "=", X_Shopify_Topic="orders/create"),
            json.dumps(
                {
                    "id": 1,
                    "admin_graphql_api_id": "gid://shopify/Order/1",
                    "customer": {"first_name": rng.choice(FIRST), "last_name": rng.choice(LAST), "note": rng.choice(PROSE)},
                    "landing_site": "/?utm_source=x&gclid=" + token(rng, 30),
                    "referring_site": url(rng),
                    "note_attributes": [{"name": "gift", "value": "It's for Bob"}],
                    "line_items": [{"title": "Men's 1/2\" Bolt -- Pack", "variant_title": "L / Black", "price": "19.00"}],
                    "browser_ip": "198.51.100.2",
                    "body_html": "<p>Nice <strong>bolt</strong></p>",
                }
            ),
        )
    if kind == 3:
        return (
            "PUT",
            "/admin/api/2024-04/themes/1/assets.json",
            "",
            headers(rng, "application/json"),
            json.dumps({"asset": {"key": "snippets/price.liquid", "value": '{% if product.compare_at_price > product.price %}<s>{{ product.compare_at_price | money }}</s>{% endif %}\n<span class="price">{{ product.price | money }}</span>'}}),
        )
    return ("GET", "/collections/all", urlencode([("filter.v.price.gte", "10"), ("filter.p.m.custom.size", '8" x 10"'), ("filter.p.vendor", "L'Occitane"), ("sort_by", "price-ascending"), ("q", rng.choice(QUERIES)), ("_pos", "1"), ("_sid", token(rng, 9)), ("options[prefix]", "last"), ("page", "2")]), headers(rng), "")


def rest(rng: random.Random) -> Request:
    """JSON of ordinary APIs and their filter languages."""
    if rng.random() < 0.4:
        return ("GET", rng.choice(("/api/items", "/rest/v1/posts", "/v1/search", "/arcgis/rest/services/x/FeatureServer/0/query")), quote(rng.choice(FILTERS), safe="=&%"), headers(rng), "")
    body: dict[str, Any] = rng.choice(
        (
            {"user": {"name": person(rng), "bio": rng.choice(PROSE), "tags": ["a;b", "c|d", "#x"], "active": True, "meta": None}, "ids": [1, 2, 3]},
            {"op": "replace", "path": "/items/0/name", "value": rng.choice(PROSE), "from": "/a~1b"},
            {"jsonrpc": "2.0", "method": "user.update", "params": {"where": {"id": 1}, "set": {"name": person(rng)}}, "id": 1},
            {"filter": {"and": [{"property": "Status", "select": {"equals": "Done"}}, {"property": "Name", "title": {"contains": "x'"}}]}, "sorts": [{"property": "Date", "direction": "descending"}]},
            {"expression": "price * 1.2 + (qty > 10 ? 5 : 0)", "columns": ["id", "name"], "group_by": "country", "order_by": [{"field": "x", "dir": "desc"}]},
            {"cron": "*/5 * * * *", "command_name": "cleanup", "env": {"PATH": "/usr/bin:/bin", "HOME": "/home/app"}, "timeout": "30s"},
            {"rule": "level >= 'error' and not (service in ['a','b'])", "channels": ["#ops", "@here"], "template": "Alert: {{ alert.name }} is {{ alert.state }}"},
            {"model": "gpt-4", "messages": [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": prose(rng)}], "temperature": 0.2, "tools": [{"type": "function", "function": {"name": "exec_query", "parameters": {"type": "object"}}}]},
            {"title": rng.choice(PROSE), "url": url(rng), "image": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "color": "rgba(0,0,0,.5)", "css": "a > b { margin: 0 auto; }"},
            {"query": {"type": "timeseries", "expr": "avg:system.cpu.user{host:web-*} by {host}.rollup(avg, 60)", "from": "now-1h", "to": "now"}},
            {"name": "Deploy", "on": {"push": {"branches": ["main", "release/**"]}}, "uses": "actions/checkout@v4", "with": {"path": "./src", "ref": "${{ github.sha }}"}},
            {"schema": {"$id": "https://example.com/a.json", "$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "#/$defs/x", "pattern": "^(\\([0-9]{3}\\))?[0-9]{3}-[0-9]{4}$"}},
            {"geometry": {"type": "Point", "coordinates": [-122.4, 37.7]}, "wkt": "POLYGON((30 10, 40 40, 20 40, 10 20, 30 10))", "where": "area > 10"},
            {"to": ["a@example.com", "b@example.com"], "cc": [], "subject": rng.choice(PROSE)[:50], "html": f'<p>Hi {person(rng)},</p><p>{rng.choice(PROSE)}</p><img src="https://e.example.com/o.gif" width="1">', "text": prose(rng), "reply_to": "Support <help@example.com>"},
        )
    )
    return (rng.choice(("POST", "PUT", "PATCH")), rng.choice(("/api/v1/users/1", "/api/rules", "/graph/items")), "", headers(rng, "application/json"), json.dumps(body, ensure_ascii=rng.random() < 0.5))


GRAPH = (
    "query Products($first: Int!, $after: String, $q: String) {\n  products(first: $first, after: $after, query: $q, sortKey: PRICE) {\n    edges { cursor node { id title ...Img @include(if: true) } }\n    pageInfo { hasNextPage }\n  }\n}\nfragment Img on Product { featuredImage { url(transform: {maxWidth: 200}) altText } }",
    "mutation UpdateUser($input: UserInput!) { updateUser(input: $input) { user { id name } errors { field message } } }",
    "query { viewer { login repositories(first: 10, orderBy: {field: UPDATED_AT, direction: DESC}) { nodes { nameWithOwner } } } }",
    "subscription OnMsg($room: ID!) { message(room: $room) { id body author { name } } }",
    'query Search { search(query: "it\'s \\"new\\" (2024)", type: ISSUE, first: 5) { issueCount } }',
    'query Q($where: users_bool_exp = {name: {_like: "%O\'B%"}, _or: [{age: {_gt: 3}}]}) { users(where: $where, order_by: {id: desc}, limit: 10) { id } }',
    "query getUser { user(id: 1) { __typename ... on Admin { role } select: name from: city } }",
)


def graphql(rng: random.Random) -> Request:
    """GraphQL that clients send."""
    body = {"operationName": "Q", "query": rng.choice(GRAPH), "variables": {"first": 10, "q": rng.choice(QUERIES), "input": {"name": person(rng), "note": rng.choice(PROSE)}, "where": {"price": {"_gt": 1}}}, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": token(rng, 64, "0123456789abcdef")}}}
    if rng.random() < 0.25:
        return ("GET", "/graphql", urlencode({"query": body["query"], "variables": json.dumps(body["variables"])}), headers(rng), "")
    if rng.random() < 0.1:
        return "POST", "/graphql", "", headers(rng, "application/graphql"), rng.choice(GRAPH)
    return ("POST", "/graphql", "", headers(rng, "application/json"), json.dumps([body] if rng.random() < 0.2 else body))


def elastic(rng: random.Random) -> Request:
    """Search engines' query languages."""
    if rng.random() < 0.3:
        return ("POST", "/_msearch", "", headers(rng, "application/x-ndjson"), '{"index":"logs-*"}\n' + json.dumps({"query": {"query_string": {"query": 'message:(error OR "not found") AND NOT level:debug AND host:web-0?', "default_operator": "AND"}}, "size": 10}) + "\n")
    if rng.random() < 0.3:
        return (
            "POST",
            "/indexes/movies/search",
            "",
            headers(rng, "application/json"),
            json.dumps({"q": rng.choice(QUERIES), "filter": "genres = 'Drama' AND (year >= 2000 OR rating > 4) AND NOT title = \"O'Hara\"", "sort": ["year:desc"], "facets": ["*"], "attributesToHighlight": ["*"], "highlightPreTag": "<em>", "highlightPostTag": "</em>"}),
        )
    if rng.random() < 0.4:
        return (
            "POST",
            "/1/indexes/*/queries",
            "x-algolia-agent=" + quote("Algolia for JavaScript (4.23.3); Browser (lite); instantsearch.js (4.66.1)"),
            headers(rng, FORM),
            json.dumps({"requests": [{"indexName": "prod", "params": urlencode({"query": rng.choice(QUERIES), "facetFilters": '[["brand:L\'Oréal","brand:H&M"],["size:M"]]', "filters": 'price < 100 AND NOT category:"a"', "highlightPreTag": "__ais-highlight__", "numericFilters": '["price>=10"]', "tagFilters": ""})}]}),
        )
    return (
        "POST",
        "/products/_search",
        "",
        headers(rng, "application/json"),
        json.dumps(
            {
                "from": 0,
                "size": 20,
                "query": {"bool": {"must": [{"multi_match": {"query": rng.choice(QUERIES), "fields": ["title^3", "body"], "fuzziness": "AUTO"}}], "filter": [{"range": {"price": {"gte": 1, "lt": 99}}}, {"term": {"status": "live"}}, {"exists": {"field": "img"}}], "must_not": [{"wildcard": {"sku": "x*"}}]}},
                "script_fields": {"d": {"script": {"lang": "painless", "source": "doc['price'].value * params.f", "params": {"f": 1.2}}}},
                "aggs": {"b": {"terms": {"field": "brand", "order": {"_count": "desc"}}}},
                "sort": [{"_score": "desc"}],
                "_source": ["id", "title"],
                "highlight": {"pre_tags": ["<b>"], "fields": {"*": {}}},
            }
        ),
    )


def jira(rng: random.Random) -> Request:
    """Query languages of business software."""
    kind = rng.randint(0, 4)
    if kind == 0:
        return ("GET", "/rest/api/2/search", urlencode({"jql": rng.choice(JQL), "startAt": "0", "maxResults": "50", "fields": "summary,status,*navigable"}), headers(rng), "")
    if kind == 1:
        return ("POST", "/rest/api/3/search", "", headers(rng, "application/json"), json.dumps({"jql": rng.choice(JQL), "fields": ["summary"], "expand": ["names"]}))
    if kind == 2:
        return ("GET", "/wiki/rest/api/content/search", urlencode({"cql": rng.choice(CQL), "expand": "body.storage,version"}), headers(rng), "")
    if kind == 3:
        return ("GET", "/services/data/v60.0/query", urlencode({"q": rng.choice(SOQL)}), headers(rng), "")
    return "GET", "/odata/Products", quote(rng.choice(ODATA), safe="=&$'(),"), headers(rng), ""


def webhooks(rng: random.Random) -> Request:
    """Slack, Twilio, GitLab, Jira, SendGrid, Mailgun, Zendesk, Discord, Telegram."""
    kind = rng.randint(0, 8)
    text = prose(rng)
    if kind == 0:
        return (
            "POST",
            "/slack/events",
            "",
            headers(rng, "application/json", X_Slack_Signature="v0=" + token(rng, 64, "0123456789abcdef")),
            json.dumps({"token": "x", "type": "event_callback", "event": {"type": "message", "text": f"<@U123> {text} <https://example.com/a?b=1|link> &amp; &lt;b&gt;", "blocks": [{"type": "rich_text", "elements": [{"type": "text", "text": rng.choice(REVIEWS)}]}], "ts": "1715.0001"}}),
        )
    if kind == 1:
        return ("POST", "/slack/command", "", headers(rng, FORM), urlencode({"command": "/deploy", "text": rng.choice(("api to prod --force", "help", "rollback web; notify @ops", "status | all")), "response_url": "https://hooks.slack.com/commands/T1/2/x", "trigger_id": "1.2.a", "user_name": "o.brien"}))
    if kind == 2:
        return ("POST", "/twilio/sms", "", headers(rng, FORM, X_Twilio_Signature=token(rng, 27) + "="), urlencode({"ToCountry": "US", "SmsMessageSid": "SM" + token(rng, 32, "0123456789abcdef"), "FromCity": rng.choice(CITIES), "Body": text[:150], "From": "+15550100", "NumMedia": "0"}))
    if kind == 3:
        return (
            "POST",
            "/gitlab",
            "",
            headers(rng, "application/json", X_Gitlab_Event="Note Hook"),
            json.dumps(
                {
                    "object_kind": "note",
                    "project": {"git_ssh_url": "git@gitlab.example.com:a/b.git", "git_http_url": "http://127.0.0.1/a/b.git"},
                    "object_attributes": {"note": rng.choice(REVIEWS), "st_diff": {"diff": "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n-import os\n+import sys\n", "new_path": "../x.py"}, "url": "http://127.0.0.1/a/b/merge_requests/1#note_2"},
                }
            ),
        )
    if kind == 4:
        return (
            "POST",
            "/jira/hook",
            "",
            headers(rng, "application/json"),
            json.dumps(
                {
                    "webhookEvent": "jira:issue_updated",
                    "issue": {"key": "AB-1", "fields": {"summary": rng.choice(PROSE), "description": "h1. Steps\n# open {{/var/log/app.log}}\n{code:java}\nSystem.exit(1);\n{code}\n" + text, "customfield_1": None}},
                    "changelog": {"items": [{"field": "status", "fromString": "Open", "toString": "Done"}]},
                }
            ),
        )
    if kind == 5:
        return (
            "POST",
            "/sendgrid",
            "",
            headers(rng, "application/json"),
            json.dumps(
                [
                    {
                        "email": "o'neil@example.com",
                        "event": "click",
                        "url": url(rng),
                        "useragent": rng.choice(AGENTS),
                        "sg_message_id": token(rng, 22) + ".filter0001.1234.5",
                        "reason": "550 5.1.1 <x@y.example>: Recipient address rejected: User unknown in local recipient table",
                        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
                        "category": ["a b", "c"],
                    }
                ]
            ),
        )
    if kind == 6:
        return (
            "POST",
            "/mailgun",
            "",
            headers(rng, FORM),
            urlencode(
                {
                    "sender": "bob@example.com",
                    "From": f"{person(rng)} <bob@example.com>",
                    "subject": "Re: " + rng.choice(PROSE)[:60],
                    "body-plain": text + "\r\n\r\nOn Mon, 6 May 2024 at 12:00, Ann <ann@example.com> wrote:\r\n> " + rng.choice(PROSE),
                    "body-html": f'<div dir="ltr">{text}<br><blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid">{rng.choice(PROSE)}</blockquote></div>',
                    "message-headers": json.dumps([["Received", "from mail.example.com (mail.example.com [203.0.113.4]) by mx; Mon, 6 May 2024 12:00:00 +0000"], ["Content-Type", 'multipart/alternative; boundary="000a"'], ["Subject", "x"]]),
                    "Content-Type": 'multipart/alternative; boundary="000a"',
                }
            ),
        )
    if kind == 7:
        return ("POST", "/telegram", "", headers(rng, "application/json"), json.dumps({"update_id": 1, "message": {"chat": {"id": -1, "title": "R&D"}, "text": rng.choice(("/start ref_1", "/help@bot", text)), "entities": [{"offset": 0, "length": 6, "type": "bot_command"}]}}))
    return ("POST", "/zendesk", "", headers(rng, "application/json"), json.dumps({"ticket": {"subject": rng.choice(PROSE)[:60], "comment": {"body": text, "html_body": f'<div class="zd-comment" dir="auto"><p>{text}</p></div>'}, "requester": {"name": person(rng)}, "via": "web_form; api"}}))


def prose_post(rng: random.Random) -> Request:
    """People writing."""
    return send(rng, {rng.choice(("message", "comment", "body", "review", "description", "q")): prose(rng), "name": person(rng), "rating": "5"}, rng.choice(("/contact", "/comments", "/reviews")))


def multilingual(rng: random.Random) -> Request:
    """People writing in other languages."""
    return send(rng, {rng.choice(("message", "kommentar", "texte", "名前")): " ".join(rng.sample(MULTI, rng.randint(1, 2))), "q": rng.choice(MULTI)[:30]}, rng.choice(("/kontakt", "/avis", "/コメント".encode().decode("utf-8"), "/contact")) if rng.random() < 0.3 else "/contact")


def reviews(rng: random.Random) -> Request:
    """Code reviews, commit texts, chat about code."""
    body = "\n".join(rng.sample(REVIEWS, rng.randint(1, 2)))
    return send(rng, {"body": body, "path": rng.choice(("src/app.py", "lib/../x.rb", "web/index.php", "Dockerfile", ".github/workflows/ci.yml")), "line": "12", "commit_id": token(rng, 40, "0123456789abcdef")}, "/repos/acme/app/pulls/12/comments")


def markdown(rng: random.Random) -> Request:
    """Markdown documents."""
    return send(rng, {"title": rng.choice(PROSE)[:40], "content": "\n\n".join((*rng.sample(MARKDOWN, rng.randint(1, 2)), prose(rng, 2)))}, "/posts")


def search(rng: random.Random) -> Request:
    """Search boxes."""
    q = quote(rng.choice(QUERIES), safe=rng.choice(("", "'()!*", "'\"|<>")))
    q = q.replace("%20", rng.choice(("+", "%20")))
    return ("GET", rng.choice(("/search", "/s", "/suche", "/autocomplete", "/")), f"{rng.choice(('q', 's', 'query', 'term', 'keyword', 'k'))}={q}&page={rng.randint(1, 9)}&sort={rng.choice(('price_desc', 'relevance', '-date', 'name asc'.replace(' ', '%20')))}", headers(rng), "")


HTML = (
    '<h2>News</h2><p style="text-align: center;">It\'s <em>new</em> &amp; <a href="https://example.com/?a=1&amp;b=2" target="_blank" rel="noopener">here</a>.</p>',
    '<p><img class="alignnone size-medium wp-image-12" src="https://example.com/wp-content/uploads/2024/05/a-300x200.jpg" alt="a" width="300" height="200" /></p>',
    '<!-- wp:paragraph {"align":"center"} --><p class="has-text-align-center">Text</p><!-- /wp:paragraph --><!-- wp:image {"id":12,"sizeSlug":"large"} --><figure class="wp-block-image size-large"><img src="https://example.com/a.jpg" alt=""/></figure><!-- /wp:image -->',
    '<table border="1" cellpadding="5"><tbody><tr><td style="width:50%">a</td><td>b</td></tr></tbody></table><ul><li>x</li></ul>',
    '<iframe width="560" height="315" src="https://www.youtube.com/embed/dQw4w9WgXcQ" title="YouTube" frameborder="0" allow="accelerometer; autoplay; clipboard-write" allowfullscreen></iframe>',
    '<blockquote class="twitter-tweet"><p lang="en" dir="ltr">Hi</p>&mdash; A (@a) <a href="https://twitter.com/a/status/1">May 1</a></blockquote>',
    '<div style="background:url(\'https://example.com/bg.png\') no-repeat; color:#333"><span data-mce-style="x">y</span></div>',
    "<p>O'Brien's &ldquo;deal&rdquo; &ndash; 50&nbsp;% off;&nbsp;<strong>today</strong><br />select yours</p><hr />",
    '[caption id="a" width="300"]<img src="/a.jpg"> text[/caption] [gallery ids="1,2,3"] [contact-form-7 id="12"]',
    '{{block class="Magento\\Cms\\Block\\Block" block_id="x"}} <img src="{{media url="a.jpg"}}"/>',
    '<style>.a>b{color:red}@media (max-width:600px){.a{display:none}}</style><div class="a">x</div>',
    '<figure><video controls src="/m.mp4"></video><figcaption>Cap</figcaption></figure><svg viewBox="0 0 10 10"><path d="M0 0L10 10"/></svg>',
    '<form action="https://list.example.com/subscribe/post?u=1&amp;id=2" method="post"><input type="email" name="EMAIL"><input type="submit" value="Go"></form>',
)


def cms(rng: random.Random) -> Request:
    """Posts of rich-text editors."""
    html = "\n".join(rng.sample(HTML, rng.randint(1, 3)))
    return send(rng, {"post_title": rng.choice(PROSE)[:50], "content": html, "excerpt": "", "post_status": "publish", "_wpnonce": token(rng, 10)}, rng.choice(("/wp-admin/post.php", "/admin/pages/12/edit", "/wp-json/wp/v2/posts/12")))


def cookies(rng: random.Random) -> Request:
    """Cookies of consent tools, analytics and frameworks."""
    jar = [
        f"_ga=GA1.1.{rng.randint(10**8, 10**9)}.1715000000",
        "_ga_ABC=GS1.1.1715.3.1.1715.0.0.0",
        "_gcl_au=1.1.12.1715",
        "_fbp=fb.1.1715.99",
        "OptanonConsent=isGpcEnabled=0&datestamp=Mon+May+06+2024+12%3A00%3A00+GMT%2B0200+(Central+European+Summer+Time)&version=202403.1.0&hosts=&consentId=" + ident(rng) + "&interactionCount=1&landingPath=NotLandingPage&groups=C0001%3A1%2CC0002%3A0&geolocation=DE%3BBE",
        "CookieConsent={stamp:%27" + token(rng, 20) + "==%27%2Cnecessary:true%2Cpreferences:true%2Cmethod:%27explicit%27%2Cver:1%2Cutc:1715%2Cregion:%27de%27}",
        "ajs_anonymous_id=%22" + ident(rng) + "%22",
        "mp_abc_mixpanel=" + quote(json.dumps({"distinct_id": "$device:" + token(rng, 20), "$initial_referrer": "$direct", "utm_source": "x"})),
        "_hjSessionUser_1=" + base64.b64encode(json.dumps({"id": ident(rng), "created": 1715, "existing": True}).encode()).decode(),
        "session=" + base64.urlsafe_b64encode(json.dumps({"user": "o'b", "cart": [1, 2]}).encode()).decode().rstrip("=") + "." + token(rng, 6) + "." + token(rng, 27),
        "laravel_session=" + quote(base64.b64encode(json.dumps({"iv": token(rng, 22) + "==", "value": token(rng, 60), "mac": token(rng, 64, "0123456789abcdef"), "tag": ""}).encode()).decode()),
        "connect.sid=s%3A" + token(rng, 32) + "." + quote(token(rng, 43)),
        "wordpress_logged_in_1=admin%7C1715%7C" + token(rng, 43) + "%7C" + token(rng, 64, "0123456789abcdef"),
        "PHPSESSID=" + token(rng, 26, string.ascii_lowercase + string.digits),
        "JSESSIONID=" + token(rng, 32, "0123456789ABCDEF") + ".node1",
        "__cf_bm=" + token(rng, 43) + "-1715-1.0.1.1-" + token(rng, 80, string.ascii_letters + "._"),
        "euconsent-v2=CP" + token(rng, 200) + ".YAAAAAAAAAAA",
        "intercom-session-x=" + token(rng, 60) + "--" + token(rng, 40, "0123456789abcdef"),
        "ph_phc_x_posthog=" + quote(json.dumps({"distinct_id": ident(rng), "$sesid": [1715, ident(rng), 1715], "$initial_person_info": {"r": "$direct", "u": url(rng)}})),
        "sbjs_current=typ%3Dorganic%7C%7C%7Csrc%3Dgoogle%7C%7C%7Cmdm%3Dorganic%7C%7C%7Ccmp%3D%28none%29",
        "sbjs_udata=vst%3D1%7C%7C%7Cuip%3D%28none%29%7C%7C%7Cuag%3DMozilla%2F5.0%20%28Windows%20NT%2010.0%29",
        "recently_viewed=12,13,14",
        'store={"id":12,"name":"St. John\'s"}',
        "last_search=" + quote(rng.choice(QUERIES)),
        "AMCV_1%40AdobeOrg=-1124106680%7CMCIDTS%7C19850%7CMCMID%7C" + str(rng.getrandbits(120)) + "%7CMCAAMLH-1%7C6%7CvVersion%7C5.2.0",
        "s_sq=%5B%5BB%5D%5D",
        "_uetsid=" + token(rng, 32, "0123456789abcdef"),
        "theme=dark",
        "tz=Europe/Berlin",
        "redirect_after_login=" + quote(url(rng), safe=""),
        "datadome=" + token(rng, 80, string.ascii_letters + "~_"),
        "ak_bmsc=" + token(rng, 40) + "~000000~YAAQ" + token(rng, 80, string.ascii_letters + "+/") + "=",
    ]
    return ("GET", rng.choice(("/", "/account", "/p/12")), "", headers(rng, Cookie="; ".join(rng.sample(jar, rng.randint(3, 9)))), "")


def header_mix(rng: random.Random) -> Request:
    """Uncommon, legitimate headers."""
    pool = {
        "If-None-Match": rng.choice(('W/"5e-18f3"', '"a;b"', '"' + token(rng, 20) + '--gzip"')),
        "Sec-CH-UA": '"Not/A)Brand";v="8", "Chromium";v="126", "Google Chrome";v="126"',
        "X-Forwarded-For": "203.0.113.7, 10.0.0.5, 127.0.0.1",
        "Forwarded": 'for="[2001:db8::1]:4711";proto=https;by=10.0.0.1;host="shop.example.com"',
        "Via": "1.1 varnish, 2.0 cloudfront.net (CloudFront)",
        "traceparent": f"00-{token(rng, 32, '0123456789abcdef')}-{token(rng, 16, '0123456789abcdef')}-01",
        "tracestate": "dd=s:1;o:rum,congo=t61rcWkgMzE",
        "baggage": "sentry-environment=prod,sentry-release=web%401.2,userId=a%27b",
        "X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678;Parent=53;Sampled=1",
        "newrelic": base64.b64encode(b'{"v":[0,1],"d":{"ty":"Browser","ac":"1"}}').decode(),
        "Range": "bytes=0-499, -500",
        "Cache-Control": "max-age=0, no-cache",
        "DPoP": "ey" + token(rng, 60) + ".ey" + token(rng, 60) + "." + token(rng, 60),
        "Signature": "sig1=:" + token(rng, 80) + "==:",
        "Signature-Input": 'sig1=("@method" "@authority" "content-digest");created=1715;keyid="k"',
        "Digest": "SHA-256=" + token(rng, 43) + "=",
        "Link": '<https://example.com/?page=2>; rel="next", <https://example.com/?page=5>; rel="last"',
        "Accept": "application/vnd.github+json; q=1, text/html;level=1, */*;q=0.1",
        "Authorization": rng.choice(
            (
                "Basic " + base64.b64encode(b"o'brien:p4$$;w--0rd").decode(),
                'Digest username="bob", realm="a b", nonce="x", uri="/dir/index.html?a=1", qop=auth, nc=00000001, cnonce="0a", response="66"',
                "AWS4-HMAC-SHA256 Credential=AKIA/20240501/us-east-1/s3/aws4_request, SignedHeaders=host;range;x-amz-date, Signature=fe5f",
                "Bearer " + token(rng, 40),
            )
        ),
        "Referer": rng.choice((url(rng), "https://www.google.com/search?q=" + quote(rng.choice(QUERIES)), "https://t.co/", "android-app://com.slack/", "http://localhost:8080/admin/?next=/x")),
        "X-Requested-With": "XMLHttpRequest",
        "X-Client-Data": token(rng, 60) + "==",
        "Priority": "u=1, i",
        "Sec-Fetch-Dest": "empty",
        "NEL": '{"report_to":"x","max_age":1}',
        "X-Datadog-Tags": "_dd.p.tid=66,_dd.p.dm=-1",
        "From": "bot@example.com (Example Bot)",
        "Depth": "1",
        "Destination": "http://shop.example.com/dav/O'Brien%20(1).docx",
        "If": "(<opaquelocktoken:f81d4fae-7dec-11d0>)",
        "User-Agent": rng.choice(AGENTS),
        "X-Note": rng.choice(PROSE)[:60],
    }
    chosen = {k: pool[k] for k in rng.sample(sorted(pool), rng.randint(3, 8))}
    return "GET", "/", "", headers(rng) | chosen, ""


def url_params(rng: random.Random) -> Request:
    """URLs inside parameters."""
    u = rng.choice(
        (
            url(rng),
            "http://localhost:3000/callback?x=1",
            "/relative/path?x=y#z",
            "https://user@example.com/x",
            "https://xn--mller-kva.example/",
            "https://example.com:8443/a;b=c/d",
            "https://res.cloudinary.com/demo/image/upload/w_300,h_200,c_fill,e_art:audrey/l_text:Arial_80:Hi%20there/sample.jpg",
            "mailto:a@example.com?subject=Hi&body=it's",
            "tel:+15550100",
            "myapp://open?x=1",
            "ipfs://bafy/x",
            "s3://bucket/key with space.csv",
            "https://web.archive.org/web/2020/http://example.com/a.php?id=1",
            "https://maps.google.com/maps?q=48.8584,2.2945&ll=1,2&z=17&hl=en",
            "https://translate.google.com/translate?sl=auto&tl=en&u=http%3A%2F%2Fexample.de%2Findex.php%3Fid%3D1",
            "https://i0.wp.com/example.com/a.jpg?resize=300%2C200&ssl=1",
            "https://example.com/redirect?url=https%3A%2F%2Fother.example%2F%3Fa%3D1%26b%3D2",
            "blob:https://example.com/" + ident(rng),
            "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==",
            "http://192.168.1.20:8123/api/hooks",
            "https://192.0.2.10/status",
            "webcal://cal.example.com/a.ics",
            "git+ssh://git@github.com/acme/app.git#v1.2",
            "https://example.com/#!/products?sort=asc&f[]=a",
            "https://bit.ly/3xYz?utm=it's",
        )
    )
    field = rng.choice(("url", "u", "next", "redirect_uri", "return_to", "image", "src", "link", "callback", "webhook_url", "ref", "continue"))
    if u.startswith(("http://192", "http://localhost")):
        field = rng.choice(("next", "redirect_uri", "return_to", "callback", "ref"))
    return send(rng, {field: u, "w": "640", "q": "75"}, rng.choice(("/_next/image", "/oembed", "/share", "/login", "/api/links")))


def passwords(rng: random.Random) -> Request:
    """Logins with strong passwords."""
    strong = rng.choice(
        (
            "p4$$w0rd!",
            "it's;me--2024",
            "' or not",
            "Tr0ub4dor&3",
            "a<b>c\"d'e",
            "$(money)Maker$",
            "`tick`tock`",
            "x=1;y=2",
            "../up&down",
            "{{curly}}",
            "100%_Sure|ok",
            "\\back\\slash",
            "corr ect-horse; battery",
            "#hash'tag\"",
            "<3forever",
            "&&||!!",
            "${dollar}",
            "SELECT*me",
            "O'Brien-1=1?",
            token(rng, 20, string.printable[:94]),
            token(rng, 16, string.printable[:94]),
            token(rng, 24, string.ascii_letters + "'\";-=|&$`()<>{}[]"),
        )
    )
    if len(strong) >= 16:
        strong = strong.replace("<s", "<5")
    return send(
        rng, {"username": rng.choice(("bob", "o'brien@example.com", "ann.d'arc", "user+tag@example.com", "DOMAIN\\bob")), rng.choice(("password", "passwd", "pwd", "new_password", "user[password]")): strong, "remember": "on", "csrf_token": token(rng, 43)}, rng.choice(("/login", "/account/password", "/register"))
    )


def names(rng: random.Random) -> Request:
    """Names and short fields."""
    return send(
        rng,
        {
            "first_name": rng.choice(FIRST),
            "last_name": rng.choice(LAST),
            "company": rng.choice(("Smith & Sons; Ltd.", "AT&T", "O'Reilly Media", "1-800-Flowers", "Yahoo!", "E*TRADE", "</Code> Academy", "Select Union Bank", "Drop Table Coffee", "Mom 'n' Pop's", "{curly} Brackets GmbH", "C++ Works", "Null Island, Inc.", "ACME | Tools")),
            "title": rng.choice(("Dr.", "Prof. (em.)", "Mr/Mrs")),
            "nick": rng.choice(("x_X'dark'X_x", "root", "admin", "<<kevin>>", "~*star*~", "--dash--", "a'b", "l33t;h4x", "john.doe", "user=1")),
        },
        "/profile",
    )


def addresses(rng: random.Random) -> Request:
    """Addresses."""
    return send(
        rng,
        {
            "street": f"{rng.randint(1, 999)} {rng.choice(PLACES)}",
            "city": rng.choice(CITIES),
            "zip": rng.choice(("12345-6789", "SW1A 1AA", "D-10115", "〒100-0001", "K1A 0B1")),
            "country": rng.choice(("Côte d'Ivoire", "US", "Germany", "Lao People's Democratic Republic")),
            "note": rng.choice(("Ring bell #2; if no answer, leave @ porch", "gate code: *1234#", "c/o O'Neil -- 2nd floor", "no junk & no ads", "L&R of door; 3' from wall", "Bldg A | Apt 1=left")),
            "phone": "+49 (0)30/123 45-67",
        },
        "/checkout/address",
    )


def math(rng: random.Random) -> Request:
    """Formulas, spreadsheets, scientific notation."""
    return send(
        rng,
        {
            rng.choice(("formula", "expr", "answer", "cell")): rng.choice(
                (
                    "=SUM(A1:A10)",
                    '=IF(A1>10,"yes","no")',
                    "=VLOOKUP(B2,'Sheet 1'!$A$1:$C$9,3,FALSE)",
                    "x^2+2*x+1=0",
                    "f(x)=sin(x)/x; x!=0",
                    "a<b && b<c || a==c",
                    "\\frac{1}{2}\\sum_{i=0}^{n} i^2",
                    "2+2=4",
                    "(1+2)*3-4/5",
                    "1e-5*3.2E+4",
                    "|x-1|<=3",
                    "x in {1,2,3}",
                    "E=mc^2",
                    "7*7",
                    "{1,2;3,4}",
                    "P(A|B)=P(A&B)/P(B)",
                    "1/0",
                    "n!/(k!(n-k)!)",
                    "0x7f + 0b101",
                    "log(1+x)~x",
                    "$x_1$ and $x_2$",
                    "a[i]=b[j]*2;",
                    "y = m*x + c  # slope",
                    "(a and b) or not c",
                    "p ∨ ¬q ⇒ r",
                    "3 > 2 > 1",
                    "Σ x_i/n",
                    "@SUM(A1..A5)",
                    '=CONCATENATE(A1," ",B1)&"!"',
                    '=HYPERLINK("https://example.com","x")',
                    "[1,2,3].map(x => x*2)",
                    "SELECT(A,B)",
                    "-b ± √(b²-4ac)",
                    "1 or 2",
                    "5'3\" - 4'11\"",
                )
            ),
            "id": str(rng.randint(1, 99)),
            "unit": "m/s^2",
        },
        "/quiz/answer",
    )


def paths(rng: random.Random) -> Request:
    """Paths that legacy and modern sites serve."""
    path = rng.choice(
        (
            "/index.php",
            "/forum/viewtopic.php",
            "/logs/2024-05-01.log",
            "/files/nginx.conf",
            "/docs//intro.html",
            "/app;jsessionid=" + token(rng, 32, "0123456789ABCDEF"),
            "/shop.jsp;jsessionid=A1.node0",
            "/cgi-bin/koha/opac-search.pl",
            "/wiki/C%2B%2B",
            "/wiki/O%27Reilly_Auto_Parts",
            "/wiki/Select_(SQL)",
            "/wiki/Special:Search",
            "/a/b/c.d/e~f/(g)/h,i;j=k",
            "/search/red%20shoes/",
            "/tag/%23sale",
            "/@user/posts",
            "/users/~bob/public_html/",
            "/assets/app-" + token(rng, 8) + ".js.map",
            "/static/js/2.chunk.js",
            "/.well-known/acme-challenge/" + token(rng, 43),
            "/.well-known/openid-configuration",
            "/.well-known/apple-app-site-association",
            "/api/v1/files/report%20(final)%20v2.1.pdf",
            "/download/file.tar.gz",
            "/package/@scope%2fname",
            "/repo/raw/main/.gitignore",
            "/repo/blob/main/src/etc/passwd_reader.py",
            "/Content/themes/base/jquery-ui.css",
            "/WebResource.axd",
            "/umbraco/",
            "/Default.aspx",
            "/browserconfig.xml",
            "/wp-login.php",
            "/wp-json/",
            "/wp-content/plugins/x/readme.txt",
            "/xmlrpc.php",
            "/wp-admin/admin-ajax.php",
            "/feed/",
            "/robots.txt",
            "/ads.txt",
            "/favicon.ico",
            "/health",
            "/metrics",
            "/admin/login/",
            "/administrator/index.php",
            "/user/login",
            "/phpBB3/viewforum.php",
            "/servlet/Main",
            "/etc/",
            "/bin/",
            "/proc/",
            "/images/..jpg",
            "/v1/projects/a:predict",
            "/sites/default/files/styles/x/public/a.jpg",
            "/de-de/l%27or%C3%A9al",
            "/ko/%ED%95%9C%EA%B5%AD",
            "/2024/05/06/how-to-select-from-a-table-where-x-or-y/",
            "/exec/obidos/ASIN/1",
            "/system/modules",
            "/cat/dog/",
            "/config/settings",
            "/backup-plans",
            "/test.html",
            "/nl/'s-gravenhage",
            "/debug-your-code",
            "/sql-basics",
            "/env",
            "/shell-stations",
            "/env.js",
            "/config.json",
            "/manifest.json",
            "/git/tutorial",
            "/docker/compose",
        )
    )
    query = rng.choice(
        (
            "",
            "",
            "id=12&page=2",
            "f=3&t=1234&sid=" + token(rng, 32, "0123456789abcdef"),
            "v=1.2.3",
            "title=Union_(Set)&action=edit&section=1",
            "d=abc&t=6",
            "ver=6.5.2",
            "_=1715000000",
            "C=M;O=A",
            "file=report.pdf",
            "path=/docs/2024/",
            "module=a&action=b&cmd=view",
            "page=about.php",
            "lang=en_US",
            "view=article&layout=default",
            "dir=asc&sort=name",
            "include=author,tags",
            "template=full-width.php",
            "log=1",
            "debug=false",
            "download=invoice_12.pdf",
            "folder=/Photos/2024",
            "filename=O%27Brien%20(1).docx",
            "wsdl",
            "edit",
            "4",
            "a[]=1&a[]=2",
            "=",
            "&&",
            "x",
            "q=",
            "%20",
        )
    )
    return "GET", path, query, headers(rng), ""


def sentry(rng: random.Random) -> Request:
    """Sentry envelopes and CSP reports."""
    frame = [
        {"filename": "/app/src/db.py", "function": "execute", "lineno": 42, "context_line": '    cursor.execute("SELECT * FROM users WHERE id = %s", (uid,))', "pre_context": ["import os", "def f():"], "vars": {"self": "<db.Conn object at 0x7f>", "uid": "12", "env": "os.environ"}, "abs_path": "/usr/lib/python3/x.py"},
        {"filename": "webpack:///./src/a.js", "function": "HTMLDocument.<anonymous>", "context_line": "{snip} el.innerHTML='<b>'+x+'</b>';eval(y) {snip}"},
    ]
    event = {
        "event_id": token(rng, 32, "0123456789abcdef"),
        "level": "error",
        "exception": {
            "values": [
                {
                    "type": rng.choice(("OperationalError", "TypeError", "java.lang.NullPointerException")),
                    "value": rng.choice(
                        (
                            '(1064, "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version")',
                            "Cannot read properties of undefined (reading 'length')",
                            "[Errno 2] No such file or directory: '/etc/app/config.yml'",
                            'near "FROM": syntax error',
                            "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
                        )
                    ),
                    "stacktrace": {"frames": frame},
                }
            ]
        },
        "breadcrumbs": [
            {"category": "ui.click", "message": 'div#app > button.btn[type="submit"]'},
            {"category": "console", "message": rng.choice(REVIEWS)},
            {"category": "query", "message": 'SELECT "id" FROM "t" WHERE (a = 1 OR b = \'x\') LIMIT 21'},
            {"category": "fetch", "data": {"url": "http://localhost:8000/api/x?y=1", "status_code": 500}},
        ],
        "request": {"url": url(rng), "headers": {"User-Agent": rng.choice(AGENTS), "Cookie": "[Filtered]"}},
        "user": {"ip_address": "{{auto}}"},
        "contexts": {"os": {"name": "Linux", "kernel_version": "#1 SMP PREEMPT"}},
        "sdk": {"name": "sentry.javascript.browser"},
    }
    if rng.random() < 0.25:
        return (
            "POST",
            "/csp-report",
            "",
            headers(rng, "application/csp-report"),
            json.dumps(
                {
                    "csp-report": {
                        "document-uri": url(rng),
                        "violated-directive": "script-src-elem",
                        "original-policy": "default-src 'self'; script-src 'self' 'unsafe-inline' https://cdn.example.com; img-src * data:; report-uri /csp",
                        "blocked-uri": rng.choice(("inline", "eval", "data", "https://ads.example.net/x.js")),
                        "script-sample": "document.write('<scr'",
                        "line-number": 1,
                    }
                }
            ),
        )
    return (
        "POST",
        "/api/1/envelope/",
        "sentry_key=" + token(rng, 32, "0123456789abcdef") + "&sentry_version=7&sentry_client=sentry.javascript.browser%2F8.0.0",
        headers(rng, rng.choice(("text/plain;charset=UTF-8", "application/x-sentry-envelope"))),
        json.dumps({"event_id": event["event_id"], "sent_at": "2024-05-06T12:00:00Z", "dsn": "https://k@o1.ingest.sentry.io/1"}) + '\n{"type":"event"}\n' + json.dumps(event) + "\n",
    )


def otel(rng: random.Random) -> Request:
    """OpenTelemetry, Datadog and log shippers as JSON."""
    attrs = [
        {"key": "http.url", "value": {"stringValue": url(rng)}},
        {"key": "db.statement", "value": {"stringValue": rng.choice(("SELECT * FROM orders WHERE id = ?", "INSERT INTO t (a, b) VALUES ($1, $2) RETURNING id", "UPDATE users SET last_login = NOW() WHERE id = 7", "GET user:12", 'db.users.find({"_id":{"$in":[1,2]}})'))}},
        {"key": "process.command_line", "value": {"stringValue": "/usr/bin/python3 -m gunicorn app:app --bind 0.0.0.0:8000"}},
        {"key": "exception.stacktrace", "value": {"stringValue": 'Traceback (most recent call last):\n  File "/app/a.py", line 1, in <module>\n    import os\nValueError: bad'}},
    ]
    if rng.random() < 0.3:
        return (
            "POST",
            "/api/v2/rum",
            "ddsource=browser&ddtags=" + quote("sdk_version:5.17.1,env:prod,service:web,version:1.2"),
            headers(rng, "text/plain;charset=UTF-8"),
            "\n".join(json.dumps({"type": "action", "action": {"target": {"name": rng.choice(PROSE)[:30]}, "id": ident(rng)}, "view": {"url": url(rng), "referrer": url(rng)}, "_dd": {"action": {"target": {"selector": "#a>DIV:nth-of-type(2)>BUTTON"}}}}) for _ in range(2)),
        )
    if rng.random() < 0.3:
        return (
            "POST",
            "/loki/api/v1/push",
            "",
            headers(rng, "application/json"),
            json.dumps(
                {
                    "streams": [
                        {
                            "stream": {"app": "web", "filename": "/var/log/nginx/access.log"},
                            "values": [
                                [
                                    "1715000000000000000",
                                    rng.choice(
                                        (
                                            '203.0.113.9 - - [06/May/2024:12:00:00 +0000] "GET /index.php?id=1 HTTP/1.1" 200 12 "-" "Mozilla/5.0"',
                                            'level=error msg="pq: duplicate key value violates unique constraint" sql="INSERT INTO x VALUES (1)"',
                                            "cron[12]: (root) CMD (cd / && run-parts --report /etc/cron.hourly)",
                                            "sshd[1]: Failed password for invalid user admin from 198.51.100.9 port 1 ssh2",
                                        )
                                    ),
                                ]
                            ],
                        }
                    ]
                }
            ),
        )
    return (
        "POST",
        "/v1/traces",
        "",
        headers(rng, "application/json"),
        json.dumps(
            {"resourceSpans": [{"resource": {"attributes": attrs[:1]}, "scopeSpans": [{"scope": {"name": "io.opentelemetry.jdbc"}, "spans": [{"traceId": token(rng, 32, "0123456789abcdef"), "name": rng.choice(("SELECT shop.orders", "GET /users/{id}", "HTTP POST")), "attributes": rng.sample(attrs, 2), "status": {}}]}]}]}
        ),
    )


def uploads(rng: random.Random) -> Request:
    """Files: documents, pictures, tables, scripts of plain kinds."""
    boundary = "----WebKitFormBoundary" + token(rng, 16, string.ascii_letters + string.digits)
    name, kind, content = rng.choice(
        (
            ("O'Brien CV (final).docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK\x03\x04\x14\x00\x06\x00" + rng.randbytes(900)),
            ("IMG_2024.JPG", "image/jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF" + rng.randbytes(3000)),
            ("photo.v2.final.png", "image/png", b"\x89PNG\r\n\x1a\n" + rng.randbytes(2500)),
            ("people.csv", "text/csv", ('id;name;note\n1;O\'Brien;"likes ""tea""; select"\n2;Müller;a|b\n3;=SUM(A1);x\n' * 3).encode()),
            ("scan.pdf", "application/pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog/Pages 2 0 R/Names<</JavaScript 3 0 R>>>>\nendobj\n" + rng.randbytes(900)),
            ("notes.txt", "text/plain", prose(rng).encode()),
            ("backup.zip", "application/zip", b"PK\x03\x04" + rng.randbytes(1200)),
            ("icon.svg", "image/svg+xml", b'<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><style>.a{fill:#fff}</style><path class="a" d="M12 2L2 7z"/></svg>'),
            ("data.json", "application/json", b'{"a":{"$gt":1},"path":"../x"}'),
            ("README.md", "text/markdown", rng.choice(MARKDOWN).encode()),
            ("song.mp3", "audio/mpeg", b"ID3\x03" + rng.randbytes(2000)),
            ("clip.mov", "video/quicktime", b"\x00\x00\x00\x14ftypqt  " + rng.randbytes(2000)),
            ("archive.tar.gz", "application/gzip", b"\x1f\x8b\x08\x00" + rng.randbytes(1500)),
            ("avatar.webp", "image/webp", b"RIFF\x24\x08\x00\x00WEBPVP8 " + rng.randbytes(1500)),
            ("Rechnung_05-2024.xlsx", "application/octet-stream", b"PK\x03\x04" + rng.randbytes(1400)),
            ("feed.xml", "text/xml", b'<?xml version="1.0"?><rss version="2.0"><channel><title>A &amp; B</title><link>http://example.com/?a=1&amp;b=2</link><description><![CDATA[<p>It\'s <b>new</b></p>]]></description></channel></rss>'),
            ("cal.ics", "text/calendar", b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:Lunch\r\nLOCATION:O'Hara's\r\nATTENDEE;CN=Bob:mailto:b@example.com\r\nEND:VEVENT\r\nEND:VCALENDAR"),
            ("mail.eml", "message/rfc822", b"From: a@example.com\r\nTo: b@example.com\r\nSubject: hi\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<p>hi</p>"),
        )
    )
    body = f'--{boundary}\r\nContent-Disposition: form-data; name="caption"\r\n\r\n{rng.choice(PROSE)}\r\n--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return "POST", "/upload", "", headers(rng, f"multipart/form-data; boundary={boundary}"), body


def soap(rng: random.Random) -> Request:
    """SOAP, RSS, XML-RPC, WebDAV, Atom bodies."""
    return (
        "POST",
        rng.choice(("/services/Order", "/xmlrpc.php", "/dav/")),
        "",
        headers(rng, rng.choice(("text/xml; charset=utf-8", 'application/soap+xml; charset=utf-8; action="urn:x"', "application/xml"))),
        rng.choice(
            (
                f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soap:Body><Create xmlns="http://tempuri.org/"><name>{person(rng)}</name><note>{rng.choice(MULTI)}</note></Create></soap:Body></soap:Envelope>',
                '<?xml version="1.0"?><methodCall><methodName>wp.getPosts</methodName><params><param><value><int>1</int></value></param><param><value><string>o\'brien</string></value></param></params></methodCall>',
                '<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:"><D:prop><D:getlastmodified/><D:resourcetype/></D:prop></D:propfind>',
                '<order id="12"><item qty="2"><![CDATA[Men\'s <b>Tee</b> & Hat]]></item><!-- gift --><total cur=\'EUR\'>12.50</total></order>',
                '<feed xmlns="http://www.w3.org/2005/Atom"><title>it&apos;s</title><entry><content type="html">&lt;p&gt;Hi&lt;/p&gt;</content></entry></feed>',
                '<?xml version="1.0"?><cXML payloadID="1@example.com"><Header><From><Credential domain="DUNS"><Identity>1</Identity></Credential></From></Header></cXML>',
            )
        ),
    )


SENDERS: dict[str, tuple[Callable[[random.Random], Request], int, str]] = {
    "indep-ga4": (ga4, 150, "core"),
    "indep-pixels": (pixel, 170, "core"),
    "indep-ads": (ads, 190, "core"),
    "indep-payments": (payments, 170, "core"),
    "indep-oauth-saml": (sso, 170, "core"),
    "indep-shopify": (shopify, 150, "core"),
    "indep-rest-json": (rest, 240, "core"),
    "indep-graphql-ok": (graphql, 120, "core"),
    "indep-elastic-dsl": (elastic, 110, "core"),
    "indep-jira-jql": (jira, 110, "core"),
    "indep-webhooks": (webhooks, 210, "core"),
    "indep-prose": (prose_post, 300, "core"),
    "indep-multilingual": (multilingual, 170, "core"),
    "indep-code-reviews": (reviews, 150, "hard"),
    "indep-markdown": (markdown, 130, "hard"),
    "indep-search-boxes": (search, 230, "core"),
    "indep-cms-editor-html": (cms, 150, "hard"),
    "indep-cookies": (cookies, 190, "core"),
    "indep-headers": (header_mix, 190, "core"),
    "indep-urls-in-params": (url_params, 170, "core"),
    "indep-passwords": (passwords, 170, "core"),
    "indep-names": (names, 130, "core"),
    "indep-addresses": (addresses, 130, "core"),
    "indep-math": (math, 120, "core"),
    "indep-paths": (paths, 200, "core"),
    "indep-sentry-envelopes": (sentry, 100, "hard"),
    "indep-otel": (otel, 100, "hard"),
    "indep-uploads": (uploads, 120, "core"),
    "indep-soap-xml": (soap, 80, "core"),
}
