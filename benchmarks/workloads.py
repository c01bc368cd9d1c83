"""The six requests of the budget table, and how one request is timed.

Only the standard library is needed here: the same file runs in the environment of the system
that is compared with.
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import urlencode

Environ = dict[str, Any]
App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

CLIENTS = tuple(f"203.0.{number // 250}.{number % 250 + 1}" for number in range(500))
"""A few hundred visitors in turn: neither one address, nor a new address per request."""

BROWSER_HEADERS = {
    "HTTP_HOST": "shop.example.com",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36",
    "HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    "*/*;q=0.8",
    "HTTP_ACCEPT_LANGUAGE": "en-GB,en;q=0.9,de;q=0.7",
    "HTTP_ACCEPT_ENCODING": "gzip, deflate, br, zstd",
    "HTTP_REFERER": "https://shop.example.com/catalogue?page={request}",
    "HTTP_COOKIE": "session=eyJjYXJ0IjpbMSwyLDNdfQ.Z1x2y3.abcdefghij{client}; theme=dark; "
    "_ga=GA1.2.1234{client}.1700000000",
    "HTTP_SEC_CH_UA": '"Chromium";v="131", "Not_A Brand";v="24", "Google Chrome";v="131"',
    "HTTP_SEC_CH_UA_MOBILE": "?0",
    "HTTP_SEC_CH_UA_PLATFORM": '"Linux"',
    "HTTP_SEC_FETCH_MODE": "navigate",
    "HTTP_UPGRADE_INSECURE_REQUESTS": "1",
}
API_HEADERS = {
    "HTTP_HOST": "api.example.com",
    "HTTP_USER_AGENT": "python-requests/2.32.3",
    "HTTP_ACCEPT": "*/*",
    "HTTP_ACCEPT_ENCODING": "gzip, deflate",
}
TEXT = (
    "the order was sent on monday and arrived in good shape with two cups one kettle "
    "a jar of honey some tea leaves and a note that said thank you for your visit to our shop"
)
WORDS = TEXT.split()


class Workload(NamedTuple):
    """One kind of request. In its query and headers, "{client}" stands for the visitor and
    "{request}" for the number of the request.

    :ivar calls: requests timed in one round: enough to outweigh the clock, few enough for the
        subjects to alternate several times a second.
    :ivar refused: whether the guard must refuse it.
    :ivar fresh: whether each request has a new address, instead of those in turn.
    """

    name: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    content_type: str
    body: bytes
    calls: int
    refused: bool = False
    fresh: bool = False


def json_document(size: int) -> bytes:
    """A JSON document of about ``size`` bytes, as a shop's interface might take it."""
    draw = random.Random(size)
    items: list[dict[str, Any]] = []
    while True:
        items.append(
            {
                "id": draw.randrange(10**6),
                "name": " ".join(draw.choices(WORDS, k=4)),
                "price": round(draw.random() * 100, 2),
                "tags": draw.sample(WORDS, 2),
                "note": " ".join(draw.choices(WORDS, k=8)),
            }
        )
        body = json.dumps({"customer": 42, "items": items}).encode()
        if len(body) >= size:
            return body


FORM = {
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "street": "12 St James's Square",
    "city": "London",
    "postcode": "SW1Y 4LB",
    "country": "United Kingdom",
    "phone": "+44 20 7946 0000",
    "message": "Please leave the parcel with a neighbour if nobody is at home. Thank you!",
    "newsletter": "yes",
    "token": "f3c1b2a495867768a9b0c1d2e3f40516",
}
QUERY = {
    "q": "green tea pot",
    "page": "{request}",
    "sort": "price-asc",
    "category": "kitchen & dining",
    "in_stock": "true",
    "ref": "spring_newsletter-2024",
}
SQL_INJECTION = {
    "q": "{request}' UNION SELECT username, password FROM users-- -",
    "page": "2",
}

REFUSED = Workload(
    "SQL injection in the query, refused",
    "GET",
    "/page",
    urlencode(SQL_INJECTION, safe="{}"),
    API_HEADERS,
    "",
    b"",
    60,
    refused=True,
)
WORKLOADS = (
    Workload("GET, 12 browser headers", "GET", "/page", "", BROWSER_HEADERS, "", b"", 60),
    Workload(
        "GET, 6 query parameters",
        "GET",
        "/page",
        urlencode(QUERY, safe="{}"),
        API_HEADERS,
        "",
        b"",
        60,
    ),
    Workload(
        "POST JSON, 2 KB",
        "POST",
        "/json",
        "",
        API_HEADERS,
        "application/json",
        json_document(2_000),
        60,
    ),
    Workload(
        "POST form, 10 fields",
        "POST",
        "/form",
        "",
        BROWSER_HEADERS,
        "application/x-www-form-urlencoded",
        urlencode(FORM).encode(),
        40,
    ),
    Workload(
        "POST JSON, 64 KB",
        "POST",
        "/json",
        "",
        API_HEADERS,
        "application/json",
        json_document(64_000),
        10,
    ),
    REFUSED,
    REFUSED._replace(name="the same by ever new addresses: logged", fresh=True),
)


def make_environ(workload: Workload, request: int) -> Environ:
    """Make an environ as a server does, with new strings: only strings that are the same object in
    real requests are the same here, and no hash is computed beforehand.

    :param request: its number; visitors take turns.
    """
    client = request % len(CLIENTS)
    address = CLIENTS[client]
    if workload.fresh:
        address = f"198.{18 + request // 65_536 % 2}.{request // 256 % 256}.{request % 256}"
    environ: Environ = {
        "REQUEST_METHOD": _sent(workload.method, client, request),
        "SCRIPT_NAME": "",
        "PATH_INFO": _sent(workload.path, client, request),
        "QUERY_STRING": _sent(workload.query, client, request),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": _sent(address, client, request),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": None,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "wsgi.input": BytesIO(workload.body),
    }
    for name, value in workload.headers.items():
        environ[name] = _sent(value, client, request)
    if workload.content_type:
        environ["CONTENT_TYPE"] = _sent(workload.content_type, client, request)
        environ["CONTENT_LENGTH"] = str(len(workload.body))
    return environ


def _sent(text: str, client: int, request: int) -> str:
    text = text.replace("{client}", f"{client:06}").replace("{request}", str(request))
    return text.encode("latin-1").decode("latin-1")


def bare_app() -> App:
    """A Flask app whose views read the body or the query, and nothing else."""
    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/page")
    def page() -> str:
        return "page " + request.args.get("page", "1")

    @app.post("/json")
    def document() -> dict[str, int]:
        return {"items": len(request.get_json()["items"])}

    @app.post("/form")
    def form() -> str:
        return "thank you, " + request.form["name"]

    return app  # type: ignore[return-value]


def nothing(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Takes the time of the harness itself, which is subtracted."""
    start_response("200 OK", [])
    return []


class Sink:
    """A server's side of a response."""

    status = ""

    def start_response(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        self.status = status
        return None


def serve(app: App, environ: Environ) -> str:
    """Serve one request like a server: the whole response, then close."""
    sink = Sink()
    iterable = app(environ, sink.start_response)
    for _ in iterable:
        pass
    close = getattr(iterable, "close", None)
    if close is not None:
        close()
    return sink.status


def time_once(
    app: App,
    workload: Workload,
    clients: Iterator[int],
    arrive: Callable[[Environ], object] | None = None,
) -> float:
    """Return the seconds per request: the median of one round of calls, without pauses of the
    garbage collector.

    Each request is made just before it is served, as servers do it, and only serving is timed. The
    median leaves out calls during which the machine did something else.

    :param arrive: changes what the server passes on.
    """
    seconds = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(workload.calls):
            environ = make_environ(workload, next(clients))
            if arrive is not None:
                arrive(environ)
            started = time.perf_counter()
            serve(app, environ)
            seconds.append(time.perf_counter() - started)
    finally:
        gc.enable()
    return statistics.median(seconds)


def measure(
    subjects: Mapping[str, App], rounds: int, workloads: Iterable[Workload] = WORKLOADS
) -> dict[str, dict[str, list[float]]]:
    """Seconds per request: workload name -> subject name -> one value a round.

    The subjects take turns within a round, so that whatever else the machine does falls on all
    of them. The harness's own time is subtracted.
    """
    workloads = tuple(workloads)
    clients = count()
    for workload in workloads:
        for name, app in subjects.items():
            status = serve(app, make_environ(workload, next(clients)))
            expected = workload.refused and name != "bare"
            if status.startswith("4") != expected:
                raise SystemExit(f"{name}: {workload.name!r} was answered {status}")
            time_once(app, workload, clients)
    times: dict[str, dict[str, list[float]]] = {
        w.name: {s: [] for s in subjects} for w in workloads
    }
    for number in range(rounds):
        for workload in workloads:
            harness = time_once(nothing, workload, clients)
            order = list(subjects.items())
            if number % 2:
                order.reverse()
            for name, app in order:
                seconds = time_once(app, workload, clients) - harness
                times[workload.name][name].append(max(seconds, 0.0))
    return times


def ratios(
    times: Mapping[str, list[float]], subject: str, *, whole: bool
) -> tuple[float, float, float]:
    """Return the median, lower and upper quartile of the subject's time over bare Flask's, round by
    round.

    :param whole: whether the whole request counts (it never reaches the app), not the added time.
    """
    values = [
        (mine if whole else mine - bare) / bare
        for mine, bare in zip(times[subject], times["bare"], strict=True)
    ]
    low, middle, high = statistics.quantiles(values, n=4)
    return middle, low, high
