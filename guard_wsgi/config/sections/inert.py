"""Options of flaskapi-guard that do nothing here; each says why."""

from __future__ import annotations

from attrs import field, frozen

from guard_wsgi.options import values as values
from guard_wsgi.options.declaring import inert
from guard_wsgi.options.numbers import flag, number, whole_number

_LINEAR = inert("patterns run in linear time and need no timeout and no safety probe")
_NO_MONITOR = inert("all patterns run in one pass, so no single pattern can be timed")
_ONE_SCORE = inert("one learned score decides; set detection_threat_score_threshold instead")
_REQUEST_THREAD = inert("the thread of the request reads its body")


@frozen(kw_only=True, slots=False, eq=False, repr=False)
class InertOptions:
    """Options that are accepted and have no effect."""

    redis_fail_open: bool = field(
        default=False,
        converter=flag,
        metadata=inert("local counters serve while a store is down; see store_failure_policy"),
    )
    redis_health_check_interval: int = field(
        default=30,
        validator=whole_number(0),
        metadata=inert("a health check costs a round trip; the breaker probes the store instead"),
    )
    redis_retries: int = field(
        default=0,
        validator=whole_number(0),
        metadata=inert("a request makes one attempt only; the breaker probes a failed store"),
    )
    body_read_timeout: float = field(
        default=3.0, validator=number(0, 30, above=True), metadata=_REQUEST_THREAD
    )
    sync_body_read_max_concurrent: int = field(
        default=64, validator=whole_number(1, 10_000), metadata=_REQUEST_THREAD
    )
    excluded_semantic_detection_headers: frozenset[str] = field(
        default=frozenset(),
        converter=values.lower_set,
        metadata=inert("detection has one stage; use excluded_detection_headers"),
    )
    detection_compiler_timeout: float = field(
        default=2.0, validator=number(0.1, 10), metadata=_LINEAR
    )
    detection_max_scan_seconds: float = field(
        default=10.0, validator=number(0.1, 60), metadata=_LINEAR
    )
    detection_pattern_validation_cache_path: str | None = field(
        default=None, converter=values.optional_text, metadata=_LINEAR
    )
    detection_max_content_length: int = field(
        default=10_000, validator=whole_number(1000, 100_000), metadata=_ONE_SCORE
    )
    detection_binary_min_run_length: int = field(
        default=16,
        validator=whole_number(4, 1024),
        metadata=inert("the first bytes and the entropy of a file show whether it is binary"),
    )
    detection_preserve_attack_patterns: bool = field(
        default=True,
        converter=flag,
        metadata=inert("a value is scored whole"),
    )
    detection_semantic_threshold: float = field(
        default=0.7, validator=number(0, 1), metadata=_ONE_SCORE
    )
    detection_anomaly_threshold: float = field(
        default=3.0, validator=number(1, 10), metadata=_NO_MONITOR
    )
    detection_slow_pattern_threshold: float = field(
        default=0.1, validator=number(0.01, 1), metadata=_NO_MONITOR
    )
    detection_monitor_history_size: int = field(
        default=1000, validator=whole_number(100, 10_000), metadata=_NO_MONITOR
    )
    detection_max_tracked_patterns: int = field(
        default=1000, validator=whole_number(100, 5000), metadata=_NO_MONITOR
    )
    detection_anomaly_emission_cooldown: float = field(
        default=60.0, validator=number(1, 3600), metadata=_NO_MONITOR
    )
    detection_min_samples_for_anomaly: int = field(
        default=30, validator=whole_number(10, 1000), metadata=_NO_MONITOR
    )
