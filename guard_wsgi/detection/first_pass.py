"""Makes the text for the first pass: a head or a body as bytes, decoded once and cheaply."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from guard_wsgi.detection.base64_documents import (
    TOKENS,
    WRAPPED,
    credentials_in,
    documents_in,
    has_wrapped,
    unwrapped,
)
from guard_wsgi.detection.decoding.backslashes import BACKSLASH, joined_lines, without_backslashes
from guard_wsgi.detection.decoding.percent import PERCENT, signs_without_escape, unquote
from guard_wsgi.detection.message.bodies import PACKED_BEGINNINGS
from guard_wsgi.detection.message.body_values import is_document
from guard_wsgi.detection.message.headers import TYPED_HEADERS, TYPED_PREFIX
from guard_wsgi.detection.message.media import BodyKind
from guard_wsgi.detection.scanning.prefilter import JOINER, JOINER_BYTES

Texts = tuple[str, ...]
TextsOf = Callable[[dict[str, Any]], Texts]
Getters = tuple[TextsOf, TextsOf, TextsOf, tuple[TextsOf, TextsOf] | None]
"""How to extract texts from an environ with certain keys: the stable headers and cookies; path,
query and all other headers; everything else; and, with cookies, the first two separately."""
Matches = Callable[[bytes], bool]
"""Whether something in the text needs a closer look."""
Weighed = dict[str, TextsOf]
"""Returns the texts of some headers of an environ."""
IsOver = Callable[[dict[str, Any]], bool]
"""Whether a head is over a limit."""
HeadPass = Callable[[dict[str, Any]], "bytes | None"]
"""Maps an environ to the text of its head; ``None`` if that is benign."""
BodyPass = Callable[[str], Callable[[bytes], bool]]
"""Maps a content type, and then a body, to whether it is benign."""

# Headers that a client repeats in each request.
_STABLE: Final = (TYPED_HEADERS - {"HTTP_IF_MODIFIED_SINCE"}) | {"HTTP_ORIGIN", "HTTP_USER_AGENT"}
_COOKIES: Final = frozenset({"HTTP_COOKIE"})


class StableHeaders:
    """Remembers headers that a client repeats and that the first pass found benign: a lookup takes
    a fifth of the time of scanning them again.

    It keeps at most `MAX_REMEMBERED` texts of `MAX_REMEMBERED_CHARS`, each with all these headers
    of a client: 2 MB; then it begins again. Clients of a kind differ only in their cookies, so the
    other headers are a text as well. The functions that extract texts from an environ with certain
    keys take as much memory again. Without them, looking at all keys each time would cost as much
    as the scan.
    """

    __slots__ = ("_benign", "_by_names", "_getters", "_lately", "_tokens")

    MAX_REMEMBERED = 1024
    MAX_REMEMBERED_CHARS = 2048

    def __init__(self) -> None:
        self._benign: set[str] = set()
        self._tokens: set[bytes] = set()
        self._getters: dict[Texts, Getters] = {}
        self._by_names: dict[Texts, TextsOf] = {}
        # The last one for each number of keys: trying it takes half the time of looking it up.
        self._lately: dict[int, Getters] = {}

    def head_pass(
        self,
        matches: Matches,
        matches_json: Matches,
        is_over: IsOver,
        max_chars: int,
        weighed: Weighed,
    ) -> HeadPass:
        """Return the first pass over a head, with a memory of earlier heads.

        :param is_over: tests heads of more than ``max_chars``; a head over a limit is not benign.
        :param weighed: texts that match, and in which nothing was found (`remember_weighed`).
        """
        benign, lately, known = self._benign, self._lately, self._tokens
        look_up, remember, know = self._look_up, self._remember, self._know
        join = JOINER.join

        # One function for everything: every request waits for it, and each call costs.
        def read(environ: dict[str, Any]) -> bytes | None:
            try:
                # If all its keys are there and no others, they are the same.
                alike, others, rest, parts = lately[len(environ)]
                rest(environ)
                text = join(others(environ))
                alike_text = join(alike(environ))
            except KeyError:
                alike, others, _, parts = look_up(environ)
                text = join(others(environ))
                alike_text = join(alike(environ))
            is_new = alike_text not in benign and weighed.get(alike_text) is not alike
            if is_new:
                unread = alike_text
                if parts is not None:
                    stable_text, cookies = join(parts[0](environ)), join(parts[1](environ))
                    if stable_text in benign or weighed.get(stable_text) is parts[0]:
                        unread = cookies
                text = f"{unread}{JOINER}{text}"
            if "%" in text:
                data = unquote(f"{JOINER}{text}{JOINER}".encode("latin-1", "replace"))
                if PERCENT in data:
                    data = data + JOINER_BYTES + _unquote_twice(data)
                # A plus is a blank in a query, also if a client escaped it again.
                data = data.replace(b"+", b" ")
            else:
                data = f"{JOINER}{text}{JOINER}".replace("+", " ").encode("latin-1", "replace")
            if "\\" in text:
                data = data + JOINER_BYTES + without_backslashes(data) + JOINER_BYTES
            if WRAPPED in text or "HTTP_AUTHORIZATION" in environ:
                # A client sends the token of its session each time.
                tokens = TOKENS.findall(data)
                if "HTTP_AUTHORIZATION" in environ:
                    tokens += credentials_in(environ["HTTP_AUTHORIZATION"])
                if not known.issuperset(tokens):
                    is_basic = environ.get("HTTP_AUTHORIZATION", "")[:5].lower() == "basic"
                    # User and password are no document, in which quotes are its own.
                    if matches_json(documents_in(tokens)) or (
                        is_basic and matches(documents_in(tokens[-1:]))
                    ):
                        return data
                    know(tokens)
            # A line break without a percent sign can only be in the path.
            if "\n" in text or "\r" in text or matches(data):
                return data
            if len(text) > max_chars and is_over(environ):
                return data
            if is_new:
                remember(alike_text)
                if parts is not None:
                    remember(stable_text)
            return None

        return read

    def remember_weighed(self, environ: dict[str, Any], weighed: Weighed) -> None:
        """Remember the texts of a head that matches and in which nothing was found: a host's name
        may be an address, and every probe of a health check sends it.

        A text counts only for the same headers, because a harmless text of one header is an attack
        in another.
        """
        alike, _, _, parts = self._look_up(environ)
        for getter in (alike,) if parts is None else (alike, parts[0]):
            text = JOINER.join(getter(environ))
            if len(text) <= self.MAX_REMEMBERED_CHARS and text not in self._benign:
                if len(weighed) >= self.MAX_REMEMBERED:
                    weighed.clear()
                weighed[text] = getter

    def _look_up(self, environ: dict[str, Any]) -> Getters:
        keys = tuple(environ)
        getters = self._getters.get(keys)
        if getters is None:
            getters = self._learn(keys)
        if keys in self._getters:
            self._lately[len(keys)] = getters
        return getters

    def _learn(self, keys: Texts) -> Getters:
        names = [key for key in keys if key.startswith("HTTP_") or key in _HEAD_KEYS]
        stable = [name for name in names if name in _STABLE or name.startswith(TYPED_PREFIX)]
        cookies = [name for name in names if name in _COOKIES]
        alike = stable + cookies
        others = [name for name in names if name not in alike]
        rest = [key for key in keys if key not in names]
        parts = (self._shared(stable), _getter(cookies)) if cookies else None
        getters = self._shared(alike), _getter(others), _getter(rest), parts
        if sum(map(len, names)) <= self.MAX_REMEMBERED_CHARS:
            if len(self._getters) >= self.MAX_REMEMBERED:
                self._getters.clear()
            self._getters[keys] = getters
        return getters

    def _shared(self, names: list[str]) -> TextsOf:
        """Return the same function for the same names: what was weighed in a request with a Referer
        is harmless in one without it."""
        key = tuple(names)
        getter = self._by_names.get(key)
        if getter is None:
            if len(self._by_names) >= self.MAX_REMEMBERED:
                self._by_names.clear()
            getter = self._by_names[key] = _getter(names)
        return getter

    def _remember(self, text: str) -> None:
        """Remember a text in which the first pass has found nothing."""
        if len(text) <= self.MAX_REMEMBERED_CHARS and text not in self._benign:
            if len(self._benign) >= self.MAX_REMEMBERED:
                self._benign.clear()
            self._benign.add(text)

    def _know(self, tokens: list[bytes]) -> None:
        """Remember tokens with nothing in them."""
        if sum(map(len, tokens)) <= self.MAX_REMEMBERED_CHARS:
            if len(self._tokens) >= self.MAX_REMEMBERED:
                self._tokens.clear()
            self._tokens.update(tokens)


def _getter(names: list[str]) -> TextsOf:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda environ: tuple([environ[name] for name in names])


def body_bytes(body: bytes, kind: BodyKind) -> bytes:
    """Return the text of a body for the first pass: a form decoded once, anything else as it was
    sent."""
    if kind.is_form:
        return _form_bytes(body)
    if kind.is_text and BACKSLASH in body and (joined := joined_lines(body)) != body:
        body = body + JOINER_BYTES + joined
    if PERCENT in body:
        body = body + JOINER_BYTES + _unquote_twice(body)
    body = body.replace(b"+", b" ")
    # A single value is separated from its neighbours, like others.
    return body if kind.is_json or kind.is_multipart else b"=" + body


LAYERED_BYTES: Final = 65_536
"""From this size on, each layer of escapes is scanned by itself. Decoding the next layer takes
longer than a scan, and the first may match."""


ODD_SIGNS_EACH: Final = 64
"""A large body needs a closer look, which counts its work, if more than one in this many bytes is
an escaped percent sign, or one that begins no escape."""


def body_matches(body: bytes, kind: BodyKind, matches: Matches) -> bool:
    """Whether the first pass matches a body."""
    if len(body) <= LAYERED_BYTES or PERCENT not in body:
        return matches(body_bytes(body, kind))
    if body.count(b"%25") + signs_without_escape(body) > len(body) // ODD_SIGNS_EACH:
        return True
    if kind.is_form:
        data = unquote(body)
    elif kind.is_text and BACKSLASH in body and (joined := joined_lines(body)) != body:
        data = body + JOINER_BYTES + joined
    else:
        data = body
    if matches(b"=" + data.replace(b"+", b" ")):
        return True
    return PERCENT in data and matches(b"=" + _unquote_twice(data).replace(b"+", b" "))


def _form_bytes(body: bytes) -> bytes:
    if PERCENT in body:
        body = unquote(body)
        if PERCENT in body:
            body = body + JOINER_BYTES + _unquote_twice(body)
    return b"=" + body.replace(b"+", b" ")


def body_pass(
    matches: Matches, matches_json: Matches, contents: bool, any_form: bool = False
) -> BodyPass:
    """Return the first pass over a body. Only a body of one part in a usual charset can be benign.

    :param contents: whether contents of files are inspected.
    :param any_form: whether the app reads a form from a body of any media type.
    """

    @lru_cache(MAX_KINDS)
    def benign(content_type: str) -> Callable[[bytes], bool]:
        kind = BodyKind.of(content_type)
        matches_kind = matches_json if kind.is_json and not kind.is_form else matches
        is_plain = not kind.is_multipart and "charset" not in content_type.lower()

        def benign_form(body: bytes) -> bool:
            return not (
                body.startswith(HIDDEN)
                or (
                    matches(_form_bytes(body))
                    if len(body) <= LAYERED_BYTES
                    else body_matches(body, kind, matches)
                )
                or (has_wrapped(body) and matches_json(unwrapped(body)))
            )

        def benign_file(body: bytes) -> bool:
            return not is_document(body, any_form)

        def benign_other(body: bytes) -> bool:
            return not (
                not is_plain
                or body.startswith(HIDDEN)
                or body_matches(body, kind, matches_kind)
                or (has_wrapped(body) and matches_json(unwrapped(body)))
            )

        if kind.is_file and not contents:
            return benign_file
        return benign_form if kind.is_form and is_plain else benign_other

    return benign


def value_bytes(text: str) -> bytes:
    """Return a value for the first pass, separated from its neighbours."""
    data = b"=" + text.encode("utf-8", "surrogatepass") + JOINER_BYTES
    if PERCENT in data:
        data += b"=" + _unquote_twice(data)
    return data.replace(b"+", b" ")


def _unquote_twice(data: bytes) -> bytes:
    """Decode percent signs, and decode again if a percent sign was escaped."""
    once = unquote(data)
    return once + JOINER_BYTES + unquote(once) if b"%25" in data else once


_HEAD_KEYS = frozenset({"PATH_INFO", "QUERY_STRING", "CONTENT_TYPE"})
MAX_KINDS = 256
"""How many content types to cache; clients use fewer."""

HIDDEN: Final = (b"\x00", b"\xfe", b"\xff", *PACKED_BEGINNINGS)
"""Beginnings of bodies that name their own encoding: byte order marks, UTF-32, containers of
compressed data."""
