"""Everything that the page of one run tells, read from its root."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Final

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2 as pb2

from tfx_pipeline import lineage, model_card, report, timings
from tfx_pipeline.lineage import Step
from tfx_pipeline.page import statistics
from tfx_pipeline.page.examples import Example, kept_examples
from tfx_pipeline.report import Report
from tfx_pipeline.runs import FAILURE, RUNS
from tfx_pipeline.store import (
    EXAMPLE_GEN,
    STORE,
    connect,
    executions_of,
    outputs,
    pipeline_runs,
)
from tfx_pipeline.timings import Timing
from uvcan_tf.errors import ConfigError

_EXAMPLES: Final = "examples.json"


@dataclasses.dataclass(frozen=True)
class Content:
    """One run; what it did not come to is empty or None.

    Attributes:
      number: of the run. began: local time.
      failed: the nodes that failed.
      report: the Evaluator's figures and the verdict.
      baseline_model: the place of the model that it was compared with.
      training: the content of `training.json`.
      card: of the model.
      splits, anomalies: of the data.
      examples: recommendations with explanations.
      timings: of the components.
      steps: what the model depends on.
      reason: the sentence that a failed run ended with, as far as it is known.
    """

    number: int
    began: str
    failed: tuple[str, ...]
    report: Report | None
    baseline_model: str
    training: dict[str, Any] | None
    card: dict[str, Any] | None
    splits: list[statistics.Split]
    anomalies: list[str]
    examples: list[Example]
    timings: list[Timing]
    steps: list[Step]
    reason: str = ""


class RunReader:
    """Reads what one run of a root left behind.

    Args:
      root: of the pipeline.
      number: of the run; the last one when None.

    Raises:
      ConfigError: there is no such run.
    """

    def __init__(self, root: Path, number: int | None = None) -> None:
        self._root = root
        self._store = store_of(root)
        runs = pipeline_runs(self._store)
        self.number = len(runs) if number is None else number
        if not runs:
            raise ConfigError(
                f"--root {root} should be the root of a pipeline that ran. Received: a "
                f"{STORE} that knows of no run."
            )
        if not 1 <= self.number <= len(runs):
            raise ConfigError(
                f"--run should be a number from 1 to {len(runs)}, the runs that {root} "
                f"knows of. Received: {self.number}."
            )
        self._run = runs[self.number - 1]
        self._executions = executions_of(self._store, self._run)

    def content(self) -> Content:
        """All of it; the model is loaded for the examples."""
        model = self._folder("Trainer", "Model")
        whole = model / "Format-Serving" if model else None
        run = self._folder("Trainer", "ModelRun")
        validators = [n for n in self._executions if n.startswith("ExampleValidator")]
        folders = [self._folder(name, "ExampleAnomalies") for name in validators]
        seen = self._folder("StatisticsGen", "ExampleStatistics")
        return Content(
            number=self.number,
            began=self.began,
            failed=self.failed,
            report=self.report(),
            baseline_model=self._blessing("baseline_model"),
            training=_json(run / "training.json") if run else None,
            card=model_card.read(whole) if whole else None,
            splits=statistics.splits(seen) if seen else [],
            anomalies=statistics.anomalies([f for f in folders if f]),
            examples=kept_examples(whole, self._root / RUNS / _EXAMPLES)
            if whole and whole.is_dir()
            else [],
            timings=self.timings(),
            steps=self._steps(),
            reason=self._reason(),
        )

    @property
    def began(self) -> str:
        """Local time."""
        return self._run.name[:19].replace("T", " ")

    @property
    def failed(self) -> tuple[str, ...]:
        """The nodes that failed."""
        return tuple(
            node
            for node, execution in self._executions.items()
            if execution.last_known_state == pb2.Execution.FAILED
        )

    def report(self) -> Report | None:
        """The figures of the run, where it came to them."""
        data = self._executions.get(EXAMPLE_GEN)
        evaluator = self._executions.get("Evaluator")
        if data is None or evaluator is None or "Evaluator" in self.failed:
            return None
        return report.of_executions(self._store, data.id, evaluator.id, self.pushed)

    @property
    def pushed(self) -> Path | None:
        """The version that the run pushed."""
        for artifact in self._outputs("Pusher"):
            properties = artifact.custom_properties
            if properties["pushed"].int_value:
                return Path(properties["pushed_destination"].string_value)
        return None

    def timings(self) -> list[Timing]:
        """As the run wrote them; of other nodes ML Metadata's times, and no memory.

        A run writes none of a component that failed.
        """
        file = self._root / RUNS / str(self.number) / timings.FILE
        written = timings.read(file) if file.exists() else []
        names = {timing.component for timing in written}
        others = (n for n in self._executions if n not in names)
        return [
            *written,
            *(timings.of_execution(n, self._executions[n]) for n in others),
        ]

    def _reason(self) -> str:
        file = self._root / RUNS / str(self.number) / FAILURE
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def _steps(self) -> list[Step]:
        made = [*self._outputs("Pusher"), *self._outputs("Evaluator")]
        ids = [artifact.id for artifact in made]
        return lineage.of_artifacts(self._store, self._root, ids) if ids else []

    def _blessing(self, name: str) -> str:
        for artifact in self._outputs("Evaluator"):
            if artifact.type == "ModelBlessing":
                return str(artifact.custom_properties[name].string_value)
        return ""

    def _folder(self, node: str, kind: str) -> Path | None:
        for artifact in self._outputs(node):
            if artifact.type == kind:
                return Path(artifact.uri)
        return None

    def _outputs(self, node: str) -> list[pb2.Artifact]:
        execution = self._executions.get(node)
        return [] if execution is None else outputs(self._store, execution.id)


def store_of(root: Path) -> mlmd.MetadataStore:
    """The metadata of a root.

    Raises:
      ConfigError: nothing ran under the root yet, or the store is none.
    """
    if not (root / STORE).exists():
        raise ConfigError(
            f"--root {root} should be the root of a pipeline that ran. Received: a "
            f"folder without {STORE} in it."
        )
    try:
        return connect(str(root / STORE))
    except RuntimeError as error:
        reason = str(error).partition(" query:")[0]
        raise ConfigError(
            f"{root / STORE} should be the store of a pipeline that ran. Received: "
            f"{reason.rpartition(': ')[2]}."
        ) from None


def _json(file: Path) -> dict[str, Any] | None:
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
