"""What the checks of one configuration share."""

from __future__ import annotations

from collections.abc import Callable

from guard_wsgi.behavior.tracker import BehaviorWatch
from guard_wsgi.checks.allowance import Allowance
from guard_wsgi.checks.exclusion_reports import ExclusionReports
from guard_wsgi.checks.inspections import Inspections
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.network.address import Address
from guard_wsgi.network.client import ClientResolver
from guard_wsgi.request.view import GuardRequest
from guard_wsgi.routes.config import RouteConfig
from guard_wsgi.routes.resolvers import Resolver
from guard_wsgi.services import Services
from guard_wsgi.state.ratelimit import Limit

WEIGHED_A_MINUTE = 600
"""For this many refusals a minute, the evidence is weighed in full for the log and the agent. That
takes ten times as long as finding enough evidence. In a flood, the other refusals are reported with
the evidence that was enough."""

IsBot = Callable[[GuardRequest], bool]
"""Whether a request comes from a search engine's verified crawler."""


class CheckServices:
    """What all routes of one configuration share: the long-lived services, and what the
    configuration makes of them.

    :param reads_any_form: whether the app reads a form from a body of any media type.
    :ivar clients: finds the client of a request.
    :ivar everywhere: the limit that applies where no other one does.
    :ivar resolver: maps an environ to its route, if the app has one.
    :ivar weighing: for how many refusals the evidence is weighed in full.
    """

    def __init__(
        self,
        config: SecurityConfig,
        services: Services,
        resolver: Resolver | None,
        clients: ClientResolver,
        everywhere: Limit,
        reads_any_form: bool = False,
    ) -> None:
        self.clients = clients
        self.everywhere = everywhere
        self.resolver = resolver
        self.store = services.store
        self.emergency = services.emergency(config)
        self.suspicion = services.suspicion(config)
        self.inspections = Inspections(
            lambda: services.detector(config),
            config,
            ExclusionReports(services.events.emit),
            reads_any_form,
        )
        self.weighing = Allowance(WEIGHED_A_MINUTE)
        self.cloud_match = services.cloud_match
        self._global_rules = config.global_behavior_rules
        self._behavior = services.behavior(config, self.suspicion)
        self._long_lived = services
        self.log = services.log
        self.shares = services.shares

    @property
    def is_verified_bot(self) -> IsBot | None:
        """Return the function that verifies crawlers, if the configuration asks for it."""
        return self._long_lived.is_verified_bot

    @property
    def country_of(self) -> Callable[[Address], str | None] | None:
        """Return the source of countries, if there is one."""
        return self._long_lived.country

    def watch(self, route: RouteConfig) -> BehaviorWatch:
        """Return the behaviour rules of a route; false if there are none."""
        return self._behavior.watch(
            route.behavior_rules, self._global_rules, route.behavior_counted_as
        )

    def own_watch(self, route: RouteConfig) -> BehaviorWatch:
        """Return the route's own behaviour rules, without those of all routes."""
        return self._behavior.watch(route.behavior_rules, (), route.behavior_counted_as)
