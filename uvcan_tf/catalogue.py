"""Exact scores over a whole catalogue, from halves computed once per model.

Shapes: B users, C candidate videos, V videos, N and M facets, K factors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from uvcan_tf.dataset import IntArray
from uvcan_tf.model import UVCAN
from uvcan_tf.network import Rated, UserSide, VideoSide

_ROWS_AT_ONCE = 8192
_BLOCK = 1024


class Catalogue(tf.Module):
    """A trained network with both sides of every known row already computed.

    Args:
      model: its weights are copied as they are now; `refresh` copies them again.

    Row 0 (missing) and row n+1 (unknown) of either side are scored like any other.
    """

    def __init__(self, model: UVCAN) -> None:
        super().__init__()
        # Plain variables and a bound method: nothing of Keras, no raw table and no
        # optimiser comes along when this module is saved.
        self._rate = model.network.rate
        self._weights = list(model.network.weights)
        self.users = model.dataset.users.size
        self.videos = model.dataset.videos.size
        self._blocks = -(-self.videos // _BLOCK)
        rows = 1 + self._blocks * _BLOCK
        self._user = _empty(model.half_of_users, self.users + 2)
        self._video = _empty(model.half_of_videos, max(rows, self.videos + 2))
        self.refresh(model)

    def refresh(self, model: UVCAN) -> None:
        """Computes both sides anew from the model's weights."""
        _fill(self._user, model.half_of_users, self.users + 2)
        _fill(self._video, model.half_of_videos, self.videos + 2)

    def user_side(self, users: tf.Tensor) -> UserSide:
        """The user's half of user rows int [...]."""
        return tf.nest.map_structure(lambda part: tf.gather(part, users), self._user)

    def video_side(self, videos: tf.Tensor) -> VideoSide:
        """The videos' half of video rows int [...]."""
        return tf.nest.map_structure(lambda part: tf.gather(part, videos), self._video)

    def rate(self, users: tf.Tensor, videos: tf.Tensor) -> Rated:
        """User rows int [B] with video rows int [B, C]."""
        return self._rate(self.user_side(users[:, None]), self.video_side(videos))

    def rate_all(self, users: tf.Tensor) -> tf.Tensor:
        """Logits [B, V] of user rows int [B] with every known video."""

        def block(job: tf.Tensor) -> tf.Tensor:
            user = self.user_side(users[job // self._blocks][None, None])
            start = 1 + (job % self._blocks) * _BLOCK
            video = tf.nest.map_structure(
                lambda part: part[None, start : start + _BLOCK], self._video
            )
            return self._rate(user, video).logits[0]  # [block]

        jobs = tf.shape(users)[0] * self._blocks
        logits = tf.map_fn(
            block,
            tf.range(jobs),
            fn_output_signature=tf.TensorSpec([_BLOCK], tf.float32),
            parallel_iterations=4,
        )
        return tf.reshape(logits, [-1, self._blocks * _BLOCK])[:, : self.videos]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)
    def _rate_all(self, users: tf.Tensor) -> tf.Tensor:
        return self.rate_all(users)

    def scores(self, users: IntArray) -> npt.NDArray[np.float32]:
        """float32 [B, V], for `ranking.rank_pairs`."""
        return self._rate_all(tf.constant(users, tf.int32)).numpy()


Half = Callable[[tf.Tensor], Any]


def _empty(half: Half, rows: int) -> Any:
    """Variables [rows, ...] shaped as what `half` gives for a row."""
    return tf.nest.map_structure(
        lambda part: tf.Variable(
            tf.zeros([rows, *part.shape[1:]], part.dtype), trainable=False
        ),
        half(tf.constant([0])),
    )


def _fill(variables: Any, half: Half, rows: int) -> None:
    for start in range(0, rows, _ROWS_AT_ONCE):
        some = slice(start, min(start + _ROWS_AT_ONCE, rows))
        parts = half(tf.range(some.start, some.stop))
        tf.nest.map_structure(lambda v, p, s=some: v[s].assign(p), variables, parts)
