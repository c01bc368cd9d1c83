"""The services that a guard keeps when its configuration changes.

State, databases, the event bus and the agent outlive a policy: a rule that arrives at run time must
not empty the counters. Construction starts no thread and opens no connection: the first request of
each process calls :meth:`Services.begin_serving`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from guard_wsgi import agent as agents
from guard_wsgi.agent.ruled_bans import RuledBans
from guard_wsgi.behavior.suspicion import BanThreshold, Suspicion, SuspicionSettings
from guard_wsgi.behavior.tracker import BehaviorTracker
from guard_wsgi.behavior.violation import Violation
from guard_wsgi.behavior.webdav_shares import WebDAVShares
from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.detection import Detector
from guard_wsgi.dynamic import RuledConfiguration
from guard_wsgi.errors import ConfigError, GuardError, MissingExtra
from guard_wsgi.lazy import lazy
from guard_wsgi.network.address import Address
from guard_wsgi.network.bots import VerifiedBots
from guard_wsgi.network.client import UNIX_PEER
from guard_wsgi.network.cloud import CloudRanges
from guard_wsgi.network.geo import CountryLookup, IPInfoManager, MaxMindGeoIP
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.network.peers import PeerWatch
from guard_wsgi.state.emergency import EmergencyMode
from guard_wsgi.state.server import configured_worker_count, multi_worker_server
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from guard_wsgi.telemetry.bus import EventBus
from guard_wsgi.telemetry.enrichment import Enrichment
from guard_wsgi.telemetry.logfire import LogfireSink
from guard_wsgi.telemetry.logs import LogSettings, LogSink
from guard_wsgi.telemetry.opentelemetry import OpenTelemetrySink
from guard_wsgi.telemetry.redaction import Redaction

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from guard_wsgi.request.view import GuardRequest

logger = logging.getLogger("guard_wsgi")

STORE_OVERHEAD_SECONDS = 0.03
"""How long the store may delay a request beyond one call that times out."""


class Services:
    """The long-lived services of one guard.

    :param store: the caller's own store; the services do not close it.
    :param events: the caller's own bus; the services do not close it, and add neither the agent nor
        the log to it.
    :param serve: swaps a configuration in; dynamic rules call it.
    :raises ConfigError: if the configuration does not allow a part to be built.
    """

    def __init__(
        self,
        config: SecurityConfig,
        *,
        store: Store | None = None,
        events: EventBus | None = None,
        serve: Callable[[SecurityConfig], None],
    ) -> None:
        self._config = config
        self._redaction = Redaction(
            headers=config.log_sensitive_headers,
            params=config.log_sensitive_params,
            body_fields=config.log_sensitive_body_fields,
        )
        self.log = self._open_log()
        self.agent = self._find_agent()
        self._enrichment: Enrichment | None = None
        self._owns_events = events is None
        self.events = events if events is not None else self._build_events()
        self._owns_store = store is None
        self.store = store if store is not None else self._open_store()
        if store is None:
            self.store.bans.on_change = self._bans_changed
        self.ruled = RuledConfiguration(
            config, serve, RuledBans(self.store.bans, self.store.values)
        )
        self._rules_poller = self._build_rules_poller()
        self._detector: tuple[Mapping[str, str], Detector] | None = None
        self._emergency_declared = False
        #: What the app has answered for, whatever the configuration is.
        self.shares = WebDAVShares()
        self.peers = PeerWatch(trusts_anybody=bool(config.trusted_proxies))

    # Data sources, made when a policy first needs them ---------------------------------------

    @lazy
    def countries(self) -> CountryLookup | None:
        """The source of countries: the user's handler, IPinfo's download, or a file at hand."""
        config = self._config
        handler = config.geo_ip_handler
        path = config.ipinfo_db_path
        if handler is None and config.ipinfo_token:
            handler = IPInfoManager(
                config.ipinfo_token, path, config.geo_ip_db_max_age, on_change=self._geo_changed
            )
        elif handler is None and path is not None and path.exists():
            handler = MaxMindGeoIP(path)
        return CountryLookup(handler) if handler is not None else None

    @property
    def country(self) -> Callable[[Address], str | None] | None:
        return self.countries.country if self.countries is not None else None

    @lazy
    def clouds(self) -> CloudRanges:
        """The ranges of cloud providers, shared by all rules that name some."""
        config = self._config
        store = config.cloud_ip_store
        if callable(store) and not hasattr(store, "get"):
            store = store(self.store)
        return CloudRanges(
            store=self.store,
            refresh_interval_seconds=config.cloud_ip_refresh_interval,
            unavailable=config.cloud_ranges_unavailable,
            custom_store=store,
            on_change=self._clouds_changed,
        )

    def cloud_match(self, providers: Iterable[str]) -> Callable[[Address], str | None]:
        """Return a function that looks an address up in the ranges of providers."""
        return self.clouds.select(providers).match

    @lazy
    def bots(self) -> VerifiedBots | None:
        return VerifiedBots(store=self.store) if self._config.allow_verified_bots else None

    @property
    def is_verified_bot(self) -> Callable[[GuardRequest], bool] | None:
        bots = self.bots
        if bots is None:
            return None
        return lambda request: bots.is_verified(request.user_agent, request.client)

    # Made anew for each policy ------------------------------------------------------------------

    def detector(self, config: SecurityConfig) -> Detector:
        """Return the detector with a configuration's own patterns; it is kept while these stay the
        same."""
        patterns = config.detection_custom_patterns
        if self._detector is None or self._detector[0] != patterns:
            self._detector = (patterns, Detector(custom_patterns=patterns))
            # Do this at construction, before a fork. The very first start compiles for seconds and
            # stores the result on disk; later starts load it. No request must wait for that.
            self._detector[1].warm()
        return self._detector[1]

    def emergency(self, config: SecurityConfig) -> EmergencyMode:
        """Make the emergency mode, which the configuration or the store can declare."""
        return EmergencyMode(
            self.store.values,
            active=config.emergency_mode,
            allow=config.emergency_whitelist,
            on_change=None if config.emergency_mode else self._emergency_changed,
        )

    def behavior(self, config: SecurityConfig, suspicion: Suspicion) -> BehaviorTracker:
        """Make the tracker of what clients do over many requests."""
        return BehaviorTracker(
            self.store,
            on_violation=self._behavior_violated,
            has_detections=lambda client: suspicion.count(client) > 0,
            passive=config.passive_mode,
            scan_response_body=config.behavior_scan_response_body,
            max_response_body_bytes=config.behavior_max_response_body_inspect_bytes,
        )

    def suspicion(self, config: SecurityConfig) -> Suspicion:
        """Make the counter of attacks that lead to a ban, with the thresholds of a
        configuration."""
        settings = SuspicionSettings(
            overall=BanThreshold(config.auto_ban_threshold, config.auto_ban_duration),
            by_category={
                category: BanThreshold(ban.threshold, ban.duration)
                for category, ban in config.threat_ban_config.items()
            },
            window_seconds=config.auto_ban_window,
            enabled=config.enable_ip_banning,
            # Requests that passive mode let pass must not lead to a ban when it ends.
            passive=config.passive_mode,
        )
        return Suspicion(self.store.counters, self.store.bans, settings)

    # Serving ------------------------------------------------------------------------------------

    def begin_serving(self, environ: WSGIEnvironment) -> None:
        """Look at the server and start background work. The first request of a process calls
        this."""
        if self.store.scheme == "memory":
            warning = multi_worker_server(environ)
            if warning:
                logger.warning(warning)
        if self.agent is not None:
            self.agent.touch()
        if self._rules_poller is not None:
            self._rules_poller.touch()
        if not self._config.lazy_init:
            if self.countries is not None:
                self.countries.initialize()
            if "clouds" in vars(self):
                self.clouds.load()

    def status(self) -> dict[str, Any]:
        """Return the status of each part."""
        status: dict[str, Any] = {"store": self.store.status(), "events": self.events.counters()}
        if self.peers.advice:
            status["peers"] = self.peers.advice
        if self.countries is not None:
            status["geo"] = self.countries.status()
        if "clouds" in vars(self):
            status["cloud"] = self.clouds.status()
        if self.bots is not None:
            status["bots"] = self.bots.status()
        if self.agent is not None:
            status["agent"] = self.agent.get_stats()
        return status

    def close(self) -> None:
        """Stop the threads, send the last events, and close what these services opened.

        The guards of a process share the agent, so it keeps running; it flushes at exit.
        """
        if self._rules_poller is not None:
            self._rules_poller.stop()
        for name in ("countries", "clouds", "bots"):
            part = vars(self).get(name)
            if part is not None:
                part.close()
        if self._owns_events:
            self.events.close()
        self.log.close()
        if self._owns_store:
            self.store.close()

    # Construction -------------------------------------------------------------------------------

    def _open_log(self) -> LogSink:
        config = self._config
        return LogSink(
            LogSettings(
                request_level=config.log_request_level,
                suspicious_level=config.log_suspicious_level,
                country_level=config.log_country_check_level,
                muted_checks=config.muted_check_logs,
                file_path=config.custom_log_file,
                file_format=config.log_format,
            ),
            self._redaction,
        )

    def _find_agent(self) -> agents.GuardAgentHandler | None:
        """Return the agent, which guards that report to the same project share."""
        try:
            agent_config = self._config.to_agent_config()
            return agents.guard_agent(agent_config) if agent_config is not None else None
        except GuardError as error:
            if self._config.agent_strict:
                raise
            # A fault of telemetry must not stop the site: it runs without an agent and logs an
            # error.
            reason = "; ".join(error.faults) if isinstance(error, ConfigError) else str(error)
            logger.error("the agent did not start, so it sends no telemetry: %s", reason)
            if self._config.on_error is not None:
                self._config.on_error("agent_init", error, {})
            return None

    def _build_events(self) -> EventBus:
        config = self._config
        if config.enable_enrichment:
            self._enrichment = Enrichment(config.agent_project_id, config.otel_service_name)
        events = EventBus(
            (self.log,),
            muted_event_types=config.muted_event_types,
            muted_metric_types=config.muted_metric_types,
            redaction=self._redaction,
            on_error=config.on_error,
            enrichment=self._enrichment,
        )
        for sink in self._optional_sinks():
            events.add_sink(sink)
        if self.agent is not None:
            events.add_sink(self.agent)
        return events

    def _optional_sinks(self) -> Iterator[object]:
        """Yield the sinks whose packages may be missing. A missing package does not stop the site;
        the log names it."""
        config = self._config
        if config.enable_otel:
            try:
                yield OpenTelemetrySink(
                    service_name=config.otel_service_name,
                    exporter_endpoint=config.otel_exporter_endpoint,
                    resource_attributes=config.otel_resource_attributes,
                )
            except MissingExtra as error:
                logger.error("sending nothing to OpenTelemetry: %s", error)
        if config.enable_logfire:
            try:
                yield LogfireSink(service_name=config.logfire_service_name)
            except MissingExtra as error:
                logger.error("sending nothing to Logfire: %s", error)

    def _open_store(self) -> Store:
        config = self._config
        timeout_seconds = config.effective_store_timeout
        proxies = (proxy for proxy in config.trusted_proxies if proxy != UNIX_PEER)
        return Store.open(
            config.effective_store_url,
            settings=StoreSettings(
                prefix=config.redis_prefix,
                timeout_seconds=timeout_seconds,
                request_budget_seconds=timeout_seconds + STORE_OVERHEAD_SECONDS,
                rate_limit_strategy=config.rate_limit_strategy,
                policies=config.store_failure_policy,
                max_keys=config.memory_store_max_keys,
                max_bans=config.max_bans,
                ipv6_prefix_bits=config.ipv6_client_prefix,
                worker_count=configured_worker_count(os.environ),
                protected=IPSet(proxies),
                on_change=self._store_changed,
                options=config.store_options,
            ),
        )

    def _build_rules_poller(self) -> agents.RulesPoller | None:
        config = self._config
        if not config.enable_dynamic_rules or self.agent is None:
            return None
        path = config.dynamic_rules_cache_path
        return agents.RulesPoller(
            self.agent,
            self._apply_rules,
            self._restore_rules,
            emit=self.events.emit,
            store=self.store,
            cache_path=str(path) if path is not None else None,
            interval_seconds=config.dynamic_rule_interval,
        )

    def _apply_rules(self, rules: agents.DynamicRules) -> None:
        self.ruled.apply(rules)
        if self._enrichment is not None:
            self._enrichment.set_rule(rules.rule_id, rules.version)

    def _restore_rules(self) -> None:
        self.ruled.restore()
        if self._enrichment is not None:
            self._enrichment.set_rule(None, None)

    # What the services report -------------------------------------------------------------------

    def _store_changed(self, change: str, detail: str) -> None:
        self.events.emit(f"store_{change}", reason=detail)

    def _bans_changed(self, what: str, target: str, reason: str, seconds: float | None) -> None:
        reported: dict[str, Any] = {} if seconds is None else {"duration": round(seconds)}
        self.events.emit(what, reason=reason, ip_address=target, **reported)

    def _emergency_changed(self, active: bool, reason: str) -> None:
        # Each policy sees the same declaration in the store: report it once.
        if active != self._emergency_declared:
            self._emergency_declared = active
            state = "activated" if active else "deactivated"
            reason = reason or ("declared at runtime" if active else "")
            self.events.emit(f"emergency_mode_{state}", reason=reason)

    def _behavior_violated(self, violation: Violation) -> None:
        self.events.emit(
            "behavioral_violation",
            action_taken=violation.action,
            reason=violation.details,
            ip_address=violation.client,
            rule_type=violation.rule.rule_type,
            pattern_matched=violation.rule.pattern,
            route=violation.endpoint,
            count=violation.count,
        )

    def _geo_changed(self, what: str, detail: str) -> None:
        if what == "failed":
            self.events.emit("geo_lookup_failed", reason=detail)

    def _clouds_changed(self, what: str, provider: str, detail: str) -> None:
        self.events.emit(f"cloud_ranges_{what}", reason=detail, cloud_provider=provider)
