"""A matrix factorisation under the network, which learns what that leaves open.

Unlike the paper. Shapes: B users, C candidate videos, V videos, n known rows of a side,
P factors of the prior, F folds.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.baselines.ials import IALS
from uvcan_tf.config import IALSSettings
from uvcan_tf.dataset import Dataset, IntArray
from uvcan_tf.pair_model import ModelScorer
from uvcan_tf.ranking import Scorer

#: The first weight of x·y, which lies about in 0..1, on the scale of a logit.
PRIOR_SCALE: Final = 6.0
_FOLDS: Final = 5
_SKIPPED: Final = np.float32(-1e4)


class CrossFitted:
    """iALS factors fitted to all training pairs, and to all but a fold of them.

    A factorisation rates the very pairs it was fitted to far too well. Trained over
    such ratings, the network would learn to trust them more than it may. So each pair
    is trained on with the factors of the fold that left it out.

    Attributes:
      users: float32 [n+2, P].
      videos: float32 [n+2, P].

    A row without training pairs, and the missing and the unknown row, has the mean of
    the others: it is rated as everybody is, which is about by popularity.
    """

    def __init__(self, dataset: Dataset, settings: IALSSettings) -> None:
        self.users, self.videos = _tables(IALS(dataset, settings))
        fold = fold_of(dataset.train.user, dataset.train.video)
        parts = [
            _tables(IALS(_without(dataset, fold == number), settings))
            for number in range(_FOLDS)
        ]
        users, videos = zip(*parts, strict=True)
        self._users, self._videos = tf.concat(users, 0), tf.concat(videos, 0)

    def factors(
        self, users: tf.Tensor, videos: tf.Tensor, known: tuple[tf.Tensor, tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """x [B, C=1, P] and y [B, C, P] of the rows known [B, C=1] and [B, C].

        By factors that were not fitted to the user's [B] pair with the first video of
        [B, C].
        """
        fold = tf.cast(fold_of(users, videos[:, 0]), tf.int32)[:, None]  # [B, C=1]
        x = tf.gather(self._users, fold * len(self.users) + known[0])
        return x, tf.gather(self._videos, fold * len(self.videos) + known[1])


def fold_of(users: Any, videos: Any) -> Any:
    """0..F-1 for each pair of rows, NumPy or TensorFlow."""
    return (users + videos) % _FOLDS


class SkippedLast:
    """Ranks what a user was shown and did not like behind everything else.

    A prior with `shown_weight` holds that what was shown is what a user is about;
    what was skipped all the same is then known to be wrong.
    """

    def __init__(self, scorer: Scorer, dataset: Dataset) -> None:
        self._scorer = scorer
        self._skipped = dataset.shown.by_user(dataset.users.size)

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V]."""
        scores = self._scorer.scores(users)
        for row, user in zip(scores, users, strict=True):
            row[self._skipped.of(int(user)) - 1] += _SKIPPED
        return scores


class SkippedLastByModel(SkippedLast):
    """The same of a model that may still change."""

    def __init__(self, scorer: ModelScorer, dataset: Dataset) -> None:
        super().__init__(scorer, dataset)
        self.refresh = scorer.refresh


def _without(dataset: Dataset, fold: npt.NDArray[np.bool_]) -> Dataset:
    return dataclasses.replace(dataset, train=dataset.train.where(~fold))


def _tables(model: IALS) -> tuple[tf.Tensor, tf.Tensor]:
    videos = np.pad(model.videos, [[1, 1], [0, 0]])
    return tf.constant(_with_mean(model.users)), tf.constant(_with_mean(videos))


def _with_mean(factors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The mean of the rows that are not zeros in place of those that are."""
    fitted = factors.any(axis=1, keepdims=True)
    mean = factors.sum(axis=0) / max(1, int(fitted.sum()))
    return np.where(fitted, factors, mean)
