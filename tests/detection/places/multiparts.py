"""Places in multipart bodies."""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)

from __future__ import annotations

import base64
from urllib.parse import quote

from tests.detection.places.sent import (
    CHUNKED,
    FILE,
    LARGE_FILE,
    MULTIPART,
    Place,
    field_of,
    json_of,
    multipart_of,
    named_of,
    part_of,
    pieces_of,
    quoted_of,
    typed_of,
    utf7_of,
)

_STARRED = "Content-Disposition: form-data; name*="


def _line(text: str) -> str:
    """Return a text without line breaks, which end a header."""
    if "\r" in text or "\n" in text:
        raise ValueError(text)
    return text


MULTIPARTS: dict[str, Place] = {
    "multipart": typed_of(MULTIPART, lambda text: multipart_of(field_of(text)), "form"),
    "multipart, behind a file": typed_of(
        MULTIPART, lambda text: multipart_of(FILE, field_of(text)), "form"
    ),
    "multipart, behind 300 kB of a file": typed_of(
        MULTIPART, lambda text: multipart_of(LARGE_FILE, field_of(text)), "form"
    ),
    "multipart, an empty file name": typed_of(
        MULTIPART, lambda text: multipart_of(field_of(text, '; filename=""')), "form"
    ),
    "multipart, filename*": typed_of(
        MULTIPART, lambda text: multipart_of(field_of(text, "; filename*=utf-8''a.gif")), "form"
    ),
    "multipart, a quoted decoy": typed_of(
        MULTIPART, lambda text: multipart_of(field_of(text, '; x="; filename=a.gif"')), "form"
    ),
    "multipart, two dispositions": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            part_of(named_of('; filename="a.gif"') + "\r\n" + named_of(), text.encode())
        ),
        "form",
    ),
    "multipart, LF": typed_of(
        MULTIPART, lambda text: multipart_of(field_of(text)).replace(b"\r\n", b"\n"), "form"
    ),
    "multipart, a preamble": typed_of(
        MULTIPART, lambda text: b"tea\r\n" + multipart_of(field_of(text)), "form"
    ),
    "multipart, past its end": typed_of(
        MULTIPART, lambda text: multipart_of(FILE) + multipart_of(field_of(text)), "form"
    ),
    "multipart, cut in a line": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            part_of(named_of('; filename="a"', "file"), b"tea" + field_of(text).removesuffix(b"\r\n"))
        ),
        "form",
    ),
    "multipart, a quoted boundary": typed_of(
        'multipart/form-data; boundary="frontier"', lambda text: multipart_of(field_of(text)), "form"
    ),
    "multipart, two boundaries": typed_of(
        "multipart/form-data; boundary=x; boundary=frontier",
        lambda text: multipart_of(field_of(text)),
        "form",
    ),
    "multipart, base64": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            part_of(
                named_of() + "\r\nContent-Transfer-Encoding: base64",
                base64.encodebytes(text.encode("utf-8", "surrogatepass")),
            )
        ),
        "form",
    ),
    "multipart, a part's charset": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            part_of(named_of() + "\r\nContent-Type: text/plain; charset=utf-16", text.encode("utf-16"))
        ),
        "form",
    ),
    "multipart, of another charset": typed_of(
        MULTIPART + "; charset=cp037",
        lambda text: multipart_of(part_of(named_of(), text.encode("cp037"))),
        "form",
    ),
    "multipart, behind 900 parts": typed_of(
        MULTIPART,
        lambda text: multipart_of(part_of(named_of(), b"tea") * 900, field_of(text)),
        "form",
    ),
    "multipart, CR": typed_of(
        MULTIPART, lambda text: multipart_of(field_of(text)).replace(b"\r\n", b"\r"), "form"
    ),
    "multipart, chunked": typed_of(MULTIPART, lambda text: multipart_of(field_of(text)), "form", **CHUNKED),
    "multipart, its head in EBCDIC": typed_of(
        MULTIPART + "; charset=cp037",
        lambda text: (
            b"--frontier\r\n%s\r\n@\r\n%s\r\n\r\n--frontier--\r\n"
            % (named_of().encode("cp037"), text.encode("cp037"))
        ),
        "form",
    ),
    "multipart, its name in EBCDIC": typed_of(
        MULTIPART + "; charset=cp037",
        lambda text: (
            b"--frontier\r\n%s\r\n\r\ntea\r\n--frontier--\r\n"
            % named_of(name=text.replace('"', '\\"')).encode("cp037")
        ),
        "form",
    ),
    "multipart, a line of blanks before the text": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            b"--frontier\r\n%s\r\n \r\n%s\r\n"
            % (named_of().encode(), text.encode("utf-8", "surrogatepass"))
        ),
        "form",
    ),
    "multipart, two ends of its head": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            b'--frontier\r\n%s\n\n%s\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nx\r\n'
            % (named_of().encode(), text.encode("utf-8", "surrogatepass"))
        ),
        "form",
    ),
    "multipart, utf-7": typed_of(
        MULTIPART + "; charset=utf-7",
        lambda text: multipart_of(part_of(named_of(), utf7_of(text))),
        "form",
    ),
    "multipart, a part's charset far away": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            part_of(
                named_of() + "\r\nContent-Type: text/plain; charset=" + " " * 20 + "cp037",
                text.encode("cp037"),
            )
        ),
        "form",
    ),
    "multipart, a part's charset in two lines": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            part_of(
                named_of() + "\r\nContent-Type: text/plain; char\r\n set=cp037", text.encode("cp037")
            )
        ),
        "form",
    ),
    "multipart, base64 of EBCDIC": typed_of(
        MULTIPART + "; charset=cp037",
        lambda text: multipart_of(
            part_of(
                named_of() + "\r\nContent-Transfer-Encoding: base64",
                base64.b64encode(text.encode("cp037")),
            )
        ),
        "form",
    ),
    "multipart, base64 with junk": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            part_of(
                named_of() + "\r\nContent-Transfer-Encoding: base64", "!".join(pieces_of(text)).encode()
            )
        ),
        "form",
    ),
    "multipart name": typed_of(
        MULTIPART,
        lambda text: multipart_of(part_of(named_of(name=quoted_of(_line(text))), b"tea")),
        "form",
    ),
    "multipart name, in percent": typed_of(
        MULTIPART,
        lambda text: multipart_of(part_of(_STARRED + "utf-8''" + quote(text, safe=""), b"tea")),
        "form",
    ),
    "multipart name, in EBCDIC percent": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            part_of(_STARRED + "cp037''" + quote(text.encode("cp037"), safe=""), b"tea")
        ),
        "form",
    ),
    "multipart name, in two pieces": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            part_of(
                "Content-Disposition: form-data; name*0*=utf-8''{}; name*1*={}".format(
                    quote(text[: len(text) // 2], safe=""), quote(text[len(text) // 2 :], safe="")
                ),
                b"tea",
            )
        ),
        "form",
    ),
    "multipart, JSON in a field": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            part_of(named_of() + "\r\nContent-Type: application/json", json_of({"a": [text]}))
        ),
        "form json",
    ),
    "multipart, a folded disposition": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            part_of(
                'Content-Disposition: form-data;\r\n name="item"',
                text.encode("utf-8", "surrogatepass"),
            )
        ),
        "form",
    ),
    "multipart, another disposition": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            part_of("Content-Disposition: x; name=item", text.encode("utf-8", "surrogatepass"))
        ),
        "form",
    ),
    "multipart, mixed": typed_of(
        "multipart/mixed; boundary=frontier", lambda text: multipart_of(field_of(text)), "form"
    ),
    "multipart, a boundary in percent": typed_of(
        "multipart/form-data; boundary*=utf-8''fron%74ier",
        lambda text: multipart_of(field_of(text)),
        "form",
    ),
    "multipart, a boundary in pieces": typed_of(
        "multipart/form-data; boundary*0=fron; boundary*1=tier",
        lambda text: multipart_of(field_of(text)),
        "form",
    ),
    "multipart, a boundary with escapes": typed_of(
        'multipart/form-data; boundary="fron\\tier"', lambda text: multipart_of(field_of(text)), "form"
    ),
    "multipart, a boundary in a text": typed_of(
        'multipart/form-data; x="; boundary=y"; boundary=frontier',
        lambda text: multipart_of(field_of(text)),
        "form",
    ),
    "multipart, five boundaries": typed_of(
        "multipart/form-data; boundary=a; boundary=b; boundary=c; boundary=d; boundary=frontier",
        lambda text: multipart_of(field_of(text)),
        "form",
    ),
    "multipart, a boundary of one dash": typed_of(
        "multipart/form-data; boundary=-",
        lambda text: multipart_of(field_of(text)).replace(b"frontier", b"-"),
        "form",
    ),
    "multipart, blanks behind the boundary": typed_of(
        MULTIPART,
        lambda text: multipart_of(field_of(text)).replace(b"--frontier\r\n", b"--frontier \t\r\n"),
        "form",
    ),
    "multipart, text behind the boundary": typed_of(
        MULTIPART,
        lambda text: multipart_of(field_of(text)).replace(b"--frontier\r\n", b"--frontierX\r\n"),
        "form",
    ),
    "multipart, a drive as file name": typed_of(
        MULTIPART, lambda text: multipart_of(field_of(text, '; filename="C:\\\\"')), "form"
    ),
    "multipart, mixed ends of lines": typed_of(
        MULTIPART,
        lambda text: (
            b'--frontier\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nx\r\n--frontier\r'
            b'Content-Disposition: form-data; name="item"\r\r%s\r--frontier--\r'
            % text.encode("utf-8", "surrogatepass")
        ),
        "form",
    ),
    "multipart, behind a mark": typed_of(
        MULTIPART, lambda text: b"\xef\xbb\xbf" + multipart_of(field_of(text)), "form"
    ),
    "multipart, nested": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            part_of(
                named_of() + "\r\nContent-Type: multipart/mixed; boundary=inner",
                b"--inner\r\nContent-Disposition: form-data; name=x\r\n\r\n%s\r\n--inner--"
                % text.encode("utf-8", "surrogatepass"),
            )
        ),
        "mail",
    ),
    "multipart, a part's type": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            part_of(named_of('; filename="a"', "f") + "\r\nContent-Type: " + _line(text), b"tea")
        ),
        "files",
    ),
    "multipart, a part's header": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            part_of(named_of('; filename="a"', "f") + "\r\nX-Title: " + _line(text), b"tea")
        ),
        "files",
    ),
    "multipart, a map of GraphQL": typed_of(
        MULTIPART,
        lambda text: multipart_of(
            part_of(
                named_of(name="operations"),
                json_of({"query": "mutation($a:String){u(a:$a)}", "variables": {"b": {"c": [text]}}}),
            ),
            part_of(named_of(name="map"), b'{"0":["variables.f"]}'),
            FILE,
        ),
        "form json",
    ),
}  # fmt: skip
