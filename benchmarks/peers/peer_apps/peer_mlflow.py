"""An experiment tracker: mlflow's server, with its own client and artifacts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from peer_files import real_files

REQUIREMENTS = ("mlflow==3.1.4", "flask", "sqlalchemy<2.1")
SENDS_FILES = True

PARAMETERS = {
    "query": "SELECT * FROM train WHERE split = 'a'",
    "path": "../data/raw",
    "command": "python train.py --lr 0.1 && echo done",
    "template": "{{ m['role'] }}: {{ m['content'] }}",
    "layers": "[(64, 'relu'), (10, 'softmax')]",
    "expression": "x > 0 and y < 1 or z == 2",
    "formula": "lambda x: exec(x)",
}


def app(folder: Path) -> Any:
    """The tracking server with a file store."""
    os.environ.update(
        {
            "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder}/mlflow.db",
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(folder / "artifacts"),
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        }
    )
    from mlflow.server import app as tracking
    from mlflow.server.handlers import initialize_backend_stores

    initialize_backend_stores(f"sqlite:///{folder}/mlflow.db", None, "mlflow-artifacts:/")
    return tracking


def drive(url: str, folder: Path, step: Any) -> None:
    """Track a run as a notebook does."""
    import mlflow
    from mlflow.tracking import MlflowClient

    mlflow.set_tracking_uri(url)  # artifacts are stored through it
    client = MlflowClient(url)
    number = step("makes an experiment", lambda: client.create_experiment("churn (v2) & more"))
    made = step("begins a run", lambda: client.create_run(number))
    run = made.info.run_id if made else ""
    for name, value in PARAMETERS.items():
        step(f"logs {name}", lambda name=name, value=value: client.log_param(run, name, value))
        step(f"tags {name}", lambda name=name, value=value: client.set_tag(run, name, value))
    for index in range(20):
        step(
            f"measures {index}", lambda index=index: client.log_metric(run, "loss", 1 / (1 + index))
        )
    for kind, name, content in real_files(6):
        file = folder / name
        file.write_bytes(content)
        step(f"stores {kind} {name}", lambda file=file: client.log_artifact(run, str(file)))
    step("lists artifacts", lambda: client.list_artifacts(run))
    find = "params.query LIKE '%train%' and metrics.loss < 1"
    step("searches", lambda: client.search_runs([number], filter_string=find))
