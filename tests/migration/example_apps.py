"""Two apps such as flaskapi-guard shows its users, written once for both packages.

``names`` is the module that the app imports from: the one line that a migration changes.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, g, jsonify, request

KEYS = {"key-of-ann": "ann"}


class Atlas:
    """Countries by the first number of an address."""

    is_initialized = True

    def initialize(self) -> None: ...

    def initialize_redis(self, redis_handler: Any) -> None: ...

    def initialize_agent(self, agent_handler: Any) -> None: ...

    def get_country(self, ip: str) -> str | None:
        return {"203": "US", "198": "DE", "192": "CN"}.get(ip.partition(".")[0])

    def refresh(self) -> None: ...

    def close(self) -> None: ...


def simple_app(names: Any, **options: Any) -> Flask:
    """A few pages behind a guard that is configured in one place."""
    app = Flask("simple")
    settings: dict[str, Any] = {
        "enable_redis": False,
        "rate_limit": 1000,
        "rate_limit_window": 60,
        "auto_ban_threshold": 5,
        "auto_ban_duration": 300,
        "geo_ip_handler": Atlas(),
        "blocked_user_agents": ["badbot", "evil-crawler"],
        "custom_error_responses": {429: "Slow down, please"},
        **options,
    }
    config = names.SecurityConfig(**settings)
    guard = names.FlaskAPIGuard(app, config=config)
    guard.set_decorator_handler(names.SecurityDecorator(config))

    @app.route("/")
    def root() -> Any:
        return {"message": "Hello, Guard!"}

    @app.route("/ip")
    def ip() -> Any:
        return {"ip": g.client_ip if hasattr(g, "client_ip") else g.guard.client_ip}

    @app.route("/echo", methods=["POST"])
    def echo() -> Any:
        return jsonify(length=len(request.get_data()), fields=sorted(request.form))

    @app.route("/items/<int:item>")
    def item(item: int) -> Any:
        return {"item": item}

    @app.route("/search")
    def search() -> Any:
        return {"q": request.args.get("q", "")}

    @app.route("/health")
    def health() -> Any:
        return {"status": "healthy"}

    @app.route("/missing-page")
    def missing() -> Any:
        return {"error": "nothing here"}, 404

    @app.route("/fails")
    def fails() -> Any:
        raise RuntimeError("the app's own fault")

    @app.route("/moved")
    def moved() -> Any:
        return "", 302, {"Location": "/"}

    @app.route("/own-headers")
    def own_headers() -> Any:
        return "x", 200, {"X-Frame-Options": "DENY"}

    return app


def advanced_app(names: Any, **options: Any) -> Flask:
    """Views with rules of their own, in blueprints."""
    app = Flask("advanced")
    settings: dict[str, Any] = {
        "enable_redis": False,
        "rate_limit": 1000,
        "rate_limit_window": 60,
        "auto_ban_threshold": 50,
        "geo_ip_handler": Atlas(),
        "auth_verifier": lambda request, credential: KEYS.get(credential),
        "trust_x_forwarded_proto": True,
        "trusted_proxies": ["10.0.0.0/8"],
        **options,
    }
    config = names.SecurityConfig(**settings)
    guard = names.FlaskAPIGuard(app, config=config)
    protect = names.SecurityDecorator(config)
    guard.set_decorator_handler(protect)
    response = names.GuardResponse if hasattr(names, "decode_basic") else None

    def refusing(text: str, status: int) -> Any:
        if response is not None:
            return response(text, status)
        return guard.guard_response_factory.create_response(text, status)

    access = Blueprint("access", "access", url_prefix="/access")
    auth = Blueprint("auth", "auth", url_prefix="/auth")
    rate = Blueprint("rate", "rate", url_prefix="/rate")
    content = Blueprint("content", "content", url_prefix="/content")
    behavior = Blueprint("behavior", "behavior", url_prefix="/behavior")
    advanced = Blueprint("advanced", "advanced", url_prefix="/advanced")

    def view(blueprint: Blueprint, path: str, *decorators: Any, **rules: Any) -> None:
        def answer(**_: Any) -> Any:
            return {"view": path}

        answer.__name__ = answer.__qualname__ = f"{blueprint.name}_{path.strip('/')}".replace(
            "-", "_"
        )
        decorated: Any = answer
        for decorator in reversed(decorators):
            decorated = decorator(decorated)
        blueprint.add_url_rule(path, path.strip("/"), decorated, **rules)

    view(access, "/open")
    view(access, "/white", protect.require_ip(whitelist=["203.0.113.1", "198.51.100.0/24"]))
    view(access, "/black", protect.require_ip(blacklist=["203.0.113.9"]))
    view(access, "/not-cn", protect.block_countries(["CN"]))
    view(access, "/only-us", protect.allow_countries(["US"]))
    view(access, "/no-clouds", protect.block_clouds(["AWS"]))
    view(access, "/no-checks", protect.bypass(["all"]))
    view(access, "/no-limit", protect.bypass(["rate_limit"]))
    view(access, "/no-detection", protect.bypass(["penetration"]))
    view(auth, "/https", protect.require_https())
    view(auth, "/bearer", protect.require_auth(type="bearer"))
    view(auth, "/basic", protect.require_auth(type="basic"))
    view(auth, "/key", protect.api_key_auth(header_name="X-API-Key"))
    view(auth, "/presence", protect.require_authorization_header("bearer"))
    view(
        auth,
        "/headers",
        protect.require_headers({"X-Requested-With": "XMLHttpRequest", "X-Any": "required"}),
    )
    view(rate, "/three", protect.rate_limit(requests=3, window=60))
    view(rate, "/three/<int:n>", protect.rate_limit(requests=3, window=60))
    view(rate, "/geo", protect.geo_rate_limit({"US": (2, 60), "DE": (4, 60), "*": (1, 60)}))
    view(content, "/no-bots", protect.block_user_agents(["bot", "crawler", "spider"]))
    view(
        content,
        "/json",
        protect.content_type_filter(["application/json"]),
        methods=["GET", "POST"],
    )
    view(content, "/small", protect.max_request_size(100), methods=["POST"])
    view(content, "/referrer", protect.require_referrer(["shop.example"]))
    view(
        content,
        "/validated",
        protect.custom_validation(
            lambda request: refusing("no", 400) if "bad" in request.query_params else None
        ),
    )
    view(behavior, "/usage", protect.usage_monitor(max_calls=3, window=300, action="ban"))
    view(
        behavior,
        "/returns",
        protect.return_monitor("status:200", max_occurrences=3, window=300, action="ban"),
    )
    view(
        behavior,
        "/often",
        protect.suspicious_frequency(max_frequency=0.01, window=300, action="ban"),
    )
    view(advanced, "/always", protect.time_window("00:00", "23:59"))
    view(advanced, "/honeypot", protect.honeypot_detection(["website"]), methods=["POST"])
    view(advanced, "/undetected", protect.suspicious_detection(enabled=False))
    view(
        advanced,
        "/excluded",
        protect.detection_exclusion(params=["code"]),
    )
    for blueprint in (access, auth, rate, content, behavior, advanced):
        app.register_blueprint(blueprint)

    @app.route("/")
    def root() -> Any:
        return Response("advanced")

    return app
