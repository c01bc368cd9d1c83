"""A guarded app behind a proxy: the address of the client, and a view that nobody may call."""

from __future__ import annotations

import os
from typing import Any

from flask import Flask, jsonify, request

from guard_wsgi_flask import FlaskAPIGuard, SecurityConfig, SecurityDecorator


def guarded() -> Flask:
    header = os.environ.get("FRONTS_HEADER", "x-forwarded-for")
    config = SecurityConfig(
        trusted_proxies=["127.0.0.1", "unix"],
        forwarded_header=header,
        allowed_hosts=["shop.example"],
        enable_rate_limiting=False,
        enable_penetration_detection=False,  # which would refuse some spellings before the rules do
    )
    decorate = SecurityDecorator(config)
    app = Flask(__name__)

    @app.get("/who")
    def who() -> Any:
        return jsonify(client=request.environ["guard_wsgi"].client_ip)

    @app.route("/admin/users", methods=["GET", "POST"])
    @app.route("/admin/<path:rest>", methods=["GET", "POST"])
    @decorate.require_auth(verifier=lambda request, credential: credential == "s3cret")
    def admin(rest: str = "") -> Any:
        return jsonify(secret=True)

    FlaskAPIGuard(app, config=config)
    return app


application = guarded()
