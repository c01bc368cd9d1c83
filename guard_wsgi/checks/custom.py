"""The app's own checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from guard_wsgi.checks.base import Block
from guard_wsgi.request import GuardRequest
from guard_wsgi.response import GuardResponse
from guard_wsgi.standing import EXCLUDED, NOBODY, PREFLIGHT

Validator = Callable[[GuardRequest], Any]
"""Answers ``None`` to let pass, or a response (:meth:`GuardResponse.coerce` says which kinds)."""


class Validators:
    """Runs a route's validators in the order they were applied; the first response is sent."""

    name = "custom_validators"
    excused = NOBODY
    fails_closed = True

    def __init__(self, validators: tuple[Validator, ...]) -> None:
        self._validators = validators

    def __call__(self, request: GuardRequest) -> Block | None:
        for validator in self._validators:
            answer = validator(request)
            if answer is not None:
                return _block(answer, self.name, "decorator_violation")
        return None


class CustomRequestCheck:
    """Runs ``custom_request_check`` last, when everything else has passed."""

    name = "custom_request"
    excused = EXCLUDED | PREFLIGHT  # it stands before the app, which a preflight does not reach
    fails_closed = True

    def __init__(self, check: Validator) -> None:
        self._check = check

    def __call__(self, request: GuardRequest) -> Block | None:
        answer = self._check(request)
        return None if answer is None else _block(answer, self.name, "custom_request_check")


def _block(answer: Any, check: str, event: str) -> Block:
    response = GuardResponse.coerce(answer)
    return Block(
        status=response.status_code,
        message="",
        check=check,
        event=event,
        reason="refused by the app's own check",
        response=response,
    )
