"""The part of a text that a shell runs, if an app puts the text into a command line.

It runs the command after a separator, whatever words come before it, and takes further words as
arguments. So a sentence around a command must not excuse it, unless the field is for sentences
about commands.
"""

from __future__ import annotations

import re
from typing import Final

_PROGRAMS: Final = (
    r"(?:rm|curl|wget|nc|ncat|netcat|(?:ba|z|k|da)?sh|cat|chmod|chown|mv|cp|dd|mkfs(?:\.\w+)?|kill|ping|python[\d.]*|perl|ruby|php"
    r"|node|base64|xxd|tee|scp|ssh|ftp|telnet|socat|openssl|nslookup|dig|find|tar|head|tail|less|ls|mkdir|touch|crontab"
    r"|useradd|passwd|powershell|cmd)(?:\.exe)?"
)  # fmt: skip
# An option, a path, a variable, a pattern or a host: no word of a sentence, and no version.
_ARGUMENT: Final = (
    r"(?:-{1,2}\w[\w=:-]*|[^\s;|&`]*[/$~*][^\s;|&`]*"
    r"|[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}|\d+(?:\.\d+){3})"
)
_COMMAND: Final = re.compile(
    r"(?:;|&&|\|\|?)\s*(?:sudo\s+)?(?:/[\w/]*/)?"
    rf"{_PROGRAMS}(?:\s+(?:{_ARGUMENT}|\d+))*\s+{_ARGUMENT}(?:\s+\d+\b)*",
    re.IGNORECASE,
)


def injected_command(text: str) -> str | None:
    """Return the first separator with a command and its arguments; ``None`` if there is none, or no
    words around it."""
    match = _COMMAND.search(text)
    if match is None:
        return None
    around = " " in text[: match.start()].strip() or text[match.end() :].strip()
    return match[0] if around else None
