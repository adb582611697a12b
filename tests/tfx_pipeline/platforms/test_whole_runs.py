"""Every command of a compiled file, as a process, to a pushed model: minutes.

Kubeflow's runs begin warm, Vertex AI's with random weights.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.tfx_pipeline import kubeflow_driver
from tests.tfx_pipeline.kubeflow_driver import Cluster
from tests.tfx_pipeline.small_runs import SETTINGS
from tests.tfx_pipeline.worlds import FEATURES, write_world
from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.platforms.compile import NEVER_REUSED, compile_pipeline
from tfx_pipeline.platforms.settings import KUBEFLOW, PLATFORMS, VERTEX, PlatformConfig
from uvcan_tf import config as settings
from uvcan_tf import features as names

pytestmark = pytest.mark.kubeflow

SUFFIX = {KUBEFLOW: "yaml", VERTEX: "json"}


IN_TIME = {**SETTINGS, "evaluation": {**SETTINGS["evaluation"], "split": "last"}}


def _cluster(folder: Path, platform: str) -> Cluster:
    pipeline = PipelineConfig(
        data="gs://bucket/data",
        root="gs://bucket/root",
        features=FEATURES,
        config=settings.from_json(IN_TIME),
        min_hit_rate=0.3,
        warm_start=platform == KUBEFLOW,
    )
    file = folder / f"pipeline.{SUFFIX[platform]}"
    compile_pipeline(pipeline, file, PlatformConfig(platform=platform))
    if platform == VERTEX:
        specification = kubeflow_driver.load_vertex(file)
        return Cluster(folder / "cluster", specification, kubeflow=False)
    return Cluster(folder / "cluster", kubeflow_driver.load_kubeflow(file)[0])


def _metrics(run: kubeflow_driver.Run) -> Any:
    return run.outputs["Verdict"]["artifacts"]["metrics"]["metadata"]


def _baseline(run: kubeflow_driver.Run) -> Any:
    return run.outputs["LastBlessedModel"]["artifacts"]["model"]["metadata"]


def _write_tables(folder: Path) -> Path:
    """The tiny world with times; returns the table of interactions."""
    write_world(folder)
    table = folder / "interactions.parquet"
    rows = pq.read_table(table)
    times = np.random.default_rng(7).integers(1_700_000_000, 1_700_100_000, len(rows))
    pq.write_table(rows.append_column(names.TIMESTAMP, pa.array(times)), table)
    return table


def _start(cluster: Cluster, run: kubeflow_driver.Run) -> Any:
    """What the model card says that training began with."""
    model = run.outputs["Trainer"]["artifacts"]["model"]["uri"]
    card = cluster.local(f"{model}/Format-Serving/assets.extra/model_card.json")
    return json.loads(card.read_text())["training"].get("start")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_step_of_three_runs(tmp_path: Path, platform: str) -> None:
    table = _write_tables(tmp_path / "data")
    cluster = _cluster(tmp_path, platform)
    given: dict[str, Any] = {
        "data": str(tmp_path / "data"),
        "root": str(tmp_path / "root"),
    }
    serving = tmp_path / "root" / "serving" / "uvcan"

    first = cluster.run(**given)
    assert first.reused == []
    assert _metrics(first)["blessed"] == 1
    assert _baseline(first)["absent"] == 1
    assert len(list(serving.iterdir())) == 1
    assert _start(cluster, first) is None

    second = cluster.run(**given, epochs=5)
    again = {*NEVER_REUSED, "Trainer", "Evaluator", "Verdict"}
    assert set(second.ran) == again
    assert _baseline(second)["absent"] == 0
    assert _start(cluster, second) is None
    assert len(list(serving.iterdir())) == (2 if _metrics(second)["blessed"] else 1)

    pq.write_table(pq.read_table(table).slice(5), table)
    third = cluster.run(**given, min_hit_rate=1.0, tolerance=0.0)
    assert "ExampleGen" in third.ran
    if platform == KUBEFLOW:
        known = "which knows 48 of the 48 users and 90 of the 90 videos."
        assert known in _start(cluster, third)
    page = third.outputs["Verdict"]["artifacts"]["verdict"]["uri"]
    assert cluster.local(page).read_text().startswith("# ")
