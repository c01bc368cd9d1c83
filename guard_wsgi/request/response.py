"""The response that a hook returns, and that ``custom_response_modifier`` gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus

from werkzeug.datastructures import Headers

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class GuardResponse:
    """A complete response, or the head of one.

    :param content: text or bytes; text is sent as UTF-8.
    :param headers: a mapping or a list of pairs.
    :ivar body: ``None`` for the head of an app's response, whose body streams past the guard.
    :raises ValueError: if a header has a line break, when ``headers`` is read or sent.
    """

    __slots__ = ("_body", "_headers", "_pairs", "status_code")

    def __init__(
        self,
        content: str | bytes | None = b"",
        status_code: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
    ) -> None:
        self.status_code = status_code
        self._body = content.encode() if isinstance(content, str) else content
        self._headers: Headers | None = None
        # Most responses are sent as they were made: the mapping is built on first access.
        if isinstance(headers, list):
            self._pairs: list[tuple[str, str]] = headers
        else:
            self._pairs = Headers(headers).to_wsgi_list()
        if self._body is not None and not any(n.lower() == "content-type" for n, _ in self._pairs):
            self._pairs = [("Content-Type", "text/plain; charset=utf-8"), *self._pairs]

    @property
    def body(self) -> bytes | None:
        return self._body

    @body.setter
    def body(self, body: str | bytes | None) -> None:
        self._body = body.encode() if isinstance(body, str) else body

    @property
    def headers(self) -> Headers:
        """The headers, by name; case does not matter. Changes take effect."""
        if self._headers is None:
            self._headers = Headers(self._pairs)
        return self._headers

    @headers.setter
    def headers(self, headers: Headers) -> None:
        self._headers = headers

    @property
    def header_list(self) -> list[tuple[str, str]]:
        """Return a new list of pairs, as WSGI takes them."""
        return list(self._pairs) if self._headers is None else self._headers.to_wsgi_list()

    @property
    def status(self) -> str:
        """The status line's text: ``"403 Forbidden"``."""
        return _STATUS_LINES.get(self.status_code) or f"{self.status_code} Unknown"

    def with_headers(self, headers: list[tuple[str, str]]) -> GuardResponse:
        """Return the same response with other headers."""
        return GuardResponse(self.body, self.status_code, headers)
