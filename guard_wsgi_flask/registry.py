"""Which apps of this process are guarded.

The one piece of state outside of an app, and held weakly: names of flaskapi-guard were
singletons, and code outside of any app's context (a test's set-up, a job) calls them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

from flask import current_app, has_app_context

from guard_wsgi.errors import GuardError
from guard_wsgi_flask.inside import EXTENSION_NAME

if TYPE_CHECKING:
    from guard_wsgi_flask.extension import GuardedApp

_guarded: WeakSet[GuardedApp] = WeakSet()


def register(guarded: GuardedApp) -> None:
    """Remember an app as long as it is used."""
    _guarded.add(guarded)


def all_guarded() -> list[GuardedApp]:
    """The current app alone, or outside of any app's context each that there is."""
    if has_app_context():
        guarded = current_app.extensions.get(EXTENSION_NAME)
        return [guarded] if guarded is not None else []
    return list(_guarded)


def the_guarded() -> GuardedApp:
    """The current app, or outside of any app's context the only one that there is.

    :raises GuardError: where there is none, or no saying which.
    """
    found = all_guarded()
    if len(found) == 1:
        return found[0]
    if not found:
        raise GuardError("no app is guarded yet: FlaskAPIGuard(app)")
    raise GuardError("several apps are guarded: call this in `with app.app_context():`")
