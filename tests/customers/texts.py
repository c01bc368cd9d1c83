"""Texts of people in shops and sites: names, questions, reviews, articles, passwords."""

from __future__ import annotations

SEARCHES = (
    "red shoes",
    "O'Reilly",
    "rock 'n' roll",
    'TV 55"',
    "select the best from our list",
    "drop table lamps",
    "C++ & C#",
    "50% off",
    "100% cotton; size M",
    "<3 gifts",
    "fish & chips",
    "a=b",
    "Müller Straße",
    "日本語",
    "café",
    "naïve -- bayes",
    "(almost) new",
    "price < 20 and > 10",
    "user@example.com",
    "https://example.com/shoes",
    "../ is one level up",
    "and/or",
    "null",
    "$(document).ready",
    "{{ mustache }} templates",
    "1=1",
    "what's new?",
    "5' or 6' fence panels",
    "Credit Union Select Checking",
    "JavaScript: The Good Parts",
    "union select committee",
    "",
)

REVIEWS = (
    ("Great", "Just what I wanted. Thank you!"),
    ("It's fine", "It doesn't fit & the box was open -- but they're quick."),
    ("5 stars", "I've had 3 of these since '98; 'nuff said."),
    ("Please review the new image", "The new image of the product is better than the old one."),
    ("Question", "Does it work with Windows 11? My folder is C:\\Users\\Ann\\Pictures."),
    ("Markdown", "**Bold**, _italic_, `code` and\n\n- one\n- two\n\n> quoted"),
    ("Mathematics", "For all x > 0: f(x) = 2x + 1; so f(1) = 3 and f(2) = 5."),
    ("Link", "See https://example.com/help?topic=1&lang=en#top for more."),
    ("Zeilen", "Erste Zeile\r\nZweite Zeile\r\nDritte Zeile mit Ümlauten"),
    ("Emoji", "Love it \N{HEAVY BLACK HEART} \N{PARTY POPPER} 10/10"),
    ("For developers", "Run pip install shop-client and set SHOP_URL. See README.md."),
    ("Prices", "From $10 to $20; 3 for $25 (incl. VAT)."),
)

PASSWORDS = (
    "correct horse battery staple",
    "Tr0ub4dor&3",
    "';--<p>x",
    "`b4ck`t1ck$(x)",
    "kX9#mQ2!vL",
    "a$@b'c\"d;e",
    "p|ss&&w0rd",
    "<script>",
    "%00../etc",
    "pässwörd mit Ümlaut",
    "C3:#zR(8)w=+u",
)
"""Passwords like those of password managers, and worse: a password must lock nobody out."""

ARTICLE = """<h2>A new season</h2>
<p>Our <strong>autumn</strong> collection is here. <a href="https://example.com/autumn"
target="_blank" rel="noopener">See all</a> of it, or <em>select</em> from the list:</p>
<ul><li>Coats &amp; jackets</li><li>Boots</li></ul>
<p style="text-align: center"><img src="/media/boots.jpg" alt="Boots" width="640"></p>
<blockquote><p>"It's the best we've had" -- Ann</p></blockquote>
<table class="sizes"><tbody><tr><td>M</td><td>42</td></tr></tbody></table>"""
"""The request of an editor in the browser."""

EXPLOITS = ("1' OR '1'='1", "{{7*7}}")
"""Text that no password contains by chance."""
