# ruff: noqa: E501, SIM905  (tables of words)
"""SVG: whether a picture only draws (SVG 2; OWASP, unrestricted file upload).

A real parser reads it. An inert picture has only elements that draw, attributes without handlers,
and references into itself. Any other picture is weighed as markup.
"""

from __future__ import annotations

import re
from typing import Final

from guard_wsgi.detection.decoding.strict_xml import Refused, reads_strictly, refuse

_SVG: Final = "http://www.w3.org/2000/svg"
_DRAWS: Final = frozenset(
    """
    svg g defs symbol use title desc metadata path rect circle ellipse line polyline polygon text tspan textPath
    linearGradient radialGradient stop clipPath mask pattern marker filter image style animate animateTransform
    animateMotion mpath switch view a feBlend feColorMatrix feComponentTransfer feComposite feConvolveMatrix
    feDiffuseLighting feDisplacementMap feDistantLight feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR
    feGaussianBlur feMerge feMergeNode feMorphology feOffset fePointLight feSpecularLighting feSpotLight feTile
    feTurbulence
    """.split()
)
# Notes of drawing programs, which browsers ignore.
_NOTES: Final = re.compile(
    r"https?://(?:www\.inkscape\.org/namespaces/|sodipodi\.sourceforge\.net/|inkscape\.sourceforge\.net/"
    r"|(?:www\.)?creativecommons\.org/ns|web\.resource\.org/cc|purl\.org/dc/|www\.w3\.org/1999/02/22-rdf-syntax-ns"
    r"|www\.bohemiancoding\.com/sketch|www\.serif\.com|ns\.adobe\.com/|vectornator\.io|xml\.openoffice\.org/svg)"
)
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_DOCTYPE: Final = re.compile(r"https?://www\.w3\.org/(?:Graphics/SVG|TR)/[\w./-]*")
_REFERENCE: Final = re.compile(
    r"\s*+(?:#[\w.:-]*+|data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]*+)\s*+"
)
_LINK: Final = re.compile(r"\s*https?://[\w.:-]+(?:/[\w./?&=%#~+-]*)?\s*")
# References out of a picture in its style, also with CSS escapes.
_REACHES_OUT: Final = re.compile(
    r"script\s*:|\\|@|expression|behaviou?r|binding|data:(?!image/)|url\s*\((?!\s*+[\"']?\s*+#)|[<>]|&#",
    re.IGNORECASE,
)
# The same text may also occur unescaped between other quotes, where it means no more than this.
_PLAIN: Final = re.compile(r"(?:[\w\s.,#%:/()+]|-(?!-)|;(?=\s*(?:[a-z-]+:|$)))*")
_OPERATOR: Final = re.compile(
    r"\b(?:or|and|xor|not|is|in|like|div|mod|union|select|between|rlike|regexp|glob|match|from|where"
    r"|having|into|exec|execute|drop|insert|update|delete|alter|sleep|benchmark|waitfor|limit"
    r"|procedure|case|order|group|collate|escape)\b",
    re.IGNORECASE,
)


class _Picture:
    def __init__(self, is_escaped: bool) -> None:
        self.texts: list[str] = []
        self._is_escaped = is_escaped
        self._open: list[str] = []

    def start(self, tag: str, attributes: list[str]) -> None:
        space, _, name = tag.rpartition(" ")
        if (not self._open and (space, name) != (_SVG, "svg")) or (
            name not in _DRAWS if space == _SVG else not _NOTES.match(space)
        ):
            raise Refused
        self._open.append(name)
        for key, value in zip(attributes[::2], attributes[1::2], strict=True):
            self._check(name, key, value)

    def _check(self, element: str, key: str, value: str) -> None:
        space, _, name = key.rpartition(" ")
        name = name.lower()
        if name.startswith("on") or (space == _XML and name == "base"):
            raise Refused
        if name in ("href", "src"):
            is_link = element == "a" and _LINK.fullmatch(value)
            if not is_link and not _REFERENCE.fullmatch(value):
                raise Refused
        elif _REACHES_OUT.search(value) or (
            name == "attributename" and ("href" in value.lower() or value.lower().startswith("on"))
        ):
            raise Refused
        if not self._is_escaped and (not _PLAIN.fullmatch(value) or _OPERATOR.search(value)):
            raise Refused

    def end(self, _: str) -> None:
        self._open.pop()

    def read(self, text: str) -> None:
        if self._open[-1:] == ["style"]:
            if _REACHES_OUT.search(text):
                raise Refused
        elif text.strip():
            self.texts.append(text.strip())
        if not self._is_escaped and (not _PLAIN.fullmatch(text) or _OPERATOR.search(text)):
            raise Refused


def texts_of_picture(document: str, *, is_escaped: bool) -> list[str] | None:
    """Return the texts that an inert picture shows; None if it is not one.

    :param is_escaped: whether the picture came in base64 or with percent escapes, so that its
        quotes end no other text.
    """
    picture = _Picture(is_escaped)

    def declare(_: str, system: str | None, __: str | None, has_subset: int) -> None:
        if has_subset or not _DOCTYPE.fullmatch(system or ""):
            raise Refused

    unescaped = {} if is_escaped else {"CommentHandler": refuse, "StartCdataSectionHandler": refuse}
    is_inert = reads_strictly(
        document,
        StartElementHandler=picture.start,
        EndElementHandler=picture.end,
        CharacterDataHandler=picture.read,
        EntityDeclHandler=refuse,
        StartDoctypeDeclHandler=declare,
        **unescaped,
    )
    return picture.texts if is_inert else None


_SCHEMAS: Final = re.compile(
    r"http://www\.w3\.org/(?:2001/XMLSchema(?:-instance)?|2005/Atom|1999/02/22-rdf-syntax-ns#)|(?!https?://www\.w3\.org/).*"
)


def is_only_data(document: str) -> bool:
    """Whether an XML document uses no language that browsers draw, run or transform with, and has
    no instruction and no declaration."""

    def start(tag: str, _: object) -> None:
        if not _SCHEMAS.fullmatch(tag.rpartition(" ")[0]):
            raise Refused

    return reads_strictly(document, StartElementHandler=start)
