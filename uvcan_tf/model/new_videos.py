"""What a history's product makes of videos that nobody in training liked.

Shapes: n known videos, D factors.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from uvcan_tf.data.dataset import Dataset
from uvcan_tf.factorization.attribute_matrix import Floats, attributes_of_videos
from uvcan_tf.factorization.attribute_means import with_cold_start
from uvcan_tf.factorization.attribute_regression import AttributeRegression
from uvcan_tf.features import VIDEO_ID
from uvcan_tf.network.liked_videos import LikedVideos


class NewVideos:
    """The factors [o; b] of any video: new ones have the o that their attributes tell.

    That is a ridge regression of the learned o on attributes, in which a video counts
    by the root of its number of likes: the more it has, the less noise has its o. Their
    b stays that of a video without likes.

    Args:
      layer: has the factors of the others. Before `learn`, new videos have their mean.
      dataset: its training pairs are the likes.
      ridge: as `HistorySettings.attribute_ridge`.

    Attributes:
      means: o by attributes.
      spread: how many times as far from the mean as attributes tell `learn` has them.
    """

    def __init__(self, layer: LikedVideos, dataset: Dataset, ridge: float) -> None:
        self._layer = layer
        self.spread = 1.0
        likes = np.bincount(dataset.train.video, minlength=dataset.videos.size + 2)
        self._regression = AttributeRegression(
            attributes_of_videos(dataset),
            dataset.trained_videos[1:-1],
            ridge,
            np.sqrt(likes[1:-1]).astype(np.float32),
        )
        self._regression.fit(layer.outputs.numpy()[1:-1], steps=0)
        self.means = self._regression.means()

    def learn(self) -> None:
        """Takes the factors of the others as they are now."""
        self._regression.fit(self._layer.outputs.numpy()[1:-1])
        self.means.become(self._regression.means(spread=self.spread))

    @property
    def further(self) -> Floats:
        """How far from the mean the attributes of known videos tell o, [n, D]."""
        return self._regression.predicted() - self._regression.mean

    def factors(self, columns: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """[..., D + 1] of video columns [..., *], new ones with the unknown id."""
        ids = columns[VIDEO_ID]
        factors = self._layer.video_factors(ids)
        is_new = ids == self._layer.rows - 1
        [o] = with_cold_start((factors[..., :-1],), is_new, self.means, columns)
        return tf.concat([o, factors[..., -1:]], axis=-1)
