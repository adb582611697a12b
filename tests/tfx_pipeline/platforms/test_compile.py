"""The compiled files are of the same graph, and what the platforms take."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import components
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import (
    KubeflowV2DagRunner,
    KubeflowV2DagRunnerConfig,
)
from tfx.types import Channel
from tfx.types.standard_artifacts import Model, ModelBlessing

from tests.tfx_pipeline import kubeflow_driver
from tests.tfx_pipeline.kubeflow_driver import Refused
from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.example_gen import example_gen
from tfx_pipeline.pipeline import Parts, create_pipeline
from tfx_pipeline.platforms.compile import NEVER_REUSED, compile_pipeline
from tfx_pipeline.platforms.settings import Machine, PlatformConfig
from uvcan_tf.config import Config, ConfigError, EvaluationConfig

pytestmark = pytest.mark.slow

ALWAYS = {
    *("TablesFingerprint", "ExampleGen", "StatisticsGen"),
    *(f"TableSchema-{n}" for n in ("interactions", "users", "videos", "union")),
    *(f"ExampleValidator-{n}" for n in ("interactions", "users", "videos")),
    *("AnomalyGate", "DriftGate", "Transform", "Trainer", "LastBlessedModel"),
    *("Evaluator", "Pusher", "Verdict"),
}
PIPELINE = PipelineConfig(data="/mnt/uvcan/tables", root="/mnt/uvcan/root")
IN_BUCKETS = PipelineConfig(data="gs://bucket/data", root="gs://bucket/root")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("compiled") / "pipeline.yaml"
    steps = PlatformConfig(
        image="registry/uvcan-tf",
        machines={"Trainer": Machine(cpus=7, memory_gb=11, gpus=1)},
        environment={"TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    compile_pipeline(PIPELINE, file, steps)
    return file


@pytest.fixture(scope="module")
def specification(file: Path) -> dict[str, Any]:
    return kubeflow_driver.load_kubeflow(file)[0]


def _tasks(specification: dict[str, Any]) -> dict[str, Any]:
    tasks: dict[str, Any] = specification["root"]["dag"]["tasks"]
    return tasks


def _container(specification: dict[str, Any], step: str) -> dict[str, Any]:
    executors = specification["deploymentSpec"]["executors"]
    found: dict[str, Any] = executors[f"{step}_executor"]["container"]
    return found


def test_the_specification_has_every_step(specification: dict[str, Any]) -> None:
    assert set(_tasks(specification)) == ALWAYS


def test_the_sdk_knows_the_parameters_with_their_defaults(file: Path) -> None:
    loaded = components.load_component_from_file(str(file))
    given = {name: i.default for name, i in loaded.component_spec.inputs.items()}
    assert given == {
        "data": "/mnt/uvcan/tables",
        "root": "/mnt/uvcan/root",
        "epochs": 30,
        "min_hit_rate": 0.05,
        "tolerance": 0.01,
        "drift": "stop",
    }


def test_transform_waits_for_both_gates(specification: dict[str, Any]) -> None:
    tasks = _tasks(specification)
    assert "DriftGate" in tasks["Transform"]["dependentTasks"]
    assert "AnomalyGate" in tasks["DriftGate"]["dependentTasks"]


def test_example_gen_has_the_fingerprint_of_the_tables_as_an_input(
    specification: dict[str, Any],
) -> None:
    given = _tasks(specification)["ExampleGen"]["inputs"]["parameters"]
    assert given["fingerprint"]["taskOutputParameter"] == {
        "producerTask": "TablesFingerprint",
        "outputParameterKey": "fingerprint",
    }


def test_steps_with_effects_elsewhere_are_never_reused(
    specification: dict[str, Any],
) -> None:
    reused = {n for n, t in _tasks(specification).items() if t["cachingOptions"]}
    assert reused == ALWAYS - set(NEVER_REUSED)


def test_no_setting_holds_the_address_that_a_run_may_change(
    specification: dict[str, Any],
) -> None:
    text = json.dumps([_tasks(specification), specification["deploymentSpec"]])
    assert "/mnt/uvcan" not in text


def test_a_step_has_its_machine_and_the_others_the_common_one(
    specification: dict[str, Any],
) -> None:
    assert _container(specification, "Trainer")["resources"] == {
        "cpuLimit": 7,
        "memoryLimit": 11,
        "accelerator": {"count": "1", "type": "nvidia.com/gpu"},
    }
    other = {"cpuLimit": 2.0, "memoryLimit": 8.0}
    assert _container(specification, "Pusher")["resources"] == other


def test_every_step_has_retries_and_environment(specification: dict[str, Any]) -> None:
    for name, task in _tasks(specification).items():
        assert task["retryPolicy"]["maxRetryCount"] == 2
        assert _container(specification, name)["env"] == [
            {"name": "TF_CPP_MIN_LOG_LEVEL", "value": "2"}
        ]


def test_the_volume_is_mounted_into_every_step(file: Path) -> None:
    specification, platform = kubeflow_driver.load_kubeflow(file)
    mounts = platform["kubernetes"]["deploymentSpec"]["executors"]
    assert set(mounts) == set(specification["deploymentSpec"]["executors"])
    expected = {"pvcMount": [{"constant": "uvcan", "mountPath": "/mnt/uvcan"}]}
    assert all(mount == expected for mount in mounts.values())


def test_without_a_volume_there_is_one_document(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    compile_pipeline(IN_BUCKETS, file, PlatformConfig(volume=""))
    assert len(list(yaml.safe_load_all(file.read_text()))) == 1


def test_switches_add_their_steps(tmp_path: Path) -> None:
    switched = PipelineConfig("gs://b/d", "gs://b/r", tune=True, bulk_infer=True)
    file = tmp_path / "pipeline.json"
    compile_pipeline(switched, file, PlatformConfig(platform="vertex"))
    specification = kubeflow_driver.load_vertex(file)
    assert set(_tasks(specification)) == ALWAYS | {"Tuner", "BulkInferrer"}
    job = json.loads(file.read_text())
    assert job["runtimeConfig"]["gcsOutputDirectory"] == "gs://b/r"


def test_a_warm_trainer_begins_with_the_model_of_a_step_that_is_reused(
    tmp_path: Path,
) -> None:
    """As long as the examples are the same, the Trainer can come from the cache."""
    held_out = Config(evaluation=EvaluationConfig(split="last"))
    warm = PipelineConfig("/mnt/d", "/mnt/r", config=held_out, warm_start=True)
    file = tmp_path / "pipeline.yaml"
    compile_pipeline(warm, file, PlatformConfig())
    tasks = _tasks(kubeflow_driver.load_kubeflow(file)[0])
    assert set(tasks) == ALWAYS | {"ModelToBeginWith"}
    begin, trainer = tasks["ModelToBeginWith"], tasks["Trainer"]
    assert begin["cachingOptions"] == {"enableCache": True}
    assert _producers(begin) == {"examples": "ExampleGen"}
    assert _producers(trainer)["base_model"] == "ModelToBeginWith"


def _producers(task: dict[str, Any]) -> dict[str, str]:
    """Which task makes each artifact that a task takes."""
    given = task["inputs"]["artifacts"]
    return {
        name: source["taskOutputArtifact"]["producerTask"]
        for name, source in given.items()
    }


def test_what_tfx_compiles_by_itself_is_refused(tmp_path: Path) -> None:
    """The walls that were there before: job, version, resolver, ExampleGen's cache."""
    local = Parts(lambda c: [example_gen(c)], _plain_resolver, _plain_resolver)
    pipeline = create_pipeline(IN_BUCKETS, local)
    KubeflowV2DagRunner(
        KubeflowV2DagRunnerConfig(default_image="uvcan-tf"), str(tmp_path), "job.json"
    ).run(pipeline)
    job = json.loads((tmp_path / "job.json").read_text())
    file = tmp_path / "pipeline.yaml"
    for change, reason in (
        ({}, "schemaVersion 2.0.0"),
        ({"schemaVersion": "2.1.0"}, "resolver executors not implemented"),
    ):
        file.write_text(yaml.safe_dump({**job["pipelineSpec"], **change}))
        with pytest.raises((Refused, ValueError), match=reason):
            kubeflow_driver.load_kubeflow(file)


def _plain_resolver(config: PipelineConfig, trainer: Any) -> Any:
    node = Resolver(
        strategy_class=LatestBlessedModelStrategy,
        model=Channel(type=Model),
        model_blessing=Channel(type=ModelBlessing),
    ).with_id("LatestBlessedModel")
    node.add_upstream_node(trainer)
    return node


@pytest.mark.parametrize(
    ("pipeline", "name", "steps", "sentence"),
    [
        (
            PipelineConfig("/d", "/r", check_serving=True),
            "p.yaml",
            PlatformConfig(),
            "`check_serving` should be off",
        ),
        (PIPELINE, "p.json", PlatformConfig(), "--out should end with .yaml or .yml"),
        (
            PIPELINE,
            "p.json",
            PlatformConfig(platform="vertex"),
            "`data` should start with gs://",
        ),
        (
            PipelineConfig("s3://bucket/tables", "/r"),
            "p.yaml",
            PlatformConfig(),
            "`data` should be a folder of a mounted volume, or start with gs://",
        ),
        (
            PIPELINE,
            "p.yaml",
            PlatformConfig(machines={"Trainor": Machine()}),
            "`machines` should name steps.*Received: Trainor",
        ),
    ],
)
def test_what_the_platform_cannot_run_is_one_sentence(
    tmp_path: Path,
    pipeline: PipelineConfig,
    name: str,
    steps: PlatformConfig,
    sentence: str,
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        compile_pipeline(pipeline, tmp_path / name, steps)
    assert not list(tmp_path.iterdir())
