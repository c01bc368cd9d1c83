"""Every place for a payload."""

from __future__ import annotations

from tests.detection.places.forms import FORMS
from tests.detection.places.heads import HEADS
from tests.detection.places.json_documents import JSON_DOCUMENTS
from tests.detection.places.multiparts import MULTIPARTS
from tests.detection.places.sent import Environ, Place, Sent
from tests.detection.places.texts import TEXTS

PLACES: dict[str, Place] = {**HEADS, **FORMS, **JSON_DOCUMENTS, **MULTIPARTS, **TEXTS}

EXCEPTIONS = {
    "Basic password": "a password may be any characters",
    "User-Agent": "programs name themselves and their libraries in it",
    "Accept-Language": "its grammar has words, numbers and names of types",
    "X-Requested-With": "its grammar has words, numbers and names of types",
    "If-None-Match": "an entity tag may have any of these characters",
}
"""Places in which a payload needs more evidence, and why. README names them."""

AMONG_TEXT = frozenset(
    {
        *("query name", "form name", "JSON key", "multipart name", "multipart name, in percent"),
        *("multipart name, in EBCDIC percent", "multipart name, in two pieces"),
        *("multipart, its name in EBCDIC", "GraphQL, a decoy", "path", "path, deep"),
        *("path, in the middle", "path, in the middle of twenty", "path, a matrix parameter"),
        *("path, before a slash", "multipart, a part's type", "multipart, a part's header"),
        *("TOML, as text", "TOML, letters by numbers", "TOML, a line for each letter"),
        "text, controls in front",
    }
)
"""Names, paths, lines of headers and texts with values in them: what is an attack only as a whole
value (a path, an address, a number) is none there."""

__all__ = ["AMONG_TEXT", "EXCEPTIONS", "PLACES", "Environ", "Place", "Sent"]
