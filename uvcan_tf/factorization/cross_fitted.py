"""A matrix factorisation under the network, which learns what that leaves open.

Unlike the paper. Shapes: B users, C candidate videos, V videos, n known rows of a
table, P factors of the prior, F folds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.config import IALSSettings
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.factorization.attribute_matrix import (
    AttributeMatrix,
    attribute_matrices,
)
from uvcan_tf.factorization.attribute_means import AttributeMeans
from uvcan_tf.factorization.attribute_regression import AttributeRegression
from uvcan_tf.factorization.ials import IALS

#: The first weight of x·y, which lies about in 0..1, on the scale of a logit.
PRIOR_SCALE: Final = 6.0
_FOLDS: Final = 5

_Attributes = tuple[AttributeMatrix, AttributeMatrix]
_Factors = npt.NDArray[np.float32]
_Fitted = tuple[_Factors, AttributeRegression | None]


class CrossFitted:
    """iALS factors fitted to all training pairs, and to all but a fold of them.

    A factorisation rates the very pairs it was fitted to far too well. Trained over
    such ratings, the network would learn to trust them more than it may. So each pair
    is trained on with the factors of the fold that left it out. These take half of the
    iterations: on KuaiRand's long views they rate left-out pairs as all do (.452 and
    .455 on average, beside .681 of the factors that know them).

    Attributes:
      users: float32 [n+2, P].
      videos: float32 [n+2, P].
      means: of users and of videos by their attributes, where those count.

    A row without training pairs has what its attributes say. The missing and
    the unknown row, and without `attribute_ridge` every such row, has the mean of the
    others: it is rated as everybody is, which is about by popularity.
    """

    def __init__(self, dataset: Dataset, settings: IALSSettings) -> None:
        self._settings = settings
        attributes = _attributes(dataset, settings)
        whole = IALS(dataset, settings, attributes)
        self.users, self.videos = (
            tf.Variable(_completed(*fitted), trainable=False)
            for fitted in _fitted(whole)
        )
        self.means = _means(whole)
        fold = fold_of(dataset.train.user, dataset.train.video)
        brief = dataclasses.replace(settings, iterations=-(-settings.iterations // 2))
        parts = [
            IALS(_without(dataset, fold == number), brief, attributes)
            for number in range(_FOLDS)
        ]
        self._users, self._videos = (
            tf.concat(
                [t for x in fold for t in (_completed(*x), _cold_start(*x))], axis=0
            )
            for fold in zip(*map(_fitted, parts), strict=True)
        )  # [F * 2 * (n+2), P]

    def refit(self, dataset: Dataset) -> None:
        """Fits `users`, `videos` and `means` anew to all training pairs of a dataset.

        The factors of the folds, which training sees, stay as they are.
        """
        whole = IALS(dataset, self._settings, _attributes(dataset, self._settings))
        for table, fitted in zip(
            (self.users, self.videos), _fitted(whole), strict=True
        ):
            table.assign(_completed(*fitted))
        self.means = _means(whole)

    def factors(
        self, users: tf.Tensor, videos: tf.Tensor, known: tuple[tf.Tensor, tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """x [B, C=1, P] and y [B, C, P] of user rows [B] and video rows [B, C].

        By factors that were not fitted to the user's pair with the first video. Where
        the row known, [B, C=1] and [B, C], is another, by its attributes alone.
        """
        fold = tf.cast(fold_of(users, videos[:, 0]), tf.int32)[:, None]  # [B, C=1]

        def of(tables: tf.Tensor, size: int, rows: tf.Tensor, known: tf.Tensor) -> Any:
            kind = tf.cast(rows != known, tf.int32)
            return tf.gather(tables, (2 * fold + kind) * size + rows)

        return (
            of(self._users, self.users.shape[0], users[:, None], known[0]),
            of(self._videos, self.videos.shape[0], videos, known[1]),
        )


def fold_of(users: Any, videos: Any) -> Any:
    """0..F-1 for each pair of rows, NumPy or TensorFlow."""
    return (users + videos) % _FOLDS


def _attributes(dataset: Dataset, settings: IALSSettings) -> _Attributes | None:
    """Of both sides, where they count."""
    return attribute_matrices(dataset) if settings.attribute_ridge else None


def _means(whole: IALS) -> tuple[AttributeMeans, AttributeMeans] | None:
    if not whole.regressions:
        return None
    of_users, of_videos = whole.regressions
    return of_users.means(), of_videos.means()


def _without(dataset: Dataset, fold: npt.NDArray[np.bool_]) -> Dataset:
    return dataclasses.replace(dataset, train=dataset.train.where(~fold))


def _fitted(model: IALS) -> Iterator[_Fitted]:
    """Users, then videos: factors [n+2, P], and their regression if there is one."""
    of_users, of_videos = model.regressions or (None, None)
    yield model.users, of_users
    yield np.pad(model.videos, [[1, 1], [0, 0]]), of_videos


def _completed(factors: _Factors, regression: AttributeRegression | None) -> _Factors:
    """The mean in place of rows that are zeros, of which nothing is known."""
    there = factors.any(axis=1, keepdims=True)
    if regression is not None:
        return np.where(there, factors, regression.mean)
    return np.where(there, factors, factors.sum(axis=0) / max(1, int(there.sum())))


def _cold_start(factors: _Factors, regression: AttributeRegression | None) -> _Factors:
    """What every row would have without a pair."""
    completed = _completed(factors, regression)
    unknown = np.broadcast_to(completed[-1], completed.shape)
    if regression is None:
        return unknown
    rows = regression.predicted_apart(factors[1:-1])
    return np.concatenate([unknown[:1], rows, unknown[:1]])
