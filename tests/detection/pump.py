"""Growing texts, and the growth of the time to read them.

A text is a prefix and a repeated atom. Linear code takes twice as long for twice the text,
quadratic code four times. The time is processor time, the lowest of a few runs.
"""

# ruff: noqa: E501  (a table: one row a line reads better than the rows broken)
from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from io import BytesIO
from itertools import count
from math import inf
from pathlib import Path
from time import process_time
from types import BuiltinMethodType, CellType, FunctionType, MethodType, ModuleType
from typing import Any

from attrs import define

import guard_wsgi
import guard_wsgi_flask
from guard_wsgi import GuardMiddleware, SecurityConfig
from guard_wsgi.detection import Inspection
from tests.detection.requests import environ
from tests.detection.structure_pump import pumps
from tests.kit.gateway import text_app

_NAMES = "names are read up to MAX_NAME_CHARS characters"
BOUNDED = {
    "cli.log_lines._LINE": "reads 8192 characters of a line of the operator's own log",
    "config.foreign_names._KUBERNETES": "reads the names of environment variables",
    "detection.decoding.statements._TOKEN": "the first comment without an end ends the search",
    "detection.relaxations.field_names._REDIRECT_NAME": _NAMES,
    "detection.relaxations.field_names._INCLUDE_NAME": _NAMES,
    "detection.relaxations.field_names._TEXT_NAME": _NAMES,
    "detection.relaxations.field_names._CODE_NAME": _NAMES,
    "detection.relaxations.field_names._QUERY_NAME": _NAMES,
    "detection.relaxations.field_names._SECRET_NAME": _NAMES,
    "detection.relaxations.field_names._LINE_NAME": _NAMES,
    "detection.relaxations.field_names._NUMBER_NAME": _NAMES,
    "detection.relaxations.fragments._DATA_BLOCK": "reads up to the last end of a script",
    "detection.relaxations.passwords._ACTS": "tokens have at most MAX_PASSWORD_CHARS characters",
    "detection.scanning.families._PIECES": "reads the patterns of the package",
    "detection.scanning.name_tables._BEGINNING": "reads the patterns of the package",
    "detection.scanning.scanner._INSIDE": "reads the patterns of the configuration",
    "routes.resolvers._ALL_BELOW": "reads the routes of the app",
    "routes.resolvers._PARAMETER": "reads the routes of the app",
}
"""Patterns that may take the square of a text's length, and what keeps the text short."""

ATOMS = (
    *("a", "A", "0", " ", "\t", "\n", "\r\n", "_", "-", ".", ",", ";", ":", "/", "\\", "'", '"', "`"),
    *("<", ">", "(", ")", "[", "]", "{", "}", "=", "&", "|", "%", "+", "*", "#", "@", "!", "$", "?"),
    *('\\"', "<!", "<!--", "<a ", "a=", "a = ", "&a=b", "a b ", "a,", "a;", "a:", "a.", "a/", "%27"),
    *("&#", "&#x27;", "../", "' or ", "/*", "*/", "--", "${", "{{", "{a", "a(", "x'||'", '{"a":', "\u00e9"),
    *("<![CDATA[", "<?", "@a ", "query{", "eyJ", "\\u0027", "%u0027", "union select ", "A1b2", "\x00"),
    *("[a]", "{2}"),
)  # fmt: skip
SMALL, LARGE = 700, 4200
"""Characters of the texts for one pattern: the square of the second takes some 50 milliseconds."""

MOST_SECONDS = 3.0
"""How long one growing text may take. The square of `LARGE` takes some 50 milliseconds."""

QUICK_SECONDS = 0.001
"""A time that is too short to measure, whatever the growth."""

MOST_GROWTH = 3.0
"""The growth of the time for twice the text: between 2, which is linear, and 4, which is
quadratic."""


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Yield every compiled pattern of the package's modules with its place: in a variable, a class,
    a table, a table's method, a function's cache, or spelled in a call."""
    seen: set[int] = set()
    for root in (guard_wsgi, guard_wsgi_flask):
        names = [info.name for info in pkgutil.walk_packages(root.__path__, f"{root.__name__}.")]
        for module_name in (root.__name__, *names):
            if module_name.endswith("__main__"):
                continue
            try:
                module = importlib.import_module(module_name)
            except ImportError:
                continue  # of a package that is not installed
            short = module_name.removeprefix("guard_wsgi.")
            for name, value in vars(module).items():
                for found in _patterns_in(value, module_name, seen):
                    yield f"{short}.{name}", found
            for line, found in _spelled(module):
                yield f"{short}.line{line}", found


def _patterns_in(
    value: object, module: str, seen: set[int], depth: int = 0
) -> Iterator[re.Pattern[Any]]:
    if depth > 5 or isinstance(value, (str, bytes, int, float, ModuleType)) or id(value) in seen:
        return
    seen.add(id(value))
    _KEPT.append(value)  # so that no other object gets its number
    if isinstance(value, re.Pattern):
        yield value
        return
    inner: Iterable[object] = ()
    if isinstance(value, (tuple, list, frozenset, set, deque)):
        inner = value
    elif isinstance(value, Mapping):
        inner = [*value.keys(), *value.values()]
    elif isinstance(value, partial):
        inner = [value.func, *value.args, *value.keywords.values()]
    elif isinstance(value, (BuiltinMethodType, MethodType)):
        inner = [value.__self__]
    elif isinstance(value, FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or () if _is_full(cell)]
        inner = [*cells, *(value.__defaults__ or ()), getattr(value, "__wrapped__", None)]
    elif isinstance(value, type):
        inner = list(vars(value).values()) if value.__module__ == module else ()
    elif type(value).__module__.startswith("guard_wsgi"):
        slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
        inner = [
            *getattr(value, "__dict__", {}).values(),
            *(getattr(value, n, None) for n in slots),
        ]
    for one in list(inner):
        yield from _patterns_in(one, module, seen, depth + 1)


_KEPT: list[object] = []


def _is_full(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _spelled(module: ModuleType) -> Iterator[tuple[int, re.Pattern[Any]]]:
    """Yield the patterns in calls of `re`'s functions."""
    for node in ast.walk(ast.parse(_sources()[module.__name__.removeprefix("guard_wsgi.")])):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, (str, bytes))
            and node.func.attr != "compile"
        ):
            yield node.lineno, re.compile(node.args[0].value)


_COUNT = count()


def _text(prefix: str, atom: str, characters: int) -> str:
    """All different: harmless values are remembered."""
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
    # Again, because the machine may have been busy.
    for _ in range(3):
        short, long = (_least(act, prefix, atom, count) for count in (size, size * 2))
        if long < QUICK_SECONDS:
            return 0.0  # it was another process
        found.append(long / short)
        if found[-1] < MOST_GROWTH:
            return min(found)
    # A reading may begin at some length only: that is a step, and what grows goes on growing.
    short, long = (_least(act, prefix, atom, count) for count in (size, size * 4))
    return min(*found, (long / short) ** 0.5)


def _least(act: Callable[[str], object], prefix: str, atom: str, size: int) -> float:
    """The least of three times, in seconds."""
    return max(min(seconds(act, _text(prefix, atom, size)) for _ in range(3)), 1e-9)


def methods_of(name: str) -> set[str]:
    """How the package uses the pattern of a name: one that is matched from the beginning only need
    not be linear from everywhere. Modules may have patterns of the same name."""
    module, _, name = name.rpartition(".")
    if name.startswith("line"):
        return {"finditer"}
    used = re.compile(
        rf"\b{name}(?:\[[^\]\n]*\])?\.(search|match|fullmatch|findall|finditer|subn?|split)\b"
    )
    found = {
        method
        for where, source in _sources().items()
        if where == module or f"guard_wsgi.{module} import" in source
        for method in used.findall(source)
    }
    # In a table, or passed on.
    return found or {"match", "fullmatch"}


@lru_cache(maxsize=1)
def _sources() -> dict[str, str]:
    """The text of each module of the package."""
    found = {}
    for package in (guard_wsgi, guard_wsgi_flask):
        root = Path(package.__path__[0])
        for file in sorted(root.rglob("*.py")):
            parts = file.relative_to(root.parent).with_suffix("").parts
            name = ".".join(parts).removesuffix(".__init__")
            found[name.removeprefix("guard_wsgi.")] = file.read_text()
    return found


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

    for prefix, atom in pumps(pattern.pattern, pattern.flags):
        # Growth above quadratic shows in the short text, quadratic growth in the long one.
        with stopped_after(MOST_SECONDS) as time:
            found = growth(act, prefix, atom, SMALL) or growth(act, prefix, atom, LARGE)
        if time.is_over or found:
            yield prefix, atom, inf if time.is_over else found


class _Over(Exception):
    """The time is over."""


@define
class Time:
    """Processor time.

    :ivar is_over: whether it ran out.
    """

    is_over: bool = False


@contextmanager
def stopped_after(most: float) -> Iterator[Time]:
    """End the work inside after some seconds of processor time: an exponential search never ends.
    `re` looks for signals while it searches."""
    time = Time()

    end = process_time() + most

    def stop(number: int, frame: object) -> None:
        if process_time() >= end:
            raise _Over
        signal.setitimer(signal.ITIMER_REAL, most)  # the machine is busy

    before = signal.signal(signal.SIGALRM, stop)
    left, _ = signal.setitimer(signal.ITIMER_REAL, most)  # pytest's own time for a test
    try:
        yield time
    except _Over:
        time.is_over = True
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)
        signal.signal(signal.SIGALRM, before)


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
    """Every entry of detection, as a function of the growing text."""

    def body(kind: str, before: str = "", after: str = "") -> Callable[[str], object]:
        def act(text: str) -> object:
            return inspection.body((before + text + after).encode(), content_type=kind)

        return act

    def head(**fields: str) -> Callable[[str], object]:
        def act(text: str) -> object:
            latin = text.encode().decode("latin-1")
            opened = {name: value.replace("TEXT", latin) for name, value in fields.items()}
            # Matches the first pass, so everything is read.
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


def guard_entries() -> dict[str, Callable[[str], object]]:
    """Every entry of a guard whose checks all read something, as a function of the growing text."""
    guard = GuardMiddleware(
        text_app(),
        SecurityConfig(
            enable_rate_limiting=False,
            enable_ip_banning=False,
            enable_penetration_detection=False,  # it has ways of its own
            trusted_proxies=("10.0.0.0/8",),
            allowed_hosts=("*.example.com",),
            blocked_user_agents=("evil.*bot",),
            enable_cors=True,
            cors_allow_origins=("https://shop.example.com",),
        ),
    )

    def act(environ: dict[str, Any]) -> object:
        return b"".join(guard(environ, lambda status, headers, error=None: lambda data: None))

    def head(name: str) -> Callable[[str], object]:
        def visit(text: str) -> object:
            latin = text.encode().decode("latin-1")
            made = environ(**{name: latin}) | {"REMOTE_ADDR": "10.1.2.3", "wsgi.url_scheme": "http"}
            return act(made | {"wsgi.input": BytesIO(), "SERVER_NAME": "a", "SERVER_PORT": "80"})

        return visit

    names = (
        *(
            "HOST",
            "X_FORWARDED_FOR",
            "X_FORWARDED_PROTO",
            "X_FORWARDED_HOST",
            "FORWARDED",
            "ORIGIN",
        ),
        *("REFERER", "USER_AGENT", "AUTHORIZATION", "COOKIE", "ACCEPT", "ACCEPT_LANGUAGE"),
        *("ACCESS_CONTROL_REQUEST_HEADERS", "IF_NONE_MATCH", "TRANSFER_ENCODING"),
    )
    found = {f"guard: {name}": head(f"HTTP_{name}") for name in names}
    for name in ("PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH"):
        found[f"guard: {name}"] = head(name)
    return found
