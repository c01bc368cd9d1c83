"""The typing test holds the whole public API: each public name is used in ``typing/api.py``."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import guard_wsgi
import guard_wsgi.agent
import guard_wsgi.resolvers
import guard_wsgi_flask
from guard_wsgi import (
    GuardAgentHandler,
    GuardMiddleware,
    GuardRequest,
    GuardResponse,
    SecurityConfig,
    SecurityDecorator,
    Verdict,
)
from guard_wsgi.config.pydantic_names import PydanticNames
from guard_wsgi.options.resolving import options_of
from guard_wsgi_flask import FlaskAPIGuard

API = ast.parse((Path(__file__).parent / "typing" / "api.py").read_text(encoding="utf-8"))

USED = (
    {node.attr for node in ast.walk(API) if isinstance(node, ast.Attribute)}
    | {node.id for node in ast.walk(API) if isinstance(node, ast.Name)}
    | {node.arg or "" for node in ast.walk(API) if isinstance(node, ast.keyword)}
)

PROMISED = {
    GuardMiddleware: {"app", "bans", "close", "country_of", "limits", "policy", "reconfigure"}
    | {"reset", "stats", "status", "tell"},
    GuardRequest: {"body", "canonical_path", "client_host", "client_ip", "client_key", "country"}
    | {"content_type", "endpoint", "fields", "has_body", "headers", "host", "is_https", "method"}
    | {"is_preflight", "path", "query_params", "query_string", "read_body_prefix", "readings"}
    | {"request_id", "route_template", "scheme", "scope", "state", "url", "url_full", "url_path"}
    | {"url_replace_scheme", "url_scheme", "user_agent", "verdict"},
    GuardAgentHandler: {"flush_buffer", "get_dynamic_rules", "get_stats", "get_status"}
    | {"health_check", "send_event", "send_metric", "start", "stop"},
    Verdict: {"action", "block", "check", "client_ip", "country", "findings", "principal"}
    | {"reason", "request_id"},
}
"""The public attributes of classes whose other attributes are for the package itself."""


@pytest.mark.parametrize(
    "module", [guard_wsgi, guard_wsgi.agent, guard_wsgi.resolvers, guard_wsgi_flask]
)
def test_each_exported_name_is_in_the_typing_test(module: ModuleType) -> None:
    tree = ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8"))
    exported = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname is not None
    }
    assert len(exported) > 3
    assert sorted(exported - USED) == []


@pytest.mark.parametrize("kind", [GuardResponse, SecurityDecorator, FlaskAPIGuard])
def test_each_public_attribute_is_in_the_typing_test(kind: type) -> None:
    public = {name for name in dir(kind) if not name.startswith("_")}
    assert sorted(public - USED) == []


@pytest.mark.parametrize("kind", PROMISED, ids=lambda kind: kind.__name__)
def test_each_promised_attribute_is_there_and_in_the_typing_test(kind: type) -> None:
    slots = {name for base in kind.__mro__ for name in getattr(base, "__slots__", ())}
    assert sorted(PROMISED[kind] - {*dir(kind), *slots, *kind.__annotations__, "verdict"}) == []
    assert sorted(PROMISED[kind] - USED) == []


def test_the_methods_of_a_configuration_are_in_the_typing_test() -> None:
    options = {option.name for option in options_of(SecurityConfig)}
    methods = {
        name
        for kind in (SecurityConfig, PydanticNames)
        for name, member in vars(kind).items()
        if not name.startswith("_") and name not in options and not isinstance(member, property)
    }
    # Older spellings of pydantic, and attributes that the package itself reads.
    others = {"class_defaults", "copy", "dict", "json", "parse_obj", "parse_raw", "from_orm"}
    assert sorted(methods - USED - others) == []


def test_a_guard_without_an_agent_imports_none_of_its_parts() -> None:
    program = (
        "import sys; from flask import Flask; from guard_wsgi_flask import FlaskAPIGuard;"
        "client = Flask('shop'); FlaskAPIGuard(client); client.test_client().get('/?q=1');"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {name for name in done.stdout.split() if name.startswith("guard_wsgi.agent.")}
    assert loaded.isdisjoint(
        {f"guard_wsgi.agent.{part}" for part in ("compat", "handler", "sender")}
    )
    assert "pickletools" not in done.stdout.split()
