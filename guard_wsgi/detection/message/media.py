"""How a body is read by its Content-Type: as fields, as a document, or as a file."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

_MEDIA_TYPE: Final = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+")
_JSON_TYPES: Final = frozenset(
    {
        "application/csp-report",
        "application/json-rpc",
        "application/json-seq",
        "application/jsonl",
        "application/jsonlines",
        "application/ndjson",
        "application/x-json",
        "application/x-jsonlines",
        "application/x-ndjson",
        "application/x-sentry-envelope",
        "text/x-json",
    }
)
# RFC 7303, 9.4 and 9.5; pieces of documents are read by the same parsers.
_XML_TYPES: Final = frozenset(
    {
        "application/x-xml",
        "application/xml-external-parsed-entity",
        "text/xml-external-parsed-entity",
    }
)
_SHOWN: Final = frozenset({"image/svg+xml", "application/xhtml+xml"})
# Types that programs read as one document: text itself, and YAML (CWE-502).
_TEXT_TYPES: Final = frozenset(
    {
        "application/graphql",
        "application/sparql-query",
        "application/sparql-update",
        "application/x-yaml",
        "application/yaml",
        "text/plain",
        "text/vnd.yaml",
        "text/x-yaml",
        "text/yaml",
    }
)


@frozen(slots=True)
class BodyKind:
    """How a body is read, by its declared type.

    Types are compared by their whole name or their suffix (RFC 6839): names of office documents
    contain "xml", but are archives. Frameworks disagree about a name that is no media type (RFC
    9110, 8.3.1), so such a body is read in every way.

    :ivar media: the type in lower case, without parameters.
    :ivar parameters: the text after the type.
    :ivar is_file: none of the others: an app stores its bytes or passes them on. An app can read a
        field or a document from it only if the body parses as such (form.py).
    """

    media: str
    parameters: str
    is_form: bool = False
    is_json: bool = False
    is_multipart: bool = False
    is_xml: bool = False
    is_text: bool = False
    is_file: bool = False

    @property
    def content_type(self) -> str:
        """Return both as they were sent, the type in lower case."""
        return f"{self.media};{self.parameters}" if self.parameters else self.media

    @classmethod
    def of(cls, content_type: str) -> BodyKind:
        media, _, parameters = content_type.partition(";")
        media = media.strip().lower()
        main, _, sub = media.partition("/")
        suffix = sub.rpartition("+")[2]
        if media == "application/x-www-form-urlencoded":
            return cls(media, parameters, is_form=True)
        if suffix == "json" or media in _JSON_TYPES:
            return cls(media, parameters, is_json=True)
        if main == "multipart" and sub:
            return cls(media, parameters, is_multipart=True)
        # A picture or a page in XML is stored and shown, like other files.
        if (suffix == "xml" or media in _XML_TYPES) and media not in _SHOWN:
            return cls(media, parameters, is_xml=True)
        if media in _TEXT_TYPES or suffix == "yaml":
            return cls(media, parameters, is_text=True)
        # Programs that store files omit the type if they don't know it.
        if not media or _MEDIA_TYPE.fullmatch(media):
            return cls(media, parameters, is_file=True)
        return cls(
            media,
            parameters,
            is_form=True,
            is_json="json" in media,
            is_multipart="multipart" in media,
            is_xml="xml" in media,
            is_text=True,
        )
