"""Compiles the pipeline for Kubeflow Pipelines v2 and for Vertex AI."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Final

import yaml
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import (
    KubeflowV2DagRunner,
    KubeflowV2DagRunnerConfig,
)

from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.pipeline import Parts, create_pipeline
from tfx_pipeline.platforms import parameters
from tfx_pipeline.platforms.last_blessed import last_blessed, model_to_begin_with
from tfx_pipeline.platforms.settings import KUBEFLOW, VERTEX, PlatformConfig
from tfx_pipeline.platforms.tables import example_gen
from tfx_pipeline.platforms.verdict import verdict
from uvcan_tf.config import ConfigError

#: Steps that read or write something beside their artifacts, so that the same inputs
#: do not mean that nothing is to be done.
NEVER_REUSED: Final = ("TablesFingerprint", "LastBlessedModel", "DriftGate", "Pusher")

_PARTS: Final = Parts(
    data=example_gen,
    baseline=last_blessed,
    start=model_to_begin_with,
    closing=verdict,
)
_COMMAND: Final = ("python", "-m", "tfx_pipeline.platforms.step", "--platform")
_SUFFIXES: Final = {KUBEFLOW: (".yaml", ".yml"), VERTEX: (".json",)}
#: What TensorFlow reads without a plug-in.
_SCHEMES: Final = ("gs",)

Json = dict[str, Any]


def compile_pipeline(config: PipelineConfig, out: Path, steps: PlatformConfig) -> None:
    """Writes the pipeline for a platform.

    For Kubeflow: the specification in YAML, and a second document that mounts the
    volume. For Vertex: a pipeline job in JSON.

    Raises:
      ConfigError: something that the platform cannot run, or does not know.
    """
    _check(config, out, steps)
    job = _built(config, steps)
    job["runtimeConfig"]["gcsOutputDirectory"] = config.root
    specification = job["pipelineSpec"]
    _set_steps(specification, config, steps)
    if steps.platform == VERTEX:
        out.write_text(json.dumps(job, sort_keys=True), encoding="utf-8")
        return
    documents = [specification]
    if steps.volume:
        documents.append(_volumes(specification, steps))
    out.write_text(yaml.safe_dump_all(documents), encoding="utf-8")


def _check(config: PipelineConfig, out: Path, steps: PlatformConfig) -> None:
    if config.check_serving:
        raise ConfigError(
            "`check_serving` should be off: TFX's Kubeflow runner has no "
            "InfraValidator. Received: check_serving=True."
        )
    suffixes = _SUFFIXES[steps.platform]
    if out.suffix not in suffixes:
        raise ConfigError(
            f"--out should end with {' or '.join(suffixes)}, which {steps.platform} "
            f"reads. Received: {out}. Name the file so."
        )
    for name, address in (("data", config.data), ("root", config.root)):
        parameters.require_readable(name, address, _SCHEMES)
        if steps.platform == VERTEX and "://" not in address:
            raise ConfigError(
                f"`{name}` should start with gs://, because Vertex AI mounts no volume "
                f"of yours. Received: {name}={address!r}. Copy it to a bucket."
            )


def _built(config: PipelineConfig, steps: PlatformConfig) -> Json:
    """What TFX makes of the pipeline, with parameters in the place of their values."""
    with_tokens = dataclasses.replace(config, root=parameters.ROOT_TOKEN)
    pipeline = create_pipeline(with_tokens, _PARTS)
    parameters.attach(pipeline, config)
    known = {node.id for node in pipeline.components}
    unknown = sorted(set(steps.machines) - known)
    if unknown:
        raise ConfigError(
            f"`machines` should name steps of the pipeline: {', '.join(sorted(known))}."
            f" Received: {', '.join(unknown)}. Mend the name, or remove it."
        )
    runner = KubeflowV2DagRunner(
        KubeflowV2DagRunnerConfig(
            default_image=steps.image,
            default_commands=[*_COMMAND, steps.platform],
            use_pipeline_spec_2_1=True,
        )
    )
    job: Json = runner.run(pipeline, write_out=False)
    return job


def _set_steps(specification: Json, config: PipelineConfig, to: PlatformConfig) -> None:
    """Writes what TFX leaves out: defaults, machines, retries, environment, caching."""
    root = specification["root"]
    for name, value in parameters.defaults(config).items():
        root["inputDefinitions"]["parameters"][name]["defaultValue"] = value
    tasks = root["dag"]["tasks"]
    for name, task in tasks.items():
        if name in NEVER_REUSED:
            task["cachingOptions"] = {}
        if to.retries:
            task["retryPolicy"] = {
                "maxRetryCount": to.retries,
                "backoffDuration": "30s",
                "backoffFactor": 2.0,
            }
        for given in task.get("inputs", {}).get("parameters", {}).values():
            _name_producer(given, tasks)
        label = specification["components"][name]["executorLabel"]
        executor = specification["deploymentSpec"]["executors"][label]
        _set_container(executor["container"], name, to)


def _name_producer(given: Json, tasks: Json) -> None:
    """TFX calls the task that gives a parameter by a name that no task has."""
    produced = given.get("taskOutputParameter")
    if produced and produced["producerTask"] not in tasks:
        produced["producerTask"] = produced["producerTask"].removesuffix("_task")


def _set_container(container: Json, name: str, steps: PlatformConfig) -> None:
    machine = steps.machine_of(name)
    container["resources"] = {
        "cpuLimit": machine.cpus,
        "memoryLimit": machine.memory_gb,
    }
    if machine.gpus:
        accelerator = {"count": str(machine.gpus), "type": machine.gpu_type}
        container["resources"]["accelerator"] = accelerator
    container["env"] = [
        {"name": name, "value": value} for name, value in steps.environment.items()
    ]


def _volumes(specification: Json, steps: PlatformConfig) -> Json:
    """The second document: the claim is mounted into every step."""
    mount = {"constant": steps.volume, "mountPath": steps.mount}
    executors = specification["deploymentSpec"]["executors"]
    mounted = {label: {"pvcMount": [dict(mount)]} for label in executors}
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": mounted}}}}
