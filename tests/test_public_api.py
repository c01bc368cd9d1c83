"""The typing test holds the whole public API: each public name is used in ``typing/api.py``."""

from __future__ import annotations

import ast
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
from guard_wsgi.config.spellings import ModelSpellings
from guard_wsgi.options.resolving import options_of
from guard_wsgi_flask import FlaskAPIGuard

API = ast.parse((Path(__file__).parent / "typing" / "api.py").read_text(encoding="utf-8"))

USED = (
    {node.attr for node in ast.walk(API) if isinstance(node, ast.Attribute)}
    | {node.id for node in ast.walk(API) if isinstance(node, ast.Name)}
    | {node.arg or "" for node in ast.walk(API) if isinstance(node, ast.keyword)}
)

OWN = {
    GuardMiddleware: {
        "after_fork_in_child",  # called by forks.py
        "check_route",  # called by adapters
        "decide",
        "inside",
        "name_route",
        "tell_requests",
        "use_store",
    },
    GuardRequest: {"client", "forget_notes", "incoming_body", "note", "quota", "started"}
    | {"take_found"},
    GuardAgentHandler: {
        "add_metric_source",
        "add_route_source",
        "after_fork_in_child",
        "await_rules",
        "fetch_rules",
        "touch",
    },
    Verdict: {
        "deferred",
        "defers_credentials",
        "endpoint",
        "environ_id",
        "guard",
        "has_held",
        "held",
        "passed",
        "principal",
        "quota",
        "refusals",
        "route",
        "unmodified",
    },
}
"""What the package itself calls: public by its spelling, and no promise to users."""


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


@pytest.mark.parametrize(
    "kind",
    [
        GuardMiddleware,
        GuardRequest,
        GuardResponse,
        GuardAgentHandler,
        Verdict,
        SecurityDecorator,
        FlaskAPIGuard,
    ],
)
def test_each_public_attribute_is_in_the_typing_test(kind: type) -> None:
    public = {name for name in dir(kind) if not name.startswith("_")}
    assert sorted(public - USED - OWN.get(kind, set())) == []


def test_the_methods_of_a_configuration_are_in_the_typing_test() -> None:
    options = {option.name for option in options_of(SecurityConfig)}
    methods = {
        name
        for kind in (SecurityConfig, ModelSpellings)
        for name, member in vars(kind).items()
        if not name.startswith("_") and name not in options and not isinstance(member, property)
    }
    # Older spellings of pydantic's, and what the package itself asks.
    others = {"class_defaults", "copy", "dict", "json", "parse_obj", "parse_raw", "from_orm"}
    assert sorted(methods - USED - others) == []
