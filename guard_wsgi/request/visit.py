"""What the guard knows about a request before it needs a request object.

Most requests pass every check without one: a check's ``passes`` gets the environ and the visit. The
guard builds a :class:`GuardRequest` on the visit when a check can't let it pass.
"""

from __future__ import annotations

from typing import Any, TypeVar

from guard_wsgi.network.client import ClientResolver, Identity
from guard_wsgi.network.standing import BODILESS, FRAMED
from guard_wsgi.request.body import RequestBody
from guard_wsgi.request.verdict import Verdict

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""RFC 9110, 9.2.1."""

MAX_PLAIN_DIGITS = 10
"""The most digits of a length that is parsed here; :class:`RequestBody` handles a longer one."""


class Visit:
    """What is known about one request. :func:`arrive` sets its fields, to save a call.

    :ivar identity: who the client is.
    :ivar standing: the checks from which the request is exempt, as bits (standing.py).
    :ivar verdict: the decision so far; the app gets it as ``environ["guard_wsgi"]``.
    :ivar is_https: whether the client's own connection is encrypted, proxies considered.
    :ivar length: the declared length of the body in bytes; ``None`` if none is declared, or if
        ``body`` has it.
    :ivar body: the body, if its framing had to be examined or it could not be read at once.
    :ivar found: the result of the check that said no, for its ``refusal``.
    :ivar started: ``time.perf_counter()`` at its beginning; 0 if requests are not measured.
    """

    __slots__ = (
        "body",
        "found",
        "identity",
        "is_https",
        "length",
        "standing",
        "started",
        "verdict",
    )

    identity: Identity
    standing: int
    verdict: Verdict
    is_https: bool
    length: int | None
    body: RequestBody | None
    found: Any
    started: float


V = TypeVar("V", bound=Visit)


def arrive(environ: dict[str, Any], clients: ClientResolver, guard: object, visit: V) -> V:
    """Set what is known about a new request.

    :param guard: the guard of the verdict.
    :param visit: a new visit, which is returned.
    """
    identity = clients.known.get(environ.get("REMOTE_ADDR") or "")
    if identity is None:
        identity = clients.identify(environ)
    visit.identity = identity
    visit.length = visit.body = visit.found = None
    visit.started = 0.0
    visit.is_https = environ.get("wsgi.url_scheme") == "https" or (
        clients.trusts_forwarded_proto and clients.is_https(environ, identity)
    )
    declared = environ.get("CONTENT_LENGTH")
    if "HTTP_TRANSFER_ENCODING" in environ:
        visit.standing = identity.standing | _look_at_framing(environ, visit)
    elif not declared:
        is_bodiless = environ["REQUEST_METHOD"] in SAFE_METHODS
        visit.standing = identity.standing | (BODILESS if is_bodiless else FRAMED)
    elif (
        type(declared) is str
        and declared.isdigit()
        and declared.isascii()
        and len(declared) <= MAX_PLAIN_DIGITS
    ):
        visit.length = int(declared)
        visit.standing = identity.standing | FRAMED
    else:
        visit.standing = identity.standing | _look_at_framing(environ, visit)
    visit.verdict = verdict = Verdict()
    verdict.client_ip = identity.client_ip
    verdict.guard = guard
    return visit


def _look_at_framing(environ: dict[str, Any], visit: Visit) -> int:
    visit.body = body = RequestBody(environ)
    visit.length = body.length
    return FRAMED if body.framing_error is None else 0
