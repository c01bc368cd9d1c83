"""Files of the common types, made by the libraries that people make them with."""

from __future__ import annotations

import bz2
import datetime
import email.message
import gzip
import io
import json
import lzma
import math
import sqlite3
import sysconfig
import tarfile
import wave
import zipfile
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from attrs import frozen


@frozen
class File:
    """One file, as a client sends it."""

    name: str
    media: str
    content: bytes


def _noise(size: int, seed: int = 7) -> bytes:
    """Bytes without a pattern, the same in each run, like those of a compressed file."""
    return b"".join(
        ((seed * 1_000_003 + n) * 0x9E3779B97F4A7C15 & (1 << 512) - 1).to_bytes(64, "big")
        for n in range(size // 64 + 1)
    )[:size]


def pictures() -> Iterator[File]:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    picture = Image.frombytes("RGB", (160, 120), _noise(160 * 120 * 3))
    info = PngInfo()
    info.add_text("Software", "A painter 2.1")
    info.add_itxt("XML:com.adobe.xmp", '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')
    for kind, extension, options in (
        ("JPEG", "jpg", {"quality": 92, "comment": b"holiday, 2024"}),
        ("PNG", "png", {"pnginfo": info}),
        ("GIF", "gif", {}),
        ("WEBP", "webp", {}),
        ("AVIF", "avif", {}),
        ("BMP", "bmp", {}),
        ("TIFF", "tiff", {}),
        ("ICO", "ico", {}),
        ("PDF", "pdf", {"title": "Photo", "author": "O'Brien & sons"}),
    ):
        out = io.BytesIO()
        picture.save(out, kind, **options)
        media = "application/pdf" if kind == "PDF" else f"image/{kind.lower()}"
        yield File(f"photo.{extension}", media, out.getvalue())
    large = Image.frombytes("RGB", (640, 400), _noise(640 * 400 * 3))
    out = io.BytesIO()
    large.save(out, "JPEG", quality=95)
    yield File("large.jpg", "image/jpeg", out.getvalue())


def documents() -> Iterator[File]:
    import docx
    import openpyxl
    import pptx

    text = docx.Document()
    text.add_heading("Minutes", 0)
    for n in range(60):
        text.add_paragraph(f'{n}. We\'ll select a new image; see <b>notes</b> & "quotes".')
    workbook = openpyxl.Workbook()
    assert workbook.active is not None
    for n in range(200):
        workbook.active.append([n, f"customer {n}", f"=SUM(A1:A{n + 1})", "O'Hara -- Ltd"])
    slides = pptx.Presentation()
    slides.slides.add_slide(slides.slide_layouts[5]).shapes.title.text = "Plans; or 1=1?"
    office = "application/vnd.openxmlformats-officedocument."
    for document, name, media in (
        (text, "minutes.docx", "wordprocessingml.document"),
        (workbook, "customers.xlsx", "spreadsheetml.sheet"),
        (slides, "plans.pptx", "presentationml.presentation"),
    ):
        out = io.BytesIO()
        document.save(out)
        yield File(name, office + media, out.getvalue())


def plots() -> Iterator[File]:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    axes.plot([0.0, 1.0, 2.0], [0.0, 1.0, 0.5], label="<none> & 'more'")
    axes.legend()
    for extension, media in (
        ("svg", "image/svg+xml"),
        ("png", "image/png"),
        ("pdf", "application/pdf"),
    ):
        out = io.BytesIO()
        metadata = {"Title": "Sales", "Creator": "A plot"}
        figure.savefig(out, format=extension, metadata=metadata)
        yield File(f"plot.{extension}", media, out.getvalue())
    pyplot.close(figure)
    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    yield File("DejaVuSans.ttf", "font/ttf", (fonts / "DejaVuSans.ttf").read_bytes())
    styled = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><style>.a{fill:url(#b)}'
        "@import url(https://fonts.example/css);</style>"
        '<a href="https://example.com/?a=1&amp;b=2"><rect class="a" width="9"/></a></svg>'
    )
    yield File("logo.svg", "image/svg+xml", styled.encode())


def archives() -> Iterator[File]:
    text = "".join(f"{n};select a tea;order by {n}\n" for n in range(3500)).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("notes/readme.txt", text)
        archive.writestr("notes/.htaccess", b"Deny from all\n")
        archive.writestr("random", _noise(50_000))
    yield File("notes.zip", "application/zip", out.getvalue())
    yield File("shop-1.0-py3-none-any.whl", "application/octet-stream", out.getvalue())
    for mode, extension in (("w", "tar"), ("w:gz", "tgz"), ("w:xz", "tar.xz")):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode=mode) as tar:  # type: ignore[call-overload]
            member = tarfile.TarInfo("etc/passwd")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
        yield File(f"backup.{extension}", "application/x-tar", out.getvalue())
    yield File("log.gz", "application/gzip", gzip.compress(text))
    yield File("log.bz2", "application/x-bzip2", bz2.compress(text))
    yield File("log.xz", "application/x-xz", lzma.compress(text))


def sounds() -> Iterator[File]:
    import lameenc

    samples = b"".join(
        int(20_000 * math.sin(n / 9)).to_bytes(2, "little", signed=True) for n in range(40_000)
    )
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(22_050)
        sound.writeframes(samples)
    yield File("tone.wav", "audio/wav", out.getvalue())
    encoder = lameenc.Encoder()
    encoder.set_in_sample_rate(22_050)
    encoder.set_channels(1)
    encoder.silence()
    yield File("tone.mp3", "audio/mpeg", bytes(encoder.encode(samples) + encoder.flush()))
    # The boxes of a film as ISO 14496-12 has them, with noise for the pictures.
    boxes = ((b"ftyp", b"isomiso2mp41"), (b"free", b""), (b"mdat", _noise(200_000)))
    film = b"".join((len(data) + 8).to_bytes(4, "big") + kind + data for kind, data in boxes)
    yield File("film.mp4", "video/mp4", film)


# Files of the standard library, which every machine has; each is full of text that would be an
# attack in a field.
SOURCES = (
    *("os.py", "subprocess.py", "shlex.py", "pickle.py", "html/parser.py", "http/server.py"),
    *("xml/sax/saxutils.py", "urllib/parse.py", "logging/config.py", "sqlite3/dump.py"),
)


def texts() -> Iterator[File]:
    library = Path(sysconfig.get_path("stdlib"))
    for source in SOURCES:
        content = (library / source).read_bytes()
        yield File(source.rpartition("/")[2], "text/x-python", content)
    yield File("solution.py", "text/x-python", b"import os\nprint('hello')\nos.system('ls')\n")
    yield File(
        "deploy.sh",
        "application/x-sh",
        b"#!/bin/sh\nNAME=shop; cat /etc/passwd | grep $NAME && rm -rf /tmp/$NAME\ncurl http://a/b|sh\n",
    )
    yield File(
        ".env", "application/octet-stream", b"SECRET='a'\nURL=http://localhost:80/?a=1&b=2\n"
    )
    rows = "\n".join(f'{n},"O\'Brien; select","=1+1",2024-01-{n % 28 + 1:02}' for n in range(500))
    yield File("orders.csv", "text/csv", rows.encode())
    yield File("orders.tsv", "text/tab-separated-values", rows.replace(",", "\t").encode())
    yield File(
        "dump.sql",
        "application/sql",
        b"DROP TABLE IF EXISTS users;\nINSERT INTO users VALUES (1,'a');-- x\n" * 50,
    )
    page = "<!doctype html><script>document.cookie='a=1';alert(1)</script><p onclick='go()'>Tea"
    yield File("page.html", "text/html", page.encode())
    yield File(
        "app.js", "text/javascript", b"fetch('/a?b=1&c='+eval('1'));document.write('<p>')\n" * 9
    )
    yield File("site.css", "text/css", b"@import url('a.css');a{background:url(javascript:0)}\n")
    yield File(
        "README.md", "text/markdown", b"# Use\n```sh\ncat /etc/hosts; rm -rf build\n```\n" * 9
    )
    package = {"name": "shop", "scripts": {"build": "rm -rf dist && tsc"}}
    yield File("package.json", "application/octet-stream", json.dumps(package, indent=2).encode())
    yield File(
        "Dockerfile", "application/octet-stream", b"FROM python:3\nRUN pip install shop && true\n"
    )
    yield File(".gitignore", "application/octet-stream", b"*.pyc\n/.env\n../x\n")
    mail = email.message.EmailMessage()
    mail["Subject"], mail["To"] = "Re: order; select", "a@example.com"
    mail.set_content("Hello,\n\nplease <b>see</b> below -- it's 5' or 6'.\n" * 20)
    mail.add_alternative("<p>Hello <img src='cid:a'></p>", subtype="html")
    mail.add_attachment(_noise(3000), maintype="image", subtype="png", filename="a.png")
    yield File("order.eml", "message/rfc822", mail.as_bytes())
    event = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Tea; or 5' select\r\nEND:VEVENT\r\n"
    yield File("team.ics", "text/calendar", (event + "END:VCALENDAR\r\n").encode())
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Plan\n", "We'll look at tea."]},
        {"cell_type": "code", "outputs": [], "source": ["total = sum(range(9))\n", "total"]},
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    yield File("plan.ipynb", "application/x-ipynb+json", json.dumps(notebook, indent=1).encode())
    plist = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN"'
        ' "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0"><dict>'
        "<key>CFBundleName</key><string>Tea</string></dict></plist>\n"
    )
    yield File("Info.plist", "application/xml", plist.encode())


def data() -> Iterator[File]:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table tea (name text, at text)")
    at = datetime.date(2024, 5, 1).isoformat()
    connection.executemany("insert into tea values (?, ?)", [("green", at)] * 400)
    connection.commit()
    yield File("tea.sqlite", "application/vnd.sqlite3", connection.serialize())
    yield File("core.bin", "application/octet-stream", bytes(range(256)) * 40)
    yield File("tiny.bin", "application/octet-stream", b"\x00\xff" + _noise(1022))
    yield File("backup.bin", "application/octet-stream", _noise(20_000_000))


KINDS: tuple[Callable[[], Iterator[File]], ...] = (
    pictures,
    documents,
    plots,
    archives,
    sounds,
    texts,
    data,
)


@lru_cache(maxsize=1)
def files() -> tuple[File, ...]:
    """All of them."""
    return tuple(file for kind in KINDS for file in kind())
