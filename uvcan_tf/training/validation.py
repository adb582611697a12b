"""How good a model is after an epoch: its validation pairs, ranked.

Shapes: B users, V videos.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final, NamedTuple

import numpy as np

from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset, Pairs
from uvcan_tf.evaluation.ranking import FULL, Ranks, rank_pairs
from uvcan_tf.evaluation.scorers import ModelScorer, ranked
from uvcan_tf.model.pair_model import PairModel

#: k of the NDCG@k that decides between epochs, and between a search's trials. NDCG@10
#: sees a tenth of a few hundred pairs, and is mostly noise of these: NDCG@100 tells two
#: models apart as surely as NDCG@10 does with three times the pairs (docs/results.md).
STOPS_BY: Final = 100
STOPS_BY_IN_WORDS: Final = f"validation NDCG@{STOPS_BY}"
#: A prior is weighed by the pairs of so many times as many users as stop its network.
WEIGHING_USERS: Final = 4


def held_out(dataset: Dataset, config: Config) -> Dataset:
    """Training pairs with some of them as the test set: the validation pairs."""
    training = config.training
    users = training.validation_users
    if config.prior is not None:
        users *= 1 + WEIGHING_USERS
    return dataset.hold_out_validation(
        training.validation_fraction, training.seed, config.evaluation, users
    )


def _divided(pairs: Pairs, config: Config) -> tuple[Pairs, Pairs]:
    """Pairs that stop the network, and those of other users, that weigh the prior."""
    training = config.training
    half = -(-len(np.unique(pairs.user)) // 2)
    users = min(training.validation_users, half)
    stopping = pairs.of_some_users(users, training.seed)
    return stopping, pairs.where(~np.isin(pairs.user, stopping.user))


def decisive(ranks: Ranks) -> float:
    """NDCG@100 over the whole catalogue, by which trials are compared."""
    return ranks.summary((STOPS_BY,))[FULL][f"ndcg@{STOPS_BY}"]


class Measured(NamedTuple):
    """What one epoch's weights are worth."""

    ndcg: float  # NDCG@100 over the whole catalogue
    tied: float  # the largest share of the catalogue that ties at one score
    hr: float  # HR@10
    mrr: float


class Validation:
    """Measures a model on validation pairs, as often as asked.

    Args:
      model: whose weights change in between.
      dataset: its test pairs are the validation pairs. Those without a rival, of users
        who like everything else, are left out: they rank first whatever the model.
        Where the model has a prior, those of some users weigh it, and measure no epoch.
      config: of the protocol.

    Attributes:
      possible: whether there is any pair to measure.
      pairs: those that are measured after an epoch.
      weighing: those that weigh the prior, by `Weighing`.
      dataset: has `pairs` as test pairs.
      protocol: of the ranking.
    """

    def __init__(self, model: PairModel, dataset: Dataset, config: Config) -> None:
        self._model, self._training = model, config.training
        self.protocol = config.evaluation
        likes = np.bincount(dataset.train.user, minlength=dataset.users.size + 2)
        left = dataset.videos.size - likes[dataset.test.user]
        pairs = dataset.test.where(left > 1)
        self.possible = len(pairs) > 0
        self.pairs = self.weighing = pairs
        if model.tables.prior is not None:
            self.pairs, rest = _divided(pairs, config)
            self.weighing = rest if len(rest) else self.pairs
        self.dataset = dataclasses.replace(dataset, test=self.pairs)
        self._scorer: ModelScorer | None = None

    def measure(self) -> Measured:
        """Ranks the validation pairs with the weights as they are now."""
        scorer = self.scorer()
        ranks = rank_pairs(scorer, self.dataset, self.protocol, (FULL,))
        tied = tied_share(scorer.scores(np.unique(self.pairs.user)[:8]))
        means = ranks.summary((10, STOPS_BY))[FULL]
        found = means[f"ndcg@{STOPS_BY}"]
        return Measured(found, tied, means["hr@10"], means["mrr"])

    @property
    def some_weighing(self) -> Pairs:
        """Those of as many users as stop the network."""
        training = self._training
        return self.weighing.of_some_users(training.validation_users, training.seed)

    def scorer(self) -> ModelScorer:
        """What scores with the weights as they are now."""
        if self._scorer is None:
            last = self.protocol.ranks_skipped_impressions_last(knows_impressions=False)
            self._scorer = ranked(self._model.scorer(), self.dataset, last)
        else:
            self._scorer.refresh(self._model)
        return self._scorer


def tied_share(scores: np.ndarray[Any, Any]) -> float:
    """The largest share of a user's catalogue [B, V] that ties at one score."""
    most = max(int(np.unique(row, return_counts=True)[1].max()) for row in scores)
    return (most - 1) / scores.shape[1]
