"""Tuner's entry point. TFX reloads this module, so it holds functions only."""

from __future__ import annotations

import json
from pathlib import Path

from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from tfx_pipeline import runs
from tfx_pipeline.addresses import is_local
from tfx_pipeline.config import CHECKPOINTS_KEY, TRIALS
from tfx_pipeline.trainer import data, load, say
from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.errors import TrainingError
from uvcan_tf.evaluation.ranking import FULL, rank_pairs
from uvcan_tf.evaluation.scorers import ranked
from uvcan_tf.factorization.ials import IALS
from uvcan_tf.search import Search
from uvcan_tf.search_spaces import (
    Space,
    Values,
    draws,
    given,
    of_network,
    of_prior,
    tuned,
)
from uvcan_tf.training.fit import MONITOR, fit
from uvcan_tf.training.validation import decisive, held_out


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Searches on the same training pairs as the Trainer will see."""
    features, config = load(fn_args)
    dataset = data(fn_args, features)
    checkpoints = fn_args.custom_config[CHECKPOINTS_KEY]
    root = Path(checkpoints).parent if is_local(checkpoints) else None
    tuner = search(dataset, config, Path(fn_args.working_dir), root)
    return TunerFnResult(tuner, {})


def search(
    dataset: Dataset, config: Config, folder: Path, root: Path | None = None
) -> Search:
    """The search of the experiments, from the given config on, one fit a trial.

    A prior is searched before it, alone: a trial of it takes seconds.

    Args:
      dataset: set apart from it are the pairs by which trials are compared.
      config: the first trial.
      folder: of the search, in which it can be taken up again.
      root: of the pipeline, where TensorBoard's files of the trials are kept.

    Raises:
      TrainingError: there are no validation pairs to compare trials by.
    """
    training = config.training
    part = dataset.hold_out_validation(
        training.validation_fraction, training.seed, config.evaluation
    )
    if not len(part.test):
        raise TrainingError(
            "A search should have validation pairs to compare trials by. Received: "
            "none; raise `training.validation_fraction`, or add likes."
        )
    chosen = {} if config.prior is None else _prior(dataset, config, folder / "prior")
    points = ({**point, **chosen} for point in _points(config, of_network(config)))

    def measure(values: Values, run: Path) -> dict[str, float]:
        number = 1 + int(run.name.rpartition("-")[2])
        logs = None if root is None else runs.trial_logs(root, number)
        fit(dataset, tuned(config, values), run, logs=logs)
        content = json.loads((run / "training.json").read_text(encoding="utf-8"))
        return {MONITOR: content[MONITOR]}

    return Search(list(points), measure, folder, say, "UVCAN")


def _prior(dataset: Dataset, config: Config, folder: Path) -> Values:
    """The settings with which a prior alone ranks the validation pairs best."""
    part = held_out(dataset, config)
    last = config.ranks_skipped_impressions_last

    def measure(values: Values, run: Path) -> dict[str, float]:
        settings = tuned(config, values).prior
        assert settings is not None
        scorer = ranked(IALS(part, settings), part, last)
        ranks = rank_pairs(scorer, part, config.evaluation, (FULL,))
        return {MONITOR: decisive(ranks)}

    points = _points(config, of_prior(config))
    search = Search(points, measure, folder, say, "The prior")
    search.search()
    return search.best().values


def _points(config: Config, space: Space) -> list[Values]:
    """The config's own settings, and then those that are drawn."""
    first = given(config, space)
    others = (point for point in draws(space, TRIALS, "UVCAN")[1:] if point != first)
    return [first, *others]
