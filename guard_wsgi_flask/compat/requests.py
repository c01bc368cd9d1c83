"""A Flask request under the names that validators use."""

from __future__ import annotations

from typing import Any

from flask import g

from guard_wsgi.request.verdict import ENVIRON_KEY
from guard_wsgi.request.view import GuardRequest
from guard_wsgi_flask.compat.facade import current_guard


class FlaskGuardRequest:
    """A Flask request under the names that validators use (those of GuardRequest)."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self.environ: dict[str, Any] = request.environ

    @property
    def guarded(self) -> GuardRequest:
        """The guard's view of the request."""
        guard = current_guard()
        policy = guard.policy
        return GuardRequest(self.environ, policy.clients, policy.country_of, guard)

    @property
    def state(self) -> Any:
        return g

    @property
    def client_host(self) -> str | None:
        verdict = self.environ.get(ENVIRON_KEY)
        host: str | None = verdict.client_ip if verdict is not None else self._request.remote_addr
        return host

    def body(self) -> bytes:
        data: bytes = self._request.get_data(cache=True)
        return data

    def read_body_prefix(self, max_bytes: int) -> bytes:
        return self.body()[:max_bytes]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.guarded, name)
