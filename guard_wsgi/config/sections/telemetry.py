"""Logs and telemetry."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from attrs import field, frozen

from guard_wsgi.config import tables as tables
from guard_wsgi.options import values as values
from guard_wsgi.options.numbers import flag
from guard_wsgi.options.values import one_of
from guard_wsgi.telemetry.event_types import EVENT_TYPES
from guard_wsgi.telemetry.events import METRIC_TYPES

_NO_TABLE: Mapping[str, str] = MappingProxyType({})


@frozen(kw_only=True, slots=False, eq=False, repr=False)
class TelemetryOptions:
    """Logs and telemetry."""

    custom_log_file: str | None = field(
        # A file for the guard's log. None: the logging of the app decides where lines go.
        default=None,
        converter=values.optional_text,
    )
    log_format: Literal["text", "json"] = field(
        # The form of lines in custom_log_file. "text" is for people, "json" for programs and for
        # guard-wsgi report.
        default="text",
        validator=one_of("text", "json"),
    )
    log_request_level: str | None = field(
        # The level of a line for each request that passes. None: no line, because servers log
        # requests.
        default=None,
        converter=values.log_level,
    )
    log_suspicious_level: str | None = field(
        # The level of lines for requests that were refused or would be. None: no lines.
        default="WARNING",
        converter=values.log_level,
    )
    log_country_check_level: str | None = field(
        # Level of the lines of country checks that let the request pass.
        default="INFO",
        converter=values.log_level,
    )
    muted_event_types: frozenset[str] = field(
        # Types of events that are not sent to the agent and the other sinks.
        default=frozenset(),
        converter=values.string_set,
        validator=values.each_of(*sorted(EVENT_TYPES)),
    )
    muted_metric_types: frozenset[str] = field(
        # Types of metrics that are not sent.
        default=frozenset(),
        converter=values.string_set,
        validator=values.each_of(*sorted(METRIC_TYPES)),
    )
    muted_check_logs: frozenset[str] = field(
        # Checks whose lines are left out of the log. A guard refuses unknown names when it starts.
        default=frozenset(),
        converter=values.string_set,
    )
    log_sensitive_headers: frozenset[str] = field(
        # Headers whose values are hidden in logs and events, besides authorization, cookie,
        # x-api-key and others.
        default=frozenset(),
        converter=values.lower_set,
    )
    log_sensitive_params: frozenset[str] = field(
        # Query parameters whose values are hidden, besides password, token, secret, api_key and
        # similar names.
        default=frozenset(),
        converter=values.lower_set,
    )
    log_sensitive_body_fields: frozenset[str] = field(
        # Fields of bodies whose values are hidden, besides the same names.
        default=frozenset(),
        converter=values.lower_set,
    )
    enable_otel: bool = field(
        # Whether spans and counters go through the OpenTelemetry API. Your SDK decides where they
        # go.
        default=False,
        converter=flag,
    )
    otel_service_name: str = field(
        # Service name on spans, unless the SDK sets one.
        default="guard-wsgi",
        converter=values.text,
    )
    otel_exporter_endpoint: str | None = field(
        # The address of your OTLP collector. None: the configuration of the SDK applies.
        default=None,
        converter=values.optional_text,
    )
    otel_resource_attributes: Mapping[str, str] = field(
        # Attributes of all spans, besides those of the SDK.
        default=_NO_TABLE,
        converter=tables.string_table,
    )
    enable_logfire: bool = field(
        # Whether spans and events go to Logfire. Off: it needs an account.
        default=False,
        converter=flag,
    )
    logfire_service_name: str = field(
        # Service name in Logfire.
        default="guard-wsgi",
        converter=values.text,
    )
    enable_enrichment: bool = field(
        # Whether events contain threat scores and correlation keys. Off: they help only a collector
        # that reads them.
        default=False,
        converter=flag,
    )
