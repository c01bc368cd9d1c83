"""Document types that harm no parser (XML 1.0, 2.8; CWE-611, CWE-776).

A parser that follows a document type fetches an external subset, and expands what an internal one
declares. A subset that an organisation publishes under its own name is not in an attacker's hands.
An internal subset is harmless if it declares only elements, single characters and namespaces.
"""

from __future__ import annotations

import re
from typing import Final

from guard_wsgi.detection.decoding.strict_xml import Refused, reads_strictly, refuse

# Hosts of the organisations that publish the formats. On none of them can others keep files.
_HOSTS: Final = (
    r"(?:www\.)?(?:w3|oasis-open|apache|mybatis|hibernate|springframework|checkstyle|freedesktop|docbook|openoffice|jboss|gnome"
    r"|musicxml|editeur|rssboard|jetty|eclipse|nitf|iptc|daisy|openarchives|tei-c)\.org"
    r"|(?:www\.)?(?:apple|musicxml|hibernate)\.com|(?:java|www)\.sun\.com|eclipse\.dev|xml\.cxml\.org|ns\.editeur\.org|my\.netscape\.com"
    r"|(?:struts|tiles|logging|xml|velocity|maven|jakarta|ibatis)\.apache\.org|dtd\.worldpay\.com|xml\.evernote\.com|www\.python\.org"
    r"|(?:dtd|jats|www\.ncbi)\.nlm\.nih\.gov|(?:docbook|hibernate|checkstyle|pyxml)\.sourceforge\.net"
)
_NAME: Final = r"<!DOCTYPE\s+[\w:.-]+"
# An external subset at one of them, or in a file beside the document.
_ADDRESS: Final = rf"\"https?://(?:{_HOSTS})/[\w./-]*\""
_BESIDE: Final = r"\"(?:\.\./)*[\w-]+(?:\.[\w-]+)*\.dtd\""
_EXTERNAL: Final = (
    rf"\s+PUBLIC\s+\"[-+]//[\w/ ,.:+()-]+\"\s+(?:{_ADDRESS}|{_BESIDE})"
    rf"|\s+SYSTEM\s+(?:{_ADDRESS}|{_BESIDE}"
    # A name that no parser resolves (RFC 8141), and what HTML writes for programs that want one.
    r"|\"urn:[a-z\d-]{1,32}:[\w.:-]{1,80}\"|[\"']about:legacy-compat[\"'])"
    # QGIS: a parser reads the file "SYSTEM" beside the document, and no public identifier.
    r"|\s+PUBLIC\s+'http://mrcc\.com/qgis\.dtd'\s+'SYSTEM'"
)
_PUBLISHED: Final = re.compile(
    rf"{_NAME}(?:{_EXTERNAL})?\s*>"
    # A style sheet beside the document.
    r"|<\?xml-stylesheet(?:\s+(?:type=\"text/css\"|href=\"[\w-]+(?:[./][\w-]+)*\.css\")){2}\s*\?>",
    re.IGNORECASE,
)
_WITH_SUBSET: Final = re.compile(
    rf"({_NAME})(?:{_EXTERNAL})?\s*(\[[^\[\]%]{{1,8000}}\]\s*>)", re.IGNORECASE
)
# The values of harmless entities: a letter, a punctuation mark or a namespace. With other texts, a
# document could put an attack together that none of its values contains.
_ABBREVIATED: Final = re.compile(
    r"[^\x00-\xa0\ufeff\uff00-\uffef]|\xa0"
    r"|https?://(?:www\.w3\.org|purl\.org|xmlns\.com|schema\.org)/[\w./-]{1,100}#?"
)
_MARK: Final = re.compile(r"<!doctype|<\?xml-stylesheet", re.IGNORECASE)
_DEFAULT: Final = re.compile(r"[\w.-]{0,40}")
_ATTRIBUTE: Final = re.compile(r"(?!on|style|src|href)[\w.-]+", re.IGNORECASE)


def without_published(prolog: str) -> str:
    """Return the beginning of a document without the document types that harm no parser."""
    if _MARK.search(prolog) is None:
        return prolog
    return _PUBLISHED.sub("", _WITH_SUBSET.sub(_without_harmless, prolog))


def _without_harmless(match: re.Match[str]) -> str:
    return "" if _only_abbreviates(f"{match[1]} {match[2]}<x/>") else match[0]


def _only_abbreviates(document: str) -> bool:
    def begin(*_: object) -> None:
        """Allow the document type: that is what this parser reads."""

    def declare(_: str, is_parameter: int, text: str | None, *outside: object) -> None:
        if is_parameter or any(outside) or text is None or not _ABBREVIATED.fullmatch(text):
            raise Refused

    def declare_attribute(
        _: str, name: str, kind: str, default: str | None, is_required: int
    ) -> None:
        is_harmless = _ATTRIBUTE.fullmatch(name) and _DEFAULT.fullmatch(default or "")
        if not is_harmless or kind.startswith(("ENTIT", "NOTATION")):
            raise Refused

    return reads_strictly(
        document,
        StartDoctypeDeclHandler=begin,
        EntityDeclHandler=declare,
        AttlistDeclHandler=declare_attribute,
        NotationDeclHandler=refuse,
    )
