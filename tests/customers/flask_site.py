"""A shop as people build them with Flask: blueprints, logins, forms with CSRF tokens, a database,
uploads, a JSON API and an admin."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from flask import (
    Blueprint,
    Flask,
    abort,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    send_file,
    session,
    url_for,
)
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView
from flask_login import (
    LoginManager,
    UserMixin,
    current_user,
    login_required,
    login_user,
    logout_user,
)
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect, FlaskForm
from flask_wtf.file import FileField, FileRequired
from jinja2 import DictLoader
from werkzeug.security import check_password_hash, generate_password_hash
from wtforms import PasswordField, StringField, TextAreaField
from wtforms.validators import DataRequired

PAGE = """<!doctype html><title>{{ title }}</title>
{% for message in get_flashed_messages() %}<p class=flash>{{ message }}</p>{% endfor %}
{% if form %}<form method=post enctype="multipart/form-data">{{ form.hidden_tag() }}
{% for field in form if field.type != "CSRFTokenField" %}{{ field.label }} {{ field() }}
{% for error in field.errors %}<b>{{ error }}</b>{% endfor %}{% endfor %}<button>Send</button>
</form>{% endif %}
{% for item in items %}<article>{{ item }}</article>{% endfor %}"""


def page(title: str, items: Any = (), form: Any = None, status: int = 200) -> Any:
    return render_template("page.html", title=title, items=items, form=form), status


class Account(FlaskForm):  # type: ignore[misc]
    name = StringField("Name", [DataRequired()])
    password = PasswordField("Password", [DataRequired()])


class Review(FlaskForm):  # type: ignore[misc]
    title = StringField("Title", [DataRequired()])
    text = TextAreaField("Text", [DataRequired()])


class Picture(FlaskForm):  # type: ignore[misc]
    title = StringField("Title")
    file = FileField("File", [FileRequired()])


def make(folder: Path) -> Flask:
    """The app, with its own database and folder, without a guard."""
    app = Flask("shop")
    app.config.update(
        SECRET_KEY="a test's",
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{folder}/shop.db",
        UPLOADS=folder / "uploads",
    )
    app.config["UPLOADS"].mkdir()
    app.jinja_loader = DictLoader({"page.html": PAGE})
    db = SQLAlchemy(app)
    csrf = CSRFProtect(app)
    logins = LoginManager(app)
    logins.login_view = "accounts.sign_in"

    class User(UserMixin, db.Model):  # type: ignore[misc, name-defined]
        id = db.Column(db.Integer, primary_key=True)
        name = db.Column(db.String, unique=True)
        password_hash = db.Column(db.String)

    class Product(db.Model):  # type: ignore[misc, name-defined]
        id = db.Column(db.Integer, primary_key=True)
        name = db.Column(db.String)
        description = db.Column(db.Text)
        cents = db.Column(db.Integer, default=0)

    class Opinion(db.Model):  # type: ignore[misc, name-defined]
        id = db.Column(db.Integer, primary_key=True)
        product_id = db.Column(db.Integer)
        author = db.Column(db.String)
        title = db.Column(db.String)
        text = db.Column(db.Text)

    @logins.user_loader  # type: ignore[untyped-decorator]
    def load(user_id: str) -> Any:
        return db.session.get(User, int(user_id))

    accounts = Blueprint("accounts", __name__, url_prefix="/account")

    @accounts.route("/new", methods=["GET", "POST"])
    def sign_up() -> Any:
        form = Account()
        if form.validate_on_submit():
            if db.session.query(User).filter_by(name=form.name.data).first():
                return page("Taken", form=form, status=409)
            # One round of hashing: this does not test hashing.
            hashed = generate_password_hash(form.password.data, "pbkdf2:sha256:1")
            db.session.add(User(name=form.name.data, password_hash=hashed))
            db.session.commit()
            flash("welcome")
            return redirect(url_for("accounts.sign_in"))
        return page("Sign up", form=form)

    @accounts.route("/sign-in", methods=["GET", "POST"])
    def sign_in() -> Any:
        form = Account()
        if form.validate_on_submit():
            user = db.session.query(User).filter_by(name=form.name.data).first()
            if user and check_password_hash(user.password_hash, form.password.data):
                login_user(user)
                return redirect(request.args.get("next") or url_for("shop.home"))
            return page("Wrong name or password", form=form, status=401)
        return page("Sign in", form=form)

    @accounts.post("/sign-out")
    @login_required  # type: ignore[untyped-decorator]
    def sign_out() -> Any:
        logout_user()
        return redirect(url_for("shop.home"))

    @accounts.get("/me")
    @login_required  # type: ignore[untyped-decorator]
    def me() -> Any:
        return page("Me", [current_user.name])

    shop = Blueprint("shop", __name__)

    @shop.get("/")
    def home() -> Any:
        return page("Shop", [product.name for product in db.session.query(Product)])

    @shop.get("/search")
    def search() -> Any:
        wanted = request.args.get("q", "")
        found = db.session.query(Product).filter(Product.name.contains(wanted, autoescape=True))
        return page(f"Results for {wanted}", [product.name for product in found])

    @shop.route("/product/<int:number>", methods=["GET", "POST"])
    def product(number: int) -> Any:
        found = db.session.get(Product, number) or abort(404)
        form = Review()
        if form.validate_on_submit():
            if not current_user.is_authenticated:
                return logins.unauthorized()
            opinion = Opinion(product_id=number, author=current_user.name)
            opinion.title, opinion.text = form.title.data, form.text.data
            db.session.add(opinion)
            db.session.commit()
            return redirect(url_for("shop.product", number=number))
        opinions = db.session.query(Opinion).filter_by(product_id=number)
        told = [f"{one.title} / {one.text} / {one.author}" for one in opinions]
        return page(found.name, [found.description, *told], form)

    @shop.post("/basket/<int:number>")
    def put_into_basket(number: int) -> Any:
        session["basket"] = [*session.get("basket", []), number]
        return redirect(url_for("shop.basket"))

    @shop.get("/basket")
    def basket() -> Any:
        return page("Basket", session.get("basket", []))

    pictures = Blueprint("pictures", __name__, url_prefix="/pictures")

    @pictures.route("/new", methods=["GET", "POST"])
    @login_required  # type: ignore[untyped-decorator]
    def upload() -> Any:
        form = Picture()
        if form.validate_on_submit():
            name = f"{len(list(app.config['UPLOADS'].iterdir()))}"
            form.file.data.save(app.config["UPLOADS"] / name)
            return redirect(url_for("pictures.show", name=name))
        return page("Upload", form=form)

    @pictures.get("/<name>")
    def show(name: str) -> Any:
        content = (app.config["UPLOADS"] / name).read_bytes()
        return send_file(BytesIO(content), "application/octet-stream")

    api = Blueprint("api", __name__, url_prefix="/api")
    csrf.exempt(api)

    @api.route("/products", methods=["GET", "POST"])
    def products() -> Any:
        if request.method == "POST":
            made = Product(**request.get_json())
            db.session.add(made)
            db.session.commit()
            return jsonify(id=made.id), 201
        return jsonify([one.name for one in db.session.query(Product)])

    @api.route("/products/<int:number>", methods=["GET", "PATCH", "DELETE"])
    def one_product(number: int) -> Any:
        found = db.session.get(Product, number) or abort(404)
        if request.method == "DELETE":
            db.session.delete(found)
        else:
            for name, value in (request.get_json(silent=True) or {}).items():
                setattr(found, name, value)
        db.session.commit()
        if request.method == "DELETE":
            return "", 204
        return jsonify(name=found.name, description=found.description, cents=found.cents)

    @api.put("/notes/<name>")
    def note(name: str) -> Any:
        return jsonify(name=name, text=request.get_data(as_text=True))

    class Guarded(ModelView):  # type: ignore[misc]
        def is_accessible(self) -> bool:
            return bool(current_user.is_authenticated and current_user.name == "admin")

        def inaccessible_callback(self, name: str, **options: Any) -> Any:
            return redirect(url_for("accounts.sign_in", next=request.url))

    class Products(Guarded):
        column_searchable_list = ("name", "description")

    class Users(Guarded):
        column_exclude_list = ("password_hash",)  # salted by chance

    admin = Admin(app, name="Shop")
    admin.add_view(Products(Product, db))
    admin.add_view(Users(User, db))
    for blueprint in (accounts, shop, pictures, api):
        app.register_blueprint(blueprint)
    with app.app_context():
        db.create_all()
    return app
