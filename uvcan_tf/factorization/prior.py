"""A matrix factorisation beside the network: UVCAN's rating is the sum of both.

Unlike the paper. Both are fitted apart, and validation says how much the factorisation
counts, beside somebody's likes and where there is none: a network that is trained on
top of the factors learns to trust what these know of the very pairs, and is worse than
the sum (docs/results.md).

Shapes: B users, V videos, n known rows of a table, P factors of the prior.
"""

from __future__ import annotations

from collections.abc import Callable
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
      spread_of_new_videos: how many times as far from the mean as their attributes tell
        is y of videos without a pair.
      means: of users (s x) and of videos by their attributes, where those count.
      weight: s of users with a training pair.
      weight_of_strangers: s of all others.
    """

    def __init__(self, dataset: Dataset, settings: IALSSettings) -> None:
        self._settings = settings
        self.weight = self.weight_of_strangers = WEIGHT
        self.spread_of_new_videos = 1.0
        self._fit(dataset)
        self.users = tf.Variable(self._weighed(), trainable=False)
        self.videos = tf.Variable(self._y, trainable=False)

    def refit(self, dataset: Dataset) -> None:
        """Fits everything but the weights on to all training pairs of a dataset."""
        self._fit(dataset, (self._x, self._y))
        self.weigh(self.weight, self.weight_of_strangers, self.spread_of_new_videos)

    def weigh(
        self,
        weight: float,
        of_strangers: float | None = None,
        spread_of_new_videos: float = 1.0,
    ) -> None:
        """Has the prior count so many times from now on, for strangers too by default.

        The weight of strangers is more than 0 wherever the other one is.
        """
        self.weight = weight
        self.weight_of_strangers = weight if of_strangers is None else of_strangers
        self.spread_of_new_videos = spread_of_new_videos
        self.users.assign(self._weighed())
        self.videos.assign(self._spread())

    def _weighed(self) -> _Factors:
        """s x, [n+2, P]."""
        weights = np.where(self._known, self.weight, self.weight_of_strangers)
        return weights[:, None].astype(np.float32) * self._x

    def _spread(self) -> _Factors:
        """y, [n+2, P]: of new videos, with the spread that they have now."""
        if self._regressions is None:
            return self._y
        of_videos = self._regressions[1]
        fitted = np.pad(of_videos.fitted, 1)[:, None]
        further = np.float32(self.spread_of_new_videos) * (self._y - of_videos.mean)
        return np.where(fitted, self._y, of_videos.mean + further)

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
        return (
            of_users.means(self.weight_of_strangers),
            of_videos.means(spread=self.spread_of_new_videos),
        )

    def products(self, users: IntArray) -> npt.NDArray[np.float32]:
        """x·y of user rows [B] with every known video, [B, V], whatever the weights."""
        return self._x[users] @ self._y[1:-1].T

    def products_of_strangers(self, users: IntArray) -> npt.NDArray[np.float32]:
        """The same by the users' attributes alone, or without any by the mean."""
        if self._regressions is None:
            return np.repeat(self.products(np.zeros(1, np.int32)), len(users), axis=0)
        return self._regressions[0].predicted(users - 1) @ self._y[1:-1].T

    def products_of_new_videos(self) -> Callable[[IntArray], _Factors]:
        """The same, less each user's mean, by the videos' attributes alone."""
        if self._regressions is None:
            return lambda users: np.zeros([len(users), 1], np.float32)
        of_videos = self._regressions[1]
        further = of_videos.predicted() - of_videos.mean
        return lambda users: self._x[users] @ further.T

    def fold_in(self, y_of: Callable[[tf.Tensor], tf.Tensor]) -> FoldIn:
        """What gives people whom training never saw the factors of their likes.

        Args:
          y_of: y [L, P] of video rows int [L], from wherever they are kept.
        """
        weights = self.weight, self.weight_of_strangers
        return FoldIn(y_of, self._y[1:-1], self._likes, self._settings, *weights)

    def _fit(
        self, dataset: Dataset, start: tuple[_Factors, _Factors] | None = None
    ) -> None:
        """Finds x and y, [n+2, P], of all pairs."""
        self._known = dataset.trained_users
        whole = IALS(dataset, self._settings, start)
        self._regressions, self._likes = whole.regressions, whole.likes
        of_users, of_videos = whole.regressions or (None, None)
        self._x = _completed(whole.users, of_users)
        self._y = _completed(np.pad(whole.videos, [[1, 1], [0, 0]]), of_videos)


def _completed(factors: _Factors, regression: AttributeRegression | None) -> _Factors:
    """The mean in place of rows that are zeros, of which nothing is known."""
    there = factors.any(axis=1, keepdims=True)
    if regression is not None:
        return np.where(there, factors, regression.mean)
    return np.where(there, factors, factors.sum(axis=0) / max(1, int(there.sum())))
