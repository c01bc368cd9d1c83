"""What the checks of one configuration are made of."""

from __future__ import annotations

from collections.abc import Callable

from guard_wsgi.behavior.tracker import BehaviorWatch
from guard_wsgi.checks.allowance import Allowance
from guard_wsgi.checks.inspections import Inspections
from guard_wsgi.checks.silenced import Silenced
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.network.address import Address
from guard_wsgi.network.client import ClientResolver
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.routes.resolvers import Resolver
from guard_wsgi.services import Services
from guard_wsgi.state.ratelimit import Limit

WEIGHED_A_MINUTE = 600
"""Refusals a minute whose evidence is weighed in full for the log and the agent. That takes ten
times as long as finding enough of it. In a flood the others are reported with what was enough."""

IsBot = Callable[[GuardRequest], bool]
"""Whether a request comes from a search engine's crawler that proved to be one."""


class CheckServices:
    """What all routes of one configuration share: the long-lived services, and what is made of them
    by this configuration.

    :ivar clients: finds the client of a request.
    :ivar everywhere: the limit that holds where no other one does.
    :ivar resolver: maps an environ to its route, if the app has one.
    :ivar weighing: for how many refusals evidence is weighed in full.
    """

    def __init__(
        self,
        config: SecurityConfig,
        services: Services,
        resolver: Resolver | None,
        clients: ClientResolver,
        everywhere: Limit,
    ) -> None:
        self.clients = clients
        self.everywhere = everywhere
        self.resolver = resolver
        self.store = services.store
        self.emergency = services.emergency(config)
        self.suspicion = services.suspicion(config)
        self.inspections = Inspections(
            lambda: services.detector(config), config, Silenced(services.events.emit)
        )
        self.weighing = Allowance(WEIGHED_A_MINUTE)
        self.cloud_match = services.cloud_match
        self._global_rules = config.global_behavior_rules
        self._behavior = services.behavior(config, self.suspicion)
        self._long_lived = services
        self.log = services.log

    @property
    def is_verified_bot(self) -> IsBot | None:
        """Whether a search engine's crawler has proved to be one, if that is looked at."""
        return self._long_lived.is_verified_bot

    @property
    def country_of(self) -> Callable[[Address], str | None] | None:
        """The source of countries, if there is one."""
        return self._long_lived.country

    def watch(self, route: RouteConfig) -> BehaviorWatch:
        """The behaviour rules that hold for a route; false where there are none."""
        return self._behavior.watch(
            route.behavior_rules, self._global_rules, route.behavior_counted_as
        )
