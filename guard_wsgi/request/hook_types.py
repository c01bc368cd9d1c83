"""The types of the functions that an app gives to the guard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guard_wsgi.request.response import GuardResponse
    from guard_wsgi.request.view import GuardRequest

Verifier = Callable[["GuardRequest", str], Any]
"""Returns the owner of the credential (the principal), or a false value to refuse."""

Validator = Callable[["GuardRequest"], Any]
"""Returns ``None`` to let the request pass, or a refusal (answers.py lists the forms)."""

LimitKey = Callable[["GuardRequest"], "str | None"]
"""Returns the key under which a request counts; ``None`` means the client's address."""

LimitExemption = Callable[["GuardRequest"], bool]
"""Returns whether a request is exempt from counting."""

ResponseModifier = Callable[["GuardResponse"], Any]
"""Returns the response, changed or not, or another one (``custom_response_modifier``)."""

OnBlock = Callable[["GuardRequest", Mapping[str, Any]], object]
"""Called with ``(request, payload)``, once for each request that is refused or, in passive mode,
flagged."""

OnError = Callable[[str, Exception, Mapping[str, Any]], object]
"""Called with ``(stage, exception, context)`` for a fault of the guard itself."""
