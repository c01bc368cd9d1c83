"""The views that decorators have marked, as long as they exist.

Some apps decorate again with each request (Django's ``method_decorator`` does), so the references
are weak.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary, ref

from guard_wsgi.config.security import Lineage, SecurityConfig
from guard_wsgi.request.current_request import view_decorated


class DecoratedViews:
    """The record of one configuration, in the order of marking."""

    def __init__(self) -> None:
        self._views: dict[int, Any] = {}

    def add(self, view: Any) -> None:
        """Each view is recorded once."""
        number, views = id(view), self._views
        if number in views:
            return

        def forget(_: object) -> None:
            views.pop(number, None)

        try:
            views[number] = ref(view, forget)
        except TypeError:  # slots without __weakref__
            views[number] = lambda: view
        view_decorated()

    def __iter__(self) -> Iterator[Any]:
        for reference in list(self._views.values()):
            view = reference()
            if view is not None:
                yield view

    def __len__(self) -> int:
        return len(self._views)


_RECORDS: WeakKeyDictionary[Lineage, DecoratedViews] = WeakKeyDictionary()
"""The records, by the lineage of a configuration. Decorators run at import, before there is an app
or a guard that could keep them. A record lives as long as a configuration of its lineage."""


def decorated_by(config: SecurityConfig) -> DecoratedViews:
    """Return the views that decorators of a configuration, or of one that it evolved from, have
    marked."""
    return _RECORDS.setdefault(config._lineage, DecoratedViews())
