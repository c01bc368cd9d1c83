"""A lazy view of one request, for checks, validators and hooks.

Everything is parsed on first access. The body is read in the request's own thread, up to the
caller's cap; the rest stays for the app (body.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import BytesIO
from types import SimpleNamespace
from typing import Any, final
from urllib.parse import parse_qsl, quote

from werkzeug.datastructures import EnvironHeaders, MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header
from werkzeug.sansio.utils import get_host

from guard_wsgi.lazy import lazy
from guard_wsgi.network.address import Address
from guard_wsgi.network.client import ClientResolver
from guard_wsgi.request.body import RequestBody
from guard_wsgi.request.path_readings import canonical_path_of, path_of, readings_of
from guard_wsgi.request.visit import SAFE_METHODS, Visit, arrive
from guard_wsgi.state.ratelimit import Quota

MAX_HOOK_BODY_BYTES = 262_144
"""The most that ``body()`` returns: a validator is for forms and JSON, not for uploads."""

MAX_FORM_PARTS = 1000
"""The most parts of a form, as in Flask's default ``MAX_FORM_PARTS``."""

_PATH_CHARS = "/:@!$&'()*+,;="
_QUERY_CHARS = _PATH_CHARS + "?%[]^`{|}"


@final
class GuardRequest:
    """One request, read lazily.

    The names ``url_path``, ``url_scheme``, ``url_full``, ``client_host``, ``query_params``,
    ``body()``, ``scope`` and ``state`` are those that validators of flaskapi-guard use.

    :param visit: what the guard knows before it needs this object.
    :ivar environ: the WSGI environ itself.
    :ivar visit: the same.
    :ivar client: the client's parsed address; ``None`` if the connection has none.
    :ivar client_ip: its canonical text, or ``"unknown"``.
    :ivar client_key: the key of counters: the address, for IPv6 its network (/64).
    :ivar verdict: the decision so far; the app gets it as ``environ["guard_wsgi"]``.
    :ivar notes: events to report although the request passes, with their reasons.
    """

    def __init__(
        self,
        environ: dict[str, Any],
        clients: ClientResolver,
        country_of: Callable[[Address], str | None] | None = None,
        guard: object = None,
        visit: Visit | None = None,
    ) -> None:
        if visit is None:
            visit = arrive(environ, clients, guard, Visit())
        self.environ = environ
        self.visit = visit
        self.identity = identity = visit.identity
        self.verdict = visit.verdict
        self.notes: Sequence[tuple[str, str]] = identity.notes
        self._country_of = country_of

    @property
    def quota(self) -> Quota | None:
        """The tightest limit that was charged, what remains of it, and the seconds until it is full
        again, for the response's headers."""
        return self.verdict.quota

    @quota.setter
    def quota(self, quota: Quota | None) -> None:
        self.verdict.quota = quota

    @property
    def started(self) -> float:
        """``time.perf_counter()`` at the start of the request, if requests are measured."""
        return self.visit.started

    def take_found(self) -> Any:
        """Return what the current check has found out in its ``passes``; ``None`` if it was not
        asked or found out nothing."""
        visit = self.visit
        found, visit.found = visit.found, None
        return found

    def note(self, event: str, reason: str) -> None:
        """Record something odd that is no reason to refuse. It becomes an event."""
        self.notes = (*self.notes, (event, reason))

    def forget_notes(self) -> None:
        """Drop the notes after they were reported."""
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
        """ISO 3166 code from the configured GeoIP source; ``None`` if there is none."""
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
        """Whether it is a CORS preflight."""
        return is_preflight(self.environ)

    @property
    def user_agent(self) -> str:
        agent: str = self.environ.get("HTTP_USER_AGENT", "")
        return agent

    # The requested URL

    @property
    def is_https(self) -> bool:
        """Whether the client's own connection is encrypted, proxies considered."""
        return self.visit.is_https

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
        """``PATH_INFO`` as text. PEP 3333 gives the UTF-8 bytes as latin-1."""
        return path_of(self.environ)

    @lazy
    def canonical_path(self) -> str:
        """The path that a router sees: without ``//``, ``.``, ``..`` and ``;x``."""
        return canonical_path_of(self.environ)

    @property
    def readings(self) -> Iterable[str]:
        """Every path that an app may understand it as."""
        return readings_of(self.environ)

    @property
    def query_string(self) -> str:
        query: str = self.environ.get("QUERY_STRING") or ""
        return query

    @lazy
    def query_params(self) -> MultiDict[str, str]:
        """Every pair of the query string, with repeated names."""
        return MultiDict(_pairs(self.query_string))

    @lazy
    def url(self) -> str:
        """The full URL, for redirects and logs.

        werkzeug's ``get_current_url`` takes 8.4 us instead of 2.5, and knows neither the scheme of
        a trusted proxy nor the canonical spelling of the host.
        """
        environ = self.environ
        path = quote(
            (environ.get("SCRIPT_NAME", "") + (environ.get("PATH_INFO") or "/")).encode("latin-1"),
            safe=_PATH_CHARS,
        )
        url = f"{self.scheme}://{self.host}/{path.lstrip('/')}"
        query = self.query_string
        if query:
            # As it was sent; only characters that are not allowed in a URL are encoded.
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
        """Return the same URL with another scheme."""
        return scheme + self.url[self.url.index(":") :]

    @property
    def endpoint(self) -> str | None:
        """The route's template or name. It has few values, so it suits counters and metrics."""
        return self.verdict.endpoint

    @lazy
    def route_template(self) -> str | None:
        """The route's template, as in events and metrics; ``None`` if none matches."""
        name_route = getattr(self.verdict.guard, "name_route", None)
        if name_route is None:
            return self.endpoint
        template: str | None = name_route(self.environ, self.endpoint)
        return template

    # Headers and body

    @lazy
    def headers(self) -> Mapping[str, str]:
        """Request headers, by name; case does not matter."""
        return EnvironHeaders(self.environ)  # type: ignore[return-value]

    @lazy
    def state(self) -> SimpleNamespace:
        """A place where hooks can store objects for later hooks of the same request."""
        return SimpleNamespace()

    @property
    def scope(self) -> dict[str, Any]:
        return self.environ

    @property
    def request_id(self) -> str:
        """The id of this request in the log, in events and in the answer to a refused client."""
        return self.verdict.request_id

    @lazy
    def content_type(self) -> str:
        """The media type in lower case, without parameters (RFC 9110, 8.3)."""
        value: str = self.environ.get("CONTENT_TYPE") or ""
        return value.partition(";")[0].strip().lower()

    @lazy
    def has_body(self) -> bool:
        """Whether it has a body, by its head (RFC 9112, 6.3).

        HTTP/2 servers may pass a body without a length; then a safe method has none.
        """
        environ = self.environ
        length = environ.get("CONTENT_LENGTH")
        if length:
            return bool(length != "0")
        if environ.get("HTTP_TRANSFER_ENCODING"):
            return True
        return self.method not in SAFE_METHODS and bool(environ.get("wsgi.input_terminated"))

    @property
    def incoming_body(self) -> RequestBody:
        """The body, as far as it was read."""
        visit = self.visit
        if visit.body is None:
            visit.body = RequestBody(self.environ)
        return visit.body

    @incoming_body.setter
    def incoming_body(self, body: RequestBody) -> None:
        self.visit.body = body

    def read_body_prefix(self, max_bytes: int) -> bytes:
        """The first bytes of the body; the app still gets all of it."""
        return self.incoming_body.prefix(max_bytes)

    def body(self) -> bytes:
        """The body, or its first 256 KiB; the app still gets all of it."""
        return self.incoming_body.prefix(MAX_HOOK_BODY_BYTES)

    @lazy
    def fields(self) -> MultiDict[str, Any]:
        """The top-level fields of a form (urlencoded, multipart) or of a JSON object.

        Empty for other bodies and for bodies that don't parse; only the first 256 KiB are read.
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
        # In memory, like the body: somebody would have to close a spooled file.
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
    """Whether it is a preflight (Fetch, "CORS-preflight request"). Any client can send one; it has
    no body and no credentials."""
    return (
        environ["REQUEST_METHOD"] == "OPTIONS"
        and "HTTP_ORIGIN" in environ
        and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        and environ.get("CONTENT_LENGTH") in (None, "", "0", 0)
        and "HTTP_TRANSFER_ENCODING" not in environ
        and "HTTP_AUTHORIZATION" not in environ
    )


def _pairs(encoded: str) -> list[tuple[str, str]]:
    text = encoded.encode("latin-1", "replace").decode("utf-8", "replace")
    return parse_qsl(text, keep_blank_values=True, errors="replace")
