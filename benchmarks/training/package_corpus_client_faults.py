"""Faults for error trackers, which send the code around them: this file must contain nothing
odd."""

from __future__ import annotations

import configparser
import csv
import decimal
import email.utils
import ipaddress
import json
import random
import string
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Callable
from datetime import datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any


def load_order(text: str) -> Any:
    """Parse an order."""
    order = json.loads(text)
    return order["lines"]


def read_price(text: str) -> decimal.Decimal:
    """Parse a price."""
    return decimal.Decimal(text.strip()).quantize(decimal.Decimal("0.01"))


def read_settings(text: str) -> str:
    """Parse settings."""
    parser = configparser.ConfigParser()
    parser.read_file(StringIO(text))
    return parser["mail"]["host"]


def fail(rng: random.Random, word: str, name: str) -> Any:
    """Raise one of the faults of ordinary code."""
    faults: tuple[Callable[[], Any], ...] = (
        lambda: load_order('{"customer": "' + name),
        lambda: load_order(json.dumps({"customer": name})),
        lambda: read_price(word),
        lambda: read_settings(f"[{word}]\nname = {name}"),
        lambda: ElementTree.fromstring(f"<order><customer>{word}</order>"),
        lambda: ipaddress.ip_network(word),
        lambda: datetime.strptime(word, "%Y-%m-%d"),
        lambda: zipfile.ZipFile(BytesIO(name.encode())),
        lambda: next(csv.DictReader(StringIO(name)))[word],
        lambda: email.utils.parsedate_to_datetime(name),
        lambda: Path("/srv/app", word, "report.csv").read_text(),
        lambda: string.Template("Dear $name, $offer").substitute(name=name),
        lambda: [len(part) for part in name.split()][99],
        lambda: name.encode("ascii").decode("utf-16"),
    )
    return rng.choice(faults)()
