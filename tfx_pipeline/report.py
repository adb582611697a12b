"""What a finished run tells its user: figures, the verdict, the model's place."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import ml_metadata as mlmd
import tensorflow_model_analysis as tfma
from tfx.types import Artifact
from tfx.types.standard_artifacts import Examples

from tfx_pipeline import rows, verdict
from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.evaluation import COUNT
from tfx_pipeline.pusher import newest_version
from tfx_pipeline.store import EXAMPLE_GEN, STORE, connect, last_execution, outputs
from tfx_pipeline.verdict import Slices
from uvcan_tf import features as names


@dataclasses.dataclass(frozen=True)
class Report:
    """The Evaluator's figures and what became of the model.

    Attributes:
      slices: by slice ("overall" first), the mean of each metric and the row count.
      blessed: whether the model may be pushed.
      reasons: one sentence for each threshold that was missed.
      pushed: the newest version in the serving folder, if there is one.
      baseline: the figures of the model that it was compared with; empty without one.
    """

    slices: Slices
    blessed: bool
    reasons: tuple[str, ...]
    pushed: Path | None = None
    baseline: Slices = dataclasses.field(default_factory=dict)


def read(config: PipelineConfig) -> Report:
    """Reads the last run's evaluation and checks that no row of it was lost.

    Raises:
      RowCountError: the Evaluator saw other rows than ExampleGen wrote.
    """
    store = connect(str(Path(config.root) / STORE))
    data, evaluator = (
        last_execution(store, node) for node in (EXAMPLE_GEN, "Evaluator")
    )
    assert data is not None and evaluator is not None
    pushed = newest_version(Path(config.serving))
    return of_executions(store, data.id, evaluator.id, pushed)


def of_executions(
    store: mlmd.MetadataStore, data: int, evaluator: int, pushed: Path | None
) -> Report:
    """The same of given executions of ExampleGen and of the Evaluator."""
    (examples,) = outputs(store, data)
    by_type = {a.type: a for a in outputs(store, evaluator)}
    artifact = Examples()
    artifact.set_mlmd_artifact(examples)
    found = of_evaluation(artifact, by_type["ModelEvaluation"].uri)
    return dataclasses.replace(found, pushed=pushed)


def of_evaluation(examples: Artifact, folder: str) -> Report:
    """The figures and the verdict of one evaluation of the examples.

    Raises:
      RowCountError: the Evaluator saw other rows than ExampleGen wrote.
    """
    slices = verdict.slices(folder)
    expected = {names.EVAL: rows.recorded(examples)[names.EVAL]}
    rows.check("Evaluator", expected, {names.EVAL: int(slices["overall"][COUNT])})
    found = tfma.load_validation_result(folder)
    return Report(
        slices=slices,
        blessed=found.validation_ok,
        reasons=tuple(verdict.reasons(found)),
        baseline=verdict.slices(folder, verdict.BASELINE),
    )
