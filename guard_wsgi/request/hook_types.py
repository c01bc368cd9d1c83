"""The types of the functions that an app gives to the guard."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guard_wsgi.request.view import GuardRequest

Verifier = Callable[["GuardRequest", str], Any]
"""Answers whose credential it is (the principal), or something false to refuse."""

Validator = Callable[["GuardRequest"], Any]
"""Answers ``None`` to let pass, or a refusal (answers.py says in which forms)."""

LimitKey = Callable[["GuardRequest"], "str | None"]
"""Names whom a request counts for; ``None`` is the client's address."""

LimitExemption = Callable[["GuardRequest"], bool]
"""Says that a request does not count."""
