"""One search for the pipeline's Tuner and for the tables, kept by keras_tuner.

keras_tuner and not Optuna: TFX's Tuner takes nothing else, and it brings what a search
needs besides the points: trials on disk, from which a killed search goes on. The points
are drawn in advance, the given settings first; so a search never chooses what is worse
on validation than the settings it was given.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras_tuner

from uvcan_tf.errors import TrainingError
from uvcan_tf.search_spaces import Values
from uvcan_tf.terminal.progress import Progress, Silent, progress
from uvcan_tf.training.fit import MONITOR
from uvcan_tf.training.validation import STOPS_BY_IN_WORDS

#: Fits with some values in an empty folder, or in that of the same fit that was killed.
#: Gives the validation NDCG@100 under the name `MONITOR`, and what else is to be kept.
Measure = Callable[[Values, Path], Mapping[str, float]]


class Best(NamedTuple):
    """The best trial of a search.

    Attributes:
      values: that were tried.
      metrics: what was measured, and the seconds that it took.
    """

    values: Values
    metrics: Mapping[str, float]


class Listed(keras_tuner.Oracle):
    """Gives out listed points in their order; of equal trials the first is the best.

    Args:
      points: distinct; the first is never chosen over unless another is better.
    """

    def __init__(self, points: Sequence[Values]) -> None:
        super().__init__(
            objective=keras_tuner.Objective(MONITOR, "max"), max_trials=len(points)
        )
        self._points = points

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        return {"status": "RUNNING", "values": dict(self._points[int(trial_id)])}

    def get_best_trials(self, num_trials: int = 1) -> list[Any]:
        trials = sorted(self.trials.values(), key=lambda trial: int(trial.trial_id))
        done = [trial for trial in trials if trial.score is not None]
        return sorted(done, key=lambda trial: -trial.score)[:num_trials]


class Search(keras_tuner.Tuner):
    """Measures listed points one after the other and says a line for each.

    Args:
      points: what to try; the first are the settings that were given.
      measure: what a trial does.
      folder: of the trials. Those that are there already are not made again.
      say: told one sentence for each trial.
      name: of what is tuned, for these sentences.
    """

    def __init__(
        self,
        points: Sequence[Values],
        measure: Measure,
        folder: Path,
        say: Callable[[str], None],
        name: str,
    ) -> None:
        with contextlib.redirect_stdout(io.StringIO()):  # it tells that it reloads
            super().__init__(
                oracle=Listed(points), directory=str(folder), project_name="trials"
            )
        self.oracle.verbose = 0
        self._points, self._measure, self._folder = points, measure, folder
        self._say, self._name = say, name
        self._error: Exception | None = None
        self._bar: Progress = Silent()

    def search(self, *arguments: Any, **named: Any) -> None:
        """Makes the trials that are left."""
        left = self.remaining_trials
        with progress(f"Tuning {self._name}", left) as self._bar:
            super().search(*arguments, **named)

    def run_trial(self, trial: Any, *arguments: Any, **named: Any) -> dict[str, float]:
        """A fit that fails for its settings' sake counts as 0."""
        folder = self._folder / f"fit-{int(trial.trial_id)}"
        folder.mkdir(parents=True, exist_ok=True)
        values, start = trial.hyperparameters.values, time.monotonic()
        try:
            metrics = {**self._measure(values, folder)}
            shown = f"{STOPS_BY_IN_WORDS} {metrics[MONITOR]:.4f}"
        except TrainingError as error:
            metrics, shown = {MONITOR: 0.0}, str(error)
        except Exception as error:
            self._error = error
            raise
        shutil.rmtree(folder)
        metrics["seconds"] = time.monotonic() - start
        number = f"[{int(trial.trial_id) + 1}/{len(self._points)}]"
        settings = _shown(values if int(trial.trial_id) else {})
        took = f"in {metrics['seconds']:.0f} s"
        self._say(f"{number} {self._name}, {settings}: {shown} {took}")
        return metrics

    def on_trial_end(self, trial: Any) -> None:
        """Goes on, unless the fault lies elsewhere than in the trial's settings."""
        if self._error is not None:
            raise self._error
        super().on_trial_end(trial)
        self._bar.advance()

    def search_space_summary(self, extended: bool = False) -> None:
        """Nothing: the points are said as they are tried."""

    def results_summary(self, num_trials: int = 10) -> None:
        """Says which settings the search has chosen."""
        (trial,) = self.oracle.get_best_trials()
        number = int(trial.trial_id)
        which = _shown(trial.hyperparameters.values) if number else "the given settings"
        self._say(f"{self._name}: the search keeps {which}.")

    def best(self) -> Best:
        """The trial that is chosen; the first, unless another one is better."""
        (trial,) = self.oracle.get_best_trials()
        metrics = {
            name: trial.metrics.get_best_value(name) for name in trial.metrics.metrics
        }
        return Best(trial.hyperparameters.values, metrics)


def _shown(values: Values) -> str:
    """The values as a person reads them."""
    return ", ".join(f"{k}={v}" for k, v in values.items()) or "the given settings"
