"""Scripts that a new machine runs at its first start, in the fields that clouds have for them.

The field is named in the documentation of Amazon EC2 (`UserData`), DigitalOcean, Hetzner and
OpenStack (`user_data`), and Azure (`customData`); some take it in base64. A script begins with the
mark of its interpreter or of cloud-init, so that no other text is taken for one.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Final

_FIELD: Final = re.compile(r"(?:.*[.\[])?(?:user_?data|custom_?data|cloud_?init)\]?", re.IGNORECASE)
_SCRIPT: Final = re.compile(
    r"(?:#![ \t]?/(?:usr/)?(?:local/)?bin/(?:env )?"
    r"(?:(?:ba|z|da|k)?sh|python[\d.]*|perl|pwsh)\b[^\r\n]*\r?\n"
    r"|#cloud-config\b[^\r\n]*\r?\n|#cloud-boothook\b)"
)
# Pages and templates act where a field is shown, whatever it is called.
_SHOWN: Final = re.compile(r"<\s*[a-z!?%/]|\{\{|\{%", re.IGNORECASE)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/\s]+={0,2}")
MAX_SCRIPT_CHARS: Final = 65_536
HINTS: Final = ("#", "I")
"""The first characters of a script, as it is and in base64."""


def is_boot_script(name: str, text: str) -> bool:
    """Whether a field has a script for a new machine, and no page."""
    if len(text) > MAX_SCRIPT_CHARS or _FIELD.fullmatch(name) is None:
        return False
    if _BASE64.fullmatch(text) is not None:
        try:
            text = b64decode(text, validate=False).decode()
        except ValueError:
            return False
    return _SCRIPT.match(text) is not None and _SHOWN.search(text) is None
