"""The types of the functions that an app gives to the guard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guard_wsgi.request.response import GuardResponse
    from guard_wsgi.request.view import GuardRequest

Verifier = Callable[["GuardRequest", str], Any]
"""Answers whose credential it is (the principal), or something false to refuse."""

Validator = Callable[["GuardRequest"], Any]
"""Answers ``None`` to let pass, or a refusal (answers.py says in which forms)."""

LimitKey = Callable[["GuardRequest"], "str | None"]
"""Names whom a request counts for; ``None`` is the client's address."""

LimitExemption = Callable[["GuardRequest"], bool]
"""Says that a request does not count."""

ResponseModifier = Callable[["GuardResponse"], Any]
"""Answers the response, changed or not, or another one (``custom_response_modifier``)."""

OnBlock = Callable[["GuardRequest", Mapping[str, Any]], object]
"""``(request, payload)``, once for each request that is refused or, in passive mode, flagged."""

OnError = Callable[[str, Exception, Mapping[str, Any]], object]
"""``(stage, exception, context)``: a fault of the guard itself."""
