"""``guard-wsgi options``: every option with its type, its default and the reason for it.

The reasons come from the comments in the sections of SecurityConfig, so that there is only one
place to maintain.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from textwrap import dedent, fill
from typing import Any, TextIO

from attrs import frozen, has

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.options.quoting import quoted
from guard_wsgi.options.resolving import options_of
from guard_wsgi.options.values import plain

_PLURAL = re.compile(r"(?:ies|(?<!s)s)(?![a-z])")


@frozen(slots=True)
class Option:
    """One option, as the reference prints it.

    :ivar reason: the comment at its definition; empty if the name says enough.
    :ivar ignored: why it does nothing, if it is only accepted for compatibility.
    :ivar meant: the value that a default of ``None`` means, if another class declares it.
    """

    section: str
    name: str
    kind: str
    default: Any
    reason: str
    ignored: str
    meant: Any = None


def read_options() -> Iterator[Option]:
    """All options, in the order of their definition."""
    known = {option.name: option for option in options_of(SecurityConfig)}
    sections = [base for base in reversed(SecurityConfig.__bases__) if has(base)]
    for number, section in enumerate(sections, start=1):
        heading = f"{number}. {(section.__doc__ or '').rstrip('.')}"
        for name, kind, reason in _described(section):
            option = known[name]
            ignored = option.metadata.get("inert", "")
            meant = option.metadata.get("meant")
            yield Option(heading, name, kind, option.default, reason, ignored, meant)


def _described(section: type) -> Iterator[tuple[str, str, str]]:
    """Yield the options of a class with their annotations and the comments at their definitions."""
    lines = dedent(inspect.getsource(section)).splitlines()
    definition = next(node for node in ast.parse("\n".join(lines)).body)
    assert isinstance(definition, ast.ClassDef)
    for node in definition.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            comments = (line.strip() for line in lines[node.lineno - 1 : node.end_lineno])
            reason = " ".join(line.lstrip("# ") for line in comments if line.startswith("#"))
            yield node.target.id, ast.unparse(node.annotation), reason


def write_options(word: str, out: TextIO) -> int:
    """Write the options whose name, reason or default contains ``word``, as a singular or a plural.
    Return 1 if there is none."""
    section, wanted = "", _singular(word)
    for option in read_options():
        default = plain(option.default)
        values = " ".join(map(str, default)) if isinstance(default, list) else ""
        if wanted not in _singular(f"{option.name} {option.reason} {values}"):
            continue
        if option.section != section:
            section = option.section
            print(f"\n{section}\n", file=out)
        shown = quoted(default)
        if option.meant is not None:
            shown += f", which means {quoted(plain(option.meant))}"
        print(f"  {option.name}: {option.kind} = {shown}", file=out)
        text = f"Does nothing: {option.ignored}." if option.ignored else option.reason
        if text:
            print(fill(text, 92, initial_indent="      ", subsequent_indent="      "), file=out)
    if not section:
        print(f"no option mentions {word!r}", file=out)
        return 1
    return 0


def _singular(text: str) -> str:
    """Return a text in lower case with its plurals as singulars, so that "proxy" finds
    "trusted_proxies"."""
    return _PLURAL.sub(lambda ending: "y" if ending[0] == "ies" else "", text.lower())
