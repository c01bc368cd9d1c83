"""Shows every text of a corpus in every field of the console, in a real browser.

    python benchmarks/console_xss.py CORPUS.jsonl.gz... [--every N] [--chromium PATH]

The corpora have one request per line (``tests/detection/sample.jsonl.gz`` is one). Events with
these texts in every field are sent to a console, a hundred at a time. Then Chromium parses each
page that shows them, inserts it into the live page, and compares it with the same page about
harmless words. Lists are also opened as pages. It prints everything that did not stay text:
elements and attributes that the templates do not write, foreign addresses, dialogs, reports of the
content security policy. There should be none.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_plus

from sqlalchemy import func, select

sys.path.insert(0, str(Path(__file__).parents[1]))

from guard_wsgi_flask.console import ConsoleSettings, retention, schema
from guard_wsgi_flask.console.serving import Console
from tests.console.payloads import OWN, with_payloads
from tests.console.sending import event, send

CHUNK = 100
MAX_TEXT = 500
"""Characters of a value; agents send fewer."""

LOOK = """async ([paths, known]) => {
  const found = [], seen = new Set(known || []);
  const hold = document.createElement('div');
  document.body.append(hold);
  for (const path of paths) {
    const answer = await fetch(path, {redirect: 'follow'});
    if (answer.status >= 500) { found.push([path, 'status ' + answer.status]); continue; }
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    for (const node of page.querySelectorAll('*')) {
      const tag = node.localName;
      const names = [tag, ...[...node.attributes].map(one => tag + ' ' + one.name)];
      for (const name of names) {
        if (known && !seen.has(name)) found.push([path, name]);
        else seen.add(name);
      }
      for (const name of ['href', 'src', 'action', 'formaction', 'hx-get', 'hx-post']) {
        const to = node.getAttribute(name);
        const isOwn = !to || (/^[/#?]/.test(to) && !/^\\/[/\\\\]/.test(to));
        if (!isOwn) found.push([path, name + '=' + to]);
      }
    }
    const main = page.querySelector('main');
    if (main) hold.replaceChildren(document.importNode(main, true));
    await new Promise(done => setTimeout(done, 0));
  }
  hold.remove();
  return [known ? found : found.concat([...seen].map(name => ['', name])), window.pwned ?? null];
}"""
"""The policy of the live page applies to inserted content: a real handler would be reported."""


def texts_of(corpora: Iterable[str]) -> Iterator[str]:
    """Payloads as their apps would read them, and the raw lines around them."""
    for path in corpora:
        with gzip.open(path, "rt") as lines:
            for line in lines:
                request = json.loads(line)
                payload = (request.get("meta") or {}).get("payload")
                if payload:
                    yield str(payload)
                    continue
                yield unquote_plus(request["path"])
                for pair in request["query"].split("&"):
                    yield unquote_plus(pair.partition("=")[2])
                yield from map(str, (request.get("headers") or {}).values())
                if request.get("body") and "body_enc" not in request:
                    yield unquote_plus(request["body"].partition("=")[2] or request["body"])


def excluded(text: str) -> dict[str, Any]:
    """An event of an exclusion that is an attack."""
    return event(
        event_type="detection_excluded",
        action_taken="let_pass",
        metadata={"exclusion": text, "count": 2},
    )


class Round:
    """A console, a browser, and the results."""

    def __init__(self, folder: str, browser: Any) -> None:
        self.console = Console(ConsoleSettings(port=0, database=f"sqlite:///{folder}/console.db"))
        self.key = self.console.services.keys.create("shop", "round")
        self.console.start()
        self.tab = browser.new_context().new_page()
        self.found: list[tuple[str, str]] = []
        self.tab.on(
            "dialog", lambda dialog: (self.note("dialog", dialog.message), dialog.dismiss())
        )
        self.tab.on("pageerror", lambda error: self.note("error", str(error)))
        self.tab.on("console", lambda told: self._hear(told))
        host = self.console.url.removeprefix("http://")
        self.tab.on(
            "request",
            lambda asked: asked.url.split("/")[2] == host or self.note("asked", asked.url),
        )
        self.tab.goto(self.console.link())
        self.known: list[str] | None = None
        self.events = self.pages = 0

    def note(self, where: str, what: str) -> None:
        self.found.append((where, what))

    def _hear(self, told: Any) -> None:
        if "Content Security Policy" in told.text:
            self.note("policy", told.text)

    def paths(self, texts: list[str]) -> list[str]:
        """Every page that shows stored events, except the lists."""
        database = self.console.services.database
        with database.read() as connection:
            rows = connection.execute(
                select(schema.events.c.id, schema.events.c.client).order_by(schema.events.c.id)
            ).all()
        paths = [f"/events/{row.id}" for row in rows]
        paths += [f"/events/{row.id}/exclusion" for row in rows[::20]]
        paths += [f"/playground?event={row.id}" for row in rows[::50]]
        paths += [f"/client?client={quote(row.client)}" for row in rows[::20]]
        paths += [f"/events?text={quote(text)}&client={quote(text)}" for text in texts[::25]]
        return [*paths, "/now/facts?period=month", "/events/rows"]

    def lists(self) -> list[str]:
        return [
            *("/", "/events", "/clients?period=week", "/paths?period=week", "/report?period=week"),
            *("/rules?app=shop", "/rules/effects?app=shop", "/audit", "/keys", "/data"),
        ]

    def look(self, texts: list[str]) -> None:
        """Send texts in every field, and open every page."""
        services = self.console.services
        retention.forget(services.database, "")
        made = with_payloads(texts) + [excluded(text) for text in texts[::10]]
        for start in range(0, len(made), 100):
            send(self.console, self.key, *made[start : start + 100])
        some = (texts * 5)[:5]
        services.audit.record(*some)
        services.rules.write("shop", {"message": some[0]}, some[1], some[2])
        self.events += len(made)
        for path in self.lists():
            self.tab.goto(self.console.url + path)
            self.tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        groups = self.groups() if self.tab.goto(self.console.url + "/report?period=week") else []
        told = services.rules.current("shop")[0]
        paths = [*self.paths(texts), *self.lists(), *groups, f"/rules/{told}?app=shop"]
        self.tab.goto(self.console.url + "/audit")
        found, pwned = self.tab.evaluate(LOOK, [paths, self.known])
        self.pages += len(paths) + len(self.lists())
        if self.known is None:
            self.known = sorted({name for path, name in found if not path})
            found = [(path, name) for path, name in found if path]
        for path, name in found:
            self.note(path, name)
        if pwned is not None:
            self.note("script", "window.pwned is set")

    def groups(self) -> list[str]:
        links = self.tab.locator("a[href^='/report/group']")
        addresses = links.evaluate_all("found => found.map(one => one.getAttribute('href'))")
        return [str(address) for address in addresses][:10]

    def reports(self) -> int:
        with self.console.services.database.read() as connection:
            return int(connection.scalar(select(func.count()).select_from(schema.csp_reports)) or 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corpus", nargs="+")
    parser.add_argument("--every", type=int, default=1, help="of the texts: 1 for all")
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    found = [*OWN, *(text[:MAX_TEXT] for text in texts_of(options.corpus) if len(text) > 3)]
    texts = list(dict.fromkeys(found))[:: options.every]
    print(f"{len(texts)} texts", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=options.chromium, args=["--no-sandbox"]
        )
        one = Round(folder, browser)
        one.look([f"word{number}" for number in range(CHUNK)])
        for start in range(0, len(texts), CHUNK):
            one.look(texts[start : start + CHUNK])
            if start // CHUNK % 10 == 9:
                took = time.monotonic() - began
                print(f"{start + CHUNK} texts, {one.pages} pages, {took:.0f} s", flush=True)
        for where, what in one.found[:50]:
            print(f"FOUND {where[:100]!r}: {what[:200]!r}")
        print(
            f"{len(texts)} texts in {one.events} events on {one.pages} pages:"
            f" {len(one.found)} faults, {one.reports()} reports of the policy"
        )
        browser.close()
        one.console.shutdown()
        one.console.close()
        return 1 if one.found or one.reports() else 0


if __name__ == "__main__":
    sys.exit(main())
