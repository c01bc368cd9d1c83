"""HTTP to the collector: one ``requests.Session``, used by one thread of one process.

The thread that uses it creates it, since neither its sockets nor its TLS state survive a fork.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from attrs import frozen

from guard_wsgi.agent.config import AgentConfig
from guard_wsgi.errors import GuardError

if TYPE_CHECKING:
    from requests import PreparedRequest, Session

PROTOCOL_VERSION = "3.2.4"
"""The release of the existing agent whose wire format this agent speaks."""

CONNECT_SECONDS = 3.05
"""Just over 3 s, when TCP repeats a lost SYN again (RFC 6298: after 1 s, then 2 s more)."""

MAX_RETRY_AFTER_SECONDS = 3600.0
"""The longest ``Retry-After`` that the agent obeys."""

MAX_ANSWER_BYTES = 4_194_304
"""Rules with 100,000 addresses fit; a faulty collector can't fill the memory."""


def load() -> None:
    """Import what a request needs, now: only apps with an agent pay these 0.1 s.

    The sender's thread must not import it: if the process forks meanwhile, the module's lock stays
    held in the child forever.
    """
    import encodings.idna  # noqa: F401 - imported by the socket module with the first request

    import requests  # noqa: F401


def prepare_exit() -> None:
    """Make gevent start, now, the native thread in which it looks up names.

    Since Python 3.12, no thread can start at the exit of a process, when the last events are sent.
    """
    gevent, monkey = sys.modules.get("gevent"), sys.modules.get("gevent.monkey")
    if gevent is not None and monkey is not None and monkey.is_module_patched("socket"):
        with suppress(RuntimeError):  # at the exit already
            gevent.get_hub().threadpool.apply(int)


class TransportError(GuardError):
    """There was no answer: unreachable, refused, too slow, cut off, or far too long."""


@frozen(slots=True)
class Answer:
    """A collector's answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Talks to one collector for one project."""

    def __init__(self, config: AgentConfig, install_id: str) -> None:
        import requests  # loaded before, see load()

        self._requests = requests
        self._config = config
        self._session: Session | None = None
        self.headers = {
            "User-Agent": f"guard-agent/{PROTOCOL_VERSION} guard-wsgi/{package_version()}",
            # On a GET as well: the headers are exactly those of the existing agent.
            "Content-Type": "application/json",
            "X-API-Key": config.api_key,
            "X-Agent-Install-Id": install_id,
        }
        if config.project_id:
            self.headers["X-Project-ID"] = config.project_id

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        within_seconds: float | None = None,
    ) -> Answer:
        """Send one request, without retry or redirect.

        :param within_seconds: a shorter timeout than the configured one.
        :raises TransportError: if there is no answer in time.
        """
        allowed = self._config.timeout
        if within_seconds is not None:
            allowed = max(0.01, min(allowed, within_seconds))
        deadline = time.monotonic() + allowed
        if self._session is None:
            self._session = self._new_session()
        try:
            with self._session.request(
                method,
                self._config.endpoint + path,
                data=body,
                headers={**self.headers, **(headers or {})},
                timeout=(min(CONNECT_SECONDS, allowed), allowed),
                allow_redirects=False,
                stream=True,
            ) as response:
                answer = bytearray()
                for chunk in response.iter_content(65_536):
                    answer += chunk
                    if len(answer) > MAX_ANSWER_BYTES:
                        raise TransportError(f"answer of more than {MAX_ANSWER_BYTES} bytes")
                    if time.monotonic() > deadline:
                        raise TransportError(f"answer not complete after {allowed:.1f} s")
                named = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status_code, named, bytes(answer))
        except (self._requests.RequestException, OSError, ValueError) as error:
            # The text of requests' errors holds addresses and reasons, never headers or bodies.
            raise TransportError(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _new_session(self) -> Session:
        from http.cookiejar import DefaultCookiePolicy  # which requests loads as well

        session = self._requests.Session()
        session.headers.update({"Accept": "application/json", "Accept-Encoding": "gzip"})
        # Use the proxies of the environment, but no .netrc, which would add credentials.
        session.auth = _as_it_is
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return session


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Read ``Retry-After``, in either of its forms, as seconds from now (RFC 9110, 10.2.3).

    :returns: 0 to 3600; ``None`` if the header is absent or not valid.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER_SECONDS)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    seconds = (when - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def package_version() -> str:
    """Return this distribution's version, as installed."""
    try:
        return version("guard-wsgi")
    except PackageNotFoundError:  # run from a source tree
        return "0"


def _as_it_is(request: PreparedRequest) -> Any:
    return request
