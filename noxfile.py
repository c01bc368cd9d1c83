"""The tests under every Python: ``nox``, or ``nox -s tests-3.13``. CI runs ``.ci/run`` alone."""

from __future__ import annotations

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["tests", "lint"]

PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.14t")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The whole suite; what follows ``--`` goes to pytest."""
    session.install("-e", ".[all]", *nox.project.dependency_groups(PROJECT, "dev"))
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python="3.11")
def lint(session: nox.Session) -> None:
    """Formatting and types."""
    session.install("-e", ".[all]", *nox.project.dependency_groups(PROJECT, "dev"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")


@nox.session(python="3.11")
def coverage(session: nox.Session) -> None:
    """Branches that the suite takes, as a report; it fails for none that it does not."""
    session.install("-e", ".[all]", *nox.project.dependency_groups(PROJECT, "dev"))
    session.run("coverage", "run", "-m", "pytest", "-n", "0", *session.posargs)
    session.run("coverage", "combine")
    session.run("coverage", "report")


PROJECT = nox.project.load_toml("pyproject.toml")
