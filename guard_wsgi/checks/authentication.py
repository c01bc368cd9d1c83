"""Authentication: credentials, which the app's own verifier checks."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from collections.abc import Iterator
from inspect import isawaitable, isgenerator

from guard_wsgi.checks.base import Check
from guard_wsgi.checks.services import CheckServices
from guard_wsgi.checks.traffic import RateLimits
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.network.standing import NOBODY
from guard_wsgi.request.answers import discard, is_refusal, raised, response_of
from guard_wsgi.request.block import Block
from guard_wsgi.request.hook_types import Verifier
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.routes.config import RouteConfig

SCHEMES = ("bearer", "basic")
"""Schemes of the ``Authorization`` header; with any other word, the credential is the header's
whole value."""


def _accepts_nobody(request: GuardRequest, credential: str) -> None:
    """The verifier of a route that requires credentials and names none: without this, any text
    would pass."""


class Authentication(Check):
    """Refuses requests whose credential the verifier does not accept.

    The scheme ignores case (RFC 9110, 11.1). If the verifier raises, the request is refused. Every
    refusal counts against the route's rate limit, by address, so that guesses are limited as well.

    :param scheme: ``"bearer"``, ``"basic"`` or another word for the header's whole value.
    :param header: the header with the credential; an API key has its own header.
    :param verifier: ``None`` only requires the credential to be present, which is not
        authentication.
    :param rate_limit: the route's rate limit check, which counts refused credentials.
    """

    name = "authentication"
    excused = NOBODY
    fails_closed = True
    is_own = True

    def __init__(
        self,
        scheme: str,
        verifier: Verifier | None,
        *,
        header: str = "Authorization",
        rate_limit: Check | None = None,
    ) -> None:
        self._header = header
        self._verifier = verifier
        self.calls_hooks = verifier is not None
        self._rate_limit = rate_limit
        lowered = scheme.lower()
        self._scheme = lowered if lowered in SCHEMES and header == "Authorization" else ""
        if self._scheme:
            challenge = f'{scheme.capitalize()} realm="guard"'
        elif header == "Authorization":
            challenge = f'{scheme} realm="guard"'
        else:
            challenge = f'ApiKey realm="guard", header="{header}"'
        self._challenge = (("WWW-Authenticate", challenge),)

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        rate_limit = RateLimits.of_guesses(config, route, services)
        verifier = config.auth_verifier or _accepts_nobody
        if route.authorization_header_required:
            yield cls(route.authorization_header_required, None, rate_limit=rate_limit)
        if route.auth_required:
            yield cls(route.auth_required, route.auth_verifier or verifier, rate_limit=rate_limit)
        if route.api_key_required:
            yield cls(
                "apikey",
                route.api_key_verifier or verifier,
                header=route.api_key_header or "X-API-Key",
                rate_limit=rate_limit,
            )

    def refusal(self, request: GuardRequest) -> Block | None:
        credential = self._credential(request.headers.get(self._header, ""))
        if credential is None:
            return self._refuse(request, "the credentials are missing")
        if self._verifier is None:
            return None
        try:
            principal = self._verifier(request, credential)
        except Exception as error:  # the app's own code may raise anything; that proves nothing
            if raised(error):
                return self._refuse_with(error, request)
            return self._refuse(request, f"the verifier raised {type(error).__name__}")
        if is_refusal(principal):
            return self._refuse_with(principal, request)
        if isawaitable(principal) or isgenerator(principal):
            discard(principal)
            return self._refuse(request, "the verifier is a coroutine; WSGI needs a function")
        if principal is NotImplemented or not principal:
            return self._refuse(request, "the verifier refused the credential")
        request.verdict.principal = principal
        request.state.auth_principal = principal
        return None

    def _credential(self, value: str) -> str | None:
        if self._scheme:
            scheme, _, value = value.partition(" ")
            if scheme.lower() != self._scheme:
                return None
        return value.strip() or None

    def _refuse_with(self, answer: object, request: GuardRequest) -> Block:
        """Make a refusal from the verifier's own response."""
        block = self._refuse(request, "the verifier refused the credential")
        if block.check == self.name:
            try:
                block.response = response_of(answer, request.environ)
            except (TypeError, ValueError):  # without a response, the guard's own answer refuses
                return block
            if block.response.status_code < 400:  # whatever its status, it admits nobody
                block.response.status_code = block.status
            block.status, block.headers = block.response.status_code, ()
        return block

    def _refuse(self, request: GuardRequest, reason: str) -> Block:
        limited = self._rate_limit.refusal(request) if self._rate_limit is not None else None
        if limited is not None:
            return limited
        return Block(
            status=401,
            message="Authentication required",
            check=self.name,
            event="authentication_failed",
            reason=reason,
            headers=self._challenge,
        )


def decode_basic(credential: str) -> tuple[str, str] | None:
    """Decode user and password of a Basic credential (RFC 7617); ``None`` if it is not valid.

    It is stricter than werkzeug's ``Authorization``, which reads a credential without a colon as a
    user with an empty password.
    """
    try:
        text = b64decode(credential, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    user, separator, password = text.partition(":")
    return (user, password) if separator else None


def same_secret(given: str, expected: str) -> bool:
    """Compare secrets in constant time, so that the delay of the answer reveals nothing."""
    return hmac.compare_digest(given.encode(), expected.encode())


CHECKS: tuple[type[Check], ...] = (Authentication,)
"""In the order of the ladder."""
