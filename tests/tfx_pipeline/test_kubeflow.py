"""The Kubeflow specification is of the very same graph."""

import json
from pathlib import Path

import pytest

from tfx_pipeline import kubeflow
from tfx_pipeline.config import PipelineConfig
from uvcan_tf.config import ConfigError

pytestmark = pytest.mark.slow

ALWAYS = {
    "FileBasedExampleGen",
    "StatisticsGen",
    *(f"ImportSchemaGen.{n}" for n in ("interactions", "users", "videos", "union")),
    *(f"ExampleValidator.{n}" for n in ("interactions", "users", "videos")),
    "AnomalyGate",
    "DriftGate",
    "Transform",
    "Trainer",
    "LatestBlessedModel-model-resolver",
    "LatestBlessedModel-model-blessing-resolver",
    "Evaluator",
    "Pusher",
}


def _tasks(folder: Path, **switches: bool) -> set[str]:
    config = PipelineConfig(
        data="gs://bucket/data", root="gs://bucket/root", **switches
    )
    kubeflow.compile_pipeline(config, folder / "pipeline.json", "registry/uvcan-tf")
    content = json.loads((folder / "pipeline.json").read_text())
    return set(content["pipelineSpec"]["root"]["dag"]["tasks"])


def test_the_specification_has_every_component(tmp_path: Path) -> None:
    assert _tasks(tmp_path) == ALWAYS


def test_switches_add_their_components(tmp_path: Path) -> None:
    switched = _tasks(tmp_path, tune=True, bulk_infer=True)
    assert switched == ALWAYS | {"Tuner", "BulkInferrer"}


def test_transform_waits_for_both_gates(tmp_path: Path) -> None:
    _tasks(tmp_path)
    content = json.loads((tmp_path / "pipeline.json").read_text())
    tasks = content["pipelineSpec"]["root"]["dag"]["tasks"]
    assert "DriftGate" in tasks["Transform"]["dependentTasks"]
    assert "AnomalyGate" in tasks["DriftGate"]["dependentTasks"]


def test_the_schemas_lie_beside_the_specification(tmp_path: Path) -> None:
    _tasks(tmp_path)
    (folder,) = (tmp_path / "schemas").iterdir()
    assert {path.stem for path in folder.iterdir()} == {
        *("interactions", "users", "videos", "union")
    }


def test_a_model_server_in_docker_cannot_be_compiled(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="check_serving"):
        _tasks(tmp_path, check_serving=True)
