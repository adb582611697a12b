"""A method of the comparison: a name, a search space, and how it is fitted."""

from __future__ import annotations

import abc
import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from uvcan_tf.config import Config, EvaluationConfig, TrainingConfig
from uvcan_tf.data.dataset import NO_PAIRS, Dataset
from uvcan_tf.evaluation.scorers import Scorer, ranked
from uvcan_tf.model.pair_model import PairModel
from uvcan_tf.search_spaces import Space, Values, tuned
from uvcan_tf.training.fit import MONITOR, fit

#: Settings of a neural method's training that its surroundings give.
_BOUNDS: Final = ("epochs", "validation_users", "batch_size")


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
      evaluation: says whether skipped impressions rank last.
      say: told one sentence at a time.
    """

    folder: Path
    seed: int = 1
    evaluation: EvaluationConfig = EvaluationConfig()
    epochs: int = 30
    time_limit_s: float = 86_400.0
    validation_users: int = 500
    batch_size: int = TrainingConfig().batch_size
    say: Callable[[str], None] = lambda sentence: None


class Fitted(NamedTuple):
    """A scorer, and its model, if any."""

    scorer: Scorer
    model: PairModel | None = None


@dataclasses.dataclass(frozen=True)
class Method(abc.ABC):
    """One row of a table.

    Args:
      name: as the table shows it.
      space: what its search draws from.
      random: whether the seed changes its scores.
      knows_impressions: whether it learns from impressions; those that were skipped
        then rank last, unless the evaluation says otherwise.
      build: makes a scorer, or a model; see the subclasses.
      over: the methods on which this one is built: their settings are chosen first, and
        stay in all trials of this one, but for those that its own space has.
    """

    name: str
    space: Space
    build: Callable[..., Any]
    random: bool = True
    knows_impressions: bool = False
    over: tuple[Method, ...] = ()

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

    @abc.abstractmethod
    def key(self, values: Values, run: Run) -> Mapping[str, Any]:
        """Everything but the data that decides what a fit gives."""

    def based_on(self, values: Values) -> Values:
        """The settings that were chosen for `over`, as this method's own."""
        return values

    def own(self, values: Values) -> Values:
        """The settings that are not those of `over`."""
        return {k: v for k, v in values.items() if k in self.space}

    def settled(self, values: Values, run: Run) -> Values:
        """The settings with which the method is fitted anew on all pairs."""
        return values

    def kept(self, values: Values) -> Values:
        """The settings of a file, whatever the command says that reads it."""
        return values

    def _known(self, dataset: Dataset, run: Run) -> Dataset:
        """The dataset, with impressions only where the method may know of them."""
        if self.knows_impressions or self._skipped_last(run):
            return dataset
        return dataclasses.replace(dataset, impressions=NO_PAIRS)

    def _skipped_last(self, run: Run) -> bool:
        return run.evaluation.ranks_skipped_impressions_last(self.knows_impressions)


class Classical(Method):
    """A method that is fitted in one go: `build(dataset, values, seed)` scores."""

    def fit(self, dataset: Dataset, values: Values, run: Run) -> Fitted:
        known = self._known(dataset, run)
        scorer = self.build(known, values, run.seed)
        return Fitted(ranked(scorer, dataset, self._skipped_last(run)))

    def key(self, values: Values, run: Run) -> Mapping[str, Any]:
        return {**values, "seed": run.seed if self.random else 0}


@dataclasses.dataclass(frozen=True)
class Neural(Method):
    """A pair model: `build(dataset, config)` makes it.

    Every fit sets pairs of some users apart, and stops early.

    Args:
      config: the defaults, with sections `model` and `training`.
      part: this method's name, `section.setting`, of each setting that is chosen for
        `over`; those without a name are left to this method.
    """

    config: Any = Config()
    part: Mapping[str, str] = MappingProxyType({})

    def fit(self, dataset: Dataset, values: Values, run: Run) -> Fitted:
        own = self._config(values, run)

        def build(part: Dataset, _: Config) -> PairModel:
            return self.build(self._known(part, run), own)

        config = own
        if not isinstance(own, Config):
            config = Config(training=own.training, evaluation=self._evaluation(run))
        model = fit(dataset, config, run.folder, run.say, build)
        return Fitted(ranked(model.scorer(), dataset, self._skipped_last(run)), model)

    def key(self, values: Values, run: Run) -> Mapping[str, Any]:
        return {"monitor": MONITOR, **dataclasses.asdict(self._config(values, run))}

    def based_on(self, values: Values) -> Values:
        return {
            self.part[name]: value
            for name, value in values.items()
            if name in self.part
        }

    def own(self, values: Values) -> Values:
        of_parts = set(self.part.values()) - set(self.space)
        return {k: v for k, v in values.items() if k not in of_parts}

    def settled(self, values: Values, run: Run) -> Values:
        """With all that bounds a fit, but no time limit.

        That of a trial would let the machine's speed decide what is published.
        """
        training = self._config(values, run).training
        bounds = {f"training.{name}": getattr(training, name) for name in _BOUNDS}
        return {
            **values,
            **bounds,
            "training.time_limit_s": TrainingConfig().time_limit_s,
        }

    def kept(self, values: Values) -> Values:
        """Older files leave out the default batch size, and fix the epochs."""
        values = {"training.batch_size": TrainingConfig().batch_size, **values}
        if values.pop("training.validation_fraction", None) is not None:
            values.pop("training.epochs", None)
        return values

    def _config(self, values: Values, run: Run) -> Any:
        config, names = self.config, [*_BOUNDS, "time_limit_s"]
        seeds = {"training.seed": run.seed}
        if config.training.batch_size != TrainingConfig().batch_size:
            names.remove("batch_size")  # a preset that names its own keeps it
        if isinstance(config, Config):
            config = dataclasses.replace(config, evaluation=self._evaluation(run))
            if config.prior is not None:
                seeds["prior.seed"] = run.seed
        limits = {f"training.{name}": getattr(run, name) for name in names}
        return tuned(config, {**limits, **values, **seeds})

    def _evaluation(self, run: Run) -> EvaluationConfig:
        last = self._skipped_last(run)
        return dataclasses.replace(run.evaluation, skipped_impressions_last=last)
