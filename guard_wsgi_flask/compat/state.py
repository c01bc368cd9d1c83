"""The original's entry in an app's extensions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from guard_wsgi_flask.guarded_app import GuardedApp


class OriginalState(Mapping[str, Any]):
    """The entry ``app.extensions["flaskapi_guard"]``: guard, config, guard_decorator."""

    def __init__(self, guarded: GuardedApp) -> None:
        self._guarded = guarded

    def __getitem__(self, name: str) -> Any:
        return {
            "guard": self._guarded.guard,
            "config": self._guarded.config,
            "guard_decorator": self._guarded.decorator,
        }[name]

    def __iter__(self) -> Iterator[str]:
        return iter(("guard", "config", "guard_decorator"))

    def __len__(self) -> int:
        return 3
