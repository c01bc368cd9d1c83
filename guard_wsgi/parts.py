"""What a guard is made of and keeps when its configuration changes.

State, detector, databases, the event bus and the agent outlive a policy: a rule that arrives at
runtime must not empty the counters. Nothing here starts a thread or opens a connection at
construction: :meth:`Parts.begin_serving` is called with the first request of each process.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from guard_wsgi.config import SecurityConfig
from guard_wsgi.detection import Detector
from guard_wsgi.emergency import EmergencyMode
from guard_wsgi.network.address import Address
from guard_wsgi.network.bots import VerifiedBots
from guard_wsgi.network.client import UNIX_PEER
from guard_wsgi.network.cloud import CloudRanges
from guard_wsgi.network.geo import CountryLookup, IPInfoManager
from guard_wsgi.network.ipset import IPSet
from guard_wsgi.state.behavior import BehaviorTracker, Violation
from guard_wsgi.state.server import multi_worker_server
from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from guard_wsgi.state.suspicion import BanThreshold, Suspicion, SuspicionSettings
from guard_wsgi.telemetry.bus import EventBus
from guard_wsgi.telemetry.logs import LogSettings, LogSink
from guard_wsgi.telemetry.redaction import Redaction

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from guard_wsgi.request import GuardRequest

logger = logging.getLogger("guard_wsgi")


class Parts:
    """The long-lived parts of one guard.

    :param apply: swaps a configuration in; dynamic rules call it.
    """

    def __init__(
        self,
        config: SecurityConfig,
        *,
        store: Store | None = None,
        events: EventBus | None = None,
        apply: Callable[[SecurityConfig], None],
    ) -> None:
        self._config = config
        self._owns_store = store is None
        self._owns_events = events is None
        self.log: LogSink | None = None
        self.events = events if events is not None else self._build_events(config)
        self.store = store if store is not None else self._open_store(config)
        self.detector = Detector(custom_patterns=config.detection_custom_patterns)
        self._countries: CountryLookup | None = None

    # Built when a first policy asks for them ---------------------------------------------------

    @property
    def country(self) -> Callable[[Address], str | None] | None:
        """Looks up a country, when there is a source of countries at all."""
        config = self._config
        if self._countries is None:
            handler = config.geo_ip_handler
            if handler is None and config.ipinfo_token:
                handler = IPInfoManager(
                    config.ipinfo_token,
                    config.ipinfo_db_path,
                    config.geo_ip_db_max_age,
                    on_change=self._geo_changed,
                )
            if handler is None:
                return None
            self._countries = CountryLookup(handler)
        return self._countries.country

    def cloud_match(self, providers: Iterable[str]) -> Callable[[Address], str | None]:
        """Looks an address up in the ranges of providers; data are shared by all rules."""
        return self.clouds.select(providers).match

    @cached_property
    def clouds(self) -> CloudRanges:
        config = self._config
        return CloudRanges(
            store=self.store,
            refresh_interval_seconds=config.cloud_ip_refresh_interval,
            unavailable=config.cloud_ranges_unavailable,
            custom_store=self._cloud_store(),
            on_change=self._clouds_changed,
        )

    @cached_property
    def bots(self) -> VerifiedBots | None:
        return VerifiedBots(store=self.store) if self._config.allow_verified_bots else None

    @property
    def is_verified_bot(self) -> Callable[[GuardRequest], bool] | None:
        bots = self.bots
        if bots is None:
            return None
        return lambda request: bots.is_verified(request.user_agent, request.client)

    # Made anew for each policy ------------------------------------------------------------------

    def emergency(self, config: SecurityConfig) -> EmergencyMode:
        """Asked whether an emergency keeps a client out; also declared through the store."""
        return EmergencyMode(
            self.store.values,
            active=config.emergency_mode,
            allow=config.emergency_whitelist,
            on_change=self._emergency_changed,
        )

    def behavior(self, config: SecurityConfig, suspicion: Suspicion) -> BehaviorTracker:
        """Watches what clients do over many requests."""
        return BehaviorTracker(
            self.store,
            on_violation=self._behavior_violated,
            has_detections=lambda client: suspicion.count(client) > 0,
            passive=config.passive_mode,
            scan_response_body=config.behavior_scan_response_body,
            max_response_body_bytes=config.behavior_max_response_body_inspect_bytes,
        )

    def suspicion(self, config: SecurityConfig) -> Suspicion:
        """Counts attacks of a client towards a ban, by the thresholds of a config."""
        settings = SuspicionSettings(
            overall=BanThreshold(config.auto_ban_threshold, config.auto_ban_duration),
            by_category={
                category: BanThreshold(ban.threshold, ban.duration)
                for category, ban in config.threat_ban_config.items()
            },
            window_seconds=config.auto_ban_window,
            enabled=config.enable_ip_banning,
            # What passive mode lets pass must not add up to a ban when it ends.
            passive=config.passive_mode,
        )
        return Suspicion(self.store.counters, self.store.bans, settings)

    # Serving -----------------------------------------------------------------------------------

    def begin_serving(self, environ: WSGIEnvironment) -> None:
        """The first request of a process: the one time to look at the server, and to start."""
        if self.store.scheme == "memory":
            warning = multi_worker_server(environ)
            if warning:
                logger.warning(warning)
        if not self._config.lazy_init:
            if self._countries is not None:
                self._countries.initialize()
            if "clouds" in vars(self):
                self.clouds.refresh()

    def status(self) -> dict[str, Any]:
        """Each part's own account of itself."""
        status: dict[str, Any] = {"store": self.store.status(), "events": self.events.counters()}
        if self._countries is not None:
            status["geo"] = self._countries.status()
        if "clouds" in vars(self):
            status["cloud"] = self.clouds.status()
        if self.bots is not None:
            status["bots"] = self.bots.status()
        return status

    def close(self) -> None:
        """Stop the threads, hand on the last events, close what was opened here."""
        for part in (self._countries, vars(self).get("clouds"), self.bots):
            if part is not None:
                part.close()
        if self._owns_events:
            self.events.close()
        if self._owns_store:
            self.store.close()

    def _cloud_store(self) -> Any:
        """``cloud_ip_store`` may be a store or a function that makes one of the guard's."""
        given = self._config.cloud_ip_store
        is_factory = callable(given) and not hasattr(given, "get")
        return given(self.store) if is_factory else given

    def _build_events(self, config: SecurityConfig) -> EventBus:
        redaction = Redaction(
            headers=config.log_sensitive_headers,
            params=config.log_sensitive_params,
            body_fields=config.log_sensitive_body_fields,
        )
        self.log = LogSink(
            LogSettings(
                request_level=config.log_request_level,
                suspicious_level=config.log_suspicious_level,
                country_level=config.log_country_check_level,
                muted_checks=config.muted_check_logs,
                file_path=config.custom_log_file,
                file_format=config.log_format,
            ),
            redaction,
        )
        return EventBus(
            (self.log,),
            muted_event_types=config.muted_event_types,
            muted_metric_types=config.muted_metric_types,
            redaction=redaction,
            on_error=config.on_error,
        )

    def _open_store(self, config: SecurityConfig) -> Store:
        proxies = (proxy for proxy in config.trusted_proxies if proxy != UNIX_PEER)
        return Store.open(
            config.effective_store_url,
            settings=StoreSettings(
                prefix=config.redis_prefix,
                timeout_seconds=config.effective_store_timeout,
                rate_limit_strategy=config.rate_limit_strategy,
                policies=config.store_failure_policy,
                max_keys=config.memory_store_max_keys,
                protected=IPSet(proxies),
                on_change=self._store_changed,
            ),
        )

    def _store_changed(self, change: str, detail: str) -> None:
        self.events.emit(f"store_{change}", reason=detail)

    def _emergency_changed(self, active: bool, reason: str) -> None:
        state = "activated" if active else "deactivated"
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
