"""What a finished run tells its user: figures, the verdict, the model's place."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import tensorflow_model_analysis as tfma
from tfx.types import Artifact
from tfx.types.standard_artifacts import Examples

from tfx_pipeline import rows
from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.evaluation import COUNT, REPORTED
from tfx_pipeline.pusher import newest_version
from tfx_pipeline.store import STORE, connect, last_outputs
from uvcan_tf import features as names

_CANDIDATE = "candidate"


@dataclasses.dataclass(frozen=True)
class Report:
    """The Evaluator's figures and what became of the model.

    Attributes:
      slices: by slice ("overall" first), the mean of each metric and the row count.
      blessed: whether the model may be pushed.
      reasons: one sentence for each threshold that was missed.
      pushed: the newest version in the serving folder, if there is one.
    """

    slices: dict[str, dict[str, float]]
    blessed: bool
    reasons: tuple[str, ...]
    pushed: Path | None = None


def read(config: PipelineConfig) -> Report:
    """Reads the last run's evaluation and checks that no row of it was lost.

    Raises:
      RowCountError: the Evaluator saw other rows than ExampleGen wrote.
    """
    store = connect(str(Path(config.root) / STORE))
    (examples,) = last_outputs(store, "FileBasedExampleGen")
    by_type = {a.type: a for a in last_outputs(store, "Evaluator")}
    artifact = Examples()
    artifact.set_mlmd_artifact(examples)
    found = of_evaluation(artifact, by_type["ModelEvaluation"].uri)
    return dataclasses.replace(found, pushed=newest_version(Path(config.serving)))


def of_evaluation(examples: Artifact, folder: str) -> Report:
    """The figures and the verdict of one evaluation of the examples.

    Raises:
      RowCountError: the Evaluator saw other rows than ExampleGen wrote.
    """
    slices = _slices(folder)
    expected = {names.EVAL: rows.recorded(examples)[names.EVAL]}
    rows.check("Evaluator", expected, {names.EVAL: int(slices["overall"][COUNT])})
    verdict = tfma.load_validation_result(folder)
    return Report(slices, verdict.validation_ok, tuple(_reasons(verdict)))


def _slices(folder: str) -> dict[str, dict[str, float]]:
    result = {}
    for metrics in tfma.load_metrics(folder):
        keys = metrics.slice_key.single_slice_keys
        key = ", ".join(f"{k.column}={k.bytes_value.decode()}" for k in keys)
        result[key or "overall"] = {
            value.key.name: value.value.double_value.value
            for value in metrics.metric_keys_and_values
            if value.key.model_name in ("", _CANDIDATE) and not value.key.is_diff
            if value.key.name in (*REPORTED, COUNT)
        }
    overall = {"overall": result.pop("overall")}
    return {**overall, **dict(sorted(result.items()))}


def _reasons(verdict: Any) -> list[str]:
    """Each missed threshold, in words."""
    sentences = []
    for validation in verdict.metric_validations_per_slice:
        for failure in validation.failures:
            key, value = failure.metric_key, failure.metric_value.double_value.value
            threshold = failure.metric_threshold
            if key.is_diff:
                fall = -threshold.change_threshold.absolute.value
                sentences.append(
                    f"{key.name} should not be more than {fall:g} below the last "
                    f"blessed model's. Received: a change of {value:+.4f}."
                )
            else:
                least = threshold.value_threshold.lower_bound.value
                sentences.append(
                    f"{key.name} should be at least {least:g}. Received: {value:.4f}."
                )
    return sentences
