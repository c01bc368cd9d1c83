"""A lazy view of one request: what a check, a validator or a hook is given.

Nothing is parsed before something asks for it, and the body is read in the request's own thread,
up to the caller's cap, with the rest left for the app (body.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, final
from urllib.parse import parse_qsl, quote

from werkzeug.datastructures import EnvironHeaders, MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header
from werkzeug.sansio.utils import get_host

from guard_wsgi.lazy import lazy
from guard_wsgi.network.address import Address
from guard_wsgi.network.client import ClientResolver, Identity
from guard_wsgi.network.standing import BODILESS, FRAMED
from guard_wsgi.request.body import RequestBody
from guard_wsgi.request.spellings import (
    canonical_path,
    is_canonical_path,
    is_plain_path,
    spellings,
)
from guard_wsgi.request.verdict import Verdict
from guard_wsgi.state.ratelimit import Quota

if TYPE_CHECKING:
    from guard_wsgi.detection import Finding
    from guard_wsgi.request.block import Block

MAX_HOOK_BODY_BYTES = 262_144
"""What ``body()`` gives a hook at most: a validator is for forms and JSON, not for uploads."""

MAX_FORM_PARTS = 1000
"""The same as Flask's default ``MAX_FORM_PARTS``; a form with more is not a form."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_PATH_CHARS = "/:@!$&'()*+,;="
_QUERY_CHARS = _PATH_CHARS + "?%[]^`{|}"


@final
class GuardRequest:
    """One request, read lazily.

    The names ``url_path``, ``url_scheme``, ``url_full``, ``client_host``, ``query_params``,
    ``body()``, ``scope`` and ``state`` are those that validators of flaskapi-guard use.

    :param identity: who the client is, where that is known already.
    :ivar environ: the WSGI environ itself.
    :ivar client: the client's parsed address, ``None`` when the connection has none.
    :ivar client_ip: its canonical text, or ``"unknown"``.
    :ivar client_key: what counters are keyed by: the address, for IPv6 its network (/64).
    :ivar standing: what the request says by itself of its standing (standing.py).
    :ivar verdict: what has been decided so far; the app gets it as ``environ["guard_wsgi"]``.
    :ivar quota: the tightest limit that was charged, what remains of it, and the seconds until
        it is whole again, for the response's headers.
    :ivar started: ``time.perf_counter()`` at its beginning, when requests are measured.
    :ivar head_findings: what detection found in its head, if it was looked at on the fast path.
    :ivar block: the refusal, if it was decided on the fast path.
    :ivar security: the headers of its answer, if its route has some of its own.
    """

    quota: Quota | None = None
    started: float = 0.0
    head_findings: tuple[Finding, ...] | None = None
    block: Block | None = None
    security: Any = None

    def __init__(
        self,
        environ: dict[str, Any],
        clients: ClientResolver,
        country_of: Callable[[Address], str | None] | None = None,
        guard: object = None,
        identity: Identity | None = None,
    ) -> None:
        self.environ = environ
        self._clients = clients
        self._country_of = country_of
        if identity is None:
            identity = clients.known.get(environ.get("REMOTE_ADDR") or "")
            if identity is None:
                identity = clients.identify(environ)
        self.identity = identity
        self.notes: Sequence[tuple[str, str]] = identity.notes
        standing = identity.standing
        if (
            environ["REQUEST_METHOD"] in SAFE_METHODS
            and not environ.get("CONTENT_LENGTH")
            and "HTTP_TRANSFER_ENCODING" not in environ
        ):
            standing |= BODILESS
        else:
            # At once: checks ask for it always, and where it is lazy that is two calls more.
            self.incoming_body = body = RequestBody(environ)
            if body.framing_error is None:
                standing |= FRAMED
        self.standing = standing
        self.verdict = verdict = Verdict()
        verdict.client_ip = identity.client_ip
        verdict.guard = guard

    def note(self, event: str, reason: str) -> None:
        """Leave an observation that refuses nothing; it becomes an event."""
        self.notes = (*self.notes, (event, reason))

    def forget_notes(self) -> None:
        """Those there are have been told."""
        self.notes = ()

    # The client

    @property
    def client(self) -> Address | None:
        return self.identity.address

    @property
    def client_ip(self) -> str:
        return self.identity.client_ip

    @property
    def client_key(self) -> str:
        return self.identity.client_key

    @property
    def client_host(self) -> str:
        return self.client_ip

    @lazy
    def country(self) -> str | None:
        """ISO 3166 code from the configured GeoIP source, ``None`` when there is none."""
        if self._country_of is None or self.client is None:
            return None
        self.verdict.country = country = self._country_of(self.client)
        return country

    @property
    def method(self) -> str:
        method: str = self.environ["REQUEST_METHOD"]
        return method

    @property
    def is_preflight(self) -> bool:
        """Whether a browser asks what it may send, before it sends it."""
        return is_preflight(self.environ)

    @property
    def user_agent(self) -> str:
        agent: str = self.environ.get("HTTP_USER_AGENT", "")
        return agent

    # The address of what is asked for

    @property
    def is_https(self) -> bool:
        """Whether the client's own connection is encrypted, proxies considered."""
        if not self._clients.trusts_forwarded_proto:
            return self.environ.get("wsgi.url_scheme") == "https"
        return self._clients.is_https(self.environ, self.identity)

    @property
    def scheme(self) -> str:
        return "https" if self.is_https else "http"

    @lazy
    def host(self) -> str:
        """The ``Host`` header, or the server's name, in lower case (RFC 9110, 4.2.3); without the
        scheme's default port."""
        environ = self.environ
        server = (environ.get("SERVER_NAME", ""), int(environ.get("SERVER_PORT") or 0) or None)
        host: str | None = environ.get("HTTP_HOST")
        return get_host(self.scheme, host.lower() if host else host, server).lower()

    @lazy
    def path(self) -> str:
        """``PATH_INFO`` as text. PEP 3333 hands over the bytes as latin-1; they mean UTF-8."""
        path: str = self.environ.get("PATH_INFO") or "/"
        return path if path.isascii() else path.encode("latin-1").decode("utf-8", "replace")

    @lazy
    def canonical_path(self) -> str:
        """The path a router would see behind its spellings: no ``//``, ``.``, ``..`` or ``;x``."""
        path = self.path
        return path if is_canonical_path(path) else canonical_path(path)

    @property
    def readings(self) -> Iterable[str]:
        """Every path that an app may take it for."""
        path = self.path
        return (path,) if is_plain_path(path) else spellings(self.environ.get("PATH_INFO") or "/")

    @property
    def query_string(self) -> str:
        query: str = self.environ.get("QUERY_STRING") or ""
        return query

    @lazy
    def query_params(self) -> MultiDict[str, str]:
        """Every pair of the query string, repeats included."""
        return MultiDict(_pairs(self.query_string))

    @lazy
    def url(self) -> str:
        """The full URL, for redirects and logs."""
        environ = self.environ
        path = quote(
            (environ.get("SCRIPT_NAME", "") + (environ.get("PATH_INFO") or "/")).encode("latin-1"),
            safe=_PATH_CHARS,
        )
        url = f"{self.scheme}://{self.host}/{path.lstrip('/')}"
        query = self.query_string
        if query:
            # As it was sent; only what has no place in a URL is encoded.
            url += "?" + quote(query.encode("latin-1"), safe=_QUERY_CHARS)
        return url

    @property
    def url_full(self) -> str:
        return self.url

    @property
    def url_path(self) -> str:
        return self.path

    @property
    def url_scheme(self) -> str:
        return self.scheme

    def url_replace_scheme(self, scheme: str) -> str:
        """The same URL under another scheme."""
        return scheme + self.url[self.url.index(":") :]

    @property
    def endpoint(self) -> str | None:
        """The route's template or name: few values, so fit for counters and metrics."""
        return self.verdict.endpoint

    @lazy
    def route_template(self) -> str | None:
        """The route's template, as events and metrics tell of it; ``None`` where none matches."""
        name_route = getattr(self.verdict.guard, "name_route", None)
        template: str | None = name_route(self) if name_route is not None else self.endpoint
        return template

    # What came with it

    @lazy
    def headers(self) -> Mapping[str, str]:
        """Request headers, looked up in any case."""
        return EnvironHeaders(self.environ)  # type: ignore[return-value]

    @lazy
    def state(self) -> SimpleNamespace:
        """A place for hooks to leave things for later hooks of the same request."""
        return SimpleNamespace()

    @property
    def scope(self) -> dict[str, Any]:
        return self.environ

    @property
    def request_id(self) -> str:
        """Names this request in the log, in events and in what a refused client is told."""
        return self.verdict.request_id

    @lazy
    def content_type(self) -> str:
        """The media type in lower case, without parameters (RFC 9110, 8.3)."""
        value: str = self.environ.get("CONTENT_TYPE") or ""
        return value.partition(";")[0].strip().lower()

    @lazy
    def has_body(self) -> bool:
        """Whether a body comes with it, as far as its head tells (RFC 9112, 6.3).

        HTTP/2 servers may hand over a body without any length; a safe method has none then.
        """
        environ = self.environ
        length = environ.get("CONTENT_LENGTH")
        if length:
            return bool(length != "0")
        if environ.get("HTTP_TRANSFER_ENCODING"):
            return True
        return self.method not in SAFE_METHODS and bool(environ.get("wsgi.input_terminated"))

    @lazy
    def incoming_body(self) -> RequestBody:
        return RequestBody(self.environ)

    def read_body_prefix(self, max_bytes: int) -> bytes:
        """The first bytes of the body; the app still gets all of it."""
        return self.incoming_body.prefix(max_bytes)

    def body(self) -> bytes:
        """The body, or its first 256 KiB; the app still gets all of it."""
        return self.incoming_body.prefix(MAX_HOOK_BODY_BYTES)

    @lazy
    def fields(self) -> MultiDict[str, Any]:
        """The top-level fields of a form (urlencoded, multipart) or of a JSON object.

        Empty for other bodies and for ones that don't parse; only the first 256 KiB are read.
        """
        kind = self.content_type
        if kind == "application/x-www-form-urlencoded":
            return MultiDict(_pairs(self.body().decode("latin-1")))
        if kind == "multipart/form-data":
            return self._multipart_fields()
        if kind == "application/json" or kind.endswith("+json"):
            try:
                value = json.loads(self.body())
            except (ValueError, RecursionError):
                return MultiDict()
            return MultiDict(value) if isinstance(value, dict) else MultiDict()
        return MultiDict()

    def _multipart_fields(self) -> MultiDict[str, Any]:
        _, options = parse_options_header(self.environ.get("CONTENT_TYPE", ""))
        body = self.body()
        # In memory, as the body is: a spooled file would have to be closed by somebody.
        parser = FormDataParser(_in_memory, max_form_parts=MAX_FORM_PARTS, silent=True)
        try:
            _, form, _ = parser.parse(BytesIO(body), "multipart/form-data", len(body), options)
        except (ValueError, HTTPException):
            return MultiDict()
        return form


def _in_memory(
    total_content_length: int | None,
    content_type: str | None,
    filename: str | None,
    content_length: int | None = None,
) -> BytesIO:
    return BytesIO()


def is_preflight(environ: Mapping[str, Any]) -> bool:
    """Whether a browser asks what it may send, before it sends it (Fetch, "CORS-preflight
    request"). Any client can send one; none has a body."""
    return (
        environ["REQUEST_METHOD"] == "OPTIONS"
        and "HTTP_ORIGIN" in environ
        and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        and environ.get("CONTENT_LENGTH") in (None, "", "0", 0)
        and "HTTP_TRANSFER_ENCODING" not in environ
    )


def _pairs(encoded: str) -> list[tuple[str, str]]:
    text = encoded.encode("latin-1", "replace").decode("utf-8", "replace")
    return parse_qsl(text, keep_blank_values=True, errors="replace")
