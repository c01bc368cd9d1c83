"""Which apps of this process are guarded.

This is the only state outside of an app: flaskapi-guard's names were singletons, and code outside
of any app's context calls them (a module during import, a test's setup, a job). References to apps
are weak. Calls to singletons before there is an app are kept for later apps.
"""

from __future__ import annotations

from itertools import count
from weakref import WeakValueDictionary

from flask import current_app, has_app_context

from guard_wsgi.errors import GuardError
from guard_wsgi_flask.early_calls import EarlyCalls
from guard_wsgi_flask.guarded_app import GuardedApp
from guard_wsgi_flask.request_hooks import EXTENSION_NAME

_guarded: WeakValueDictionary[int, GuardedApp] = WeakValueDictionary()
_numbers = count()

beforehand = EarlyCalls()


def register(guarded: GuardedApp) -> None:
    """Register an app while it exists, and apply the calls that came before there was one."""
    _guarded[next(_numbers)] = guarded
    beforehand.apply(guarded.middleware)


def all_guarded() -> list[GuardedApp]:
    """Return the current app, or outside of any app's context all apps, the newest last."""
    if has_app_context():
        guarded = current_app.extensions.get(EXTENSION_NAME)
        return [guarded] if guarded is not None else []
    return [guarded for _, guarded in sorted(_guarded.items())]


def is_too_early() -> bool:
    """Whether there is no app yet."""
    return not has_app_context() and not all_guarded()


def the_guarded() -> GuardedApp:
    """Return the current app, or outside of any app's context the one that was guarded last: a test
    means the app from its own factory, although apps of other tests may still be in memory.

    :raises GuardError: if there is none.
    """
    found = all_guarded()
    if found:
        return found[-1]
    if has_app_context():
        raise GuardError(
            f"the app {current_app.name!r} is not guarded: call FlaskAPIGuard(app) first"
        )
    raise GuardError(
        "no app is guarded yet: call FlaskAPIGuard(app) first. Only bans, patterns and"
        " security headers can be set before"
    )
