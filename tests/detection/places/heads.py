"""Places in the head of a request."""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

from tests.detection.places.sent import (
    Place,
    Sent,
    base64_of,
    charset_of,
    ebcdic_of,
    latin_of,
    pieces_of,
    quoted_of,
    token_of,
    utf7_of,
    wrapped_of,
)

HEADS: dict[str, Place] = {
    "query value": lambda text: Sent("head", query="page=2&q=" + quote_plus(text)),
    "query value, %20": lambda text: Sent("head", query="q=" + quote(text, safe="")),
    "query value, last of 300": lambda text: Sent(
        "head", query="".join(f"p{n}=x&" for n in range(300)) + "q=" + quote_plus(text)
    ),
    "query name": lambda text: Sent("head", query=quote_plus(text) + "=1"),
    "query, in JSON": lambda text: Sent("head", query="q=" + quote_plus(json.dumps({"a": text}))),
    "query, in base64url JSON": lambda text: Sent("head", query="state=" + wrapped_of({"a": text})),
    "query, in a token": lambda text: Sent("head", query="jwt=" + token_of(text)),
    "query, in a URL": lambda text: Sent(
        "head", query="next=" + quote_plus("https://a.example/?q=" + quote_plus(text))
    ),
    "path": lambda text: Sent("head", path="/items/" + quote(text, safe="")),
    "path, deep": lambda text: Sent("head", path="/shop/en/items/42/" + quote(text, safe="")),
    "cookie": lambda text: Sent("head", headers={"HTTP_COOKIE": "theme=dark; p=" + latin_of(text)}),
    "cookie, in base64url JSON": lambda text: Sent(
        "head", headers={"HTTP_COOKIE": "state=" + wrapped_of({"a": text})}
    ),
    "cookie, in a token": lambda text: Sent("head", headers={"HTTP_COOKIE": "t=" + token_of(text)}),
    "header": lambda text: Sent("head", headers={"HTTP_X_SEARCH": latin_of(text)}),
    "Referer": lambda text: Sent(
        "head", headers={"HTTP_REFERER": "https://a.example/?q=" + quote_plus(text)}
    ),
    "Basic password": lambda text: Sent(
        "head",
        headers={
            "HTTP_AUTHORIZATION": "Basic "
            + base64.b64encode(f"ada:{text}".encode("utf-8", "surrogatepass")).decode()
        },
    ),
    "Bearer token": lambda text: Sent(
        "head", headers={"HTTP_AUTHORIZATION": "Bearer " + token_of(text)}
    ),
    "query, in EBCDIC": lambda text: Sent(
        "head",
        query=f"q={text}".encode("cp037").decode("latin-1"),
        headers={"CONTENT_TYPE": "text/plain; charset=cp037"},
    ),
    "query, JSON in JSON": lambda text: Sent(
        "head", query="q=" + quote_plus(json.dumps({"a": json.dumps([text])}))
    ),
    "Basic user": lambda text: Sent(
        "head",
        headers={
            "HTTP_AUTHORIZATION": "Basic "
            + base64.b64encode(f"{text}:".encode("utf-8", "surrogatepass")).decode()
        },
    ),
    "path, in base64url JSON": lambda text: Sent("head", path="/items/" + wrapped_of({"a": text})),
    "User-Agent": lambda text: Sent(
        "head", headers={"HTTP_USER_AGENT": "Mozilla/5.0 (X11) " + latin_of(text)}
    ),
    "query, a list in base64url": lambda text: Sent("head", query="state=" + wrapped_of([text])),
    "query, pretty JSON in base64url": lambda text: Sent(
        "head", query="state=" + base64_of(json.dumps({"a": text}, indent=2))
    ),
    "query, spaced JSON in base64url": lambda text: Sent(
        "head", query="state=" + base64_of(f'{{ "a": {json.dumps(text)}}}')
    ),
    "query, JSON behind blanks in base64url": lambda text: Sent(
        "head", query="state=" + base64_of(f'  \n{{"a": {json.dumps(text)}}}')
    ),
    "query, nested names": lambda text: Sent("head", query="q[a][b]=" + quote_plus(text)),
    "query, no name": lambda text: Sent("head", query="=" + quote_plus(text)),
    "query, repeated": lambda text: Sent("head", query=f"q=tea&q={quote_plus(text)}&q=tea"),
    "query, a form": lambda text: Sent(
        "head form", query="q=" + quote_plus("a=1&b=" + quote_plus(text))
    ),
    "query, GraphQL variables": lambda text: Sent(
        "head",
        query="query=query(%24a:String){b(c:%24a)}&variables=" + quote_plus(json.dumps({"a": text})),
    ),
    "query, XML": lambda text: Sent(
        "head xml", query="q=" + quote_plus(f'<?xml version="1.0"?><a><b>{escape(text)}</b></a>')
    ),
    "query, utf-7": lambda text: Sent(
        "head", query="q=" + quote_plus(utf7_of(text)), headers=charset_of("utf-7")
    ),
    "query, iso-2022-jp": lambda text: Sent(
        "head", query="q=" + quote_plus("\x1b(B".join(text)), headers=charset_of("iso-2022-jp")
    ),
    "query, hz": lambda text: Sent(
        "head", query="q=" + quote_plus("~\n".join(text)), headers=charset_of("hz")
    ),
    "query, escapes of Python": lambda text: Sent(
        "head",
        query="q=" + quote_plus("".join(f"\\U{ord(char):08x}" for char in text)),
        headers=charset_of("unicode_escape"),
    ),
    "query, escapes in EBCDIC": lambda text: Sent(
        "head",
        query=ebcdic_of(text).decode("latin-1"),
        headers=charset_of("cp037"),
    ),
    "query, escapes in EBCDIC, named in percent": lambda text: Sent(
        "head",
        query=ebcdic_of(text).decode("latin-1"),
        headers={"CONTENT_TYPE": "text/plain; charset*=utf-8''cp%30%33%37"},
    ),
    "path, in the middle": lambda text: Sent("head", path=f"/items/{quote(text, safe='')}/edit"),
    "path, in the middle of twenty": lambda text: Sent(
        "head", path="/a" * 20 + f"/{quote(text, safe='')}/b"
    ),
    "path, a matrix parameter": lambda text: Sent(
        "head", path=f"/items;v={quote(text, safe='')}/edit"
    ),
    "path, before a slash": lambda text: Sent("head", path=f"/items/{quote(text, safe='')}/"),
    "cookie, quoted": lambda text: Sent(
        "head", headers={"HTTP_COOKIE": f'a=1; p="{quoted_of(text)}"; b=2'}
    ),
    "cookie, octal": lambda text: Sent(
        "head",
        headers={
            "HTTP_COOKIE": 'p="{}"'.format("".join(f"\\{byte:03o}" for byte in text.encode("utf-8", "surrogatepass")))
        },
    ),
    "cookie, percent JSON": lambda text: Sent(
        "head unquoted", headers={"HTTP_COOKIE": "p=" + quote(json.dumps({"a": text}))}
    ),
    "cookie, pretty JSON in base64url": lambda text: Sent(
        "head", headers={"HTTP_COOKIE": "s=" + base64_of(json.dumps({"a": text}, indent=2))}
    ),
    "Basic user, blanks in base64": lambda text: Sent(
        "head", headers={"HTTP_AUTHORIZATION": "Basic " + " ".join(pieces_of(f"{text}:x"))}
    ),
    "Basic user, junk in base64": lambda text: Sent(
        "head", headers={"HTTP_AUTHORIZATION": "Basic " + "!".join(pieces_of(f"{text}:x"))}
    ),
    "Basic user, behind a tab": lambda text: Sent(
        "head", headers={"HTTP_AUTHORIZATION": "basic\t" + "".join(pieces_of(f"{text}:x"))}
    ),
    "Bearer token, blanks in it": lambda text: Sent(
        "head",
        headers={
            "HTTP_AUTHORIZATION": "Bearer "
            + ".".join(map(base64_of, (' {"alg": "none"}', f'\n{{ "sub": {json.dumps(text)}}}', "x")))
        },
    ),
    "token, pretty claims": lambda text: Sent(
        "head",
        headers={
            "HTTP_X_ACCESS_TOKEN": ".".join(
                map(base64_of, ('{"alg": "none"}', f'{{\n "sub": {json.dumps(text)}}}', "x"))
            )
        },
    ),
    "token, its key's name": lambda text: Sent(
        "head", headers={"HTTP_AUTHORIZATION": f"Token {wrapped_of({'kid': text})}.e30.x"}
    ),
    "Digest user": lambda text: Sent(
        "head",
        headers={"HTTP_AUTHORIZATION": f'Digest username="{quoted_of(text)}", realm="a", uri="/"'},
    ),
    "header, JSON": lambda text: Sent("head", headers={"HTTP_X_META": json.dumps({"a": text})}),
    "header, JSON in base64": lambda text: Sent(
        "head", headers={"HTTP_X_META": wrapped_of({"a": text})}
    ),
    "Accept-Language": lambda text: Sent("head", headers={"HTTP_ACCEPT_LANGUAGE": latin_of(text)}),
    "X-Requested-With": lambda text: Sent("head", headers={"HTTP_X_REQUESTED_WITH": latin_of(text)}),
    "Range": lambda text: Sent("head", headers={"HTTP_RANGE": latin_of(text)}),
    "If-None-Match": lambda text: Sent("head", headers={"HTTP_IF_NONE_MATCH": latin_of(text)}),
    "X-Forwarded-For": lambda text: Sent("head", headers={"HTTP_X_FORWARDED_FOR": latin_of(text)}),
    "X-HTTP-Method-Override": lambda text: Sent(
        "head", headers={"HTTP_X_HTTP_METHOD_OVERRIDE": latin_of(text)}
    ),
}  # fmt: skip
