"""A matrix factorisation beside the network: UVCAN's rating is the sum of both.

Unlike the paper. Both are fitted apart, and validation says how much the factorisation
counts, beside somebody's likes and where there is none: a network that is trained on
top of the factors learns to trust what these know of the very pairs, and is worse than
the sum (docs/results.md).

Shapes: B users, V videos, n known rows of a table, P factors of the prior.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.config import IALSSettings
from uvcan_tf.data.dataset import NO_PAIRS, Dataset, IntArray, Pairs
from uvcan_tf.factorization.attribute_means import AttributeMeans
from uvcan_tf.factorization.attribute_regression import AttributeRegression
from uvcan_tf.factorization.fold_in import FoldIn
from uvcan_tf.factorization.ials import IALS
from uvcan_tf.network.liked_videos import Likes

WEIGHT: Final = 8.0  # where there is no pair to choose it by

_Factors = npt.NDArray[np.float32]


class Prior:
    """iALS factors of all rows: a rating has s x·y more by them.

    s has two values: of users with a training pair, and of strangers, who have none.

    A row without training pairs has what its attributes say. The missing and
    the unknown row, and without `attribute_ridge` every such row, has the mean of the
    others: it is rated as everybody is, which is about by popularity.

    Args:
      dataset: its training pairs count, and its impressions.
      settings: of iALS.

    Attributes:
      users: s x, float32 [n+2, P].
      videos: y, float32 [n+2, P].
      means: of users (s x) and of videos by their attributes, where those count.
      weight: s of users with a training pair.
      weight_of_strangers: s of all others.
    """

    def __init__(self, dataset: Dataset, settings: IALSSettings) -> None:
        self._settings = settings
        self.weight = self.weight_of_strangers = WEIGHT
        self._x, y = self._fitted(dataset)
        self.users = tf.Variable(self._weighed(), trainable=False)
        self.videos = tf.Variable(y, trainable=False)

    def refit(self, dataset: Dataset) -> None:
        """Fits everything but the weights anew to all training pairs of a dataset."""
        self._x, y = self._fitted(dataset)
        self.videos.assign(y)
        self.weigh(self.weight, self.weight_of_strangers)

    def weigh(self, weight: float, of_strangers: float | None = None) -> None:
        """Has the prior count so many times from now on, for strangers too by default.

        The weight of strangers is more than 0 wherever the other one is.
        """
        self.weight = weight
        self.weight_of_strangers = weight if of_strangers is None else of_strangers
        self.users.assign(self._weighed())

    def _weighed(self) -> _Factors:
        """s x, [n+2, P]."""
        weights = np.where(self._known, self.weight, self.weight_of_strangers)
        return weights[:, None].astype(np.float32) * self._x

    def remember(self, likes: Pairs, skipped: Pairs = NO_PAIRS) -> None:
        """Gives users without a training pair the factors of these pairs."""
        new = [pairs.where(~self._known[pairs.user]) for pairs in (likes, skipped)]
        users = np.unique(np.concatenate([pairs.user for pairs in new]))
        x = self._weighed()
        if len(users):
            fold_in = self.fold_in(lambda rows: tf.gather(self.videos, rows))
            liked, less = (
                Likes(
                    tf.constant(np.searchsorted(users, pairs.user), tf.int32),
                    tf.constant(pairs.video, tf.int32),
                )
                for pairs in new
            )
            means = tf.constant(x[users])
            x[users] = fold_in(liked, tf.constant(len(users)), means, less)
        self.users.assign(x)

    @property
    def knows_attributes(self) -> bool:
        """Whether rows without training pairs have what their attributes say."""
        return bool(self._regressions)

    @property
    def means(self) -> tuple[AttributeMeans, AttributeMeans] | None:
        if not self._regressions:
            return None
        of_users, of_videos = self._regressions
        return of_users.means(self.weight_of_strangers), of_videos.means()

    def products(
        self, users: IntArray, as_strangers: bool = False
    ) -> npt.NDArray[np.float32]:
        """x·y of user rows [B] with every known video, [B, V], whatever the weight.

        as_strangers: by the attributes of known users alone, as if they had no pair.
        """
        x = self._of_strangers(users) if as_strangers else self._x[users]
        return x @ self.videos.numpy()[1:-1].T

    def _of_strangers(self, users: IntArray) -> _Factors:
        """What the attributes tell, or without any the mean, which row 0 has."""
        if self._regressions is None:
            return self._x[np.zeros_like(users)]
        return self._regressions[0].predicted(users - 1)

    def fold_in(self, y_of: Callable[[tf.Tensor], tf.Tensor]) -> FoldIn:
        """What gives people whom training never saw the factors of their likes.

        Args:
          y_of: y [L, P] of video rows int [L], from wherever they are kept.
        """
        y = self.videos.numpy()[1:-1]
        weights = self.weight, self.weight_of_strangers
        return FoldIn(y_of, y, self._likes, self._settings, *weights)

    def _fitted(self, dataset: Dataset) -> Iterator[_Factors]:
        """x, then y, [n+2, P]."""
        self._known = dataset.trained_users
        whole = IALS(dataset, self._settings)
        self._regressions, self._likes = whole.regressions, whole.likes
        of_users, of_videos = whole.regressions or (None, None)
        yield _completed(whole.users, of_users)
        yield _completed(np.pad(whole.videos, [[1, 1], [0, 0]]), of_videos)


def _completed(factors: _Factors, regression: AttributeRegression | None) -> _Factors:
    """The mean in place of rows that are zeros, of which nothing is known."""
    there = factors.any(axis=1, keepdims=True)
    if regression is not None:
        return np.where(there, factors, regression.mean)
    return np.where(there, factors, factors.sum(axis=0) / max(1, int(there.sum())))
