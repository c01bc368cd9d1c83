"""``guard-wsgi options``: every option with its type, its default and the reason for it.

Read from the source of SecurityConfig, where the reasons stand, so that there is one place to
keep right.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from textwrap import dedent, fill
from typing import Any, TextIO

from attrs import frozen

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.config.values import plain
from guard_wsgi.options.quoting import quoted
from guard_wsgi.options.resolving import options_of

_SECTION = re.compile(r"# (\d+\. .+?) -+\Z")


@frozen(slots=True)
class Option:
    """One option as it is told of.

    :ivar reason: the comment at its definition; empty where the name says it all.
    :ivar ignored: why it does nothing, for one that is only accepted.
    """

    section: str
    name: str
    kind: str
    default: Any
    reason: str
    ignored: str


def read_options() -> Iterator[Option]:
    """All options, in the order of their definition."""
    lines = dedent(inspect.getsource(SecurityConfig)).splitlines()
    body = ast.parse("\n".join(lines)).body[0]
    assert isinstance(body, ast.ClassDef)
    known = {option.name: option for option in options_of(SecurityConfig)}
    section, read_to = "", 0
    for node in body.body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        for line in lines[read_to : node.lineno - 1]:
            heading = _SECTION.match(line.strip())
            if heading:
                section = heading[1]
        read_to = node.end_lineno or node.lineno
        option = known.get(node.target.id)
        if option is None:
            continue
        comments = (line.strip() for line in lines[node.lineno - 1 : read_to])
        yield Option(
            section,
            option.name,
            ast.unparse(node.annotation),
            option.default,
            " ".join(line.lstrip("# ") for line in comments if line.startswith("#")),
            option.metadata.get("inert", ""),
        )


def write_options(word: str, out: TextIO) -> int:
    """Write the options whose name or reason holds ``word``; 1 when none does."""
    section = ""
    for option in read_options():
        if word.lower() not in f"{option.name} {option.reason}".lower():
            continue
        if option.section != section:
            section = option.section
            print(f"\n{section}\n", file=out)
        print(f"  {option.name}: {option.kind} = {quoted(plain(option.default))}", file=out)
        told = f"Does nothing: {option.ignored}." if option.ignored else option.reason
        if told:
            print(fill(told, 92, initial_indent="      ", subsequent_indent="      "), file=out)
    if not section:
        print(f"no option speaks of {word!r}", file=out)
        return 1
    return 0
