"""The detector. Its patterns are compiled once per instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from guard_wsgi.detection.custom import CustomPattern
from guard_wsgi.detection.finding import CUSTOM
from guard_wsgi.detection.first_pass import StableHeaders
from guard_wsgi.detection.inspection import Inspection
from guard_wsgi.detection.scanning.families import builtin_scanners
from guard_wsgi.detection.scanning.prefilter import builtin_prefilter
from guard_wsgi.detection.scanning.scanner import Engine, Scanner, compile_patterns
from guard_wsgi.detection.scoring.model import Model, shipped_model
from guard_wsgi.detection.scoring.sufficient import Sufficient, builtin_sufficient
from guard_wsgi.detection.settings import DetectionSettings


class Detector:
    """The built-in indicators and a user's own patterns.

    Patterns may be added and removed while serving. Earlier inspections keep theirs until `compile`
    is called again. Adding compiles only the user's patterns.

    :raises PatternRefused: if the engine refuses a pattern; with the reason.
    """

    def __init__(
        self,
        custom_patterns: Mapping[str, str] | Iterable[str] = (),
        engine: Engine = "auto",
        model: Model | None = None,
    ) -> None:
        self._engine = engine
        self._builtin = builtin_scanners(engine)
        self._prefilter = builtin_prefilter(engine)
        self._model = model or shipped_model()
        self._sufficient = (
            builtin_sufficient(engine) if model is None else Sufficient(model, engine)
        )
        # One memory serves all inspections (each route has one), because clients choose what is
        # remembered.
        self._stable = StableHeaders()
        self._custom: dict[str, CustomPattern] = {}
        self._custom_scanner: Scanner | None = None
        if engine == "hyperscan":
            # If the engine refuses a pattern of the package, that is an error here, not at each
            # value.
            self.warm()
        if isinstance(custom_patterns, Mapping):
            named = dict(custom_patterns)
        else:
            named = {pattern: pattern for pattern in custom_patterns}
        if named:
            self._set_custom({name: CustomPattern(name, text) for name, text in named.items()})

    def _set_custom(self, patterns: dict[str, CustomPattern]) -> None:
        pairs = [(one.name, one.pattern) for one in patterns.values()]
        scanner = compile_patterns(pairs, self._engine) if pairs else None
        self._custom, self._custom_scanner = patterns, scanner
        # What is benign to one set of patterns may match another.
        self._stable = StableHeaders()

    def add_pattern(
        self, pattern: str, name: str | None = None, category: str = CUSTOM
    ) -> CustomPattern:
        """Add a pattern under a name (by default the pattern itself); it replaces one of the same
        name.

        :raises PatternRefused: if the engine refuses it; then nothing changes.
        """
        made = CustomPattern(name or pattern, pattern, category)
        self._set_custom({**self._custom, made.name: made})
        return made

    def remove_pattern(self, name: str) -> bool:
        """Remove a pattern by name. Return False if there is none."""
        if name not in self._custom:
            return False
        self._set_custom({key: one for key, one in self._custom.items() if key != name})
        return True

    def patterns(self) -> tuple[CustomPattern, ...]:
        """The user's patterns, in the order they were added."""
        return tuple(self._custom.values())

    def warm(self) -> None:
        """Compile or load now what the first value would otherwise compile: seconds on a new
        machine, milliseconds later (see database.py). Call it in a process that forks its workers,
        or that may start slowly."""
        self._builtin.warm()
        self._sufficient.warm()

    def compile(self, settings: DetectionSettings | None = None) -> Inspection:
        """Bind settings to the compiled patterns. This is cheap, so each route may have its own."""
        settings = settings or DetectionSettings()
        return Inspection(
            settings,
            self._prefilter,
            self._builtin,
            self._model,
            self._model.run_weights(settings.categories),
            self._sufficient,
            self._stable,
            tuple(self._custom.values()),
            self._custom_scanner,
        )
