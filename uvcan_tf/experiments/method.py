"""A method of the comparison: a name, a search space, and how it is fitted."""

from __future__ import annotations

import abc
import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from uvcan_tf.config import Config, EvaluationConfig, TrainingConfig
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.evaluation.scorers import Scorer
from uvcan_tf.model.pair_model import PairModel
from uvcan_tf.search_spaces import Space, Values, tuned
from uvcan_tf.training.fit import fit


@dataclasses.dataclass(frozen=True)
class Run:
    """What surrounds a fit and is no setting of the method.

    Args:
      folder: for checkpoints; a fit that was killed goes on from there.
      seed: of everything random.
      epochs: of a neural method, at most.
      time_limit_s: a neural method begins no epoch after so many seconds.
      validation_users: so many are scored after an epoch.
      batch_size: of a neural method, in observed pairs; part of what is settled.
      say: told one sentence at a time.
    """

    folder: Path
    seed: int = 1
    epochs: int = 30
    time_limit_s: float = 86_400.0
    validation_users: int = 500
    batch_size: int = TrainingConfig().batch_size
    say: Callable[[str], None] = lambda sentence: None


class Fitted(NamedTuple):
    """A scorer, and the settings with which it is fitted anew on all pairs."""

    scorer: Scorer
    values: Values


@dataclasses.dataclass(frozen=True)
class Method(abc.ABC):
    """One row of a table.

    Args:
      name: as the table shows it.
      space: what its search draws from.
      random: whether the seed changes its scores.
      build: makes a scorer, or a model; see the subclasses.
    """

    name: str
    space: Space
    build: Callable[..., Any]
    random: bool = True

    @property
    def slug(self) -> str:
        """The name as a file's.

        >>> Classical("UVCAN (paper)", {}, list).slug
        'uvcan-paper'
        """
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    @abc.abstractmethod
    def fit(self, dataset: Dataset, values: Values, run: Run) -> Fitted:
        """Fits to the training pairs; `values` replace defaults."""


class Classical(Method):
    """A method that is fitted in one go: `build(dataset, values, seed)` scores."""

    def fit(self, dataset: Dataset, values: Values, run: Run) -> Fitted:
        return Fitted(self.build(dataset, values, run.seed), values)


@dataclasses.dataclass(frozen=True)
class Neural(Method):
    """A pair model: `build(dataset, config)` makes it.

    Without a number of epochs among the values it sets pairs apart and stops early;
    the epoch it kept then belongs to the settings, and the next fit, on all pairs,
    takes just as many.

    Args:
      config: the defaults, with sections `model` and `training`.
    """

    config: Any = Config()

    def fit(self, dataset: Dataset, values: Values, run: Run) -> Fitted:
        own = tuned(self.config, {**_limits(run), **values, "training.seed": run.seed})
        training: TrainingConfig = own.training

        def build(part: Dataset, _: Config) -> PairModel:
            return self.build(part, own)

        model = fit(
            dataset,
            Config(training=training, evaluation=EvaluationConfig()),
            run.folder,
            run.say,
            build,
        )
        content = json.loads((run.folder / "training.json").read_text("utf-8"))
        settled = {
            "training.epochs": content["best_epoch"],
            "training.validation_fraction": 0.0,
            "training.time_limit_s": TrainingConfig().time_limit_s,
        }
        if training.batch_size != TrainingConfig().batch_size:
            settled["training.batch_size"] = training.batch_size
        return Fitted(model.scorer(), {**values, **settled})


def without_epochs(values: Values) -> dict[str, Any]:
    """The settings without those that stopping early has found.

    The time limit stays the one they were settled with, which is none: that of a trial
    would let the machine's speed decide what is published.
    """
    found = ("epochs", "validation_fraction")
    return {
        k: v for k, v in values.items() if k not in {f"training.{n}" for n in found}
    }


def _limits(run: Run) -> dict[str, Any]:
    names = ("epochs", "time_limit_s", "validation_users", "batch_size")
    return {f"training.{name}": getattr(run, name) for name in names}
