"""The module in which flaskapi-guard has its classes for requests and responses; here they are in
compat."""

from __future__ import annotations

from guard_wsgi_flask.compat import FlaskGuardRequest as FlaskGuardRequest
from guard_wsgi_flask.compat import FlaskGuardResponse as FlaskGuardResponse
from guard_wsgi_flask.compat import GuardResponseFactory as FlaskResponseFactory

__all__ = ["FlaskGuardRequest", "FlaskGuardResponse", "FlaskResponseFactory"]
