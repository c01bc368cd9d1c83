"""Which published packages' own test suites run behind the guard, and how each is started."""

from __future__ import annotations

from attrs import field, frozen

DJANGO = "5.2.19"

DJANGO_PACKAGES = [
    "admin_changelist",
    "admin_custom_urls",
    "admin_docs",
    "admin_filters",
    "admin_inlines",
    "admin_ordering",
    "admin_utils",
    "admin_views",
    "admin_widgets",
    "auth_tests",
    "builtin_server",
    "cache",
    "conditional_processing",
    "contenttypes_tests",
    "context_processors",
    "csrf_tests",
    "file_uploads",
    "flatpages_tests",
    "forms_tests",
    "generic_inline_admin",
    "generic_views",
    "handlers",
    "i18n",
    "logging_tests",
    "messages_tests",
    "middleware",
    "middleware_exceptions",
    "modeladmin",
    "proxy_models",
    "redirects_tests",
    "requests_tests",
    "servers",
    "sessions_tests",
    "shortcuts",
    "sitemaps_tests",
    "staticfiles_tests",
    "syndication_tests",
    "template_backends",
    "template_tests",
    "test_client",
    "test_client_regress",
    "test_utils",
    "timezones",
    "urlpatterns_reverse",
    "utils_tests",
    "view_tests",
    "wsgi",
]
"""Django's own packages that make requests with its client, its request factory or a live server;
those that need a browser, a geographic database or ASGI are left out."""

DJANGO_QUICK = [
    "auth_tests",
    "csrf_tests",
    "file_uploads",
    "flatpages_tests",
    "generic_views",
    "handlers",
    "messages_tests",
    "requests_tests",
    "sitemaps_tests",
    "syndication_tests",
    "test_client",
    "test_client_regress",
    "view_tests",
]
"""The packages that show most per second."""


WAGTAIL_PACKAGES = [
    "wagtail.admin.tests.pages",
    "wagtail.admin.tests.test_account_management",
    "wagtail.admin.tests.test_collections_views",
    "wagtail.admin.tests.test_workflows",
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.contrib.search_promotions",
    "wagtail.contrib.settings",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.sites",
    "wagtail.snippets",
    "wagtail.users",
]
"""wagtail's packages that send forms and files; those that render alone are left out."""


@frozen(kw_only=True)
class Suite:
    """One package's suite.

    :ivar name: how the suite is called here.
    :ivar package: its source archive, on PyPI.
    :ivar version: pinned, as another version is another suite.
    :ivar command: what runs it, in the archive's folder ``folder``.
    :ivar tests: the names of its tests, packages or folders, for the command's end.
    :ivar requirements: what it needs beside the guard.
    :ivar environment: variables for its process; ``{root}`` is the unpacked archive.
    :ivar timeout: seconds that one run may take.
    """

    name: str
    package: str
    version: str
    command: list[str]
    tests: list[str]
    folder: str = "."
    requirements: tuple[str, ...] = ()
    environment: dict[str, str] = field(factory=dict)
    timeout: float = 1800.0


def django_suite(name: str, packages: list[str]) -> Suite:
    """Some of Django's own test packages."""
    return Suite(
        name=name,
        package="django",
        version=DJANGO,
        folder="tests",
        command=["runtests.py", "--parallel=1", "--noinput", "-v0"],
        tests=packages,
        requirements=("asgiref", "sqlparse", "jinja2", "Pillow", "docutils", "PyYAML", "tblib"),
        environment={"PYTHONPATH": "{root}"},
    )


PYTEST = ["-m", "pytest", "-q", "-p", "peer_plugin", "-p", "no:cacheprovider", "--tb=short"]

SUITES = {
    suite.name: suite
    for suite in (
        django_suite("django", DJANGO_PACKAGES),
        django_suite("django-quick", DJANGO_QUICK),
        Suite(
            name="flask",
            package="flask",
            version="3.1.3",
            command=PYTEST,
            tests=["tests"],
            requirements=("flask==3.1.3", "pytest<9", "asgiref", "python-dotenv"),
        ),
        Suite(
            name="djangorestframework",
            package="djangorestframework",
            version="3.18.3",
            command=PYTEST,
            tests=["tests"],
            requirements=(
                f"django=={DJANGO}",
                "pytest>=9",
                "pytest-django>=4.5.2,<5",
                "dj-database-url>=3.1",
                "importlib-metadata<10",
                "markdown",
                "django-filter",
                "django-guardian",
                "inflection",
                "PyYAML",
                "uritemplate",
                "pygments",
                "coreapi",
                "coreschema",
                "legacy-cgi; python_version >= '3.13'",
            ),
            environment={"PYTHONPATH": "{root}"},
        ),
        Suite(
            name="django-allauth",
            package="django-allauth",
            version="65.22.1",
            command=PYTEST,
            tests=["tests/apps"],
            requirements=(
                f"django=={DJANGO}",
                "pytest<9",
                "pytest-asyncio==1.3.0",
                "pytest-django>=4.5.2,<5",
                "pyjwt[crypto]>=2,<3",
                "PyYAML>=6,<7",
                "oauthlib>=4.0.1,<5",
                "qrcode>=7,<9",
                "fido2>=1.1.2,<3",
                "python3-openid>=3.0.8,<4",
                "python3-saml>=1.15,<2",
                "requests>=2,<3",
                "Pillow",
                "psycopg[binary]>=3.2.10",
                "djangorestframework>=3.15.2,<4",
                "django-ninja>=1.3,<2",
            ),
            environment={"PYTHONPATH": "{root}"},
        ),
        Suite(
            name="wagtail",
            package="wagtail",
            version="8.0.1",
            command=["wagtail/test/manage.py", "test", "--parallel=1", "--noinput", "-v0"],
            tests=WAGTAIL_PACKAGES,
            requirements=(
                f"django=={DJANGO}",
                "wagtail==8.0.1",
                "Jinja2>=3,<3.2",
                "boto3>=1.28,<2",
                "freezegun>=0.3.8",
                "responses>=0.25,<1",
                "polib>=1.1,<2",
                "django-pattern-library>=0.7",
                "factory-boy",
                "azure-identity>=1,<2",
                "azure-mgmt-cdn>=12,<15",
                "azure-mgmt-frontdoor>=1,<3",
                "pytz",
            ),
            environment={
                "PYTHONPATH": "{root}",
                "DJANGO_SETTINGS_MODULE": "wagtail.test.settings",
                "DATABASE_NAME": ":memory:",
            },
            timeout=2400.0,
        ),
        Suite(
            name="django-cms",
            package="django-cms",
            version="5.1.3",
            command=["manage.py", "test", "--parallel=1", "--noinput", "-v0"],
            tests=["cms", "menus"],
            requirements=(
                f"django=={DJANGO}",
                "django-cms==5.1.3",
                "dj-database-url",
                "django-app-helper",
                "django-classy-tags>=0.7.2",
                "django-formtools",
                "django-sekizai>=0.7",
                "django-treebeard>=4.3,<6",
                "djangocms-admin-style>=1.5",
                "djangocms-text!=1.0.0",
                "iptools",
                "mock>=2",
                "Pillow",
                "pyflakes>=2.1",
                "setuptools",
            ),
            environment={"PYTHONPATH": "{root}"},
            timeout=2400.0,
        ),
    )
}
