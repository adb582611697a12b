"""How good a model is after an epoch: its validation pairs, ranked.

Shapes: B users, V videos.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final, NamedTuple

import numpy as np

from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset, IntArray, Pairs
from uvcan_tf.evaluation.metrics import ndcg
from uvcan_tf.evaluation.ranking import FULL, Ranks, rank_pairs
from uvcan_tf.evaluation.scorers import SKIPPED, ModelScorer, ranked
from uvcan_tf.factorization.prior import Prior
from uvcan_tf.model.pair_model import PairModel

#: k of the NDCG@k that decides between epochs, and between a search's trials. NDCG@10
#: sees a tenth of a few hundred pairs, and is mostly noise of these: NDCG@100 tells two
#: models apart as surely as NDCG@10 does with three times the pairs (docs/results.md).
STOPS_BY: Final = 100
STOPS_BY_IN_WORDS: Final = f"validation NDCG@{STOPS_BY}"
#: How much a prior may count beside its network: 1 is where the scores of both spread
#: as far, 0 is the network alone, and the last one nearly the prior alone. Few, and far
#: apart: a finer choice by some thousand pairs would follow their noise.
PRIOR_SHARES: Final = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 16.0, 64.0)
#: A prior is weighed by the pairs of so many times as many users as stop its network.
WEIGHING_USERS: Final = 4
_SCORES_AT_ONCE: Final = 1 << 22  # of the network, beside as many of its prior
_NO_SPREAD: Final = 1e-3  # of logits that are nearly all the same


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


class Weighed(NamedTuple):
    """The weight of a prior, and NDCG@100 with it, without it and of it alone.

    share: which of `PRIOR_SHARES` the weight is.
    """

    weight: float
    ndcg: float
    network_alone: float
    prior_alone: float
    share: float


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
    """

    def __init__(self, model: PairModel, dataset: Dataset, config: Config) -> None:
        self._model = model
        self._config = config
        likes = np.bincount(dataset.train.user, minlength=dataset.users.size + 2)
        left = dataset.videos.size - likes[dataset.test.user]
        pairs = dataset.test.where(left > 1)
        self.possible = len(pairs) > 0
        self.pairs = self._weighing = pairs
        if model.tables.prior is not None:
            self.pairs, rest = _divided(pairs, config)
            self._weighing = rest if len(rest) else self.pairs
        self._part = dataclasses.replace(dataset, test=self.pairs)
        self._scorer: ModelScorer | None = None

    def measure(self) -> Measured:
        """Ranks the validation pairs with the weights as they are now."""
        scorer = self._refreshed()
        ranks = rank_pairs(scorer, self._part, self._config.evaluation, (FULL,))
        tied = tied_share(scorer.scores(np.unique(self._part.test.user)[:8]))
        means = ranks.summary((10, STOPS_BY))[FULL]
        found = means[f"ndcg@{STOPS_BY}"]
        return Measured(found, tied, means["hr@10"], means["mrr"])

    def weigh(self, prior: Prior) -> tuple[Weighed, Weighed]:
        """How much the prior should count: beside somebody's likes, and for strangers.

        As much as ranks the pairs of users best who did not choose the network's epoch,
        out of `PRIOR_SHARES`. For strangers, some of these users are rated by their
        attributes alone; there the prior counts at least a little.
        """
        training, model = self._config.training, self._model
        prior.weigh(0.0)
        known = self._weighed(prior, self._weighing, as_strangers=False)
        model.as_strangers(True)
        some = self._weighing.of_some_users(training.validation_users, training.seed)
        strangers = self._weighed(prior, some, as_strangers=True)
        model.as_strangers(False)
        return known, strangers

    def _weighed(self, prior: Prior, weighing: Pairs, as_strangers: bool) -> Weighed:
        """By some pairs; the network rates each video of their users once."""
        scorer, evaluation = self._refreshed(), self._config.evaluation
        users = np.unique(weighing.user)
        blocks = -(-len(users) * self._part.videos.size // _SCORES_AT_ONCE)
        found, even = np.zeros(len(PRIOR_SHARES)), 0.0
        for some in np.array_split(users, blocks):
            pairs = weighing.where(np.isin(weighing.user, some))
            part = dataclasses.replace(self._part, test=pairs)
            logits, products = scorer.scores(some), prior.products(some, as_strangers)
            even = even or max(_spread(logits), _NO_SPREAD) / _spread(products)
            tables = (
                _Table(some, logits + np.float32(share * even) * products)
                for share in PRIOR_SHARES
            )
            ranks = (rank_pairs(t, part, evaluation, (FULL,)) for t in tables)
            found += [ndcg(r.by_protocol[FULL].rank, STOPS_BY).sum() for r in ranks]
        means = (found / len(weighing)).tolist()
        least = 1 if as_strangers else 0  # of the shares, which ascend
        best = least + int(np.argmax(means[least:]))
        share = PRIOR_SHARES[best]
        return Weighed(share * even, means[best], means[0], means[-1], share)

    def _refreshed(self) -> ModelScorer:
        """What scores with the weights as they are now."""
        if self._scorer is None:
            evaluation = self._config.evaluation
            last = evaluation.ranks_skipped_impressions_last(knows_impressions=False)
            self._scorer = ranked(self._model.scorer(), self._part, last)
        else:
            self._scorer.refresh(self._model)
        return self._scorer


class _Table(NamedTuple):
    """The scores of some users."""

    users: IntArray  # [B], ascending
    every: np.ndarray[Any, np.dtype[np.float32]]  # [B, V]

    def scores(self, users: IntArray) -> np.ndarray[Any, np.dtype[np.float32]]:
        """float32 [B, V]."""
        return self.every[np.searchsorted(self.users, users)]


def _spread(scores: np.ndarray[Any, np.dtype[np.float32]]) -> float:
    """The mean of the users' standard deviations, but for skipped impressions.

    1 where there is none: nothing then changes by how much it counts.
    """
    counts = scores > SKIPPED / 2
    return float(scores.std(axis=1, where=counts).mean()) or 1.0


def tied_share(scores: np.ndarray[Any, Any]) -> float:
    """The largest share of a user's catalogue [B, V] that ties at one score."""
    most = max(int(np.unique(row, return_counts=True)[1].max()) for row in scores)
    return (most - 1) / scores.shape[1]
