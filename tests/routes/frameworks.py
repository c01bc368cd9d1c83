"""The same few views in each framework, with rules, and the requests that reached them."""

from __future__ import annotations

import itertools
import sys
from types import ModuleType
from typing import Any

from guard_wsgi import SecurityConfig, SecurityDecorator

_count = itertools.count()  # Django keeps what it knows of a URLconf by its name

TOKEN = {"Authorization": "Bearer s3cret"}


def verify(request: Any, credential: str) -> bool:
    return credential == "s3cret"


class Project:
    """A Django project of this process: settings and URLs of its own while it is in use."""

    def __init__(
        self, monkeypatch: Any, config: SecurityConfig | None = None, **options: Any
    ) -> None:
        import django
        from django.conf import settings
        from django.conf.urls.i18n import is_language_prefix_patterns_used
        from django.test.signals import setting_changed
        from django.urls import clear_url_caches
        from django.utils import translation

        if not settings.configured:  # another test of this process may have done it
            settings.configure()
        settings.SECRET_KEY = "x"  # can't be read while it is empty, so not be put back either
        own: dict[str, Any] = {
            "ROOT_URLCONF": f"guarded_urls_{next(_count)}",
            "ALLOWED_HOSTS": ["*"],
            "MIDDLEWARE": [],
            "LANGUAGE_CODE": "en",
            "LANGUAGES": [("en", "English"), ("de", "German")],
            "USE_I18N": True,
            "WSGI_APPLICATION": None,
            "REST_FRAMEWORK": {
                "DEFAULT_AUTHENTICATION_CLASSES": [],
                "DEFAULT_PERMISSION_CLASSES": [],
                "UNAUTHENTICATED_USER": None,
            },
        }
        for name, value in {**own, **options}.items():
            monkeypatch.setattr(settings, name, value, raising=False)
        django.setup()
        # Django keeps its template engines from the first use on, in whichever test that was, and
        # so does REST framework its settings.
        for setting in ("TEMPLATES", "REST_FRAMEWORK"):
            setting_changed.send(sender=Project, setting=setting, value=None, enter=True)
        clear_url_caches()
        is_language_prefix_patterns_used.cache_clear()
        translation.deactivate()
        self._monkeypatch = monkeypatch
        self.config = config if config is not None else SecurityConfig()
        self.decorate = SecurityDecorator(self.config)

    def app(self, urlpatterns: list[Any]) -> Any:
        from django.conf import settings
        from django.core.wsgi import get_wsgi_application

        self.module(settings.ROOT_URLCONF, urlpatterns=urlpatterns)
        return get_wsgi_application()

    def module(self, module_name: str, **names: Any) -> None:
        module = ModuleType(module_name)
        vars(module).update(names)
        self._monkeypatch.setitem(sys.modules, module_name, module)
