"""What the framework of an app does by itself, whatever the guard does."""

from __future__ import annotations

import sys
from typing import Any

from attrs import frozen

from guard_wsgi.routes.django_app import headers_set_by, parts_of
from guard_wsgi.routes.introspection import is_a


@frozen
class Framework:
    """
    :ivar headers: keys of the security headers that it sets, or omits on purpose.
    :ivar reads_any_form: whether it reads a form from a body of any media type, as Bottle does.
    """

    headers: frozenset[str] = frozenset()
    reads_any_form: bool = False

    @classmethod
    def of(cls, app: Any) -> Framework:
        """Look at an app, through all layers around it. A framework that nobody has imported is
        not there."""
        headers: frozenset[str] = frozenset()
        if "django.core.handlers.wsgi" in sys.modules:
            headers = headers_set_by(app)
        bottle = sys.modules.get("bottle")
        is_bottle = bottle is not None and any(is_a(part, bottle.Bottle) for part in parts_of(app))
        return cls(headers, is_bottle)


UNKNOWN = Framework()
"""A framework that does nothing by itself, as far as the guard knows."""
