"""The app's own checks."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from guard_wsgi.checks.base import Check
from guard_wsgi.checks.services import CheckServices
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.network.standing import EXCLUDED, NOBODY, PREFLIGHT
from guard_wsgi.request.answers import passes, raised, response_of, status_in_django
from guard_wsgi.request.block import Block
from guard_wsgi.request.hook_types import Validator
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.routes.config import RouteConfig


class Validators(Check):
    """Runs a route's validators in the order of their decorators. The first response is sent."""

    name = "custom_validators"
    excused = NOBODY
    fails_closed = True
    is_own = True
    calls_hooks = True

    def __init__(self, validators: tuple[Validator, ...]) -> None:
        self._validators = validators

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        if route.custom_validators:
            yield cls(tuple(route.custom_validators))

    def refusal(self, request: GuardRequest) -> Block | None:
        for validator in self._validators:
            block = _asked(validator, request, self.name, "decorator_violation")
            if block is not None:
                return block
        return None


class CustomRequestCheck(Check):
    """Runs ``custom_request_check`` last, when everything else has passed."""

    name = "custom_request"
    excused = EXCLUDED | PREFLIGHT  # it protects the app, which a preflight does not reach
    fails_closed = True
    calls_hooks = True

    def __init__(self, check: Validator) -> None:
        self._check = check

    @classmethod
    def for_route(
        cls, config: SecurityConfig, route: RouteConfig, services: CheckServices
    ) -> Iterator[Check]:
        if config.custom_request_check is not None:
            yield cls(config.custom_request_check)

    def refusal(self, request: GuardRequest) -> Block | None:
        return _asked(self._check, request, self.name, "custom_request_check")


def name_of(hook: object) -> str:
    """Return the name of a function of the app, for people."""
    return str(getattr(hook, "__qualname__", type(hook).__qualname__))


def _asked(hook: Validator, request: GuardRequest, check: str, event: str) -> Block | None:
    """Return the refusal that a hook returns, or raises as its framework does."""
    status = 403
    try:
        answer = hook(request)
    except Exception as error:
        if raised(error):
            answer = error
        elif (in_django := status_in_django(error)) is not None:
            status, answer = in_django, False
        else:
            raise
    if passes(answer):
        return None
    block = Block(
        status=status,
        message=HTTPStatus(status).phrase,
        check=check,
        event=event,
        reason=f"refused by the app's own function {name_of(hook)}",
    )
    if answer is not False:
        block.response = response_of(answer, request.environ)
        block.status, block.message = block.response.status_code, ""
    return block


CHECKS: tuple[type[Check], ...] = (
    Validators,
    CustomRequestCheck,
)
"""In the order of the ladder."""
