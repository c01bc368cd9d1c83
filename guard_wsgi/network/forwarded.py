"""The ``Forwarded`` header (RFC 7239), read from its end.

Each proxy appends an element, so that the end is the work of the operator's own proxies and the
beginning may be anything that a client has sent: an opening quote that swallows what follows, a
parameter that looks like another one. What is read from the right is understood before anything
of the client's is looked at.
"""

from __future__ import annotations

import re

# Of the text turned around: the value, "=", the name (RFC 7239, 4; RFC 9110, 5.6.4). In a quoted
# string a quote that is part of it follows a backslash, which stands behind it here.
_PAIR = re.compile(
    r"""(?:"(?P<quoted>(?:"\\|[^"])*)"(?!\\)|(?P<bare>[^\s",;=]+))"""
    r"""=(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*"""
)
_BLANKS = re.compile(r"[ \t]*")


def forwarded_nodes(value: str, max_nodes: int) -> list[str | None]:
    """The nodes that the ``for`` parameters name, in the order of the header; of its last
    elements at most ``max_nodes``.

    ``None`` stands for an element that names none, names two, or breaks the syntax; with the
    last reading ends, since it may be a part of what stands before.
    """
    text = value[::-1]
    nodes: list[str | None] = []
    position = _blanks(text, 0)
    while position < len(text) and len(nodes) < max_nodes:
        if text[position] == ",":  # an empty element of a list (RFC 9110, 5.6.1)
            position = _blanks(text, position + 1)
            continue
        found: list[str] = []
        names: list[str] = []
        while True:
            pair = _PAIR.match(text, position)
            if pair is None:
                nodes.append(None)
                return nodes[::-1]
            name = pair["name"][::-1].lower()
            names.append(name)
            if name == "for":
                node = pair["bare"] if pair["quoted"] is None else pair["quoted"]
                found.append(_unescaped(node[::-1]))
            position = pair.end()
            if not text.startswith(";", position):
                break
            position = _blanks(text, position + 1)
        if position < len(text) and text[position] != ",":
            nodes.append(None)
            return nodes[::-1]
        # A parameter may occur once in an element (RFC 7239, 4).
        is_whole = len(found) == 1 and len(set(names)) == len(names)
        nodes.append(found[0] if is_whole else None)
        position = _blanks(text, position + 1)
    return nodes[::-1]


def _blanks(text: str, position: int) -> int:
    match = _BLANKS.match(text, position)
    return position if match is None else match.end()


def _unescaped(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted)
