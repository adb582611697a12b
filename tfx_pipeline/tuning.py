"""The search over the space that the experiments use, too, one fit a trial."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras_tuner

from tfx_pipeline.config import TRIALS
from uvcan_tf import search_spaces as spaces
from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.search_spaces import tuned
from uvcan_tf.training.fit import MONITOR, fit


class GridTuner(keras_tuner.Tuner):
    """Fits a model at each drawn point and keeps its best validation NDCG@10."""

    def __init__(self, config: Config, folder: Path) -> None:
        oracle = keras_tuner.oracles.RandomSearchOracle(
            objective=keras_tuner.Objective(MONITOR, "max"),
            max_trials=TRIALS,
            seed=config.training.seed,
            hyperparameters=search_space(config),
        )
        super().__init__(oracle=oracle, directory=str(folder), project_name="trials")
        self._config, self._folder = config, folder

    def run_trial(
        self, trial: Any, dataset: Dataset, **kwargs: Any
    ) -> dict[str, float]:
        """Trains with the trial's values; keras_tuner keeps the result."""
        folder = self._folder / f"fit-{trial.trial_id}"
        folder.mkdir(parents=True, exist_ok=True)
        fit(dataset, tuned(self._config, trial.hyperparameters.values), folder)
        content = json.loads((folder / "training.json").read_text(encoding="utf-8"))
        return {MONITOR: content[MONITOR]}


def search_space(config: Config) -> keras_tuner.HyperParameters:
    """The space as keras_tuner's choices, named `section.setting`."""
    space = keras_tuner.HyperParameters()
    of_network = spaces.NEURAL if config.prior is None else spaces.BEST
    for name, values in of_network.items():
        space.Choice(name, list(values))
    return space
