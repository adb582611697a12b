"""How good a model is after an epoch: its validation pairs, ranked.

Shapes: B users, V videos.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final, NamedTuple

import numpy as np

from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.evaluation.ranking import FULL, rank_pairs
from uvcan_tf.evaluation.scorers import ModelScorer, ranked
from uvcan_tf.model.pair_model import PairModel

#: k of the NDCG@k that decides between epochs, and between a search's trials. NDCG@10
#: sees a tenth of a few hundred pairs, and is mostly noise of these: NDCG@100 tells two
#: models apart as surely as NDCG@10 does with three times the pairs (docs/results.md).
STOPS_BY: Final = 100
STOPS_BY_IN_WORDS: Final = f"validation NDCG@{STOPS_BY}"


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
      config: of the protocol.

    Attributes:
      possible: whether there is any pair to measure.
      pairs: those that are measured.
    """

    def __init__(self, model: PairModel, dataset: Dataset, config: Config) -> None:
        self._model = model
        self._config = config
        likes = np.bincount(dataset.train.user, minlength=dataset.users.size + 2)
        left = dataset.videos.size - likes[dataset.test.user]
        pairs = dataset.test.where(left > 1)
        self._part = dataclasses.replace(dataset, test=pairs)
        self.pairs = pairs
        self.possible = len(pairs) > 0
        self._scorer: ModelScorer | None = None

    def measure(self) -> Measured:
        """Ranks the validation pairs with the weights as they are now."""
        if self._scorer is None:
            evaluation = self._config.evaluation
            last = evaluation.ranks_skipped_impressions_last(knows_impressions=False)
            self._scorer = ranked(self._model.scorer(), self._part, last)
        else:
            self._scorer.refresh(self._model)
        ranks = rank_pairs(self._scorer, self._part, self._config.evaluation, (FULL,))
        tied = tied_share(self._scorer.scores(np.unique(self._part.test.user)[:8]))
        means = ranks.summary((10, STOPS_BY))[FULL]
        ndcg = means[f"ndcg@{STOPS_BY}"]
        return Measured(ndcg, tied, means["hr@10"], means["mrr"])


def tied_share(scores: np.ndarray[Any, Any]) -> float:
    """The largest share of a user's catalogue [B, V] that ties at one score."""
    most = max(int(np.unique(row, return_counts=True)[1].max()) for row in scores)
    return (most - 1) / scores.shape[1]
