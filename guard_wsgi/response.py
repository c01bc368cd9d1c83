"""The response that a hook returns, and that ``custom_response_modifier`` gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from werkzeug.datastructures import Headers


class GuardResponse:
    """A complete response, or the head of one.

    :param content: text or bytes; text is sent as UTF-8.
    :param headers: a mapping or a list of pairs.
    :ivar body: ``None`` for the head of an app's response, whose body streams past the guard.
    """

    __slots__ = ("body", "headers", "status_code")

    def __init__(
        self,
        content: str | bytes | None = b"",
        status_code: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
    ) -> None:
        self.status_code = status_code
        self.headers = Headers(headers)
        self.body = content.encode() if isinstance(content, str) else content
        if self.body is not None and "Content-Type" not in self.headers:
            self.headers["Content-Type"] = "text/plain; charset=utf-8"

    @property
    def status(self) -> str:
        """The status line's text: ``"403 Forbidden"``."""
        try:
            return f"{self.status_code} {HTTPStatus(self.status_code).phrase}"
        except ValueError:
            return f"{self.status_code} Unknown"

    @classmethod
    def coerce(cls, value: Any) -> GuardResponse:
        """Take what a hook may return: ours, a werkzeug or Flask response, ``(body, status)``.

        :raises TypeError: for anything else, naming its type.
        """
        if isinstance(value, cls):
            return value
        if hasattr(value, "get_data") and hasattr(value, "status_code"):
            return cls(value.get_data(), value.status_code, list(value.headers.items()))
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], int):
            return cls(value[0], value[1])
        if isinstance(value, (str, bytes)):
            return cls(value, 403)
        raise TypeError(f"a hook returned {type(value).__name__}, not a GuardResponse")
