"""Names in an environment or in ``app.config`` that have our prefix but are not options.

flaskapi-guard's documentation reads ``GUARD_API_KEY``, ``GUARD_PROJECT_ID`` and ``GUARD_CORE_URL``,
and turns the agent on if there is a key. Kubernetes gives each container variables for each service
of its namespace: for a service "guard", ``GUARD_PORT``, ``GUARD_SERVICE_HOST`` and more
(kubernetes.io, "Discovering services").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from guard_wsgi.options.numbers import is_blank

_A_SLIP = 0.8
"""The similarity (difflib) from which a name counts as a typo of an option: one or two letters of
ten differ. GUARD_API_URL and ``redis_url`` have a similarity of 0.6."""

PAGE_NAMES = {
    "api_key": "agent_api_key",
    "project_id": "agent_project_id",
    "core_url": "agent_endpoint",
}
"""Maps the documentation's name, without the prefix, to its option."""

_KUBERNETES = re.compile(
    r"(?:\w+_)?(?:service_host|service_port(?:_\w+)?|port|port_\d+_(?:tcp|udp|sctp)"
    r"(?:_(?:addr|port|proto))?)\Z"
)


def translated(given: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the documentation's names in ``given`` by those of options.

    An option that is given under its own name keeps its value. A key alone turns the agent on.
    """
    options = {name: value for name, value in given.items() if name not in PAGE_NAMES}
    for name, option in PAGE_NAMES.items():
        if name in given and not is_blank(given[name]):
            options.setdefault(option, given[name])
    if given.get("api_key") and options.get("agent_api_key") == given["api_key"]:
        options.setdefault("enable_agent", True)
    return options


def without_kubernetes(
    given: Mapping[str, Any], known: Mapping[str, Any], prefix: str
) -> tuple[dict[str, Any], list[str]]:
    """Remove the variables that Kubernetes sets for a service from ``given``, and warn about them.

    :param known: the names of options, which no service can remove.
    """
    services = [name for name in given if name not in known and _KUBERNETES.match(name)]
    if not services:
        return dict(given), []
    shown = ", ".join(f"{prefix}{name}".upper() for name in services[:3])
    kept = {name: value for name, value in given.items() if name not in services}
    return kept, [
        f"{shown}{' and more' if len(services) > 3 else ''} ignored: Kubernetes sets such"
        " variables for a service; set enableServiceLinks: false in the pod to avoid them"
    ]


def without_own_names(
    given: Mapping[str, Any], known: Iterable[str], prefix: str
) -> tuple[dict[str, Any], list[str], list[str]]:
    """Remove the app's own names with our prefix from ``given``. Return the rest, the faults, and a
    warning for each such name. A name that looks like a typo of an option is a fault, so that a
    typo switches no protection off.

    :param known: the names of options.
    """
    known = list(known)
    kept, faults, doubtful = {}, [], []
    for name, value in given.items():
        shown = f"app.config[{prefix + name.upper()!r}]"
        if name in known:
            kept[name] = value
        elif meant := get_close_matches(name, known, n=1, cutoff=_A_SLIP):
            faults.append(f"unknown option {shown} (did you mean {prefix}{meant[0].upper()}?)")
        else:
            doubtful.append(
                f"{shown} is ignored: the guard has no such option, although it reads names in"
                f" app.config that begin with {prefix}: rename it if it is yours"
            )
    return kept, faults, doubtful
