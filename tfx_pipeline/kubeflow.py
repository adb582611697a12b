"""Compiles the pipeline for Kubeflow Pipelines v2."""

from __future__ import annotations

from pathlib import Path

from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import (
    KubeflowV2DagRunner,
    KubeflowV2DagRunnerConfig,
)

from tfx_pipeline import schema
from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.pipeline import create_pipeline
from uvcan_tf.config import ConfigError


def compile_pipeline(config: PipelineConfig, out: Path, image: str) -> Path:
    """Writes the pipeline's specification to `out`, its schemas beside it.

    Returns:
      The folder of the schemas; the pipeline imports its content from `config.schemas`.

    Raises:
      ConfigError: a component is switched on that Kubeflow cannot run.
    """
    if config.check_serving:
        raise ConfigError(
            "`check_serving` should be off: TFX's Kubeflow runner has no "
            "InfraValidator. Received: check_serving=True."
        )
    runner = KubeflowV2DagRunner(
        config=KubeflowV2DagRunnerConfig(default_image=image),
        output_dir=str(out.parent),
        output_filename=out.name,
    )
    runner.run(create_pipeline(config))
    schemas = out.parent / "schemas" / schema.fingerprint(config.features)
    schema.write_for_pipeline(config.features, schemas)
    return schemas.parent
