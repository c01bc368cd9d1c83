"""Texts that grow, and how the time to read them grows with them.

A text is a prefix and an atom, over and over. What is linear takes twice as long for twice as much,
what is quadratic four times. Time is that of the processor, and the least of a few.
"""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import count
from pathlib import Path
from time import process_time
from typing import Any

import guard_wsgi
from guard_wsgi.detection import Inspection
from tests.detection.requests import environ

BOUNDED = {
    "detection.field_names._REDIRECT_NAME": "names have at most 100 characters",
    "detection.field_names._INCLUDE_NAME": "names have at most 100 characters",
    "detection.field_names._TEXT_NAME": "names have at most 100 characters",
    "detection.field_names._CODE_NAME": "names have at most 100 characters",
    "detection.field_names._QUERY_NAME": "names have at most 100 characters",
    "detection.field_names._SECRET_NAME": "names have at most 100 characters",
    "detection.scanner._INSIDE": "reads the patterns of the configuration",
}
"""Patterns that may take the square of a text's length, and what keeps the text short."""

READ_REQUESTS = (
    *("guard_wsgi.detection", "guard_wsgi.request", "guard_wsgi.checks", "guard_wsgi.routes"),
    *("guard_wsgi.response", "guard_wsgi.ladder", "guard_wsgi.patterns", "guard_wsgi.resolvers"),
    *("guard_wsgi.middleware", "guard_wsgi.bottle", "guard_wsgi.django", "guard_wsgi.behavior"),
)

ATOMS = (
    *("a", "A", "0", " ", "\t", "\n", "\r\n", "_", "-", ".", ",", ";", ":", "/", "\\", "'", '"', "`"),
    *("<", ">", "(", ")", "[", "]", "{", "}", "=", "&", "|", "%", "+", "*", "#", "@", "!", "$", "?"),
    *('\\"', "<!", "<!--", "<a ", "a=", "a = ", "&a=b", "a b ", "a,", "a;", "a:", "a.", "a/", "%27"),
    *("&#", "&#x27;", "../", "' or ", "/*", "*/", "--", "${", "{{", "{a", "a(", "x'||'", '{"a":', "\u00e9"),
    *("<![CDATA[", "<?", "@a ", "query{", "eyJ", "\\u0027", "%u0027", "union select ", "A1b2", "\x00"),
)  # fmt: skip
PREFIXES = ("", '"', "<a", "q=")
SMALL = 700
"""Characters of the short text for one pattern: its square takes some milliseconds."""

QUICK_SECONDS = 0.001
"""What a short text may take whatever the growth: too little to be measured."""

MOST_GROWTH = 3.0
"""Of the time, for twice the text: between 2, which is linear, and 4, which is its square."""


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Every compiled pattern of the package, by where it stands."""
    seen = set()
    for info in pkgutil.walk_packages(guard_wsgi.__path__, "guard_wsgi."):
        # The others read files of the site's own.
        if not info.name.startswith(READ_REQUESTS):
            continue
        try:
            module = importlib.import_module(info.name)
        except ImportError:
            continue  # of a package that is not installed
        for name, value in vars(module).items():
            for found in _patterns_in(value):
                if id(found) not in seen:
                    seen.add(id(found))
                    yield f"{info.name.removeprefix('guard_wsgi.')}.{name}", found


def _patterns_in(value: object, depth: int = 0) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 3 and isinstance(value, (tuple, list, frozenset, set)):
        for one in value:
            yield from _patterns_in(one, depth + 1)
    elif depth < 3 and isinstance(value, dict):
        for one in value.values():
            yield from _patterns_in(one, depth + 1)


_COUNT = count()


def _text(prefix: str, atom: str, characters: int) -> str:
    """No two alike: what was found harmless is remembered."""
    return f"{prefix}{atom * (characters // len(atom))}~{next(_COUNT)}"


def seconds(act: Callable[[str], object], text: str) -> float:
    began = process_time()
    act(text)
    return process_time() - began


def growth(act: Callable[[str], object], prefix: str, atom: str, size: int) -> float:
    """How much longer twice the text takes; 0 where it takes hardly any time."""
    if seconds(act, _text(prefix, atom, size)) < QUICK_SECONDS:
        return 0.0
    found = []
    # Again, as the machine may have been busy with something else.
    for _ in range(3):
        short = min(seconds(act, _text(prefix, atom, size)) for _ in range(3))
        long = min(seconds(act, _text(prefix, atom, size * 2)) for _ in range(3))
        found.append(long / max(short, 1e-9))
        if found[-1] < MOST_GROWTH:
            break
    return min(found)


def methods_of(name: str) -> set[str]:
    """How the package uses the pattern of a name: one that is matched from the beginning only need
    not be linear from everywhere. Modules may have patterns of the same name."""
    module, _, name = name.rpartition(".")
    used = re.compile(
        rf"\b{name}(?:\[[^\]\n]*\])?\.(search|match|fullmatch|findall|finditer|subn?|split)\b"
    )
    found = {
        method
        for where, source in _sources().items()
        if where == module or f"guard_wsgi.{module} import" in source
        for method in used.findall(source)
    }
    # In a table, or handed on.
    return found or {"match", "fullmatch"}


@lru_cache(maxsize=1)
def _sources() -> dict[str, str]:
    """The text of each module of the package."""
    root = Path(guard_wsgi.__path__[0])
    return {
        ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(
            ".__init__"
        ): file.read_text()
        for file in sorted(root.rglob("*.py"))
    }


def growths_of_pattern(
    pattern: re.Pattern[Any], methods: set[str]
) -> Iterator[tuple[str, str, float]]:
    """Prefix, atom and growth, where a pattern takes time."""
    anchored = [getattr(pattern, name) for name in ("match", "fullmatch") if name in methods]
    everywhere = bool(methods - {"match", "fullmatch"})

    def act(text: str) -> None:
        data = text.encode("utf-8") if isinstance(pattern.pattern, bytes) else text
        for method in anchored:
            method(data)
        if everywhere:
            for _ in pattern.finditer(data):
                pass

    for prefix in PREFIXES:
        for atom in ATOMS:
            found = growth(act, prefix, atom, SMALL)
            if found:
                yield prefix, atom, found


ATTACK = '"<script>alert(1)</script>"'
FORM = "application/x-www-form-urlencoded"
KINDS = {
    "form": FORM,
    "JSON": "application/json",
    "XML": "text/xml",
    "text": "text/plain",
    "GraphQL": "application/graphql",
    "multipart": "multipart/form-data; boundary=X",
    "file": "application/octet-stream",
    "another charset": "text/plain; charset=utf-7",
}


def entries(inspection: Inspection) -> dict[str, Callable[[str], object]]:
    """Every way into detection, from the text that grows."""

    def body(kind: str, before: str = "", after: str = "") -> Callable[[str], object]:
        def act(text: str) -> object:
            return inspection.body((before + text + after).encode(), content_type=kind)

        return act

    def head(**fields: str) -> Callable[[str], object]:
        def act(text: str) -> object:
            latin = text.encode().decode("latin-1")
            opened = {name: value.replace("TEXT", latin) for name, value in fields.items()}
            # What opens the first pass, so that all is read.
            return inspection.head(environ(query="z=..%2f", **opened))

        return act

    part = '--X\r\nContent-Disposition: form-data; name="a"'
    return {
        **{name: body(kind) for name, kind in KINDS.items()},
        **{f"{name}, behind a trace": body(kind, "../ ") for name, kind in KINDS.items()},
        **{f"{name}, before an attack": body(kind, "", ATTACK) for name, kind in KINDS.items()},
        "form value": body(FORM, "z=..%2f&q="),
        "JSON string": body("application/json", '{"a": "../ ', '"}'),
        "multipart field": body(KINDS["multipart"], part + "\r\n\r\n../", "\r\n--X--\r\n"),
        "multipart head": body(KINDS["multipart"], part, "\r\n\r\n../\r\n--X--\r\n"),
        "content type": head(CONTENT_TYPE="multipart/form-data; TEXT"),
        "path": lambda text: inspection.head(environ(path="/../" + text)),
        "query": lambda text: inspection.head(environ(query="z=..%2f&" + text.replace("\n", ""))),
        **{
            name: head(**{f"HTTP_{name}": "TEXT"})
            for name in ("COOKIE", "REFERER", "USER_AGENT", "AUTHORIZATION", "IF_NONE_MATCH", "ACCEPT")
        },
        "If": head(HTTP_IF="(TEXT"),
        "Digest": head(HTTP_AUTHORIZATION="Digest TEXT"),
        "Basic": head(HTTP_AUTHORIZATION="Basic TEXT"),
    }  # fmt: skip
