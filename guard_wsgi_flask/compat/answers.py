"""The facade of the security headers, and answers for checks and validators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response as FlaskResponse
from flask import make_response, redirect

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.request.response import GuardResponse
from guard_wsgi.response.cors import Cors
from guard_wsgi.response.headers import SecurityHeaders
from guard_wsgi_flask.compat.facade import Facade, current_guard, settable


class SecurityHeadersManager(Facade):
    """The headers that the guard adds to answers."""

    def get_headers(
        self, request_path: str | None = None, config: SecurityConfig | None = None
    ) -> dict[str, str]:
        """Return the security headers of an answer over HTTPS."""
        headers = SecurityHeaders.from_config(config or current_guard().policy.config)
        return {} if headers is None else dict(headers.https[1])

    def get_cors_headers(self, origin: str, config: SecurityConfig | None = None) -> dict[str, str]:
        """Return the CORS headers of an answer to a page of ``origin``."""
        cors = Cors.from_config(config or current_guard().policy.config)
        if cors is None or not cors.allows(origin):
            return {}
        return dict(cors.add([], origin))

    def configure(self, **options: Any) -> None:
        """Serve other security headers from now on; ``hsts_*`` are those of the table ``hsts``.

        :raises ConfigError: as ``security_headers``.
        """
        hsts = {
            name.removeprefix("hsts_"): options.pop(name)
            for name in tuple(options)
            if name.startswith("hsts_")
        }
        custom = options.pop("custom_headers", None)
        names = {name for name in options if name.startswith("cors_")}
        cors = {name: options.pop(name) for name in names}
        table = {name: value for name, value in options.items() if value is not None}
        if hsts.get("max_age") is not None:
            table["hsts"] = hsts
        if custom:
            table["custom"] = custom
        guard = settable()
        guard.reconfigure(guard.config.evolve(security_headers=table, **cors))

    def validate_csp_report(self, report: Mapping[str, Any]) -> bool:
        """Report a browser's report of a violated policy. Return whether it was one."""
        reported = report.get("csp-report")
        needed = ("document-uri", "violated-directive", "blocked-uri")
        if not isinstance(reported, Mapping) or not all(name in reported for name in needed):
            return False
        current_guard().services.events.emit(
            "csp_violation",
            reason=f"{reported['violated-directive']} blocked {reported['blocked-uri']}",
            document=reported["document-uri"],
        )
        return True

    def reset(self) -> None:
        """Do nothing: there is no state here."""


class FlaskGuardResponse:
    """A Flask response under the names that modifiers use."""

    def __init__(self, response: FlaskResponse) -> None:
        self._response = response

    @property
    def status_code(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> Any:
        return self._response.headers

    @property
    def body(self) -> bytes:
        self._response.direct_passthrough = False
        return self._response.get_data()

    def read_body_prefix(self, max_bytes: int) -> bytes:
        return self.body[:max_bytes]


class GuardResponseFactory:
    """Makes answers for checks and validators."""

    def create_response(self, content: str, status_code: int) -> GuardResponse:
        return GuardResponse(content, status_code)

    def create_redirect_response(self, url: str, status_code: int) -> GuardResponse:
        made = make_response(redirect(url, status_code))
        return GuardResponse(made.get_data(), status_code, list(made.headers))
