"""The ``Forwarded`` header (RFC 7239), read from its end.

Each proxy appends an element. So the end comes from the operator's own proxies, and the beginning
may be any text of a client: an opening quote that swallows the rest, a parameter that looks like
another one. Read from the right, the elements of the proxies are parsed before any text of the
client.
"""

from __future__ import annotations

import re

# A parameter of the reversed text: the value, "=", the name (RFC 7239, 4; RFC 9110, 5.6.4). In a
# quoted string, the backslash before an escaped quote comes after it here.
_PAIR = re.compile(
    r"""(?:"(?P<quoted>(?:"\\|[^"])*)"(?!\\)|(?P<bare>[^\s",;=]+))"""
    r"""=(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*"""
)
_BLANKS = re.compile(r"[ \t]*")


def forwarded_nodes(value: str, max_nodes: int) -> list[str | None]:
    """Return the nodes of the ``for`` parameters, in the order of the header, from at most
    ``max_nodes`` last elements.

    ``None`` stands for an element with no node, two nodes, or a syntax error. Parsing ends at a
    syntax error, since it may belong to the text before it.
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
