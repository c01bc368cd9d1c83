"""Asks the checks of a ladder for a refusal, and handles a check that raises."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from guard_wsgi.checks.base import Check
from guard_wsgi.errors import StoreError
from guard_wsgi.ladder.policy import Policy
from guard_wsgi.network.address import parse_address
from guard_wsgi.report import Report
from guard_wsgi.request.block import Block
from guard_wsgi.request.current_request import RequestTracker
from guard_wsgi.request.hook_context import (
    ForgetBody,
    HookContext,
    SafeContext,
)
from guard_wsgi.request.response import GuardResponse
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.routes.resolvers import Resolver
from guard_wsgi.services import Services
from guard_wsgi.telemetry.bus import EventBus

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

Renderer = Callable[[Block, "WSGIEnvironment", Callable[[], GuardResponse]], "GuardResponse | None"]
"""Renders a refusal in a framework's own way. The last argument makes the guard's own response;
``None`` means that the guard sends it."""


class Decider:
    """The base of the guard: its parts, and the climb through the checks.

    :ivar app: the app that the guard protects.
    :ivar services: the parts that outlive a change of configuration.
    :ivar resolver: maps an environ to its route, if the app has one.
    :ivar renderer: renders refusals in a framework's own way.
    :ivar asks_inside: whether the framework always calls ``check_route`` before any function of the
        app.
    """

    _app: WSGIApplication
    _entry: WSGIApplication
    _tracks_requests = False
    services: Services
    resolver: Resolver | None
    renderer: Renderer | None
    asks_inside: bool
    _events: EventBus
    _forget_body: ForgetBody
    _hook_context: HookContext
    _policy: Policy
    _report: Report

    @property
    def app(self) -> WSGIApplication:
        return self._app

    @app.setter
    def app(self, app: WSGIApplication) -> None:
        self._app = app
        # A bound method is called faster than an instance.
        self._entry = RequestTracker(app).__call__ if self._tracks_requests else app

    def track_requests(self) -> None:
        """Views are decorated in this process: they may ask which request they are called in."""
        self._tracks_requests = True
        self.app = self._app

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._policy

    def inside(self, environ: WSGIEnvironment) -> SafeContext:
        """Enter the app's context for its own functions; nothing if it is already entered."""
        return SafeContext(self._hook_context, environ, self._report.fault)

    def decide(
        self, policy: Policy, request: GuardRequest, ladder: Iterable[Check]
    ) -> Block | None:
        """Ask the checks in order. Return the first refusal; in passive mode, none."""
        for check in ladder:
            try:
                block = check.refusal(request)
            except Exception as error:
                # Catch everything: a fault of a check must not become an error of the app.
                block = self._fault(policy, check, error)
            if block is not None:
                if not policy.passive:
                    return block
                self._tell(policy, request, block, passive=True)
        return None

    def _fault(self, policy: Policy, check: Check, error: Exception) -> Block | None:
        """Handle a check that raised: access rules refuse, detection and limits let the request
        pass, by configuration."""
        if isinstance(error, StoreError):
            return Block(
                status=503,
                message="Service temporarily unavailable",
                check=check.name,
                event="redis_error",
                reason=str(error),
                retry_after_seconds=self.services.store.retry_seconds,
            )
        self._report.fault(check.name, error)
        if not (check.fails_closed and policy.config.fail_secure):
            return None
        return failed(check.name, f"the check raised {type(error).__name__}")

    def _tell(
        self, policy: Policy, request: GuardRequest, block: Block, *, passive: bool = False
    ) -> None:
        self._report.refused(request, block, policy.config.on_block, passive=passive)

    def name_route(self, environ: WSGIEnvironment, endpoint: str | None) -> str | None:
        """Return the template of a request's route, for a report."""
        resolver = self.resolver
        try:
            template_of = getattr(resolver, "template_of", None)
            if template_of is not None:
                template: str | None = template_of(environ, endpoint)
                return template
            if endpoint is not None or resolver is None:
                return endpoint
            resolution = resolver(environ)
        except Exception as error:  # the app's own converters
            self._report.fault("route_config", error)
            return endpoint
        return None if resolution is None else resolution.endpoint

    def country_of(self, client_ip: str) -> str | None:
        """Return the country of an address; ``None`` if it is unknown or can't be looked up."""
        look_up = self.policy.country_of
        address = parse_address(client_ip)
        if look_up is None or address is None:
            return None
        try:
            return look_up(address)
        except Exception as error:  # the app's own handler may raise
            self._report.fault("geo_ip_handler", error)
            return None


def failed(check: str, reason: str) -> Block:
    """Return the refusal for a check that raised."""
    return Block(
        status=500,
        message="Security check failed",
        check=check,
        event="check_failed",
        reason=reason,
    )


def unresolved(reason: str) -> Block:
    """Return the refusal for a request whose route could not be resolved."""
    return Block(
        status=500,
        message="Route resolution failed",
        check="route_config",
        event="route_unresolved",
        reason=reason,
    )
