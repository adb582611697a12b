"""How much a prior counts beside its network, once the network has learned.

Shapes: B users, V videos.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from itertools import product
from typing import Any, Final, NamedTuple

import numpy as np
import tensorflow as tf

from uvcan_tf.data.dataset import IntArray, Pairs
from uvcan_tf.evaluation.metrics import ndcg
from uvcan_tf.evaluation.ranking import FULL, rank_pairs
from uvcan_tf.evaluation.scorers import SKIPPED
from uvcan_tf.factorization.prior import WEIGHT, Prior
from uvcan_tf.model.pair_model import PairModel
from uvcan_tf.training.callbacks import MONITOR, Say
from uvcan_tf.training.distribution import Team
from uvcan_tf.training.validation import STOPS_BY, STOPS_BY_IN_WORDS, Validation

#: How much a prior may count beside its network: 1 is where the scores of both spread
#: as far, 0 is the network alone, and the last one nearly the prior alone. Few, and far
#: apart: a finer choice by some thousand pairs would follow their noise.
PRIOR_SHARES: Final = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 16.0, 64.0)
#: How far the scores of new videos may spread, by the prior and by the product of
#: likes, beside what attributes tell. A regression is the nearer to the mean the less
#: it knows, and the two know differently much.
SPREADS_OF_NEW_VIDEOS: Final = tuple(product((1.0, 2.0, 4.0), (1.0, 0.5, 0.25)))
_SCORES_AT_ONCE: Final = 1 << 22  # of the network, beside as many of its prior
_NO_SPREAD: Final = 1e-3  # of logits that are nearly all the same

_Scores = np.ndarray[Any, np.dtype[np.float32]]


class Weighed(NamedTuple):
    """The weight of a prior, and NDCG@100 with it, without it and of it alone.

    share: which of `PRIOR_SHARES` the weight is.
    """

    weight: float
    ndcg: float
    network_alone: float
    prior_alone: float
    share: float


class Spread(NamedTuple):
    """How far new videos' scores spread, and NDCG@100 then and where both are 1."""

    prior: float
    product: float
    ndcg: float
    as_told: float


def weigh_prior(
    model: PairModel, validation: Validation, team: Team, say: Say
) -> dict[str, Any] | None:
    """Has the prior count as much as the validation pairs say.

    Returns:
      What was found, as the summary of a run has it; None without a prior or pairs.
    """
    prior = model.tables.prior
    if prior is None:
        return None
    if not validation.possible:
        prior.weigh(WEIGHT)
        return None
    weighing = Weighing(model, prior, validation)
    prior.weigh(0.0)
    known = Weighed(*map(team.from_chief, weighing.known()))
    strangers = Weighed(*map(team.from_chief, weighing.strangers()))
    say(
        f"The prior counts {known.weight:.2f} times: {STOPS_BY_IN_WORDS} "
        f"{_in_words(known)}. For people without likes it counts "
        f"{strangers.weight:.2f} times: {_in_words(strangers)}."
    )
    found = {**_told(known), "of_strangers": _told(strangers)}
    spread_of_prior = 1.0
    if prior.knows_attributes:
        spread = Spread(*map(team.from_chief, weighing.new_videos(known.weight)))
        model.as_new_videos(False, spread.product)
        spread_of_prior = spread.prior
        found["of_new_videos"] = _told(spread)
        say(
            f"The scores of new videos spread {spread.prior:g} times as far by the "
            f"prior, and {spread.product:g} times by likes, as attributes tell: "
            f"{STOPS_BY_IN_WORDS} {spread.ndcg:.4f}, beside {spread.as_told:.4f} "
            "where they spread as told."
        )
    prior.weigh(known.weight, strangers.weight, spread_of_prior)
    return found


class Weighing:
    """Weighs a prior, which does not count meanwhile, by pairs set apart for it.

    These are of users who did not choose the network's epoch.

    Args:
      model: trained.
      prior: its own.
      validation: has the pairs.
    """

    def __init__(self, model: PairModel, prior: Prior, validation: Validation) -> None:
        self.model, self.prior, self.validation = model, prior, validation

    def known(self) -> Weighed:
        """The weight beside somebody's likes: which of `PRIOR_SHARES` ranks best."""
        return self._weighed(self.validation.weighing, self.prior.products, 0)

    def strangers(self) -> Weighed:
        """That for strangers, by some of these users, rated by their attributes alone.

        There the prior counts at least a little.
        """
        self.model.as_strangers(True)
        some = self.validation.some_weighing
        found = self._weighed(some, self.prior.products_of_strangers, 1)
        self.model.as_strangers(False)
        return found

    def new_videos(self, weight: float) -> Spread:
        """Which of `SPREADS_OF_NEW_VIDEOS` ranks best, where all videos are new.

        That is, where known videos are rated by their attributes alone, for the same
        users as in `strangers`, but with their likes.

        weight: of the prior, for these users.
        """
        self.model.as_new_videos(True, spread=0.0)
        scorer = self.validation.scorer()
        by_prior = self.prior.products_of_new_videos()
        new = self.model.tables.new_videos
        further = None if new is None else new.further.T  # [D, V]

        def scores(users: IntArray) -> Iterable[_Scores]:
            network, of_prior = scorer.scores(users), weight * by_prior(users)
            of_likes = np.zeros_like(of_prior)
            if further is not None:
                of_likes = self.model.history_of(tf.constant(users)).numpy() @ further
            for spread in SPREADS_OF_NEW_VIDEOS:
                yield network + spread[0] * of_prior + spread[1] * of_likes

        means = self._ndcg(self.validation.some_weighing, scores)
        self.model.as_new_videos(False)
        best = int(np.argmax(means))
        return Spread(*SPREADS_OF_NEW_VIDEOS[best], means[best], means[0])

    def _weighed(
        self, pairs: Pairs, products: Callable[[IntArray], _Scores], least: int
    ) -> Weighed:
        """By some pairs; the network rates each video of their users once.

        least: of the shares, which ascend.
        """
        scorer, even = self.validation.scorer(), 0.0

        def scores(users: IntArray) -> Iterable[_Scores]:
            nonlocal even
            own, of_prior = scorer.scores(users), products(users)
            even = even or max(_spread(own), _NO_SPREAD) / _spread(of_prior)
            for share in PRIOR_SHARES:
                yield own + np.float32(share * even) * of_prior

        means = self._ndcg(pairs, scores)
        best = least + int(np.argmax(means[least:]))
        share = PRIOR_SHARES[best]
        return Weighed(share * even, means[best], means[0], means[-1], share)

    def _ndcg(
        self, pairs: Pairs, scores: Callable[[IntArray], Iterable[_Scores]]
    ) -> list[float]:
        """NDCG@100 of pairs by each of the tables [B, V] that users [B] have."""
        dataset, evaluation = self.validation.dataset, self.validation.protocol
        users = np.unique(pairs.user)
        blocks = -(-len(users) * dataset.videos.size // _SCORES_AT_ONCE)
        gains: list[list[float]] = []  # of a block, by each of its tables
        for some in np.array_split(users, blocks):
            part = dataclasses.replace(
                dataset, test=pairs.where(np.isin(pairs.user, some))
            )
            tables = (_Table(some, every) for every in scores(some))
            ranks = (rank_pairs(table, part, evaluation, (FULL,)) for table in tables)
            of_tables = (r.by_protocol[FULL].rank for r in ranks)
            gains.append([float(ndcg(r, STOPS_BY).sum()) for r in of_tables])
        means: list[float] = (np.sum(gains, axis=0) / len(pairs)).tolist()
        return means


class _Table(NamedTuple):
    """The scores of some users."""

    users: IntArray  # [B], ascending
    every: _Scores  # [B, V]

    def scores(self, users: IntArray) -> _Scores:
        """float32 [B, V]."""
        return self.every[np.searchsorted(self.users, users)]


def _spread(scores: _Scores) -> float:
    """The mean of the users' standard deviations, but for skipped impressions.

    1 where there is none: nothing then changes by how much it counts.
    """
    counts = scores > SKIPPED / 2
    return float(scores.std(axis=1, where=counts).mean()) or 1.0


def _told(found: Weighed | Spread) -> dict[str, float]:
    """As the summary of a run has it."""
    return {MONITOR if n == "ndcg" else n: x for n, x in found._asdict().items()}


def _in_words(found: Weighed) -> str:
    return (
        f"{found.ndcg:.4f}, beside {found.network_alone:.4f} of the network alone and "
        f"{found.prior_alone:.4f} of the prior alone"
    )
