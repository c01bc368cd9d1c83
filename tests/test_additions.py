"""Worked examples: a new check, indicator, store, resolver, option and rule for routes, and how
many files each touches.

Each example is made in a copy of the package, as somebody who adds one would edit it, and then
serves a request there. The number of files is part of the example: one more means that something
is described in two places.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

PACKAGE = Path(__file__).parents[1] / "guard_wsgi"

ROWS = dict(
    re.findall(
        r"^\| (an? [a-z ]+) \| (\d) \|",
        (PACKAGE.parent / "ARCHITECTURE.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
)
"""The number of files of each addition, as ARCHITECTURE.md has it."""

Changes = dict[str, list[tuple[str, str]]]
"""Maps a file to pairs of an anchor, a text that occurs once in it, and the text to insert before
it."""

Apply = Callable[[dict[str, str], Changes, str], str]


@pytest.fixture
def apply(tmp_path: Path) -> Apply:
    """Write new files, put lines before an anchor in others, and run a script in the copy."""
    copy = tmp_path / "guard_wsgi"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))

    def apply(new: dict[str, str], changed: Changes, script: str) -> str:
        for name, text in new.items():
            (copy / name).write_text(dedent(text))
        for name, places in changed.items():
            source = (copy / name).read_text()
            for anchor, lines in places:
                assert source.count(anchor) == 1, (name, anchor)
                source = source.replace(anchor, lines + anchor)
            (copy / name).write_text(source)
        done = subprocess.run(
            [sys.executable, "-c", SERVE + dedent(script)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return apply


SERVE = """
from pathlib import Path
from werkzeug.test import Client, EnvironBuilder
import guard_wsgi
from guard_wsgi import GuardMiddleware, RouteConfig, SecurityConfig

assert Path(guard_wsgi.__file__).parent.parent == Path.cwd()

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]

def status(guard, path="/", **options):
    options.setdefault("environ_base", {"REMOTE_ADDR": "203.0.113.7"})
    response = Client(guard).open(path, **options)
    return response.status_code
"""


def test_a_check_is_a_class_and_its_place_in_its_family(apply: Apply) -> None:
    """One file; five before there was one ladder. Users can mute the new check by its name."""
    changed: Changes = {
        "checks/circumstances.py": [
            (
                "class TimeWindow(Check):",
                dedent(
                    """\
                    class Teapots(Check):
                        \"\"\"Refuses teapots.\"\"\"

                        name = "teapots"
                        fails_closed = True

                        @classmethod
                        def for_route(cls, config, route, services):
                            yield cls()

                        def passes(self, environ, visit):
                            return "HTTP_X_TEAPOT" not in environ

                        def refusal(self, request):
                            if "X-Teapot" not in request.headers:
                                return None
                            return Block(status=403, message="No teapots", check=self.name)


                    """
                ),
            ),
            ("    TimeWindow,\n", "    Teapots,\n"),
        ]
    }
    script = """
    import logging
    import sys

    logging.basicConfig(stream=sys.stdout, format="%(message).20s")
    for muted in ((), {"teapots"}):
        guard = GuardMiddleware(app, SecurityConfig(muted_check_logs=muted))
        print(status(guard), status(guard, headers={"X-Teapot": "short"}))
    """
    said = apply({}, changed, script)
    assert said == "Blocked GET / from 2\n200 403\n200 403\n"
    assert len(changed) == int(ROWS["a check"])


def test_an_indicator_is_one_line(apply: Apply) -> None:
    """One file, before the weights are learned again; its prior serves until then."""
    changed: Changes = {
        "detection/indicators/code.py": [
            (
                '    _make("code_injection", "python_debugger"',
                '    _make("code_injection", "teapot", r"teapot\\.brew\\(", "RFC 2324", CERTAIN,\n'
                '          prefilter=(r"teapot\\.brew\\(",), examples=("teapot.brew(1)",)),\n',
            )
        ]
    }
    script = """
    guard = GuardMiddleware(app, SecurityConfig())
    print(status(guard, "/?q=a+cup+of+tea"), status(guard, "/?q=teapot.brew(1)"))
    """
    source = (PACKAGE / "detection" / "indicators" / "code.py").read_text()
    assert "CERTAIN" in source.partition("_make(")[0]
    assert apply({}, changed, script) == "200 400\n"
    assert len(changed) == int(ROWS["an indicator"])


def test_a_store_is_a_file_and_a_row_of_the_table_of_schemes(apply: Apply) -> None:
    """Two files; four before there was one table (store, rules of the configuration, doctor)."""
    new = {
        "state/backends/toy.py": """
        from guard_wsgi.state.backends.memory import MemoryStorage

        class ToyStorage(MemoryStorage):
            scheme = "toy"

        def open_backend(url, settings):
            return ToyStorage(max_keys=settings.max_keys, clock=settings.clock)
        """
    }
    changed: Changes = {
        "state/schemes.py": [
            ('        "lmdb": Scheme(', '        "toy": Scheme(f"{_BACKENDS}.toy"),\n')
        ]
    }
    script = """
    guard = GuardMiddleware(app, SecurityConfig(store_url="toy://", rate_limit=2))
    print([status(guard) for _ in range(3)], guard.status()["store"]["store"])
    """
    assert apply(new, changed, script) == "[200, 200, 429] toy\n"
    assert len({**new, **changed}) == int(ROWS["a store"])


def test_a_new_store_that_is_down_causes_no_500(apply: Apply) -> None:
    """It names the exceptions of its client, and the policies of stores apply."""
    new = {
        "state/backends/toy.py": """
        from guard_wsgi.state.backends.memory import MemoryStorage

        class Lost(Exception):
            pass

        class ToyStorage(MemoryStorage):
            scheme = "toy"
            failures = (Lost,)

            def ban_changes(self, since):
                raise Lost("no route to the toys")

            def taker(self, strategy):
                def take(key, requests, window_seconds, cost):
                    raise Lost("no route to the toys")
                return take

        def open_backend(url, settings):
            return ToyStorage(max_keys=settings.max_keys, clock=settings.clock)
        """
    }
    changed: Changes = {
        "state/schemes.py": [
            ('        "lmdb": Scheme(', '        "toy": Scheme(f"{_BACKENDS}.toy"),\n')
        ]
    }
    script = """
    guard = GuardMiddleware(app, SecurityConfig(store_url="toy://", rate_limit=4))
    print([status(guard) for _ in range(6)], guard.status()["store"]["state"])
    deny = {"bans": "deny", "rate_limit": "deny", "counters": "deny"}
    strict = SecurityConfig(store_url="toy://", store_failure_policy=deny)
    print(status(GuardMiddleware(app, strict)))
    """
    assert apply(new, changed, script) == "[200, 200, 200, 200, 429, 429] degraded\n503\n"


def test_a_resolver_is_a_function_of_the_apps_own(apply: Apply) -> None:
    """No file of the package."""
    script = """
    from guard_wsgi.resolvers import Resolution

    def resolver(environ):
        if environ["PATH_INFO"].startswith("/kitchen"):
            return Resolution("kitchen", RouteConfig(ip_whitelist=["192.0.2.1"]))
        return None

    guard = GuardMiddleware(app, SecurityConfig(), resolver=resolver)
    print(status(guard), status(guard, "/kitchen/tea"))
    """
    assert apply({}, {}, script) == "200 403\n"
    assert ROWS["a resolver"] == "0"


def test_an_option_is_a_field_and_what_acts_on_it(apply: Apply) -> None:
    """Two files: its section, with default, reason and range; and the file that acts."""
    changed: Changes = {
        "config/sections/mode.py": [
            (
                "    max_request_size: int | None",
                "    no_bodies: bool = field(\n"
                "        # Off: forms and APIs have bodies.\n"
                "        default=False,\n"
                "        converter=flag,\n"
                "    )\n",
            )
        ],
        "checks/content.py": [
            (
                "        if route.max_request_size is not None:",
                "        if config.no_bodies:\n            yield cls(0)\n            return\n",
            )
        ],
    }
    script = """
    from guard_wsgi.cli import main

    strict = SecurityConfig.from_env(environ={"GUARD_NO_BODIES": "on"})
    for config in (SecurityConfig(), strict):
        guard = GuardMiddleware(app, config)
        print(status(guard), status(guard, method="POST", data={"tea": "green"}))
    main(["options", "bodies"])
    """
    told = apply({}, changed, script)
    assert told.startswith("200 200\n200 413\n")
    assert "Off: forms and APIs have bodies." in told
    assert len(changed) == int(ROWS["an option"])


def test_a_rule_for_routes_is_a_field_a_decorator_its_names_and_a_check(apply: Apply) -> None:
    """Five files: the field, the decorator, the names in faults and events, and the check."""
    changed: Changes = {
        "routes/config.py": [
            (
                "    allowed_content_types: tuple[str, ...] | None = field(",
                "    max_query_chars: int | None = field(\n"
                "        default=None, validator=whole_number(1, optional=True)\n"
                "    )\n",
            )
        ],
        "routes/decorators.py": [
            (
                "    def time_window(",
                "    def max_query_chars(self, chars: int) -> Callable[[View], View]:\n"
                "        return self._marking(max_query_chars=chars)\n\n",
            )
        ],
        "routes/decorator_faults.py": [
            (
                '        "time_restrictions":',
                '        "max_query_chars": "@max_query_chars: chars",\n',
            )
        ],
        "telemetry/naming.py": [
            ('    "referrer":', '    "query_length": (_CONTENT, ("max_query_chars",)),\n')
        ],
        "checks/content.py": [
            (
                "class RequiredHeaders(Check):",
                dedent(
                    """\
                    class QueryLength(Check):
                        \"\"\"Refuses long queries.\"\"\"

                        name = "query_length"
                        fails_closed = True
                        is_own = True

                        def __init__(self, most):
                            self._most = most

                        @classmethod
                        def for_route(cls, config, route, services):
                            if route.max_query_chars is not None:
                                yield cls(route.max_query_chars)

                        def passes(self, environ, visit):
                            return len(environ.get("QUERY_STRING", "")) <= self._most

                        def refusal(self, request):
                            if len(request.environ.get("QUERY_STRING", "")) <= self._most:
                                return None
                            return Block(status=414, message="Long query", check=self.name)


                    """
                ),
            ),
            ("    RequiredHeaders,\n)", "    QueryLength,\n"),
        ],
    }
    script = """
    from guard_wsgi import ConfigError, SecurityDecorator
    from guard_wsgi.telemetry.naming import decorator_of

    route = RouteConfig(max_query_chars=5)
    guard = GuardMiddleware(app, SecurityConfig(), routes={"/short": route})
    print(*[status(guard, path) for path in ("/?page=1000", "/short?p=1", "/short?page=1000")])
    print(decorator_of("query_length", route))
    protect = SecurityDecorator(SecurityConfig())
    try:
        protect.max_query_chars(0)(lambda: None)
    except ConfigError as error:
        print(error)
    """
    told = apply({}, changed, script)
    assert told.startswith("200 200 414\ncontent_filtering\n")
    assert "@max_query_chars: chars must be" in told
    assert len(changed) == int(ROWS["a rule for routes"])
