"""The extension in an app factory: ``flask --app examples/flask_factory run``."""

from __future__ import annotations

from flask import Blueprint, Flask, g
from flask.typing import ResponseReturnValue
from flask.views import MethodView

from guard_wsgi_flask import FlaskAPIGuard, GuardRequest, SecurityConfig, SecurityDecorator

API_KEYS = {"example-key-of-ann": "ann"}


def owner_of(request: GuardRequest, key: str) -> str | None:
    """Whose key it is. A real app looks it up by its hash."""
    return API_KEYS.get(key)


config = SecurityConfig(
    auth_verifier=owner_of,
    security_headers="api",
    custom_error_responses={403: "Not for you.", 429: "Slow down, please."},
)
guard = FlaskAPIGuard(config=config)
protect = SecurityDecorator(config)
api = Blueprint("api", __name__, url_prefix="/api")


@api.get("/me")
@protect.api_key_auth()
def me() -> ResponseReturnValue:
    return {"name": g.guard.principal}


class Notes(MethodView):
    def get(self) -> ResponseReturnValue:
        return {"notes": []}

    @protect.api_key_auth()
    @protect.content_type_filter(["application/json"])
    @protect.max_request_size(10_000)
    def post(self) -> ResponseReturnValue:
        return {"saved": True}, 201


api.add_url_rule("/notes", view_func=Notes.as_view("notes"))


def create_app() -> Flask:
    app = Flask(__name__)
    app.register_blueprint(api)
    guard.init_app(app)
    return app
