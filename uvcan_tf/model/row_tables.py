"""The encoded features of every user and video, by row number.

Shapes: B pairs, C candidate videos, R distinct videos, n known rows, D length of a
dense feature, P factors of a prior.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.data.dataset import Dataset, Side
from uvcan_tf.factorization.prior import Prior
from uvcan_tf.features import LIKED_VIDEOS, PRIOR, USER_ID, VIDEO_ID, Dense, Feature
from uvcan_tf.model.batches import Batch
from uvcan_tf.model.new_videos import NewVideos
from uvcan_tf.network.facets import (
    CATEGORICAL,
    DENSE,
    MULTIVALUED,
    DistinctVectors,
    FacetSpec,
)

Columns = Mapping[str, Any]  # tensors, or `DistinctVectors` instead


class RowTables:
    """Columns of rows, as a network takes them.

    Args:
      dataset: its training pairs decide which identities are known.
      prior: its factors are one more column, where there is a prior, but for training.
      distinct_vectors: whether a batch has the dense features once for each distinct
        video, to be projected once.
      user_ids: whether the ids of users count.

    Attributes:
      prior: the same.
      new_videos: gives new videos their factors of the history's product, in one more
        column but for training, where the product counts.
    """

    def __init__(
        self,
        dataset: Dataset,
        prior: Prior | None = None,
        distinct_vectors: bool = False,
        user_ids: bool = True,
    ) -> None:
        self.known_users = dataset.trained_users & user_ids
        self._users: dict[str, Any] = _table(dataset.users, USER_ID, self.known_users)
        self._users[USER_ID] = tf.Variable(self._users[USER_ID], trainable=False)
        self._known_videos = dataset.trained_videos
        self._videos: dict[str, Any] = _table(
            dataset.videos, VIDEO_ID, self._known_videos
        )
        self._videos[VIDEO_ID] = tf.Variable(self._videos[VIDEO_ID], trainable=False)
        self.prior = prior
        self.new_videos: NewVideos | None = None
        if prior is not None:
            self._users[PRIOR], self._videos[PRIOR] = prior.users, prior.videos
        self._there: dict[str, tf.Tensor] = {}  # [n+2]: whether a video has the vector
        if distinct_vectors:
            self._there = {
                feature.name: tf.constant(dataset.videos.columns[feature.name].any(1))
                for feature in dataset.features.video
                if isinstance(feature, Dense)
            }

    def complete(self, dataset: Dataset, knows_more: bool) -> None:
        """Learns what follows from all training pairs, once training has ended.

        knows_more: whether the dataset has more pairs than were trained on.
        """
        if self.prior is not None and knows_more:
            self.prior.refit(dataset)
        if self.new_videos is not None:
            self.new_videos.learn()

    def forget_user_ids(self, forget: bool) -> None:
        """Whether every user is without an id of their own from now on."""
        known = self.known_users & (not forget)
        self._users[USER_ID].assign(identity_column(known))

    def forget_video_ids(self, forget: bool) -> None:
        """Whether every video is without an id of its own from now on."""
        known = self._known_videos & (not forget)
        self._videos[VIDEO_ID].assign(identity_column(known))

    def users(self, rows: tf.Tensor) -> dict[str, tf.Tensor]:
        """The columns [..., *] of user rows int [...]."""
        return _gathered(self._users, rows)

    def videos(self, rows: tf.Tensor) -> dict[str, tf.Tensor]:
        """The columns [..., *] of video rows int [...]."""
        columns = _gathered(self._videos, rows)
        if self.new_videos is not None:
            columns[LIKED_VIDEOS] = self.new_videos.factors(columns)
        return columns

    def video_ids(self, rows: tf.Tensor) -> tf.Tensor:
        """The column `VIDEO_ID` alone."""
        return tf.gather(self._videos[VIDEO_ID], rows)

    def of_batch(self, batch: Batch) -> tuple[Columns, Columns]:
        """What training sees of a batch: columns [B, C=1, *] and [B, C, *].

        Without the prior, which knows the very pairs.
        """
        users = _gathered(self._users, batch.users[:, None])
        videos = _gathered(self._videos, batch.videos)
        users[USER_ID] = tf.gather(self._users[USER_ID], batch.known_users)
        videos[VIDEO_ID] = tf.gather(self._videos[VIDEO_ID], batch.known_videos)
        videos |= self._distinct(batch.videos)
        return _without_prior(users), _without_prior(videos)

    def _distinct(self, videos: tf.Tensor) -> dict[str, DistinctVectors]:
        """Dense vectors once for each distinct video of [B, C]."""
        rows, position = tf.unique(tf.reshape(videos, [-1]))
        position = tf.reshape(position, tf.shape(videos))  # [B, C]
        return {
            name: DistinctVectors(
                tf.gather(self._videos[name], rows), position, tf.gather(there, rows)
            )
            for name, there in self._there.items()
        }


def _gathered(table: Mapping[str, Any], rows: tf.Tensor) -> dict[str, Any]:
    return {name: tf.gather(column, rows) for name, column in table.items()}


def _without_prior(columns: Columns) -> dict[str, Any]:
    return {name: column for name, column in columns.items() if name != PRIOR}


class FacetSpecs(NamedTuple):
    """The facets of users and of videos, identity first."""

    user: tuple[FacetSpec, ...]
    video: tuple[FacetSpec, ...]


def facet_specs(dataset: Dataset) -> FacetSpecs:
    """What `SideEmbedding` needs to know of the dataset's facets."""

    def facet(feature: Feature) -> FacetSpec:
        if feature.width is not None:
            return FacetSpec(feature.name, DENSE, feature.width)
        kind = MULTIVALUED if feature.multivalued else CATEGORICAL
        return FacetSpec(feature.name, kind, len(dataset.vocabularies[feature.name]))

    features = dataset.features
    return FacetSpecs(
        user=(
            FacetSpec(USER_ID, CATEGORICAL, dataset.users.size),
            *map(facet, features.user),
        ),
        video=(
            FacetSpec(VIDEO_ID, CATEGORICAL, dataset.videos.size),
            *map(facet, features.video),
        ),
    )


def identity_column(trained: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """int32 [n+2]: each row's identity; one never seen in training is "unknown"."""
    unknown = len(trained) - 1
    return np.where(trained, np.arange(len(trained)), unknown).astype(np.int32)


def _table(
    table: Side, identity: str, trained: npt.NDArray[np.bool_]
) -> dict[str, tf.Tensor]:
    columns = {name: tf.constant(column) for name, column in table.columns.items()}
    return {**columns, identity: tf.constant(identity_column(trained))}
